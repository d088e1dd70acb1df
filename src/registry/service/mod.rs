//! Use cases of the registry.

mod as_of;
mod components;
mod devices;
mod inspection;
mod moves;
mod places;
mod reads;
mod search;
mod software;

pub use super::file_store::EventFilter;
pub use super::store::{SiteFilter, device_key};
pub use as_of::{DeviceWalk, Stood, Then};
pub use components::{PartError, PartReplaced, ReplacePart};
pub use devices::{DeviceChange, DeviceDone, DeviceUpdate, RegisterDevice, RowOutcome};
pub use inspection::InspectionDone;
pub use moves::{ChangeStatus, InstallDevice, RelocateDevice, RemoveDevice, SwapDevice, Swapped};
pub use places::{Made, NewMerchant, NewPosition, NewSite, NewTechnician, SiteChange};
pub use reads::{FileCheck, Occupant, resolve_many};
pub use software::{MAX_SOFTWARE_REPORTS, RefusedRow, SoftwareReport, SoftwareReported};

use super::error::Error;
use super::file::DeviceFile;
use super::rules::CLOCK_SKEW;
use crate::db::Db;
use crate::kernel::calendar::{check_instant, stamp};
use crate::kernel::clock::Clock;
use crate::kernel::ids::Ids;
use crate::kernel::text::{TextError, clean_text, mask_card_numbers};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Merchants, sites, positions, devices and technicians.
pub struct RegistryService {
    db: Db,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    file: Arc<DeviceFile>,
}

impl RegistryService {
    /// Builds the service.
    pub fn new(db: Db, clock: Arc<dyn Clock>, ids: Arc<Ids>, file: Arc<DeviceFile>) -> Self {
        Self { db, clock, ids, file }
    }
}

/// Rows of an import in one transaction: short enough that a request never waits long.
const BULK: usize = 1_000;

/// A required text on one line: a name or a number.
pub(super) fn text(value: &str, field: &'static str, max: usize) -> Result<String, Error> {
    let clean = clean_text(value, max).map_err(|error| Error::Text { field, error })?;
    if clean.chars().any(char::is_control) {
        return Err(Error::Text { field, error: TextError::Control });
    }
    Ok(clean)
}

/// A required free text; line breaks are kept, card numbers are not.
pub(super) fn prose(value: &str, field: &'static str, max: usize) -> Result<String, Error> {
    let clean = clean_text(value, max).map_err(|error| Error::Text { field, error })?;
    Ok(mask_card_numbers(&clean).0)
}

/// An optional free text; empty means absent.
pub(super) fn optional_prose(value: Option<&str>, field: &'static str, max: usize) -> Result<Option<String>, Error> {
    value.filter(|v| !v.trim().is_empty()).map(|v| prose(v, field, max)).transpose()
}

/// An optional text; empty means absent.
pub(super) fn optional(value: Option<&str>, field: &'static str, max: usize) -> Result<Option<String>, Error> {
    value.filter(|v| !v.trim().is_empty()).map(|v| text(v, field, max)).transpose()
}

/// A moment that has passed, within the years the product works in, cut to the microseconds
/// that are stored.
pub(super) fn past(at: DateTime<Utc>, now: DateTime<Utc>, field: &'static str) -> Result<DateTime<Utc>, Error> {
    let refuse = |problem: String| Err(Error::Instant { field, problem });
    if let Err(e) = check_instant(at) {
        return refuse(e.to_string());
    }
    if at > now + CLOCK_SKEW {
        return refuse("lies in the future; give the time at which it was done".into());
    }
    Ok(stamp(at))
}

/// Refuses a version that is not the current one.
pub(super) fn expect(expected: Option<i64>, actual: i64) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != actual => Err(Error::Conflict { expected, actual }),
        _ => Ok(()),
    }
}
