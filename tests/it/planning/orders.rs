//! When orders are issued, how they follow the forecast, and when they no longer do.

use super::*;
use crate::support::{at, instant, only};

#[tokio::test]
async fn an_order_is_issued_at_its_lead_time_and_only_one_is_open() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    make_plan(&app, "DAYS", &[floating("P30D")], json!({})).await;
    let run = app.run_planner().await;
    assert_eq!((&run["itemsWritten"], &run["ordersIssued"]), (&json!(1), &json!(0)));

    // Due on 3 June; two weeks before is 20 May.
    app.set_clock("2026-05-19T15:59:59Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 0);
    app.set_clock("2026-05-19T16:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 1);
    // However long it stays open.
    app.set_clock("2026-09-10T02:00:00Z");
    assert_eq!(app.run_planner_in_full().await["ordersIssued"], 0);
    let orders = orders(&app, &till.device).await;
    assert_eq!(orders.len(), 1, "{orders:#?}");
    assert_eq!((&orders[0]["state"], &orders[0]["isOverdue"]), (&json!("PLANNED"), &json!(true)));
    assert_eq!(instant(&orders[0]["dueAt"]), at("2026-06-02T16:00:00Z"));
}

#[tokio::test]
async fn a_planned_order_follows_the_forecast_and_is_withdrawn_when_it_moves_far_off() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    make_plan(&app, "USAGE", &[usage(300)], json!({})).await;
    app.run_planner().await;
    // 300 at the model's 15 a day, from 4 May: 24 May.
    app.set_clock("2026-05-09T16:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 1);
    let first = open_order(&app, &till.device, "USAGE").await;
    assert_eq!(instant(&order(&app, &first).await["dueAt"]), at("2026-05-23T16:00:00Z"));

    // Nothing used until 11 May begins: 300 more at 15 a day, 30 May. That is before its lead time,
    // but not by more than a week.
    app.set_clock("2026-05-11T02:00:00Z");
    app.read(&till.device, "TRANSACTIONS", 0.0, "2026-05-10T16:00:00Z").await;
    let run = app.run_planner().await;
    assert_eq!((&run["ordersMoved"], &run["ordersWithdrawn"]), (&json!(1), &json!(0)), "{run:#}");
    let moved = order(&app, &first).await;
    let found = ["dueAt", "windowStart", "windowEnd"].map(|field| instant(&moved[field]));
    assert_eq!(found, ["2026-05-29T16:00:00Z", "2026-05-22T16:00:00Z", "2026-06-06T15:59:59.999999Z"].map(at));
    let events = told(&app, &till.device, &["WORK_ORDER_MOVED"]).await;
    let [event] = events.as_slice() else { panic!("{events:#?}") };
    assert_eq!(instant(&event["payload"]["from"]), at("2026-05-23T16:00:00Z"));
    assert_eq!(instant(&event["payload"]["to"]), at("2026-05-29T16:00:00Z"));

    // Seven whole days without use count half against the model's rate: 300 at 7.5 a day from
    // 11 May, 20 June.
    app.set_clock("2026-05-12T02:00:00Z");
    let zero = |at: &str| (till.device.as_str(), "TRANSACTIONS", 0.0, at.to_owned());
    app.read_many(vec![zero(START), zero("2026-05-11T16:00:00Z")]).await;
    let run = app.run_planner().await;
    assert_eq!((&run["ordersMoved"], &run["ordersWithdrawn"]), (&json!(0), &json!(1)), "{run:#}");
    let withdrawn = order(&app, &first).await;
    assert_eq!(withdrawn["state"], "CANCELLED");
    assert!(withdrawn["closeReason"].is_string(), "{withdrawn:#}");
    assert_eq!(told(&app, &till.device, &["WORK_ORDER_WITHDRAWN"]).await.len(), 1);
    let left = item(&app, &till.device, "USAGE").await;
    assert!(left["openWorkOrder"].is_null(), "{left:#}");
    assert_eq!(instant(&left["dueAt"]), at("2026-06-19T16:00:00Z"));
    // What the planner takes back it may issue again, in its time.
    app.set_clock("2026-06-05T16:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 1);
    assert_ne!(open_order(&app, &till.device, "USAGE").await, first);
}

#[tokio::test]
async fn from_scheduled_on_the_band_is_frozen_and_a_date_stays_where_the_counter_crossed() {
    let app = TestApp::start_at(START).await;
    let site = site_with(&app, json!({})).await;
    let [frozen, planned] = devices_at(&app, &site).await;
    make_plan(&app, "USAGE", &[usage(300)], json!({})).await;
    let both = |value: f64, at: &str| {
        let reading = |device| (device, "TRANSACTIONS", value, at.to_owned());
        vec![reading(frozen.as_str()), reading(planned.as_str())]
    };
    app.read_many(both(0.0, START)).await;
    app.set_clock("2026-05-09T16:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 2);
    let of_frozen = open_order(&app, &frozen, "USAGE").await;
    let of_planned = open_order(&app, &planned, "USAGE").await;
    schedule(&app, &of_frozen, "2026-05-20T02:00:00Z").await;

    // 600 in the 182 hours up to the begin of 12 May: the 300th half way, on 8 May.
    app.set_clock("2026-05-12T02:00:00Z");
    app.read_many(both(600.0, "2026-05-11T16:00:00Z")).await;
    let run = app.run_planner().await;
    assert_eq!((&run["ordersMoved"], &run["ordersIssued"]), (&json!(1), &json!(0)), "{run:#}");
    let band = async |order_id: &str| {
        let order = order(&app, order_id).await;
        let times = ["dueAt", "windowStart", "windowEnd"].map(|field| instant(&order[field]));
        (text(&order["state"]), times)
    };
    let as_issued = ["2026-05-23T16:00:00Z", "2026-05-16T16:00:00Z", "2026-05-31T15:59:59.999999Z"].map(at);
    // A week before is before the installation it counts from; the band begins after that.
    let as_crossed = ["2026-05-07T16:00:00Z", "2026-05-04T02:00:00.000001Z", "2026-05-15T15:59:59.999999Z"].map(at);
    assert_eq!(band(&of_frozen).await, ("SCHEDULED".to_owned(), as_issued));
    assert_eq!(band(&of_planned).await, ("PLANNED".to_owned(), as_crossed));
    let found = item(&app, &frozen, "USAGE").await;
    assert_eq!(instant(&found["dueAt"]), as_crossed[0], "the item goes on with what is known");
    let basis = &only(&found["explanation"]["candidates"])["basis"];
    assert_eq!((instant(&basis["crossedAt"]), &basis["unitsLeft"]), (at("2026-05-07T21:00:00Z"), &json!(-300.0)));

    // Later readings do not move it.
    app.set_clock("2026-05-13T02:00:00Z");
    app.read_many(both(700.0, "2026-05-12T16:00:00Z")).await;
    assert_eq!(app.run_planner().await["ordersMoved"], 0);
    assert_eq!(band(&of_planned).await.1, as_crossed);
    // Unscheduled, an order follows again.
    change_state(&app, &of_frozen, "PLANNED", json!({})).await;
    assert_eq!(band(&of_frozen).await, ("PLANNED".to_owned(), as_crossed));
    assert!(order(&app, &of_frozen).await["scheduledFor"].is_null());
}

#[tokio::test]
async fn cancelling_skips_the_occurrence_unless_it_is_to_be_issued_again() {
    let app = TestApp::start_at(START).await;
    let site = site_with(&app, json!({})).await;
    let [skipped, again] = devices_at(&app, &site).await;
    make_plan(&app, "DAYS", &[floating("P30D")], json!({})).await;
    app.set_clock("2026-05-20T02:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 2);
    let of_skipped = open_order(&app, &skipped, "DAYS").await;
    let of_again = open_order(&app, &again, "DAYS").await;

    change_state(&app, &of_skipped, "CANCELLED", json!({"reason": "Shop is being rebuilt"})).await;
    change_state(&app, &of_again, "CANCELLED", json!({"reason": "Wrong crew", "reissue": true})).await;

    assert_eq!(order(&app, &of_skipped).await["closeReason"], "Shop is being rebuilt");
    let found = item(&app, &skipped, "DAYS").await;
    assert!(found["openWorkOrder"].is_null(), "{found:#}");
    assert_eq!(instant(&found["dueAt"]), at("2026-07-02T16:00:00Z"), "30 days after the skipped 3 June");
    assert_eq!(told(&app, &skipped, &["OCCURRENCE_SKIPPED"]).await.len(), 1);

    let found = item(&app, &again, "DAYS").await;
    assert_eq!(instant(&found["dueAt"]), at("2026-06-02T16:00:00Z"));
    assert_ne!(text(&found["openWorkOrder"]["id"]), of_again);
    assert_eq!(told(&app, &again, &["OCCURRENCE_SKIPPED"]).await.len(), 0);
    assert_eq!(app.run_planner_in_full().await["ordersIssued"], 0);
    let states: Vec<_> = orders(&app, &again).await.iter().map(|o| text(&o["state"])).collect();
    assert_eq!(states.iter().filter(|s| *s == "PLANNED").count(), 1, "{states:?}");
    assert_eq!(states.len(), 2);
}
