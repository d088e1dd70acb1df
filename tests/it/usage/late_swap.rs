//! A swap that is told hours after it was done.

use crate::support::{TestApp, at, instant, only, text};
use serde_json::{Value, json};

/// The life counter of a device's transactions; null when it was never read.
async fn life(app: &TestApp, device: &str) -> Value {
    let query = "query($id: ID!) { device(id: $id) { meters { code lifeCounter latestValue } } }";
    let data = app.gql(query, json!({"id": device})).await;
    let meters = data["device"]["meters"].as_array().cloned().unwrap_or_default();
    meters.into_iter().find(|m| m["code"] == "TRANSACTIONS").unwrap_or(Value::Null)
}

/// A reading sent by the terminal number of the position.
fn by_terminal(value: f64, read_at: &str) -> Value {
    json!({"terminalNumber": "THX1", "meter": "TRANSACTIONS", "value": value, "readAt": read_at})
}

#[tokio::test]
async fn readings_sent_by_terminal_number_after_a_swap_go_to_the_device_that_came_also_when_it_is_told_late() {
    let app = TestApp::start_at("2026-05-04T00:00:00Z").await;
    let old = app.fielded("HX1", "2026-05-04T00:00:00Z").await;
    let new = app.device(&old.model, "HX2").await;
    app.set_clock("2026-05-06T12:00:00Z");
    // Swapped at 11:20 in Shanghai on the 6th; the numbers begin again at 3, and nobody was told yet.
    let readings = json!([
        by_terminal(1_000.0, "2026-05-04T15:00:00Z"),
        by_terminal(1_090.0, "2026-05-05T15:00:00Z"),
        by_terminal(1_130.0, "2026-05-06T03:00:00Z"),
        by_terminal(3.0, "2026-05-06T04:00:00Z"),
        by_terminal(40.0, "2026-05-06T11:00:00Z"),
    ]);
    let recorded = app.mutate("recordReadings", "acceptedCount", json!({"readings": readings})).await;
    assert_eq!(recorded["acceptedCount"], 5);
    assert_eq!(life(&app, &old.device).await["lifeCounter"], 1_170.0, "a reset, as far as anybody knows");

    let swap = json!({
        "oldDeviceId": old.device, "newDeviceId": new, "swappedAt": "2026-05-06T03:20:00Z",
        "reason": "Reader worn out", "oldDeviceStatus": "IN_REPAIR",
    });
    app.mutate("swapDevice", "newDevice { id }", swap).await;

    let (before, after) = (life(&app, &old.device).await, life(&app, &new).await);
    assert_eq!((&before["lifeCounter"], &before["latestValue"]), (&json!(1_130.0), &json!(1_130.0)));
    assert_eq!((&after["lifeCounter"], &after["latestValue"]), (&json!(40.0), &json!(40.0)));
    for device in [&old.device, &new] {
        let query = "query($id: ID!) { device(id: $id) {
            history(kinds: [READINGS_MOVED]) { nodes { occurredAt summary } } historyIntegrity { isIntact }
        } }";
        let data = app.gql(query, json!({"id": device})).await;
        let moved = only(&data["device"]["history"]["nodes"]);
        assert_eq!(instant(&moved["occurredAt"]), at("2026-05-06T03:20:00Z"));
        assert!(text(&moved["summary"]).contains("2 readings moved"), "{moved:#}");
        assert_eq!(data["device"]["historyIntegrity"]["isIntact"], true);
    }
}
