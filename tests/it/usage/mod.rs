//! Readings through the API: what each is taken for, and that their order of arrival cannot matter.

mod forecast;
mod hours;
mod late_swap;
mod refresh;
mod series;

use crate::support::builders::MAKER;
use crate::support::{TestApp, at, instant, only, text};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A counter shortly before its 32 bits are full.
const TOP: i64 = 4_294_966_000;

/// Hours after 1 April began in Shanghai, and the counter: it wraps, is read twice at one time, is
/// reset, jumps, and is silent for 13 days.
const HISTORY: [(i64, i64); 10] = [
    (0, TOP),
    (24, TOP + 500),
    (48, 200),
    (72, 650),
    (72, 700),
    (96, 100),
    (120, 400),
    (144, 900_000),
    (168, 600),
    (480, 5_000),
];
/// The place of the jump.
const JUMP: usize = 7;
/// What was used in those 20 days: 500, 996 to the wrap and after it, 500, then 100 since the
/// reset, 300, 200 without the jump, and 4,400.
const USED: i64 = 500 + 996 + 500 + 100 + 300 + 200 + 4_400;

fn hour(n: i64) -> DateTime<Utc> {
    at("2026-03-31T16:00:00Z") + TimeDelta::hours(n)
}

/// A model with a 32-bit counter that is believed 5,000 a day.
async fn model(app: &TestApp) -> String {
    let input = json!({
        "manufacturer": MAKER,
        "name": "HX-32",
        "meters": [{"code": "TRANSACTIONS", "modulus": 4_294_967_296_i64, "maxPerDay": 5_000, "planningPerDay": 15}],
    });
    text(&app.mutate("createDeviceModel", "deviceModel { id }", input).await["deviceModel"]["id"])
}

/// A device that stands in Shanghai since March.
async fn device(app: &TestApp, model: &str, serial: &str) -> String {
    let merchant = app.merchant(serial).await;
    let site = app.site(&merchant).await;
    let position = app.position(&site, "Till", None).await;
    let device = app.device(model, serial).await;
    app.install(&device, &position, "2026-03-01T02:00:00Z").await;
    device
}

/// Sends readings (hours, value) in one request.
async fn send(app: &TestApp, device: &str, readings: &[(i64, i64)]) -> Value {
    let rows = readings.iter().map(|(n, value)| (device, "TRANSACTIONS", *value as f64, hour(*n).to_rfc3339()));
    app.read_many(rows.collect()).await
}

/// How many readings were accepted and were there already, and of the others row, code and whether
/// they are kept aside.
fn answered(payload: &Value) -> (i64, i64, Vec<(i64, String, bool)>) {
    let count = |field: &str| payload[field].as_i64().unwrap();
    let rejected = payload["rejected"].as_array().into_iter().flatten();
    let row = |r: &Value| (r["row"].as_i64().unwrap(), text(&r["code"]), r["isKeptAside"].as_bool().unwrap());
    (count("acceptedCount"), count("duplicateCount"), rejected.map(row).collect())
}

fn too_fast(row: i64) -> (i64, String, bool) {
    (row, "OUT_OF_RANGE".to_owned(), true)
}

async fn look(app: &TestApp, device: &str) -> Value {
    let query = r#"query($device: ID!) { device(id: $device) {
        lastSeenAt
        meters { code latestValue latestAt lifeCounter }
        usagePattern(meter: "TRANSACTIONS") { dailyRate weekdayRates spread observedDays asOf source }
        history(kinds: [METER_ANOMALY, READING_REINTERPRETED], first: 500) {
            nodes { sequence kind occurredAt payload corrects }
        }
        historyIntegrity { isIntact }
    } }"#;
    let mut data = app.gql(query, json!({"device": device})).await;
    assert_eq!(data["device"]["historyIntegrity"]["isIntact"], true);
    data["device"].take()
}

fn life(device: &Value) -> f64 {
    only(&device["meters"])["lifeCounter"].as_f64().unwrap()
}

fn events<'a>(device: &'a Value, kind: &str) -> Vec<&'a Value> {
    device["history"]["nodes"].as_array().into_iter().flatten().filter(|e| e["kind"] == kind).collect()
}

/// The anomalies of a file, by device time.
fn anomalies(device: &Value) -> Vec<(DateTime<Utc>, String)> {
    let told = events(device, "METER_ANOMALY");
    let mut told: Vec<_> =
        told.into_iter().map(|e| (instant(&e["occurredAt"]), text(&e["payload"]["anomaly"]))).collect();
    told.sort_unstable();
    told
}

