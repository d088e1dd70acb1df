//! The reference data in the tables: complete, and added once.

use crate::bad_input::database::{rows, sql};
use crate::support::{TestApp, text};
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test]
async fn seeding_again_adds_nothing_and_overwrites_nothing() {
    let app = TestApp::start().await;
    app.seed().await;
    sql(&app, "update failure_cause set name_en = 'Worn out' where code = 'wear_life_reached'").await;
    let before = rows(&app).await;
    app.seed().await;
    assert_eq!(rows(&app).await, before);
    let data = app.gql("{ failureCauses { code name { en } } }", json!({})).await;
    let causes = data["failureCauses"].as_array().expect("a list");
    let worn = causes.iter().find(|c| c["code"] == "wear_life_reached").expect("the cause");
    assert_eq!(worn["name"]["en"], "Worn out", "what people changed stays");
}

#[tokio::test]
async fn every_seeded_plan_is_taken_with_all_its_triggers_and_steps() {
    let app = TestApp::start().await;
    app.seed().await;
    let query = "{ maintenancePlans(first: 500) { nodes { code kind channel steps { text { en zh } } } } }";
    let data = app.gql(query, json!({})).await;
    let plans = data["maintenancePlans"]["nodes"].as_array().expect("a list");
    let codes: BTreeSet<String> = plans.iter().map(|p| text(&p["code"])).collect();
    let expected = [
        "PM-BATTERY",
        "PM-CLEAN-FULL",
        "PM-CLEAN-READER",
        "PM-COMMS",
        "PM-DISPLAY",
        "PM-ENV",
        "PM-FW",
        "PM-POWER",
        "PM-PREINST",
        "PM-RESOURCE",
        "PM-SITE-INSPECTION",
        "PM-STOCK-CARE",
        "PM-TAMPER",
    ];
    assert_eq!(codes, BTreeSet::from(expected.map(str::to_owned)));
    for plan in plans {
        assert!(plan["steps"].as_array().is_some_and(|steps| steps.len() >= 5), "{plan:#}");
    }
    let firmware = plans.iter().find(|p| p["code"] == "PM-FW").expect("the plan");
    assert_eq!((&firmware["kind"], &firmware["channel"]), (&json!("FIRMWARE_UPDATE"), &json!("REMOTE")));
}

#[tokio::test]
async fn seeded_models_have_the_meters_that_plans_watch() {
    let app = TestApp::start().await;
    app.seed().await;
    let query = "{ deviceModels(first: 500) { nodes { code meters { code } components { kind replaceableAt } } } }";
    let data = app.gql(query, json!({})).await;
    let models = data["deviceModels"]["nodes"].as_array().expect("a list");
    assert_eq!(models.len(), 25);
    for model in models {
        let meters: BTreeSet<String> =
            model["meters"].as_array().into_iter().flatten().map(|m| text(&m["code"])).collect();
        for meter in [
            "UNPLANNED_REBOOTS",
            "HIGH_TEMPERATURE_WARNINGS",
            "TRANSACTION_TIMEOUTS",
            "SUPPLY_VOLTAGE",
            "COIN_CELL_VOLTAGE",
            "FLASH_FREE",
            "RAM_FREE",
            "TEMPERATURE",
            "HUMIDITY",
            "UNSETTLED_TRANSACTIONS",
            "BACKLIGHT_HOURS",
        ] {
            assert!(meters.contains(meter), "{} has no {meter}", model["code"]);
        }
        let parts = model["components"].as_array().expect("a list");
        let has_battery = parts.iter().any(|p| p["kind"] == "BATTERY");
        assert_eq!(meters.contains("BATTERY_HEALTH"), has_battery, "{}", model["code"]);
        // Nobody replaces a PIN keypad in the field.
        let keypads: Vec<String> =
            parts.iter().filter(|p| p["kind"] == "KEYPAD").map(|p| text(&p["replaceableAt"])).collect();
        assert!(keypads.iter().all(|place| place == "FACTORY"), "{}: {keypads:?}", model["code"]);
    }
}
