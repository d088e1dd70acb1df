//! Firmware: releases, what devices are to run, how they get there, and what they report.

mod releases;
mod reports;
mod targets;

use crate::bad_input::world::CHECKSUM;
use crate::support::{TestApp, text};
use serde_json::{Value, json};

/// What a device is to run, as asked for in most tests.
const TARGET: &str = "query($id: ID!) { device(id: $id) { firmwareVersion firmwareTarget {
    release { version } nextVersion isCurrent gap { reaches needs } window { cron durationMinutes }
} } }";

/// A good release with other values.
fn new_release(model: &str, version: &str, changes: Value) -> Value {
    let mut input = json!({
        "version": version, "modelIds": [model], "checksumSha256": CHECKSUM, "sizeBytes": 1_000_000,
    });
    for (field, value) in changes.as_object().into_iter().flatten() {
        input[field] = value.clone();
    }
    input
}

/// Publishes a release and answers its id.
async fn publish(app: &TestApp, model: &str, version: &str, minimum: Option<&str>) -> String {
    let input = new_release(model, version, json!({"minimumPriorVersion": minimum}));
    let made = app.mutate("publishFirmwareRelease", "firmwareRelease { id }", input).await;
    text(&made["firmwareRelease"]["id"])
}

/// Sets a target; `changes` are added to model and release.
async fn set_target(app: &TestApp, model: &str, release: &str, changes: Value) -> Value {
    let payload =
        app.mutate("setFirmwareTarget", "firmwareTarget { id version }", target(model, release, changes)).await;
    payload["firmwareTarget"].clone()
}

fn target(model: &str, release: &str, changes: Value) -> Value {
    let mut input = json!({"modelId": model, "releaseId": release});
    for (field, value) in changes.as_object().into_iter().flatten() {
        input[field] = value.clone();
    }
    input
}

/// Reports the firmware of a device.
async fn report(app: &TestApp, device: &str, version: &str, at: &str) -> Value {
    let input = json!({"reports": [{"deviceId": device, "version": version, "reportedAt": at}]});
    app.mutate("reportInstalledSoftware", "acceptedCount changedCount rejected { row code message }", input).await
}

/// What a device is to run: version, next version, whether it is current.
async fn stands(app: &TestApp, device: &str) -> (Value, Value, Value) {
    let data = app.gql(TARGET, json!({"id": device})).await;
    let target = &data["device"]["firmwareTarget"];
    (target["release"]["version"].clone(), target["nextVersion"].clone(), target["isCurrent"].clone())
}
