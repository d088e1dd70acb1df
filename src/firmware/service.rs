//! Use cases of firmware.

use super::error::Error;
use super::model::*;
use super::rules::{self, Ladder, Verdict, Version};
use super::store;
use crate::catalogue::store as catalogue_store;
use crate::db::tx::Tx;
use crate::db::{Db, StoreError, StoreResult};
use crate::kernel::calendar::{Grid, check_instant, stamp};
use crate::kernel::call::Call;
use crate::kernel::ids::*;
use crate::kernel::scope::Scope;
use crate::kernel::subject::SubjectKind;
use crate::kernel::text::{LocalizedText, TextError, clean_text, mask_card_numbers};
use crate::registry::rules::CLOCK_SKEW;
use crate::registry::store as registry_store;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Models a release can be for.
const MAX_MODELS: usize = 100;
/// Fixes a release can name.
const MAX_FIXES: usize = 100;
/// Sites, regions and devices a selector can name.
const MAX_SELECTED: usize = 1_000;
/// Bytes of a package at most: a terabyte, so that a wrong unit shows.
const MAX_BYTES: f64 = 1e12;
/// Minutes a window lasts at most: a day.
const MAX_WINDOW: i64 = 1_440;

/// A release to be published.
#[derive(Clone, Debug)]
pub struct NewRelease {
    /// Version as the maker writes it.
    pub version: String,
    /// The models it is for.
    pub model_ids: Vec<DeviceModelId>,
    /// How much it matters.
    pub criticality: Criticality,
    /// What it mends.
    pub fixes: Vec<LocalizedText>,
    /// A device must have at least this version before; any when absent.
    pub minimum_prior_version: Option<String>,
    /// Remarks.
    pub notes: Option<LocalizedText>,
    /// SHA-256 of the package, hex.
    pub checksum_sha256: String,
    /// Bytes of the package; a whole number.
    pub size_bytes: f64,
    /// What must hold before it is installed.
    pub gates: Vec<Gate>,
    /// When the maker published it; now unless stated.
    pub published_at: Option<DateTime<Utc>>,
}

/// The release that was published.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ReleasePublished {
    /// The release.
    pub release_id: FirmwareReleaseId,
}

/// A window as a caller states it.
#[derive(Clone, Debug)]
pub struct NewWindow {
    /// When windows begin, standard 5-field cron.
    pub cron: String,
    /// Minutes a window lasts.
    pub duration_minutes: i64,
}

/// What devices are to run.
#[derive(Clone, Debug)]
pub struct SetTarget {
    /// The model.
    pub model_id: DeviceModelId,
    /// What they are to run.
    pub release_id: FirmwareReleaseId,
    /// Part of the model's devices; all of them when absent.
    pub selector: Option<TargetSelector>,
    /// When they may be updated.
    pub window: Option<NewWindow>,
    /// Devices that have a newer version go back.
    pub allow_downgrade: bool,
    /// The version the caller had; 0 for none yet.
    pub expected_version: Option<i64>,
}

/// The target that was set.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct TargetSet {
    /// The target.
    pub target_id: FirmwareTargetId,
}

/// Releases and targets.
pub struct FirmwareService {
    db: Db,
    ids: Arc<Ids>,
}

/// A required text on one line.
fn line(value: &str, field: &'static str, max: usize) -> Result<String, Error> {
    let refuse = |problem| Error::Text { field, name: field, problem };
    let clean = clean_text(value, max).map_err(refuse)?;
    if clean.chars().any(char::is_control) {
        return Err(refuse(TextError::Control));
    }
    Ok(clean)
}

/// A required free text in both languages.
fn prose(value: &LocalizedText, field: &'static str, max: usize) -> Result<LocalizedText, Error> {
    let clean = |text: &str| {
        let clean = clean_text(text, max).map_err(|problem| Error::Text { field, name: field, problem })?;
        Ok::<String, Error>(mask_card_numbers(&clean).0)
    };
    Ok(LocalizedText { en: clean(&value.en)?, zh: clean(&value.zh)? })
}

/// A version somebody wrote: it has a number, else it is likely something else.
fn version(value: &str, field: &'static str) -> Result<String, Error> {
    let clean = line(value, field, 64)?;
    if !clean.chars().any(|c| c.is_ascii_digit()) {
        return Err(Error::Invalid { field, problem: format!("{field} has no number; write for example 3.2.1") });
    }
    Ok(clean)
}

