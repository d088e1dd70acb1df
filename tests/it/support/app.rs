//! A server of the test's own: free port, own database, a clock that stands still, seeded ids.

use super::at;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Database};
use std::future::pending;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use tempfile::TempDir;
use tillkeep::app::{App, Services, http};
use tillkeep::db::Db;
use tillkeep::kernel::call::Call;
use tillkeep::kernel::clock::{Clock, ManualClock};
use tillkeep::kernel::ids::Ids;
use tillkeep::seeding::demo::DemoOptions;
use tillkeep::seeding::{self, Rooms};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

/// A running server; it ends, and its database goes, when this is dropped.
pub struct TestApp {
    /// What the server runs on.
    pub app: Arc<App>,
    /// The server's clock: it moves only when told to.
    pub clock: Arc<ManualClock>,
    /// Where the server listens, without a slash at the end.
    pub url: String,
    /// For requests that the helpers do not make.
    pub http: reqwest::Client,
    /// The database as `tillkeep --database` takes it.
    pub database_url: String,
    /// The model that builders use.
    pub(super) model: OnceCell<String>,
    server: JoinHandle<io::Result<()>>,
    _database: TestDatabase,
}

impl TestApp {
    /// Starts a server at 16:00 on a Monday in Shanghai.
    pub async fn start() -> Self {
        Self::start_at("2026-05-04T08:00:00Z").await
    }

    /// Starts a server at a moment.
    pub async fn start_at(now: &str) -> Self {
        // What the server logs is shown with a test that fails; the first test of a process sets it up.
        let _ = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_test_writer().try_init();
        let database = TestDatabase::create().await;
        let database_url = database.url();
        let db = Db::connect(&database_url).await.unwrap_or_else(|e| panic!("{database_url} cannot be opened: {e}"));
        db.migrate().await.unwrap_or_else(|e| panic!("{database_url} cannot be migrated: {e}"));
        let clock = Arc::new(ManualClock::new(at(now)));
        let app = App::new(db, clock.clone(), Arc::new(Ids::seeded(1)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("the server's address"));
        let server = tokio::spawn(http::serve(app.clone(), listener, pending()));
        let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        Self { app, clock, url, http, database_url, model: OnceCell::new(), server, _database: database }
    }

    /// Every service, for what the API does not offer.
    pub fn services(&self) -> &Services {
        &self.app.services
    }

    /// The database, to count statements and to tamper with rows.
    pub fn db(&self) -> &Db {
        self.app.db()
    }

    /// Whether this run is on PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.db().is_postgres()
    }

    /// Puts the clock to a moment.
    pub fn set_clock(&self, now: &str) {
        self.clock.set(at(now));
    }

    /// Adds the reference data: meters, models, plans, holidays.
    pub async fn seed(&self) {
        let call = |at| self.app.call_at("seed", at);
        let rooms = self.rooms(&call);
        let seeded = seeding::reference::run(rooms, &call(rooms.now)).await;
        seeded.unwrap_or_else(|e| panic!("the reference data is refused: {e}"));
    }

    /// Makes the demo fleet with so many devices, up to the clock's moment.
    pub async fn demo(&self, devices: usize) {
        let call = |at| self.app.call_at("demo", at);
        let options = DemoOptions { devices, seed: 1, progress: false };
        let made = seeding::demo::run(self.rooms(&call), options).await;
        made.unwrap_or_else(|e| panic!("the demo cannot be made: {e}"));
    }

    /// What seeding works with.
    fn rooms<'a>(&'a self, call: &'a (dyn Fn(DateTime<Utc>) -> Call + Send + Sync)) -> Rooms<'a> {
        let app = &self.app;
        Rooms {
            db: app.db(),
            catalogue: &app.catalogue,
            registry: &app.registry,
            usage: &app.usage,
            firmware: &app.firmware,
            planning: &app.planning,
            visits: &app.visits,
            now: self.clock.now(),
            call,
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A database of one test.
enum TestDatabase {
    Sqlite(TempDir),
    Postgres { server: String, name: String },
}

impl TestDatabase {
    async fn create() -> Self {
        let Some(server) = server() else {
            return Self::Sqlite(tempfile::tempdir().expect("a scratch folder"));
        };
        // Tests run side by side, as threads or as processes: only chance keeps their names apart.
        let name = format!("tillkeep_it_{:016x}", RandomState::new().hash_one(std::process::id()));
        tell(&server, &format!("create database {name}")).await;
        Self::Postgres { server, name }
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}?mode=rwc", folder.path().join("tillkeep.db").display()),
            Self::Postgres { server, name } => url_of(server, name),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Self::Postgres { server, name } = self else { return };
        let (server, name) = (server.clone(), name.clone());
        // A drop cannot wait for the test's own runtime.
        let dropping = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(tell(&server, &format!("drop database {name} with (force)")));
        });
        // A database that stays goes with its server after the run.
        let _ = dropping.join();
    }
}

#[allow(clippy::disallowed_methods, reason = "the run says through the environment where its server is")]
fn server() -> Option<String> {
    std::env::var("TILLKEEP_TEST_POSTGRES").ok()
}

/// Sends one statement to a server.
async fn tell(server: &str, sql: &str) {
    let connection = Database::connect(server).await.unwrap_or_else(|e| panic!("{server} cannot be reached: {e}"));
    connection.execute_unprepared(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
}

/// A server's URL with another database.
fn url_of(server: &str, database: &str) -> String {
    let (address, options) = server.split_once('?').unwrap_or((server, ""));
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..].find('/').map_or(address.len(), |at| host + at);
    let mark = if options.is_empty() { "" } else { "?" };
    format!("{}/{database}{mark}{options}", &address[..end])
}
