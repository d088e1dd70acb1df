//! What the devices of the fleet report: transactions by day, shaped by the kind of site, the
//! season and the holidays, as cumulative readings.

use super::fleet::{Fleet, Oddities, PositionPlan, Stay, Watch, normal};
use super::parameters::{Kind, Parameters, wrong};
use crate::catalogue::model::Holiday;
use crate::kernel::calendar::{local_date, local_to_instant};
use crate::seeding::Error;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, HashMap};

/// Parts of a transaction, by meter: how far they grow with each, and how rarely they are read.
/// ASSUMED, as `planning_per_day` in `seeds/device_models.json`: 0.4 insertions and 0.3 m of paper.
const PARTS: [(&str, f64); 2] = [("ICC_INSERTIONS", 0.4), ("PRINT_METERS", 0.3)];
/// Days between two readings of the parts' meters.
const PART_DAYS: u32 = 28;

/// One reading of the fleet.
#[derive(Clone)]
pub struct FleetReading {
    pub device: usize,
    pub meter: String,
    pub value: f64,
    pub read_at: DateTime<Utc>,
}

/// Holidays by date, as the kinds of sites know them.
fn holidays_by_date(holidays: &[Holiday], country: &str) -> HashMap<NaiveDate, String> {
    holidays.iter().filter(|h| h.country == country && !h.is_working_day).map(|h| (h.date, h.name.en.clone())).collect()
}

/// How much of an average day a day is, for a kind of site.
fn share_of_day(kind: &Kind, date: NaiveDate, holidays: &HashMap<NaiveDate, String>) -> f64 {
    let weekday = kind.weekdays[date.weekday().num_days_from_monday() as usize];
    let month = kind.months[date.month0() as usize];
    match holidays.get(&date).and_then(|name| kind.holidays.get(name)) {
        // A holiday has no weekday: what happens depends on the feast.
        Some(share) => month * share,
        None => month * weekday,
    }
}

/// Transactions on a position by day, from the first day of the history to today.
fn by_day(
    p: &Parameters,
    plan: &PositionPlan,
    days: &[NaiveDate],
    holidays: &HashMap<NaiveDate, String>,
    seed: u64,
) -> Vec<i64> {
    let mut rng = StdRng::seed_from_u64(seed);
    let kind = &p.kinds[plan.kind];
    days.iter()
        .enumerate()
        .map(|(n, date)| {
            let grown = (1.0 + plan.growth).powf(n as f64 / 365.0);
            let mean = plan.level * grown * share_of_day(kind, *date, holidays);
            let spread = (p.usage.day_spread * mean).hypot(mean.sqrt());
            // Half of the spread is the day's, so that a level stays a level over weeks.
            (mean + 0.7 * spread * normal(&mut rng)).round().max(0.0) as i64
        })
        .collect()
}

/// The share of a day's transactions that lie before a local time.
fn share_before(kind: &Kind, time: NaiveTime) -> f64 {
    let total: f64 = kind.hours.iter().sum();
    let whole: f64 = kind.hours.iter().take(time.hour() as usize).sum();
    let part = kind.hours.get(time.hour() as usize).copied().unwrap_or(0.0) * f64::from(time.minute()) / 60.0;
    if total > 0.0 { (whole + part) / total } else { 0.0 }
}

/// Everything a fleet's readings are made from.
struct Source<'a> {
    p: &'a Parameters,
    fleet: &'a Fleet,
    days: Vec<NaiveDate>,
    /// Transactions by position and day.
    units: Vec<Vec<i64>>,
    /// Meters by model code.
    meters: &'a HashMap<String, Vec<String>>,
    reading_time: NaiveTime,
}

/// Every reading of the history, by device time.
///
/// # Errors
/// The parameters do not fit together; a fault of ours.
pub fn readings(
    p: &Parameters,
    fleet: &Fleet,
    holidays: &[Holiday],
    meters: &HashMap<String, Vec<String>>,
    seed: u64,
) -> Result<Vec<FleetReading>, Error> {
    let holidays = holidays_by_date(holidays, &p.country);
    let today = local_date(fleet.zone, fleet.now);
    let days: Vec<NaiveDate> = local_date(fleet.zone, fleet.start).iter_days().take_while(|d| *d <= today).collect();
    let units = fleet
        .positions
        .iter()
        .enumerate()
        .map(|(n, plan)| by_day(p, plan, &days, &holidays, seed.wrapping_mul(1_000_003).wrapping_add(n as u64)))
        .collect();
    let reading_time = NaiveTime::parse_from_str(&p.usage.reading.local_time, "%H:%M")
        .map_err(|_| wrong("usage.reading.local_time is no time"))?;
    let source = Source { p, fleet, days, units, meters, reading_time };
    let mut by_device: BTreeMap<usize, Vec<&Stay>> = BTreeMap::new();
    for stay in &fleet.stays {
        by_device.entry(stay.device).or_default().push(stay);
    }
    let mut all = Vec::new();
    for (device, stays) in by_device {
        let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(7_919).wrapping_add(device as u64));
        source.of_device(device, &stays, &mut rng, &mut all);
        if fleet.outage.contains(&device) {
            source.timeouts(device, &stays, &mut all);
        }
    }
    for watch in &fleet.watches {
        source.of_watch(watch, &mut StdRng::seed_from_u64(seed ^ watch.device as u64), &mut all);
    }
    all.sort_by_key(|r| r.read_at);
    Ok(all)
}