fn gates(gates: Vec<Gate>) -> Result<Vec<Gate>, Error> {
    for (n, gate) in gates.iter().enumerate() {
        if gates[..n].iter().any(|other| other.kind() == gate.kind()) {
            let problem = format!("{} is given twice; give each gate once", gate.kind());
            return Err(Error::Invalid { field: "gates", problem });
        }
        if let Some(percent) = gate.percent()
            && !(percent > 0.0 && percent <= 100.0)
        {
            let problem = format!("{} is {percent}; give more than 0 and at most 100 percent", gate.kind());
            return Err(Error::OutOfRange { field: "gates", problem });
        }
    }
    Ok(gates)
}

fn window(window: NewWindow, now: DateTime<Utc>) -> Result<MaintenanceWindow, Error> {
    let cron = |problem: String| Error::Cron { problem };
    let grid = Grid::parse(&window.cron).map_err(|e| cron(e.to_string()))?;
    // A grid that fires fires in every zone.
    if grid.next_after(Tz::UTC, now).is_none() {
        return Err(cron("the cron text of the window never fires; check day and month".into()));
    }
    let minutes = window.duration_minutes;
    let duration_minutes =
        u32::try_from(minutes).ok().filter(|_| (1..=MAX_WINDOW).contains(&minutes)).ok_or_else(|| {
            let problem = format!("durationMinutes of the window is {minutes}; give 1 to {MAX_WINDOW}");
            Error::OutOfRange { field: "window", problem }
        })?;
    Ok(MaintenanceWindow { cron: grid.text().to_owned(), duration_minutes })
}

impl FirmwareService {
    /// Builds the service.
    pub fn new(db: Db, ids: Arc<Ids>) -> Self {
        Self { db, ids }
    }

    /// Releases by id, in any order.
    pub async fn releases_by_ids(&self, scope: &Scope, ids: &[FirmwareReleaseId]) -> StoreResult<Vec<FirmwareRelease>> {
        store::releases_by_ids(self.db.reader(), scope, ids).await
    }

    /// Releases, the one published last first, after a key.
    pub async fn releases_page(
        &self,
        scope: &Scope,
        filter: &ReleaseFilter,
        after: Option<&ReleaseKey>,
        limit: u64,
    ) -> StoreResult<Vec<FirmwareRelease>> {
        store::releases_page(self.db.reader(), scope, filter, after, limit).await
    }

    /// How many releases match, counted up to `limit`.
    pub async fn count_releases(&self, scope: &Scope, filter: &ReleaseFilter, limit: u64) -> StoreResult<u64> {
        store::count_releases(self.db.reader(), scope, filter, limit).await
    }

    /// Targets by id, in any order.
    pub async fn targets_by_ids(&self, scope: &Scope, ids: &[FirmwareTargetId]) -> StoreResult<Vec<FirmwareTarget>> {
        store::targets_by_ids(self.db.reader(), scope, ids).await
    }

    /// Every target of a model, the one set last first.
    pub async fn targets_of_model(&self, scope: &Scope, model: DeviceModelId) -> StoreResult<Vec<FirmwareTarget>> {
        store::targets_of_models(self.db.reader(), scope, &[model]).await
    }

    /// The target for exactly this part of a model, if there is one.
    pub async fn target_for(
        &self,
        scope: &Scope,
        model: DeviceModelId,
        selector: TargetSelector,
    ) -> StoreResult<Option<FirmwareTarget>> {
        let selector = normal_form(selector);
        let targets = store::targets_of_models(self.db.reader(), scope, &[model]).await?;
        Ok(targets.into_iter().find(|t| t.selector == selector))
    }

    /// Where devices stand; those that are not there are absent.
    pub async fn standing(&self, scope: &Scope, ids: &[DeviceId]) -> StoreResult<HashMap<DeviceId, FirmwareFacts>> {
        let devices = registry_store::devices_by_ids(self.db.reader(), scope, ids).await?;
        store::facts(self.db.reader(), scope, &devices).await
    }

