//! Readings that do not count, row by row: what was given is answered with its code, and only
//! what may turn out to be right is kept aside.

use super::database::rows;
use super::refused_all;
use super::world::{World, twin};
use crate::support::{TestApp, text};
use serde_json::{Value, json};
use tillkeep::kernel::ids::join_global;
use uuid::Uuid;

/// A good reading with other values; null takes a value away.
fn reading(device: &str, changes: Value) -> Value {
    let mut reading = json!({
        "deviceId": device, "meter": "TRANSACTIONS", "value": 100, "readAt": "2026-05-04T02:00:00Z",
    });
    for (field, value) in changes.as_object().into_iter().flatten() {
        reading[field] = value.clone();
    }
    reading
}

/// Sends readings that must all be refused, with the code of each and whether it is kept aside.
async fn rejected(app: &TestApp, cases: &[(Value, &str)], is_kept_aside: bool) {
    let readings: Vec<&Value> = cases.iter().map(|(reading, _)| reading).collect();
    let selection = "acceptedCount duplicateCount rejected { row code message isKeptAside }";
    let payload = app.mutate("recordReadings", selection, json!({"readings": readings})).await;
    let rejected: Vec<(usize, String, bool)> = payload["rejected"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|r| (r["row"].as_u64().unwrap() as usize, text(&r["code"]), r["isKeptAside"] == true))
        .collect();
    let expected: Vec<(usize, String, bool)> =
        cases.iter().enumerate().map(|(row, (_, code))| (row, (*code).to_owned(), is_kept_aside)).collect();
    assert_eq!(rejected, expected, "{payload:#}");
    assert_eq!((&payload["acceptedCount"], &payload["duplicateCount"]), (&json!(0), &json!(0)));
    for message in payload["rejected"].as_array().into_iter().flatten().map(|r| text(&r["message"])) {
        assert!((1..1_000).contains(&message.len()), "{message}");
    }
}

#[tokio::test]
async fn a_reading_that_cannot_be_is_refused_by_its_row_and_not_stored() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    twin(&app, "HX3").await;
    let device = &world.fielded.device;
    let by = |field: &str, value: &str| reading(device, json!({"deviceId": null, field: value}));
    let id = |kind: &str| join_global(kind, Uuid::from_u128(7));
    let long = "x".repeat(10_000);
    let before = rows(&app).await;
    let cases = [
        (reading(device, json!({"value": -1})), "INVALID_NUMBER"),
        (reading(device, json!({"value": 1e300})), "INVALID_NUMBER"),
        (reading(device, json!({"value": 9_007_199_254_740_993_u64})), "INVALID_NUMBER"),
        (reading(device, json!({"meter": "COFFEES"})), "UNKNOWN_METER"),
        (reading(device, json!({"meter": ""})), "UNKNOWN_METER"),
        (reading(device, json!({"meter": long})), "TOO_LONG"),
        (reading(device, json!({"meter": "A\u{0}"})), "INVALID"),
        (reading(device, json!({"readAt": "9999-12-31T23:59:59Z"})), "INVALID_INSTANT"),
        (reading(device, json!({"readAt": "1999-12-31T23:59:59Z"})), "INVALID_INSTANT"),
        (reading(device, json!({"deviceId": id("Device")})), "NOT_FOUND"),
        (reading(device, json!({"deviceId": id("Site")})), "WRONG_ID_KIND"),
        (reading(device, json!({"deviceId": "nonsense"})), "MALFORMED_ID"),
        (reading(device, json!({"deviceId": null})), "REQUIRED"),
        (by("serialNumber", "HX999"), "NOT_FOUND"),
        (by("serialNumber", "HX3"), "AMBIGUOUS"),
        (by("serialNumber", &long), "TOO_LONG"),
        (by("serialNumber", "HX\u{0}1"), "INVALID"),
        (by("terminalNumber", "T999"), "NOT_FOUND"),
        (by("terminalNumber", "T2"), "NOT_FOUND"),
        (by("terminalNumber", &long), "TOO_LONG"),
        (by("terminalNumber", "T\u{0}"), "INVALID"),
    ];
    rejected(&app, &cases, false).await;
    assert_eq!(rows(&app).await, before);
    // One alone takes another way through the API.
    for case in cases {
        rejected(&app, &[case], false).await;
    }
    assert_eq!(rows(&app).await, before);
}

#[tokio::test]
async fn a_reading_that_may_turn_out_to_be_right_is_kept_aside() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let device = &world.fielded.device;
    app.read(device, "TRANSACTIONS", 100.0, "2026-05-04T02:00:00Z").await;
    let cases = [
        (reading(device, json!({"readAt": "2026-05-04T08:10:01Z"})), "INVALID_INSTANT"),
        (reading(device, json!({"readAt": "2020-05-04T00:00:00Z"})), "INVALID_INSTANT"),
        (reading(device, json!({"value": 20_101, "readAt": "2026-05-04T03:00:00Z"})), "OUT_OF_RANGE"),
    ];
    rejected(&app, &cases, true).await;
    let query = "query($id: ID!) { device(id: $id) { meters { latestValue lifeCounter } } }";
    let data = app.gql(query, json!({"id": device})).await;
    assert_eq!(data["device"]["meters"], json!([{"latestValue": 100.0, "lifeCounter": 100.0}]));
}

#[tokio::test]
async fn good_readings_are_kept_whatever_is_wrong_with_others() {
    let app = TestApp::start().await;
    let device = app.fielded("HX1", "2026-05-04T01:00:00Z").await.device;
    let readings = [
        reading(&device, json!({"meter": "COFFEES"})),
        reading(&device, json!({})),
        reading("nonsense", json!({})),
        reading(&device, json!({})),
        reading(&device, json!({"value": 120, "readAt": "2026-05-04T03:00:00Z"})),
        reading(&device, json!({"value": -1})),
    ];
    let selection = "acceptedCount duplicateCount rejected { row code }";
    let payload = app.mutate("recordReadings", selection, json!({"readings": readings})).await;
    let expected = json!({
        "acceptedCount": 2,
        "duplicateCount": 1,
        "rejected": [
            {"row": 0, "code": "UNKNOWN_METER"},
            {"row": 2, "code": "MALFORMED_ID"},
            {"row": 5, "code": "INVALID_NUMBER"},
        ],
        "userErrors": [],
    });
    assert_eq!(payload, expected);
}

#[tokio::test]
async fn none_and_too_many_readings_are_no_request() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let many = vec![reading(&world.fielded.device, json!({})); 5_001];
    refused_all(
        &app,
        vec![
            ("recordReadings", json!({"readings": []}), "REQUIRED", "readings"),
            ("recordReadings", json!({"readings": many}), "TOO_MANY", "readings"),
        ],
    )
    .await;
}
