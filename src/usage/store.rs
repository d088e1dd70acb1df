//! Rows of usage ↔ its model; batch readers over slices of (device, meter).
//!
//! The device file belongs to `registry`; it is read here, for anomalies already told, and never
//! written.

use super::daily::{DayMap, DayUsage};
use super::forecast::Group;
use super::intake;
pub use super::model::MeterKey;
use super::model::*;
use crate::catalogue::model::{Meter, ModelMeter};
use crate::db::each::{Bound, Key, Wanted, first_of_each};
use crate::db::scoped::{self, insert_chunked};
use crate::db::{StoreError, StoreResult};
use crate::entity::{daily_usage, device_event, device_meter, meter_reading};
use crate::kernel::calendar::{local_date, start_of_day};
use crate::kernel::ids::{DeviceId, SiteId};
use crate::kernel::scope::Scope;
use crate::registry::file::{self, EventKind};
use crate::registry::file_store;
use crate::registry::model::Site;
use crate::registry::store as registry_store;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use sea_orm::sea_query::{Alias, Asterisk, Expr, OnConflict, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, FromQueryResult, IntoActiveModel, Iterable, Order, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select,
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Terminal numbers of readings that were sent by one.
pub type Terminals = HashMap<(MeterKey, Reading), String>;

const CHUNK: usize = 1_000;
/// Parts of one UNION: SQLite takes 500.
const UNION_PARTS: usize = 200;

fn ids(keys: &[MeterKey]) -> Vec<DeviceId> {
    let mut ids: Vec<DeviceId> = keys.iter().map(|(d, _)| *d).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

pub(super) fn state_from(row: device_meter::Model) -> MeterState {
    MeterState {
        device_id: row.device_id.into(),
        meter_code: row.meter_code,
        latest_value: row.latest_value,
        latest_at: row.latest_at,
        life: row.life,
        first_at: row.first_at,
        first_life: row.first_life,
        reading_count: row.reading_count,
        last_row_at: row.last_row_at,
        is_settled: row.is_settled,
        updated_at: row.updated_at,
    }
}

/// Every meter of these devices that was ever read, by code.
pub async fn meters_of(db: &impl ConnectionTrait, scope: &Scope, devices: &[DeviceId]) -> StoreResult<Vec<MeterState>> {
    let mut found = Vec::new();
    for chunk in devices.chunks(CHUNK) {
        let rows = scoped::find::<device_meter::Entity>(scope)
            .filter(device_meter::Column::DeviceId.is_in(chunk.iter().map(|d| d.0)))
            .order_by_asc(device_meter::Column::MeterCode)
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(state_from));
    }
    Ok(found)
}

/// The states of these meters, in the order asked.
pub async fn meter_states(
    db: &impl ConnectionTrait,
    scope: &Scope,
    keys: &[MeterKey],
) -> StoreResult<Vec<Option<MeterState>>> {
    let known: HashMap<MeterKey, MeterState> =
        meters_of(db, scope, &ids(keys)).await?.into_iter().map(|s| ((s.device_id, s.meter_code.clone()), s)).collect();
    Ok(keys.iter().map(|k| known.get(k).cloned()).collect())
}

/// Adds states, or overwrites those that exist.
pub async fn upsert_states(db: &impl ConnectionTrait, scope: &Scope, states: &[MeterState]) -> StoreResult<()> {
    use device_meter::Column as C;
    let rows = states
        .iter()
        .map(|s| {
            device_meter::Model {
                organization_id: scope.organization.0,
                device_id: s.device_id.0,
                meter_code: s.meter_code.clone(),
                latest_value: s.latest_value,
                latest_at: s.latest_at,
                life: s.life,
                first_at: s.first_at,
                first_life: s.first_life,
                reading_count: s.reading_count,
                last_row_at: s.last_row_at,
                is_settled: s.is_settled,
                updated_at: s.updated_at,
            }
            .into_active_model()
        })
        .collect();
    let changed = C::iter().filter(|c| !matches!(c, C::DeviceId | C::MeterCode | C::OrganizationId));
    let conflict = OnConflict::columns([C::DeviceId, C::MeterCode]).update_columns(changed).to_owned();
    insert_chunked(db, rows, Some(conflict)).await
}

fn reading_rows(
    scope: &Scope,
    readings: &[(MeterKey, FoldedReading)],
    terminals: &Terminals,
    source: &str,
    now: DateTime<Utc>,
) -> Vec<meter_reading::ActiveModel> {
    // Most readings come by serial; then no key is made for nothing.
    let terminal = |key: &MeterKey, f: &FoldedReading| match terminals.is_empty() {
        true => None,
        false => terminals.get(&(key.clone(), f.reading)).cloned(),
    };
    readings
        .iter()
        .map(|(key, f)| {
            let (device, meter) = key;
            meter_reading::Model {
                terminal_number: terminal(key, f),
                organization_id: scope.organization.0,
                device_id: device.0,
                meter_code: meter.clone(),
                read_at: f.reading.read_at,
                value: f.reading.value,
                disposition: f.disposition.as_str().into(),
                life: f.life,
                recorded_at: now,
                source: source.to_owned(),
            }
            .into_active_model()
        })
        .collect()
}

const READING_KEY: [meter_reading::Column; 4] = [
    meter_reading::Column::DeviceId,
    meter_reading::Column::MeterCode,
    meter_reading::Column::ReadAt,
    meter_reading::Column::Value,
];

/// Adds readings, or overwrites what the fold made of those that exist.
pub async fn upsert_readings(
    db: &impl ConnectionTrait,
    scope: &Scope,
    readings: &[(MeterKey, FoldedReading)],
    terminals: &Terminals,
    source: &str,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    use meter_reading::Column as C;
    let conflict = OnConflict::columns(READING_KEY).update_columns([C::Disposition, C::Life]).to_owned();
    insert_chunked(db, reading_rows(scope, readings, terminals, source, now), Some(conflict)).await
}

/// Adds readings that are kept aside without being folded; those that exist stay as they are.
pub async fn add_aside(
    db: &impl ConnectionTrait,
    scope: &Scope,
    readings: &[(MeterKey, FoldedReading)],
    terminals: &Terminals,
    source: &str,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let keep = OnConflict::columns(READING_KEY).do_nothing().to_owned();
    insert_chunked(db, reading_rows(scope, readings, terminals, source, now), Some(keep)).await
}

fn codes(keys: &[MeterKey]) -> Vec<&str> {
    let mut codes: Vec<&str> = keys.iter().map(|(_, m)| m.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Readings of a device that were sent by a terminal number at or after a moment.
pub async fn readings_by_terminal(
    db: &impl ConnectionTrait,
    scope: &Scope,
    device: DeviceId,
    terminal_number: &str,
    from: DateTime<Utc>,
) -> StoreResult<Vec<(String, Reading)>> {
    use meter_reading::Column as C;
    let rows = scoped::find::<meter_reading::Entity>(scope)
        .filter(C::DeviceId.eq(device.0))
        .filter(C::TerminalNumber.eq(terminal_number))
        .filter(C::ReadAt.gte(from))
        // What is kept aside for its time was never counted for anybody.
        .filter(C::Disposition.is_not_in(codes_that(Disposition::is_outside_fold)))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|r| (r.meter_code, Reading { read_at: r.read_at, value: r.value })).collect())
}

/// Takes out the readings of one meter that were sent by a terminal number at or after a moment,
/// and what was made of all its readings; what is left is to be folded anew.
pub async fn take_out_by_terminal(
    db: &impl ConnectionTrait,
    scope: &Scope,
    key: &MeterKey,
    terminal_number: &str,
    from: DateTime<Utc>,
) -> StoreResult<()> {
    scoped::delete_many::<meter_reading::Entity>(scope)
        .filter(meter_reading::Column::DeviceId.eq(key.0.0))
        .filter(meter_reading::Column::MeterCode.eq(key.1.as_str()))
        .filter(meter_reading::Column::TerminalNumber.eq(terminal_number))
        .filter(meter_reading::Column::ReadAt.gte(from))
        .filter(meter_reading::Column::Disposition.is_not_in(codes_that(Disposition::is_outside_fold)))
        .exec(db)
        .await?;
    scoped::delete_many::<device_meter::Entity>(scope)
        .filter(device_meter::Column::DeviceId.eq(key.0.0))
        .filter(device_meter::Column::MeterCode.eq(key.1.as_str()))
        .exec(db)
        .await?;
    scoped::delete_many::<daily_usage::Entity>(scope)
        .filter(daily_usage::Column::DeviceId.eq(key.0.0))
        .filter(daily_usage::Column::MeterCode.eq(key.1.as_str()))
        .exec(db)
        .await?;
    Ok(())
}

/// Usage by day of these meters, from a year on.
pub async fn days_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    keys: &[MeterKey],
    from_year: i32,
) -> StoreResult<HashMap<MeterKey, DayMap>> {
    let wanted: HashSet<&MeterKey> = keys.iter().collect();
    let codes = codes(keys);
    let mut found: HashMap<MeterKey, DayMap> = HashMap::new();
    for chunk in ids(keys).chunks(CHUNK) {
        let rows = scoped::find::<daily_usage::Entity>(scope)
            .filter(daily_usage::Column::DeviceId.is_in(chunk.iter().map(|d| d.0)))
            .filter(daily_usage::Column::MeterCode.is_in(codes.iter().copied()))
            .filter(daily_usage::Column::Year.gte(from_year))
            .all(db)
            .await?;
        for row in rows {
            let key = (DeviceId(row.device_id), row.meter_code);
            if wanted.contains(&key) && !found.entry(key).or_default().load(row.year, row.days) {
                return Err(StoreError::Corrupt {
                    table: "daily_usage".into(),
                    column: "days".into(),
                    row: format!("{} {}", row.device_id, row.year),
                    detail: "not 366 words of 8 bytes".into(),
                });
            }
        }
    }
    Ok(found)
}

