//! Types of visits.

use crate::graphql::connection::{COUNT_LIMIT, asks, connection, cursor, cut, key_part, page, row_cost};
use crate::graphql::context::Cx;
use crate::graphql::enums::{ComponentKind, FailureOrigin, VisitLineCode, VisitLineOutcome};
use crate::graphql::errors::internal;
use crate::graphql::load::{load, load_known, load_opt};
use crate::graphql::loaders::{LinesOf, VisitsOf, shows};
use crate::graphql::planning::types::{MaintenancePlan, WorkOrder};
use crate::graphql::prefetch::{self, Ahead};
use crate::graphql::registry::types::{Device, Site, Technician};
use crate::graphql::scalars::{Date, int};
use crate::kernel::ids::{DeviceId, WorkOrderId};
use crate::planning::model::LineResult;
use crate::visits::model;
use async_graphql::{ComplexObject, Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, SecondsFormat, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// What became of a visit line, for one order or plan.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub struct VisitLineResult {
    /// Place of the line in the visit, from 0.
    pub line: i32,
    /// What happened.
    pub code: VisitLineCode,
    #[graphql(skip)]
    order: Option<WorkOrderId>,
}

#[ComplexObject]
impl VisitLineResult {
    /// The order concerned; null when none is.
    async fn work_order(&self, ctx: &Context<'_>) -> Result<Option<WorkOrder>> {
        Ok(load_opt(ctx, self.order).await?.map(Into::into))
    }
}

impl From<&LineResult> for VisitLineResult {
    fn from(r: &LineResult) -> Self {
        Self { line: i32::try_from(r.line).unwrap_or(i32::MAX), code: r.code.into(), order: r.work_order }
    }
}

/// A technician's answer to one step.
#[derive(SimpleObject, Clone)]
pub struct StepResult {
    /// Place of the step in the task list, from 1.
    pub step: u32,
    /// Whether it was done.
    pub is_done: bool,
    /// Remark; null when there is none.
    pub note: Option<String>,
    /// The answer to a PASS_FAIL step; null for all others.
    pub passed: Option<bool>,
    /// The answer to a CHOICE step, a code of its list; null for all others.
    pub choice: Option<String>,
    /// The answer to a NUMBER or METER_READING step; null for all others.
    pub number: Option<f64>,
    /// The answer to a TEXT step, card numbers masked; null for all others.
    pub text: Option<String>,
    /// The answer to a SERIAL_SCAN step; null for all others.
    pub serial: Option<String>,
    /// The step failed: the answer, a limit or a choice says so.
    pub has_failed: bool,
}

/// A part that was replaced, as reported.
#[derive(SimpleObject, Clone)]
pub struct PartReplaced {
    /// The part.
    pub component_kind: ComponentKind,
    /// Serial number of the part taken out; null when it was not read off.
    pub old_serial_number: Option<String>,
    /// Serial number of the part put in; null when it has none.
    pub new_serial_number: Option<String>,
    /// Last civil day of the new part's warranty; null when it has none.
    pub warranty_ends_on: Option<Date>,
    /// The maker's number of the new part; null when it was not given.
    pub part_number: Option<String>,
}

impl From<&model::PartReplaced> for PartReplaced {
    fn from(p: &model::PartReplaced) -> Self {
        Self {
            component_kind: p.component_kind.into(),
            old_serial_number: p.old_serial_number.clone(),
            new_serial_number: p.new_serial_number.clone(),
            warranty_ends_on: p.warranty_ends_on.map(Date),
            part_number: p.part_number.clone(),
        }
    }
}

/// Failures of a device shown at most.
pub const MAX_FAILURES: usize = 100;

/// What had failed, why, and what was done about it.
#[derive(Clone)]
pub struct FailureReport(pub model::FailureReport);

/// What had failed, why, and what was done about it; the codes are those of `failureCodes`.
#[Object]
impl FailureReport {
    /// What failed, for example `CRD-MSR-01`.
    async fn failure_code(&self) -> &str {
        &self.0.failure_code
    }
    /// Why; null when it was not found out.
    async fn cause_code(&self) -> Option<&str> {
        self.0.cause_code.as_deref()
    }
    /// What was done; null when nothing was.
    async fn remedy_code(&self) -> Option<&str> {
        self.0.remedy_code.as_deref()
    }
    /// Who or what caused it.
    async fn origin(&self) -> FailureOrigin {
        self.0.origin.into()
    }
    /// Since when it did not work, device time.
    async fn failed_at(&self) -> DateTime<Utc> {
        self.0.failed_at
    }
    /// When somebody noticed, device time; null when nobody says.
    async fn detected_at(&self) -> Option<DateTime<Utc>> {
        self.0.detected_at
    }
    /// When it worked again, device time; null while it does not.
    async fn restored_at(&self) -> Option<DateTime<Utc>> {
        self.0.restored_at
    }
    /// The corrective order it was repaired under; null when there was none.
    async fn work_order(&self, ctx: &Context<'_>) -> Result<Option<WorkOrder>> {
        Ok(load_opt(ctx, self.0.work_order_id).await?.map(Into::into))
    }
}

