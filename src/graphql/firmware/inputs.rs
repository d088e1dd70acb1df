//! Inputs of firmware.

use crate::firmware::model;
use crate::firmware::service::{NewRelease, NewWindow};
use crate::graphql::connection::input_ids;
use crate::graphql::enums::{FirmwareCriticality, SoftwareKind};
use crate::graphql::errors::{Failure, Outcome};
use crate::graphql::scalars::{CronExpression, MAX_NUMBER, query_id_opt, query_text_opt};
use crate::graphql::text::LocalizedTextInput;
use crate::kernel::code::Code;
use crate::kernel::ids::{DeviceId, DeviceModelId, SiteId};
use async_graphql::{ID, InputObject, OneofObject, Result};
use chrono::{DateTime, Utc};

/// Which firmware releases; parts given must all hold.
#[derive(InputObject, Default, Clone)]
pub struct FirmwareReleaseFilter {
    /// For this model.
    pub model_id: Option<ID>,
    /// Of this criticality.
    pub criticality: Option<FirmwareCriticality>,
    /// Of this version, however it is written: v1.2 is 1.2.0.
    pub version: Option<String>,
}

impl FirmwareReleaseFilter {
    /// The room's form.
    ///
    /// # Errors
    /// BAD_USER_INPUT for what is not what it should be, or is out of its bounds.
    pub fn read(self) -> Result<model::ReleaseFilter> {
        Ok(model::ReleaseFilter {
            model_id: query_id_opt(self.model_id.as_ref(), DeviceModelId::parse_global)?,
            criticality: self.criticality.map(Into::into),
            version: query_text_opt(self.version, "version", MAX_NUMBER)?,
        })
    }
}

/// What must hold before a release is installed; give exactly one.
#[derive(OneofObject, Clone)]
pub enum FirmwareGateInput {
    /// The battery has at least this charge: percent, above 0 to 100 (meter BATTERY_LEVEL).
    BatteryAtLeast(f64),
    /// At least this much storage is free: percent, above 0 to 100 (meter FLASH_FREE).
    StorageFreeAtLeast(f64),
    /// True: no transaction waits to be settled (meter UNSETTLED_TRANSACTIONS).
    BatchSettled(bool),
}

impl FirmwareGateInput {
    fn read(self) -> Outcome<model::Gate> {
        match self {
            Self::BatteryAtLeast(percent) => Ok(model::Gate::BatteryAtLeast { percent }),
            Self::StorageFreeAtLeast(percent) => Ok(model::Gate::StorageFreeAtLeast { percent }),
            Self::BatchSettled(true) => Ok(model::Gate::BatchSettled),
            Self::BatchSettled(false) => Err(Failure::user(
                Code::Invalid,
                "batchSettled is a gate only as true; leave it out where it need not hold",
                &["input", "gates"],
            )),
        }
    }
}