/// Writes the packed years that changed.
pub async fn write_days(db: &impl ConnectionTrait, scope: &Scope, days: &[(MeterKey, DayMap)]) -> StoreResult<()> {
    use daily_usage::Column as C;
    let rows = days
        .iter()
        .flat_map(|((device, meter), map)| {
            map.changed().map(move |(year, bytes)| {
                daily_usage::Model {
                    organization_id: scope.organization.0,
                    device_id: device.0,
                    meter_code: meter.clone(),
                    year,
                    days: bytes.to_vec(),
                }
                .into_active_model()
            })
        })
        .collect();
    let conflict = OnConflict::columns([C::DeviceId, C::MeterCode, C::Year]).update_column(C::Days).to_owned();
    insert_chunked(db, rows, Some(conflict)).await
}

/// What the rooms below say of devices: how their models count, and where their days begin.
#[derive(Clone, Debug)]
pub struct DeviceFacts {
    /// Meters of the devices' models.
    pub specs: HashMap<MeterKey, ModelMeter>,
    /// Every meter, by code.
    pub meters: HashMap<String, Meter>,
    zones: HashMap<DeviceId, Tz>,
    fallback: Tz,
    groups: HashMap<DeviceId, Group>,
    countries: HashMap<DeviceId, String>,
}

