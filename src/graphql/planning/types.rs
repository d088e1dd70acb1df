//! Types of planning.

use super::explanation::DueExplanation;
use super::inputs::{UpcomingMaintenanceFilter, WorkOrderFilter, WorkOrderOrder};
use super::occurrence::{Occurrence, within_horizon};
use super::steps::{self, TaskStep};
use super::triggers::{Blackout, PlanTrigger, Season};
use crate::graphql::connection::{COUNT_LIMIT, asks, connection, cursor, cut, key_part, order_tag, page, row_cost};
use crate::graphql::context::Cx;
use crate::graphql::enums::*;
use crate::graphql::errors::{bad_input, internal};
use crate::graphql::load::{load_known, load_opt};
use crate::graphql::loaders::shows;
use crate::graphql::node::UPCOMING;
use crate::graphql::prefetch::{self, Ahead};
use crate::graphql::registry::types::{Device, Position, Site, Technician};
use crate::graphql::scalars::int;
use crate::graphql::text::LocalizedText;
use crate::graphql::visits::types::ServiceVisit;
use crate::kernel::calendar::start_of_day;
use crate::kernel::ids::*;
use crate::kernel::subject::{Subject, SubjectKind as RoomSubject};
use crate::planning::model;
use crate::planning::rules::occurrences;
use crate::planning::service::{order_key, upcoming_key};
use async_graphql::{Context, ID, Object, Result, SimpleObject, Union};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// What maintenance is done to.
#[derive(Union, Clone)]
pub enum MaintenanceSubject {
    /// A device.
    Device(Device),
    /// A site.
    Site(Site),
}

/// What maintenance is done to: a device or a site.
pub async fn subject(ctx: &Context<'_>, subject: Subject) -> Result<MaintenanceSubject> {
    Ok(match subject.kind {
        RoomSubject::Device => {
            MaintenanceSubject::Device(load_known(ctx, DeviceId(subject.id), "device").await?.into())
        }
        RoomSubject::Site => MaintenanceSubject::Site(load_known(ctx, SiteId(subject.id), "site").await?.into()),
    })
}

/// Which subjects a plan applies to; the parts given must all hold.
#[derive(SimpleObject, Clone)]
pub struct PlanSelector {
    /// Device models; empty means any.
    pub model_ids: Vec<ID>,
    /// Sites; empty means any.
    pub site_ids: Vec<ID>,
    /// Region codes, by prefix; empty means any.
    pub region_codes: Vec<String>,
    /// Statuses in which items live.
    pub device_statuses: Vec<DeviceStatus>,
    /// For every subject.
    pub everything: bool,
}

shows! {
    /// What is done to which subjects and when.
    MaintenancePlan(model::MaintenancePlan)
}

