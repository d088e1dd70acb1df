//! Usage forecasts against what came.

use super::*;
use crate::planning::{file_length, floating, item, make_plan, open_order, order, told, usage};
use crate::support::builders::MAKER;
use crate::support::instant;
use chrono::{NaiveDate, TimeDelta};

/// The civil day of an instant in Shanghai.
fn day(value: &Value) -> NaiveDate {
    (instant(value) + TimeDelta::hours(8)).date_naive()
}

#[tokio::test]
async fn a_forecast_is_measured_by_the_day_on_which_the_counter_got_there() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    make_plan(&app, "USAGE", &[usage(300)], json!({})).await;
    app.set_clock("2026-05-12T02:00:00Z");
    app.read(&till.device, "TRANSACTIONS", 0.0, "2026-05-04T03:00:00Z").await;
    app.run_planner().await;
    // 300 at the planned 15 a day: about 20 days from the installation on.
    let issued = order(&app, &open_order(&app, &till.device, "USAGE").await).await;
    let told = day(&issued["dueAt"]);
    let year = ("2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z");
    let found = report(&app, year.0, year.1, "").await;
    assert_eq!(found["total"]["forecastError"]["count"], 0, "nobody knows yet: {found:#}");

    // 250 on 29 May, 350 ten days later: it got to 300 on 3 June.
    app.set_clock("2026-06-08T03:00:00Z");
    app.read(&till.device, "TRANSACTIONS", 250.0, "2026-05-29T02:00:00Z").await;
    app.read(&till.device, "TRANSACTIONS", 350.0, "2026-06-08T02:00:00Z").await;
    app.run_planner().await;
    let reached: NaiveDate = "2026-06-03".parse().unwrap();
    let crossed = item(&app, &till.device, "USAGE").await;
    assert_eq!(day(&crossed["explanation"]["candidates"][0]["basis"]["crossedAt"]), reached);
    let late = (reached - told).num_days();
    assert!(late > 7, "told {told}");
    let found = report(&app, year.0, year.1, ", groupBy: MODEL").await;
    let errors = &found["total"]["forecastError"];
    assert_eq!(errors["count"], 1, "{found:#}");
    assert_eq!(share(&errors["meanDays"]), (late as f64, 1.0, Some(late as f64)), "later than told");
    assert_eq!(share(&errors["meanAbsoluteDays"]), (late as f64, 1.0, Some(late as f64)));
    assert_eq!(share(&errors["withinBand"]), (0.0, 1.0, Some(0.0)), "more than a week off");
    assert_eq!(found["groups"][0]["figures"]["forecastError"], *errors);
    let wide = report(&app, year.0, year.1, ", complianceBand: { kind: DAYS, earlyDays: 0, lateDays: 60 }").await;
    assert_eq!(share(&wide["total"]["forecastError"]["withinBand"]), (1.0, 1.0, Some(1.0)));
}

/// A device of a model of its own, installed when the test begins, that is taken to see so many
/// TRANSACTIONS a day until readings say otherwise.
async fn till_of(app: &TestApp, model: &str, per_day: f64) -> String {
    let meter = json!({"code": "TRANSACTIONS", "maxPerDay": 20_000, "planningPerDay": per_day});
    let input = json!({"manufacturer": MAKER, "name": model, "meters": [meter]});
    let made = app.mutate("createDeviceModel", "deviceModel { id }", input).await;
    let device = app.device(&text(&made["deviceModel"]["id"]), &format!("S{model}")).await;
    let site = app.site(&app.merchant(&format!("Merchant of {model}")).await).await;
    let position = app.position(&site, "Counter 1", None).await;
    app.install(&device, &position, START).await;
    device
}

/// The forecast that a device file was told with its order by usage: due day, P10, P50, P90.
async fn told_forecast(app: &TestApp, device: &str) -> [NaiveDate; 4] {
    let events = told(app, device, &["WORK_ORDER_ISSUED"]).await;
    let with: Vec<&Value> = events.iter().map(|e| &e["payload"]).filter(|p| p.get("p50").is_some()).collect();
    assert_eq!(with.len(), 1, "one order is by usage: {events:#?}");
    ["dueOn", "p10", "p50", "p90"].map(|name| text(&with[0][name]).parse().expect("a day"))
}