impl DeviceFacts {
    /// Zone of a device's civil days: its site's, else the organization's.
    pub fn zone(&self, device: DeviceId) -> Tz {
        self.zones.get(&device).copied().unwrap_or(self.fallback)
    }

    /// The country whose holidays a device's site observes; none without a site, and where it observes none.
    pub fn country(&self, device: DeviceId) -> Option<&str> {
        self.countries.get(&device).map(String::as_str)
    }

    /// What a device borrows from while it is young; none for a device nobody knows.
    pub fn group(&self, device: DeviceId) -> Option<&Group> {
        self.groups.get(&device)
    }
}

/// Facts of devices, in a number of statements that does not depend on how many there are (per
/// thousand).
pub async fn device_facts(db: &impl ConnectionTrait, scope: &Scope, devices: &[DeviceId]) -> StoreResult<DeviceFacts> {
    let devices = registry_store::devices_by_ids(db, scope, devices).await?;
    let mut sites: Vec<SiteId> = devices.iter().filter_map(|d| d.site_id).collect();
    sites.sort_unstable();
    sites.dedup();
    let sites: HashMap<SiteId, Site> =
        registry_store::sites_by_ids(db, scope, &sites).await?.into_iter().map(|s| (s.id, s)).collect();
    let mut models: Vec<_> = devices.iter().map(|d| d.model_id).collect();
    models.sort_unstable();
    models.dedup();
    let models: HashMap<_, _> =
        crate::catalogue::store::models_by_ids(db, scope, &models).await?.into_iter().map(|m| (m.id, m)).collect();
    let meters = crate::catalogue::store::meters(db, scope).await?.into_iter().map(|m| (m.code.clone(), m)).collect();
    let fallback = registry_store::organization(db, scope).await?.time_zone;
    let mut specs = HashMap::new();
    let mut zones = HashMap::new();
    let mut groups = HashMap::new();
    let mut countries = HashMap::new();
    for device in devices {
        let site = device.site_id.and_then(|s| sites.get(&s));
        if let Some(site) = site {
            zones.insert(device.id, site.time_zone);
        }
        let site_type = site.and_then(|s| s.environment).map(|e| e.as_str().to_owned());
        if let Some(country) = site.and_then(|s| s.holiday_country().map(str::to_owned)) {
            countries.insert(device.id, country);
        }
        groups.insert(device.id, Group { model: device.model_id.0.simple().to_string(), site_type });
        for meter in models.get(&device.model_id).map(|m| m.meters.as_slice()).unwrap_or_default() {
            specs.insert((device.id, meter.meter_code.clone()), meter.clone());
        }
    }
    Ok(DeviceFacts { specs, meters, zones, fallback, groups, countries })
}

