//! What a condition can look at: one figure of one device at a moment, from its readings alone.
//!
//! Counters are measured by their life, so that resets, rollovers and swaps do not matter. A window
//! ends at the moment and leaves its own start out: (at − window, at]. At its start the life is
//! taken between the readings around it, but never before the first reading: what is not covered
//! is not guessed, and a window without a reading says nothing.

use super::forecast::Trend;
use crate::code_enum;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

code_enum! {
    /// Dates of a device whose age can be measured, in days; before the date the age is negative.
    pub enum DatedAttribute {
        InstalledAt = "INSTALLED_AT", FirmwareReportedAt = "FIRMWARE_REPORTED_AT",
        BatteryInstalledAt = "BATTERY_INSTALLED_AT", WarrantyEndsAt = "WARRANTY_ENDS_AT",
    }
}

/// A figure of a device. Values are in the meter's own unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Measure {
    /// The latest value of a gauge.
    Gauge {
        /// Meter code.
        meter: String,
    },
    /// The life of a counter, since the part it rates came in.
    Life {
        /// Meter code.
        meter: String,
    },
    /// How much a counter grew.
    Delta {
        /// Meter code.
        meter: String,
        /// Days looked back.
        window_days: u32,
    },
    /// How much a counter grew a day.
    Rate {
        /// Meter code.
        meter: String,
        /// Days looked back.
        window_days: u32,
    },
    /// How much one counter grew for each unit of another, 0.03 = 3 %.
    Ratio {
        /// Counter of what is compared, for example errors.
        numerator: String,
        /// Counter it is compared with, for example reads.
        denominator: String,
        /// Days looked back.
        window_days: u32,
    },
    /// The ratio of a window divided by the device's own ratio before it; 2 = twice as high.
    RatioToBaseline {
        /// Counter of what is compared.
        numerator: String,
        /// Counter it is compared with.
        denominator: String,
        /// Days looked back.
        window_days: u32,
        /// Days before the window that the device is compared with.
        baseline_days: u32,
    },
    /// Days since the last reading of any meter.
    DaysSinceReading,
    /// Days since a counter last grew.
    DaysSinceUse {
        /// Meter code.
        meter: String,
    },
    /// The time since the last reading of any meter, in the device's own normal gaps.
    Silence,
    /// Days since a date of the device.
    AttributeAge {
        /// The date.
        attribute: DatedAttribute,
    },
    /// Days until a gauge is forecast to reach a value; 0 once it has.
    DaysToLimit {
        /// Meter code.
        meter: String,
        /// The value, in the meter's unit.
        limit: f64,
        /// The value is reached from below, as a temperature is; absent, from above, as free storage
        /// runs out.
        #[serde(default)]
        is_rising: bool,
    },
}

/// Days a trend looks back.
pub const TREND_DAYS: u32 = 28;

impl Measure {
    /// Codes of the meters it reads.
    pub fn meters(&self) -> Vec<&str> {
        match self {
            Self::Gauge { meter }
            | Self::Life { meter }
            | Self::Delta { meter, .. }
            | Self::Rate { meter, .. }
            | Self::DaysSinceUse { meter }
            | Self::DaysToLimit { meter, .. } => vec![meter.as_str()],
            Self::Ratio { numerator, denominator, .. } | Self::RatioToBaseline { numerator, denominator, .. } => {
                vec![numerator.as_str(), denominator.as_str()]
            }
            Self::DaysSinceReading | Self::Silence | Self::AttributeAge { .. } => vec![],
        }
    }

    /// Whether it grows by time alone; all others change with readings only.
    pub fn is_by_time(&self) -> bool {
        matches!(self, Self::DaysSinceReading | Self::DaysSinceUse { .. } | Self::Silence | Self::AttributeAge { .. })
    }

