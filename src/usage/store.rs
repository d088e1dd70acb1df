//! Rows of usage ↔ its model; batch readers over slices of (device, meter).

use super::daily::{self, DayMap};
use super::model::*;
use super::pattern::pattern;
use crate::catalogue::model::{Meter, ModelMeter};
use crate::db::scoped::{self, insert_chunked};
use crate::db::{StoreError, StoreResult};
use crate::entity::{daily_usage, device_meter, meter_reading};
use crate::kernel::calendar::local_date;
use crate::kernel::ids::{DeviceId, SiteId};
use crate::kernel::scope::Scope;
use crate::registry::store as registry_store;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use sea_orm::sea_query::{Expr, OnConflict, Query, SelectStatement, UnionType};
use sea_orm::{ColumnTrait, ConnectionTrait, FromQueryResult, IntoActiveModel, Iterable, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use std::collections::{BTreeMap, HashMap, HashSet};

const CHUNK: usize = 1_000;
/// Parts of one UNION: SQLite takes 500.
const UNION_PARTS: usize = 200;

/// A device and a meter code.
pub type MeterKey = (DeviceId, String);

fn ids(keys: &[MeterKey]) -> Vec<DeviceId> {
    let mut ids: Vec<DeviceId> = keys.iter().map(|(d, _)| *d).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn state_from(row: device_meter::Model) -> MeterState {
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
pub async fn meter_states(db: &impl ConnectionTrait, scope: &Scope, keys: &[MeterKey]) -> StoreResult<Vec<Option<MeterState>>> {
    let known: HashMap<MeterKey, MeterState> = meters_of(db, scope, &ids(keys))
        .await?
        .into_iter()
        .map(|s| ((s.device_id, s.meter_code.clone()), s))
        .collect();
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

fn folded_from(row: &meter_reading::Model) -> StoreResult<FoldedReading> {
    let disposition = Disposition::parse(&row.disposition).ok_or_else(|| StoreError::Corrupt {
        table: "meter_reading".into(),
        column: "disposition".into(),
        row: row.device_id.to_string(),
        detail: row.disposition.clone(),
    })?;
    Ok(FoldedReading { reading: Reading { read_at: row.read_at, value: row.value }, disposition, life: row.life })
}

/// All stored readings of these devices' meters, sorted by (device time, value).
pub async fn readings_of(db: &impl ConnectionTrait, scope: &Scope, keys: &[MeterKey]) -> StoreResult<HashMap<MeterKey, Vec<FoldedReading>>> {
    let wanted: HashSet<&MeterKey> = keys.iter().collect();
    let mut codes: Vec<&str> = keys.iter().map(|(_, m)| m.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut found: HashMap<MeterKey, Vec<FoldedReading>> = HashMap::new();
    for chunk in ids(keys).chunks(CHUNK) {
        let rows = scoped::find::<meter_reading::Entity>(scope)
            .filter(meter_reading::Column::DeviceId.is_in(chunk.iter().map(|d| d.0)))
            .filter(meter_reading::Column::MeterCode.is_in(codes.iter().copied()))
            .order_by_asc(meter_reading::Column::ReadAt)
            .order_by_asc(meter_reading::Column::Value)
            .all(db)
            .await?;
        for row in rows {
            let key = (DeviceId(row.device_id), row.meter_code.clone());
            if wanted.contains(&key) {
                found.entry(key).or_default().push(folded_from(&row)?);
            }
        }
    }
    Ok(found)
}

/// Adds readings, or overwrites what the fold made of those that exist.
pub async fn upsert_readings(
    db: &impl ConnectionTrait,
    scope: &Scope,
    readings: &[(MeterKey, FoldedReading)],
    source: &str,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    use meter_reading::Column as C;
    let rows = readings
        .iter()
        .map(|((device, meter), f)| {
            meter_reading::Model {
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
        .collect();
    let conflict = OnConflict::columns([C::DeviceId, C::MeterCode, C::ReadAt, C::Value])
        .update_columns([C::Disposition, C::Life])
        .to_owned();
    insert_chunked(db, rows, Some(conflict)).await
}

/// The packed days of these meters, unpacked; `from_year` and later.
pub async fn days_of(db: &impl ConnectionTrait, scope: &Scope, keys: &[MeterKey], from_year: i32) -> StoreResult<HashMap<MeterKey, DayMap>> {
    let wanted: HashSet<&MeterKey> = keys.iter().collect();
    let mut found: HashMap<MeterKey, DayMap> = HashMap::new();
    for chunk in ids(keys).chunks(CHUNK) {
        let rows = scoped::find::<daily_usage::Entity>(scope)
            .filter(daily_usage::Column::DeviceId.is_in(chunk.iter().map(|d| d.0)))
            .filter(daily_usage::Column::Year.gte(from_year))
            .all(db)
            .await?;
        for row in rows {
            let key = (DeviceId(row.device_id), row.meter_code.clone());
            if wanted.contains(&key) {
                daily::unpack(&row.days, row.year, found.entry(key).or_default());
            }
        }
    }
    Ok(found)
}

/// Writes the packed years of a meter that `years` names.
pub async fn write_days(db: &impl ConnectionTrait, scope: &Scope, days: &[(MeterKey, DayMap)]) -> StoreResult<()> {
    use daily_usage::Column as C;
    let mut rows = Vec::new();
    for ((device, meter), map) in days {
        let years: HashSet<i32> = map.keys().map(NaiveDate::year).collect();
        for year in years {
            rows.push(
                daily_usage::Model {
                    organization_id: scope.organization.0,
                    device_id: device.0,
                    meter_code: meter.clone(),
                    year,
                    days: daily::pack(map, year),
                }
                .into_active_model(),
            );
        }
    }
    let conflict = OnConflict::columns([C::DeviceId, C::MeterCode, C::Year]).update_column(C::Days).to_owned();
    insert_chunked(db, rows, Some(conflict)).await
}

/// Zones of devices' civil days: their site's, else the organization's.
pub async fn zones(db: &impl ConnectionTrait, scope: &Scope, devices: &[DeviceId]) -> StoreResult<HashMap<DeviceId, Tz>> {
    let devices = registry_store::devices_by_ids(db, scope, devices).await?;
    let mut sites: Vec<SiteId> = devices.iter().filter_map(|d| d.site_id).collect();
    sites.sort_unstable();
    sites.dedup();
    let zones: HashMap<SiteId, Tz> =
        registry_store::sites_by_ids(db, scope, &sites).await?.into_iter().map(|s| (s.id, s.time_zone)).collect();
    let fallback = registry_store::organization(db, scope).await?.time_zone;
    Ok(devices
        .into_iter()
        .map(|d| (d.id, d.site_id.and_then(|s| zones.get(&s).copied()).unwrap_or(fallback)))
        .collect())
}

/// Meters of the devices' models, by device and code, with the meters' own facts.
pub async fn specs(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[DeviceId],
) -> StoreResult<(HashMap<MeterKey, ModelMeter>, HashMap<String, Meter>)> {
    let devices = registry_store::devices_by_ids(db, scope, devices).await?;
    let mut models: Vec<_> = devices.iter().map(|d| d.model_id).collect();
    models.sort_unstable();
    models.dedup();
    let models: HashMap<_, _> = crate::catalogue::store::models_by_ids(db, scope, &models)
        .await?
        .into_iter()
        .map(|m| (m.id, m))
        .collect();
    let meters = crate::catalogue::store::meters(db, scope).await?.into_iter().map(|m| (m.code.clone(), m)).collect();
    let mut specs = HashMap::new();
    for device in devices {
        for meter in models.get(&device.model_id).map(|m| m.meters.as_slice()).unwrap_or_default() {
            specs.insert((device.id, meter.meter_code.clone()), meter.clone());
        }
    }
    Ok((specs, meters))
}

/// The last civil day whose usage is known to its end: the day of the last reading if that was
/// taken in the evening (20:00 local time or later), else the day before.
pub fn last_full_day(zone: Tz, latest_at: DateTime<Utc>) -> NaiveDate {
    let day = local_date(zone, latest_at);
    if latest_at.with_timezone(&zone).hour() >= 20 { day } else { day.pred_opt().unwrap_or(day) }
}

/// How these devices are used, in the order asked; none for a meter the model does not have.
pub async fn patterns(db: &impl ConnectionTrait, scope: &Scope, keys: &[MeterKey]) -> StoreResult<Vec<Option<UsagePattern>>> {
    let devices = ids(keys);
    let states = meter_states(db, scope, keys).await?;
    let zones = zones(db, scope, &devices).await?;
    let (specs, _) = specs(db, scope, &devices).await?;
    let earliest = states.iter().flatten().map(|s| s.latest_at).min();
    let from_year = earliest.map_or(2100, |at| (at - TimeDelta::days(60)).year());
    let days = days_of(db, scope, keys, from_year).await?;
    let nothing = DayMap::new();
    Ok(keys
        .iter()
        .zip(states)
        .map(|(key, state)| {
            let spec = specs.get(key)?;
            let zone = zones.get(&key.0).copied().unwrap_or(Tz::UTC);
            let as_of = state.map_or(NaiveDate::MIN, |s| last_full_day(zone, s.latest_at));
            Some(pattern(days.get(key).unwrap_or(&nothing), as_of, spec.planning_per_day))
        })
        .collect())
}

#[derive(Debug, FromQueryResult)]
struct Point {
    slot: i32,
    read_at: DateTime<Utc>,
    life: i64,
}

fn counted() -> [&'static str; 5] {
    [
        Disposition::CountedFirst.as_str(),
        Disposition::Counted.as_str(),
        Disposition::Rollover.as_str(),
        Disposition::Reset.as_str(),
        Disposition::Recovered.as_str(),
    ]
}

/// One counted reading of a meter that meets a bound, as a part of a UNION.
fn one_point(scope: &Scope, slot: usize, key: &MeterKey, bound: sea_orm::Condition, is_descending: bool, by_life: bool) -> SelectStatement {
    use meter_reading::Column as C;
    let order = if is_descending { sea_orm::Order::Desc } else { sea_orm::Order::Asc };
    let mut find = scoped::find::<meter_reading::Entity>(scope)
        .select_only()
        .expr_as(Expr::val(slot as i32), "slot")
        .column(C::ReadAt)
        .column(C::Life)
        .filter(C::DeviceId.eq(key.0.0))
        .filter(C::MeterCode.eq(key.1.as_str()))
        .filter(C::Disposition.is_in(counted()))
        .filter(bound);
    if by_life {
        find = find.order_by(C::Life, order.clone());
    }
    let inner = find.order_by(C::ReadAt, order).limit(1).into_query();
    // SQLite takes LIMIT inside a UNION only in a sub-select.
    let part = sea_orm::sea_query::Alias::new("part");
    Query::select().column(sea_orm::sea_query::Asterisk).from_subquery(inner, part).to_owned()
}

async fn points(db: &impl ConnectionTrait, parts: Vec<SelectStatement>) -> StoreResult<HashMap<usize, (DateTime<Utc>, i64)>> {
    let mut found = HashMap::new();
    let mut parts = parts.into_iter().peekable();
    while let Some(mut query) = parts.next() {
        for _ in 1..UNION_PARTS {
            let Some(part) = parts.next() else { break };
            query.union(UnionType::All, part);
        }
        let statement = db.get_database_backend().build(&query);
        for point in Point::find_by_statement(statement).all(db).await? {
            found.insert(point.slot as usize, (point.read_at, point.life));
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

/// Life counters at moments, in the order asked: between two counted readings by time, after the
/// last one its life, before the first one the first one's life; none without readings.
pub async fn life_at(db: &impl ConnectionTrait, scope: &Scope, asked: &[(DeviceId, String, DateTime<Utc>)]) -> StoreResult<Vec<Option<i64>>> {
    use meter_reading::Column as C;
    let all = sea_orm::Condition::all;
    let mut parts = Vec::with_capacity(asked.len() * 2);
    for (place, (device, meter, at)) in asked.iter().enumerate() {
        let key = (*device, meter.clone());
        parts.push(one_point(scope, place * 2, &key, all().add(C::ReadAt.lte(*at)), true, false));
        parts.push(one_point(scope, place * 2 + 1, &key, all().add(C::ReadAt.gt(*at)), false, false));
    }
    let found = points(db, parts).await?;
    Ok(asked
        .iter()
        .enumerate()
        .map(|(place, (_, _, at))| match (found.get(&(place * 2)), found.get(&(place * 2 + 1))) {
            (Some(a), Some(b)) => Some(between(*a, *b, *at)),
            (Some(one), None) | (None, Some(one)) => Some(one.1),
            (None, None) => None,
        })
        .collect())
}

/// When life counters first reached a value, in the order asked; none where they have not.
pub async fn crossings(db: &impl ConnectionTrait, scope: &Scope, asked: &[(DeviceId, String, i64)]) -> StoreResult<Vec<Option<DateTime<Utc>>>> {
    use meter_reading::Column as C;
    let all = sea_orm::Condition::all;
    let mut parts = Vec::with_capacity(asked.len() * 2);
    for (place, (device, meter, target)) in asked.iter().enumerate() {
        let key = (*device, meter.clone());
        parts.push(one_point(scope, place * 2, &key, all().add(C::Life.lt(*target)), true, true));
        parts.push(one_point(scope, place * 2 + 1, &key, all().add(C::Life.gte(*target)), false, true));
    }
    let found = points(db, parts).await?;
    Ok(asked
        .iter()
        .enumerate()
        .map(|(place, (_, _, target))| {
            let after = found.get(&(place * 2 + 1))?;
            let Some(before) = found.get(&(place * 2)) else { return Some(after.0) };
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
pub async fn day_series(db: &impl ConnectionTrait, scope: &Scope, key: &MeterKey, from: NaiveDate) -> StoreResult<BTreeMap<NaiveDate, daily::DayUsage>> {
    let mut days = days_of(db, scope, std::slice::from_ref(key), from.year()).await?;
    let mut map = days.remove(key).unwrap_or_default();
    Ok(map.split_off(&from))
}
