//! Use cases of planning: load facts → ask the rules → store in one transaction → append to the
//! device file.

mod changes;
mod checklists;
mod facts;
mod foresight;
mod orders;
mod planner;
mod plans;
mod search;
mod updates;
mod visits;

pub use super::store::{OrderKey, UpcomingKey, order_key, upcoming_key};
pub use foresight::Proposal;
pub use orders::{
    ChangeState, CreateOrder, OccurrenceRef, OrderChanged, PostponeOccurrence, ScheduleOrder, SkipOccurrence,
};
pub use planner::FileObserver;
pub use plans::{NewPlan, PlanChanged, PlanUpdate, TriggerSpec};

use super::error::Error;
use super::model::*;
use super::rules::CompiledPlan;
use super::store;
use crate::catalogue::service::CatalogueService;
use crate::db::{Db, StoreResult};
use crate::kernel::ids::{Ids, ItemId, PlanId, PlanRevisionId, WorkOrderId};
use crate::kernel::scope::Scope;
use crate::registry::file::DeviceFile;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// Plans, items, work orders and the planner.
pub struct PlanningService {
    db: Db,
    ids: Arc<Ids>,
    file: Arc<DeviceFile>,
    catalogue: Arc<CatalogueService>,
    /// Parsed triggers by revision; revisions never change.
    compiled: Mutex<HashMap<PlanRevisionId, Arc<CompiledPlan>>>,
}

impl PlanningService {
    /// Builds the service.
    pub fn new(db: Db, ids: Arc<Ids>, file: Arc<DeviceFile>, catalogue: Arc<CatalogueService>) -> Self {
        Self { db, ids, file, catalogue, compiled: Mutex::new(HashMap::new()) }
    }

    /// Plans by id, in any order.
    pub async fn plans_by_ids(&self, scope: &Scope, ids: &[PlanId]) -> StoreResult<Vec<MaintenancePlan>> {
        store::plans_by_ids(self.db.reader(), scope, ids).await
    }

    /// Plans after a code, sorted by code.
    pub async fn plans_page(
        &self,
        scope: &Scope,
        after_code: Option<&str>,
        kinds: Option<&[MaintenanceKind]>,
        is_active: Option<bool>,
        limit: u64,
    ) -> StoreResult<Vec<MaintenancePlan>> {
        store::plans_page(self.db.reader(), scope, after_code, kinds, is_active, limit).await
    }

    /// Items by id, in any order.
    pub async fn items_by_ids(&self, scope: &Scope, ids: &[ItemId]) -> StoreResult<Vec<MaintenanceItem>> {
        store::items_by_ids(self.db.reader(), scope, ids).await
    }

    /// Items of subjects (device or site ids).
    pub async fn items_of(&self, scope: &Scope, subjects: &[Uuid]) -> StoreResult<Vec<MaintenanceItem>> {
        store::items_of(self.db.reader(), scope, subjects).await
    }

    /// Orders by id, in any order.
    pub async fn orders_by_ids(&self, scope: &Scope, ids: &[WorkOrderId]) -> StoreResult<Vec<WorkOrder>> {
        store::orders_by_ids(self.db.reader(), scope, ids).await
    }

    /// One order by its number.
    pub async fn order_by_number(&self, scope: &Scope, number: &str) -> StoreResult<Option<WorkOrder>> {
        store::order_by_number(self.db.reader(), scope, number).await
    }

    /// A page of orders after a key.
    #[allow(clippy::too_many_arguments)]
    pub async fn orders_page(
        &self,
        scope: &Scope,
        filter: &WorkOrderFilter,
        field: WorkOrderOrderField,
        is_descending: bool,
        after: Option<&OrderKey>,
        limit: u64,
        now: DateTime<Utc>,
    ) -> StoreResult<Vec<WorkOrder>> {
        store::orders_page(self.db.reader(), scope, filter, field, is_descending, after, limit, now).await
    }

    /// How many orders a list in this order has, counted up to `limit`.
    pub async fn count_orders(
        &self,
        scope: &Scope,
        filter: &WorkOrderFilter,
        field: WorkOrderOrderField,
        limit: u64,
        now: DateTime<Utc>,
    ) -> StoreResult<u64> {
        store::count_orders(self.db.reader(), scope, filter, field, limit, now).await
    }

    /// A page of upcoming maintenance after a key.
    #[allow(clippy::too_many_arguments)]
    pub async fn upcoming_page(
        &self,
        scope: &Scope,
        filter: &UpcomingFilter,
        from: Option<DateTime<Utc>>,
        before: DateTime<Utc>,
        after: Option<&UpcomingKey>,
        limit: u64,
        now: DateTime<Utc>,
    ) -> StoreResult<Vec<Upcoming>> {
        store::upcoming_page(self.db.reader(), scope, filter, from, before, after, limit, now).await
    }

    /// How many rows of upcoming maintenance match, counted up to `limit`.
    pub async fn count_upcoming(
        &self,
        scope: &Scope,
        filter: &UpcomingFilter,
        from: Option<DateTime<Utc>>,
        before: DateTime<Utc>,
        limit: u64,
        now: DateTime<Utc>,
    ) -> StoreResult<u64> {
        store::count_upcoming(self.db.reader(), scope, filter, from, before, limit, now).await
    }

    /// A plan with its triggers read.
    ///
    /// # Errors
    /// A stored plan that cannot be read; a fault of ours.
    pub fn compiled_plan(&self, plan: &MaintenancePlan) -> Result<Arc<CompiledPlan>, Error> {
        self.compiled(plan.clone())
    }

    /// The parsed form of a plan, from memory where it was parsed before.
    fn compiled(&self, plan: MaintenancePlan) -> Result<Arc<CompiledPlan>, Error> {
        let mut cache = match self.compiled.lock() {
            Ok(cache) => cache,
            // A panic elsewhere cannot leave a half-written entry: entries are inserted whole.
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some(known) = cache.get(&plan.revision_id)
            && known.plan.is_active == plan.is_active
        {
            return Ok(known.clone());
        }
        let triggers = super::rules::read_triggers(&plan.definition)?;
        let revision = plan.revision_id;
        let compiled = Arc::new(CompiledPlan { plan: Arc::new(plan), triggers });
        cache.insert(revision, compiled.clone());
        Ok(compiled)
    }
}