    /// Days of readings before a moment that its value at the moment rests on, where that is known
    /// from the measure alone.
    pub fn days_read(&self) -> u32 {
        match self {
            Self::Delta { window_days, .. } | Self::Rate { window_days, .. } | Self::Ratio { window_days, .. } => {
                *window_days
            }
            Self::RatioToBaseline { window_days, baseline_days, .. } => window_days.saturating_add(*baseline_days),
            Self::DaysToLimit { .. } => TREND_DAYS,
            Self::Gauge { .. }
            | Self::Life { .. }
            | Self::DaysSinceReading
            | Self::DaysSinceUse { .. }
            | Self::Silence
            | Self::AttributeAge { .. } => 0,
        }
    }
}

/// A reading that counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Device time.
    pub at: DateTime<Utc>,
    /// What was read.
    pub value: f64,
    /// Life counter after it.
    pub life: f64,
}

/// The counted readings of one meter, from some moment on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeterSeries {
    /// By device time; the first one may lie before the moment asked for.
    pub points: Vec<Point>,
    /// Life counter when the part that the meter rates came in; 0 for the first one.
    pub life_base: f64,
}

impl MeterSeries {
    /// The readings up to a moment.
    fn until(&self, at: DateTime<Utc>) -> &[Point] {
        &self.points[..self.points.partition_point(|p| p.at <= at)]
    }
}

/// What is known of a device's readings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceSeries {
    /// The meters asked for that were ever read, by code.
    pub meters: BTreeMap<String, MeterSeries>,
    /// Moments at which the device was read, of its busiest meter, in order; the latest ones only.
    pub moments: Vec<DateTime<Utc>>,
    /// Device time of the last reading of any meter.
    pub last_reading_at: Option<DateTime<Utc>>,
    /// The median gap between two of its moments; none while there are too few.
    pub normal_gap: Option<TimeDelta>,
}

impl DeviceSeries {
    /// Takes in what was read of other meters of the same device.
    pub fn absorb(&mut self, other: Self) {
        self.meters.extend(other.meters);
        self.moments = other.moments;
        self.last_reading_at = other.last_reading_at;
        self.normal_gap = other.normal_gap;
    }

    fn until(&self, meter: &str, at: DateTime<Utc>) -> &[Point] {
        self.meters.get(meter).map(|series| series.until(at)).unwrap_or_default()
    }
}

/// Gaps that make a normal one.
const MIN_GAPS: usize = 3;

/// The median gap between moments in order; none while there are fewer than four of them.
pub fn normal_gap(moments: &[DateTime<Utc>]) -> Option<TimeDelta> {
    let mut gaps: Vec<TimeDelta> =
        moments.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > TimeDelta::zero()).collect();
    if gaps.len() < MIN_GAPS {
        return None;
    }
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied()
}

/// Dates of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Attributes {
    /// When it was installed where it is.
    pub installed_at: Option<DateTime<Utc>>,
    /// When its firmware was last reported.
    pub firmware_reported_at: Option<DateTime<Utc>>,
    /// When its battery came in.
    pub battery_installed_at: Option<DateTime<Utc>>,
    /// When its warranty ends.
    pub warranty_ends_at: Option<DateTime<Utc>>,
}

impl Attributes {
    /// A date; none when it is not known.
    pub fn get(&self, attribute: DatedAttribute) -> Option<DateTime<Utc>> {
        match attribute {
            DatedAttribute::InstalledAt => self.installed_at,
            DatedAttribute::FirmwareReportedAt => self.firmware_reported_at,
            DatedAttribute::BatteryInstalledAt => self.battery_installed_at,
            DatedAttribute::WarrantyEndsAt => self.warranty_ends_at,
        }
    }
}

/// A measure's value; always a finite number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The value.
    pub value: f64,
    /// Units it rests on: what the counter, or the one compared with, grew in the window; none for
    /// measures without a window.
    pub sample: Option<f64>,
}

impl Measured {
    fn new(value: f64, sample: Option<f64>) -> Option<Self> {
        (value.is_finite() && sample.is_none_or(f64::is_finite)).then_some(Self { value, sample })
    }
}

