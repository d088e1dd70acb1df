//! Devices on the move: the position keeps its name, terminal number and line of occupants, the
//! serial keeps its history.

use crate::bad_input::database::rows;
use crate::bad_input::outcome;
use crate::bad_input::world::{World, with};
use crate::file::kinds;
use crate::support::{Fielded, TestApp, at, instant, text};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// Where a device stands and what it is.
async fn place(app: &TestApp, device: &str) -> Value {
    let query = "query($id: ID!) { device(id: $id) {
        status statusReason terminalNumber position { id name } site { id } merchant { id }
    } }";
    app.gql(query, json!({"id": device})).await["device"].take()
}

/// Since when a device stands where it does.
async fn installed_at(app: &TestApp, device: &str) -> Option<DateTime<Utc>> {
    let data = app.gql("query($id: ID!) { device(id: $id) { installedAt } }", json!({"id": device})).await;
    let since = &data["device"]["installedAt"];
    (!since.is_null()).then(|| instant(since))
}

/// The line of occupants of a position, newest first: device, from, until.
async fn line(app: &TestApp, position: &str) -> Vec<(String, DateTime<Utc>, Option<DateTime<Utc>>)> {
    let query = "query($id: ID!) { node(id: $id) { ... on Position {
        occupants { device { id } startedAt endedAt }
    } } }";
    let data = app.gql(query, json!({"id": position})).await;
    let until = |end: &Value| (!end.is_null()).then(|| instant(end));
    let occupants = data["node"]["occupants"].as_array().unwrap().iter();
    occupants.map(|o| (text(&o["device"]["id"]), instant(&o["startedAt"]), until(&o["endedAt"]))).collect()
}

/// The device that filled a terminal number at a moment.
async fn occupant(app: &TestApp, terminal_number: &str, at: &str) -> Value {
    let query = "query($t: String!, $at: DateTime!) { occupantAt(terminalNumber: $t, at: $at) { id } }";
    app.gql(query, json!({"t": terminal_number, "at": at})).await["occupantAt"]["id"].take()
}

/// The meters of a device.
async fn meters(app: &TestApp, device: &str) -> Value {
    let query = "query($id: ID!) { device(id: $id) { meters { latestValue lifeCounter } } }";
    app.gql(query, json!({"id": device})).await["device"]["meters"].take()
}

#[tokio::test]
async fn a_position_keeps_its_terminal_number_and_its_line_of_occupants() {
    let app = TestApp::start().await;
    let Fielded { device, site, position, merchant, model } = app.fielded("HX1", "2026-05-04T01:00:00Z").await;
    let other = app.position(&site, "Counter 2", Some("T2")).await;
    let standing = |position: &str, name: &str, terminal_number: &str| {
        json!({
            "status": "INSTALLED", "statusReason": null, "terminalNumber": terminal_number,
            "position": {"id": position, "name": name}, "site": {"id": site}, "merchant": {"id": merchant},
        })
    };
    assert_eq!(place(&app, &device).await, standing(&position, "Counter 1", "THX1"));
    assert_eq!(installed_at(&app, &device).await, Some(at("2026-05-04T01:00:00Z")));

    let input = json!({"deviceId": device, "positionId": other, "relocatedAt": "2026-05-04T02:00:00Z"});
    app.mutate("relocateDevice", "", input).await;
    assert_eq!(place(&app, &device).await, standing(&other, "Counter 2", "T2"));
    assert_eq!(installed_at(&app, &device).await, Some(at("2026-05-04T02:00:00Z")));

    let input = json!({
        "deviceId": device, "removedAt": "2026-05-04T03:00:00Z", "status": "IN_REPAIR", "reason": "screen is dark",
    });
    app.mutate("removeDevice", "", input).await;
    let nowhere = json!({
        "status": "IN_REPAIR", "statusReason": "screen is dark", "terminalNumber": null, "position": null,
        "site": null, "merchant": null,
    });
    assert_eq!(place(&app, &device).await, nowhere);
    assert_eq!(installed_at(&app, &device).await, None);

    let fresh = app.device(&model, "HX2").await;
    app.install(&fresh, &position, "2026-05-04T04:00:00Z").await;
    assert_eq!(place(&app, &fresh).await, standing(&position, "Counter 1", "THX1"));
    let (one, two, three, four) = (
        at("2026-05-04T01:00:00Z"),
        at("2026-05-04T02:00:00Z"),
        at("2026-05-04T03:00:00Z"),
        at("2026-05-04T04:00:00Z"),
    );
    assert_eq!(line(&app, &position).await, [(fresh.clone(), four, None), (device.clone(), one, Some(two))]);
    assert_eq!(line(&app, &other).await, [(device.clone(), two, Some(three))]);

    // Whoever stands there now is found by the terminal number.
    let by_terminal = "{ device(terminalNumber: \"THX1\") { id } gone: device(terminalNumber: \"T2\") { id } }";
    assert_eq!(app.gql(by_terminal, json!({})).await, json!({"device": {"id": fresh}, "gone": null}));
}

