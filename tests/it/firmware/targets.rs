//! What devices are to run: for a model and for parts of it, forwards and back, step by step.

use super::{TARGET, publish, report, set_target, stands, target};
use crate::bad_input::database::ask;
use crate::bad_input::refused_all;
use crate::support::builders::MAKER;
use crate::support::{TestApp, only, text};
use serde_json::{Value, json};

const INSTALLED: &str = "2026-05-04T01:00:00Z";
const REPORTED: &str = "2026-05-04T02:00:00Z";

#[tokio::test]
async fn a_device_without_target_has_none_and_one_with_it_is_current_once_it_reports_it() {
    let app = TestApp::start().await;
    let one = app.fielded("HX1", INSTALLED).await;
    let data = app.gql(TARGET, json!({"id": one.device})).await;
    assert_eq!(data["device"]["firmwareTarget"], Value::Null);
    let release = publish(&app, &one.model, "3.10.0", None).await;
    set_target(&app, &one.model, &release, json!({})).await;
    // Never reported: not known to be current.
    assert_eq!(stands(&app, &one.device).await, (json!("3.10.0"), json!("3.10.0"), json!(false)));
    report(&app, &one.device, "3.9.2", REPORTED).await;
    assert_eq!(stands(&app, &one.device).await, (json!("3.10.0"), json!("3.10.0"), json!(false)));
    report(&app, &one.device, "v3.10", "2026-05-04T03:00:00Z").await;
    assert_eq!(stands(&app, &one.device).await, (json!("3.10.0"), Value::Null, json!(true)));
    // Newer than wanted is as good.
    report(&app, &one.device, "3.11.0", "2026-05-04T04:00:00Z").await;
    assert_eq!(stands(&app, &one.device).await, (json!("3.10.0"), Value::Null, json!(true)));
}

#[tokio::test]
async fn the_closest_target_counts() {
    let app = TestApp::start().await;
    let one = app.fielded("HX1", INSTALLED).await;
    let two = app.fielded("HX2", INSTALLED).await;
    let input = json!({"siteId": one.site, "regionCode": "440305"});
    app.mutate("updateSite", "", input).await;
    let model = &one.model;
    let mut releases = Vec::new();
    for n in 1..=5 {
        releases.push(publish(&app, model, &format!("{n}.0"), None).await);
    }
    let version = async |device: &str| stands(&app, device).await.0;
    set_target(&app, model, &releases[4], json!({"selector": {"regionCodes": ["44"]}})).await;
    assert_eq!((version(&one.device).await, version(&two.device).await), (json!("5.0"), Value::Null));
    set_target(&app, model, &releases[0], json!({})).await;
    assert_eq!((version(&one.device).await, version(&two.device).await), (json!("5.0"), json!("1.0")));
    set_target(&app, model, &releases[1], json!({"selector": {"regionCodes": ["4403"]}})).await;
    assert_eq!(version(&one.device).await, "2.0");
    set_target(&app, model, &releases[2], json!({"selector": {"siteIds": [one.site]}})).await;
    assert_eq!(version(&one.device).await, "3.0");
    set_target(&app, model, &releases[3], json!({"selector": {"deviceIds": [one.device]}})).await;
    // Later, but less close.
    set_target(&app, model, &releases[4], json!({})).await;
    assert_eq!((version(&one.device).await, version(&two.device).await), (json!("4.0"), json!("5.0")));

    let query = "query($id: ID!) { firmwareTargets(modelId: $id) {
        release { version models { name } } model { name } siteIds regionCodes deviceIds version setBy
    } }";
    let data = app.gql(query, json!({"id": model})).await;
    let found = data["firmwareTargets"].as_array().unwrap();
    assert_eq!(found.len(), 5);
    let whole = found.iter().find(|t| t["release"]["version"] == "5.0" && t["version"] == 2).unwrap();
    assert_eq!((&whole["siteIds"], &whole["regionCodes"], &whole["deviceIds"]), (&json!([]), &json!([]), &json!([])));
    assert_eq!(whole["release"]["models"], json!([{"name": "HX-1"}]));
}

