//! CSV files as streams of rows: plain or gzip, with or without a byte order mark.

use super::report::RowError;
use crate::kernel::code::Code;
use crate::kernel::text::read_cell;
use ::csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord, Trim};
use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a file cannot be read; it is named.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// It cannot be opened.
    #[error("cannot open {path}: {source}", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The gzip is cut off or damaged.
    #[error("{path} is a damaged or cut-off gzip file ({source}); copy it again", path = path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be read on.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nothing in it.
    #[error("{path} is empty; its first line must name the columns: {columns}", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// The columns.
        columns: String,
    },
    /// Not text as we read it.
    #[error("{path} is not UTF-8 text; save it as \"CSV UTF-8\"", path = path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// A column is not there.
    #[error("{path} has no column {column}; the columns are {columns}", path = path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// What is missing.
        column: String,
        /// All columns.
        columns: String,
    },
    /// A column nobody reads.
    #[error("{path} has the unknown column \"{column}\"; the columns are {columns}", path = path.display())]
    UnknownColumn {
        /// The file.
        path: PathBuf,
        /// What is unknown.
        column: String,
        /// All columns.
        columns: String,
    },
    /// A column is named twice.
    #[error("{path} has the column {column} twice", path = path.display())]
    DoubleColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
}

/// The columns of a kind of file.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Those that must be there.
    pub required: &'static [&'static str],
    /// Those of which one must be there, if any are listed.
    pub one_of: &'static [&'static str],
    /// Those that may be there.
    pub optional: &'static [&'static str],
}

impl Columns {
    fn all(&self) -> impl Iterator<Item = &'static str> {
        self.required.iter().chain(self.one_of).chain(self.optional).copied()
    }

    fn listed(&self) -> String {
        let mut parts = vec![self.required.join(", ")];
        if !self.one_of.is_empty() {
            parts.push(self.one_of.join(" or "));
        }
        if !self.optional.is_empty() {
            parts.push(format!("and if you like {}", self.optional.join(", ")));
        }
        parts.join(", ")
    }

    fn check(&self, path: &Path, header: &[String]) -> Result<(), CsvError> {
        let path = || path.to_path_buf();
        let missing = |column: String| CsvError::MissingColumn { path: path(), column, columns: self.listed() };
        for (place, name) in header.iter().enumerate() {
            if header[..place].contains(name) {
                return Err(CsvError::DoubleColumn { path: path(), column: name.chars().take(64).collect() });
            }
        }
        let has = |column: &&&str| header.iter().any(|h| h == **column);
        if let Some(column) = self.required.iter().find(|c| !has(c)) {
            return Err(missing((*column).to_owned()));
        }
        if !self.one_of.is_empty() && !self.one_of.iter().any(|c| has(&c)) {
            return Err(missing(self.one_of.join(" or ")));
        }
        match header.iter().find(|name| !self.all().any(|column| column == name.as_str())) {
            Some(unknown) => Err(CsvError::UnknownColumn {
                path: path(),
                column: unknown.chars().take(64).collect(),
                columns: self.listed(),
            }),
            None => Ok(()),
        }
    }
}

/// One row, its fields by column.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its line in the file; the header is line 1.
    pub line: u64,
    header: Arc<[String]>,
    fields: StringRecord,
}

impl Row {
    /// The field of a column; none when the column or the field is empty. The apostrophe by which
    /// an export keeps spreadsheets from running a text as a formula is no part of it.
    pub fn get(&self, column: &str) -> Option<&str> {
        let place = self.header.iter().position(|name| name == column)?;
        self.fields.get(place).map(read_cell).filter(|value| !value.is_empty())
    }
}

/// A row, or its line and why it cannot be read.
pub(super) type ReadRow = Result<Row, (u64, RowError)>;

/// A CSV file being read.
pub struct CsvFile {
    path: PathBuf,
    is_gzip: bool,
    header: Arc<[String]>,
    reader: Reader<Box<dyn Read + Send>>,
    /// Where lines end in CR LF, the LF is read with the next row.
    is_crlf: bool,
    bar: ProgressBar,
}

/// What every gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Opens a file, looks at its first bytes, and gives it back from its begin.
fn open(path: &Path) -> io::Result<(bool, bool, u64, impl Read + Send + use<>)> {
    let mut file = File::open(path)?;
    let about = file.metadata()?;
    if about.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    // A pipe cannot be read twice: what was looked at is put in front.
    let mut begin = Vec::new();
    file.by_ref().take(2).read_to_end(&mut begin)?;
    let is_gzip = begin == GZIP;
    Ok((is_gzip, about.is_file(), about.len(), Cursor::new(begin).chain(file)))
}

