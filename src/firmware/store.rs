//! Rows of firmware ↔ its model. Batch readers take slices.
//!
//! Devices belong to `registry`; they are read here and never written.

use super::model::*;
use super::rules::{Ladder, Version, standing};
use crate::db::StoreResult;
use crate::db::cells::{corrupt, json, to_json};
use crate::db::scoped::{self, count_up_to, insert_chunked};
use crate::entity::{device, firmware_release, firmware_release_model, firmware_target};
use crate::kernel::ids::*;
use crate::kernel::scope::Scope;
use crate::kernel::text::LocalizedText;
use crate::registry::file::sha256_hex;
use crate::registry::model::{Device, DeviceStatus};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

const CHUNK: usize = 1_000;

// ---- releases ----

fn release_from(row: firmware_release::Model, model_ids: Vec<DeviceModelId>) -> StoreResult<FirmwareRelease> {
    let table = "firmware_release";
    let notes = match (row.notes_en, row.notes_zh) {
        (Some(en), Some(zh)) => Some(LocalizedText { en, zh }),
        _ => None,
    };
    Ok(FirmwareRelease {
        id: row.id.into(),
        model_ids,
        criticality: Criticality::parse(&row.criticality)
            .ok_or_else(|| corrupt(table, "criticality", row.id, &row.criticality))?,
        fixes: json(table, "fixes", row.id, &row.fixes)?,
        gates: json(table, "gates", row.id, &row.gates)?,
        notes,
        version: row.version_text,
        minimum_prior_version: row.minimum_prior_version,
        checksum_sha256: row.checksum_sha256,
        size_bytes: row.size_bytes,
        published_at: row.published_at,
        created_at: row.created_at,
    })
}

/// Puts the models to releases, in the releases' order.
async fn with_models(
    db: &impl ConnectionTrait,
    scope: &Scope,
    rows: Vec<firmware_release::Model>,
) -> StoreResult<Vec<FirmwareRelease>> {
    use firmware_release_model::Column as C;
    let ids: Vec<Uuid> = rows.iter().map(|r| r.id).collect();
    let mut models: HashMap<Uuid, Vec<DeviceModelId>> = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let found = scoped::find::<firmware_release_model::Entity>(scope)
            .filter(C::ReleaseId.is_in(chunk.iter().copied()))
            .order_by_asc(C::ModelId)
            .all(db)
            .await?;
        for row in found {
            models.entry(row.release_id).or_default().push(row.model_id.into());
        }
    }
    rows.into_iter()
        .map(|row| {
            let of_release = models.remove(&row.id).unwrap_or_default();
            release_from(row, of_release)
        })
        .collect()
}

/// Releases by id, in any order.
pub async fn releases_by_ids(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[FirmwareReleaseId],
) -> StoreResult<Vec<FirmwareRelease>> {
    let mut rows = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let found = scoped::find::<firmware_release::Entity>(scope)
            .filter(firmware_release::Column::Id.is_in(chunk.iter().map(|i| i.0)))
            .all(db)
            .await?;
        rows.extend(found);
    }
    with_models(db, scope, rows).await
}

/// Every release of these models; a model has some dozens.
pub async fn releases_of_models(
    db: &impl ConnectionTrait,
    scope: &Scope,
    models: &[DeviceModelId],
) -> StoreResult<Vec<FirmwareRelease>> {
    use firmware_release_model::Column as C;
    let mut ids: BTreeSet<FirmwareReleaseId> = BTreeSet::new();
    for chunk in models.chunks(CHUNK) {
        let found: Vec<Uuid> = scoped::find::<firmware_release_model::Entity>(scope)
            .select_only()
            .column(C::ReleaseId)
            .filter(C::ModelId.is_in(chunk.iter().map(|i| i.0)))
            .into_tuple()
            .all(db)
            .await?;
        ids.extend(found.into_iter().map(FirmwareReleaseId));
    }
    let ids: Vec<FirmwareReleaseId> = ids.into_iter().collect();
    releases_by_ids(db, scope, &ids).await
}

