//! Texts that are empty, very long, or hold what cannot be shown.

use super::world::{World, plan, with};
use super::{Case, query_code, refused_all};
use crate::support::TestApp;
use serde_json::{Value, json};

/// Every text a mutation takes: where it stands, the field a refusal names, and whether something
/// must be in it.
const TEXTS: [(&str, &str, &str, bool); 67] = [
    ("createMerchant", "name", "name", true),
    ("createMerchant", "merchantNumber", "merchantNumber", false),
    ("createSite", "name", "name", true),
    ("createSite", "address", "address", false),
    ("createSite", "regionCode", "regionCode", false),
    ("createSite", "country", "country", false),
    ("updateSite", "name", "name", true),
    ("updateSite", "address", "address", false),
    ("updateSite", "regionCode", "regionCode", false),
    ("createPosition", "name", "name", true),
    ("createPosition", "terminalNumber", "terminalNumber", false),
    ("createTechnician", "name", "name", true),
    ("createTechnician", "employeeNumber", "employeeNumber", false),
    ("createTechnician", "phone", "phone", false),
    ("createTechnician", "regionCodes.0", "regionCodes", true),
    ("createDeviceModel", "code", "code", false),
    ("createDeviceModel", "manufacturer", "manufacturer", true),
    ("createDeviceModel", "name", "name", true),
    ("createDeviceModel", "hardwareRevision", "hardwareRevision", false),
    ("createDeviceModel", "formFactor", "formFactor", false),
    ("createDeviceModel", "platform", "platform", false),
    ("createDeviceModel", "source", "source", false),
    ("createDeviceModel", "meters.0.code", "meters", true),
    ("createDeviceModel", "meters.0.ratedLifeSource", "meters", false),
    ("putFreezePeriod", "code", "code", true),
    ("putFreezePeriod", "name.en", "name", true),
    ("putFreezePeriod", "name.zh", "name", true),
    ("putFreezePeriod", "regionCodes.0", "regionCodes", true),
    ("removeFreezePeriod", "code", "code", true),
    ("registerDevice", "manufacturer", "manufacturer", true),
    ("registerDevice", "serialNumber", "serialNumber", true),
    ("registerDevice", "assetTag", "assetTag", false),
    ("registerDevice", "firmwareVersion", "firmwareVersion", false),
    ("registerDevice", "externalIds.0.system", "externalIds", true),
    ("registerDevice", "externalIds.0.value", "externalIds", true),
    ("updateDevice", "assetTag", "assetTag", false),
    ("updateDevice", "firmwareVersion", "firmwareVersion", false),
    ("updateDevice", "externalIds.0.system", "externalIds", true),
    ("updateDevice", "externalIds.0.value", "externalIds", true),
    ("relocateDevice", "reason", "reason", false),
    ("removeDevice", "reason", "reason", false),
    ("swapDevice", "reason", "reason", true),
    ("changeDeviceStatus", "reason", "reason", false),
    ("publishFirmwareRelease", "version", "version", true),
    ("publishFirmwareRelease", "minimumPriorVersion", "minimumPriorVersion", false),
    ("publishFirmwareRelease", "fixes.0.en", "fixes", true),
    ("publishFirmwareRelease", "notes.en", "notes", true),
    ("publishFirmwareRelease", "notes.zh", "notes", true),
    ("setFirmwareTarget", "selector.regionCodes.0", "selector", true),
    ("createMaintenancePlan", "code", "code", true),
    ("createMaintenancePlan", "name.en", "name.en", true),
    ("createMaintenancePlan", "name.zh", "name.zh", true),
    ("createMaintenancePlan", "steps.0.text.en", "steps", true),
    ("createMaintenancePlan", "steps.0.text.zh", "steps", true),
    ("createMaintenancePlan", "selector.regionCodes.0", "selector", false),
    ("updateMaintenancePlan", "name.en", "name.en", true),
    ("createWorkOrder", "steps.0.text.en", "steps", true),
    ("changeWorkOrderState", "reason", "reason", true),
    ("skipOccurrence", "reason", "reason", true),
    ("skipOccurrence", "waiver", "waiver", false),
    ("postponeOccurrence", "reason", "reason", true),
    ("postponeOccurrence", "waiver", "waiver", false),
    ("logServiceVisit", "notes", "notes", false),
    ("logServiceVisit", "lines.0.findings", "lines.0.findings", false),
    ("logServiceVisit", "lines.0.serialNumber", "lines.0.serialNumber", true),
    ("logServiceVisit", "lines.0.manufacturer", "lines.0.manufacturer", false),
    ("logServiceVisit", "lines.0.stepResults.0.note", "lines.0.stepResults", false),
];

/// A good request for each text, with a bad one in its place.
fn each(world: &World, bad: &str, code: &'static str, is_required: bool) -> Vec<Case<'static>> {
    let wanted = TEXTS.into_iter().filter(|(.., must_be)| *must_be || !is_required);
    wanted
        .map(|(mutation, path, field, _)| (mutation, with(world.input(mutation), path, json!(bad)), code, field))
        .collect()
}

#[tokio::test]
async fn a_text_of_ten_thousand_characters_is_too_long() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    refused_all(&app, each(&world, &"x".repeat(10_000), "TOO_LONG", false)).await;
}

#[tokio::test]
async fn a_nul_in_a_text_is_refused() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    refused_all(&app, each(&world, "a\u{0}", "INVALID", false)).await;
}

#[tokio::test]
async fn an_empty_text_is_missing_where_one_is_required() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    refused_all(&app, each(&world, "", "REQUIRED", true)).await;
    refused_all(&app, each(&world, " \t\n　", "REQUIRED", true)).await;
}

