//! Seeding puts readable files into tables: reference data for every installation, and the demo
//! fleet.
//!
//! [`reference`] adds meters, models, failure lists, holidays and plans that are not there yet and
//! never changes what is: an organization's own copy may differ from ours. [`demo`] makes a fleet
//! with fourteen months of history, by the same services a caller reaches, at the moments things
//! happened.
//!
//! It leaves every rule to the rooms it calls.

pub mod demo;
pub mod reference;

use crate::catalogue::{self, CatalogueService};
use crate::db::{Db, StoreError};
use crate::firmware::{self, FirmwareService};
use crate::kernel::call::Call;
use crate::planning::{self, PlanningService};
use crate::registry::{self, RegistryService};
use crate::usage::{self, UsageService};
use crate::visits::{self, VisitService};
use chrono::{DateTime, Utc};

/// The rooms seeding works with.
#[derive(Clone, Copy)]
pub struct Rooms<'a> {
    /// The database, for the row that says the demo was made.
    pub db: &'a Db,
    /// Models, meters and holidays.
    pub catalogue: &'a CatalogueService,
    /// Places, devices and people.
    pub registry: &'a RegistryService,
    /// Readings.
    pub usage: &'a UsageService,
    /// Releases and targets.
    pub firmware: &'a FirmwareService,
    /// Plans and the planner.
    pub planning: &'a PlanningService,
    /// Visits.
    pub visits: &'a VisitService,
    /// Now, UTC.
    pub now: DateTime<Utc>,
    /// A request of whoever seeds, at a moment.
    pub call: &'a (dyn Fn(DateTime<Utc>) -> Call + Send + Sync),
}

/// Why seeding cannot go on; what was seeded before stays.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file under `seeds/` says something nobody understands; a fault of ours.
    #[error("seeds/{file}: {problem}")]
    File {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The catalogue refused.
    #[error("the catalogue refused seeded data: {0}")]
    Catalogue(#[from] catalogue::Error),
    /// The registry refused.
    #[error("the registry refused seeded data: {0}")]
    Registry(#[from] registry::Error),
    /// Usage refused.
    #[error("usage refused seeded readings: {0}")]
    Usage(#[from] usage::Error),
    /// Firmware refused.
    #[error("firmware refused seeded data: {0}")]
    Firmware(#[from] firmware::Error),
    /// Planning refused.
    #[error("planning refused seeded data: {0}")]
    Planning(#[from] planning::Error),
    /// Visits refused.
    #[error("visits refused a seeded visit: {0}")]
    Visits(#[from] visits::Error),
    /// The database holds something the demo did not make to the end.
    #[error(
        "the database holds merchants already, but no finished demo fleet; give demo an empty database, or delete the file of a demo that was cut off"
    )]
    NotEmpty,
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads a file of `seeds/`.
fn read<T: serde::de::DeserializeOwned>(file: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|e| Error::File { file, problem: e.to_string() })
}
