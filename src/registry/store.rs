//! Rows of the registry ↔ its model. Batch readers take slices. Devices with their software and
//! external ids are here; places, people and parts come from files of their own.

use super::model::*;
pub use super::part_store::*;
pub use super::place_store::*;
use crate::db::StoreResult;
use crate::db::cells::code;
use crate::db::scoped::{self, begins_with_any, count_up_to, insert_chunked};
use crate::entity;
use crate::kernel::ids::*;
use crate::kernel::scope::Scope;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{CaseStatement, Expr, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, IntoActiveModel, Iterable, QueryFilter, QueryOrder, QuerySelect, Select,
};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

// ---- devices ----

fn device_from(row: entity::device::Model) -> StoreResult<Device> {
    Ok(Device {
        status: code(DeviceStatus::parse, "device", "status", row.id, &row.status)?,
        id: row.id.into(),
        manufacturer: row.manufacturer,
        serial_number: row.serial_number,
        model_id: row.model_id.into(),
        asset_tag: row.asset_tag,
        status_reason: row.status_reason,
        status_since: row.status_since,
        merchant_id: row.merchant_id.map(Into::into),
        site_id: row.site_id.map(Into::into),
        position_id: row.position_id.map(Into::into),
        region_code: row.region_code,
        installed_at: row.installed_at,
        firmware_version: row.firmware_version,
        last_seen_at: row.last_seen_at,
        inspected_at: row.inspected_at,
        uninspected_since: row.uninspected_since,
        version: row.version,
        created_at: row.created_at,
    })
}

pub(super) fn devices_from(rows: Vec<entity::device::Model>) -> StoreResult<Vec<Device>> {
    rows.into_iter().map(device_from).collect()
}

/// Devices by id, in any order.
pub async fn devices_by_ids(db: &impl ConnectionTrait, scope: &Scope, ids: &[DeviceId]) -> StoreResult<Vec<Device>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = scoped::find::<entity::device::Entity>(scope)
            .filter(entity::device::Column::Id.is_in(chunk.iter().map(|i| i.0)))
            .all(db)
            .await?;
        found.extend(devices_from(rows)?);
    }
    Ok(found)
}

/// Devices by serial number, of any maker.
pub async fn devices_by_serials(
    db: &impl ConnectionTrait,
    scope: &Scope,
    serials: &[String],
) -> StoreResult<Vec<Device>> {
    let mut found = Vec::new();
    for chunk in serials.chunks(CHUNK) {
        let rows = scoped::find::<entity::device::Entity>(scope)
            .filter(entity::device::Column::SerialNumber.is_in(chunk.iter().map(String::as_str)))
            .all(db)
            .await?;
        found.extend(devices_from(rows)?);
    }
    Ok(found)
}

/// Devices standing at these sites.
pub async fn devices_at_sites(db: &impl ConnectionTrait, scope: &Scope, sites: &[SiteId]) -> StoreResult<Vec<Device>> {
    let mut found = Vec::new();
    for chunk in sites.chunks(CHUNK) {
        let rows = scoped::find::<entity::device::Entity>(scope)
            .filter(entity::device::Column::SiteId.is_in(chunk.iter().map(|i| i.0)))
            .order_by_asc(entity::device::Column::Id)
            .all(db)
            .await?;
        found.extend(devices_from(rows)?);
    }
    Ok(found)
}

