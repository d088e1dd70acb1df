//! Ids that name nothing, something else, or somebody else's.

use super::world::{World, give_away, with};
use super::{Case, query_code, refused_all};
use crate::support::TestApp;
use serde_json::{Value, json};
use tillkeep::kernel::ids::join_global;
use uuid::Uuid;

/// Every id a mutation takes: where it stands, and what it names.
const IDS: [(&str, &str, &str); 32] = [
    ("createSite", "merchantId", "Merchant"),
    ("updateSite", "siteId", "Site"),
    ("createPosition", "siteId", "Site"),
    ("registerDevice", "modelId", "DeviceModel"),
    ("updateDevice", "deviceId", "Device"),
    ("installDevice", "deviceId", "Device"),
    ("installDevice", "positionId", "Position"),
    ("relocateDevice", "deviceId", "Device"),
    ("relocateDevice", "positionId", "Position"),
    ("removeDevice", "deviceId", "Device"),
    ("swapDevice", "oldDeviceId", "Device"),
    ("swapDevice", "newDeviceId", "Device"),
    ("changeDeviceStatus", "deviceId", "Device"),
    ("publishFirmwareRelease", "modelIds.0", "DeviceModel"),
    ("setFirmwareTarget", "modelId", "DeviceModel"),
    ("setFirmwareTarget", "releaseId", "FirmwareRelease"),
    ("setFirmwareTarget", "selector.siteIds.0", "Site"),
    ("setFirmwareTarget", "selector.deviceIds.0", "Device"),
    ("createMaintenancePlan", "selector.modelIds.0", "DeviceModel"),
    ("createMaintenancePlan", "selector.siteIds.0", "Site"),
    ("updateMaintenancePlan", "planId", "MaintenancePlan"),
    ("updateMaintenancePlan", "selector.siteIds.0", "Site"),
    ("createWorkOrder", "deviceId", "Device"),
    ("createWorkOrder", "siteId", "Site"),
    ("scheduleWorkOrder", "workOrderId", "WorkOrder"),
    ("scheduleWorkOrder", "assigneeId", "Technician"),
    ("changeWorkOrderState", "workOrderId", "WorkOrder"),
    ("skipOccurrence", "itemId", "MaintenanceItem"),
    ("skipOccurrence", "workOrderId", "WorkOrder"),
    ("postponeOccurrence", "workOrderId", "WorkOrder"),
    ("logServiceVisit", "siteId", "Site"),
    ("logServiceVisit", "technicianId", "Technician"),
];

/// An id of a kind that names nothing.
fn nothing(kind: &str) -> String {
    join_global(kind, Uuid::from_u128(7))
}

/// An id of another kind.
fn another(kind: &str) -> String {
    nothing(if kind == "Merchant" { "Site" } else { "Merchant" })
}

/// A good request for each id, with a bad one in its place.
fn each(world: &World, bad: impl Fn(&str) -> String, code: &'static str) -> Vec<Case<'static>> {
    let case = |(mutation, path, kind): (&'static str, &'static str, &'static str)| {
        let input = with(world.input(mutation), path, json!(bad(kind)));
        // Where either is given, the other is not.
        let input = match (mutation, path) {
            ("createWorkOrder", "siteId") => with(input, "deviceId", Value::Null),
            ("skipOccurrence" | "postponeOccurrence", "workOrderId") => with(input, "itemId", Value::Null),
            _ => input,
        };
        (mutation, input, code, path.split('.').next().unwrap())
    };
    IDS.into_iter().map(case).collect()
}

#[tokio::test]
async fn an_unknown_id_is_not_found() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    refused_all(&app, each(&world, nothing, "NOT_FOUND")).await;
}

#[tokio::test]
async fn an_id_of_something_else_is_of_the_wrong_kind() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let mut cases = each(&world, another, "WRONG_ID_KIND");
    for path in ["lines.0.deviceId", "lines.0.workOrderIds", "lines.0.planIds"] {
        let id = json!(nothing("Merchant"));
        let value = if path.ends_with("Ids") { json!([id]) } else { id };
        cases.push(("logServiceVisit", with(world.input("logServiceVisit"), path, value), "WRONG_ID_KIND", path));
    }
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn what_is_no_id_of_ours_is_malformed() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    refused_all(&app, each(&world, |_| "nonsense".to_owned(), "MALFORMED_ID")).await;
    refused_all(&app, each(&world, |kind| format!("{}…", nothing(kind)), "MALFORMED_ID")).await;
    let device = "updateDevice";
    let long = with(world.input(device), "deviceId", json!("x".repeat(10_000)));
    refused_all(&app, vec![(device, long, "MALFORMED_ID", "deviceId")]).await;
}

