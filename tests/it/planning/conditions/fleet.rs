//! Many devices at once: what is not theirs outlives nothing, and they cost no statements each.

use super::*;
use crate::support::only;

const DEVICES: usize = 30;

/// Readings of every device at an hour: transactions, and how many of them timed out.
async fn read_all(field: &Field, devices: &[String], readings: &[(i64, f64, f64)]) {
    let mut rows = Vec::new();
    for device in devices {
        for (n, all, timed_out) in readings {
            for (meter, value) in [("TRANSACTIONS", *all), ("TRANSACTION_TIMEOUTS", *timed_out)] {
                rows.push((device.as_str(), meter, value, hour(*n).to_rfc3339()));
            }
        }
    }
    let count = rows.len();
    let payload = field.app.read_many(rows).await;
    assert_eq!(payload["acceptedCount"], json!(count), "{:#}", payload["rejected"]);
}

/// 90 transactions every three hours; from hour 24 to 33 the host is out, and 80 of them time out.
fn outage(hours: std::ops::RangeInclusive<i64>) -> Vec<(i64, f64, f64)> {
    let threes = hours.filter(|n| n % 3 == 0);
    threes.map(|n| (n, 30.0 * n as f64, 80.0 * ((n - 24) / 3).clamp(0, 3) as f64)).collect()
}

#[tokio::test]
async fn a_burst_of_errors_at_a_hosts_outage_opens_no_device_orders_that_outlive_it() {
    let field = Field::new().await;
    let mut devices = Vec::new();
    for n in 0..DEVICES {
        devices.push(field.device(&format!("HX{n}")).await);
    }
    let measure = json!({"ratio": {
        "numerator": "TRANSACTION_TIMEOUTS", "denominator": "TRANSACTIONS", "windowDays": 1,
    }});
    let failing = with(clause(measure, "ABOVE", 0.2), "clearAt", json!(0.05));
    let failing = with(failing, "minSample", json!(20));
    make_plan(&field.app, "COMMS", &[held(2, &[failing])], json!({"kind": "COMMS_CHECK"})).await;

    // 160 of 720 at hour 30 are more than a fifth; two hours later all 30 devices are due.
    field.clock(33);
    read_all(&field, &devices, &outage(0..=33)).await;
    assert_eq!(field.app.run_planner().await["ordersIssued"], json!(DEVICES));
    let item = field.item(&devices[7], "COMMS").await;
    is_due(&item, "2026-05-05", "COMMS_CHECK");
    says(
        &item,
        "transactions that timed out 33.3 % of transactions over 1 day (limit 20 %)",
        "1天内交易超时次数占交易笔数的33.3%（限值20%）",
    );
    settled(&field.app).await;
    // For one of them somebody is on the way.
    let on_the_way = open_order(&field.app, &devices[0], "COMMS").await;
    schedule(&field.app, &on_the_way, "2026-05-07T02:00:00Z").await;

    // The host is back since hour 33. A day later the window holds none of its errors.
    field.clock(57);
    read_all(&field, &devices, &outage(34..=57)).await;
    let run = field.app.run_planner().await;
    assert_eq!((&run["ordersIssued"], &run["ordersWithdrawn"]), (&json!(0), &json!(DEVICES - 1)), "{run:#}");
    for device in &devices[1..] {
        assert_eq!(field.orders(device).await, [("COMMS_CHECK".to_owned(), "CANCELLED".to_owned())]);
    }
    is_at_rest(&field.item(&devices[1], "COMMS").await);
    // What was scheduled stays, for a person to decide.
    let item = field.item(&devices[0], "COMMS").await;
    assert_eq!(
        (&item["openWorkOrder"]["id"], &item["openWorkOrder"]["state"]),
        (&json!(on_the_way), &json!("SCHEDULED"))
    );
    let query = r#"{ upcomingMaintenance(dueBefore: "2099-01-01T00:00:00Z") { nodes { workOrder { id } } } }"#;
    let data = field.app.gql(query, json!({})).await;
    assert_eq!(only(&data["upcomingMaintenance"]["nodes"])["workOrder"]["id"], json!(on_the_way));
    settled(&field.app).await;
    // Nor do they come back.
    let run = field.plan_at(400).await;
    assert_eq!(run["ordersIssued"], 0, "{run:#}");
}

/// Statements of a planner run.
async fn cost(field: &Field, is_full: bool) -> u64 {
    let before = field.app.db().statement_count();
    let run = if is_full { field.app.run_planner_in_full().await } else { field.app.run_planner().await };
    let cost = field.app.db().statement_count() - before;
    assert_eq!(run["itemsWritten"] == 0, is_full, "{run:#}");
    cost
}

#[tokio::test]
async fn measures_events_and_firmware_cost_the_same_statements_for_few_devices_and_for_many() {
    let field = Field::new().await;
    let app = &field.app;
    let baseline = json!({"ratioToBaseline": {
        "numerator": "MSR_ERRORS", "denominator": "MSR_READS", "windowDays": 30, "baselineDays": 90,
    }});
    let aged = clause(json!({"attributeAge": {"attribute": "FIRMWARE_REPORTED_AT"}}), "AT_LEAST", 90.0);
    let busy = json!({"minPerDay": {"meter": "TRANSACTIONS", "atLeast": 1}});
    let firmware = json!({"firmware": {"notAtTarget": true}});
    let moved = json!({"event": {"event": "AFTER_RELOCATION"}});
    let idle = json!({"event": {"event": "AFTER_INACTIVITY", "inactiveDays": 30}});
    for (code, trigger) in [
        ("WEAK", held(0, &[weak_battery()])),
        ("DIRTY", with(held(0, &[clause(error_ratio(), "ABOVE", 0.03)]), "condition.guard", busy)),
        ("WORSE", held(0, &[clause(baseline, "ABOVE", 2.0)])),
        ("SILENT", held(0, &[clause(json!({"silence": {"anyMeter": true}}), "ABOVE", 4.0)])),
        ("AGED", held(0, &[aged])),
        ("UPDATE", firmware),
        ("MOVED", moved),
        ("IDLE", idle),
    ] {
        make_plan(app, code, &[trigger], json!({})).await;
    }
    let release = crate::bad_input::world::release(app, &field.model, "3.10.0", None).await;
    app.mutate("setFirmwareTarget", "", json!({"modelId": field.model, "releaseId": release})).await;

    let (mut first, mut again) = (Vec::new(), Vec::new());
    for (count, hours) in [(4, 50), (26, 60)] {
        field.clock(hours);
        for n in 0..count {
            let device = field.device(&format!("D{count}-{n}")).await;
            for (meter, values) in [
                ("TRANSACTIONS", [0.0, 50.0]),
                ("MSR_READS", [0.0, 500.0]),
                ("MSR_ERRORS", [0.0, 50.0]),
                ("BATTERY_HEALTH", [60.0, 60.0]),
            ] {
                field.read(&device, meter, &[(1, values[0]), (40, values[1])]).await;
            }
        }
        first.push(cost(&field, false).await);
        again.push(cost(&field, true).await);
    }
    assert_eq!(again[0], again[1], "of 4 and of 30 devices");
    assert!(first[1] <= first[0] + 5, "4 new devices cost {} statements, 26 cost {}", first[0], first[1]);
    let item = field.item(&text(&devices_of(app).await[29]["id"]), "DIRTY").await;
    is_due(&item, "2026-05-06", "CLEANING");
}

async fn devices_of(app: &TestApp) -> Vec<Value> {
    let data = app.gql("{ devices(first: 100) { nodes { id } } }", json!({})).await;
    data["devices"]["nodes"].as_array().expect("a list").clone()
}
