//! The composition root: builds every service over one database and wires the observers.

pub mod http;
mod socket;

use crate::catalogue::service::CatalogueService;
use crate::db::Db;
use crate::firmware::FirmwareService;
use crate::jobs::{self, Jobs, Schedules};
use crate::kernel::calendar::GridError;
use crate::kernel::call::Call;
use crate::kernel::clock::Clock;
use crate::kernel::ids::Ids;
use crate::kernel::scope::Scope;
use crate::planning::PlanningService;
use crate::planning::service::FileObserver;
use crate::registry::RegistryService;
use crate::registry::feed::Feed;
use crate::registry::file::DeviceFile;
use crate::reports::ReportService;
use crate::usage::UsageService;
use crate::usage::service::SwapObserver;
use crate::visits::VisitService;
use chrono::{DateTime, Utc};
use std::ops::Deref;
use std::sync::Arc;

pub use crate::graphql::services::Services;

/// Everything a running tillkeep has; reads as its services: `app.registry`, `app.clock`.
pub struct App {
    /// What GraphQL works with.
    pub services: Services,
    /// The one way to write to device files.
    pub file: Arc<DeviceFile>,
}

impl App {
    /// Builds every service over a database, a clock and a source of ids.
    pub fn new(db: Db, clock: Arc<dyn Clock>, ids: Arc<Ids>) -> Arc<Self> {
        let file = Arc::new(DeviceFile::new(ids.clone()));
        let catalogue = Arc::new(CatalogueService::new(db.clone(), ids.clone()));
        let registry = Arc::new(RegistryService::new(db.clone(), clock.clone(), ids.clone(), file.clone()));
        let usage = Arc::new(UsageService::new(db.clone(), ids.clone(), file.clone()));
        let firmware = Arc::new(FirmwareService::new(db.clone(), ids.clone()));
        let planning = Arc::new(PlanningService::new(db.clone(), ids.clone(), file.clone(), catalogue.clone()));
        let visits = Arc::new(VisitService::new(
            db.clone(),
            ids.clone(),
            file.clone(),
            planning.clone(),
            registry.clone(),
            usage.clone(),
        ));
        let reports = Arc::new(ReportService::new(db.clone()));
        // Lower rooms cannot call upward; what they write to the file reaches planning here.
        // Usage first: planning settles on the counters it leaves.
        file.observe(vec![Arc::new(SwapObserver::new(usage.clone())), Arc::new(FileObserver::new(planning.clone()))]);
        let feed = Arc::new(Feed::new(db.clone()));
        let services =
            Services { db, clock, ids, feed, catalogue, registry, usage, firmware, planning, visits, reports };
        Arc::new(Self { services, file })
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.services.db
    }

    /// A request of the server itself or of its command line.
    pub fn system_call(&self, actor: &str) -> Call {
        self.call_at(actor, self.clock.now())
    }

    /// As [`Self::system_call`], at another moment; for histories.
    pub fn call_at(&self, actor: &str, now: DateTime<Utc>) -> Call {
        Call {
            scope: Scope::DEFAULT,
            actor: actor.to_owned(),
            request_id: self.ids.uuid(now).to_string(),
            now,
            idempotency: None,
        }
    }

    /// The jobs of this node.
    ///
    /// # Errors
    /// A cron text cannot be read.
    pub fn jobs(&self, schedules: Schedules<'_>) -> Result<Jobs, GridError> {
        let jobs = jobs::all(&self.db, &self.usage, &self.planning, schedules)?;
        Ok(Jobs::new(self.db.clone(), self.clock.clone(), self.ids.clone(), jobs))
    }
}

impl Deref for App {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}