shows! {
    /// What was done to one device or to the site.
    VisitLine(model::VisitLine)
}

/// What was done to one device or to the site.
#[Object]
impl VisitLine {
    /// Opaque id.
    async fn id(&self) -> ID {
        self.0.id.global().into()
    }
    /// Place in the visit, from 0.
    async fn line(&self) -> i32 {
        self.0.line_no
    }
    /// The device; null for work on the site itself, and for a serial nobody knows.
    async fn device(&self, ctx: &Context<'_>) -> Result<Option<Device>> {
        Ok(load_opt(ctx, self.0.device_id).await?.map(Into::into))
    }
    /// The serial number as reported; null when the device was named otherwise.
    async fn serial_number(&self) -> Option<&str> {
        self.0.serial_number.as_deref()
    }
    /// The maker as reported; null when it was not.
    async fn manufacturer(&self) -> Option<&str> {
        self.0.manufacturer.as_deref()
    }
    /// When the work was done, device time.
    async fn performed_at(&self) -> DateTime<Utc> {
        self.0.performed_at
    }
    /// How it ended.
    async fn outcome(&self) -> VisitLineOutcome {
        self.0.outcome.into()
    }
    /// What was found, card numbers masked; null when nothing was said.
    async fn findings(&self) -> Option<&str> {
        self.0.findings.as_deref()
    }
    /// Answers to steps, at most 200.
    #[graphql(complexity = "row_cost(10, child_complexity)")]
    async fn step_results(&self) -> Vec<StepResult> {
        let shown = |r: &model::StepResult| StepResult {
            step: r.step,
            is_done: r.is_done,
            note: r.note.clone(),
            passed: r.passed,
            choice: r.choice.clone(),
            number: r.number,
            text: r.text.clone(),
            serial: r.serial.clone(),
            has_failed: r.has_failed,
        };
        self.0.step_results.iter().map(shown).collect()
    }
    /// Parts replaced, at most 50.
    #[graphql(complexity = "row_cost(2, child_complexity)")]
    async fn parts_replaced(&self) -> Vec<PartReplaced> {
        self.0.parts_replaced.iter().map(Into::into).collect()
    }
    /// What had failed; null when nothing is reported.
    async fn failure(&self) -> Option<FailureReport> {
        self.0.failure.clone().map(FailureReport)
    }
    /// Orders it was reported for, as far as they exist; at most 100.
    #[graphql(complexity = "row_cost(5, child_complexity)")]
    async fn work_orders(&self, ctx: &Context<'_>) -> Result<Vec<WorkOrder>> {
        let ids = &self.0.work_order_ids;
        let mut found = Cx::of(ctx).loader.load_many(ids.iter().copied()).await.map_err(|e| internal(&*e))?;
        Ok(ids.iter().filter_map(|id| found.remove(id)).map(Into::into).collect())
    }
    /// Plans whose work it reports, as far as they exist; at most 100.
    #[graphql(complexity = "row_cost(5, child_complexity)")]
    async fn plans(&self, ctx: &Context<'_>) -> Result<Vec<MaintenancePlan>> {
        let ids = &self.0.plan_ids;
        let mut found = Cx::of(ctx).loader.load_many(ids.iter().copied()).await.map_err(|e| internal(&*e))?;
        Ok(ids.iter().filter_map(|id| found.remove(id)).map(Into::into).collect())
    }
    /// What became of it, order by order and plan by plan.
    #[graphql(complexity = "row_cost(5, child_complexity)")]
    async fn notices(&self) -> Vec<VisitLineResult> {
        self.0.notices.iter().map(Into::into).collect()
    }
}

shows! {
    /// One trip of one technician to one site.
    ServiceVisit(model::ServiceVisit)
}