impl CsvFile {
    /// Opens a file and checks its columns.
    ///
    /// A gzip file is first read to its end, so that of one that is cut off nothing is taken in;
    /// only of a pipe, which cannot be read twice, the rows before the cut are.
    ///
    /// # Errors
    /// It cannot be opened, is damaged, empty or not UTF-8, a column is missing or unknown.
    pub fn open(path: &Path, columns: &Columns, progress: bool) -> Result<Self, CsvError> {
        let cannot_open = |source| CsvError::Open { path: path.to_path_buf(), source };
        let (is_gzip, is_file, len, stream) = open(path).map_err(cannot_open)?;
        let stream = if is_gzip && is_file {
            io::copy(&mut MultiGzDecoder::new(BufReader::new(stream)), &mut io::sink())
                .map_err(|source| CsvError::Gzip { path: path.to_path_buf(), source })?;
            open(path).map_err(cannot_open)?.3
        } else {
            stream
        };
        let bar = if progress && is_file { progress_bar(len, path) } else { ProgressBar::hidden() };
        let stream = BufReader::new(bar.wrap_read(stream));
        let stream: Box<dyn Read + Send> =
            if is_gzip { Box::new(MultiGzDecoder::new(stream)) } else { Box::new(stream) };
        let mut reader = ReaderBuilder::new().has_headers(false).trim(Trim::All).from_reader(stream);
        let mut first = StringRecord::new();
        let is_there = match reader.read_record(&mut first) {
            Ok(is_there) => is_there,
            Err(e) => return Err(fatal(path, is_gzip, e).unwrap_or(CsvError::NotUtf8 { path: path.to_path_buf() })),
        };
        if !is_there {
            return Err(CsvError::Empty { path: path.to_path_buf(), columns: columns.listed() });
        }
        let header: Vec<String> =
            first.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect();
        columns.check(path, &header)?;
        let is_crlf = reader.position().line() == 1;
        Ok(Self { path: path.to_path_buf(), is_gzip, header: header.into(), reader, is_crlf, bar })
    }

    /// The line on which a row begins; the reader's own count leaves out empty lines before it.
    fn line(&self, begin: Option<&Position>, fields: Option<&StringRecord>) -> u64 {
        let begin = begin.map_or(0, Position::line) + u64::from(self.is_crlf);
        let Some(fields) = fields else { return begin };
        let inside = fields.iter().map(|f| f.matches('\n').count() as u64).sum::<u64>();
        let after = inside + u64::from(!self.is_crlf);
        begin.max(self.reader.position().line().saturating_sub(after))
    }

    /// The next row; none at the end. A row that cannot be read does not end the file.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub(super) fn next_row(&mut self) -> Result<Option<ReadRow>, CsvError> {
        let mut fields = StringRecord::new();
        match self.reader.read_record(&mut fields) {
            Ok(true) => {
                let line = self.line(fields.position(), Some(&fields));
                Ok(Some(Ok(Row { line, header: self.header.clone(), fields })))
            }
            Ok(false) => {
                self.bar.finish_and_clear();
                Ok(None)
            }
            Err(e) => {
                let line = self.line(e.position(), None);
                let problem = match e.kind() {
                    ErrorKind::UnequalLengths { .. } if self.reader.position().line() > line + 1 => {
                        let end = self.reader.position().line().saturating_sub(1);
                        format!("a quote opened on line {line} is closed on line {end}; the rows between were not read")
                    }
                    ErrorKind::UnequalLengths { expected_len, len, .. } => {
                        format!(
                            "the row has {len} fields, the header {expected_len}; quote fields that contain a comma"
                        )
                    }
                    _ => "the row is not UTF-8 text; save the file as \"CSV UTF-8\"".into(),
                };
                match fatal(&self.path, self.is_gzip, e) {
                    Some(error) => {
                        self.bar.finish_and_clear();
                        Err(error)
                    }
                    None => Ok(Some(Err((line, RowError::new(Code::Invalid, problem))))),
                }
            }
        }
    }
}

/// The error of a file that cannot be read on; none for one that only spoils a row.
fn fatal(path: &Path, is_gzip: bool, e: ::csv::Error) -> Option<CsvError> {
    let path = path.to_path_buf();
    match e.into_kind() {
        ErrorKind::Io(source) if is_gzip => Some(CsvError::Gzip { path, source }),
        ErrorKind::Io(source) => Some(CsvError::Read { path, source }),
        _ => None,
    }
}