/// What is done to which subjects and when; edits make revisions, orders keep the one they were
/// issued under.
#[Object]
impl MaintenancePlan {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        self.0.id.global().into()
    }
    /// The organization's own short code, unique.
    async fn code(&self) -> &str {
        &self.0.code
    }
    /// Name.
    async fn name(&self) -> LocalizedText {
        (&self.0.definition.name).into()
    }
    /// The kind of maintenance.
    async fn kind(&self) -> MaintenanceKind {
        self.0.definition.kind.into()
    }
    /// Devices or sites.
    async fn subject(&self) -> SubjectKind {
        self.0.definition.subject.into()
    }
    /// Who does it.
    async fn channel(&self) -> ExecutionChannel {
        self.0.definition.channel.into()
    }
    /// Which subjects.
    async fn selector(&self) -> PlanSelector {
        let s = &self.0.definition.selector;
        PlanSelector {
            model_ids: s.model_ids.iter().map(|i| i.global().into()).collect(),
            site_ids: s.site_ids.iter().map(|i| i.global().into()).collect(),
            region_codes: s.region_codes.clone(),
            device_statuses: s.statuses().iter().map(|s| (*s).into()).collect(),
            everything: s.everything,
        }
    }
    /// What makes it due; the earliest wins. At most 10.
    #[graphql(complexity = "row_cost(2, child_complexity)")]
    async fn triggers(&self) -> Vec<PlanTrigger> {
        self.0.definition.triggers.iter().map(Into::into).collect()
    }
    /// Civil days before due that still count as on time.
    async fn early_days(&self) -> u32 {
        self.0.definition.early_days
    }
    /// Civil days after due that still count as on time.
    async fn late_days(&self) -> u32 {
        self.0.definition.late_days
    }
    /// Civil days before due at which the order is issued.
    async fn lead_days(&self) -> u32 {
        self.0.definition.lead_days
    }
    /// Expected minutes of work on one subject.
    async fn estimated_minutes(&self) -> u32 {
        self.0.definition.estimated_minutes
    }
    /// Priority of its orders.
    async fn priority(&self) -> Priority {
        self.0.definition.priority.into()
    }
    /// What the technician does, in order; at most 100.
    #[graphql(complexity = "row_cost(10, child_complexity)")]
    async fn steps(&self) -> Vec<TaskStep> {
        steps::shown(&self.0.definition.steps, None)
    }
    /// Plans whose work this one includes, at most 20: doing it does theirs.
    #[graphql(complexity = "row_cost(3, child_complexity)")]
    async fn covers(&self, ctx: &Context<'_>) -> Result<Vec<MaintenancePlan>> {
        let ids = &self.0.definition.covers;
        let mut found = Cx::of(ctx).loader.load_many(ids.iter().copied()).await.map_err(|e| internal(&*e))?;
        Ok(ids.iter().filter_map(|id| found.remove(id)).map(Into::into).collect())
    }
    /// The part of the year in which the work may be done; null: all of it.
    async fn season(&self) -> Option<Season> {
        self.0.definition.season.as_ref().map(Into::into)
    }
    /// Parts of the year in which it is not done, at most 20.
    #[graphql(complexity = "row_cost(2, child_complexity)")]
    async fn blackouts(&self) -> Vec<Blackout> {
        self.0.definition.blackouts.iter().map(Into::into).collect()
    }
    /// Which point of the usage forecast is the due date.
    async fn due_quantile(&self) -> DueQuantile {
        self.0.definition.due_quantile.into()
    }
    /// Required by a standard: needs a waiver to skip.
    async fn is_compliance(&self) -> bool {
        self.0.definition.is_compliance
    }
    /// Where its figures come from, and which of them are assumed; null for a plan of the
    /// organization's own.
    async fn source(&self) -> Option<&str> {
        self.0.definition.source.as_deref()
    }
    /// False: keeps its history and issues nothing.
    async fn is_active(&self) -> bool {
        self.0.is_active
    }
    /// Number of the revision in force, from 1.
    async fn revision(&self) -> i32 {
        self.0.revision
    }
    /// Grows with every change.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
}

/// When usage is expected to reach the limit: starts of civil days in the site's zone.
#[derive(SimpleObject, Clone)]
pub struct DueForecast {
    /// Early: one in ten gets there sooner; null beyond ten years.
    pub p10: Option<DateTime<Utc>>,
    /// Middle; null beyond ten years.
    pub p50: Option<DateTime<Utc>>,
    /// Late: one in ten takes longer; null beyond ten years.
    pub p90: Option<DateTime<Utc>>,
}

shows! {
    /// One subject × one plan.
    MaintenanceItem(model::MaintenanceItem)
}

