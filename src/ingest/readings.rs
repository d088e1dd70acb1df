//! Readings: `serial_number` (with `manufacturer` where two makers share it) or
//! `terminal_number`, `meter`, `value` in the meter's unit, `read_at` (RFC 3339, device time).
//!
//! A file may have its readings in any order.

use super::batch::{BATCH, Error, Rooms, next_batch, optional, required};
use super::csv::{Columns, CsvFile, Row};
use super::devices::instant;
use super::report::{ImportReport, RefusedRow, RowError};
use crate::kernel::code::Code;
use crate::registry::model::DeviceRef;
use crate::usage::service::ReadingInput;
use std::path::Path;

pub(super) const COLUMNS: Columns = Columns {
    required: &["meter", "value", "read_at"],
    one_of: &["serial_number", "terminal_number"],
    optional: &["manufacturer"],
};

/// Rows that are sorted before they are written, so that a batch has few devices with many
/// readings each: a late reading makes its meter's later ones be read again.
const WINDOW: usize = 50_000;

fn read(row: &Row) -> Result<ReadingInput, RowError> {
    let device = match (optional(row, "serial_number", 64)?, optional(row, "terminal_number", 32)?) {
        (Some(serial_number), _) => {
            DeviceRef::Serial { serial_number, manufacturer: optional(row, "manufacturer", 100)? }
        }
        (None, Some(terminal)) => DeviceRef::Terminal(terminal),
        (None, None) => return Err(RowError::new(Code::Required, "give a serial_number or a terminal_number")),
    };
    let value = required(row, "value", 64)?;
    let value = value.parse::<f64>().map_err(|_| {
        RowError::new(Code::InvalidNumber, format!("value is \"{value}\"; give a number such as 1234 or 12.5"))
    })?;
    let read_at = instant(&required(row, "read_at", 64)?, "read_at")?;
    Ok(ReadingInput { device, meter: required(row, "meter", 64)?, value, read_at })
}

/// What a device is called, for sorting.
fn name(device: &DeviceRef) -> (&str, &str) {
    match device {
        DeviceRef::Id(_) => ("", ""),
        DeviceRef::Serial { serial_number, manufacturer } => {
            (serial_number.as_str(), manufacturer.as_deref().unwrap_or_default())
        }
        DeviceRef::Terminal(number) => (number.as_str(), ""),
    }
}

pub(super) async fn import(rooms: Rooms<'_>, path: &Path, progress: bool) -> Result<ImportReport, Error> {
    let mut file = CsvFile::open(path, &COLUMNS, progress)?;
    let mut report = ImportReport::default();
    loop {
        let mut window = next_batch(&mut file, &mut report, WINDOW, read)?;
        if window.is_empty() {
            return Ok(report);
        }
        window.sort_by(|(_, a), (_, b)| {
            (name(&a.device), &a.meter, a.read_at).cmp(&(name(&b.device), &b.meter, b.read_at))
        });
        while !window.is_empty() {
            let (lines, readings): (Vec<u64>, Vec<ReadingInput>) = window.drain(..window.len().min(BATCH)).unzip();
            let recorded = rooms.usage.record_readings(&(rooms.call)(), &readings).await?;
            report.added += recorded.accepted_count as u64;
            report.unchanged += recorded.duplicate_count as u64;
            for issue in recorded.rejected {
                let row = lines.get(issue.row).copied().unwrap_or_default();
                report.refuse_row(RefusedRow {
                    row,
                    code: issue.code,
                    message: issue.message,
                    is_kept_aside: issue.is_kept,
                });
            }
        }
    }
}
