//! Versions and idempotency keys, as two planners and a bad line use them.

use crate::file::kinds;
use crate::support::builders::MAKER;
use crate::support::{TestApp, text};
use serde_json::json;

#[tokio::test]
async fn of_two_changes_to_one_version_the_second_sees_the_first() {
    let app = TestApp::start().await;
    let device = app.fielded("HX1", "2026-05-04T01:00:00Z").await.device;
    let selection = "device { id assetTag version }";
    let first = json!({"deviceId": device, "assetTag": "A-1", "expectedVersion": 2});
    let payload = app.mutate("updateDevice", selection, first).await;
    assert_eq!(payload["device"], json!({"id": device, "assetTag": "A-1", "version": 3}));

    let second = json!({"deviceId": device, "assetTag": "B-7", "expectedVersion": 2});
    let payload = app.payload("updateDevice", selection, second).await;
    assert_eq!(payload["device"], json!({"id": device, "assetTag": "A-1", "version": 3}));
    let error = &payload["userErrors"][0];
    assert_eq!((&error["code"], &error["field"]), (&json!("CONFLICT"), &json!(["input", "expectedVersion"])));
    let message = text(&error["message"]);
    assert!(message.contains("version is 3, you had 2") && message.contains("reload"), "{message}");
    assert_eq!(kinds(&app, &device).await, ["DEVICE_REGISTERED", "INSTALLED", "DEVICE_UPDATED"]);
}

#[tokio::test]
async fn a_request_sent_again_answers_the_same_object_as_it_is_now() {
    let app = TestApp::start().await;
    let model = app.model().await;
    let register = json!({
        "manufacturer": MAKER, "modelId": model, "serialNumber": "HX1", "idempotencyKey": "delivery 4711, line 1",
    });
    let selection = "device { id assetTag version }";
    let device = text(&app.mutate("registerDevice", selection, register.clone()).await["device"]["id"]);
    app.mutate("updateDevice", "", json!({"deviceId": device, "assetTag": "A-1"})).await;
    let again = app.mutate("registerDevice", selection, register.clone()).await;
    assert_eq!(again["device"], json!({"id": device, "assetTag": "A-1", "version": 2}));

    // The order of fields and an explicit null are not other input; another serial is.
    let spelled = json!({
        "idempotencyKey": "delivery 4711, line 1", "serialNumber": "HX1", "assetTag": null, "modelId": model,
        "manufacturer": MAKER,
    });
    assert_eq!(app.mutate("registerDevice", selection, spelled).await["device"]["id"], device.as_str());
    let mut other = register;
    other["serialNumber"] = json!("HX2");
    let (code, _, field) = app.refused("registerDevice", other).await;
    assert_eq!((code.as_str(), field), ("IDEMPOTENCY_MISMATCH", vec!["input".to_owned(), "idempotencyKey".to_owned()]));
    let data = app.gql("{ devices { totalCount } }", json!({})).await;
    assert_eq!(data["devices"]["totalCount"], 1);
}

#[tokio::test]
async fn a_swap_sent_twice_swaps_once() {
    let app = TestApp::start().await;
    let old = app.fielded("HX1", "2026-05-04T01:00:00Z").await;
    let new = app.device(&old.model, "HX2").await;
    let swap = json!({
        "oldDeviceId": old.device, "newDeviceId": new, "swappedAt": "2026-05-04T03:20:00Z", "reason": "broken",
        "oldDeviceStatus": "IN_REPAIR", "idempotencyKey": "job 12",
    });
    let selection = "oldDevice { id status version } newDevice { id status version terminalNumber }";
    let first = app.mutate("swapDevice", selection, swap.clone()).await;
    assert_eq!(app.mutate("swapDevice", selection, swap.clone()).await, first);
    assert_eq!(kinds(&app, &old.device).await, ["DEVICE_REGISTERED", "INSTALLED", "SWAPPED_OUT"]);
    assert_eq!(kinds(&app, &new).await, ["DEVICE_REGISTERED", "SWAPPED_IN"]);

    // Without the key it is another swap, and the devices have changed places already.
    let mut keyless = swap;
    keyless.as_object_mut().unwrap().remove("idempotencyKey");
    assert_eq!(app.refused("swapDevice", keyless).await.0, "DEVICE_NOT_INSTALLED");
}

#[tokio::test]
async fn a_refused_request_is_done_when_it_is_sent_again_after_what_was_in_its_way_is_gone() {
    let app = TestApp::start().await;
    let fielded = app.fielded("HX1", "2026-05-04T01:00:00Z").await;
    let next = app.device(&fielded.model, "HX2").await;
    let install = json!({
        "deviceId": next, "positionId": fielded.position, "installedAt": "2026-05-04T06:00:00Z",
        "idempotencyKey": "job 13",
    });
    let (code, message, _) = app.refused("installDevice", install.clone()).await;
    assert_eq!(code, "POSITION_OCCUPIED");
    assert!(message.contains("HX1") && message.contains("swapDevice"), "{message}");
    let remove = json!({"deviceId": fielded.device, "removedAt": "2026-05-04T05:00:00Z", "status": "IN_STOCK"});
    app.mutate("removeDevice", "", remove).await;
    let payload = app.mutate("installDevice", "device { position { id } }", install).await;
    assert_eq!(payload["device"]["position"]["id"], fielded.position.as_str());
}