/// The last civil day whose usage is known to its end: the day of the last reading if that was
/// taken in the evening (20:00 local time or later), else the day before.
pub fn last_full_day(zone: Tz, latest_at: DateTime<Utc>) -> NaiveDate {
    let day = local_date(zone, latest_at);
    if latest_at.with_timezone(&zone).hour() >= 20 { day } else { day.pred_opt().unwrap_or(day) }
}

/// The first civil day whose usage is known from its begin: the day after the first reading's.
pub fn first_full_day(zone: Tz, first_at: DateTime<Utc>) -> NaiveDate {
    let day = local_date(zone, first_at);
    if first_at <= start_of_day(zone, day) { day } else { day.succ_opt().unwrap_or(day) }
}

/// A row of a UNION, with the place of the question it answers.
#[derive(Debug, FromQueryResult)]
struct Answer {
    slot: i32,
    read_at: DateTime<Utc>,
    value: i64,
    disposition: String,
    life: i64,
}

impl Answer {
    fn folded(&self) -> StoreResult<FoldedReading> {
        let disposition = Disposition::parse(&self.disposition).ok_or_else(|| StoreError::Corrupt {
            table: "meter_reading".into(),
            column: "disposition".into(),
            row: self.read_at.to_rfc3339(),
            detail: self.disposition.clone(),
        })?;
        Ok(FoldedReading {
            reading: Reading { read_at: self.read_at, value: self.value },
            disposition,
            life: self.life,
        })
    }
}

fn codes_that(is_wanted: impl Fn(Disposition) -> bool) -> impl Iterator<Item = &'static str> {
    Disposition::ALL.iter().copied().filter(move |d| is_wanted(*d)).map(Disposition::as_str)
}

