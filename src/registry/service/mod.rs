//! Use cases of the registry.

mod devices;
mod moves;
mod places;
mod reads;

pub use devices::{DeviceChange, DeviceDone, DeviceUpdate, RegisterDevice, RowOutcome};
pub use moves::{ChangeStatus, InstallDevice, RelocateDevice, RemoveDevice, SwapDevice, Swapped};
pub use places::{Made, NewMerchant, NewPosition, NewSite, NewTechnician, SiteChange};
pub use reads::{FileCheck, Occupant, resolve_many};

use super::error::Error;
use super::file::DeviceFile;
use crate::catalogue::service::CatalogueService;
use crate::db::Db;
use crate::kernel::calendar::check_instant;
use crate::kernel::clock::Clock;
use crate::kernel::ids::Ids;
use crate::kernel::text::clean_text;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// Merchants, sites, positions, devices and technicians.
pub struct RegistryService {
    db: Db,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    file: Arc<DeviceFile>,
    catalogue: Arc<CatalogueService>,
}

/// How far a device's clock may be ahead of the server's.
pub const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(10);

impl RegistryService {
    /// Builds the service.
    pub fn new(db: Db, clock: Arc<dyn Clock>, ids: Arc<Ids>, file: Arc<DeviceFile>, catalogue: Arc<CatalogueService>) -> Self {
        Self { db, clock, ids, file, catalogue }
    }
}

/// A required text.
pub(super) fn text(value: &str, field: &'static str, max: usize) -> Result<String, Error> {
    clean_text(value, max).map_err(|e| Error::Invalid { field, problem: format!("{field} {e}") })
}

/// An optional text; empty means absent.
pub(super) fn optional(value: Option<&str>, field: &'static str, max: usize) -> Result<Option<String>, Error> {
    value.filter(|v| !v.trim().is_empty()).map(|v| text(v, field, max)).transpose()
}

/// A moment that has passed, within the years the product works in.
pub(super) fn past(at: DateTime<Utc>, now: DateTime<Utc>, field: &'static str) -> Result<(), Error> {
    let refuse = |problem: String| Err(Error::Instant { field, problem });
    if let Err(e) = check_instant(at) {
        return refuse(e.to_string());
    }
    if at > now + CLOCK_SKEW {
        return refuse("lies in the future; give the time at which it was done".into());
    }
    Ok(())
}

/// Refuses a version that is not the current one.
pub(super) fn expect(expected: Option<i64>, actual: i64) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != actual => Err(Error::Conflict { expected, actual }),
        _ => Ok(()),
    }
}
