//! Publishing releases, and finding them again.

use super::{new_release, publish};
use crate::bad_input::refused_all;
use crate::bad_input::world::{CHECKSUM, World};
use crate::support::{TestApp, text};
use serde_json::{Value, json};

const ALL: &str = "id version criticality fixes { en zh } minimumPriorVersion notes { en zh } checksumSha256 sizeBytes
    gates { kind meter percent } publishedAt models { name }";

#[tokio::test]
async fn a_release_is_kept_as_published_and_found_by_id() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let made = app
        .mutate(
            "publishFirmwareRelease",
            &format!("firmwareRelease {{ {ALL} }}"),
            world.input("publishFirmwareRelease"),
        )
        .await;
    let release = &made["firmwareRelease"];
    let expected = json!({
        "id": release["id"], "version": "3.3.0", "criticality": "HIGH", "fixes": [{"en": "Reads", "zh": "读卡"}],
        "minimumPriorVersion": "3.2.1", "notes": {"en": "Reboots once", "zh": "重启一次"}, "checksumSha256": CHECKSUM,
        "sizeBytes": 52_428_800.0,
        "gates": [
            {"kind": "BATTERY_AT_LEAST", "meter": "BATTERY_LEVEL", "percent": 40.0},
            {"kind": "BATCH_SETTLED", "meter": "UNSETTLED_TRANSACTIONS", "percent": null},
        ],
        "publishedAt": "2026-05-01T00:00:00+00:00", "models": [{"name": "HX-1"}],
    });
    assert_eq!(*release, expected);
    let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on FirmwareRelease {{ {ALL} }} }} }}");
    assert_eq!(app.gql(&query, json!({"id": release["id"]})).await["node"], expected);
}

#[tokio::test]
async fn a_model_has_a_version_once_however_it_is_written() {
    let app = TestApp::start().await;
    let model = app.model().await;
    publish(&app, &model, "3.2", None).await;
    for again in ["3.2", "v3.2.0", "3.2.0.0", "03.2"] {
        let (code, message, field) = app.refused("publishFirmwareRelease", new_release(&model, again, json!({}))).await;
        assert_eq!((code.as_str(), field.join(".").as_str()), ("ALREADY_EXISTS", "input.version"), "{message}");
    }
    // Of two models one has it: nothing is half-written.
    let input = json!({"manufacturer": "Huaxin", "name": "HX-2"});
    let other = app.mutate("createDeviceModel", "deviceModel { id }", input).await;
    let other = text(&other["deviceModel"]["id"]);
    let both = new_release(&model, "3.2", json!({"modelIds": [other, model]}));
    assert_eq!(app.refused("publishFirmwareRelease", both).await.0, "ALREADY_EXISTS");
    let data = app.gql("{ firmwareReleases { totalCount } }", json!({})).await;
    assert_eq!(data["firmwareReleases"]["totalCount"], 1);
    publish(&app, &other, "3.2", None).await;
}

/// The versions of a list, and whether there are more.
async fn versions(app: &TestApp, arguments: &str) -> (Vec<String>, Value) {
    let query =
        format!("{{ firmwareReleases{arguments} {{ nodes {{ version }} pageInfo {{ hasNextPage endCursor }} }} }}");
    let mut data = app.gql(&query, json!({})).await;
    let page = data["firmwareReleases"].take();
    let found = page["nodes"].as_array().unwrap().iter().map(|n| text(&n["version"])).collect();
    (found, page["pageInfo"].clone())
}

