//! One change: the rows, their device-file events, the outbox and the idempotency record, all or
//! nothing.

use super::error::StoreResult;
use super::idempotency;
pub use super::idempotency::IdempotencyError;
use super::marks::{self, Pending};

use crate::kernel::call::Call;
use crate::kernel::scope::Scope;
use crate::kernel::subject::SubjectKind;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use uuid::Uuid;

/// A change in progress; dropped without commit it leaves nothing.
#[derive(Debug)]
pub struct Tx {
    transaction: DatabaseTransaction,
    pending: Mutex<Pending>,
    commits: watch::Sender<()>,
    /// The request it serves.
    pub call: Call,
}

impl Tx {
    pub(super) fn new(transaction: DatabaseTransaction, call: Call, commits: watch::Sender<()>) -> Self {
        Self { transaction, pending: Mutex::default(), commits, call }
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

    /// Marks subjects for the planner, from the moment the change commits; `stamp` is fresh, so
    /// that a mark made again counts anew.
    pub fn mark(&self, subjects: impl IntoIterator<Item = (SubjectKind, Uuid)>, stamp: Uuid) {
        let mut pending = self.pending();
        pending.subjects.extend(subjects);
        pending.stamp = Some(stamp);
    }

    /// Marks every device and site for the planner, as [`Self::mark`] does: for a fact that any of
    /// them may depend on and that no room could list the subjects of.
    pub fn mark_everything(&self, stamp: Uuid) {
        let mut pending = self.pending();
        pending.is_everything = true;
        pending.stamp = Some(stamp);
    }

    /// Takes marks of this change back: these subjects have been looked at in it.
    pub fn unmark(&self, subjects: impl IntoIterator<Item = (SubjectKind, Uuid)>) {
        let mut pending = self.pending();
        for subject in subjects {
            pending.subjects.remove(&subject);
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        // A panic elsewhere cannot leave it half-written.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outcome of the same request done before, if it was.
    ///
    /// # Errors
    /// The key was used with other input; storage.
    pub async fn replay<T: DeserializeOwned>(&self) -> Result<Option<T>, IdempotencyError> {
        idempotency::replay(&self.transaction, &self.call).await
    }

    /// Remembers the outcome under the request's key, if it has one, and commits.
    ///
    /// # Errors
    /// Storage; nothing stays.
    pub async fn finish<T: Serialize>(self, outcome: &T) -> StoreResult<()> {
        idempotency::remember(&self.transaction, &self.call, outcome).await?;
        self.commit().await
    }

    /// Makes the change lasting.
    ///
    /// # Errors
    /// Storage; nothing stays.
    pub async fn commit(self) -> StoreResult<()> {
        let pending = std::mem::take(&mut *self.pending());
        marks::write(&self.transaction, &self.call.scope, pending).await?;
        self.transaction.commit().await?;
        self.commits.send_replace(());
        Ok(())
    }
}
