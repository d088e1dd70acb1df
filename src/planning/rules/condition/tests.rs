//! Conditions over days of readings, with a planner that comes by whenever it does.

use super::evaluate::evaluate_from;
use super::*;
use crate::catalogue::model::{Meter, MeterKind};
use crate::kernel::text::{Language, LocalizedText};
use crate::planning::condition::{Clause, ClauseReading, Condition, Episode, Guard, Limit, Operator, RateGuard};
use crate::planning::error::Error;
use crate::usage::measure::{Attributes, DatedAttribute, DeviceSeries, Measure, MeterSeries, Point, normal_gap};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap};

/// Hours after a Monday.
fn at(hours: i64) -> DateTime<Utc> {
    "2026-03-02T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hours)
}

/// A device as a condition sees it.
#[derive(Clone, Debug, Default)]
struct World {
    series: DeviceSeries,
    attributes: Attributes,
    ratings: HashMap<String, f64>,
}

impl World {
    /// Readings (hours, value) of meters; a counter's life is its value.
    fn of(meters: &[(&str, Vec<(i64, f64)>)]) -> Self {
        let mut world = Self::default();
        let mut moments = BTreeSet::new();
        for (code, readings) in meters {
            let points: Vec<Point> = readings.iter().map(|(h, v)| Point { at: at(*h), value: *v, life: *v }).collect();
            moments.extend(points.iter().map(|p| p.at));
            world.series.meters.insert((*code).to_owned(), MeterSeries { points, life_base: 0.0 });
        }
        world.series.moments = moments.into_iter().collect();
        world.series.last_reading_at = world.series.moments.last().copied();
        world.series.normal_gap = normal_gap(&world.series.moments);
        world
    }

    fn facts(&self) -> ConditionFacts<'_> {
        ConditionFacts {
            series: &self.series,
            attributes: &self.attributes,
            ratings: &self.ratings,
            is_guarded: true,
            is_busy: true,
        }
    }

    /// What a planner sees that comes by for the first time.
    fn look(&self, condition: &Condition, done: &[i64], hours: i64) -> ConditionOutcome {
        self.look_again(condition, done, None, hours)
    }

    fn look_again(
        &self,
        condition: &Condition,
        done: &[i64],
        carried: Option<&Episode>,
        hours: i64,
    ) -> ConditionOutcome {
        let done: Vec<DateTime<Utc>> = done.iter().map(|h| at(*h)).collect();
        evaluate(condition, &self.facts(), &done, at(0), carried, at(hours))
    }

    /// What was known at a moment.
    fn known_at(&self, now: DateTime<Utc>) -> Self {
        let mut known = self.clone();
        for meter in known.series.meters.values_mut() {
            meter.points.retain(|p| p.at <= now);
        }
        known.series.moments.retain(|at| *at <= now);
        known.series.last_reading_at = known.series.moments.last().copied();
        known
    }
}

fn value(value: f64) -> Limit {
    Limit::Value { value }
}

fn gauge(meter: &str) -> Measure {
    Measure::Gauge { meter: meter.into() }
}

fn ratio(window_days: u32) -> Measure {
    Measure::Ratio { numerator: "ERRORS".into(), denominator: "READS".into(), window_days }
}

/// A condition of one clause without a hold time.
fn when(measure: Measure, operator: Operator, limit: Limit) -> Condition {
    Condition { clauses: vec![Clause::new(measure, operator, limit)], hold_hours: 0, cool_down_days: 0, guard: None }
}

fn held(hours: u32, condition: Condition) -> Condition {
    Condition { hold_hours: hours, ..condition }
}

fn clear_at(level: f64, mut condition: Condition) -> Condition {
    condition.clauses[0].clear_at = Some(level);
    condition
}

/// Values an hour apart.
fn hourly(values: impl IntoIterator<Item = f64>) -> Vec<(i64, f64)> {
    (0..).zip(values).collect()
}

/// Values a day apart.
fn daily(values: impl IntoIterator<Item = f64>) -> Vec<(i64, f64)> {
    (0..).map(|day| day * 24).zip(values).collect()
}

fn low_battery() -> Condition {
    held(24, clear_at(75.0, when(gauge("HEALTH"), Operator::Below, value(70.0))))
}

