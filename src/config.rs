//! Settings, and the only reader of the environment: defaults < `tillkeep.toml` < `TILLKEEP_*` <
//! flags.
//!
//! A setting `planner.cron` is `[planner] cron = "…"` in the file and `TILLKEEP_PLANNER_CRON` in
//! the environment. A key nobody knows is an error that names it: a setting that is silently not
//! in force is worse than a server that does not start.

use crate::kernel::calendar::Grid;
use config::{File, FileFormat, Map, Source, Value, ValueKind};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tracing_subscriber::EnvFilter;

/// The settings file that is read when it is there.
const FILE: &str = "tillkeep.toml";
/// What our environment variables begin with.
const PREFIX: &str = "TILLKEEP_";
/// Ours, but for the build and the tests.
const NOT_SETTINGS: [&str; 2] = ["TILLKEEP_PAGE", "TILLKEEP_TEST_"];

/// Key, default and meaning of every setting.
const SETTINGS: [(&str, &str, &str); 6] = [
    ("database", "sqlite://tillkeep.db?mode=rwc", "sqlite://FILE?mode=rwc or postgres://USER:PASSWORD@HOST/NAME"),
    ("bind", "127.0.0.1:8080", "address and port to listen on"),
    ("log", "info", "what is logged: error, warn, info, debug, trace, or by target, for example info,tillkeep=debug"),
    ("log_format", "text", "text or json"),
    ("planner.cron", "* * * * *", "when the planner runs inside the server: cron, UTC"),
    // At night in China, where most fleets are, and well after the last closing time.
    ("forecasts.cron", "20 18 * * *", "when the server chooses anew what forecasts rest on: cron, UTC"),
];

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is in force.
#[derive(Clone, Debug)]
pub struct Config {
    /// URL of the database; may hold a password.
    pub database: String,
    /// Host and port to listen on.
    pub bind: String,
    /// What is logged, as a tracing filter.
    pub log: String,
    /// How logs are written.
    pub log_format: LogFormat,
    /// When the planner runs inside the server: cron text, UTC.
    pub planner_cron: String,
    /// When what forecasts rest on is chosen anew inside the server: cron text, UTC.
    pub forecasts_cron: String,
    /// Key, value and where it comes from, in the order of the settings.
    in_force: Vec<(&'static str, String, String)>,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the settings file {} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("the settings file {} is not TOML: {detail}", .path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what.
        detail: String,
    },
    /// Nobody knows the key.
    #[error("{key} in {origin} is not a setting; there are {}", known())]
    UnknownKey {
        /// The key, or the variable.
        key: String,
        /// Where it stands.
        origin: String,
    },
    /// The value cannot be.
    #[error("{key} from {origin} {problem}")]
    Value {
        /// The key.
        key: &'static str,
        /// Where it comes from.
        origin: String,
        /// What is wrong and what to give.
        problem: String,
    },
}

fn known() -> String {
    SETTINGS.map(|(key, ..)| key).join(", ")
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "_"))
}

/// A value that remembers where it comes from.
fn sourced(origin: &str, value: impl Into<String>) -> Value {
    Value::new(Some(&origin.to_owned()), ValueKind::String(value.into()))
}

