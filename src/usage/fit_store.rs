//! Rows of what forecasts rest on ↔ its model: fits with their hours, and pools.
//!
//! The nightly refresh writes them; everybody else reads them by primary key.

use super::forecast::Pool;
use super::hours::{HourProfile, USE_METER};
use super::model::{MeterKey, MeterState, UsagePattern};
use super::store;
use crate::db::StoreResult;
use crate::db::cells::{json, to_json};
use crate::db::scoped::{self, insert_chunked};
use crate::entity::{device, device_meter, model_meter, usage_fit, usage_pool};
use crate::kernel::ids::DeviceId;
use crate::kernel::scope::Scope;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, IntoActiveModel, Iterable, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

const CHUNK: usize = 1_000;
/// Versions of a meter's pool that are kept, to see what a forecast of late rested on.
const POOLS_KEPT: i64 = 10;

/// What was chosen for one device and meter, with what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFit {
    /// Device and meter code.
    pub key: MeterKey,
    /// The last full civil day it rests on, in the site's zone.
    pub fitted_through: NaiveDate,
    /// When the meter's state it was made from last changed.
    pub source_updated_at: DateTime<Utc>,
    /// The pool it borrowed from.
    pub pool_version: i64,
    /// The choice.
    pub fit: UsagePattern,
    /// How busy the device is in each hour of the week; none where the readings do not say.
    pub hours: Option<HourProfile>,
    /// When the hours were last looked for, whatever was found.
    pub hours_as_of: Option<DateTime<Utc>>,
    /// When this row last changed.
    pub updated_at: DateTime<Utc>,
}

/// One version of what a fleet's devices have in common for one meter.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPool {
    /// Meter code.
    pub meter_code: String,
    /// From 1 on.
    pub version: i64,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// Devices it was learned from.
    pub device_count: usize,
    /// The pool.
    pub pool: Pool,
}

fn row_name(device: Uuid, meter: &str) -> String {
    format!("{device} {meter}")
}

fn hours_from(device: Uuid, meter: &str, text: Option<&str>) -> StoreResult<Option<HourProfile>> {
    text.map(|text| json("usage_fit", "hour_profile", row_name(device, meter), text)).transpose()
}

fn fit_from(row: usage_fit::Model) -> StoreResult<StoredFit> {
    let name = row_name(row.device_id, &row.meter_code);
    Ok(StoredFit {
        fitted_through: row.fitted_through,
        source_updated_at: row.source_updated_at,
        pool_version: row.pool_version,
        fit: json("usage_fit", "fit", name, &row.fit)?,
        hours: hours_from(row.device_id, &row.meter_code, row.hour_profile.as_deref())?,
        hours_as_of: row.hours_as_of,
        updated_at: row.updated_at,
        key: (DeviceId(row.device_id), row.meter_code),
    })
}

/// Each device and each code once.
fn parts(keys: &[MeterKey]) -> (Vec<Uuid>, Vec<&str>) {
    let devices: BTreeSet<Uuid> = keys.iter().map(|(device, _)| device.0).collect();
    let codes: BTreeSet<&str> = keys.iter().map(|(_, code)| code.as_str()).collect();
    (devices.into_iter().collect(), codes.into_iter().collect())
}

/// The fits of these meters, in the order asked; none where there is none yet.
pub async fn fits(db: &impl ConnectionTrait, scope: &Scope, keys: &[MeterKey]) -> StoreResult<Vec<Option<StoredFit>>> {
    use usage_fit::Column as C;
    let (devices, codes) = parts(keys);
    let mut known: HashMap<MeterKey, StoredFit> = HashMap::new();
    for chunk in devices.chunks(CHUNK) {
        let rows = scoped::find::<usage_fit::Entity>(scope)
            .filter(C::DeviceId.is_in(chunk.iter().copied()))
            .filter(C::MeterCode.is_in(codes.iter().copied()))
            .all(db)
            .await?;
        for row in rows {
            let fit = fit_from(row)?;
            known.insert(fit.key.clone(), fit);
        }
    }
    Ok(keys.iter().map(|key| known.get(key).cloned()).collect())
}

