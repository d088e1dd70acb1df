//! The product from end to end: what every other test looks at one part of.

use crate::support::{Fielded, TestApp, at, instant, only, text};
use chrono::TimeDelta;
use serde_json::json;
use std::ops::RangeInclusive;

/// 10:00 on Monday, 4 May, at the site.
const INSTALLED: &str = "2026-05-04T02:00:00Z";

const UPCOMING: &str = r#"query($device: ID!) {
    upcomingMaintenance(dueBefore: "2026-08-01T00:00:00Z", filter: { deviceId: $device }) {
        nodes {
            dueAt windowStart windowEnd isOverdue
            forecast { p10 p50 p90 }
            workOrder { id }
            explanation {
                trigger
                en: summary(language: EN)
                zh: summary(language: ZH)
                candidates {
                    trigger dueAt
                    basis { meter every lifeAtLastDone lifeNow unitsLeft unitsPerDay lastReadingAt source crossedAt }
                }
            }
        }
    }
}"#;

/// Reads the counter at the midnights of the site, 0 being the end of the day of installation, as
/// they come: 1,050 at the first, 100 more at each one after.
async fn read_at_midnights(app: &TestApp, device: &str, midnights: RangeInclusive<i64>) {
    for n in midnights {
        let midnight = at("2026-05-04T16:00:00Z") + TimeDelta::days(n);
        app.clock.set(midnight + TimeDelta::minutes(5));
        app.read(device, "TRANSACTIONS", (1_050 + 100 * n) as f64, &midnight.to_rfc3339()).await;
    }
}

