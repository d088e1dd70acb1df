//! Where items live: what happens to them when devices come, go and move, and plans change.

use super::occurrences::mondays;
use super::*;
use crate::support::{at, instant, only};

#[tokio::test]
async fn a_suspended_device_loses_its_planned_orders_and_comes_back_from_last_done() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let days = make_plan(&app, "DAYS", &[floating("P30D")], json!({"leadDays": 28})).await;
    let weekly = mondays(&app, "MONDAYS").await;
    app.run_planner().await;
    // On Sunday; it counts for 11 May.
    app.set_clock("2026-05-10T02:00:00Z");
    let line = json!({"deviceId": till.device, "planIds": [days, weekly]});
    app.log_visit(&till.site, &technician, "2026-05-10T02:00:00Z", vec![line]).await;
    app.set_clock("2026-05-12T02:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 1, "28 days before 9 June");
    let first = open_order(&app, &till.device, "DAYS").await;

    change_status(&app, &till.device, "SUSPENDED").await;
    let withdrawn = order(&app, &first).await;
    assert_eq!((&withdrawn["state"], withdrawn["closeReason"].is_string()), (&json!("CANCELLED"), true));
    let away = item(&app, &till.device, "DAYS").await;
    assert_eq!(instant(&away["lastDoneAt"]), at("2026-05-10T02:00:00Z"));
    for field in ["dueAt", "explanation", "openWorkOrder"] {
        assert!(away[field].is_null(), "{field} of a suspended device: {away:#}");
    }
    let query = r#"{ upcomingMaintenance(dueBefore: "2099-01-01T00:00:00Z") { nodes { id } } }"#;
    assert_eq!(app.gql(query, json!({})).await["upcomingMaintenance"]["nodes"], json!([]));

    // Nothing is missed on 18 and 25 May, when it is away.
    app.set_clock("2026-05-28T02:00:00Z");
    let run = app.run_planner_in_full().await;
    assert_eq!((&run["slotsMissed"], &run["ordersIssued"]), (&json!(0), &json!(0)), "{run:#}");
    change_status(&app, &till.device, "IN_SERVICE").await;
    let back = item(&app, &till.device, "DAYS").await;
    assert_eq!(instant(&back["dueAt"]), at("2026-06-08T16:00:00Z"), "30 days after 10 May");
    assert_ne!(text(&back["openWorkOrder"]["id"]), first);
    let back = item(&app, &till.device, "MONDAYS").await;
    assert_eq!(instant(&back["dueAt"]), at("2026-06-01T01:00:00Z"));
    app.run_planner_in_full().await;
    assert_eq!(told(&app, &till.device, &["OCCURRENCE_MISSED"]).await.len(), 0);
}

#[tokio::test]
async fn a_move_within_the_field_does_not_start_a_device_anew() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    make_plan(&app, "DAYS", &[floating("P30D")], json!({"leadDays": 7})).await;
    app.run_planner().await;
    let site = app.site(&till.merchant).await;
    let position = app.position(&site, "Counter 1", None).await;
    app.set_clock("2026-05-20T02:00:00Z");
    let input = json!({"deviceId": till.device, "positionId": position, "relocatedAt": "2026-05-20T02:00:00Z"});
    app.mutate("relocateDevice", "", input).await;
    app.run_planner_in_full().await;

    let query = r#"query($site: ID!) {
        upcomingMaintenance(dueBefore: "2027-01-01T00:00:00Z", filter: { siteId: $site }) {
            nodes { dueAt site { id } explanation { summary(language: EN) } }
        }
    }"#;
    let data = app.gql(query, json!({"site": site})).await;
    let row = only(&data["upcomingMaintenance"]["nodes"]);
    assert_eq!((&row["site"]["id"], instant(&row["dueAt"])), (&json!(site), at("2026-06-02T16:00:00Z")));
    let summary = text(&row["explanation"]["summary"]);
    assert!(summary.contains("30 days after 2026-05-04, never done since"), "{summary}");
}

#[tokio::test]
async fn orders_of_a_retired_device_close_whatever_their_state() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    make_plan(&app, "DAYS", &[floating("P30D")], json!({})).await;
    make_plan(&app, "MONTHLY", &[grid("0 9 1 * *")], json!({})).await;
    app.set_clock("2026-05-20T02:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 2);
    schedule(&app, &open_order(&app, &till.device, "DAYS").await, "2026-06-02T02:00:00Z").await;
    let by_hand = |kind: &str| json!({"deviceId": till.device, "kind": kind, "dueAt": "2026-06-10T02:00:00Z"});
    app.mutate("createWorkOrder", "", by_hand("CORRECTIVE")).await;
    let open = |orders: Vec<Value>| orders.iter().filter(|o| o["state"] != "CANCELLED").count();
    assert_eq!(open(orders(&app, &till.device).await), 3);

    app.set_clock("2026-05-21T02:00:00Z");
    change_status(&app, &till.device, "RETIRED").await;
    assert_eq!(open(orders(&app, &till.device).await), 0);
    assert_eq!(told(&app, &till.device, &["WORK_ORDER_WITHDRAWN"]).await.len(), 3);
    // What is ordered for it afterwards is meant so.
    app.set_clock("2026-05-22T02:00:00Z");
    app.mutate("createWorkOrder", "", by_hand("REMOVAL")).await;
    app.run_planner_in_full().await;
    assert_eq!(open(orders(&app, &till.device).await), 1);
    for item in items(&app, &till.device).await {
        assert!(item["dueAt"].is_null() && item["openWorkOrder"].is_null(), "{item:#}");
    }
}

