//! What orders with a usage date promised, read for the report on forecasts. In pages, since each
//! row asks for more.

use super::model::{Place, ToldDays};
use super::rules::{Found, Issue};
use super::store::{Period, kind_of, orders_due};
use crate::db::StoreResult;
use crate::db::cells::{corrupt, json};
use crate::db::each::{Bound, Key, Wanted, first_of_each};
use crate::entity::work_order;
use crate::kernel::ids::{DeviceId, WorkOrderId};
use crate::kernel::scope::Scope;
use crate::planning::model::Explanation;
use crate::registry::file::{self, EventKind, StoredEvent};
use crate::usage::model::MeterKey;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

/// An order whose date comes from a usage forecast, with the days that were told when it was issued.
#[derive(Clone, Debug)]
pub struct Promise {
    /// The order.
    pub id: WorkOrderId,
    /// Where it was to be done, of what, and its due date.
    pub place: Place,
    /// Its dates.
    pub found: Found,
    /// The device and its meter.
    pub meter: MeterKey,
    /// The life counter at which the work is due, in smallest units.
    pub target: i64,
    /// When it was issued, and what the device file was told then.
    pub issue: Issue,
}

#[derive(Debug, FromQueryResult)]
struct PromiseRow {
    id: Uuid,
    kind: String,
    device_id: Option<Uuid>,
    site_id: Option<Uuid>,
    model_id: Option<Uuid>,
    region_code: Option<String>,
    nominal_due_at: DateTime<Utc>,
    window_start: DateTime<Utc>,
    window_end: DateTime<Utc>,
    explanation: Option<String>,
    created_at: DateTime<Utc>,
}

/// An event of a device file, with the place of the order it is about.
#[derive(Debug, FromQueryResult)]
struct IssuedRow {
    slot: i32,
    device_id: Uuid,
    sequence: i64,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    kind: String,
    actor: String,
    canonical: String,
    hash: String,
}

/// Orders of a page of promises.
const PROMISES: u64 = 5_000;

/// Orders due in a period whose date a usage forecast gave, after an id, and the id of the last one
/// looked at; no id at the end. Each page costs the same statements however many orders it has.
pub async fn promises(
    db: &impl ConnectionTrait,
    scope: &Scope,
    period: Period,
    after: Option<Uuid>,
) -> StoreResult<(Vec<Promise>, Option<Uuid>)> {
    use work_order::Column as C;
    let mut find = orders_due(scope, period)
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
            C::Explanation,
            C::CreatedAt,
        ])
        // The reasons of a usage date, and of no other, say how many units there are a day.
        .filter(C::Explanation.contains("units_per_day"));
    if let Some(after) = after {
        find = find.filter(C::Id.gt(after));
    }
    let rows = find.order_by_asc(C::Id).limit(PROMISES).into_model::<PromiseRow>().all(db).await?;
    let last = rows.last().map(|row| row.id).filter(|_| rows.len() as u64 == PROMISES);
    let mut promises = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(promise) = promise(row)? {
            promises.push(promise);
        }
    }
    tell(db, scope, &mut promises).await?;
    Ok((promises, last))
}

/// What an order promised; none where something else than usage made it due.
fn promise(row: PromiseRow) -> StoreResult<Option<Promise>> {
    let (Some(device), Some(text)) = (row.device_id, &row.explanation) else { return Ok(None) };
    let why: Explanation = json("work_order", "explanation", row.id, text)?;
    let Some(basis) = why.usage() else { return Ok(None) };
    let zone = why.zone.parse().map_err(|_| corrupt("work_order", "explanation", row.id, &why.zone))?;
    Ok(Some(Promise {
        id: WorkOrderId(row.id),
        place: Place {
            model: row.model_id,
            site: row.site_id,
            region: row.region_code,
            kind: Some(kind_of("work_order", row.id, &row.kind)?),
            at: row.nominal_due_at,
        },
        found: Found {
            nominal_at: row.nominal_due_at,
            window_start: row.window_start,
            window_end: row.window_end,
            done_at: None,
        },
        meter: (DeviceId(device), basis.meter.clone()),
        target: basis.life_at_last_done.saturating_add(basis.every),
        issue: Issue { issued_at: row.created_at, told: ToldDays::default(), zone },
    }))
}

/// Fills in the days the device files were told.
async fn tell(db: &impl ConnectionTrait, scope: &Scope, promises: &mut [Promise]) -> StoreResult<()> {
    let ids: Vec<String> = promises.iter().map(|p| p.id.0.to_string()).collect();
    let keys: Vec<Key<'_>> = promises
        .iter()
        .zip(&ids)
        .enumerate()
        .map(|(slot, (p, id))| Key { slot, owner: p.meter.0.0, name: id, bound: Bound::Number(0) })
        .collect();
    let condition = format!(
        "device_id = k.owner and sequence > k.bound and kind = '{}' and canonical like '%' || k.name || '%'",
        EventKind::WorkOrderIssued.as_str()
    );
    let wanted = Wanted {
        table: "device_event",
        columns: "device_id, sequence, occurred_at, recorded_at, kind, actor, canonical, hash",
        condition: &condition,
        order: "sequence",
    };
    let rows: Vec<IssuedRow> = first_of_each(db, scope, &keys, wanted).await?;
    for row in rows {
        let place = usize::try_from(row.slot).unwrap_or(usize::MAX);
        let stored = StoredEvent {
            device: DeviceId(row.device_id),
            sequence: row.sequence,
            occurred_at: row.occurred_at,
            recorded_at: row.recorded_at,
            kind: row.kind,
            actor: row.actor,
            canonical: row.canonical,
            hash: row.hash,
        };
        if let (Some(promise), Some(event)) = (promises.get_mut(place), file::read(&stored)) {
            promise.issue.told = told_days(&event.payload);
        }
    }
    Ok(())
}

/// The days in an event of issue; earlier builds wrote the due day alone.
fn told_days(payload: &serde_json::Value) -> ToldDays {
    let day = |name: &str| payload.get(name)?.as_str()?.parse().ok();
    ToldDays { due_on: day("dueOn"), p10: day("p10"), p50: day("p50"), p90: day("p90") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_of_an_earlier_build_tells_the_due_day_alone() {
        let mut payload = json!({"number": "WO-2026-000001", "dueAt": "2026-05-23T16:00:00Z", "dueOn": "2026-05-24"});
        let due_on = "2026-05-24".parse().ok();
        assert_eq!(told_days(&payload), ToldDays { due_on, ..ToldDays::default() });
        payload["p50"] = json!("2026-05-26");
        assert_eq!(told_days(&payload).day(), "2026-05-26".parse().ok());
    }
}