/// One trip of one technician to one site. It is evidence: never refused because an order changed.
#[Object]
impl ServiceVisit {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        self.0.id.global().into()
    }
    /// What people see, for example `SV-2026-000017`.
    async fn number(&self) -> &str {
        &self.0.number
    }
    /// The site.
    async fn site(&self, ctx: &Context<'_>) -> Result<Site> {
        Ok(load_known(ctx, self.0.site_id, "site").await?.into())
    }
    /// The technician.
    async fn technician(&self, ctx: &Context<'_>) -> Result<Technician> {
        Ok(load_known(ctx, self.0.technician_id, "technician").await?.into())
    }
    /// When it began, device time.
    async fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }
    /// When it ended, device time; null when not reported.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }
    /// Remarks, card numbers masked; null when there are none.
    async fn notes(&self) -> Option<&str> {
        self.0.notes.as_deref()
    }
    /// What was done, at most 200 lines.
    #[graphql(complexity = "row_cost(10, child_complexity)")]
    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<VisitLine>> {
        let lines = load(ctx, LinesOf(self.0.id)).await?.unwrap_or_default();
        Ok(lines.iter().cloned().map(Into::into).collect())
    }
    /// When the server took it in.
    async fn recorded_at(&self) -> DateTime<Utc> {
        self.0.recorded_at
    }
    /// Grows with every change.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
}

connection!(ServiceVisitConnection, ServiceVisitEdge, ServiceVisit, "service visits");

/// The tag of cursors of visits.
const VISITS: &str = "serviceVisits";

/// A page of visits, newest first.
pub async fn visits_page(
    ctx: &Context<'_>,
    filter: &model::VisitFilter,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<ServiceVisitConnection> {
    let cx = Cx::of(ctx);
    let page = page(VISITS, first, after)?;
    let key = match &page.after {
        Some(k) => Some((key_part::<DateTime<Utc>>(k, 0)?, key_part::<Uuid>(k, 1)?)),
        None => None,
    };
    let rows = cx
        .services
        .visits
        .visits_page(&cx.scope, filter, key.as_ref(), u64::from(page.first) + 1)
        .await
        .map_err(|e| cx.fail(e))?;
    let (rows, has_next) = cut(rows, page.first);
    let total = count(ctx, filter).await?;
    let rows: Vec<Arc<model::ServiceVisit>> = rows.into_iter().map(Arc::new).collect();
    prefetch::visits(cx, &rows, &Ahead::rows(ctx)).await?;
    Ok(connection_of(rows, has_next, key.is_some(), total))
}

/// How many visits there are, if the query asks.
async fn count(ctx: &Context<'_>, filter: &model::VisitFilter) -> Result<Option<u64>> {
    if !asks(ctx, "totalCount") {
        return Ok(None);
    }
    let cx = Cx::of(ctx);
    let count = cx.services.visits.count_visits(&cx.scope, filter, COUNT_LIMIT + 1).await;
    Ok(Some(count.map_err(|e| cx.fail(e))?))
}

fn connection_of(
    rows: Vec<Arc<model::ServiceVisit>>,
    has_next: bool,
    has_previous: bool,
    total: Option<u64>,
) -> ServiceVisitConnection {
    let rows = rows
        .into_iter()
        .map(|v| {
            let at = cursor(VISITS, &[v.started_at.to_rfc3339_opts(SecondsFormat::Micros, true), v.id.0.to_string()]);
            (ServiceVisit(v), at)
        })
        .collect();
    ServiceVisitConnection::new(rows, has_next, has_previous, total)
}

/// Visits fetched of each device for its first page: one more than shown, to know whether there
/// is a next, and some, because they are chosen by when the work was done and shown by when the
/// visit began.
pub fn device_visits_limit(first: u32) -> u32 {
    first + 10
}

/// A page of the visits that worked on a device, newest first.
pub async fn device_visits_page(
    ctx: &Context<'_>,
    device: DeviceId,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<ServiceVisitConnection> {
    let filter = model::VisitFilter { device_id: Some(device), ..Default::default() };
    if after.is_some() {
        return visits_page(ctx, &filter, first, after).await;
    }
    // First pages of many devices are fetched together.
    let page = page(VISITS, first, None)?;
    let limit = device_visits_limit(page.first);
    let latest = load(ctx, VisitsOf { device, limit }).await?.unwrap_or_default();
    let (rows, has_next) = cut(latest.iter().cloned().collect(), page.first);
    Ok(connection_of(rows, has_next, false, count(ctx, &filter).await?))
}
