//! What a visit does to orders, items and device files.

use super::*;
use crate::planning::{
    START, change_state, devices_at, file_length, floating, item, make_plan, open_order, order, schedule, site_with,
    told,
};
use crate::support::{at, instant, only};
use tillkeep::kernel::ids::TechnicianId;
use uuid::Uuid;

/// Two weeks before 3 June orders are out; on 1 June technicians come.
const OUT: &str = "2026-05-20T02:00:00Z";
const VISIT: &str = "2026-06-01T02:00:00Z";

#[tokio::test]
async fn one_visit_covers_several_devices_and_orders() {
    let app = TestApp::start_at(START).await;
    let technician = app.technician("Li Wei").await;
    let site = site_with(&app, json!({})).await;
    let devices: [String; 2] = devices_at(&app, &site).await;
    make_plan(&app, "CLEAN", &[floating("P30D")], json!({})).await;
    make_plan(&app, "POWER", &[floating("P30D")], json!({"kind": "POWER_CHECK"})).await;
    make_plan(&app, "PATROL", &[floating("P30D")], json!({"subject": "SITE"})).await;
    app.set_clock(OUT);
    assert_eq!(app.run_planner().await["ordersIssued"], 5);
    let mut lines = Vec::new();
    let mut all = Vec::new();
    for device in &devices {
        let both = [open_order(&app, device, "CLEAN").await, open_order(&app, device, "POWER").await];
        lines.push(json!({"deviceId": device, "workOrderIds": both}));
        all.extend(both);
    }
    // A line that names no device is about what its order is for.
    all.push(open_order(&app, &site, "PATROL").await);
    lines.push(json!({"workOrderIds": [all[4]]}));

    app.set_clock(VISIT);
    let logged = app.log_visit(&site, &technician, VISIT, lines).await;
    let completed = |n: usize| vec!["COMPLETED".to_owned(); n];
    assert_eq!(codes(&logged, 3), [completed(2), completed(2), completed(1)]);
    for id in &all {
        let order = order(&app, id).await;
        assert_eq!((&order["state"], instant(&order["performedAt"])), (&json!("COMPLETED"), at(VISIT)));
    }
    let visits = visits(&app).await;
    assert_eq!((visits.len(), &visits[0]["number"]), (1, &json!("SV-2026-000001")));
    let of_lines: Vec<_> =
        visits[0]["lines"].as_array().expect("lines").iter().map(|l| l["device"]["id"].clone()).collect();
    assert_eq!(of_lines, [json!(devices[0]), json!(devices[1]), json!(null)]);
    for device in &devices {
        assert_eq!(told(&app, device, &["VISIT_LOGGED"]).await.len(), 1);
        // Two of its own and the site's.
        assert_eq!(told(&app, device, &["WORK_ORDER_COMPLETED"]).await.len(), 3);
    }
}

#[tokio::test]
async fn a_visit_sent_twice_with_one_key_is_one() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = make_plan(&app, "CLEAN", &[floating("P30D")], json!({})).await;
    app.set_clock(VISIT);
    app.run_planner().await;
    let line = json!({"deviceId": till.device, "planIds": [plan], "performedAt": VISIT, "outcome": "DONE"});
    let input = json!({
        "siteId": till.site,
        "technicianId": technician,
        "startedAt": VISIT,
        "lines": [line],
        "idempotencyKey": "phone-7/visit-12",
    });
    let selection = "serviceVisit { id number recordedAt } results { line code workOrder { id state } }";
    let first = app.mutate("logServiceVisit", selection, input.clone()).await;
    assert_eq!(codes(&first, 1), [["COMPLETED"]]);
    let length = file_length(&app, &till.device).await;

    // The phone was offline for two days and does not know that the first one got through.
    app.set_clock("2026-06-03T02:00:00Z");
    assert_eq!(app.mutate("logServiceVisit", selection, input).await, first);
    assert_eq!(visits(&app).await.len(), 1);
    assert_eq!(file_length(&app, &till.device).await, length);
    assert_eq!(item(&app, &till.device, "CLEAN").await["cycle"], 1);
}

#[tokio::test]
async fn work_that_names_its_plan_closes_the_open_order_or_counts_alone() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = make_plan(&app, "CLEAN", &[floating("P30D")], json!({})).await;
    app.set_clock(OUT);
    app.run_planner().await;
    let order_id = open_order(&app, &till.device, "CLEAN").await;
    app.set_clock("2026-06-02T02:00:00Z");
    for (performed_at, expected) in [
        (VISIT, json!({"line": 0, "code": "COMPLETED", "workOrder": {"id": order_id}})),
        ("2026-06-02T02:00:00Z", json!({"line": 0, "code": "COUNTED", "workOrder": null})),
    ] {
        let line = json!({"deviceId": till.device, "planIds": [plan]});
        let logged = app.log_visit(&till.site, &technician, performed_at, vec![line]).await;
        assert_eq!(only(&logged["results"]), &expected);
    }
    let found = item(&app, &till.device, "CLEAN").await;
    assert_eq!((&found["cycle"], instant(&found["dueAt"])), (&json!(2), at("2026-07-01T16:00:00Z")));
}

