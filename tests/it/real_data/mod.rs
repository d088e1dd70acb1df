//! Real data. Reliability sets with known answers; a synthetic fleet of others with its failures; and
//! real tills: 27 shops of Ecuador, cleaned "every 20,000 transactions or every 90 days".

mod forecasts;
mod machines;
mod reliability;
mod shops;

use self::shops::{EVERY, EVERY_DAYS, Shop, day_of, local, luck};
use crate::ingest::take_in;
use crate::support::{TestApp, instant, only, text};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use tillkeep::ingest::Kind;

/// The last day that is imported.
const IMPORTED: NaiveDate = NaiveDate::from_ymd_opt(2016, 6, 30).unwrap();
/// Days that are lived through after it.
const DAYS: u64 = 60;

const WHY: &str = "explanation { summary(language: EN) trigger candidates {
    trigger dueAt
    basis {
        meter every lifeAtLastDone lifeNow unitsLeft unitsPerDay lastReadingAt source crossedAt
        parts { recentPerDay trendFactor weekdayFactor seasonFactor holidayFactor closureFactor }
    }
} }";

/// A shop's till in the product, and what was done to it.
struct Till {
    shop: Shop,
    device: String,
    site: String,
    /// When it was cleaned, in the order it was told.
    done: Vec<DateTime<Utc>>,
    /// Orders that were completed by that.
    completed: u64,
    /// How often it was decided to clean it.
    decisions: u64,
    /// Cleanings that wait for the day they are told of.
    waiting: VecDeque<Work>,
}

/// One cleaning.
struct Work {
    performed_at: DateTime<Utc>,
    told_on: NaiveDate,
    /// The order or plan it names.
    names: (&'static str, String),
    is_told_twice: bool,
}

/// An open order.
struct Order {
    id: String,
    due_on: NaiveDate,
    window_start: DateTime<Utc>,
}

/// Just after the last readings of a day.
fn evening(day: NaiveDate) -> DateTime<Utc> {
    local(day, 22, 5)
}

/// When the work of a day is done.
fn work_time(day: NaiveDate) -> DateTime<Utc> {
    local(day, 18, 30)
}

fn grouped(units: i64) -> String {
    let digits = units.abs().to_string();
    let parts: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|part| std::str::from_utf8(part).unwrap()).collect();
    parts.join(",")
}

impl Till {
    async fn register(app: &TestApp, model: &str, shop: Shop) -> Self {
        let name = format!("SHOP{}", shop.series);
        let merchant = app.merchant(&name).await;
        let site = app.site_in(&merchant, shops::ZONE).await;
        let position = app.position(&site, "Till", None).await;
        let device = app.device(model, &name).await;
        app.install(&device, &position, &shop.opened().to_rfc3339()).await;
        Self { shop, device, site, done: vec![], completed: 0, decisions: 0, waiting: VecDeque::new() }
    }

    /// When it was last cleaned, or else began.
    fn begin(&self) -> DateTime<Utc> {
        self.done.iter().copied().max().unwrap_or_else(|| self.shop.opened())
    }

