//! Usage per civil day, packed by year.
//!
//! A year is 366 little-endian 64-bit words, one per day from 1 January on: all ones for a day
//! nothing is known of, otherwise the day's units, with bit 62 set where most of the day lies in
//! a gap between readings, so that its units are estimated. 64 bits and not 32, because a meter
//! of bytes passes 2³¹ in a day.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

use crate::kernel::calendar::{local_date, start_of_day};

const DAYS: usize = 366;
const WORD: usize = 8;
const UNKNOWN: u64 = u64::MAX;
const ESTIMATED: u64 = 1 << 62;
/// Readings further apart than this leave a gap: a daily reading may be half a day late.
const GAP_HOURS: i64 = 36;
/// Hours of a day that may be filled from a gap before the day is called estimated: what is left
/// after a reading at closing time.
const ESTIMATED_HOURS: f64 = 4.0;
/// Days a weekday shape looks back: eight weeks, so that every weekday is seen eight times.
pub const SHAPE_DAYS: u64 = 56;

/// Units of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayUsage {
    /// Smallest units.
    pub units: i64,
    /// Spread over a gap rather than observed.
    pub is_estimated: bool,
}

/// One packed year.
#[derive(Clone, Debug)]
struct Year {
    bytes: Vec<u8>,
    is_changed: bool,
}

/// Usage by day, as it is packed; days nothing is known of are absent.
#[derive(Clone, Debug, Default)]
pub struct DayMap {
    years: BTreeMap<i32, Year>,
}

/// Where a date's word begins.
fn place(date: NaiveDate) -> usize {
    date.ordinal0() as usize * WORD
}

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + WORD).and_then(|b| b.try_into().ok()).map_or(UNKNOWN, u64::from_le_bytes)
}

fn meaning(word: u64) -> Option<DayUsage> {
    (word != UNKNOWN)
        .then_some(DayUsage { units: (word & (ESTIMATED - 1)) as i64, is_estimated: word & ESTIMATED != 0 })
}

impl DayMap {
    /// Nothing is known of any day.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a packed year as it is stored; false when it is not one.
    pub fn load(&mut self, year: i32, bytes: Vec<u8>) -> bool {
        let is_year = bytes.len() == DAYS * WORD;
        if is_year {
            self.years.insert(year, Year { bytes, is_changed: false });
        }
        is_year
    }

    /// The packed years that were changed since they were taken.
    pub fn changed(&self) -> impl Iterator<Item = (i32, &[u8])> {
        self.years.iter().filter(|(_, y)| y.is_changed).map(|(year, y)| (*year, y.bytes.as_slice()))
    }

    /// Units of a day.
    pub fn get(&self, date: NaiveDate) -> Option<DayUsage> {
        meaning(word(&self.years.get(&date.year())?.bytes, place(date)))
    }

    /// Sets a day.
    pub fn insert(&mut self, date: NaiveDate, usage: DayUsage) {
        let year =
            self.years.entry(date.year()).or_insert_with(|| Year { bytes: vec![0xff; DAYS * WORD], is_changed: false });
        let flag = if usage.is_estimated { ESTIMATED } else { 0 };
        let packed = (usage.units.max(0) as u64 & (ESTIMATED - 1)) | flag;
        if let Some(bytes) = year.bytes.get_mut(place(date)..place(date) + WORD) {
            bytes.copy_from_slice(&packed.to_le_bytes());
            year.is_changed = true;
        }
    }

    /// Adds to a day; once estimated it stays so.
    pub fn add(&mut self, date: NaiveDate, more: DayUsage) {
        let known = self.get(date).unwrap_or(DayUsage { units: 0, is_estimated: false });
        self.insert(
            date,
            DayUsage {
                units: known.units.saturating_add(more.units),
                is_estimated: known.is_estimated || more.is_estimated,
            },
        );
    }

    fn forget(&mut self, is_forgotten: impl Fn(NaiveDate) -> bool) {
        for (number, year) in &mut self.years {
            for (day, bytes) in (1..).zip(year.bytes.chunks_exact_mut(WORD)) {
                if NaiveDate::from_yo_opt(*number, day).is_some_and(&is_forgotten) && bytes.iter().any(|b| *b != 0xff) {
                    bytes.fill(0xff);
                    year.is_changed = true;
                }
            }
        }
    }

    /// Forgets a day and all later ones.
    pub fn forget_from(&mut self, date: NaiveDate) {
        self.forget(|day| day >= date);
    }

    /// Forgets all days before one.
    #[cfg(test)]
    pub fn forget_before(&mut self, date: NaiveDate) {
        self.forget(|day| day < date);
    }

    /// Every day something is known of, in order.
    pub fn iter(&self) -> impl Iterator<Item = (NaiveDate, DayUsage)> {
        self.years.iter().flat_map(|(year, packed)| {
            (1..=DAYS as u32).filter_map(move |day| {
                let date = NaiveDate::from_yo_opt(*year, day)?;
                Some((date, meaning(word(&packed.bytes, place(date)))?))
            })
        })
    }
}

