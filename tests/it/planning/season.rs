//! Seasons and blackouts move a date inside its band, else later, and say so.

use super::*;
use crate::support::{at, instant};

#[tokio::test]
async fn a_date_out_of_season_waits_for_the_season_and_a_blackout_is_left_out() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    // Due on 3 June.
    let season = json!({"season": {"from": "06-15", "to": "10-31"}});
    make_plan(&app, "SUMMER", &[floating("P30D")], season).await;
    let name = json!({"en": "Mid-year sale", "zh": "年中大促"});
    let sale = json!({"blackouts": [{"from": "06-01", "to": "06-20", "name": name}]});
    make_plan(&app, "SALE", &[floating("P30D")], sale).await;
    app.run_planner().await;
    let (summer, sale) = (item(&app, &till.device, "SUMMER").await, item(&app, &till.device, "SALE").await);
    assert_eq!(instant(&summer["dueAt"]), at("2026-06-14T16:00:00Z"));
    assert_eq!(summer["explanation"]["adjustments"][0]["kind"], "SEASON");
    assert!(text(&summer["explanation"]["summary"]).contains("put off from 2026-06-03, which is out of season"));
    // The early side of the band allows 31 May.
    assert_eq!(instant(&sale["dueAt"]), at("2026-05-30T16:00:00Z"));
    assert_eq!(sale["explanation"]["adjustments"][0]["kind"], "BLACKOUT");
    let said = text(&sale["explanation"]["summary"]);
    assert!(said.contains("brought forward from 2026-06-03, which lies in the blackout Mid-year sale"), "{said}");
    let query =
        "query($id: ID!) { node(id: $id) { ... on MaintenanceItem { explanation { summary(language: ZH) } } } }";
    let data = app.gql(query, json!({"id": sale["id"]})).await;
    let said = text(&data["node"]["explanation"]["summary"]);
    assert!(said.contains("2026-06-03处于禁止作业期“年中大促”，提前到2026-05-31"), "{said}");

    let plans = "{ maintenancePlans { nodes { code season { from to } blackouts { from to name { zh } } } } }";
    let plans = app.gql(plans, json!({})).await;
    let nodes = &plans["maintenancePlans"]["nodes"];
    assert_eq!(nodes[1]["season"], json!({"from": "06-15", "to": "10-31"}));
    assert_eq!(nodes[0]["blackouts"][0], json!({"from": "06-01", "to": "06-20", "name": {"zh": "年中大促"}}));
}
