//! Anything by its global id.

use super::catalogue::types::DeviceModel;
use super::connection::row_cost;
use super::context::Cx;
use super::errors::bad_input;
use super::firmware::types::FirmwareRelease;
use super::loaders::Batch;
use super::planning::types::{MaintenanceItem, MaintenancePlan, UpcomingMaintenance, UpcomingRow, WorkOrder};
use super::prefetch::{self, Ahead, fetch};
use super::registry::types::{Device, Merchant, Position, Site, Technician};
use super::visits::types::ServiceVisit;
use crate::catalogue::model as catalogue;
use crate::db::StoreError;
use crate::firmware::model as firmware;
use crate::kernel::ids::*;
use crate::planning::model as planning;
use crate::registry::model as registry;
use crate::visits::model as visits_room;
use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, Interface, Object, Result};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use uuid::Uuid;

/// Anything that can be found again by its global id.
#[derive(Interface, Clone)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque global id."))]
pub enum Node {
    /// One terminal.
    Device(Device),
    /// Who the terminals serve.
    Merchant(Merchant),
    /// A place where devices are visited together.
    Site(Site),
    /// A named place a device fills at a site.
    Position(Position),
    /// Manufacturer, model and hardware revision.
    DeviceModel(DeviceModel),
    /// A person who visits sites.
    Technician(Technician),
    /// A version of a firmware for some models.
    FirmwareRelease(FirmwareRelease),
    /// What is done to which subjects and when.
    MaintenancePlan(MaintenancePlan),
    /// One subject × one plan.
    MaintenanceItem(MaintenanceItem),
    /// An authorised job.
    WorkOrder(WorkOrder),
    /// One trip to one site.
    ServiceVisit(ServiceVisit),
    /// One row of upcoming maintenance.
    UpcomingMaintenance(UpcomingMaintenance),
}

/// The kind of id of a row of upcoming maintenance; its UUID is its order's, else its item's.
pub const UPCOMING: &str = "UpcomingMaintenance";

/// Ids one request may name.
const MAX_IDS: usize = 500;

/// What an id costs.
fn ids_cost(ids: &[ID], child: usize) -> usize {
    row_cost(ids.len(), child)
}

/// Anything by id.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Anything by its id; null when there is no such thing in your organization.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Opaque global id.")] id: ID) -> Result<Option<Node>> {
        Ok(find(ctx, &[id]).await?.pop().flatten())
    }

    /// Several things by their ids, in the order asked; null where there is no such thing in your
    /// organization.
    #[graphql(complexity = "ids_cost(&ids, child_complexity)")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque global ids, at most 500.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MAX_IDS {
            return Err(bad_input(format!("{} ids are too many; give at most {MAX_IDS}", ids.len())));
        }
        find(ctx, &ids).await
    }
}

/// Rows of one kind among the ids, by UUID.
async fn rows<K, T>(
    cx: &Cx,
    wanted: &[(String, Uuid)],
    kind: &str,
    key: impl Fn(&T) -> Uuid,
) -> Result<HashMap<Uuid, Arc<T>>>
where
    K: From<Uuid> + Send + Sync + Hash + Eq + Clone + 'static,
    T: Send + Sync + 'static,
    Batch: Loader<K, Value = Arc<T>, Error = Arc<StoreError>>,
{
    let keys: Vec<K> = wanted.iter().filter(|(k, _)| k == kind).map(|(_, id)| K::from(*id)).collect();
    Ok(fetch(cx, keys).await?.into_iter().map(|row| (key(&*row), row)).collect())
}

async fn find(ctx: &Context<'_>, ids: &[ID]) -> Result<Vec<Option<Node>>> {
    let mut wanted = Vec::with_capacity(ids.len());
    for id in ids {
        wanted.push(split_global(id.as_str()).map_err(|e| bad_input(e.to_string()))?);
    }
    find_all(Cx::of(ctx), &wanted, &Ahead::here(ctx)).await
}