/// One subject × one plan: last done, next due and why.
#[Object]
impl MaintenanceItem {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        self.0.id.global().into()
    }
    /// The plan.
    async fn plan(&self, ctx: &Context<'_>) -> Result<MaintenancePlan> {
        Ok(load_known(ctx, self.0.plan_id, "maintenance_plan").await?.into())
    }
    /// Device or site.
    async fn subject(&self, ctx: &Context<'_>) -> Result<MaintenanceSubject> {
        subject(ctx, self.0.subject).await
    }
    /// Last completion, device time; null when never done.
    async fn last_done_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_done_at
    }
    /// How many completions count; for display, not a key.
    async fn cycle(&self) -> i32 {
        int(self.0.cycle)
    }
    /// Next due; null when no day is foreseen or permitted, the explanation says which.
    async fn due_at(&self) -> Option<DateTime<Utc>> {
        self.0.due.as_ref().and_then(|d| d.due_at)
    }
    /// First instant at which the work counts as on time; null without a due date.
    async fn window_start(&self) -> Option<DateTime<Utc>> {
        self.0.due.as_ref().filter(|d| d.due_at.is_some()).map(|d| d.window_start)
    }
    /// Last instant at which the work counts as on time; null without a due date.
    async fn window_end(&self) -> Option<DateTime<Utc>> {
        self.0.due.as_ref().filter(|d| d.due_at.is_some()).map(|d| d.window_end)
    }
    /// Why it is due then; null while the item is outside its plan.
    async fn explanation(&self) -> Option<DueExplanation> {
        self.0.explanation.clone().map(DueExplanation)
    }
    /// The order that is open for it; null when none is. There is never more than one.
    async fn open_work_order(&self, ctx: &Context<'_>) -> Result<Option<WorkOrder>> {
        Ok(load_opt(ctx, self.0.open_order_id).await?.map(Into::into))
    }
    /// The times its work is due from the next one on, earliest first. Those after the next one are
    /// projected; measures, firmware and events say nothing of later ones.
    #[graphql(complexity = "row_cost(5, child_complexity)")]
    async fn occurrences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Due before; at most two years ahead.")] before: DateTime<Utc>,
        #[graphql(desc = "Rows, 1 to 100.", default_with = "Some(20)")] limit: Option<i32>,
    ) -> Result<Vec<Occurrence>> {
        let before = within_horizon(Cx::of(ctx), before, "before")?;
        let limit = match usize::try_from(limit.unwrap_or(20)) {
            Ok(limit @ 1..=100) => limit,
            _ => return Err(bad_input("limit must be 1 to 100")),
        };
        let (Some(due), Some(explanation)) = (&self.0.due, &self.0.explanation) else { return Ok(vec![]) };
        let plan = load_known(ctx, self.0.plan_id, "maintenance_plan").await?;
        let compiled = Cx::of(ctx).services.planning.compiled_plan(&plan).map_err(|e| internal(&e))?;
        let now = Cx::of(ctx).now;
        Ok(occurrences(&compiled, due, explanation, now, before, limit).into_iter().map(Into::into).collect())
    }
    /// The item of larger work that is due within this one's band and does it too, so that it is not
    /// ordered by itself; null when there is none.
    async fn covered_by(&self, ctx: &Context<'_>) -> Result<Option<MaintenanceItem>> {
        Ok(load_opt(ctx, self.0.covered_by).await?.map(Into::into))
    }
    /// Grows with every change.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
}

shows! {
    /// An authorised job for one subject.
    WorkOrder(model::WorkOrder)
}

