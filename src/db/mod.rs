//! Connections, transactions, and the few places where SQLite and PostgreSQL differ.
//!
//! SQLite: one writer connection (`BEGIN IMMEDIATE`) and several readers, so that `import` and
//! `plan` run beside `serve`. PostgreSQL: one pool.

pub mod error;
pub mod idempotency;
pub mod lease;
pub mod numbers;
pub mod outbox;
pub mod scoped;
pub mod tx;

pub use error::{StoreError, StoreResult};
/// Anything statements can be sent to; rooms pass it through without naming the ORM.
pub use sea_orm::ConnectionTrait;

use crate::kernel::call::Call;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, Database, DatabaseBackend, DatabaseConnection, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tillkeep_migrations::{Migrator, MigratorTrait};
use tx::Tx;

/// Readers beside the one writer on SQLite.
const SQLITE_READERS: u32 = 4;
/// Connections of the PostgreSQL pool.
const POSTGRES_CONNECTIONS: u32 = 16;
/// How long a writer waits for another process's write on SQLite.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    statements: Arc<AtomicU64>,
}

fn sqlite_options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.to_owned());
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(BUSY_TIMEOUT)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|o| {
            o.create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // Every acknowledged write is durable (DESIGN §8).
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(BUSY_TIMEOUT)
                // Without it, REPLACE skips delete triggers.
                .pragma("recursive_triggers", "ON")
                .pragma("cache_size", "-65536")
                .pragma("temp_store", "MEMORY")
        });
    options
}

impl Db {
    /// Opens `sqlite:…` or `postgres:…`.
    ///
    /// # Errors
    /// The database cannot be reached or opened.
    pub async fn connect(url: &str) -> StoreResult<Self> {
        let statements = Arc::new(AtomicU64::new(0));
        let (mut writer, mut reader);
        if url.starts_with("sqlite:") {
            writer = Database::connect(sqlite_options(url, 1)).await?;
            reader = Database::connect(sqlite_options(url, SQLITE_READERS)).await?;
        } else {
            let mut options = ConnectOptions::new(url.to_owned());
            options
                .max_connections(POSTGRES_CONNECTIONS)
                .acquire_timeout(BUSY_TIMEOUT)
                .sqlx_logging(false);
            writer = Database::connect(options).await?;
            let counter = statements.clone();
            writer.set_metric_callback(move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
            });
            return Ok(Self { reader: writer.clone(), writer, statements });
        }
        for connection in [&mut writer, &mut reader] {
            let counter = statements.clone();
            connection.set_metric_callback(move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
            });
        }
        Ok(Self { writer, reader, statements })
    }

    /// For reading outside a transaction.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.writer.get_database_backend() == DatabaseBackend::Postgres
    }

    /// Begins a change; dropping it rolls everything back.
    ///
    /// # Errors
    /// The database cannot be reached, or another writer did not finish in time.
    pub async fn begin(&self, call: &Call) -> StoreResult<Tx> {
        let options = TransactionOptions {
            sqlite_transaction_mode: (!self.is_postgres()).then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.writer.begin_with_options(options).await?;
        Ok(Tx::new(transaction, call.clone()))
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// A migration failed; nothing of it stays.
    pub async fn migrate(&self) -> StoreResult<()> {
        Ok(Migrator::up(&self.writer, None).await?)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> StoreResult<()> {
        Ok(self.reader.ping().await?)
    }

    /// Statements sent since the start; for tests that prove a list's cost.
    pub fn statement_count(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// The connection that writes, for migrations and leases.
    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }
}
