//! Devices that may have been among those asked for at a moment, and what their files said by then.

use super::as_of::tells_state;
use super::file::EventKind;
use super::file_store::{StoredEvent, stored};
use super::model::{Device, DeviceFilter, DeviceOrderField};
use super::store::{DeviceKey, devices_from, in_order};
use crate::db::StoreResult;
use crate::db::scoped::{self, begins_with_any};
use crate::entity::{binding, device, device_event, site};
use crate::kernel::ids::{DeviceId, PositionId};
use crate::kernel::scope::Scope;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, QueryFilter, QueryOrder, QuerySelect};

/// Devices in one statement; well below SQLite's bind limit.
const CHUNK: usize = 1_000;

/// Who stood at a moment where the filter asks; none when it asks for no place.
fn standing(
    scope: &Scope,
    filter: &DeviceFilter,
    terminals: Option<&[PositionId]>,
    moment: DateTime<Utc>,
) -> Option<SelectStatement> {
    use binding::Column as C;
    let is_of_place = filter.site_id.is_some()
        || filter.merchant_id.is_some()
        || filter.region_codes.is_some()
        || terminals.is_some();
    if !is_of_place {
        return None;
    }
    let mut find = Query::select();
    find.column(C::DeviceId)
        .from(binding::Entity)
        .and_where(Expr::col(C::OrganizationId).eq(scope.organization.0))
        .and_where(Expr::col(C::StartedAt).lte(moment))
        .cond_where(Condition::any().add(Expr::col(C::EndedAt).is_null()).add(Expr::col(C::EndedAt).gt(moment)));
    if let Some(site) = filter.site_id {
        find.and_where(Expr::col(C::SiteId).eq(site.0));
    }
    if let Some(positions) = terminals {
        find.and_where(Expr::col(C::PositionId).is_in(positions.iter().map(|p| p.0)));
    }
    if filter.merchant_id.is_some() || filter.region_codes.is_some() {
        let mut sites = Query::select();
        sites
            .column(site::Column::Id)
            .from(site::Entity)
            .and_where(Expr::col(site::Column::OrganizationId).eq(scope.organization.0));
        if let Some(merchant) = filter.merchant_id {
            sites.and_where(Expr::col(site::Column::MerchantId).eq(merchant.0));
        }
        if let Some(codes) = &filter.region_codes {
            sites.cond_where(begins_with_any(site::Column::RegionCode, codes));
        }
        find.and_where(Expr::col(C::SiteId).in_subquery(sites));
    }
    Some(find)
}

/// Devices of today that may have been among those asked for at a moment, after a key. Serial
/// numbers and models never change, and bindings say who stood where; the rest is in the files.
#[allow(clippy::too_many_arguments)]
pub async fn candidates(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &DeviceFilter,
    terminals: Option<&[PositionId]>,
    moment: DateTime<Utc>,
    field: DeviceOrderField,
    is_reversed: bool,
    after: Option<&DeviceKey>,
    limit: u64,
) -> StoreResult<Vec<Device>> {
    use device::Column as C;
    let mut find = scoped::find::<device::Entity>(scope);
    if let Some(models) = &filter.model_ids {
        find = find.filter(C::ModelId.is_in(models.iter().map(|m| m.0)));
    }
    if let Some(serials) = &filter.serial_numbers {
        find = find.filter(C::SerialNumber.is_in(serials.iter().map(String::as_str)));
    }
    if let Some(standing) = standing(scope, filter, terminals, moment) {
        find = find.filter(C::Id.in_subquery(standing));
    }
    devices_from(in_order(find, field, is_reversed, after).limit(limit).all(db).await?)
}

/// What the files of these devices say about what they were at a moment, each file in its order;
/// one statement per thousand devices.
pub async fn told_by(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[DeviceId],
    moment: DateTime<Utc>,
) -> StoreResult<Vec<StoredEvent>> {
    use device_event::Column as C;
    let kinds: Vec<&str> = EventKind::ALL.iter().filter(|k| tells_state(**k)).map(|k| k.as_str()).collect();
    let mut found = Vec::new();
    for chunk in devices.chunks(CHUNK) {
        let rows = scoped::find::<device_event::Entity>(scope)
            .filter(C::DeviceId.is_in(chunk.iter().map(|d| d.0)))
            .filter(C::Kind.is_in(kinds.iter().copied()))
            .filter(
                Condition::any().add(C::OccurredAt.lte(moment)).add(C::Kind.eq(EventKind::DeviceRegistered.as_str())),
            )
            .order_by_asc(C::DeviceId)
            .order_by_asc(C::Sequence)
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(stored));
    }
    Ok(found)
}