/// Writes a new release; a model that has its version already is a conflict.
pub async fn insert_release(db: &impl ConnectionTrait, scope: &Scope, release: &FirmwareRelease) -> StoreResult<()> {
    let organization_id = scope.organization.0;
    let version_key = Version::read(&release.version).to_string();
    let row = firmware_release::Model {
        id: release.id.0,
        organization_id,
        version_text: release.version.clone(),
        version_key: version_key.clone(),
        criticality: release.criticality.as_str().into(),
        fixes: to_json(&release.fixes)?,
        minimum_prior_version: release.minimum_prior_version.clone(),
        notes_en: release.notes.as_ref().map(|n| n.en.clone()),
        notes_zh: release.notes.as_ref().map(|n| n.zh.clone()),
        checksum_sha256: release.checksum_sha256.clone(),
        size_bytes: release.size_bytes,
        gates: to_json(&release.gates)?,
        published_at: release.published_at,
        created_at: release.created_at,
    };
    insert_chunked(db, vec![row.into_active_model()], None).await?;
    let models = release
        .model_ids
        .iter()
        .map(|model| {
            firmware_release_model::Model {
                organization_id,
                release_id: release.id.0,
                model_id: model.0,
                version_key: version_key.clone(),
            }
            .into_active_model()
        })
        .collect();
    insert_chunked(db, models, None).await
}

fn find_releases(scope: &Scope, filter: &ReleaseFilter) -> Select<firmware_release::Entity> {
    use firmware_release::Column as C;
    let mut find = scoped::find::<firmware_release::Entity>(scope);
    if let Some(model) = filter.model_id {
        let of_model = scoped::find::<firmware_release_model::Entity>(scope)
            .select_only()
            .column(firmware_release_model::Column::ReleaseId)
            .filter(firmware_release_model::Column::ModelId.eq(model.0))
            .into_query();
        find = find.filter(C::Id.in_subquery(of_model));
    }
    if let Some(criticality) = filter.criticality {
        find = find.filter(C::Criticality.eq(criticality.as_str()));
    }
    if let Some(version) = &filter.version {
        find = find.filter(C::VersionKey.eq(Version::read(version).to_string()));
    }
    find
}

/// How many releases match, counted up to `limit`.
pub async fn count_releases(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &ReleaseFilter,
    limit: u64,
) -> StoreResult<u64> {
    count_up_to(db, find_releases(scope, filter), limit).await
}

/// Releases, the one published last first, after a key.
pub async fn releases_page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &ReleaseFilter,
    after: Option<&ReleaseKey>,
    limit: u64,
) -> StoreResult<Vec<FirmwareRelease>> {
    use firmware_release::Column as C;
    let mut find = find_releases(scope, filter);
    if let Some((at, id)) = after {
        find = find.filter(C::PublishedAt.lte(*at)).filter(
            Condition::any()
                .add(C::PublishedAt.lt(*at))
                .add(Condition::all().add(C::PublishedAt.eq(*at)).add(C::Id.lt(*id))),
        );
    }
    let rows = find.order_by_desc(C::PublishedAt).order_by_desc(C::Id).limit(limit).all(db).await?;
    with_models(db, scope, rows).await
}

// ---- targets ----

/// What tells targets of one model apart; empty for the whole model.
fn selector_key(selector: &TargetSelector, text: &str) -> String {
    if selector.is_whole_model() { String::new() } else { sha256_hex(text) }
}

fn target_from(row: firmware_target::Model) -> StoreResult<FirmwareTarget> {
    let minutes = row.window_minutes.and_then(|m| u32::try_from(m).ok());
    let window =
        row.window_cron.zip(minutes).map(|(cron, duration_minutes)| MaintenanceWindow { cron, duration_minutes });
    Ok(FirmwareTarget {
        id: row.id.into(),
        model_id: row.model_id.into(),
        selector: json("firmware_target", "selector", row.id, &row.selector)?,
        release_id: row.release_id.into(),
        window,
        allow_downgrade: row.allow_downgrade,
        set_at: row.set_at,
        set_by: row.set_by,
        version: row.version,
    })
}

/// Targets by id, in any order.
pub async fn targets_by_ids(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[FirmwareTargetId],
) -> StoreResult<Vec<FirmwareTarget>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = scoped::find::<firmware_target::Entity>(scope)
            .filter(firmware_target::Column::Id.is_in(chunk.iter().map(|i| i.0)))
            .all(db)
            .await?;
        for row in rows {
            found.push(target_from(row)?);
        }
    }
    Ok(found)
}

/// Every target of these models, the one set last first.
pub async fn targets_of_models(
    db: &impl ConnectionTrait,
    scope: &Scope,
    models: &[DeviceModelId],
) -> StoreResult<Vec<FirmwareTarget>> {
    use firmware_target::Column as C;
    let mut found = Vec::new();
    for chunk in models.chunks(CHUNK) {
        let rows = scoped::find::<firmware_target::Entity>(scope)
            .filter(C::ModelId.is_in(chunk.iter().map(|i| i.0)))
            .order_by_desc(C::SetAt)
            .order_by_desc(C::Id)
            .all(db)
            .await?;
        for row in rows {
            found.push(target_from(row)?);
        }
    }
    Ok(found)
}