/// Readings of a meter that meet a condition, as a part of a UNION.
fn part(scope: &Scope, slot: usize, key: &MeterKey, condition: Condition) -> Select<meter_reading::Entity> {
    use meter_reading::Column as C;
    scoped::find::<meter_reading::Entity>(scope)
        .select_only()
        .expr_as(Expr::val(slot as i32), "slot")
        .column(C::ReadAt)
        .column(C::Value)
        .column(C::Disposition)
        .column(C::Life)
        .filter(C::DeviceId.eq(key.0.0))
        .filter(C::MeterCode.eq(key.1.as_str()))
        .filter(condition)
}

/// The last counted reading that meets a bound.
fn last_point(scope: &Scope, slot: usize, key: &MeterKey, bound: Condition) -> Select<meter_reading::Entity> {
    use meter_reading::Column as C;
    part(scope, slot, key, bound.add(C::Disposition.is_in(codes_that(Disposition::is_counted))))
        .order_by(C::ReadAt, Order::Desc)
        .limit(1)
}

/// The rows of all parts, in as few statements as the databases allow.
async fn ask(db: &impl ConnectionTrait, parts: Vec<Select<meter_reading::Entity>>) -> StoreResult<Vec<Answer>> {
    // SQLite takes LIMIT inside a UNION only in a sub-select.
    let wrap = |part: Select<meter_reading::Entity>| -> SelectStatement {
        Query::select().column(Asterisk).from_subquery(part.into_query(), Alias::new("part")).to_owned()
    };
    let mut found = Vec::new();
    let mut parts = parts.into_iter();
    while let Some(first) = parts.next() {
        let mut query = wrap(first);
        for part in parts.by_ref().take(UNION_PARTS - 1) {
            query.union(UnionType::All, wrap(part));
        }
        let statement = db.get_database_backend().build(&query);
        found.extend(Answer::find_by_statement(statement).all(db).await?);
    }
    Ok(found)
}

async fn points(
    db: &impl ConnectionTrait,
    parts: Vec<Select<meter_reading::Entity>>,
) -> StoreResult<HashMap<usize, (DateTime<Utc>, i64)>> {
    Ok(ask(db, parts).await?.into_iter().map(|a| (a.slot as usize, (a.read_at, a.life))).collect())
}

/// Sorts answers to the questions they belong to, each by (device time, value).
fn sorted(
    answers: &[Answer],
    questions: usize,
    place: impl Fn(usize) -> usize,
) -> StoreResult<Vec<Vec<FoldedReading>>> {
    let mut found = vec![Vec::new(); questions];
    for answer in answers {
        if let Some(rows) = found.get_mut(place(answer.slot as usize)) {
            rows.push(answer.folded()?);
        }
    }
    for rows in &mut found {
        rows.sort_unstable_by_key(|f: &FoldedReading| f.reading);
    }
    Ok(found)
}

/// Stored readings of meters between two device times, both included; in the order asked.
pub async fn readings_between(
    db: &impl ConnectionTrait,
    scope: &Scope,
    asked: &[(&MeterKey, DateTime<Utc>, DateTime<Utc>)],
) -> StoreResult<Vec<Vec<FoldedReading>>> {
    use meter_reading::Column as C;
    let parts = asked
        .iter()
        .enumerate()
        .map(|(slot, (key, from, to))| {
            part(scope, slot, key, Condition::all().add(C::ReadAt.gte(*from)).add(C::ReadAt.lte(*to)))
        })
        .collect();
    sorted(&ask(db, parts).await?, asked.len(), |slot| slot)
}

