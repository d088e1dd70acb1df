//! The words of usage. Counts are whole numbers in the meter's smallest unit.

use crate::code_enum;
use crate::kernel::ids::DeviceId;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

code_enum! {
    /// Where a rate comes from.
    pub enum RateSource { Device = "DEVICE", Model = "MODEL", SiteType = "SITE_TYPE", Planning = "PLANNING" }
}

code_enum! {
    /// Whose last year a season was learned from.
    pub enum SeasonSource { None = "NONE", Fleet = "FLEET", Device = "DEVICE" }
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

/// How a device is used: what the nightly job chose for it, and all that a forecast rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsagePattern {
    /// Expected units of an ordinary day.
    pub per_day: f64,
    /// Expected units by weekday, Monday first.
    pub weekday: [f64; 7],
    /// Standard deviation of a day's units around what its weekday should have.
    pub spread: f64,
    /// Days of the last eight weeks that are known.
    pub observed_days: u32,
    /// Last civil day with data, in the site's zone.
    pub as_of: NaiveDate,
    /// Where the rate comes from.
    pub source: RateSource,
    /// The day before the first week of `season`.
    pub season_from: NaiveDate,
    /// Factor of each of the 52 weeks after that; empty while no year is known.
    pub season: Vec<f32>,
    /// Days to come whose usage a holiday changes, and by what factor; in order.
    pub holidays: Vec<(NaiveDate, f64)>,
    /// An outage that goes on.
    pub closure: Option<Closure>,
    /// How far a forecast may be off.
    pub uncertainty: Uncertainty,
    /// What the level was made of.
    pub parts: Parts,
}

impl UsagePattern {
    /// A device that is not used.
    pub fn unknown(as_of: NaiveDate) -> Self {
        Self {
            per_day: 0.0,
            weekday: [0.0; 7],
            spread: 0.0,
            observed_days: 0,
            as_of,
            source: RateSource::Planning,
            season_from: as_of,
            season: Vec::new(),
            holidays: Vec::new(),
            closure: None,
            uncertainty: Uncertainty::default(),
            parts: Parts { recent_per_day: None, season: SeasonSource::None, outage_days: 0 },
        }
    }
}

/// A device that is closed or out of order at the end of its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closure {
    /// Days it has lasted.
    pub days_so_far: u32,
    /// The last day it is expected to last.
    pub expected_until: NaiveDate,
    /// What is used meanwhile, as a share of the usual.
    pub share: f64,
}

/// How far a forecast may be off; errors are ln(used ÷ forecast).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Uncertainty {
    /// A typical error of this device over 60 days.
    pub typical: f64,
    /// How errors grow with the days ahead, as a power of them.
    pub growth: f64,
    /// One error in ten is below this, in typical errors; not above 0.
    pub low: f64,
    /// One error in ten is above this; not below 0.
    pub high: f64,
    /// A typical error of a single day, which averages out.
    pub noise: f64,
}

/// What a level was made of, for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// Units a day in the last 28 days, outages left out; none where too few of them are known.
    pub recent_per_day: Option<f64>,
    /// Whose last year the season was learned from.
    pub season: SeasonSource,
    /// Days of outages that were left out.
    pub outage_days: u32,
}

/// When so many more units are expected to be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Early: one in ten gets there sooner.
    pub p10: Option<NaiveDate>,
    /// Middle.
    pub p50: Option<NaiveDate>,
    /// Late: one in ten takes longer.
    pub p90: Option<NaiveDate>,
    /// What the middle was made of; none where it is not reached.
    pub way: Option<Way>,
}

/// What a forecast expects on the way to its middle day. The factors multiply.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Way {
    /// Units a day.
    pub per_day: f64,
    /// Units a day of such weekdays at the level alone.
    pub level: f64,
    /// Factor of the season: 1.1 for weeks that sell a tenth more.
    pub season: f64,
    /// Factor of the holidays.
    pub holidays: f64,
    /// Factor of the days on which it is still closed.
    pub closure: f64,
}
