//! The law: with the same facts and the same now, marking everything and planning again writes
//! nothing.

use super::*;
use crate::support::{at, instant};
use chrono::TimeDelta;
use sea_orm::{EntityTrait, QueryOrder};
use tillkeep::entity::{
    device_event, maintenance_item, maintenance_log, number_block, outbox, planner_mark, work_order,
};

/// 10:00 on Monday, 2 March, in Shanghai; Berlin's clocks change on the 29th.
const BEGIN: &str = "2026-03-02T02:00:00Z";

/// A fleet with all kinds of plans.
struct Fleet {
    app: TestApp,
    technician: String,
    /// Devices with their sites; the last three stand in Berlin.
    tills: Vec<(String, String)>,
    plans: Vec<String>,
    /// A free position for the ninth.
    elsewhere: String,
}

impl Fleet {
    async fn new() -> Self {
        let app = TestApp::start_at(BEGIN).await;
        let merchant = app.merchant("Chain").await;
        let mut tills = Vec::new();
        for n in 0..10 {
            let zone = if n < 7 { "Asia/Shanghai" } else { "Europe/Berlin" };
            let site = app.site_in(&merchant, zone).await;
            tills.push((device_at(&app, &site, &format!("HX{n}"), BEGIN).await, site));
        }
        let closed = json!({"closedDays": ["2026-04-01", "2026-04-05", "2026-04-15"]});
        let elsewhere = app.position(&site_with(&app, closed).await, "Counter 1", None).await;
        let weekly = json!({"earlyDays": 2, "lateDays": 2, "leadDays": 5, "isCompliance": true});
        let mut plans = Vec::new();
        for (code, triggers, more) in [
            ("MONTHLY", vec![grid("0 9 1 * *")], json!({})),
            ("WEEKLY", vec![grid("30 8 * * 3")], weekly),
            ("DAYS", vec![floating("P30D")], json!({"leadDays": 20})),
            ("USAGE", vec![usage(40), floating("P90D")], json!({"dueQuantile": "P10"})),
            ("MIXED", vec![grid("0 9 15 * *"), usage(60), floating("P25D")], json!({"leadDays": 7})),
        ] {
            plans.push(make_plan(&app, code, &triggers, more).await);
        }
        make_plan(&app, "PATROL", &[floating("P20D")], json!({"subject": "SITE", "leadDays": 7})).await;
        let technician = app.technician("Li Wei").await;
        Self { app, technician, tills, plans, elsewhere }
    }

    /// Readings of the days up to one, at midnight UTC: 11/7 a day, 12/7, 13/7 and so on.
    async fn read(&self, days: std::ops::RangeInclusive<i64>) {
        let mut readings = Vec::new();
        for (n, (device, _)) in (11..).zip(&self.tills) {
            for day in days.clone() {
                let read_at = at("2026-03-02T00:00:00Z") + TimeDelta::days(day);
                readings.push((device.as_str(), "TRANSACTIONS", (day * n / 7) as f64, read_at.to_rfc3339()));
            }
        }
        let count = readings.len();
        assert_eq!(self.app.read_many(readings).await["acceptedCount"], json!(count));
    }

    async fn visit(&self, till: usize, plans: &[String], performed_at: &str) {
        let (device, site) = &self.tills[till];
        let lines = vec![json!({"deviceId": device, "planIds": plans})];
        self.app.log_visit(site, &self.technician, performed_at, lines).await;
    }

    /// Does one of six things to a till.
    async fn act(&self, till: usize, what: usize, day: i64) {
        let app = &self.app;
        let now = at(BEGIN) + TimeDelta::days(day);
        let device = &self.tills[till].0;
        match what {
            0 => self.visit(till, &self.plans, &now.to_rfc3339()).await,
            1 => {
                let days_ago = now - TimeDelta::days(6);
                self.visit(till, &[self.plans[0].clone(), self.plans[3].clone()], &days_ago.to_rfc3339()).await;
            }
            2 => {
                let code = ["WEEKLY", "DAYS", "USAGE", "MIXED"][till % 4];
                let item = item(app, device, code).await;
                if !item["dueAt"].is_null() {
                    let input = json!({"itemId": item["id"], "reason": "Closed for works", "waiver": "Chen, W-17"});
                    app.mutate("skipOccurrence", "", input).await;
                }
            }
            3 => {
                let item = item(app, device, "DAYS").await;
                if !item["dueAt"].is_null() {
                    let until = (instant(&item["dueAt"]) + TimeDelta::days(3)).date_naive();
                    let input = json!({"itemId": item["id"], "until": until, "reason": "Closed for works"});
                    app.mutate("postponeOccurrence", "", input).await;
                }
            }
            4 => {
                let item = item(app, device, "MONTHLY").await;
                if item["openWorkOrder"]["state"] == "PLANNED" {
                    let tomorrow = (now + TimeDelta::days(1)).to_rfc3339();
                    schedule(app, &text(&item["openWorkOrder"]["id"]), &tomorrow).await;
                }
            }
            _ => {
                let item = item(app, device, "DAYS").await;
                if !item["openWorkOrder"].is_null() {
                    let more = json!({"reason": "Wrong crew", "reissue": true});
                    change_state(app, &text(&item["openWorkOrder"]["id"]), "CANCELLED", more).await;
                }
            }
        }
    }
}

