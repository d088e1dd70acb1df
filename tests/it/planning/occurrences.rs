//! Occurrences that are missed, skipped or postponed.

use super::*;
use crate::support::{at, instant, only};
use chrono::{DateTime, Utc};

fn path(field: &str) -> Vec<String> {
    vec!["input".to_owned(), field.to_owned()]
}

/// Mondays at 9:00 at the site, two days early or late is on time; orders come with the band.
pub(super) async fn mondays(app: &TestApp, code: &str) -> String {
    make_plan(app, code, &[grid("0 9 * * 1")], json!({"earlyDays": 2, "lateDays": 2, "leadDays": 2})).await
}

async fn missed(app: &TestApp, device: &str) -> Vec<DateTime<Utc>> {
    told(app, device, &["OCCURRENCE_MISSED"]).await.iter().map(|e| instant(&e["payload"]["slot"])).collect()
}

#[tokio::test]
async fn slots_missed_in_an_outage_are_told_once_and_a_late_visit_corrects_them() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = mondays(&app, "MONDAYS").await;
    app.run_planner().await;

    // No planner for three weeks: 11 and 18 May are gone, 25 May still counts until the 30th.
    app.set_clock("2026-05-27T02:00:00Z");
    let run = app.run_planner().await;
    assert_eq!((&run["slotsMissed"], &run["ordersIssued"]), (&json!(2), &json!(1)), "{run:#}");
    for _ in 0..2 {
        let run = app.run_planner_in_full().await;
        assert_eq!(
            (&run["slotsMissed"], &run["ordersIssued"], &run["itemsWritten"]),
            (&json!(0), &json!(0), &json!(0))
        );
    }
    let slots = ["2026-05-11T01:00:00Z", "2026-05-18T01:00:00Z"].map(at);
    assert_eq!(missed(&app, &till.device).await, slots);

    let line = json!({"deviceId": till.device, "planIds": [plan]});
    let logged = app.log_visit(&till.site, &technician, "2026-05-12T02:00:00Z", vec![line]).await;
    assert_eq!(only(&logged["results"])["code"], "BEFORE_WINDOW", "of the order for 25 May");
    let corrected = told(&app, &till.device, &["OCCURRENCE_MISSED_CORRECTED"]).await;
    let [event] = corrected.as_slice() else { panic!("{corrected:#?}") };
    assert_eq!((instant(&event["payload"]["nominalDueAt"]), &event["payload"]["isVoid"]), (slots[0], &json!(true)));

    assert_eq!(app.run_planner_in_full().await["slotsMissed"], 0);
    assert_eq!(missed(&app, &till.device).await, slots, "nothing is told again");
    let orders = orders(&app, &till.device).await;
    assert_eq!(orders.len(), 1, "missed slots make no orders: {orders:#?}");
    assert_eq!((&orders[0]["state"], instant(&orders[0]["dueAt"])), (&json!("PLANNED"), at("2026-05-25T01:00:00Z")));
    file_length(&app, &till.device).await;
}

