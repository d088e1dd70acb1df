//! Rows of the catalogue ↔ its model.

use super::model::*;
use crate::db::scoped::{self, count_up_to, insert_chunked};
use crate::db::{StoreError, StoreResult};
use crate::entity::{device_model, holiday, meter, model_component, model_meter};
use crate::kernel::ids::DeviceModelId;
use crate::kernel::scope::Scope;
use crate::kernel::text::LocalizedText;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::HashMap;
use uuid::Uuid;

fn corrupt(table: &str, column: &str, row: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt {
        table: table.into(),
        column: column.into(),
        row: row.to_string(),
        detail: "unknown code".into(),
    }
}

fn meter_from(row: meter::Model) -> StoreResult<Meter> {
    Ok(Meter {
        kind: MeterKind::parse(&row.kind).ok_or_else(|| corrupt("meter", "kind", &row.code))?,
        name: LocalizedText { en: row.name_en, zh: row.name_zh },
        unit: row.unit,
        decimals: row.decimals,
        source: row.source,
        code: row.code,
    })
}

/// Every meter of the organization, by code; meters are few.
pub async fn meters(db: &impl ConnectionTrait, scope: &Scope) -> StoreResult<Vec<Meter>> {
    let rows = scoped::find::<meter::Entity>(scope).order_by_asc(meter::Column::Code).all(db).await?;
    rows.into_iter().map(meter_from).collect()
}

/// Adds meters that are not there yet; those that are stay as they are.
pub async fn add_meters(db: &impl ConnectionTrait, scope: &Scope, meters: &[Meter]) -> StoreResult<()> {
    let rows = meters
        .iter()
        .map(|m| {
            meter::Model {
                organization_id: scope.organization.0,
                code: m.code.clone(),
                name_en: m.name.en.clone(),
                name_zh: m.name.zh.clone(),
                kind: m.kind.as_str().into(),
                unit: m.unit.clone(),
                decimals: m.decimals,
                source: m.source.clone(),
            }
            .into_active_model()
        })
        .collect();
    let keep = OnConflict::columns([meter::Column::OrganizationId, meter::Column::Code]).do_nothing().to_owned();
    insert_chunked(db, rows, Some(keep)).await
}

/// Adds a meter, or changes the name, unit and source of the one with its code.
pub async fn put_meter(db: &impl ConnectionTrait, scope: &Scope, m: &Meter) -> StoreResult<()> {
    use meter::Column as C;
    let row = meter::Model {
        organization_id: scope.organization.0,
        code: m.code.clone(),
        name_en: m.name.en.clone(),
        name_zh: m.name.zh.clone(),
        kind: m.kind.as_str().into(),
        unit: m.unit.clone(),
        decimals: m.decimals,
        source: m.source.clone(),
    };
    let change = OnConflict::columns([C::OrganizationId, C::Code])
        .update_columns([C::NameEn, C::NameZh, C::Unit, C::Source])
        .to_owned();
    insert_chunked(db, vec![row.into_active_model()], Some(change)).await
}

/// Writes a new model with its meters and components.
pub async fn insert_model(db: &impl ConnectionTrait, scope: &Scope, model: &DeviceModel) -> StoreResult<()> {
    let organization_id = scope.organization.0;
    let row = device_model::Model {
        id: model.id.0,
        organization_id,
        code: model.code.clone(),
        manufacturer: model.manufacturer.clone(),
        name: model.name.clone(),
        hardware_revision: model.hardware_revision.clone(),
        form_factor: model.form_factor.clone(),
        platform: model.platform.clone(),
        source: model.source.clone(),
        is_assumed: model.is_assumed,
        notes: model.notes.clone(),
        version: model.version,
        created_at: model.created_at,
    };
    insert_chunked(db, vec![row.into_active_model()], None).await?;
    let meters = model
        .meters
        .iter()
        .map(|m| {
            model_meter::Model {
                organization_id,
                model_id: model.id.0,
                meter_code: m.meter_code.clone(),
                modulus: m.modulus,
                max_per_day: m.max_per_day,
                rated_life: m.rated_life,
                rated_life_basis: m.rated_life_basis.map(|b| b.as_str().into()),
                rated_life_source: m.rated_life_source.clone(),
                planning_per_day: m.planning_per_day,
            }
            .into_active_model()
        })
        .collect();
    insert_chunked(db, meters, None).await?;
    let parts = model
        .components
        .iter()
        .map(|c| {
            model_component::Model {
                organization_id,
                model_id: model.id.0,
                kind: c.kind.as_str().into(),
                replaceable_at: c.replaceable_at.as_str().into(),
                rated_meter: c.rated_meter.clone(),
                basis: c.basis.as_str().into(),
            }
            .into_active_model()
        })
        .collect();
    insert_chunked(db, parts, None).await
}

