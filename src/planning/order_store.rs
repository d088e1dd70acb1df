//! Rows of work orders ↔ their model. [`super::store`] hands them on.

use super::model::*;
use crate::db::StoreResult;
use crate::db::cells::{code, corrupt, json, to_json};
use crate::db::scoped::{self, begins_with_any, count_up_to, insert_chunked};
use crate::entity::work_order;
use crate::kernel::ids::*;
use crate::kernel::scope::Scope;
use crate::kernel::subject::{Subject, SubjectKind};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, IntoActiveModel, Iterable, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

/// Ids in one `IN` list; well below SQLite's bind limit.
const CHUNK: usize = 1_000;

/// The failed step an order was opened for; its line, visit and step are stored together.
fn origin_from(row: &work_order::Model) -> Option<OrderOrigin> {
    Some(OrderOrigin {
        visit_id: row.origin_visit_id?.into(),
        visit_line_id: row.origin_visit_line_id?.into(),
        plan_id: row.origin_plan_id.map(Into::into),
        step: row.origin_step?.unsigned_abs(),
    })
}

pub(super) fn order_from(row: work_order::Model) -> StoreResult<WorkOrder> {
    let kind = code(SubjectKind::parse, "work_order", "subject_kind", row.id, &row.subject_kind)?;
    let explanation = match &row.explanation {
        Some(text) => Some(json("work_order", "explanation", row.id, text)?),
        None => None,
    };
    Ok(WorkOrder {
        origin: origin_from(&row),
        id: row.id.into(),
        number: row.number,
        kind: code(MaintenanceKind::parse, "work_order", "kind", row.id, &row.kind)?,
        state: code(WorkOrderState::parse, "work_order", "state", row.id, &row.state)?,
        priority: Priority::of_rank(row.priority)
            .ok_or_else(|| corrupt("work_order", "priority", row.id, row.priority))?,
        item_id: row.item_id.map(Into::into),
        plan_id: row.plan_id.map(Into::into),
        plan_revision_id: row.plan_revision_id.map(Into::into),
        subject: Subject { kind, id: row.subject_id },
        device_id: row.device_id.map(Into::into),
        site_id: row.site_id.map(Into::into),
        position_id: row.position_id.map(Into::into),
        model_id: row.model_id.map(Into::into),
        region_code: row.region_code,
        nominal_due_at: row.nominal_due_at,
        due_at: row.due_at,
        told_due_at: row.told_due_at,
        window_start: row.window_start,
        window_end: row.window_end,
        occurrence_key: row.occurrence_key,
        explanation,
        channel: code(ExecutionChannel::parse, "work_order", "channel", row.id, &row.channel)?,
        steps: json("work_order", "steps", row.id, &row.steps)?,
        estimated_minutes: row.estimated_minutes.unsigned_abs(),
        assignee_id: row.assignee_id.map(Into::into),
        scheduled_for: row.scheduled_for,
        close_reason: row.close_reason,
        closed_at: row.closed_at,
        performed_at: row.performed_at,
        visit_line_id: row.visit_line_id.map(Into::into),
        version: row.version,
        created_at: row.created_at,
    })
}

fn order_row(scope: &Scope, order: &WorkOrder) -> StoreResult<work_order::Model> {
    Ok(work_order::Model {
        id: order.id.0,
        organization_id: scope.organization.0,
        number: order.number.clone(),
        kind: order.kind.as_str().into(),
        state: order.state.as_str().into(),
        priority: order.priority.rank(),
        item_id: order.item_id.map(|i| i.0),
        plan_id: order.plan_id.map(|i| i.0),
        plan_revision_id: order.plan_revision_id.map(|i| i.0),
        subject_kind: order.subject.kind.as_str().into(),
        subject_id: order.subject.id,
        device_id: order.device_id.map(|i| i.0),
        site_id: order.site_id.map(|i| i.0),
        position_id: order.position_id.map(|i| i.0),
        model_id: order.model_id.map(|i| i.0),
        region_code: order.region_code.clone(),
        nominal_due_at: order.nominal_due_at,
        due_at: order.due_at,
        told_due_at: order.told_due_at,
        window_start: order.window_start,
        window_end: order.window_end,
        occurrence_key: order.occurrence_key.clone(),
        explanation: match &order.explanation {
            Some(e) => Some(to_json(e)?),
            None => None,
        },
        channel: order.channel.as_str().into(),
        steps: to_json(&order.steps)?,
        estimated_minutes: i32::try_from(order.estimated_minutes).unwrap_or(i32::MAX),
        assignee_id: order.assignee_id.map(|i| i.0),
        scheduled_for: order.scheduled_for,
        close_reason: order.close_reason.clone(),
        closed_at: order.closed_at,
        performed_at: order.performed_at,
        visit_line_id: order.visit_line_id.map(|i| i.0),
        acceptance: None,
        origin_visit_id: order.origin.map(|o| o.visit_id.0),
        origin_visit_line_id: order.origin.map(|o| o.visit_line_id.0),
        origin_plan_id: order.origin.and_then(|o| o.plan_id).map(|p| p.0),
        origin_step: order.origin.map(|o| i32::try_from(o.step).unwrap_or(i32::MAX)),
        version: order.version,
        created_at: order.created_at,
    })
}