fn device_condition(filter: &DeviceFilter, terminal_positions: Option<&[PositionId]>) -> Condition {
    use entity::device::Column as C;
    let mut all = Condition::all();
    if let Some(statuses) = &filter.statuses {
        all = all.add(C::Status.is_in(statuses.iter().map(|s| s.as_str())));
    }
    if let Some(models) = &filter.model_ids {
        all = all.add(C::ModelId.is_in(models.iter().map(|m| m.0)));
    }
    if let Some(site) = filter.site_id {
        all = all.add(C::SiteId.eq(site.0));
    }
    if let Some(merchant) = filter.merchant_id {
        all = all.add(C::MerchantId.eq(merchant.0));
    }
    if let Some(codes) = &filter.region_codes {
        all = all.add(begins_with_any(C::RegionCode, codes));
    }
    if let Some(serials) = &filter.serial_numbers {
        all = all.add(C::SerialNumber.is_in(serials.iter().map(String::as_str)));
    }
    if let Some(positions) = terminal_positions {
        all = all.add(C::PositionId.is_in(positions.iter().map(|p| p.0)));
    }
    if let Some(since) = filter.silent_since {
        all = all.add(Condition::any().add(C::LastSeenAt.lt(since)).add(C::LastSeenAt.is_null()));
    }
    all
}

/// The page key of a device.
pub type DeviceKey = (String, Uuid);

/// The page key of a device in an order.
pub fn device_key(field: DeviceOrderField, device: &Device) -> DeviceKey {
    let value = match field {
        DeviceOrderField::SerialNumber => device.serial_number.clone(),
        DeviceOrderField::CreatedAt => String::new(),
    };
    (value, device.id.0)
}

/// A page of devices after a key; `is_reversed` walks the order backwards.
#[allow(clippy::too_many_arguments)]
pub async fn devices_page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &DeviceFilter,
    field: DeviceOrderField,
    is_reversed: bool,
    after: Option<&DeviceKey>,
    limit: u64,
) -> StoreResult<Vec<Device>> {
    let terminals = match &filter.terminal_numbers {
        Some(numbers) => {
            let positions = positions_by_terminals(db, scope, numbers).await?;
            Some(positions.into_iter().map(|p| p.id).collect::<Vec<_>>())
        }
        None => None,
    };
    let find = scoped::find::<entity::device::Entity>(scope).filter(device_condition(filter, terminals.as_deref()));
    devices_from(in_order(find, field, is_reversed, after).limit(limit).all(db).await?)
}

/// Devices after a key, in an order.
pub(super) fn in_order(
    mut find: Select<entity::device::Entity>,
    field: DeviceOrderField,
    is_reversed: bool,
    after: Option<&DeviceKey>,
) -> Select<entity::device::Entity> {
    use entity::device::Column as C;
    // The id grows with time, so it is the order of creation too.
    if let Some((serial, id)) = after {
        find = match (field, is_reversed) {
            (DeviceOrderField::CreatedAt, false) => find.filter(C::Id.gt(*id)),
            (DeviceOrderField::CreatedAt, true) => find.filter(C::Id.lt(*id)),
            // The plain bound beside the row comparison lets both databases seek.
            (DeviceOrderField::SerialNumber, false) => find.filter(C::SerialNumber.gte(serial)).filter(
                Condition::any()
                    .add(C::SerialNumber.gt(serial))
                    .add(Condition::all().add(C::SerialNumber.eq(serial)).add(C::Id.gt(*id))),
            ),
            (DeviceOrderField::SerialNumber, true) => find.filter(C::SerialNumber.lte(serial)).filter(
                Condition::any()
                    .add(C::SerialNumber.lt(serial))
                    .add(Condition::all().add(C::SerialNumber.eq(serial)).add(C::Id.lt(*id))),
            ),
        };
    }
    let order = if is_reversed { sea_orm::Order::Desc } else { sea_orm::Order::Asc };
    if field == DeviceOrderField::SerialNumber {
        find = find.order_by(C::SerialNumber, order.clone());
    }
    find.order_by(C::Id, order)
}

/// How many devices match, counted up to `limit`.
pub async fn count_devices(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &DeviceFilter,
    limit: u64,
) -> StoreResult<u64> {
    let terminals = match &filter.terminal_numbers {
        Some(numbers) => {
            let positions = positions_by_terminals(db, scope, numbers).await?;
            Some(positions.into_iter().map(|p| p.id).collect::<Vec<_>>())
        }
        None => None,
    };
    let find = scoped::find::<entity::device::Entity>(scope).filter(device_condition(filter, terminals.as_deref()));
    count_up_to(db, find, limit).await
}

