//! Files of daily usage, and questions about them: what `tillkeep forecast` and `tillkeep backtest`
//! read and write. They stand beside the database and never touch it.

use super::csv::{Columns, CsvError, CsvFile, Row};
use crate::usage::forecast::DailySeries;
use crate::usage::forecast::answers::{Answer, Fleet, Question, answers};
use crate::usage::forecast::backtest::{Report, backtest};
use chrono::{Datelike, NaiveDate};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Columns of a file of daily usage.
const DAYS: Columns = Columns { required: &["series", "date", "value"], one_of: &[], optional: &["missing"] };
/// Columns of a file of questions.
const QUESTIONS: Columns = Columns { required: &["series", "cut", "units"], one_of: &[], optional: &[] };
/// Years a date may lie in, as everywhere else, but for data sets of the century before.
const FIRST_YEAR: i32 = 1900;
const LAST_YEAR: i32 = 2100;
/// Cuts of a back-test.
const CUTS: usize = 12;

/// Why nothing was answered.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    /// A file cannot be read.
    #[error(transparent)]
    Csv(#[from] CsvError),
    /// A row says nothing that can be used. These files are whole or wrong: a row left out would
    /// change every answer silently.
    #[error("{path}, line {line}: {problem}", path = path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// Its line; the header is line 1.
        line: u64,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The answers cannot be written.
    #[error("cannot write {path}: {source}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Rows of a file, each with its line.
fn rows(path: &Path, columns: &Columns, mut take: impl FnMut(&Row) -> Result<(), String>) -> Result<(), SeriesError> {
    let mut file = CsvFile::open(path, columns, false)?;
    let wrong = |line, problem| SeriesError::Row { path: path.to_path_buf(), line, problem };
    while let Some(row) = file.next_row()? {
        let row = row.map_err(|(line, error)| wrong(line, error.message))?;
        take(&row).map_err(|problem| wrong(row.line, problem))?;
    }
    Ok(())
}

fn text<'a>(row: &'a Row, column: &str) -> Result<&'a str, String> {
    row.get(column).ok_or_else(|| format!("{column} is empty; fill it in"))
}

fn date(row: &Row, column: &str) -> Result<NaiveDate, String> {
    let given = text(row, column)?;
    given
        .parse::<NaiveDate>()
        .ok()
        .filter(|date| (FIRST_YEAR..=LAST_YEAR).contains(&date.year()))
        .ok_or_else(|| format!("{column} is \"{}\"; give a date from 1900 to 2100 as 2026-03-31", short(given)))
}

fn number(row: &Row, column: &str) -> Result<f64, String> {
    let given = text(row, column)?;
    given
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| format!("{column} is \"{}\"; give a number that is not below 0", short(given)))
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Reads a file of daily usage; its rows may come in any order.
///
/// # Errors
/// A file or a row that cannot be read, a day given twice.
pub fn read_fleet(path: &Path) -> Result<Fleet, SeriesError> {
    let mut days: BTreeMap<String, BTreeMap<NaiveDate, f64>> = BTreeMap::new();
    rows(path, &DAYS, |row| {
        let (name, date) = (text(row, "series")?, date(row, "date")?);
        let is_missing = match row.get("missing").unwrap_or("0") {
            "0" | "false" => false,
            "1" | "true" => true,
            other => {
                return Err(format!("missing is \"{}\"; give 1 for a day nothing is known of, else 0", short(other)));
            }
        };
        let value = if is_missing { f64::NAN } else { number(row, "value")? };
        match days.entry(name.to_owned()).or_default().insert(date, value) {
            None => Ok(()),
            Some(_) => Err(format!("{date} of {} is there twice; leave one of them out", short(name))),
        }
    })?;
    let series = days.into_iter().filter_map(|(name, days)| {
        let (first, last) = (*days.keys().next()?, *days.keys().next_back()?);
        let count = usize::try_from((last - first).num_days() + 1).ok()?;
        let mut units = vec![f64::NAN; count];
        for (date, value) in days {
            units[(date - first).num_days() as usize] = value;
        }
        Some((name, DailySeries { first, units, estimated: Vec::new() }))
    });
    Ok(series.collect())
}

