//! Requests that are to be done once: unique (organization, actor, operation, key) with a hash of
//! the input. Refusals are not remembered.

use super::error::{StoreError, StoreResult};
use super::scoped;
use crate::entity::idempotency as table;
use crate::kernel::call::{Call, IdempotencyClaim};
use crate::kernel::code::{Code, Refusal};
use crate::kernel::scope::Scope;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseBackend, IntoActiveModel, QueryFilter, Statement};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a request cannot be done once.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    /// The key was used with other input.
    #[error("this idempotency key was used with other input; use a new key for a new request")]
    Mismatch,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal for IdempotencyError {
    fn code(&self) -> Option<Code> {
        match self {
            Self::Mismatch => Some(Code::IdempotencyMismatch),
            Self::Store(_) => None,
        }
    }

    fn field(&self) -> Vec<String> {
        vec!["input".to_owned(), "idempotencyKey".to_owned()]
    }

    fn message(&self) -> String {
        self.to_string()
    }
}

/// Days a key is kept (DESIGN §6).
pub const KEPT_DAYS: i64 = 90;

pub(super) async fn replay<T: DeserializeOwned>(
    db: &impl ConnectionTrait,
    call: &Call,
) -> Result<Option<T>, IdempotencyError> {
    let Some(claim) = &call.idempotency else { return Ok(None) };
    lock(db, call, claim).await?;
    let known = scoped::find::<table::Entity>(&call.scope)
        .filter(table::Column::Actor.eq(&call.actor))
        .filter(table::Column::Operation.eq(&claim.operation))
        .filter(table::Column::Key.eq(&claim.key))
        .one(db)
        .await
        .map_err(StoreError::from)?;
    let Some(known) = known else { return Ok(None) };
    if known.input_hash != claim.input_hash {
        return Err(IdempotencyError::Mismatch);
    }
    let outcome = serde_json::from_str(&known.outcome).map_err(|e| StoreError::Corrupt {
        table: "idempotency".into(),
        column: "outcome".into(),
        row: claim.key.clone(),
        detail: e.to_string(),
    })?;
    Ok(Some(outcome))
}

/// Makes the same request sent twice at once wait for its first half, on PostgreSQL; on SQLite the
/// one writer is the lock.
async fn lock(db: &impl ConnectionTrait, call: &Call, claim: &IdempotencyClaim) -> StoreResult<()> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        let name = [&call.actor, &claim.operation, &claim.key].map(|part| part.as_str()).join("\u{1f}");
        let name = format!("{}\u{1f}{name}", call.scope.organization.0);
        let sql = "select pg_advisory_xact_lock(hashtextextended($1, 0))";
        db.execute_raw(Statement::from_sql_and_values(DatabaseBackend::Postgres, sql, [name.into()])).await?;
    }
    Ok(())
}

pub(super) async fn remember<T: Serialize>(db: &impl ConnectionTrait, call: &Call, outcome: &T) -> StoreResult<()> {
    let Some(claim) = &call.idempotency else { return Ok(()) };
    let row = table::Model {
        organization_id: call.scope.organization.0,
        actor: call.actor.clone(),
        operation: claim.operation.clone(),
        key: claim.key.clone(),
        input_hash: claim.input_hash.clone(),
        outcome: serde_json::to_string(outcome).map_err(|e| StoreError::Other(Box::new(e)))?,
        created_at: call.now,
    };
    scoped::insert_chunked(db, vec![row.into_active_model()], None).await
}

/// Forgets keys older than `before`; says how many.
///
/// # Errors
/// Storage.
pub async fn forget(db: &impl ConnectionTrait, scope: &Scope, before: DateTime<Utc>) -> StoreResult<u64> {
    let done = scoped::delete_many::<table::Entity>(scope).filter(table::Column::CreatedAt.lt(before)).exec(db).await?;
    Ok(done.rows_affected)
}
