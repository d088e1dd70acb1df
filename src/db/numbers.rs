//! Numbers people see, such as `WO-2026-000123`: unique in an organization, reserved in blocks.

use super::error::StoreResult;
use super::tx::Tx;
use sea_orm::{ConnectionTrait, DbErr, Statement};

/// Reserves `count` numbers of a kind and year; gaps appear where a change is rolled back.
///
/// # Errors
/// Storage.
pub async fn reserve(tx: &Tx, kind: &str, year: i32, count: u32) -> StoreResult<Vec<i64>> {
    let count = i64::from(count);
    // One statement on both databases: the row is the lock.
    let statement = Statement::from_sql_and_values(
        tx.conn().get_database_backend(),
        "insert into number_block (organization_id, kind, year, next) values ($1, $2, $3, $4 + 1)
         on conflict (organization_id, kind, year) do update set next = number_block.next + $4
         returning next",
        [tx.scope().organization.0.into(), kind.into(), year.into(), count.into()],
    );
    let row = tx.conn().query_one_raw(statement).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("number_block".into()))?;
    let next: i64 = row.try_get("", "next")?;
    Ok((next - count..next).collect())
}
