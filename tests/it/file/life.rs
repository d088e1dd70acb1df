//! Every change of a device is in its file, in the transaction that makes it.

use super::{differences, integrity, kinds};
use crate::bad_input::database::{rows, sql};
use crate::bad_input::outcome;
use crate::bad_input::world::World;
use crate::support::builders::MAKER;
use crate::support::{TestApp, at, instant, only, text};
use serde_json::{Value, json};

#[tokio::test]
async fn every_change_of_a_life_is_in_the_file_in_order() {
    let app = TestApp::start().await;
    let model = app.model().await;
    let site = app.site(&app.merchant("Wang's Noodles").await).await;
    let first = app.position(&site, "Counter 1", Some("T1")).await;
    let second = app.position(&site, "Counter 2", Some("T2")).await;
    let fresh = app.device(&model, "HX30002").await;
    let input = json!({
        "manufacturer": MAKER, "modelId": model, "serialNumber": "HX30001", "firmwareVersion": "3.2.0",
    });
    let device = text(&app.mutate("registerDevice", "device { id }", input).await["device"]["id"]);
    let mut told = vec!["DEVICE_REGISTERED", "SOFTWARE_REPORTED"];
    assert_eq!(kinds(&app, &device).await, told);

    let today = |time: &str| format!("2026-05-04T{time}:00Z");
    let status = |status: &str, time: &str| json!({"deviceId": device, "status": status, "changedAt": today(time)});
    let update = |changes: Value| {
        let mut input = changes;
        input["deviceId"] = json!(device);
        input
    };
    let steps: [(&str, Value, &[&str]); 11] = [
        (
            "updateDevice",
            update(json!({"assetTag": "A-1", "firmwareVersion": "3.2.1"})),
            &["DEVICE_UPDATED", "SOFTWARE_REPORTED"],
        ),
        ("updateDevice", update(json!({"externalIds": [{"system": "ERP", "value": "1"}]})), &["DEVICE_UPDATED"]),
        // What changes nothing is not told.
        ("updateDevice", update(json!({"assetTag": "A-1", "firmwareVersion": "3.2.1"})), &[]),
        (
            "installDevice",
            json!({"deviceId": device, "positionId": first, "installedAt": today("01:00")}),
            &["INSTALLED"],
        ),
        ("changeDeviceStatus", status("IN_SERVICE", "02:00"), &["STATUS_CHANGED"]),
        (
            "relocateDevice",
            json!({"deviceId": device, "positionId": second, "relocatedAt": today("03:00")}),
            &["RELOCATED"],
        ),
        (
            "swapDevice",
            json!({
                "oldDeviceId": device, "newDeviceId": fresh, "swappedAt": today("03:20"), "reason": "broken",
                "oldDeviceStatus": "IN_REPAIR",
            }),
            &["SWAPPED_OUT"],
        ),
        ("changeDeviceStatus", status("READY", "04:00"), &["STATUS_CHANGED"]),
        (
            "installDevice",
            json!({"deviceId": device, "positionId": first, "installedAt": today("05:00")}),
            &["INSTALLED"],
        ),
        ("changeDeviceStatus", status("LOST", "06:00"), &["REMOVED"]),
        ("changeDeviceStatus", status("RETIRED", "07:00"), &["STATUS_CHANGED"]),
    ];
    for (mutation, input, kinds_of_step) in steps {
        app.mutate(mutation, "", input.clone()).await;
        told.extend(kinds_of_step);
        assert_eq!(kinds(&app, &device).await, told, "after {mutation} with {input:#}");
        let found = integrity(&app, &device).await;
        assert_eq!((&found["isIntact"], &found["eventCount"]), (&json!(true), &json!(told.len())), "{found:#}");
        assert_eq!(differences(&app).await, Vec::<String>::new(), "after {mutation} with {input:#}");
    }
    assert_eq!(kinds(&app, &fresh).await, ["DEVICE_REGISTERED", "SWAPPED_IN"]);
}

#[tokio::test]
async fn an_event_says_who_when_and_with_which_request() {
    let app = TestApp::start().await;
    let device = app.fielded("HX1", "2026-05-04T01:00:00Z").await.device;
    let query = "query($id: ID!) { viewer { actor } device(id: $id) { history(kinds: [INSTALLED]) { nodes {
        actor requestId occurredAt recordedAt corrects summary(language: EN) zh: summary(language: ZH) payload
    } } } }";
    let data = app.gql(query, json!({"id": device})).await;
    let event = only(&data["device"]["history"]["nodes"]);
    assert_eq!(event["actor"], data["viewer"]["actor"]);
    assert!(!text(&event["requestId"]).is_empty());
    assert_eq!(instant(&event["occurredAt"]), at("2026-05-04T01:00:00Z"));
    assert_eq!(instant(&event["recordedAt"]), at("2026-05-04T08:00:00Z"));
    assert!(event["corrects"].is_null());
    assert_eq!(event["summary"], "Installed at terminal number THX1");
    assert_eq!(event["zh"], "安装，终端号THX1");
    assert_eq!(
        (&event["payload"]["terminalNumber"], &event["payload"]["status"]),
        (&json!("THX1"), &json!("INSTALLED"))
    );
}

#[tokio::test]
async fn what_cannot_be_written_to_the_file_is_not_done_at_all() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let before = rows(&app).await;
    sql(&app, "alter table device_event rename to device_event_away").await;
    for mutation in [
        "registerDevice",
        "updateDevice",
        "installDevice",
        "relocateDevice",
        "removeDevice",
        "swapDevice",
        "changeDeviceStatus",
        "createWorkOrder",
        "scheduleWorkOrder",
        "changeWorkOrderState",
        "skipOccurrence",
        "postponeOccurrence",
        "logServiceVisit",
    ] {
        let found = outcome(&app, mutation, &world.input(mutation)).await;
        assert_eq!(found.code, "INTERNAL", "{mutation}: {found:?}");
    }
    sql(&app, "alter table device_event_away rename to device_event").await;
    assert_eq!(rows(&app).await, before);
    app.mutate("registerDevice", "", world.input("registerDevice")).await;
    assert_eq!(differences(&app).await, Vec::<String>::new());
}