#[tokio::test]
async fn a_site_is_planned_while_a_device_stands_there() {
    let app = TestApp::start_at(START).await;
    let technician = app.technician("Li Wei").await;
    let site = site_with(&app, json!({})).await;
    let position = app.position(&site, "Counter 1", None).await;
    let model = app.model().await;
    let device = app.device(&model, "HX1").await;
    let plan = make_plan(&app, "PATROL", &[floating("P30D")], json!({"subject": "SITE"})).await;
    app.run_planner().await;
    assert_eq!(items(&app, &site).await.len(), 0);

    app.set_clock("2026-05-05T02:00:00Z");
    app.install(&device, &position, "2026-05-05T02:00:00Z").await;
    app.run_planner().await;
    assert_eq!(instant(&item(&app, &site, "PATROL").await["dueAt"]), at("2026-06-03T16:00:00Z"));
    app.set_clock("2026-05-06T03:00:00Z");
    let logged = app.log_visit(&site, &technician, "2026-05-06T03:00:00Z", vec![json!({"planIds": [plan]})]).await;
    assert_eq!(only(&logged["results"])["code"], "COUNTED");
    let due = at("2026-06-04T16:00:00Z");
    assert_eq!(instant(&item(&app, &site, "PATROL").await["dueAt"]), due, "30 days after 6 May");

    app.set_clock("2026-05-22T02:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 1);
    assert_eq!(told(&app, &device, &["WORK_ORDER_ISSUED"]).await.len(), 1, "told to what stands there");
    app.set_clock("2026-05-23T02:00:00Z");
    let input = json!({"deviceId": device, "removedAt": "2026-05-23T02:00:00Z", "status": "IN_STOCK"});
    app.mutate("removeDevice", "", input).await;
    assert_eq!(app.run_planner().await["ordersWithdrawn"], 1);
    let empty = item(&app, &site, "PATROL").await;
    assert!(empty["dueAt"].is_null() && empty["openWorkOrder"].is_null(), "{empty:#}");

    app.set_clock("2026-05-25T02:00:00Z");
    app.install(&device, &position, "2026-05-25T02:00:00Z").await;
    assert_eq!(app.run_planner().await["ordersIssued"], 1);
    assert_eq!(instant(&item(&app, &site, "PATROL").await["dueAt"]), due, "from last done");
}

#[tokio::test]
async fn an_edit_makes_a_revision_and_orders_keep_theirs() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = make_plan(&app, "DAYS", &[floating("P30D")], json!({})).await;
    app.set_clock("2026-05-20T02:00:00Z");
    app.run_planner().await;
    let first = open_order(&app, &till.device, "DAYS").await;

    let edit = json!({
        "planId": plan,
        "priority": "HIGH",
        "steps": [{"text": {"en": "Clean the case"}}, {"text": {"en": "Clean the print head"}}],
    });
    let selection = "maintenancePlan { revision version isActive }";
    let payload = app.mutate("updateMaintenancePlan", selection, edit).await;
    assert_eq!(payload["maintenancePlan"], json!({"revision": 2, "version": 2, "isActive": true}));
    app.run_planner_in_full().await;
    let as_issued = |order: &Value| {
        let steps: Vec<_> = order["steps"].as_array().into_iter().flatten().map(|s| text(&s["text"]["en"])).collect();
        (text(&order["priority"]), steps.join("; "))
    };
    assert_eq!(as_issued(&order(&app, &first).await), ("NORMAL".to_owned(), "Clean the card readers".to_owned()));

    app.set_clock("2026-06-03T02:00:00Z");
    let line = json!({"deviceId": till.device, "workOrderIds": [first]});
    app.log_visit(&till.site, &technician, "2026-06-03T02:00:00Z", vec![line]).await;
    app.set_clock("2026-06-18T16:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 1, "two weeks before 3 July");
    let second = open_order(&app, &till.device, "DAYS").await;
    assert_eq!(
        as_issued(&order(&app, &second).await),
        ("HIGH".to_owned(), "Clean the case; Clean the print head".to_owned())
    );

    let off = json!({"planId": plan, "isActive": false});
    let payload = app.mutate("updateMaintenancePlan", selection, off).await;
    assert_eq!(payload["maintenancePlan"], json!({"revision": 2, "version": 3, "isActive": false}));
    assert_eq!(app.run_planner().await["ordersWithdrawn"], 1);
}

#[tokio::test]
async fn an_edit_does_not_rewrite_what_was_missed() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = mondays(&app, "WEEKLY").await;
    app.set_clock("2026-05-27T02:00:00Z");
    assert_eq!(app.run_planner().await["slotsMissed"], 2, "11 and 18 May");

    let edit = json!({"planId": plan, "triggers": [grid("0 9 * * 2")]});
    app.mutate("updateMaintenancePlan", "", edit).await;
    let run = app.run_planner().await;
    assert_eq!((&run["slotsMissed"], &run["ordersIssued"]), (&json!(0), &json!(0)), "{run:#}");
    let found = item(&app, &till.device, "WEEKLY").await;
    assert_eq!(instant(&found["dueAt"]), at("2026-06-02T01:00:00Z"), "the first Tuesday from now on");
    assert_eq!(found["openWorkOrder"]["dueAt"], found["dueAt"], "the planned order follows");
    // What the old grid said stands, whatever turns up for its time.
    let line = json!({"deviceId": till.device, "planIds": [plan]});
    app.log_visit(&till.site, &technician, "2026-05-12T02:00:00Z", vec![line]).await;
    app.run_planner_in_full().await;
    let events = told(&app, &till.device, &["OCCURRENCE_MISSED", "OCCURRENCE_MISSED_CORRECTED"]).await;
    let kinds: Vec<_> = events.iter().map(|e| text(&e["kind"])).collect();
    assert_eq!(kinds, ["OCCURRENCE_MISSED", "OCCURRENCE_MISSED"]);
}