/// The corrections of a file: device time, what it was and is, and the event it corrects.
fn corrections(device: &Value) -> Vec<(DateTime<Utc>, String, String, Option<i64>)> {
    let told = events(device, "READING_REINTERPRETED").into_iter();
    let row = |e: &Value| {
        let payload = &e["payload"];
        (instant(&e["occurredAt"]), text(&payload["was"]), text(&payload["is"]), e["corrects"].as_i64())
    };
    told.map(row).collect()
}

#[tokio::test]
async fn readings_in_any_order_of_arrival_give_the_same_counters_patterns_and_one_anomaly_a_day() {
    let app = TestApp::start().await;
    let model = model(&app).await;
    let in_order = device(&app, &model, "ORDER").await;
    let (accepted, duplicates, rejected) = answered(&send(&app, &in_order, &HISTORY).await);
    assert_eq!(accepted + rejected.len() as i64, 10, "every row is answered");
    assert_eq!(duplicates, 0);
    assert!(rejected.contains(&too_fast(JUMP as i64)), "{rejected:?}");

    let found = look(&app, &in_order).await;
    assert_eq!(life(&found), (TOP + USED) as f64);
    let meter = only(&found["meters"]);
    assert_eq!((meter["latestValue"].as_f64(), instant(&meter["latestAt"])), (Some(5_000.0), hour(480)));
    let pattern = &found["usagePattern"];
    // Near the mean: what two weeks sold and what all of them did both count.
    assert!((pattern["dailyRate"].as_f64().unwrap() / (USED as f64 / 20.0) - 1.0).abs() < 0.25, "{pattern:#}");
    assert_eq!((&pattern["observedDays"], &pattern["source"]), (&json!(20), &json!("DEVICE")));
    assert_eq!(pattern["asOf"], "2026-04-20");
    let expected = [(48, "ROLLOVER"), (96, "RESET"), (144, "TOO_FAST")];
    assert_eq!(anomalies(&found), expected.map(|(n, kind)| (hour(n), kind.to_owned())));

    let arrivals: [&[usize]; 3] =
        [&[9, 8, 7, 6, 5, 4, 3, 2, 1, 0], &[6, 2, 9, 0, 7, 4, 1, 8, 3, 5], &[5, 3, 8, 1, 4, 7, 0, 9, 2, 6]];
    for (at_a_time, arrival) in (1..).zip(arrivals) {
        let device = device(&app, &model, &format!("SHUFFLED{at_a_time}")).await;
        for some in arrival.chunks(at_a_time) {
            let readings: Vec<(i64, i64)> = some.iter().map(|place| HISTORY[*place]).collect();
            send(&app, &device, &readings).await;
        }
        let other = look(&app, &device).await;
        for field in ["meters", "usagePattern", "lastSeenAt"] {
            assert_eq!(other[field], found[field], "{field} after {arrival:?}, {at_a_time} at a time");
        }
        let told = anomalies(&other);
        let days: BTreeSet<_> =
            told.iter().map(|(when, kind)| ((*when + TimeDelta::hours(8)).date_naive(), kind)).collect();
        assert_eq!(days.len(), told.len(), "one event a day and kind: {told:?}");
    }

    let again = answered(&send(&app, &in_order, &HISTORY).await);
    assert_eq!(again, (0, 9, vec![too_fast(JUMP as i64)]));
    assert_eq!(look(&app, &in_order).await, found, "the same readings again change nothing");
}

#[tokio::test]
async fn every_reading_that_cannot_count_is_answered_by_its_row() {
    let app = TestApp::start().await;
    let model = model(&app).await;
    let id = device(&app, &model, "ROWS").await;
    let row =
        |value: i64, read_at: &str| json!({"deviceId": id, "meter": "TRANSACTIONS", "value": value, "readAt": read_at});
    let (good, future, too_old) =
        (row(100, "2026-05-03T14:00:00Z"), row(200, "2026-05-04T09:00:00Z"), row(50, "2020-01-01T00:00:00Z"));
    let readings = json!([
        good,
        future,
        too_old,
        row(1, "9999-01-01T00:00:00Z"),
        row(-1, "2026-05-03T15:00:00Z"),
        {"deviceId": id, "meter": "PAGES", "value": 1, "readAt": "2026-05-03T15:00:00Z"},
        {"serialNumber": "NOBODY", "meter": "TRANSACTIONS", "value": 1, "readAt": "2026-05-03T15:00:00Z"},
        {"meter": "TRANSACTIONS", "value": 1, "readAt": "2026-05-03T15:00:00Z"},
        {"deviceId": "nonsense", "meter": "TRANSACTIONS", "value": 1, "readAt": "2026-05-03T15:00:00Z"},
        good,
    ]);
    let selection = "acceptedCount duplicateCount rejected { row code message isKeptAside }";
    let record = async |readings: Value| app.mutate("recordReadings", selection, json!({"readings": readings})).await;
    let payload = record(readings).await;
    let rejected = [
        ("INVALID_INSTANT", true),
        ("INVALID_INSTANT", true),
        ("INVALID_INSTANT", false),
        ("INVALID_NUMBER", false),
        ("UNKNOWN_METER", false),
        ("NOT_FOUND", false),
        ("REQUIRED", false),
        ("MALFORMED_ID", false),
    ];
    let rejected: Vec<(i64, String, bool)> =
        (1..).zip(rejected).map(|(row, (code, is_kept))| (row, code.to_owned(), is_kept)).collect();
    assert_eq!(answered(&payload), (1, 1, rejected), "{payload:#}");
    assert_eq!(life(&look(&app, &id).await), 100.0);

    // When its time has come, the reading that was early counts; the old one never does.
    app.set_clock("2026-05-04T09:00:00Z");
    let payload = record(json!([future, too_old])).await;
    assert_eq!(answered(&payload), (1, 0, vec![(1, "INVALID_INSTANT".to_owned(), true)]), "{payload:#}");
    let found = look(&app, &id).await;
    assert_eq!(life(&found), 200.0);
    assert_eq!(found["history"]["nodes"], json!([]), "a wrong clock is no anomaly of the counter");
}

