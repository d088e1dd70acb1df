//! Inputs of visits.

use crate::graphql::enums::{ComponentKind, FailureOrigin, VisitLineOutcome};
use crate::graphql::scalars::{Date, query_id_opt, query_instant_opt};
use crate::kernel::ids::{DeviceId, SiteId, TechnicianId};
use crate::visits::model;
use async_graphql::{ID, InputObject, Result};
use chrono::{DateTime, Utc};

/// Which visits; parts given must all hold.
#[derive(InputObject, Default, Clone)]
pub struct ServiceVisitFilter {
    /// To this site.
    pub site_id: Option<ID>,
    /// By this technician.
    pub technician_id: Option<ID>,
    /// That worked on this device.
    pub device_id: Option<ID>,
    /// Begun at or after, device time.
    pub started_from: Option<DateTime<Utc>>,
    /// Begun before, device time.
    pub started_before: Option<DateTime<Utc>>,
}

impl ServiceVisitFilter {
    /// The room's form.
    ///
    /// # Errors
    /// BAD_USER_INPUT for what is not what it should be, or is out of its bounds.
    pub fn read(self) -> Result<model::VisitFilter> {
        Ok(model::VisitFilter {
            site_id: query_id_opt(self.site_id.as_ref(), SiteId::parse_global)?,
            technician_id: query_id_opt(self.technician_id.as_ref(), TechnicianId::parse_global)?,
            device_id: query_id_opt(self.device_id.as_ref(), DeviceId::parse_global)?,
            started_from: query_instant_opt(self.started_from, "startedFrom")?,
            started_before: query_instant_opt(self.started_before, "startedBefore")?,
        })
    }
}

/// An answer to one step of a task list.
#[derive(InputObject)]
pub struct StepResultInput {
    /// Place of the step in the task list, from 1.
    pub step: i32,
    /// Whether it was done; what was done has the value its kind of step asks for.
    pub is_done: bool,
    /// Remark; card numbers are masked.
    pub note: Option<String>,
    /// The answer to a PASS_FAIL step; done without it is done without a result, and passes nothing.
    pub passed: Option<bool>,
    /// The answer to a CHOICE step: a code of its list.
    pub choice: Option<String>,
    /// The answer to a NUMBER step in its unit, or to a METER_READING step in the meter's unit.
    pub number: Option<f64>,
    /// The answer to a TEXT step; card numbers are masked.
    pub text: Option<String>,
    /// The answer to a SERIAL_SCAN step.
    pub serial: Option<String>,
    /// The order whose task list it answers; the first of the line that has steps unless stated.
    pub work_order_id: Option<ID>,
    /// The plan whose task list it answers; the first of the line that has steps unless stated.
    pub plan_id: Option<ID>,
}

/// A part that was replaced.
#[derive(InputObject)]
pub struct PartReplacedInput {
    /// The part.
    pub component_kind: ComponentKind,
    /// Serial number read off the part taken out; must be the one known, where one is.
    pub old_serial_number: Option<String>,
    /// Serial number of the part put in; must be in no other device.
    pub new_serial_number: Option<String>,
    /// Last civil day of the new part's warranty.
    pub warranty_ends_on: Option<Date>,
    /// The maker's number of the new part.
    pub part_number: Option<String>,
}

/// What had failed, why, and what was done about it; the codes are those of `failureCodes`.
#[derive(InputObject)]
pub struct FailureInput {
    /// What failed, for example `CRD-MSR-01`.
    pub failure_code: String,
    /// Why, a code of the causes; required where a repair is done.
    pub cause_code: Option<String>,
    /// What was done, a code of the remedies; required where a repair is done.
    pub remedy_code: Option<String>,
    /// Who or what caused it; what the code usually has unless stated.
    pub origin: Option<FailureOrigin>,
    /// Since when it did not work, device time; not after the work.
    pub failed_at: DateTime<Utc>,
    /// When somebody noticed, device time; not before `failedAt` and not after `restoredAt`.
    pub detected_at: Option<DateTime<Utc>>,
    /// When it worked again, device time; not before `failedAt`. A repair that is DONE ended it when it
    /// was performed, unless stated.
    pub restored_at: Option<DateTime<Utc>>,
}

/// What was done to one device, or, without a device, to the site.
#[derive(InputObject)]
pub struct VisitLineInput {
    /// The device.
    pub device_id: Option<ID>,
    /// Its serial number, where no id is given; an unknown one is kept as an unresolved line.
    pub serial_number: Option<String>,
    /// Its maker; required where two makers share the serial number.
    pub manufacturer: Option<String>,
    /// Orders the work was done for.
    pub work_order_ids: Option<Vec<ID>>,
    /// Plans whose work was done, with or without an order.
    pub plan_ids: Option<Vec<ID>>,
    /// When the work was done, device time; decides what is due next, whenever the visit arrives.
    pub performed_at: DateTime<Utc>,
    /// How it ended; only DONE counts as done.
    pub outcome: VisitLineOutcome,
    /// What was found; card numbers are masked.
    pub findings: Option<String>,
    /// Answers to steps of the task lists of the orders and plans named, at most 200.
    pub step_results: Option<Vec<StepResultInput>>,
    /// Parts replaced, at most 50; only where the outcome is DONE or PARTLY_DONE.
    pub parts_replaced: Option<Vec<PartReplacedInput>>,
    /// What had failed; required where a CORRECTIVE order of a device is DONE.
    pub failure: Option<FailureInput>,
}

/// A visit that was made; may come late, out of order, and twice.
#[derive(InputObject)]
pub struct LogServiceVisitInput {
    /// The site.
    pub site_id: ID,
    /// The technician.
    pub technician_id: ID,
    /// When it began, device time.
    pub started_at: DateTime<Utc>,
    /// When it ended, device time.
    pub ended_at: Option<DateTime<Utc>>,
    /// What was done, 1 to 200 lines.
    pub lines: Vec<VisitLineInput>,
    /// Remarks; card numbers are masked.
    pub notes: Option<String>,
    /// Sent again with the same key, the visit is logged once.
    pub idempotency_key: Option<String>,
}
