//! When so many more units will have been used.

use super::model::{Forecast, UsagePattern};
use chrono::{Datelike, Days, NaiveDate};

/// Days a forecast looks ahead; beyond ten years it says nothing.
const LIMIT_DAYS: u64 = 3_653;
/// Standard normal quantile of 0.9.
const Z90: f64 = 1.281_551_565_545;

/// How far a level drifts over the horizons we plan for, as a share of what is used. Taken of the
/// usage and not of days, so that more usage on any day never makes a date later.
const DRIFT: f64 = 0.1;

/// The day on which `units` more are reached, counted from the end of `from`.
///
/// The middle walks the weekday rates; the early and late days are where the middle plus or
/// minus 1.28 standard deviations gets there. The deviation has a daily part, which averages
/// out, and a part of the level itself, which does not.
pub fn forecast(pattern: &UsagePattern, from: NaiveDate, units: i64) -> Forecast {
    let units = units.max(1) as f64;
    // The level of n days is known to sd / √n.
    let level_error = pattern.spread / f64::from(pattern.observed_days.max(1)).sqrt();
    let mut found = Forecast { p10: None, p50: None, p90: None };
    if pattern.per_day <= 0.0 {
        return found;
    }
    // Units by the end of the nth day: whole weeks, and the days of the last one.
    let mut of_week = [0.0; 8];
    for (place, day) in from.iter_days().skip(1).take(7).enumerate() {
        of_week[place + 1] = of_week[place] + pattern.weekday[day.weekday().num_days_from_monday() as usize].max(0.0);
    }
    let used = |days: u64| of_week[7] * (days / 7) as f64 + of_week[(days % 7) as usize];
    let deviation = |days: u64| {
        let n = days as f64;
        Z90 * (pattern.spread * n.sqrt()).hypot(level_error * n).hypot(DRIFT * used(days))
    };
    let date = |days: u64| from.checked_add_days(Days::new(days));
    // The early and the middle day: both sums only grow.
    let first = |reaches: &dyn Fn(u64) -> bool| {
        let (mut low, mut high) = (0, LIMIT_DAYS);
        if !reaches(high) {
            return None;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if reaches(middle) { high = middle } else { low = middle }
        }
        Some(high)
    };
    found.p10 = first(&|days| used(days) + deviation(days) >= units).and_then(date);
    let Some(middle) = first(&|days| used(days) >= units) else { return found };
    found.p50 = date(middle);
    // The late day: what is certain need not grow every day.
    found.p90 = (middle..=LIMIT_DAYS).find(|days| used(*days) - deviation(*days) >= units).and_then(date);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::model::RateSource;
    use proptest::prelude::*;

    fn flat(per_day: f64, spread: f64) -> UsagePattern {
        UsagePattern {
            per_day,
            weekday: [per_day; 7],
            spread,
            observed_days: 56,
            as_of: "2026-01-01".parse().unwrap(),
            source: RateSource::Device,
        }
    }

    #[test]
    fn a_hundred_units_at_ten_a_day_take_ten_days() {
        let f = forecast(&flat(10.0, 0.0), "2026-01-01".parse().unwrap(), 100);
        assert_eq!(f.p50, "2026-01-11".parse().ok());
    }

    fn is_not_later(more: Option<NaiveDate>, less: Option<NaiveDate>) -> bool {
        match (more, less) {
            (Some(more), Some(less)) => more <= less,
            (None, Some(_)) => false,
            (_, None) => true,
        }
    }

    proptest! {
        #[test]
        fn quantiles_are_ordered_and_more_usage_on_any_weekday_is_never_later(
            rates in prop::array::uniform7(0.5_f64..500.0),
            more in prop::array::uniform7(0.0_f64..300.0),
            spread in 0.0_f64..300.0,
            units in 1_i64..20_000,
        ) {
            let from: NaiveDate = "2026-01-01".parse().unwrap();
            let pattern = |weekday: [f64; 7]| UsagePattern {
                per_day: weekday.iter().sum::<f64>() / 7.0,
                weekday,
                ..flat(0.0, spread)
            };
            let f = forecast(&pattern(rates), from, units);
            prop_assert!(is_not_later(f.p10, f.p50) && is_not_later(f.p50, f.p90));
            let g = forecast(&pattern(std::array::from_fn(|day| rates[day] + more[day])), from, units);
            prop_assert!(is_not_later(g.p10, f.p10) && is_not_later(g.p50, f.p50) && is_not_later(g.p90, f.p90));
        }
    }
}