/// Things by kind of id and UUID, in the order asked, with what is asked for below them; none where
/// there is no such thing.
pub(super) async fn find_all(cx: &Cx, wanted: &[(String, Uuid)], ahead: &Ahead<'_>) -> Result<Vec<Option<Node>>> {
    let devices = rows::<DeviceId, registry::Device>(cx, wanted, DeviceId::KIND, |r| r.id.0).await?;
    let merchants = rows::<MerchantId, registry::Merchant>(cx, wanted, MerchantId::KIND, |r| r.id.0).await?;
    let sites = rows::<SiteId, registry::Site>(cx, wanted, SiteId::KIND, |r| r.id.0).await?;
    let positions = rows::<PositionId, registry::Position>(cx, wanted, PositionId::KIND, |r| r.id.0).await?;
    let models = rows::<DeviceModelId, catalogue::DeviceModel>(cx, wanted, DeviceModelId::KIND, |r| r.id.0).await?;
    let technicians = rows::<TechnicianId, registry::Technician>(cx, wanted, TechnicianId::KIND, |r| r.id.0).await?;
    let releases =
        rows::<FirmwareReleaseId, firmware::FirmwareRelease>(cx, wanted, FirmwareReleaseId::KIND, |r| r.id.0).await?;
    let plans = rows::<PlanId, planning::MaintenancePlan>(cx, wanted, PlanId::KIND, |r| r.id.0).await?;
    let items = rows::<ItemId, planning::MaintenanceItem>(cx, wanted, ItemId::KIND, |r| r.id.0).await?;
    let orders = rows::<WorkOrderId, planning::WorkOrder>(cx, wanted, WorkOrderId::KIND, |r| r.id.0).await?;
    let visits = rows::<VisitId, visits_room::ServiceVisit>(cx, wanted, VisitId::KIND, |r| r.id.0).await?;
    let upcoming_orders = rows::<WorkOrderId, planning::WorkOrder>(cx, wanted, UPCOMING, |r| r.id.0).await?;
    let upcoming_items = rows::<ItemId, planning::MaintenanceItem>(cx, wanted, UPCOMING, |r| r.id.0).await?;
    // An item whose order was issued meanwhile is shown by that order.
    let issued: Vec<WorkOrderId> = upcoming_items.values().filter_map(|item| item.open_order_id).collect();
    let issued: HashMap<WorkOrderId, Arc<planning::WorkOrder>> =
        fetch(cx, issued).await?.into_iter().map(|order| (order.id, order)).collect();
    let upcoming = |id: &Uuid| {
        let item = upcoming_items.get(id);
        let order = upcoming_orders.get(id).or_else(|| issued.get(&item?.open_order_id?));
        match (order, item) {
            (Some(order), _) if order.state.is_open() => Some(UpcomingRow::Order(order.clone())),
            (None, Some(item)) if item.is_alive && item.due.as_ref().is_some_and(|d| d.due_at.is_some()) => {
                Some(UpcomingRow::Item(item.clone()))
            }
            _ => None,
        }
    };
    let found = wanted
        .iter()
        .map(|(kind, id)| match kind.as_str() {
            DeviceId::KIND => devices.get(id).cloned().map(|r| Node::Device(r.into())),
            MerchantId::KIND => merchants.get(id).cloned().map(|r| Node::Merchant(r.into())),
            SiteId::KIND => sites.get(id).cloned().map(|r| Node::Site(r.into())),
            PositionId::KIND => positions.get(id).cloned().map(|r| Node::Position(r.into())),
            DeviceModelId::KIND => models.get(id).cloned().map(|r| Node::DeviceModel(r.into())),
            TechnicianId::KIND => technicians.get(id).cloned().map(|r| Node::Technician(r.into())),
            FirmwareReleaseId::KIND => releases.get(id).cloned().map(|r| Node::FirmwareRelease(r.into())),
            PlanId::KIND => plans.get(id).cloned().map(|r| Node::MaintenancePlan(r.into())),
            ItemId::KIND => items.get(id).cloned().map(|r| Node::MaintenanceItem(r.into())),
            WorkOrderId::KIND => orders.get(id).cloned().map(|r| Node::WorkOrder(r.into())),
            VisitId::KIND => visits.get(id).cloned().map(|r| Node::ServiceVisit(r.into())),
            UPCOMING => upcoming(id).map(|r| Node::UpcomingMaintenance(UpcomingMaintenance(r))),
            _ => None,
        })
        .collect();
    let upcoming: Vec<UpcomingRow> =
        wanted.iter().filter(|(kind, _)| kind == UPCOMING).filter_map(|(_, id)| upcoming(id)).collect();
    let (devices, sites, positions): (Vec<_>, Vec<_>, Vec<_>) =
        (devices.into_values().collect(), sites.into_values().collect(), positions.into_values().collect());
    let (items, orders, visits): (Vec<_>, Vec<_>, Vec<_>) =
        (items.into_values().collect(), orders.into_values().collect(), visits.into_values().collect());
    let releases: Vec<_> = releases.into_values().collect();
    prefetch::devices(cx, &devices, ahead).await?;
    prefetch::sites(cx, &sites, ahead).await?;
    prefetch::positions(cx, &positions, ahead).await?;
    prefetch::items(cx, &items, ahead).await?;
    prefetch::orders(cx, &orders, ahead).await?;
    prefetch::visits(cx, &visits, ahead).await?;
    prefetch::upcoming(cx, &upcoming, ahead).await?;
    prefetch::releases(cx, &releases, ahead).await?;
    Ok(found)
}
