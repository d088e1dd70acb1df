//! Rows of planning ↔ its model. Batch readers take slices; every function takes a scope.

use super::model::*;
pub use super::order_store::*;
use crate::db::StoreResult;
use crate::db::cells::{code, corrupt, json, to_json};
use crate::db::scoped::{self, begins_with_any, count_up_to, insert_chunked};
use crate::entity::{maintenance_item, maintenance_log, maintenance_plan, plan_revision, planner_mark, work_order};
use crate::kernel::ids::{DeviceId, ItemId, PlanId};
use crate::kernel::scope::Scope;
use crate::kernel::subject::{Subject, SubjectKind};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, IntoActiveModel, Iterable, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::HashMap;
use uuid::Uuid;

/// Ids in one `IN` list; well below SQLite's bind limit.
const CHUNK: usize = 1_000;

// ---- plans ----

fn plan_from(plan: maintenance_plan::Model, revision: &plan_revision::Model) -> StoreResult<MaintenancePlan> {
    Ok(MaintenancePlan {
        id: plan.id.into(),
        revision_id: revision.id.into(),
        revision: revision.revision,
        is_active: plan.is_active,
        version: plan.version,
        created_at: plan.created_at,
        definition: json("plan_revision", "definition", revision.id, &revision.definition)?,
        code: plan.code,
    })
}

async fn with_revisions(
    db: &impl ConnectionTrait,
    scope: &Scope,
    plans: Vec<maintenance_plan::Model>,
) -> StoreResult<Vec<MaintenancePlan>> {
    let ids: Vec<Uuid> = plans.iter().map(|p| p.current_revision_id).collect();
    let revisions: HashMap<Uuid, plan_revision::Model> = scoped::find::<plan_revision::Entity>(scope)
        .filter(plan_revision::Column::Id.is_in(ids))
        .all(db)
        .await?
        .into_iter()
        .map(|r| (r.id, r))
        .collect();
    plans
        .into_iter()
        .map(|p| match revisions.get(&p.current_revision_id) {
            Some(revision) => plan_from(p, revision),
            None => Err(corrupt("maintenance_plan", "current_revision_id", p.id, "no such revision")),
        })
        .collect()
}

/// Every plan of the organization; plans are few.
pub async fn all_plans(db: &impl ConnectionTrait, scope: &Scope) -> StoreResult<Vec<MaintenancePlan>> {
    let plans =
        scoped::find::<maintenance_plan::Entity>(scope).order_by_asc(maintenance_plan::Column::Code).all(db).await?;
    with_revisions(db, scope, plans).await
}

/// Plans by id, in any order.
pub async fn plans_by_ids(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[PlanId],
) -> StoreResult<Vec<MaintenancePlan>> {
    let plans = scoped::find::<maintenance_plan::Entity>(scope)
        .filter(maintenance_plan::Column::Id.is_in(ids.iter().map(|i| i.0)))
        .all(db)
        .await?;
    with_revisions(db, scope, plans).await
}

/// Plans by code, after a code, for paging.
pub async fn plans_page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    after_code: Option<&str>,
    kinds: Option<&[MaintenanceKind]>,
    is_active: Option<bool>,
    limit: u64,
) -> StoreResult<Vec<MaintenancePlan>> {
    let mut find = scoped::find::<maintenance_plan::Entity>(scope);
    if let Some(code) = after_code {
        find = find.filter(maintenance_plan::Column::Code.gt(code));
    }
    if let Some(is_active) = is_active {
        find = find.filter(maintenance_plan::Column::IsActive.eq(is_active));
    }
    let mut plans = find.order_by_asc(maintenance_plan::Column::Code);
    if kinds.is_none() {
        plans = plans.limit(limit);
    }
    let mut plans = with_revisions(db, scope, plans.all(db).await?).await?;
    if let Some(kinds) = kinds {
        plans.retain(|p| kinds.contains(&p.definition.kind));
    }
    plans.truncate(limit as usize);
    Ok(plans)
}

