//! What devices say is installed: in bulk, late, and about devices nobody knows.

use super::{publish, report, set_target, target};
use crate::bad_input::refused_all;
use crate::support::TestApp;
use crate::support::builders::MAKER;
use serde_json::{Value, json};
use tillkeep::kernel::ids::DeviceModelId;
use tillkeep::registry::service::RegisterDevice;

const INSTALLED: &str = "2026-05-04T01:00:00Z";
const SELECTION: &str = "acceptedCount changedCount rejected { row code message }";

/// So many devices in stock; their ids.
async fn fleet(app: &TestApp, model: &str, count: usize) -> Vec<String> {
    let model_id = DeviceModelId::parse_global(model).unwrap();
    let call = app.app.system_call("fleet");
    let new: Vec<RegisterDevice> = (0..count)
        .map(|n| RegisterDevice {
            manufacturer: MAKER.to_owned(),
            model_id,
            serial_number: format!("F{n}"),
            asset_tag: None,
            status: None,
            firmware_version: None,
            external_ids: vec![],
        })
        .collect();
    let made = app.app.registry.register_devices(&call, &new).await.unwrap();
    made.into_iter().map(|device| device.unwrap().device_id.global()).collect()
}

/// Reports a version of each device, and answers what that cost.
async fn report_all(app: &TestApp, devices: &[String], version: &str, at: &str) -> u64 {
    let reports: Vec<Value> =
        devices.iter().map(|id| json!({"deviceId": id, "version": version, "reportedAt": at})).collect();
    let before = app.db().statement_count();
    let payload = app.mutate("reportInstalledSoftware", SELECTION, json!({"reports": reports})).await;
    let cost = app.db().statement_count() - before;
    let expected = json!({
        "acceptedCount": devices.len(), "changedCount": devices.len(), "rejected": [], "userErrors": [],
    });
    assert_eq!(payload, expected);
    cost
}

#[tokio::test]
async fn five_thousand_reports_cost_few_statements_and_so_does_a_target_for_all() {
    let app = TestApp::start().await;
    let model = app.model().await;
    let devices = fleet(&app, &model, 5_000).await;
    let of_50 = report_all(&app, &devices[..50], "3.0", "2026-05-04T02:00:00Z").await;
    let of_500 = report_all(&app, &devices[..500], "3.1", "2026-05-04T03:00:00Z").await;
    let of_5000 = report_all(&app, &devices, "3.2", "2026-05-04T04:00:00Z").await;
    assert!(of_500 <= of_50 + 5, "50 reports cost {of_50} statements, 500 cost {of_500}");
    // A thousand at a time, not one by one.
    assert!(of_5000 <= 10 * of_50, "50 reports cost {of_50} statements, 5,000 cost {of_5000}");

    let release = publish(&app, &model, "3.3", None).await;
    let before = app.db().statement_count();
    set_target(&app, &model, &release, json!({})).await;
    let cost = app.db().statement_count() - before;
    assert!(cost < 40, "a target for 5,000 devices cost {cost} statements");

    let query = "query($first: Int) { devices(first: $first) { nodes {
        firmwareVersion firmwareTarget { nextVersion isCurrent release { version models { name meters { code } } } }
    } } }";
    let mut costs = Vec::new();
    for first in [5, 50, 500] {
        let before = app.db().statement_count();
        let data = app.gql(query, json!({"first": first})).await;
        costs.push(app.db().statement_count() - before);
        let nodes = data["devices"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), first);
        let is_behind = |n: &Value| n["firmwareVersion"] == "3.2" && n["firmwareTarget"]["nextVersion"] == "3.3";
        assert!(nodes.iter().all(is_behind), "{:#}", nodes[0]);
    }
    assert!(costs.iter().all(|cost| *cost == costs[0]), "5, 50 and 500 devices: {costs:?}");
}

