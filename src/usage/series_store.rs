//! Readings of many devices at once: what conditions look at, and the hours of the week.

use super::hours::{HourProfile, WINDOW_DAYS, hour_profile};
use super::measure::{DeviceSeries, MeterSeries, Point, normal_gap};
use super::model::{Disposition, MeterKey, MeterState};
use super::store::{self, DeviceFacts};
use crate::catalogue::model::Meter;
use crate::catalogue::store as catalogue_store;
use crate::db::StoreResult;
use crate::db::each::{Bound, Key, Wanted, first_of_each, first_rows_of_each};
use crate::db::scoped;
use crate::entity::meter_reading;
use crate::kernel::ids::DeviceId;
use crate::kernel::scope::Scope;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

const CHUNK: usize = 1_000;
/// Devices whose readings of eight weeks are loaded at a time: some 1,300 hourly ones of each.
const HOURLY_CHUNK: usize = 200;
/// Days before its last reading in which a device shows its normal gap.
const GAP_DAYS: i64 = 60;
/// Moments of a device that are looked at for it.
const GAP_POINTS: u32 = 200;

/// A counted reading as it is stored.
type Counted = (DateTime<Utc>, i64, i64);

fn counted_codes() -> impl Iterator<Item = &'static str> {
    Disposition::ALL.iter().copied().filter(|d| d.is_counted()).map(Disposition::as_str)
}