/// Writes a new plan with its first revision.
pub async fn insert_plan(db: &impl ConnectionTrait, scope: &Scope, plan: &MaintenancePlan) -> StoreResult<()> {
    let row = maintenance_plan::Model {
        id: plan.id.0,
        organization_id: scope.organization.0,
        code: plan.code.clone(),
        current_revision_id: plan.revision_id.0,
        is_active: plan.is_active,
        version: plan.version,
        created_at: plan.created_at,
    };
    insert_chunked(db, vec![row.into_active_model()], None).await?;
    insert_revision(db, scope, plan, plan.created_at).await
}

/// Writes the revision a plan now has.
pub async fn insert_revision(
    db: &impl ConnectionTrait,
    scope: &Scope,
    plan: &MaintenancePlan,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let row = plan_revision::Model {
        id: plan.revision_id.0,
        organization_id: scope.organization.0,
        plan_id: plan.id.0,
        revision: plan.revision,
        definition: to_json(&plan.definition)?,
        created_at: now,
    };
    insert_chunked(db, vec![row.into_active_model()], None).await
}

/// Points a plan at its new revision; false when somebody changed it first.
pub async fn update_plan(
    db: &impl ConnectionTrait,
    scope: &Scope,
    plan: &MaintenancePlan,
    had_version: i64,
) -> StoreResult<bool> {
    let done = scoped::update_many::<maintenance_plan::Entity>(scope)
        .col_expr(maintenance_plan::Column::CurrentRevisionId, Expr::value(plan.revision_id.0))
        .col_expr(maintenance_plan::Column::IsActive, Expr::value(plan.is_active))
        .col_expr(maintenance_plan::Column::Version, Expr::value(plan.version))
        .filter(maintenance_plan::Column::Id.eq(plan.id.0))
        .filter(maintenance_plan::Column::Version.eq(had_version))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

// ---- items ----

fn item_from(row: maintenance_item::Model) -> StoreResult<MaintenanceItem> {
    let kind = code(SubjectKind::parse, "maintenance_item", "subject_kind", row.id, &row.subject_kind)?;
    let due = match (&row.occurrence_key, row.nominal_due_at, row.window_start, row.window_end) {
        (Some(key), Some(nominal_at), Some(window_start), Some(window_end)) => Some(Due {
            occurrence_key: key.clone(),
            nominal_at,
            due_at: row.due_at,
            window_start,
            window_end,
            p10_at: row.p10_at,
            p50_at: row.p50_at,
            p90_at: row.p90_at,
        }),
        _ => None,
    };
    let explanation = match &row.explanation {
        Some(text) => Some(json("maintenance_item", "explanation", row.id, text)?),
        None => None,
    };
    Ok(MaintenanceItem {
        id: row.id.into(),
        plan_id: row.plan_id.into(),
        subject: Subject { kind, id: row.subject_id },
        device_id: row.device_id.map(Into::into),
        site_id: row.site_id.map(Into::into),
        model_id: row.model_id.map(Into::into),
        region_code: row.region_code,
        kind: code(MaintenanceKind::parse, "maintenance_item", "kind", row.id, &row.kind)?,
        channel: code(ExecutionChannel::parse, "maintenance_item", "channel", row.id, &row.channel)?,
        is_alive: row.is_alive,
        alive_since: row.alive_since,
        counts_from: row.counts_from,
        last_done_at: row.last_done_at,
        cycle: row.cycle,
        due,
        explanation,
        open_order_id: row.open_order_id.map(Into::into),
        covered_by: row.covered_by.map(Into::into),
        conditions: match &row.conditions {
            Some(text) => json("maintenance_item", "conditions", row.id, text)?,
            None => vec![],
        },
        decided_at: row.decided_at,
        next_look_at: row.next_look_at,
        version: row.version,
    })
}

fn item_row(scope: &Scope, item: &MaintenanceItem) -> StoreResult<maintenance_item::Model> {
    let due = item.due.as_ref();
    Ok(maintenance_item::Model {
        id: item.id.0,
        organization_id: scope.organization.0,
        plan_id: item.plan_id.0,
        subject_kind: item.subject.kind.as_str().into(),
        subject_id: item.subject.id,
        device_id: item.device_id.map(|i| i.0),
        site_id: item.site_id.map(|i| i.0),
        model_id: item.model_id.map(|i| i.0),
        region_code: item.region_code.clone(),
        kind: item.kind.as_str().into(),
        channel: item.channel.as_str().into(),
        is_alive: item.is_alive,
        alive_since: item.alive_since,
        counts_from: item.counts_from,
        last_done_at: item.last_done_at,
        cycle: item.cycle,
        nominal_due_at: due.map(|d| d.nominal_at),
        due_at: due.and_then(|d| d.due_at),
        window_start: due.map(|d| d.window_start),
        window_end: due.map(|d| d.window_end),
        p10_at: due.and_then(|d| d.p10_at),
        p50_at: due.and_then(|d| d.p50_at),
        p90_at: due.and_then(|d| d.p90_at),
        occurrence_key: due.map(|d| d.occurrence_key.clone()),
        explanation: match &item.explanation {
            Some(e) => Some(to_json(e)?),
            None => None,
        },
        open_order_id: item.open_order_id.map(|i| i.0),
        covered_by: item.covered_by.map(|i| i.0),
        conditions: if item.conditions.is_empty() { None } else { Some(to_json(&item.conditions)?) },
        decided_at: item.decided_at,
        next_look_at: item.next_look_at,
        version: item.version,
    })
}

/// Items of these subjects, whatever their plan.
pub async fn items_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    subjects: &[Uuid],
) -> StoreResult<Vec<MaintenanceItem>> {
    let mut items = Vec::new();
    for chunk in subjects.chunks(CHUNK) {
        let rows = scoped::find::<maintenance_item::Entity>(scope)
            .filter(maintenance_item::Column::SubjectId.is_in(chunk.iter().copied()))
            .order_by_asc(maintenance_item::Column::Id)
            .all(db)
            .await?;
        for row in rows {
            items.push(item_from(row)?);
        }
    }
    Ok(items)
}