    /// Compares an explanation with what the raw numbers say on the evening of a day, and answers
    /// the due day.
    fn check_why(&self, why: &Value, today: NaiveDate) -> NaiveDate {
        let name = self.shop.series;
        let (usage, days) = (&why["candidates"][0], &why["candidates"][1]);
        assert_eq!((&usage["trigger"], &days["trigger"]), (&json!("USAGE"), &json!("CALENDAR_FLOATING")));
        let begin = self.begin();
        let by_days = day_of(instant(&days["dueAt"]));
        assert_eq!(by_days, day_of(begin) + Days::new(EVERY_DAYS), "shop {name}");

        let readings = self.shop.readings(today);
        let (last_at, total) = *readings.last().unwrap();
        let life = self.shop.life_at(begin, &readings);
        let basis = &usage["basis"];
        let number = |field: &str| basis[field].as_f64().unwrap_or_else(|| panic!("shop {name}, {field}: {basis:#}"));
        assert_eq!((&basis["meter"], &basis["source"]), (&json!("TRANSACTIONS"), &json!("DEVICE")));
        assert_eq!((number("every"), number("lifeNow")), (EVERY as f64, total as f64), "shop {name}");
        assert_eq!(instant(&basis["lastReadingAt"]), last_at, "shop {name}");
        assert!((number("lifeAtLastDone") - life).abs() <= 1.0, "shop {name}: not {life} in {basis:#}");
        let left = number("unitsLeft");
        assert_eq!(left, number("lifeAtLastDone") + EVERY as f64 - total as f64, "shop {name}");
        let rate = self.shop.rate(day_of(last_at));
        // What the rate is made of gives the rate, and begins at the last four weeks' mean, of which a
        // closure is no part.
        let parts = &basis["parts"];
        if !parts["recentPerDay"].is_null() {
            let part = |field: &str| parts[field].as_f64().unwrap_or_else(|| panic!("shop {name}: {parts:#}"));
            let factors = ["trendFactor", "weekdayFactor", "seasonFactor", "holidayFactor", "closureFactor"].map(part);
            let made: f64 = factors.iter().product::<f64>() * part("recentPerDay");
            assert!((made / number("unitsPerDay") - 1.0).abs() < 1e-6, "shop {name}: {basis:#}");
            if !self.shop.was_closed(day_of(last_at)) {
                let off = part("recentPerDay") / rate - 1.0;
                assert!(off.abs() < 0.02, "shop {name}: not {rate} in {basis:#}");
            }
        }

        let by_usage = day_of(instant(&usage["dueAt"]));
        if total as f64 >= life + EVERY as f64 {
            let reached = self.shop.reached(life + EVERY as f64);
            let off = (by_usage - reached).num_days().abs();
            assert!(off <= 1, "shop {name}: due {by_usage}, reached {reached}");
            assert_eq!(day_of(instant(&basis["crossedAt"])), by_usage, "shop {name}");
        } else {
            assert!(by_usage > day_of(last_at), "shop {name}: due {by_usage}, read {last_at}");
            assert!(basis["crossedAt"].is_null(), "shop {name}: {basis:#}");
        }

        let due = by_usage.min(by_days);
        let summary = text(&why["summary"]);
        let state = match left < 0.0 {
            true => format!("{} transactions passed by {}", grouped(EVERY), grouped(left as i64)),
            false => format!("{} of {} transactions left", grouped(left as i64), grouped(EVERY)),
        };
        for part in [
            format!("Due {due}: "),
            state,
            format!("about {} a day", grouped(number("unitsPerDay").round() as i64)),
            format!("last reading {}", day_of(last_at)),
        ] {
            assert!(summary.contains(&part), "shop {name}: no \"{part}\" in: {summary}");
        }
        due
    }

    /// What will be done about an order that is due, and when it will be told: in time, late, told
    /// late, told twice, without the order, or two cleanings told in the wrong order.
    fn decide(&mut self, order: &Order, plan: &str, today: NaiveDate) -> usize {
        let way = (luck(self.shop.series, 1_000 + self.decisions) % 6) as usize;
        self.decisions += 1;
        let work = |done_after: u64, told_after: u64| Work {
            performed_at: work_time(today + Days::new(done_after)),
            told_on: today + Days::new(told_after),
            names: if way == 4 { ("planIds", plan.to_owned()) } else { ("workOrderIds", order.id.clone()) },
            is_told_twice: way == 3,
        };
        self.waiting = match way {
            1 => [work(2, 2)].into(),
            2 => [work(0, 3)].into(),
            5 => [work(1, 1), work(0, 2)].into(),
            _ => [work(0, 0)].into(),
        };
        way
    }

    /// Tells of a cleaning; `open` is the till's open order.
    async fn tell(&mut self, app: &TestApp, technician: &str, work: Work, open: Option<&Order>) {
        let mut line = json!({"deviceId": self.device, "performedAt": work.performed_at, "outcome": "DONE"});
        line[work.names.0] = json!([work.names.1]);
        let input = json!({
            "siteId": self.site,
            "technicianId": technician,
            "startedAt": work.performed_at,
            "lines": [line],
            "idempotencyKey": format!("{}-{}", self.shop.series, self.done.len()),
        });
        let selection = "serviceVisit { id } results { code workOrder { id } }";
        let answer = app.mutate("logServiceVisit", selection, input.clone()).await;
        if work.is_told_twice {
            assert_eq!(app.mutate("logServiceVisit", selection, input).await, answer, "told twice");
        }
        // Work closes the open order from the start of its band on, whatever it names.
        let closed = open.filter(|order| work.performed_at >= order.window_start).map(|order| json!(order.id));
        let results: Vec<&Value> = answer["results"].as_array().into_iter().flatten().collect();
        let said = results.iter().find(|r| r["code"] == "COMPLETED").map(|r| r["workOrder"]["id"].clone());
        assert_eq!(said, closed, "shop {} at {}: {answer:#}", self.shop.series, work.performed_at);
        self.completed += u64::from(closed.is_some());
        self.done.push(work.performed_at);
    }
}