#[tokio::test]
async fn a_skipped_occurrence_acts_as_done_at_its_date_and_is_void_when_it_was_done_after_all() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    make_plan(&app, "MONTHLY", &[grid("0 9 1 * *")], json!({})).await;
    let days = make_plan(&app, "DAYS", &[floating("P30D")], json!({})).await;
    make_plan(&app, "USAGE", &[usage(300)], json!({})).await;
    app.set_clock("2026-05-20T02:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 3);

    // They were due on 1 June, 3 June and 24 May.
    for (code, next) in
        [("MONTHLY", "2026-07-01T01:00:00Z"), ("DAYS", "2026-07-02T16:00:00Z"), ("USAGE", "2026-06-12T16:00:00Z")]
    {
        let order = open_order(&app, &till.device, code).await;
        let input = json!({"workOrderId": order, "reason": "Exchanged for a new one last week"});
        let selection =
            "maintenanceItem { lastDoneAt cycle dueAt openWorkOrder { id } } workOrder { state closeReason }";
        let payload = app.mutate("skipOccurrence", selection, input).await;
        let item = &payload["maintenanceItem"];
        assert_eq!(instant(&item["dueAt"]), at(next), "{code}");
        assert_eq!(
            (&item["lastDoneAt"], &item["cycle"], &item["openWorkOrder"]),
            (&json!(null), &json!(0), &json!(null))
        );
        let closed = json!({"state": "SKIPPED", "closeReason": "Exchanged for a new one last week"});
        assert_eq!(payload["workOrder"], closed, "{code}");
    }
    let summary = text(&item(&app, &till.device, "DAYS").await["explanation"]["summary"]);
    assert!(summary.contains("30 days after the skipped date 2026-06-03"), "{summary}");

    app.set_clock("2026-06-25T02:00:00Z");
    let run = app.run_planner().await;
    assert_eq!((&run["slotsMissed"], &run["ordersIssued"]), (&json!(0), &json!(3)), "{run:#}");
    let technician = app.technician("Li Wei").await;
    let line = json!({"deviceId": till.device, "planIds": [days]});
    app.log_visit(&till.site, &technician, "2026-05-30T02:00:00Z", vec![line]).await;
    let found = item(&app, &till.device, "DAYS").await;
    assert_eq!(instant(&found["dueAt"]), at("2026-06-28T16:00:00Z"), "30 days after 30 May");
    let voided = told(&app, &till.device, &["OCCURRENCE_VOIDED"]).await;
    let [event] = voided.as_slice() else { panic!("{voided:#?}") };
    assert_eq!(event["payload"]["isVoid"], true);
}

