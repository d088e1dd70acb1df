//! The words of firmware.

use crate::code_enum;
use crate::kernel::ids::{DeviceId, DeviceModelId, FirmwareReleaseId, FirmwareTargetId, SiteId};
use crate::kernel::text::LocalizedText;
use crate::registry::model::{Device, DeviceStatus};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

code_enum! {
    /// How much a release matters.
    pub enum Criticality { Low = "LOW", Normal = "NORMAL", High = "HIGH", Critical = "CRITICAL" }
}

code_enum! {
    /// What a quiet slot was found by.
    pub enum QuietBasis { OwnUsage = "OWN_USAGE", ClosedHours = "CLOSED_HOURS", WindowOnly = "WINDOW_ONLY" }
}

code_enum! {
    /// The kinds of gate.
    pub enum GateKind {
        BatteryAtLeast = "BATTERY_AT_LEAST", StorageFreeAtLeast = "STORAGE_FREE_AT_LEAST",
        BatchSettled = "BATCH_SETTLED",
    }
}

/// What must hold before a release is installed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Gate {
    /// The battery has at least this charge.
    BatteryAtLeast {
        /// Percent of full.
        percent: f64,
    },
    /// At least this much storage is free.
    StorageFreeAtLeast {
        /// Percent of all storage.
        percent: f64,
    },
    /// No transaction waits to be settled.
    BatchSettled,
}

impl Gate {
    /// Its kind.
    pub const fn kind(self) -> GateKind {
        match self {
            Self::BatteryAtLeast { .. } => GateKind::BatteryAtLeast,
            Self::StorageFreeAtLeast { .. } => GateKind::StorageFreeAtLeast,
            Self::BatchSettled => GateKind::BatchSettled,
        }
    }

    /// The meter it looks at.
    pub const fn meter(self) -> &'static str {
        match self {
            Self::BatteryAtLeast { .. } => "BATTERY_LEVEL",
            Self::StorageFreeAtLeast { .. } => "FLASH_FREE",
            Self::BatchSettled => "UNSETTLED_TRANSACTIONS",
        }
    }

    /// Its limit in percent, if it has one.
    pub const fn percent(self) -> Option<f64> {
        match self {
            Self::BatteryAtLeast { percent } | Self::StorageFreeAtLeast { percent } => Some(percent),
            Self::BatchSettled => None,
        }
    }
}

/// A version of a firmware for some models; never changed once published.
#[derive(Clone, Debug, PartialEq)]
pub struct FirmwareRelease {
    /// Identity.
    pub id: FirmwareReleaseId,
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
    /// SHA-256 of the package, 64 hex digits in lower case.
    pub checksum_sha256: String,
    /// Bytes of the package.
    pub size_bytes: i64,
    /// What must hold before it is installed, each kind once.
    pub gates: Vec<Gate>,
    /// When the maker published it.
    pub published_at: DateTime<Utc>,
    /// When it was made here.
    pub created_at: DateTime<Utc>,
}

/// When a device may be updated: windows in its site's zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceWindow {
    /// When windows begin, standard 5-field cron.
    pub cron: String,
    /// Minutes of elapsed time a window lasts, 1 to 1,440.
    pub duration_minutes: u32,
}

/// Which devices of a model a target is for. A device belongs to it when any part names it; all of
/// the model belong when no part says anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetSelector {
    /// Sites.
    pub site_ids: Vec<SiteId>,
    /// Region codes, by prefix.
    pub region_codes: Vec<String>,
    /// Single devices.
    pub device_ids: Vec<DeviceId>,
}

impl TargetSelector {
    /// Whether it is for the whole model.
    pub fn is_whole_model(&self) -> bool {
        self.site_ids.is_empty() && self.region_codes.is_empty() && self.device_ids.is_empty()
    }

    /// How many things it names.
    pub fn count(&self) -> usize {
        self.site_ids.len() + self.region_codes.len() + self.device_ids.len()
    }
}

/// What the devices of a model, or part of them, are to run.
#[derive(Clone, Debug, PartialEq)]
pub struct FirmwareTarget {
    /// Identity.
    pub id: FirmwareTargetId,
    /// The model.
    pub model_id: DeviceModelId,
    /// Which of its devices.
    pub selector: TargetSelector,
    /// What they are to run.
    pub release_id: FirmwareReleaseId,
    /// When they may be updated; 22:00 to 06:00 every day when absent.
    pub window: Option<MaintenanceWindow>,
    /// Devices that have a newer version go back to this one; else they stay where they are.
    pub allow_downgrade: bool,
    /// Since when.
    pub set_at: DateTime<Utc>,
    /// Who set it.
    pub set_by: String,
    /// Grows with every change.
    pub version: i64,
}

/// A device as targets see it.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetDevice {
    /// Identity.
    pub id: DeviceId,
    /// Serial number.
    pub serial_number: String,
    /// Site it stands at.
    pub site_id: Option<SiteId>,
    /// Region of that site.
    pub region_code: Option<String>,
    /// Where it is in its life.
    pub status: DeviceStatus,
    /// Version of its firmware, if it was ever reported.
    pub installed: Option<String>,
}

impl From<&Device> for FleetDevice {
    fn from(device: &Device) -> Self {
        Self {
            id: device.id,
            serial_number: device.serial_number.clone(),
            site_id: device.site_id,
            region_code: device.region_code.clone(),
            status: device.status,
            installed: device.firmware_version.clone(),
        }
    }
}

/// Why no sequence of releases leads somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The newest version that can be reached.
    pub reaches: String,
    /// What the release after it asks for at least.
    pub needs: String,
}

/// What a device is to run, and how it gets there.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The setting it comes from.
    pub target_id: FirmwareTargetId,
    /// The release.
    pub release_id: FirmwareReleaseId,
    /// The release's version.
    pub version: String,
    /// Since when.
    pub set_at: DateTime<Utc>,
    /// When it may be updated; 22:00 to 06:00 every day when absent.
    pub window: Option<MaintenanceWindow>,
    /// The release to install now on the way there.
    pub next_release_id: FirmwareReleaseId,
    /// Its version; the target's own when the device is current, or when nothing leads there.
    pub next_version: String,
    /// What must hold before that release is installed.
    pub gates: Vec<Gate>,
    /// How much the target matters.
    pub criticality: Criticality,
    /// Why nothing leads there; only where a device reported what it did not have when the target
    /// was set.
    pub gap: Option<Gap>,
}

/// Where a device stands.
#[derive(Clone, Debug, PartialEq)]
pub struct FirmwareFacts {
    /// Version of its firmware; absent when never reported.
    pub installed: Option<String>,
    /// What it is to run; absent when nobody said.
    pub target: Option<Target>,
    /// Nothing is to be installed: it has its target, or a newer version that it may keep, or no
    /// target. Not current while its version is unknown.
    pub is_current: bool,
}

/// Which releases; absent parts do not restrict.
#[derive(Clone, Debug, Default)]
pub struct ReleaseFilter {
    /// For this model.
    pub model_id: Option<DeviceModelId>,
    /// Of this criticality.
    pub criticality: Option<Criticality>,
    /// Of this version, however it is written.
    pub version: Option<String>,
}

/// The page key of releases: when published, and the id.
pub type ReleaseKey = (DateTime<Utc>, uuid::Uuid);