#[tokio::test]
async fn a_visit_counts_whatever_the_orders_state() {
    let app = TestApp::start_at(START).await;
    let technician = app.technician("Li Wei").await;
    let site = site_with(&app, json!({})).await;
    let devices: [String; 7] = devices_at(&app, &site).await;
    let plan = make_plan(&app, "CLEAN", &[floating("P30D")], json!({})).await;
    app.set_clock(OUT);
    assert_eq!(app.run_planner().await["ordersIssued"], 7);
    let mut ids = Vec::new();
    for device in &devices {
        ids.push(open_order(&app, device, "CLEAN").await);
    }
    let why = || json!({"reason": "Shop is being rebuilt"});
    for id in &ids[1..5] {
        schedule(&app, id, VISIT).await;
    }
    for id in &ids[2..5] {
        change_state(&app, id, "DISPATCHED", json!({})).await;
    }
    for id in &ids[3..5] {
        change_state(&app, id, "IN_PROGRESS", json!({})).await;
    }
    change_state(&app, &ids[4], "ON_HOLD", why()).await;
    app.mutate("skipOccurrence", "", json!({"workOrderId": ids[5], "reason": "Shop is being rebuilt"})).await;
    change_state(&app, &ids[6], "CANCELLED", why()).await;

    app.set_clock(VISIT);
    let line = |n: usize| json!({"deviceId": devices[n], "workOrderIds": [ids[n]]});
    let logged = app.log_visit(&site, &technician, VISIT, (0..7).map(line).collect()).await;
    let found = codes(&logged, 7);
    assert_eq!(found[..5], vec![vec!["COMPLETED"]; 5]);
    assert_eq!(found[5..], vec![vec!["ORDER_CLOSED", "COUNTED"]; 2]);
    for device in &devices {
        let item = item(&app, device, "CLEAN").await;
        assert_eq!((instant(&item["lastDoneAt"]), &item["cycle"]), (at(VISIT), &json!(1)));
        assert_eq!(instant(&item["dueAt"]), at("2026-06-30T16:00:00Z"), "30 days after 1 June");
    }

    // Once more for an order that is completed, and earlier work that comes after later.
    app.set_clock("2026-06-02T02:00:00Z");
    let logged = app.log_visit(&site, &technician, "2026-06-02T02:00:00Z", vec![line(0)]).await;
    assert_eq!(codes(&logged, 1), [["ALREADY_COMPLETED", "COUNTED"]]);
    let late = json!({"deviceId": devices[1], "planIds": [plan]});
    let logged = app.log_visit(&site, &technician, "2026-05-31T02:00:00Z", vec![late]).await;
    assert_eq!(codes(&logged, 1), [["OUT_OF_ORDER"]]);
    let late = item(&app, &devices[1], "CLEAN").await;
    assert_eq!((instant(&late["lastDoneAt"]), &late["cycle"]), (at(VISIT), &json!(2)));
    assert_eq!(instant(&order(&app, &ids[1]).await["performedAt"]), at(VISIT));
}

#[tokio::test]
async fn a_bad_visit_is_refused_whole_and_leaves_nothing() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    make_plan(&app, "CLEAN", &[floating("P30D")], json!({})).await;
    app.set_clock(VISIT);
    app.run_planner().await;
    let order_id = open_order(&app, &till.device, "CLEAN").await;
    let length = file_length(&app, &till.device).await;

    let good = json!({"deviceId": till.device, "workOrderIds": [order_id], "performedAt": VISIT, "outcome": "DONE"});
    let with = |field: &str, value: Value| {
        let mut visit = json!({"siteId": till.site, "technicianId": technician, "startedAt": VISIT, "lines": [good]});
        visit[field] = value;
        visit
    };
    let with_line = |field: &str, value: Value| {
        let mut second = json!({"performedAt": VISIT, "outcome": "DONE"});
        second[field] = value;
        with("lines", json!([good, second]))
    };
    let nobody = Uuid::from_u128(7);
    for (input, code, field) in [
        (with("technicianId", json!(TechnicianId(nobody).global())), "NOT_FOUND", "input.technicianId"),
        (with("endedAt", json!("2026-06-01T01:59:59Z")), "INVALID_INSTANT", "input.endedAt"),
        (with_line("performedAt", json!("2026-06-01T02:11:00Z")), "INVALID_INSTANT", "input.lines.1.performedAt"),
        (with_line("findings", json!("长".repeat(4_001))), "TOO_LONG", "input.lines.1.findings"),
        (with_line("workOrderIds", json!(["nonsense"])), "MALFORMED_ID", "input.lines.1.workOrderIds"),
    ] {
        let (found, message, path) = app.refused("logServiceVisit", input).await;
        assert_eq!((found.as_str(), path.join(".").as_str()), (code, field), "{message}");
    }
    assert_eq!(visits(&app).await.len(), 0);
    assert_eq!(order(&app, &order_id).await["state"], "PLANNED");
    assert_eq!(item(&app, &till.device, "CLEAN").await["cycle"], 0);
    assert_eq!(file_length(&app, &till.device).await, length);
    let logged = app.log_visit(&till.site, &technician, VISIT, vec![good]).await;
    assert_eq!(logged["serviceVisit"]["number"], "SV-2026-000001");
}