#[tokio::test]
async fn a_postponed_occurrence_waits_until_its_new_day_and_says_why() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let plan = make_plan(&app, "DAYS", &[floating("P30D")], json!({})).await;
    app.run_planner().await;
    let id = text(&item(&app, &till.device, "DAYS").await["id"]);
    let input = json!({"itemId": id, "until": "2026-06-15", "reason": "Shop renovation"});
    app.mutate("postponeOccurrence", "", input).await;

    let found = item(&app, &till.device, "DAYS").await;
    let times = ["dueAt", "windowStart", "windowEnd"].map(|field| instant(&found[field]));
    assert_eq!(times, ["2026-06-14T16:00:00Z", "2026-05-26T16:00:00Z", "2026-06-15T15:59:59.999999Z"].map(at));
    let moved = only(&found["explanation"]["adjustments"]);
    assert_eq!((&moved["kind"], &moved["reason"]), (&json!("POSTPONED"), &json!("Shop renovation")));
    assert_eq!(
        (instant(&moved["from"]), instant(&moved["to"])),
        (at("2026-06-02T16:00:00Z"), at("2026-06-14T16:00:00Z"))
    );
    let summary = text(&found["explanation"]["summary"]);
    assert!(summary.contains("postponed from 2026-06-03: Shop renovation"), "{summary}");
    assert_eq!(told(&app, &till.device, &["OCCURRENCE_POSTPONED"]).await.len(), 1);

    app.set_clock("2026-05-31T15:59:59Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 0);
    app.set_clock("2026-05-31T16:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 1, "two weeks before 15 June");
    let order = order(&app, &open_order(&app, &till.device, "DAYS").await).await;
    assert_eq!(only(&order["explanation"]["adjustments"])["kind"], "POSTPONED");

    app.set_clock("2026-06-10T02:00:00Z");
    let technician = app.technician("Li Wei").await;
    let line = json!({"deviceId": till.device, "planIds": [plan]});
    app.log_visit(&till.site, &technician, "2026-06-10T02:00:00Z", vec![line]).await;
    let found = item(&app, &till.device, "DAYS").await;
    assert_eq!(instant(&found["dueAt"]), at("2026-07-09T16:00:00Z"), "the next one is not postponed");
    assert_eq!(found["explanation"]["adjustments"], json!([]));
}

#[tokio::test]
async fn a_slot_is_not_postponed_to_where_the_next_one_takes_over() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    make_plan(&app, "MONTHLY", &[grid("0 9 1 * *")], json!({})).await;
    app.run_planner().await;
    let id = text(&item(&app, &till.device, "MONTHLY").await["id"]);
    let postpone = |until: &str| json!({"itemId": id, "until": until, "reason": "Stocktaking"});
    // At 9:00 on 24 June work begins to count for 1 July.
    for until in ["2026-06-24", "2026-06-25"] {
        let (code, message, field) = app.refused("postponeOccurrence", postpone(until)).await;
        assert_eq!((code.as_str(), field), ("INVALID", path("until")), "{until}");
        assert!(message.contains("before 2026-06-24"), "{message}");
    }
    app.mutate("postponeOccurrence", "", postpone("2026-06-20")).await;
    assert_eq!(instant(&item(&app, &till.device, "MONTHLY").await["dueAt"]), at("2026-06-19T16:00:00Z"));

    app.set_clock("2026-06-20T02:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 1);
    app.set_clock("2026-06-24T01:00:00Z");
    let run = app.run_planner().await;
    assert_eq!((&run["slotsMissed"], &run["ordersIssued"]), (&json!(1), &json!(0)), "{run:#}");
    assert_eq!(missed(&app, &till.device).await, [at("2026-06-01T01:00:00Z")]);
    let found = item(&app, &till.device, "MONTHLY").await;
    assert_eq!(instant(&found["dueAt"]), at("2026-07-01T01:00:00Z"));
    assert_eq!(found["openWorkOrder"]["dueAt"], found["dueAt"], "the planned order goes on to it");
}

#[tokio::test]
async fn a_compliance_plan_is_skipped_cancelled_or_postponed_past_its_band_only_with_a_waiver() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    make_plan(&app, "PCI", &[floating("P30D")], json!({"isCompliance": true})).await;
    app.run_planner().await;
    let id = text(&item(&app, &till.device, "PCI").await["id"]);
    let needs_waiver = async |mutation: &str, input: Value, field: &str| {
        let (code, _, found) = app.refused(mutation, input).await;
        assert_eq!((code.as_str(), found), ("WAIVER_REQUIRED", path(field)), "{mutation}");
    };
    let postpone = |until: &str| json!({"itemId": id, "until": until, "reason": "Holiday"});
    needs_waiver("skipOccurrence", json!({"itemId": id, "reason": "Holiday"}), "waiver").await;
    // The band ends with 10 June.
    app.mutate("postponeOccurrence", "", postpone("2026-06-10")).await;
    needs_waiver("postponeOccurrence", postpone("2026-06-11"), "waiver").await;
    let mut waived = postpone("2026-06-11");
    waived["waiver"] = json!("QSA Chen, W-17");
    app.mutate("postponeOccurrence", "", waived).await;

    app.set_clock("2026-05-28T02:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 1);
    let order_id = open_order(&app, &till.device, "PCI").await;
    let cancel = json!({"workOrderId": order_id, "state": "CANCELLED", "reason": "Holiday"});
    needs_waiver("changeWorkOrderState", cancel, "reissue").await;
    assert_eq!(order(&app, &order_id).await["state"], "PLANNED");
    let skip = json!({"workOrderId": order_id, "reason": "Holiday", "waiver": "QSA Chen, W-18"});
    app.mutate("skipOccurrence", "", skip).await;
    assert_eq!(order(&app, &order_id).await["state"], "SKIPPED");
    assert_eq!(instant(&item(&app, &till.device, "PCI").await["dueAt"]), at("2026-07-02T16:00:00Z"));
    let events = told(&app, &till.device, &["OCCURRENCE_SKIPPED"]).await;
    assert_eq!(events[0]["payload"]["waiver"], "QSA Chen, W-18");
}