/// Milliseconds of a day.
const DAY_MILLIS: f64 = 86_400_000.0;

fn millis(delta: TimeDelta) -> f64 {
    delta.num_milliseconds() as f64
}

fn days(delta: TimeDelta) -> f64 {
    millis(delta) / DAY_MILLIS
}

fn before(at: DateTime<Utc>, days: u32) -> DateTime<Utc> {
    at.checked_sub_signed(TimeDelta::days(i64::from(days))).unwrap_or(at)
}

/// The life at a moment between the first and the last reading.
fn life_at(points: &[Point], at: DateTime<Utc>) -> Option<f64> {
    let after = points.partition_point(|p| p.at <= at);
    let last = points.get(after.checked_sub(1)?)?;
    let Some(next) = points.get(after) else { return Some(last.life) };
    let span = millis(next.at - last.at);
    let share = if span > 0.0 { millis(at - last.at) / span } else { 1.0 };
    Some(last.life + (next.life - last.life) * share)
}

/// The part of a window that readings cover, up to the last of them; none when none lies in it.
fn covered(points: &[Point], from: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let (first, last) = (points.first()?, points.last()?);
    let start = from.max(first.at);
    (last.at > start).then_some((start, last.at))
}

/// What a life grew between two moments that readings cover.
fn growth(points: &[Point], (from, to): (DateTime<Utc>, DateTime<Utc>)) -> Option<f64> {
    Some((life_at(points, to)? - life_at(points, from)?).max(0.0))
}

/// What two counters grew while both were read.
fn growths(
    series: &DeviceSeries,
    numerator: &str,
    denominator: &str,
    from: DateTime<Utc>,
    at: DateTime<Utc>,
) -> Option<(f64, f64)> {
    let (above, below) = (series.until(numerator, at), series.until(denominator, at));
    let (of_above, of_below) = (covered(above, from)?, covered(below, from)?);
    let both = (of_above.0.max(of_below.0), of_above.1.min(of_below.1));
    if both.0 >= both.1 {
        return None;
    }
    Some((growth(above, both)?, growth(below, both)?))
}

fn ratio((above, below): (f64, f64)) -> Option<f64> {
    (below > 0.0).then(|| above / below)
}

/// The trend of a gauge through the last value of each day.
fn trend(points: &[Point], from: DateTime<Utc>, at: DateTime<Utc>) -> Option<Trend> {
    // Days are counted back from the moment, so that no zone is needed.
    let mut last_of_day: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for point in points.iter().filter(|p| p.at > from && p.at <= at) {
        last_of_day.insert(-(at - point.at).num_days(), (days(point.at - at), point.value));
    }
    let line: Vec<(f64, f64)> = last_of_day.into_values().collect();
    Trend::of(&line)
}

/// How a gauge moves at a moment, from the readings of the four weeks before it; none when they do
/// not say.
pub fn trend_at(series: &DeviceSeries, meter: &str, at: DateTime<Utc>) -> Option<Trend> {
    trend(series.until(meter, at), before(at, TREND_DAYS), at)
}

/// How a measure grows by time alone: from when it counts, and in what.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticking {
    /// Where it begins at 0 again, in order.
    starts: Vec<DateTime<Utc>>,
    /// Milliseconds of one unit.
    unit: f64,
    /// There is one start, and before it the measure is negative.
    is_dated: bool,
}

