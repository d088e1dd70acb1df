//! Plans that cannot be: triggers that cannot be read, bands wider than their grid, selectors that
//! select by accident.

use super::world::{World, plan};
use super::{Case, refused_all};
use crate::support::TestApp;
use serde_json::{Value, json};

/// A plan with these triggers, as it is made and as another is changed to it.
fn made_and_changed(
    world: &World,
    triggers: &Value,
    changes: &Value,
    code: &'static str,
    field: &'static str,
) -> [Case<'static>; 2] {
    let mut made = plan(changes.clone());
    made["triggers"] = triggers.clone();
    let mut changed = changes.clone();
    changed["planId"] = json!(world.plan);
    changed["triggers"] = triggers.clone();
    [("createMaintenancePlan", made, code, field), ("updateMaintenancePlan", changed, code, field)]
}

async fn refused_triggers(triggers: Vec<Value>, code: &'static str) {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let case = |one: Value| made_and_changed(&world, &json!([one]), &json!({}), code, "triggers");
    refused_all(&app, triggers.into_iter().flat_map(case).collect()).await;
}

#[tokio::test]
async fn a_cron_text_that_cannot_be_read_or_never_fires_is_refused() {
    let texts = [
        "every day",
        "",
        "0 9 1 *",
        "0 0 9 1 * *",
        "0 0 9 1 * * 2026",
        "0 9 L * *",
        "0 9 15W * *",
        "0 9 * * 5#2",
        "0 9 ? * *",
        "@daily",
        "61 9 1 * *",
        "0 24 1 * *",
        "0 9 0 * *",
        "0 9 1 13 *",
        "0 9 * * 8",
        "0 9 */0 * *",
        "0 9 10-5 * *",
        "0 9 31 2 *",
        "-1 9 1 * *",
    ];
    refused_triggers(texts.map(|cron| json!({"calendarFixed": {"cron": cron}})).into(), "INVALID_CRON").await;
}

#[tokio::test]
async fn a_duration_that_is_none_or_not_above_zero_is_refused() {
    let texts = [
        "P0D",
        "P0Y0M",
        "-P3D",
        "P-3D",
        "PT4H",
        "P1DT4H",
        "P",
        "",
        "90 days",
        "P90",
        "P1D1Y",
        "P1天",
        "P200Y",
        "P99999999999D",
    ];
    refused_triggers(texts.map(|every| json!({"calendarFloating": {"every": every}})).into(), "INVALID_DURATION").await;
}

#[tokio::test]
async fn a_usage_interval_is_above_zero_and_of_a_known_counter() {
    let usage = |meter: &str, every: f64| json!({"usage": {"meter": meter, "every": every}});
    let bad = [0.0, -1.0, 0.4, 1e300].map(|every| usage("TRANSACTIONS", every));
    refused_triggers(bad.into(), "INVALID").await;
    refused_triggers(vec![usage("COFFEES", 100.0), usage("transactions", 100.0), usage("", 100.0)], "UNKNOWN_METER")
        .await;
}

#[tokio::test]
async fn a_plan_has_one_to_ten_triggers_each_of_one_kind_and_one_grid() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let floating = json!({"calendarFloating": {"every": "P90D"}});
    let (monthly, weekly) =
        (json!({"calendarFixed": {"cron": "0 9 1 * *"}}), json!({"calendarFixed": {"cron": "0 9 * * 1"}}));
    let mut cases = Vec::new();
    for (triggers, code, field) in [
        (json!([]), "REQUIRED", "triggers"),
        (json!(vec![floating.clone(); 11]), "TOO_MANY", "triggers"),
        (json!([monthly, weekly]), "INVALID", "triggers"),
        (json!([{"calendarFixed": {"cron": "0 9,15 * * *"}}]), "INVALID", "triggers"),
        (
            json!([{"calendarFixed": {"cron": "0 9 1 * *"}, "calendarFloating": {"every": "P90D"}}]),
            "BAD_USER_INPUT",
            "",
        ),
        (json!([{}]), "BAD_USER_INPUT", ""),
        (json!([{"calendarFloating": null}]), "BAD_USER_INPUT", ""),
    ] {
        cases.extend(made_and_changed(&world, &triggers, &json!({}), code, field));
    }
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn a_band_is_narrower_than_the_time_between_two_occurrences() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let grid = |cron: &str| json!([{"calendarFixed": {"cron": cron}}]);
    let floating = |every: &str| json!([{"calendarFloating": {"every": every}}]);
    let days = |early: i32, late: i32| json!({"earlyDays": early, "lateDays": late});
    let mut cases = Vec::new();
    for (triggers, band) in [
        (grid("0 9 * * 1"), days(3, 4)),
        (grid("0 9 * * *"), days(1, 0)),
        // February has 28 days.
        (grid("0 9 1 * *"), days(14, 14)),
        (floating("P7D"), days(7, 0)),
        (floating("P1M"), days(28, 0)),
    ] {
        cases.extend(made_and_changed(&world, &triggers, &band, "BAND_TOO_WIDE", "earlyDays"));
    }
    refused_all(&app, cases).await;

    for (n, (triggers, mut band)) in [
        (grid("0 9 * * 1"), days(3, 3)),
        (grid("0 9 * * *"), days(0, 0)),
        (grid("0 9 1 * *"), days(14, 13)),
        (floating("P7D"), days(6, 30)),
        (floating("P1M"), days(27, 0)),
    ]
    .into_iter()
    .enumerate()
    {
        band["triggers"] = triggers;
        band["code"] = json!(format!("FITS-{n}"));
        app.mutate("createMaintenancePlan", "", plan(band)).await;
    }
}

#[tokio::test]
async fn a_selector_selects_something_or_says_everything() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let mut cases = Vec::new();
    for selector in [
        json!({}),
        json!({"everything": false}),
        json!({"modelIds": [], "siteIds": [], "regionCodes": [], "deviceStatuses": []}),
    ] {
        cases.push((
            "createMaintenancePlan",
            plan(json!({"selector": selector.clone()})),
            "EMPTY_SELECTOR",
            "selector",
        ));
        let update = json!({"planId": world.plan, "selector": selector});
        cases.push(("updateMaintenancePlan", update, "EMPTY_SELECTOR", "selector"));
    }
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn a_plan_for_sites_has_no_usage_trigger() {
    let app = TestApp::start().await;
    app.model().await;
    let usage = json!({"usage": {"meter": "TRANSACTIONS", "every": 20_000}});
    let input = plan(json!({"subject": "SITE", "triggers": [usage, {"calendarFloating": {"every": "P90D"}}]}));
    refused_all(&app, vec![("createMaintenancePlan", input, "INVALID", "triggers")]).await;
}

#[tokio::test]
async fn two_plans_do_not_share_a_code() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let input = plan(json!({"code": " CLEAN "}));
    refused_all(&app, vec![("createMaintenancePlan", input, "ALREADY_EXISTS", "code")]).await;
    let query = "query($id: ID!) { node(id: $id) { ... on MaintenancePlan { revision version } } }";
    let data = app.gql(query, json!({"id": world.plan})).await;
    assert_eq!(data["node"], json!({"revision": 1, "version": 1}));
}
