//! The words of looking ahead: later occurrences, the load they bring, and what a plan would do
//! before it does it.

use super::model::{ExecutionChannel, MaintenanceKind};
use crate::code_enum;
use crate::kernel::ids::{ItemId, TechnicianId};
use chrono::{DateTime, NaiveDate, Utc};

code_enum! {
    /// What load is grouped by.
    pub enum LoadDimension {
        Week = "WEEK", Region = "REGION", Technician = "TECHNICIAN", Kind = "KIND", Channel = "CHANNEL",
    }
}

/// What a group of load has in common; absent parts were not asked for, or are unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoadKey {
    /// Monday of the week, on the site's calendar.
    pub week: Option<NaiveDate>,
    /// Region code of the site.
    pub region: Option<String>,
    /// Whom the orders are given to.
    pub technician: Option<TechnicianId>,
    /// The kind of maintenance.
    pub kind: Option<MaintenanceKind>,
    /// Who does it, and where.
    pub channel: Option<ExecutionChannel>,
}

/// Work of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadFigures {
    /// Occurrences whose middle date lies in it.
    pub items: u64,
    /// Of them those that larger work does too; they bring no hours and no visit.
    pub covered: u64,
    /// Sites with field work, each once a week.
    pub visits: u64,
    /// Hours not exceeded in one of two cases.
    pub hours_p50: f64,
    /// Hours not exceeded in nine of ten cases.
    pub hours_p90: f64,
    /// Weekly hours of the technicians who can do it, over the weeks of the group; absent when none of
    /// them states any.
    pub capacity_hours: Option<f64>,
}

/// The work that lies ahead.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// Everything.
    pub total: LoadFigures,
    /// By what it was grouped, sorted.
    pub groups: Vec<(LoadKey, LoadFigures)>,
    /// False when there was more than one answer looks at.
    pub is_complete: bool,
}

/// Hours and visits of a week, with a plan as it is and as it would be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PreviewWeek {
    /// Its Monday.
    pub week: NaiveDate,
    /// Hours as it is, middle.
    pub hours_before: f64,
    /// Hours as it would be, middle.
    pub hours_after: f64,
    /// Sites with field work as it is.
    pub visits_before: u64,
    /// Sites with field work as it would be.
    pub visits_after: u64,
}

/// One item whose date a plan would move.
#[derive(Clone, Debug, PartialEq)]
pub struct PreviewMove {
    /// The item; absent when it would be new.
    pub item_id: Option<ItemId>,
    /// Device or site.
    pub subject: crate::kernel::subject::Subject,
    /// Its date as it is.
    pub from: Option<DateTime<Utc>>,
    /// Its date as it would be.
    pub to: Option<DateTime<Utc>>,
}

/// What a plan would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// Devices or sites looked at.
    pub subjects: u64,
    /// False when there are more than one preview looks at; the figures are then of those alone.
    pub is_complete: bool,
    /// Items that would be new.
    pub added: u64,
    /// Items that would end.
    pub removed: u64,
    /// Items due earlier, by a civil day at least.
    pub earlier: u64,
    /// Items due later.
    pub later: u64,
    /// Items whose day stays.
    pub unchanged: u64,
    /// Orders that would be issued at once.
    pub orders_issued: u64,
    /// Orders that would be withdrawn at once.
    pub orders_withdrawn: u64,
    /// Items that larger work would do too, and does not today, of any plan.
    pub newly_covered: u64,
    /// The first moves, by what they move to.
    pub moves: Vec<PreviewMove>,
    /// Week by week.
    pub weeks: Vec<PreviewWeek>,
}
