//! Which node runs a job: a row taken by compare-and-set, free again when its time is over.

use super::Db;
use super::error::StoreResult;
use crate::entity::job_run;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel, Statement};

/// Takes or renews a lease until `until`; false when another holder has it.
///
/// # Errors
/// Storage.
pub async fn take(db: &Db, name: &str, holder: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> StoreResult<bool> {
    let connection = db.writer();
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "insert into lease (name, holder, until) values ($1, $2, $3)
         on conflict (name) do update set holder = excluded.holder, until = excluded.until
         where lease.holder = excluded.holder or lease.until < $4",
        [name.into(), holder.into(), until.into(), now.into()],
    );
    Ok(connection.execute_raw(statement).await?.rows_affected() > 0)
}

/// When a job last fired.
///
/// # Errors
/// Storage.
pub async fn last_fire(db: &Db, name: &str) -> StoreResult<Option<DateTime<Utc>>> {
    let row = job_run::Entity::find_by_id(name.to_owned()).one(db.reader()).await?;
    Ok(row.map(|r| r.last_fire))
}

/// Remembers when a job fired.
///
/// # Errors
/// Storage.
pub async fn set_last_fire(db: &Db, name: &str, at: DateTime<Utc>) -> StoreResult<()> {
    let row = job_run::Model { name: name.to_owned(), last_fire: at }.into_active_model();
    let conflict = OnConflict::column(job_run::Column::Name).update_column(job_run::Column::LastFire).to_owned();
    job_run::Entity::insert(row).on_conflict(conflict).exec_without_returning(db.writer()).await?;
    Ok(())
}