#[tokio::test]
async fn what_is_read_as_more_than_a_text_is_refused_as_that() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let mut cases = Vec::new();
    for bad in ["Mars/Olympus", "+08:00", "", "Asia/Shanghai\u{0}", "x".repeat(10_000).as_str()] {
        for mutation in ["createSite", "updateSite"] {
            let input = with(world.input(mutation), "timeZone", json!(bad));
            cases.push((mutation, input, "UNKNOWN_TIME_ZONE", "timeZone"));
        }
    }
    for bad in ["C", "C1", "中国"] {
        cases.push(("createSite", with(world.input("createSite"), "country", json!(bad)), "INVALID", "country"));
    }
    for bad in ["A\u{0}", "x".repeat(10_000).as_str()] {
        let trigger = |trigger: Value| plan(json!({"triggers": [trigger]}));
        for (triggers, code) in [
            (trigger(json!({"calendarFixed": {"cron": bad}})), "INVALID_CRON"),
            (trigger(json!({"calendarFloating": {"every": bad}})), "INVALID_DURATION"),
            (trigger(json!({"usage": {"meter": bad, "every": 100}})), "UNKNOWN_METER"),
        ] {
            cases.push(("createMaintenancePlan", triggers, code, "triggers"));
        }
    }
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn more_than_a_request_takes_is_too_many() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let many = |mutation: &str, path: &str, one: Value, count: usize| {
        with(world.input(mutation), path, Value::Array(vec![one; count]))
    };
    let step = json!({"text": {"en": "Look"}});
    let hours = json!({"weekday": 1, "opens": "09:00", "closes": "21:00"});
    let meters: Vec<Value> =
        (0..51).map(|n| json!({"code": format!("M{n}"), "maxPerDay": 10, "planningPerDay": 1})).collect();
    let line = world.input("logServiceVisit")["lines"][0].clone();
    let regions: Vec<String> = (0..1_001).map(|n| format!("{n}")).collect();
    refused_all(
        &app,
        vec![
            ("createSite", many("createSite", "closedDays", json!("2026-10-01"), 1_001), "TOO_MANY", "closedDays"),
            ("createSite", many("createSite", "openingHours", hours.clone(), 29), "TOO_MANY", "openingHours"),
            ("updateSite", many("updateSite", "closedDays", json!("2026-10-01"), 1_001), "TOO_MANY", "closedDays"),
            ("updateSite", many("updateSite", "openingHours", hours, 29), "TOO_MANY", "openingHours"),
            ("createTechnician", many("createTechnician", "regionCodes", json!("44"), 501), "TOO_MANY", "regionCodes"),
            (
                "registerDevice",
                many("registerDevice", "externalIds", json!({"system": "ERP", "value": "1"}), 21),
                "TOO_MANY",
                "externalIds",
            ),
            (
                "createDeviceModel",
                with(world.input("createDeviceModel"), "meters", json!(meters)),
                "TOO_MANY",
                "meters",
            ),
            ("createMaintenancePlan", plan(json!({"steps": vec![step.clone(); 101]})), "TOO_MANY", "steps"),
            ("createMaintenancePlan", plan(json!({"selector": {"regionCodes": regions}})), "TOO_MANY", "selector"),
            ("createWorkOrder", many("createWorkOrder", "steps", step, 101), "TOO_MANY", "steps"),
            ("logServiceVisit", many("logServiceVisit", "lines", line, 201), "TOO_MANY", "lines"),
            (
                "logServiceVisit",
                many("logServiceVisit", "lines.0.workOrderIds", json!(world.order), 101),
                "TOO_MANY",
                "lines.0.workOrderIds",
            ),
            (
                "logServiceVisit",
                many("logServiceVisit", "lines.0.stepResults", json!({"step": 1, "isDone": true}), 201),
                "TOO_MANY",
                "lines.0.stepResults",
            ),
            ("logServiceVisit", with(world.input("logServiceVisit"), "lines", json!([])), "REQUIRED", "lines"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_query_refuses_texts_that_cannot_name_anything() {
    let app = TestApp::start().await;
    let device = app.fielded("HX1", "2026-05-04T01:00:00Z").await.device;
    for bad in ["a\u{0}", "x".repeat(10_000).as_str()] {
        for query in [
            "device(serialNumber: $t) { id }",
            r#"device(serialNumber: "HX1", manufacturer: $t) { id }"#,
            "device(terminalNumber: $t) { id }",
            r#"occupantAt(terminalNumber: $t, at: "2026-05-04T02:00:00Z") { id }"#,
            "devices(filter: { serialNumbers: [$t] }) { totalCount }",
            "devices(filter: { terminalNumbers: [$t] }) { totalCount }",
            "devices(filter: { regionCodes: [$t] }) { totalCount }",
            "merchants(filter: { nameContains: $t }) { totalCount }",
            "merchants(filter: { merchantNumbers: [$t] }) { totalCount }",
            "sites(filter: { nameContains: $t }) { totalCount }",
            "sites(filter: { regionCodes: [$t] }) { totalCount }",
            "workOrder(number: $t) { id }",
            "workOrders(filter: { numbers: [$t] }) { totalCount }",
            "workOrders(filter: { regionCodes: [$t] }) { totalCount }",
            r#"upcomingMaintenance(dueBefore: "2026-08-01T00:00:00Z", filter: { regionCodes: [$t] }) { totalCount }"#,
            "device(id: $id) { usagePattern(meter: $t) { dailyRate } }",
            "merchants(after: $t) { totalCount }",
        ] {
            let query = format!("query($t: String!, $id: ID!) {{ {query} node(id: $id) {{ id }} }}");
            let code = query_code(&app, &query, json!({"t": bad, "id": device})).await;
            assert_eq!(code, "BAD_USER_INPUT", "{query} with {} characters", bad.len());
        }
    }
}
