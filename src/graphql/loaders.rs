//! One loader for a request: lists feed it ahead, leaves read from it.

use super::services::Services;
use crate::catalogue::model::{DeviceModel, FailureLists, FreezePeriod, Meter};
use crate::db::StoreError;
use crate::firmware::model::{FirmwareFacts, FirmwareRelease};
use crate::kernel::ids::*;
use crate::kernel::scope::Scope;
use crate::planning::model::{MaintenanceItem, MaintenancePlan, WorkOrder};
use crate::registry::file_store::FilePage;
use crate::registry::model::{Component, Device, ExternalId, Merchant, Position, Site, SoftwareItem, Technician};
use crate::registry::service::Occupant;
use crate::usage::forecast::Trend;
use crate::usage::hours::HourProfile;
use crate::usage::model::{MeterState, UsagePattern};
use crate::visits::model::{Failure, ServiceVisit, VisitLine};
use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};
use chrono::NaiveDate;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use uuid::Uuid;

/// Fetches rows by id, many at a time.
pub struct Batch {
    /// Every service.
    pub services: Services,
    /// Whose data.
    pub scope: Scope,
}

/// What storage says when a batch fails; every row that waited for it gets a copy.
pub type BatchError = Arc<StoreError>;

macro_rules! row_loader {
    ($key:ty, $value:ty, $service:ident . $method:ident) => {
        impl Loader<$key> for Batch {
            type Value = Arc<$value>;
            type Error = BatchError;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, Self::Error> {
                let rows = self.services.$service.$method(&self.scope, keys).await.map_err(Arc::new)?;
                Ok(rows.into_iter().map(|r| (r.id, Arc::new(r))).collect())
            }
        }
    };
}

row_loader!(DeviceId, Device, registry.devices_by_ids);
row_loader!(SiteId, Site, registry.sites_by_ids);
row_loader!(MerchantId, Merchant, registry.merchants_by_ids);
row_loader!(PositionId, Position, registry.positions_by_ids);
row_loader!(TechnicianId, Technician, registry.technicians_by_ids);
row_loader!(DeviceModelId, DeviceModel, catalogue.models_by_ids);
row_loader!(FirmwareReleaseId, FirmwareRelease, firmware.releases_by_ids);
row_loader!(PlanId, MaintenancePlan, planning.plans_by_ids);
row_loader!(ItemId, MaintenanceItem, planning.items_by_ids);
row_loader!(WorkOrderId, WorkOrder, planning.orders_by_ids);
row_loader!(VisitId, ServiceVisit, visits.visits_by_ids);

/// Lists that belong to a row. Every owner asked for gets its list, an empty one too, so that
/// nothing is fetched twice.
macro_rules! list_loader {
    ($(#[$doc:meta])* $key:ident($owner:ty) => $value:ty, $service:ident . $method:ident, |$row:ident| $of:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $key(pub $owner);

        impl Loader<$key> for Batch {
            type Value = Arc<Vec<Arc<$value>>>;
            type Error = BatchError;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, Self::Error> {
                let owners: Vec<$owner> = keys.iter().map(|k| k.0).collect();
                let rows = self.services.$service.$method(&self.scope, &owners).await.map_err(Arc::new)?;
                let mut lists: HashMap<$key, Vec<Arc<$value>>> = keys.iter().map(|k| (*k, Vec::new())).collect();
                for $row in rows {
                    let owner = $key($of);
                    lists.entry(owner).or_default().push(Arc::new($row));
                }
                Ok(lists.into_iter().map(|(k, v)| (k, Arc::new(v))).collect())
            }
        }
    };
}

list_loader! {
    /// Software of a device.
    SoftwareOf(DeviceId) => SoftwareItem, registry.software_of, |row| row.device_id
}
list_loader! {
    /// Parts of a device.
    ComponentsOf(DeviceId) => Component, registry.components_of, |row| row.device_id
}
list_loader! {
    /// Meters of a device, as last read.
    MetersOf(DeviceId) => MeterState, usage.meters_of, |row| row.device_id
}
list_loader! {
    /// Items of a device or a site.
    ItemsOf(Uuid) => MaintenanceItem, planning.items_of, |row| row.subject.id
}
list_loader! {
    /// Positions at a site.
    PositionsOf(SiteId) => Position, registry.positions_of_sites, |row| row.site_id
}
list_loader! {
    /// Devices standing at a site, in the order they were registered.
    DevicesOf(SiteId) => Device, registry.devices_at_sites, |row| match row.site_id {
        Some(site) => site,
        None => continue,
    }
}
list_loader! {
    /// The line of occupants of a position, newest first.
    OccupantsOf(PositionId) => Occupant, registry.occupants, |row| row.binding.position_id
}
list_loader! {
    /// Lines of a visit, in order.
    LinesOf(VisitId) => VisitLine, visits.lines_of, |row| row.visit_id
}

list_loader! {
    /// Failures of a device, newest first.
    FailuresOf(DeviceId) => Failure, visits.failures_of_devices, |row| row.device_id
}

/// External ids of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExternalIdsOf(pub DeviceId);

impl Loader<ExternalIdsOf> for Batch {
    type Value = Arc<Vec<ExternalId>>;
    type Error = BatchError;

    async fn load(&self, keys: &[ExternalIdsOf]) -> Result<HashMap<ExternalIdsOf, Self::Value>, Self::Error> {
        let owners: Vec<DeviceId> = keys.iter().map(|k| k.0).collect();
        let mut lists = self.services.registry.external_ids_of(&self.scope, &owners).await.map_err(Arc::new)?;
        Ok(keys.iter().map(|k| (*k, Arc::new(lists.remove(&k.0).unwrap_or_default()))).collect())
    }
}

/// What a device is to run, and how it gets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FirmwareOf(pub DeviceId);

impl Loader<FirmwareOf> for Batch {
    type Value = Arc<FirmwareFacts>;
    type Error = BatchError;

    async fn load(&self, keys: &[FirmwareOf]) -> Result<HashMap<FirmwareOf, Self::Value>, Self::Error> {
        let devices: Vec<DeviceId> = keys.iter().map(|k| k.0).collect();
        let found = self.services.firmware.standing(&self.scope, &devices).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(device, facts)| (FirmwareOf(device), Arc::new(facts))).collect())
    }
}

