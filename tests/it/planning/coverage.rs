//! Work that includes other work: ordered once, and the smaller one comes back.

use super::*;
use crate::support::{at, instant};

const COVERS: &str = "
    id coveredBy { id plan { code } } openWorkOrder { id state } dueAt lastDoneAt
    explanation { en: summary(language: EN) zh: summary(language: ZH) }";

async fn covers(app: &TestApp, device: &str, code: &str) -> Value {
    let query = format!(
        "query($id: ID!) {{ device(id: $id) {{ maintenanceItems {{ plan {{ code covers {{ code }} }} {COVERS} }} }} }}"
    );
    let data = app.gql(&query, json!({"id": device})).await;
    let items = data["device"]["maintenanceItems"].as_array().expect("a device").clone();
    items.into_iter().find(|i| i["plan"]["code"] == code).unwrap_or_else(|| panic!("no item of {code}"))
}

/// A quick cleaning due on 3 June and a deep one, which includes it, due on 8 June.
async fn quick_and_deep(app: &TestApp) -> (String, String) {
    let quick = make_plan(app, "QUICK", &[floating("P30D")], json!({"name": {"en": "Quick", "zh": "快速清洁"}})).await;
    let more = json!({"name": {"en": "Deep", "zh": "深度清洁"}, "covers": [quick]});
    let deep = make_plan(app, "DEEP", &[floating("P35D")], more).await;
    (quick, deep)
}

#[tokio::test]
async fn deep_clean_covers_quick_clean_and_the_small_one_comes_back_when_the_big_one_is_skipped() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    quick_and_deep(&app).await;
    app.set_clock("2026-05-26T02:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 1);
    let (quick, deep) = (covers(&app, &till.device, "QUICK").await, covers(&app, &till.device, "DEEP").await);
    assert_eq!(deep["plan"]["covers"][0]["code"], "QUICK");
    assert_eq!((&quick["coveredBy"]["id"], &quick["openWorkOrder"]), (&deep["id"], &Value::Null));
    assert_eq!(deep["coveredBy"], Value::Null);
    let said = |item: &Value, language: &str| text(&item["explanation"][language]);
    assert!(said(&quick, "en").contains("not ordered by itself: Deep, due 2026-06-08, does it too"), "{quick:#}");
    assert!(said(&quick, "zh").contains("由2026-06-08到期的“深度清洁”一并完成"), "{quick:#}");
    assert!(said(&deep, "en").contains("it also does Quick, which would be due 2026-06-03"), "{deep:#}");
    assert!(said(&deep, "zh").contains("同时完成本应2026-06-03到期的“快速清洁”"), "{deep:#}");
    assert_eq!(app.run_planner_in_full().await["itemsWritten"], 0);

    let skip = json!({"workOrderId": deep["openWorkOrder"]["id"], "reason": "not this time"});
    app.mutate("skipOccurrence", "", skip).await;
    let quick = covers(&app, &till.device, "QUICK").await;
    assert_eq!(quick["coveredBy"], Value::Null);
    assert_eq!(quick["openWorkOrder"]["state"], "PLANNED");
    assert_eq!(instant(&quick["dueAt"]), at("2026-06-02T16:00:00Z"));
}

#[tokio::test]
async fn doing_the_large_work_does_the_small_one_too() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let quick = make_plan(&app, "QUICK", &[floating("P30D")], json!({})).await;
    // The small one is on its way before a plan covers it.
    app.set_clock("2026-05-26T02:00:00Z");
    app.run_planner().await;
    let small = open_order(&app, &till.device, "QUICK").await;
    schedule(&app, &small, "2026-06-03T02:00:00Z").await;
    make_plan(&app, "DEEP", &[floating("P30D")], json!({"covers": [quick]})).await;
    app.run_planner().await;
    let item = covers(&app, &till.device, "QUICK").await;
    assert_eq!(item["openWorkOrder"]["id"], json!(small), "a scheduled order is only linked");
    assert_eq!(item["coveredBy"]["plan"]["code"], "DEEP");

    app.set_clock("2026-06-04T02:00:00Z");
    app.run_planner().await;
    let large = open_order(&app, &till.device, "DEEP").await;
    let line = json!({"deviceId": till.device, "workOrderIds": [large]});
    app.log_visit(&till.site, &technician, "2026-06-04T01:00:00Z", vec![line]).await;
    for code in ["QUICK", "DEEP"] {
        let item = covers(&app, &till.device, code).await;
        assert_eq!(instant(&item["lastDoneAt"]), at("2026-06-04T01:00:00Z"), "{code}");
        assert_eq!(instant(&item["dueAt"]), at("2026-07-03T16:00:00Z"), "{code}");
        assert_eq!(item["openWorkOrder"], Value::Null, "{code}");
    }
    assert_eq!(order(&app, &small).await["state"], "COMPLETED");
    assert_eq!(app.run_planner_in_full().await["itemsWritten"], 0);
}

#[tokio::test]
async fn coverage_outside_the_small_ones_band_is_none() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let quick = make_plan(&app, "QUICK", &[floating("P30D")], json!({})).await;
    make_plan(&app, "DEEP", &[floating("P38D")], json!({"covers": [quick]})).await;
    app.set_clock("2026-05-28T02:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 2);
    assert_eq!(covers(&app, &till.device, "QUICK").await["coveredBy"], Value::Null);
}