/// Nested tables as dotted keys.
fn flatten(prefix: &str, table: Map<String, Value>, into: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value.kind {
            ValueKind::Table(inner) => flatten(&key, inner, into),
            _ => {
                into.insert(key, value);
            }
        }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// `file` is read instead of `tillkeep.toml`, and must then exist; `defaults` are a command's
    /// own, `flags` what its caller typed; both by key.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key, a value that cannot be.
    pub fn load(
        file: Option<&Path>,
        defaults: &[(&str, String)],
        flags: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        #[allow(clippy::disallowed_methods, reason = "the one reader of the environment")]
        let environment = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect::<Vec<_>>();
        Self::read(file, &environment, defaults, flags)
    }

    fn read(
        file: Option<&Path>,
        environment: &[(String, String)],
        defaults: &[(&str, String)],
        flags: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        let path = file.unwrap_or(Path::new(FILE));
        let in_file = |e: config::ConfigError| ConfigError::Parse { path: path.to_owned(), detail: e.to_string() };
        let mut builder = config::Config::builder();
        for (key, default, _) in SETTINGS {
            builder = builder.set_default(key, sourced("the defaults", default)).map_err(in_file)?;
        }
        for (key, value) in defaults {
            builder = builder.set_default(*key, sourced("the command's defaults", value)).map_err(in_file)?;
        }
        match std::fs::read_to_string(path) {
            Ok(text) => builder = builder.add_source(File::from_str(&text, FileFormat::Toml)),
            Err(e) if e.kind() == ErrorKind::NotFound && file.is_none() => {}
            Err(source) => return Err(ConfigError::Read { path: path.to_owned(), source }),
        }
        for (name, value) in environment {
            if !name.starts_with(PREFIX) || NOT_SETTINGS.iter().any(|n| name.starts_with(n)) {
                continue;
            }
            let Some((key, ..)) = SETTINGS.into_iter().find(|(key, ..)| variable(key) == *name) else {
                return Err(ConfigError::UnknownKey { key: name.clone(), origin: "the environment".into() });
            };
            builder = builder.set_override(key, sourced(name, value)).map_err(in_file)?;
        }
        for (key, value) in flags {
            builder = builder.set_override(*key, sourced(&format!("--{key}"), value)).map_err(in_file)?;
        }
        let mut values = BTreeMap::new();
        flatten("", builder.build().and_then(|c| c.collect()).map_err(in_file)?, &mut values);
        Self::check(values, path)
    }

    fn check(mut values: BTreeMap<String, Value>, file: &Path) -> Result<Self, ConfigError> {
        let origin = |value: &Value| value.origin().map_or_else(|| file.display().to_string(), str::to_owned);
        let mut in_force: Vec<(&'static str, String, String)> = Vec::with_capacity(SETTINGS.len());
        for (key, _, meaning) in SETTINGS {
            // A table in place of a value hides it; what is in the table is refused below.
            let Some(value) = values.remove(key) else { continue };
            let origin = origin(&value);
            let problem =
                |_| ConfigError::Value { key, origin: origin.clone(), problem: format!("is no text; give {meaning}") };
            let text = value.into_string().map_err(problem)?;
            in_force.push((key, text, origin));
        }
        if let Some((key, value)) = values.into_iter().next() {
            return Err(ConfigError::UnknownKey { key, origin: origin(&value) });
        }
        let get = |key: &str| {
            in_force.iter().find(|(k, ..)| *k == key).map(|(_, value, _)| value.clone()).unwrap_or_default()
        };
        let refuse = |key: &'static str, problem: String| {
            let origin =
                in_force.iter().find(|(k, ..)| *k == key).map(|(.., origin)| origin.clone()).unwrap_or_default();
            Err(ConfigError::Value { key, origin, problem })
        };
        let database = get("database");
        if database.contains(":memory:") || database.contains("mode=memory") {
            return refuse("database", "is in memory, which several connections cannot share; give a file".into());
        }
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| database.starts_with(scheme)) {
            return refuse("database", "is no URL of a database; give sqlite://FILE?mode=rwc or postgres://…".into());
        }
        let bind = get("bind");
        if bind.rsplit_once(':').is_none_or(|(host, port)| host.is_empty() || port.parse::<u16>().is_err()) {
            return refuse("bind", format!("is {bind:?}; give an address and a port, for example 127.0.0.1:8080"));
        }
        let log = get("log");
        if let Err(e) = EnvFilter::try_new(&log) {
            return refuse("log", format!("is {log:?}, which cannot be read ({e}); give for example info"));
        }
        let log_format = match get("log_format").as_str() {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            other => return refuse("log_format", format!("is {other:?}; give text or json")),
        };
        let (planner_cron, forecasts_cron) = (get("planner.cron"), get("forecasts.cron"));
        for (key, cron) in [("planner.cron", &planner_cron), ("forecasts.cron", &forecasts_cron)] {
            if let Err(e) = Grid::parse(cron) {
                return refuse(key, format!("is {cron:?}: {e}"));
            }
        }
        Ok(Self { database, bind, log, log_format, planner_cron, forecasts_cron, in_force })
    }

    /// What is in force, as a settings file with the origin of each value; passwords are masked.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let mut table = "";
        for (key, value, origin) in &self.in_force {
            let (within, name) = key.rsplit_once('.').unwrap_or(("", *key));
            if within != table {
                table = within;
                let _ = writeln!(text, "\n[{within}]");
            }
            let shown = if *key == "database" { mask_password(value) } else { value.clone() };
            let _ = writeln!(text, "{name} = {} # {origin}", toml_text(&shown));
        }
        text
    }
}

