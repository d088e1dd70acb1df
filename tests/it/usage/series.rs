//! The readings that conditions look at, as the store hands them out.

use crate::support::{TestApp, at};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tillkeep::kernel::ids::DeviceId;
use tillkeep::kernel::scope::Scope;
use tillkeep::usage::measure::{Attributes, Measure, value_at};
use tillkeep::usage::series_store::series;

fn day(n: i64) -> DateTime<Utc> {
    at("2026-04-20T15:00:00Z") + TimeDelta::days(n)
}

/// Daily readings of a device; the fourth is too fast to be believed, and after it the counter
/// begins again.
async fn read(app: &TestApp, device: &str) {
    let values = [(0, 100.0), (1, 200.0), (2, 300.0), (3, 900_000.0), (4, 50.0), (5, 150.0)];
    let readings = values.iter().map(|(n, value)| (device, "TRANSACTIONS", *value, day(*n).to_rfc3339())).collect();
    let payload = app.read_many(readings).await;
    assert_eq!(payload["acceptedCount"], json!(5), "{payload:#}");
}

fn asked(devices: &[String]) -> Vec<(DeviceId, Vec<String>)> {
    devices.iter().map(|d| (DeviceId::parse_global(d).unwrap(), vec!["TRANSACTIONS".to_owned()])).collect()
}

#[tokio::test]
async fn a_series_has_what_counted_since_a_moment_and_the_last_reading_before_it() {
    let app = TestApp::start().await;
    let read_one = app.fielded("READ", "2026-04-01T02:00:00Z").await.device;
    let silent = app.fielded("SILENT", "2026-04-01T02:00:00Z").await.device;
    read(&app, &read_one).await;
    let mut asked = asked(&[silent, read_one]);
    asked.push((asked[1].0, vec![]));
    let from = day(2);
    let found = series(app.db().reader(), &Scope::DEFAULT, &asked, from, day(5)).await.unwrap();
    assert_eq!(found.len(), 3);
    assert!(found[0].meters.is_empty() && found[0].last_reading_at.is_none() && found[0].normal_gap.is_none());
    assert!(found[2].meters.is_empty(), "no meter was asked for");

    let points = &found[1].meters["TRANSACTIONS"].points;
    let seen: Vec<_> = points.iter().map(|p| (p.at, p.value, p.life)).collect();
    let expected =
        [(1, 200.0, 200.0), (2, 300.0, 300.0), (4, 50.0, 350.0), (5, 150.0, 450.0)].map(|(n, v, l)| (day(n), v, l));
    assert_eq!(seen, expected);
    for of_device in &found[1..] {
        assert_eq!(of_device.moments, [0, 1, 2, 4, 5].map(day));
        assert_eq!(of_device.normal_gap, Some(TimeDelta::days(1)));
        assert_eq!(of_device.last_reading_at, Some(day(5)));
    }
    let grown = Measure::Delta { meter: "TRANSACTIONS".to_owned(), window_days: 3 };
    let measured = value_at(&grown, &found[1], &Attributes::default(), day(5));
    assert_eq!(measured.map(|m| m.value), Some(150.0), "a reset counts as what came after it");
}

#[tokio::test]
async fn the_series_of_many_devices_cost_as_many_statements_as_of_one() {
    let app = TestApp::start().await;
    let mut devices = Vec::new();
    for serial in 0..8 {
        let device = app.fielded(&format!("S{serial}"), "2026-04-01T02:00:00Z").await.device;
        read(&app, &device).await;
        devices.push(device);
    }
    let mut costs = Vec::new();
    for some in [&devices[..1], &devices[..]] {
        let before = app.db().statement_count();
        let found = series(app.db().reader(), &Scope::DEFAULT, &asked(some), day(2), day(5)).await.unwrap();
        costs.push(app.db().statement_count() - before);
        assert!(found.iter().all(|s| s.meters["TRANSACTIONS"].points.len() == 4 && s.moments.len() == 5));
    }
    assert_eq!(costs[0], costs[1], "of 1 and 8 devices");
}
