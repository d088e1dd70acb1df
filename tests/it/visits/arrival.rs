//! Visits that come late and out of order.

use super::*;
use crate::planning::{START, floating, grid, item, make_plan, told, usage};
use crate::support::{Fielded, at, instant};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// Slots that count as missed, as the device file tells it.
async fn missed(app: &TestApp, device: &str) -> BTreeSet<DateTime<Utc>> {
    let mut slots = BTreeSet::new();
    for event in told(app, device, &["OCCURRENCE_MISSED", "OCCURRENCE_MISSED_CORRECTED"]).await {
        let payload = &event["payload"];
        match (event["kind"] == "OCCURRENCE_MISSED", payload["isVoid"] == true) {
            (true, _) => slots.insert(instant(&payload["slot"])),
            (false, true) => slots.remove(&instant(&payload["nominalDueAt"])),
            (false, false) => slots.insert(instant(&payload["nominalDueAt"])),
        };
    }
    slots
}

#[tokio::test]
async fn the_same_visits_in_any_order_give_the_same_schedule() {
    let app = TestApp::start_at(START).await;
    let in_time = app.fielded("HX1", START).await;
    let late = app.fielded("HX2", START).await;
    let technician = app.technician("Li Wei").await;
    let triggers = [grid("0 9 * * 1"), floating("P20D"), usage(1_000)];
    let more = json!({"earlyDays": 2, "lateDays": 2, "leadDays": 5});
    let plan = make_plan(&app, "CLEAN", &triggers, more).await;
    let log = async |till: &Fielded, performed_at: &str| {
        let line = json!({"deviceId": till.device, "planIds": [plan]});
        app.log_visit(&till.site, &technician, performed_at, vec![line]).await;
    };
    // For the Mondays 11 and 25 May, 1, 22 and 29 June.
    let performed = [
        "2026-05-10T02:00:00Z",
        "2026-05-26T02:00:00Z",
        "2026-06-03T02:00:00Z",
        "2026-06-20T03:00:00Z",
        "2026-07-01T02:00:00Z",
    ];
    let mut visits = performed.into_iter().peekable();
    for week in 1..=10 {
        let midnight = at("2026-05-03T16:00:00Z") + TimeDelta::weeks(week);
        while let Some(performed_at) = visits.next_if(|v| at(v) < midnight) {
            app.clock.set(at(performed_at) + TimeDelta::hours(1));
            log(&in_time, performed_at).await;
        }
        app.clock.set(midnight + TimeDelta::minutes(5));
        let mut readings = Vec::new();
        for day in week * 7 - 6..=week * 7 {
            let read_at = (at("2026-05-03T16:00:00Z") + TimeDelta::days(day)).to_rfc3339();
            for till in [&in_time, &late] {
                readings.push((till.device.as_str(), "TRANSACTIONS", (day * 100) as f64, read_at.clone()));
            }
        }
        app.read_many(readings).await;
        app.run_planner().await;
    }
    app.set_clock("2026-07-13T02:00:00Z");
    app.run_planner().await;
    for place in [3, 0, 4, 1, 2] {
        log(&late, performed[place]).await;
    }
    app.run_planner_in_full().await;

    let schedule = async |device: &str| {
        let mut item = item(&app, device, "CLEAN").await;
        // Orders are history: those of the one were completed, the other's never were issued.
        for field in ["id", "version", "openWorkOrder"] {
            item[field].take();
        }
        item
    };
    let expected = schedule(&in_time.device).await;
    assert_eq!(schedule(&late.device).await, expected);
    assert_eq!((&expected["cycle"], instant(&expected["lastDoneAt"])), (&json!(5), at(performed[4])));
    // 1,000 at 100 a day, counted from 10:00 on 1 July.
    assert_eq!(instant(&expected["dueAt"]), at("2026-07-10T16:00:00Z"));
    let slots = ["2026-05-18", "2026-06-08", "2026-06-15", "2026-07-06"].map(|day| at(&format!("{day}T01:00:00Z")));
    assert_eq!(missed(&app, &in_time.device).await, BTreeSet::from(slots));
    assert_eq!(missed(&app, &late.device).await, BTreeSet::from(slots));
}
