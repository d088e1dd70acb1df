//! What lists and readings cost in SQL statements: the same for few rows and for many.

use crate::support::builders::MAKER;
use crate::support::{TestApp, at};
use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::fmt::Debug;
use tillkeep::kernel::ids::{DeviceModelId, MerchantId};
use tillkeep::registry::service::{InstallDevice, NewMerchant, NewPosition, NewSite, RegisterDevice};

const INSTALLED: &str = "2026-05-04T02:00:00Z";

const UPCOMING: &str = r#"query($first: Int) {
    upcomingMaintenance(dueBefore: "2027-01-01T00:00:00Z", first: $first) {
        nodes {
            id dueAt windowStart windowEnd isOverdue estimatedMinutes
            device { serialNumber model { name } }
            site { name merchant { name } }
            plan { code }
            item { cycle }
            workOrder { number assignee { name } }
            explanation { summary }
        }
        pageInfo { hasNextPage endCursor }
    }
}"#;
const ORDERS: &str = "query($first: Int) {
    workOrders(first: $first) {
        nodes {
            number state dueAt
            device { serialNumber model { name } }
            site { name merchant { name } }
            position { name terminalNumber }
            plan { code }
            item { cycle openWorkOrder { number } }
            assignee { name }
            explanation { summary }
        }
        pageInfo { hasNextPage endCursor }
    }
}";
const DEVICES: &str = r#"query($first: Int) {
    devices(first: $first) {
        nodes {
            serialNumber terminalNumber
            model { name meters { code } }
            site { name }
            merchant { name }
            position { name }
            components { kind }
            meters { code name { en } lifeCounter }
            usagePattern(meter: "TRANSACTIONS") { dailyRate }
            maintenanceItems { dueAt plan { code } openWorkOrder { number } explanation { summary } }
        }
        pageInfo { hasNextPage endCursor }
    }
}"#;

const DEVICES_AS_OF: &str = r#"query($first: Int) {
    devices(first: $first, asOf: "2026-07-24T00:00:00Z") {
        nodes {
            serialNumber status terminalNumber installedAt
            model { name } site { name } merchant { name } position { name } components { kind }
        }
        pageInfo { hasNextPage endCursor }
    }
}"#;
const SEARCH: &str = "query($text: String!, $first: Int) {
    search(text: $text, first: $first) {
        nodes {
            rank
            node {
                ... on Device { serialNumber model { name } site { name merchant { name } } }
                ... on Site { name merchant { name } }
                ... on Position { name site { name } }
            }
        }
    }
}";

fn all<T, E: Debug>(rows: Result<Vec<Result<T, E>>, E>) -> Vec<T> {
    rows.unwrap().into_iter().map(Result::unwrap).collect()
}

fn new_site(merchant_id: MerchantId, name: String) -> NewSite {
    NewSite {
        merchant_id,
        name,
        address: None,
        region_code: None,
        latitude: None,
        longitude: None,
        coordinate_system: None,
        time_zone: "Asia/Shanghai".to_owned(),
        opening_hours: vec![],
        closed_days: vec![],
        observes_holidays: false,
        country: None,
        environment: None,
        contact: None,
    }
}

