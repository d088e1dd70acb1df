//! The words of reports.

use crate::code_enum;
use crate::kernel::ids::{DeviceModelId, SiteId};
use crate::kernel::text::LocalizedText;
use crate::planning::model::MaintenanceKind;
use crate::registry::model::DeviceFilter;
use chrono::{DateTime, Utc};
use uuid::Uuid;

code_enum! {
    /// What figures are grouped by.
    pub enum Dimension { Model = "MODEL", Site = "SITE", Region = "REGION", Kind = "KIND", Month = "MONTH" }
}

code_enum! {
    /// Which days around a due date count as on time.
    pub enum BandKind { PlanBand = "PLAN_BAND", Days = "DAYS" }
}

/// The band in which work counts as on time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Band {
    /// Each order's own: its plan's, and as far as a planner postponed it.
    #[default]
    Plan,
    /// The same for everything: civil days at the site before and after the date as it fell due,
    /// without adjustments.
    Days {
        /// Days before.
        early: u32,
        /// Days after.
        late: u32,
    },
}

/// What a report is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The first instant of the period.
    pub period_start: DateTime<Utc>,
    /// The first instant after it.
    pub period_end: DateTime<Utc>,
    /// What figures are grouped by beside the total.
    pub group_by: Option<Dimension>,
    /// Devices, as they are now.
    pub filter: DeviceFilter,
    /// What counts as on time.
    pub band: Band,
    /// Whether forecasts are compared with what came; it costs the most.
    pub wants_forecast: bool,
}

/// Where, of what and when something was; parts are absent where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The device's model.
    pub model: Option<Uuid>,
    /// The site, as it was then.
    pub site: Option<Uuid>,
    /// The site's region code.
    pub region: Option<String>,
    /// The kind of maintenance; absent for what has none, such as failures.
    pub kind: Option<MaintenanceKind>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What became of one occurrence; each is counted as exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Done inside its band.
    OnTime,
    /// Done before the band of days that was asked for.
    Early,
    /// Done after its band.
    Late,
    /// A slot of a grid that passed without work.
    Missed,
    /// Skipped without a waiver.
    Skipped,
    /// Skipped with an approver and a waiver, as a compliance plan demands.
    Waived,
    /// Not done, and its band is over.
    Overdue,
    /// Not done, and its band is not over.
    Open,
}

/// A sum over a sum; what is undefined has no value, and never 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Above the line.
    pub numerator: f64,
    /// Below the line.
    pub denominator: f64,
}

impl Ratio {
    /// The quotient; none where the denominator is 0.
    pub fn value(self) -> Option<f64> {
        (self.denominator != 0.0).then(|| self.numerator / self.denominator)
    }
}

/// Failures by who caused them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailureCounts {
    /// The device.
    pub device: u64,
    /// The site: its power, its people, its air.
    pub site: u64,
    /// The network.
    pub network: u64,
    /// The acquirer's host.
    pub host: u64,
    /// The card.
    pub card: u64,
    /// Nobody: no fault was found.
    pub none_found: u64,
}

impl FailureCounts {
    /// Those that count against devices: the device's own and the site's.
    pub fn counted(self) -> u64 {
        self.device + self.site
    }

    /// Every failure reported.
    pub fn reported(self) -> u64 {
        self.device + self.site + self.network + self.host + self.card + self.none_found
    }
}

/// How usage forecasts compare with the days on which the counters got there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForecastErrors {
    /// Orders compared.
    pub count: u64,
    /// Days between the two, without their sign, added up.
    pub absolute_days: u64,
    /// Days from the one told to the one it came to, added up; positive when it came later.
    pub days: i64,
    /// Orders whose counter got there inside the band around the day told.
    pub within_band: u64,
}