#[test]
fn noisy_data_around_the_limit_opens_one_episode_and_not_hundreds() {
    let noise = (0..480).map(|hour| if hour % 2 == 0 { 69.0 } else { 71.0 });
    let world = World::of(&[("HEALTH", hourly(noise))]);
    let mut carried = None;
    let mut seen = BTreeSet::new();
    for hours in 0..480 {
        let outcome = world.look_again(&low_battery(), &[], carried.as_ref(), hours);
        seen.extend(outcome.fired_at);
        carried = outcome.episode;
    }
    assert_eq!(seen, BTreeSet::from([at(24)]));

    // Without a clearing level each second reading would begin anew.
    let nervous = held(24, when(gauge("HEALTH"), Operator::Below, value(70.0)));
    assert_eq!(world.look(&nervous, &[], 479).fired_at, None);
}

#[test]
fn a_burst_of_errors_that_is_restored_leaves_nothing() {
    // Ten reads an hour; for six hours all of them fail.
    let reads = hourly((0..300).map(|hour| f64::from(hour * 10)));
    let errors = hourly((0..300).map(|hour: i32| f64::from((hour - 100).clamp(0, 6) * 10)));
    let world = World::of(&[("ERRORS", errors), ("READS", reads)]);
    let condition = held(24, when(ratio(1), Operator::Above, value(0.2)));
    let mut carried = None;
    let mut was_beyond = false;
    for hours in 0..300 {
        let outcome = world.look_again(&condition, &[], carried.as_ref(), hours);
        assert_eq!(outcome.fired_at, None, "hour {hours}");
        carried = outcome.episode;
        was_beyond |= carried.is_some();
    }
    assert!(was_beyond, "it was seen");
    assert_eq!(carried, None);

    // Without a hold time it is due while it lasts, and not any more when it is over.
    let at_once = held(0, condition);
    assert_eq!(world.look(&at_once, &[], 110).fired_at, Some(at(105)));
    assert_eq!(world.look(&at_once, &[], 126).fired_at, None);
}

#[test]
fn a_failed_repair_is_told_once_and_then_rests_until_it_is_clear() {
    let mut readings = daily([60.0; 16]);
    let world = World::of(&[("HEALTH", readings.clone())]);
    let condition = low_battery();
    let first = world.look(&condition, &[], 23);
    assert_eq!((first.fired_at, first.changes_at), (None, Some(at(24))));
    let due = world.look(&condition, &[], 30);
    assert_eq!((due.fired_at, due.is_repeat), (Some(at(24)), false));

    // Work at hour 50; the reading of hour 48 says nothing of it.
    let done = world.look(&condition, &[50], 71);
    assert_eq!((done.fired_at, done.changes_at), (None, None));
    assert_eq!(done.clauses[0].value, None);
    let waiting = world.look(&condition, &[50], 73);
    assert_eq!((waiting.fired_at, waiting.changes_at), (None, Some(at(74))));
    let again = world.look(&condition, &[50], 74);
    assert_eq!((again.fired_at, again.is_repeat), (Some(at(74)), true));

    let rests = world.look(&condition, &[50, 100], 360);
    assert_eq!((rests.fired_at, rests.changes_at), (None, None));
    assert_eq!(rests.episode.map(|e| e.since), Some(at(0)));

    // Clear, and beyond again.
    readings.extend([(384, 99.0), (408, 60.0)]);
    let world = World::of(&[("HEALTH", readings)]);
    assert_eq!(world.look(&condition, &[50, 100], 400).episode, None);
    let anew = world.look(&condition, &[50, 100], 432);
    assert_eq!((anew.fired_at, anew.is_repeat), (Some(at(432)), false));
}

#[test]
fn a_repair_that_helped_is_not_judged_by_what_was_counted_before_it() {
    // One read in ten fails until the cleaning at hour 120, none after it.
    let reads = daily((0..12).map(|day| f64::from(day * 100)));
    let errors = daily((0..12).map(|day: i32| f64::from(day.min(5) * 10)));
    let world = World::of(&[("ERRORS", errors), ("READS", reads)]);
    let condition = held(24, clear_at(0.015, when(ratio(7), Operator::Above, value(0.03))));
    assert_eq!(world.look(&condition, &[], 119).fired_at, Some(at(48)));
    assert_eq!(world.look(&condition, &[], 167).fired_at, Some(at(48)), "a week's ratio is slow");
    for hours in 120..264 {
        assert_eq!(world.look(&condition, &[120], hours).fired_at, None, "hour {hours}");
    }
    assert_eq!(world.look(&condition, &[120], 145).episode, None);
}

