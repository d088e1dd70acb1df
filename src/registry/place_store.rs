//! Rows of places and people: the organization, merchants, sites, positions with their bindings,
//! technicians. [`super::store`] has the devices and hands these on.

use super::model::*;
use crate::db::StoreResult;
use crate::db::cells::{corrupt, json, to_json};
use crate::db::scoped::{self, begins_with_any, count_up_to, insert_chunked};
use crate::db::search::contains_part;
use crate::entity;
use crate::kernel::ids::*;
use crate::kernel::scope::Scope;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, EntityTrait, IntoActiveModel, Iterable, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use uuid::Uuid;

pub(super) const CHUNK: usize = 1_000;

fn zone(table: &str, row: Uuid, text: &str) -> StoreResult<Tz> {
    text.parse().map_err(|_| corrupt(table, "time_zone", row, text))
}

/// The organization of a scope.
pub async fn organization(db: &impl ConnectionTrait, scope: &Scope) -> StoreResult<Organization> {
    let row = entity::organization::Entity::find_by_id(scope.organization.0)
        .one(db)
        .await?
        .ok_or_else(|| corrupt("organization", "id", scope.organization.0, "no such organization"))?;
    Ok(Organization {
        id: row.id.into(),
        time_zone: zone("organization", row.id, &row.time_zone)?,
        requires_inspection: row.requires_inspection,
        code: row.code,
        name: row.name,
    })
}

/// Says whether devices must pass an inspection before they go into service; locks the
/// organization's row.
pub async fn set_requires_inspection(db: &impl ConnectionTrait, scope: &Scope, is_required: bool) -> StoreResult<()> {
    entity::organization::Entity::update_many()
        .col_expr(entity::organization::Column::RequiresInspection, Expr::value(is_required))
        .filter(entity::organization::Column::Id.eq(scope.organization.0))
        .exec(db)
        .await?;
    Ok(())
}

/// Gives the organization its name.
pub async fn rename_organization(db: &impl ConnectionTrait, scope: &Scope, name: &str) -> StoreResult<()> {
    entity::organization::Entity::update_many()
        .col_expr(entity::organization::Column::Name, Expr::value(name))
        .col_expr(entity::organization::Column::Version, Expr::cust("version + 1"))
        .filter(entity::organization::Column::Id.eq(scope.organization.0))
        .exec(db)
        .await?;
    Ok(())
}

// ---- merchants ----

fn merchant_from(row: entity::merchant::Model) -> Merchant {
    Merchant {
        id: row.id.into(),
        name: row.name,
        merchant_number: row.merchant_number,
        version: row.version,
        created_at: row.created_at,
    }
}

/// Merchants by id, in any order.
pub async fn merchants_by_ids(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[MerchantId],
) -> StoreResult<Vec<Merchant>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = scoped::find::<entity::merchant::Entity>(scope)
            .filter(entity::merchant::Column::Id.is_in(chunk.iter().map(|i| i.0)))
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(merchant_from));
    }
    Ok(found)
}

/// Merchants by merchant number.
pub async fn merchants_by_numbers(
    db: &impl ConnectionTrait,
    scope: &Scope,
    numbers: &[String],
) -> StoreResult<Vec<Merchant>> {
    let mut found = Vec::new();
    for chunk in numbers.chunks(CHUNK) {
        let rows = scoped::find::<entity::merchant::Entity>(scope)
            .filter(entity::merchant::Column::MerchantNumber.is_in(chunk.iter().map(String::as_str)))
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(merchant_from));
    }
    Ok(found)
}

fn find_merchants(
    scope: &Scope,
    name_contains: Option<&str>,
    numbers: Option<&[String]>,
) -> Select<entity::merchant::Entity> {
    use entity::merchant::Column as C;
    let mut find = scoped::find::<entity::merchant::Entity>(scope);
    if let Some(part) = name_contains {
        find = find.filter(contains_part(C::Name, part));
    }
    if let Some(numbers) = numbers {
        find = find.filter(C::MerchantNumber.is_in(numbers.iter().map(String::as_str)));
    }
    find
}

/// Merchants after an id (the order they were made in), by name part or number.
pub async fn merchants_page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    name_contains: Option<&str>,
    numbers: Option<&[String]>,
    after: Option<Uuid>,
    limit: u64,
) -> StoreResult<Vec<Merchant>> {
    use entity::merchant::Column as C;
    let mut find = find_merchants(scope, name_contains, numbers);
    if let Some(after) = after {
        find = find.filter(C::Id.gt(after));
    }
    let rows = find.order_by_asc(C::Id).limit(limit).all(db).await?;
    Ok(rows.into_iter().map(merchant_from).collect())
}