/// Adds fits, or overwrites those that exist.
pub async fn upsert_fits(db: &impl ConnectionTrait, scope: &Scope, fits: &[StoredFit]) -> StoreResult<()> {
    use usage_fit::Column as C;
    let mut rows = Vec::with_capacity(fits.len());
    for fit in fits {
        let row = usage_fit::Model {
            organization_id: scope.organization.0,
            device_id: fit.key.0.0,
            meter_code: fit.key.1.clone(),
            fitted_through: fit.fitted_through,
            source_updated_at: fit.source_updated_at,
            pool_version: fit.pool_version,
            fit: to_json(&fit.fit)?,
            hour_profile: fit.hours.as_ref().map(to_json).transpose()?,
            hours_as_of: fit.hours_as_of,
            updated_at: fit.updated_at,
        };
        rows.push(row.into_active_model());
    }
    let changed = C::iter().filter(|c| !matches!(c, C::DeviceId | C::MeterCode | C::OrganizationId));
    let conflict = OnConflict::columns([C::DeviceId, C::MeterCode]).update_columns(changed).to_owned();
    insert_chunked(db, rows, Some(conflict)).await
}

/// How busy devices are in each hour of their week, as it is kept, in the order asked: one statement
/// for each thousand devices, whatever was read of them. The outer none: it was never looked for; the
/// inner one: the readings did not say.
pub async fn hour_profiles(
    db: &impl ConnectionTrait,
    scope: &Scope,
    keys: &[MeterKey],
) -> StoreResult<Vec<Option<Option<HourProfile>>>> {
    use usage_fit::Column as C;
    let (devices, codes) = parts(keys);
    let mut known: HashMap<MeterKey, Option<HourProfile>> = HashMap::new();
    for chunk in devices.chunks(CHUNK) {
        let rows: Vec<(Uuid, String, Option<String>)> = scoped::find::<usage_fit::Entity>(scope)
            .select_only()
            .columns([C::DeviceId, C::MeterCode, C::HourProfile])
            .filter(C::DeviceId.is_in(chunk.iter().copied()))
            .filter(C::MeterCode.is_in(codes.iter().copied()))
            .filter(C::HoursAsOf.is_not_null())
            .into_tuple()
            .all(db)
            .await?;
        for (device, code, text) in rows {
            let hours = hours_from(device, &code, text.as_deref())?;
            known.insert((DeviceId(device), code), hours);
        }
    }
    Ok(keys.iter().map(|key| known.get(key).cloned()).collect())
}

/// After a key, in the order of (device, meter). The first comparison lets the database seek.
fn beyond(after: Option<&MeterKey>) -> Condition {
    use device_meter::Column as C;
    let Some((device, code)) = after else { return Condition::all() };
    Condition::all()
        .add(C::DeviceId.gte(device.0))
        .add(Condition::any().add(C::DeviceId.gt(device.0)).add(C::MeterCode.gt(code.as_str())))
}

/// Meters with these codes that were ever read, after a key.
fn read_meters(scope: &Scope, codes: &[&str], after: Option<&MeterKey>, limit: u64) -> Select<device_meter::Entity> {
    use device_meter::Column as C;
    scoped::find::<device_meter::Entity>(scope)
        .filter(C::MeterCode.is_in(codes.iter().copied()))
        .filter(beyond(after))
        .order_by_asc(C::DeviceId)
        .order_by_asc(C::MeterCode)
        .limit(limit)
}

/// Devices and meters that were ever read, with one of these codes, after a key; by (device, meter).
pub async fn keys_page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    codes: &[&str],
    after: Option<&MeterKey>,
    limit: u64,
) -> StoreResult<Vec<MeterKey>> {
    use device_meter::Column as C;
    let rows: Vec<(Uuid, String)> = read_meters(scope, codes, after, limit)
        .select_only()
        .columns([C::DeviceId, C::MeterCode])
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(device, code)| (DeviceId(device), code)).collect())
}