/// A TOML basic string.
fn toml_text(value: &str) -> String {
    let mut text = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(text, "\\u{:04X}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

/// A database URL that can be shown: its password, and any parameter named like one, as `***`.
pub fn mask_password(url: &str) -> String {
    let (place, query) = url.split_once('?').map_or((url, None), |(place, query)| (place, Some(query)));
    let mut shown = match (place.find("://"), place.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 < at => {
            let user = &place[scheme + 3..at];
            let user = user.split_once(':').map_or(user.to_owned(), |(name, _)| format!("{name}:***"));
            format!("{}{user}{}", &place[..scheme + 3], &place[at..])
        }
        _ => place.to_owned(),
    };
    if let Some(query) = query {
        let parameters = query.split('&').map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if name.to_ascii_lowercase().contains("password") => format!("{name}=***"),
            _ => parameter.to_owned(),
        });
        shown.push('?');
        shown.push_str(&parameters.collect::<Vec<_>>().join("&"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(given: &[(&str, &str)]) -> Vec<(String, String)> {
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn flags_win_over_the_environment_over_the_file_over_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tillkeep.toml");
        std::fs::write(
            &path,
            "bind = \"0.0.0.0:1\"\nlog = \"warn\"\nlog_format = \"json\"\n[planner]\ncron = \"*/5 * * * *\"\n",
        )
        .unwrap();
        let environment = variables(&[
            ("TILLKEEP_BIND", "0.0.0.0:2"),
            ("TILLKEEP_LOG", "error"),
            ("TILLKEEP_TEST_POSTGRES", "x"),
            ("HOME", "/"),
        ]);
        let flags = [("bind", "0.0.0.0:3".to_owned())];
        let config = Config::read(Some(&path), &environment, &[], &flags).unwrap();
        assert_eq!((config.bind.as_str(), config.log.as_str()), ("0.0.0.0:3", "error"));
        assert_eq!((config.log_format, config.planner_cron.as_str()), (LogFormat::Json, "*/5 * * * *"));
        assert_eq!(config.database, "sqlite://tillkeep.db?mode=rwc");
        let shown = config.render();
        assert!(shown.contains("bind = \"0.0.0.0:3\" # --bind"), "{shown}");
        assert!(shown.contains("log = \"error\" # TILLKEEP_LOG"), "{shown}");
        assert!(shown.contains("[planner]\ncron = \"*/5 * * * *\""), "{shown}");
    }

    #[test]
    fn a_wrong_key_or_value_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wrong.toml");
        let problem = |text: &str, environment: &[(&str, &str)]| {
            std::fs::write(&path, text).unwrap();
            Config::read(Some(&path), &variables(environment), &[], &[]).unwrap_err().to_string()
        };
        assert!(problem("[planner]\ncorn = \"* * * * *\"", &[]).starts_with("planner.corn in "));
        assert!(problem("", &[("TILLKEEP_BNID", "x")]).starts_with("TILLKEEP_BNID in the environment"));
        assert!(
            problem("", &[("TILLKEEP_PLANNER_CRON", "never")]).starts_with("planner.cron from TILLKEEP_PLANNER_CRON")
        );
        assert!(problem("[forecasts]\ncron = \"0 20 2 * * *\"", &[]).starts_with("forecasts.cron from "));
        assert!(problem("bind = \"here\"", &[]).starts_with("bind from "));
        assert!(problem("database = \"sqlite::memory:\"", &[]).contains("give a file"));
        assert!(problem("bind = [1]", &[]).starts_with("bind from "));
        assert!(problem("bind = ", &[]).contains("is not TOML"));
        assert!(problem("planner = 1", &[]).starts_with("planner in "));
        let missing = folder.path().join("missing.toml");
        assert!(matches!(Config::read(Some(&missing), &[], &[], &[]), Err(ConfigError::Read { .. })));
    }

    #[test]
    fn a_shown_url_holds_no_password() {
        assert_eq!(mask_password("postgres://keeper:s3:cr@t@db:5432/fleet"), "postgres://keeper:***@db:5432/fleet");
        assert_eq!(
            mask_password("postgres://keeper@db/fleet?password=s&sslmode=require"),
            "postgres://keeper@db/fleet?password=***&sslmode=require"
        );
        assert_eq!(mask_password("sqlite://a@b.db?mode=rwc"), "sqlite://a@b.db?mode=rwc");
    }
}