#[tokio::test]
async fn a_reading_that_grew_too_fast_counts_once_the_time_between_explains_it() {
    let app = TestApp::start().await;
    let model = model(&app).await;
    let slow = device(&app, &model, "SLOW").await;
    send(&app, &slow, &[(0, 0)]).await;
    for _ in 0..2 {
        let payload = send(&app, &slow, &[(24, 20_000)]).await;
        assert_eq!(answered(&payload), (0, 0, vec![too_fast(0)]));
        let message = text(&payload["rejected"][0]["message"]);
        assert!(message.contains("more than 5000 a day"), "{message}");
    }
    let found = look(&app, &slow).await;
    assert_eq!((life(&found), anomalies(&found)), (0.0, vec![(hour(24), "TOO_FAST".to_owned())]), "told once");
    assert_eq!(answered(&send(&app, &slow, &[(120, 20_000)]).await), (1, 0, vec![]), "in five days it can be");
    assert_eq!(life(&look(&app, &slow).await), 20_000.0);

    // 9,000 by noon are too many; with 4,500 at six they are not.
    let busy = device(&app, &model, "BUSY").await;
    assert_eq!(answered(&send(&app, &busy, &[(0, 0), (12, 9_000)]).await), (1, 0, vec![too_fast(1)]));
    assert_eq!(answered(&send(&app, &busy, &[(6, 4_500)]).await), (1, 0, vec![]));
    let found = look(&app, &busy).await;
    assert_eq!(life(&found), 9_000.0);
    let anomaly = events(&found, "METER_ANOMALY")[0]["sequence"].as_i64();
    assert_eq!(corrections(&found), [(hour(12), "TOO_FAST".to_owned(), "COUNTED".to_owned(), anomaly)]);
    assert_eq!(answered(&send(&app, &busy, &[(12, 9_000)]).await), (0, 1, vec![]));
}

#[tokio::test]
async fn a_late_reading_changes_what_an_earlier_one_was_taken_for_and_the_file_says_so() {
    let app = TestApp::start().await;
    let model = model(&app).await;
    let reset = device(&app, &model, "RESET").await;
    assert_eq!(answered(&send(&app, &reset, &[(0, 1_000), (48, 300)]).await), (2, 0, vec![]));
    let found = look(&app, &reset).await;
    assert_eq!((life(&found), anomalies(&found)), (1_300.0, vec![(hour(48), "RESET".to_owned())]));
    let told = events(&found, "METER_ANOMALY")[0]["sequence"].as_i64();

    // The counter began again a day before.
    assert_eq!(answered(&send(&app, &reset, &[(24, 100)]).await), (1, 0, vec![]));
    let found = look(&app, &reset).await;
    assert_eq!(life(&found), 1_300.0);
    assert_eq!(anomalies(&found), [24, 48].map(|n| (hour(n), "RESET".to_owned())));
    assert_eq!(corrections(&found), [(hour(48), "RESET".to_owned(), "COUNTED".to_owned(), told)]);

    // 14,000 in four days are believed, in the last of them they are not.
    let jump = device(&app, &model, "JUMP").await;
    send(&app, &jump, &[(0, 1_000), (96, 15_000)]).await;
    assert_eq!(life(&look(&app, &jump).await), 15_000.0);
    send(&app, &jump, &[(72, 1_000)]).await;
    let found = look(&app, &jump).await;
    assert_eq!(life(&found), 1_000.0);
    assert_eq!(corrections(&found), [(hour(96), "COUNTED".to_owned(), "TOO_FAST".to_owned(), None)]);
}
