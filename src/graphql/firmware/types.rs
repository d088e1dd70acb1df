//! Types of firmware.

use crate::firmware::model;
use crate::graphql::catalogue::types::DeviceModel;
use crate::graphql::connection::{COUNT_LIMIT, asks, connection, cursor, cut, key_part, page, row_cost};
use crate::graphql::context::Cx;
use crate::graphql::enums::{FirmwareCriticality, FirmwareGateKind};
use crate::graphql::errors::{internal, missing};
use crate::graphql::load::load_known;
use crate::graphql::loaders::shows;
use crate::graphql::prefetch::{self, Ahead};
use crate::graphql::scalars::{CronExpression, int};
use crate::graphql::text::LocalizedText;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, SecondsFormat, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// What must hold before a release is installed. A meter that was never read holds nothing back.
#[derive(SimpleObject, Clone)]
pub struct FirmwareGate {
    /// What is looked at.
    pub kind: FirmwareGateKind,
    /// Meter code.
    pub meter: String,
    /// Percent that must be there at least; null for BATCH_SETTLED, which needs the meter at 0.
    pub percent: Option<f64>,
}

impl From<&model::Gate> for FirmwareGate {
    fn from(gate: &model::Gate) -> Self {
        Self { kind: gate.kind().into(), meter: gate.meter().to_owned(), percent: gate.percent() }
    }
}

shows! {
    /// A version of a firmware for some models.
    FirmwareRelease(model::FirmwareRelease)
}

/// A version of a firmware for some models; never changed once published.
#[Object]
impl FirmwareRelease {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        self.0.id.global().into()
    }
    /// Version as the maker writes it. Versions are compared by their segments, not as texts: 3.10.0
    /// is newer than 3.9.2, 1.2 is 1.2.0, and 2.0-rc1 comes before 2.0.
    async fn version(&self) -> &str {
        &self.0.version
    }
    /// The models it is for, 1 to 100.
    #[graphql(complexity = "row_cost(3, child_complexity)")]
    async fn models(&self, ctx: &Context<'_>) -> Result<Vec<DeviceModel>> {
        let ids = &self.0.model_ids;
        let found = Cx::of(ctx).loader.load_many(ids.iter().copied()).await.map_err(|e| internal(&*e))?;
        let mut models = Vec::with_capacity(ids.len());
        for id in ids {
            let model = found.get(id).ok_or_else(|| missing("device_model"))?;
            models.push(DeviceModel::from(model.clone()));
        }
        Ok(models)
    }
    /// How much it matters.
    async fn criticality(&self) -> FirmwareCriticality {
        self.0.criticality.into()
    }
    /// What it mends, at most 100.
    #[graphql(complexity = "row_cost(5, child_complexity)")]
    async fn fixes(&self) -> Vec<LocalizedText> {
        self.0.fixes.iter().map(Into::into).collect()
    }
    /// A device must have at least this version before; null when it takes any.
    async fn minimum_prior_version(&self) -> Option<&str> {
        self.0.minimum_prior_version.as_deref()
    }
    /// Remarks; null when there are none.
    async fn notes(&self) -> Option<LocalizedText> {
        self.0.notes.as_ref().map(Into::into)
    }
    /// SHA-256 of the package, 64 hex digits.
    async fn checksum_sha256(&self) -> &str {
        &self.0.checksum_sha256
    }
    /// Bytes of the package, a whole number (a Float, because an Int ends at 2 GB).
    async fn size_bytes(&self) -> f64 {
        self.0.size_bytes as f64
    }
    /// What must hold before it is installed, each kind once.
    #[graphql(complexity = "row_cost(3, child_complexity)")]
    async fn gates(&self) -> Vec<FirmwareGate> {
        self.0.gates.iter().map(Into::into).collect()
    }
    /// When the maker published it.
    async fn published_at(&self) -> DateTime<Utc> {
        self.0.published_at
    }
    /// When it was made here.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// When devices may be updated: windows in the site's zone.
#[derive(SimpleObject, Clone)]
pub struct MaintenanceWindow {
    /// When windows begin.
    pub cron: CronExpression,
    /// Minutes of elapsed time a window lasts, 1 to 1,440.
    pub duration_minutes: i32,
}

impl From<&model::MaintenanceWindow> for MaintenanceWindow {
    fn from(w: &model::MaintenanceWindow) -> Self {
        Self { cron: CronExpression(w.cron.clone()), duration_minutes: int(i64::from(w.duration_minutes)) }
    }
}

/// Why no sequence of releases leads to a target.
#[derive(SimpleObject, Clone)]
pub struct FirmwareGap {
    /// The newest version that can be reached.
    pub reaches: String,
    /// What the release after it asks for at least.
    pub needs: String,
}

/// What a device is to run, and how it gets there.
#[derive(Clone)]
pub struct FirmwareTarget {
    target: model::Target,
    is_current: bool,
}

impl FirmwareTarget {
    /// Of where a device stands; none when it has no target.
    pub fn of(facts: Arc<model::FirmwareFacts>) -> Option<Self> {
        Some(Self { target: facts.target.clone()?, is_current: facts.is_current })
    }
}