#[tokio::test]
async fn setting_a_target_marks_the_devices_of_its_model() {
    let app = TestApp::start().await;
    let one = app.fielded("HX1", INSTALLED).await;
    let release = publish(&app, &one.model, "3.0", None).await;
    app.run_planner().await;
    assert!(ask(&app, "select subject_id from planner_mark").await.is_empty());
    set_target(&app, &one.model, &release, json!({})).await;
    assert_eq!(ask(&app, "select subject_id from planner_mark").await.len(), 1);
    app.run_planner().await;
    // A new release can be the step that was missing.
    publish(&app, &one.model, "3.1", None).await;
    assert_eq!(ask(&app, "select subject_id from planner_mark").await.len(), 1);
}

#[tokio::test]
async fn going_back_must_be_said_outright() {
    let app = TestApp::start().await;
    let one = app.fielded("HX1", INSTALLED).await;
    let two = app.fielded("HX2", INSTALLED).await;
    let old = publish(&app, &one.model, "3.9.2", None).await;
    report(&app, &one.device, "3.10.0", REPORTED).await;
    report(&app, &two.device, "3.2.0", REPORTED).await;
    let (code, message, field) = app.refused("setFirmwareTarget", target(&one.model, &old, json!({}))).await;
    assert_eq!((code.as_str(), field.join(".").as_str()), ("FIRMWARE_DOWNGRADE", "input.releaseId"));
    assert!(
        message.starts_with("1 of the devices have a newer version than 3.9.2, for example HX1 with 3.10.0"),
        "{message}"
    );
    assert_eq!(stands(&app, &one.device).await.0, Value::Null, "nothing half-written");
    // Where nothing goes back it need not be said.
    set_target(&app, &one.model, &old, json!({"selector": {"deviceIds": [two.device]}})).await;
    assert_eq!(stands(&app, &two.device).await, (json!("3.9.2"), json!("3.9.2"), json!(false)));
    set_target(&app, &one.model, &old, json!({"allowDowngrade": true})).await;
    assert_eq!(stands(&app, &one.device).await, (json!("3.9.2"), json!("3.9.2"), json!(false)));
    report(&app, &one.device, "3.9.2", "2026-05-04T03:00:00Z").await;
    assert_eq!(stands(&app, &one.device).await, (json!("3.9.2"), Value::Null, json!(true)));
}

#[tokio::test]
async fn a_device_goes_to_its_target_step_by_step() {
    let app = TestApp::start().await;
    let one = app.fielded("HX1", INSTALLED).await;
    publish(&app, &one.model, "2.0", None).await;
    publish(&app, &one.model, "3.2.0", Some("2.0")).await;
    let goal = publish(&app, &one.model, "3.10.0", Some("3.2.0")).await;
    report(&app, &one.device, "1.4", REPORTED).await;
    set_target(&app, &one.model, &goal, json!({})).await;
    for (hour, next) in [(3, "2.0"), (4, "3.2.0"), (5, "3.10.0")] {
        assert_eq!(stands(&app, &one.device).await, (json!("3.10.0"), json!(next), json!(false)));
        report(&app, &one.device, next, &format!("2026-05-04T0{hour}:00:00Z")).await;
    }
    assert_eq!(stands(&app, &one.device).await, (json!("3.10.0"), Value::Null, json!(true)));
    // It says it is where nothing leads on.
    let two = app.device(&one.model, "HX2").await;
    let late = publish(&app, &one.model, "5.0", Some("4.0")).await;
    let (code, message, _) = app.refused("setFirmwareTarget", target(&one.model, &late, json!({}))).await;
    assert_eq!(code, "PREREQUISITE_UNMET");
    let said = "1 of the devices cannot reach 5.0, for example HX1 with 3.10.0: releases lead to 3.10.0 and the next \
                one needs at least 4.0";
    assert!(message.starts_with(said), "{message}");
    set_target(&app, &one.model, &late, json!({"selector": {"deviceIds": [two]}})).await;
    report(&app, &two, "3.10.0", REPORTED).await;
    let data = app.gql(TARGET, json!({"id": two})).await;
    let found = &data["device"]["firmwareTarget"];
    assert_eq!(found["gap"], json!({"reaches": "3.10.0", "needs": "4.0"}));
    assert_eq!((&found["nextVersion"], &found["isCurrent"]), (&Value::Null, &json!(false)));
    // The missing step closes the gap.
    publish(&app, &one.model, "4.0", None).await;
    assert_eq!(stands(&app, &two).await, (json!("5.0"), json!("4.0"), json!(false)));
}

