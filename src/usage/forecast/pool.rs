//! What the devices of a fleet have in common for one meter: their year, their holidays, how wrong
//! forecasts are, and what a young device may borrow.

use super::holidays::Effects;
use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Known days of a device before it speaks for its groups, and for itself alone: two weeks.
pub const YOUNG_DAYS: usize = 14;
/// Share by which something must change before the fleet is told.
const MATERIAL: f64 = 0.1;

/// Devices that do as the fleet does are worth so many that do nothing: a small fleet's year is
/// believed less.
const DOUBTERS: f64 = 4.0;

/// Days ahead at which errors are measured.
pub(super) const HORIZONS: [i64; 2] = [30, 60];
/// The error expected of a fleet nothing is known of: the mean of |ln(used ÷ forecast)| over a month,
/// the middle of what the five data sets show (0.03 for shops, 0.07 for cash machines, 0.2 for vending).
pub(super) const TYPICAL: f64 = 0.1;
/// Tenth and ninetieth percentile of errors in typical errors: 1.6 for a normal distribution.
pub(super) const TAIL: f64 = 1.6;
/// How fast errors may grow with the days ahead, as a power of them: between never and by chance alone.
const GROWTH: std::ops::RangeInclusive<f64> = 0.15..=0.6;

/// What a young device borrows from: its model, then its site's type, then the planning rate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Code of its model; empty for none.
    pub model: String,
    /// Code of what surrounds it; none without a site, and where nobody said.
    pub site_type: Option<String>,
}

/// What the devices of a group use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lender {
    /// The middle one of their daily rates.
    pub per_day: f64,
    /// The share of an average day that each weekday has, Monday first.
    pub shape: [f64; 7],
    /// How many devices it was learned from.
    pub devices: usize,
}

/// How wrong forecasts were on the fleet's own past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// Mean of |ln(used ÷ forecast)| at each horizon.
    pub typical: [f64; 2],
    /// Tenth percentile of ln(used ÷ forecast), in typical errors of the device; negative.
    pub low: f64,
    /// Ninetieth percentile.
    pub high: f64,
}

impl Default for Errors {
    fn default() -> Self {
        Self { typical: [TYPICAL * 0.8, TYPICAL], low: -TAIL, high: TAIL }
    }
}

/// What a fleet's devices have in common for one meter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// The last day of its data.
    pub through: NaiveDate,
    /// Devices it was learned from.
    pub devices: usize,
    /// Days of the longest of them.
    pub days: usize,
    /// ln of the fleet's level in each week, the last of which ends at `through`; from 0 on.
    pub weeks: Vec<f32>,
    /// What each day around a holiday sells.
    pub holidays: Effects,
    /// How wrong forecasts were.
    pub errors: Errors,
    /// By model code.
    pub models: BTreeMap<String, Lender>,
    /// By code of the site's type.
    pub site_types: BTreeMap<String, Lender>,
    /// Over all of them.
    pub fleet: Option<Lender>,
}

/// Where a rate was borrowed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LentBy {
    Model,
    SiteType,
    Fleet,
}

impl Pool {
    /// Whether it is another pool to whoever borrows from it; a small change is not worth looking at
    /// a fleet again, a week of newer data is.
    pub fn differs(&self, other: &Self) -> bool {
        let is_near = |a: f64, b: f64| (a - b).abs() <= MATERIAL * a.abs().max(b.abs());
        let is_same = |mine: &BTreeMap<String, Lender>, theirs: &BTreeMap<String, Lender>| {
            mine.len() == theirs.len()
                && mine
                    .iter()
                    .all(|(code, lender)| theirs.get(code).is_some_and(|other| is_near(lender.per_day, other.per_day)))
        };
        (self.through - other.through).num_days().abs() >= 7
            || !is_same(&self.models, &other.models)
            || !is_same(&self.site_types, &other.site_types)
            || !is_near(self.errors.typical[1], other.errors.typical[1])
    }

    /// The closest group of a device that has anything to lend.
    pub(super) fn lender(&self, group: &Group) -> Option<(LentBy, &Lender)> {
        let model = self.models.get(&group.model).map(|l| (LentBy::Model, l));
        let site = || group.site_type.as_ref().and_then(|s| self.site_types.get(s)).map(|l| (LentBy::SiteType, l));
        let fleet = || self.fleet.as_ref().filter(|_| group.model.is_empty()).map(|l| (LentBy::Fleet, l));
        model.or_else(site).or_else(fleet)
    }

    /// How far the fleet's own year is believed.
    pub(super) fn belief(&self) -> f64 {
        self.devices as f64 / (self.devices as f64 + DOUBTERS)
    }
}

/// The fleet's level day by day, ready to be averaged over any stretch. Made once for a pool.
#[derive(Clone, Debug, Default)]
pub struct FleetYear {
    first: NaiveDate,
    /// Sum of the levels before each day.
    sums: Vec<f64>,
}

impl FleetYear {
    /// From the pool's weeks, between whose middles it runs straight.
    pub fn of(pool: &Pool) -> Self {
        let count = 7 * pool.weeks.len();
        let first = pool.through.checked_sub_days(Days::new((count as u64).saturating_sub(1)));
        let (Some(first), Some(last)) = (first, pool.weeks.last()) else { return Self::default() };
        let mut sums = Vec::with_capacity(count + 1);
        let mut sum = 0.0;
        sums.push(sum);
        for day in 0..count {
            // Middles of weeks are at 3, 10, 17…
            let place = (day as f64 - 3.0) / 7.0;
            let week = place.max(0.0) as usize;
            let (here, next) = (pool.weeks[week.min(pool.weeks.len() - 1)], pool.weeks.get(week + 1).unwrap_or(last));
            let share = (place - week as f64).clamp(0.0, 1.0);
            sum += (f64::from(here) + (f64::from(*next) - f64::from(here)) * share).exp();
            sums.push(sum);
        }
        Self { first, sums }
    }

    /// ln of the mean level from one day to another, both included; none where the fleet's past does
    /// not reach back so far. Days after its last one are as that was.
    pub(super) fn level(&self, from: NaiveDate, to: NaiveDate) -> Option<f64> {
        let last = self.sums.len() as i64 - 2;
        let (low, high) = ((from - self.first).num_days(), (to - self.first).num_days());
        if low < 0 || last < 0 || low > last || high < low {
            return None;
        }
        let high = high.min(last);
        Some(((self.sums[high as usize + 1] - self.sums[low as usize]) / (high - low + 1) as f64).ln())
    }

    /// The first day anything is known of.
    pub(super) fn first(&self) -> Option<NaiveDate> {
        (!self.sums.is_empty()).then_some(self.first)
    }
}

impl Errors {
    /// How errors grow with the days ahead.
    pub(super) fn growth(&self) -> f64 {
        let doubled = (self.typical[1] / self.typical[0]).ln() / (HORIZONS[1] as f64 / HORIZONS[0] as f64).ln();
        doubled.clamp(*GROWTH.start(), *GROWTH.end())
    }
}
