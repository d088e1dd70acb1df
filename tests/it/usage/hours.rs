//! How busy a device is in each hour of its week.

use crate::support::{TestApp, at, text};
use chrono::{TimeDelta, Timelike};
use serde_json::{Value, json};

/// Two weeks of readings every so many hours of a shop that does 30 an hour from 9:00 to 21:00 in
/// Shanghai, from Monday 20 April 0:00 there on.
pub async fn read_two_weeks(app: &TestApp, device: &str, every: usize) {
    let begin = at("2026-04-19T16:00:00Z");
    let mut total = 0;
    let mut readings = Vec::new();
    for hour in 0..=336 {
        let moment = begin + TimeDelta::hours(hour);
        if (hour as usize).is_multiple_of(every) {
            readings.push((device, "TRANSACTIONS", f64::from(total), moment.to_rfc3339()));
        }
        let local = (moment.hour() + 8) % 24;
        if (9..21).contains(&local) {
            total += 30;
        }
    }
    let count = readings.len();
    let payload = app.read_many(readings).await;
    assert_eq!(payload["acceptedCount"], json!(count), "{payload:#}");
}

const HOURS: &str = r#"query($device: ID!) { device(id: $device) {
    usagePattern(meter: "TRANSACTIONS") { dailyRate hourRates }
} }"#;

async fn hour_rates(app: &TestApp, device: &str) -> Value {
    app.gql(HOURS, json!({"device": device})).await["device"]["usagePattern"]["hourRates"].clone()
}

#[tokio::test]
async fn hours_of_the_week_are_those_of_the_site_and_null_where_readings_do_not_say() {
    let app = TestApp::start().await;
    let hourly = app.fielded("HOURLY", "2026-04-01T02:00:00Z").await;
    let daily = app.fielded("DAILY", "2026-04-01T02:00:00Z").await;
    assert_eq!(hour_rates(&app, &hourly.device).await, Value::Null, "nothing was read yet");
    read_two_weeks(&app, &hourly.device, 1).await;
    read_two_weeks(&app, &daily.device, 24).await;
    let before = hour_rates(&app, &hourly.device).await;
    assert_eq!(app.refresh_forecasts().await.profiles_written, 1);
    assert_eq!(hour_rates(&app, &daily.device).await, Value::Null);

    let rates = hour_rates(&app, &hourly.device).await;
    assert_eq!(rates, before, "before its first nightly run they are found when they are asked for");
    let rates: Vec<f64> = rates.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    assert_eq!(rates.len(), 168);
    for (place, rate) in rates.iter().enumerate() {
        let expected = if (9..21).contains(&(place % 24)) { 30.0 } else { 0.0 };
        assert!((rate - expected).abs() < 1e-6, "hour {place} of the week is {rate} and not {expected}");
    }
}

#[tokio::test]
async fn hours_of_the_week_of_a_page_cost_the_same_for_one_device_and_for_many() {
    let app = TestApp::start().await;
    for serial in 0..6 {
        let made = app.fielded(&format!("H{serial}"), "2026-04-01T02:00:00Z").await;
        read_two_weeks(&app, &made.device, 1).await;
    }
    app.refresh_forecasts().await;
    let query = r#"query($first: Int) { devices(first: $first) {
        nodes { serialNumber usagePattern(meter: "TRANSACTIONS") { dailyRate hourRates } }
    } }"#;
    let mut costs = Vec::new();
    for first in [1, 6] {
        let before = app.db().statement_count();
        let data = app.gql(query, json!({"first": first})).await;
        costs.push(app.db().statement_count() - before);
        let nodes = data["devices"]["nodes"].as_array().cloned().unwrap_or_default();
        assert_eq!(nodes.len(), first);
        for node in nodes {
            let rates = node["usagePattern"]["hourRates"].as_array().map(Vec::len);
            assert_eq!(rates, Some(168), "{}", text(&node["serialNumber"]));
        }
    }
    assert_eq!(costs[0], costs[1], "of 1 and 6 devices");
}