/// What has to be folded again when a reading is taken in, per meter and device time of the
/// earliest one: see [`intake::Before::rows`]. In the order asked.
pub async fn rows_to_fold(
    db: &impl ConnectionTrait,
    scope: &Scope,
    asked: &[(&MeterKey, Tz, DateTime<Utc>)],
) -> StoreResult<Vec<Vec<FoldedReading>>> {
    use meter_reading::Column as C;
    let all = Condition::all;
    let parts = asked
        .iter()
        .enumerate()
        .map(|(slot, (key, _, earliest))| {
            let bound =
                all().add(C::ReadAt.lt(*earliest)).add(C::Disposition.is_in(codes_that(Disposition::is_checkpoint)));
            last_point(scope, slot, key, bound)
        })
        .collect();
    let checkpoints = points(db, parts).await?;
    let mut parts = Vec::with_capacity(asked.len() * 2);
    for (slot, (key, zone, _)) in asked.iter().enumerate() {
        match checkpoints.get(&slot) {
            Some((checkpoint, _)) => {
                let from = intake::rows_from(*zone, *checkpoint);
                parts.push(part(scope, slot * 2, key, all().add(C::ReadAt.gte(from))));
                parts.push(last_point(scope, slot * 2 + 1, key, all().add(C::ReadAt.lt(from))));
            }
            None => parts.push(part(scope, slot * 2, key, all())),
        }
    }
    sorted(&ask(db, parts).await?, asked.len(), |slot| slot / 2)
}

/// An anomaly the device file has been told of.
#[derive(Clone, Debug, PartialEq)]
pub struct ToldAnomaly {
    /// The meter.
    pub key: MeterKey,
    /// RESET, ROLLOVER or TOO_FAST.
    pub anomaly: String,
    /// Device time of the reading.
    pub at: DateTime<Utc>,
    /// Its place in the file.
    pub sequence: i64,
}

