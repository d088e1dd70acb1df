//! Work that measures ask for. Times are hours after the test begins, at 10:00 on Monday, 4 May, in
//! Shanghai: hour 14 is midnight, hour 24 is 10:00 on the 5th.

mod fleet;
mod measures;
mod work;

use super::*;
use crate::bad_input::world::with;
use crate::support::at;
use crate::support::builders::MAKER;
use chrono::{DateTime, TimeDelta, Utc};

/// Meters of the watched model, and the most that is believed of each in a day.
const METERS: [(&str, u32); 13] = [
    ("TRANSACTIONS", 20_000),
    ("TRANSACTION_TIMEOUTS", 20_000),
    ("MSR_READS", 20_000),
    ("MSR_ERRORS", 20_000),
    ("PRINT_METERS", 500),
    ("BATTERY_CYCLES", 20),
    ("UNPLANNED_REBOOTS", 200),
    ("TOUCH_CALIBRATIONS", 50),
    ("BATTERY_HEALTH", 100),
    ("SUPPLY_VOLTAGE", 100),
    ("FLASH_FREE", 100),
    ("TEMPERATURE", 100),
    ("HUMIDITY", 100),
];

/// A moment of the test.
fn hour(n: i64) -> DateTime<Utc> {
    at(START) + TimeDelta::hours(n)
}

/// When a civil day begins in Shanghai.
fn civil(date: &str) -> DateTime<Utc> {
    at(&format!("{date}T00:00:00+08:00"))
}

/// When something is due; none while it is not.
fn due(item: &Value) -> Option<DateTime<Utc>> {
    item["dueAt"].as_str().map(at)
}

/// The latest value of a gauge.
fn gauge(meter: &str) -> Value {
    json!({"gauge": {"meter": meter}})
}

/// What a counter grew in so many days.
fn delta(meter: &str, days: u32) -> Value {
    json!({"delta": {"meter": meter, "windowDays": days}})
}

/// Magstripe errors per read over a week.
fn error_ratio() -> Value {
    json!({"ratio": {"numerator": "MSR_ERRORS", "denominator": "MSR_READS", "windowDays": 7}})
}

fn clause(measure: Value, operator: &str, limit: f64) -> Value {
    json!({"measure": measure, "operator": operator, "limit": {"value": limit}})
}

/// A battery below 70 %; it is clear again at 75 %.
fn weak_battery() -> Value {
    with(clause(gauge("BATTERY_HEALTH"), "BELOW", 70.0), "clearAt", json!(75.0))
}

/// Clauses that must all hold for so many hours.
fn held(hours: u32, clauses: &[Value]) -> Value {
    json!({"condition": {"clauses": clauses, "holdHours": hours}})
}

/// A server with a site, a technician, and a model that has every meter; its battery is rated for
/// 500 cycles.
struct Field {
    app: TestApp,
    model: String,
    site: String,
    technician: String,
}

impl Field {
    async fn new() -> Self {
        let app = TestApp::start_at(START).await;
        app.meters(&METERS.map(|(code, _)| code)).await;
        let meter = |(code, most): (&str, u32)| {
            let rated = (code == "BATTERY_CYCLES").then_some(500);
            json!({"code": code, "maxPerDay": most, "planningPerDay": 0, "ratedLife": rated})
        };
        let input = json!({
            "manufacturer": MAKER,
            "name": "HX-W",
            "meters": METERS.map(meter),
            "components": [{"kind": "BATTERY", "replaceableAt": "FIELD", "ratedMeter": "BATTERY_CYCLES"}],
        });
        let made = app.mutate("createDeviceModel", "deviceModel { id }", input).await;
        let model = text(&made["deviceModel"]["id"]);
        let site = site_with(&app, json!({})).await;
        let technician = app.technician("Li Wei").await;
        Self { app, model, site, technician }
    }

    /// A device at the site, installed when the test begins.
    async fn device(&self, serial: &str) -> String {
        self.device_at(&self.site, serial).await
    }

    /// A device at another site.
    async fn device_at(&self, site: &str, serial: &str) -> String {
        let position = self.app.position(site, &format!("Lane of {serial}"), None).await;
        let device = self.app.device(&self.model, serial).await;
        self.app.install(&device, &position, START).await;
        device
    }

    /// Puts the clock to so many hours after the test began.
    fn clock(&self, hours: i64) {
        self.app.clock.set(hour(hours));
    }

    /// Runs the planner so many hours after the test began.
    async fn plan_at(&self, hours: i64) -> Value {
        self.clock(hours);
        self.app.run_planner().await
    }

    /// Takes in readings of a meter: hours and values.
    async fn read(&self, device: &str, meter: &str, readings: &[(i64, f64)]) {
        let rows = readings.iter().map(|(n, value)| (device, meter, *value, hour(*n).to_rfc3339())).collect();
        let payload = self.app.read_many(rows).await;
        assert_eq!(payload["acceptedCount"], json!(readings.len()), "{meter}: {payload:#}");
    }

    async fn item(&self, device: &str, code: &str) -> Value {
        explained(&self.app, device, code).await
    }

    /// Logs work on a device at a moment; `line` says for which orders or plans.
    async fn work(&self, device: &str, hours: i64, line: Value) -> Value {
        let line = with(line, "deviceId", json!(device));
        self.app.log_visit(&self.site, &self.technician, &hour(hours).to_rfc3339(), vec![line]).await
    }

    /// Does the work of the order that is open for an item.
    async fn do_open(&self, device: &str, code: &str, hours: i64) {
        let order = open_order(&self.app, device, code).await;
        let logged = self.work(device, hours, json!({"workOrderIds": [order]})).await;
        assert_eq!(logged["results"][0]["code"], "COMPLETED", "{logged:#}");
    }

    /// Kinds and states of a device's orders, by due date.
    async fn orders(&self, device: &str) -> Vec<(String, String)> {
        let query = "query($id: ID!) { device(id: $id) { workOrders { nodes { kind state } } } }";
        let data = self.app.gql(query, json!({"id": device})).await;
        let nodes = data["device"]["workOrders"]["nodes"].as_array().expect("a device");
        nodes.iter().map(|o| (text(&o["kind"]), text(&o["state"]))).collect()
    }
}

/// The item is due by its measures since the day that began then, and has a PLANNED order of a kind
/// for that day.
fn is_due(item: &Value, date: &str, kind: &str) {
    assert_eq!(due(item), Some(civil(date)), "{item:#}");
    assert_eq!(item["explanation"]["trigger"], "CONDITION");
    let candidates = item["explanation"]["candidates"].as_array().expect("candidates");
    assert!(candidates.iter().all(|c| c["trigger"] == "CONDITION"), "{item:#}");
    assert!(candidates.iter().any(|c| c["dueAt"] == item["dueAt"]), "{item:#}");
    let order = &item["openWorkOrder"];
    assert_eq!((&order["kind"], &order["state"], due(order)), (&json!(kind), &json!("PLANNED"), due(item)), "{item:#}");
    says(item, &format!("Due {date}: "), &format!("{date}到期："));
}

/// Nothing is due by the item's measures, and nothing is ordered.
fn is_at_rest(item: &Value) {
    assert_eq!((due(item), &item["openWorkOrder"]), (None, &Value::Null), "{item:#}");
    assert_eq!(item["explanation"]["candidates"][0]["trigger"], "CONDITION");
}
