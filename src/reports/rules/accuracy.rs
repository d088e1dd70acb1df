//! How good the days that forecasts told were, by device model and how far ahead they were told.

use super::standing::{Found, forecast_is_within};
use crate::kernel::calendar::local_date;
use crate::kernel::ids::DeviceModelId;
use crate::reports::model::{Band, Compared, ForecastErrors, ForecastGroup, Horizon, ToldDays};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Groups of forecasts at most: five bands of 200 models.
pub const MAX_FORECAST_GROUPS: usize = 1_000;
/// Days that a day told may lie after the one reached before it counts as late.
pub const LATE_DAYS: i64 = 7;

/// What an order was told when it was issued.
#[derive(Clone, Copy, Debug)]
pub struct Issue {
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// The days told then.
    pub told: ToldDays,
    /// Zone of its civil days.
    pub zone: Tz,
}

/// Compares what was told with the moment the counter got there; none where no day was told, or the
/// counter had got there before, since that was no forecast.
pub fn compare(band: Band, issue: &Issue, found: &Found, crossed_at: DateTime<Utc>) -> Option<Compared> {
    let Issue { issued_at, told, zone } = *issue;
    let day = told.day().filter(|_| crossed_at > issued_at)?;
    let reached = local_date(zone, crossed_at);
    Some(Compared {
        days: (reached - day).num_days(),
        horizon: Horizon::of((day - local_date(zone, issued_at)).num_days()),
        is_within_band: forecast_is_within(band, zone, found, day, reached),
        is_in_interval: told.p10.zip(told.p90).map(|(early, late)| (early..=late).contains(&reached)),
    })
}

/// Forecasts of each model and horizon in the making.
#[derive(Clone, Debug, Default)]
pub struct Accuracy(BTreeMap<(DeviceModelId, Horizon), ForecastErrors>);

impl Accuracy {
    /// Adds a forecast for a device of a model.
    pub fn add(&mut self, model: DeviceModelId, compared: &Compared) {
        self.0.entry((model, compared.horizon)).or_default().add(compared);
    }