/// An authorised job for one subject; remembers where it was to be done, whatever moves later.
#[Object]
impl WorkOrder {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        self.0.id.global().into()
    }
    /// What people see, for example `WO-2026-000123`.
    async fn number(&self) -> &str {
        &self.0.number
    }
    /// The kind of maintenance.
    async fn kind(&self) -> MaintenanceKind {
        self.0.kind.into()
    }
    /// Where it is in its life.
    async fn state(&self) -> WorkOrderState {
        self.0.state.into()
    }
    /// How urgent.
    async fn priority(&self) -> Priority {
        self.0.priority.into()
    }
    /// When it is due; for usage and floating dates the start of that civil day at the site.
    async fn due_at(&self) -> DateTime<Utc> {
        self.0.due_at
    }
    /// First instant at which the work counts as on time.
    async fn window_start(&self) -> DateTime<Utc> {
        self.0.window_start
    }
    /// Last instant at which the work counts as on time.
    async fn window_end(&self) -> DateTime<Utc> {
        self.0.window_end
    }
    /// Open, and past its band.
    async fn is_overdue(&self, ctx: &Context<'_>) -> bool {
        self.0.state.is_open() && Cx::of(ctx).now > self.0.window_end
    }
    /// Device or site.
    async fn subject(&self, ctx: &Context<'_>) -> Result<MaintenanceSubject> {
        subject(ctx, self.0.subject).await
    }
    /// The device; null when the subject is a site.
    async fn device(&self, ctx: &Context<'_>) -> Result<Option<Device>> {
        Ok(load_opt(ctx, self.0.device_id).await?.map(Into::into))
    }
    /// Where it was to be done; null when the device stood nowhere.
    async fn site(&self, ctx: &Context<'_>) -> Result<Option<Site>> {
        Ok(load_opt(ctx, self.0.site_id).await?.map(Into::into))
    }
    /// The position it was to be done at; null when the subject is a site or stood nowhere.
    async fn position(&self, ctx: &Context<'_>) -> Result<Option<Position>> {
        Ok(load_opt(ctx, self.0.position_id).await?.map(Into::into))
    }
    /// The item it serves; null for ad hoc orders.
    async fn item(&self, ctx: &Context<'_>) -> Result<Option<MaintenanceItem>> {
        Ok(load_opt(ctx, self.0.item_id).await?.map(Into::into))
    }
    /// The plan; null for ad hoc orders.
    async fn plan(&self, ctx: &Context<'_>) -> Result<Option<MaintenancePlan>> {
        Ok(load_opt(ctx, self.0.plan_id).await?.map(Into::into))
    }
    /// Why it is due then; null for ad hoc orders.
    async fn explanation(&self) -> Option<DueExplanation> {
        self.0.explanation.clone().map(DueExplanation)
    }
    /// Who does it.
    async fn channel(&self) -> ExecutionChannel {
        self.0.channel.into()
    }
    /// The task list as issued, with the notes for the device's model; at most 100 steps.
    #[graphql(complexity = "row_cost(10, child_complexity)")]
    async fn steps(&self) -> Vec<TaskStep> {
        steps::shown(&self.0.steps, self.0.model_id)
    }
    /// Expected minutes.
    async fn estimated_minutes(&self) -> u32 {
        self.0.estimated_minutes
    }
    /// The technician; null while nobody is.
    async fn assignee(&self, ctx: &Context<'_>) -> Result<Option<Technician>> {
        Ok(load_opt(ctx, self.0.assignee_id).await?.map(Into::into))
    }
    /// When it is to be done; null while unscheduled.
    async fn scheduled_for(&self) -> Option<DateTime<Utc>> {
        self.0.scheduled_for
    }
    /// When it was issued.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When it was closed; null while open.
    async fn closed_at(&self) -> Option<DateTime<Utc>> {
        self.0.closed_at
    }
    /// Why it was closed without work; null otherwise.
    async fn close_reason(&self) -> Option<&str> {
        self.0.close_reason.as_deref()
    }
    /// The visit whose failed step it was opened for; null for all other orders.
    async fn origin_visit(&self, ctx: &Context<'_>) -> Result<Option<ServiceVisit>> {
        Ok(load_opt(ctx, self.0.origin.map(|o| o.visit_id)).await?.map(Into::into))
    }
    /// Place of that step in its task list, from 1; null for all other orders.
    async fn origin_step(&self) -> Option<i32> {
        self.0.origin.map(|o| i32::try_from(o.step).unwrap_or(i32::MAX))
    }
    /// Device time of the work that completed it; null otherwise.
    async fn performed_at(&self) -> Option<DateTime<Utc>> {
        self.0.performed_at
    }
    /// Grows with every change.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
}

/// One row of upcoming maintenance: an open order, or an item without one.
#[derive(Clone)]
pub enum UpcomingRow {
    /// An open order.
    Order(Arc<model::WorkOrder>),
    /// A forecast only.
    Item(Arc<model::MaintenanceItem>),
}

impl From<model::Upcoming> for UpcomingRow {
    fn from(row: model::Upcoming) -> Self {
        match row {
            model::Upcoming::Order(order) => Self::Order(Arc::from(order)),
            model::Upcoming::Item(item) => Self::Item(Arc::from(item)),
        }
    }
}

impl UpcomingRow {
    /// The order, if there is one.
    pub fn order(&self) -> Option<&Arc<model::WorkOrder>> {
        match self {
            Self::Order(order) => Some(order),
            Self::Item(_) => None,
        }
    }

