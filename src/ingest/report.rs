//! What became of a file: how many rows, and why some were not taken in.

use crate::kernel::code::Code;
use std::fmt;

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
    pub(super) fn refuse(&mut self, row: u64, refusal: RowError) {
        self.refuse_row(RefusedRow { row, code: refusal.code, message: refusal.message, is_kept_aside: false });
    }

    pub(super) fn refuse_row(&mut self, row: RefusedRow) {
        self.refused_count += 1;
        // Rows come batch by batch, not always line by line: the first of the file are kept.
        let place = self.refused.partition_point(|known| known.row <= row.row);
        if place < MAX_TOLD {
            self.refused.insert(place, row);
            self.refused.truncate(MAX_TOLD);
        }
    }

    pub(super) fn count(&mut self, is_new: bool) {
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
pub(super) struct RowError {
    pub(super) code: Code,
    pub(super) message: String,
}

impl RowError {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
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
