//! Devices with a story, known by their serials.

use crate::catalogue::model::ComponentKind;
use crate::kernel::text::LocalizedText;
use crate::registry::model::{DeviceStatus, SiteEnvironment};
use serde::Deserialize;
use std::collections::BTreeSet;

/// A device with a story, listed by its serial in the README.
#[derive(Debug, Deserialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OddCase {
    SameSerialTwoMakers {
        about: LocalizedText,
        serial_number: String,
        models: [String; 2],
    },
    #[serde(rename = "SWAP_AT_1120")]
    SwapAt1120 {
        about: LocalizedText,
        old_serial_number: String,
        new_serial_number: String,
        model: String,
        days_ago: i64,
        local_time: String,
        reason: String,
        old_device_status: DeviceStatus,
    },
    LateAndTwice {
        about: LocalizedText,
        serial_number: String,
        model: String,
        performed_days_ago: i64,
        logged_days_late: i64,
        idempotency_key: String,
    },
    #[serde(rename = "WRAP_32_BIT")]
    Wrap32Bit {
        about: LocalizedText,
        serial_number: String,
        model: String,
        days_ago: i64,
        per_day: f64,
    },
    ResetToZero {
        about: LocalizedText,
        serial_number: String,
        model: String,
        days_ago: i64,
    },
    LongGap {
        about: LocalizedText,
        serial_number: String,
        model: String,
        gap_days: i64,
        days_ago: i64,
    },
    BusiestLane {
        about: LocalizedText,
        serial_number: String,
        model: String,
        per_day: f64,
    },
    NeverRead {
        about: LocalizedText,
        serial_number: String,
        model: String,
    },
    Growing {
        about: LocalizedText,
        serial_number: String,
        model: String,
        per_day: f64,
        factor: f64,
        months: u32,
    },
    /// From other sites, the last move last.
    #[serde(alias = "RELOCATED_LATELY")]
    MovedTwice {
        about: LocalizedText,
        serial_number: String,
        model: String,
        days_ago: Vec<i64>,
    },
    /// Swapped out, repaired, and swapped in again for the loaner that stood there meanwhile.
    BackFromRepair {
        about: LocalizedText,
        serial_number: String,
        model: String,
        out_days_ago: i64,
        repaired_days_ago: i64,
        back_days_ago: i64,
        reason: String,
    },
    /// In stock, waiting for its inspection or past it.
    #[serde(alias = "INSPECTED")]
    WaitingInspection {
        about: LocalizedText,
        serial_number: String,
        model: String,
        registered_days_ago: i64,
        ready_days_ago: Option<i64>,
    },
    /// What its measures, its hours, its firmware or its last visit say now; each code is a story of
    /// its own, told by the same parts.
    #[serde(
        rename = "MAGSTRIPE_ERRORS",
        alias = "CHIP_ERRORS_RISING",
        alias = "SUPPLY_VOLTAGE_LOW",
        alias = "BATTERY_WORN",
        alias = "BATTERY_CYCLES_HIGH",
        alias = "UNPLANNED_RESTARTS",
        alias = "TOUCH_DRIFT",
        alias = "DAMP_SITE",
        alias = "HOT_KITCHEN",
        alias = "STORAGE_FILLING",
        alias = "SILENT",
        alias = "FAILED_REPAIR",
        alias = "IDLE_THEN_USED",
        alias = "FIRMWARE_QUIET",
        alias = "FIRMWARE_BLOCKED",
        alias = "BATTERY_REPLACED",
        alias = "FAILED_STEP"
    )]
    Watched(Box<WatchedCase>),
}

/// A device that shows one thing now; what it leaves out is as on any other.
#[derive(Clone, Debug, Deserialize)]
pub struct WatchedCase {
    pub about: LocalizedText,
    pub serial_number: String,
    pub model: String,
    /// Plans whose work is done on the days named and on no other since the first of them; without
    /// days, never.
    #[serde(default)]
    pub plans: Vec<String>,
    #[serde(default)]
    pub serviced_days_ago: Vec<i64>,
    /// Transactions of a day, without growth.
    pub per_day: Option<f64>,
    /// What surrounds it, if not what surrounds others of its kind of site.
    pub environment: Option<SiteEnvironment>,
    /// Installed then; else before the history begins.
    pub installed_days_ago: Option<i64>,
    /// Days without a reading, up to now.
    pub silent_days: Option<i64>,
    /// Not used from the first day on, until the second; days ago.
    pub idle_days: Option<[i64; 2]>,
    pub firmware: Option<String>,
    /// Reports every hour.
    #[serde(default)]
    pub is_hourly: bool,
    #[serde(default)]
    pub meters: Vec<MeterCurve>,
    pub replaced: Option<ReplacedPart>,
    pub failed_step: Option<FailedStep>,
}

