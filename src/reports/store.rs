//! Facts for reports, read from the tables of the rooms below and never written.
//!
//! Each reader is one statement whatever the size of the fleet; what can be many rows is streamed
//! past the caller, in no order.

use super::model::Place;
use super::rules::{Found, Stay};
use crate::catalogue::model::FailureOrigin;
use crate::db::StoreResult;
use crate::db::cells::{code, corrupt};
use crate::db::scoped;
use crate::entity::{binding, device_model, failure, maintenance_item, maintenance_log, site, visit_line, work_order};
use crate::kernel::ids::{DeviceId, PlanId, WorkOrderId};
use crate::kernel::scope::Scope;
use crate::planning::model::{LogKind, MaintenanceKind, WorkOrderState};
use crate::visits::model::VisitLineOutcome;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use futures_util::TryStreamExt;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, JoinType, QueryFilter,
    QuerySelect, RelationDef, Select,
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// A stretch of time: from an instant up to, and without, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub to: DateTime<Utc>,
}

/// How long before a period attempts at a repair are looked for that was finished in it.
const ATTEMPTS_BEFORE: TimeDelta = TimeDelta::days(366);

pub(super) fn kind_of(table: &str, row: Uuid, text: &str) -> StoreResult<MaintenanceKind> {
    code(MaintenanceKind::parse, table, "kind", row, text)
}

/// What a report needs to know of a site.
#[derive(Clone, Debug)]
pub struct SiteFacts {
    /// Its name.
    pub name: String,
    /// Its merchant.
    pub merchant: Uuid,
    /// Its region code.
    pub region: Option<String>,
    /// Zone of its civil days.
    pub zone: Tz,
}

/// Every site.
pub async fn sites(db: &impl ConnectionTrait, scope: &Scope) -> StoreResult<HashMap<Uuid, SiteFacts>> {
    use site::Column as C;
    let rows: Vec<(Uuid, Uuid, String, Option<String>, String)> = scoped::find::<site::Entity>(scope)
        .select_only()
        .columns([C::Id, C::MerchantId, C::Name, C::RegionCode, C::TimeZone])
        .into_tuple()
        .all(db)
        .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for (id, merchant, name, region, zone) in rows {
        let zone = zone.parse().map_err(|_| corrupt("site", "time_zone", id, &zone))?;
        found.insert(id, SiteFacts { name, merchant, region, zone });
    }
    Ok(found)
}

/// The name of every model: maker, name and hardware revision.
pub async fn model_names(db: &impl ConnectionTrait, scope: &Scope) -> StoreResult<HashMap<Uuid, String>> {
    use device_model::Column as C;
    let rows: Vec<(Uuid, String, String, String)> = scoped::find::<device_model::Entity>(scope)
        .select_only()
        .columns([C::Id, C::Manufacturer, C::Name, C::HardwareRevision])
        .into_tuple()
        .all(db)
        .await?;
    let name = |(id, maker, name, revision): (Uuid, String, String, String)| {
        (id, format!("{maker} {name} {revision}").trim_end().to_owned())
    };
    Ok(rows.into_iter().map(name).collect())
}

/// Where devices stood in a period.
pub async fn stays(
    db: &impl ConnectionTrait,
    scope: &Scope,
    period: Period,
) -> StoreResult<HashMap<DeviceId, Vec<Stay>>> {
    use binding::Column as C;
    type Row = (Uuid, Uuid, DateTime<Utc>, Option<DateTime<Utc>>);
    let rows: Vec<Row> = scoped::find::<binding::Entity>(scope)
        .select_only()
        .columns([C::DeviceId, C::SiteId, C::StartedAt, C::EndedAt])
        .filter(C::StartedAt.lt(period.to))
        .filter(Condition::any().add(C::EndedAt.is_null()).add(C::EndedAt.gt(period.from)))
        .into_tuple()
        .all(db)
        .await?;
    let mut found: HashMap<DeviceId, Vec<Stay>> = HashMap::new();
    for (device, site, started_at, ended_at) in rows {
        found.entry(DeviceId(device)).or_default().push(Stay { site, started_at, ended_at });
    }
    Ok(found)
}

// ---- occurrences ----

/// An order of an item, with what became of it.
#[derive(Clone, Debug)]
pub struct OrderFact {
    /// Its device; absent when the subject is a site.
    pub device: Option<DeviceId>,
    /// Where it was to be done, of what, and its due date.
    pub place: Place,
    /// Its dates.
    pub found: Found,
}

