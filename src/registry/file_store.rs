//! Rows of device files.

use crate::db::outbox::{self, Place};
use crate::db::scoped::{self, count_up_to, insert_chunked};
use crate::db::{StoreError, StoreResult};
use crate::entity::{device, device_event, device_head};
use crate::kernel::ids::DeviceId;
use crate::kernel::scope::Scope;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// The end of a device file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Sequence of the last event; 0 when there is none.
    pub sequence: i64,
    /// Its hash.
    pub hash: String,
}

/// A stored row, as text and columns.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// The device.
    pub device: DeviceId,
    /// Column copy.
    pub sequence: i64,
    /// Column copy.
    pub occurred_at: DateTime<Utc>,
    /// Column copy.
    pub recorded_at: DateTime<Utc>,
    /// Column copy.
    pub kind: String,
    /// Column copy.
    pub actor: String,
    /// The text that is hashed.
    pub canonical: String,
    /// Its hash.
    pub hash: String,
}

const CHUNK: usize = 1_000;
/// The topic of messages about new events; they name the last one and how many there are.
pub const TOPIC: &str = "device_file";

/// Reads and, on PostgreSQL, locks heads in id order; on SQLite the one writer is the lock.
pub async fn lock_heads(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[DeviceId],
) -> StoreResult<BTreeMap<DeviceId, Head>> {
    let mut heads = BTreeMap::new();
    let is_postgres = db.get_database_backend() == DatabaseBackend::Postgres;
    for chunk in devices.chunks(CHUNK) {
        if is_postgres {
            // A head that does not exist cannot be locked.
            let rows = chunk
                .iter()
                .map(|d| {
                    device_head::Model {
                        organization_id: scope.organization.0,
                        device_id: d.0,
                        sequence: 0,
                        hash: String::new(),
                    }
                    .into_active_model()
                })
                .collect();
            let keep = OnConflict::column(device_head::Column::DeviceId).do_nothing().to_owned();
            insert_chunked(db, rows, Some(keep)).await?;
        }
        let mut find = scoped::find::<device_head::Entity>(scope)
            .filter(device_head::Column::DeviceId.is_in(chunk.iter().map(|d| d.0)))
            .order_by_asc(device_head::Column::DeviceId);
        if is_postgres {
            find = find.lock_exclusive();
        }
        for row in find.all(db).await? {
            heads.insert(DeviceId(row.device_id), Head { sequence: row.sequence, hash: row.hash });
        }
    }
    Ok(heads)
}

/// Adds events and moves the heads.
pub async fn insert(
    db: &impl ConnectionTrait,
    scope: &Scope,
    events: &[StoredEvent],
    heads: &BTreeMap<DeviceId, Head>,
) -> StoreResult<()> {
    let organization_id = scope.organization.0;
    let rows = events
        .iter()
        .map(|e| {
            device_event::Model {
                organization_id,
                device_id: e.device.0,
                sequence: e.sequence,
                occurred_at: e.occurred_at,
                recorded_at: e.recorded_at,
                kind: e.kind.clone(),
                actor: e.actor.clone(),
                canonical: e.canonical.clone(),
                hash: e.hash.clone(),
            }
            .into_active_model()
        })
        .collect();
    insert_chunked(db, rows, None).await?;
    let rows = heads
        .iter()
        .map(|(d, h)| {
            device_head::Model { organization_id, device_id: d.0, sequence: h.sequence, hash: h.hash.clone() }
                .into_active_model()
        })
        .collect();
    let moved = OnConflict::column(device_head::Column::DeviceId)
        .update_columns([device_head::Column::Sequence, device_head::Column::Hash])
        .to_owned();
    insert_chunked(db, rows, Some(moved)).await
}

/// Sites at which these devices stand.
pub async fn sites_of(db: &impl ConnectionTrait, scope: &Scope, devices: &[DeviceId]) -> StoreResult<Vec<Uuid>> {
    let mut sites = Vec::new();
    for chunk in devices.chunks(CHUNK) {
        let rows: Vec<Option<Uuid>> = scoped::find::<device::Entity>(scope)
            .select_only()
            .column(device::Column::SiteId)
            .filter(device::Column::Id.is_in(chunk.iter().map(|d| d.0)))
            .filter(device::Column::SiteId.is_not_null())
            .distinct()
            .into_tuple()
            .all(db)
            .await?;
        sites.extend(rows.into_iter().flatten());
    }
    sites.sort_unstable();
    sites.dedup();
    Ok(sites)
}