    /// The item; absent for ad hoc orders.
    pub fn item_id(&self) -> Option<ItemId> {
        match self {
            Self::Order(order) => order.item_id,
            Self::Item(item) => Some(item.id),
        }
    }

    /// The plan; absent for ad hoc orders.
    pub fn plan_id(&self) -> Option<PlanId> {
        match self {
            Self::Order(order) => order.plan_id,
            Self::Item(item) => Some(item.plan_id),
        }
    }

    /// The device, when the subject is one.
    pub fn device_id(&self) -> Option<DeviceId> {
        match self {
            Self::Order(order) => order.device_id,
            Self::Item(item) => item.device_id,
        }
    }

    /// Where it is to be done.
    pub fn site_id(&self) -> Option<SiteId> {
        match self {
            Self::Order(order) => order.site_id,
            Self::Item(item) => item.site_id,
        }
    }

    /// Device or site.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Order(order) => order.subject,
            Self::Item(item) => item.subject,
        }
    }

    fn uuid(&self) -> Uuid {
        match self {
            Self::Order(order) => order.id.0,
            Self::Item(item) => item.id.0,
        }
    }

    fn explanation(&self) -> Option<&model::Explanation> {
        match self {
            Self::Order(order) => order.explanation.as_ref(),
            Self::Item(item) => item.explanation.as_ref(),
        }
    }

    /// Due, and the first and last instant of the band. An item is only listed with a due date.
    fn band(&self) -> (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>) {
        match self {
            Self::Order(order) => (order.due_at, order.window_start, order.window_end),
            Self::Item(item) => match &item.due {
                Some(due) => (due.due_at.unwrap_or(due.nominal_at), due.window_start, due.window_end),
                None => (item.decided_at, item.decided_at, item.decided_at),
            },
        }
    }
}

/// What falls due.
#[derive(Clone)]
pub struct UpcomingMaintenance(pub UpcomingRow);

/// What falls due: an item's open order, else its forecast; at most one row per item, and the
/// orders without an item.
#[Object]
impl UpcomingMaintenance {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        join_global(UPCOMING, self.0.uuid()).into()
    }
    /// When it is due; for usage and floating dates the start of that civil day at the site.
    async fn due_at(&self) -> DateTime<Utc> {
        self.0.band().0
    }
    /// Begin of the band, which runs from windowStart to windowEnd: work in it counts as on time.
    async fn window_start(&self) -> DateTime<Utc> {
        self.0.band().1
    }
    /// End of the band, its last instant.
    async fn window_end(&self) -> DateTime<Utc> {
        self.0.band().2
    }
    /// Past its band.
    async fn is_overdue(&self, ctx: &Context<'_>) -> bool {
        Cx::of(ctx).now > self.0.band().2
    }
    /// Early, middle and late day of a usage-driven date; null for other dates.
    async fn forecast(&self) -> Option<DueForecast> {
        let explanation = self.0.explanation()?;
        let basis = explanation.candidates.get(explanation.winner?)?.basis.as_ref()?;
        let zone: chrono_tz::Tz = explanation.zone.parse().ok()?;
        let at = |day: Option<NaiveDate>| day.map(|d| start_of_day(zone, d));
        Some(DueForecast { p10: at(basis.p10), p50: at(basis.p50), p90: at(basis.p90) })
    }
    /// Why it is due then; null only for orders without an item.
    async fn explanation(&self) -> Option<DueExplanation> {
        self.0.explanation().cloned().map(DueExplanation)
    }
    /// The kind of maintenance.
    async fn kind(&self) -> MaintenanceKind {
        match &self.0 {
            UpcomingRow::Order(order) => order.kind.into(),
            UpcomingRow::Item(item) => item.kind.into(),
        }
    }
    /// The plan; null for ad hoc orders.
    async fn plan(&self, ctx: &Context<'_>) -> Result<Option<MaintenancePlan>> {
        Ok(load_opt(ctx, self.0.plan_id()).await?.map(Into::into))
    }
    /// The item; null for ad hoc orders.
    async fn item(&self, ctx: &Context<'_>) -> Result<Option<MaintenanceItem>> {
        Ok(match &self.0 {
            UpcomingRow::Order(order) => load_opt(ctx, order.item_id).await?.map(Into::into),
            UpcomingRow::Item(item) => Some(item.clone().into()),
        })
    }
    /// Device or site.
    async fn subject(&self, ctx: &Context<'_>) -> Result<MaintenanceSubject> {
        subject(ctx, self.0.subject()).await
    }
    /// The device; null when the subject is a site.
    async fn device(&self, ctx: &Context<'_>) -> Result<Option<Device>> {
        Ok(load_opt(ctx, self.0.device_id()).await?.map(Into::into))
    }
    /// Where it is to be done; null when the device stands nowhere.
    async fn site(&self, ctx: &Context<'_>) -> Result<Option<Site>> {
        Ok(load_opt(ctx, self.0.site_id()).await?.map(Into::into))
    }
    /// The open order; null: forecast only.
    async fn work_order(&self) -> Option<WorkOrder> {
        self.0.order().cloned().map(Into::into)
    }
    /// Who does it, and where.
    async fn channel(&self) -> ExecutionChannel {
        match &self.0 {
            UpcomingRow::Order(order) => order.channel.into(),
            UpcomingRow::Item(item) => item.channel.into(),
        }
    }
    /// Expected minutes of work.
    async fn estimated_minutes(&self, ctx: &Context<'_>) -> Result<u32> {
        Ok(match &self.0 {
            UpcomingRow::Order(order) => order.estimated_minutes,
            UpcomingRow::Item(item) => {
                load_known(ctx, item.plan_id, "maintenance_plan").await?.definition.estimated_minutes
            }
        })
    }
}

