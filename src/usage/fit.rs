//! What is chosen for one device and meter at night, and what a fleet's devices have in common.
//!
//! Pure: a series of days in, a choice out. The same days, pool and group give the same choice.

use super::daily::DayMap;
use crate::kernel::ids::DeviceModelId;
use crate::registry::model::SiteEnvironment;
use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days of the past that a series keeps: three years, so that a season is seen three times.
const MAX_DAYS: u64 = 3 * 365 + 1;
/// Days the level looks back.
const LEVEL_DAYS: usize = 56;
/// Known days of a device before it speaks for its group, or for itself.
const YOUNG_DAYS: usize = 14;
/// Share by which a group's rate must change before the fleet is told.
const MATERIAL: f64 = 0.1;

/// Usage of one meter by civil day.
#[derive(Clone, Debug)]
pub struct DailySeries {
    /// The first day.
    pub first: NaiveDate,
    /// One value for each day from the first on, in smallest units; NaN for a day nothing is known of
    /// or whose units are estimated.
    pub units: Vec<f32>,
}

impl DailySeries {
    /// The days from `first` to `last`, both included, at most the last three years of them; empty
    /// when there are none.
    pub fn new(days: &DayMap, first: NaiveDate, last: NaiveDate) -> Self {
        let earliest = last.checked_sub_days(Days::new(MAX_DAYS - 1)).unwrap_or(first);
        let first = first.max(earliest);
        let known = |day| days.get(day).filter(|d| !d.is_estimated).map_or(f32::NAN, |d| d.units as f32);
        Self { first, units: first.iter_days().take_while(|day| *day <= last).map(known).collect() }
    }

    /// Every known day with its units, oldest first.
    pub fn known(&self) -> impl DoubleEndedIterator<Item = (NaiveDate, f64)> + '_ {
        self.units.iter().enumerate().filter(|(_, units)| !units.is_nan()).filter_map(|(place, units)| {
            Some((self.first.checked_add_days(Days::new(place as u64))?, f64::from(*units)))
        })
    }
}

/// What a young device borrows from: its model, then its site's type, then the planning rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its model.
    pub model: DeviceModelId,
    /// What surrounds it; none without a site, and where nobody said.
    pub site_type: Option<SiteEnvironment>,
}

impl Group {
    /// The codes of its groups, the closest first.
    fn codes(&self) -> Vec<String> {
        let site = self.site_type.map(|site| format!("site:{}", site.as_str()));
        [Some(format!("model:{}", self.model.0.simple())), site].into_iter().flatten().collect()
    }
}

/// What the devices of one group have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRate {
    /// The middle one of their daily rates, in smallest units.
    pub per_day: f64,
    /// How many devices it was learned from.
    pub devices: u32,
}

/// What a fleet's devices have in common for one meter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// By group code.
    pub groups: BTreeMap<String, GroupRate>,
}

impl Pool {
    /// Whether it is another pool to whoever borrows from it; small changes are not worth looking at
    /// the fleet again.
    pub fn differs(&self, other: &Self) -> bool {
        let is_near = |a: f64, b: f64| (a - b).abs() <= MATERIAL * a.abs().max(b.abs());
        self.groups.len() != other.groups.len()
            || self
                .groups
                .iter()
                .any(|(code, rate)| other.groups.get(code).is_none_or(|o| !is_near(rate.per_day, o.per_day)))
    }

    /// The rate of the closest group that has one.
    fn per_day(&self, group: &Group) -> Option<f64> {
        group.codes().iter().find_map(|code| self.groups.get(code)).map(|rate| rate.per_day)
    }
}

/// Learns a pool from one series after the other; their order does not matter.
#[derive(Clone, Debug, Default)]
pub struct Learner {
    rates: BTreeMap<String, Vec<f64>>,
}

impl Learner {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one device in.
    pub fn add(&mut self, series: &DailySeries, group: &Group) {
        let recent = recent(series);
        if recent.len() < YOUNG_DAYS {
            return;
        }
        for code in group.codes() {
            self.rates.entry(code).or_default().push(mean(&recent));
        }
    }

    /// What they have in common.
    pub fn finish(self) -> Pool {
        let rate = |mut rates: Vec<f64>| {
            rates.sort_by(f64::total_cmp);
            let per_day = rates.get(rates.len() / 2).copied().unwrap_or_default();
            GroupRate { per_day, devices: u32::try_from(rates.len()).unwrap_or(u32::MAX) }
        };
        Pool { groups: self.rates.into_iter().map(|(code, rates)| (code, rate(rates))).collect() }
    }
}

