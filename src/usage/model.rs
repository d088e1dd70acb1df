//! The words of usage. Counts are whole numbers in the meter's smallest unit.

use crate::code_enum;
use crate::kernel::ids::DeviceId;
use chrono::{DateTime, NaiveDate, Utc};

code_enum! {
    /// Where a rate comes from.
    pub enum RateSource { Device = "DEVICE", Model = "MODEL", Planning = "PLANNING" }
}

code_enum! {
    /// What the fold took a reading for.
    pub enum Disposition {
        CountedFirst = "COUNTED_FIRST", Counted = "COUNTED", Rollover = "ROLLOVER", Reset = "RESET",
        Recovered = "RECOVERED", Superseded = "SUPERSEDED", TooFast = "TOO_FAST",
        Future = "FUTURE", TooOld = "TOO_OLD",
    }
}

impl Disposition {
    /// The reading moved the life counter's state.
    pub fn is_counted(self) -> bool {
        matches!(self, Self::CountedFirst | Self::Counted | Self::Rollover | Self::Reset | Self::Recovered)
    }

    /// The reading counted and leaves nothing open: a fold can go on from it alone.
    pub fn is_checkpoint(self) -> bool {
        self.is_counted() && self != Self::Reset
    }

    /// The reading was not admitted to the fold when it came.
    pub fn is_outside_fold(self) -> bool {
        matches!(self, Self::Future | Self::TooOld)
    }

    /// The reading is kept aside.
    pub fn is_aside(self) -> bool {
        matches!(self, Self::TooFast | Self::Future | Self::TooOld)
    }
}

/// A device and a meter code.
pub type MeterKey = (DeviceId, String);

/// A value at device time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reading {
    /// Device time.
    pub read_at: DateTime<Utc>,
    /// Smallest units.
    pub value: i64,
}

/// A reading with what the fold made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoldedReading {
    /// The reading.
    pub reading: Reading,
    /// What it was taken for.
    pub disposition: Disposition,
    /// Life counter after it.
    pub life: i64,
}

/// The state of one meter of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterState {
    /// The device.
    pub device_id: DeviceId,
    /// Meter code.
    pub meter_code: String,
    /// Last counted value.
    pub latest_value: i64,
    /// Device time of it.
    pub latest_at: DateTime<Utc>,
    /// Usage added up; never goes down.
    pub life: i64,
    /// Device time of the first counted reading.
    pub first_at: DateTime<Utc>,
    /// Life counter at the first reading.
    pub first_life: i64,
    /// Readings the fold has seen.
    pub reading_count: i64,
    /// Device time of the latest reading the fold has seen, counted or not.
    pub last_row_at: DateTime<Utc>,
    /// The last counted reading leaves nothing open.
    pub is_settled: bool,
    /// When this row last changed.
    pub updated_at: DateTime<Utc>,
}

/// How a device is used.
#[derive(Clone, Debug, PartialEq)]
pub struct UsagePattern {
    /// Mean units a day.
    pub per_day: f64,
    /// Expected units by weekday, Monday first.
    pub weekday: [f64; 7],
    /// Standard deviation of a day's units around its weekday's mean.
    pub spread: f64,
    /// Days the level rests on.
    pub observed_days: u32,
    /// Last civil day with data, in the site's zone.
    pub as_of: NaiveDate,
    /// Where the rate comes from.
    pub source: RateSource,
}

/// When so many more units are expected to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Early: one in ten gets there sooner.
    pub p10: Option<NaiveDate>,
    /// Middle.
    pub p50: Option<NaiveDate>,
    /// Late: one in ten takes longer.
    pub p90: Option<NaiveDate>,
}