/// The readings of one meter: straight lines between points.
#[derive(Clone, Debug, Deserialize)]
pub struct MeterCurve {
    pub meter: String,
    /// Decimal places of what is read.
    #[serde(default)]
    pub decimals: i32,
    /// Days between readings.
    #[serde(default = "one")]
    pub every_days: i64,
    /// How far a reading may lie from the line.
    #[serde(default)]
    pub wobble: f64,
    /// Days ago and value, the oldest first.
    pub points: Vec<[f64; 2]>,
}

fn one() -> i64 {
    1
}

/// A part that was replaced in a repair.
#[derive(Clone, Debug, Deserialize)]
pub struct ReplacedPart {
    pub component_kind: ComponentKind,
    pub old_serial_number: String,
    pub new_serial_number: String,
    pub days_ago: i64,
    /// The scenario it was repaired by.
    pub failure_code: String,
}

/// A step that failed on a visit.
#[derive(Clone, Debug, Deserialize)]
pub struct FailedStep {
    pub plan: String,
    /// Place of the step in the plan's list, from 1.
    pub step: u32,
    /// What was answered.
    pub number: f64,
    pub days_ago: i64,
}

impl MeterCurve {
    /// The value so many days ago; none before the first point.
    pub fn value_at(&self, days_ago: f64) -> Option<f64> {
        let place = self.points.iter().rposition(|[days, _]| *days >= days_ago)?;
        let [from, value] = self.points[place];
        let Some([to, next]) = self.points.get(place + 1).copied() else { return Some(value) };
        let share = if from > to { (from - days_ago) / (from - to) } else { 1.0 };
        Some(value + (next - value) * share)
    }
}

/// The serial an odd case is known by.
pub fn serial_of(case: &OddCase) -> &str {
    match case {
        OddCase::SwapAt1120 { new_serial_number, .. } => new_serial_number,
        OddCase::SameSerialTwoMakers { serial_number, .. }
        | OddCase::LateAndTwice { serial_number, .. }
        | OddCase::Wrap32Bit { serial_number, .. }
        | OddCase::ResetToZero { serial_number, .. }
        | OddCase::LongGap { serial_number, .. }
        | OddCase::BusiestLane { serial_number, .. }
        | OddCase::NeverRead { serial_number, .. }
        | OddCase::Growing { serial_number, .. }
        | OddCase::MovedTwice { serial_number, .. }
        | OddCase::BackFromRepair { serial_number, .. }
        | OddCase::WaitingInspection { serial_number, .. } => serial_number,
        OddCase::Watched(case) => &case.serial_number,
    }
}

/// What is odd about a case, for people.
pub fn about_of(case: &OddCase) -> &LocalizedText {
    match case {
        OddCase::SameSerialTwoMakers { about, .. }
        | OddCase::SwapAt1120 { about, .. }
        | OddCase::LateAndTwice { about, .. }
        | OddCase::Wrap32Bit { about, .. }
        | OddCase::ResetToZero { about, .. }
        | OddCase::LongGap { about, .. }
        | OddCase::BusiestLane { about, .. }
        | OddCase::NeverRead { about, .. }
        | OddCase::Growing { about, .. }
        | OddCase::MovedTwice { about, .. }
        | OddCase::BackFromRepair { about, .. }
        | OddCase::WaitingInspection { about, .. } => about,
        OddCase::Watched(case) => &case.about,
    }
}

/// Serials of the odd cases, which no other device may get.
pub fn odd_serials(cases: &[OddCase]) -> BTreeSet<String> {
    cases
        .iter()
        .flat_map(|case| match case {
            OddCase::SwapAt1120 { old_serial_number, new_serial_number, .. } => {
                vec![old_serial_number.clone(), new_serial_number.clone()]
            }
            other => vec![serial_of(other).to_owned()],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_straight_between_its_points() {
        let points = vec![[60.0, 700.0], [6.0, 748.0], [0.0, 772.0]];
        let curve = MeterCurve { meter: "MSR_ERRORS".to_owned(), decimals: 0, every_days: 1, wobble: 0.0, points };
        let found = [61.0, 60.0, 33.0, 6.0, 3.0, 0.0].map(|days| curve.value_at(days));
        assert_eq!(found, [None, Some(700.0), Some(724.0), Some(748.0), Some(760.0), Some(772.0)]);
    }
}
