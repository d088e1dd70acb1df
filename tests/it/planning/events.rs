//! What happens to a device can ask for work.

use super::*;
use crate::support::{at, instant};

fn event(event: &str, within_days: u32) -> Value {
    json!({"event": {"event": event, "withinDays": within_days}})
}

#[tokio::test]
async fn a_relocation_asks_for_a_check_once() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    make_plan(&app, "MOVED", &[event("AFTER_RELOCATION", 3)], json!({"kind": "INSPECTION"})).await;
    app.run_planner().await;
    assert_eq!(item(&app, &till.device, "MOVED").await["dueAt"], Value::Null);

    let other = app.position(&till.site, "Counter 2", None).await;
    app.set_clock("2026-05-10T03:00:00Z");
    let input = json!({"deviceId": till.device, "positionId": other, "relocatedAt": "2026-05-10T02:00:00Z"});
    app.mutate("relocateDevice", "", input).await;
    let moved = item(&app, &till.device, "MOVED").await;
    assert_eq!(instant(&moved["dueAt"]), at("2026-05-12T16:00:00Z"), "{moved:#}");
    assert_eq!(moved["explanation"]["trigger"], "EVENT");
    assert!(text(&moved["explanation"]["summary"]).contains("it was relocated on 2026-05-10"), "{moved:#}");
    let open = text(&moved["openWorkOrder"]["id"]);

    app.set_clock("2026-05-11T03:00:00Z");
    let line = json!({"deviceId": till.device, "workOrderIds": [open]});
    app.log_visit(&till.site, &technician, "2026-05-11T02:00:00Z", vec![line]).await;
    let done = item(&app, &till.device, "MOVED").await;
    assert_eq!((&done["dueAt"], &done["openWorkOrder"]), (&Value::Null, &Value::Null), "{done:#}");
    assert_eq!(app.run_planner_in_full().await["itemsWritten"], 0);
}

#[tokio::test]
async fn a_device_back_from_repair_is_checked() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let more =
        json!({"kind": "POWER_CHECK", "channel": "DEPOT", "selector": {"deviceStatuses": ["IN_STOCK", "INSTALLED"]}});
    make_plan(&app, "REPAIRED", &[event("AFTER_REPAIR", 7)], more).await;
    app.set_clock("2026-05-06T02:00:00Z");
    let out = json!({"deviceId": till.device, "removedAt": "2026-05-06T01:00:00Z", "status": "IN_REPAIR", "reason": "broken"});
    app.mutate("removeDevice", "", out).await;
    app.set_clock("2026-05-20T02:00:00Z");
    change_status(&app, &till.device, "IN_STOCK").await;
    let back = item(&app, &till.device, "REPAIRED").await;
    assert_eq!(instant(&back["dueAt"]), at("2026-05-26T16:00:00Z"), "{back:#}");
    assert!(text(&back["explanation"]["summary"]).contains("it came back from repair on 2026-05-20"), "{back:#}");
}

#[tokio::test]
async fn a_repair_asks_for_a_check_where_the_device_is_installed_next() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    make_plan(&app, "TAMPER", &[event("AFTER_REPAIR", 7)], json!({"kind": "INSPECTION"})).await;
    app.set_clock("2026-05-06T02:00:00Z");
    let out = json!({"deviceId": till.device, "removedAt": "2026-05-06T01:00:00Z", "status": "IN_REPAIR", "reason": "broken"});
    app.mutate("removeDevice", "", out).await;
    app.set_clock("2026-05-20T02:00:00Z");
    change_status(&app, &till.device, "IN_STOCK").await;
    app.set_clock("2026-05-22T03:00:00Z");
    let position = app.position(&till.site, "Counter 2", None).await;
    app.install(&till.device, &position, "2026-05-22T02:00:00Z").await;
    // In stock the plan did not apply; the seven days count from when it does again.
    let back = item(&app, &till.device, "TAMPER").await;
    assert_eq!(instant(&back["dueAt"]), at("2026-05-28T16:00:00Z"), "{back:#}");
    assert!(text(&back["explanation"]["summary"]).contains("it came back from repair"), "{back:#}");
}
