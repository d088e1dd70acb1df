//! What the nightly job chooses for one device: its level, its weekdays, its year, and how far a
//! forecast may be off. Pure, and all a forecast needs by day.

use super::holidays::Holidays;
use super::pool::{FleetYear, Group, LentBy, Pool, YOUNG_DAYS};
use super::series::{DailySeries, Ongoing};
use super::study::{self, FLAT, MOMENT_FIRST, OWN_BASES, POOL_BASES, Study, own_year, place_seasons, pool_year};
use super::weights::{SIGNS, Season, dot};
use super::working::Working;
use crate::usage::model::{Closure, Parts, RateSource, SeasonSource, Uncertainty, UsagePattern};

/// Days around a day of last year that its level is taken from: the device's, and the fleet's.
const OWN_AROUND: i64 = 10;
const POOL_AROUND: i64 = 7;
const AROUND_SHARE: f64 = 0.3;
/// Weeks of a year that a season has.
const WEEKS: usize = 52;
/// The middle of a week.
const MIDDLE: i64 = 4;
/// An outage that lasts is expected to go on for so many times as long, but not for more than two months.
const GOES_ON: f64 = 1.5;
const GOES_ON_MOST: f64 = 60.0;
/// Corrections of intervals: learned errors are of the past that was learned from, a small fleet is
/// hit by the same surprises together, and a short past has seen few of them.
const SPREAD_BASE: f64 = 0.85;
const SPREAD_FEW: f64 = 2.0;
const SPREAD_SHORT: f64 = 0.6;
const SPREAD_SHORT_DAYS: f64 = 60.0;
/// What a planning rate is off by when nothing else is known: a factor of e^0.5.
const UNKNOWN: f64 = 0.5;
/// Days that the spread of single days is taken from: eight weeks.
const SPREAD_DAYS: usize = 56;
/// The largest spread of single days that intervals follow, in rates.
const NOISE_MOST: f64 = 1.5;
/// Mean absolute error of a normal distribution, in standard deviations.
const MEAN_ABSOLUTE: f64 = 0.8;
/// Days for which holidays are looked up ahead.
const AHEAD_DAYS: usize = 400;

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
    let study = study::study(&working, pool, fleet);
    let recent = study.base.or_else(|| recent(&working));
    // The level: signs without their season.
    let windows: f64 = study.signs.values[..4].iter().zip(&study.weights).map(|(a, b)| a * b).sum();
    let own_level = recent.map(|recent| recent * windows.exp());
    let borrowed = lent.map_or(planning_per_day, |(_, lender)| lender.per_day);
    let known_share = (observed as f64 / YOUNG_DAYS as f64).min(1.0);
    // Where nobody has anything to lend, a few days are better than nothing.
    let own_share = if own_level.is_some() && borrowed <= 0.0 { 1.0 } else { known_share };
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
        per_day: tidy(per_day),
        weekday: working.shape.map(|share| tidy(share * per_day)),
        spread: tidy(spread),
        observed_days: series.units.iter().rev().take(SPREAD_DAYS).filter(|units| !units.is_nan()).count() as u32,
        as_of,
        source,
        season_from: as_of,
        season,
        holidays: holidays.coming(as_of, AHEAD_DAYS, &pool.holidays),
        closure,
        uncertainty: uncertainty(pool, &study, known_share, spread, per_day),
        parts: Parts {
            recent_per_day: study.base.map(tidy),
            season: match study.signs.season {
                Season::None => SeasonSource::None,
                Season::Pool => SeasonSource::Fleet,
                Season::Own => SeasonSource::Device,
            },
            outage_days: working.outage_days as u32,
        },
    }
}

/// Ten digits of a number: what sums of floats know, and shorter to keep.
fn tidy(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    let scale = 10_f64.powi(9 - number.abs().log10().floor() as i32);
    let scaled = (number * scale).round() / scale;
    if scaled.is_finite() { scaled } else { number }
}