#[tokio::test]
async fn a_swap_keeps_position_and_terminal_number_and_goes_on_in_service() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let (old, new) = (&world.other, &world.fresh);
    let input = json!({"deviceId": old.device, "status": "IN_SERVICE", "changedAt": "2026-05-04T02:00:00Z"});
    app.mutate("changeDeviceStatus", "", input).await;
    // 11:20 at the site.
    let input = json!({
        "oldDeviceId": old.device, "newDeviceId": new, "swappedAt": "2026-05-04T03:20:00Z", "reason": "card slot stuck",
        "oldDeviceStatus": "IN_REPAIR",
    });
    let selection = "oldDevice { id status statusReason position { id } }
        newDevice { id status terminalNumber position { id } }";
    let payload = app.mutate("swapDevice", selection, input).await;
    let out = json!({"id": old.device, "status": "IN_REPAIR", "statusReason": "card slot stuck", "position": null});
    let position = json!({"id": old.position});
    let come = json!({"id": new, "status": "IN_SERVICE", "terminalNumber": "THX2", "position": position});
    assert_eq!((&payload["oldDevice"], &payload["newDevice"]), (&out, &come));

    let (installed, swapped) = (at("2026-05-04T01:00:00Z"), at("2026-05-04T03:20:00Z"));
    let expected = [(new.clone(), swapped, None), (old.device.clone(), installed, Some(swapped))];
    assert_eq!(line(&app, &old.position).await, expected);
    for (moment, device) in [
        ("2026-05-04T00:59:59Z", Value::Null),
        ("2026-05-04T01:00:00Z", json!(old.device)),
        ("2026-05-04T03:19:59.999999Z", json!(old.device)),
        ("2026-05-04T03:20:00Z", json!(new)),
        ("2026-05-04T08:00:00Z", json!(new)),
    ] {
        assert_eq!(occupant(&app, "THX2", moment).await, device, "{moment}");
    }
    assert_eq!(kinds(&app, &old.device).await.last().unwrap(), "SWAPPED_OUT");
    assert_eq!(kinds(&app, new).await, ["DEVICE_REGISTERED", "SWAPPED_IN"]);
}

#[tokio::test]
async fn counters_sent_by_terminal_number_split_at_the_minute_of_the_swap() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let old = &world.other.device;
    let swap = with(world.input("swapDevice"), "swappedAt", json!("2026-05-04T03:20:00Z"));
    app.mutate("swapDevice", "", swap).await;
    let reading =
        |value: i32, at: &str| json!({"terminalNumber": "THX2", "meter": "TRANSACTIONS", "value": value, "readAt": at});
    let readings = [
        reading(12, "2026-05-04T04:00:00Z"),
        reading(1_040, "2026-05-04T03:19:59Z"),
        reading(5, "2026-05-04T00:30:00Z"),
        reading(7, "2026-05-04T03:20:00Z"),
        reading(1_000, "2026-05-04T02:00:00Z"),
    ];
    let selection = "acceptedCount rejected { row code }";
    let payload = app.mutate("recordReadings", selection, json!({"readings": readings})).await;
    // Nobody stood there at half past eight.
    let expected = json!({"acceptedCount": 4, "rejected": [{"row": 2, "code": "NOT_FOUND"}], "userErrors": []});
    assert_eq!(payload, expected);
    assert_eq!(meters(&app, old).await, json!([{"latestValue": 1_040.0, "lifeCounter": 1_040.0}]));
    assert_eq!(meters(&app, &world.fresh).await, json!([{"latestValue": 12.0, "lifeCounter": 12.0}]));
}

#[tokio::test]
async fn a_refused_swap_leaves_both_devices_and_both_files_as_they_were() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let (old, new) = (&world.other.device, &world.fresh);
    let before = (rows(&app).await, place(&app, old).await, place(&app, new).await);
    let files = (kinds(&app, old).await, kinds(&app, new).await);
    for (path, value, code) in [
        ("newDeviceId", json!(world.fielded.device), "DEVICE_ALREADY_INSTALLED"),
        ("oldDeviceId", json!(world.stock), "DEVICE_NOT_INSTALLED"),
        ("oldDeviceStatus", json!("INSTALLED"), "ILLEGAL_TRANSITION"),
        ("swappedAt", json!("2026-05-04T00:59:59Z"), "INVALID_INSTANT"),
        ("swappedAt", json!("2026-05-04T09:00:00Z"), "INVALID_INSTANT"),
        ("reason", json!(""), "REQUIRED"),
    ] {
        let found = outcome(&app, "swapDevice", &with(world.input("swapDevice"), path, value)).await;
        assert_eq!(found.code, code, "{path}: {found:?}");
    }
    assert_eq!((rows(&app).await, place(&app, old).await, place(&app, new).await), before);
    assert_eq!((kinds(&app, old).await, kinds(&app, new).await), files);
}

#[tokio::test]
async fn history_and_counters_stay_with_the_serial_wherever_it_goes() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let device = &world.other.device;
    app.read(device, "TRANSACTIONS", 1_000.0, "2026-05-04T02:00:00Z").await;
    let swap = with(world.input("swapDevice"), "swappedAt", json!("2026-05-04T03:20:00Z"));
    app.mutate("swapDevice", "", swap).await;
    let input = json!({"deviceId": device, "status": "IN_STOCK", "changedAt": "2026-05-04T05:00:00Z"});
    app.mutate("changeDeviceStatus", "", input).await;
    app.install(device, &world.free[0], "2026-05-04T06:00:00Z").await;
    app.read(device, "TRANSACTIONS", 1_025.0, "2026-05-04T07:00:00Z").await;

    let life = ["DEVICE_REGISTERED", "INSTALLED", "SWAPPED_OUT", "STATUS_CHANGED", "INSTALLED"];
    assert_eq!(kinds(&app, device).await, life);
    assert_eq!(meters(&app, device).await, json!([{"latestValue": 1_025.0, "lifeCounter": 1_025.0}]));
    assert_eq!(place(&app, device).await["terminalNumber"], "T2");
    assert_eq!(place(&app, &world.fresh).await["terminalNumber"], "THX2");
    assert_eq!(meters(&app, &world.fresh).await, json!([]), "the new device begins its own life");
}