#[test]
fn a_new_episode_waits_for_the_cool_down_after_the_last_work() {
    let readings = vec![(0, 60.0), (24, 60.0), (96, 90.0), (144, 60.0), (168, 60.0)];
    let world = World::of(&[("HEALTH", readings)]);
    let condition = Condition { cool_down_days: 14, ..low_battery() };
    let outcome = world.look(&condition, &[90], 200);
    assert_eq!((outcome.fired_at, outcome.changes_at), (None, Some(at(90 + 14 * 24))));
    assert_eq!(world.look(&condition, &[90], 500).fired_at, Some(at(90 + 14 * 24)));
}

#[test]
fn silence_begins_at_the_exact_moment_whenever_somebody_looks() {
    let world = World::of(&[("BOOTS", daily([1.0; 11]))]);
    let condition = when(Measure::Silence, Operator::Above, value(4.0));
    let before = world.look(&condition, &[], 300);
    assert_eq!((before.fired_at, before.changes_at), (None, Some(at(336))));
    for hours in [336, 337, 2_000] {
        let outcome = world.look(&condition, &[], hours);
        assert_eq!(outcome.fired_at, Some(at(336)), "seen at hour {hours}");
        assert_eq!(outcome.clauses[0].value, Some(4.0), "as of when it fell due");
    }
    let mut readings = daily([1.0; 11]);
    readings.push((500, 1.0));
    let spoke = World::of(&[("BOOTS", readings)]);
    assert_eq!(spoke.look(&condition, &[], 499).fired_at, Some(at(336)));
    assert_eq!(spoke.look(&condition, &[], 501).episode, None);
    // A visit that did not bring it back.
    let visited = world.look(&condition, &[400], 424);
    assert_eq!((visited.fired_at, visited.is_repeat), (Some(at(424)), true));
}

#[test]
fn storage_that_runs_full_is_told_before_it_is() {
    let world = World::of(&[("FLASH", daily((0..20).map(|day| f64::from(40 - day))))]);
    let measure = Measure::DaysToLimit { meter: "FLASH".into(), limit: 5.0, is_rising: false };
    let condition = when(measure, Operator::Below, value(29.5));
    assert_eq!(world.look(&condition, &[], 24 * 6 - 1).fired_at, None);
    assert_eq!(world.look(&condition, &[], 24 * 10).fired_at, Some(at(24 * 6)));
}

#[test]
fn a_ratio_of_too_small_a_sample_says_nothing() {
    let reads = daily((0..20).map(|day| f64::from(day * 10)));
    let errors = daily((0..20).map(|day| f64::from(day * 5)));
    let world = World::of(&[("ERRORS", errors), ("READS", reads)]);
    let mut condition = when(ratio(7), Operator::Above, value(0.03));
    assert!(world.look(&condition, &[], 240).fired_at.is_some());
    condition.clauses[0].min_sample = Some(200.0);
    let outcome = world.look(&condition, &[], 240);
    assert_eq!((outcome.fired_at, outcome.episode), (None, None));
    let seen = outcome.clauses[0].clone();
    assert_eq!((seen.value, seen.sample, seen.is_beyond), (Some(0.5), Some(70.0), false));
}

