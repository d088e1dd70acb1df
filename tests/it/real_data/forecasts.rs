//! Forecasts of five real fleets against what happened: shops, cash machines of two countries, small
//! firms, vending machines. Skipped where they are absent, as the data must not be shipped.

use chrono::{Days, NaiveDate};
use std::path::Path;
use tillkeep::ingest::series::{backtest_files, read_fleet};
use tillkeep::usage::forecast::answers::{Question, answers};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/usage");

/// A fleet, the error its forecasts must keep below as a share of the 28-day mean's, and the share of
/// days that must lie in their interval. The bounds leave room for the luck of the questions, of which
/// there are few for all but the first two.
const FLEETS: [(&str, f64, f64); 5] = [
    ("store_transactions_daily", 0.72, 0.70),
    ("nn5_daily", 0.85, 0.68),
    ("xyz_atm_daily", 1.0, 0.6),
    ("fhv_trips_daily", 0.97, 0.6),
    ("eport_daily", 0.97, 0.5),
];

fn path(name: &str) -> Option<std::path::PathBuf> {
    let path = Path::new(FOLDER).join(format!("{name}.csv.gz"));
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not here; it is not part of the repository", path.display());
    None
}

#[test]
fn forecasts_of_real_fleets_are_nearer_than_the_mean_of_28_days_and_their_intervals_hold() {
    for (name, most, least) in FLEETS {
        let Some(path) = path(name) else { continue };
        let reports = backtest_files(&[path], 2).unwrap();
        let (_, report) = &reports[0];
        assert!(report.questions > 20, "{name}: {report:?}");
        assert!(report.ratio <= most, "{name}: {report:?}");
        assert!((least..=0.95).contains(&report.coverage), "{name}: {report:?}");
    }
}

#[test]
fn real_days_after_the_cut_change_no_answer() {
    let Some(path) = path("nn5_daily") else { return };
    let fleet = read_fleet(&path).unwrap();
    let cut: NaiveDate = "1997-09-01".parse().unwrap();
    let asked: Vec<Question> = fleet
        .keys()
        .take(6)
        .flat_map(|name| [200.0, 900.0].map(|units| Question { series: name.clone(), cut, units }))
        .collect();
    let known = fleet.iter().map(|(name, series)| (name.clone(), series.until(cut))).collect();
    let mut turned = fleet.clone();
    for series in turned.values_mut() {
        let place = (cut + Days::new(1) - series.first).num_days() as usize;
        series.units[place..].reverse();
    }
    assert_eq!(answers(&fleet, &asked), answers(&known, &asked));
    assert_eq!(answers(&fleet, &asked), answers(&turned, &asked));
}