/// So many devices, each at a merchant, site and position of its own; their ids.
pub async fn fleet(app: &TestApp, count: usize) -> Vec<String> {
    let model_id = DeviceModelId::parse_global(&app.model().await).unwrap();
    let registry = &app.app.registry;
    let call = app.app.system_call("fleet");
    let new: Vec<NewMerchant> =
        (0..count).map(|n| NewMerchant { name: format!("Merchant {n}"), merchant_number: None }).collect();
    let merchants = all(registry.create_merchants(&call, &new).await);
    let new: Vec<NewSite> = (0..).zip(merchants).map(|(n, made)| new_site(made.id, format!("Site {n}"))).collect();
    let sites = all(registry.create_sites(&call, &new).await);
    let new: Vec<NewPosition> = (0..)
        .zip(sites)
        .map(|(n, made)| NewPosition {
            site_id: made.id,
            name: "Counter".to_owned(),
            terminal_number: Some(format!("T{n}")),
        })
        .collect();
    let positions = all(registry.import_positions(&call, &new).await);
    let new: Vec<RegisterDevice> = (0..count)
        .map(|n| RegisterDevice {
            manufacturer: MAKER.to_owned(),
            model_id,
            serial_number: format!("F{n}"),
            asset_tag: None,
            status: None,
            firmware_version: None,
            external_ids: vec![],
        })
        .collect();
    let devices = all(registry.register_devices(&call, &new).await);
    let new: Vec<InstallDevice> = devices
        .iter()
        .zip(positions)
        .map(|(device, position)| InstallDevice {
            device_id: device.device_id,
            position_id: position.id,
            installed_at: at(INSTALLED),
            expected_version: None,
            is_in_service: true,
        })
        .collect();
    all(registry.install_devices(&call, &new).await);
    devices.into_iter().map(|device| device.device_id.global()).collect()
}

/// Takes one reading of each device in, and answers what that cost.
pub async fn read_all(app: &TestApp, devices: &[String], value: f64, read_at: &str) -> u64 {
    let readings = devices.iter().map(|d| (d.as_str(), "TRANSACTIONS", value, read_at.to_owned())).collect();
    let before = app.db().statement_count();
    let payload = app.read_many(readings).await;
    let cost = app.db().statement_count() - before;
    assert_eq!(payload["acceptedCount"], json!(devices.len()), "{payload:#}");
    cost
}

/// Whether nothing is missing, but for fields of a name.
fn is_whole(value: &Value, but: &str) -> bool {
    match value {
        Value::Null => false,
        Value::Array(rows) => !rows.is_empty() && rows.iter().all(|row| is_whole(row, but)),
        Value::Object(fields) => fields.iter().all(|(name, field)| name == but || is_whole(field, but)),
        _ => true,
    }
}

/// A page of 5, of 50 and of 500 rows costs the same; the pages are full, and so are their rows, but
/// for fields of a name.
async fn costs_the_same(app: &TestApp, list: &str, query: &str, but: &str) {
    let mut costs = Vec::new();
    for first in [5, 50, 500] {
        let before = app.db().statement_count();
        let data = app.gql(query, json!({"first": first})).await;
        costs.push(app.db().statement_count() - before);
        let page = &data[list];
        assert_eq!(page["nodes"].as_array().map(Vec::len), Some(first), "{list}");
        assert_eq!(page["pageInfo"]["hasNextPage"], true, "{list}");
        assert!(is_whole(page, but), "{list}: {:#}", page["nodes"][0]);
    }
    assert!(costs.iter().all(|cost| *cost == costs[0] && *cost > 0), "{list} of 5, 50 and 500 rows: {costs:?}");
}

#[tokio::test]
async fn lists_of_5_50_and_500_rows_cost_the_same_number_of_statements() {
    const COUNT: usize = 610;
    let app = TestApp::start_at(INSTALLED).await;
    let devices = fleet(&app, COUNT).await;
    app.plan_usage_or_days("CLEAN", 5_000.0, "P90D").await;
    app.technician("Li Wei").await;
    app.set_clock("2026-05-06T02:00:00Z");
    read_all(&app, &devices, 30.0, "2026-05-05T15:00:00Z").await;
    let run = app.run_planner().await;
    assert_eq!((&run["itemsWritten"], &run["ordersIssued"]), (&json!(COUNT), &json!(0)), "{run:#}");
    costs_the_same(&app, "upcomingMaintenance", UPCOMING, "workOrder").await;

    // Two weeks before 2 August the orders are issued, and somebody takes them all.
    app.set_clock("2026-07-25T02:00:00Z");
    let run = app.run_planner().await;
    assert_eq!(run["ordersIssued"], json!(COUNT), "{run:#}");
    let assign = "update work_order set assignee_id = (select id from technician)";
    app.db().reader().execute_unprepared(assign).await.unwrap();
    costs_the_same(&app, "upcomingMaintenance", UPCOMING, "").await;
    costs_the_same(&app, "workOrders", ORDERS, "").await;
    costs_the_same(&app, "devices", DEVICES, "").await;
    costs_the_same(&app, "devices", DEVICES_AS_OF, "").await;
}

