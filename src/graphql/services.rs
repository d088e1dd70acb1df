//! The services resolvers call.

use crate::catalogue::CatalogueService;
use crate::db::Db;
use crate::firmware::FirmwareService;
use crate::kernel::clock::Clock;
use crate::kernel::ids::Ids;
use crate::planning::PlanningService;
use crate::registry::RegistryService;
use crate::registry::feed::Feed;
use crate::reports::ReportService;
use crate::usage::UsageService;
use crate::visits::VisitService;
use std::sync::Arc;

/// Every service.
#[derive(Clone)]
pub struct Services {
    /// The database, for health, statement counts and how many rows a list has.
    pub db: Db,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of ids.
    pub ids: Arc<Ids>,
    /// What is new in device files.
    pub feed: Arc<Feed>,
    /// Meters and models.
    pub catalogue: Arc<CatalogueService>,
    /// Places, devices and people.
    pub registry: Arc<RegistryService>,
    /// Readings.
    pub usage: Arc<UsageService>,
    /// Firmware releases and targets.
    pub firmware: Arc<FirmwareService>,
    /// Plans, items and orders.
    pub planning: Arc<PlanningService>,
    /// Visits.
    pub visits: Arc<VisitService>,
    /// Figures and exports.
    pub reports: Arc<ReportService>,
}