#[tokio::test]
async fn a_terminal_goes_from_registration_to_a_logged_visit_and_its_file_tells_it() {
    let app = TestApp::start_at(INSTALLED).await;
    let Fielded { device, site, .. } = app.fielded("HX10001", INSTALLED).await;
    let technician = app.technician("Li Wei").await;
    app.read(&device, "TRANSACTIONS", 1_000.0, INSTALLED).await;

    // Thirty full days, 5 May to 3 June.
    read_at_midnights(&app, &device, 0..=30).await;
    app.set_clock("2026-06-04T01:00:00Z");
    let plan = app.plan_usage_or_days("CLEAN", 5_000.0, "P90D").await;
    let run = app.run_planner().await;
    assert_eq!((&run["itemsWritten"], &run["ordersIssued"]), (&json!(1), &json!(0)), "{run:#}");

    // Of 5,000 since installation 3,050 are used; 1,950 at 100 a day are used up on the 20th day
    // after 3 June.
    let data = app.gql(UPCOMING, json!({"device": device})).await;
    let row = only(&data["upcomingMaintenance"]["nodes"]);
    assert_eq!(instant(&row["dueAt"]), at("2026-06-22T16:00:00Z"), "23 June begins");
    assert_eq!(instant(&row["windowStart"]), at("2026-06-15T16:00:00Z"), "16 June begins");
    assert_eq!(instant(&row["windowEnd"]), at("2026-06-30T15:59:59.999999Z"), "30 June ends");
    assert_eq!(row["isOverdue"], false);
    assert!(row["workOrder"].is_null(), "23 June is more than 14 days ahead: {row:#}");
    let forecast = &row["forecast"];
    assert_eq!(instant(&forecast["p50"]), at("2026-06-22T16:00:00Z"));
    assert!(instant(&forecast["p10"]) < instant(&forecast["p50"]), "{forecast:#}");
    assert!(instant(&forecast["p50"]) < instant(&forecast["p90"]), "{forecast:#}");

    let explanation = &row["explanation"];
    assert_eq!(explanation["trigger"], "USAGE");
    let (usage, days) = (&explanation["candidates"][0], &explanation["candidates"][1]);
    assert_eq!(days["trigger"], "CALENDAR_FLOATING");
    assert_eq!(instant(&days["dueAt"]), at("2026-08-01T16:00:00Z"), "90 days after 4 May, 2 August begins");
    let basis = &usage["basis"];
    assert_eq!(basis["meter"], "TRANSACTIONS");
    assert_eq!(basis["every"], 5_000.0);
    assert_eq!(basis["lifeAtLastDone"], 1_000.0);
    assert_eq!(basis["lifeNow"], 4_050.0);
    assert_eq!(basis["unitsLeft"], 1_950.0);
    assert_eq!(basis["unitsPerDay"], 100.0);
    assert_eq!(instant(&basis["lastReadingAt"]), at("2026-06-03T16:00:00Z"));
    assert_eq!(basis["source"], "DEVICE");
    assert!(basis["crossedAt"].is_null());
    let (en, zh) = (text(&explanation["en"]), text(&explanation["zh"]));
    for part in ["2026-06-23", "1,950 of 5,000 transactions left", "100 a day", "last reading 2026-06-04"] {
        assert!(en.contains(part), "no \"{part}\" in: {en}");
    }
    for part in ["2026-06-23", "还剩1,950", "日均约100", "最近读数2026-06-04"] {
        assert!(zh.contains(part), "no \"{part}\" in: {zh}");
    }

    // The terminal goes on as before; 14 days before 23 June is 9 June.
    read_at_midnights(&app, &device, 31..=35).await;
    app.set_clock("2026-06-09T01:00:00Z");
    let run = app.run_planner().await;
    assert_eq!(run["ordersIssued"], 1, "{run:#}");
    let orders = "query($device: ID!) { workOrders(filter: { deviceId: $device }) {
        nodes { id number state dueAt plan { id } site { id } steps { text { zh } } }
    } }";
    let data = app.gql(orders, json!({"device": device})).await;
    let order = only(&data["workOrders"]["nodes"]);
    assert_eq!(order["number"], "WO-2026-000001");
    assert_eq!(order["state"], "PLANNED");
    assert_eq!(instant(&order["dueAt"]), at("2026-06-22T16:00:00Z"));
    assert_eq!((&order["plan"]["id"], &order["site"]["id"]), (&json!(plan), &json!(site)));
    assert_eq!(order["steps"], json!([{"text": {"zh": "清洁读卡器"}}]));
    let order = text(&order["id"]);
    let data = app.gql(UPCOMING, json!({"device": device})).await;
    assert_eq!(only(&data["upcomingMaintenance"]["nodes"])["workOrder"]["id"], order, "one row per item");

    // 10:00 on 20 June, within the band; the counter stood at 5,650 when the day began.
    read_at_midnights(&app, &device, 36..=46).await;
    app.set_clock("2026-06-20T03:00:00Z");
    let performed_at = "2026-06-20T02:00:00Z";
    let line = json!({"deviceId": device, "workOrderIds": [order]});
    let logged = app.log_visit(&site, &technician, performed_at, vec![line]).await;
    assert_eq!(logged["serviceVisit"]["number"], "SV-2026-000001");
    assert_eq!(logged["results"], json!([{"line": 0, "code": "COMPLETED", "workOrder": {"id": order}}]));

    let file = "query($device: ID!) { device(id: $device) {
        status terminalNumber
        maintenanceItems {
            cycle lastDoneAt dueAt openWorkOrder { id }
            explanation { candidates { dueAt basis { lifeAtLastDone unitsLeft } } }
        }
        workOrders { nodes { id state performedAt } }
        serviceVisits { nodes { number } }
        history { nodes { sequence kind occurredAt } }
        historyIntegrity { isIntact eventCount problem }
    } }";
    let data = app.gql(file, json!({"device": device})).await;
    let found = &data["device"];
    assert_eq!((&found["status"], &found["terminalNumber"]), (&json!("INSTALLED"), &json!("THX10001")));

    // 5,000 more at 100 a day are used up on the 50th day after 20 June; 90 days end on 18 September.
    let item = only(&found["maintenanceItems"]);
    assert_eq!(item["cycle"], 1);
    assert_eq!(instant(&item["lastDoneAt"]), at(performed_at));
    assert_eq!(instant(&item["dueAt"]), at("2026-08-08T16:00:00Z"), "9 August begins");
    assert!(item["openWorkOrder"].is_null(), "{item:#}");
    let candidates = &item["explanation"]["candidates"];
    assert_eq!(candidates[0]["basis"]["lifeAtLastDone"], 5_650.0);
    assert_eq!(candidates[0]["basis"]["unitsLeft"], 5_000.0);
    assert_eq!(instant(&candidates[1]["dueAt"]), at("2026-09-17T16:00:00Z"), "18 September begins");

    let done = only(&found["workOrders"]["nodes"]);
    assert_eq!((&done["id"], &done["state"]), (&json!(order), &json!("COMPLETED")));
    assert_eq!(instant(&done["performedAt"]), at(performed_at));
    assert_eq!(found["serviceVisits"]["nodes"], json!([{"number": "SV-2026-000001"}]));

    let events: Vec<_> = found["history"]["nodes"].as_array().into_iter().flatten().collect();
    let told: Vec<_> =
        events.iter().map(|e| (e["sequence"].as_i64(), text(&e["kind"]), instant(&e["occurredAt"]))).collect();
    let expected = [
        ("DEVICE_REGISTERED", INSTALLED),
        ("INSTALLED", INSTALLED),
        ("WORK_ORDER_ISSUED", "2026-06-09T01:00:00Z"),
        ("WORK_ORDER_COMPLETED", performed_at),
        ("VISIT_LOGGED", performed_at),
    ];
    let expected: Vec<_> =
        (1_i64..).zip(expected).map(|(n, (kind, when))| (Some(n), kind.to_owned(), at(when))).collect();
    assert_eq!(told, expected);
    assert_eq!(found["historyIntegrity"], json!({"isIntact": true, "eventCount": 5, "problem": null}));
}
