//! The status machine of devices, through the API.

use crate::bad_input::outcome;
use crate::file::kinds;
use crate::support::builders::MAKER;
use crate::support::{TestApp, at, instant, text};
use serde_json::json;
use std::collections::BTreeSet;

/// Changes a device's status and says the code, `DONE` when it is done, and the message.
async fn go(app: &TestApp, device: &str, status: &str) -> (String, String) {
    let found = outcome(app, "changeDeviceStatus", &json!({"deviceId": device, "status": status})).await;
    (found.code, found.message)
}

#[tokio::test]
async fn a_device_enters_and_leaves_the_field_by_its_own_mutations() {
    let app = TestApp::start().await;
    let fielded = app.fielded("HX1", "2026-05-04T01:00:00Z").await;
    let stock = app.device(&fielded.model, "HX2").await;
    for status in ["INSTALLED", "IN_SERVICE", "SUSPENDED"] {
        let (code, message) = go(&app, &stock, status).await;
        assert_eq!(code, "ILLEGAL_TRANSITION", "{status}");
        assert!(message.contains("installDevice"), "{message}");
    }
    for status in ["IN_STOCK", "READY", "IN_TRANSIT", "IN_REPAIR"] {
        let (code, message) = go(&app, &fielded.device, status).await;
        assert_eq!(code, "ILLEGAL_TRANSITION", "{status}");
        assert!(message.contains("removeDevice"), "{message}");
    }
    assert_eq!(kinds(&app, &stock).await, ["DEVICE_REGISTERED"]);
    assert_eq!(kinds(&app, &fielded.device).await, ["DEVICE_REGISTERED", "INSTALLED"]);
}

#[tokio::test]
async fn a_device_goes_through_its_life_and_stays_destroyed() {
    let app = TestApp::start().await;
    let model = app.model().await;
    let device = app.device(&model, "HX1").await;
    for status in ["READY", "IN_TRANSIT", "IN_STOCK", "IN_REPAIR", "QUARANTINED", "IN_STOCK", "RETIRED", "DESTROYED"] {
        assert_eq!(go(&app, &device, status).await.0, "DONE", "{status}");
    }
    for status in ["ORDERED", "IN_STOCK", "READY", "INSTALLED", "RETIRED", "LOST", "DESTROYED"] {
        assert_eq!(go(&app, &device, status).await.0, "ILLEGAL_TRANSITION", "{status}");
    }
    let query = "query($id: ID!) { device(id: $id) { status statusSince version } }";
    let data = app.gql(query, json!({"id": device})).await;
    assert_eq!((&data["device"]["status"], &data["device"]["version"]), (&json!("DESTROYED"), &json!(9)));
}

#[tokio::test]
async fn a_device_that_is_lost_or_given_up_leaves_its_position_at_that_moment() {
    let app = TestApp::start().await;
    for (serial, status) in [("HX1", "LOST"), ("HX2", "DESTROYED"), ("HX3", "QUARANTINED"), ("HX4", "RETIRED")] {
        let fielded = app.fielded(serial, "2026-05-04T01:00:00Z").await;
        let input = json!({
            "deviceId": fielded.device, "status": status, "changedAt": "2026-05-04T05:00:00Z", "reason": "nobody knows",
        });
        let selection = "device { status statusReason statusSince position { id } site { id } terminalNumber }";
        let payload = app.mutate("changeDeviceStatus", selection, input).await;
        let device = &payload["device"];
        assert_eq!(instant(&device["statusSince"]), at("2026-05-04T05:00:00Z"));
        assert_eq!((&device["status"], &device["statusReason"]), (&json!(status), &json!("nobody knows")));
        for nowhere in ["position", "site", "terminalNumber"] {
            assert!(device[nowhere].is_null(), "{status}: {device:#}");
        }
        assert_eq!(kinds(&app, &fielded.device).await, ["DEVICE_REGISTERED", "INSTALLED", "REMOVED"]);

        let query = "query($t: String!) {
            before: occupantAt(terminalNumber: $t, at: \"2026-05-04T04:59:59Z\") { id }
            then: occupantAt(terminalNumber: $t, at: \"2026-05-04T05:00:00Z\") { id }
        }";
        let data = app.gql(query, json!({"t": format!("T{serial}")})).await;
        assert_eq!(data, json!({"before": {"id": fielded.device}, "then": null}), "{status}");
        let next = app.device(&fielded.model, &format!("{serial}-B")).await;
        app.install(&next, &fielded.position, "2026-05-04T05:00:00Z").await;
    }
}

#[tokio::test]
async fn a_status_is_registered_as_it_is_but_not_in_the_field() {
    let app = TestApp::start().await;
    let model = app.model().await;
    for status in
        ["ORDERED", "IN_STOCK", "READY", "IN_TRANSIT", "IN_REPAIR", "QUARANTINED", "RETIRED", "DESTROYED", "LOST"]
    {
        let input = json!({
            "manufacturer": MAKER, "modelId": model, "serialNumber": status, "status": status,
        });
        let device = app.mutate("registerDevice", "device { id status }", input).await["device"].take();
        assert_eq!(device["status"], status);
        let query = "query($id: ID!) { device(id: $id) { history { nodes { payload } } components { kind } } }";
        let data = app.gql(query, json!({"id": text(&device["id"])})).await;
        assert_eq!(data["device"]["history"]["nodes"][0]["payload"]["status"], status);
        let parts = data["device"]["components"].as_array().unwrap().iter();
        let parts: BTreeSet<String> = parts.map(|c| text(&c["kind"])).collect();
        assert_eq!(parts, BTreeSet::from(["BATTERY".to_owned(), "PRINTER".to_owned()]));
    }
}