#[derive(Debug, FromQueryResult)]
struct OrderRow {
    id: Uuid,
    kind: String,
    state: String,
    device_id: Option<Uuid>,
    site_id: Option<Uuid>,
    model_id: Option<Uuid>,
    region_code: Option<String>,
    nominal_due_at: DateTime<Utc>,
    window_start: DateTime<Utc>,
    window_end: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    performed_at: Option<DateTime<Utc>>,
}

/// An order whose slot was missed is told by the log, which has the last word.
const IS_NOT_MISSED: &str = "not exists (select 1 from maintenance_log missed \
     where missed.item_id = work_order.item_id and missed.occurrence_key = work_order.occurrence_key \
     and missed.kind = 'MISSED' and missed.is_void = false)";

/// Orders of items that fell due in a period and were neither taken back nor skipped.
pub(super) fn orders_due(scope: &Scope, period: Period) -> Select<work_order::Entity> {
    use work_order::Column as C;
    scoped::find::<work_order::Entity>(scope)
        .filter(C::ItemId.is_not_null())
        .filter(C::NominalDueAt.gte(period.from))
        .filter(C::NominalDueAt.lt(period.to))
        .filter(C::State.is_not_in([WorkOrderState::Cancelled.as_str(), WorkOrderState::Skipped.as_str()]))
}

/// What became of the orders due in a period, without those whose slot was missed.
pub async fn orders(
    db: &DatabaseTransaction,
    scope: &Scope,
    period: Period,
    mut each: impl FnMut(OrderFact) + Send,
) -> StoreResult<()> {
    use work_order::Column as C;
    let find = orders_due(scope, period)
        .select_only()
        .columns([
            C::Id,
            C::Kind,
            C::State,
            C::DeviceId,
            C::SiteId,
            C::ModelId,
            C::RegionCode,
            C::NominalDueAt,
            C::WindowStart,
            C::WindowEnd,
            C::ClosedAt,
            C::PerformedAt,
        ])
        .filter(Expr::cust(IS_NOT_MISSED));
    let mut rows = find.into_model::<OrderRow>().stream(db).await?;
    while let Some(row) = rows.try_next().await? {
        let kind = kind_of("work_order", row.id, &row.kind)?;
        let is_done = row.state == WorkOrderState::Completed.as_str();
        let done_at = row.performed_at.or(row.closed_at).unwrap_or(row.nominal_due_at);
        each(OrderFact {
            device: row.device_id.map(DeviceId),
            place: Place {
                model: row.model_id,
                site: row.site_id,
                region: row.region_code,
                kind: Some(kind),
                at: row.nominal_due_at,
            },
            found: Found {
                nominal_at: row.nominal_due_at,
                window_start: row.window_start,
                window_end: row.window_end,
                done_at: is_done.then_some(done_at),
            },
        });
    }
    Ok(())
}

/// An occurrence of an item that the log or the item itself tells of.
#[derive(Clone, Debug)]
pub struct ItemFact {
    /// The item's device; absent when the subject is a site.
    pub device: Option<DeviceId>,
    /// Its plan.
    pub plan: PlanId,
    /// Of what it is and when; its site is the one where the item is now.
    pub place: Place,
    /// What the log says.
    pub kind: LogKind,
}

#[derive(Debug, FromQueryResult)]
struct LogRow {
    item_id: Uuid,
    plan_id: Uuid,
    log_kind: String,
    at: DateTime<Utc>,
    kind: String,
    device_id: Option<Uuid>,
    site_id: Option<Uuid>,
    model_id: Option<Uuid>,
    region_code: Option<String>,
}

impl LogRow {
    fn fact(self) -> StoreResult<ItemFact> {
        let kind = LogKind::parse(&self.log_kind)
            .ok_or_else(|| corrupt("maintenance_log", "kind", self.item_id, &self.log_kind))?;
        Ok(ItemFact {
            device: self.device_id.map(DeviceId),
            plan: PlanId(self.plan_id),
            place: Place {
                model: self.model_id,
                site: self.site_id,
                region: self.region_code,
                kind: Some(kind_of("maintenance_item", self.item_id, &self.kind)?),
                at: self.at,
            },
            kind,
        })
    }
}

fn item_of_log() -> RelationDef {
    maintenance_log::Entity::belongs_to(maintenance_item::Entity)
        .from(maintenance_log::Column::ItemId)
        .to(maintenance_item::Column::Id)
        .into()
}