impl Source<'_> {
    /// Readings of one device over all its stays.
    fn of_device(&self, device: usize, stays: &[&Stay], rng: &mut StdRng, all: &mut Vec<FleetReading>) {
        let plan = &self.fleet.devices[device];
        let odd = &plan.oddities;
        if odd.is_never_read {
            return;
        }
        let mut counter = self.begins_at(stays, odd, rng);
        // What the parts saw: never reset with the counter.
        let mut worn = if odd.wraps_on.is_some() { 60_000.0 } else { counter as f64 };
        let modulus = odd.wraps_on.map(|_| self.p.usage.anomalies.wrap_modulus);
        let hourly = self.fleet.hourly.contains(&device);
        let hourly_from =
            self.days.last().map(|day| *day - TimeDelta::days(self.p.usage.hourly.days)).filter(|_| hourly);
        let offset = u32::try_from(device % PART_DAYS as usize).unwrap_or(0);
        for stay in stays {
            let position = &self.fleet.positions[stay.position];
            let kind = &self.p.kinds[position.kind];
            if stay.from >= self.fleet.start {
                // What it counted on the bench, read when it was put in.
                self.push(device, counter, stay.from + TimeDelta::minutes(4), all);
            }
            for (n, date) in self.days.iter().enumerate() {
                let (first, last) =
                    (local_date(self.fleet.zone, stay.from), stay.to.map(|t| local_date(self.fleet.zone, t)));
                if *date < first || last.is_some_and(|last| *date > last) {
                    continue;
                }
                let mut units = self.units[stay.position][n];
                if odd.idle.is_some_and(|(from, until)| (from..until).contains(date)) {
                    units = 0;
                }
                if *date == first && stay.from >= self.fleet.start {
                    units = (units as f64 * (1.0 - share_before(kind, local_time(self.fleet.zone, stay.from)))).round()
                        as i64;
                }
                if odd.reset_on == Some(*date) {
                    counter = 0;
                }
                if let Some(to) = stay.to.filter(|_| last == Some(*date)) {
                    let before = (units as f64 * share_before(kind, local_time(self.fleet.zone, to))).round() as i64;
                    counter += before;
                    worn += before as f64;
                    // The last reading, just before it is taken off.
                    self.push(device, counter, to - TimeDelta::minutes(5), all);
                    continue;
                }
                if hourly_from.is_some_and(|from| *date >= from) {
                    self.push_hours(device, kind, *date, (counter, units), all);
                }
                let read_at = self.reading_at(*date, rng);
                if read_at > self.fleet.now {
                    continue;
                }
                counter += units;
                worn += units as f64;
                if let Some(modulus) = modulus {
                    counter %= modulus;
                }
                let is_dropped = rng.random_bool(self.p.usage.reading.dropped_share);
                let is_silent = odd.silent_from.is_some_and(|from| *date >= from)
                    || odd.gap.is_some_and(|(from, until)| (from..until).contains(date));
                if is_silent || is_dropped {
                    continue;
                }
                self.push(device, counter, read_at, all);
                if (n as u32 + offset).is_multiple_of(PART_DAYS) {
                    self.push_parts(device, worn, read_at, all);
                }
            }
        }
    }

    /// The counter when a device is first read.
    fn begins_at(&self, stays: &[&Stay], odd: &Oddities, rng: &mut StdRng) -> i64 {
        let Some(first) = stays.first() else { return 0 };
        if let Some(on) = odd.wraps_on {
            let before: i64 =
                self.days.iter().zip(&self.units[first.position]).filter(|(d, _)| **d < on).map(|(_, u)| u).sum();
            return self.p.usage.anomalies.wrap_modulus - before - 1;
        }
        let used_days = (self.fleet.start - first.from).num_days().max(0) as f64;
        (used_days * self.fleet.positions[first.position].level * rng.random_range(0.8..1.1)) as i64
            + rng.random_range(5..60)
    }

    /// When a day's reading is taken: at night, never quite at the same minute.
    fn reading_at(&self, date: NaiveDate, rng: &mut StdRng) -> DateTime<Utc> {
        let spread = self.p.usage.reading.spread_minutes * 60;
        local_to_instant(self.fleet.zone, date.and_time(self.reading_time))
            + TimeDelta::seconds(rng.random_range(0..spread.max(1)))
    }

    fn push(&self, device: usize, counter: i64, read_at: DateTime<Utc>, all: &mut Vec<FleetReading>) {
        all.push(FleetReading { device, meter: self.p.usage.meter.clone(), value: counter as f64, read_at });
    }

    /// What a device counts over the hours of a day that begins at a counter, until now.
    fn push_hours(
        &self,
        device: usize,
        kind: &Kind,
        date: NaiveDate,
        (counter, units): (i64, i64),
        all: &mut Vec<FleetReading>,
    ) {
        // Five past each hour; the last one is before the day's own reading.
        for time in (0..24).filter_map(|hour| NaiveTime::from_hms_opt(hour, 5, 0)) {
            let read_at = local_to_instant(self.fleet.zone, date.and_time(time));
            if time < self.reading_time && read_at <= self.fleet.now {
                let used = (units as f64 * share_before(kind, time).min(1.0)).floor() as i64;
                self.push(device, counter + used, read_at, all);
            }
        }
    }

    /// Transactions that timed out around the day on which the host did not answer.
    fn timeouts(&self, device: usize, stays: &[&Stay], all: &mut Vec<FleetReading>) {
        let outage = &self.p.usage.outage;
        let Some(day) = self.days.last().map(|today| *today - TimeDelta::days(outage.days_ago)) else { return };
        let (first, last) = (day - TimeDelta::days(outage.days_before), day + TimeDelta::days(outage.days_after));
        let mut counter = 300.0;
        for (n, date) in self.days.iter().enumerate().filter(|(_, date)| first <= **date && **date <= last) {
            let read_at = self.curve_at(device, *date);
            let Some(stay) = stays.iter().find(|s| s.from < read_at && s.to.is_none_or(|to| read_at < to)) else {
                continue;
            };
            let share = if *date == day { outage.share } else { outage.usual_share };
            counter += self.units[stay.position][n] as f64 * share;
            let value = counter.floor();
            all.push(FleetReading { device, meter: "TRANSACTION_TIMEOUTS".to_owned(), value, read_at });
        }
    }

    /// Readings of the meters that a device's story is about.
    fn of_watch(&self, watch: &Watch, rng: &mut StdRng, all: &mut Vec<FleetReading>) {
        let (device, position) = (watch.device, watch.position);
        let since = self.fleet.stays.iter().find(|s| s.device == device && s.position == position).map(|s| s.from);
        let Some(today) = self.days.last().copied() else { return };
        for curve in &watch.case.meters {
            let oldest = curve.points.first().map_or(0, |[days, _]| *days as i64);
            for days_ago in (0..=oldest).rev().filter(|days| days % curve.every_days.max(1) == 0) {
                let read_at = self.curve_at(device, today - TimeDelta::days(days_ago));
                let Some(value) = curve.value_at(days_ago as f64) else { continue };
                if read_at > self.fleet.now || since.is_none_or(|since| read_at < since) {
                    continue;
                }
                let scale = 10_f64.powi(curve.decimals);
                let value = (value + curve.wobble * rng.random_range(-1.0..1.0)) * scale;
                // Counters are whole, and never go back.
                let value = if curve.decimals == 0 { (value + 1e-6).floor() } else { value.round() } / scale;
                all.push(FleetReading { device, meter: curve.meter.clone(), value, read_at });
            }
        }
    }

    /// When the meters of a story are read on a day: all of a device at one moment.
    fn curve_at(&self, device: usize, date: NaiveDate) -> DateTime<Utc> {
        local_to_instant(self.fleet.zone, date.and_time(self.reading_time))
            + TimeDelta::minutes(10 + (device % 20) as i64)
    }

    fn push_parts(&self, device: usize, worn: f64, read_at: DateTime<Utc>, all: &mut Vec<FleetReading>) {
        let model = &self.fleet.devices[device].model;
        let watched = self.fleet.watches.iter().filter(|w| w.device == device);
        let told: Vec<&str> = watched.flat_map(|w| &w.case.meters).map(|curve| curve.meter.as_str()).collect();
        for (meter, per_transaction) in PARTS {
            // A story tells its own.
            if told.contains(&meter) {
                continue;
            }
            if self.meters.get(model).is_some_and(|known| known.iter().any(|m| m == meter)) {
                let value = (worn * per_transaction).floor();
                all.push(FleetReading { device, meter: meter.to_owned(), value, read_at });
            }
        }
    }
}

fn local_time(zone: Tz, at: DateTime<Utc>) -> NaiveTime {
    at.with_timezone(&zone).time()
}