#[tokio::test]
async fn a_search_costs_the_same_for_few_answers_and_for_many() {
    let app = TestApp::start_at(INSTALLED).await;
    fleet(&app, 120).await;
    let mut costs = Vec::new();
    for (text, first) in [("F11", 5), ("F1", 500), ("Merchant 1", 500), ("Site", 50), ("T1", 500)] {
        let before = app.db().statement_count();
        let data = app.gql(SEARCH, json!({"text": text, "first": first})).await;
        costs.push(app.db().statement_count() - before);
        assert!(data["search"]["nodes"].as_array().is_some_and(|rows| rows.len() >= 5), "{text}: {data:#}");
    }
    // One more for each kind of thing that is found, none for each thing.
    let (least, most) = (costs.iter().min(), costs.iter().max());
    assert!(most.zip(least).is_some_and(|(most, least)| *most <= least + 8), "{costs:?}");
}

#[tokio::test]
async fn a_reading_costs_no_statement_of_its_own() {
    let app = TestApp::start_at(INSTALLED).await;
    let devices = fleet(&app, 500).await;
    app.clock.advance(TimeDelta::days(3));
    read_all(&app, &devices, 10.0, "2026-05-04T15:00:00Z").await;
    let of_50 = read_all(&app, &devices[..50], 30.0, "2026-05-05T15:00:00Z").await;
    let of_500 = read_all(&app, &devices, 40.0, "2026-05-06T15:00:00Z").await;
    assert!(of_500 <= of_50 + 5, "50 readings cost {of_50} statements, 500 cost {of_500}");

    // Late ones are folded again with what came after them, two hundred devices at a time.
    let of_50 = read_all(&app, &devices[..50], 20.0, "2026-05-05T03:00:00Z").await;
    let of_500 = read_all(&app, &devices, 20.0, "2026-05-05T04:00:00Z").await;
    assert!(of_500 <= 3 * of_50 + 5, "50 late readings cost {of_50} statements, 500 cost {of_500}");
}

#[tokio::test]
async fn a_report_of_5_50_and_500_devices_costs_the_same_number_of_statements() {
    const REPORT: &str = r#"{
        fleetReport(periodStart: "2026-05-01T00:00:00Z", periodEnd: "2026-09-01T00:00:00Z", groupBy: SITE) {
            groupCount
            total { due open failures { counted } mtbfHours { deviceHours } forecastError { count } }
            groups { label figures { due pmCompliance { value } } }
            byModelAndHorizon { model { name } fromDays toDays forecastError { count medianAbsoluteDays } }
        }
    }"#;
    let mut costs = Vec::new();
    for count in [5, 50, 500] {
        let app = TestApp::start_at(INSTALLED).await;
        let devices = fleet(&app, count).await;
        app.plan_usage_or_days("CLEAN", 900.0, "P365D").await;
        app.set_clock("2026-06-25T02:00:00Z");
        app.run_planner().await;
        app.set_clock("2026-07-25T02:00:00Z");
        read_all(&app, &devices, 0.0, "2026-05-05T02:00:00Z").await;
        read_all(&app, &devices, 1_000.0, "2026-07-24T02:00:00Z").await;
        let before = app.db().statement_count();
        let data = app.gql(REPORT, json!({})).await;
        costs.push(app.db().statement_count() - before);
        let report = &data["fleetReport"];
        assert_eq!(report["groupCount"], json!(count), "each at a site of its own");
        assert_eq!(report["total"]["due"], json!(count), "{:#}", report["total"]);
        assert_eq!(report["total"]["forecastError"]["count"], json!(count), "{:#}", report["total"]);
        let groups = &report["byModelAndHorizon"];
        assert_eq!(groups[0]["forecastError"]["count"], json!(count), "one model, one day: {groups:#}");
    }
    assert!(costs.iter().all(|cost| *cost == costs[0] && *cost > 0), "5, 50 and 500 devices: {costs:?}");
}