/// How many merchants match, counted up to `limit`.
pub async fn count_merchants(
    db: &impl ConnectionTrait,
    scope: &Scope,
    name_contains: Option<&str>,
    numbers: Option<&[String]>,
    limit: u64,
) -> StoreResult<u64> {
    count_up_to(db, find_merchants(scope, name_contains, numbers), limit).await
}

/// Adds merchants.
pub async fn insert_merchants(db: &impl ConnectionTrait, scope: &Scope, merchants: &[Merchant]) -> StoreResult<()> {
    let rows = merchants
        .iter()
        .map(|m| {
            entity::merchant::Model {
                id: m.id.0,
                organization_id: scope.organization.0,
                name: m.name.clone(),
                merchant_number: m.merchant_number.clone(),
                version: m.version,
                created_at: m.created_at,
            }
            .into_active_model()
        })
        .collect();
    insert_chunked(db, rows, None).await
}

// ---- sites ----

fn site_from(row: entity::site::Model) -> StoreResult<Site> {
    let coordinate_system = match &row.coordinate_system {
        Some(text) => {
            Some(CoordinateSystem::parse(text).ok_or_else(|| corrupt("site", "coordinate_system", row.id, text))?)
        }
        None => None,
    };
    let environment = match &row.environment {
        Some(text) => Some(SiteEnvironment::parse(text).ok_or_else(|| corrupt("site", "environment", row.id, text))?),
        None => None,
    };
    Ok(Site {
        id: row.id.into(),
        merchant_id: row.merchant_id.into(),
        time_zone: zone("site", row.id, &row.time_zone)?,
        opening_hours: json("site", "opening_hours", row.id, &row.opening_hours)?,
        closed_days: json("site", "closed_days", row.id, &row.closed_days)?,
        name: row.name,
        address: row.address,
        region_code: row.region_code,
        latitude: row.latitude,
        longitude: row.longitude,
        coordinate_system,
        observes_holidays: row.observes_holidays,
        country: row.country,
        environment,
        contact: row.contact.as_deref().map(|text| json("site", "contact", row.id, text)).transpose()?,
        version: row.version,
        created_at: row.created_at,
    })
}

/// Sites by id, in any order.
pub async fn sites_by_ids(db: &impl ConnectionTrait, scope: &Scope, ids: &[SiteId]) -> StoreResult<Vec<Site>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = scoped::find::<entity::site::Entity>(scope)
            .filter(entity::site::Column::Id.is_in(chunk.iter().map(|i| i.0)))
            .all(db)
            .await?;
        for row in rows {
            found.push(site_from(row)?);
        }
    }
    Ok(found)
}

/// Locks site rows in id order on PostgreSQL; on SQLite the one writer is the lock.
pub async fn lock_sites(db: &impl ConnectionTrait, scope: &Scope, ids: &[SiteId]) -> StoreResult<()> {
    if db.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(());
    }
    for chunk in ids.chunks(CHUNK) {
        scoped::find::<entity::site::Entity>(scope)
            .filter(entity::site::Column::Id.is_in(chunk.iter().map(|s| s.0)))
            .order_by_asc(entity::site::Column::Id)
            .lock_exclusive()
            .all(db)
            .await?;
    }
    Ok(())
}

/// Sites of merchants, for imports.
pub async fn sites_of_merchants(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[MerchantId],
) -> StoreResult<Vec<Site>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = scoped::find::<entity::site::Entity>(scope)
            .filter(entity::site::Column::MerchantId.is_in(chunk.iter().map(|i| i.0)))
            .all(db)
            .await?;
        for row in rows {
            found.push(site_from(row)?);
        }
    }
    Ok(found)
}

/// What may be asked of sites; absent parts do not restrict.
#[derive(Clone, Debug, Default)]
pub struct SiteFilter {
    /// One merchant.
    pub merchant_id: Option<MerchantId>,
    /// Region codes, by prefix.
    pub region_codes: Option<Vec<String>>,
    /// Part of the name.
    pub name_contains: Option<String>,
}

fn find_sites(scope: &Scope, filter: &SiteFilter) -> Select<entity::site::Entity> {
    use entity::site::Column as C;
    let mut find = scoped::find::<entity::site::Entity>(scope);
    if let Some(merchant) = filter.merchant_id {
        find = find.filter(C::MerchantId.eq(merchant.0));
    }
    if let Some(codes) = &filter.region_codes {
        find = find.filter(begins_with_any(C::RegionCode, codes));
    }
    if let Some(part) = &filter.name_contains {
        find = find.filter(contains_part(C::Name, part));
    }
    find
}

