//! The closed list of codes: each is produced by a request.

use super::world::{World, compliance, plan, release, twin, with};
use crate::support::{TestApp, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tillkeep::kernel::ids::join_global;
use uuid::Uuid;

/// A request for each code.
fn requests(
    world: &World,
    compliance_item: &str,
    sealed: &str,
    unreachable: &str,
) -> Vec<(&'static str, &'static str, Value)> {
    let of = |mutation: &str, path: &str, value: Value| with(world.input(mutation), path, value);
    let reading = |field: &str, value: Value| {
        let reading = json!({"meter": "TRANSACTIONS", "value": 1, "readAt": "2026-05-04T02:00:00Z"});
        let reading = with(reading, "deviceId", json!(world.fielded.device));
        json!({"readings": [with(reading, field, value)]})
    };
    let triggers = |trigger: Value| plan(json!({"triggers": [trigger]}));
    let state = |state: &str| json!({"workOrderId": world.order, "state": state});
    let line = |more: Value| {
        let mut line = json!({
            "deviceId": world.fielded.device, "performedAt": "2026-05-04T03:00:00Z", "outcome": "DONE",
        });
        for (field, value) in more.as_object().into_iter().flatten() {
            line[field.as_str()] = value.clone();
        }
        json!({
            "siteId": world.fielded.site, "technicianId": world.technician, "startedAt": "2026-05-04T03:00:00Z",
            "lines": [line],
        })
    };
    let part = |part: Value| line(json!({"partsReplaced": [part]}));
    vec![
        ("NOT_FOUND", "createPosition", of("createPosition", "siteId", json!(join_global("Site", Uuid::from_u128(7))))),
        ("WRONG_ID_KIND", "createPosition", of("createPosition", "siteId", json!(world.fielded.merchant))),
        ("MALFORMED_ID", "createPosition", of("createPosition", "siteId", json!("nonsense"))),
        ("INVALID", "createSite", of("createSite", "country", json!("C1"))),
        ("REQUIRED", "createMerchant", of("createMerchant", "name", json!(" "))),
        ("TOO_LONG", "createMerchant", of("createMerchant", "name", json!("x".repeat(201)))),
        ("TOO_MANY", "createTechnician", of("createTechnician", "regionCodes", json!(vec!["44"; 501]))),
        ("OUT_OF_RANGE", "createSite", with(of("createSite", "latitude", json!(91)), "longitude", json!(114))),
        ("INVALID_INSTANT", "installDevice", of("installDevice", "installedAt", json!("9999-12-31T23:59:59Z"))),
        ("INVALID_NUMBER", "recordReadings", reading("value", json!(-1))),
        ("UNKNOWN_TIME_ZONE", "createSite", of("createSite", "timeZone", json!("Mars/Olympus"))),
        ("INVALID_CRON", "createMaintenancePlan", triggers(json!({"calendarFixed": {"cron": "0 9 L * *"}}))),
        ("INVALID_DURATION", "createMaintenancePlan", triggers(json!({"calendarFloating": {"every": "P0D"}}))),
        ("BAND_TOO_WIDE", "createMaintenancePlan", triggers(json!({"calendarFixed": {"cron": "0 9 * * *"}}))),
        ("UNKNOWN_METER", "createMaintenancePlan", triggers(json!({"usage": {"meter": "COFFEES", "every": 100}}))),
        ("EMPTY_SELECTOR", "createMaintenancePlan", plan(json!({"selector": {}}))),
        ("ALREADY_EXISTS", "registerDevice", of("registerDevice", "serialNumber", json!("HX1"))),
        (
            "AMBIGUOUS",
            "recordReadings",
            with(reading("serialNumber", json!("HX2")), "readings.0.deviceId", Value::Null),
        ),
        ("ILLEGAL_TRANSITION", "changeDeviceStatus", of("changeDeviceStatus", "status", json!("INSTALLED"))),
        ("CONFLICT", "updateSite", of("updateSite", "expectedVersion", json!(99))),
        ("IDEMPOTENCY_MISMATCH", "createMerchant", of("createMerchant", "idempotencyKey", json!("used"))),
        ("POSITION_OCCUPIED", "installDevice", of("installDevice", "positionId", json!(world.fielded.position))),
        ("DEVICE_ALREADY_INSTALLED", "installDevice", of("installDevice", "deviceId", json!(world.fielded.device))),
        ("DEVICE_NOT_INSTALLED", "removeDevice", of("removeDevice", "deviceId", json!(world.stock))),
        ("COMPLETION_NEEDS_VISIT", "changeWorkOrderState", state("COMPLETED")),
        ("SKIP_NEEDS_SKIP_OCCURRENCE", "changeWorkOrderState", state("SKIPPED")),
        ("OCCURRENCE_NOT_CURRENT", "skipOccurrence", json!({"workOrderId": world.order, "reason": "closed"})),
        ("COVERAGE_CIRCLE", "updateMaintenancePlan", json!({"planId": world.plan, "covers": [world.plan]})),
        ("WAIVER_REQUIRED", "skipOccurrence", json!({"itemId": compliance_item, "reason": "closed"})),
        ("FIRMWARE_DOWNGRADE", "setFirmwareTarget", of("setFirmwareTarget", "selector", Value::Null)),
        ("PREREQUISITE_UNMET", "setFirmwareTarget", of("setFirmwareTarget", "releaseId", json!(unreachable))),
        ("INSPECTION_REQUIRED", "changeDeviceStatus", world.input("changeDeviceStatus")),
        (
            "INVALID_ANSWER",
            "logServiceVisit",
            line(json!({"planIds": [world.plan], "stepResults": [{"step": 1, "isDone": true, "text": "yes"}]})),
        ),
        ("FAILURE_REQUIRED", "logServiceVisit", line(json!({"workOrderIds": [world.order]}))),
        (
            "UNKNOWN_FAILURE_CODE",
            "logServiceVisit",
            line(json!({"failure": {"failureCode": "NOPE", "failedAt": "2026-05-04T02:00:00Z"}})),
        ),
        ("PART_NOT_IN_MODEL", "logServiceVisit", part(json!({"componentKind": "CAMERA"}))),
        (
            "PART_REPLACED_BY_ITSELF",
            "logServiceVisit",
            part(json!({"componentKind": "BATTERY", "oldSerialNumber": "B-1", "newSerialNumber": "B-1"})),
        ),
        ("PART_SERIAL_IN_USE", "logServiceVisit", part(json!({"componentKind": "BATTERY", "newSerialNumber": "B-2"}))),
        (
            "PART_SERIAL_MISMATCH",
            "logServiceVisit",
            with(
                part(json!({"componentKind": "BATTERY", "oldSerialNumber": "B-9", "newSerialNumber": "B-3"})),
                "lines.0.deviceId",
                json!(world.other.device),
            ),
        ),
        (
            "PART_NOT_REPLACEABLE_HERE",
            "logServiceVisit",
            with(part(json!({"componentKind": "CAMERA"})), "lines.0.deviceId", json!(sealed)),
        ),
    ]
}

/// Makes what the requests about visits need: a device with a sealed camera, a battery known to be in
/// HX2, failure lists, and inspections before service. Answers the device.
async fn prepare(app: &TestApp, world: &World) -> String {
    let parts = json!([{"kind": "CAMERA", "replaceableAt": "FACTORY"}]);
    let input = json!({"manufacturer": "Huaxin", "name": "HX-7", "meters": [], "components": parts});
    let model = text(&app.mutate("createDeviceModel", "deviceModel { id }", input).await["deviceModel"]["id"]);
    let sealed = app.device(&model, "HX7").await;
    let battery = json!({"componentKind": "BATTERY", "newSerialNumber": "B-2"});
    let line = json!({"deviceId": world.other.device, "partsReplaced": [battery]});
    app.log_visit(&world.other.site, &world.technician, "2026-05-04T02:00:00Z", vec![line]).await;
    app.seed().await;
    let inspection = plan(json!({"code": "PREINST", "kind": "PRE_INSTALLATION"}));
    app.mutate("createMaintenancePlan", "", inspection).await;
    sealed
}

/// The code of a refusal, or of a refused row.
async fn code_of(app: &TestApp, mutation: &str, input: Value) -> Option<String> {
    let selection = if mutation == "recordReadings" { "rejected { code }" } else { "" };
    let payload = app.payload(mutation, selection, input).await;
    let refused = payload["userErrors"].get(0).or_else(|| payload["rejected"].get(0))?;
    Some(text(&refused["code"]))
}

#[tokio::test]
async fn every_user_error_code_is_produced_by_a_request() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let (item, _) = compliance(&app, &world.fielded.device).await;
    twin(&app, "HX2").await;
    app.mutate("createMerchant", "", json!({"name": "Other", "idempotencyKey": "used"})).await;
    // HX1 has a version to which nothing older leads, and from which nothing leads on.
    let report = json!({"deviceId": world.fielded.device, "version": "9.0", "reportedAt": "2026-05-04T07:00:00Z"});
    app.mutate("reportInstalledSoftware", "", json!({"reports": [report]})).await;
    let unreachable = release(&app, &world.fielded.model, "20.0", Some("10.0")).await;

    let mut produced = BTreeSet::new();
    let sealed = prepare(&app, &world).await;
    for (code, mutation, input) in requests(&world, &item, &sealed, &unreachable) {
        let found = code_of(&app, mutation, input.clone()).await;
        assert_eq!(found.as_deref(), Some(code), "{mutation} with {input:#}");
        produced.insert(code.to_owned());
    }
    let data = app.gql("{ __type(name: \"UserErrorCode\") { enumValues { name } } }", json!({})).await;
    let listed: BTreeSet<String> =
        data["__type"]["enumValues"].as_array().into_iter().flatten().map(|v| text(&v["name"])).collect();
    assert!(listed.len() > 20, "{listed:?}");
    let never: Vec<&String> = listed.difference(&produced).collect();
    assert!(never.is_empty(), "no request produces {never:?}: take them off the list, or say here how");
}