/// Imports what the tills had counted by the end of a day.
async fn import(app: &TestApp, tills: &[Till], until: NaiveDate) {
    let mut csv = "serial_number,meter,value,read_at\n".to_owned();
    for shop in tills.iter().map(|t| &t.shop) {
        for (at, total) in shop.readings(until) {
            writeln!(csv, "SHOP{},TRANSACTIONS,{total},{}", shop.series, at.to_rfc3339()).unwrap();
        }
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &csv).unwrap();
    let report = take_in(app, Kind::Readings, file.path()).await.unwrap();
    let rows = csv.lines().count() as u64 - 1;
    assert!(rows > 30_000, "{rows} readings");
    assert_eq!((report.rows, report.added, report.refused_count), (rows, rows, 0), "{report}");
}

/// The open order of each device that has one.
async fn open_orders(app: &TestApp) -> HashMap<String, Order> {
    let query = "{ workOrders(
        filter: { states: [PLANNED, SCHEDULED, DISPATCHED, IN_PROGRESS, ON_HOLD] }, first: 500
    ) { nodes { id dueAt windowStart device { id } } } }";
    let data = app.gql(query, json!({})).await;
    let mut open = HashMap::new();
    for row in data["workOrders"]["nodes"].as_array().unwrap() {
        let order = Order {
            id: text(&row["id"]),
            due_on: day_of(instant(&row["dueAt"])),
            window_start: instant(&row["windowStart"]),
        };
        // There is one plan, so a device has one item.
        let another = open.insert(text(&row["device"]["id"]), order);
        assert!(another.is_none(), "two orders are open for one item: {row:#}");
    }
    open
}

/// Every till heard of lately has an upcoming cleaning that says why.
async fn check_upcoming(app: &TestApp, tills: &[Till], today: NaiveDate) {
    let query = format!(
        r#"{{ upcomingMaintenance(dueBefore: "2018-01-01T00:00:00Z", first: 500) {{
            nodes {{ dueAt kind device {{ id }} {WHY} }}
        }} }}"#
    );
    let data = app.gql(&query, json!({})).await;
    let rows = data["upcomingMaintenance"]["nodes"].as_array().unwrap();
    let mut phrases = [0, 0];
    for till in tills {
        let (last_at, _) = *till.shop.readings(today).last().unwrap();
        assert!(evening(today) - last_at < TimeDelta::days(28), "shop {} is silent", till.shop.series);
        let of_till: Vec<&Value> = rows.iter().filter(|row| row["device"]["id"] == till.device.as_str()).collect();
        let [row] = of_till[..] else { panic!("shop {}: {of_till:#?}", till.shop.series) };
        assert_eq!(row["kind"], "CLEANING");
        let due = till.check_why(&row["explanation"], today);
        assert_eq!(day_of(instant(&row["dueAt"])), due, "shop {}", till.shop.series);
        phrases[usize::from(text(&row["explanation"]["summary"]).contains("transactions left"))] += 1;
    }
    assert_eq!((rows.len(), tills.len()), (27, 27));
    assert!(phrases.iter().all(|count| *count > 0), "passed or left: {phrases:?}");
}