/// Entries of logs with their items; `at` is the column that says when.
fn find_log(scope: &Scope, at: maintenance_log::Column, period: Period) -> Select<maintenance_log::Entity> {
    use maintenance_item::Column as I;
    use maintenance_log::Column as C;
    scoped::find::<maintenance_log::Entity>(scope)
        .select_only()
        .column_as(C::ItemId, "item_id")
        .column_as(C::PlanId, "plan_id")
        .column_as(C::Kind, "log_kind")
        .column_as(at, "at")
        .column_as(I::Kind, "kind")
        .column_as(I::DeviceId, "device_id")
        .column_as(I::SiteId, "site_id")
        .column_as(I::ModelId, "model_id")
        .column_as(I::RegionCode, "region_code")
        .join(JoinType::InnerJoin, item_of_log())
        .filter(C::IsVoid.eq(false))
        .filter(at.gte(period.from))
        .filter(at.lt(period.to))
}

/// Occurrences due in a period that were missed or skipped, as far as the log still says so.
pub async fn missed_and_skipped(
    db: &DatabaseTransaction,
    scope: &Scope,
    period: Period,
    mut each: impl FnMut(ItemFact) + Send,
) -> StoreResult<()> {
    use maintenance_log::Column as C;
    let find = find_log(scope, C::NominalDueAt, period)
        .filter(C::Kind.is_in([LogKind::Missed.as_str(), LogKind::Skipped.as_str()]));
    let mut rows = find.into_model::<LogRow>().stream(db).await?;
    while let Some(row) = rows.try_next().await? {
        each(row.fact()?);
    }
    Ok(())
}

/// Work that completed an order was performed when the order says.
const CLOSED_NO_ORDER: &str = "not exists (select 1 from work_order closed \
     where closed.organization_id = maintenance_log.organization_id and closed.subject_id = maintenance_log.subject_id \
     and closed.item_id = maintenance_log.item_id and closed.state = 'COMPLETED' \
     and closed.performed_at = maintenance_log.performed_at)";

/// Work performed in a period that was counted for an item and closed no order; work told twice
/// is one.
pub async fn done_without_order(
    db: &DatabaseTransaction,
    scope: &Scope,
    period: Period,
    mut each: impl FnMut(ItemFact) + Send,
) -> StoreResult<()> {
    use maintenance_log::Column as C;
    let find = find_log(scope, C::PerformedAt, period)
        .filter(C::Kind.eq(LogKind::Done.as_str()))
        .filter(Expr::cust(CLOSED_NO_ORDER))
        .distinct();
    let mut rows = find.into_model::<LogRow>().stream(db).await?;
    while let Some(row) = rows.try_next().await? {
        each(row.fact()?);
    }
    Ok(())
}

#[derive(Debug, FromQueryResult)]
struct ItemRow {
    id: Uuid,
    kind: String,
    device_id: Option<Uuid>,
    site_id: Option<Uuid>,
    model_id: Option<Uuid>,
    region_code: Option<String>,
    nominal_due_at: DateTime<Utc>,
    window_start: DateTime<Utc>,
    window_end: DateTime<Utc>,
}

/// Items that fell due in a period and have no order.
pub async fn items_without_order(
    db: &DatabaseTransaction,
    scope: &Scope,
    period: Period,
    mut each: impl FnMut(OrderFact) + Send,
) -> StoreResult<()> {
    use maintenance_item::Column as C;
    let find = scoped::find::<maintenance_item::Entity>(scope)
        .select_only()
        .columns([
            C::Id,
            C::Kind,
            C::DeviceId,
            C::SiteId,
            C::ModelId,
            C::RegionCode,
            C::NominalDueAt,
            C::WindowStart,
            C::WindowEnd,
        ])
        .filter(C::IsAlive.eq(true))
        .filter(C::OpenOrderId.is_null())
        // What a larger work includes is done, and counted, with it.
        .filter(C::CoveredBy.is_null())
        .filter(C::NominalDueAt.gte(period.from))
        .filter(C::NominalDueAt.lt(period.to))
        .filter(C::WindowStart.is_not_null())
        .filter(C::WindowEnd.is_not_null());
    let mut rows = find.into_model::<ItemRow>().stream(db).await?;
    while let Some(row) = rows.try_next().await? {
        let kind = kind_of("maintenance_item", row.id, &row.kind)?;
        each(OrderFact {
            device: row.device_id.map(DeviceId),
            place: Place {
                model: row.model_id,
                site: row.site_id,
                region: row.region_code,
                kind: Some(kind),
                at: row.nominal_due_at,
            },
            found: Found {
                nominal_at: row.nominal_due_at,
                window_start: row.window_start,
                window_end: row.window_end,
                done_at: None,
            },
        });
    }
    Ok(())
}

// ---- failures and repairs ----