/// What was chosen for one device and meter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// Days the level rests on.
    pub window_days: u32,
    /// Expected units by weekday, Monday first; in smallest units.
    pub weekday: [f64; 7],
}

/// The known days the level rests on.
fn recent(series: &DailySeries) -> Vec<(NaiveDate, f64)> {
    series.known().rev().take(LEVEL_DAYS).collect()
}

fn mean(days: &[(NaiveDate, f64)]) -> f64 {
    days.iter().map(|(_, units)| units).sum::<f64>() / days.len().max(1) as f64
}

/// Chooses for one device and meter; `pool` is what it may borrow from, none while none is known.
pub fn fit(series: &DailySeries, pool: Option<&Pool>, group: &Group) -> Fit {
    let recent = recent(series);
    let window_days = u32::try_from(recent.len()).unwrap_or(u32::MAX);
    if recent.len() < YOUNG_DAYS {
        let own = (!recent.is_empty()).then(|| mean(&recent));
        let per_day = pool.and_then(|pool| pool.per_day(group)).or(own).unwrap_or_default();
        return Fit { window_days, weekday: [per_day; 7] };
    }
    let level = mean(&recent);
    let of_weekday = |place: usize| {
        let same: Vec<(NaiveDate, f64)> =
            recent.iter().filter(|(day, _)| day.weekday().num_days_from_monday() as usize == place).copied().collect();
        if same.is_empty() { level } else { mean(&same) }
    };
    Fit { window_days, weekday: std::array::from_fn(of_weekday) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::daily::DayUsage;
    use uuid::Uuid;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn series(days: u64, units: i64) -> DailySeries {
        let first = day("2026-01-05");
        let map: DayMap = (0..days).map(|n| (first + Days::new(n), DayUsage { units, is_estimated: false })).collect();
        DailySeries::new(&map, first, first + Days::new(days.max(1) - 1))
    }

    fn group(model: u128, site_type: Option<SiteEnvironment>) -> Group {
        Group { model: DeviceModelId(Uuid::from_u128(model)), site_type }
    }

    #[test]
    fn a_series_has_a_value_for_each_day_and_none_for_unknown_and_estimated_ones() {
        let days: DayMap = [("2026-01-01", 5, false), ("2026-01-03", 7, true), ("2026-01-04", 9, false)]
            .map(|(date, units, is_estimated)| (day(date), DayUsage { units, is_estimated }))
            .into_iter()
            .collect();
        let found = DailySeries::new(&days, day("2026-01-01"), day("2026-01-05"));
        let known: Vec<(NaiveDate, f64)> = found.known().collect();
        assert_eq!((found.first, found.units.len()), (day("2026-01-01"), 5));
        assert_eq!(known, [(day("2026-01-01"), 5.0), (day("2026-01-04"), 9.0)]);
        assert!(DailySeries::new(&days, day("2026-01-05"), day("2026-01-04")).units.is_empty());
        let long = DailySeries::new(&days, day("2020-01-01"), day("2026-01-05"));
        assert_eq!((long.first, long.units.len() as u64), (day("2023-01-06"), MAX_DAYS));
    }

    #[test]
    fn a_young_device_borrows_from_its_model_then_from_its_sites_type() {
        let mut learner = Learner::new();
        let kitchen = Some(SiteEnvironment::FoodService);
        for units in [10, 20, 90] {
            learner.add(&series(30, units), &group(1, kitchen));
        }
        learner.add(&series(5, 1_000), &group(1, kitchen));
        let pool = learner.finish();
        let rate = |group: &Group| fit(&series(0, 0), Some(&pool), group).weekday[0];
        assert_eq!(rate(&group(1, None)), 20.0);
        assert_eq!(rate(&group(2, kitchen)), 20.0);
        assert_eq!(rate(&group(2, None)), 0.0);
    }

    #[test]
    fn a_pool_differs_when_a_rate_changes_by_more_than_a_tenth() {
        let pool = |per_day: f64| Pool { groups: [("a".to_owned(), GroupRate { per_day, devices: 1 })].into() };
        assert!(!pool(100.0).differs(&pool(109.0)) && pool(100.0).differs(&pool(120.0)));
        assert!(pool(100.0).differs(&Pool::default()) && Pool::default().differs(&pool(100.0)));
    }
}
