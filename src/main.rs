//! The command line: reads settings, builds the [`App`], makes one call and says what came of it.
//!
//! Exit status: 0 done, 1 failed with the reason on stderr, 2 wrong use (clap's own).

use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::fs::File;
use std::future::pending;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tillkeep::app::{App, http};
use tillkeep::config::{Config, LogFormat};
use tillkeep::db::Db;
use tillkeep::jobs::Schedules;
use tillkeep::kernel::call::Call;
use tillkeep::kernel::clock::SystemClock;
use tillkeep::kernel::ids::Ids;
use tillkeep::kernel::scope::Scope;
use tillkeep::kernel::text::Language;
use tillkeep::registry::model::DeviceFilter;
use tillkeep::reports::export::{DEFAULT_DAYS, Export, List, MAX_DAYS};
use tillkeep::seeding::demo::{DemoOptions, Outcome};
use tillkeep::{graphql, ingest, seeding};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

/// How long requests and a running job may take to end once the server is asked to stop.
const DRAIN: Duration = Duration::from_secs(30);
/// Device files walked between two looks at the database.
const VERIFY_PAGE: u64 = 200;

/// What ends a command with status 1.
type Failure = Box<dyn Error + Send + Sync>;

/// Keeps tills running: device files, usage forecasts and maintenance planning for card-terminal
/// fleets.
#[derive(Parser)]
#[command(name = "tillkeep", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Settings file, instead of tillkeep.toml where it is there
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// sqlite://FILE?mode=rwc or postgres://USER:PASSWORD@HOST/NAME
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// What is logged to stderr, for example warn or info,tillkeep=debug
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and run the planner by its schedule
    Serve {
        /// Address and port to listen on
        #[arg(long, value_name = "ADDR")]
        bind: Option<String>,
    },
    /// Make a demo fleet, plan it and serve it
    Demo {
        /// Devices in the fleet
        #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=200_000))]
        devices: u32,
        /// The same seed makes the same fleet
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        /// Address and port to listen on
        #[arg(long, value_name = "ADDR")]
        bind: Option<String>,
    },
    /// Bring the database's tables up to date
    Migrate,
    /// Add the reference data that is not there yet: meters, models, plans, holidays
    Seed,
    /// Take in a CSV file, plain or gzip; what was taken in before is left as it is
    Import {
        /// What the rows are
        #[arg(value_enum)]
        what: What,
        /// The file
        file: PathBuf,
    },
    /// Write a list as CSV, to the standard output or to a file
    Export {
        /// Which list
        #[arg(value_enum)]
        what: Listed,
        /// The file; the standard output unless given
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// For upcoming work: how many days ahead
        #[arg(long, value_name = "N", default_value_t = DEFAULT_DAYS, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_DAYS)))]
        days: u32,
        /// The language of names and reasons
        #[arg(long, value_enum, default_value_t = Tongue::En)]
        language: Tongue,
    },
    /// Run the planner once
    Plan {
        /// Look at everything, not only at what changed or whose time has come
        #[arg(long)]
        full: bool,
        /// How the outcome is printed
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Answer when each series of a file reaches so many more units; needs no database
    Forecast {
        /// Daily usage as CSV, plain or gzip: series, date, value, missing
        file: PathBuf,
        /// What is asked, as CSV: series, cut, units
        #[arg(long, value_name = "FILE")]
        questions: PathBuf,
        /// Where the answers go, as CSV: series, cut, units, p10_date, p50_date, p90_date, method
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Hold forecasts of files of daily usage against what happened; needs no database
    Backtest {
        /// Daily usage as CSV, plain or gzip, each file a fleet: series, date, value, missing
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The same seed asks the same
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        /// How the outcome is printed
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Choose anew what forecasts rest on, as the server does every night
    RefreshForecasts,
    /// Walk every device file and compare it with the tables
    Verify,
    /// Print the GraphQL schema
    Schema,
    /// Print the settings in force, passwords masked
    Config,
}

/// What a file's rows are.
#[derive(Clone, Copy, ValueEnum)]
enum What {
    Merchants,
    Sites,
    Devices,
    Readings,
}

/// Which list is written.
#[derive(Clone, Copy, ValueEnum)]
enum Listed {
    Upcoming,
    Devices,
    Visits,
}

/// A language people read.
#[derive(Clone, Copy, ValueEnum)]
enum Tongue {
    En,
    Zh,
}

/// How an outcome is printed.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Cli {
    /// What was typed, by setting.
    fn flags(&self) -> Vec<(&'static str, String)> {
        let bind = match &self.command {
            Command::Serve { bind } | Command::Demo { bind, .. } => bind.clone(),
            _ => None,
        };
        [("database", self.database.clone()), ("log", self.log.clone()), ("bind", bind)]
            .into_iter()
            .filter_map(|(key, value)| value.map(|v| (key, v)))
            .collect()
    }

    /// The command's own defaults, by setting.
    fn defaults(&self) -> Vec<(&'static str, String)> {
        let of = |key, value: &str| vec![(key, value.to_owned())];
        match &self.command {
            // A demo never lands in the database that real work uses by default.
            Command::Demo { .. } => of("database", "sqlite://tillkeep-demo.db?mode=rwc"),
            Command::Serve { .. } | Command::Config => vec![],
            _ => of("log", "warn"),
        }
    }
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut reason = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                // Some errors repeat their cause in their own text.
                let cause_text = cause.to_string();
                if !reason.contains(&cause_text) {
                    reason.push_str(": ");
                    reason.push_str(&cause_text);
                }
                source = cause.source();
            }
            let _ = writeln!(io::stderr(), "tillkeep: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    if matches!(cli.command, Command::Schema) {
        return say(graphql::schema::sdl().trim_end());
    }
    let config = Config::load(cli.config.as_deref(), &cli.defaults(), &cli.flags())?;
    if matches!(cli.command, Command::Config) {
        return say(config.render().trim_end());
    }
    log_to_stderr(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(work(cli.command, &config));
    // What outlived the drain is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

async fn work(command: Command, config: &Config) -> Result<(), Failure> {
    match command {
        Command::Serve { .. } => {
            let listener = listen(config).await?;
            let app = open(config, Ids::new()).await?;
            app.db().migrate().await?;
            serve(app, config, listener).await
        }
        Command::Demo { devices, seed, .. } => {
            // First, so that a taken port is said at once and not after the fleet is made.
            let listener = listen(config).await?;
            let app = open(config, Ids::seeded(seed)).await?;
            app.db().migrate().await?;
            let options = DemoOptions { devices: devices as usize, seed, progress: io::stderr().is_terminal() };
            let call = |at| app.call_at("demo", at);
            match seeding::demo::run(rooms(&app, &call), options).await? {
                Outcome::Made(told) => say(&format!(
                    "made a fleet of {} devices with {} readings and {} visits in fourteen months",
                    told.devices, told.readings, told.visits
                ))?,
                Outcome::Found { devices, is_as_asked } => {
                    say(&format!("the fleet of {devices} devices is there already; it was planned up to now"))?;
                    if !is_as_asked {
                        let _ = writeln!(
                            io::stderr(),
                            "--devices and --seed make a new fleet only; for another one delete its database or name another with --database"
                        );
                    }
                }
            }
            serve(app, config, listener).await
        }
        Command::Migrate => {
            let db = Db::connect(&config.database).await?;
            db.migrate().await?;
            say("the tables are up to date")
        }
        Command::Seed => {
            let app = open(config, Ids::new()).await?;
            app.db().migrate().await?;
            let call = |at| app.call_at("seed", at);
            let rooms = rooms(&app, &call);
            let added = seeding::reference::run(rooms, &call(rooms.now)).await?;
            say(&format!("the reference data is there; added {} models and {} plans", added.models, added.plans))
        }
        Command::Import { what, file } => {
            let app = open(config, Ids::new()).await?;
            app.db().migrate().await?;
            import(&app, what, &file).await
        }
        Command::Export { what, out, days, language } => {
            let app = App::new(Db::open(&config.database).await?, Arc::new(SystemClock), Arc::new(Ids::new()));
            let list = match what {
                Listed::Upcoming => List::Upcoming,
                Listed::Devices => List::Devices,
                Listed::Visits => List::Visits,
            };
            let language = match language {
                Tongue::En => Language::En,
                Tongue::Zh => Language::Zh,
            };
            export(&app, Export { list, days, language, now: app.clock.now() }, out.as_deref()).await
        }
        Command::Plan { full, format } => {
            let app = open(config, Ids::new()).await?;
            app.db().migrate().await?;
            plan(&app, full, format).await
        }
        Command::RefreshForecasts => {
            let app = open(config, Ids::new()).await?;
            app.db().migrate().await?;
            refresh_forecasts(&app).await
        }
        Command::Verify => {
            let db = Db::open(&config.database).await?;
            verify(App::new(db, Arc::new(SystemClock), Arc::new(Ids::new())).as_ref()).await
        }
        Command::Forecast { file, questions, out } => {
            let count = ingest::series::forecast_file(&file, &questions, &out)?;
            say(&format!("{count} answers are in {}", out.display()))
        }
        Command::Backtest { files, seed, format } => {
            let reports = ingest::series::backtest_files(&files, seed)?;
            match format {
                Format::Text => say(&ingest::series::table(&reports)),
                Format::Json => {
                    let by_name: std::collections::BTreeMap<_, _> = reports.into_iter().collect();
                    say(&serde_json::to_string_pretty(&by_name)?)
                }
            }
        }
        // Answered without a database.
        Command::Schema | Command::Config => Ok(()),
    }
}

/// What seeding works with.
fn rooms<'a>(app: &'a App, call: &'a (dyn Fn(DateTime<Utc>) -> Call + Send + Sync)) -> seeding::Rooms<'a> {
    seeding::Rooms {
        db: app.db(),
        catalogue: &app.catalogue,
        registry: &app.registry,
        usage: &app.usage,
        firmware: &app.firmware,
        planning: &app.planning,
        visits: &app.visits,
        now: app.clock.now(),
        call,
    }
}

async fn open(config: &Config, ids: Ids) -> Result<Arc<App>, Failure> {
    let db = Db::connect(&config.database).await?;
    Ok(App::new(db, Arc::new(SystemClock), Arc::new(ids)))
}

async fn listen(config: &Config) -> Result<TcpListener, Failure> {
    TcpListener::bind(&config.bind).await.map_err(|e| format!("cannot listen on {}: {e}", config.bind).into())
}

/// Serves until asked to stop, then lets requests and a running job end.
async fn serve(app: Arc<App>, config: &Config, listener: TcpListener) -> Result<(), Failure> {
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let schedules = Schedules { planner: &config.planner_cron, forecasts: &config.forecasts_cron };
    let jobs = tokio::spawn(app.jobs(schedules)?.run(stopped.clone()));
    let mut told = stopped;
    let mut server = tokio::spawn(async move {
        let shutdown = async move {
            // An error means that nobody can tell us any more, which is an end as well.
            let _ = told.changed().await;
        };
        http::serve(app, listener, shutdown).await
    });
    say(&format!("tillkeep listens on http://{address}"))?;
    tokio::select! {
        ended = &mut server => return Ok(ended??),
        () = asked_to_stop() => tracing::info!("asked to stop; requests may end"),
    }
    stop.send_replace(true);
    let drained = tokio::time::timeout(DRAIN, async {
        let served = server.await;
        let _ = jobs.await;
        served
    });
    match drained.await {
        Ok(served) => Ok(served??),
        Err(_) => {
            Err(format!("requests or a job took longer than {} s to end; they were cut off", DRAIN.as_secs()).into())
        }
    }
}

/// Ends at Ctrl-C, or when the system asks the process to end.
async fn asked_to_stop() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

/// Takes a file in; refused rows go to stderr, a line each. A file none of whose rows is any good
/// has failed.
async fn import(app: &App, what: What, file: &Path) -> Result<(), Failure> {
    let kind = match what {
        What::Merchants => ingest::Kind::Merchants,
        What::Sites => ingest::Kind::Sites,
        What::Devices => ingest::Kind::Devices,
        What::Readings => ingest::Kind::Readings,
    };
    let call = || app.system_call("command line");
    let rooms = ingest::Rooms { catalogue: &app.catalogue, registry: &app.registry, usage: &app.usage, call: &call };
    let report = ingest::run(rooms, kind, file, io::stderr().is_terminal()).await?;
    let told = report.to_string();
    let (summary, refused) = told.split_once('\n').unwrap_or((&told, ""));
    if !refused.is_empty() {
        let _ = writeln!(io::stderr(), "{refused}");
    }
    if report.refused_count > 0 && report.added + report.unchanged == 0 {
        return Err(format!("nothing was taken in; {summary}").into());
    }
    say(summary)
}

/// Writes a list page by page.
async fn export(app: &App, export: Export, out: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = out else { return export_pages(app, &export, &mut io::stdout()).await };
    let named = |path: &Path, e: &io::Error| format!("cannot write {}: {e}", path.display());
    // A pipe or a device is written to as it is.
    if std::fs::metadata(path).is_ok_and(|known| !known.is_file()) {
        let mut file = std::fs::OpenOptions::new().write(true).open(path).map_err(|e| named(path, &e))?;
        return export_pages(app, &export, &mut file).await;
    }
    // Beside the file, which stays whole until the new one is.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut part = path.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut file = File::create(&part).map_err(|e| named(&part, &e))?;
    let written: Result<(), Failure> = match export_pages(app, &export, &mut file).await {
        Ok(()) => file.sync_all().and_then(|()| std::fs::rename(&part, &path)).map_err(|e| named(&path, &e).into()),
        Err(failure) => Err(failure),
    };
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// Writes the pages of a list.
async fn export_pages(app: &App, export: &Export, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    let mut key = None;
    loop {
        let page = app.reports.export_page(&Scope::DEFAULT, export, key).await?;
        match out.write_all(&page.text) {
            // A reader that has gone away, as `head` does, is no failure.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
        key = page.next;
        if key.is_none() {
            break;
        }
    }
    match out.flush() {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(()),
    }
}

async fn plan(app: &App, full: bool, format: Format) -> Result<(), Failure> {
    let spinner = ProgressBar::new_spinner().with_message("planning");
    spinner.enable_steady_tick(Duration::from_millis(100));
    let run = app.planning.run(&app.system_call("command line"), full).await;
    spinner.finish_and_clear();
    let run = run?;
    match format {
        Format::Json => say(&serde_json::to_string(&run)?),
        Format::Text => say(&format!(
            "{} subjects looked at, {} items changed; orders: {} issued, {} moved, {} withdrawn; {} slots missed",
            run.subjects,
            run.items_written,
            run.orders_issued,
            run.orders_moved,
            run.orders_withdrawn,
            run.slots_missed,
        )),
    }
}

async fn refresh_forecasts(app: &App) -> Result<(), Failure> {
    let spinner = ProgressBar::new_spinner().with_message("looking at usage");
    spinner.enable_steady_tick(Duration::from_millis(100));
    let done = app.usage.refresh_forecasts(&app.system_call("command line")).await;
    spinner.finish_and_clear();
    let done = done?;
    say(&format!(
        "{} meters of devices looked at: {} fits and {} hour profiles written, {} fits removed; {} pools published, {} devices marked",
        done.series_looked_at,
        done.fits_written,
        done.profiles_written,
        done.fits_removed,
        done.pools_published,
        done.devices_marked,
    ))
}

/// Walks every device file; what is wrong goes to stderr, a line each.
async fn verify(app: &App) -> Result<(), Failure> {
    let scope = Scope::DEFAULT;
    let devices = app.registry.count_devices(&scope, &DeviceFilter::default(), u64::MAX >> 1).await?;
    let bar = ProgressBar::new(devices)
        .with_style(ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}")?)
        .with_message("device files");
    let (mut files, mut events, mut bad) = (0_u64, 0_i64, 0_u64);
    let mut after = None;
    loop {
        let page = app.registry.verify_page(&scope, after, VERIFY_PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.device.id.0);
        for check in &page {
            files += 1;
            events += check.integrity.event_count;
            let broken = (!check.integrity.is_intact).then(|| {
                let problem = check.integrity.problem.as_deref().unwrap_or("it is not what was written");
                format!("event {}: {problem}", check.integrity.first_bad_sequence.unwrap_or_default())
            });
            let problems: Vec<String> = broken.into_iter().chain(check.differences.iter().cloned()).collect();
            bad += u64::from(!problems.is_empty());
            for problem in problems {
                let device = &check.device;
                bar.suspend(|| {
                    let _ = writeln!(io::stderr(), "{} {}: {problem}", device.manufacturer, device.serial_number);
                });
            }
        }
        bar.inc(page.len() as u64);
    }
    bar.finish_and_clear();
    for device in app.registry.files_without_device(&scope).await? {
        bad += 1;
        let _ = writeln!(io::stderr(), "device {}: it has a file, but is not in the tables any more", device.0);
    }
    match bad {
        0 => say(&format!("{files} device files with {events} events are intact and agree with the tables")),
        _ => Err(format!("{bad} of {files} device files: not what they should be; they are named above").into()),
    }
}

fn log_to_stderr(config: &Config) -> Result<(), Failure> {
    let logs = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&config.log)?)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match config.log_format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().try_init(),
    }
}

/// Prints a line; a reader that has gone away, as `head` does, is no failure.
fn say(line: &str) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{line}") {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(()),
    }
}
