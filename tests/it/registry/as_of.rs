//! The fleet as it stood: `devices(asOf:)` is what the device files say had happened by then.

use crate::support::builders::MAKER;
use crate::support::{TestApp, at, instant, text};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tillkeep::kernel::ids::{PositionId, SiteId};

const AS_OF: &str = "query($at: DateTime, $filter: DeviceFilter, $first: Int, $after: String) {
    devices(asOf: $at, filter: $filter, first: $first, after: $after) {
        totalCount
        nodes {
            id status statusSince installedAt firmwareVersion terminalNumber assetTag
            site { id } position { id } merchant { id }
            software { name version reportedAt }
            components { kind removedAt }
        }
        pageInfo { hasNextPage endCursor }
    }
}";

/// What a device is, in the words of this test.
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    status: String,
    site: Option<String>,
    position: Option<String>,
    terminal: Option<String>,
    installed_at: Option<DateTime<Utc>>,
    firmware: Option<String>,
    tag: Option<String>,
}

fn some(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Folds a device's history up to a moment, by the payloads as a client reads them.
fn folded(history: &[Value], moment: DateTime<Utc>) -> Option<State> {
    let places = ["INSTALLED", "REMOVED", "RELOCATED", "SWAPPED_OUT", "SWAPPED_IN", "STATUS_CHANGED"];
    let happened = |e: &Value| instant(&e["occurredAt"]) <= moment;
    let is_there = |e: &Value| e["kind"] == "DEVICE_REGISTERED" || places.contains(&text(&e["kind"]).as_str());
    if !history.iter().any(|e| is_there(e) && happened(e)) {
        return None;
    }
    let mut state = State::default();
    for event in history.iter().filter(|e| e["kind"] == "DEVICE_REGISTERED" || happened(e)) {
        let payload = &event["payload"];
        match text(&event["kind"]).as_str() {
            "DEVICE_REGISTERED" => {
                state.status = text(&payload["status"]);
                state.tag = some(&payload["assetTag"]);
            }
            "DEVICE_UPDATED" => state.tag = some(&payload["assetTag"]),
            "STATUS_CHANGED" => state.status = text(&payload["status"]),
            kind @ ("INSTALLED" | "SWAPPED_IN" | "RELOCATED") => {
                // Who is moved stays what it was.
                if kind != "RELOCATED" {
                    state.status = text(&payload["status"]);
                }
                state.site = some(&payload["siteId"]);
                state.position = some(&payload["positionId"]);
                state.terminal = some(&payload["terminalNumber"]);
                state.installed_at = Some(instant(&event["occurredAt"]));
            }
            "REMOVED" | "SWAPPED_OUT" => {
                state.status = text(&payload["status"]);
                (state.site, state.position, state.terminal, state.installed_at) = (None, None, None, None);
            }
            "SOFTWARE_REPORTED" => state.firmware = some(&payload["version"]),
            _ => {}
        }
    }
    Some(state)
}

/// A device of an answer in the words of this test.
fn answered(device: &Value) -> State {
    let site = some(&device["site"]["id"]).map(|id| SiteId::parse_global(&id).unwrap().0.to_string());
    let position = some(&device["position"]["id"]).map(|id| PositionId::parse_global(&id).unwrap().0.to_string());
    assert_eq!(device["merchant"].is_null(), site.is_none(), "{device:#}");
    State {
        status: text(&device["status"]),
        site,
        position,
        terminal: some(&device["terminalNumber"]),
        installed_at: some(&device["installedAt"]).map(|text| at(&text)),
        firmware: some(&device["firmwareVersion"]),
        tag: some(&device["assetTag"]),
    }
}

fn rfc(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A fleet with a history, told on time and late, and the ids of its devices and first site.
async fn fleet() -> (TestApp, Vec<String>, String) {
    let app = TestApp::start_at("2026-05-01T00:00:00Z").await;
    let model = app.model().await;
    let merchant = app.merchant("Wang's Noodles").await;
    let (near, far) = (app.site(&merchant).await, app.site(&merchant).await);
    let counter = app.position(&near, "Counter", Some("T1")).await;
    let lane = app.position(&near, "Lane", Some("T2")).await;
    let kiosk = app.position(&far, "Kiosk", None).await;
    let first = app.device(&model, "HX1").await;
    app.set_clock("2026-05-02T00:00:00Z");
    let second = app.device(&model, "HX2").await;
    app.set_clock("2026-05-03T06:00:00Z");
    // Told an hour after it was done.
    app.install(&first, &counter, "2026-05-03T05:00:00Z").await;
    app.set_clock("2026-05-04T00:00:00Z");
    let update = json!({"deviceId": first, "firmwareVersion": "1.9", "assetTag": "A-1"});
    app.mutate("updateDevice", "", update).await;
    let status = json!({"deviceId": first, "status": "IN_SERVICE", "changedAt": "2026-05-03T20:00:00Z"});
    app.mutate("changeDeviceStatus", "", status).await;
    app.set_clock("2026-05-06T00:00:00Z");
    let relocated = json!({"deviceId": first, "positionId": kiosk, "relocatedAt": "2026-05-05T12:00:00Z"});
    app.mutate("relocateDevice", "", relocated).await;
    app.mutate("updateDevice", "", json!({"deviceId": first, "firmwareVersion": "1.10"})).await;
    app.set_clock("2026-05-08T00:00:00Z");
    let swap = json!({
        "oldDeviceId": first, "newDeviceId": second, "swappedAt": "2026-05-07T09:00:00Z",
        "reason": "Display broken", "oldDeviceStatus": "IN_REPAIR",
    });
    app.mutate("swapDevice", "", swap).await;
    app.set_clock("2026-05-10T00:00:00Z");
    let removed = json!({"deviceId": second, "removedAt": "2026-05-09T00:00:00Z", "status": "RETIRED"});
    app.mutate("removeDevice", "", removed).await;
    // As an import does: registered today, in the field since long ago.
    let register = json!({"manufacturer": MAKER, "modelId": model, "serialNumber": "HX3", "assetTag": "A-3"});
    let third = text(&app.mutate("registerDevice", "device { id }", register).await["device"]["id"]);
    app.install(&third, &lane, "2026-04-20T00:00:00Z").await;
    app.set_clock("2026-05-12T00:00:00Z");
    (app, vec![first, second, third], near)
}

async fn histories(app: &TestApp, devices: &[String]) -> BTreeMap<String, Vec<Value>> {
    let query = "query($id: ID!) {
        device(id: $id) { history(first: 500) { nodes { kind occurredAt payload } } }
    }";
    let mut all = BTreeMap::new();
    for device in devices {
        let data = app.gql(query, json!({"id": device})).await;
        let history = data["device"]["history"]["nodes"].as_array().unwrap().clone();
        all.insert(device.clone(), history);
    }
    all
}

#[tokio::test]
async fn the_fleet_at_any_moment_is_the_fold_of_the_device_files() {
    let (app, devices, _) = fleet().await;
    let histories = histories(&app, &devices).await;
    let mut moments: Vec<DateTime<Utc>> =
        histories.values().flatten().map(|event| instant(&event["occurredAt"])).collect();
    moments.sort_unstable();
    moments.dedup();
    assert!(moments.len() >= 10, "{moments:?}");
    let step = TimeDelta::microseconds(1);
    let now = at("2026-05-12T00:00:00Z");
    let around = moments.iter().flat_map(|m| [*m - step, *m, *m + step]).chain([at("2000-01-01T00:00:00Z"), now]);
    for moment in around {
        let data = app.gql(AS_OF, json!({"at": rfc(moment)})).await;
        let found: BTreeMap<String, State> = data["devices"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|device| (text(&device["id"]), answered(device)))
            .collect();
        let expected: BTreeMap<String, State> =
            histories.iter().filter_map(|(device, history)| Some((device.clone(), folded(history, moment)?))).collect();
        assert_eq!(found, expected, "{moment}");
        assert_eq!(data["devices"]["totalCount"], json!(expected.len()), "{moment}");
    }
    // As of now it is the fleet as it is.
    let query = AS_OF.replace("asOf: $at, ", "").replace("$at: DateTime, ", "");
    let (then, today) = (app.gql(AS_OF, json!({"at": rfc(now)})).await, app.gql(&query, json!({})).await);
    let same = |data: &Value| data["devices"]["nodes"].as_array().unwrap().iter().map(answered).collect::<Vec<_>>();
    assert_eq!(same(&then), same(&today));
}

#[tokio::test]
async fn software_and_parts_are_those_of_the_moment() {
    let (app, devices, _) = fleet().await;
    let query = AS_OF.replace("first: $first", "first: $first, orderBy: {field: SERIAL_NUMBER, direction: ASC}");
    for (moment, versions) in [
        ("2026-05-03T23:00:00Z", json!([])),
        (
            "2026-05-05T00:00:00Z",
            json!([{"name": "firmware", "version": "1.9", "reportedAt": "2026-05-04T00:00:00+00:00"}]),
        ),
        (
            "2026-05-11T00:00:00Z",
            json!([{"name": "firmware", "version": "1.10", "reportedAt": "2026-05-06T00:00:00+00:00"}]),
        ),
    ] {
        let data = app.gql(&query, json!({"at": moment})).await;
        let first = &data["devices"]["nodes"][0];
        assert_eq!(text(&first["id"]), devices[0]);
        assert_eq!(first["software"], versions, "{moment}");
        assert_eq!(first["components"].as_array().unwrap().len(), 2, "{moment}");
    }
}

#[tokio::test]
async fn the_filter_is_about_the_moment_and_pages_go_on_through_it() {
    let (app, devices, near) = fleet().await;
    let ids = |data: &Value| -> Vec<String> {
        data["devices"]["nodes"].as_array().unwrap().iter().map(|d| text(&d["id"])).collect()
    };
    for (moment, filter, expected) in [
        ("2026-05-04T12:00:00Z", json!({"statuses": ["IN_SERVICE"]}), vec![0]),
        ("2026-05-03T12:00:00Z", json!({"statuses": ["IN_SERVICE"]}), vec![]),
        ("2026-05-04T12:00:00Z", json!({"siteId": near}), vec![0, 2]),
        ("2026-05-06T00:00:00Z", json!({"siteId": near}), vec![2]),
        ("2026-05-04T12:00:00Z", json!({"terminalNumbers": ["T1"]}), vec![0]),
        ("2026-05-06T00:00:00Z", json!({"terminalNumbers": ["T1"]}), vec![]),
        ("2026-05-11T00:00:00Z", json!({"serialNumbers": ["HX2"], "statuses": ["RETIRED"]}), vec![1]),
        ("2026-05-11T00:00:00Z", json!({"regionCodes": ["44"]}), vec![]),
    ] {
        let data = app.gql(AS_OF, json!({"at": moment, "filter": filter})).await;
        let expected: Vec<String> = expected.into_iter().map(|n: usize| devices[n].clone()).collect();
        assert_eq!(ids(&data), expected, "{filter} at {moment}");
        assert_eq!(data["devices"]["totalCount"], json!(expected.len()), "{filter} at {moment}");
    }

    let (mut after, mut seen) = (Value::Null, Vec::new());
    loop {
        let data = app.gql(AS_OF, json!({"at": "2026-05-11T00:00:00Z", "first": 1, "after": after})).await;
        seen.extend(ids(&data));
        if data["devices"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = data["devices"]["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, devices);
}

#[tokio::test]
async fn moments_that_cannot_be_and_filters_of_today_are_refused() {
    let (app, ..) = fleet().await;
    let silent = json!({"silentSince": "2026-05-01T00:00:00Z"});
    let page = app.gql(AS_OF, json!({"at": "2026-05-11T00:00:00Z", "first": 1})).await;
    let cursor = page["devices"]["pageInfo"]["endCursor"].clone();
    for (variables, word) in [
        (json!({"at": "2026-05-12T00:00:00.000001Z"}), "future"),
        (json!({"at": "1999-12-31T23:59:59Z"}), "2000"),
        (json!({"at": "2026-05-11T00:00:00Z", "filter": silent}), "silentSince"),
        (json!({"at": "2026-05-10T00:00:00Z", "after": cursor}), "another list"),
    ] {
        let answer = app.try_gql(AS_OF, variables.clone()).await;
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{variables}: {answer:#}");
        assert!(text(&error["message"]).contains(word), "{variables}: {error:#}");
    }
}

#[tokio::test]
async fn a_relocation_told_late_carries_no_status_into_the_past() {
    let app = TestApp::start_at("2026-05-01T00:00:00Z").await;
    let till = app.fielded("HX1", "2026-05-01T00:00:00Z").await;
    let counter = app.position(&till.site, "Counter 2", None).await;
    app.set_clock("2026-05-10T00:00:00Z");
    let status = json!({"deviceId": till.device, "status": "IN_SERVICE", "changedAt": "2026-05-05T00:00:00Z"});
    app.mutate("changeDeviceStatus", "", status).await;
    let relocated = json!({"deviceId": till.device, "positionId": counter, "relocatedAt": "2026-05-03T00:00:00Z"});
    app.mutate("relocateDevice", "", relocated).await;
    for (moment, status) in [("2026-05-04T00:00:00Z", "INSTALLED"), ("2026-05-06T00:00:00Z", "IN_SERVICE")] {
        let data = app.gql(AS_OF, json!({"at": moment})).await;
        assert_eq!(data["devices"]["nodes"][0]["status"], status, "{moment}");
    }
}

#[tokio::test]
async fn a_part_is_in_a_device_from_when_it_was_put_in() {
    let app = TestApp::start_at("2026-05-10T00:00:00Z").await;
    // Registered today, in the field since long ago, and its printer was replaced before today.
    let till = app.fielded("HX1", "2026-04-20T00:00:00Z").await;
    let technician = app.technician("Li Wei").await;
    let part = json!({"componentKind": "PRINTER", "newSerialNumber": "P-2"});
    let line = json!({"deviceId": till.device, "partsReplaced": [part]});
    app.log_visit(&till.site, &technician, "2026-05-05T00:00:00Z", vec![line]).await;
    for (moment, out, printers) in [("2026-05-01T00:00:00Z", 0, 1), ("2026-05-06T00:00:00Z", 1, 2)] {
        let data = app.gql(AS_OF, json!({"at": moment})).await;
        let parts = data["devices"]["nodes"][0]["components"].as_array().unwrap().clone();
        let found: Vec<&Value> = parts.iter().filter(|p| p["kind"] == "PRINTER").collect();
        assert_eq!(found.len(), printers, "{moment}: {parts:#?}");
        assert_eq!(found.iter().filter(|p| !p["removedAt"].is_null()).count(), out, "{moment}: {parts:#?}");
    }
}