/// Sites after an id (the order they were made in).
pub async fn sites_page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &SiteFilter,
    after: Option<Uuid>,
    limit: u64,
) -> StoreResult<Vec<Site>> {
    use entity::site::Column as C;
    let mut find = find_sites(scope, filter);
    if let Some(after) = after {
        find = find.filter(C::Id.gt(after));
    }
    find.order_by_asc(C::Id).limit(limit).all(db).await?.into_iter().map(site_from).collect()
}

/// How many sites match, counted up to `limit`.
pub async fn count_sites(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &SiteFilter,
    limit: u64,
) -> StoreResult<u64> {
    count_up_to(db, find_sites(scope, filter), limit).await
}

/// Adds sites, or overwrites those that exist.
pub async fn upsert_sites(db: &impl ConnectionTrait, scope: &Scope, sites: &[Site]) -> StoreResult<()> {
    let mut rows = Vec::with_capacity(sites.len());
    for s in sites {
        rows.push(
            entity::site::Model {
                id: s.id.0,
                organization_id: scope.organization.0,
                merchant_id: s.merchant_id.0,
                name: s.name.clone(),
                address: s.address.clone(),
                region_code: s.region_code.clone(),
                latitude: s.latitude,
                longitude: s.longitude,
                coordinate_system: s.coordinate_system.map(|c| c.as_str().into()),
                time_zone: s.time_zone.name().into(),
                opening_hours: to_json(&s.opening_hours)?,
                closed_days: to_json(&s.closed_days)?,
                observes_holidays: s.observes_holidays,
                country: s.country.clone(),
                environment: s.environment.map(|e| e.as_str().into()),
                contact: s.contact.as_ref().map(to_json).transpose()?,
                version: s.version,
                created_at: s.created_at,
            }
            .into_active_model(),
        );
    }
    let changed = entity::site::Column::iter().filter(|c| !matches!(c, entity::site::Column::Id));
    let conflict = OnConflict::column(entity::site::Column::Id).update_columns(changed).to_owned();
    insert_chunked(db, rows, Some(conflict)).await
}

// ---- positions and bindings ----

fn position_from(row: entity::position::Model) -> Position {
    Position {
        id: row.id.into(),
        site_id: row.site_id.into(),
        name: row.name,
        terminal_number: row.terminal_number,
        version: row.version,
        created_at: row.created_at,
    }
}

/// Positions by id, in any order.
pub async fn positions_by_ids(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[PositionId],
) -> StoreResult<Vec<Position>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = scoped::find::<entity::position::Entity>(scope)
            .filter(entity::position::Column::Id.is_in(chunk.iter().map(|i| i.0)))
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(position_from));
    }
    Ok(found)
}

/// Positions by terminal number.
pub async fn positions_by_terminals(
    db: &impl ConnectionTrait,
    scope: &Scope,
    numbers: &[String],
) -> StoreResult<Vec<Position>> {
    let mut found = Vec::new();
    for chunk in numbers.chunks(CHUNK) {
        let rows = scoped::find::<entity::position::Entity>(scope)
            .filter(entity::position::Column::TerminalNumber.is_in(chunk.iter().map(String::as_str)))
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(position_from));
    }
    Ok(found)
}

/// Positions of a site, by name.
pub async fn positions_of_sites(
    db: &impl ConnectionTrait,
    scope: &Scope,
    sites: &[SiteId],
) -> StoreResult<Vec<Position>> {
    let mut found = Vec::new();
    for chunk in sites.chunks(CHUNK) {
        let rows = scoped::find::<entity::position::Entity>(scope)
            .filter(entity::position::Column::SiteId.is_in(chunk.iter().map(|i| i.0)))
            .order_by_asc(entity::position::Column::Name)
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(position_from));
    }
    Ok(found)
}

/// Adds positions.
pub async fn insert_positions(db: &impl ConnectionTrait, scope: &Scope, positions: &[Position]) -> StoreResult<()> {
    let rows = positions
        .iter()
        .map(|p| {
            entity::position::Model {
                id: p.id.0,
                organization_id: scope.organization.0,
                site_id: p.site_id.0,
                name: p.name.clone(),
                terminal_number: p.terminal_number.clone(),
                version: p.version,
                created_at: p.created_at,
            }
            .into_active_model()
        })
        .collect();
    insert_chunked(db, rows, None).await
}

