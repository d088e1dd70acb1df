//! What this node owes the outside, written with the change itself.

use super::error::{StoreError, StoreResult};
use super::scoped;
use super::tx::Tx;
use crate::entity::outbox as table;
use crate::kernel::scope::Scope;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

/// A message to be delivered.
#[derive(Clone, Debug)]
pub struct Message {
    /// Identity; consumers drop repeats by it.
    pub id: Uuid,
    /// What it is about, for example `device_file`.
    pub topic: &'static str,
    /// The object it is about.
    pub subject_id: Uuid,
    /// The facts.
    pub payload: serde_json::Value,
}

/// Owes messages to the outside from the moment the change commits.
///
/// # Errors
/// Storage.
pub async fn enqueue(tx: &Tx, messages: Vec<Message>) -> StoreResult<()> {
    let mut rows = Vec::with_capacity(messages.len());
    for message in messages {
        rows.push(
            table::Model {
                id: message.id,
                organization_id: tx.scope().organization.0,
                topic: message.topic.to_owned(),
                subject_id: message.subject_id,
                payload: serde_json::to_string(&message.payload).map_err(|e| StoreError::Other(Box::new(e)))?,
                created_at: tx.now(),
            }
            .into_active_model(),
        );
    }
    scoped::insert_chunked(tx.conn(), rows, None).await
}

/// Drops messages older than `before`, which nobody came for; says how many.
///
/// # Errors
/// Storage.
pub async fn forget(db: &impl ConnectionTrait, scope: &Scope, before: DateTime<Utc>) -> StoreResult<u64> {
    let done = scoped::delete_many::<table::Entity>(scope).filter(table::Column::CreatedAt.lt(before)).exec(db).await?;
    Ok(done.rows_affected)
}