fn unique(devices: impl Iterator<Item = DeviceId>) -> Vec<DeviceId> {
    let mut found: Vec<DeviceId> = devices.collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Counted readings of these devices' meters from a moment on, by device time.
async fn counted_from(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[DeviceId],
    wanted: &HashSet<MeterKey>,
    from: DateTime<Utc>,
) -> StoreResult<HashMap<MeterKey, Vec<Counted>>> {
    use meter_reading::Column as C;
    let mut codes: Vec<&str> = wanted.iter().map(|(_, code)| code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let rows: Vec<(Uuid, String, DateTime<Utc>, i64, i64)> = scoped::find::<meter_reading::Entity>(scope)
        .select_only()
        .columns([C::DeviceId, C::MeterCode, C::ReadAt, C::Value, C::Life])
        .filter(C::DeviceId.is_in(devices.iter().map(|d| d.0)))
        .filter(C::MeterCode.is_in(codes))
        .filter(C::ReadAt.gte(from))
        .filter(C::Disposition.is_in(counted_codes()))
        .order_by_asc(C::DeviceId)
        .order_by_asc(C::MeterCode)
        .order_by_asc(C::ReadAt)
        .into_tuple()
        .all(db)
        .await?;
    let mut found: HashMap<MeterKey, Vec<Counted>> = HashMap::new();
    for (device, code, at, value, life) in rows {
        let key = (DeviceId(device), code);
        if wanted.contains(&key) {
            found.entry(key).or_default().push((at, value, life));
        }
    }
    Ok(found)
}

/// A counted reading that answers a key.
#[derive(Debug, FromQueryResult)]
struct Before {
    slot: i32,
    read_at: DateTime<Utc>,
    value: i64,
    life: i64,
}

/// The last counted readings before a moment, of meters that were read before it.
async fn last_before(
    db: &impl ConnectionTrait,
    scope: &Scope,
    states: &[&MeterState],
    from: DateTime<Utc>,
) -> StoreResult<HashMap<MeterKey, Counted>> {
    let keys: Vec<Key<'_>> = states
        .iter()
        .enumerate()
        .filter(|(_, state)| state.first_at < from)
        .map(|(slot, state)| Key { slot, owner: state.device_id.0, name: &state.meter_code, bound: Bound::At(from) })
        .collect();
    let condition = counted_and("read_at < k.bound");
    let wanted = Wanted {
        table: "meter_reading",
        columns: "read_at, value, life",
        condition: &condition,
        order: "read_at desc, value desc",
    };
    let rows: Vec<Before> = first_of_each(db, scope, &keys, wanted).await?;
    let answered = rows.into_iter().filter_map(|row| {
        let state = states.get(row.slot as usize)?;
        Some(((state.device_id, state.meter_code.clone()), (row.read_at, row.value, row.life)))
    });
    Ok(answered.collect())
}

/// Counted readings of a key's meter that meet a bound.
fn counted_and(bound: &str) -> String {
    let counted: Vec<String> = counted_codes().map(|code| format!("'{code}'")).collect();
    format!("device_id = k.owner and meter_code = k.name and {bound} and disposition in ({})", counted.join(","))
}

/// A moment that answers a key.
#[derive(Debug, FromQueryResult)]
struct Moment {
    slot: i32,
    read_at: DateTime<Utc>,
}

/// The latest moments at which devices were read, in order: of the meter that is read most of those
/// still read, because one report may give each meter a second of its own.
async fn moments_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    states: &[MeterState],
) -> StoreResult<HashMap<DeviceId, Vec<DateTime<Utc>>>> {
    let mut last: HashMap<DeviceId, DateTime<Utc>> = HashMap::new();
    for state in states {
        let at = last.entry(state.device_id).or_insert(state.latest_at);
        *at = (*at).max(state.latest_at);
    }
    let from = |device: DeviceId| last.get(&device).map(|at| *at - TimeDelta::days(GAP_DAYS));
    let mut busiest: BTreeMap<DeviceId, &MeterState> = BTreeMap::new();
    for state in states.iter().filter(|s| from(s.device_id).is_some_and(|from| s.latest_at > from)) {
        let known = busiest.entry(state.device_id).or_insert(state);
        // States come by code, so that the first of equals is always the same.
        if state.reading_count > known.reading_count {
            *known = state;
        }
    }
    let busiest: Vec<&MeterState> = busiest.into_values().collect();
    let keys: Vec<Key<'_>> = busiest
        .iter()
        .enumerate()
        .filter_map(|(slot, state)| {
            let bound = Bound::At(from(state.device_id)?);
            Some(Key { slot, owner: state.device_id.0, name: &state.meter_code, bound })
        })
        .collect();
    let condition = counted_and("read_at > k.bound");
    let wanted = Wanted { table: "meter_reading", columns: "read_at", condition: &condition, order: "read_at desc" };
    let rows: Vec<Moment> = first_rows_of_each(db, scope, &keys, wanted, GAP_POINTS).await?;
    let mut found: HashMap<DeviceId, Vec<DateTime<Utc>>> = HashMap::new();
    for row in rows {
        if let Some(state) = busiest.get(row.slot as usize) {
            found.entry(state.device_id).or_default().push(row.read_at);
        }
    }
    for moments in found.values_mut() {
        moments.sort_unstable();
        moments.dedup();
    }
    Ok(found)
}

fn point(meter: &Meter, (at, value, life): Counted) -> Point {
    Point { at, value: meter.to_value(value), life: meter.to_value(life) }
}

/// Time without a reading after which a device is silent.
const QUIET: TimeDelta = TimeDelta::days(7);

/// Readings of devices' meters from a moment until now with the last one before it, and when the
/// devices are normally read; of a device that is silent, as long a time before its last reading; in the order asked, in a number of statements that does not depend on how
/// many there are (per thousand). The parts' `life_base` is not known here and is 0.
pub async fn series(
    db: &impl ConnectionTrait,
    scope: &Scope,
    asked: &[(DeviceId, Vec<String>)],
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> StoreResult<Vec<DeviceSeries>> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let meters: HashMap<String, Meter> =
        catalogue_store::meters(db, scope).await?.into_iter().map(|m| (m.code.clone(), m)).collect();
    let wanted: HashSet<MeterKey> =
        asked.iter().flat_map(|(device, codes)| codes.iter().map(|code| (*device, code.clone()))).collect();
    let devices = unique(asked.iter().map(|(device, _)| *device));
    let mut points: HashMap<MeterKey, Vec<Point>> = HashMap::new();
    let mut last_reading: HashMap<DeviceId, DateTime<Utc>> = HashMap::new();
    let mut moments: HashMap<DeviceId, Vec<DateTime<Utc>>> = HashMap::new();
    for chunk in devices.chunks(CHUNK) {
        let states = store::meters_of(db, scope, chunk).await?;
        for state in &states {
            // What did not count was sent all the same.
            let seen = state.latest_at.max(state.last_row_at);
            let at = last_reading.entry(state.device_id).or_insert(seen);
            *at = (*at).max(seen);
        }
        moments.extend(moments_of(db, scope, &states).await?);
        let of_asked: Vec<&MeterState> =
            states.iter().filter(|s| wanted.contains(&(s.device_id, s.meter_code.clone()))).collect();
        if of_asked.is_empty() {
            continue;
        }
        // What was last read long ago is judged by the readings before that: its windows are loaded as
        // whole as those of a device that was read just now.
        let silent: HashSet<DeviceId> =
            chunk.iter().copied().filter(|d| last_reading.get(d).is_some_and(|at| *at < until - QUIET)).collect();
        let awake: Vec<DeviceId> = chunk.iter().copied().filter(|d| !silent.contains(d)).collect();
        let of_awake: Vec<&MeterState> = of_asked.iter().copied().filter(|s| !silent.contains(&s.device_id)).collect();
        let mut before = last_before(db, scope, &of_awake, from).await?;
        let mut later = counted_from(db, scope, &awake, &wanted, from).await?;
        if !silent.is_empty() {
            let of_silent: Vec<&MeterState> =
                of_asked.iter().copied().filter(|s| silent.contains(&s.device_id)).collect();
            let last = silent.iter().filter_map(|d| last_reading.get(d)).min().copied().unwrap_or(until);
            let earlier = last.min(until) - (until - from);
            let silent: Vec<DeviceId> = silent.into_iter().collect();
            before.extend(last_before(db, scope, &of_silent, earlier).await?);
            later.extend(counted_from(db, scope, &silent, &wanted, earlier).await?);
        }
        for state in of_asked {
            let key = (state.device_id, state.meter_code.clone());
            let Some(meter) = meters.get(&key.1) else { continue };
            let rows = before.remove(&key).into_iter().chain(later.remove(&key).unwrap_or_default());
            let of_meter: Vec<Point> = rows.map(|row| point(meter, row)).collect();
            points.insert(key, of_meter);
        }
    }
    // The same device may be asked for twice.
    let one = |(device, codes): &(DeviceId, Vec<String>)| {
        let known = codes.iter().filter_map(|code| {
            let points = points.get(&(*device, code.clone()))?;
            Some((code.clone(), MeterSeries { points: points.clone(), life_base: 0.0 }))
        });
        let moments = moments.get(device).cloned().unwrap_or_default();
        DeviceSeries {
            meters: known.collect(),
            last_reading_at: last_reading.get(device).copied(),
            normal_gap: normal_gap(&moments),
            moments,
        }
    };
    Ok(asked.iter().map(one).collect())
}

/// How busy devices are in each hour of their week by readings until now, in the order asked; none
/// where the readings are not close enough together. Loads eight weeks of readings: for the nightly
/// refresh, which keeps what it finds. `facts` are those of the devices; gauges are not asked for.
pub async fn hour_profiles(
    db: &impl ConnectionTrait,
    scope: &Scope,
    facts: &DeviceFacts,
    keys: &[MeterKey],
    now: DateTime<Utc>,
) -> StoreResult<Vec<Option<HourProfile>>> {
    let devices = unique(keys.iter().map(|(device, _)| *device));
    let wanted: HashSet<MeterKey> = keys.iter().cloned().collect();
    let from = now - TimeDelta::days(WINDOW_DAYS);
    let mut known: HashMap<MeterKey, HourProfile> = HashMap::new();
    // So many that their readings are all in memory.
    for chunk in devices.chunks(HOURLY_CHUNK) {
        for (key, rows) in counted_from(db, scope, chunk, &wanted, from).await? {
            let lives: Vec<(DateTime<Utc>, i64)> = rows.into_iter().map(|(at, _, life)| (at, life)).collect();
            if let Some(profile) = hour_profile(&lives, facts.zone(key.0), now) {
                known.insert(key, profile);
            }
        }
    }
    Ok(keys.iter().map(|key| known.get(key).cloned()).collect())
}
