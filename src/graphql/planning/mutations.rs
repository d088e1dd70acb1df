//! Mutations of planning.

use super::forms::{new_plan, plan_update};
use super::inputs::*;
use super::steps::steps;
use super::types::{MaintenanceItem, MaintenancePlan, PlannerRun, WorkOrder};
use crate::graphql::connection::{input_id, optional_id, payload};
use crate::graphql::context::Cx;
use crate::graphql::errors::{Failure, Outcome, UserError, UserErrorCode};
use crate::graphql::load::{load_known, load_opt};
use crate::graphql::registry::mutations::version;
use crate::kernel::code::Code;
use crate::kernel::ids::{DeviceId, ItemId, PlanId, SiteId, TechnicianId, WorkOrderId};
use crate::planning::model;
use crate::planning::service::{
    ChangeState, CreateOrder, OccurrenceRef, OrderChanged, PostponeOccurrence, ScheduleOrder, SkipOccurrence,
};
use async_graphql::{Context, ID, Object, Result, SimpleObject};

payload!(CreateMaintenancePlanPayload, maintenance_plan: MaintenancePlan, "the plan");
payload!(UpdateMaintenancePlanPayload, maintenance_plan: MaintenancePlan, "the plan as it is now");
payload!(CreateWorkOrderPayload, work_order: WorkOrder, "the order");
payload!(ScheduleWorkOrderPayload, work_order: WorkOrder, "the order as it is now");
payload!(ChangeWorkOrderStatePayload, work_order: WorkOrder, "the order as it is now");
payload!(RunPlannerPayload, planner_run: PlannerRun, "what the run did");

/// Declares the payload of a change of an occurrence.
macro_rules! occurrence_payload {
    ($name:ident, $what:tt) => {
        #[doc = concat!("What became of the request: ", $what, ", or why it was refused.")]
        #[derive(SimpleObject)]
        pub struct $name {
            /// The item as it is now; null when refused, except with CONFLICT.
            pub maintenance_item: Option<MaintenanceItem>,
            /// The order of the occurrence as it is now; null when there is none, or when refused,
            /// except with CONFLICT.
            pub work_order: Option<WorkOrder>,
            /// Why the request was refused; empty when it was done.
            pub user_errors: Vec<UserError>,
        }

        impl $name {
            async fn new(
                ctx: &Context<'_>,
                outcome: Outcome<OrderChanged>,
                named: Option<OccurrenceRef>,
            ) -> Result<Self> {
                let (item, order, user_errors) = changed(ctx, outcome, named).await?;
                Ok(Self { maintenance_item: item, work_order: order, user_errors })
            }
        }
    };
}

occurrence_payload!(SkipOccurrencePayload, "the occurrence is skipped");
occurrence_payload!(PostponeOccurrencePayload, "the occurrence is postponed");

/// Item and order after a change of an occurrence, and why it was refused.
async fn changed(
    ctx: &Context<'_>,
    outcome: Outcome<OrderChanged>,
    named: Option<OccurrenceRef>,
) -> Result<(Option<MaintenanceItem>, Option<WorkOrder>, Vec<UserError>)> {
    let (item, order, errors) = match outcome {
        Ok(done) => (done.item_id, done.work_order_id, vec![]),
        Err(Failure::Internal(e)) => return Err(e),
        Err(Failure::User(e)) => {
            let (item, order) = match named.filter(|_| e.code == UserErrorCode::Conflict) {
                Some(OccurrenceRef::Item(id)) => (Some(id), None),
                Some(OccurrenceRef::Order(id)) => (None, Some(id)),
                None => (None, None),
            };
            (item, order, vec![e])
        }
    };
    let item = load_opt(ctx, item).await?.map(Into::into);
    let order = load_opt(ctx, order).await?.map(Into::into);
    Ok((item, order, errors))
}

/// The occurrence an input names.
fn occurrence(item_id: Option<&ID>, work_order_id: Option<&ID>) -> Outcome<OccurrenceRef> {
    let item = optional_id(item_id, "itemId", ItemId::parse_global)?;
    let order = optional_id(work_order_id, "workOrderId", WorkOrderId::parse_global)?;
    match (item, order) {
        (Some(id), None) => Ok(OccurrenceRef::Item(id)),
        (None, Some(id)) => Ok(OccurrenceRef::Order(id)),
        _ => Err(Failure::user(Code::Required, "give either itemId or workOrderId", &["input", "itemId"])),
    }
}

/// Mutations of planning.
#[derive(Default)]
pub struct PlanningMutation;

