//! What the last weeks say of how a device is used.

use super::daily::{DayMap, DayUsage};
use super::model::{RateSource, UsagePattern};
use chrono::{Datelike, Days, NaiveDate};

/// Days a pattern looks back: eight weeks, so that every weekday is seen eight times.
pub const WINDOW_DAYS: u64 = 56;
/// Days a device needs before its own rate is believed alone: two weeks.
pub const YOUNG_DAYS: u32 = 14;

fn weekday_of(date: NaiveDate) -> usize {
    date.weekday().num_days_from_monday() as usize
}

/// The pattern of the days from `first` to `as_of`; `planning_per_day` is the model's rate for a device
/// that is too young to have one of its own.
///
/// Missing days are not zero; estimated days count for the level but not for shape and spread.
pub fn pattern(days: &DayMap, first: NaiveDate, as_of: NaiveDate, planning_per_day: f64) -> UsagePattern {
    let window: Vec<(NaiveDate, DayUsage)> = (0..WINDOW_DAYS)
        .rev()
        .filter_map(|back| {
            let date = as_of.checked_sub_days(Days::new(back))?;
            Some((date, days.get(date).filter(|_| date >= first)?))
        })
        .collect();
    let observed = window.len() as u32;
    let mean = match window.len() {
        0 => planning_per_day,
        n => window.iter().map(|(_, d)| d.units as f64).sum::<f64>() / n as f64,
    };
    // A young device borrows from its model's planning rate, the less the more days it has.
    let own = (f64::from(observed) / f64::from(YOUNG_DAYS)).min(1.0);
    let per_day = own * mean + (1.0 - own) * planning_per_day;
    let shaping: Vec<&(NaiveDate, DayUsage)> = window.iter().filter(|(_, d)| !d.is_estimated).collect();
    let weekday = weekday_rates(&shaping, per_day);
    let residuals: Vec<f64> = shaping.iter().map(|(date, d)| d.units as f64 - weekday[weekday_of(*date)]).collect();
    let spread = match residuals.len() {
        0 | 1 => per_day.max(1.0),
        n => (residuals.iter().map(|r| r * r).sum::<f64>() / (n - 1) as f64).sqrt(),
    };
    let source = match observed {
        0 => RateSource::Planning,
        n if n < YOUNG_DAYS => RateSource::Model,
        _ => RateSource::Device,
    };
    UsagePattern { per_day, weekday, spread, observed_days: observed, as_of, source }
}

/// Expected units by weekday, scaled so that a week adds up to seven times the level; flat while
/// fewer than two weeks were observed. A weekday that never was is taken for an average one.
fn weekday_rates(shaping: &[&(NaiveDate, DayUsage)], per_day: f64) -> [f64; 7] {
    if (shaping.len() as u32) < YOUNG_DAYS {
        return [per_day; 7];
    }
    let mut sums = [0.0; 7];
    let mut counts = [0_u32; 7];
    for (date, usage) in shaping {
        sums[weekday_of(*date)] += usage.units as f64;
        counts[weekday_of(*date)] += 1;
    }
    let mean = sums.iter().sum::<f64>() / shaping.len() as f64;
    let rates: [f64; 7] =
        std::array::from_fn(|day| if counts[day] > 0 { sums[day] / f64::from(counts[day]) } else { mean });
    let level = rates.iter().sum::<f64>() / 7.0;
    if level > 0.0 { rates.map(|rate| rate * per_day / level) } else { [per_day; 7] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(count: u64, units: impl Fn(u64) -> Option<i64>) -> (DayMap, NaiveDate) {
        let start: NaiveDate = "2026-01-05".parse().unwrap();
        let map = (0..count)
            .filter_map(|n| Some((start + Days::new(n), DayUsage { units: units(n)?, is_estimated: false })))
            .collect();
        (map, start + Days::new(count - 1))
    }

    #[test]
    fn missing_days_do_not_shift_the_level() {
        let (full, as_of) = days(56, |_| Some(30));
        let (gappy, _) = days(56, |n| (n % 3 != 0).then_some(30));
        assert_eq!(pattern(&full, NaiveDate::MIN, as_of, 5.0).per_day, 30.0);
        assert_eq!(pattern(&gappy, NaiveDate::MIN, as_of, 5.0).per_day, 30.0);
    }

    #[test]
    fn zero_is_not_missing() {
        let (closed, as_of) = days(56, |n| Some(if n % 7 == 6 { 0 } else { 70 }));
        let p = pattern(&closed, NaiveDate::MIN, as_of, 5.0);
        assert!((p.per_day - 60.0).abs() < 1e-9);
        assert!(p.weekday[6].abs() < 1e-9 && (p.weekday[0] - 70.0).abs() < 1e-9);
        assert_eq!(p.source, RateSource::Device);
    }

    #[test]
    fn a_weekday_that_was_never_observed_is_an_average_one() {
        let (no_sundays, as_of) = days(55, |n| (n % 7 != 6).then_some(if n % 7 == 0 { 100 } else { 50 }));
        let p = pattern(&no_sundays, NaiveDate::MIN, as_of, 5.0);
        assert!(p.weekday[0] > 1.9 * p.weekday[1]);
        assert!(p.weekday[6] > p.weekday[1] && p.weekday[6] < p.weekday[0]);
    }

    #[test]
    fn a_young_device_borrows_from_its_model_and_says_so() {
        let (week, as_of) = days(7, |_| Some(20));
        let young = pattern(&week, NaiveDate::MIN, as_of, 10.0);
        assert_eq!((young.per_day, young.source), (15.0, RateSource::Model));
        let none = pattern(&DayMap::new(), NaiveDate::MIN, as_of, 5.0);
        assert_eq!((none.per_day, none.source), (5.0, RateSource::Planning));
    }

    #[test]
    fn estimated_days_count_for_the_level_but_not_for_the_shape() {
        let (mut map, as_of) = days(56, |n| Some(if n % 7 == 5 { 80 } else { 40 }));
        let level = pattern(&map, NaiveDate::MIN, as_of, 1.0);
        for n in 0..7 {
            map.insert(as_of - Days::new(n), DayUsage { units: 400, is_estimated: true });
        }
        let p = pattern(&map, NaiveDate::MIN, as_of, 1.0);
        assert!(p.per_day > level.per_day);
        assert!((p.weekday[5] / p.weekday[0] - 2.0).abs() < 1e-9);
    }
}
