//! Inputs of planning.

use super::steps::TaskStepInput;
use super::triggers::{BlackoutInput, SeasonInput, TriggerInput};
use crate::graphql::connection::input_ids;
use crate::graphql::enums::*;
use crate::graphql::errors::{Failure, Outcome};
use crate::graphql::scalars::*;
use crate::graphql::text::LocalizedTextInput;
use crate::kernel::code::Code;
use crate::kernel::ids::*;
use crate::planning::model;
use async_graphql::{ID, InputObject, Result};
use chrono::{DateTime, Utc};

/// Which upcoming maintenance; parts given must all hold.
#[derive(InputObject, Default, Clone)]
pub struct UpcomingMaintenanceFilter {
    /// Any of these kinds.
    pub kinds: Option<Vec<MaintenanceKind>>,
    /// Any of these plans.
    pub plan_ids: Option<Vec<ID>>,
    /// To be done at this site.
    pub site_id: Option<ID>,
    /// For this device.
    pub device_id: Option<ID>,
    /// For devices of this model.
    pub model_id: Option<ID>,
    /// Region codes, by prefix.
    pub region_codes: Option<Vec<String>>,
    /// Any of these channels.
    pub channels: Option<Vec<ExecutionChannel>>,
    /// Only what is past its band.
    pub overdue_only: Option<bool>,
}

impl UpcomingMaintenanceFilter {
    /// The room's form.
    ///
    /// # Errors
    /// BAD_USER_INPUT for what is not what it should be, or is out of its bounds.
    pub fn read(self) -> Result<model::UpcomingFilter> {
        Ok(model::UpcomingFilter {
            kinds: query_codes(self.kinds, "kinds")?,
            plan_ids: query_ids(self.plan_ids, "planIds", PlanId::parse_global)?,
            site_id: query_id_opt(self.site_id.as_ref(), SiteId::parse_global)?,
            device_id: query_id_opt(self.device_id.as_ref(), DeviceId::parse_global)?,
            model_id: query_id_opt(self.model_id.as_ref(), DeviceModelId::parse_global)?,
            region_codes: query_texts(self.region_codes, "regionCodes", MAX_REGION)?,
            channels: query_codes(self.channels, "channels")?,
            overdue_only: self.overdue_only.unwrap_or(false),
        })
    }
}

/// Which work orders; parts given must all hold.
#[derive(InputObject, Default, Clone)]
pub struct WorkOrderFilter {
    /// Any of these states.
    pub states: Option<Vec<WorkOrderState>>,
    /// Any of these kinds.
    pub kinds: Option<Vec<MaintenanceKind>>,
    /// Due at or after.
    pub due_from: Option<DateTime<Utc>>,
    /// Due before.
    pub due_before: Option<DateTime<Utc>>,
    /// Scheduled at or after.
    pub scheduled_from: Option<DateTime<Utc>>,
    /// Scheduled before.
    pub scheduled_before: Option<DateTime<Utc>>,
    /// Issued at or after.
    pub created_from: Option<DateTime<Utc>>,
    /// Issued before.
    pub created_before: Option<DateTime<Utc>>,
    /// For this device.
    pub device_id: Option<ID>,
    /// At this site.
    pub site_id: Option<ID>,
    /// Of this plan.
    pub plan_id: Option<ID>,
    /// For devices of this model.
    pub model_id: Option<ID>,
    /// Region codes, by prefix.
    pub region_codes: Option<Vec<String>>,
    /// Any of these priorities.
    pub priorities: Option<Vec<Priority>>,
    /// For this technician.
    pub assignee_id: Option<ID>,
    /// Only orders without (true) or with (false) a technician.
    pub unassigned: Option<bool>,
    /// Only open orders past (true) or not past (false) their band.
    pub overdue: Option<bool>,
    /// Any of these numbers.
    pub numbers: Option<Vec<String>>,
}