/// Figures as sums, so that those of groups add up to the total.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Occurrences that fell due.
    pub due: u64,
    /// Done inside the band.
    pub done_on_time: u64,
    /// Done before the band of days that was asked for.
    pub done_early: u64,
    /// Done after the band.
    pub done_late: u64,
    /// Slots of a grid that passed without work.
    pub missed: u64,
    /// Skipped without a waiver.
    pub skipped: u64,
    /// Skipped with a waiver.
    pub waived: u64,
    /// Not done, and the band is over.
    pub overdue: u64,
    /// Not done, and the band is not over.
    pub open: u64,
    /// Work counted for a plan that closed no order.
    pub done_without_order: u64,
    /// Failures that began in the period.
    pub failures: FailureCounts,
    /// Time devices stood at a position, milliseconds.
    pub stood_millis: i64,
    /// Part of it during which a failure that counts was not restored, milliseconds.
    pub down_millis: i64,
    /// Failures that count, began in the period and were restored.
    pub repairs: u64,
    /// From failure to restoration, all repairs, milliseconds.
    pub repair_millis: i64,
    /// Repairs and attempts at one.
    pub fix_attempts: u64,
    /// Those that needed one visit.
    pub fixed_first: u64,
    /// Trips to a repair that ended at a closed door.
    pub no_access: u64,
    /// Forecasts compared with what came.
    pub forecast: ForecastErrors,
}

impl Figures {
    /// What was done on time of all that should have been done by now: what is waived, and what
    /// still has time, is no part of it.
    pub fn compliance(&self) -> Ratio {
        let owed = self.done_on_time + self.done_early + self.done_late + self.missed + self.skipped + self.overdue;
        Ratio { numerator: self.done_on_time as f64, denominator: owed as f64 }
    }

    /// Hours devices stood at a position.
    pub fn device_hours(&self) -> f64 {
        hours(self.stood_millis)
    }

    /// Hours from failure to restoration over repairs.
    pub fn mean_time_to_restore(&self) -> Ratio {
        Ratio { numerator: hours(self.repair_millis), denominator: self.repairs as f64 }
    }

    /// Hours up over hours required.
    pub fn availability(&self) -> Ratio {
        Ratio { numerator: hours(self.stood_millis - self.down_millis), denominator: hours(self.stood_millis) }
    }

    /// Repairs that needed one visit over all of them.
    pub fn first_time_fix(&self) -> Ratio {
        Ratio { numerator: self.fixed_first as f64, denominator: self.fix_attempts as f64 }
    }
}

fn hours(millis: i64) -> f64 {
    millis as f64 / 3_600_000.0
}

/// What a group is of; sorted as its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    /// What has nothing of the dimension, such as the site of a device that stands nowhere.
    Nothing,
    /// A device model.
    Model(Uuid),
    /// A site.
    Site(Uuid),
    /// A region code.
    Region(String),
    /// A kind of maintenance.
    Kind(MaintenanceKind),
    /// Year and month, in the organization's zone.
    Month(i32, u32),
}

impl GroupKey {
    /// The key as callers see it: a global id, a code, or a month such as 2026-05; empty for what
    /// has none.
    pub fn text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Model(id) => DeviceModelId(*id).global(),
            Self::Site(id) => SiteId(*id).global(),
            Self::Region(code) => code.clone(),
            Self::Kind(kind) => kind.as_str().to_owned(),
            Self::Month(year, month) => format!("{year:04}-{month:02}"),
        }
    }
}

/// Figures of a part of the fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What it is of, as callers see it.
    pub key: String,
    /// What people read.
    pub label: LocalizedText,
    /// Its figures.
    pub figures: Figures,
}

/// The figures of a period.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetReport {
    /// The first instant of the period.
    pub period_start: DateTime<Utc>,
    /// The first instant after it.
    pub period_end: DateTime<Utc>,
    /// What they are grouped by.
    pub group_by: Option<Dimension>,
    /// The whole fleet.
    pub total: Figures,
    /// Its parts by key, [`super::rules::MAX_GROUPS`] at most.
    pub groups: Vec<Group>,
    /// How many there are, those left out too.
    pub group_count: usize,
}