#[tokio::test]
async fn forecasts_are_told_apart_by_model_and_by_how_far_ahead_they_were() {
    let app = TestApp::start_at(START).await;
    let (near, far) = (till_of(&app, "NEAR-1", 15.0).await, till_of(&app, "FAR-1", 5.0).await);
    app.set_clock("2026-06-02T02:00:00Z");
    // Four weeks of even use, without which no late day can be told: 420 and 140 units.
    for (device, per_day) in [(&near, 15.0), (&far, 5.0)] {
        let days = (0..29)
            .map(|n| (f64::from(n) * per_day, instant(&json!("2026-05-04T15:00:00Z")) + TimeDelta::days(n.into())));
        let readings = days.map(|(value, at)| (device.as_str(), "TRANSACTIONS", value, at.to_rfc3339())).collect();
        assert_eq!(app.read_many(readings).await["acceptedCount"], 29);
    }
    // By the early day, so that the due day is not the one that forecasts are measured by.
    make_plan(&app, "USAGE", &[usage(600)], json!({"leadDays": 100, "dueQuantile": "P10"})).await;
    make_plan(&app, "DAYS", &[floating("P60D")], json!({"leadDays": 100})).await;
    app.run_planner().await;
    let [due_on, p10, near_p50, _] = told_forecast(&app, &near).await;
    assert!(due_on == p10 && p10 < near_p50, "due by P10: {due_on} {p10} {near_p50}");
    let [_, far_p10, far_p50, _] = told_forecast(&app, &far).await;
    assert_eq!(told(&app, &near, &["WORK_ORDER_ISSUED"]).await.len(), 2, "the other order has no forecast to keep");

    // One gets there at noon of its middle day; the other, on 11 June, long before its early one.
    app.set_clock("2026-06-22T02:00:00Z");
    app.read(&near, "TRANSACTIONS", 600.0, &format!("{near_p50}T04:00:00Z")).await;
    app.read(&far, "TRANSACTIONS", 1_060.0, "2026-06-21T15:00:00Z").await;
    app.run_planner().await;
    let reached: NaiveDate = "2026-06-11".parse().unwrap();
    let off = (far_p50 - reached).num_days();
    assert!(reached < far_p10 && off > 7, "told {far_p10} to {far_p50}");
    let crossed = item(&app, &far, "USAGE").await;
    assert_eq!(day(&crossed["explanation"]["candidates"][0]["basis"]["crossedAt"]), reached);

    let errors = forecast_errors();
    let query = format!(
        "{{ fleetReport(periodStart: \"2026-01-01T00:00:00Z\", periodEnd: \"2026-12-31T00:00:00Z\") {{
            total {{ forecastError {{ {errors} }} }}
            byModelAndHorizon {{ model {{ name }} fromDays toDays forecastError {{ {errors} }} }}
        }} }}"
    );
    let found = app.gql(&query, json!({})).await["fleetReport"].take();
    let groups = found["byModelAndHorizon"].as_array().expect("groups");
    assert_eq!(groups.len(), 2, "{found:#}");
    let of = |model: &str| groups.iter().find(|group| group["model"]["name"] == model).expect("a group");
    let (near_group, far_group) = (of("NEAR-1"), of("FAR-1"));
    assert_eq!((&near_group["fromDays"], &near_group["toDays"]), (&json!(0), &json!(14)));
    assert_eq!((&far_group["fromDays"], &far_group["toDays"]), (&json!(61), &json!(120)));

    let days = off as f64;
    let near_errors = &near_group["forecastError"];
    assert_eq!((&near_errors["count"], &near_errors["medianAbsoluteDays"]), (&json!(1), &json!(0.0)));
    assert_eq!(share(&near_errors["intervalCoverage"]), (1.0, 1.0, Some(1.0)));
    assert_eq!(share(&near_errors["moreThan7DaysLate"]), (0.0, 1.0, Some(0.0)));
    assert_eq!(share(&near_errors["withinBand"]), (1.0, 1.0, Some(1.0)));
    let far_errors = &far_group["forecastError"];
    assert_eq!((&far_errors["count"], &far_errors["medianAbsoluteDays"]), (&json!(1), &json!(days)));
    assert_eq!(share(&far_errors["meanDays"]), (-days, 1.0, Some(-days)), "the counter was faster than told");
    assert_eq!(share(&far_errors["intervalCoverage"]), (0.0, 1.0, Some(0.0)));
    assert_eq!(share(&far_errors["moreThan7DaysLate"]), (1.0, 1.0, Some(1.0)));

    let total = &found["total"]["forecastError"];
    assert_eq!(total["count"], 2, "{found:#}");
    assert_eq!((&total["medianAbsoluteDays"], &total["p90AbsoluteDays"]), (&json!(days / 2.0), &json!(days)));
    assert_eq!(share(&total["intervalCoverage"]), (1.0, 2.0, Some(0.5)));
    assert_eq!(share(&total["moreThan7DaysLate"]), (1.0, 2.0, Some(0.5)));
    for device in [&near, &far] {
        file_length(&app, device).await;
    }
}

#[tokio::test]
async fn a_limit_that_was_crossed_is_told_as_a_date_and_not_as_a_forecast() {
    let app = TestApp::start_at(START).await;
    let till = till_of(&app, "HX-9", 15.0).await;
    app.set_clock("2026-05-12T02:00:00Z");
    app.read(&till, "TRANSACTIONS", 0.0, "2026-05-04T03:00:00Z").await;
    app.read(&till, "TRANSACTIONS", 400.0, "2026-05-11T03:00:00Z").await;
    make_plan(&app, "USAGE", &[usage(300)], json!({})).await;
    app.run_planner().await;
    let events = told(&app, &till, &["WORK_ORDER_ISSUED"]).await;
    assert_eq!(events.len(), 1, "{events:#?}");
    let payload = &events[0]["payload"];
    assert!(payload.get("dueOn").is_some() && payload.get("p50").is_none(), "{payload:#}");
}
