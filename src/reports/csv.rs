//! Rows as CSV text (RFC 4180, UTF-8) that no spreadsheet runs as a formula: a cell that looks like
//! one begins with an apostrophe, which `tillkeep import` takes away again.

use crate::kernel::text::safe_cell;
use ::csv::{Error, Writer};

/// Rows as CSV, each of as many cells as the first.
///
/// # Errors
/// A row of another length.
pub fn write<C: AsRef<str>>(rows: &[Vec<C>]) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    {
        let mut writer = Writer::from_writer(&mut text);
        for row in rows {
            let cells: Vec<_> = row.iter().map(|cell| safe_cell(cell.as_ref())).collect();
            writer.write_record(cells.iter().map(|cell| cell.as_bytes()))?;
        }
        writer.flush()?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::text::read_cell;
    use ::csv::ReaderBuilder;
    use proptest::prelude::*;

    fn text(rows: &[Vec<&str>]) -> String {
        String::from_utf8(write(rows).unwrap()).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_they_must_be_and_formulas_are_text() {
        let rows = [vec!["name", "note"], vec!["=HYPERLINK(\"http://x\",\"y\")", "a,b"], vec!["-2+3", "-12.5"]];
        assert_eq!(text(&rows), "name,note\n\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",\"a,b\"\n'-2+3,-12.5\n");
        assert!(write(&[vec!["a", "b"], vec!["c"]]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(rows in prop::collection::vec(prop::collection::vec("[-'=+@,\"\n王a1]{0,8}", 3), 1..8)) {
            let written = write(&rows).unwrap();
            let mut reader = ReaderBuilder::new().has_headers(false).from_reader(written.as_slice());
            let read: Vec<Vec<String>> = reader
                .records()
                .map(|record| record.unwrap().iter().map(|cell| read_cell(cell).to_owned()).collect())
                .collect();
            prop_assert_eq!(read, rows);
        }
    }
}