impl WorkOrderFilter {
    /// The room's form.
    ///
    /// # Errors
    /// BAD_USER_INPUT for what is not what it should be, or is out of its bounds.
    pub fn read(self) -> Result<model::WorkOrderFilter> {
        Ok(model::WorkOrderFilter {
            states: query_codes(self.states, "states")?,
            kinds: query_codes(self.kinds, "kinds")?,
            due_from: query_instant_opt(self.due_from, "dueFrom")?,
            due_before: query_instant_opt(self.due_before, "dueBefore")?,
            scheduled_from: query_instant_opt(self.scheduled_from, "scheduledFrom")?,
            scheduled_before: query_instant_opt(self.scheduled_before, "scheduledBefore")?,
            created_from: query_instant_opt(self.created_from, "createdFrom")?,
            created_before: query_instant_opt(self.created_before, "createdBefore")?,
            device_id: query_id_opt(self.device_id.as_ref(), DeviceId::parse_global)?,
            site_id: query_id_opt(self.site_id.as_ref(), SiteId::parse_global)?,
            plan_id: query_id_opt(self.plan_id.as_ref(), PlanId::parse_global)?,
            model_id: query_id_opt(self.model_id.as_ref(), DeviceModelId::parse_global)?,
            region_codes: query_texts(self.region_codes, "regionCodes", MAX_REGION)?,
            priorities: query_codes(self.priorities, "priorities")?,
            assignee_id: query_id_opt(self.assignee_id.as_ref(), TechnicianId::parse_global)?,
            unassigned: self.unassigned,
            overdue: self.overdue,
            numbers: query_texts(self.numbers, "numbers", MAX_NUMBER)?,
        })
    }
}

/// By what work orders are listed.
#[derive(InputObject, Clone, Copy)]
pub struct WorkOrderOrder {
    /// By what.
    pub field: WorkOrderOrderField,
    /// Which way.
    pub direction: OrderDirection,
}

impl Default for WorkOrderOrder {
    fn default() -> Self {
        Self { field: WorkOrderOrderField::DueAt, direction: OrderDirection::Asc }
    }
}

/// Which maintenance plans; parts given must all hold.
#[derive(InputObject, Default, Clone)]
pub struct MaintenancePlanFilter {
    /// Any of these kinds.
    pub kinds: Option<Vec<MaintenanceKind>>,
    /// Only plans that issue orders (true) or that were switched off (false).
    pub is_active: Option<bool>,
}

/// Which subjects a plan applies to; the parts given must all hold, and at least one must be
/// given.
#[derive(InputObject, Default, Clone)]
pub struct PlanSelectorInput {
    /// Device models, or, for plans of sites, sites where such devices stand.
    pub model_ids: Option<Vec<ID>>,
    /// Sites.
    pub site_ids: Option<Vec<ID>>,
    /// Region codes, by prefix: a province contains its cities.
    pub region_codes: Option<Vec<String>>,
    /// Statuses in which items live; INSTALLED and IN_SERVICE unless stated.
    pub device_statuses: Option<Vec<DeviceStatus>>,
    /// True: for every subject. Must be said outright, so that no plan is for all by accident.
    pub everything: Option<bool>,
}

impl PlanSelectorInput {
    /// The room's form.
    ///
    /// # Errors
    /// Ids that are not what they should be.
    pub fn read(self) -> Outcome<model::Selector> {
        Ok(model::Selector {
            model_ids: input_ids(&self.model_ids.unwrap_or_default(), "selector", DeviceModelId::parse_global)?,
            site_ids: input_ids(&self.site_ids.unwrap_or_default(), "selector", SiteId::parse_global)?,
            region_codes: self.region_codes.unwrap_or_default(),
            device_statuses: self.device_statuses.unwrap_or_default().into_iter().map(Into::into).collect(),
            everything: self.everything.unwrap_or(false),
        })
    }
}

