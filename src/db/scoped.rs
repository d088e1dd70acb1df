//! The only way to a query: through a scope. Also bulk inserts, cut to the databases' limits.

use super::error::StoreResult;
use crate::entity::Scoped;
use crate::kernel::scope::Scope;
use sea_orm::sea_query::{Alias, Asterisk, Expr, ExprTrait, Func, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DeleteMany, EntityTrait, IntoActiveModel, Iterable,
    QueryFilter, QuerySelect, QueryTrait, Select, UpdateMany,
};
use std::collections::BTreeMap;

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

/// Begins with one of the codes, exactly: LIKE would read `%` and `_` in a code as wildcards, and
/// the databases disagree about its case. One term for each length, so that a long list does not
/// become a deep expression.
pub fn begins_with_any<C: ColumnTrait>(column: C, codes: &[String]) -> Condition {
    let mut by_length: BTreeMap<i32, Vec<&str>> = BTreeMap::new();
    for code in codes {
        by_length.entry(i32::try_from(code.chars().count()).unwrap_or(i32::MAX)).or_default().push(code);
    }
    by_length.into_iter().fold(Condition::any(), |any, (length, codes)| {
        let start = Func::cust("substr").args([Expr::col(column.as_column_ref()), Expr::val(1), Expr::val(length)]);
        any.add(Expr::from(start).is_in(codes))
    })
}

/// How many rows a query has, counted no further than `limit`.
///
/// # Errors
/// Storage.
pub async fn count_up_to<E: EntityTrait>(db: &impl ConnectionTrait, find: Select<E>, limit: u64) -> StoreResult<u64> {
    // The ORM's own count drops the limit and walks every row.
    let rows = find.select_only().expr_as(Expr::val(1), "one").limit(limit).into_query();
    let query = Query::select()
        .expr_as(Func::count(Expr::col(Asterisk)), Alias::new("rows"))
        .from_subquery(rows, Alias::new("counted"))
        .to_owned();
    let row = db.query_one(&query).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get("", "rows"))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Inserts rows in as few statements as the limits allow.
///
/// # Errors
/// A unique violation without `on_conflict`; storage.
pub async fn insert_chunked<A>(
    db: &impl ConnectionTrait,
    rows: Vec<A>,
    on_conflict: Option<OnConflict>,
) -> StoreResult<()>
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
