//! What can go wrong in storage.

use sea_orm::{DbErr, SqlErr};

/// A storage failure; never shown to callers as it is.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique constraint was violated; stores turn it into a named refusal.
    #[error("conflict on {constraint}")]
    Conflict {
        /// The database's words for the constraint.
        constraint: String,
    },
    /// The database cannot be reached; trying again may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A row cannot be read as what it should be.
    #[error("corrupt {table}.{column} in row {row}: {detail}")]
    Corrupt {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The row's id.
        row: String,
        /// What is wrong.
        detail: String,
    },
    /// Anything else.
    #[error("storage failed")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A result of storage.
pub type StoreResult<T> = Result<T, StoreError>;

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(constraint)) = error.sql_err() {
            return Self::Conflict { constraint };
        }
        match error {
            DbErr::ConnectionAcquire(e) => Self::Unavailable(e.to_string()),
            DbErr::Conn(e) => Self::Unavailable(e.to_string()),
            other => Self::Other(Box::new(other)),
        }
    }
}
