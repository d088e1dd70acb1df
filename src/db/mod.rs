//! Connections, transactions, and the few places where SQLite and PostgreSQL differ.
//!
//! SQLite: one writer connection (`BEGIN IMMEDIATE`) and several readers, so that `import` and
//! `plan` run beside `serve`. PostgreSQL: one pool.

pub mod cells;
pub mod each;
pub mod error;
pub mod idempotency;
pub mod lease;
pub mod marks;
pub mod numbers;
pub mod outbox;
pub mod scoped;
pub mod search;
pub mod tx;

pub use error::{StoreError, StoreResult};
/// Anything statements can be sent to; rooms pass it through without naming the ORM.
pub use sea_orm::ConnectionTrait;

use crate::kernel::call::Call;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    AccessMode, ConnectOptions, Database, DatabaseBackend, DatabaseConnection, DatabaseTransaction, IsolationLevel,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tillkeep_migrations::{Migrator, MigratorTrait};
use tokio::sync::watch;
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
    /// Told of every change of this process that became lasting.
    commits: watch::Sender<()>,
}

/// A path and not a URL's words: what stands between `sqlite:` and the parameters.
fn sqlite_file(url: &str) -> &str {
    let place = url.trim_start_matches("sqlite:").trim_start_matches("//");
    place.split('?').next().unwrap_or(place)
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
    /// Opens a database that is there already.
    ///
    /// # Errors
    /// As [`Self::connect`]; also an SQLite file that does not exist.
    pub async fn open(url: &str) -> StoreResult<Self> {
        if url.starts_with("sqlite:") && !std::path::Path::new(sqlite_file(url)).exists() {
            return Err(StoreError::Unavailable(format!("there is no database file {}", sqlite_file(url))));
        }
        Self::connect(url).await
    }

    /// Opens `sqlite:…` or `postgres:…`.
    ///
    /// # Errors
    /// The database cannot be reached or opened.
    pub async fn connect(url: &str) -> StoreResult<Self> {
        let statements = Arc::new(AtomicU64::new(0));
        let commits = watch::Sender::new(());
        let (mut writer, mut reader);
        if url.starts_with("sqlite:") {
            writer = Database::connect(sqlite_options(url, 1)).await?;
            reader = Database::connect(sqlite_options(url, SQLITE_READERS)).await?;
        } else {
            let mut options = ConnectOptions::new(url.to_owned());
            options.max_connections(POSTGRES_CONNECTIONS).acquire_timeout(BUSY_TIMEOUT).sqlx_logging(false);
            writer = Database::connect(options).await?;
            let counter = statements.clone();
            writer.set_metric_callback(move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
            });
            return Ok(Self { reader: writer.clone(), writer, statements, commits });
        }
        for connection in [&mut writer, &mut reader] {
            let counter = statements.clone();
            connection.set_metric_callback(move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
            });
        }
        Ok(Self { writer, reader, statements, commits })
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
        Ok(Tx::new(self.transaction().await?, call.clone(), self.commits.clone()))
    }

    async fn transaction(&self) -> StoreResult<DatabaseTransaction> {
        let options = TransactionOptions {
            sqlite_transaction_mode: (!self.is_postgres()).then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.writer.begin_with_options(options).await?)
    }

    /// Begins a reading that sees one moment, whatever is written beside it; drop it when done.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn snapshot(&self) -> StoreResult<DatabaseTransaction> {
        let options = match self.is_postgres() {
            true => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            },
            false => TransactionOptions::default(),
        };
        Ok(self.reader.begin_with_options(options).await?)
    }

    /// Wakes whoever waits for a change of this process to become lasting; other processes are not
    /// heard.
    pub fn commits(&self) -> watch::Receiver<()> {
        self.commits.subscribe()
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// A migration failed; nothing of it stays.
    pub async fn migrate(&self) -> StoreResult<()> {
        // One transaction around all: on SQLite the migrator itself would begin none.
        let transaction = self.transaction().await?;
        Migrator::up(&transaction, None).await?;
        Ok(transaction.commit().await?)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::calendar::stamp;
    use chrono::{DateTime, SecondsFormat, Utc};
    use proptest::prelude::*;
    use sea_orm::Statement;

    const EARLIEST: i64 = 946_684_800_000_000;
    const LATEST: i64 = 4_102_444_800_000_000;

    /// As sqlx writes an instant to SQLite.
    fn text(at: DateTime<Utc>) -> String {
        at.to_rfc3339_opts(SecondsFormat::AutoSi, false)
    }

    /// All the years that are accepted, and a few seconds, so that neighbours meet; with every
    /// length of fraction.
    fn instants() -> impl Strategy<Value = DateTime<Utc>> {
        let micros = prop_oneof![EARLIEST..LATEST, EARLIEST..EARLIEST + 3_000_000];
        let step = prop_oneof![Just(1_i64), Just(1_000), Just(1_000_000)];
        (micros, step).prop_map(|(micros, step)| DateTime::from_timestamp_micros(micros / step * step).unwrap())
    }

    proptest! {
        #[test]
        fn text_order_is_time_order(a in instants(), b in instants()) {
            prop_assert_eq!(text(a).cmp(&text(b)), a.cmp(&b));
        }

        #[test]
        fn a_stamp_has_microseconds_and_is_its_own_stamp(at in instants(), nanos in 0_i64..1_000) {
            let fine = at + chrono::TimeDelta::nanoseconds(nanos);
            prop_assert_eq!(stamp(fine), at);
            prop_assert_eq!(stamp(stamp(fine)), at);
        }
    }

    async fn new_database() -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("tillkeep.db").display());
        let db = Db::connect(&url).await.unwrap();
        (folder, db)
    }

    fn sql(text: &str) -> Statement {
        Statement::from_string(DatabaseBackend::Sqlite, text)
    }

    #[tokio::test]
    async fn every_sqlite_connection_has_the_pragmas() {
        let (_folder, db) = new_database().await;
        // Held together, so that each is another connection.
        let mut held = vec![db.transaction().await.unwrap()];
        for _ in 0..SQLITE_READERS {
            held.push(db.reader().begin().await.unwrap());
        }
        let busy = i64::try_from(BUSY_TIMEOUT.as_millis()).unwrap();
        for connection in &held {
            let mode = connection.query_one_raw(sql("pragma journal_mode")).await.unwrap().unwrap();
            assert_eq!(mode.try_get_by_index::<String>(0).unwrap(), "wal");
            let full = 2;
            for (pragma, expected) in
                [("synchronous", full), ("foreign_keys", 1), ("recursive_triggers", 1), ("busy_timeout", busy)]
            {
                let row = connection.query_one_raw(sql(&format!("pragma {pragma}"))).await.unwrap().unwrap();
                assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), expected, "{pragma}");
            }
        }
    }

    #[tokio::test]
    async fn statements_of_readers_and_transactions_are_counted() {
        let (_folder, db) = new_database().await;
        let before = db.statement_count();
        db.reader().query_one_raw(sql("select 1")).await.unwrap();
        let transaction = db.transaction().await.unwrap();
        transaction.query_one_raw(sql("select 1")).await.unwrap();
        assert_eq!(db.statement_count() - before, 2);
    }
}