    /// The groups by model and horizon; where there are more than so many, those with the most
    /// orders, which say the most.
    pub fn into_groups(self, most: usize) -> Vec<ForecastGroup> {
        let group = |((model, horizon), errors)| ForecastGroup { model, horizon, errors };
        let mut groups: Vec<ForecastGroup> = self.0.into_iter().map(group).collect();
        if groups.len() > most {
            groups.sort_by_key(|group| Reverse(group.errors.count()));
            groups.truncate(most);
            groups.sort_by_key(|group| (group.model, group.horizon));
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Days, NaiveDate};
    use proptest::prelude::*;
    use uuid::Uuid;

    const SHANGHAI: Tz = Tz::Asia__Shanghai;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn day(text: &str) -> Option<NaiveDate> {
        Some(text.parse().unwrap())
    }

    fn off_by(days: i64) -> Compared {
        Compared { days, horizon: Horizon::UpTo14, is_within_band: false, is_in_interval: None }
    }

    fn errors(all: impl IntoIterator<Item = i64>) -> ForecastErrors {
        let mut errors = ForecastErrors::default();
        all.into_iter().for_each(|days| errors.add(&off_by(days)));
        errors
    }

    /// Issued at 01:00 on 1 July in Shanghai, which is June in Greenwich.
    fn issue(told: ToldDays) -> Issue {
        Issue { issued_at: at("2026-06-30T17:00:00Z"), told, zone: SHANGHAI }
    }

    /// Due on 2 August in Shanghai, a week early or late.
    fn found() -> Found {
        Found {
            nominal_at: at("2026-08-01T16:00:00Z"),
            window_start: at("2026-07-25T16:00:00Z"),
            window_end: at("2026-08-09T15:59:59.999999Z"),
            done_at: None,
        }
    }

    /// Told from 20 July over 25 July to 5 August; due on 2 August, when the site opens again.
    fn told() -> ToldDays {
        ToldDays { due_on: day("2026-08-02"), p10: day("2026-07-20"), p50: day("2026-07-25"), p90: day("2026-08-05") }
    }

    fn compared(told: ToldDays, crossed_at: &str) -> Option<Compared> {
        compare(Band::Plan, &issue(told), &found(), at(crossed_at))
    }

    #[test]
    fn the_middle_day_is_compared_and_else_the_due_day() {
        let of = |told| compared(told, "2026-07-27T02:00:00Z").map(|c| (c.days, c.horizon, c.is_in_interval));
        assert_eq!(of(told()), Some((2, Horizon::UpTo30, Some(true))));
        let due_only = ToldDays { due_on: told().due_on, ..ToldDays::default() };
        assert_eq!(of(due_only), Some((-6, Horizon::UpTo60, None)), "a file that keeps the due day alone");
        assert_eq!(of(ToldDays { p90: None, ..told() }), Some((2, Horizon::UpTo30, None)), "no late day was told");
        assert_eq!(of(ToldDays::default()), None);
    }

    #[test]
    fn what_had_been_reached_was_no_forecast() {
        assert_eq!(compared(told(), "2026-06-30T17:00:00Z"), None);
        assert!(compared(told(), "2026-06-30T17:00:01Z").is_some());
    }

    #[test]
    fn the_interval_holds_its_first_and_its_last_day_at_the_site() {
        let is_in = |crossed_at| compared(told(), crossed_at).unwrap().is_in_interval;
        assert_eq!(is_in("2026-07-19T15:59:59Z"), Some(false));
        assert_eq!(is_in("2026-07-19T16:00:00Z"), Some(true), "the first instant of 20 July in Shanghai");
        assert_eq!(is_in("2026-08-05T15:59:59Z"), Some(true));
        assert_eq!(is_in("2026-08-05T16:00:00Z"), Some(false));
    }

    #[test]
    fn coverage_is_of_those_that_were_told_an_interval() {
        let mut errors = errors([0]);
        for is_in in [true, false, true] {
            errors.add(&Compared { is_in_interval: Some(is_in), ..off_by(1) });
        }
        let coverage = errors.interval_coverage();
        assert_eq!((coverage.numerator, coverage.denominator, errors.count()), (2.0, 3.0, 4));
    }

    #[test]
    fn bands_of_days_meet_and_leave_nothing_out() {
        let of = |days: &[i64]| days.iter().map(|d| Horizon::of(*d)).collect::<Vec<_>>();
        assert_eq!(of(&[i64::MIN, -1, 0, 14]), [Horizon::UpTo14; 4], "a day that had passed is the nearest");
        assert_eq!(of(&[15, 30]), [Horizon::UpTo30; 2]);
        assert_eq!(of(&[31, 60]), [Horizon::UpTo60; 2]);
        assert_eq!(of(&[61, 120]), [Horizon::UpTo120; 2]);
        assert_eq!(of(&[121, i64::MAX]), [Horizon::Beyond; 2]);
        for pair in Horizon::ALL.windows(2) {
            assert_eq!(pair[0].days().1, Some(pair[1].days().0 - 1));
        }
    }

    #[test]
    fn the_median_is_the_middle_day_or_the_mean_of_two() {
        let of = |days: &[i64]| errors(days.iter().copied()).median_absolute_days();
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[-4]), Some(4.0));
        assert_eq!(of(&[-4, 1]), Some(2.5));
        assert_eq!(of(&[-30, 1, 2]), Some(2.0), "one far off moves it little");
        assert_eq!(of(&[3, -3, 3, 0]), Some(3.0), "without their sign");
    }

    #[test]
    fn nine_in_ten_are_not_farther_off_than_the_p90() {
        let of = |last| errors(1..=last).p90_absolute_days();
        assert_eq!(of(0), None);
        assert_eq!((of(1), of(9), of(10), of(11), of(20)), (Some(1.0), Some(9.0), Some(9.0), Some(10.0), Some(18.0)));
    }

    #[test]
    fn late_is_a_day_told_more_than_a_week_after_the_one_reached() {
        let late = errors([-8, -7, 0, 8, -20]).told_late(LATE_DAYS);
        assert_eq!((late.numerator, late.denominator), (2.0, 5.0));
        assert_eq!(errors([]).told_late(LATE_DAYS).value(), None);
    }

    #[test]
    fn groups_are_by_model_and_horizon_and_the_largest_stay() {
        let (first, second) = (DeviceModelId(Uuid::from_u128(1)), DeviceModelId(Uuid::from_u128(2)));
        let mut accuracy = Accuracy::default();
        for (model, horizon, orders) in
            [(second, Horizon::Beyond, 2), (first, Horizon::UpTo60, 1), (second, Horizon::UpTo14, 3)]
        {
            for days in 0..orders {
                accuracy.add(model, &Compared { horizon, ..off_by(days) });
            }
        }
        let of = |most| -> Vec<(DeviceModelId, Horizon, u64)> {
            let groups = accuracy.clone().into_groups(most).into_iter();
            groups.map(|g| (g.model, g.horizon, g.errors.count())).collect()
        };
        let all = [(first, Horizon::UpTo60, 1), (second, Horizon::UpTo14, 3), (second, Horizon::Beyond, 2)];
        assert_eq!(of(3), all);
        assert_eq!(of(2), all[1..]);
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_days(days in prop::collection::vec(-400_i64..400, 1..60)) {
            let errors = errors(days.iter().copied());
            let mut sorted: Vec<u64> = days.iter().map(|d| d.unsigned_abs()).collect();
            sorted.sort_unstable();
            let n = sorted.len();
            let median = (sorted[(n - 1) / 2] + sorted[n / 2]) as f64 / 2.0;
            prop_assert_eq!(errors.median_absolute_days(), Some(median));
            let p90 = errors.p90_absolute_days().unwrap();
            let within = |limit: f64| sorted.iter().filter(|d| **d as f64 <= limit).count() * 10 >= 9 * n;
            prop_assert!(within(p90) && !within(p90 - 1.0));
            let sum: u64 = sorted.iter().sum();
            prop_assert_eq!(errors.mean_absolute_days().numerator, sum as f64);
            prop_assert_eq!(errors.mean_days().numerator, days.iter().sum::<i64>() as f64);
        }

        #[test]
        fn what_came_on_the_day_told_is_inside_what_was_told(ahead in 1_u64..400, early in 0_u64..30, late in 0_u64..30) {
            let issued = "2026-07-01".parse::<NaiveDate>().unwrap();
            let p50 = issued + Days::new(ahead);
            let told = ToldDays {
                due_on: None, p10: Some(p50 - Days::new(early)), p50: Some(p50), p90: Some(p50 + Days::new(late)),
            };
            let noon = p50.and_hms_opt(4, 0, 0).unwrap().and_utc();
            let compared = compare(Band::Plan, &issue(told), &found(), noon).unwrap();
            prop_assert_eq!((compared.days, compared.is_within_band, compared.is_in_interval), (0, true, Some(true)));
            prop_assert_eq!(compared.horizon, Horizon::of(i64::try_from(ahead).unwrap()));
        }
    }
}