/// A report of a failure.
#[derive(Clone, Debug)]
pub struct FailureFact {
    /// Its id.
    pub id: Uuid,
    /// The visit line that reports it.
    pub line: Uuid,
    /// The device.
    pub device: DeviceId,
    /// Failure code.
    pub code: String,
    /// Where it stood then, of what model it is, and when it failed.
    pub place: Place,
    /// Who caused it.
    pub origin: FailureOrigin,
    /// When the device worked again.
    pub restored_at: Option<DateTime<Utc>>,
    /// The order it was repaired under.
    pub work_order: Option<WorkOrderId>,
    /// How the work that reported it ended, and when that was.
    pub work: Option<(VisitLineOutcome, DateTime<Utc>)>,
}

#[derive(Debug, FromQueryResult)]
struct FailureRow {
    id: Uuid,
    visit_line_id: Uuid,
    failure_code: String,
    device_id: Uuid,
    site_id: Option<Uuid>,
    model_id: Option<Uuid>,
    region_code: Option<String>,
    work_order_id: Option<Uuid>,
    origin: String,
    failed_at: DateTime<Utc>,
    restored_at: Option<DateTime<Utc>>,
    outcome: Option<String>,
    performed_at: Option<DateTime<Utc>>,
}

/// Another report of the device's failure mode does not say when it ended: this one may.
const MAY_END_ANOTHER: &str = "exists (select 1 from failure unended \
     where unended.organization_id = failure.organization_id and unended.device_id = failure.device_id \
     and unended.failure_code = failure.failure_code and unended.restored_at is null)";

/// Reports of failures that began before the end of a period, and were not restored or reported
/// before it began; and those that may tell the end of another one.
pub async fn failures(
    db: &DatabaseTransaction,
    scope: &Scope,
    period: Period,
    mut each: impl FnMut(FailureFact) + Send,
) -> StoreResult<()> {
    use failure::Column as C;
    let line = || -> RelationDef {
        failure::Entity::belongs_to(visit_line::Entity).from(C::VisitLineId).to(visit_line::Column::Id).into()
    };
    let find = scoped::find::<failure::Entity>(scope)
        .select_only()
        .column_as(C::Id, "id")
        .column_as(C::VisitLineId, "visit_line_id")
        .column_as(C::FailureCode, "failure_code")
        .column_as(C::DeviceId, "device_id")
        .column_as(C::SiteId, "site_id")
        .column_as(C::ModelId, "model_id")
        .column_as(C::RegionCode, "region_code")
        .column_as(C::WorkOrderId, "work_order_id")
        .column_as(C::Origin, "origin")
        .column_as(C::FailedAt, "failed_at")
        .column_as(C::RestoredAt, "restored_at")
        .column_as(visit_line::Column::Outcome, "outcome")
        .column_as(visit_line::Column::PerformedAt, "performed_at")
        .join(JoinType::LeftJoin, line())
        .filter(C::FailedAt.lt(period.to))
        .filter(
            Condition::any()
                .add(C::FailedAt.gte(period.from))
                .add(C::RestoredAt.is_null())
                .add(C::RestoredAt.gt(period.from))
                .add(visit_line::Column::PerformedAt.gte(period.from))
                .add(Expr::cust(MAY_END_ANOTHER)),
        );
    let mut rows = find.into_model::<FailureRow>().stream(db).await?;
    while let Some(row) = rows.try_next().await? {
        let origin =
            FailureOrigin::parse(&row.origin).ok_or_else(|| corrupt("failure", "origin", row.id, &row.origin))?;
        let work = match (&row.outcome, row.performed_at) {
            (Some(text), Some(at)) => {
                let outcome = VisitLineOutcome::parse(text);
                Some((outcome.ok_or_else(|| corrupt("visit_line", "outcome", row.id, text))?, at))
            }
            _ => None,
        };
        each(FailureFact {
            id: row.id,
            line: row.visit_line_id,
            device: DeviceId(row.device_id),
            code: row.failure_code,
            place: Place {
                model: row.model_id,
                site: row.site_id,
                region: row.region_code,
                kind: None,
                at: row.failed_at,
            },
            origin,
            restored_at: row.restored_at,
            work_order: row.work_order_id.map(WorkOrderId),
            work,
        });
    }
    Ok(())
}

/// A corrective order.
#[derive(Clone, Debug)]
pub struct RepairFact {
    /// The order.
    pub id: WorkOrderId,
    /// Its device; absent when it is for a site.
    pub device: Option<DeviceId>,
    /// Where it was to be done and of what.
    pub place: Place,
    /// When it was done; absent while it is open, and where it was given up.
    pub done_at: Option<DateTime<Utc>>,
    /// The visit line that did it, as far as one did.
    pub line: Option<Uuid>,
}