/// Every device that matches, with its model; slim, for figures of whole fleets.
pub async fn models_of_devices(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &DeviceFilter,
) -> StoreResult<HashMap<DeviceId, DeviceModelId>> {
    use entity::device::Column as C;
    let terminals = match &filter.terminal_numbers {
        Some(numbers) => {
            let positions = positions_by_terminals(db, scope, numbers).await?;
            Some(positions.into_iter().map(|p| p.id).collect::<Vec<_>>())
        }
        None => None,
    };
    let rows: Vec<(Uuid, Uuid)> = scoped::find::<entity::device::Entity>(scope)
        .select_only()
        .columns([C::Id, C::ModelId])
        .filter(device_condition(filter, terminals.as_deref()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(device, model)| (DeviceId(device), DeviceModelId(model))).collect())
}

/// Adds devices, or overwrites those that exist.
pub async fn upsert_devices(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[Device],
    is_new: bool,
) -> StoreResult<()> {
    let rows = devices
        .iter()
        .map(|d| {
            entity::device::Model {
                id: d.id.0,
                organization_id: scope.organization.0,
                manufacturer: d.manufacturer.clone(),
                serial_number: d.serial_number.clone(),
                model_id: d.model_id.0,
                asset_tag: d.asset_tag.clone(),
                status: d.status.as_str().into(),
                status_reason: d.status_reason.clone(),
                status_since: d.status_since,
                merchant_id: d.merchant_id.map(|i| i.0),
                site_id: d.site_id.map(|i| i.0),
                position_id: d.position_id.map(|i| i.0),
                region_code: d.region_code.clone(),
                installed_at: d.installed_at,
                firmware_version: d.firmware_version.clone(),
                last_seen_at: d.last_seen_at,
                inspected_at: d.inspected_at,
                uninspected_since: d.uninspected_since,
                version: d.version,
                created_at: d.created_at,
            }
            .into_active_model()
        })
        .collect();
    let changed = entity::device::Column::iter()
        .filter(|c| !matches!(c, entity::device::Column::Id | entity::device::Column::LastSeenAt));
    let conflict = OnConflict::column(entity::device::Column::Id).update_columns(changed).to_owned();
    insert_chunked(db, rows, (!is_new).then_some(conflict)).await
}

/// Gives the devices standing at a site its region; nothing else of them changes, so that a
/// device on the move is not written over.
pub async fn set_region(
    db: &impl ConnectionTrait,
    scope: &Scope,
    site: SiteId,
    region: Option<&str>,
) -> StoreResult<()> {
    use entity::device::Column as C;
    scoped::update_many::<entity::device::Entity>(scope)
        .col_expr(C::RegionCode, Expr::value(region.map(str::to_owned)))
        .filter(C::SiteId.eq(site.0))
        .exec(db)
        .await?;
    Ok(())
}

/// Remembers when devices were last heard of; earlier times change nothing.
pub async fn touch_last_seen(
    db: &impl ConnectionTrait,
    scope: &Scope,
    seen: &[(DeviceId, DateTime<Utc>)],
) -> StoreResult<()> {
    use entity::device::Column as C;
    // One time for each device, the latest.
    let mut latest: BTreeMap<DeviceId, DateTime<Utc>> = BTreeMap::new();
    for (device, at) in seen {
        let known = latest.entry(*device).or_insert(*at);
        *known = (*known).max(*at);
    }
    let seen: Vec<(DeviceId, DateTime<Utc>)> = latest.into_iter().collect();
    for chunk in seen.chunks(CHUNK) {
        let mut case = CaseStatement::new();
        for (device, at) in chunk {
            case = case.case(
                Condition::all()
                    .add(C::Id.eq(device.0))
                    .add(Condition::any().add(C::LastSeenAt.is_null()).add(C::LastSeenAt.lt(*at))),
                Expr::value(*at),
            );
        }
        scoped::update_many::<entity::device::Entity>(scope)
            .col_expr(C::LastSeenAt, case.finally(Expr::col(C::LastSeenAt)).into())
            .filter(C::Id.is_in(chunk.iter().map(|(d, _)| d.0)))
            .exec(db)
            .await?;
    }
    Ok(())
}