/// How one meter of a device is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PatternOf {
    /// The device.
    pub device: DeviceId,
    /// Meter code.
    pub meter: String,
}

impl Loader<PatternOf> for Batch {
    type Value = Option<Arc<UsagePattern>>;
    type Error = BatchError;

    async fn load(&self, keys: &[PatternOf]) -> Result<HashMap<PatternOf, Self::Value>, Self::Error> {
        let wanted: Vec<(DeviceId, String)> = keys.iter().map(|k| (k.device, k.meter.clone())).collect();
        let found = self.services.usage.patterns(&self.scope, &wanted).await.map_err(Arc::new)?;
        Ok(keys.iter().cloned().zip(found.into_iter().map(|p| p.map(Arc::new))).collect())
    }
}

/// How busy a device is in each hour of its week, by one meter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HoursOf {
    /// The device.
    pub device: DeviceId,
    /// Meter code.
    pub meter: String,
}

impl Loader<HoursOf> for Batch {
    type Value = Option<Arc<HourProfile>>;
    type Error = BatchError;

    async fn load(&self, keys: &[HoursOf]) -> Result<HashMap<HoursOf, Self::Value>, Self::Error> {
        let wanted: Vec<(DeviceId, String)> = keys.iter().map(|k| (k.device, k.meter.clone())).collect();
        let now = self.services.clock.now();
        let found = self.services.usage.hour_profiles(&self.scope, &wanted, now).await.map_err(Arc::new)?;
        Ok(keys.iter().cloned().zip(found.into_iter().map(|p| p.map(Arc::new))).collect())
    }
}

/// How a gauge moves, the civil day at its site and the share of it that has passed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TrendOf {
    /// The device.
    pub device: DeviceId,
    /// Meter code.
    pub meter: String,
}

impl Loader<TrendOf> for Batch {
    type Value = Option<(Trend, NaiveDate, f64)>;
    type Error = BatchError;

    async fn load(&self, keys: &[TrendOf]) -> Result<HashMap<TrendOf, Self::Value>, Self::Error> {
        let wanted: Vec<(DeviceId, String)> = keys.iter().map(|k| (k.device, k.meter.clone())).collect();
        let now = self.services.clock.now();
        let found = self.services.usage.trends(&self.scope, &wanted, now).await.map_err(Arc::new)?;
        Ok(keys.iter().cloned().zip(found).collect())
    }
}

/// The latest visits to a device, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VisitsOf {
    /// The device.
    pub device: DeviceId,
    /// How many at most.
    pub limit: u32,
}

impl Loader<VisitsOf> for Batch {
    type Value = Arc<Vec<Arc<ServiceVisit>>>;
    type Error = BatchError;

