//! What the nightly run chose for forecasts, as a planner sees it.

use crate::support::builders::MAKER;
use crate::support::{TestApp, at, instant, only, text};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Days of readings before 2026-06-01.
const DAYS: i64 = 480;
const NOW: &str = "2026-06-01T02:00:00Z";

/// Reads a device every midnight of its site up to 1 June: so many units on each day, by the number of
/// days before 1 June.
async fn read_days(app: &TestApp, device: &str, days: i64, units: impl Fn(i64) -> f64) {
    let mut life = 1_000.0;
    let last = at("2026-05-31T16:00:00Z");
    let mut rows = vec![(device, "TRANSACTIONS", life, (last - TimeDelta::days(days)).to_rfc3339())];
    for back in (0..days).rev() {
        life += units(back);
        rows.push((device, "TRANSACTIONS", life, (last - TimeDelta::days(back)).to_rfc3339()));
    }
    let count = rows.len() as i64;
    assert_eq!(app.read_many(rows).await["acceptedCount"], count);
}

const WHY: &str = "query($device: ID!) { device(id: $device) {
    usagePattern(meter: \"TRANSACTIONS\") {
        dailyRate recentDailyRate source season seasonFrom seasonSource typicalError outageDays closedUntil
    }
    maintenanceItems { dueAt explanation {
        en: summary(language: EN) zh: summary(language: ZH)
        candidates { basis { unitsPerDay source parts {
            recentPerDay trendFactor seasonFactor seasonSource holidayFactor closureFactor closedDays closedUntil
        } } }
    } }
} }";

async fn look(app: &TestApp, device: &str) -> Value {
    app.gql(WHY, json!({"device": device})).await["device"].clone()
}

fn parts(device: &Value) -> &Value {
    let item = only(&device["maintenanceItems"]);
    &item["explanation"]["candidates"][0]["basis"]["parts"]
}

/// An app on 1 June with six devices in the same shop's trade, of which the first is answered.
async fn fleet(units: impl Fn(i64) -> f64 + Copy) -> (TestApp, String) {
    let app = TestApp::start_at("2025-01-01T00:00:00Z").await;
    let mut devices = Vec::new();
    for serial in ["A", "B", "C", "D", "E", "F"] {
        devices.push(app.fielded(serial, "2025-01-01T00:00:00Z").await.device);
    }
    app.set_clock(NOW);
    for device in &devices {
        read_days(&app, device, DAYS, units).await;
    }
    app.plan_usage_or_days("CLEAN", 60_000.0, "P5Y").await;
    (app, devices.remove(0))
}

#[tokio::test]
async fn a_busy_season_of_last_year_moves_the_date_and_is_told_in_words_and_numbers() {
    // Weeks 1 to 12 after 1 June sold twice as much last year.
    let (app, device) = fleet(|back| if (364 - 84..364).contains(&back) { 200.0 } else { 100.0 }).await;
    app.run_planner().await;
    let before = look(&app, &device).await;
    assert_eq!(before["usagePattern"]["seasonSource"], "NONE", "until the first night: {before:#}");

    app.refresh_forecasts().await;
    app.run_planner().await;
    let found = look(&app, &device).await;
    let pattern = &found["usagePattern"];
    let season: Vec<f64> = pattern["season"].as_array().unwrap().iter().map(|f| f.as_f64().unwrap()).collect();
    assert_eq!((season.len(), &pattern["seasonSource"]), (52, &json!("DEVICE")));
    assert_eq!(pattern["seasonFrom"], "2026-05-31");
    assert!(season[3] > 1.4 && season[30] < 1.2, "{season:?}");
    let parts = parts(&found);
    assert!(parts["seasonFactor"].as_f64().unwrap() > 1.05, "{parts:#}");
    assert!((parts["recentPerDay"].as_f64().unwrap() - 100.0).abs() < 0.5, "{parts:#}");
    let item = only(&found["maintenanceItems"]);
    let (en, zh) = (text(&item["explanation"]["en"]), text(&item["explanation"]["zh"]));
    assert!(en.contains("100 in the last four weeks") && en.contains("more by season, as last year"), "{en}");
    assert!(zh.contains("近四周日均100") && zh.contains("季节+"), "{zh}");
    let earlier = |device: &Value| instant(&only(&device["maintenanceItems"])["dueAt"]);
    assert!(earlier(&found) <= earlier(&before));
}

#[tokio::test]
async fn a_device_that_is_out_of_use_says_since_when_and_until_when() {
    let (app, device) = fleet(|back| if back < 12 { 0.0 } else { 100.0 }).await;
    app.refresh_forecasts().await;
    app.run_planner().await;
    let found = look(&app, &device).await;
    let parts = parts(&found);
    assert_eq!((&parts["closedDays"], &parts["closedUntil"]), (&json!(12), &json!("2026-06-18")), "{parts:#}");
    assert_eq!(found["usagePattern"]["closedUntil"], "2026-06-18");
    let en = text(&only(&found["maintenanceItems"])["explanation"]["en"]);
    assert!(en.contains("out of use for 12 days, expected until 2026-06-18"), "{en}");
}

