//! Usage per civil day, packed by year.
//!
//! A year is 366 little-endian 64-bit words: all ones for a day nothing is known of, otherwise
//! the day's units, with bit 62 set where they were spread over a gap and so are estimated.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

use crate::kernel::calendar::{local_date, start_of_day};

const DAYS: usize = 366;
const UNKNOWN: u64 = u64::MAX;
const ESTIMATED: u64 = 1 << 62;

/// Units of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayUsage {
    /// Smallest units.
    pub units: i64,
    /// Spread over a gap rather than observed.
    pub is_estimated: bool,
}

/// Usage by day.
pub type DayMap = BTreeMap<NaiveDate, DayUsage>;

/// Packs the days of one year.
pub fn pack(days: &DayMap, year: i32) -> Vec<u8> {
    let mut words = [UNKNOWN; DAYS];
    for (date, usage) in days {
        if date.year() == year {
            let flag = if usage.is_estimated { ESTIMATED } else { 0 };
            words[date.ordinal0() as usize] = (usage.units.max(0) as u64 & (ESTIMATED - 1)) | flag;
        }
    }
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

/// Unpacks a year into `days`.
pub fn unpack(bytes: &[u8], year: i32, days: &mut DayMap) {
    for (place, chunk) in bytes.chunks_exact(8).enumerate() {
        let Ok(chunk) = <[u8; 8]>::try_from(chunk) else { continue };
        let word = u64::from_le_bytes(chunk);
        if word == UNKNOWN {
            continue;
        }
        if let Some(date) = NaiveDate::from_yo_opt(year, place as u32 + 1) {
            days.insert(date, DayUsage { units: (word & (ESTIMATED - 1)) as i64, is_estimated: word & ESTIMATED != 0 });
        }
    }
}

/// Adds the usage between two readings to the days it fell on.
///
/// Up to 36 hours apart it is split by time; over a longer gap by the weekday shape (even when
/// there is none) and marked estimated. Whole units, and they add up to `units` exactly.
pub fn spread(days: &mut DayMap, zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>, units: i64, shape: &[f64; 7]) {
    let is_gap = (to - from).num_hours() > 36;
    let (first, last) = (local_date(zone, from), local_date(zone, to));
    let mut weights = Vec::new();
    let mut day = first;
    while day <= last {
        let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
        let begin = start_of_day(zone, day).max(from);
        let end = start_of_day(zone, next).min(to);
        let hours = (end - begin).num_seconds().max(0) as f64 / 3600.0;
        let share = if is_gap { shape[day.weekday().num_days_from_monday() as usize].max(1e-9) } else { 1.0 };
        weights.push((day, hours * share));
        if next == day {
            break;
        }
        day = next;
    }
    let total: f64 = weights.iter().map(|(_, w)| w).sum();
    let (mut seen, mut given) = (0.0, 0_i64);
    let count = weights.len();
    for (place, (day, weight)) in weights.into_iter().enumerate() {
        seen += weight;
        let upto = match place + 1 == count {
            true => units,
            false if total > 0.0 => (units as f64 * seen / total).round() as i64,
            false => 0,
        };
        let entry = days.entry(day).or_insert(DayUsage { units: 0, is_estimated: false });
        entry.units += upto - given;
        entry.is_estimated |= is_gap && day != first;
        given = upto;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_spread_adds_up_and_survives_packing(start in 1_600_000_000_i64..1_700_000_000, hours in 0_i64..2_000, units in 0_i64..1_000_000) {
            let from = DateTime::from_timestamp(start, 0).unwrap();
            let to = from + chrono::TimeDelta::hours(hours);
            let mut days = DayMap::new();
            spread(&mut days, Tz::Asia__Shanghai, from, to, units, &[1.0, 2.0, 1.0, 1.0, 1.0, 3.0, 0.0]);
            prop_assert_eq!(days.values().map(|d| d.units).sum::<i64>(), units);
            let mut again = DayMap::new();
            for year in 2020..=2024 {
                unpack(&pack(&days, year), year, &mut again);
            }
            prop_assert_eq!(days, again);
        }
    }
}