    /// Publishes a release for some models.
    ///
    /// # Errors
    /// Texts and figures out of their bounds, an unknown model, a version that a model has already.
    pub async fn publish(&self, call: &Call, new: NewRelease) -> Result<ReleasePublished, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let release = self.checked(call, new)?;
        let models = catalogue_store::models_by_ids(tx.conn(), tx.scope(), &release.model_ids).await?;
        if models.len() != release.model_ids.len() {
            return Err(Error::NotFound { what: "device model", field: "modelIds" });
        }
        store::insert_release(tx.conn(), tx.scope(), &release).await.map_err(|e| match e {
            StoreError::Conflict { .. } => Error::Exists { version: release.version.clone() },
            other => Error::Store(other),
        })?;
        // It may be the step that devices on the way to a target waited for.
        let targets = store::targets_of_models(tx.conn(), tx.scope(), &release.model_ids).await?;
        let waiting: BTreeSet<DeviceModelId> = targets.iter().map(|t| t.model_id).collect();
        let waiting: Vec<DeviceModelId> = waiting.into_iter().collect();
        let fleet = store::fleet_of(tx.conn(), tx.scope(), &waiting).await?;
        self.mark(&tx, &fleet);
        let published = ReleasePublished { release_id: release.id };
        tx.finish(&published).await?;
        Ok(published)
    }

    fn checked(&self, call: &Call, new: NewRelease) -> Result<FirmwareRelease, Error> {
        let model_ids: BTreeSet<DeviceModelId> = new.model_ids.into_iter().collect();
        match model_ids.len() {
            0 => return Err(Error::Required { field: "modelIds", what: "the models it is for, 1 to 100" }),
            1..=MAX_MODELS => {}
            given => return Err(Error::TooMany { field: "modelIds", what: "models", given, max: MAX_MODELS }),
        }
        if new.fixes.len() > MAX_FIXES {
            let given = new.fixes.len();
            return Err(Error::TooMany { field: "fixes", what: "fixes", given, max: MAX_FIXES });
        }
        let named = version(&new.version, "version")?;
        let minimum = new.minimum_prior_version.as_deref().filter(|v| !v.trim().is_empty());
        let minimum_prior_version = minimum.map(|v| version(v, "minimumPriorVersion")).transpose()?;
        if let Some(minimum) = &minimum_prior_version
            && Version::read(minimum) >= Version::read(&named)
        {
            let problem = format!("minimumPriorVersion {minimum} is not older than {named}; no device could take it");
            return Err(Error::Invalid { field: "minimumPriorVersion", problem });
        }
        let checksum = new.checksum_sha256.trim().to_ascii_lowercase();
        if checksum.len() != 64 || !checksum.chars().all(|c| c.is_ascii_hexdigit()) {
            let problem = "checksumSha256 is not a SHA-256; give its 64 hex digits".to_owned();
            return Err(Error::Invalid { field: "checksumSha256", problem });
        }
        let size = new.size_bytes;
        if !(1.0..=MAX_BYTES).contains(&size) || size.fract() != 0.0 {
            let problem = format!("sizeBytes is {size}; give whole bytes, 1 to {MAX_BYTES}");
            return Err(Error::OutOfRange { field: "sizeBytes", problem });
        }
        let published_at = new.published_at.unwrap_or(call.now);
        let instant = |problem: String| Error::Instant { field: "publishedAt", problem };
        check_instant(published_at).map_err(|e| instant(e.to_string()))?;
        if published_at > call.now + CLOCK_SKEW {
            return Err(instant("lies in the future; give the time at which it was published".into()));
        }
        Ok(FirmwareRelease {
            id: self.ids.next(call.now),
            version: named,
            model_ids: model_ids.into_iter().collect(),
            criticality: new.criticality,
            fixes: new.fixes.iter().map(|fix| prose(fix, "fixes", 500)).collect::<Result<_, _>>()?,
            minimum_prior_version,
            notes: new.notes.as_ref().map(|notes| prose(notes, "notes", 4_000)).transpose()?,
            checksum_sha256: checksum,
            size_bytes: size as i64,
            gates: gates(new.gates)?,
            published_at: stamp(published_at),
            created_at: call.now,
        })
    }

    /// Says what the devices of a model, or part of them, are to run. The target for the same part is
    /// replaced; devices follow with the next planner run.
    ///
    /// # Errors
    /// Unknown ids; a release of other models; a window that never opens; devices that have a newer
    /// version, unless they may go back; devices to which no sequence of releases leads there; a
    /// version that is not the current one. Nothing is changed then.
    pub async fn set_target(&self, call: &Call, set: SetTarget) -> Result<TargetSet, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let model = [set.model_id];
        if catalogue_store::models_by_ids(tx.conn(), tx.scope(), &model).await?.is_empty() {
            return Err(Error::NotFound { what: "device model", field: "modelId" });
        }
        let release = store::releases_by_ids(tx.conn(), tx.scope(), &[set.release_id])
            .await?
            .pop()
            .ok_or(Error::NotFound { what: "firmware release", field: "releaseId" })?;
        if !release.model_ids.contains(&set.model_id) {
            return Err(Error::OtherModel { version: release.version });
        }
        let window = set.window.map(|w| window(w, call.now)).transpose()?;
        let selector = match set.selector {
            Some(selector) => checked_selector(&tx, set.model_id, selector).await?,
            None => TargetSelector::default(),
        };
        let mut targets = store::targets_of_models(tx.conn(), tx.scope(), &model).await?;
        let known = targets.iter().position(|t| t.selector == selector).map(|place| targets.remove(place));
        let had = known.as_ref().map_or(0, |t| t.version);
        if let Some(expected) = set.expected_version
            && expected != had
        {
            return Err(Error::Conflict { expected, actual: had });
        }
        let target = FirmwareTarget {
            id: known.as_ref().map_or_else(|| self.ids.next(call.now), |t| t.id),
            model_id: set.model_id,
            selector,
            release_id: release.id,
            window,
            allow_downgrade: set.allow_downgrade,
            set_at: call.now,
            set_by: call.actor.clone(),
            version: had + 1,
        };
        targets.push(target.clone());
        let releases = store::releases_of_models(tx.conn(), tx.scope(), &model).await?;
        let fleet = store::fleet_of(tx.conn(), tx.scope(), &model).await?;
        refuse_unreachable(&target, release, &targets, &releases, &fleet)?;
        match known {
            Some(_) => {
                if !store::update_target(tx.conn(), tx.scope(), &target, had).await? {
                    return Err(Error::Conflict { expected: had, actual: had + 1 });
                }
            }
            None => store::insert_target(tx.conn(), tx.scope(), &target).await.map_err(|e| match e {
                StoreError::Conflict { .. } => Error::Conflict { expected: 0, actual: 1 },
                other => Error::Store(other),
            })?,
        }
        self.mark(&tx, &fleet);
        let done = TargetSet { target_id: target.id };
        tx.finish(&done).await?;
        Ok(done)
    }

    /// What is to be installed is a new fact for these devices.
    fn mark(&self, tx: &Tx, fleet: &[FleetDevice]) {
        let living = fleet.iter().filter(|d| !rules::is_gone(d.status));
        tx.mark(living.map(|d| (SubjectKind::Device, d.id.0)), self.ids.uuid(tx.now()));
    }
}