/// Every row of a table, as text.
async fn rows<E: EntityTrait>(app: &TestApp, order: &[E::Column]) -> Vec<String> {
    let find = order.iter().fold(E::find(), |find, column| find.order_by_asc(*column));
    let rows = find.all(app.db().reader()).await.expect("the table can be read");
    rows.iter().map(|row| format!("{row:?}")).collect()
}

/// What planning has written.
async fn written(app: &TestApp) -> [Vec<String>; 6] {
    use device_event::Column as Event;
    [
        rows::<maintenance_item::Entity>(app, &[maintenance_item::Column::Id]).await,
        rows::<maintenance_log::Entity>(app, &[maintenance_log::Column::Id]).await,
        rows::<work_order::Entity>(app, &[work_order::Column::Id]).await,
        rows::<device_event::Entity>(app, &[Event::DeviceId, Event::Sequence]).await,
        rows::<outbox::Entity>(app, &[outbox::Column::Id]).await,
        rows::<number_block::Entity>(app, &[]).await,
    ]
}

#[tokio::test]
async fn planning_again_with_the_same_facts_and_now_writes_nothing() {
    let fleet = Fleet::new().await;
    let app = &fleet.app;
    app.run_planner().await;
    for (round, day) in [8, 16, 24, 32, 40].into_iter().enumerate() {
        app.clock.set(at(BEGIN) + TimeDelta::days(day));
        fleet.read(day - 7..=day).await;
        app.run_planner().await;
        for till in 0..fleet.tills.len() {
            fleet.act(till, (till + round) % 6, day).await;
        }
        match round {
            1 => change_status(app, &fleet.tills[9].0, "SUSPENDED").await,
            2 => {
                let input = json!({
                    "deviceId": fleet.tills[8].0,
                    "positionId": fleet.elsewhere,
                    "relocatedAt": (at(BEGIN) + TimeDelta::days(day)).to_rfc3339(),
                });
                app.mutate("relocateDevice", "", input).await;
            }
            3 => change_status(app, &fleet.tills[9].0, "IN_SERVICE").await,
            _ => {}
        }
    }
    app.clock.set(at(BEGIN) + TimeDelta::days(41));
    app.run_planner_in_full().await;

    let before = written(app).await;
    let [items, log, orders, events, ..] = &before;
    assert_eq!(items.len(), 10 * 5 + 11, "five plans for each device, one for each site");
    for kind in ["DONE", "SKIPPED", "POSTPONED", "MISSED"] {
        assert!(log.iter().any(|row| row.contains(&format!("kind: \"{kind}\""))), "nothing is {kind}");
    }
    for state in ["PLANNED", "SCHEDULED", "COMPLETED", "SKIPPED", "CANCELLED"] {
        assert!(orders.iter().any(|row| row.contains(&format!("state: \"{state}\""))), "no order is {state}");
    }
    assert!(events.len() > 100, "{} events", events.len());
    let again = app.run_planner_in_full().await;
    let nothing = ["itemsWritten", "ordersIssued", "ordersMoved", "ordersWithdrawn", "slotsMissed"];
    assert_eq!(nothing.map(|count| again[count].as_i64()), [Some(0); 5], "{again:#}");
    let after = written(app).await;
    for (before, after) in before.iter().flatten().zip(after.iter().flatten()) {
        assert_eq!(before, after);
    }
    assert_eq!(after.map(|table| table.len()), before.map(|table| table.len()));
    assert_eq!(rows::<planner_mark::Entity>(app, &[]).await.len(), 0, "nothing is left to look at");
}