/// Writes a new target; another for the same devices of the model is a conflict.
pub async fn insert_target(db: &impl ConnectionTrait, scope: &Scope, target: &FirmwareTarget) -> StoreResult<()> {
    let selector = to_json(&target.selector)?;
    let row = firmware_target::Model {
        id: target.id.0,
        organization_id: scope.organization.0,
        model_id: target.model_id.0,
        selector_key: selector_key(&target.selector, &selector),
        selector,
        release_id: target.release_id.0,
        window_cron: target.window.as_ref().map(|w| w.cron.clone()),
        window_minutes: minutes(target),
        allow_downgrade: target.allow_downgrade,
        set_at: target.set_at,
        set_by: target.set_by.clone(),
        version: target.version,
    };
    insert_chunked(db, vec![row.into_active_model()], None).await
}

fn minutes(target: &FirmwareTarget) -> Option<i32> {
    target.window.as_ref().map(|w| i32::try_from(w.duration_minutes).unwrap_or(i32::MAX))
}

/// Changes a target that still has the version it was read with; says whether it had.
pub async fn update_target(
    db: &impl ConnectionTrait,
    scope: &Scope,
    target: &FirmwareTarget,
    had_version: i64,
) -> StoreResult<bool> {
    use firmware_target::Column as C;
    let done = scoped::update_many::<firmware_target::Entity>(scope)
        .col_expr(C::ReleaseId, Expr::value(target.release_id.0))
        .col_expr(C::WindowCron, Expr::value(target.window.as_ref().map(|w| w.cron.clone())))
        .col_expr(C::WindowMinutes, Expr::value(minutes(target)))
        .col_expr(C::AllowDowngrade, Expr::value(target.allow_downgrade))
        .col_expr(C::SetAt, Expr::value(target.set_at))
        .col_expr(C::SetBy, Expr::value(target.set_by.clone()))
        .col_expr(C::Version, Expr::value(target.version))
        .filter(C::Id.eq(target.id.0))
        .filter(C::Version.eq(had_version))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

// ---- devices ----

type FleetRow = (Uuid, String, Option<Uuid>, Option<String>, String, Option<String>);

/// Every device of these models, as targets see them.
pub async fn fleet_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    models: &[DeviceModelId],
) -> StoreResult<Vec<FleetDevice>> {
    use device::Column as C;
    let mut found = Vec::new();
    for chunk in models.chunks(CHUNK) {
        let rows: Vec<FleetRow> = scoped::find::<device::Entity>(scope)
            .select_only()
            .columns([C::Id, C::SerialNumber, C::SiteId, C::RegionCode, C::Status, C::FirmwareVersion])
            .filter(C::ModelId.is_in(chunk.iter().map(|i| i.0)))
            .order_by_asc(C::Id)
            .into_tuple()
            .all(db)
            .await?;
        for (id, serial_number, site_id, region_code, status, installed) in rows {
            found.push(FleetDevice {
                id: id.into(),
                serial_number,
                site_id: site_id.map(Into::into),
                region_code,
                status: DeviceStatus::parse(&status).ok_or_else(|| corrupt("device", "status", id, &status))?,
                installed,
            });
        }
    }
    Ok(found)
}

/// Where devices stand: what they have, what they are to run, what to install next. The number of
/// statements does not depend on how many devices there are.
///
/// # Errors
/// Storage.
pub async fn facts(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[Device],
) -> StoreResult<HashMap<DeviceId, FirmwareFacts>> {
    let models: BTreeSet<DeviceModelId> = devices.iter().map(|d| d.model_id).collect();
    let models: Vec<DeviceModelId> = models.into_iter().collect();
    let mut targets: HashMap<DeviceModelId, Vec<FirmwareTarget>> = HashMap::new();
    for target in targets_of_models(db, scope, &models).await? {
        targets.entry(target.model_id).or_default().push(target);
    }
    let wanted: Vec<DeviceModelId> = targets.keys().copied().collect();
    let releases = releases_of_models(db, scope, &wanted).await?;
    let ladder = |model: &DeviceModelId| Ladder::new(releases.iter().filter(|r| r.model_ids.contains(model)));
    let ladders: HashMap<DeviceModelId, Ladder<'_>> = wanted.iter().map(|model| (*model, ladder(model))).collect();
    let stand = |device: &Device| {
        let facts = match (targets.get(&device.model_id), ladders.get(&device.model_id)) {
            (Some(targets), Some(ladder)) => standing(&FleetDevice::from(device), targets, ladder),
            _ => FirmwareFacts { installed: device.firmware_version.clone(), target: None, is_current: true },
        };
        (device.id, facts)
    };
    Ok(devices.iter().map(stand).collect())
}