#[Object]
impl PlanningMutation {
    /// Makes a maintenance plan; its items appear with the next planner run.
    async fn create_maintenance_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The plan.")] input: CreateMaintenancePlanInput,
    ) -> Result<CreateMaintenancePlanPayload> {
        let cx = Cx::of(ctx);
        let outcome: Outcome<MaintenancePlan> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let made = cx.services.planning.create_plan(&call, new_plan(input)?).await?;
            Ok(load_known(ctx, made.plan_id, "maintenance_plan").await?.into())
        }
        .await;
        CreateMaintenancePlanPayload::new(outcome)
    }

    /// Changes a maintenance plan; dates follow with the next planner run.
    async fn update_maintenance_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateMaintenancePlanInput,
    ) -> Result<UpdateMaintenancePlanPayload> {
        let cx = Cx::of(ctx);
        let id = PlanId::parse_global(input.plan_id.as_str()).ok();
        let outcome: Outcome<MaintenancePlan> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let update = plan_update(ctx, input).await?;
            let done = cx.services.planning.update_plan(&call, update).await?;
            crate::graphql::loaders::clear(&cx.loader);
            Ok(load_known(ctx, done.plan_id, "maintenance_plan").await?.into())
        }
        .await;
        UpdateMaintenancePlanPayload::or_current(ctx, outcome, id).await
    }

    /// Makes an order by hand: installation, swap, repair.
    async fn create_work_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] input: CreateWorkOrderInput,
    ) -> Result<CreateWorkOrderPayload> {
        let cx = Cx::of(ctx);
        let outcome: Outcome<WorkOrder> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let new = CreateOrder {
                device_id: optional_id(input.device_id.as_ref(), "deviceId", DeviceId::parse_global)?,
                site_id: optional_id(input.site_id.as_ref(), "siteId", SiteId::parse_global)?,
                kind: input.kind.into(),
                channel: input.channel.map_or(model::ExecutionChannel::Field, Into::into),
                priority: input.priority.map_or(model::Priority::Normal, Into::into),
                due_at: input.due_at,
                early_days: whole(input.early_days.unwrap_or(0), "earlyDays")?,
                late_days: whole(input.late_days.unwrap_or(0), "lateDays")?,
                estimated_minutes: whole(input.estimated_minutes.unwrap_or(30), "estimatedMinutes")?,
                steps: steps(input.steps.unwrap_or_default())?,
            };
            let done = cx.services.planning.create_order(&call, new).await?;
            order_after(ctx, done).await
        }
        .await;
        CreateWorkOrderPayload::new(outcome)
    }

    /// Gives an order a date and a technician; from then on its band is frozen.
    async fn schedule_work_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order, when and who.")] input: ScheduleWorkOrderInput,
    ) -> Result<ScheduleWorkOrderPayload> {
        let cx = Cx::of(ctx);
        let id = WorkOrderId::parse_global(input.work_order_id.as_str()).ok();
        let outcome: Outcome<WorkOrder> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let schedule = ScheduleOrder {
                work_order_id: input_id(&input.work_order_id, "workOrderId", WorkOrderId::parse_global)?,
                scheduled_for: input.scheduled_for,
                assignee_id: optional_id(input.assignee_id.as_ref(), "assigneeId", TechnicianId::parse_global)?,
                expected_version: version(input.expected_version),
            };
            let done = cx.services.planning.schedule_order(&call, schedule).await?;
            order_after(ctx, done).await
        }
        .await;
        ScheduleWorkOrderPayload::or_current(ctx, outcome, id).await
    }

    /// Moves an order through its states. Cancelling skips the occurrence unless told to reissue
    /// it.
    async fn change_work_order_state(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order, and to which state.")] input: ChangeWorkOrderStateInput,
    ) -> Result<ChangeWorkOrderStatePayload> {
        let cx = Cx::of(ctx);
        let id = WorkOrderId::parse_global(input.work_order_id.as_str()).ok();
        let outcome: Outcome<WorkOrder> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let change = ChangeState {
                work_order_id: input_id(&input.work_order_id, "workOrderId", WorkOrderId::parse_global)?,
                state: input.state.into(),
                reason: input.reason,
                reissue: input.reissue.unwrap_or(false),
                expected_version: version(input.expected_version),
            };
            let done = cx.services.planning.change_state(&call, change).await?;
            order_after(ctx, done).await
        }
        .await;
        ChangeWorkOrderStatePayload::or_current(ctx, outcome, id).await
    }

    /// Skips the current occurrence: it counts as done at its nominal due, without changing when
    /// the work was last done.
    async fn skip_occurrence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which occurrence, and why.")] input: SkipOccurrenceInput,
    ) -> Result<SkipOccurrencePayload> {
        let cx = Cx::of(ctx);
        let named = occurrence(input.item_id.as_ref(), input.work_order_id.as_ref()).ok();
        let outcome: Outcome<OrderChanged> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let skip = SkipOccurrence {
                occurrence: occurrence(input.item_id.as_ref(), input.work_order_id.as_ref())?,
                reason: input.reason,
                waiver: input.waiver,
                expected_version: version(input.expected_version),
            };
            Ok(cx.services.planning.skip(&call, skip).await?)
        }
        .await;
        SkipOccurrencePayload::new(ctx, outcome, named).await
    }

    /// Postpones the current occurrence to a later day.
    async fn postpone_occurrence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which occurrence, until when, and why.")] input: PostponeOccurrenceInput,
    ) -> Result<PostponeOccurrencePayload> {
        let cx = Cx::of(ctx);
        let named = occurrence(input.item_id.as_ref(), input.work_order_id.as_ref()).ok();
        let outcome: Outcome<OrderChanged> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let postpone = PostponeOccurrence {
                occurrence: occurrence(input.item_id.as_ref(), input.work_order_id.as_ref())?,
                until: input.until.0,
                reason: input.reason,
                waiver: input.waiver,
                expected_version: version(input.expected_version),
            };
            Ok(cx.services.planning.postpone(&call, postpone).await?)
        }
        .await;
        PostponeOccurrencePayload::new(ctx, outcome, named).await
    }

    /// Runs the planner now; it also runs by itself every minute unless configured otherwise.
    async fn run_planner(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How far to look.")] input: RunPlannerInput,
    ) -> Result<RunPlannerPayload> {
        let cx = Cx::of(ctx);
        let outcome: Outcome<PlannerRun> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            Ok(cx.services.planning.run(&call, input.full.unwrap_or(false)).await?.into())
        }
        .await;
        RunPlannerPayload::new(outcome)
    }
}

/// The order after a change.
async fn order_after(ctx: &Context<'_>, done: OrderChanged) -> Outcome<WorkOrder> {
    let missing = || Failure::Internal(crate::graphql::errors::missing("work_order"));
    let id = done.work_order_id.ok_or_else(missing)?;
    Ok(load_known(ctx, id, "work_order").await?.into())
}