#[tokio::test]
async fn releases_are_listed_from_the_one_published_last_and_by_filter() {
    let app = TestApp::start().await;
    let model = app.model().await;
    let input = json!({"manufacturer": "Huaxin", "name": "HX-2"});
    let other = text(&app.mutate("createDeviceModel", "deviceModel { id }", input).await["deviceModel"]["id"]);
    for (version, day, criticality, model) in [
        ("3.9.2", "01", "NORMAL", &model),
        ("3.10.0", "03", "CRITICAL", &model),
        ("3.2.0", "02", "NORMAL", &model),
        ("7.0", "02", "NORMAL", &other),
    ] {
        let published = format!("2026-04-{day}T00:00:00Z");
        let changes = json!({"publishedAt": published, "criticality": criticality});
        app.mutate("publishFirmwareRelease", "", new_release(model, version, changes)).await;
    }
    assert_eq!(versions(&app, "").await.0, ["3.10.0", "7.0", "3.2.0", "3.9.2"]);
    assert_eq!(versions(&app, &format!("(filter: {{modelId: \"{other}\"}})")).await.0, ["7.0"]);
    assert_eq!(versions(&app, "(filter: {criticality: CRITICAL})").await.0, ["3.10.0"]);
    assert_eq!(versions(&app, "(filter: {version: \"v3.10\"})").await.0, ["3.10.0"]);
    assert_eq!(versions(&app, &format!("(filter: {{modelId: \"{other}\", criticality: CRITICAL}})")).await.0, [""; 0]);
    let (first, info) = versions(&app, "(first: 3)").await;
    assert_eq!((first.len(), &info["hasNextPage"]), (3, &json!(true)));
    let after = text(&info["endCursor"]);
    assert_eq!(versions(&app, &format!("(first: 3, after: \"{after}\")")).await.0, ["3.9.2"]);
}

#[tokio::test]
async fn what_cannot_be_a_release_is_refused() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let model = &world.fielded.model;
    let case = |changes: Value, code: &'static str, field: &'static str| {
        ("publishFirmwareRelease", new_release(model, "4.0", changes), code, field)
    };
    let many: Vec<Value> = (0..101).map(|_| json!({"en": "Reads"})).collect();
    refused_all(
        &app,
        vec![
            case(json!({"version": "latest"}), "INVALID", "version"),
            case(json!({"minimumPriorVersion": "4"}), "INVALID", "minimumPriorVersion"),
            case(json!({"minimumPriorVersion": "10.0"}), "INVALID", "minimumPriorVersion"),
            case(json!({"minimumPriorVersion": "none"}), "INVALID", "minimumPriorVersion"),
            case(json!({"modelIds": []}), "REQUIRED", "modelIds"),
            case(json!({"fixes": many}), "TOO_MANY", "fixes"),
            case(json!({"checksumSha256": "abc"}), "INVALID", "checksumSha256"),
            case(json!({"checksumSha256": "x".repeat(64)}), "INVALID", "checksumSha256"),
            case(json!({"sizeBytes": 0}), "OUT_OF_RANGE", "sizeBytes"),
            case(json!({"sizeBytes": -1}), "OUT_OF_RANGE", "sizeBytes"),
            case(json!({"sizeBytes": 1.5}), "OUT_OF_RANGE", "sizeBytes"),
            case(json!({"sizeBytes": 1e300}), "OUT_OF_RANGE", "sizeBytes"),
            case(json!({"gates": [{"batteryAtLeast": 0}]}), "OUT_OF_RANGE", "gates"),
            case(json!({"gates": [{"storageFreeAtLeast": 101}]}), "OUT_OF_RANGE", "gates"),
            case(json!({"gates": [{"batteryAtLeast": 40}, {"batteryAtLeast": 50}]}), "INVALID", "gates"),
            case(json!({"gates": [{"batchSettled": false}]}), "INVALID", "gates"),
            case(json!({"gates": [{"batteryAtLeast": 40, "batchSettled": true}]}), "BAD_USER_INPUT", ""),
            case(json!({"publishedAt": "2026-05-05T00:00:00Z"}), "INVALID_INSTANT", "publishedAt"),
            case(json!({"publishedAt": "1999-05-05T00:00:00Z"}), "INVALID_INSTANT", "publishedAt"),
        ],
    )
    .await;
}
