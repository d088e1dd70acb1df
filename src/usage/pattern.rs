//! What the last weeks say of how a device is used.

use super::daily::DayMap;
use super::model::{RateSource, UsagePattern};
use chrono::{Datelike, Days, NaiveDate};

/// Days a pattern looks back: eight weeks, so that every weekday is seen eight times.
pub const WINDOW_DAYS: u64 = 56;
/// Days a device needs before its own rate is believed alone: two weeks.
pub const YOUNG_DAYS: u32 = 14;

/// The pattern of the days up to `as_of`; `planning_per_day` is the model's rate for a device
/// that is too young to have one of its own.
///
/// Missing days are not zero; estimated days count for the level but not for shape and spread.
pub fn pattern(days: &DayMap, as_of: NaiveDate, planning_per_day: f64) -> UsagePattern {
    let from = as_of.checked_sub_days(Days::new(WINDOW_DAYS - 1)).unwrap_or(as_of);
    let window: Vec<_> = days.range(from..=as_of).collect();
    let observed = window.len() as u32;
    let mean = match window.len() {
        0 => planning_per_day,
        n => window.iter().map(|(_, d)| d.units as f64).sum::<f64>() / n as f64,
    };
    // A young device borrows from its model's planning rate, the less the more days it has.
    let own = (f64::from(observed) / f64::from(YOUNG_DAYS)).min(1.0);
    let per_day = own * mean + (1.0 - own) * planning_per_day;
    let mut sums = [0.0; 7];
    let mut counts = [0_u32; 7];
    for (date, usage) in window.iter().filter(|(_, d)| !d.is_estimated) {
        let weekday = date.weekday().num_days_from_monday() as usize;
        sums[weekday] += usage.units as f64;
        counts[weekday] += 1;
    }
    let mut weekday = [per_day; 7];
    if observed >= YOUNG_DAYS && counts.iter().all(|c| *c > 0) {
        for (day, rate) in weekday.iter_mut().enumerate() {
            *rate = sums[day] / f64::from(counts[day]);
        }
        // The shape is scaled to the level, so that a week adds up.
        let shape_mean = weekday.iter().sum::<f64>() / 7.0;
        if shape_mean > 0.0 {
            for rate in &mut weekday {
                *rate *= per_day / shape_mean;
            }
        } else {
            weekday = [per_day; 7];
        }
    }
    let residuals: Vec<f64> = window
        .iter()
        .filter(|(_, d)| !d.is_estimated)
        .map(|(date, d)| d.units as f64 - weekday[date.weekday().num_days_from_monday() as usize])
        .collect();
    let spread = match residuals.len() {
        0 | 1 => per_day.max(1.0),
        n => (residuals.iter().map(|r| r * r).sum::<f64>() / (n - 1) as f64).sqrt(),
    };
    let source = if observed == 0 { RateSource::Planning } else { RateSource::Device };
    UsagePattern { per_day, weekday, spread, observed_days: observed, as_of, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::daily::DayUsage;

    fn days(units: impl Fn(u64) -> Option<i64>) -> (DayMap, NaiveDate) {
        let start: NaiveDate = "2026-01-05".parse().unwrap();
        let mut map = DayMap::new();
        for n in 0..56 {
            if let Some(units) = units(n) {
                map.insert(start + Days::new(n), DayUsage { units, is_estimated: false });
            }
        }
        (map, start + Days::new(55))
    }

    #[test]
    fn missing_days_do_not_shift_the_level() {
        let (full, as_of) = days(|_| Some(30));
        let (gappy, _) = days(|n| (n % 3 != 0).then_some(30));
        assert_eq!(pattern(&full, as_of, 5.0).per_day, 30.0);
        assert_eq!(pattern(&gappy, as_of, 5.0).per_day, 30.0);
    }

    #[test]
    fn zero_is_not_missing_and_a_young_device_borrows() {
        let (closed, as_of) = days(|n| Some(if n % 7 == 6 { 0 } else { 70 }));
        let p = pattern(&closed, as_of, 5.0);
        assert!((p.per_day - 60.0).abs() < 1e-9);
        assert!(p.weekday[6].abs() < 1e-9 && (p.weekday[0] - 70.0).abs() < 1e-9);
        let none = pattern(&DayMap::new(), as_of, 5.0);
        assert_eq!((none.per_day, none.source), (5.0, RateSource::Planning));
    }
}