/// What one planner run did.
#[derive(SimpleObject, Clone)]
pub struct PlannerRun {
    /// Devices and sites looked at.
    pub subject_count: i32,
    /// Items whose date or state changed.
    pub items_written: i32,
    /// Orders issued.
    pub orders_issued: i32,
    /// Orders whose date moved.
    pub orders_moved: i32,
    /// Orders withdrawn.
    pub orders_withdrawn: i32,
    /// Slots of grids found missed.
    pub slots_missed: i32,
}

impl From<model::PlannerRun> for PlannerRun {
    fn from(run: model::PlannerRun) -> Self {
        let count = |n: u64| i32::try_from(n).unwrap_or(i32::MAX);
        Self {
            subject_count: count(run.subjects),
            items_written: count(run.items_written),
            orders_issued: count(run.orders_issued),
            orders_moved: count(run.orders_moved),
            orders_withdrawn: count(run.orders_withdrawn),
            slots_missed: count(run.slots_missed),
        }
    }
}

connection!(MaintenancePlanConnection, MaintenancePlanEdge, MaintenancePlan, "maintenance plans");
connection!(WorkOrderConnection, WorkOrderEdge, WorkOrder, "work orders");
connection!(UpcomingMaintenanceConnection, UpcomingMaintenanceEdge, UpcomingMaintenance, "upcoming maintenance");

/// The tag of cursors of plans.
const PLANS: &str = "maintenancePlans";