/// Reads questions.
///
/// # Errors
/// A file or a row that cannot be read, a series the fleet does not have, no units.
pub fn read_questions(path: &Path, fleet: &Fleet) -> Result<Vec<Question>, SeriesError> {
    let mut questions = Vec::new();
    rows(path, &QUESTIONS, |row| {
        let (series, cut, units) = (text(row, "series")?, date(row, "cut")?, number(row, "units")?);
        if !fleet.contains_key(series) {
            return Err(format!("there is no series {}; ask for one of the file", short(series)));
        }
        if units <= 0.0 {
            return Err("units is 0; ask for more than that".to_owned());
        }
        questions.push(Question { series: series.to_owned(), cut, units });
        Ok(())
    })?;
    Ok(questions)
}

fn method(answer: &Answer) -> String {
    match answer.level {
        None => "nothing known before the cut".to_owned(),
        Some(level) => format!("level {level}, season {}", answer.season),
    }
}

/// Answers questions about a file of daily usage, each from the days up to its cut, and writes them
/// in their order. Gives how many. A day beyond ten years is left empty.
///
/// # Errors
/// A file that cannot be read or written; then there is no file of answers.
pub fn forecast_file(file: &Path, questions: &Path, out: &Path) -> Result<usize, SeriesError> {
    let fleet = read_fleet(file)?;
    let questions = read_questions(questions, &fleet)?;
    let answers = answers(&fleet, &questions);
    let cannot_write = |source| SeriesError::Write { path: out.to_path_buf(), source };
    let of_csv = |e: ::csv::Error| cannot_write(io::Error::from(e));
    // Written beside it first, so that what is there is whole.
    let part = out.with_extension("part");
    let mut writer = ::csv::Writer::from_writer(File::create(&part).map_err(cannot_write)?);
    writer.write_record(["series", "cut", "units", "p10_date", "p50_date", "p90_date", "method"]).map_err(of_csv)?;
    for (question, answer) in questions.iter().zip(&answers) {
        let day = |date: Option<NaiveDate>| date.map(|date| date.to_string()).unwrap_or_default();
        let dates = &answer.forecast;
        let (cut, units) = (question.cut.to_string(), question.units.to_string());
        let row = [&question.series, &cut, &units, &day(dates.p10), &day(dates.p50), &day(dates.p90), &method(answer)];
        writer.write_record(row).map_err(of_csv)?;
    }
    writer.flush().map_err(cannot_write)?;
    std::fs::rename(&part, out).map_err(cannot_write)?;
    Ok(answers.len())
}

/// Back-tests files of daily usage, each as a fleet of its own.
///
/// # Errors
/// A file or a row that cannot be read.
pub fn backtest_files(files: &[PathBuf], seed: u64) -> Result<Vec<(String, Report)>, SeriesError> {
    files
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = name.trim_end_matches(".gz").trim_end_matches(".csv").to_owned();
            Ok((name, backtest(&read_fleet(path)?, seed, CUTS)))
        })
        .collect()
}

/// The table a person reads.
pub fn table(reports: &[(String, Report)]) -> String {
    let mut lines = vec![format!(
        "{:<28}{:>6}{:>7} {:>22}{:>22}{:>7}{:>8}{:>7}{:>9}{:>9}",
        "", "", "", "mean/median/P90 error", "28-day mean's", "ratio", "bias", ">7 late", "P10-P90", "time",
    )];
    lines.push(format!(
        "{:<28}{:>6}{:>7} {:>22}{:>22}{:>7}{:>8}{:>7}{:>9}{:>9}",
        "fleet", "series", "asked", "days", "days", "", "days", "", "holds", "µs/answer",
    ));
    for (name, r) in reports {
        let errors = |s: &crate::usage::forecast::backtest::Score| {
            format!("{:.2} / {:.0} / {:.0}", s.mean_days, s.median_days, s.p90_days)
        };
        lines.push(format!(
            "{name:<28}{:>6}{:>7} {:>22}{:>22}{:>7.2}{:>+8.2}{:>6.0}%{:>8.0}%{:>9.0}",
            r.series,
            r.questions,
            errors(&r.forecast),
            errors(&r.plain),
            r.ratio,
            r.forecast.bias_days,
            100.0 * r.forecast.late,
            100.0 * r.coverage,
            r.answer_micros,
        ));
    }
    for (name, r) in reports {
        lines.push(format!(
            "{name}: a fit takes {:.0} µs, learning what the fleet has in common {:.0} µs a series",
            r.fit_micros, r.learn_micros
        ));
    }
    lines.join("\n")
}
