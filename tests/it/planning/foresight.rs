//! Looking ahead: later occurrences, load, and what a plan would do.

use super::*;
use crate::support::{at, instant};

#[tokio::test]
async fn later_occurrences_are_projected_from_the_next_one_on() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    make_plan(&app, "DAYS", &[floating("P30D")], json!({})).await;
    make_plan(&app, "UNITS", &[usage(300)], json!({})).await;
    make_plan(&app, "GRID", &[grid("0 9 1 * *")], json!({"earlyDays": 3, "lateDays": 0})).await;
    app.run_planner().await;
    let query = r#"query($id: ID!) { device(id: $id) { maintenanceItems { plan { code }
        occurrences(before: "2026-08-15T00:00:00Z", limit: 3) { dueAt trigger isProjected }
    } } }"#;
    let data = app.gql(query, json!({"id": till.device})).await;
    let found = |code: &str| -> Vec<(String, bool)> {
        let items = data["device"]["maintenanceItems"].as_array().unwrap();
        let item = items.iter().find(|i| i["plan"]["code"] == code).unwrap();
        let rows = item["occurrences"].as_array().unwrap();
        rows.iter().map(|o| (text(&o["dueAt"]), o["isProjected"] == true)).collect()
    };
    let dates = |code: &str| found(code).into_iter().map(|(at, _)| at[..10].to_owned()).collect::<Vec<_>>();
    assert_eq!(dates("DAYS"), ["2026-06-02", "2026-07-02", "2026-08-01"]);
    // 300 at 15 a day are 20 days each.
    assert_eq!(dates("UNITS"), ["2026-05-23", "2026-06-12", "2026-07-02"]);
    assert_eq!(dates("GRID"), ["2026-06-01", "2026-07-01", "2026-08-01"]);
    assert_eq!(found("DAYS").iter().map(|(_, p)| *p).collect::<Vec<_>>(), [false, true, true]);
    let far = r#"{ devices { nodes { maintenanceItems { occurrences(before: "2030-01-01T00:00:00Z") { dueAt } } } } }"#;
    assert_eq!(app.try_gql(far, json!({})).await["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

const LOAD: &str = "query($before: DateTime!, $groupBy: [LoadDimension!]!) {
    maintenanceLoad(dueBefore: $before, groupBy: $groupBy) {
        isComplete
        total { itemCount coveredCount visitCount hoursP50 hoursP90 capacityHours }
        groups { week kind regionCode channel technician { name }
            figures { itemCount coveredCount visitCount hoursP50 hoursP90 capacityHours } }
    }
}";

#[tokio::test]
async fn load_counts_a_site_once_a_week_and_hours_against_the_technicians_own() {
    let app = TestApp::start_at(START).await;
    let site = site_with(&app, json!({"regionCode": "3301"})).await;
    devices_at::<3>(&app, &site).await;
    let other = site_with(&app, json!({"regionCode": "3302"})).await;
    device_at(&app, &other, "HX9", START).await;
    for (name, region, hours) in [("Li Wei", "3301", 30.0), ("Wang Jun", "33", 20.0)] {
        let input = json!({"name": name, "regionCodes": [region], "weeklyHours": hours});
        app.mutate("createTechnician", "", input).await;
    }
    make_plan(&app, "DAYS", &[floating("P28D")], json!({"estimatedMinutes": 30})).await;
    app.run_planner().await;
    // Due on Monday, 1 June, and again on 29 June.
    let ask = |group_by: Value| json!({"before": "2026-07-01T00:00:00Z", "groupBy": group_by});
    let load = app.gql(LOAD, ask(json!(["WEEK", "REGION"]))).await["maintenanceLoad"].take();
    assert_eq!(load["isComplete"], true);
    let total = &load["total"];
    assert_eq!((&total["itemCount"], &total["visitCount"]), (&json!(8), &json!(4)), "{load:#}");
    assert_eq!((&total["hoursP50"], &total["hoursP90"]), (&json!(4.0), &json!(4.0)));
    assert_eq!(total["capacityHours"], json!(100.0));
    let groups = load["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 4, "{load:#}");
    let first = &groups[0];
    assert_eq!((&first["week"], &first["regionCode"]), (&json!("2026-06-01"), &json!("3301")));
    let figures = &first["figures"];
    assert_eq!((&figures["itemCount"], &figures["visitCount"]), (&json!(3), &json!(1)));
    assert_eq!((&figures["hoursP50"], &figures["capacityHours"]), (&json!(1.5), &json!(50.0)));
    assert_eq!(groups[1]["figures"]["capacityHours"], json!(20.0));

    // A forecast date can fall into this week or another: its hours are spread, and add up.
    make_plan(&app, "UNITS", &[usage(450)], json!({"kind": "INSPECTION", "estimatedMinutes": 60})).await;
    app.run_planner().await;
    let ask = json!({"before": "2026-06-20T00:00:00Z", "groupBy": ["WEEK", "KIND"]});
    let load = app.gql(LOAD, ask).await["maintenanceLoad"].take();
    let units: Vec<&Value> = load["groups"].as_array().unwrap().iter().filter(|g| g["kind"] == "INSPECTION").collect();
    assert!(units.len() > 1, "{load:#}");
    let hours: f64 = units.iter().map(|g| g["figures"]["hoursP50"].as_f64().unwrap()).sum();
    // A part of the four hours lies after the range, and a part of the next four can lie in it.
    assert!(hours > 3.0 && hours < 5.0, "{load:#}");
    assert!(units.iter().any(|g| g["figures"]["hoursP90"].as_f64() > g["figures"]["hoursP50"].as_f64()), "{load:#}");
}

#[tokio::test]
async fn load_leaves_out_what_larger_work_does() {
    let app = TestApp::start_at(START).await;
    app.fielded("HX1", START).await;
    let quick = make_plan(&app, "QUICK", &[floating("P30D")], json!({"estimatedMinutes": 30})).await;
    make_plan(&app, "DEEP", &[floating("P32D")], json!({"covers": [quick], "estimatedMinutes": 60})).await;
    app.run_planner().await;
    let ask = json!({"before": "2026-06-20T00:00:00Z", "groupBy": []});
    let total = app.gql(LOAD, ask).await["maintenanceLoad"]["total"].take();
    assert_eq!((&total["itemCount"], &total["coveredCount"]), (&json!(2), &json!(1)), "{total:#}");
    assert_eq!((&total["hoursP50"], &total["visitCount"]), (&json!(1.0), &json!(1)));
}

const PREVIEW: &str = "query($input: PreviewMaintenancePlanInput!) {
    previewMaintenancePlan(input: $input) {
        subjectCount isComplete itemsTouched itemsAdded itemsRemoved datesEarlier datesLater datesUnchanged
        ordersIssued ordersWithdrawn newlyCovered
        moves { dueBefore dueAfter item { id } subject { ... on Device { serialNumber } } }
        weeks { week hoursBefore hoursAfter visitsBefore visitsAfter }
        userErrors { code field message }
    }
}";

async fn preview(app: &TestApp, input: Value) -> Value {
    app.gql(PREVIEW, json!({"input": input})).await["previewMaintenancePlan"].take()
}

#[tokio::test]
async fn a_preview_says_what_a_change_does_and_does_nothing() {
    let app = TestApp::start_at(START).await;
    let site = site_with(&app, json!({})).await;
    let [device, _] = devices_at(&app, &site).await;
    let plan = make_plan(&app, "DAYS", &[floating("P60D")], json!({"estimatedMinutes": 30})).await;
    app.run_planner().await;
    let before = file_length(&app, &device).await;
    let sooner = json!({"update": {"planId": plan, "triggers": [floating("P10D")]}, "weeks": 4});
    let seen = preview(&app, sooner).await;
    assert_eq!(seen["userErrors"], json!([]), "{seen:#}");
    assert_eq!(
        (&seen["subjectCount"], &seen["itemsTouched"], &seen["datesEarlier"]),
        (&json!(2), &json!(2), &json!(2))
    );
    // Due on 14 May, which is within its lead time: orders come at once.
    assert_eq!((&seen["ordersIssued"], &seen["ordersWithdrawn"]), (&json!(2), &json!(0)));
    assert_eq!(instant(&seen["moves"][0]["dueAfter"]), at("2026-05-13T16:00:00Z"));
    let weeks = seen["weeks"].as_array().unwrap();
    assert_eq!(weeks.len(), 4);
    assert_eq!(weeks[0]["week"], "2026-05-04");
    assert_eq!((&weeks[1]["hoursBefore"], &weeks[1]["hoursAfter"]), (&json!(0.0), &json!(1.0)), "{seen:#}");
    assert_eq!((&weeks[1]["visitsBefore"], &weeks[1]["visitsAfter"]), (&json!(0), &json!(1)));
    assert_eq!(file_length(&app, &device).await, before);
    assert_eq!(app.run_planner_in_full().await["itemsWritten"], 0);

    let off = preview(&app, json!({"update": {"planId": plan, "isActive": false}})).await;
    assert_eq!((&off["itemsRemoved"], &off["itemsTouched"]), (&json!(2), &json!(2)), "{off:#}");
    let bad = preview(&app, json!({"update": {"planId": plan, "triggers": [floating("P0D")]}})).await;
    assert_eq!(bad["userErrors"][0]["code"], "INVALID_DURATION", "{bad:#}");
    let neither = preview(&app, json!({})).await;
    assert_eq!(neither["userErrors"][0]["code"], "REQUIRED");
}

#[tokio::test]
async fn a_preview_of_a_new_plan_counts_what_it_adds_and_covers() {
    let app = TestApp::start_at(START).await;
    app.fielded("HX1", START).await;
    let quick = make_plan(&app, "QUICK", &[floating("P30D")], json!({})).await;
    app.run_planner().await;
    let create = json!({
        "code": "DEEP", "name": {"en": "Deep"}, "kind": "CLEANING", "subject": "DEVICE", "channel": "FIELD",
        "selector": {"everything": true}, "triggers": [floating("P32D")], "covers": [quick],
        "earlyDays": 7, "lateDays": 7, "leadDays": 14, "estimatedMinutes": 60, "priority": "NORMAL",
    });
    let seen = preview(&app, json!({"create": create})).await;
    assert_eq!(seen["userErrors"], json!([]), "{seen:#}");
    assert_eq!((&seen["itemsAdded"], &seen["newlyCovered"]), (&json!(1), &json!(1)), "{seen:#}");
    assert_eq!(seen["moves"][0]["item"], Value::Null);
    assert_eq!(seen["weeks"].as_array().map(Vec::len), Some(13));
}