/// Inserts new orders and overwrites those that exist.
pub async fn upsert_orders(db: &impl ConnectionTrait, scope: &Scope, orders: &[WorkOrder]) -> StoreResult<()> {
    let rows = orders
        .iter()
        .map(|o| order_row(scope, o).map(IntoActiveModel::into_active_model))
        .collect::<StoreResult<Vec<_>>>()?;
    let updated =
        work_order::Column::iter().filter(|c| !matches!(c, work_order::Column::Id | work_order::Column::Acceptance));
    let conflict = OnConflict::column(work_order::Column::Id).update_columns(updated).to_owned();
    insert_chunked(db, rows, Some(conflict)).await
}

fn open_states() -> impl Iterator<Item = &'static str> {
    WorkOrderState::OPEN.into_iter().map(|s| s.as_str())
}

/// Open orders of these subjects, with an item or without.
pub async fn open_orders_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    subjects: &[Uuid],
) -> StoreResult<Vec<WorkOrder>> {
    let mut orders = Vec::new();
    for chunk in subjects.chunks(CHUNK) {
        let rows = scoped::find::<work_order::Entity>(scope)
            .filter(work_order::Column::SubjectId.is_in(chunk.iter().copied()))
            .filter(work_order::Column::State.is_in(open_states()))
            .all(db)
            .await?;
        for row in rows {
            orders.push(order_from(row)?);
        }
    }
    Ok(orders)
}

/// Orders by id, in any order.
pub async fn orders_by_ids(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[WorkOrderId],
) -> StoreResult<Vec<WorkOrder>> {
    let mut orders = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = scoped::find::<work_order::Entity>(scope)
            .filter(work_order::Column::Id.is_in(chunk.iter().map(|i| i.0)))
            .all(db)
            .await?;
        for row in rows {
            orders.push(order_from(row)?);
        }
    }
    Ok(orders)
}

/// One order by its number.
pub async fn order_by_number(db: &impl ConnectionTrait, scope: &Scope, number: &str) -> StoreResult<Option<WorkOrder>> {
    scoped::find::<work_order::Entity>(scope)
        .filter(work_order::Column::Number.eq(number))
        .one(db)
        .await?
        .map(order_from)
        .transpose()
}

/// The page key of orders: a value of the ordered column, and the id.
pub type OrderKey = (String, Uuid);

fn order_key_column(field: WorkOrderOrderField) -> work_order::Column {
    match field {
        WorkOrderOrderField::DueAt => work_order::Column::DueAt,
        WorkOrderOrderField::CreatedAt => work_order::Column::CreatedAt,
        WorkOrderOrderField::ScheduledFor => work_order::Column::ScheduledFor,
        WorkOrderOrderField::Priority => work_order::Column::Priority,
    }
}

/// The page key of an order; unscheduled orders sort as if scheduled in 2100.
pub fn order_key(field: WorkOrderOrderField, order: &WorkOrder) -> OrderKey {
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let value = match field {
        WorkOrderOrderField::DueAt => text(order.due_at),
        WorkOrderOrderField::CreatedAt => text(order.created_at),
        WorkOrderOrderField::ScheduledFor => order.scheduled_for.map_or_else(String::new, text),
        WorkOrderOrderField::Priority => order.priority.rank().to_string(),
    };
    (value, order.id.0)
}