/// A row as what is read and checked.
pub fn stored(row: device_event::Model) -> StoredEvent {
    StoredEvent {
        device: row.device_id.into(),
        sequence: row.sequence,
        occurred_at: row.occurred_at,
        recorded_at: row.recorded_at,
        kind: row.kind,
        actor: row.actor,
        canonical: row.canonical,
        hash: row.hash,
    }
}

/// Which events of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Kinds.
    pub kinds: Option<Vec<String>>,
    /// Happened at or after.
    pub occurred_from: Option<DateTime<Utc>>,
    /// Happened before.
    pub occurred_before: Option<DateTime<Utc>>,
}

fn find_events(scope: &Scope, device: DeviceId, filter: &EventFilter) -> Select<device_event::Entity> {
    use device_event::Column as C;
    let mut find = scoped::find::<device_event::Entity>(scope).filter(C::DeviceId.eq(device.0));
    if let Some(kinds) = &filter.kinds {
        find = find.filter(C::Kind.is_in(kinds.iter().map(String::as_str)));
    }
    if let Some(from) = filter.occurred_from {
        find = find.filter(C::OccurredAt.gte(from));
    }
    if let Some(before) = filter.occurred_before {
        find = find.filter(C::OccurredAt.lt(before));
    }
    find
}

/// A page of a file, oldest event first.
#[derive(Clone, Debug, Default)]
pub struct FilePage {
    /// What is stored, readable or not.
    pub events: Vec<StoredEvent>,
    /// Whether the file goes on behind it.
    pub has_next: bool,
}

impl FilePage {
    /// From one event more than it shows, where the file goes on.
    pub fn new(mut events: Vec<StoredEvent>, first: u32) -> Self {
        let has_next = events.len() > first as usize;
        events.truncate(first as usize);
        Self { events, has_next }
    }
}

/// Events of a file after a sequence, oldest first.
pub async fn events(
    db: &impl ConnectionTrait,
    scope: &Scope,
    device: DeviceId,
    filter: &EventFilter,
    after: i64,
    limit: u64,
) -> StoreResult<Vec<StoredEvent>> {
    use device_event::Column as C;
    let find = find_events(scope, device, filter).filter(C::Sequence.gt(after));
    let rows = find.order_by_asc(C::Sequence).limit(limit).all(db).await?;
    Ok(rows.into_iter().map(stored).collect())
}

/// Events of some kinds in many files, each file's oldest first.
pub async fn events_of_kinds(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[DeviceId],
    kinds: &[&'static str],
) -> StoreResult<Vec<StoredEvent>> {
    use device_event::Column as C;
    let mut found = Vec::new();
    for chunk in devices.chunks(CHUNK) {
        let rows = scoped::find::<device_event::Entity>(scope)
            .filter(C::DeviceId.is_in(chunk.iter().map(|d| d.0)))
            .filter(C::Kind.is_in(kinds.iter().copied()))
            .order_by_asc(C::DeviceId)
            .order_by_asc(C::Sequence)
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(stored));
    }
    Ok(found)
}

/// How many events of a file there are, counted up to `limit`.
pub async fn count_events(
    db: &impl ConnectionTrait,
    scope: &Scope,
    device: DeviceId,
    filter: &EventFilter,
    limit: u64,
) -> StoreResult<u64> {
    count_up_to(db, find_events(scope, device, filter), limit).await
}

