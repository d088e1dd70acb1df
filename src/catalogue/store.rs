//! Rows of the catalogue ↔ its model.

use super::model::*;
use crate::db::StoreResult;
use crate::db::cells::{code, corrupt, json, to_json};
use crate::db::scoped::{self, count_up_to, insert_chunked};
use crate::entity::{
    device_model, failure_cause, failure_code, failure_remedy, freeze_period, holiday, meter, model_component,
    model_meter,
};
use crate::kernel::ids::DeviceModelId;
use crate::kernel::scope::Scope;
use crate::kernel::text::LocalizedText;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::HashMap;
use uuid::Uuid;

fn meter_from(row: meter::Model) -> StoreResult<Meter> {
    Ok(Meter {
        kind: code(MeterKind::parse, "meter", "kind", &row.code, &row.kind)?,
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
            Some(text) => Some(
                Basis::parse(text)
                    .ok_or_else(|| corrupt("model_meter", "rated_life_basis", row.model_id, "unknown code"))?,
            ),
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
        let bad = |column| corrupt("model_component", column, row.model_id, "unknown code");
        parts.entry(row.model_id).or_default().push(ModelComponent {
            kind: ComponentKind::parse(&row.kind).ok_or_else(|| bad("kind"))?,
            replaceable_at: ReplaceableAt::parse(&row.replaceable_at).ok_or_else(|| bad("replaceable_at"))?,
            rated_meter: row.rated_meter,
            basis: code(Basis::parse, "model_component", "basis", row.model_id, &row.basis)?,
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

// ---- failures ----

fn failure_code_from(row: failure_code::Model) -> StoreResult<FailureCode> {
    let bad = |column: &str| corrupt("failure_code", column, &row.code, "unknown code");
    let list = |column: &str, text: &str| json::<Vec<String>>("failure_code", column, &row.code, text);
    Ok(FailureCode {
        name: LocalizedText { en: row.name_en.clone(), zh: row.name_zh.clone() },
        family: FailureFamily::parse(&row.family).ok_or_else(|| bad("family"))?,
        component: match &row.component {
            Some(kind) => Some(ComponentKind::parse(kind).ok_or_else(|| bad("component"))?),
            None => None,
        },
        mode: FailureMode::parse(&row.mode).ok_or_else(|| bad("mode"))?,
        mechanism: FailureMechanism {
            number: row.mechanism.clone(),
            name: LocalizedText { en: row.mechanism_name_en.clone(), zh: row.mechanism_name_zh.clone() },
        },
        severity: row.severity,
        is_remote_fixable: row.is_remote_fixable,
        is_compliance: row.is_compliance,
        origin: FailureOrigin::parse(&row.origin).ok_or_else(|| bad("origin"))?,
        causes: list("causes", &row.causes)?,
        remedies: list("remedies", &row.remedies)?,
        detection: json("failure_code", "detection", &row.code, &row.detection)?,
        note: match &row.note {
            Some(text) => Some(json("failure_code", "note", &row.code, text)?),
            None => None,
        },
        source: row.source.clone(),
        basis: Basis::parse(&row.basis).ok_or_else(|| bad("basis"))?,
        code: row.code.clone(),
    })
}

/// The closed lists of failures, each sorted by code; all at once, because they are short.
pub async fn failure_lists(db: &impl ConnectionTrait, scope: &Scope) -> StoreResult<FailureLists> {
    let codes = scoped::find::<failure_code::Entity>(scope).all(db).await?;
    let causes = scoped::find::<failure_cause::Entity>(scope).all(db).await?;
    let remedies = scoped::find::<failure_remedy::Entity>(scope).all(db).await?;
    let mut codes = codes.into_iter().map(failure_code_from).collect::<StoreResult<Vec<_>>>()?;
    let mut causes: Vec<FailureCause> = causes
        .into_iter()
        .map(|r| FailureCause { code: r.code, name: LocalizedText { en: r.name_en, zh: r.name_zh }, source: r.source })
        .collect();
    let mut remedies: Vec<FailureRemedy> = remedies
        .into_iter()
        .map(|r| FailureRemedy { code: r.code, name: LocalizedText { en: r.name_en, zh: r.name_zh }, source: r.source })
        .collect();
    // Sorted here, because the databases disagree about where `_` and capitals stand.
    codes.sort_by(|a, b| a.code.cmp(&b.code));
    causes.sort_by(|a, b| a.code.cmp(&b.code));
    remedies.sort_by(|a, b| a.code.cmp(&b.code));
    Ok(FailureLists { codes, causes, remedies })
}

/// Adds failure codes, causes and remedies that are not there yet; those that are stay as they are.
pub async fn add_failures(db: &impl ConnectionTrait, scope: &Scope, lists: &FailureLists) -> StoreResult<()> {
    let organization_id = scope.organization.0;
    let causes = lists
        .causes
        .iter()
        .map(|c| {
            failure_cause::Model {
                organization_id,
                code: c.code.clone(),
                name_en: c.name.en.clone(),
                name_zh: c.name.zh.clone(),
                source: c.source.clone(),
            }
            .into_active_model()
        })
        .collect();
    let keep = OnConflict::columns([failure_cause::Column::OrganizationId, failure_cause::Column::Code])
        .do_nothing()
        .to_owned();
    insert_chunked(db, causes, Some(keep)).await?;
    let remedies = lists
        .remedies
        .iter()
        .map(|r| {
            failure_remedy::Model {
                organization_id,
                code: r.code.clone(),
                name_en: r.name.en.clone(),
                name_zh: r.name.zh.clone(),
                source: r.source.clone(),
            }
            .into_active_model()
        })
        .collect();
    let keep = OnConflict::columns([failure_remedy::Column::OrganizationId, failure_remedy::Column::Code])
        .do_nothing()
        .to_owned();
    insert_chunked(db, remedies, Some(keep)).await?;
    let mut codes = Vec::with_capacity(lists.codes.len());
    for c in &lists.codes {
        let row = failure_code::Model {
            organization_id,
            code: c.code.clone(),
            name_en: c.name.en.clone(),
            name_zh: c.name.zh.clone(),
            family: c.family.as_str().into(),
            component: c.component.map(|kind| kind.as_str().into()),
            mode: c.mode.as_str().into(),
            mechanism: c.mechanism.number.clone(),
            mechanism_name_en: c.mechanism.name.en.clone(),
            mechanism_name_zh: c.mechanism.name.zh.clone(),
            severity: c.severity,
            is_remote_fixable: c.is_remote_fixable,
            is_compliance: c.is_compliance,
            origin: c.origin.as_str().into(),
            causes: to_json(&c.causes)?,
            remedies: to_json(&c.remedies)?,
            detection: to_json(&c.detection)?,
            note: match &c.note {
                Some(note) => Some(to_json(note)?),
                None => None,
            },
            source: c.source.clone(),
            basis: c.basis.as_str().into(),
        };
        codes.push(row.into_active_model());
    }
    let keep =
        OnConflict::columns([failure_code::Column::OrganizationId, failure_code::Column::Code]).do_nothing().to_owned();
    insert_chunked(db, codes, Some(keep)).await
}

// ---- freeze periods ----

fn freeze_period_from(row: freeze_period::Model) -> StoreResult<FreezePeriod> {
    Ok(FreezePeriod {
        id: row.id.into(),
        region_codes: json("freeze_period", "region_codes", &row.code, &row.region_codes)?,
        channels: json("freeze_period", "channels", &row.code, &row.channels)?,
        name: LocalizedText { en: row.name_en, zh: row.name_zh },
        starts_on: row.starts_on,
        ends_on: row.ends_on,
        version: row.version,
        code: row.code,
    })
}

/// Every freeze period, past ones too, by first day and code; there are at most
/// [`super::rules::MAX_FREEZE_PERIODS`].
pub async fn freeze_periods(db: &impl ConnectionTrait, scope: &Scope) -> StoreResult<Vec<FreezePeriod>> {
    use freeze_period::Column as C;
    let rows =
        scoped::find::<freeze_period::Entity>(scope).order_by_asc(C::StartsOn).order_by_asc(C::Code).all(db).await?;
    rows.into_iter().map(freeze_period_from).collect()
}

/// Writes a new freeze period.
pub async fn insert_freeze_period(db: &impl ConnectionTrait, scope: &Scope, period: &FreezePeriod) -> StoreResult<()> {
    let row = freeze_period::Model {
        id: period.id.0,
        organization_id: scope.organization.0,
        code: period.code.clone(),
        name_en: period.name.en.clone(),
        name_zh: period.name.zh.clone(),
        starts_on: period.starts_on,
        ends_on: period.ends_on,
        region_codes: to_json(&period.region_codes)?,
        channels: to_json(&period.channels)?,
        version: period.version,
    };
    insert_chunked(db, vec![row.into_active_model()], None).await
}

/// Changes a freeze period if it still has the version it had; says whether it did.
pub async fn update_freeze_period(
    db: &impl ConnectionTrait,
    scope: &Scope,
    period: &FreezePeriod,
    had_version: i64,
) -> StoreResult<bool> {
    use freeze_period::Column as C;
    let done = scoped::update_many::<freeze_period::Entity>(scope)
        .col_expr(C::NameEn, Expr::value(period.name.en.clone()))
        .col_expr(C::NameZh, Expr::value(period.name.zh.clone()))
        .col_expr(C::StartsOn, Expr::value(period.starts_on))
        .col_expr(C::EndsOn, Expr::value(period.ends_on))
        .col_expr(C::RegionCodes, Expr::value(to_json(&period.region_codes)?))
        .col_expr(C::Channels, Expr::value(to_json(&period.channels)?))
        .col_expr(C::Version, Expr::value(period.version))
        .filter(C::Id.eq(period.id.0))
        .filter(C::Version.eq(had_version))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Removes a freeze period if it still has the version it had; says whether it did.
pub async fn delete_freeze_period(
    db: &impl ConnectionTrait,
    scope: &Scope,
    period: &FreezePeriod,
) -> StoreResult<bool> {
    use freeze_period::Column as C;
    let done = scoped::delete_many::<freeze_period::Entity>(scope)
        .filter(C::Id.eq(period.id.0))
        .filter(C::Version.eq(period.version))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}
