//! What can go wrong in storage.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

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

impl StoreError {
    /// An error with what caused it, for the log.
    pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
        let mut chain = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            chain.push_str(": ");
            chain.push_str(&inner.to_string());
            source = inner.source();
        }
        chain
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(constraint)) = error.sql_err() {
            return Self::Conflict { constraint };
        }
        if is_unavailable(&error) {
            return Self::Unavailable(error.to_string());
        }
        Self::Other(Box::new(error))
    }
}

/// What a database answers when the same statement may work later.
const TRY_AGAIN: [&str; 11] = [
    // SQLite: busy, and busy in recovery, with an old snapshot, or over time.
    "5", "261", "517", "773",
    // PostgreSQL: serialization failure, deadlock, no free connection, no lock, shutting down.
    "40001", "40P01", "53300", "55P03", "57P01", "57P02", "57P03",
];

fn is_unavailable(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => match &**cause {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(answer) => {
                answer.code().is_some_and(|code| TRY_AGAIN.iter().any(|known| *known == code))
            }
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::{
        ConnectOptions, ConnectionTrait, Database, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    };
    use std::time::Duration;

    #[tokio::test]
    async fn a_locked_database_is_unavailable() {
        let folder = tempfile::tempdir().unwrap();
        let mut options =
            ConnectOptions::new(format!("sqlite://{}?mode=rwc", folder.path().join("tillkeep.db").display()));
        options.map_sqlx_sqlite_opts(|o| o.busy_timeout(Duration::ZERO));
        let first = Database::connect(options.clone()).await.unwrap();
        let second = Database::connect(options).await.unwrap();
        first.execute_unprepared("create table t (a integer)").await.unwrap();
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let _held = first.begin_with_options(immediate).await.unwrap();
        let error = second.execute_unprepared("insert into t values (1)").await.unwrap_err();
        assert!(matches!(StoreError::from(error), StoreError::Unavailable(_)));
    }
}
