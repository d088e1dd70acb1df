//! Plans, due dates, orders and the planner. Unless a test says otherwise it begins at 10:00 on
//! Monday, 4 May 2026, at sites in Shanghai, where a day begins at 16:00 UTC the day before.

mod conditions;
mod coverage;
mod due;
mod events;
mod firmware;
mod foresight;
mod law;
mod lifecycle;
mod lists;
mod occurrences;
mod orders;
mod season;

use crate::support::{TestApp, text};
use serde_json::{Value, json};

/// When tests begin and their devices are installed.
pub const START: &str = "2026-05-04T02:00:00Z";

const ITEM: &str = "
    id version cycle lastDoneAt dueAt windowStart windowEnd
    plan { code }
    openWorkOrder { id state dueAt }
    explanation {
        trigger
        summary(language: EN)
        candidates {
            trigger dueAt
            basis { lifeAtLastDone lifeNow unitsLeft unitsPerDay lastReadingAt source crossedAt }
        }
        adjustments { kind from to reason }
    }";

const EXPLAINED: &str = "
    id cycle lastDoneAt dueAt windowStart windowEnd
    plan { code }
    openWorkOrder { id kind state dueAt }
    explanation {
        trigger
        en: summary(language: EN)
        zh: summary(language: ZH)
        candidates {
            trigger dueAt
            condition { clauses { value limit sample isBeyond } lookedAt since isRepeat }
            firmware { installed target nextVersion slotStart slotEnd quietBasis waits { gate percent value } isBlocked }
        }
        adjustments { kind from to reason }
    }";

const ORDER: &str = "
    id number state priority dueAt windowStart windowEnd isOverdue scheduledFor closeReason performedAt
    plan { code }
    steps { text { en } }
    explanation { adjustments { kind from to reason } }";

/// A trigger by cron.
pub fn grid(cron: &str) -> Value {
    json!({"calendarFixed": {"cron": cron}})
}

/// A trigger by time since last done.
pub fn floating(every: &str) -> Value {
    json!({"calendarFloating": {"every": every}})
}

/// A trigger by TRANSACTIONS since last done; without readings they are 15 a day.
pub fn usage(units: u32) -> Value {
    json!({"usage": {"meter": "TRANSACTIONS", "every": units}})
}

fn merge(input: &mut Value, more: Value) {
    for (field, value) in more.as_object().into_iter().flatten() {
        input[field.as_str()] = value.clone();
    }
}

/// A cleaning plan for everything: a week early or late is on time, orders come two weeks ahead;
/// `more` says what is different.
pub async fn make_plan(app: &TestApp, code: &str, triggers: &[Value], more: Value) -> String {
    // The meter comes with the model.
    app.model().await;
    let mut input = json!({
        "code": code,
        "name": {"en": "Cleaning"},
        "kind": "CLEANING",
        "subject": "DEVICE",
        "channel": "FIELD",
        "selector": {"everything": true},
        "triggers": triggers,
        "earlyDays": 7,
        "lateDays": 7,
        "leadDays": 14,
        "estimatedMinutes": 20,
        "priority": "NORMAL",
        "steps": [{"text": {"en": "Clean the card readers"}, "isRequired": false}],
    });
    merge(&mut input, more);
    let payload = app.mutate("createMaintenancePlan", "maintenancePlan { id }", input).await;
    text(&payload["maintenancePlan"]["id"])
}

/// A site in Shanghai, never closed; `more` says what is different.
pub async fn site_with(app: &TestApp, more: Value) -> String {
    let merchant = app.merchant("Chain").await;
    let mut input = json!({"merchantId": merchant, "name": "Shop", "timeZone": "Asia/Shanghai"});
    merge(&mut input, more);
    let payload = app.mutate("createSite", "site { id }", input).await;
    text(&payload["site"]["id"])
}

/// A device installed at a position of its own.
pub async fn device_at(app: &TestApp, site: &str, serial: &str, installed_at: &str) -> String {
    let model = app.model().await;
    let position = app.position(site, &format!("Lane of {serial}"), None).await;
    let device = app.device(&model, serial).await;
    app.install(&device, &position, installed_at).await;
    device
}

/// Devices HX0, HX1 and so on, installed at one site when the test begins.
pub async fn devices_at<const N: usize>(app: &TestApp, site: &str) -> [String; N] {
    let mut devices = Vec::new();
    for n in 0..N {
        devices.push(device_at(app, site, &format!("HX{n}"), START).await);
    }
    devices.try_into().expect("as many as asked for")
}

