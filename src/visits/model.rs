//! The words of visits.

use crate::catalogue::model::{ComponentKind, FailureOrigin};
use crate::code_enum;
use crate::kernel::ids::*;
use crate::planning::model::{LineResult, StepAnswer};
use crate::registry::model::DeviceRef;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
    /// The answer to a PASS_FAIL step.
    #[serde(default)]
    pub passed: Option<bool>,
    /// The answer to a CHOICE step: a code of its list.
    #[serde(default)]
    pub choice: Option<String>,
    /// The answer to a NUMBER or METER_READING step.
    #[serde(default)]
    pub number: Option<f64>,
    /// The answer to a TEXT step; card numbers are masked.
    #[serde(default)]
    pub text: Option<String>,
    /// The answer to a SERIAL_SCAN step.
    #[serde(default)]
    pub serial: Option<String>,
    /// The order whose list it is, where the line names several.
    #[serde(default)]
    pub work_order_id: Option<WorkOrderId>,
    /// The plan whose list it is, where the line names several.
    #[serde(default)]
    pub plan_id: Option<PlanId>,
    /// The step failed; found when the visit was logged.
    #[serde(default)]
    pub has_failed: bool,
}

impl StepResult {
    /// A step done or not, without a value.
    pub fn plain(step: u32, is_done: bool) -> Self {
        Self {
            step,
            is_done,
            note: None,
            passed: None,
            choice: None,
            number: None,
            text: None,
            serial: None,
            work_order_id: None,
            plan_id: None,
            has_failed: false,
        }
    }

    /// The answer alone.
    pub fn answer(&self) -> StepAnswer {
        StepAnswer {
            step: self.step,
            is_done: self.is_done,
            passed: self.passed,
            choice: self.choice.clone(),
            number: self.number,
            text: self.text.clone(),
            serial: self.serial.clone(),
        }
    }
}

/// A part that was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartReplaced {
    /// The part.
    pub component_kind: ComponentKind,
    /// Serial number of the part taken out.
    pub old_serial_number: Option<String>,
    /// Serial number of the part put in.
    pub new_serial_number: Option<String>,
    /// Last civil day of the new part's warranty.
    pub warranty_ends_on: Option<NaiveDate>,
    /// The maker's number of the new part.
    pub part_number: Option<String>,
}

/// A failure as a technician reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFailure {
    /// What failed, from the closed list.
    pub failure_code: String,
    /// Why, from the closed list.
    pub cause_code: Option<String>,
    /// What was done, from the closed list.
    pub remedy_code: Option<String>,
    /// Who or what caused it; what the code usually has unless stated.
    pub origin: Option<FailureOrigin>,
    /// Since when it did not work, device time.
    pub failed_at: DateTime<Utc>,
    /// When somebody noticed.
    pub detected_at: Option<DateTime<Utc>>,
    /// When it worked again.
    pub restored_at: Option<DateTime<Utc>>,
}

/// A failure as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailureReport {
    /// What failed.
    pub failure_code: String,
    /// Why.
    pub cause_code: Option<String>,
    /// What was done.
    pub remedy_code: Option<String>,
    /// Who or what caused it.
    pub origin: FailureOrigin,
    /// Since when it did not work, device time.
    pub failed_at: DateTime<Utc>,
    /// When somebody noticed.
    pub detected_at: Option<DateTime<Utc>>,
    /// When it worked again.
    pub restored_at: Option<DateTime<Utc>>,
    /// The order it was repaired under.
    pub work_order_id: Option<WorkOrderId>,
}

/// A failure of a device, with where it stood then.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Identity.
    pub id: Uuid,
    /// The device.
    pub device_id: DeviceId,
    /// Where it stood when it failed.
    pub site_id: Option<SiteId>,
    /// Its model.
    pub model_id: DeviceModelId,
    /// The site's region code.
    pub region_code: Option<String>,
    /// The line that reports it.
    pub visit_line_id: VisitLineId,
    /// What it says.
    pub report: FailureReport,
    /// When the server took it in.
    pub recorded_at: DateTime<Utc>,
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
    /// Parts replaced, as reported.
    pub parts_replaced: Vec<PartReplaced>,
    /// What had failed.
    pub failure: Option<FailureReport>,
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
    /// Parts replaced.
    pub parts_replaced: Vec<PartReplaced>,
    /// What had failed.
    pub failure: Option<NewFailure>,
}

impl LogLine {
    /// A line that says when and how it ended, and nothing more.
    pub fn new(performed_at: DateTime<Utc>, outcome: VisitLineOutcome) -> Self {
        Self {
            device: None,
            work_order_ids: vec![],
            plan_ids: vec![],
            performed_at,
            outcome,
            findings: None,
            step_results: vec![],
            parts_replaced: vec![],
            failure: None,
        }
    }
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