#[tokio::test]
async fn what_is_somebody_elses_is_not_found() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    give_away(&app).await;
    // Of the ids of one request the first that is looked up is named.
    let first_named = |mutation: &str| match mutation {
        "createSite" => "merchantId",
        "updateSite" | "createPosition" | "logServiceVisit" => "siteId",
        "registerDevice" | "setFirmwareTarget" => "modelId",
        "publishFirmwareRelease" => "modelIds",
        "swapDevice" => "oldDeviceId",
        "createMaintenancePlan" => "selector",
        "updateMaintenancePlan" => "planId",
        "scheduleWorkOrder" | "changeWorkOrderState" => "workOrderId",
        "skipOccurrence" | "postponeOccurrence" => "itemId",
        _ => "deviceId",
    };
    let mut mutations: Vec<&str> = IDS.iter().map(|(mutation, ..)| *mutation).collect();
    mutations.dedup();
    let cases = mutations.into_iter().map(|m| (m, world.input(m), "NOT_FOUND", first_named(m))).collect();
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn a_query_answers_null_for_what_is_not_there() {
    let app = TestApp::start().await;
    app.fielded("HX1", "2026-05-04T01:00:00Z").await;
    let query = r#"query($device: ID!, $order: ID!, $site: ID!) {
        device(id: $device) { id }
        bySerial: device(serialNumber: "HX2") { id }
        byMaker: device(serialNumber: "HX1", manufacturer: "Nobody") { id }
        byTerminal: device(terminalNumber: "T2") { id }
        before: occupantAt(terminalNumber: "THX1", at: "2026-05-04T00:59:59Z") { id }
        workOrder(id: $order) { id }
        byNumber: workOrder(number: "WO-2026-999999") { id }
        node(id: $device) { id }
        nodes(ids: [$order, $device]) { id }
        devices(filter: { siteId: $site }) { totalCount nodes { id } }
    }"#;
    let variables = json!({"device": nothing("Device"), "order": nothing("WorkOrder"), "site": nothing("Site")});
    let expected = json!({
        "device": null, "bySerial": null, "byMaker": null, "byTerminal": null, "before": null, "workOrder": null,
        "byNumber": null, "node": null, "nodes": [null, null], "devices": {"totalCount": 0, "nodes": []},
    });
    assert_eq!(app.gql(query, variables).await, expected);
}

#[tokio::test]
async fn a_query_refuses_ids_that_cannot_name_what_is_asked_for() {
    let app = TestApp::start().await;
    let mut accepted = Vec::new();
    for (query, kind) in [
        ("device(id: $id) { id }", "Site"),
        ("workOrder(id: $id) { id }", "Device"),
        ("devices(filter: { siteId: $id }) { totalCount }", "Merchant"),
        ("devices(filter: { merchantId: $id }) { totalCount }", "Site"),
        ("devices(filter: { modelIds: [$id] }) { totalCount }", "Device"),
        ("sites(filter: { merchantId: $id }) { totalCount }", "Site"),
        ("workOrders(filter: { deviceId: $id }) { totalCount }", "Site"),
        ("workOrders(filter: { planId: $id }) { totalCount }", "Site"),
        ("workOrders(filter: { assigneeId: $id }) { totalCount }", "Device"),
        ("serviceVisits(filter: { technicianId: $id }) { totalCount }", "Device"),
        (
            r#"upcomingMaintenance(dueBefore: "2026-08-01T00:00:00Z", filter: { planIds: [$id] }) { totalCount }"#,
            "Site",
        ),
    ] {
        let query = format!("query($id: ID!) {{ {query} }}");
        for id in [nothing(kind), "nonsense".to_owned()] {
            let code = query_code(&app, &query, json!({"id": id})).await;
            if code != "BAD_USER_INPUT" {
                accepted.push(format!("{code}: {query} with {id}"));
            }
        }
    }
    for query in [
        r#"{ node(id: "nonsense") { id } }"#,
        r#"{ nodes(ids: ["nonsense"]) { id } }"#,
        "{ device { id } }",
        r#"{ device(serialNumber: "HX1", terminalNumber: "T1") { id } }"#,
        "{ workOrder { id } }",
    ] {
        let code = query_code(&app, query, json!({})).await;
        if code != "BAD_USER_INPUT" {
            accepted.push(format!("{code}: {query}"));
        }
    }
    let many = vec![nothing("Device"); 501];
    let code = query_code(&app, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({"ids": many})).await;
    assert_eq!(code, "BAD_USER_INPUT", "501 ids");
    assert!(accepted.is_empty(), "{}", accepted.join("\n"));
}