/// The items of a device or site.
pub async fn items(app: &TestApp, subject: &str) -> Vec<Value> {
    let query = format!(
        "query($id: ID!) {{ node(id: $id) {{
            ... on Device {{ maintenanceItems {{ {ITEM} }} }}
            ... on Site {{ maintenanceItems {{ {ITEM} }} }}
        }} }}"
    );
    let data = app.gql(&query, json!({"id": subject})).await;
    data["node"]["maintenanceItems"].as_array().expect("a device or site").clone()
}

/// The item of a device or site under the plan with a code.
pub async fn item(app: &TestApp, subject: &str, code: &str) -> Value {
    let found = items(app, subject).await.into_iter().find(|i| i["plan"]["code"] == code);
    found.unwrap_or_else(|| panic!("no item of {code}"))
}

/// The item of a device under the plan with a code, with what its measures and its firmware say, and
/// the sentence in both languages.
pub async fn explained(app: &TestApp, device: &str, code: &str) -> Value {
    let query = format!("query($id: ID!) {{ device(id: $id) {{ maintenanceItems {{ {EXPLAINED} }} }} }}");
    let data = app.gql(&query, json!({"id": device})).await;
    let items = data["device"]["maintenanceItems"].as_array().expect("a device");
    items.iter().find(|i| i["plan"]["code"] == code).unwrap_or_else(|| panic!("no item of {code}")).clone()
}

/// The sentence of an explained item holds these words, in both languages.
pub fn says(item: &Value, en: &str, zh: &str) {
    for (language, words) in [("en", en), ("zh", zh)] {
        let said = text(&item["explanation"][language]);
        assert!(said.contains(words), "no \"{words}\" in: {said}");
    }
}

/// The law: planning everything again with the same facts and the same now writes nothing.
pub async fn settled(app: &TestApp) {
    let again = app.run_planner_in_full().await;
    let counts = ["itemsWritten", "ordersIssued", "ordersMoved", "ordersWithdrawn", "slotsMissed"];
    assert_eq!(counts.map(|count| again[count].as_i64()), [Some(0); 5], "{again:#}");
}

/// The orders of a device, by due date.
pub async fn orders(app: &TestApp, device: &str) -> Vec<Value> {
    let query = format!("query($id: ID!) {{ device(id: $id) {{ workOrders {{ nodes {{ {ORDER} }} }} }} }}");
    let data = app.gql(&query, json!({"id": device})).await;
    data["device"]["workOrders"]["nodes"].as_array().expect("a device").clone()
}

/// One order.
pub async fn order(app: &TestApp, id: &str) -> Value {
    let query = format!("query($id: ID!) {{ workOrder(id: $id) {{ {ORDER} }} }}");
    app.gql(&query, json!({"id": id})).await["workOrder"].take()
}

/// The id of the order that is open for an item.
pub async fn open_order(app: &TestApp, subject: &str, code: &str) -> String {
    text(&item(app, subject, code).await["openWorkOrder"]["id"])
}

/// What a device file was told, oldest first.
pub async fn told(app: &TestApp, device: &str, kinds: &[&str]) -> Vec<Value> {
    let query = "query($id: ID!, $kinds: [HistoryEventKind!]) { device(id: $id) {
        history(kinds: $kinds, first: 500) { nodes { kind occurredAt payload } }
    } }";
    let data = app.gql(query, json!({"id": device, "kinds": kinds})).await;
    data["device"]["history"]["nodes"].as_array().expect("a device").clone()
}

/// Events in a device file.
pub async fn file_length(app: &TestApp, device: &str) -> u64 {
    let query = "query($id: ID!) { device(id: $id) { historyIntegrity { isIntact eventCount } } }";
    let data = app.gql(query, json!({"id": device})).await;
    let found = &data["device"]["historyIntegrity"];
    assert_eq!(found["isIntact"], true, "{found:#}");
    found["eventCount"].as_u64().expect("a count")
}

/// Gives an order a date.
pub async fn schedule(app: &TestApp, order: &str, scheduled_for: &str) {
    let input = json!({"workOrderId": order, "scheduledFor": scheduled_for});
    app.mutate("scheduleWorkOrder", "", input).await;
}

/// Moves an order to a state; `more` says why, and whether it is to be issued again.
pub async fn change_state(app: &TestApp, order: &str, state: &str, more: Value) {
    let mut input = json!({"workOrderId": order, "state": state});
    merge(&mut input, more);
    app.mutate("changeWorkOrderState", "", input).await;
}

/// Changes a device's status now.
pub async fn change_status(app: &TestApp, device: &str, status: &str) {
    app.mutate("changeDeviceStatus", "", json!({"deviceId": device, "status": status})).await;
}
