//! The mean time between failures against published sets of lifetimes.

use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use tillkeep::reports::rules::{CONFIDENCE, chi_square_quantile, mtbf};

/// Where the sets are; outside the project, because the data must not be shipped.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/reliability");

fn path(file: &str) -> PathBuf {
    PathBuf::from(FOLDER).join(file)
}

/// The answers; none where the data is absent.
fn answers() -> Option<Value> {
    let Ok(text) = fs::read_to_string(path("known_answers.json")) else {
        println!("skipped: {FOLDER} is not there");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found / expected - 1.0).abs() < tolerance, "{what}: {found} is not {expected}");
}

#[test]
fn the_mean_of_lifetimes_is_the_published_one_and_its_bound_lies_below() {
    let Some(answers) = answers() else { return };
    // Time under observation and failures by set.
    let mut sets: BTreeMap<String, (f64, u64)> = BTreeMap::new();
    let file = GzDecoder::new(File::open(path("lifetimes.csv.gz")).unwrap());
    for row in csv::Reader::from_reader(file).records() {
        let row = row.unwrap();
        let (time, failures) = sets.entry(row[0].to_owned()).or_default();
        *time += row[1].parse::<f64>().unwrap();
        *failures += row[2].parse::<u64>().unwrap();
    }
    let mut compared = 0;
    for (name, (time, failures)) in &sets {
        let Some(expected) = answers[name]["exp_mtbf"].as_f64() else { continue };
        assert_eq!(answers[name]["n_failures"].as_u64(), Some(*failures), "{name}");
        let found = mtbf(*time, *failures);
        close(found.mean.unwrap(), expected, 1e-9, name);
        let bound = found.lower_bound.unwrap();
        assert!(bound < expected, "{name}: {bound} of {expected}");
        // Of more failures the bound is the closer.
        let looser = mtbf(*time / 2.0, *failures / 2).lower_bound.unwrap();
        assert!(looser < bound, "{name}: {looser} of {bound}");
        close(2.0 * time / bound, chi_square_quantile(CONFIDENCE, 2.0 * *failures as f64 + 2.0), 1e-12, name);
        compared += 1;
    }
    assert_eq!(compared, 4, "sets with a mean: {sets:?}");
}

#[test]
fn the_mean_of_valve_seats_that_are_replaced_is_the_published_one() {
    let Some(answers) = answers() else { return };
    // A row each replacement and one at the end of each engine's observation.
    let mut ends: BTreeMap<String, f64> = BTreeMap::new();
    let mut replacements = 0;
    for row in csv::Reader::from_path(path("valve_seats.csv")).unwrap().records() {
        let row = row.unwrap();
        let days: f64 = row[1].parse().unwrap();
        let end = ends.entry(row[0].to_owned()).or_default();
        *end = end.max(days);
        replacements += row[2].parse::<u64>().unwrap();
    }
    let known = &answers["valve_seats"];
    assert_eq!(
        (known["systems"].as_u64(), known["replacements"].as_u64()),
        (Some(ends.len() as u64), Some(replacements))
    );
    let found = mtbf(ends.values().sum(), replacements);
    close(found.time, known["total_days"].as_f64().unwrap(), 1e-12, "days");
    close(found.mean.unwrap(), known["mtbf_days"].as_f64().unwrap(), 1e-9, "valve seats");
}