impl Ticking {
    /// How a measure of this device grows; none for one that time does not move, and while its unit
    /// or its date is not known.
    pub fn of(measure: &Measure, series: &DeviceSeries, attributes: &Attributes) -> Option<Self> {
        let read = || -> Vec<DateTime<Utc>> {
            let points = series.meters.values().flat_map(|m| m.points.iter().map(|p| p.at));
            let starts: BTreeSet<DateTime<Utc>> =
                points.chain(series.moments.iter().copied()).chain(series.last_reading_at).collect();
            starts.into_iter().collect()
        };
        let (starts, unit, is_dated): (Vec<DateTime<Utc>>, f64, bool) = match measure {
            Measure::DaysSinceReading => (read(), DAY_MILLIS, false),
            Measure::Silence => (read(), millis(series.normal_gap?), false),
            Measure::DaysSinceUse { meter } => {
                let points = series.meters.get(meter)?.points.as_slice();
                // Before the first reading nothing is known: it is the least that can have passed.
                let first = points.first().map(|p| p.at);
                let grown = points.windows(2).filter(|pair| pair[1].life > pair[0].life).map(|pair| pair[1].at);
                (first.into_iter().chain(grown).collect(), DAY_MILLIS, false)
            }
            Measure::AttributeAge { attribute } => (vec![attributes.get(*attribute)?], DAY_MILLIS, true),
            Measure::Gauge { .. }
            | Measure::Life { .. }
            | Measure::Delta { .. }
            | Measure::Rate { .. }
            | Measure::Ratio { .. }
            | Measure::RatioToBaseline { .. }
            | Measure::DaysToLimit { .. } => return None,
        };
        (unit > 0.0).then_some(Self { starts, unit, is_dated })
    }

    /// The moments at which it begins at 0 again, in order; a date never does.
    pub fn starts(&self) -> &[DateTime<Utc>] {
        if self.is_dated { &[] } else { &self.starts }
    }

    /// What it counts from at a moment.
    fn start(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.is_dated {
            return self.starts.first().copied();
        }
        self.starts.get(self.starts.partition_point(|s| *s <= at).checked_sub(1)?).copied()
    }

    /// Its value at a moment.
    pub fn value_at(&self, at: DateTime<Utc>) -> Option<Measured> {
        Measured::new(millis(at - self.start(at)?) / self.unit, None)
    }

    /// When it reaches a level by time alone, counted as it is at `at`; in the past where it has.
    pub fn crossing_at(&self, level: f64, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // A level no clock of ours reaches is still an instant.
        let wait = (level * self.unit * 1_000.0).clamp(-1e17, 1e17);
        self.start(at)?.checked_add_signed(TimeDelta::microseconds(wait.round() as i64))
    }
}

/// The value of a measure at a moment, from the readings up to it; none when they do not say.
pub fn value_at(
    measure: &Measure,
    series: &DeviceSeries,
    attributes: &Attributes,
    at: DateTime<Utc>,
) -> Option<Measured> {
    value_since(measure, series, attributes, None, at)
}

/// The same, but readings before `since` say nothing of how the device is now, because somebody
/// worked on it then. What only time moves, and what the device is compared with, is not cut.
pub fn value_since(
    measure: &Measure,
    series: &DeviceSeries,
    attributes: &Attributes,
    since: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
) -> Option<Measured> {
    let window = |days: u32| since.map_or(before(at, days), |since| before(at, days).max(since));
    let latest = |meter: &str| {
        let point = series.until(meter, at).last()?;
        since.is_none_or(|since| point.at >= since).then_some(*point)
    };
    match measure {
        Measure::Gauge { meter } => Measured::new(latest(meter)?.value, None),
        Measure::Life { meter } => {
            let base = series.meters.get(meter)?.life_base;
            Measured::new((latest(meter)?.life - base).max(0.0), None)
        }
        Measure::Delta { meter, window_days } => {
            let points = series.until(meter, at);
            let grown = growth(points, covered(points, window(*window_days))?)?;
            Measured::new(grown, Some(grown))
        }
        Measure::Rate { meter, window_days } => {
            let points = series.until(meter, at);
            let part = covered(points, window(*window_days))?;
            let grown = growth(points, part)?;
            Measured::new(grown / days(part.1 - part.0), Some(grown))
        }
        Measure::Ratio { numerator, denominator, window_days } => {
            let grown = growths(series, numerator, denominator, window(*window_days), at)?;
            Measured::new(ratio(grown)?, Some(grown.1))
        }
        Measure::RatioToBaseline { numerator, denominator, window_days, baseline_days } => {
            let grown = growths(series, numerator, denominator, window(*window_days), at)?;
            let until = before(at, *window_days);
            let usual = growths(series, numerator, denominator, before(until, *baseline_days), until)?;
            let baseline = ratio(usual).filter(|r| *r > 0.0)?;
            // The smaller of both samples decides whether it says anything.
            Measured::new(ratio(grown)? / baseline, Some(grown.1.min(usual.1)))
        }
        Measure::DaysToLimit { meter, limit, is_rising } => {
            let points = series.until(meter, at);
            Measured::new(trend(points, window(TREND_DAYS), at)?.days_to(*limit, *is_rising)?, None)
        }
        Measure::DaysSinceReading | Measure::DaysSinceUse { .. } | Measure::Silence | Measure::AttributeAge { .. } => {
            Ticking::of(measure, series, attributes)?.value_at(at)
        }
    }
}