/// Anomalies of meters in the files of these devices, of readings between two device times.
pub async fn told_anomalies(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[DeviceId],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> StoreResult<Vec<ToldAnomaly>> {
    use device_event::Column as C;
    let mut found = Vec::new();
    for chunk in devices.chunks(CHUNK) {
        let rows = scoped::find::<device_event::Entity>(scope)
            .filter(C::DeviceId.is_in(chunk.iter().map(|d| d.0)))
            .filter(C::Kind.eq(EventKind::MeterAnomaly.as_str()))
            .filter(C::OccurredAt.gte(from))
            .filter(C::OccurredAt.lte(to))
            .all(db)
            .await?;
        for row in rows {
            let Some(event) = file::read(&file_store::stored(row)) else { continue };
            let text = |name: &str| event.payload.get(name).and_then(|v| v.as_str()).map(str::to_owned);
            if let (Some(meter), Some(anomaly)) = (text("meter"), text("anomaly")) {
                found.push(ToldAnomaly {
                    key: (event.device, meter),
                    anomaly,
                    at: event.occurred_at,
                    sequence: event.sequence,
                });
            }
        }
    }
    Ok(found)
}

fn between(a: (DateTime<Utc>, i64), b: (DateTime<Utc>, i64), at: DateTime<Utc>) -> i64 {
    let span = (b.0 - a.0).num_milliseconds();
    if span <= 0 {
        return b.1;
    }
    let share = (at - a.0).num_milliseconds() as f64 / span as f64;
    a.1 + ((b.1 - a.1) as f64 * share).round() as i64
}

/// A counted reading on one side of a bound.
#[derive(Debug, FromQueryResult)]
struct Side {
    slot: i32,
    read_at: DateTime<Utc>,
    life: i64,
}

/// The counted readings nearest to a bound of each key, on one side of it.
async fn nearest(
    db: &impl ConnectionTrait,
    scope: &Scope,
    keys: &[Key<'_>],
    beyond: &str,
    order: &str,
) -> StoreResult<HashMap<usize, (DateTime<Utc>, i64)>> {
    let counted: Vec<String> = codes_that(Disposition::is_counted).map(|code| format!("'{code}'")).collect();
    let condition =
        format!("device_id = k.owner and meter_code = k.name and {beyond} and disposition in ({})", counted.join(","));
    let wanted = Wanted { table: "meter_reading", columns: "read_at, life", condition: &condition, order };
    let rows: Vec<Side> = first_of_each(db, scope, keys, wanted).await?;
    Ok(rows.into_iter().map(|r| (r.slot as usize, (r.read_at, r.life))).collect())
}

/// Life counters at moments, in the order asked: between two counted readings by time, after the
/// last one its life, before the first one the first one's life; none without readings. `states`
/// are those of the meters asked for.
pub async fn life_at(
    db: &impl ConnectionTrait,
    scope: &Scope,
    asked: &[(&MeterKey, DateTime<Utc>)],
    states: &[Option<MeterState>],
) -> StoreResult<Vec<Option<i64>>> {
    let known = |state: &MeterState, at: DateTime<Utc>| match at {
        at if at >= state.latest_at => Some(state.life),
        at if at <= state.first_at => Some(state.first_life),
        _ => None,
    };
    let keys: Vec<Key<'_>> = asked
        .iter()
        .zip(states)
        .enumerate()
        .filter(|(_, ((_, at), state))| state.as_ref().is_some_and(|s| known(s, *at).is_none()))
        .map(|(slot, ((key, at), _))| Key { slot, owner: key.0.0, name: &key.1, bound: Bound::At(*at) })
        .collect();
    let before = nearest(db, scope, &keys, "read_at <= k.bound", "read_at desc, value desc").await?;
    let after = nearest(db, scope, &keys, "read_at > k.bound", "read_at, value").await?;
    Ok(asked
        .iter()
        .zip(states)
        .enumerate()
        .map(|(slot, ((_, at), state))| match (before.get(&slot), after.get(&slot)) {
            (Some(a), Some(b)) => Some(between(*a, *b, *at)),
            (Some(one), None) | (None, Some(one)) => Some(one.1),
            (None, None) => state.as_ref().and_then(|s| known(s, *at)),
        })
        .collect())
}

/// When life counters first reached a value, in the order asked; none where they have not.
/// `states` are those of the meters asked for.
pub async fn crossings(
    db: &impl ConnectionTrait,
    scope: &Scope,
    asked: &[(&MeterKey, i64)],
    states: &[Option<MeterState>],
) -> StoreResult<Vec<Option<DateTime<Utc>>>> {
    let keys: Vec<Key<'_>> = asked
        .iter()
        .zip(states)
        .enumerate()
        .filter(|(_, ((_, target), state))| state.as_ref().is_some_and(|s| s.life >= *target))
        .map(|(slot, ((key, target), _))| Key { slot, owner: key.0.0, name: &key.1, bound: Bound::Number(*target) })
        .collect();
    let before = nearest(db, scope, &keys, "life < k.bound", "life desc, read_at desc").await?;
    let after = nearest(db, scope, &keys, "life >= k.bound", "life, read_at").await?;
    Ok(asked
        .iter()
        .enumerate()
        .map(|(slot, (_, target))| {
            let after = after.get(&slot)?;
            let Some(before) = before.get(&slot) else { return Some(after.0) };
            let span = after.1 - before.1;
            if span <= 0 {
                return Some(after.0);
            }
            let share = (*target - before.1) as f64 / span as f64;
            let millis = (after.0 - before.0).num_milliseconds() as f64 * share;
            Some(before.0 + TimeDelta::milliseconds(millis.round() as i64))
        })
        .collect())
}

/// Usage by day of one meter, for charts.
pub async fn day_series(
    db: &impl ConnectionTrait,
    scope: &Scope,
    key: &MeterKey,
    from: NaiveDate,
) -> StoreResult<BTreeMap<NaiveDate, DayUsage>> {
    let mut days = days_of(db, scope, std::slice::from_ref(key), from.year()).await?;
    let days = days.remove(key).unwrap_or_default();
    Ok(days.iter().filter(|(date, _)| *date >= from).collect())
}