fn binding_from(row: entity::binding::Model) -> Binding {
    Binding {
        id: row.id.into(),
        device_id: row.device_id.into(),
        position_id: row.position_id.into(),
        site_id: row.site_id.into(),
        started_at: row.started_at,
        ended_at: row.ended_at,
    }
}

/// Everything that ever stood at these positions, newest first.
pub async fn bindings_of_positions(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[PositionId],
) -> StoreResult<Vec<Binding>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = scoped::find::<entity::binding::Entity>(scope)
            .filter(entity::binding::Column::PositionId.is_in(chunk.iter().map(|i| i.0)))
            .order_by_desc(entity::binding::Column::StartedAt)
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(binding_from));
    }
    Ok(found)
}

/// Every place these devices ever stood at, newest first.
pub async fn bindings_of_devices(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[DeviceId],
) -> StoreResult<Vec<Binding>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = scoped::find::<entity::binding::Entity>(scope)
            .filter(entity::binding::Column::DeviceId.is_in(chunk.iter().map(|i| i.0)))
            .order_by_desc(entity::binding::Column::StartedAt)
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(binding_from));
    }
    Ok(found)
}

/// Opens bindings.
pub async fn insert_bindings(db: &impl ConnectionTrait, scope: &Scope, bindings: &[Binding]) -> StoreResult<()> {
    let rows = bindings
        .iter()
        .map(|b| {
            entity::binding::Model {
                id: b.id.0,
                organization_id: scope.organization.0,
                device_id: b.device_id.0,
                position_id: b.position_id.0,
                site_id: b.site_id.0,
                started_at: b.started_at,
                ended_at: b.ended_at,
            }
            .into_active_model()
        })
        .collect();
    insert_chunked(db, rows, None).await
}

/// Closes the open binding of a device.
pub async fn end_binding(
    db: &impl ConnectionTrait,
    scope: &Scope,
    device: DeviceId,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    scoped::update_many::<entity::binding::Entity>(scope)
        .col_expr(entity::binding::Column::EndedAt, Expr::value(at))
        .filter(entity::binding::Column::DeviceId.eq(device.0))
        .filter(entity::binding::Column::EndedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

// ---- technicians ----

fn technician_from(row: entity::technician::Model) -> StoreResult<Technician> {
    Ok(Technician {
        id: row.id.into(),
        region_codes: json("technician", "region_codes", row.id, &row.region_codes)?,
        name: row.name,
        employee_number: row.employee_number,
        phone: row.phone,
        weekly_hours: row.weekly_hours,
        version: row.version,
        created_at: row.created_at,
    })
}

/// Technicians by id, in any order.
pub async fn technicians_by_ids(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[TechnicianId],
) -> StoreResult<Vec<Technician>> {
    let rows = scoped::find::<entity::technician::Entity>(scope)
        .filter(entity::technician::Column::Id.is_in(ids.iter().map(|i| i.0)))
        .all(db)
        .await?;
    rows.into_iter().map(technician_from).collect()
}

/// Technicians after an id.
pub async fn technicians_page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    after: Option<Uuid>,
    limit: u64,
) -> StoreResult<Vec<Technician>> {
    let mut find = scoped::find::<entity::technician::Entity>(scope);
    if let Some(after) = after {
        find = find.filter(entity::technician::Column::Id.gt(after));
    }
    find.order_by_asc(entity::technician::Column::Id)
        .limit(limit)
        .all(db)
        .await?
        .into_iter()
        .map(technician_from)
        .collect()
}

/// How many technicians there are, counted up to `limit`.
pub async fn count_technicians(db: &impl ConnectionTrait, scope: &Scope, limit: u64) -> StoreResult<u64> {
    count_up_to(db, scoped::find::<entity::technician::Entity>(scope), limit).await
}

/// Adds a technician.
pub async fn insert_technician(db: &impl ConnectionTrait, scope: &Scope, t: &Technician) -> StoreResult<()> {
    let row = entity::technician::Model {
        id: t.id.0,
        organization_id: scope.organization.0,
        name: t.name.clone(),
        employee_number: t.employee_number.clone(),
        phone: t.phone.clone(),
        region_codes: to_json(&t.region_codes)?,
        weekly_hours: t.weekly_hours,
        version: t.version,
        created_at: t.created_at,
    };
    insert_chunked(db, vec![row.into_active_model()], None).await
}
