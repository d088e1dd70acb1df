//! What the nightly job chooses for one device: its level, its weekdays, its year, and how far a
//! forecast may be off. Pure, and all a forecast needs by day.

use super::holidays::Holidays;
use super::pool::{FleetYear, Group, HORIZONS, LentBy, Pool, YOUNG_DAYS};
use super::series::{DailySeries, Ongoing};
use super::weights::{self, SIGNS, Season, Signs, dot};
use super::working::{Working, YEAR};
use crate::usage::model::{Closure, Parts, RateSource, SeasonSource, Uncertainty, UsagePattern};

/// A week like any other.
pub(super) const FLAT: [f64; 7] = [1.0; 7];
/// Means that are compared with that of the last 28 days.
const WINDOWS: [i64; 4] = [14, 56, 112, 364];
/// The base of all comparisons, in days.
const BASE: i64 = 28;
/// Share of a window that must be known.
const WINDOW_SHARE: f64 = 0.4;
/// What the device's last year is compared with, in days before it; and the fleet's.
const OWN_BASES: [i64; 3] = [28, 56, 112];
const POOL_BASES: [i64; 2] = [28, 112];
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
const MOMENT_FIRST: i64 = 56;
/// Share of the days ahead that must be known for a moment to be judged.
const JUDGED_SHARE: f64 = 0.9;
/// Days around a day of last year that its level is taken from: the device's, and the fleet's.
const OWN_AROUND: i64 = 10;
const POOL_AROUND: i64 = 7;
const AROUND_SHARE: f64 = 0.3;
/// Weeks of a year that a season has.
pub(crate) const WEEKS: usize = 52;
/// The middle of a week.
const MIDDLE: i64 = 4;
/// An outage that lasts is expected to go on for so many times as long, but not for more than two months.
const GOES_ON: f64 = 1.5;
const GOES_ON_MOST: f64 = 60.0;
/// How many moments the fleet's typical error is worth.
const SCALE_HOLD: f64 = 4.0;
/// Past moments after which those before the first whole year are not asked any more.
const ENOUGH: usize = 40;
/// Corrections of intervals: learned errors are of the past that was learned from, a small fleet is
/// hit by the same surprises together, and a short past has seen few of them.
const SPREAD_BASE: f64 = 0.85;
const SPREAD_FEW: f64 = 2.0;
const SPREAD_SHORT: f64 = 0.6;
const SPREAD_SHORT_DAYS: f64 = 60.0;
/// What a planning rate is off by when nothing else is known: a factor of e^0.5.
const UNKNOWN: f64 = 0.5;
/// Days that the spread of single days is taken from.
const SPREAD_DAYS: usize = 56;
/// The largest spread of single days that intervals follow, in rates.
const NOISE_MOST: f64 = 1.5;
/// Mean absolute error of a normal distribution, in standard deviations.
const MEAN_ABSOLUTE: f64 = 0.8;
/// Days for which holidays are looked up ahead.
const AHEAD_DAYS: usize = 400;

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
    signs: Signs,
    weights: [f64; SIGNS],
    /// Mean of the last 28 days; none where too few are known.
    base: Option<f64>,
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
fn own_year(working: &Working, at: i64, window: i64, stretch: impl Fn(i64) -> Option<f64>) -> Option<f64> {
    over_years(|year| {
        let then = at - YEAR * year;
        Some(stretch(then)? - working.mean(then - window + 1, then, LAST_BASE_SHARE)?.ln())
    })
}

