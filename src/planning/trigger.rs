//! What makes a plan fall due, and when in the year its work may be done.

use crate::code_enum;
use crate::kernel::text::LocalizedText;
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

code_enum! {
    /// What makes a plan fall due.
    pub enum TriggerKind {
        CalendarFixed = "CALENDAR_FIXED", CalendarFloating = "CALENDAR_FLOATING", Usage = "USAGE",
        Condition = "CONDITION", Firmware = "FIRMWARE", Event = "EVENT",
    }
}

code_enum! {
    /// What happens to a device that asks for work.
    pub enum TriggerEvent {
        BeforeService = "BEFORE_SERVICE", AfterRelocation = "AFTER_RELOCATION", AfterRepair = "AFTER_REPAIR",
        AfterInactivity = "AFTER_INACTIVITY",
    }
}

/// One way a plan falls due; the earliest of all triggers wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trigger {
    /// A grid: standard 5-field cron in the site's time zone.
    CalendarFixed {
        /// The cron text, for example `0 9 1 * *`.
        cron: String,
    },
    /// An ISO 8601 duration of whole days or more since last done.
    CalendarFloating {
        /// The duration, for example `P90D`.
        every: String,
    },
    /// Every so many units of a counter since last done.
    Usage {
        /// Meter code.
        meter: String,
        /// Units, in the meter's smallest unit.
        every: i64,
        /// Decimal places of the meter, so that texts can show its own unit.
        decimals: i32,
        /// The meter's name as people read it.
        #[serde(default)]
        name: LocalizedText,
    },
    /// Something that happens to a device.
    Event {
        /// What happens.
        event: TriggerEvent,
        /// Civil days after it within which the work is due.
        within_days: u32,
        /// Days without use that count as a long inactivity; only for AFTER_INACTIVITY.
        inactive_days: Option<u32>,
    },
}

impl Trigger {
    /// The trigger's kind.
    pub fn kind(&self) -> TriggerKind {
        match self {
            Self::CalendarFixed { .. } => TriggerKind::CalendarFixed,
            Self::CalendarFloating { .. } => TriggerKind::CalendarFloating,
            Self::Usage { .. } => TriggerKind::Usage,
            Self::Event { .. } => TriggerKind::Event,
        }
    }
}

/// A day of every year; 29 February is the 28th in years without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MonthDay {
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
}

/// Why a text is no day of the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no day of the year; write month and day as MM-DD, for example 11-01")]
pub struct NoMonthDay;

impl FromStr for MonthDay {
    type Err = NoMonthDay;

    fn from_str(text: &str) -> Result<Self, NoMonthDay> {
        let (month, day) = text.trim().split_once('-').ok_or(NoMonthDay)?;
        let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.len() == 2).ok_or(NoMonthDay);
        let (month, day) = (number(month)?, number(day)?);
        // A leap year knows every day there is.
        NaiveDate::from_ymd_opt(2024, month, day).ok_or(NoMonthDay)?;
        Ok(Self { month, day })
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl Serialize for MonthDay {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MonthDay {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|e| serde::de::Error::custom(format!("\"{text}\" {e}")))
    }
}

impl MonthDay {
    fn of(date: NaiveDate) -> Self {
        Self { month: date.month(), day: date.day() }
    }
}

/// Whether a date lies from one day of the year to another, both included; it may run over the
/// turn of the year.
fn is_between(date: NaiveDate, from: MonthDay, to: MonthDay) -> bool {
    let day = MonthDay::of(date);
    if from <= to { from <= day && day <= to } else { from <= day || day <= to }
}

/// The part of every year in which a plan's work may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Season {
    /// First day.
    pub from: MonthDay,
    /// Last day; before the first it runs over the turn of the year.
    pub to: MonthDay,
}

impl Season {
    /// Whether work may be done on a day.
    pub fn contains(&self, date: NaiveDate) -> bool {
        is_between(date, self.from, self.to)
    }
}

/// A part of every year in which a plan's work is not done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blackout {
    /// First day.
    pub from: MonthDay,
    /// Last day; before the first it runs over the turn of the year.
    pub to: MonthDay,
    /// What people call it.
    pub name: LocalizedText,
}

impl Blackout {
    /// Whether it lies over a day.
    pub fn contains(&self, date: NaiveDate) -> bool {
        is_between(date, self.from, self.to)
    }
}

/// Days on which nothing is touched, for every plan of some channels and regions.
#[derive(Clone, Debug, PartialEq)]
pub struct Freeze {
    /// First civil day at the site.
    pub from: NaiveDate,
    /// Last civil day at the site.
    pub to: NaiveDate,
    /// What people call it.
    pub name: LocalizedText,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn season(from: &str, to: &str) -> Season {
        Season { from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    #[test]
    fn a_season_may_run_over_the_turn_of_the_year() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let summer = season("03-01", "10-31");
        assert!(summer.contains(day("2026-03-01")) && summer.contains(day("2026-10-31")));
        assert!(!summer.contains(day("2026-02-28")) && !summer.contains(day("2026-11-01")));
        let winter = season("11-15", "02-29");
        assert!(winter.contains(day("2026-12-31")) && winter.contains(day("2027-02-28")));
        assert!(!winter.contains(day("2027-03-01")) && !winter.contains(day("2026-11-14")));
    }

    #[test]
    fn a_day_of_the_year_is_written_with_two_digits_each_and_exists() {
        for text in ["", "11", "1-01", "13-01", "02-30", "00-10", "aa-bb", "11-01-2026"] {
            assert!(text.parse::<MonthDay>().is_err(), "{text}");
        }
        assert_eq!("02-29".parse::<MonthDay>().unwrap().to_string(), "02-29");
    }
}
