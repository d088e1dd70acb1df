//! What a device's own past teaches: the signs at a moment, which weights would have been right, and
//! how wrong forecasts still were.

use super::pool::{FleetYear, HORIZONS, Pool};
use super::weights::{self, SIGNS, Season, Signs, dot};
use super::working::{Working, YEAR};

/// A week like any other.
pub(super) const FLAT: [f64; 7] = [1.0; 7];
/// Means that are compared with that of the last 28 days.
const WINDOWS: [i64; 4] = [14, 56, 112, 364];
/// The base of all comparisons, in days.
const BASE: i64 = 28;
/// Share of a window that must be known.
const WINDOW_SHARE: f64 = 0.4;
/// What the device's last year is compared with, in days before it; and the fleet's.
pub(super) const OWN_BASES: [i64; 3] = [28, 56, 112];
pub(super) const POOL_BASES: [i64; 2] = [28, 112];
/// Share of the stretch a year ago, and of what it is compared with, that must be known.
const LAST_YEAR_SHARE: f64 = 0.6;
const LAST_BASE_SHARE: f64 = 0.5;
/// Years that are looked back at.
const YEARS: i64 = 3;
/// Days of the fleet's past that a comparison needs.
const POOL_BASE_MIN: i64 = 14;
/// The largest ratio of levels that speaks, and of seasons, in logarithms.
const MOST_LEVEL: f64 = 1.0;
const MOST_SEASON: f64 = 0.7;
/// Days between past moments that are learned from, and the first of them.
const MOMENT_DAYS: i64 = 14;
pub(super) const MOMENT_FIRST: i64 = 56;
/// Share of the days ahead that must be known for a moment to be judged.
const JUDGED_SHARE: f64 = 0.9;
/// How many moments the fleet's typical error is worth.
const SCALE_HOLD: f64 = 4.0;
/// Past moments after which those before the first whole year are not asked any more.
const ENOUGH: usize = 40;

/// An error of the past.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Residual {
    /// Place in [`HORIZONS`].
    pub(super) horizon: usize,
    /// ln(used ÷ forecast).
    pub(super) error: f64,
}

/// What a device's past teaches.
#[derive(Clone, Debug)]
pub(super) struct Study {
    /// The signs at the end of its days.
    pub(super) signs: Signs,
    /// How much each counts.
    pub(super) weights: [f64; SIGNS],
    /// Mean of the last 28 days; none where too few are known.
    pub(super) base: Option<f64>,
    /// What forecasts with these weights were off by.
    pub(super) residuals: Vec<Residual>,
}

/// ln of the base at a place.
fn base(working: &Working, at: i64) -> Option<f64> {
    working.mean(at - BASE + 1, at, WINDOW_SHARE).map(f64::ln)
}