impl PartialEq for DayMap {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl FromIterator<(NaiveDate, DayUsage)> for DayMap {
    fn from_iter<I: IntoIterator<Item = (NaiveDate, DayUsage)>>(days: I) -> Self {
        let mut map = Self::new();
        for (date, usage) in days {
            map.insert(date, usage);
        }
        map
    }
}

/// Mean units by weekday, Monday first, of the eight weeks before a day; ones while not every
/// weekday was observed. Estimated days say nothing of the shape.
pub fn shape(days: &DayMap, before: NaiveDate) -> [f64; 7] {
    let mut sums = [0.0; 7];
    let mut counts = [0.0; 7];
    for back in 1..=SHAPE_DAYS {
        let Some(date) = before.checked_sub_days(Days::new(back)) else { break };
        if let Some(usage) = days.get(date).filter(|d| !d.is_estimated) {
            let weekday = date.weekday().num_days_from_monday() as usize;
            sums[weekday] += usage.units as f64;
            counts[weekday] += 1.0;
        }
    }
    if counts.contains(&0.0) || sums.iter().sum::<f64>() <= 0.0 {
        return [1.0; 7];
    }
    std::array::from_fn(|day| sums[day] / counts[day])
}

fn is_gap(from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
    (to - from).num_hours() > GAP_HOURS
}

/// The usage between two readings by the days it fell on.
///
/// Up to 36 hours apart it is split by time; over a longer gap by the weekday shape, and days
/// that lie mostly in the gap are estimated. Whole units, and they add up to `units` exactly.
pub fn spread(
    zone: Tz,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    units: i64,
    shape: &[f64; 7],
) -> Vec<(NaiveDate, DayUsage)> {
    let is_gap = is_gap(from, to);
    let (first, last) = (local_date(zone, from), local_date(zone, to));
    let mut shares = Vec::new();
    let mut day = first;
    while day <= last {
        let Some(next) = day.checked_add_days(Days::new(1)) else { break };
        let begin = start_of_day(zone, day).max(from);
        let end = start_of_day(zone, next).min(to);
        let hours = (end - begin).num_milliseconds().max(0) as f64 / 3_600_000.0;
        // A reading at midnight says nothing of the day that begins.
        if hours > 0.0 || day == first {
            let weight = if is_gap { shape[day.weekday().num_days_from_monday() as usize].max(1e-9) } else { 1.0 };
            shares.push((day, hours, hours * weight));
        }
        day = next;
    }
    let total: f64 = shares.iter().map(|(_, _, weight)| weight).sum();
    let (mut seen, mut given) = (0.0, 0_i64);
    let count = shares.len();
    shares
        .into_iter()
        .enumerate()
        .map(|(place, (day, hours, weight))| {
            seen += weight;
            let upto = match place + 1 == count {
                true => units,
                false if total > 0.0 => (units as f64 * seen / total).round() as i64,
                false => 0,
            };
            let share = DayUsage { units: upto - given, is_estimated: is_gap && hours > ESTIMATED_HOURS };
            given = upto;
            (day, share)
        })
        .collect()
}

/// A counted reading: device time and life counter after it.
pub type Point = (DateTime<Utc>, i64);

/// Adds the usage between consecutive counted readings to the days from `since` on.
///
/// The shape of a gap comes from the days before it only, so that the outcome is the same
/// whether the readings are added at once or one after the other.
pub fn add_points(days: &mut DayMap, zone: Tz, points: &[Point], since: NaiveDate) {
    for pair in points.windows(2) {
        let [(from, before), (to, after)] = *pair else { continue };
        let shape = if is_gap(from, to) { shape(days, local_date(zone, from)) } else { [1.0; 7] };
        for (date, usage) in spread(zone, from, to, after - before, &shape) {
            if date >= since {
                days.add(date, usage);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHANGHAI: Tz = Tz::Asia__Shanghai;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_reading_at_closing_time_leaves_its_day_observed_and_the_gap_after_it_estimated() {
        // 23:00 on the 5th to 23:00 on the 8th, Shanghai.
        let days = spread(SHANGHAI, at("2026-01-05T15:00:00Z"), at("2026-01-08T15:00:00Z"), 720, &[1.0; 7]);
        let seen: Vec<_> = days.iter().map(|(d, u)| (d.day(), u.units, u.is_estimated)).collect();
        assert_eq!(seen, vec![(5, 10, false), (6, 240, true), (7, 240, true), (8, 230, true)]);
    }

    #[test]
    fn a_reading_at_midnight_says_nothing_of_the_day_that_begins() {
        let days = spread(SHANGHAI, at("2026-01-04T16:00:00Z"), at("2026-01-05T16:00:00Z"), 24, &[1.0; 7]);
        assert_eq!(days.iter().map(|(d, u)| (d.day(), u.units)).collect::<Vec<_>>(), vec![(5, 24)]);
    }

    #[test]
    fn only_changed_years_are_written_and_a_blob_of_another_length_is_no_year() {
        let mut days = DayMap::new();
        assert!(days.load(2025, vec![0xff; DAYS * WORD]) && !days.load(2024, vec![0; 12]));
        days.add("2026-02-28".parse().unwrap(), DayUsage { units: 7, is_estimated: true });
        assert_eq!(days.changed().map(|(year, _)| year).collect::<Vec<_>>(), vec![2026]);
        days.forget_from("2026-01-01".parse().unwrap());
        assert_eq!(days.iter().count(), 0);
    }

    proptest! {
        #[test]
        fn a_spread_adds_up_and_survives_packing(start in 1_600_000_000_i64..1_700_000_000, hours in 0_i64..2_000, units in 0_i64..1_000_000) {
            let from = DateTime::from_timestamp(start, 0).unwrap();
            let to = from + chrono::TimeDelta::hours(hours);
            let shares = spread(SHANGHAI, from, to, units, &[1.0, 2.0, 1.0, 1.0, 1.0, 3.0, 0.0]);
            prop_assert_eq!(shares.iter().map(|(_, d)| d.units).sum::<i64>(), units);
            prop_assert!(shares.iter().all(|(_, d)| d.units >= 0));
            let days: DayMap = shares.into_iter().collect();
            let mut again = DayMap::new();
            for (year, bytes) in days.changed() {
                prop_assert!(again.load(year, bytes.to_vec()));
            }
            prop_assert_eq!(days, again);
        }
    }
}