/// The first events of each of these files, oldest first, at most `per_device` each.
pub async fn first_events(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[DeviceId],
    per_device: u32,
) -> StoreResult<Vec<StoredEvent>> {
    use device_event::Column as C;
    let mut found = Vec::new();
    for chunk in devices.chunks(CHUNK) {
        let of_chunk = || C::DeviceId.is_in(chunk.iter().map(|d| d.0));
        // Counted, not taken from the sequence: a file may have lost events.
        let place = Expr::cust("row_number() over (partition by device_id order by sequence)");
        let placed = scoped::find::<device_event::Entity>(scope)
            .select_only()
            .columns([C::DeviceId, C::Sequence])
            .expr_as(place, "place")
            .filter(of_chunk())
            .into_query();
        let first = Query::select()
            .columns([C::DeviceId, C::Sequence])
            .from_subquery(placed, Alias::new("placed"))
            .and_where(Expr::col(Alias::new("place")).lte(i64::from(per_device)))
            .to_owned();
        let rows = scoped::find::<device_event::Entity>(scope)
            .filter(of_chunk())
            .filter(Expr::tuple([Expr::col(C::DeviceId), Expr::col(C::Sequence)]).in_subquery(first))
            .order_by_asc(C::Sequence)
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(stored));
    }
    Ok(found)
}

/// The head of a file, without a lock.
pub async fn head(db: &impl ConnectionTrait, scope: &Scope, device: DeviceId) -> StoreResult<Option<Head>> {
    let row =
        scoped::find::<device_head::Entity>(scope).filter(device_head::Column::DeviceId.eq(device.0)).one(db).await?;
    Ok(row.map(|r| Head { sequence: r.sequence, hash: r.hash }))
}

/// Heads of files whose device is not there.
pub async fn without_device(db: &impl ConnectionTrait, scope: &Scope, limit: u64) -> StoreResult<Vec<DeviceId>> {
    let devices = Query::select()
        .column(device::Column::Id)
        .from(device::Entity)
        .and_where(device::Column::OrganizationId.eq(scope.organization.0))
        .to_owned();
    let rows = scoped::find::<device_head::Entity>(scope)
        .filter(device_head::Column::DeviceId.not_in_subquery(devices))
        // On PostgreSQL a lock leaves an empty head where the change is given up.
        .filter(device_head::Column::Sequence.gt(0))
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|r| DeviceId(r.device_id)).collect())
}

/// What a message about new events says.
#[derive(Deserialize)]
struct Appended {
    /// Sequence of the last one.
    sequence: i64,
    /// How many there are, this one among them.
    #[serde(default)]
    events: i64,
}

/// Events that became lasting after a place, in that order, each file's in its own.
#[derive(Clone, Debug)]
pub struct Owed {
    /// The events with the places of their messages.
    pub events: Vec<(Place, StoredEvent)>,
    /// The place to go on after.
    pub end: Place,
}

/// Events that became lasting after a place, of `limit` messages at most; none when there are none.
pub async fn owed_after(
    db: &impl ConnectionTrait,
    scope: &Scope,
    after: Place,
    limit: u64,
) -> StoreResult<Option<Owed>> {
    use device_event::Column as C;
    let messages = outbox::owed_after(db, scope, TOPIC, after, limit).await?;
    let Some(end) = messages.last().map(|m| m.place) else { return Ok(None) };
    let devices: HashSet<Uuid> = messages.iter().map(|m| m.subject_id).collect();
    let times = || messages.iter().map(|m| m.created_at);
    let (Some(from), Some(until)) = (times().min(), times().max()) else { return Ok(None) };
    let devices: Vec<Uuid> = devices.into_iter().collect();
    let mut files: HashMap<Uuid, BTreeMap<i64, StoredEvent>> = HashMap::new();
    for chunk in devices.chunks(CHUNK) {
        let rows = scoped::find::<device_event::Entity>(scope)
            .filter(C::DeviceId.is_in(chunk.iter().copied()))
            // A message is as old as its events: what else is in these files is not read.
            .filter(C::RecordedAt.gte(from))
            .filter(C::RecordedAt.lte(until))
            .all(db)
            .await?;
        for row in rows {
            files.entry(row.device_id).or_default().insert(row.sequence, stored(row));
        }
    }
    let mut events = Vec::new();
    for message in &messages {
        let appended: Appended = serde_json::from_str(&message.payload).map_err(|e| StoreError::Corrupt {
            table: "outbox".into(),
            column: "payload".into(),
            row: message.subject_id.to_string(),
            detail: e.to_string(),
        })?;
        let first = appended.sequence - Ord::max(appended.events, 1) + 1;
        let file = files.get(&message.subject_id).into_iter();
        let new = file.flat_map(|file| file.range(first..=appended.sequence));
        events.extend(new.map(|(_, event)| (message.place, event.clone())));
    }
    Ok(Some(Owed { events, end }))
}
