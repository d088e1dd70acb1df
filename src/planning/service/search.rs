//! Finding work orders by what people type.

use super::PlanningService;
use crate::db::StoreResult;
use crate::kernel::scope::Scope;
use crate::kernel::search::{Hits, MatchedField, SearchText, SearchType};
use crate::planning::search_store;

impl PlanningService {
    /// Orders whose number begins with a text, where they are asked for; at most 200, the best.
    ///
    /// # Errors
    /// Storage.
    pub async fn search(&self, scope: &Scope, text: &SearchText, types: &[SearchType]) -> StoreResult<Hits> {
        let mut hits = Hits::default();
        if types.contains(&SearchType::WorkOrder) {
            let rows = search_store::orders_by_number(self.db.reader(), scope, text).await?;
            hits.add(SearchType::WorkOrder, MatchedField::Number, rows);
        }
        Ok(hits)
    }
}
