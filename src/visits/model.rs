//! The words of visits.

use crate::code_enum;
use crate::kernel::ids::*;
use crate::planning::model::LineResult;
use crate::registry::model::DeviceRef;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

code_enum! {
    /// How the work on one line ended.
    pub enum VisitLineOutcome {
        Done = "DONE", PartlyDone = "PARTLY_DONE", NoAccess = "NO_ACCESS", Refused = "REFUSED",
        DeviceNotFound = "DEVICE_NOT_FOUND", SiteClosed = "SITE_CLOSED",
    }
}

/// A technician's answer to one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepResult {
    /// Place of the step in the task list, from 1.
    pub step: u32,
    /// Whether it was done.
    pub is_done: bool,
    /// Remark.
    pub note: Option<String>,
}

/// One trip of one technician to one site.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceVisit {
    /// Identity.
    pub id: VisitId,
    /// What people see, for example `SV-2026-000017`.
    pub number: String,
    /// The site.
    pub site_id: SiteId,
    /// The technician.
    pub technician_id: TechnicianId,
    /// Device time.
    pub started_at: DateTime<Utc>,
    /// Device time.
    pub ended_at: Option<DateTime<Utc>>,
    /// Remarks; card numbers are masked.
    pub notes: Option<String>,
    /// When the server took it in.
    pub recorded_at: DateTime<Utc>,
    /// Grows with every change.
    pub version: i64,
}

/// What was done to one device or to the site.
#[derive(Clone, Debug, PartialEq)]
pub struct VisitLine {
    /// Identity.
    pub id: VisitLineId,
    /// The visit.
    pub visit_id: VisitId,
    /// Place in the visit, from 0.
    pub line_no: i32,
    /// The device; absent for site work and for unknown serials.
    pub device_id: Option<DeviceId>,
    /// The serial as reported.
    pub serial_number: Option<String>,
    /// The maker as reported.
    pub manufacturer: Option<String>,
    /// Device time.
    pub performed_at: DateTime<Utc>,
    /// How it ended.
    pub outcome: VisitLineOutcome,
    /// What was found; card numbers are masked.
    pub findings: Option<String>,
    /// Answers to steps.
    pub step_results: Vec<StepResult>,
    /// Orders named.
    pub work_order_ids: Vec<WorkOrderId>,
    /// Plans named.
    pub plan_ids: Vec<PlanId>,
    /// What became of it.
    pub notices: Vec<LineResult>,
}

/// A visit to be logged.
#[derive(Clone, Debug)]
pub struct LogVisit {
    /// The site.
    pub site_id: SiteId,
    /// The technician.
    pub technician_id: TechnicianId,
    /// Device time.
    pub started_at: DateTime<Utc>,
    /// Device time.
    pub ended_at: Option<DateTime<Utc>>,
    /// Remarks.
    pub notes: Option<String>,
    /// What was done.
    pub lines: Vec<LogLine>,
}

/// A line to be logged.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// The device; absent for work on the site itself.
    pub device: Option<DeviceRef>,
    /// Orders it is reported for.
    pub work_order_ids: Vec<WorkOrderId>,
    /// Plans whose work was done without an order.
    pub plan_ids: Vec<PlanId>,
    /// Device time.
    pub performed_at: DateTime<Utc>,
    /// How it ended.
    pub outcome: VisitLineOutcome,
    /// What was found.
    pub findings: Option<String>,
    /// Answers to steps.
    pub step_results: Vec<StepResult>,
}

/// The visit that was logged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Logged {
    /// The visit.
    pub visit_id: VisitId,
    /// What became of every line, order by order and plan by plan.
    pub results: Vec<LineResult>,
}

/// What may be asked of visits; absent parts do not restrict.
#[derive(Clone, Debug, Default)]
pub struct VisitFilter {
    /// One site.
    pub site_id: Option<SiteId>,
    /// One technician.
    pub technician_id: Option<TechnicianId>,
    /// One device.
    pub device_id: Option<DeviceId>,
    /// Started at or after.
    pub started_from: Option<DateTime<Utc>>,
    /// Started before.
    pub started_before: Option<DateTime<Utc>>,
}