fn refuse_unreachable(
    target: &FirmwareTarget,
    release: FirmwareRelease,
    targets: &[FirmwareTarget],
    releases: &[FirmwareRelease],
    fleet: &[FleetDevice],
) -> Result<(), Error> {
    let version = release.version.clone();
    match rules::check_target(target, &release, targets, &Ladder::new(releases), fleet) {
        Verdict::Fine => Ok(()),
        Verdict::Downgrade { count, serial_number, installed } => {
            Err(Error::Downgrade { count, version, serial_number, installed })
        }
        Verdict::Unmet { count, serial_number, installed, gap } => {
            Err(Error::PrerequisiteUnmet { count, version, serial_number, installed, gap: Box::new(gap) })
        }
    }
}

/// Sorted, each thing once: the same part of a model is the same selector.
fn normal_form(mut selector: TargetSelector) -> TargetSelector {
    for code in &mut selector.region_codes {
        *code = code.trim().to_owned();
    }
    selector.region_codes.sort_unstable();
    selector.region_codes.dedup();
    selector.site_ids.sort_unstable();
    selector.site_ids.dedup();
    selector.device_ids.sort_unstable();
    selector.device_ids.dedup();
    selector
}

/// A selector in its normal form, with everything it names there.
async fn checked_selector(
    tx: &Tx,
    model: DeviceModelId,
    mut selector: TargetSelector,
) -> Result<TargetSelector, Error> {
    let field = "selector";
    if selector.is_whole_model() {
        return Err(Error::EmptySelector);
    }
    let given = selector.count();
    if given > MAX_SELECTED {
        return Err(Error::TooMany { field, what: "sites, regions and devices", given, max: MAX_SELECTED });
    }
    for code in &mut selector.region_codes {
        let clean = clean_text(code, 32);
        *code = clean.map_err(|problem| Error::Text { field, name: "a region code", problem })?;
    }
    let selector = normal_form(selector);
    let sites = registry_store::sites_by_ids(tx.conn(), tx.scope(), &selector.site_ids).await?;
    if sites.len() != selector.site_ids.len() {
        return Err(Error::NotFound { what: "site", field });
    }
    let devices = registry_store::devices_by_ids(tx.conn(), tx.scope(), &selector.device_ids).await?;
    if devices.len() != selector.device_ids.len() {
        return Err(Error::NotFound { what: "device", field });
    }
    if let Some(device) = devices.iter().find(|d| d.model_id != model) {
        let problem = format!("{} is of another model; leave it out of the selector", device.serial_number);
        return Err(Error::Invalid { field, problem });
    }
    Ok(selector)
}
