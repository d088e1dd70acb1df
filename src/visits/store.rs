//! Rows of visits ↔ their model.

use super::model::*;
use crate::catalogue::model::FailureOrigin;
use crate::db::StoreResult;
use crate::db::cells::{code, json, to_json};
use crate::db::scoped::{self, count_up_to, insert_chunked};
use crate::entity::{failure, service_visit, visit_line};
use crate::kernel::ids::*;
use crate::kernel::scope::Scope;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, RelationDef, Select,
};
use std::collections::HashMap;
use uuid::Uuid;

const CHUNK: usize = 1_000;

fn visit_from(row: service_visit::Model) -> ServiceVisit {
    ServiceVisit {
        id: row.id.into(),
        number: row.number,
        site_id: row.site_id.into(),
        technician_id: row.technician_id.into(),
        started_at: row.started_at,
        ended_at: row.ended_at,
        notes: row.notes,
        recorded_at: row.recorded_at,
        version: row.version,
    }
}

/// Adds visits.
pub async fn insert_visits(db: &impl ConnectionTrait, scope: &Scope, visits: &[ServiceVisit]) -> StoreResult<()> {
    let rows = visits
        .iter()
        .map(|v| {
            service_visit::Model {
                id: v.id.0,
                organization_id: scope.organization.0,
                number: v.number.clone(),
                site_id: v.site_id.0,
                technician_id: v.technician_id.0,
                started_at: v.started_at,
                ended_at: v.ended_at,
                notes: v.notes.clone(),
                recorded_at: v.recorded_at,
                version: v.version,
            }
            .into_active_model()
        })
        .collect();
    insert_chunked(db, rows, None).await
}

/// Adds lines.
pub async fn insert_lines(db: &impl ConnectionTrait, scope: &Scope, lines: &[VisitLine]) -> StoreResult<()> {
    let mut rows = Vec::with_capacity(lines.len());
    for l in lines {
        rows.push(
            visit_line::Model {
                id: l.id.0,
                organization_id: scope.organization.0,
                visit_id: l.visit_id.0,
                line_no: l.line_no,
                device_id: l.device_id.map(|d| d.0),
                serial_number: l.serial_number.clone(),
                manufacturer: l.manufacturer.clone(),
                performed_at: l.performed_at,
                outcome: l.outcome.as_str().into(),
                findings: l.findings.clone(),
                step_results: to_json(&l.step_results)?,
                work_order_ids: to_json(&l.work_order_ids)?,
                plan_ids: to_json(&l.plan_ids)?,
                notices: to_json(&l.notices)?,
                parts_replaced: to_json(&l.parts_replaced)?,
                failure: l.failure.as_ref().map(to_json).transpose()?,
            }
            .into_active_model(),
        );
    }
    insert_chunked(db, rows, None).await
}

/// Visits by id, in any order.
pub async fn visits_by_ids(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[VisitId],
) -> StoreResult<Vec<ServiceVisit>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = scoped::find::<service_visit::Entity>(scope)
            .filter(service_visit::Column::Id.is_in(chunk.iter().map(|i| i.0)))
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(visit_from));
    }
    Ok(found)
}

/// Lines of visits, in order.
pub async fn lines_of(db: &impl ConnectionTrait, scope: &Scope, visits: &[VisitId]) -> StoreResult<Vec<VisitLine>> {
    let mut found = Vec::new();
    for chunk in visits.chunks(CHUNK) {
        let rows = scoped::find::<visit_line::Entity>(scope)
            .filter(visit_line::Column::VisitId.is_in(chunk.iter().map(|i| i.0)))
            .order_by_asc(visit_line::Column::LineNo)
            .all(db)
            .await?;
        for r in rows {
            found.push(VisitLine {
                outcome: code(VisitLineOutcome::parse, "visit_line", "outcome", r.id, &r.outcome)?,
                step_results: json("visit_line", "step_results", r.id, &r.step_results)?,
                work_order_ids: json("visit_line", "work_order_ids", r.id, &r.work_order_ids)?,
                plan_ids: json("visit_line", "plan_ids", r.id, &r.plan_ids)?,
                notices: json("visit_line", "notices", r.id, &r.notices)?,
                parts_replaced: json("visit_line", "parts_replaced", r.id, &r.parts_replaced)?,
                failure: match &r.failure {
                    Some(text) => Some(json("visit_line", "failure", r.id, text)?),
                    None => None,
                },
                id: r.id.into(),
                visit_id: r.visit_id.into(),
                line_no: r.line_no,
                device_id: r.device_id.map(Into::into),
                serial_number: r.serial_number,
                manufacturer: r.manufacturer,
                performed_at: r.performed_at,
                findings: r.findings,
            });
        }
    }
    Ok(found)
}

/// Adds failures.
pub async fn insert_failures(db: &impl ConnectionTrait, scope: &Scope, failures: &[Failure]) -> StoreResult<()> {
    let rows = failures
        .iter()
        .map(|f| {
            failure::Model {
                id: f.id,
                organization_id: scope.organization.0,
                device_id: f.device_id.0,
                site_id: f.site_id.map(|s| s.0),
                model_id: f.model_id.0,
                region_code: f.region_code.clone(),
                visit_line_id: f.visit_line_id.0,
                work_order_id: f.report.work_order_id.map(|o| o.0),
                failure_code: f.report.failure_code.clone(),
                cause_code: f.report.cause_code.clone(),
                remedy_code: f.report.remedy_code.clone(),
                origin: f.report.origin.as_str().into(),
                failed_at: f.report.failed_at,
                detected_at: f.report.detected_at,
                restored_at: f.report.restored_at,
                recorded_at: f.recorded_at,
            }
            .into_active_model()
        })
        .collect();
    insert_chunked(db, rows, None).await
}

