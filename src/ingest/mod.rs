//! Ingest takes files in: merchants, sites with their positions, devices, readings.
//!
//! A file is CSV (UTF-8), plain or gzip, its first line naming the columns. It is read as a
//! stream and written in short transactions, so that the server works on beside it. Rows fail
//! one by one, with the reason; good rows stay. A file that is taken in again adds nothing, so
//! after any failure the way on is to run it again. What is known already is never changed: a
//! row that says something else of it is refused.
//!
//! It leaves what may be said of merchants, sites and devices to `registry`, and of readings to
//! `usage`.

pub mod csv;
mod devices;
mod merchants;
mod readings;
mod sites;

use self::csv::{CsvError, CsvFile};
use crate::catalogue::service::CatalogueService;
use crate::db::StoreError;
use crate::kernel::call::Call;
use crate::kernel::code::{Code, Refusal};
use crate::kernel::text::{TextError, clean_text};
use crate::registry::{self, RegistryService};
use crate::usage::{self, UsageService};
use std::fmt;
use std::path::Path;

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

/// A row that was not taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// Its line in the file; the header is line 1.
    pub row: u64,
    /// What kind of problem.
    pub code: Code,
    /// What is wrong and what to do.
    pub message: String,
    /// The reading is kept aside, and looked at again when it is sent again.
    pub is_kept_aside: bool,
}

/// Refused rows that are told one by one; a file that is wrong altogether is told by their number.
const MAX_TOLD: usize = 1_000;

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows read, without the header.
    pub rows: u64,
    /// Rows that added something.
    pub added: u64,
    /// Rows that said what was known.
    pub unchanged: u64,
    /// Rows refused or kept aside.
    pub refused_count: u64,
    /// The first thousand of them, in the order of the file.
    pub refused: Vec<RefusedRow>,
}

impl ImportReport {
    fn refuse(&mut self, row: u64, refusal: RowError) {
        self.refuse_row(RefusedRow { row, code: refusal.code, message: refusal.message, is_kept_aside: false });
    }

    fn refuse_row(&mut self, row: RefusedRow) {
        self.refused_count += 1;
        // Rows come batch by batch, not always line by line: the first of the file are kept.
        let place = self.refused.partition_point(|known| known.row <= row.row);
        if place < MAX_TOLD {
            self.refused.insert(place, row);
            self.refused.truncate(MAX_TOLD);
        }
    }

    fn count(&mut self, is_new: bool) {
        if is_new { self.added += 1 } else { self.unchanged += 1 }
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} rows: {} added, {} unchanged, {} refused",
            self.rows, self.added, self.unchanged, self.refused_count
        )?;
        for row in &self.refused {
            write!(f, "\nline {}: {}: {}", row.row, row.code, row.message)?;
        }
        let untold = self.refused_count - self.refused.len() as u64;
        if untold > 0 {
            write!(f, "\nand {untold} more")?;
        }
        Ok(())
    }
}

/// Why a row is refused before a room sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RowError {
    code: Code,
    message: String,
}

impl RowError {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// What a room says of a row; its failures are the import's.
    fn of(e: registry::Error) -> Result<Self, Error> {
        match e.code() {
            Some(code) => Ok(Self { code, message: e.message() }),
            None => Err(e.into()),
        }
    }
}

/// A field that must be given: one line of at most `max` characters.
fn required(row: &csv::Row, column: &str, max: usize) -> Result<String, RowError> {
    optional(row, column, max)?.ok_or_else(|| RowError::new(Code::Required, format!("{column} must not be empty")))
}

/// A field that may be empty.
fn optional(row: &csv::Row, column: &str, max: usize) -> Result<Option<String>, RowError> {
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
fn coded<T: Copy + fmt::Display>(
    row: &csv::Row,
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

/// Takes a file in.
///
/// # Errors
/// A file that cannot be opened or read to its end, a missing or unknown column, storage.
/// What was taken in before stays; running it again goes on from there.
pub async fn run(rooms: Rooms<'_>, kind: Kind, path: &Path, progress: bool) -> Result<ImportReport, Error> {
    match kind {
        Kind::Merchants => merchants::import(rooms, path, progress).await,
        Kind::Sites => sites::import(rooms, path, progress).await,
        Kind::Devices => devices::import(rooms, path, progress).await,
        Kind::Readings => readings::import(rooms, path, progress).await,
    }
}

/// Rows written at a time.
const BATCH: usize = 5_000;

/// The next rows that can be read as a `T`, with their lines; empty at the end of the file.
/// Rows that cannot are refused.
fn next_batch<T>(
    file: &mut CsvFile,
    report: &mut ImportReport,
    max: usize,
    read: impl Fn(&csv::Row) -> Result<T, RowError>,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(row: u64) -> RefusedRow {
        RefusedRow { row, code: Code::Required, message: "name must not be empty".into(), is_kept_aside: false }
    }

    #[test]
    fn a_report_tells_the_first_refused_rows_of_the_file_and_the_number_of_all() {
        let mut report = ImportReport::default();
        for row in (2..2_002).rev() {
            report.refuse_row(refused(row));
        }
        assert_eq!((report.refused_count, report.refused.len()), (2_000, MAX_TOLD));
        assert_eq!((report.refused[0].row, report.refused[MAX_TOLD - 1].row), (2, 1_001));
        assert!(report.to_string().ends_with("and 1000 more"));
    }

    #[test]
    fn a_report_reads_line_by_line() {
        let mut report = ImportReport { rows: 3, added: 1, unchanged: 1, ..ImportReport::default() };
        report.refuse_row(refused(4));
        assert_eq!(
            report.to_string(),
            "3 rows: 1 added, 1 unchanged, 1 refused\nline 4: REQUIRED: name must not be empty"
        );
    }
}