#[tokio::test]
async fn a_list_of_releases_costs_the_same_whatever_its_length() {
    let app = TestApp::start().await;
    let model = app.model().await;
    for n in 0..60 {
        publish(&app, &model, &format!("1.{n}"), None).await;
    }
    let query =
        "query($first: Int) { firmwareReleases(first: $first) { nodes { version models { name meters { code } } } } }";
    let mut costs = Vec::new();
    for first in [1, 5, 50] {
        let before = app.db().statement_count();
        let data = app.gql(query, json!({"first": first})).await;
        costs.push(app.db().statement_count() - before);
        assert_eq!(data["firmwareReleases"]["nodes"].as_array().map(Vec::len), Some(first));
    }
    assert!(costs.iter().all(|cost| *cost == costs[0]), "1, 5 and 50 releases: {costs:?}");
}

#[tokio::test]
async fn a_late_report_overwrites_nothing_newer() {
    let app = TestApp::start().await;
    let device = app.fielded("HX1", INSTALLED).await.device;
    let version = async || {
        let query = "query($id: ID!) { device(id: $id) { firmwareVersion software { kind name version } } }";
        app.gql(query, json!({"id": device})).await["device"].take()
    };
    report(&app, &device, "3.2.0", "2026-05-04T04:00:00Z").await;
    let late = report(&app, &device, "3.1.0", "2026-05-04T03:00:00Z").await;
    assert_eq!((&late["acceptedCount"], &late["changedCount"]), (&json!(1), &json!(0)));
    let expected = json!({
        "firmwareVersion": "3.2.0", "software": [{"kind": "FIRMWARE", "name": "firmware", "version": "3.2.0"}],
    });
    assert_eq!(version().await, expected);
    // In one request the later by device time stands, whatever its place.
    let rows = [("3.4.0", "06"), ("3.3.0", "05")]
        .map(|(v, h)| json!({"deviceId": device, "version": v, "reportedAt": format!("2026-05-04T{h}:00:00Z")}));
    app.mutate("reportInstalledSoftware", "", json!({"reports": rows})).await;
    assert_eq!(version().await["firmwareVersion"], "3.4.0");
    // The same again changes nothing.
    let same = report(&app, &device, "3.4.0", "2026-05-04T07:00:00Z").await;
    assert_eq!((&same["acceptedCount"], &same["changedCount"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn a_report_names_its_device_in_any_way_and_its_software_by_kind_and_name() {
    let app = TestApp::start().await;
    let one = app.fielded("HX1", INSTALLED).await;
    let at = "2026-05-04T04:00:00Z";
    let reports = json!([
        {"serialNumber": "HX1", "manufacturer": MAKER, "version": "3.2.0", "reportedAt": at},
        {"terminalNumber": "THX1", "kind": "OS", "version": "12", "reportedAt": at},
        {"deviceId": one.device, "kind": "PAYMENT_APP", "name": "UnionPay", "version": "8.1", "reportedAt": at},
    ]);
    let payload = app.mutate("reportInstalledSoftware", SELECTION, json!({"reports": reports})).await;
    assert_eq!((&payload["acceptedCount"], &payload["rejected"]), (&json!(3), &json!([])));
    let query = "query($id: ID!) { device(id: $id) { firmwareVersion software { kind name version } } }";
    let device = app.gql(query, json!({"id": one.device})).await["device"].take();
    assert_eq!(device["firmwareVersion"], "3.2.0");
    let mut found: Vec<String> = device["software"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            format!(
                "{} {} {}",
                s["kind"].as_str().unwrap(),
                s["name"].as_str().unwrap(),
                s["version"].as_str().unwrap()
            )
        })
        .collect();
    found.sort();
    assert_eq!(found, ["FIRMWARE firmware 3.2.0", "OS os 12", "PAYMENT_APP UnionPay 8.1"]);
}

#[tokio::test]
async fn bad_rows_are_refused_by_row_and_good_ones_kept() {
    let app = TestApp::start().await;
    let one = app.fielded("HX1", INSTALLED).await;
    let row = |changes: Value| {
        let mut row = json!({"deviceId": one.device, "version": "3.2.0", "reportedAt": "2026-05-04T04:00:00Z"});
        for (field, value) in changes.as_object().into_iter().flatten() {
            row[field] = value.clone();
        }
        row
    };
    let reports = [
        row(json!({"deviceId": null})),
        row(json!({"deviceId": "nonsense"})),
        row(json!({"deviceId": one.site})),
        row(json!({})),
        row(json!({"deviceId": null, "serialNumber": "HX99"})),
        row(json!({"deviceId": null, "terminalNumber": "THX1", "reportedAt": "2026-05-03T00:00:00Z"})),
        row(json!({"version": " "})),
        row(json!({"version": "x".repeat(65)})),
        row(json!({"reportedAt": "2026-05-05T04:00:00Z"})),
        row(json!({"reportedAt": "1999-05-05T04:00:00Z"})),
    ];
    let payload = app.mutate("reportInstalledSoftware", SELECTION, json!({"reports": reports})).await;
    let found: Vec<(u64, &str)> = payload["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["row"].as_u64().unwrap(), r["code"].as_str().unwrap()))
        .collect();
    let expected = [
        (0, "REQUIRED"),
        (1, "MALFORMED_ID"),
        (2, "WRONG_ID_KIND"),
        (4, "NOT_FOUND"),
        (5, "NOT_FOUND"),
        (6, "REQUIRED"),
        (7, "TOO_LONG"),
        (8, "INVALID_INSTANT"),
        (9, "INVALID_INSTANT"),
    ];
    assert_eq!((found.as_slice(), &payload["acceptedCount"]), (expected.as_slice(), &json!(1)));
}

#[tokio::test]
async fn none_or_too_many_reports_are_refused_as_a_whole() {
    let app = TestApp::start().await;
    let one = app.fielded("HX1", INSTALLED).await;
    let row = json!({"deviceId": one.device, "version": "3.2.0", "reportedAt": "2026-05-04T04:00:00Z"});
    let many = json!({"reports": vec![row.clone(); 5_001]});
    refused_all(
        &app,
        vec![
            ("reportInstalledSoftware", json!({"reports": []}), "INVALID", "reports"),
            ("reportInstalledSoftware", many, "TOO_MANY", "reports"),
        ],
    )
    .await;
    let input = json!({"reports": [row], "idempotencyKey": "once"});
    let first = app.mutate("reportInstalledSoftware", SELECTION, input.clone()).await;
    assert_eq!(app.mutate("reportInstalledSoftware", SELECTION, input).await, first);
}

#[tokio::test]
async fn a_report_of_other_software_is_not_the_firmware() {
    let app = TestApp::start().await;
    let one = app.fielded("HX1", INSTALLED).await;
    let release = publish(&app, &one.model, "3.0", None).await;
    let at = "2026-05-04T04:00:00Z";
    let app_only = json!({"reports": [{"deviceId": one.device, "kind": "OS", "version": "9.0", "reportedAt": at}]});
    app.mutate("reportInstalledSoftware", "", app_only).await;
    // An operating system of version 9 stands in the way of no firmware.
    set_target(&app, &one.model, &release, json!({})).await;
    report(&app, &one.device, "9.0", at).await;
    let refusal = app.refused("setFirmwareTarget", target(&one.model, &release, json!({}))).await;
    assert_eq!(refusal.0, "FIRMWARE_DOWNGRADE");
    let query = "query($id: ID!) { device(id: $id) { history(kinds: [SOFTWARE_REPORTED]) { nodes { kind } } } }";
    let data = app.gql(query, json!({"id": one.device})).await;
    assert_eq!(data["device"]["history"]["nodes"].as_array().map(Vec::len), Some(2));
}
