//! Numbers that are none, or beyond what can be.

use super::database::rows;
use super::world::{World, plan, with};
use super::{outcome, refused_all};
use crate::support::{TestApp, text};
use serde_json::{Value, json};

#[tokio::test]
async fn numbers_of_a_plan_have_bounds() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let mut cases = Vec::new();
    for (field, bad) in [
        ("earlyDays", [-1, 367]),
        ("lateDays", [-1, 367]),
        ("leadDays", [-1, 367]),
        ("estimatedMinutes", [0, 10_081]),
        ("estimatedMinutes", [-1, i32::MAX]),
    ] {
        for value in bad {
            cases.push(("createMaintenancePlan", plan(json!({field: value})), "INVALID", field));
            let update = json!({"planId": world.plan, field: value});
            cases.push(("updateMaintenancePlan", update, "INVALID", field));
            if field != "leadDays" {
                let order = with(world.input("createWorkOrder"), field, json!(value));
                cases.push(("createWorkOrder", order, "INVALID", field));
            }
        }
    }
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn what_is_no_whole_number_cannot_be_read() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let mut cases = Vec::new();
    for bad in [json!(1.5), json!(3_000_000_000_u64), json!("7"), json!("NaN"), json!(true)] {
        cases.push(("createMaintenancePlan", plan(json!({"earlyDays": bad.clone()})), "BAD_USER_INPUT", ""));
        let update = with(world.input("updateSite"), "expectedVersion", bad);
        cases.push(("updateSite", update, "BAD_USER_INPUT", ""));
    }
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn figures_of_a_model_are_above_zero() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let mut cases = Vec::new();
    for (field, bad) in [
        ("maxPerDay", vec![json!(0), json!(-1), json!(1e300)]),
        ("planningPerDay", vec![json!(-1), json!(1e300)]),
        ("modulus", vec![json!(0), json!(-5), json!(1e300)]),
        ("ratedLife", vec![json!(0), json!(-1), json!(1e300)]),
    ] {
        for value in bad {
            let input = with(world.input("createDeviceModel"), &format!("meters.0.{field}"), value);
            cases.push(("createDeviceModel", input, "INVALID", "meters"));
        }
    }
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn coordinates_are_on_earth_and_say_what_they_refer_to() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let at = |latitude: Value, longitude: Value, system: Value| {
        let input = with(world.input("createSite"), "latitude", latitude);
        ("createSite", with(with(input, "longitude", longitude), "coordinateSystem", system))
    };
    let none = Value::Null;
    let cases = [
        (at(json!(90.1), json!(114.0), json!("GCJ02")), "OUT_OF_RANGE", "latitude"),
        (at(json!(22.5), json!(-180.1), json!("GCJ02")), "OUT_OF_RANGE", "longitude"),
        (at(json!(1e300), json!(114.0), json!("GCJ02")), "OUT_OF_RANGE", "latitude"),
        (at(json!(22.5), none.clone(), json!("GCJ02")), "REQUIRED", "longitude"),
        (at(none.clone(), json!(114.0), json!("GCJ02")), "REQUIRED", "latitude"),
        (at(json!(22.5), json!(114.0), none), "REQUIRED", "coordinateSystem"),
    ];
    let cases = cases.into_iter().map(|((mutation, input), code, field)| (mutation, input, code, field));
    refused_all(&app, cases.collect()).await;
}

#[tokio::test]
async fn hours_are_of_a_weekday_and_a_day() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let hours = |weekday: i32, opens: &str, closes: &str| {
        let hours = json!([{"weekday": weekday, "opens": opens, "closes": closes}]);
        [("createSite", hours.clone()), ("updateSite", hours)]
    };
    let cases = [
        hours(0, "09:00", "21:00"),
        hours(8, "09:00", "21:00"),
        hours(-1, "09:00", "21:00"),
        hours(257, "09:00", "21:00"),
        hours(1, "25:00", "21:00"),
        hours(1, "09:00", "9 pm"),
        hours(1, "", "21:00"),
        hours(1, "09:00", "\u{0}"),
    ];
    let case =
        |(mutation, hours)| (mutation, with(world.input(mutation), "openingHours", hours), "INVALID", "openingHours");
    refused_all(&app, cases.into_iter().flatten().map(case).collect()).await;
}

#[tokio::test]
async fn a_number_json_cannot_carry_is_no_request() {
    let app = TestApp::start().await;
    let device = app.fielded("HX1", "2026-05-04T01:00:00Z").await.device;
    let reading = |value: Value| {
        json!({"readings": [{
            "deviceId": device, "meter": "TRANSACTIONS", "value": value, "readAt": "2026-05-04T02:00:00Z",
        }]})
    };
    let before = rows(&app).await;
    for words in ["NaN", "Infinity", "12"] {
        let found = outcome(&app, "recordReadings", &reading(json!(words))).await;
        assert_eq!(found.code, "BAD_USER_INPUT", "{words}: {found:?}");
    }
    let query = "mutation($input: RecordReadingsInput!) { recordReadings(input: $input) { acceptedCount } }";
    let sound = json!({"query": query, "variables": {"input": reading(json!(12.5))}}).to_string();
    let literal = json!({"query": format!(
        r#"mutation {{ recordReadings(input: {{ readings: [{{
            deviceId: "{device}", meter: "TRANSACTIONS", value: 1e999, readAt: "2026-05-04T02:00:00Z",
        }}] }}) {{ acceptedCount }} }}"#
    )})
    .to_string();
    for body in [sound.replace("12.5", "1e999"), sound.replace("12.5", "NaN"), literal] {
        let request = app.http.post(format!("{}/graphql", app.url)).header("content-type", "application/json");
        let answer: Value = request.body(body.clone()).send().await.unwrap().json().await.unwrap();
        assert_eq!(text(&answer["errors"][0]["extensions"]["code"]), "BAD_USER_INPUT", "{body}");
    }
    assert_eq!(rows(&app).await, before);
}
