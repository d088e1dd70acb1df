//! Cron grids in a site's zone.
//!
//! The `cron` crate goes wrong around clock changes (it can return an instant before the one
//! asked after), so it runs on civil time as if that were UTC, and the result is mapped to
//! instants here: where the minute or hour begins with `*` a job fires in both repeated hours
//! and times that do not exist are skipped; any other fires once, at the first of the two, and
//! a time that does not exist moves to the first valid instant.

use super::gap_end;
use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use cron::Schedule;
use std::str::FromStr;

/// A standard 5-field cron text, read.
#[derive(Clone, Debug)]
pub struct Grid {
    text: String,
    /// One schedule; two when day of month OR day of week decides.
    schedules: Vec<Schedule>,
    is_wild: bool,
}

/// Why a cron text is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GridError {
    /// Not five fields.
    #[error("a cron text has 5 fields (minute hour day-of-month month day-of-week); this one has {count}")]
    FieldCount {
        /// How many it has.
        count: usize,
    },
    /// A character standard cron does not know.
    #[error(
        "the character {character:?} in the cron field \"{field}\" is not supported; use numbers, names, *, -, / and commas"
    )]
    Character {
        /// The character.
        character: char,
        /// The field it stands in.
        field: String,
    },
    /// A field that cannot be read.
    #[error("the cron field \"{field}\" cannot be read: {problem}")]
    Field {
        /// The field.
        field: String,
        /// What is wrong.
        problem: String,
    },
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
/// Fires looked at in one search at most: half a day of every minute twice over.
const MAX_STEPS: usize = 2_000;

/// What was given, as far as it helps to find it.
fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

fn number(text: &str, names: &[&str], base: u32, field: &str) -> Result<u32, GridError> {
    let upper = text.to_ascii_uppercase();
    if let Some(place) = names.iter().position(|n| *n == upper) {
        return Ok(place as u32 + base);
    }
    text.parse().map_err(|_| GridError::Field {
        field: shortened(field),
        problem: format!("\"{}\" is neither a number nor a name", shortened(text)),
    })
}

/// The values of a field, or `None` when it begins with `*` and takes every one.
fn values(field: &str, low: u32, high: u32, names: &[&str], base: u32) -> Result<Vec<u32>, GridError> {
    let bad = |problem: String| GridError::Field { field: shortened(field), problem };
    let mut found = std::collections::BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => {
                let step: u32 = step.parse().map_err(|_| bad(format!("\"{}\" is not a step", shortened(step))))?;
                (range, step)
            }
            None => (part, 1),
        };
        if step == 0 {
            return Err(bad("a step must be above zero".into()));
        }
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (low, high),
            Some((first, last)) => (number(first, names, base, field)?, number(last, names, base, field)?),
            None => {
                let one = number(range, names, base, field)?;
                (one, if part.contains('/') { high } else { one })
            }
        };
        if first < low || last > high || first > last {
            return Err(bad(format!("give {low} to {high}, the smaller first")));
        }
        found.extend((first..=last).step_by(step as usize));
    }
    Ok(found.into_iter().collect())
}