/// What a device is to run, and how it gets there.
#[Object]
impl FirmwareTarget {
    /// The release it is to run.
    async fn release(&self, ctx: &Context<'_>) -> Result<FirmwareRelease> {
        Ok(load_known(ctx, self.target.release_id, "firmware_release").await?.into())
    }
    /// Since when.
    async fn set_at(&self) -> DateTime<Utc> {
        self.target.set_at
    }
    /// When it may be updated, in the site's zone; null means 22:00 to 06:00 every day.
    async fn window(&self) -> Option<MaintenanceWindow> {
        self.target.window.as_ref().map(Into::into)
    }
    /// The version to install now on the way there, because releases can ask for others before them;
    /// null when the device is current, or when no sequence of releases leads there.
    async fn next_version(&self) -> Option<&str> {
        (!self.is_current && self.target.gap.is_none()).then_some(self.target.next_version.as_str())
    }
    /// Nothing is to be installed: it has the version, or a newer one that it may keep. False while
    /// its version is unknown.
    async fn is_current(&self) -> bool {
        self.is_current
    }
    /// Why no sequence of releases leads there; null when one does.
    async fn gap(&self) -> Option<FirmwareGap> {
        let shown = |gap: &model::Gap| FirmwareGap { reaches: gap.reaches.clone(), needs: gap.needs.clone() };
        self.target.gap.as_ref().map(shown)
    }
}

shows! {
    /// What the devices of a model, or part of them, are to run.
    FirmwareTargetSetting(model::FirmwareTarget)
}

/// What the devices of a model, or part of them, are to run. Of all that name a device the closest
/// counts: one for the device, then for its site, for its region by the longest prefix, for its
/// model; of equally close ones the newest.
#[Object]
impl FirmwareTargetSetting {
    /// Opaque id.
    async fn id(&self) -> ID {
        self.0.id.global().into()
    }
    /// The model.
    async fn model(&self, ctx: &Context<'_>) -> Result<DeviceModel> {
        Ok(load_known(ctx, self.0.model_id, "device_model").await?.into())
    }
    /// What its devices are to run.
    async fn release(&self, ctx: &Context<'_>) -> Result<FirmwareRelease> {
        Ok(load_known(ctx, self.0.release_id, "firmware_release").await?.into())
    }
    /// Sites it is for. When sites, regions and devices are all empty it is for the whole model.
    async fn site_ids(&self) -> Vec<ID> {
        self.0.selector.site_ids.iter().map(|id| id.global().into()).collect()
    }
    /// Regions it is for, by prefix.
    async fn region_codes(&self) -> &[String] {
        &self.0.selector.region_codes
    }
    /// Single devices it is for.
    async fn device_ids(&self) -> Vec<ID> {
        self.0.selector.device_ids.iter().map(|id| id.global().into()).collect()
    }
    /// When they may be updated, in their site's zone; null means 22:00 to 06:00 every day.
    async fn window(&self) -> Option<MaintenanceWindow> {
        self.0.window.as_ref().map(Into::into)
    }
    /// Devices that have a newer version go back to this one; else they keep it.
    async fn allow_downgrade(&self) -> bool {
        self.0.allow_downgrade
    }
    /// Since when.
    async fn set_at(&self) -> DateTime<Utc> {
        self.0.set_at
    }
    /// Who set it.
    async fn set_by(&self) -> &str {
        &self.0.set_by
    }
    /// Grows with every change; give it as `expectedVersion` when setting it again.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
}

connection!(FirmwareReleaseConnection, FirmwareReleaseEdge, FirmwareRelease, "firmware releases");

/// The tag of cursors of releases.
const RELEASES: &str = "firmwareReleases";

/// A page of releases, the one published last first.
pub async fn releases_page(
    ctx: &Context<'_>,
    filter: &model::ReleaseFilter,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<FirmwareReleaseConnection> {
    let cx = Cx::of(ctx);
    let page = page(RELEASES, first, after)?;
    let key = match &page.after {
        Some(k) => Some((key_part::<DateTime<Utc>>(k, 0)?, key_part::<Uuid>(k, 1)?)),
        None => None,
    };
    let firmware = &cx.services.firmware;
    let limit = u64::from(page.first) + 1;
    let rows = firmware.releases_page(&cx.scope, filter, key.as_ref(), limit).await.map_err(|e| cx.fail(e))?;
    let total = match asks(ctx, "totalCount") {
        true => {
            let count = firmware.count_releases(&cx.scope, filter, COUNT_LIMIT + 1).await;
            Some(count.map_err(|e| cx.fail(e))?)
        }
        false => None,
    };
    let (rows, has_next) = cut(rows, page.first);
    let rows: Vec<Arc<model::FirmwareRelease>> = rows.into_iter().map(Arc::new).collect();
    prefetch::releases(cx, &rows, &Ahead::rows(ctx)).await?;
    let rows = rows
        .into_iter()
        .map(|r| {
            let published = r.published_at.to_rfc3339_opts(SecondsFormat::Micros, true);
            let at = cursor(RELEASES, &[published, r.id.0.to_string()]);
            (FirmwareRelease(r), at)
        })
        .collect();
    Ok(FirmwareReleaseConnection::new(rows, has_next, key.is_some(), total))
}
