//! What happened to maintenance, for those who follow it.

use super::PlanningService;
use crate::db::StoreResult;
use crate::kernel::ids::{ItemId, WorkOrderId};
use crate::kernel::scope::Scope;
use crate::planning::changes::{Change, Told};
use crate::planning::model::{MaintenanceItem, WorkOrder};
use crate::planning::store;
use std::collections::{BTreeSet, HashMap};

impl PlanningService {
    /// What these changes are about, as it is now; in their order. Two statements, however many
    /// changes there are (per thousand).
    ///
    /// # Errors
    /// Storage.
    pub async fn changes(&self, scope: &Scope, told: &[Told]) -> StoreResult<Vec<Change>> {
        let db = self.db.reader();
        let ids: BTreeSet<WorkOrderId> = told.iter().filter_map(|t| t.order_id).collect();
        let ids: Vec<WorkOrderId> = ids.into_iter().collect();
        let orders: HashMap<WorkOrderId, WorkOrder> =
            store::orders_by_ids(db, scope, &ids).await?.into_iter().map(|o| (o.id, o)).collect();
        let item_of = |t: &Told| t.item_id.or_else(|| orders.get(&t.order_id?)?.item_id);
        let ids: BTreeSet<ItemId> = told.iter().filter_map(item_of).collect();
        let ids: Vec<ItemId> = ids.into_iter().collect();
        let items: HashMap<ItemId, MaintenanceItem> =
            store::items_by_ids(db, scope, &ids).await?.into_iter().map(|i| (i.id, i)).collect();
        Ok(told
            .iter()
            .map(|t| Change {
                kind: t.kind,
                at: t.at,
                order: t.order_id.and_then(|id| orders.get(&id).cloned()),
                item: item_of(t).and_then(|id| items.get(&id).cloned()),
            })
            .collect())
    }
}