#[tokio::test]
async fn a_new_device_borrows_from_its_model_or_its_sites_type_and_says_which() {
    let (app, _) = fleet(|_| 100.0).await;
    app.refresh_forecasts().await;
    let source = async |device: &str| {
        let found = look(&app, device).await["usagePattern"].clone();
        (text(&found["source"]), found["dailyRate"].as_f64().unwrap())
    };
    let same_model = app.device(&app.model().await, "NEW").await;
    assert_eq!(source(&same_model).await, ("MODEL".to_owned(), 100.0));
    let input = json!({
        "manufacturer": "Other", "name": "OX-1",
        "meters": [{"code": "TRANSACTIONS", "maxPerDay": 20_000, "planningPerDay": 15}], "components": [],
    });
    let model = text(&app.mutate("createDeviceModel", "deviceModel { id }", input).await["deviceModel"]["id"]);
    let other = app.mutate(
        "registerDevice",
        "device { id }",
        json!({"manufacturer": "Other", "modelId": model, "serialNumber": "OX"}),
    );
    let other = text(&other.await["device"]["id"]);
    assert_eq!(source(&other).await, ("PLANNING".to_owned(), 15.0));
}

#[tokio::test]
async fn patterns_of_a_page_cost_the_same_for_one_device_and_for_many_before_and_after_a_night() {
    let (app, _) = fleet(|_| 100.0).await;
    let query = r#"query($first: Int) { devices(first: $first) {
        nodes { usagePattern(meter: "TRANSACTIONS") { dailyRate season } }
    } }"#;
    let cost = async |first: i64| {
        let before = app.db().statement_count();
        app.gql(query, json!({"first": first})).await;
        app.db().statement_count() - before
    };
    assert_eq!(cost(1).await, cost(6).await, "on the spot");
    let on_the_spot = cost(1).await;
    app.refresh_forecasts().await;
    assert_eq!(cost(1).await, cost(6).await, "read");
    assert!(cost(1).await < on_the_spot, "what was chosen at night is only read");
}

#[tokio::test]
async fn a_gauge_says_when_it_reaches_a_limit_and_a_counter_does_not() {
    let app = TestApp::start_at("2026-05-01T00:00:00Z").await;
    app.meters(&["TRANSACTIONS", "FLASH_FREE"]).await;
    let meters =
        ["TRANSACTIONS", "FLASH_FREE"].map(|code| json!({"code": code, "maxPerDay": 500, "planningPerDay": 0}));
    let input = json!({"manufacturer": MAKER, "name": "HX-G", "meters": meters});
    let model = text(&app.mutate("createDeviceModel", "deviceModel { id }", input).await["deviceModel"]["id"]);
    let device = app.device(&model, "G").await;
    app.set_clock(NOW);
    let last = at(NOW) - TimeDelta::hours(1);
    let rows = (0..25)
        .map(|back| (device.as_str(), "FLASH_FREE", 40.0 + back as f64, (last - TimeDelta::days(back)).to_rfc3339()));
    let taken = app.read_many(rows.collect()).await;
    assert_eq!(taken["acceptedCount"], 25, "{taken:#}");
    app.read(&device, "TRANSACTIONS", 5.0, &last.to_rfc3339()).await;
    let query = "query($device: ID!, $limit: Float!) { device(id: $device) { meters {
        code limitForecast(limit: $limit) { p10 p50 p90 perDay }
        rising: limitForecast(limit: $limit, isRising: true) { p50 }
    } } }";
    let meters = app.gql(query, json!({"device": device, "limit": 10.0})).await["device"]["meters"].clone();
    let of = |code: &str| meters.as_array().unwrap().iter().find(|m| m["code"] == code).unwrap().clone();
    let flash = of("FLASH_FREE");
    let found = &flash["limitForecast"];
    // 40 now, one less a day: 30 days.
    assert_eq!(found["p50"], "2026-07-01", "{flash:#}");
    assert!((found["perDay"].as_f64().unwrap() + 1.0).abs() < 1e-9, "{flash:#}");
    assert!(text(&found["p10"]) <= text(&found["p50"]) && text(&found["p50"]) <= text(&found["p90"]));
    // From below it is there already.
    assert_eq!(flash["rising"]["p50"], "2026-06-01", "{flash:#}");
    assert!(of("TRANSACTIONS")["limitForecast"].is_null());
    let beyond = app.gql(query, json!({"device": device, "limit": 90.0})).await["device"]["meters"].clone();
    let flash = beyond.as_array().unwrap().iter().find(|m| m["code"] == "FLASH_FREE").unwrap().clone();
    assert_eq!((&flash["limitForecast"]["p50"], &flash["rising"]), (&json!("2026-06-01"), &Value::Null), "{flash:#}");
}
