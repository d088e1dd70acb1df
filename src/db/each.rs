//! The first rows of a table for each of many keys, in one statement whose text does not grow with
//! them: a lateral join on PostgreSQL, a join on the rows' own places on SQLite.

use super::error::StoreResult;
use crate::kernel::scope::Scope;
use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::{ConnectionTrait, DatabaseBackend, FromQueryResult, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

/// Keys in one statement.
const CHUNK: usize = 5_000;

/// What a key is bounded by.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// A moment.
    At(DateTime<Utc>),
    /// A number.
    Number(i64),
}

/// One key: a device's text-named thing, and a bound.
#[derive(Clone, Debug)]
pub struct Key<'a> {
    /// What its row is answered with, as `slot`.
    pub slot: usize,
    /// `k.owner` in the condition.
    pub owner: Uuid,
    /// `k.name` in the condition.
    pub name: &'a str,
    /// `k.bound` in the condition; all keys of a question are bounded by the same kind.
    pub bound: Bound,
}

/// Which rows of a table are wanted for a key.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The table; it has an `organization_id`.
    pub table: &'a str,
    /// Its columns to answer, with commas.
    pub columns: &'a str,
    /// SQL on its columns and `k`.
    pub condition: &'a str,
    /// The order in which the first ones count.
    pub order: &'a str,
}

fn value(key: &Key<'_>, is_postgres: bool) -> Value {
    let bound = match key.bound {
        // As sqlx writes an instant to SQLite.
        Bound::At(at) if !is_postgres => json!(at.to_rfc3339_opts(SecondsFormat::AutoSi, false)),
        Bound::At(at) => json!(at),
        Bound::Number(n) => json!(n),
    };
    json!([key.slot, key.owner.simple().to_string(), key.name, bound])
}

/// The first wanted row of each key that has one, in any order.
///
/// # Errors
/// Storage.
pub async fn first_of_each<T: FromQueryResult>(
    db: &impl ConnectionTrait,
    scope: &Scope,
    keys: &[Key<'_>],
    wanted: Wanted<'_>,
) -> StoreResult<Vec<T>> {
    first_rows_of_each(db, scope, keys, wanted, 1).await
}

/// The first wanted rows of each key, `limit` at most, in any order.
///
/// # Errors
/// Storage.
pub async fn first_rows_of_each<T: FromQueryResult>(
    db: &impl ConnectionTrait,
    scope: &Scope,
    keys: &[Key<'_>],
    wanted: Wanted<'_>,
    limit: u32,
) -> StoreResult<Vec<T>> {
    let Wanted { table, columns, condition, order } = wanted;
    let backend = db.get_database_backend();
    let is_postgres = backend == DatabaseBackend::Postgres;
    let mut found = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(CHUNK) {
        let bound = match (chunk.first().map(|k| k.bound), is_postgres) {
            (Some(Bound::At(_)), true) => "::timestamptz",
            (Some(Bound::Number(_)), true) => "::bigint",
            _ => "",
        };
        let sql = if is_postgres {
            format!(
                "select k.slot, r.* from (
                     select (v->>0)::integer as slot, (v->>1)::uuid as owner, v->>2 as name, (v->>3){bound} as bound
                     from jsonb_array_elements($1::jsonb) as v
                 ) as k cross join lateral (
                     select {columns} from {table} where organization_id = $2 and {condition} order by {order} limit {limit}
                 ) as r"
            )
        } else {
            format!(
                "select k.slot, {columns} from (
                     select value->>0 as slot, unhex(value->>1) as owner, value->>2 as name, value->>3 as bound
                     from json_each($1)
                 ) as k join {table} on {table}.rowid in (
                     select rowid from {table} where organization_id = $2 and {condition} order by {order} limit {limit}
                 )"
            )
        };
        let asked = Value::Array(chunk.iter().map(|k| value(k, is_postgres)).collect()).to_string();
        let statement = Statement::from_sql_and_values(backend, sql, [asked.into(), scope.organization.0.into()]);
        found.extend(T::find_by_statement(statement).all(db).await?);
    }
    Ok(found)
}
