//! Requests that are to be done once: unique (organization, actor, operation, key) with a hash of
//! the input. Refusals are not remembered.

use super::error::{StoreError, StoreResult};
use super::scoped;
use super::tx::{IdempotencyError, Tx};
use crate::entity::idempotency as table;
use crate::kernel::scope::Scope;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Days a key is kept (DESIGN §6).
pub const KEPT_DAYS: i64 = 90;

pub(super) async fn replay<T: DeserializeOwned>(tx: &Tx) -> Result<Option<T>, IdempotencyError> {
    let Some(claim) = &tx.call.idempotency else { return Ok(None) };
    let known = scoped::find::<table::Entity>(tx.scope())
        .filter(table::Column::Actor.eq(&tx.call.actor))
        .filter(table::Column::Operation.eq(&claim.operation))
        .filter(table::Column::Key.eq(&claim.key))
        .one(tx.conn())
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

pub(super) async fn remember<T: Serialize>(tx: &Tx, outcome: &T) -> StoreResult<()> {
    let Some(claim) = &tx.call.idempotency else { return Ok(()) };
    let row = table::Model {
        organization_id: tx.scope().organization.0,
        actor: tx.call.actor.clone(),
        operation: claim.operation.clone(),
        key: claim.key.clone(),
        input_hash: claim.input_hash.clone(),
        outcome: serde_json::to_string(outcome).map_err(|e| StoreError::Other(Box::new(e)))?,
        created_at: tx.now(),
    };
    scoped::insert_chunked(tx.conn(), vec![row.into_active_model()], None).await
}

/// Forgets keys older than `before`; says how many.
///
/// # Errors
/// Storage.
pub async fn forget(db: &impl ConnectionTrait, scope: &Scope, before: DateTime<Utc>) -> StoreResult<u64> {
    let done = scoped::delete_many::<table::Entity>(scope)
        .filter(table::Column::CreatedAt.lt(before))
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}
