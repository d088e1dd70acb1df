//! Small releases, targets and devices for the tests of the rules.

use crate::firmware::model::{Criticality, FirmwareRelease, FirmwareTarget, FleetDevice, TargetSelector};
use crate::kernel::ids::{DeviceId, DeviceModelId, FirmwareReleaseId, FirmwareTargetId};
use crate::registry::model::DeviceStatus;
use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

pub(super) const MODEL: DeviceModelId = DeviceModelId(Uuid::from_u128(1));

pub(super) fn release(id: u128, version: &str, minimum: Option<&str>) -> FirmwareRelease {
    FirmwareRelease {
        id: FirmwareReleaseId(Uuid::from_u128(id)),
        version: version.to_owned(),
        model_ids: vec![MODEL],
        criticality: Criticality::Normal,
        fixes: vec![],
        minimum_prior_version: minimum.map(str::to_owned),
        notes: None,
        checksum_sha256: "0".repeat(64),
        size_bytes: 1,
        gates: vec![],
        published_at: DateTime::UNIX_EPOCH,
        created_at: DateTime::UNIX_EPOCH,
    }
}

/// A target set so many days after the others began.
pub(super) fn target(id: u128, release: u128, day: i64, selector: TargetSelector) -> FirmwareTarget {
    FirmwareTarget {
        id: FirmwareTargetId(Uuid::from_u128(id)),
        model_id: MODEL,
        selector,
        release_id: FirmwareReleaseId(Uuid::from_u128(release)),
        window: None,
        allow_downgrade: false,
        set_at: DateTime::UNIX_EPOCH + TimeDelta::days(day),
        set_by: "test".to_owned(),
        version: 1,
    }
}

pub(super) fn device(id: u128, installed: Option<&str>) -> FleetDevice {
    FleetDevice {
        id: DeviceId(Uuid::from_u128(id)),
        serial_number: format!("HX{id}"),
        site_id: None,
        region_code: None,
        status: DeviceStatus::InService,
        installed: installed.map(str::to_owned),
    }
}
