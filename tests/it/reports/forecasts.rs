//! Usage forecasts against what came.

use super::*;
use crate::planning::{item, make_plan, open_order, order, usage};
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
