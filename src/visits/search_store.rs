//! Service visits by what people type.

use crate::db::StoreResult;
use crate::db::search::beginning_with;
use crate::entity::service_visit;
use crate::kernel::scope::Scope;
use crate::kernel::search::{Rank, SearchText};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

/// Visits by the beginning of their number.
pub async fn visits_by_number(
    db: &impl ConnectionTrait,
    scope: &Scope,
    text: &SearchText,
) -> StoreResult<Vec<(Uuid, Rank, String)>> {
    use service_visit::Column as C;
    beginning_with::<service_visit::Entity>(db, scope, C::Id, C::Number, text).await
}