/// The mean over the years that say something.
fn over_years(of_year: impl Fn(i64) -> Option<f64>) -> Option<f64> {
    let known = (1..=YEARS).filter_map(of_year);
    let (sum, count) = known.fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// What the device did a year before a stretch of days, against its level then.
pub(super) fn own_year(working: &Working, at: i64, window: i64, stretch: impl Fn(i64) -> Option<f64>) -> Option<f64> {
    over_years(|year| {
        let then = at - YEAR * year;
        Some(stretch(then)? - working.mean(then - window + 1, then, LAST_BASE_SHARE)?.ln())
    })
}

/// What the fleet did a year before a stretch of days, against its level then.
pub(super) fn pool_year(
    working: &Working,
    fleet: &FleetYear,
    at: i64,
    window: i64,
    stretch: impl Fn(i64) -> Option<f64>,
) -> Option<f64> {
    let known_from = (fleet.first()? - working.first).num_days();
    over_years(|year| {
        let then = at - YEAR * year;
        let window = window.min(then - known_from + 1);
        if window < POOL_BASE_MIN {
            return None;
        }
        Some(stretch(then)? - fleet.level(working.date(then - window + 1), working.date(then))?)
    })
}

fn clipped(value: Option<f64>, most: f64) -> f64 {
    value.unwrap_or(0.0).clamp(-most, most)
}

/// The signs at a place for the days ahead of it.
fn signs(working: &Working, pool: &Pool, fleet: &FleetYear, at: i64, horizon: i64, base: Option<f64>) -> Signs {
    let mut values = [0.0; SIGNS];
    for (value, window) in values.iter_mut().zip(WINDOWS) {
        let mean = base.and_then(|base| Some(working.mean(at - window + 1, at, WINDOW_SHARE)?.ln() - base));
        *value = clipped(mean, MOST_LEVEL);
    }
    let own = OWN_BASES.map(|window| {
        own_year(working, at, window, |then| Some(working.mean(then + 1, then + horizon, LAST_YEAR_SHARE)?.ln()))
    });
    let fleets = POOL_BASES.map(|window| {
        pool_year(working, fleet, at, window, |then| fleet.level(working.date(then + 1), working.date(then + horizon)))
    });
    let season = season(own[0].is_some(), fleets[0].is_some());
    place_seasons(&mut values, season, &own, &fleets, pool.belief());
    Signs { season, values }
}

fn season(is_own_known: bool, is_pool_known: bool) -> Season {
    match (is_own_known, is_pool_known) {
        (true, _) => Season::Own,
        (false, true) => Season::Pool,
        (false, false) => Season::None,
    }
}

/// Puts the seasons' signs where their weights are.
pub(super) fn place_seasons(
    values: &mut [f64; SIGNS],
    season: Season,
    own: &[Option<f64>; 3],
    fleets: &[Option<f64>; 2],
    belief: f64,
) {
    let fleets = fleets.map(|sign| clipped(sign.map(|s| s * belief), MOST_SEASON));
    match season {
        Season::None => {}
        Season::Pool => values[4..6].copy_from_slice(&fleets),
        Season::Own => {
            values[4..7].copy_from_slice(&own.map(|sign| clipped(sign, MOST_SEASON)));
            values[7..9].copy_from_slice(&fleets);
        }
    }
}

/// Looks at a device's past: what would have been right at each moment, with which weights it would
/// have been, and how wrong that still was.
pub(super) fn study(working: &Working, pool: &Pool, fleet: &FleetYear) -> Study {
    let end = working.end();
    let base_now = base(working, end);
    let now = signs(working, pool, fleet, end, HORIZONS[0], base_now);
    let (mut past, mut horizons): (Vec<(Signs, f64)>, Vec<usize>) = (Vec::new(), Vec::new());
    let (mut before, mut before_horizons): (Vec<(Signs, f64)>, Vec<usize>) = (Vec::new(), Vec::new());
    for (place, horizon) in HORIZONS.into_iter().enumerate() {
        let mut at = end - horizon;
        while at >= MOMENT_FIRST {
            if let Some(base) = base(working, at)
                && let Some(used) = working.used(at + 1, at + horizon, JUDGED_SHARE)
            {
                let signs = signs(working, pool, fleet, at, horizon, Some(base));
                let moment = (signs, used.ln() - base);
                if signs.season == now.season {
                    past.push(moment);
                    horizons.push(place);
                } else {
                    before.push(moment);
                    before_horizons.push(place);
                }
            }
            at -= MOMENT_DAYS;
        }
    }
    let weights = weights::own(now.season, &past);
    let error = |(signs, truth): &(Signs, f64), weights: &[f64; SIGNS]| truth - dot(weights, &signs.values);
    let mut residuals: Vec<Residual> = past
        .iter()
        .zip(&horizons)
        .map(|(moment, horizon)| Residual { horizon: *horizon, error: error(moment, &weights) })
        .collect();
    if past.len() < ENOUGH {
        residuals.extend(before.iter().zip(&before_horizons).map(|(moment, horizon)| Residual {
            horizon: *horizon,
            error: error(moment, &weights::general(moment.0.season)),
        }));
    }
    Study { signs: now, weights, base: base_now.map(f64::exp), residuals }
}

/// How wrong a device is, against what is typical of its fleet.
pub(super) fn scale(residuals: &[Residual], typical: &[f64; 2]) -> f64 {
    let sum: f64 = residuals.iter().map(|r| r.error.abs() / typical[r.horizon]).sum();
    let count = residuals.len() as f64;
    if residuals.is_empty() {
        return 1.0;
    }
    // Two horizons at moments two weeks apart: a quarter of them is news.
    let moments = count / 4.0;
    (sum / count * moments + SCALE_HOLD) / (moments + SCALE_HOLD)
}
