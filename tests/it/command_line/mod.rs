//! The program itself, as people start it.

mod forecast;

use crate::ingest::gzip;
use crate::support::builders::MAKER;
use crate::support::{TestApp, only, text};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use tempfile::TempDir;
use tillkeep::kernel::clock::{Clock, SystemClock};

/// How a command ended and what it said.
#[derive(Debug)]
struct Said {
    status: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    /// Waits for a command to end.
    fn by(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What a command said that did what it was told.
    fn done(self) -> String {
        assert_eq!(self.status, Some(0), "{self:?}");
        self.out.trim_end().to_owned()
    }

    /// What a command said that failed.
    fn failed(self) -> String {
        assert_eq!((self.status, self.out.as_str()), (Some(1), ""), "{self:?}");
        self.err
    }
}

/// A folder to start the program in, where no settings and no database of ours lie.
fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn tillkeep(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tillkeep"));
    command.current_dir(folder).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command in a folder of its own.
fn run(args: &[&str]) -> Said {
    let folder = folder();
    Said::by(tillkeep(folder.path(), args).spawn().unwrap())
}

/// Runs a command on a database.
fn run_on(database: &str, args: &[&str]) -> Said {
    run(&[args, &["--database", database]].concat())
}

/// A server of the program; it ends when this is dropped.
struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    _folder: TempDir,
}

impl Server {
    fn start(database: &str, args: &[&str]) -> Self {
        let folder = folder();
        let args = [args, &["--bind", "127.0.0.1:0", "--database", database, "--log", "warn"]].concat();
        let mut child = tillkeep(folder.path(), &args).stderr(Stdio::inherit()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out, _folder: folder }
    }