/// Bytes of the file that were read; shown on a terminal only.
fn progress_bar(len: u64, path: &Path) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {bytes}/{total_bytes}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    ProgressBar::new(len).with_style(style).with_message(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    const COLUMNS: Columns = Columns { required: &["name"], one_of: &[], optional: &["address"] };

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn open(bytes: &[u8]) -> Result<CsvFile, CsvError> {
        CsvFile::open(file(bytes).path(), &COLUMNS, false)
    }

    fn names(bytes: &[u8]) -> Vec<Result<String, u64>> {
        let mut file = open(bytes).unwrap();
        let mut found = Vec::new();
        while let Some(row) = file.next_row().unwrap() {
            found.push(row.map(|r| r.get("name").unwrap_or("-").to_owned()).map_err(|(line, _)| line));
        }
        found
    }

    #[test]
    fn plain_gzip_and_a_byte_order_mark_read_the_same() {
        let text = "name,address\n老王面馆,文三路 1\n\"Café, 拾光\",\n";
        let wanted = vec![Ok("老王面馆".to_owned()), Ok("Café, 拾光".to_owned())];
        assert_eq!(names(text.as_bytes()), wanted);
        assert_eq!(names(format!("\u{feff}{text}").as_bytes()), wanted);
        assert_eq!(names(&gzip(text.as_bytes())), wanted);
        let two_members = [gzip(b"name,address\n"), gzip("老王面馆,文三路 1\n\"Café, 拾光\",\n".as_bytes())].concat();
        assert_eq!(names(&two_members), wanted);
    }

    #[test]
    fn a_gzip_that_is_cut_off_is_named_before_any_row_of_it_is_read() {
        let text: String = (0..5_000).map(|n| format!("shop {n},street {}\n", n * 7_919)).collect();
        let whole = gzip(format!("name,address\n{text}").as_bytes());
        for len in [3, whole.len() / 2, whole.len() - 1] {
            let cut = file(&whole[..len]);
            let error = CsvFile::open(cut.path(), &COLUMNS, false).err().unwrap();
            assert!(matches!(error, CsvError::Gzip { .. }), "{error}");
            assert!(error.to_string().contains(&cut.path().display().to_string()));
        }
    }

    #[test]
    fn a_bad_row_is_named_by_its_line_and_the_rest_is_read() {
        let rows = names(b"name,address\na,b\nc\n\xff,d\n\"e\nf\",g\nh,i\n");
        assert_eq!(rows, vec![Ok("a".into()), Err(3), Err(4), Ok("e\nf".into()), Ok("h".into())]);
    }

    #[test]
    fn lines_are_those_an_editor_shows_whatever_ends_them() {
        let lines = |text: &str| {
            let mut file = open(text.as_bytes()).unwrap();
            let mut found = Vec::new();
            while let Some(row) = file.next_row().unwrap() {
                found.push(row.map_or_else(|(line, _)| line, |r| r.line));
            }
            found
        };
        for end in ["\n", "\r\n"] {
            let rows = ["name,address", "a,b", "\"c", "d\",e", "f", "g,h"].join(end);
            assert_eq!(lines(&rows), vec![2, 3, 5, 6], "{end:?}");
            assert_eq!(lines(&format!("{rows}{end}")), vec![2, 3, 5, 6], "{end:?}");
        }
        assert_eq!(lines("name,address\na,b\n\n\nc,d\n"), vec![2, 5]);
    }

    #[test]
    fn the_apostrophe_of_an_export_is_no_part_of_a_field() {
        let text = "name,address\n'=1+1,\n'-2+3,\n''=x,\n't Hof,\n-5,\n";
        let wanted: Vec<Result<String, u64>> =
            ["=1+1", "-2+3", "'=x", "'t Hof", "-5"].iter().map(|n| Ok((*n).to_owned())).collect();
        assert_eq!(names(text.as_bytes()), wanted);
    }

    #[test]
    fn columns_are_checked_by_name() {
        let problem = |text: &str| open(text.as_bytes()).err().unwrap().to_string();
        assert!(problem("address\nx\n").contains("has no column name"));
        assert!(problem("name,adress\nx,y\n").contains("unknown column \"adress\""));
        assert!(problem("name,name\nx,y\n").contains("column name twice"));
        assert!(problem("").contains("is empty"));
        assert!(names(b"name\n").is_empty());
        assert!(open(b"n\xffme\nx\n").is_err());
    }
}
