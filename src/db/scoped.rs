//! The only way to a query: through a scope. Also bulk inserts, cut to the databases' limits.

use super::error::StoreResult;
use crate::entity::Scoped;
use crate::kernel::scope::Scope;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DeleteMany, EntityTrait, IntoActiveModel, Iterable,
    QueryFilter, Select, UpdateMany,
};

/// Bound values in one statement: SQLite takes 32,766, PostgreSQL 65,535.
const MAX_BINDS: usize = 32_000;
/// Rows in one statement at most; larger ones win nothing.
const MAX_ROWS: usize = 2_000;

/// Rows of the scope's organization.
pub fn find<E: Scoped>(scope: &Scope) -> Select<E> {
    E::find().filter(E::organization_column().eq(scope.organization.0))
}

/// Changes rows of the scope's organization.
pub fn update_many<E: Scoped>(scope: &Scope) -> UpdateMany<E> {
    E::update_many().filter(E::organization_column().eq(scope.organization.0))
}

/// Removes rows of the scope's organization.
pub fn delete_many<E: Scoped>(scope: &Scope) -> DeleteMany<E> {
    E::delete_many().filter(E::organization_column().eq(scope.organization.0))
}

/// Inserts rows in as few statements as the limits allow.
///
/// # Errors
/// A unique violation without `on_conflict`; storage.
pub async fn insert_chunked<A>(db: &impl ConnectionTrait, rows: Vec<A>, on_conflict: Option<OnConflict>) -> StoreResult<()>
where
    A: ActiveModelTrait + Send,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    let columns = <A::Entity as EntityTrait>::Column::iter().count().max(1);
    let per_statement = (MAX_BINDS / columns).clamp(1, MAX_ROWS);
    let mut rows = rows.into_iter();
    loop {
        let chunk: Vec<A> = rows.by_ref().take(per_statement).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        let mut insert = A::Entity::insert_many(chunk);
        if let Some(on_conflict) = &on_conflict {
            insert = insert.on_conflict(on_conflict.clone());
        }
        insert.exec_without_returning(db).await?;
    }
}