fn failure_from(r: failure::Model) -> StoreResult<Failure> {
    Ok(Failure {
        report: FailureReport {
            origin: code(FailureOrigin::parse, "failure", "origin", r.id, &r.origin)?,
            failure_code: r.failure_code,
            cause_code: r.cause_code,
            remedy_code: r.remedy_code,
            failed_at: r.failed_at,
            detected_at: r.detected_at,
            restored_at: r.restored_at,
            work_order_id: r.work_order_id.map(Into::into),
        },
        id: r.id,
        device_id: r.device_id.into(),
        site_id: r.site_id.map(Into::into),
        model_id: r.model_id.into(),
        region_code: r.region_code,
        visit_line_id: r.visit_line_id.into(),
        recorded_at: r.recorded_at,
    })
}

/// Failures of devices, newest first.
pub async fn failures_of_devices(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[DeviceId],
) -> StoreResult<Vec<Failure>> {
    let mut found = Vec::new();
    for chunk in devices.chunks(CHUNK) {
        let rows = scoped::find::<failure::Entity>(scope)
            .filter(failure::Column::DeviceId.is_in(chunk.iter().map(|d| d.0)))
            .order_by_desc(failure::Column::FailedAt)
            .order_by_desc(failure::Column::Id)
            .all(db)
            .await?;
        for row in rows {
            found.push(failure_from(row)?);
        }
    }
    Ok(found)
}

/// The latest visits to each of these devices, newest first, at most `per_device` each.
pub async fn visits_of_devices(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[DeviceId],
    per_device: usize,
) -> StoreResult<Vec<(DeviceId, ServiceVisit)>> {
    use visit_line::Column as C;
    // Picked by the key pages go by: a visit left out here must come after those kept.
    let visit = || -> RelationDef {
        visit_line::Entity::belongs_to(service_visit::Entity).from(C::VisitId).to(service_visit::Column::Id).into()
    };
    let mut lines: Vec<(Uuid, Uuid)> = Vec::new();
    for chunk in devices.chunks(CHUNK) {
        let of_chunk: Vec<(Option<Uuid>, Uuid)> = scoped::find::<visit_line::Entity>(scope)
            .select_only()
            .columns([C::DeviceId, C::VisitId])
            .join(JoinType::InnerJoin, visit())
            .filter(C::DeviceId.is_in(chunk.iter().map(|d| d.0)))
            .order_by_desc(service_visit::Column::StartedAt)
            .order_by_desc(service_visit::Column::Id)
            .into_tuple()
            .all(db)
            .await?;
        lines.extend(of_chunk.into_iter().filter_map(|(device, visit)| device.map(|d| (d, visit))));
    }
    let mut kept: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (device, visit) in lines {
        let visits = kept.entry(device).or_default();
        if visits.len() < per_device && !visits.contains(&visit) {
            visits.push(visit);
        }
    }
    let mut ids: Vec<VisitId> = kept.values().flatten().map(|v| VisitId(*v)).collect();
    ids.sort_unstable();
    ids.dedup();
    let visits: HashMap<VisitId, ServiceVisit> =
        visits_by_ids(db, scope, &ids).await?.into_iter().map(|v| (v.id, v)).collect();
    let mut found: Vec<(DeviceId, ServiceVisit)> = kept
        .iter()
        .flat_map(|(device, of_device)| of_device.iter().map(move |visit| (DeviceId(*device), VisitId(*visit))))
        .filter_map(|(device, visit)| visits.get(&visit).map(|v| (device, v.clone())))
        .collect();
    found.sort_unstable_by_key(|(device, v)| std::cmp::Reverse((v.started_at, v.id, *device)));
    Ok(found)
}

/// The page key of a visit.
pub type VisitKey = (DateTime<Utc>, Uuid);

fn find_visits(scope: &Scope, filter: &VisitFilter) -> Select<service_visit::Entity> {
    use service_visit::Column as C;
    let mut find = scoped::find::<service_visit::Entity>(scope);
    if let Some(site) = filter.site_id {
        find = find.filter(C::SiteId.eq(site.0));
    }
    if let Some(technician) = filter.technician_id {
        find = find.filter(C::TechnicianId.eq(technician.0));
    }
    if let Some(device) = filter.device_id {
        let lines = scoped::find::<visit_line::Entity>(scope)
            .select_only()
            .column(visit_line::Column::VisitId)
            .filter(visit_line::Column::DeviceId.eq(device.0))
            .into_query();
        find = find.filter(C::Id.in_subquery(lines));
    }
    if let Some(from) = filter.started_from {
        find = find.filter(C::StartedAt.gte(from));
    }
    if let Some(before) = filter.started_before {
        find = find.filter(C::StartedAt.lt(before));
    }
    find
}

/// How many visits match, counted up to `limit`.
pub async fn count_visits(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &VisitFilter,
    limit: u64,
) -> StoreResult<u64> {
    count_up_to(db, find_visits(scope, filter), limit).await
}

/// Visits, newest first, after a key.
pub async fn visits_page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &VisitFilter,
    after: Option<&VisitKey>,
    limit: u64,
) -> StoreResult<Vec<ServiceVisit>> {
    use service_visit::Column as C;
    let mut find = find_visits(scope, filter);
    if let Some((at, id)) = after {
        find = find.filter(C::StartedAt.lte(*at)).filter(
            Condition::any()
                .add(C::StartedAt.lt(*at))
                .add(Condition::all().add(C::StartedAt.eq(*at)).add(C::Id.lt(*id))),
        );
    }
    let rows = find.order_by_desc(C::StartedAt).order_by_desc(C::Id).limit(limit).all(db).await?;
    Ok(rows.into_iter().map(visit_from).collect())
}