/// States of meters whose fit is not there, was made from other readings or from another version of
/// the pool, or whose hours are to be looked for anew: those of [`USE_METER`] that were looked for at
/// `hours_before` or earlier, and read since. By (device, meter), after a key; `versions` are the
/// pools in force, by meter code.
pub async fn stale_page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    versions: &BTreeMap<String, i64>,
    hours_before: DateTime<Utc>,
    after: Option<&MeterKey>,
    limit: u64,
) -> StoreResult<Vec<MeterState>> {
    use device_meter::Column as M;
    use usage_fit::Column as F;
    let of_meter = |column: M| Expr::col((device_meter::Entity, column));
    let of_fit = |column: F| Expr::col((usage_fit::Entity, column));
    let is_of_pool = versions.iter().fold(Condition::any(), |any, (code, version)| {
        any.add(Condition::all().add(M::MeterCode.eq(code.as_str())).add(F::PoolVersion.eq(*version)))
    });
    let has_hours = Condition::any()
        .add(M::MeterCode.ne(USE_METER))
        .add(F::HoursAsOf.gt(hours_before))
        .add(of_fit(F::HoursAsOf).gte(of_meter(M::UpdatedAt)));
    let good = scoped::find::<usage_fit::Entity>(scope)
        .select_only()
        .expr_as(Expr::val(1), "one")
        .filter(of_fit(F::DeviceId).eq(of_meter(M::DeviceId)))
        .filter(of_fit(F::MeterCode).eq(of_meter(M::MeterCode)))
        .filter(of_fit(F::SourceUpdatedAt).eq(of_meter(M::UpdatedAt)))
        .filter(is_of_pool)
        .filter(has_hours)
        .into_query();
    let codes: Vec<&str> = versions.keys().map(String::as_str).collect();
    let rows = read_meters(scope, &codes, after, limit).filter(Expr::exists(good).not()).all(db).await?;
    Ok(rows.into_iter().map(store::state_from).collect())
}

/// Devices that have a meter and were never read by it, after an id: they go by what the fleet does
/// alone.
pub async fn unread_page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    meter: &str,
    after: Option<DeviceId>,
    limit: u64,
) -> StoreResult<Vec<DeviceId>> {
    use device::Column as D;
    let models = scoped::find::<model_meter::Entity>(scope)
        .select_only()
        .column(model_meter::Column::ModelId)
        .filter(model_meter::Column::MeterCode.eq(meter))
        .into_query();
    let states = scoped::find::<device_meter::Entity>(scope)
        .select_only()
        .expr_as(Expr::val(1), "one")
        .filter(
            Expr::col((device_meter::Entity, device_meter::Column::DeviceId)).eq(Expr::col((device::Entity, D::Id))),
        )
        .filter(device_meter::Column::MeterCode.eq(meter))
        .into_query();
    let mut find = scoped::find::<device::Entity>(scope)
        .select_only()
        .column(D::Id)
        .filter(D::ModelId.in_subquery(models))
        .filter(Expr::exists(states).not());
    if let Some(after) = after {
        find = find.filter(D::Id.gt(after.0));
    }
    let rows: Vec<Uuid> = find.order_by_asc(D::Id).limit(limit).into_tuple().all(db).await?;
    Ok(rows.into_iter().map(DeviceId).collect())
}

/// A fit whose meter has no readings any more.
fn is_orphan(scope: &Scope) -> Expr {
    use device_meter::Column as M;
    use usage_fit::Column as F;
    let meter = scoped::find::<device_meter::Entity>(scope)
        .select_only()
        .expr_as(Expr::val(1), "one")
        .filter(Expr::col((device_meter::Entity, M::DeviceId)).eq(Expr::col((usage_fit::Entity, F::DeviceId))))
        .filter(Expr::col((device_meter::Entity, M::MeterCode)).eq(Expr::col((usage_fit::Entity, F::MeterCode))))
        .into_query();
    Expr::exists(meter).not()
}