    async fn load(&self, keys: &[VisitsOf]) -> Result<HashMap<VisitsOf, Self::Value>, Self::Error> {
        let mut by_limit: HashMap<u32, Vec<DeviceId>> = HashMap::new();
        for key in keys {
            by_limit.entry(key.limit).or_default().push(key.device);
        }
        let mut lists: HashMap<VisitsOf, Vec<Arc<ServiceVisit>>> = keys.iter().map(|k| (*k, Vec::new())).collect();
        for (limit, devices) in by_limit {
            let rows = self
                .services
                .visits
                .visits_of_devices(&self.scope, &devices, limit as usize)
                .await
                .map_err(Arc::new)?;
            for (device, visit) in rows {
                lists.entry(VisitsOf { device, limit }).or_default().push(Arc::new(visit));
            }
        }
        Ok(lists.into_iter().map(|(k, v)| (k, Arc::new(v))).collect())
    }
}

/// The first page of a device file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HistoryOf {
    /// The device.
    pub device: DeviceId,
    /// Events on it at most.
    pub first: u32,
}

impl Loader<HistoryOf> for Batch {
    type Value = Arc<FilePage>;
    type Error = BatchError;

    async fn load(&self, keys: &[HistoryOf]) -> Result<HashMap<HistoryOf, Self::Value>, Self::Error> {
        let mut by_first: HashMap<u32, Vec<DeviceId>> = HashMap::new();
        for key in keys {
            by_first.entry(key.first).or_default().push(key.device);
        }
        let mut pages = HashMap::new();
        for (first, devices) in by_first {
            let mut found = self.services.registry.first_pages(&self.scope, &devices, first).await.map_err(Arc::new)?;
            pages.extend(devices.into_iter().map(|device| {
                let page = found.remove(&device).unwrap_or_default();
                (HistoryOf { device, first }, Arc::new(page))
            }));
        }
        Ok(pages)
    }
}

/// Every meter of the organization; there are few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllMeters;

impl Loader<AllMeters> for Batch {
    type Value = Arc<Vec<Meter>>;
    type Error = BatchError;

    async fn load(&self, _keys: &[AllMeters]) -> Result<HashMap<AllMeters, Self::Value>, Self::Error> {
        let meters = self.services.catalogue.meters(&self.scope).await.map_err(Arc::new)?;
        Ok(HashMap::from([(AllMeters, Arc::new(meters))]))
    }
}

/// The closed lists of failures; they are short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllFailures;

impl Loader<AllFailures> for Batch {
    type Value = Arc<FailureLists>;
    type Error = BatchError;

    async fn load(&self, _keys: &[AllFailures]) -> Result<HashMap<AllFailures, Self::Value>, Self::Error> {
        let lists = self.services.catalogue.failure_lists(&self.scope).await.map_err(Arc::new)?;
        Ok(HashMap::from([(AllFailures, Arc::new(lists))]))
    }
}

/// A freeze period by its code.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FreezeOf(pub String);

impl Loader<FreezeOf> for Batch {
    type Value = Arc<FreezePeriod>;
    type Error = BatchError;

    async fn load(&self, keys: &[FreezeOf]) -> Result<HashMap<FreezeOf, Self::Value>, Self::Error> {
        let periods = self.services.catalogue.freeze_periods(&self.scope).await.map_err(Arc::new)?;
        let found = periods.into_iter().map(|p| (FreezeOf(p.code.clone()), Arc::new(p)));
        Ok(found.filter(|(key, _)| keys.contains(key)).collect())
    }
}

macro_rules! clear_all {
    ($($key:ty),* $(,)?) => {
        /// Forgets every row; called before a change.
        pub fn clear(loader: &DataLoader<Batch, HashMapCache>) {
            $(loader.clear::<$key>();)*
        }
    };
}

clear_all!(
    DeviceId,
    SiteId,
    MerchantId,
    PositionId,
    TechnicianId,
    DeviceModelId,
    FirmwareReleaseId,
    PlanId,
    ItemId,
    WorkOrderId,
    VisitId,
    SoftwareOf,
    ComponentsOf,
    MetersOf,
    ItemsOf,
    PositionsOf,
    DevicesOf,
    OccupantsOf,
    LinesOf,
    FailuresOf,
    ExternalIdsOf,
    FirmwareOf,
    PatternOf,
    HoursOf,
    TrendOf,
    VisitsOf,
    HistoryOf,
    AllMeters,
    AllFailures,
    FreezeOf,
);

/// Declares a type that shows a room's row.
macro_rules! shows {
    ($(#[$doc:meta])* $name:ident($row:ty)) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(pub std::sync::Arc<$row>);

        impl From<std::sync::Arc<$row>> for $name {
            fn from(row: std::sync::Arc<$row>) -> Self {
                Self(row)
            }
        }

        impl From<$row> for $name {
            fn from(row: $row) -> Self {
                Self(std::sync::Arc::new(row))
            }
        }
    };
}
pub(crate) use shows;
