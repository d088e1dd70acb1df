//! Work orders by what people type.

use crate::db::StoreResult;
use crate::db::search::beginning_with;
use crate::entity::work_order;
use crate::kernel::scope::Scope;
use crate::kernel::search::{Rank, SearchText};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

/// Orders by the beginning of their number.
pub async fn orders_by_number(
    db: &impl ConnectionTrait,
    scope: &Scope,
    text: &SearchText,
) -> StoreResult<Vec<(Uuid, Rank, String)>> {
    use work_order::Column as C;
    beginning_with::<work_order::Entity>(db, scope, C::Id, C::Number, text).await
}
