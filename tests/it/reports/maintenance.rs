//! What fell due and what became of it.

use super::*;
use crate::planning::{change_state, device_at, devices_at, floating, grid, item, make_plan, open_order, schedule};

/// June 2026 in Shanghai.
const JUNE: (&str, &str) = ("2026-05-31T16:00:00Z", "2026-06-30T16:00:00Z");

/// Six devices whose cleaning falls due on 3 June, a week early or late; it is 25 June now. One was
/// cleaned on 1 June, one on 20 June, one skipped, one cancelled, one left, one postponed.
async fn six_fates(app: &TestApp) -> (String, [String; 6]) {
    let site = site_named(app, "Bund", None).await;
    let devices: [String; 6] = devices_at(app, &site).await;
    let plan = make_plan(app, "DAYS", &[floating("P30D")], json!({})).await;
    let technician = app.technician("Li Wei").await;
    app.set_clock("2026-05-21T02:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 6);
    let skipped = open_order(app, &devices[2], "DAYS").await;
    let input = json!({"workOrderId": skipped, "reason": "Exchanged last week"});
    app.mutate("skipOccurrence", "", input).await;
    let cancelled = open_order(app, &devices[3], "DAYS").await;
    change_state(app, &cancelled, "CANCELLED", json!({"reason": "Shop is being rebuilt"})).await;
    let postponed = text(&item(app, &devices[5], "DAYS").await["id"]);
    let input = json!({"itemId": postponed, "until": "2026-06-30", "reason": "Shop renovation"});
    app.mutate("postponeOccurrence", "", input).await;
    for (device, performed_at) in [(&devices[0], "2026-06-01T02:00:00Z"), (&devices[1], "2026-06-20T02:00:00Z")] {
        app.set_clock(performed_at);
        let line = json!({"deviceId": device, "planIds": [plan]});
        app.log_visit(&site, &technician, performed_at, vec![line]).await;
    }
    app.set_clock("2026-06-25T02:00:00Z");
    app.run_planner().await;
    (site, devices)
}

#[tokio::test]
async fn each_occurrence_is_counted_once_as_what_became_of_it() {
    let app = TestApp::start_at(START).await;
    six_fates(&app).await;
    let found = report(&app, JUNE.0, JUNE.1, ", groupBy: KIND").await;
    let total = &found["total"];
    // due, on time, early, late, missed, skipped, waived, overdue, open
    assert_eq!(outcomes(total), [6, 1, 0, 1, 0, 2, 0, 1, 1], "{total:#}");
    assert_eq!(share(&total["pmCompliance"]), (1.0, 5.0, Some(0.2)));
    assert_eq!(total["doneWithoutOrder"], 0);

    // By kind: failures are of none.
    let cleaning = group(&found, "Cleaning");
    assert_eq!(outcomes(cleaning), outcomes(total));
    assert_eq!((&found["groups"][0]["key"], &found["groups"][0]["zh"]), (&json!("CLEANING"), &json!("清洁")));
    for figure in
        ["failures", "noFaultFoundCount", "mtbfHours", "mttrHours", "availability", "firstTimeFix", "noAccessVisits"]
    {
        assert!(cleaning[figure].is_null() && !total[figure].is_null(), "{figure}: {found:#}");
    }

    // With a band of the reader's own: 3 June to 23 June, whatever was postponed.
    let band = ", complianceBand: { kind: DAYS, earlyDays: 0, lateDays: 20 }";
    let found = report(&app, JUNE.0, JUNE.1, band).await;
    assert_eq!(outcomes(&found["total"]), [6, 1, 1, 0, 0, 2, 0, 2, 0], "{found:#}");
    close(&found["total"]["pmCompliance"]["value"], 1.0 / 6.0);

    // Due in July is what was ordered ahead: after the cleaning of 1 June, the skip and the cancelling.
    let july = report(&app, JUNE.1, "2026-07-31T16:00:00Z", "").await;
    assert_eq!(outcomes(&july["total"]), [3, 0, 0, 0, 0, 0, 0, 0, 3], "{july:#}");

    let one = ", filter: { serialNumbers: [\"HX1\"] }, groupBy: MONTH";
    let found = report(&app, JUNE.0, JUNE.1, one).await;
    assert_eq!(outcomes(&found["total"]), [1, 0, 0, 1, 0, 0, 0, 0, 0], "{found:#}");
    assert_eq!(outcomes(group(&found, "2026-06")), outcomes(&found["total"]));
}

#[tokio::test]
async fn a_late_report_of_work_moves_an_occurrence_from_overdue_to_done() {
    let app = TestApp::start_at(START).await;
    let (site, devices) = six_fates(&app).await;
    let order = open_order(&app, &devices[4], "DAYS").await;
    let technician = app.technician("Zhang Min").await;
    let line = json!({"deviceId": devices[4], "workOrderIds": [order]});
    app.log_visit(&site, &technician, "2026-06-10T15:59:00Z", vec![line]).await;
    let found = report(&app, JUNE.0, JUNE.1, "").await;
    assert_eq!(outcomes(&found["total"]), [6, 2, 0, 1, 0, 2, 0, 0, 1], "told on the 25th, done on the 10th: {found:#}");
}

#[tokio::test]
async fn missed_slots_count_until_work_turns_up_and_waived_ones_do_not_count_at_all() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let weekly = json!({"earlyDays": 2, "lateDays": 2, "leadDays": 2});
    let plan = make_plan(&app, "MONDAYS", &[grid("0 9 * * 1")], weekly).await;
    app.run_planner().await;
    app.set_clock("2026-05-27T02:00:00Z");
    app.run_planner().await;
    let may = ("2026-04-30T16:00:00Z", "2026-05-31T16:00:00Z");
    let found = report(&app, may.0, may.1, "").await;
    assert_eq!(outcomes(&found["total"]), [3, 0, 0, 0, 2, 0, 0, 0, 1], "11 and 18 May, and 25 May: {found:#}");
    assert_eq!(share(&found["total"]["pmCompliance"]), (0.0, 2.0, Some(0.0)), "nothing done is 0, not null");

    // Work of 12 May is told: the 11th was not missed, though no order says so.
    let line = json!({"deviceId": till.device, "planIds": [plan]});
    app.log_visit(&till.site, &technician, "2026-05-12T02:00:00Z", vec![line]).await;
    app.run_planner_in_full().await;
    let found = report(&app, may.0, may.1, "").await;
    assert_eq!(outcomes(&found["total"]), [2, 0, 0, 0, 1, 0, 0, 0, 1], "{found:#}");
    assert_eq!(found["total"]["doneWithoutOrder"], 1);

    let must = json!({"isCompliance": true, "kind": "INSPECTION"});
    make_plan(&app, "SEALS", &[floating("P30D")], must).await;
    app.run_planner().await;
    let order = open_order(&app, &till.device, "SEALS").await;
    let input = json!({"workOrderId": order, "reason": "Sealed off by the police", "waiver": "Wang Fang, W-7"});
    app.mutate("skipOccurrence", "", input).await;
    let found = report(&app, may.1, "2026-06-30T16:00:00Z", ", groupBy: KIND").await;
    let seals = group(&found, "Inspection");
    assert_eq!(outcomes(seals)[5..7], [0, 1], "waived, not skipped: {seals:#}");
    assert_eq!(share(&seals["pmCompliance"]), (0.0, 0.0, None), "there was nothing left to comply with");
}