/// Corrective orders issued before the end of a period and not completed before it began.
pub async fn repairs(db: &impl ConnectionTrait, scope: &Scope, period: Period) -> StoreResult<Vec<RepairFact>> {
    use work_order::Column as C;
    type Row = (
        Uuid,
        Option<Uuid>,
        Option<Uuid>,
        Option<Uuid>,
        Option<String>,
        String,
        DateTime<Utc>,
        Option<DateTime<Utc>>,
        Option<Uuid>,
    );
    let rows: Vec<Row> = scoped::find::<work_order::Entity>(scope)
        .select_only()
        .columns([
            C::Id,
            C::DeviceId,
            C::SiteId,
            C::ModelId,
            C::RegionCode,
            C::State,
            C::CreatedAt,
            C::PerformedAt,
            C::VisitLineId,
        ])
        .filter(C::Kind.eq(MaintenanceKind::Corrective.as_str()))
        // What was done before it was ordered is done all the same.
        .filter(Condition::any().add(C::CreatedAt.lt(period.to)).add(C::PerformedAt.lt(period.to)))
        .filter(Condition::any().add(C::PerformedAt.is_null()).add(C::PerformedAt.gte(period.from)))
        .into_tuple()
        .all(db)
        .await?;
    let is_done = |state: &str| state == WorkOrderState::Completed.as_str();
    Ok(rows
        .into_iter()
        .map(|(id, device, site, model, region, state, created_at, performed_at, line)| RepairFact {
            id: WorkOrderId(id),
            device: device.map(DeviceId),
            place: Place { model, site, region, kind: None, at: performed_at.unwrap_or(created_at) },
            done_at: performed_at.filter(|_| is_done(&state)),
            line,
        })
        .collect())
}

/// Lines whose failed steps opened an order; of those performed from a moment on, all.
pub async fn lines_followed_up(
    db: &impl ConnectionTrait,
    scope: &Scope,
    from: DateTime<Utc>,
) -> StoreResult<HashSet<Uuid>> {
    use work_order::Column as C;
    // The clock of a phone may be ahead of the server's.
    let from = from.checked_sub_signed(TimeDelta::days(1)).unwrap_or(from);
    let rows: Vec<Option<Uuid>> = scoped::find::<work_order::Entity>(scope)
        .select_only()
        .column(C::OriginVisitLineId)
        .filter(C::OriginVisitLineId.is_not_null())
        .filter(C::CreatedAt.gte(from))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().flatten().collect())
}

/// A visit line that did not do what it names.
#[derive(Clone, Debug)]
pub struct AttemptFact {
    /// The orders it names.
    pub work_orders: Vec<WorkOrderId>,
    /// How it ended.
    pub outcome: VisitLineOutcome,
    /// When.
    pub performed_at: DateTime<Utc>,
}

#[derive(Debug, FromQueryResult)]
struct AttemptRow {
    id: Uuid,
    performed_at: DateTime<Utc>,
    outcome: String,
    work_order_ids: String,
}

/// Lines that name an order and are not done, of a period and the year before it.
pub async fn attempts(
    db: &DatabaseTransaction,
    scope: &Scope,
    period: Period,
    mut each: impl FnMut(AttemptFact) + Send,
) -> StoreResult<()> {
    use visit_line::Column as C;
    let from = period.from.checked_sub_signed(ATTEMPTS_BEFORE).unwrap_or(period.from);
    let find = scoped::find::<visit_line::Entity>(scope)
        .select_only()
        .columns([C::Id, C::PerformedAt, C::Outcome, C::WorkOrderIds])
        .filter(C::Outcome.ne(VisitLineOutcome::Done.as_str()))
        .filter(C::WorkOrderIds.ne("[]"))
        .filter(C::PerformedAt.gte(from))
        .filter(C::PerformedAt.lt(period.to));
    let mut rows = find.into_model::<AttemptRow>().stream(db).await?;
    while let Some(row) = rows.try_next().await? {
        let work_orders = serde_json::from_str(&row.work_order_ids)
            .map_err(|e| corrupt("visit_line", "work_order_ids", row.id, e))?;
        let outcome = VisitLineOutcome::parse(&row.outcome)
            .ok_or_else(|| corrupt("visit_line", "outcome", row.id, &row.outcome))?;
        each(AttemptFact { work_orders, outcome, performed_at: row.performed_at });
    }
    Ok(())
}
