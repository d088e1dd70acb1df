//! Marks: what the planner is to look at.

use super::file_store;
use crate::db::StoreResult;
use crate::db::tx::Tx;
use crate::kernel::subject::SubjectKind;
use uuid::Uuid;

/// Marks subjects; `stamp` is fresh, so that a mark made again counts anew.
///
/// # Errors
/// Storage.
pub async fn mark(tx: &Tx, subjects: &[(SubjectKind, Uuid)], stamp: Uuid) -> StoreResult<()> {
    let mut subjects = subjects.to_vec();
    subjects.sort_unstable();
    subjects.dedup();
    file_store::mark(tx.conn(), tx.scope(), &subjects, stamp).await
}

/// Takes back marks (subject, stamp) that were not made again since.
///
/// # Errors
/// Storage.
pub async fn clear(tx: &Tx, seen: &[(Uuid, Uuid)]) -> StoreResult<()> {
    file_store::clear(tx.conn(), tx.scope(), seen).await
}
