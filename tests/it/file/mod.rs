//! The device file: every change is in it, and every change to it shows.

mod history;
mod life;
mod tampering;
mod verify;

use crate::bad_input::database::sql;
use crate::support::{TestApp, text};
use serde_json::{Value, json};
use tillkeep::kernel::scope::Scope;

/// The kinds of a device file's events, oldest first.
pub async fn kinds(app: &TestApp, device: &str) -> Vec<String> {
    let query = "query($id: ID!) { device(id: $id) { history(first: 500) { nodes { kind } } } }";
    let data = app.gql(query, json!({"id": device})).await;
    data["device"]["history"]["nodes"].as_array().into_iter().flatten().map(|e| text(&e["kind"])).collect()
}

/// What a walk along a device file finds, without the hash.
async fn integrity(app: &TestApp, device: &str) -> Value {
    let query = "query($id: ID!) {
        device(id: $id) { historyIntegrity { isIntact eventCount firstBadSequence problem } }
    }";
    app.gql(query, json!({"id": device})).await["device"]["historyIntegrity"].take()
}

/// Where files and tables differ, in words; broken chains too.
async fn differences(app: &TestApp) -> Vec<String> {
    let checks = app.services().registry.verify_page(&Scope::DEFAULT, None, 100).await.unwrap();
    assert!(!checks.is_empty());
    checks.into_iter().flat_map(|check| check.differences.into_iter().chain(check.integrity.problem)).collect()
}

/// A device whose file has five events: registered at 00:00 on 4 May, installed at 01:00, in
/// service since 02:00, suspended since 03:00, retired at 04:00.
async fn file_of_five() -> (TestApp, String) {
    let app = TestApp::start_at("2026-05-04T00:00:00Z").await;
    let device = app.device(&app.model().await, "HX30001").await;
    app.set_clock("2026-05-04T08:00:00Z");
    let site = app.site(&app.merchant("Wang's Noodles").await).await;
    let position = app.position(&site, "Counter 1", Some("T1")).await;
    app.install(&device, &position, "2026-05-04T01:00:00Z").await;
    for (status, at) in [("IN_SERVICE", "2026-05-04T02:00:00Z"), ("SUSPENDED", "2026-05-04T03:00:00Z")] {
        let input = json!({"deviceId": device, "status": status, "changedAt": at});
        app.mutate("changeDeviceStatus", "", input).await;
    }
    let input = json!({"deviceId": device, "removedAt": "2026-05-04T04:00:00Z", "status": "RETIRED"});
    app.mutate("removeDevice", "", input).await;
    let intact = json!({"isIntact": true, "eventCount": 5, "firstBadSequence": null, "problem": null});
    assert_eq!(integrity(&app, &device).await, intact);
    (app, device)
}

/// Lets what follows change device files, as whoever owns the database can.
async fn disarm(app: &TestApp) {
    if app.is_postgres() {
        sql(app, "alter table device_event disable trigger all").await;
        return;
    }
    for trigger in ["device_event_no_update", "device_event_no_delete", "device_event_no_replace"] {
        sql(app, &format!("drop trigger {trigger}")).await;
    }
}