#[tokio::test]
async fn what_cannot_be_a_target_is_refused() {
    let app = TestApp::start().await;
    let one = app.fielded("HX1", INSTALLED).await;
    let release = publish(&app, &one.model, "3.0", None).await;
    let input = json!({"manufacturer": MAKER, "name": "HX-2"});
    let other = text(&app.mutate("createDeviceModel", "deviceModel { id }", input).await["deviceModel"]["id"]);
    let stranger = app.device(&other, "HX9").await;
    let foreign = publish(&app, &other, "9.0", None).await;
    let case = |changes: Value, code: &'static str, field: &'static str| {
        ("setFirmwareTarget", target(&one.model, &release, changes), code, field)
    };
    let window = |cron: &str, minutes: i64| json!({"window": {"cron": cron, "durationMinutes": minutes}});
    let many: Vec<String> = (0..1_001).map(|n| n.to_string()).collect();
    refused_all(
        &app,
        vec![
            case(json!({"releaseId": foreign}), "INVALID", "releaseId"),
            case(json!({"selector": {}}), "EMPTY_SELECTOR", "selector"),
            case(json!({"selector": {"siteIds": [], "regionCodes": []}}), "EMPTY_SELECTOR", "selector"),
            case(json!({"selector": {"regionCodes": many}}), "TOO_MANY", "selector"),
            case(json!({"selector": {"deviceIds": [stranger]}}), "INVALID", "selector"),
            case(window("0 22 L * *", 60), "INVALID_CRON", "window"),
            case(window("0 0 31 2 *", 60), "INVALID_CRON", "window"),
            case(window("", 60), "INVALID_CRON", "window"),
            case(window("0 22 * * *", 0), "OUT_OF_RANGE", "window"),
            case(window("0 22 * * *", -5), "OUT_OF_RANGE", "window"),
            case(window("0 22 * * *", 1_441), "OUT_OF_RANGE", "window"),
            case(json!({"expectedVersion": 1}), "CONFLICT", "expectedVersion"),
        ],
    )
    .await;
    set_target(&app, &one.model, &release, window("0  22 * * *", 1_440)).await;
    let data = app.gql(TARGET, json!({"id": one.device})).await;
    let expected = json!({"cron": "0 22 * * *", "durationMinutes": 1_440});
    assert_eq!(data["device"]["firmwareTarget"]["window"], expected);
}

#[tokio::test]
async fn a_stale_version_is_a_conflict_that_shows_the_target_as_it_is() {
    let app = TestApp::start().await;
    let one = app.fielded("HX1", INSTALLED).await;
    let release = publish(&app, &one.model, "3.0", None).await;
    let part = json!({"selector": {"regionCodes": ["44", "31"]}, "expectedVersion": 0});
    let made = set_target(&app, &one.model, &release, part.clone()).await;
    assert_eq!(made["version"], 1);
    // The same part in another order is the same target.
    let again = json!({"selector": {"regionCodes": ["31", " 44"]}, "expectedVersion": 1});
    let changed = set_target(&app, &one.model, &release, again).await;
    assert_eq!(changed, json!({"id": made["id"], "version": 2}));
    let input = target(&one.model, &release, part);
    let payload = app.payload("setFirmwareTarget", "firmwareTarget { id version }", input).await;
    assert_eq!(payload["firmwareTarget"], changed);
    assert_eq!(only(&payload["userErrors"])["code"], "CONFLICT");
}
