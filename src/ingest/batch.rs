//! What every kind of import works with: the rooms, batches of rows, and the fields of a row.

use super::csv::{CsvError, CsvFile, Row};
use super::report::{ImportReport, RowError};
use crate::catalogue::service::CatalogueService;
use crate::db::StoreError;
use crate::kernel::call::Call;
use crate::kernel::code::{Code, Refusal};
use crate::kernel::text::{TextError, clean_text};
use crate::registry::{self, RegistryService};
use crate::usage::{self, UsageService};
use std::fmt;

/// What a file's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Merchants: `merchant_number`, `name`.
    Merchants,
    /// Sites: `merchant_number`, `name`, `time_zone`, and more; their positions too.
    Sites,
    /// Devices: `manufacturer`, `model`, `serial_number`, and where they stand.
    Devices,
    /// Readings: `serial_number` or `terminal_number`, `meter`, `value`, `read_at`.
    Readings,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Merchants, Self::Sites, Self::Devices, Self::Readings];

    /// The word the command line uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merchants => "merchants",
            Self::Sites => "sites",
            Self::Devices => "devices",
            Self::Readings => "readings",
        }
    }
}

/// The rooms an import works with.
#[derive(Clone, Copy)]
pub struct Rooms<'a> {
    /// Models and meters.
    pub catalogue: &'a CatalogueService,
    /// Merchants, sites, positions and devices.
    pub registry: &'a RegistryService,
    /// Readings.
    pub usage: &'a UsageService,
    /// A request of whoever imports; asked for every batch, so that each has its own time.
    pub call: &'a (dyn Fn() -> Call + Send + Sync),
}

/// Why an import cannot go on; what was taken in before stays.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error(transparent)]
    File(#[from] CsvError),
    /// The registry, as a whole and not for a row.
    #[error("the registry refused a batch: {0}")]
    Registry(#[source] registry::Error),
    /// Usage, as a whole and not for a row.
    #[error("the readings of a batch were refused: {0}")]
    Usage(#[source] usage::Error),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<registry::Error> for Error {
    fn from(e: registry::Error) -> Self {
        match e {
            registry::Error::Store(e) => Self::Store(e),
            other => Self::Registry(other),
        }
    }
}

impl From<usage::Error> for Error {
    fn from(e: usage::Error) -> Self {
        match e {
            usage::Error::Store(e) => Self::Store(e),
            other => Self::Usage(other),
        }
    }
}

/// What a room says of a row; its failures are the import's.
pub(super) fn refused_by_room(e: registry::Error) -> Result<RowError, Error> {
    match e.code() {
        Some(code) => Ok(RowError { code, message: e.message() }),
        None => Err(e.into()),
    }
}

/// A field that must be given: one line of at most `max` characters.
pub(super) fn required(row: &Row, column: &str, max: usize) -> Result<String, RowError> {
    optional(row, column, max)?.ok_or_else(|| RowError::new(Code::Required, format!("{column} must not be empty")))
}

/// A field that may be empty.
pub(super) fn optional(row: &Row, column: &str, max: usize) -> Result<Option<String>, RowError> {
    let Some(value) = row.get(column) else { return Ok(None) };
    match clean_text(value, max) {
        Ok(text) => Ok(Some(text)),
        Err(e) => {
            let code = match e {
                TextError::Empty => Code::Required,
                TextError::TooLong { .. } => Code::TooLong,
                TextError::Control => Code::Invalid,
            };
            Err(RowError::new(code, format!("{column} {e}")))
        }
    }
}

/// A field of a closed list of codes, which may be empty.
pub(super) fn coded<T: Copy + fmt::Display>(
    row: &Row,
    column: &str,
    codes: &[T],
    parse: fn(&str) -> Option<T>,
) -> Result<Option<T>, RowError> {
    let Some(value) = optional(row, column, 64)? else { return Ok(None) };
    parse(&value).map(Some).ok_or_else(|| {
        let known: Vec<String> = codes.iter().map(T::to_string).collect();
        RowError::new(Code::Invalid, format!("{column} is \"{value}\"; give one of {}", known.join(", ")))
    })
}

/// Rows written at a time.
pub(super) const BATCH: usize = 5_000;

/// The next rows that can be read as a `T`, with their lines; empty at the end of the file.
/// Rows that cannot are refused.
pub(super) fn next_batch<T>(
    file: &mut CsvFile,
    report: &mut ImportReport,
    max: usize,
    read: impl Fn(&Row) -> Result<T, RowError>,
) -> Result<Vec<(u64, T)>, Error> {
    let mut batch = Vec::new();
    while batch.len() < max {
        let Some(row) = file.next_row()? else { break };
        report.rows += 1;
        match row.and_then(|row| Ok((row.line, read(&row).map_err(|e| (row.line, e))?))) {
            Ok(read) => batch.push(read),
            Err((line, e)) => report.refuse(line, e),
        }
    }
    Ok(batch)
}