    /// Waits until it listens: its address, and what it said before.
    fn listening(&mut self) -> (String, Vec<String>) {
        let mut said = Vec::new();
        for line in (&mut self.out).lines() {
            let line = line.unwrap();
            if let Some(url) = line.strip_prefix("tillkeep listens on ") {
                return (url.to_owned(), said);
            }
            said.push(line);
        }
        panic!("it ended without listening: {said:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn now() -> DateTime<Utc> {
    SystemClock.now().trunc_subsecs(0)
}

/// A database of the test's own with our server beside it, at the program's time.
async fn database() -> TestApp {
    TestApp::start_at(&now().to_rfc3339()).await
}

async fn serials(app: &TestApp) -> Vec<String> {
    let query = "{ devices(first: 500, orderBy: { field: SERIAL_NUMBER, direction: ASC }) { nodes { serialNumber } } }";
    let data = app.gql(query, json!({})).await;
    data["devices"]["nodes"].as_array().into_iter().flatten().map(|d| text(&d["serialNumber"])).collect()
}

#[tokio::test]
async fn migrate_makes_the_tables_once() {
    let app = database().await;
    // On SQLite a file that is not there yet.
    let database = app.database_url.replace("tillkeep.db", "new.db");
    for _ in 0..2 {
        assert_eq!(run_on(&database, &["migrate"]).done(), "the tables are up to date");
    }
    let verified = run_on(&database, &["verify"]).done();
    assert_eq!(verified, "0 device files with 0 events are intact and agree with the tables");
}

#[tokio::test]
async fn seeding_again_adds_nothing_and_leaves_what_people_changed() {
    let app = database().await;
    let first = run_on(&app.database_url, &["seed"]).done();
    assert!(first.starts_with("the reference data is there; added "), "{first}");
    assert!(!first.contains(" 0 "), "{first}");
    let plans = "{ maintenancePlans(first: 500) { totalCount nodes { id code estimatedMinutes revision } } }";
    let data = app.gql(plans, json!({})).await;
    let plan = &data["maintenancePlans"]["nodes"][0];
    let change = json!({"planId": plan["id"], "estimatedMinutes": 99});
    app.mutate("updateMaintenancePlan", "maintenancePlan { revision }", change).await;
    let changed = app.gql(plans, json!({})).await;
    assert_ne!(changed, data);

    let second = run_on(&app.database_url, &["seed"]).done();
    assert_eq!(second, "the reference data is there; added 0 models and 0 plans");
    assert_eq!(app.gql(plans, json!({})).await, changed);
}

#[tokio::test]
async fn readings_are_imported_while_a_server_serves() {
    const ROWS: i32 = 3_000;
    let mut app = database().await;
    let mut server = Server::start(&app.database_url, &["serve"]);
    (app.url, _) = server.listening();
    let first = now() - TimeDelta::days(400);
    let device = app.fielded("CL1", &first.to_rfc3339()).await.device;
    let folder = folder();
    let mut csv = "serial_number,meter,value,read_at\n".to_owned();
    for n in 1..=ROWS {
        writeln!(csv, "CL1,TRANSACTIONS,{},{}", 10 * n, (first + TimeDelta::hours(3) * n).to_rfc3339()).unwrap();
    }
    fs::write(folder.path().join("readings.csv"), csv).unwrap();
    let args = ["import", "readings", "readings.csv", "--database", &app.database_url];

    let mut import = tillkeep(folder.path(), &args).spawn().unwrap();
    let mut served = 0;
    while import.try_wait().unwrap().is_none() {
        app.merchant(&format!("Merchant {served}")).await;
        assert_eq!(app.gql("{ viewer { actor } }", json!({})).await["viewer"]["actor"], "planner");
        served += 1;
    }
    assert_eq!(Said::by(import).done(), format!("{ROWS} rows: {ROWS} added, 0 unchanged, 0 refused"));
    assert!(served > 0);
    let query = "query($device: ID!) { device(id: $device) { meters { lifeCounter } } }";
    let data = app.gql(query, json!({"device": device})).await;
    assert_eq!(only(&data["device"]["meters"])["lifeCounter"], f64::from(10 * ROWS));

    let again = Said::by(tillkeep(folder.path(), &args).spawn().unwrap()).done();
    assert_eq!(again, format!("{ROWS} rows: 0 added, {ROWS} unchanged, 0 refused"));
}

#[tokio::test]
async fn an_import_that_breaks_off_keeps_what_came_before_and_the_whole_file_completes_it() {
    const ROWS: usize = 7_000;
    let app = database().await;
    let rows = (0..ROWS).map(|n| format!("M{n},Merchant {n}\n"));
    let csv: String = std::iter::once("merchant_number,name\n".to_owned()).chain(rows).collect();
    // A pipe is not read twice, so the cut is found on the way: at about nine rows of ten.
    let whole = gzip(csv.as_bytes());
    let folder = folder();
    let import = |file: &str| {
        tillkeep(folder.path(), &["import", "merchants", file, "--database", &app.database_url])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut cut_off = import("/dev/stdin");
    cut_off.stdin.take().unwrap().write_all(&whole[..whole.len() / 10 * 9]).unwrap();
    let said = Said::by(cut_off).failed();
    assert!(said.contains("/dev/stdin is a damaged or cut-off gzip file"), "{said}");
    let count = async || {
        let data = app.gql("{ merchants { totalCount } }", json!({})).await;
        data["merchants"]["totalCount"].as_u64().unwrap() as usize
    };
    let kept = count().await;
    assert!(kept > 0 && kept < ROWS, "{kept} of {ROWS} rows stay");

    fs::write(folder.path().join("whole.csv.gz"), &whole).unwrap();
    let done = Said::by(import("whole.csv.gz")).done();
    assert_eq!(done, format!("{ROWS} rows: {} added, {kept} unchanged, 0 refused", ROWS - kept));
    assert_eq!(count().await, ROWS);
}

#[tokio::test]
async fn refresh_forecasts_says_in_one_line_what_it_did() {
    let app = database().await;
    let till = app.fielded("HX1", &(now() - TimeDelta::days(9)).to_rfc3339()).await;
    app.read(&till.device, "TRANSACTIONS", 40.0, &(now() - TimeDelta::days(1)).to_rfc3339()).await;
    let refresh = || run_on(&app.database_url, &["refresh-forecasts"]).done();
    let first = "1 meters of devices looked at: 1 fits and 0 hour profiles written, 0 fits removed; 1 pools published, 1 devices marked";
    assert_eq!(refresh(), first);
    assert!(refresh().starts_with("0 meters of devices looked at: 0 fits "));
}

#[tokio::test]
async fn plan_prints_what_it_did_as_one_json_object() {
    let app = database().await;
    app.fielded("CL1", &(now() - TimeDelta::days(100)).to_rfc3339()).await;
    app.plan_usage_or_days("CLEAN", 5_000.0, "P90D").await;
    let plan = |args: &[&str]| -> Value {
        let said = run_on(&app.database_url, args).done();
        serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"))
    };
    let outcome = |items: u64, orders: u64, subjects: &Value| {
        json!({
            "subjects": subjects, "items_written": items, "orders_issued": orders,
            "orders_moved": 0, "orders_withdrawn": 0, "slots_missed": 0,
        })
    };
    let first = plan(&["plan", "--full", "--format", "json"]);
    assert_eq!(first, outcome(1, 1, &first["subjects"]), "the 90 days are over");
    assert!(first["subjects"].as_u64() >= Some(2), "device and site: {first}");
    let second = plan(&["plan", "--format", "json"]);
    assert_eq!(second, outcome(0, 0, &second["subjects"]));
}

#[tokio::test]
async fn a_list_is_exported_to_the_standard_output_or_a_file() {
    let app = database().await;
    app.fielded("CL1", &(now() - TimeDelta::days(100)).to_rfc3339()).await;
    app.plan_usage_or_days("CLEAN", 5_000.0, "P90D").await;
    run_on(&app.database_url, &["plan", "--full"]).done();
    let devices = run_on(&app.database_url, &["export", "devices"]).done();
    let lines: Vec<&str> = devices.lines().collect();
    assert_eq!(
        lines[0],
        "manufacturer,model,serial_number,hardware_revision,asset_tag,status,firmware_version,terminal_number,installed_at"
    );
    assert!(lines.len() == 2 && lines[1].contains(",CL1,"), "{devices}");

    let folder = folder();
    let args = ["export", "upcoming", "--language", "zh", "--out", "upcoming.csv", "--database", &app.database_url];
    assert_eq!(Said::by(tillkeep(folder.path(), &args).spawn().unwrap()).done(), "");
    let upcoming = fs::read_to_string(folder.path().join("upcoming.csv")).unwrap();
    assert!(upcoming.starts_with("due_at,due_on,") && upcoming.contains("清洁"), "{upcoming}");
    assert!(!folder.path().join("upcoming.csv.part").exists(), "it has become the file");
    assert_eq!(run_on(&app.database_url, &["export", "visits"]).done().lines().count(), 1, "no visits yet");
    assert_eq!(run(&["export", "upcoming", "--days", "0"]).status, Some(2));
    assert!(run(&["export", "devices", "--database", "sqlite://none.db"]).failed().contains("none.db"));
}

#[tokio::test]
async fn an_export_that_fails_leaves_the_file_as_it_was() {
    let app = database().await;
    app.fielded("CL1", &now().to_rfc3339()).await;
    let folder = folder();
    let file = folder.path().join("devices.csv");
    fs::write(&file, "of yesterday").unwrap();
    // What cannot be read to its end: a status nobody knows.
    app.db().reader().execute_unprepared("update device set status = 'BROKEN'").await.unwrap();
    let args = ["export", "devices", "--out", "devices.csv", "--database", &app.database_url];
    Said::by(tillkeep(folder.path(), &args).spawn().unwrap()).failed();
    assert_eq!(fs::read_to_string(&file).unwrap(), "of yesterday");
    assert!(!folder.path().join("devices.csv.part").exists());
}

#[tokio::test]
async fn verify_names_the_device_and_the_event_that_was_changed() {
    let app = database().await;
    let installed_at = now().to_rfc3339();
    for serial in ["CL1", "CL2"] {
        app.fielded(serial, &installed_at).await;
    }
    let verified = run_on(&app.database_url, &["verify"]).done();
    assert_eq!(verified, "2 device files with 4 events are intact and agree with the tables");

    let guard = if app.is_postgres() { "device_event_no_change on device_event" } else { "device_event_no_update" };
    for sql in [
        format!("drop trigger {guard}"),
        "update device_event set canonical = replace(canonical, 'CL2', 'CL9') where sequence = 1".to_owned(),
    ] {
        app.db().reader().execute_unprepared(&sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
    let said = run_on(&app.database_url, &["verify"]).failed();
    assert!(said.contains(&format!("{MAKER} CL2: event 1: its text does not match its hash")), "{said}");
    assert!(said.contains("1 of 2 device files: not what they should be"), "{said}");
    assert!(!said.contains("CL1"), "{said}");
}

#[tokio::test]
async fn the_demo_makes_a_fleet_once_and_the_same_one_for_the_same_seed() {
    let (mut app, mut other) = (database().await, database().await);
    let demo = ["demo", "--devices", "12", "--seed", "7"];
    let mut servers = [&app, &other].map(|app| Server::start(&app.database_url, &demo));
    for (app, server) in [&mut app, &mut other].into_iter().zip(&mut servers) {
        let (url, said) = server.listening();
        app.url = url;
        assert!(said.len() == 1 && said[0].starts_with("made a fleet of 12 devices with "), "{said:?}");
    }
    let fleet = serials(&app).await;
    assert_eq!(fleet.len(), 12);
    assert_eq!(serials(&other).await, fleet);
    let data = app.gql("{ workOrders { totalCount } serviceVisits { totalCount } }", json!({})).await;
    assert!(["workOrders", "serviceVisits"].iter().all(|list| data[list]["totalCount"].as_u64() > Some(0)), "{data:#}");

    drop(servers);
    let mut server = Server::start(&app.database_url, &demo);
    let (url, said) = server.listening();
    app.url = url;
    assert_eq!(said, ["the fleet of 12 devices is there already; it was planned up to now"]);
    assert_eq!(serials(&app).await, fleet);
}

#[test]
fn wrong_use_ends_with_status_2() {
    let said = run(&["frobnicate"]);
    assert_eq!((said.status, said.out.as_str()), (Some(2), ""), "{said:?}");
    assert!(said.err.contains("frobnicate"), "{}", said.err);
}

#[test]
fn settings_are_shown_without_passwords_and_a_wrong_key_is_named() {
    let shown = run_on("postgres://keeper:secret@db/fleet", &["config"]).done();
    assert!(shown.contains("database = \"postgres://keeper:***@db/fleet\""), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");

    let folder = folder();
    fs::write(folder.path().join("tillkeep.toml"), "[planner]\ncorn = \"* * * * *\"\n").unwrap();
    let said = Said::by(tillkeep(folder.path(), &["config"]).spawn().unwrap()).failed();
    assert!(said.contains("planner.corn in tillkeep.toml is not a setting"), "{said}");
}

#[test]
fn the_schema_that_is_printed_is_the_one_in_the_file() {
    let file = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap();
    assert_eq!(run(&["schema"]).done(), file.trim_end());
}
