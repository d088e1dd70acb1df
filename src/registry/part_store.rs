//! Rows of parts ↔ their model. [`super::store`] hands them on.

use super::model::*;
use super::place_store::CHUNK;
use crate::catalogue::model::{ComponentKind, ReplaceableAt};
use crate::db::StoreResult;
use crate::db::cells::code;
use crate::db::scoped::{self, insert_chunked};
use crate::entity::{component, component_life};
use crate::kernel::ids::*;
use crate::kernel::scope::Scope;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder};
use std::collections::HashMap;

fn component_from(r: component::Model) -> StoreResult<Component> {
    Ok(Component {
        kind: code(ComponentKind::parse, "component", "kind", r.id, &r.kind)?,
        replaceable_at: code(ReplaceableAt::parse, "component", "replaceable_at", r.id, &r.replaceable_at)?,
        id: r.id.into(),
        device_id: r.device_id.into(),
        serial_number: r.serial_number,
        installed_at: r.installed_at,
        removed_at: r.removed_at,
        warranty_ends_on: r.warranty_ends_on,
        part_number: r.part_number,
        lives: Vec::new(),
    })
}

/// Parts of devices, those taken out too, with the life counters kept of them.
pub async fn components_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[DeviceId],
) -> StoreResult<Vec<Component>> {
    let mut found = Vec::new();
    for chunk in devices.chunks(CHUNK) {
        let rows = scoped::find::<component::Entity>(scope)
            .filter(component::Column::DeviceId.is_in(chunk.iter().map(|i| i.0)))
            .order_by_asc(component::Column::Id)
            .all(db)
            .await?;
        let ids = scoped::find::<component::Entity>(scope)
            .filter(component::Column::DeviceId.is_in(chunk.iter().map(|i| i.0)));
        let mut lives = lives_of(db, scope, ids).await?;
        for row in rows {
            let mut part = component_from(row)?;
            part.lives = lives.remove(&part.id).unwrap_or_default();
            found.push(part);
        }
    }
    Ok(found)
}

/// The life counters kept of the parts a query finds.
async fn lives_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    parts: sea_orm::Select<component::Entity>,
) -> StoreResult<HashMap<ComponentId, Vec<ComponentLife>>> {
    use sea_orm::{QuerySelect, QueryTrait};
    let ids = parts.select_only().column(component::Column::Id).into_query();
    let rows = scoped::find::<component_life::Entity>(scope)
        .filter(component_life::Column::ComponentId.in_subquery(ids))
        .order_by_asc(component_life::Column::MeterCode)
        .all(db)
        .await?;
    let mut lives: HashMap<ComponentId, Vec<ComponentLife>> = HashMap::new();
    for row in rows {
        let component_id = ComponentId(row.component_id);
        lives.entry(component_id).or_default().push(ComponentLife {
            component_id,
            meter_code: row.meter_code,
            life_at_install: row.life_at_install,
            life_at_removal: row.life_at_removal,
        });
    }
    Ok(lives)
}

/// Parts with these serial numbers in any device, those taken out too; without their life counters.
pub async fn components_by_serials(
    db: &impl ConnectionTrait,
    scope: &Scope,
    serials: &[String],
) -> StoreResult<Vec<Component>> {
    let mut found = Vec::new();
    for chunk in serials.chunks(CHUNK) {
        let rows = scoped::find::<component::Entity>(scope)
            .filter(component::Column::SerialNumber.is_in(chunk.iter().map(String::as_str)))
            .order_by_asc(component::Column::Id)
            .all(db)
            .await?;
        for row in rows {
            found.push(component_from(row)?);
        }
    }
    Ok(found)
}

/// Adds parts, or overwrites the serial number and the times of those that exist.
pub async fn upsert_components(db: &impl ConnectionTrait, scope: &Scope, parts: &[Component]) -> StoreResult<()> {
    use component::Column as C;
    let rows = parts
        .iter()
        .map(|c| {
            component::Model {
                id: c.id.0,
                organization_id: scope.organization.0,
                device_id: c.device_id.0,
                kind: c.kind.as_str().into(),
                serial_number: c.serial_number.clone(),
                replaceable_at: c.replaceable_at.as_str().into(),
                installed_at: c.installed_at,
                removed_at: c.removed_at,
                warranty_ends_on: c.warranty_ends_on,
                part_number: c.part_number.clone(),
            }
            .into_active_model()
        })
        .collect();
    let conflict = OnConflict::column(C::Id).update_columns([C::SerialNumber, C::InstalledAt, C::RemovedAt]).to_owned();
    insert_chunked(db, rows, Some(conflict)).await
}

/// Adds the life counters kept of parts, or overwrites at what they went out.
pub async fn upsert_component_lives(
    db: &impl ConnectionTrait,
    scope: &Scope,
    lives: &[ComponentLife],
) -> StoreResult<()> {
    write_lives(db, scope, lives, component_life::Column::LifeAtRemoval).await
}

/// Overwrites at what life parts came in.
pub async fn set_lives_at_install(
    db: &impl ConnectionTrait,
    scope: &Scope,
    lives: &[ComponentLife],
) -> StoreResult<()> {
    write_lives(db, scope, lives, component_life::Column::LifeAtInstall).await
}

async fn write_lives(
    db: &impl ConnectionTrait,
    scope: &Scope,
    lives: &[ComponentLife],
    overwritten: component_life::Column,
) -> StoreResult<()> {
    use component_life::Column as C;
    let rows = lives
        .iter()
        .map(|l| {
            component_life::Model {
                organization_id: scope.organization.0,
                component_id: l.component_id.0,
                meter_code: l.meter_code.clone(),
                life_at_install: l.life_at_install,
                life_at_removal: l.life_at_removal,
            }
            .into_active_model()
        })
        .collect();
    let conflict = OnConflict::columns([C::ComponentId, C::MeterCode]).update_column(overwritten).to_owned();
    insert_chunked(db, rows, Some(conflict)).await
}