/// A firmware release to be published; it is never changed after.
#[derive(InputObject)]
pub struct PublishFirmwareReleaseInput {
    /// Version as the maker writes it; has at least one digit. A model has it once.
    pub version: String,
    /// The models it is for, 1 to 100.
    pub model_ids: Vec<ID>,
    /// How much it matters; NORMAL unless stated.
    pub criticality: Option<FirmwareCriticality>,
    /// What it mends, at most 100.
    pub fixes: Option<Vec<LocalizedTextInput>>,
    /// A device must have at least this version before; any unless stated.
    pub minimum_prior_version: Option<String>,
    /// Remarks.
    pub notes: Option<LocalizedTextInput>,
    /// SHA-256 of the package, 64 hex digits.
    pub checksum_sha256: String,
    /// Bytes of the package, a whole number above 0 (a Float, because an Int ends at 2 GB).
    pub size_bytes: f64,
    /// What must hold before it is installed, each kind once.
    pub gates: Option<Vec<FirmwareGateInput>>,
    /// When the maker published it; now unless stated.
    pub published_at: Option<DateTime<Utc>>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

impl PublishFirmwareReleaseInput {
    /// The room's form.
    ///
    /// # Errors
    /// Ids that are not what they should be; a gate that is none.
    pub fn read(self) -> Outcome<NewRelease> {
        let gates: Vec<model::Gate> =
            self.gates.unwrap_or_default().into_iter().map(FirmwareGateInput::read).collect::<Outcome<_>>()?;
        Ok(NewRelease {
            version: self.version,
            model_ids: input_ids(&self.model_ids, "modelIds", DeviceModelId::parse_global)?,
            criticality: self.criticality.map_or(model::Criticality::Normal, Into::into),
            fixes: self.fixes.unwrap_or_default().into_iter().map(Into::into).collect(),
            minimum_prior_version: self.minimum_prior_version,
            notes: self.notes.map(Into::into),
            checksum_sha256: self.checksum_sha256,
            size_bytes: self.size_bytes,
            gates,
            published_at: self.published_at,
        })
    }
}

/// Part of the devices of a model: those that any part names, at most 1,000 in all.
#[derive(InputObject, Clone)]
pub struct FirmwareTargetSelectorInput {
    /// Devices at these sites.
    pub site_ids: Option<Vec<ID>>,
    /// Devices in these regions, by prefix: a province contains its cities.
    pub region_codes: Option<Vec<String>>,
    /// These devices.
    pub device_ids: Option<Vec<ID>>,
}

impl FirmwareTargetSelectorInput {
    /// The room's form.
    ///
    /// # Errors
    /// Ids that are not what they should be.
    pub fn read(self) -> Outcome<model::TargetSelector> {
        Ok(model::TargetSelector {
            site_ids: input_ids(&self.site_ids.unwrap_or_default(), "selector", SiteId::parse_global)?,
            region_codes: self.region_codes.unwrap_or_default(),
            device_ids: input_ids(&self.device_ids.unwrap_or_default(), "selector", DeviceId::parse_global)?,
        })
    }
}

/// When devices may be updated: windows in their site's zone.
#[derive(InputObject, Clone)]
pub struct MaintenanceWindowInput {
    /// When windows begin.
    pub cron: CronExpression,
    /// Minutes of elapsed time a window lasts, 1 to 1,440.
    pub duration_minutes: i32,
}

impl From<MaintenanceWindowInput> for NewWindow {
    fn from(w: MaintenanceWindowInput) -> Self {
        Self { cron: w.cron.0, duration_minutes: i64::from(w.duration_minutes) }
    }
}

/// What the devices of a model, or part of them, are to run.
#[derive(InputObject)]
pub struct SetFirmwareTargetInput {
    /// The model.
    pub model_id: ID,
    /// What they are to run; one of the model's releases.
    pub release_id: ID,
    /// Part of the model's devices, which overrides what is set for all; all of them unless stated.
    pub selector: Option<FirmwareTargetSelectorInput>,
    /// When they may be updated; 22:00 to 06:00 every day unless stated.
    pub window: Option<MaintenanceWindowInput>,
    /// Devices that have a newer version go back to this one; false unless stated, and then a release
    /// older than what a device has is refused.
    pub allow_downgrade: Option<bool>,
    /// The version you have of the target for the same part, 0 for none yet; CONFLICT when it is not
    /// the current one.
    pub expected_version: Option<i32>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// One installed thing, as a device or its management system reports it; name the device by id, by
/// serial number, or by terminal number.
#[derive(InputObject)]
pub struct InstalledSoftwareInput {
    /// The device.
    pub device_id: Option<ID>,
    /// Its serial number, where no id is given.
    pub serial_number: Option<String>,
    /// Its maker; required where two makers share the serial number.
    pub manufacturer: Option<String>,
    /// Terminal number (TID): stands for the serial that filled it at `reportedAt`.
    pub terminal_number: Option<String>,
    /// What it is; FIRMWARE unless stated.
    pub kind: Option<SoftwareKind>,
    /// Its name; leave it out for the only one of its kind. The firmware without a name is the one
    /// whose version is the device's `firmwareVersion`.
    pub name: Option<String>,
    /// Its version.
    pub version: String,
    /// Device time.
    pub reported_at: DateTime<Utc>,
}

/// Reports of installed software, up to 5,000, in any order.
#[derive(InputObject)]
pub struct ReportInstalledSoftwareInput {
    /// The reports.
    pub reports: Vec<InstalledSoftwareInput>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}
