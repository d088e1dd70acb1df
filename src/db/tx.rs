//! One change: the rows, their device-file events, the outbox and the idempotency record, all or
//! nothing.

use super::error::{StoreError, StoreResult};
use super::idempotency;
use crate::kernel::call::Call;
use crate::kernel::scope::Scope;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A change in progress; dropped without commit it leaves nothing.
#[derive(Debug)]
pub struct Tx {
    transaction: DatabaseTransaction,
    /// The request it serves.
    pub call: Call,
}

/// Why a request cannot be done once.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    /// The key was used with other input.
    #[error("the idempotency key was used with other input")]
    Mismatch,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Tx {
    pub(super) fn new(transaction: DatabaseTransaction, call: Call) -> Self {
        Self { transaction, call }
    }

    /// Where to send statements.
    pub fn conn(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    /// Whose rows.
    pub fn scope(&self) -> &Scope {
        &self.call.scope
    }

    /// When the request came in.
    pub fn now(&self) -> DateTime<Utc> {
        self.call.now
    }

    /// The outcome of the same request done before, if it was.
    ///
    /// # Errors
    /// The key was used with other input; storage.
    pub async fn replay<T: DeserializeOwned>(&self) -> Result<Option<T>, IdempotencyError> {
        idempotency::replay(self).await
    }

    /// Remembers the outcome under the request's key, if it has one, and commits.
    ///
    /// # Errors
    /// Storage; nothing stays.
    pub async fn finish<T: Serialize>(self, outcome: &T) -> StoreResult<()> {
        idempotency::remember(&self, outcome).await?;
        self.commit().await
    }

    /// Makes the change lasting.
    ///
    /// # Errors
    /// Storage; nothing stays.
    pub async fn commit(self) -> StoreResult<()> {
        Ok(self.transaction.commit().await?)
    }
}