/// Every till's counts, last done, next due and file are what the raw numbers say.
async fn check_tills(app: &TestApp, tills: &[Till], today: NaiveDate) {
    let query = format!(
        "{{ devices(first: 27) {{ nodes {{
            id
            meters {{ code latestValue latestAt lifeCounter }}
            maintenanceItems {{ cycle lastDoneAt dueAt openWorkOrder {{ dueAt }} {WHY} }}
            visits: history(kinds: [VISIT_LOGGED], first: 1) {{ totalCount }}
            completions: history(kinds: [WORK_ORDER_COMPLETED], first: 1) {{ totalCount }}
            historyIntegrity {{ isIntact problem }}
        }} }} }}"
    );
    let data = app.gql(&query, json!({})).await;
    let devices = data["devices"]["nodes"].as_array().unwrap();
    assert_eq!(devices.len(), tills.len());
    for till in tills {
        let name = till.shop.series;
        let device = devices.iter().find(|d| d["id"] == till.device.as_str()).unwrap();
        let (last_at, total) = *till.shop.readings(today).last().unwrap();
        let meter = only(&device["meters"]);
        assert_eq!(meter["lifeCounter"], total as f64, "shop {name}");
        assert_eq!(meter["latestValue"], total as f64, "shop {name}");
        assert_eq!(instant(&meter["latestAt"]), last_at, "shop {name}");

        let item = only(&device["maintenanceItems"]);
        assert_eq!(item["cycle"], json!(till.done.len()), "shop {name}");
        assert_eq!(instant(&item["lastDoneAt"]), till.begin(), "shop {name}");
        let due = till.check_why(&item["explanation"], today);
        assert_eq!(day_of(instant(&item["dueAt"])), due, "shop {name}");
        if !item["openWorkOrder"].is_null() {
            assert_eq!(item["openWorkOrder"]["dueAt"], item["dueAt"], "shop {name}");
        }

        assert_eq!(device["visits"]["totalCount"], json!(till.done.len()), "shop {name}");
        assert_eq!(device["completions"]["totalCount"], json!(till.completed), "shop {name}");
        assert_eq!(device["historyIntegrity"], json!({"isIntact": true, "problem": null}), "shop {name}");
    }
}

#[tokio::test]
async fn real_shops_are_cleaned_when_their_tills_say_so() {
    let Some(shops) = Shop::all() else {
        eprintln!("skipped: {} is absent", shops::PATH);
        return;
    };
    let app = TestApp::start_at(&evening(IMPORTED).to_rfc3339()).await;
    // The model of the tests believes 20,000 a day.
    assert!(shops.iter().all(|s| s.busiest_day() < 20_000));
    let model = app.model().await;
    let mut tills = Vec::new();
    for shop in shops {
        tills.push(Till::register(&app, &model, shop).await);
    }
    import(&app, &tills, IMPORTED).await;
    let technician = app.technician("Rosa Quishpe").await;
    let plan = app.plan_usage_or_days("CLEAN", EVERY as f64, "P90D").await;
    // Every second shop was cleaned in June, before there was an order.
    for till in tills.iter_mut().step_by(2) {
        let day = IMPORTED - Days::new(1 + luck(till.shop.series, 1) % 20);
        let names = ("planIds", plan.clone());
        let work = Work { performed_at: work_time(day), told_on: IMPORTED, names, is_told_twice: false };
        till.tell(&app, &technician, work, None).await;
    }
    app.run_planner().await;
    check_upcoming(&app, &tills, IMPORTED).await;

    let mut ways = [0; 6];
    for n in 1..=DAYS {
        let today = IMPORTED + Days::new(n);
        app.clock.set(evening(today));
        let read = |till: &Till| till.shop.reading(today);
        let readings: Vec<(&str, &str, f64, String)> = tills
            .iter()
            .filter_map(|t| {
                read(t).map(|(at, total)| (t.device.as_str(), "TRANSACTIONS", total as f64, at.to_rfc3339()))
            })
            .collect();
        let count = readings.len();
        assert_eq!(app.read_many(readings).await["acceptedCount"], json!(count), "{today}");
        app.run_planner().await;
        let open = open_orders(&app).await;
        for till in &mut tills {
            let order = open.get(&till.device);
            if let Some(order) = order.filter(|o| o.due_on <= today && till.waiting.is_empty()) {
                ways[till.decide(order, &plan, today)] += 1;
            }
            // One piece of work an evening, so that what is open is known.
            if till.waiting.front().is_some_and(|work| work.told_on == today)
                && let Some(work) = till.waiting.pop_front()
            {
                till.tell(&app, &technician, work, order).await;
            }
        }
    }
    assert!(ways.iter().all(|count| *count > 10), "{ways:?}");

    let today = IMPORTED + Days::new(DAYS);
    app.clock.advance(TimeDelta::minutes(5));
    app.run_planner().await;
    open_orders(&app).await;
    check_tills(&app, &tills, today).await;
    let again = app.run_planner_in_full().await;
    assert_eq!(again["itemsWritten"], 0, "with the same facts and now: {again:#}");
}
