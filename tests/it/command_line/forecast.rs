//! Forecasts of files: what is answered, what is refused, and what is held against what happened.

use super::{Said, folder, run, tillkeep};
use crate::ingest::gzip;
use chrono::{Days, NaiveDate};
use serde_json::Value;
use std::fs;
use std::path::Path;

fn first() -> NaiveDate {
    "2024-01-01".parse().unwrap()
}

/// Two shops of ten and of thirty a day, closed on Sundays, and what they do after a day.
fn days(count: u64, later_units: u64) -> Vec<String> {
    let mut rows = Vec::new();
    for n in 0..count {
        let date = first() + Days::new(n);
        for (name, per_day) in [("corner", 10), ("mall", 30)] {
            let units = if n >= 200 { later_units } else { per_day };
            let row = match n % 7 {
                6 => format!("{name},{date},0,0"),
                // One day in the middle nobody knows of.
                3 if n == 101 => format!("{name},{date},,1"),
                _ => format!("{name},{date},{units},0"),
            };
            rows.push(row);
        }
    }
    rows
}

fn file(rows: &[String]) -> String {
    format!("series,date,value,missing\n{}\n", rows.join("\n"))
}

const QUESTIONS: &str = "series,cut,units\ncorner,2024-07-18,60\nmall,2024-07-18,900\ncorner,2024-03-31,600.5\n";

/// The answers to the questions.
fn answers(folder: &Path, days: &[u8], questions: &str) -> Said {
    fs::write(folder.join("days.csv"), days).unwrap();
    fs::write(folder.join("q.csv"), questions).unwrap();
    let args = ["forecast", "days.csv", "--questions", "q.csv", "--out", "a.csv"];
    Said::by(tillkeep(folder, &args).spawn().unwrap())
}

#[test]
fn forecast_answers_each_question_in_its_order_from_the_days_up_to_its_cut() {
    let folder = folder();
    let said = answers(folder.path(), file(&days(200, 0)).as_bytes(), QUESTIONS).done();
    assert!(said.starts_with("3 answers"), "{said}");
    let text = fs::read_to_string(folder.path().join("a.csv")).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["series", "cut", "units", "p10_date", "p50_date", "p90_date", "method"]);
    // Six working days at ten: Friday to Thursday, over a Sunday.
    assert_eq!(rows[1][..3], ["corner", "2024-07-18", "60"]);
    assert_eq!(rows[1][4], "2024-07-25");
    // Thirty working days at thirty: five weeks.
    assert_eq!(rows[2][4], "2024-08-22");
    assert_eq!(rows[3][..3], ["corner", "2024-03-31", "600.5"]);
    for row in &rows[1..] {
        assert!(row[1] < row[3] && row[3] <= row[4] && row[4] <= row[5], "{row:?}");
        assert!(row[6].contains("DEVICE"), "{row:?}");
    }
}

#[test]
fn rows_in_another_order_and_days_after_the_cut_change_no_answer() {
    let folder = folder();
    answers(folder.path(), file(&days(200, 0)).as_bytes(), QUESTIONS).done();
    let known = fs::read_to_string(folder.path().join("a.csv")).unwrap();
    let mut rows = days(380, 9_000);
    rows.reverse();
    rows.rotate_left(77);
    answers(folder.path(), &gzip(file(&rows).as_bytes()), QUESTIONS).done();
    assert_eq!(fs::read_to_string(folder.path().join("a.csv")).unwrap(), known);
}

#[test]
fn a_file_that_cannot_be_used_is_refused_by_its_line_and_nothing_is_written() {
    let good = file(&days(200, 0));
    let with = |row: &str| format!("{good}{row}\n");
    let cases = [
        (good.replace("series,date,value", "name,date,value"), QUESTIONS.to_owned(), "no column series"),
        (with("mall,2024-13-01,5,0"), QUESTIONS.to_owned(), "line 402: date is \"2024-13-01\""),
        (with("mall,2025-01-01,many,0"), QUESTIONS.to_owned(), "line 402: value is \"many\""),
        (with("mall,2025-01-01,-1,0"), QUESTIONS.to_owned(), "not below 0"),
        (with("mall,2025-01-01,5,maybe"), QUESTIONS.to_owned(), "missing is \"maybe\""),
        (with("mall,2024-01-01,5,0"), QUESTIONS.to_owned(), "is there twice"),
        (good.clone(), "series,cut,units\nbazaar,2024-07-18,5\n".to_owned(), "line 2: there is no series bazaar"),
        (good.clone(), "series,cut,units\nmall,2024-07-18,0\n".to_owned(), "units is 0"),
        (good.clone(), "series,cut\nmall,2024-07-18\n".to_owned(), "no column units"),
    ];
    for (days, questions, problem) in cases {
        let folder = folder();
        let said = answers(folder.path(), days.as_bytes(), &questions).failed();
        assert!(said.contains(problem), "{said} lacks {problem}");
        assert!(!folder.path().join("a.csv").exists());
    }
    assert!(
        run(&["forecast", "nothing.csv", "--questions", "q.csv", "--out", "a.csv"]).failed().contains("nothing.csv")
    );
    assert_eq!(run(&["forecast", "days.csv"]).status, Some(2));
    assert_eq!(run(&["backtest"]).status, Some(2));
}

#[test]
fn backtest_prints_a_table_or_json_and_the_same_seed_asks_the_same() {
    let folder = folder();
    fs::write(folder.path().join("shops.csv"), file(&days(200, 0))).unwrap();
    let said = |args: &[&str]| Said::by(tillkeep(folder.path(), args).spawn().unwrap()).done();
    let table = said(&["backtest", "shops.csv"]);
    assert!(table.contains("P10-P90") && table.contains("shops "), "{table}");
    let json = |seed: &str| -> Value {
        let mut report: Value =
            serde_json::from_str(&said(&["backtest", "shops.csv", "--seed", seed, "--format", "json"])).unwrap();
        // What it took differs from run to run.
        for time in ["learn_micros", "fit_micros", "answer_micros"] {
            assert!(report["shops"][time].take().as_f64().unwrap() >= 0.0);
        }
        report
    };
    let report = json("7");
    assert_eq!(report, json("7"));
    assert_eq!(report["shops"]["series"], 2);
    assert!(report["shops"]["questions"].as_u64().unwrap() > 20);
    assert!(report["shops"]["forecast"]["mean_days"].as_f64().unwrap() < 2.0, "{report}");
}