/// Items by id, in any order.
pub async fn items_by_ids(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[ItemId],
) -> StoreResult<Vec<MaintenanceItem>> {
    let mut items = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = scoped::find::<maintenance_item::Entity>(scope)
            .filter(maintenance_item::Column::Id.is_in(chunk.iter().map(|i| i.0)))
            .all(db)
            .await?;
        for row in rows {
            items.push(item_from(row)?);
        }
    }
    Ok(items)
}

/// Inserts new items and overwrites those that exist.
pub async fn upsert_items(db: &impl ConnectionTrait, scope: &Scope, items: &[MaintenanceItem]) -> StoreResult<()> {
    let rows = items
        .iter()
        .map(|i| item_row(scope, i).map(IntoActiveModel::into_active_model))
        .collect::<StoreResult<Vec<_>>>()?;
    let updated = maintenance_item::Column::iter().filter(|c| !matches!(c, maintenance_item::Column::Id));
    let conflict = OnConflict::column(maintenance_item::Column::Id).update_columns(updated).to_owned();
    insert_chunked(db, rows, Some(conflict)).await
}

/// The page key of looks: when, and the item's id.
pub type LookKey = (DateTime<Utc>, Uuid);

/// Subjects whose items can change by `now` without new facts, oldest first, after a key.
pub async fn subjects_to_look_at(
    db: &impl ConnectionTrait,
    scope: &Scope,
    now: DateTime<Utc>,
    after: Option<LookKey>,
    limit: u64,
) -> StoreResult<Vec<(Subject, LookKey)>> {
    use maintenance_item::Column as C;
    let rows: Vec<(String, Uuid, DateTime<Utc>, Uuid)> = scoped::find::<maintenance_item::Entity>(scope)
        .select_only()
        .columns([C::SubjectKind, C::SubjectId, C::NextLookAt, C::Id])
        .filter(C::NextLookAt.lte(now))
        .filter(after_due(C::NextLookAt, C::Id, after.as_ref()))
        .order_by_asc(C::NextLookAt)
        .order_by_asc(C::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    rows.into_iter().map(|(kind, id, at, item)| Ok((subject("maintenance_item", &kind, id)?, (at, item)))).collect()
}

fn subject(table: &'static str, kind: &str, id: Uuid) -> StoreResult<Subject> {
    let kind = SubjectKind::parse(kind).ok_or_else(|| corrupt(table, "subject_kind", id, kind))?;
    Ok(Subject { kind, id })
}

// ---- marks ----

/// The page key of marks: stamp and subject id.
pub type MarkKey = (Uuid, Uuid);

/// Marked subjects with the stamp of their mark, oldest first, after a key and up to a stamp.
pub async fn marked(
    db: &impl ConnectionTrait,
    scope: &Scope,
    after: Option<MarkKey>,
    until: Uuid,
    limit: u64,
) -> StoreResult<Vec<(Subject, Uuid)>> {
    use planner_mark::Column as C;
    let mut find = scoped::find::<planner_mark::Entity>(scope).filter(C::Stamp.lt(until));
    if let Some((stamp, id)) = after {
        find = find.filter(C::Stamp.gte(stamp)).filter(
            Condition::any()
                .add(C::Stamp.gt(stamp))
                .add(Condition::all().add(C::Stamp.eq(stamp)).add(C::SubjectId.gt(id))),
        );
    }
    let rows = find.order_by_asc(C::Stamp).order_by_asc(C::SubjectId).limit(limit).all(db).await?;
    rows.into_iter().map(|r| Ok((subject("planner_mark", &r.subject_kind, r.subject_id)?, r.stamp))).collect()
}

// ---- log ----

fn log_from(row: maintenance_log::Model) -> StoreResult<LogEntry> {
    let kind = code(SubjectKind::parse, "maintenance_log", "subject_kind", row.id, &row.subject_kind)?;
    Ok(LogEntry {
        id: row.id.into(),
        item_id: row.item_id.into(),
        plan_id: row.plan_id.into(),
        subject: Subject { kind, id: row.subject_id },
        kind: code(LogKind::parse, "maintenance_log", "kind", row.id, &row.kind)?,
        performed_at: row.performed_at,
        occurrence_key: row.occurrence_key,
        nominal_due_at: row.nominal_due_at,
        postponed_to: row.postponed_to,
        visit_line_id: row.visit_line_id.map(Into::into),
        work_order_id: row.work_order_id.map(Into::into),
        reason: row.reason,
        actor: row.actor,
        recorded_at: row.recorded_at,
        is_void: row.is_void,
    })
}

/// The logs of these subjects, sorted by (performed at, id).
pub async fn logs_of(db: &impl ConnectionTrait, scope: &Scope, subjects: &[Uuid]) -> StoreResult<Vec<LogEntry>> {
    let mut entries = Vec::new();
    for chunk in subjects.chunks(CHUNK) {
        let rows = scoped::find::<maintenance_log::Entity>(scope)
            .filter(maintenance_log::Column::SubjectId.is_in(chunk.iter().copied()))
            .order_by_asc(maintenance_log::Column::PerformedAt)
            .order_by_asc(maintenance_log::Column::Id)
            .all(db)
            .await?;
        for row in rows {
            entries.push(log_from(row)?);
        }
    }
    Ok(entries)
}

/// Adds entries to logs.
pub async fn insert_log(db: &impl ConnectionTrait, scope: &Scope, entries: &[LogEntry]) -> StoreResult<()> {
    let rows = entries
        .iter()
        .map(|e| {
            maintenance_log::Model {
                id: e.id.0,
                organization_id: scope.organization.0,
                item_id: e.item_id.0,
                plan_id: e.plan_id.0,
                subject_kind: e.subject.kind.as_str().into(),
                subject_id: e.subject.id,
                kind: e.kind.as_str().into(),
                performed_at: e.performed_at,
                occurrence_key: e.occurrence_key.clone(),
                nominal_due_at: e.nominal_due_at,
                postponed_to: e.postponed_to,
                visit_line_id: e.visit_line_id.map(|i| i.0),
                work_order_id: e.work_order_id.map(|i| i.0),
                reason: e.reason.clone(),
                actor: e.actor.clone(),
                recorded_at: e.recorded_at,
                is_void: e.is_void,
            }
            .into_active_model()
        })
        .collect();
    insert_chunked(db, rows, None).await
}

/// Marks entries as void or as valid again.
pub async fn set_void(db: &impl ConnectionTrait, scope: &Scope, ids: &[Uuid], is_void: bool) -> StoreResult<()> {
    for chunk in ids.chunks(CHUNK) {
        scoped::update_many::<maintenance_log::Entity>(scope)
            .col_expr(maintenance_log::Column::IsVoid, Expr::value(is_void))
            .filter(maintenance_log::Column::Id.is_in(chunk.iter().copied()))
            .exec(db)
            .await?;
    }
    Ok(())
}

// ---- upcoming ----

fn upcoming_orders(
    filter: &UpcomingFilter,
    from: Option<DateTime<Utc>>,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Condition {
    let orders = WorkOrderFilter {
        states: Some(WorkOrderState::OPEN.to_vec()),
        kinds: filter.kinds.clone(),
        due_from: from,
        due_before: Some(before),
        device_id: filter.device_id,
        site_id: filter.site_id,
        model_id: filter.model_id,
        region_codes: filter.region_codes.clone(),
        overdue: filter.overdue_only.then_some(true),
        ..Default::default()
    };
    let mut all = order_condition(&orders, now);
    if let Some(plans) = &filter.plan_ids {
        all = all.add(work_order::Column::PlanId.is_in(plans.iter().map(|p| p.0)));
    }
    if let Some(channels) = &filter.channels {
        all = all.add(work_order::Column::Channel.is_in(channels.iter().map(|c| c.as_str())));
    }
    all
}

fn upcoming_items(
    filter: &UpcomingFilter,
    from: Option<DateTime<Utc>>,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Condition {
    use maintenance_item::Column as C;
    let mut all = Condition::all().add(C::IsAlive.eq(true)).add(C::OpenOrderId.is_null()).add(C::DueAt.lt(before));
    if let Some(from) = from {
        all = all.add(C::DueAt.gte(from));
    }
    if let Some(kinds) = &filter.kinds {
        all = all.add(C::Kind.is_in(kinds.iter().map(|k| k.as_str())));
    }
    if let Some(plans) = &filter.plan_ids {
        all = all.add(C::PlanId.is_in(plans.iter().map(|p| p.0)));
    }
    if let Some(channels) = &filter.channels {
        all = all.add(C::Channel.is_in(channels.iter().map(|c| c.as_str())));
    }
    for (id, column) in [
        (filter.device_id.map(|i| i.0), C::DeviceId),
        (filter.site_id.map(|i| i.0), C::SiteId),
        (filter.model_id.map(|i| i.0), C::ModelId),
    ] {
        if let Some(id) = id {
            all = all.add(column.eq(id));
        }
    }
    if let Some(regions) = &filter.region_codes {
        all = all.add(begins_with_any(C::RegionCode, regions));
    }
    if filter.overdue_only {
        all = all.add(C::WindowEnd.lt(now));
    }
    all
}

/// The page key of upcoming maintenance: due and id.
pub type UpcomingKey = (DateTime<Utc>, Uuid);

fn after_due(due: impl ColumnTrait, id: impl ColumnTrait, after: Option<&UpcomingKey>) -> Condition {
    match after {
        None => Condition::all(),
        Some((at, last)) => Condition::all()
            .add(due.gte(*at))
            .add(Condition::any().add(due.gt(*at)).add(Condition::all().add(due.eq(*at)).add(id.gt(*last)))),
    }
}

/// A page of upcoming maintenance: two index seeks, merged on (due, id).
#[allow(clippy::too_many_arguments)]
pub async fn upcoming_page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &UpcomingFilter,
    from: Option<DateTime<Utc>>,
    before: DateTime<Utc>,
    after: Option<&UpcomingKey>,
    limit: u64,
    now: DateTime<Utc>,
) -> StoreResult<Vec<Upcoming>> {
    let orders = scoped::find::<work_order::Entity>(scope)
        .filter(upcoming_orders(filter, from, before, now))
        .filter(after_due(work_order::Column::DueAt, work_order::Column::Id, after))
        .order_by_asc(work_order::Column::DueAt)
        .order_by_asc(work_order::Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    let items = scoped::find::<maintenance_item::Entity>(scope)
        .filter(upcoming_items(filter, from, before, now))
        .filter(after_due(maintenance_item::Column::DueAt, maintenance_item::Column::Id, after))
        .order_by_asc(maintenance_item::Column::DueAt)
        .order_by_asc(maintenance_item::Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    let mut merged = Vec::with_capacity(orders.len() + items.len());
    for row in orders {
        merged.push(Upcoming::Order(Box::new(order_from(row)?)));
    }
    for row in items {
        merged.push(Upcoming::Item(Box::new(item_from(row)?)));
    }
    merged.sort_by_key(upcoming_key);
    merged.truncate(limit as usize);
    Ok(merged)
}

/// The page key of a row.
pub fn upcoming_key(row: &Upcoming) -> UpcomingKey {
    match row {
        Upcoming::Order(order) => (order.due_at, order.id.0),
        Upcoming::Item(item) => (item.due.as_ref().and_then(|d| d.due_at).unwrap_or(DateTime::UNIX_EPOCH), item.id.0),
    }
}

/// How many rows of upcoming maintenance match, counted up to `limit`.
pub async fn count_upcoming(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &UpcomingFilter,
    from: Option<DateTime<Utc>>,
    before: DateTime<Utc>,
    limit: u64,
    now: DateTime<Utc>,
) -> StoreResult<u64> {
    let orders = scoped::find::<work_order::Entity>(scope).filter(upcoming_orders(filter, from, before, now));
    let items = scoped::find::<maintenance_item::Entity>(scope).filter(upcoming_items(filter, from, before, now));
    let (orders, items) = (count_up_to(db, orders, limit).await?, count_up_to(db, items, limit).await?);
    Ok(Ord::min(orders + items, limit))
}

/// The device of an order or item, for texts and marks.
pub fn device_of(subject: Subject) -> Option<DeviceId> {
    (subject.kind == SubjectKind::Device).then_some(DeviceId(subject.id))
}

/// Every device and site of the organization, for a full planner run.
pub async fn all_subjects(db: &impl ConnectionTrait, scope: &Scope) -> StoreResult<Vec<Subject>> {
    let devices: Vec<Uuid> = scoped::find::<crate::entity::device::Entity>(scope)
        .select_only()
        .column(crate::entity::device::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    let sites: Vec<Uuid> = scoped::find::<crate::entity::site::Entity>(scope)
        .select_only()
        .column(crate::entity::site::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    let of = |kind: SubjectKind| move |id: Uuid| Subject { kind, id };
    Ok(devices.into_iter().map(of(SubjectKind::Device)).chain(sites.into_iter().map(of(SubjectKind::Site))).collect())
}