fn listed(values: &[u32]) -> String {
    values.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

impl Grid {
    /// Reads a standard 5-field cron text; 0 and 7 are Sunday; day of month OR day of week when
    /// both are restricted.
    ///
    /// # Errors
    /// Names the field and the character.
    pub fn parse(text: &str) -> Result<Self, GridError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        for field in &fields {
            let upper = field.to_ascii_uppercase();
            let mut plain = upper.clone();
            for name in MONTHS.iter().chain(&DAYS) {
                plain = plain.replace(name, "");
            }
            if let Some(character) = plain.chars().find(|c| !c.is_ascii_digit() && !"*,-/".contains(*c)) {
                return Err(GridError::Character { character, field: shortened(field) });
            }
        }
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(GridError::FieldCount { count: fields.len() });
        };
        let minutes = listed(&values(minute, 0, 59, &[], 0)?);
        let hours = listed(&values(hour, 0, 23, &[], 0)?);
        let days = listed(&values(day, 1, 31, &[], 0)?);
        let months = listed(&values(month, 1, 12, &MONTHS, 1)?);
        // The crate counts 1 = Sunday … 7 = Saturday.
        let mut weekdays: Vec<u32> = values(weekday, 0, 7, &DAYS, 0)?.into_iter().map(|d| d % 7 + 1).collect();
        weekdays.sort_unstable();
        weekdays.dedup();
        let weekdays = listed(&weekdays);
        let either = !day.starts_with('*') && !weekday.starts_with('*');
        let mut texts = Vec::new();
        if either {
            texts.push(format!("0 {minutes} {hours} {days} {months} *"));
            texts.push(format!("0 {minutes} {hours} * {months} {weekdays}"));
        } else {
            texts.push(format!("0 {minutes} {hours} {days} {months} {weekdays}"));
        }
        let mut schedules = Vec::new();
        for schedule in texts {
            schedules.push(
                Schedule::from_str(&schedule)
                    .map_err(|e| GridError::Field { field: shortened(text), problem: e.to_string() })?,
            );
        }
        Ok(Self { text: fields.join(" "), schedules, is_wild: minute.starts_with('*') || hour.starts_with('*') })
    }

    /// The text, with single spaces.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Civil fire times after a civil time, in order.
    fn civil_after(&self, after: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> {
        let mut runs: Vec<_> = self
            .schedules
            .iter()
            .map(|s| s.after_owned(after.and_utc()).take_while(|t| t.year() < 2101).peekable())
            .collect();
        std::iter::from_fn(move || {
            let next = runs.iter_mut().filter_map(|r| r.peek().copied()).min()?;
            for run in &mut runs {
                while run.peek().is_some_and(|t| *t <= next) {
                    run.next();
                }
            }
            Some(next.naive_utc())
        })
    }

    /// The instants of one civil fire time.
    fn instants(&self, zone: Tz, civil: NaiveDateTime) -> [Option<DateTime<Utc>>; 2] {
        match zone.from_local_datetime(&civil) {
            MappedLocalTime::Single(at) => [Some(at.with_timezone(&Utc)), None],
            MappedLocalTime::Ambiguous(first, second) => {
                [Some(first.with_timezone(&Utc)), self.is_wild.then(|| second.with_timezone(&Utc))]
            }
            MappedLocalTime::None => [(!self.is_wild).then(|| gap_end(zone, civil)), None],
        }
    }

    /// The first fire strictly after an instant; `None` past the year 2100.
    pub fn next_after(&self, zone: Tz, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // Civil order is not instant order around a clock change; three hours around cover every
        // change of offset but the day Samoa left out, which only skips forward.
        let around = TimeDelta::hours(3);
        let local = after.with_timezone(&zone).naive_local();
        let mut best: Option<DateTime<Utc>> = None;
        for (step, civil) in self.civil_after(local - around - TimeDelta::seconds(1)).enumerate() {
            let is_past = best.is_some_and(|b| civil > b.with_timezone(&zone).naive_local() + around);
            if is_past || (best.is_some() && step > MAX_STEPS) {
                break;
            }
            for at in self.instants(zone, civil).into_iter().flatten() {
                if at > after && best.is_none_or(|b| at < b) {
                    best = Some(at);
                }
            }
        }
        best.filter(|at| at.year() <= 2100)
    }

    /// The shortest gap between two fires in civil days, over nine years (two leap days); 0 when
    /// the grid fires twice on one day.
    pub fn shortest_gap_days(&self) -> u32 {
        // 2024 to 2033; a daily grid fires 3,288 times, a denser one stops at the first day.
        let Some(start) = chrono::NaiveDate::from_ymd_opt(2023, 12, 31).and_then(|d| d.and_hms_opt(23, 59, 59)) else {
            return 0;
        };
        let mut shortest = u32::MAX;
        let mut last: Option<chrono::NaiveDate> = None;
        for civil in self.civil_after(start).take_while(|t| t.year() < 2033) {
            let day = civil.date();
            if let Some(last) = last {
                let gap = u32::try_from((day - last).num_days()).unwrap_or(0);
                shortest = shortest.min(gap);
                if shortest == 0 {
                    break;
                }
            }
            last = Some(day);
        }
        shortest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_next_fires_agree_with_two_independent_libraries() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/cron/next5_two_libraries.csv");
        let Ok(mut reader) = csv::Reader::from_path(path) else {
            eprintln!("skipped: {} is absent", "shared/data/cron/next5_two_libraries.csv");
            return;
        };
        let (mut passed, mut wrong) = (0, Vec::new());
        for row in reader.records() {
            let row = row.unwrap();
            let (text, zone, start, expected, agree) = (&row[0], &row[1], &row[3], &row[4], &row[6]);
            if text.contains(['L', '#']) {
                let refused = Grid::parse(text).unwrap_err();
                assert!(matches!(refused, GridError::Character { character: 'L' | '#', .. }), "{text}: {refused}");
                continue;
            }
            if agree != "1" {
                continue;
            }
            let grid = Grid::parse(text).unwrap();
            let zone: Tz = zone.parse().unwrap();
            let mut at: DateTime<Utc> = start.parse().unwrap();
            let mut fires = Vec::new();
            for _ in 0..5 {
                at = grid.next_after(zone, at).unwrap();
                fires.push(at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
            }
            if fires.join(" ") == expected {
                passed += 1
            } else {
                wrong.push(format!("{text} {zone} {start}: {fires:?} not {expected}"))
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(passed, 499);
    }

    #[test]
    fn what_standard_cron_does_not_know_is_refused_by_name() {
        for (text, bad) in [("0 0 L * *", 'L'), ("0 0 15W * *", 'W'), ("0 0 * * 5#2", '#'), ("0 0 ? * *", '?')] {
            assert!(
                matches!(Grid::parse(text), Err(GridError::Character { character, .. }) if character == bad),
                "{text}"
            );
        }
        assert!(matches!(Grid::parse("0 0 0 1 1 *"), Err(GridError::FieldCount { count: 6 })));
        assert!(matches!(Grid::parse("61 0 1 * *"), Err(GridError::Field { .. })));
        assert!(matches!(Grid::parse("*/0 0 1 * *"), Err(GridError::Field { .. })));
    }

    #[test]
    fn gaps_are_counted_in_civil_days() {
        assert_eq!(Grid::parse("0 9 1 * *").unwrap().shortest_gap_days(), 28);
        assert_eq!(Grid::parse("0 9 * * 1").unwrap().shortest_gap_days(), 7);
        assert_eq!(Grid::parse("0 9 * * *").unwrap().shortest_gap_days(), 1);
        assert_eq!(Grid::parse("0 */6 * * *").unwrap().shortest_gap_days(), 0);
        assert_eq!(Grid::parse("0 0 31 2 *").unwrap().next_after(Tz::UTC, DateTime::UNIX_EPOCH), None);
    }

    proptest! {
        #[test]
        fn the_next_fire_is_always_after_the_last_across_clock_changes(
            zone in prop::sample::select(vec![
                Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe, Tz::America__Sao_Paulo,
                Tz::Asia__Shanghai, Tz::Africa__Casablanca, Tz::America__St_Johns, Tz::Pacific__Apia,
            ]),
            text in prop::sample::select(vec![
                "30 2 * * *", "*/20 * * * *", "0 */3 * * *", "15 0 * * 0", "0 1 1,15 * 5", "59 23 28-31 * *",
            ]),
            start in 1_293_840_000_i64..1_830_000_000,
        ) {
            let grid = Grid::parse(text).unwrap();
            let mut at = DateTime::from_timestamp(start, 0).unwrap();
            for _ in 0..12 {
                let next = grid.next_after(zone, at).unwrap();
                prop_assert!(next > at);
                // Nothing lies between: asking from just before the answer gives the answer.
                prop_assert_eq!(grid.next_after(zone, next - TimeDelta::seconds(1)), Some(next));
                at = next;
            }
        }
    }
}
