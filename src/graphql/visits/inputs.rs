//! Inputs of visits.

use crate::graphql::enums::VisitLineOutcome;
use crate::graphql::scalars::{query_id_opt, query_instant_opt};
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
    /// Whether it was done.
    pub is_done: bool,
    /// Remark.
    pub note: Option<String>,
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
    /// Answers to steps.
    pub step_results: Option<Vec<StepResultInput>>,
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