#[test]
fn all_clauses_must_be_beyond_and_one_that_is_clear_ends_it() {
    let world = World::of(&[
        ("TEMPERATURE", vec![(0, 40.0), (48, 41.0), (72, 30.0)]),
        ("HUMIDITY", vec![(0, 50.0), (24, 85.0), (60, 86.0), (90, 85.0)]),
    ]);
    let mut condition = when(gauge("TEMPERATURE"), Operator::Above, value(35.0));
    condition.clauses.push(Clause::new(gauge("HUMIDITY"), Operator::AtLeast, value(80.0)));
    assert_eq!(world.look(&condition, &[], 23).episode, None);
    assert_eq!(world.look(&condition, &[], 70).fired_at, Some(at(24)));
    let over = world.look(&condition, &[], 100);
    assert_eq!(over.episode, None);
    assert_eq!(over.clauses.iter().map(|c| c.is_beyond).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_share_of_the_rating_needs_one() {
    let mut world = World::of(&[("CYCLES", daily((0..10).map(|day| f64::from(400 + day * 10))))]);
    let life = Measure::Life { meter: "CYCLES".into() };
    let condition = when(life, Operator::AtLeast, Limit::ShareOfRating { share: 0.9 });
    let unrated = world.look(&condition, &[], 240);
    assert_eq!((unrated.fired_at, unrated.clauses[0].limit), (None, None));
    world.ratings.insert("CYCLES".into(), 500.0);
    let rated = world.look(&condition, &[], 240);
    assert_eq!((rated.fired_at, rated.clauses[0].limit), (Some(at(120)), Some(450.0)));
}

#[test]
fn a_late_reading_that_was_clear_ends_an_episode_that_was_seen() {
    let mut readings = daily([60.0; 6]);
    let condition = low_battery();
    let before = World::of(&[("HEALTH", readings.clone())]).look(&condition, &[], 130);
    assert_eq!(before.fired_at, Some(at(24)));
    readings.insert(5, (100, 90.0));
    let world = World::of(&[("HEALTH", readings)]);
    let after = world.look_again(&condition, &[], before.episode.as_ref(), 130);
    assert_eq!((after.fired_at, after.episode.map(|e| e.since)), (None, Some(at(120))));
}

#[test]
fn an_episode_older_than_the_look_back_goes_on() {
    let condition = low_battery();
    let mut carried = None;
    let world = World::of(&[("HEALTH", daily([60.0; 200]))]);
    for day in 0..200 {
        let outcome = world.look_again(&condition, &[], carried.as_ref(), day * 24 + 1);
        assert_eq!(outcome.fired_at, (day > 0).then_some(at(24)), "day {day}");
        carried = outcome.episode;
    }
}

#[test]
fn what_the_guard_keeps_out_is_never_beyond() {
    let world = World::of(&[("HEALTH", daily([60.0; 6]))]);
    let seen = world.look(&low_battery(), &[], 130).episode;
    let facts = ConditionFacts { is_guarded: false, ..world.facts() };
    let outcome = evaluate(&low_battery(), &facts, &[], at(0), seen.as_ref(), at(131));
    assert_eq!((outcome.fired_at, outcome.episode, outcome.changes_at), (None, None, None));
    assert_eq!(outcome.clauses[0].value, Some(60.0));

    // A rate below the guard's keeps an episode from beginning, but does not end one.
    let idle = ConditionFacts { is_busy: false, ..world.facts() };
    assert_eq!(evaluate(&low_battery(), &idle, &[], at(0), None, at(131)).episode, None);
    assert!(evaluate(&low_battery(), &idle, &[], at(0), seen.as_ref(), at(131)).episode.is_some());
}

#[test]
fn the_look_back_covers_windows_baselines_and_hold_times() {
    let days = |condition: &Condition| look_back_days(condition);
    assert_eq!(days(&when(gauge("HEALTH"), Operator::Below, value(70.0))), 32);
    assert_eq!(days(&when(ratio(7), Operator::Above, value(0.03))), 39);
    let baseline = Measure::RatioToBaseline {
        numerator: "ERRORS".into(),
        denominator: "READS".into(),
        window_days: 7,
        baseline_days: 90,
    };
    let mut condition = held(24 * 60, when(baseline, Operator::Above, value(2.0)));
    assert_eq!(days(&condition), 62 + 97 + 2);
    let idle = Measure::DaysSinceUse { meter: "READS".into() };
    condition.clauses.push(Clause::new(idle, Operator::Above, value(180.0)));
    assert_eq!(days(&condition), 62 + 180 + 2);
    assert_eq!(meters_of(&condition), ["ERRORS", "READS"]);
}

fn meter(code: &str, kind: MeterKind, unit: &str, decimals: i32, en: &str, zh: &str) -> Meter {
    Meter {
        code: code.into(),
        name: LocalizedText { en: en.into(), zh: zh.into() },
        kind,
        unit: unit.into(),
        decimals,
        source: "test".into(),
    }
}

fn meters() -> Vec<Meter> {
    vec![
        meter("READS", MeterKind::Counter, "swipes", 0, "Magstripe read attempts", "磁条读取次数"),
        meter("ERRORS", MeterKind::Counter, "swipes", 0, "Magstripe read errors", "磁条读取错误次数"),
        meter("CYCLES", MeterKind::Counter, "cycles", 0, "Battery charge cycles", "电池充电循环次数"),
        meter("HEALTH", MeterKind::Gauge, "%", 1, "Battery health", "电池健康度"),
        meter("FLASH", MeterKind::Gauge, "%", 1, "Free storage", "剩余存储"),
    ]
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    let refusal = |condition: &Condition| check(condition, &meters()).unwrap_err();
    let invalid = |condition: &Condition, part: &str| {
        let refused = refusal(condition);
        assert!(matches!(&refused, Error::Invalid { field, .. } if field == "triggers"), "{refused:?}");
        assert!(refused.to_string().contains(part), "{refused} does not say {part}");
    };
    let above = |measure: Measure| when(measure, Operator::Above, value(3.0));
    let of = |numerator: &str, denominator: &str, window_days: u32| Measure::Ratio {
        numerator: numerator.into(),
        denominator: denominator.into(),
        window_days,
    };
    assert!(check(&low_battery(), &meters()).is_ok());
    assert!(matches!(refusal(&above(gauge("NOTHING"))), Error::UnknownMeter { .. }));
    assert!(matches!(refusal(&above(of("ERRORS", "NOTHING", 7))), Error::UnknownMeter { .. }));
    let none = Condition { clauses: vec![], ..low_battery() };
    assert!(matches!(refusal(&none), Error::Required { field: "triggers", .. }));
    let four = Condition { clauses: vec![low_battery().clauses[0].clone(); 4], ..low_battery() };
    assert!(matches!(refusal(&four), Error::TooMany { given: 4, max: 3, .. }));

    invalid(&above(gauge("READS")), "is a counter");
    invalid(&above(Measure::Life { meter: "HEALTH".into() }), "is a gauge");
    invalid(&above(of("ERRORS", "HEALTH", 7)), "is a gauge");
    invalid(&above(of("ERRORS", "READS", 0)), "empty window");
    invalid(&above(of("ERRORS", "READS", 367)), "windowDays is 367");
    invalid(&above(of("READS", "READS", 7)), "to itself");
    let baseline = |baseline_days| Measure::RatioToBaseline {
        numerator: "ERRORS".into(),
        denominator: "READS".into(),
        window_days: 7,
        baseline_days,
    };
    invalid(&above(baseline(0)), "empty window");
    assert!(check(&above(baseline(90)), &meters()).is_ok());
    let days_to = |meter: &str| Measure::DaysToLimit { meter: meter.into(), limit: 5.0, is_rising: false };
    invalid(&above(days_to("READS")), "is a counter");
    invalid(&clear_at(4.0, above(of("ERRORS", "READS", 7))), "beyond the limit");
    invalid(&clear_at(60.0, low_battery()), "beyond the limit");
    invalid(&when(Measure::Silence, Operator::Above, value(f64::NAN)), "must be a number");
    invalid(&when(Measure::Silence, Operator::Above, Limit::ShareOfRating { share: 0.9 }), "share of the rating");
    invalid(&when(gauge("HEALTH"), Operator::Below, Limit::ShareOfRating { share: 0.0 }), "share of the rating");
    invalid(&held(24 * 90 + 1, low_battery()), "holdHours");
    invalid(&Condition { cool_down_days: 367, ..low_battery() }, "coolDownDays");
    let mut negative = above(of("ERRORS", "READS", 7));
    negative.clauses[0].min_sample = Some(-1.0);
    invalid(&negative, "minimum sample");
    let idle = Measure::DaysSinceUse { meter: "READS".into() };
    invalid(&when(idle, Operator::Above, value(400.0)), "a year");
    let guard =
        Some(Guard { min_per_day: Some(RateGuard { meter: "HEALTH".into(), at_least: 1.0 }), ..Guard::default() });
    invalid(&Condition { guard, ..low_battery() }, "is a gauge");
}

#[test]
fn a_clause_is_told_in_both_languages() {
    let told = |mut condition: Condition, seen: Option<f64>, limit: f64| {
        describe(&mut condition, &meters());
        let reading = ClauseReading { value: seen, limit: Some(limit), sample: None, is_beyond: true };
        let words = |language| clause_words(&condition.clauses[0], &reading, language);
        (words(Language::En), words(Language::Zh))
    };
    let both = |en: &str, zh: &str| (en.to_owned(), zh.to_owned());
    assert_eq!(
        told(when(ratio(7), Operator::Above, value(0.03)), Some(0.042), 0.03),
        both(
            "magstripe read errors 4.2 % of magstripe read attempts over 7 days (limit 3 %)",
            "7天内磁条读取错误次数占磁条读取次数的4.2%（限值3%）"
        )
    );
    assert_eq!(
        told(low_battery(), Some(68.0), 70.0),
        both("battery health 68 % (limit below 70 %)", "电池健康度68%（限值低于70%）")
    );
    assert_eq!(
        told(when(Measure::Silence, Operator::Above, value(4.0)), Some(4.3), 4.0),
        both("no reading for 4.3 × its normal gap (limit 4 ×)", "已有平常间隔的4.3倍时间无读数（限值4倍）")
    );
    let full = Measure::DaysToLimit { meter: "FLASH".into(), limit: 5.0, is_rising: false };
    assert_eq!(
        told(when(full, Operator::Below, value(30.0)), Some(18.2), 30.0),
        both("free storage reaches 5 % in about 18 days (limit 30 days)", "剩余存储约18天后到达5%（限值30天）")
    );
    let life = Measure::Life { meter: "CYCLES".into() };
    assert_eq!(
        told(when(life, Operator::AtLeast, Limit::ShareOfRating { share: 0.9 }), Some(1_460.0), 450.0),
        both(
            "battery charge cycles 1,460 (limit 450, 90 % of its rating)",
            "电池充电循环次数1,460（限值450，即额定值的90%）"
        )
    );
    let warranty = Measure::AttributeAge { attribute: DatedAttribute::WarrantyEndsAt };
    assert_eq!(
        told(when(warranty, Operator::AtLeast, value(-30.0)), Some(-1.0), -30.0),
        both("its warranty ends in 1 day (limit 30 days before)", "保修1天后到期（限值到期前30天）")
    );
    assert_eq!(
        told(low_battery(), None, 70.0),
        both("too little is known of battery health (limit below 70 %)", "电池健康度数据不足（限值低于70%）")
    );
    let mut small = when(ratio(7), Operator::Above, value(0.03));
    describe(&mut small, &meters());
    small.clauses[0].min_sample = Some(200.0);
    let reading = ClauseReading { value: Some(0.5), limit: Some(0.03), sample: Some(70.4), is_beyond: false };
    let words = clause_words(&small.clauses[0], &reading, Language::En);
    assert!(words.ends_with("(limit 3 %; 70 of 200 needed to say so)"), "{words}");
    assert_eq!(hold_words(0, Language::En), "");
    assert_eq!(hold_words(24, Language::En), "for 24 hours");
    assert_eq!(hold_words(48, Language::Zh), "持续2天");
}

/// Conditions of every kind of measure over a gauge and two counters.
fn conditions() -> Vec<Condition> {
    let counter = || "ERRORS".to_owned();
    let baseline = Measure::RatioToBaseline {
        numerator: counter(),
        denominator: "READS".into(),
        window_days: 3,
        baseline_days: 15,
    };
    let mut sampled = clear_at(0.2, when(ratio(3), Operator::Above, value(0.3)));
    sampled.clauses[0].min_sample = Some(10.0);
    let mut two = held(6, when(Measure::DaysSinceUse { meter: counter() }, Operator::Above, value(2.0)));
    two.clauses.push(Clause::new(gauge("HEALTH"), Operator::AtLeast, value(40.0)));
    let age = Measure::AttributeAge { attribute: DatedAttribute::InstalledAt };
    let full = Measure::DaysToLimit { meter: "HEALTH".into(), limit: 10.0, is_rising: false };
    let grown = Measure::Delta { meter: counter(), window_days: 5 };
    vec![
        held(24, clear_at(60.0, when(gauge("HEALTH"), Operator::Below, value(50.0)))),
        Condition { cool_down_days: 10, ..sampled },
        held(12, when(Measure::Silence, Operator::Above, value(1.5))),
        held(30, clear_at(0.5, when(Measure::DaysSinceReading, Operator::AtLeast, value(1.0)))),
        two,
        when(baseline, Operator::Above, value(1.5)),
        held(48, when(age, Operator::Above, value(30.0))),
        held(100, when(full, Operator::AtMost, value(15.0))),
        clear_at(10.0, when(grown, Operator::AtLeast, value(20.0))),
        when(Measure::Life { meter: counter() }, Operator::AtLeast, Limit::ShareOfRating { share: 0.5 }),
    ]
}

/// Half a year of readings at random.
fn worlds() -> impl Strategy<Value = World> {
    let step = (1_i64..60, 0_u32..100, 0_u32..10, 1_u32..30);
    (prop::collection::vec(step, 4..80), 0_i64..2_000).prop_map(|(steps, installed)| {
        let (mut hours, mut errors, mut reads) = (0, 0.0, 0.0);
        let (mut of_health, mut of_errors, mut of_reads) = (vec![], vec![], vec![]);
        for (wait, health, failed, read) in steps {
            hours += wait;
            errors += f64::from(failed.saturating_sub(4));
            reads += f64::from(read);
            of_health.push((hours, f64::from(health)));
            of_errors.push((hours, errors));
            if read % 3 > 0 {
                of_reads.push((hours + 1, reads));
            }
        }
        let mut world = World::of(&[("HEALTH", of_health), ("ERRORS", of_errors), ("READS", of_reads)]);
        world.attributes.installed_at = Some(at(installed));
        world.ratings.insert("ERRORS".into(), 100.0);
        world
    })
}

/// Hours between two looks, and whether work was done an hour before the later one.
fn looks() -> impl Strategy<Value = Vec<(i64, bool)>> {
    prop::collection::vec((2_i64..200, prop::bool::weighted(0.2)), 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn looking_often_sees_what_looking_once_sees_and_looking_again_sees_the_same(world in worlds(), looks in looks()) {
        for condition in conditions() {
            let (mut now, mut done, mut carried) = (at(0), vec![], None::<Episode>);
            for (hours, is_done) in &looks {
                now += TimeDelta::hours(*hours);
                if *is_done {
                    done.push(now - TimeDelta::hours(1));
                }
                let facts = world.facts();
                let seen = evaluate(&condition, &facts, &done, at(0), carried.as_ref(), now);
                let again = evaluate(&condition, &facts, &done, at(0), seen.episode.as_ref(), now);
                prop_assert_eq!(&seen, &again, "again at {} by {:?}", now, condition);
                let at_once = evaluate_from(&condition, &facts, &done, at(0), None, at(0), now);
                prop_assert_eq!(&seen, &at_once, "at once at {} by {:?}", now, condition);
                carried = seen.episode;
            }
        }
    }

    #[test]
    fn until_it_says_so_nothing_changes_without_new_facts(world in worlds(), looks in looks()) {
        for condition in conditions() {
            let (mut now, mut done, mut carried) = (at(0), vec![], None::<Episode>);
            for (hours, is_done) in &looks {
                now += TimeDelta::hours(*hours);
                if *is_done {
                    done.push(now - TimeDelta::hours(1));
                }
                let known = world.known_at(now);
                let facts = known.facts();
                let seen = evaluate(&condition, &facts, &done, at(0), carried.as_ref(), now);
                let until = seen.changes_at.unwrap_or(now + TimeDelta::days(20));
                let moment = TimeDelta::microseconds(1);
                for later in [now + moment, now + (until - now) / 2, until - moment] {
                    if later <= now {
                        continue;
                    }
                    let still = evaluate(&condition, &facts, &done, at(0), seen.episode.as_ref(), later);
                    prop_assert_eq!(&still, &seen, "at {} by {:?}", later, condition);
                }
                carried = seen.episode;
            }
        }
    }

    #[test]
    fn nothing_is_due_before_it_was_held_or_in_the_future(world in worlds(), hours in 0_i64..4_000) {
        for condition in conditions() {
            let outcome = world.look(&condition, &[], hours);
            if let (Some(fired), Some(episode)) = (outcome.fired_at, &outcome.episode) {
                prop_assert!(fired <= at(hours));
                prop_assert!(fired >= episode.since + TimeDelta::hours(i64::from(condition.hold_hours)));
            }
            prop_assert!(outcome.changes_at.is_none_or(|at_moment| at_moment > at(hours)));
            prop_assert!(outcome.clauses.iter().all(|c| c.value.is_none_or(f64::is_finite)));
        }
    }
}