async fn complete(
    db: &impl ConnectionTrait,
    scope: &Scope,
    rows: Vec<device_model::Model>,
) -> StoreResult<Vec<DeviceModel>> {
    let ids: Vec<Uuid> = rows.iter().map(|r| r.id).collect();
    let mut meters: HashMap<Uuid, Vec<ModelMeter>> = HashMap::new();
    for row in scoped::find::<model_meter::Entity>(scope)
        .filter(model_meter::Column::ModelId.is_in(ids.iter().copied()))
        .order_by_asc(model_meter::Column::MeterCode)
        .all(db)
        .await?
    {
        let basis = match &row.rated_life_basis {
            Some(text) => {
                Some(Basis::parse(text).ok_or_else(|| corrupt("model_meter", "rated_life_basis", row.model_id))?)
            }
            None => None,
        };
        meters.entry(row.model_id).or_default().push(ModelMeter {
            meter_code: row.meter_code,
            modulus: row.modulus,
            max_per_day: row.max_per_day,
            rated_life: row.rated_life,
            rated_life_basis: basis,
            rated_life_source: row.rated_life_source,
            planning_per_day: row.planning_per_day,
        });
    }
    let mut parts: HashMap<Uuid, Vec<ModelComponent>> = HashMap::new();
    for row in scoped::find::<model_component::Entity>(scope)
        .filter(model_component::Column::ModelId.is_in(ids))
        .order_by_asc(model_component::Column::Kind)
        .all(db)
        .await?
    {
        let bad = |column| corrupt("model_component", column, row.model_id);
        parts.entry(row.model_id).or_default().push(ModelComponent {
            kind: ComponentKind::parse(&row.kind).ok_or_else(|| bad("kind"))?,
            replaceable_at: ReplaceableAt::parse(&row.replaceable_at).ok_or_else(|| bad("replaceable_at"))?,
            rated_meter: row.rated_meter,
            basis: Basis::parse(&row.basis).ok_or_else(|| corrupt("model_component", "basis", row.model_id))?,
        });
    }
    Ok(rows
        .into_iter()
        .map(|r| DeviceModel {
            meters: meters.remove(&r.id).unwrap_or_default(),
            components: parts.remove(&r.id).unwrap_or_default(),
            id: r.id.into(),
            code: r.code,
            manufacturer: r.manufacturer,
            name: r.name,
            hardware_revision: r.hardware_revision,
            form_factor: r.form_factor,
            platform: r.platform,
            source: r.source,
            is_assumed: r.is_assumed,
            notes: r.notes,
            version: r.version,
            created_at: r.created_at,
        })
        .collect())
}

/// Models by id, in any order.
pub async fn models_by_ids(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[DeviceModelId],
) -> StoreResult<Vec<DeviceModel>> {
    let rows = scoped::find::<device_model::Entity>(scope)
        .filter(device_model::Column::Id.is_in(ids.iter().map(|i| i.0)))
        .all(db)
        .await?;
    complete(db, scope, rows).await
}

/// Models by code, in any order.
pub async fn models_by_codes(
    db: &impl ConnectionTrait,
    scope: &Scope,
    codes: &[String],
) -> StoreResult<Vec<DeviceModel>> {
    let rows = scoped::find::<device_model::Entity>(scope)
        .filter(device_model::Column::Code.is_in(codes.iter().map(String::as_str)))
        .all(db)
        .await?;
    complete(db, scope, rows).await
}

/// Models sorted by (manufacturer, name, id), after a key.
pub async fn models_page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    after: Option<&(String, String, Uuid)>,
    limit: u64,
) -> StoreResult<Vec<DeviceModel>> {
    use device_model::Column as C;
    let mut find = scoped::find::<device_model::Entity>(scope);
    if let Some((maker, name, id)) = after {
        find = find.filter(C::Manufacturer.gte(maker)).filter(
            Condition::any()
                .add(C::Manufacturer.gt(maker))
                .add(Condition::all().add(C::Manufacturer.eq(maker)).add(C::Name.gt(name)))
                .add(Condition::all().add(C::Manufacturer.eq(maker)).add(C::Name.eq(name)).add(C::Id.gt(*id))),
        );
    }
    let rows =
        find.order_by_asc(C::Manufacturer).order_by_asc(C::Name).order_by_asc(C::Id).limit(limit).all(db).await?;
    complete(db, scope, rows).await
}

/// How many models there are, counted up to `limit`.
pub async fn count_models(db: &impl ConnectionTrait, scope: &Scope, limit: u64) -> StoreResult<u64> {
    count_up_to(db, scoped::find::<device_model::Entity>(scope), limit).await
}

/// Every holiday known.
pub async fn holidays(db: &impl ConnectionTrait) -> StoreResult<Vec<Holiday>> {
    let rows = holiday::Entity::find().order_by_asc(holiday::Column::Date).all(db).await?;
    Ok(rows
        .into_iter()
        .map(|r| Holiday {
            country: r.country,
            date: r.date,
            name: LocalizedText { en: r.name_en, zh: r.name_zh },
            is_working_day: r.is_working_day,
            source: r.source,
        })
        .collect())
}

/// Adds holidays that are not there yet.
pub async fn add_holidays(db: &impl ConnectionTrait, holidays: &[Holiday]) -> StoreResult<()> {
    let rows = holidays
        .iter()
        .map(|h| {
            holiday::Model {
                country: h.country.clone(),
                date: h.date,
                name_en: h.name.en.clone(),
                name_zh: h.name.zh.clone(),
                is_working_day: h.is_working_day,
                source: h.source.clone(),
            }
            .into_active_model()
        })
        .collect();
    let keep = OnConflict::columns([holiday::Column::Country, holiday::Column::Date]).do_nothing().to_owned();
    insert_chunked(db, rows, Some(keep)).await
}