#[tokio::test]
async fn work_is_grouped_by_where_it_was_to_be_done_then() {
    let app = TestApp::start_at(START).await;
    let (first, second) =
        (site_named(&app, "Bund", Some("310101")).await, site_named(&app, "Xihu", Some("330106")).await);
    let device = device_at(&app, &first, "HX1", START).await;
    device_at(&app, &second, "HX2", START).await;
    make_plan(&app, "DAYS", &[floating("P30D")], json!({})).await;
    app.set_clock("2026-05-21T02:00:00Z");
    app.run_planner().await;
    // A scheduled order stays where it was ordered.
    let order = open_order(&app, &device, "DAYS").await;
    schedule(&app, &order, "2026-06-02T02:00:00Z").await;
    let free = app.position(&second, "Counter 9", None).await;
    let input = json!({"deviceId": device, "positionId": free, "relocatedAt": "2026-05-21T02:00:00Z"});
    app.mutate("relocateDevice", "", input).await;
    for (dimension, labels) in [("SITE", ["Bund", "Xihu"]), ("REGION", ["310101", "330106"])] {
        let found = report(&app, JUNE.0, JUNE.1, &format!(", groupBy: {dimension}")).await;
        for label in labels {
            assert_eq!(outcomes(group(&found, label))[0], 1, "{label}: {found:#}");
        }
        assert_eq!((&found["groupCount"], &found["groupBy"]), (&json!(2), &json!(dimension)));
        let keys: Vec<String> = found["groups"].as_array().unwrap().iter().map(|g| text(&g["key"])).collect();
        assert!(keys.is_sorted(), "{keys:?}");
    }
    // Devices are filtered as they are now.
    let found = report(&app, JUNE.0, JUNE.1, ", filter: { regionCodes: [\"33\"] }").await;
    assert_eq!(found["total"]["due"], 2, "{found:#}");
    let found = report(&app, JUNE.0, JUNE.1, ", filter: { regionCodes: [\"31\"] }").await;
    assert_eq!(found["total"]["due"], 0, "{found:#}");
}

#[tokio::test]
async fn what_a_larger_work_includes_falls_due_with_it_and_not_beside_it() {
    let app = TestApp::start_at(START).await;
    let site = site_named(&app, "Bund", None).await;
    device_at(&app, &site, "HX1", START).await;
    // Due on 3 June, and on 8 June.
    let quick = make_plan(&app, "QUICK", &[floating("P30D")], json!({})).await;
    make_plan(&app, "DEEP", &[floating("P35D")], json!({"covers": [quick]})).await;
    app.set_clock("2026-05-26T02:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 1);
    app.set_clock("2026-06-05T02:00:00Z");
    app.run_planner().await;
    let found = report(&app, JUNE.0, JUNE.1, "").await;
    assert_eq!(outcomes(&found["total"]), [1, 0, 0, 0, 0, 0, 0, 0, 1], "{found:#}");
}