// ---- software, external ids ----

/// Software of devices.
pub async fn software_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[DeviceId],
) -> StoreResult<Vec<SoftwareItem>> {
    let mut found = Vec::new();
    for chunk in devices.chunks(CHUNK) {
        let rows = scoped::find::<entity::software_item::Entity>(scope)
            .filter(entity::software_item::Column::DeviceId.is_in(chunk.iter().map(|i| i.0)))
            .order_by_asc(entity::software_item::Column::Id)
            .all(db)
            .await?;
        for r in rows {
            found.push(SoftwareItem {
                kind: code(SoftwareKind::parse, "software_item", "kind", r.id, &r.kind)?,
                id: r.id.into(),
                device_id: r.device_id.into(),
                name: r.name,
                version: r.version_text,
                reported_at: r.reported_at,
            });
        }
    }
    Ok(found)
}

/// Adds software items, or overwrites the version of those that exist.
pub async fn upsert_software(db: &impl ConnectionTrait, scope: &Scope, items: &[SoftwareItem]) -> StoreResult<()> {
    use entity::software_item::Column as C;
    let rows = items
        .iter()
        .map(|s| {
            entity::software_item::Model {
                id: s.id.0,
                organization_id: scope.organization.0,
                device_id: s.device_id.0,
                kind: s.kind.as_str().into(),
                name: s.name.clone(),
                version_text: s.version.clone(),
                reported_at: s.reported_at,
            }
            .into_active_model()
        })
        .collect();
    let conflict =
        OnConflict::columns([C::DeviceId, C::Kind, C::Name]).update_columns([C::VersionText, C::ReportedAt]).to_owned();
    insert_chunked(db, rows, Some(conflict)).await
}

/// External ids of devices.
pub async fn external_ids_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[DeviceId],
) -> StoreResult<HashMap<DeviceId, Vec<ExternalId>>> {
    let mut found: HashMap<DeviceId, Vec<ExternalId>> = HashMap::new();
    for chunk in devices.chunks(CHUNK) {
        let rows = scoped::find::<entity::external_id::Entity>(scope)
            .filter(entity::external_id::Column::DeviceId.is_in(chunk.iter().map(|i| i.0)))
            .order_by_asc(entity::external_id::Column::System)
            .all(db)
            .await?;
        for r in rows {
            found.entry(DeviceId(r.device_id)).or_default().push(ExternalId { system: r.system, value: r.value });
        }
    }
    Ok(found)
}

/// Whose these external ids are; those nobody has are absent.
pub async fn owners_of_external_ids(
    db: &impl ConnectionTrait,
    scope: &Scope,
    wanted: &[ExternalId],
) -> StoreResult<HashMap<(String, String), DeviceId>> {
    use entity::external_id::Column as C;
    let mut found = HashMap::new();
    for chunk in wanted.chunks(CHUNK) {
        let rows = scoped::find::<entity::external_id::Entity>(scope)
            .filter(C::System.is_in(chunk.iter().map(|e| e.system.as_str())))
            .filter(C::Value.is_in(chunk.iter().map(|e| e.value.as_str())))
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(|r| ((r.system, r.value), DeviceId(r.device_id))));
    }
    Ok(found)
}

/// Adds external ids.
pub async fn insert_external_ids(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[(Uuid, DeviceId, ExternalId)],
) -> StoreResult<()> {
    let rows = ids
        .iter()
        .map(|(id, device, e)| {
            entity::external_id::Model {
                id: *id,
                organization_id: scope.organization.0,
                device_id: device.0,
                system: e.system.clone(),
                value: e.value.clone(),
            }
            .into_active_model()
        })
        .collect();
    insert_chunked(db, rows, None).await
}