/// The level where the last four weeks are too thin: of what is known of sixteen weeks, or of all.
fn recent(working: &Working) -> Option<f64> {
    let end = working.end();
    let known = working.mean(end - 111, end, 0.0).or_else(|| working.mean(0, end, 0.0));
    known.or_else(|| working.used(0, end, 0.0))
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

fn uncertainty(pool: &Pool, study: &Study, known_share: f64, spread: f64, per_day: f64) -> Uncertainty {
    let errors = &pool.errors;
    let few = SPREAD_FEW / pool.devices.max(1) as f64;
    let short = SPREAD_SHORT / (pool.days as f64 / SPREAD_SHORT_DAYS).max(1.0);
    let correction = SPREAD_BASE * (1.0 + few + short).sqrt();
    let own = correction * study::scale(&study.residuals, &errors.typical) * errors.typical[1];
    let noise = if per_day > 0.0 { (spread / per_day).min(NOISE_MOST) } else { NOISE_MOST };
    Uncertainty {
        typical: known_share * own + (1.0 - known_share) * UNKNOWN.max(own),
        growth: errors.growth(),
        low: errors.low,
        high: errors.high,
        noise: MEAN_ABSOLUTE * noise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::daily::{DayMap, DayUsage};
    use crate::usage::forecast::learn::Learner;
    use crate::usage::forecast::passage::first_passage;
    use chrono::{Days, NaiveDate};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn start() -> NaiveDate {
        "2024-01-01".parse().unwrap()
    }

    fn series(units: impl IntoIterator<Item = f64>) -> DailySeries {
        DailySeries { first: start(), units: units.into_iter().collect(), estimated: Vec::new() }
    }

    /// Fitted alone, where nobody has anything to lend.
    fn alone(series: &DailySeries, planning_per_day: f64) -> UsagePattern {
        let (pool, year) = (Pool::default(), FleetYear::default());
        fit(series, &pool, &year, &Group::default(), &Holidays::default(), planning_per_day)
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
    }

    #[test]
    fn missing_days_do_not_shift_the_level_and_idle_days_do() {
        let gappy = series((0..112).map(|day| if day % 3 == 0 { f64::NAN } else { 30.0 }));
        assert!(near(alone(&gappy, 5.0).per_day, 30.0));
        let idle = series((0..112).map(|day| if day % 3 == 0 { 0.0 } else { 30.0 }));
        assert!((alone(&idle, 5.0).per_day - 20.0).abs() < 1.0);
    }

    proptest! {
        #[test]
        fn whichever_days_are_missing_the_level_of_a_steady_week_stays(
            weekday in prop::array::uniform7(50.0_f64..150.0),
            rolls in prop::collection::vec(0.0_f64..1.0, 200),
            share in 0.0_f64..0.4,
        ) {
            let day = |place: usize| weekday[place % 7];
            let full = alone(&series((0..200).map(day)), 5.0);
            let gappy = alone(&series((0..200).map(|n| if rolls[n] < share { f64::NAN } else { day(n) })), 5.0);
            prop_assert!((gappy.per_day / full.per_day - 1.0).abs() < 0.06, "{} {}", gappy.per_day, full.per_day);
        }
    }

    #[test]
    fn a_closed_weekday_is_closed_and_the_level_is_of_the_whole_week() {
        let p = alone(&series((0..112).map(|day| if day % 7 == 6 { 0.0 } else { 70.0 })), 5.0);
        assert!(near(p.per_day, 60.0), "{}", p.per_day);
        assert!(near(p.weekday[6], 0.0) && near(p.weekday[0], 70.0));
        assert_eq!(p.source, RateSource::Device);
    }

    #[test]
    fn a_young_device_borrows_and_says_from_whom() {
        let rate = |p: &UsagePattern| (p.per_day, p.source);
        let week = series([20.0; 7]);
        let none = series([f64::NAN]);
        assert_eq!(rate(&alone(&week, 10.0)), (15.0, RateSource::Model));
        assert_eq!(rate(&alone(&none, 5.0)), (5.0, RateSource::Planning));
        let group = |model: &str, site: &str| Group { model: model.into(), site_type: Some(site.into()) };
        let mut learner = Learner::new();
        for device in 0..6 {
            let units = 90.0 + 10.0 * f64::from(device % 3);
            learner.add(series(vec![units; 100]), &group("A", "KITCHEN"), &Arc::default());
        }
        let pool = learner.finish();
        let year = FleetYear::of(&pool);
        let borrow =
            |series: &DailySeries, group: &Group| rate(&fit(series, &pool, &year, group, &Holidays::default(), 10.0));
        assert_eq!(borrow(&none, &group("A", "OFFICE")), (100.0, RateSource::Model));
        assert_eq!(borrow(&none, &group("B", "KITCHEN")), (100.0, RateSource::SiteType));
        assert_eq!(borrow(&none, &group("B", "OFFICE")), (10.0, RateSource::Planning));
        assert_eq!(borrow(&week, &group("B", "KITCHEN")), (60.0, RateSource::SiteType));
    }

    #[test]
    fn a_young_device_is_less_certain_than_one_that_is_known() {
        let width = |days: usize| {
            let f = first_passage(&alone(&series(vec![20.0; days]), 20.0), start() + Days::new(days as u64), 800.0);
            (f.p90.unwrap() - f.p10.unwrap()).num_days()
        };
        assert!(width(3) > width(10) && width(10) > width(200), "{} {} {}", width(3), width(10), width(200));
    }

    #[test]
    fn estimated_days_count_for_the_level_but_not_for_the_shape() {
        let mut days: DayMap = (0..56)
            .map(|n| {
                let units = if n % 7 == 5 { 80 } else { 40 };
                (start() + Days::new(n), DayUsage { units, is_estimated: false })
            })
            .collect();
        let last = start() + Days::new(55);
        let known = alone(&DailySeries::of(&days, start(), last), 1.0);
        for n in 0..7 {
            days.insert(last - Days::new(n), DayUsage { units: 90, is_estimated: true });
        }
        let p = alone(&DailySeries::of(&days, start(), last), 1.0);
        assert!(p.per_day > known.per_day);
        assert!((p.weekday[5] / p.weekday[0] - known.weekday[5] / known.weekday[0]).abs() < 0.1);
    }

    #[test]
    fn a_shop_that_reopens_is_as_it_was_before() {
        // Two months closed, then a week open.
        let units = (0..200).map(|day| if (130..193).contains(&day) { 0.0 } else { 100.0 });
        let p = alone(&series(units), 1.0);
        assert!((p.per_day - 100.0).abs() < 5.0, "{}", p.per_day);
        assert_eq!((p.parts.outage_days, p.closure), (63, None));
    }

    #[test]
    fn a_shop_is_as_it_was_however_long_it_was_closed_and_however_short_it_is_open_again() {
        for closed in [5, 40, 78, 84, 90, 180, 400] {
            for open in 1..9 {
                let units =
                    (0..300 + closed + open).map(|day| if (300..300 + closed).contains(&day) { 0.0 } else { 100.0 });
                let p = alone(&series(units), 1.0);
                let found = first_passage(&p, p.as_of, 3_000.0).p50.unwrap();
                let days = (found - p.as_of).num_days();
                assert!((27..=33).contains(&days), "closed {closed}, open {open}: {days} days, {p:?}");
            }
            let p = alone(&series((0..300 + closed).map(|day| if day < 300 { 100.0 } else { 0.0 })), 1.0);
            assert!((p.per_day - 100.0).abs() < 1.0, "closed {closed}: {}", p.per_day);
            assert_eq!(p.parts.recent_per_day.is_some(), closed < 17, "closed {closed}");
        }
    }

    #[test]
    fn a_few_days_alone_are_not_mixed_with_nothing() {
        let p = alone(&series([5.0; 7]), 0.0);
        assert!(near(p.per_day, 5.0), "{}", p.per_day);
    }

    #[test]
    fn a_shop_that_is_closed_is_expected_back_and_says_when() {
        let p = alone(&series((0..200).map(|day| if day >= 180 { 0.0 } else { 100.0 })), 1.0);
        let closure = p.closure.clone().unwrap();
        assert_eq!((closure.days_so_far, closure.share), (20, 0.0));
        assert_eq!(closure.expected_until, p.as_of + Days::new(30));
        let found = first_passage(&p, p.as_of, 1_000.0).p50.unwrap();
        assert!((39..=41).contains(&(found - p.as_of).num_days()), "{found}");
    }

    #[test]
    fn a_busy_december_is_foreseen_from_last_years() {
        let december = |day: i64| (330..364).contains(&(day % 364));
        let units = (0..364 + 320).map(|day| if december(day) { 200.0 } else { 100.0 });
        let mut learner = Learner::new();
        for device in 0..10 {
            let of_device = units.clone().map(|u| u * f64::from(device + 1));
            learner.add(series(of_device), &Group::default(), &Arc::default());
        }
        let pool = learner.finish();
        let s = series(units);
        let p = fit(&s, &pool, &FleetYear::of(&pool), &Group::default(), &Holidays::default(), 1.0);
        assert_eq!(p.parts.season, SeasonSource::Device);
        assert!(p.season[3] > 1.5 && p.season[20] < 1.2, "{:?}", p.season);
        // The fleet's alone, for a device that is a quarter of a year old.
        let young = DailySeries { first: s.date(364 + 320 - 90), units: vec![50.0; 90], estimated: Vec::new() };
        let p = fit(&young, &pool, &FleetYear::of(&pool), &Group::default(), &Holidays::default(), 1.0);
        assert_eq!(p.parts.season, SeasonSource::Fleet);
        assert!(p.season[3] > 1.3 && p.season[20] < 1.2, "{:?}", p.season);
    }

    #[test]
    fn a_festival_is_foreseen_where_it_falls_and_not_where_it_fell() {
        let festival = |date: &str| {
            let first: NaiveDate = date.parse().unwrap();
            (0..8).map(move |n| (first + Days::new(n), "Spring Festival".to_owned()))
        };
        let days = ["2024-02-10", "2025-01-28", "2026-02-15"].into_iter().flat_map(festival);
        let holidays = Arc::new(Holidays::of(days));
        let is_closed = |date: NaiveDate| {
            ["2024-02-10", "2025-01-28"].iter().any(|first| {
                let first: NaiveDate = first.parse().unwrap();
                (first..first + Days::new(8)).contains(&date)
            })
        };
        let units = (0..740).map(|n| if is_closed(start() + Days::new(n)) { 0.0 } else { 100.0 });
        let mut learner = Learner::new();
        for _ in 0..10 {
            learner.add(series(units.clone()), &Group::default(), &holidays);
        }
        let pool = learner.finish();
        let s = series(units);
        let p = fit(&s, &pool, &FleetYear::of(&pool), &Group::default(), &holidays, 1.0);
        // 2026-01-09: the weeks in which it fell last year sell as ever, those in which it falls do not.
        assert!(p.season[1..5].iter().all(|factor| (factor - 1.0).abs() < 0.1), "{:?}", p.season);
        let on = |date: &str| {
            let date: NaiveDate = date.parse().unwrap();
            p.holidays.iter().find(|(day, _)| *day == date).map_or(1.0, |(_, factor)| *factor)
        };
        assert!(on("2026-02-17") < 0.2 && on("2026-01-30") > 0.9, "{:?}", p.holidays);
    }

    #[test]
    fn a_level_that_shifted_is_followed() {
        let p = alone(&series((0..400).map(|day| if day < 300 { 100.0 } else { 160.0 })), 1.0);
        assert!(p.per_day > 140.0, "{}", p.per_day);
    }

    #[test]
    fn a_device_that_is_hardly_ever_used_has_a_rate_of_its_own() {
        // One sale in three days, by a fixed pattern without a weekday.
        let p = alone(&series((0..200).map(|day| if day * 7 % 3 == 0 { 1.0 } else { 0.0 })), 9.0);
        assert!((p.per_day - 1.0 / 3.0).abs() < 0.05, "{}", p.per_day);
        assert_eq!(p.closure, None);
    }
}