/// Devices with a fit of a meter that has no readings any more: they went to another device.
pub async fn orphans(db: &impl ConnectionTrait, scope: &Scope, limit: u64) -> StoreResult<Vec<DeviceId>> {
    use usage_fit::Column as C;
    let rows: Vec<Uuid> = scoped::find::<usage_fit::Entity>(scope)
        .select_only()
        .column(C::DeviceId)
        .filter(is_orphan(scope))
        .order_by_asc(C::DeviceId)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    let devices: BTreeSet<Uuid> = rows.into_iter().collect();
    Ok(devices.into_iter().map(DeviceId).collect())
}

/// Takes out the fits of these devices whose meters have no readings any more; says how many.
pub async fn remove_orphans(db: &impl ConnectionTrait, scope: &Scope, devices: &[DeviceId]) -> StoreResult<u64> {
    let mut removed = 0;
    for chunk in devices.chunks(CHUNK) {
        let done = scoped::delete_many::<usage_fit::Entity>(scope)
            .filter(usage_fit::Column::DeviceId.is_in(chunk.iter().map(|d| d.0)))
            .filter(is_orphan(scope))
            .exec(db)
            .await?;
        removed += done.rows_affected;
    }
    Ok(removed)
}

/// The latest pool of each of these meters that has one.
pub async fn latest_pools(
    db: &impl ConnectionTrait,
    scope: &Scope,
    codes: &[&str],
) -> StoreResult<HashMap<String, StoredPool>> {
    use usage_pool::Column as C;
    let versions: Vec<(String, Option<i64>)> = scoped::find::<usage_pool::Entity>(scope)
        .select_only()
        .column(C::MeterCode)
        .column_as(C::Version.max(), "version")
        .filter(C::MeterCode.is_in(codes.iter().copied()))
        .group_by(C::MeterCode)
        .into_tuple()
        .all(db)
        .await?;
    if versions.is_empty() {
        return Ok(HashMap::new());
    }
    let latest = versions.into_iter().fold(Condition::any(), |any, (code, version)| {
        any.add(Condition::all().add(C::MeterCode.eq(code)).add(C::Version.eq(version)))
    });
    let rows = scoped::find::<usage_pool::Entity>(scope).filter(latest).all(db).await?;
    rows.into_iter()
        .map(|row| {
            let pool = json("usage_pool", "pool", format!("{} {}", row.meter_code, row.version), &row.pool)?;
            let stored = StoredPool {
                meter_code: row.meter_code.clone(),
                version: row.version,
                published_at: row.published_at,
                device_count: usize::try_from(row.device_count).unwrap_or_default(),
                pool,
            };
            Ok((row.meter_code, stored))
        })
        .collect()
}

/// Publishes versions of pools, and forgets those that are ten versions old.
///
/// # Errors
/// A version is there already: somebody else published it meanwhile.
pub async fn publish_pools(db: &impl ConnectionTrait, scope: &Scope, pools: &[StoredPool]) -> StoreResult<()> {
    use usage_pool::Column as C;
    let mut rows = Vec::with_capacity(pools.len());
    for pool in pools {
        let row = usage_pool::Model {
            organization_id: scope.organization.0,
            meter_code: pool.meter_code.clone(),
            version: pool.version,
            published_at: pool.published_at,
            device_count: i32::try_from(pool.device_count).unwrap_or(i32::MAX),
            pool: to_json(&pool.pool)?,
        };
        rows.push(row.into_active_model());
    }
    insert_chunked(db, rows, None).await?;
    if pools.is_empty() {
        return Ok(());
    }
    let old = pools.iter().fold(Condition::any(), |any, pool| {
        let is_old = C::Version.lte(pool.version - POOLS_KEPT);
        any.add(Condition::all().add(C::MeterCode.eq(pool.meter_code.as_str())).add(is_old))
    });
    scoped::delete_many::<usage_pool::Entity>(scope).filter(old).exec(db).await?;
    Ok(())
}