/// A number of days or minutes that must not be negative.
///
/// # Errors
/// INVALID for the field.
pub fn whole(given: i32, field: &str) -> Outcome<u32> {
    u32::try_from(given)
        .map_err(|_| Failure::user(Code::Invalid, &format!("{field} is {given}; give 0 or more"), &["input", field]))
}

/// A plan to be made.
#[derive(InputObject)]
pub struct CreateMaintenancePlanInput {
    /// The organization's own short code, unique, 1 to 64 characters.
    pub code: String,
    /// Name.
    pub name: LocalizedTextInput,
    /// The kind of maintenance.
    pub kind: MaintenanceKind,
    /// Devices or sites.
    pub subject: SubjectKind,
    /// Who does it, and where.
    pub channel: ExecutionChannel,
    /// Which subjects.
    pub selector: PlanSelectorInput,
    /// What makes it due, 1 to 10; the earliest wins.
    pub triggers: Vec<TriggerInput>,
    /// Civil days before due that still count as on time.
    pub early_days: i32,
    /// Civil days after due that still count as on time.
    pub late_days: i32,
    /// Civil days before due at which the order is issued.
    pub lead_days: i32,
    /// Expected minutes of work on one subject.
    pub estimated_minutes: i32,
    /// Priority of its orders.
    pub priority: Priority,
    /// What the technician does, in order, at most 100.
    pub steps: Option<Vec<TaskStepInput>>,
    /// Plans whose work this one includes, at most 20: doing it does theirs, and where both fall due
    /// within the smaller one's band only this one is ordered.
    pub covers: Option<Vec<ID>>,
    /// The part of the year in which the work may be done; all of it unless stated.
    pub season: Option<SeasonInput>,
    /// Parts of the year in which it is not done, at most 20.
    pub blackouts: Option<Vec<BlackoutInput>>,
    /// Which point of the usage forecast is the due date; P50 unless stated.
    pub due_quantile: Option<DueQuantile>,
    /// Required by a standard: skipping it, or postponing it past its band, needs a waiver; false
    /// unless stated.
    pub is_compliance: Option<bool>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// A change of a plan; absent parts stay. It makes a new revision; orders already issued keep
/// theirs. Whether a plan is for devices or sites never changes.
#[derive(InputObject)]
pub struct UpdateMaintenancePlanInput {
    /// The plan.
    pub plan_id: ID,
    /// The version you have; CONFLICT when it is not the current one.
    pub expected_version: Option<i32>,
    /// Name.
    pub name: Option<LocalizedTextInput>,
    /// The kind of maintenance.
    pub kind: Option<MaintenanceKind>,
    /// Who does it, and where.
    pub channel: Option<ExecutionChannel>,
    /// Which subjects; replaces the whole selector.
    pub selector: Option<PlanSelectorInput>,
    /// What makes it due, 1 to 10; replaces all triggers.
    pub triggers: Option<Vec<TriggerInput>>,
    /// Civil days before due that still count as on time.
    pub early_days: Option<i32>,
    /// Civil days after due that still count as on time.
    pub late_days: Option<i32>,
    /// Civil days before due at which the order is issued.
    pub lead_days: Option<i32>,
    /// Expected minutes of work on one subject.
    pub estimated_minutes: Option<i32>,
    /// Priority of its orders.
    pub priority: Option<Priority>,
    /// What the technician does, in order, at most 100; replaces the whole list.
    pub steps: Option<Vec<TaskStepInput>>,
    /// Plans whose work this one includes, at most 20: doing it does theirs, and where both fall due
    /// within the smaller one's band only this one is ordered.
    pub covers: Option<Vec<ID>>,
    /// The part of the year in which the work may be done.
    pub season: Option<SeasonInput>,
    /// True: the work may be done all year again.
    pub clear_season: Option<bool>,
    /// Parts of the year in which it is not done, at most 20; replaces all of them.
    pub blackouts: Option<Vec<BlackoutInput>>,
    /// Which point of the usage forecast is the due date.
    pub due_quantile: Option<DueQuantile>,
    /// Required by a standard.
    pub is_compliance: Option<bool>,
    /// False: the plan keeps its history and issues nothing.
    pub is_active: Option<bool>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// An order made by hand: installation, swap, repair.
#[derive(InputObject)]
pub struct CreateWorkOrderInput {
    /// The device it is for; or else give `siteId`.
    pub device_id: Option<ID>,
    /// The site it is for; or else give `deviceId`.
    pub site_id: Option<ID>,
    /// The kind of maintenance.
    pub kind: MaintenanceKind,
    /// Who does it, and where; FIELD unless stated.
    pub channel: Option<ExecutionChannel>,
    /// How urgent; NORMAL unless stated.
    pub priority: Option<Priority>,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// Civil days before due that still count as on time, at most 366; 0 unless stated.
    pub early_days: Option<i32>,
    /// Civil days after due that still count as on time, at most 366; 0 unless stated.
    pub late_days: Option<i32>,
    /// Expected minutes of work, at most 10,080 (a week); 30 unless stated.
    pub estimated_minutes: Option<i32>,
    /// What to do, in order, at most 100.
    pub steps: Option<Vec<TaskStepInput>>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// A date and a technician for an order.
#[derive(InputObject)]
pub struct ScheduleWorkOrderInput {
    /// The order; PLANNED, SCHEDULED, DISPATCHED or ON_HOLD.
    pub work_order_id: ID,
    /// When it is to be done.
    pub scheduled_for: DateTime<Utc>,
    /// Who is to do it; whoever it was stays unless stated.
    pub assignee_id: Option<ID>,
    /// The version you have; CONFLICT when it is not the current one.
    pub expected_version: Option<i32>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// A move of an order through its states.
#[derive(InputObject)]
pub struct ChangeWorkOrderStateInput {
    /// The order.
    pub work_order_id: ID,
    /// The state it goes to; COMPLETED comes from logServiceVisit, SKIPPED from skipOccurrence.
    pub state: WorkOrderState,
    /// Why; required for CANCELLED and ON_HOLD.
    pub reason: Option<String>,
    /// With CANCELLED: let the planner issue the occurrence again instead of skipping it; false
    /// unless stated.
    pub reissue: Option<bool>,
    /// The version you have; CONFLICT when it is not the current one.
    pub expected_version: Option<i32>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// An occurrence that will not be done, named by its item or by its open order.
#[derive(InputObject)]
pub struct SkipOccurrenceInput {
    /// The item whose current occurrence is meant; or else give `workOrderId`.
    pub item_id: Option<ID>,
    /// The open order whose occurrence is meant; or else give `itemId`.
    pub work_order_id: Option<ID>,
    /// Why.
    pub reason: String,
    /// Approver and waiver; required for compliance plans.
    pub waiver: Option<String>,
    /// The item's or order's version you have; CONFLICT when it is not the current one.
    pub expected_version: Option<i32>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// An occurrence that will be done later, named by its item or by its open order.
#[derive(InputObject)]
pub struct PostponeOccurrenceInput {
    /// The item whose current occurrence is meant; or else give `workOrderId`.
    pub item_id: Option<ID>,
    /// The open order whose occurrence is meant; or else give `itemId`.
    pub work_order_id: Option<ID>,
    /// The new civil day at the site; after the due date, at most 366 days later.
    pub until: Date,
    /// Why.
    pub reason: String,
    /// Approver and waiver; required for compliance plans past their band.
    pub waiver: Option<String>,
    /// The item's or order's version you have; CONFLICT when it is not the current one.
    pub expected_version: Option<i32>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// A run of the planner by hand.
#[derive(InputObject)]
pub struct RunPlannerInput {
    /// Look at every device and site, not only at those with something new; false unless stated.
    pub full: Option<bool>,
    /// Accepted like everywhere; a second run finds nothing to do anyway.
    pub idempotency_key: Option<String>,
}