pub(super) fn order_condition(filter: &WorkOrderFilter, now: DateTime<Utc>) -> Condition {
    use work_order::Column as C;
    let mut all = Condition::all();
    let codes = |list: &[&'static str]| list.to_vec();
    if let Some(states) = &filter.states {
        all = all.add(C::State.is_in(codes(&states.iter().map(|s| s.as_str()).collect::<Vec<_>>())));
    }
    if let Some(kinds) = &filter.kinds {
        all = all.add(C::Kind.is_in(kinds.iter().map(|k| k.as_str())));
    }
    if let Some(priorities) = &filter.priorities {
        all = all.add(C::Priority.is_in(priorities.iter().map(|p| p.rank())));
    }
    for (at, column, is_from) in [
        (filter.due_from, C::DueAt, true),
        (filter.due_before, C::DueAt, false),
        (filter.scheduled_from, C::ScheduledFor, true),
        (filter.scheduled_before, C::ScheduledFor, false),
        (filter.created_from, C::CreatedAt, true),
        (filter.created_before, C::CreatedAt, false),
    ] {
        if let Some(at) = at {
            all = all.add(if is_from { column.gte(at) } else { column.lt(at) });
        }
    }
    for (id, column) in [
        (filter.device_id.map(|i| i.0), C::DeviceId),
        (filter.site_id.map(|i| i.0), C::SiteId),
        (filter.plan_id.map(|i| i.0), C::PlanId),
        (filter.model_id.map(|i| i.0), C::ModelId),
        (filter.assignee_id.map(|i| i.0), C::AssigneeId),
    ] {
        if let Some(id) = id {
            all = all.add(column.eq(id));
        }
    }
    if let Some(regions) = &filter.region_codes {
        all = all.add(begins_with_any(C::RegionCode, regions));
    }
    match filter.unassigned {
        Some(true) => all = all.add(C::AssigneeId.is_null()),
        Some(false) => all = all.add(C::AssigneeId.is_not_null()),
        None => {}
    }
    if let Some(overdue) = filter.overdue {
        all = all.add(C::State.is_in(open_states()));
        all = all.add(if overdue { C::WindowEnd.lt(now) } else { C::WindowEnd.gte(now) });
    }
    if let Some(numbers) = &filter.numbers {
        all = all.add(C::Number.is_in(numbers.iter().map(String::as_str)));
    }
    all
}

/// A page of orders after a key, `limit` at most.
#[allow(clippy::too_many_arguments)]
pub async fn orders_page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &WorkOrderFilter,
    field: WorkOrderOrderField,
    is_descending: bool,
    after: Option<&OrderKey>,
    limit: u64,
    now: DateTime<Utc>,
) -> StoreResult<Vec<WorkOrder>> {
    let column = order_key_column(field);
    let mut find = scoped::find::<work_order::Entity>(scope).filter(order_condition(filter, now));
    if field == WorkOrderOrderField::ScheduledFor {
        // Unscheduled orders have no place in this order.
        find = find.filter(work_order::Column::ScheduledFor.is_not_null());
    }
    if let Some((value, id)) = after {
        let key = match field {
            WorkOrderOrderField::Priority => match value.parse::<i32>() {
                Ok(rank) => Expr::value(rank),
                Err(_) => return Ok(vec![]),
            },
            _ => match value.parse::<DateTime<Utc>>() {
                Ok(at) => Expr::value(at),
                Err(_) => return Ok(vec![]),
            },
        };
        // The plain bound beside the row comparison lets both databases seek (a composite
        // condition alone makes them scan from the start).
        let id_column = Expr::col(work_order::Column::Id);
        let (bound, strict, tie) = if is_descending {
            (Expr::col(column).lte(key.clone()), Expr::col(column).lt(key.clone()), id_column.lt(*id))
        } else {
            (Expr::col(column).gte(key.clone()), Expr::col(column).gt(key.clone()), id_column.gt(*id))
        };
        find = find
            .filter(bound)
            .filter(Condition::any().add(strict).add(Condition::all().add(Expr::col(column).eq(key)).add(tie)));
    }
    let order = if is_descending { sea_orm::Order::Desc } else { sea_orm::Order::Asc };
    let rows =
        find.order_by(column, order.clone()).order_by(work_order::Column::Id, order).limit(limit).all(db).await?;
    rows.into_iter().map(order_from).collect()
}

/// How many orders a list in this order has, counted up to `limit`.
pub async fn count_orders(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &WorkOrderFilter,
    field: WorkOrderOrderField,
    limit: u64,
    now: DateTime<Utc>,
) -> StoreResult<u64> {
    let mut find = scoped::find::<work_order::Entity>(scope).filter(order_condition(filter, now));
    if field == WorkOrderOrderField::ScheduledFor {
        find = find.filter(work_order::Column::ScheduledFor.is_not_null());
    }
    count_up_to(db, find, limit).await
}
