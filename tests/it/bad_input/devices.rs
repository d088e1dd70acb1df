//! Devices and places: what is there already, what is meant twice, and moves that cannot be made.

use super::database::rows;
use super::world::{World, twin, with};
use super::{query_code, refused_all};
use crate::support::builders::MAKER;
use crate::support::{TestApp, only};
use serde_json::{Value, json};

#[tokio::test]
async fn what_is_unique_is_registered_once() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    for mutation in ["createMerchant", "createTechnician", "createDeviceModel", "registerDevice", "createPosition"] {
        app.mutate(mutation, "", world.input(mutation)).await;
    }
    let again = |mutation: &str, path: &str, value: &str| with(world.input(mutation), path, json!(value));
    let device = with(world.input("registerDevice"), "externalIds", json!([]));
    let model = with(world.input("createDeviceModel"), "code", json!("OTHER"));
    refused_all(
        &app,
        vec![
            ("createMerchant", again("createMerchant", "name", "Other"), "ALREADY_EXISTS", "merchantNumber"),
            ("createTechnician", again("createTechnician", "name", "Other"), "ALREADY_EXISTS", "employeeNumber"),
            ("createDeviceModel", model, "ALREADY_EXISTS", "name"),
            (
                "createDeviceModel",
                with(again("createDeviceModel", "name", "Other"), "code", json!(format!("{MAKER}/HX-9/A"))),
                "ALREADY_EXISTS",
                "code",
            ),
            ("registerDevice", device.clone(), "ALREADY_EXISTS", "serialNumber"),
            ("registerDevice", with(device, "serialNumber", json!(" HX9 ")), "ALREADY_EXISTS", "serialNumber"),
            ("registerDevice", again("registerDevice", "serialNumber", "HX10"), "ALREADY_EXISTS", "externalIds"),
            (
                "updateDevice",
                with(world.input("updateDevice"), "externalIds", json!([{"system": "ERP", "value": "9"}])),
                "ALREADY_EXISTS",
                "externalIds",
            ),
            ("createPosition", again("createPosition", "name", "Other"), "ALREADY_EXISTS", "terminalNumber"),
            ("createPosition", again("createPosition", "terminalNumber", "T10"), "ALREADY_EXISTS", "name"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_serial_of_two_makers_is_ambiguous_until_the_maker_is_named() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    twin(&app, "HX1").await;
    let query = r#"{ device(serialNumber: "HX1") { id } }"#;
    let answer = app.try_gql(query, json!({})).await;
    let error = only(&answer["errors"]);
    assert_eq!(error["extensions"]["code"], "AMBIGUOUS");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(MAKER) && message.contains("SECOND") && message.contains("manufacturer"), "{message}");
    let query = format!(r#"{{ device(serialNumber: "HX1", manufacturer: "{MAKER}") {{ id }} }}"#);
    assert_eq!(app.gql(&query, json!({})).await, json!({"device": {"id": world.fielded.device}}));

    // A visit is evidence: its line is kept, unresolved.
    let line = json!({"serialNumber": "HX1"});
    let logged = app.log_visit(&world.fielded.site, &world.technician, "2026-05-04T02:00:00Z", vec![line]).await;
    assert_eq!(only(&logged["results"])["code"], "UNRESOLVED_DEVICE");
    assert_eq!(query_code(&app, r#"{ device(serialNumber: "HX2") { id } }"#, json!({})).await, "DONE");
}

#[tokio::test]
async fn a_device_is_of_its_models_maker() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let input = with(world.input("registerDevice"), "manufacturer", json!("Huaxing"));
    refused_all(&app, vec![("registerDevice", input, "INVALID", "manufacturer")]).await;
}

#[tokio::test]
async fn moves_that_cannot_be_made_are_refused() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let (here, there) = (json!(world.fielded.position), json!(world.other.position));
    let standing = json!(world.fielded.device);
    let of = |mutation: &str, path: &str, value: &Value| with(world.input(mutation), path, value.clone());
    let retired = app.device(&world.fielded.model, "HX5").await;
    app.mutate("changeDeviceStatus", "", json!({"deviceId": retired, "status": "RETIRED"})).await;
    let retired = json!(retired);
    refused_all(
        &app,
        vec![
            ("installDevice", of("installDevice", "positionId", &here), "POSITION_OCCUPIED", "positionId"),
            ("installDevice", of("installDevice", "deviceId", &standing), "DEVICE_ALREADY_INSTALLED", "deviceId"),
            ("installDevice", of("installDevice", "deviceId", &retired), "ILLEGAL_TRANSITION", "deviceId"),
            ("relocateDevice", of("relocateDevice", "positionId", &there), "POSITION_OCCUPIED", "positionId"),
            ("relocateDevice", of("relocateDevice", "positionId", &here), "POSITION_OCCUPIED", "positionId"),
            (
                "relocateDevice",
                of("relocateDevice", "deviceId", &json!(world.stock)),
                "DEVICE_NOT_INSTALLED",
                "deviceId",
            ),
            ("removeDevice", of("removeDevice", "deviceId", &json!(world.stock)), "DEVICE_NOT_INSTALLED", "deviceId"),
            ("removeDevice", of("removeDevice", "status", &json!("READY")), "ILLEGAL_TRANSITION", "status"),
            ("removeDevice", of("removeDevice", "status", &json!("IN_SERVICE")), "ILLEGAL_TRANSITION", "status"),
            ("removeDevice", of("removeDevice", "status", &json!("BROKEN")), "BAD_USER_INPUT", ""),
            ("swapDevice", of("swapDevice", "newDeviceId", &standing), "DEVICE_ALREADY_INSTALLED", "newDeviceId"),
            ("swapDevice", of("swapDevice", "newDeviceId", &retired), "ILLEGAL_TRANSITION", "newDeviceId"),
            ("swapDevice", of("swapDevice", "newDeviceId", &json!(world.other.device)), "INVALID", "newDeviceId"),
            ("swapDevice", of("swapDevice", "oldDeviceId", &json!(world.stock)), "DEVICE_NOT_INSTALLED", "oldDeviceId"),
            (
                "swapDevice",
                of("swapDevice", "oldDeviceStatus", &json!("READY")),
                "ILLEGAL_TRANSITION",
                "oldDeviceStatus",
            ),
            (
                "changeDeviceStatus",
                of("changeDeviceStatus", "status", &json!("INSTALLED")),
                "ILLEGAL_TRANSITION",
                "status",
            ),
            (
                "changeDeviceStatus",
                of("changeDeviceStatus", "status", &json!("IN_STOCK")),
                "ILLEGAL_TRANSITION",
                "status",
            ),
            ("changeDeviceStatus", of("changeDeviceStatus", "deviceId", &retired), "ILLEGAL_TRANSITION", "status"),
            ("registerDevice", of("registerDevice", "status", &json!("INSTALLED")), "ILLEGAL_TRANSITION", "status"),
        ],
    )
    .await;
    // None of it keeps good requests from being done.
    let before = rows(&app).await;
    app.mutate("swapDevice", "", world.input("swapDevice")).await;
    assert_ne!(rows(&app).await, before);
}