/// A page of plans, by code.
pub async fn plans_page(
    ctx: &Context<'_>,
    kinds: Option<Vec<model::MaintenanceKind>>,
    is_active: Option<bool>,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<MaintenancePlanConnection> {
    let cx = Cx::of(ctx);
    let page = page(PLANS, first, after)?;
    let key: Option<String> = page.after.as_ref().map(|k| key_part(k, 0)).transpose()?;
    let planning = &cx.services.planning;
    let limit = u64::from(page.first) + 1;
    let rows = planning
        .plans_page(&cx.scope, key.as_deref(), kinds.as_deref(), is_active, limit)
        .await
        .map_err(|e| cx.fail(e))?;
    let total = match asks(ctx, "totalCount") {
        true => {
            let all = planning.plans_page(&cx.scope, None, kinds.as_deref(), is_active, COUNT_LIMIT + 1).await;
            Some(all.map_err(|e| cx.fail(e))?.len() as u64)
        }
        false => None,
    };
    let (rows, has_next) = cut(rows, page.first);
    let rows = rows
        .into_iter()
        .map(|p| {
            let at = cursor(PLANS, std::slice::from_ref(&p.code));
            (MaintenancePlan::from(p), at)
        })
        .collect();
    Ok(MaintenancePlanConnection::new(rows, has_next, key.is_some(), total))
}

/// A page of work orders.
pub async fn orders_page(
    ctx: &Context<'_>,
    filter: WorkOrderFilter,
    order: WorkOrderOrder,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<WorkOrderConnection> {
    let cx = Cx::of(ctx);
    let filter = filter.read()?;
    let field: model::WorkOrderOrderField = order.field.into();
    let is_descending = order.direction == OrderDirection::Desc;
    let tag = order_tag("workOrders", field, is_descending);
    let page = page(&tag, first, after)?;
    let key = match &page.after {
        Some(k) => Some((key_part::<String>(k, 0)?, key_part::<Uuid>(k, 1)?)),
        None => None,
    };
    let limit = u64::from(page.first) + 1;
    let planning = &cx.services.planning;
    let rows = planning
        .orders_page(&cx.scope, &filter, field, is_descending, key.as_ref(), limit, cx.now)
        .await
        .map_err(|e| cx.fail(e))?;
    let total = match asks(ctx, "totalCount") {
        true => Some(
            planning.count_orders(&cx.scope, &filter, field, COUNT_LIMIT + 1, cx.now).await.map_err(|e| cx.fail(e))?,
        ),
        false => None,
    };
    let (rows, has_next) = cut(rows, page.first);
    let rows: Vec<Arc<model::WorkOrder>> = rows.into_iter().map(Arc::new).collect();
    prefetch::orders(cx, &rows, &Ahead::rows(ctx)).await?;
    let rows = rows
        .into_iter()
        .map(|o| {
            let (value, id) = order_key(field, &o);
            (WorkOrder(o), cursor(&tag, &[value, id.to_string()]))
        })
        .collect();
    Ok(WorkOrderConnection::new(rows, has_next, key.is_some(), total))
}

/// From when to when something is due.
#[derive(Clone, Copy)]
pub struct DueRange {
    /// Due at or after; absent: everything overdue too.
    pub from: Option<DateTime<Utc>>,
    /// Due before.
    pub before: DateTime<Utc>,
}

/// The tag of cursors of upcoming maintenance.
const UPCOMING_LIST: &str = "upcomingMaintenance";

/// A page of upcoming maintenance, by due date.
pub async fn upcoming_page(
    ctx: &Context<'_>,
    range: DueRange,
    filter: UpcomingMaintenanceFilter,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<UpcomingMaintenanceConnection> {
    let cx = Cx::of(ctx);
    let filter = filter.read()?;
    let page = page(UPCOMING_LIST, first, after)?;
    let key = match &page.after {
        Some(k) => Some((key_part::<DateTime<Utc>>(k, 0)?, key_part::<Uuid>(k, 1)?)),
        None => None,
    };
    let DueRange { from, before } = range;
    let limit = u64::from(page.first) + 1;
    let planning = &cx.services.planning;
    let rows = planning
        .upcoming_page(&cx.scope, &filter, from, before, key.as_ref(), limit, cx.now)
        .await
        .map_err(|e| cx.fail(e))?;
    let total = match asks(ctx, "totalCount") {
        true => {
            let count = planning.count_upcoming(&cx.scope, &filter, from, before, COUNT_LIMIT + 1, cx.now).await;
            Some(count.map_err(|e| cx.fail(e))?)
        }
        false => None,
    };
    let (rows, has_next) = cut(rows, page.first);
    let cursors: Vec<String> = rows
        .iter()
        .map(|row| {
            let (due, id) = upcoming_key(row);
            cursor(UPCOMING_LIST, &[due.to_rfc3339_opts(SecondsFormat::Micros, true), id.to_string()])
        })
        .collect();
    let rows: Vec<UpcomingRow> = rows.into_iter().map(UpcomingRow::from).collect();
    prefetch::upcoming(cx, &rows, &Ahead::rows(ctx)).await?;
    let rows = rows.into_iter().map(UpcomingMaintenance).zip(cursors).collect();
    Ok(UpcomingMaintenanceConnection::new(rows, has_next, key.is_some(), total))
}