/// When a measure that grows by time alone reaches a level, as its readings up to `at` have it; in
/// the past where it has. None for every other measure, and before its first reading.
pub fn crossing_at(
    measure: &Measure,
    series: &DeviceSeries,
    attributes: &Attributes,
    level: f64,
    at: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    Ticking::of(measure, series, attributes)?.crossing_at(level, at)
}

/// The moments from `from` to `until`, in order, at which a reading can change a measure: readings
/// of its meters, and where it begins to count from 0 again.
pub fn sample_points(
    measure: &Measure,
    series: &DeviceSeries,
    attributes: &Attributes,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Vec<DateTime<Utc>> {
    let mut found: Vec<DateTime<Utc>> = match Ticking::of(measure, series, attributes) {
        Some(ticking) => ticking.starts().to_vec(),
        None => {
            let meters = measure.meters();
            let known = meters.iter().filter_map(|meter| series.meters.get(*meter));
            known.flat_map(|meter| meter.points.iter().map(|p| p.at)).collect()
        }
    };
    found.retain(|at| (from..=until).contains(at));
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_760_000_000, 0).unwrap() + TimeDelta::hours(hours)
    }

    /// Readings (hours, value) of meters; a counter's life is its value.
    fn series(meters: &[(&str, &[(i64, f64)])]) -> DeviceSeries {
        let of = |readings: &[(i64, f64)]| MeterSeries {
            points: readings.iter().map(|(h, v)| Point { at: at(*h), value: *v, life: *v }).collect(),
            life_base: 0.0,
        };
        let meters: BTreeMap<String, MeterSeries> =
            meters.iter().map(|(code, readings)| ((*code).to_owned(), of(readings))).collect();
        let moments: BTreeSet<DateTime<Utc>> = meters.values().flat_map(|m| m.points.iter().map(|p| p.at)).collect();
        let moments: Vec<DateTime<Utc>> = moments.into_iter().collect();
        DeviceSeries { last_reading_at: moments.last().copied(), normal_gap: normal_gap(&moments), moments, meters }
    }

    fn value(measure: &Measure, series: &DeviceSeries, hours: i64) -> Option<f64> {
        value_at(measure, series, &Attributes::default(), at(hours)).map(|m| m.value)
    }

    fn sample(measure: &Measure, series: &DeviceSeries, hours: i64) -> Option<f64> {
        value_at(measure, series, &Attributes::default(), at(hours)).and_then(|m| m.sample)
    }

    fn ratio_of(window_days: u32) -> Measure {
        Measure::Ratio { numerator: "ERRORS".into(), denominator: "READS".into(), window_days }
    }

    #[test]
    fn a_window_begins_between_two_readings_and_never_before_the_first() {
        let delta = Measure::Delta { meter: "BOOTS".into(), window_days: 1 };
        let boots = series(&[("BOOTS", &[(0, 10.0), (48, 34.0), (60, 40.0)])]);
        // From hour 36, at which three quarters of 24 had come.
        assert_eq!(value(&delta, &boots, 60), Some(40.0 - 28.0));
        // A day covers all there is.
        assert_eq!(value(&delta, &boots, 48), Some(12.0));
        assert_eq!(value(&delta, &boots, 10), None, "one reading is no growth");
        assert_eq!(value(&delta, &boots, 84), None, "the last reading is not in the window any more");
        assert_eq!(value(&delta, &boots, 83), Some(0.5), "half a restart lies in the hour that is left");
    }

    #[test]
    fn a_rate_is_of_the_days_that_are_covered() {
        let rate = Measure::Rate { meter: "PRINTED".into(), window_days: 7 };
        let printed = series(&[("PRINTED", &[(0, 100.0), (48, 120.0)])]);
        assert_eq!(value(&rate, &printed, 48), Some(10.0));
        assert_eq!(sample(&rate, &printed, 48), Some(20.0));
    }

    #[test]
    fn a_ratio_is_of_what_both_counters_grew_and_nothing_is_divided_by_zero() {
        let meters = series(&[
            ("ERRORS", &[(0, 5.0), (24, 8.0), (48, 8.0), (72, 20.0)]),
            ("READS", &[(0, 1_000.0), (24, 1_100.0), (48, 1_100.0), (72, 1_100.0)]),
        ]);
        assert_eq!(value(&ratio_of(1), &meters, 24), Some(0.03));
        assert_eq!(sample(&ratio_of(1), &meters, 24), Some(100.0));
        assert_eq!(value(&ratio_of(1), &meters, 48), None, "0 of 0");
        assert_eq!(value(&ratio_of(1), &meters, 72), None, "12 of 0");
        assert_eq!(value(&ratio_of(3), &meters, 72), Some(0.15));
        assert_eq!(value(&ratio_of(1), &series(&[("READS", &[(0, 1.0), (24, 9.0)])]), 24), None);
    }

    #[test]
    fn the_baseline_is_what_came_before_the_window() {
        let measure = Measure::RatioToBaseline {
            numerator: "ERRORS".into(),
            denominator: "READS".into(),
            window_days: 1,
            baseline_days: 2,
        };
        let meters = series(&[
            ("ERRORS", &[(0, 0.0), (24, 1.0), (48, 2.0), (72, 8.0)]),
            ("READS", &[(0, 0.0), (24, 100.0), (48, 200.0), (72, 350.0)]),
        ]);
        assert_eq!(value(&measure, &meters, 72), Some(4.0));
        assert_eq!(sample(&measure, &meters, 72), Some(150.0));
        let clean =
            series(&[("ERRORS", &[(0, 0.0), (48, 0.0), (72, 8.0)]), ("READS", &[(0, 0.0), (48, 200.0), (72, 350.0)])]);
        assert_eq!(value(&measure, &clean, 72), None, "nothing is a multiple of nothing");
        assert_eq!(value(&measure, &meters, 24), None, "no baseline yet");
    }

    #[test]
    fn after_work_only_what_came_since_counts() {
        let meters = series(&[
            ("ERRORS", &[(0, 0.0), (24, 50.0), (72, 50.0)]),
            ("READS", &[(0, 0.0), (24, 100.0), (72, 200.0)]),
            ("HEALTH", &[(0, 60.0), (72, 99.0)]),
        ]);
        let of = |measure: &Measure, since: i64, hours: i64| {
            value_since(measure, &meters, &Attributes::default(), Some(at(since)), at(hours)).map(|m| m.value)
        };
        assert_eq!(of(&ratio_of(7), 24, 24), None);
        assert_eq!(of(&ratio_of(7), 24, 72), Some(0.0));
        let health = Measure::Gauge { meter: "HEALTH".into() };
        assert_eq!((of(&health, 1, 24), of(&health, 1, 72), of(&health, 0, 24)), (None, Some(99.0), Some(60.0)));
    }

    #[test]
    fn a_life_counts_from_when_its_part_came_in() {
        let mut cycles = series(&[("CYCLES", &[(0, 400.0), (24, 480.0)])]);
        let life = Measure::Life { meter: "CYCLES".into() };
        assert_eq!(value(&life, &cycles, 24), Some(480.0));
        if let Some(meter) = cycles.meters.get_mut("CYCLES") {
            meter.life_base = 450.0;
        }
        assert_eq!((value(&life, &cycles, 24), value(&life, &cycles, 0)), (Some(30.0), Some(0.0)));
    }

    #[test]
    fn silence_is_measured_in_the_device_s_own_gaps() {
        let daily = series(&[("BOOTS", &[(0, 1.0), (24, 1.0), (49, 2.0), (72, 2.0), (96, 2.0)])]);
        assert_eq!(daily.normal_gap, Some(TimeDelta::hours(24)));
        assert_eq!(value(&Measure::Silence, &daily, 96 + 60), Some(2.5));
        assert_eq!(value(&Measure::DaysSinceReading, &daily, 96 + 60), Some(2.5));
        assert_eq!(value(&Measure::DaysSinceReading, &daily, -1), None);
        let use_of = Measure::DaysSinceUse { meter: "BOOTS".into() };
        assert_eq!(value(&use_of, &daily, 97), Some(2.0));
        assert_eq!(value(&use_of, &daily, 48), Some(2.0), "at least since the first reading");
        let none = Attributes::default();
        assert_eq!(crossing_at(&Measure::Silence, &daily, &none, 4.0, at(500)), Some(at(96 + 96)));
        assert_eq!(crossing_at(&Measure::Silence, &daily, &none, 4.0, at(80)), Some(at(72 + 96)));
        assert_eq!(crossing_at(&use_of, &daily, &none, 30.0, at(97)), Some(at(49 + 720)));
        let rare = series(&[("BOOTS", &[(0, 1.0), (24, 1.0), (48, 2.0)])]);
        assert_eq!(value(&Measure::Silence, &rare, 500), None, "two gaps make no normal one");
    }

    #[test]
    fn an_age_is_negative_before_its_date() {
        let measure = Measure::AttributeAge { attribute: DatedAttribute::WarrantyEndsAt };
        let dated = Attributes { warranty_ends_at: Some(at(240)), ..Attributes::default() };
        let none = DeviceSeries::default();
        let days = |hours| value_at(&measure, &none, &dated, at(hours)).map(|m| m.value);
        assert_eq!((days(0), days(264)), (Some(-10.0), Some(1.0)));
        assert_eq!(crossing_at(&measure, &none, &dated, -5.0, at(0)), Some(at(120)));
        assert_eq!(value_at(&measure, &none, &Attributes::default(), at(0)), None);
    }

    #[test]
    fn days_to_full_follow_the_trend_and_not_the_odd_reading() {
        let storage = |readings: &[(i64, f64)]| series(&[("FLASH_FREE", readings)]);
        let to = |limit, is_rising| Measure::DaysToLimit { meter: "FLASH_FREE".into(), limit, is_rising };
        let mut falling: Vec<(i64, f64)> = (0..10).map(|day| (day * 24, 40.0 - day as f64)).collect();
        let near = |value: Option<f64>, days: f64| value.is_some_and(|v| (v - days).abs() < 1e-6);
        assert!(near(value(&to(5.0, false), &storage(&falling), 216), 26.0));
        falling[7].1 = 90.0;
        assert!(near(value(&to(5.0, false), &storage(&falling), 216), 26.0), "one odd reading");
        assert_eq!(value(&to(31.5, false), &storage(&falling), 216), Some(0.0), "beyond already");
        assert_eq!(value(&to(95.0, true), &storage(&falling), 216), None, "it moves away");
        assert_eq!(value(&to(5.0, false), &storage(&falling[..4]), 72), None, "four days are no trend");
        let flat: Vec<(i64, f64)> = (0..10).map(|day| (day * 24, 40.0)).collect();
        assert_eq!(value(&to(5.0, false), &storage(&flat), 216), None);
    }

    #[test]
    fn a_measure_reads_as_it_is_written() {
        for measure in [
            ratio_of(7),
            Measure::Silence,
            Measure::AttributeAge { attribute: DatedAttribute::BatteryInstalledAt },
            Measure::DaysToLimit { meter: "FLASH_FREE".into(), limit: 5.0, is_rising: false },
        ] {
            let text = serde_json::to_string(&measure).unwrap();
            assert_eq!(serde_json::from_str::<Measure>(&text).unwrap(), measure, "{text}");
        }
        let short = r#"{"kind":"DAYS_TO_LIMIT","meter":"FLASH_FREE","limit":5}"#;
        assert_eq!(serde_json::from_str::<Measure>(short).unwrap().meters(), ["FLASH_FREE"]);
    }

    fn any_measure() -> impl Strategy<Value = Measure> {
        let (meter, other) = ("A".to_owned(), "B".to_owned());
        prop::sample::select(vec![
            Measure::Gauge { meter: meter.clone() },
            Measure::Life { meter: meter.clone() },
            Measure::Delta { meter: meter.clone(), window_days: 3 },
            Measure::Rate { meter: meter.clone(), window_days: 1 },
            Measure::Ratio { numerator: meter.clone(), denominator: other.clone(), window_days: 2 },
            Measure::RatioToBaseline {
                numerator: meter.clone(),
                denominator: other.clone(),
                window_days: 2,
                baseline_days: 9,
            },
            Measure::DaysSinceReading,
            Measure::DaysSinceUse { meter: other },
            Measure::Silence,
            Measure::AttributeAge { attribute: DatedAttribute::InstalledAt },
            Measure::DaysToLimit { meter, limit: 5.0, is_rising: false },
        ])
    }

    fn readings() -> impl Strategy<Value = Vec<(i64, f64)>> {
        prop::collection::vec((0_i64..40, 0_u32..50), 0..40).prop_map(|steps| {
            let (mut hours, mut value) = (0, 0.0);
            let mut found = Vec::new();
            for (wait, units) in steps {
                hours += wait + 1;
                value += f64::from(units);
                found.push((hours, value));
            }
            found
        })
    }

    proptest! {
        #[test]
        fn every_value_is_a_finite_number_and_later_readings_do_not_change_it(
            measure in any_measure(), a in readings(), b in readings(), hours in 0_i64..900,
        ) {
            let all = series(&[("A", &a), ("B", &b)]);
            let dated = Attributes { installed_at: Some(at(100)), ..Attributes::default() };
            let found = value_at(&measure, &all, &dated, at(hours));
            prop_assert!(found.is_none_or(|m| m.value.is_finite() && m.sample.is_none_or(|s| s >= 0.0)));
            let until = |readings: &[(i64, f64)]| -> Vec<(i64, f64)> {
                readings.iter().copied().filter(|(h, _)| *h <= hours).collect()
            };
            let mut known = series(&[("A", &until(&a)), ("B", &until(&b))]);
            known.normal_gap = all.normal_gap;
            prop_assert_eq!(found, value_at(&measure, &known, &dated, at(hours)));
        }

        #[test]
        fn what_time_moves_is_at_its_level_when_it_crosses(a in readings(), level in 0.1_f64..20.0, hours in 0_i64..900) {
            let all = series(&[("A", &a)]);
            for measure in [Measure::DaysSinceReading, Measure::Silence, Measure::DaysSinceUse { meter: "A".into() }] {
                let Some(crossing) = crossing_at(&measure, &all, &Attributes::default(), level, at(hours)) else { continue };
                let next = sample_points(&measure, &all, &Attributes::default(), at(hours), crossing);
                if crossing >= at(hours) && next.iter().all(|n| *n <= at(hours)) {
                    let there = value_at(&measure, &all, &Attributes::default(), crossing).unwrap().value;
                    prop_assert!((there - level).abs() < 1e-4, "{measure:?} is {there} and not {level}");
                }
            }
        }
    }
}
