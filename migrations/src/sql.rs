//! Runs SQL text with the backend's type names put in.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend};

/// Runs statements in order; `{uuid}`, `{ts}`, `{date}`, `{blob}` become the backend's types.
///
/// SQLite keeps instants as text: RFC 3339 in UTC, as sqlx writes them, sorts as time.
pub async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    let names: [(&str, &str); 5] = match manager.get_database_backend() {
        DatabaseBackend::Sqlite => [
            ("{uuid}", "blob"),
            ("{ts}", "text"),
            ("{date}", "text"),
            ("{blob}", "blob"),
            ("{default_organization}", "x'00000000000070008000000000000001'"),
        ],
        _ => [
            ("{uuid}", "uuid"),
            ("{ts}", "timestamptz"),
            ("{date}", "date"),
            ("{blob}", "bytea"),
            ("{default_organization}", "'00000000-0000-7000-8000-000000000001'"),
        ],
    };
    for statement in statements {
        let sql = names.iter().fold((*statement).to_owned(), |sql, (from, to)| sql.replace(from, to));
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}
