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

mod batch;
pub mod csv;
mod devices;
mod merchants;
mod readings;
mod report;
pub mod series;
mod sites;

pub use batch::{Error, Kind, Rooms};
pub use report::{ImportReport, RefusedRow};

use std::path::Path;

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