/// What the fleet did a year before a stretch of days, against its level then.
fn pool_year(
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
fn place_seasons(
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

/// The factor of each coming week's middle against the level: the device's last year and its
/// fleet's, as far as each counts.
fn year_ahead(working: &Working, pool: &Pool, fleet: &FleetYear, study: &Study) -> Vec<f32> {
    let season = study.signs.season;
    if season == Season::None {
        return Vec::new();
    }
    let (end, weights) = (working.end(), &study.weights);
    // ln of the level around a day of last year.
    let around = |place: i64, days: i64| (place - days, (place + days).min(end));
    (0..WEEKS as i64)
        .map(|week| {
            let ahead = MIDDLE + 7 * week;
            let own = OWN_BASES.map(|window| {
                own_year(working, end, window, |then| {
                    let (from, to) = around(then + ahead, OWN_AROUND);
                    Some(working.mean(from, to, AROUND_SHARE)?.ln())
                })
            });
            let fleets = POOL_BASES.map(|window| {
                pool_year(working, fleet, end, window, |then| {
                    let (from, to) = around(then + ahead, POOL_AROUND);
                    fleet.level(working.date(from), working.date(to))
                })
            });
            let mut values = [0.0; SIGNS];
            place_seasons(&mut values, season, &own, &fleets, pool.belief());
            // Four places are enough, and are shorter to keep.
            ((dot(weights, &values).exp() * 1e4).round() / 1e4) as f32
        })
        .collect()
}

/// What a device is forecast with; `series` are its days up to the last full one, `planning_per_day`
/// what to assume where nobody has anything to lend, in the same unit.
pub fn fit(
    series: &DailySeries,
    pool: &Pool,
    fleet: &FleetYear,
    group: &Group,
    holidays: &Holidays,
    planning_per_day: f64,
) -> UsagePattern {
    let observed = series.observed();
    let lent = pool.lender(group);
    let prior = match lent {
        Some((_, lender)) if observed < MOMENT_FIRST as usize => lender.shape,
        _ => FLAT,
    };
    let working = Working::of(series, &prior, holidays, &pool.holidays);
    let study = study(&working, pool, fleet);
    let recent = study.base.or_else(|| recent(&working));
    // The level: signs without their season.
    let windows: f64 = study.signs.values[..4].iter().zip(&study.weights).map(|(a, b)| a * b).sum();
    let own_level = recent.map(|recent| recent * windows.exp());
    let own_share = (observed as f64 / YOUNG_DAYS as f64).min(1.0);
    let borrowed = lent.map_or(planning_per_day, |(_, lender)| lender.per_day);
    let per_day = match own_level {
        Some(level) => own_share * level + (1.0 - own_share) * borrowed,
        // Days that are known and idle are a rate of 0, no days are none.
        None => (1.0 - own_share) * borrowed,
    };
    let source = match lent {
        _ if observed >= YOUNG_DAYS => RateSource::Device,
        Some((LentBy::Model | LentBy::Fleet, _)) => RateSource::Model,
        Some((LentBy::SiteType, _)) => RateSource::SiteType,
        None if observed > 0 => RateSource::Model,
        None => RateSource::Planning,
    };
    let season = year_ahead(&working, pool, fleet, &study);
    let spread = spread(&working, per_day);
    let closure = working.ongoing.map(|ongoing| closure(series, ongoing));
    let as_of = series.last();
    UsagePattern {
        per_day,
        weekday: working.shape.map(|share| share * per_day),
        spread,
        observed_days: observed.min(SPREAD_DAYS) as u32,
        as_of,
        source,
        season_from: as_of,
        season,
        holidays: holidays.coming(as_of, AHEAD_DAYS, &pool.holidays),
        closure,
        uncertainty: uncertainty(pool, &study, own_share, spread, per_day),
        parts: Parts {
            recent_per_day: recent,
            season: match study.signs.season {
                Season::None => SeasonSource::None,
                Season::Pool => SeasonSource::Fleet,
                Season::Own => SeasonSource::Device,
            },
            outage_days: working.outage_days as u32,
        },
    }
}

/// The level where the last four weeks are too thin: of the last sixteen weeks, or of all there is.
fn recent(working: &Working) -> Option<f64> {
    let end = working.end();
    let sixteen = working.used(end - 111, end, 0.0).filter(|_| working.count > 0);
    sixteen.or_else(|| working.used(0, end, 0.0))
}

fn closure(series: &DailySeries, ongoing: Ongoing) -> Closure {
    let days = (ongoing.days as f64 * GOES_ON).min(GOES_ON_MOST) as u64;
    let last = series.last();
    Closure {
        days_so_far: ongoing.days as u32,
        expected_until: last.checked_add_days(chrono::Days::new(days)).unwrap_or(last),
        share: ongoing.share,
    }
}

/// Standard deviation of a day around what its weekday should sell, over the last eight weeks.
fn spread(working: &Working, per_day: f64) -> f64 {
    let from = working.units.len().saturating_sub(SPREAD_DAYS);
    let known: Vec<f64> = (from..working.units.len())
        .filter(|place| !working.units[*place].is_nan())
        .map(|place| working.units[place] - working.weights[place] * per_day)
        .collect();
    match known.len() {
        0 | 1 => per_day.max(f64::MIN_POSITIVE),
        count => (known.iter().map(|r| r * r).sum::<f64>() / (count - 1) as f64).sqrt(),
    }
}

fn uncertainty(pool: &Pool, study: &Study, own_share: f64, spread: f64, per_day: f64) -> Uncertainty {
    let errors = &pool.errors;
    let few = SPREAD_FEW / pool.devices.max(1) as f64;
    let short = SPREAD_SHORT / (pool.days as f64 / SPREAD_SHORT_DAYS).max(1.0);
    let correction = SPREAD_BASE * (1.0 + few + short).sqrt();
    let own = correction * scale(&study.residuals, &errors.typical) * errors.typical[1];
    let noise = if per_day > 0.0 { (spread / per_day).min(NOISE_MOST) } else { NOISE_MOST };
    Uncertainty {
        typical: own_share * own + (1.0 - own_share) * UNKNOWN.max(own),
        growth: errors.growth(),
        low: errors.low,
        high: errors.high,
        noise: MEAN_ABSOLUTE * noise,
    }
}
