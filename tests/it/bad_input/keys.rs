//! Versions that are not the current one, and idempotency keys that were used for something else.

use super::database::{ask, rows};
use super::refused_all;
use super::world::{World, with};
use crate::support::TestApp;
use serde_json::{Value, json};

#[tokio::test]
async fn a_stale_version_is_a_conflict_that_shows_the_object_as_it_is() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let fielded = &world.fielded;
    let skip_order = json!({"workOrderId": world.order, "reason": "shop is closed"});
    let cases = [
        ("updateSite", "site", &fielded.site, world.input("updateSite")),
        ("updateDevice", "device", &world.stock, world.input("updateDevice")),
        ("installDevice", "device", &world.stock, world.input("installDevice")),
        ("relocateDevice", "device", &fielded.device, world.input("relocateDevice")),
        ("removeDevice", "device", &fielded.device, world.input("removeDevice")),
        ("changeDeviceStatus", "device", &world.stock, world.input("changeDeviceStatus")),
        ("updateMaintenancePlan", "maintenancePlan", &world.plan, world.input("updateMaintenancePlan")),
        ("scheduleWorkOrder", "workOrder", &world.order, world.input("scheduleWorkOrder")),
        ("changeWorkOrderState", "workOrder", &world.order, world.input("changeWorkOrderState")),
        ("skipOccurrence", "maintenanceItem", &world.item, world.input("skipOccurrence")),
        ("skipOccurrence", "workOrder", &world.order, skip_order),
        ("postponeOccurrence", "maintenanceItem", &world.item, world.input("postponeOccurrence")),
    ];
    for (mutation, object, id, input) in cases {
        let query = "query($id: ID!) { node(id: $id) {
            ... on Site { version } ... on Device { version } ... on MaintenancePlan { version }
            ... on WorkOrder { version } ... on MaintenanceItem { version }
        } }";
        let version = app.gql(query, json!({"id": id})).await["node"]["version"].as_i64().unwrap();
        for stale in [version - 1, version + 1, -1] {
            let input = with(input.clone(), "expectedVersion", json!(stale));
            refused_all(&app, vec![(mutation, input.clone(), "CONFLICT", "expectedVersion")]).await;
            let payload = app.payload(mutation, &format!("{object} {{ id version }}"), input).await;
            assert_eq!(payload[object], json!({"id": id, "version": version}), "{mutation} with {stale}");
        }
    }
    // The current version is what it takes.
    let input = with(world.input("changeWorkOrderState"), "expectedVersion", json!(1));
    app.mutate("changeWorkOrderState", "", input).await;
}

#[tokio::test]
async fn a_key_with_other_input_is_refused_in_every_room() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let reading = json!({"readings": [{
        "deviceId": world.fielded.device, "meter": "TRANSACTIONS", "value": 100, "readAt": "2026-05-04T02:00:00Z",
    }]});
    let mut cases = Vec::new();
    for (mutation, input, path, other) in [
        ("createMerchant", world.input("createMerchant"), "name", json!("Other")),
        ("createSite", world.input("createSite"), "observesHolidays", json!(true)),
        ("updateSite", world.input("updateSite"), "name", json!("Other")),
        ("createDeviceModel", world.input("createDeviceModel"), "name", json!("HX-10")),
        ("putFreezePeriod", world.input("putFreezePeriod"), "endsOn", json!("2026-11-13")),
        ("registerDevice", world.input("registerDevice"), "serialNumber", json!("HX10")),
        ("installDevice", world.input("installDevice"), "inService", json!(true)),
        ("recordReadings", reading, "readings.0.value", json!(101)),
        ("publishFirmwareRelease", world.input("publishFirmwareRelease"), "version", json!("3.4.0")),
        ("setFirmwareTarget", world.input("setFirmwareTarget"), "allowDowngrade", json!(true)),
        ("createMaintenancePlan", world.input("createMaintenancePlan"), "code", json!("OTHER")),
        ("createWorkOrder", world.input("createWorkOrder"), "priority", json!("HIGH")),
        ("scheduleWorkOrder", world.input("scheduleWorkOrder"), "scheduledFor", json!("2026-05-18T02:00:00Z")),
        ("logServiceVisit", world.input("logServiceVisit"), "lines.0.outcome", json!("PARTLY_DONE")),
    ] {
        let input = with(input, "idempotencyKey", json!("one key for all operations"));
        app.mutate(mutation, "", input.clone()).await;
        cases.push((mutation, with(input, path, other), "IDEMPOTENCY_MISMATCH", "idempotencyKey"));
    }
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn the_same_request_sent_again_changes_nothing_in_any_room() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    for mutation in super::world::MUTATIONS.into_iter().chain(["logServiceVisit"]) {
        let input = with(world.input(mutation), "idempotencyKey", json!("again"));
        app.mutate(mutation, "", input.clone()).await;
        let before = rows(&app).await;
        app.mutate(mutation, "", input).await;
        assert_eq!(rows(&app).await, before, "{mutation}");
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_kept_is_refused() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let case = |key: &str| {
        let input = with(world.input("createMerchant"), "idempotencyKey", Value::from(key));
        ("createMerchant", input, "INVALID", "idempotencyKey")
    };
    refused_all(&app, ["", "  ", "a\u{0}", "x".repeat(201).as_str()].map(case).into()).await;
    let longest = with(world.input("createMerchant"), "idempotencyKey", json!("钥".repeat(200)));
    app.mutate("createMerchant", "", longest).await;
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let input = with(world.input("createSite"), "idempotencyKey", json!("key"));
    let wrong = with(input.clone(), "timeZone", json!("Asia/Beijing"));
    refused_all(&app, vec![("createSite", wrong, "UNKNOWN_TIME_ZONE", "timeZone")]).await;
    assert!(ask(&app, "select operation from idempotency").await.is_empty());
    app.mutate("createSite", "", input).await;
}
