//! The nightly refresh: what is chosen is kept, and a night costs what changed.

use super::hours::read_two_weeks;
use crate::statements::{fleet, read_all};
use crate::support::TestApp;
use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use serde_json::json;
use tillkeep::kernel::clock::Clock;
use tillkeep::usage::service::Refreshed;

/// Three devices with two weeks of readings, and their ids.
async fn shops(app: &TestApp) -> Vec<String> {
    let mut devices = Vec::new();
    for serial in ["A", "B", "C"] {
        let made = app.fielded(serial, "2026-04-01T02:00:00Z").await;
        read_two_weeks(app, &made.device, 1).await;
        devices.push(made.device);
    }
    devices
}

/// Subjects the planner looks at because of marks.
async fn looked_at(app: &TestApp) -> u64 {
    app.run_planner().await["subjectCount"].as_u64().unwrap()
}

#[tokio::test]
async fn a_second_refresh_writes_nothing_and_marks_nobody() {
    let app = TestApp::start().await;
    shops(&app).await;
    looked_at(&app).await;
    let expected = Refreshed {
        pools_published: 1,
        fits_written: 3,
        fits_removed: 0,
        profiles_written: 3,
        devices_marked: 3,
        series_looked_at: 3,
    };
    assert_eq!(app.refresh_forecasts().await, expected);
    assert_eq!(looked_at(&app).await, 3);
    for later in [TimeDelta::zero(), TimeDelta::hours(1), TimeDelta::days(30)] {
        app.clock.advance(later);
        assert_eq!(app.refresh_forecasts().await, Refreshed::default(), "{later} later");
        assert_eq!(looked_at(&app).await, 0);
    }
}

#[tokio::test]
async fn a_device_that_was_never_read_is_looked_at_again_when_its_pool_is_new() {
    let app = TestApp::start().await;
    shops(&app).await;
    app.fielded("UNREAD", "2026-04-01T02:00:00Z").await;
    looked_at(&app).await;
    let done = app.refresh_forecasts().await;
    assert_eq!((done.pools_published, done.fits_written, done.devices_marked), (1, 3, 4), "{done:?}");
    assert_eq!(looked_at(&app).await, 4);
    assert_eq!(app.refresh_forecasts().await, Refreshed::default());
}

#[tokio::test]
async fn only_devices_with_new_readings_are_fitted_again() {
    let app = TestApp::start().await;
    let devices = shops(&app).await;
    app.refresh_forecasts().await;
    looked_at(&app).await;
    app.clock.advance(TimeDelta::days(1));
    app.read(&devices[1], "TRANSACTIONS", 5_100.0, "2026-05-05T07:00:00Z").await;
    looked_at(&app).await;
    let done = app.refresh_forecasts().await;
    assert_eq!((done.series_looked_at, done.pools_published), (1, 0));
    assert!(done.fits_written <= 1 && done.devices_marked == done.fits_written, "{done:?}");
    assert_eq!(done.profiles_written, 0, "its hours were looked for yesterday");
    assert_eq!(app.refresh_forecasts().await, Refreshed::default());
}

#[tokio::test]
async fn hours_are_looked_for_anew_after_a_week_and_told_only_when_they_are_others() {
    let app = TestApp::start().await;
    let devices = shops(&app).await;
    app.refresh_forecasts().await;
    let hours_as_of = async |at: &str| {
        let sql = format!("select 1 from usage_fit where hours_as_of >= '{at}'");
        let statement = sea_orm::Statement::from_string(app.db().reader().get_database_backend(), sql);
        app.db().reader().query_all_raw(statement).await.unwrap().len()
    };
    assert_eq!(hours_as_of("2026-05-05").await, 0);
    app.clock.advance(TimeDelta::days(2));
    app.read(&devices[0], "TRANSACTIONS", 5_050.0, "2026-05-06T07:00:00Z").await;
    app.refresh_forecasts().await;
    assert_eq!(hours_as_of("2026-05-05").await, 0, "a week has not passed");
    // It was read since; the others were not.
    app.clock.advance(TimeDelta::days(6));
    let done = app.refresh_forecasts().await;
    assert_eq!((done.series_looked_at, done.profiles_written, done.devices_marked), (1, 0, 0));
    assert_eq!(hours_as_of("2026-05-05").await, 1);
    assert_eq!(app.refresh_forecasts().await, Refreshed::default());
}

#[tokio::test]
async fn a_new_version_of_a_pool_is_published_and_its_users_are_marked_in_slices() {
    const YOUNG: usize = 520;
    const KEEPS: u64 = 10;
    let app = TestApp::start_at("2026-05-04T02:00:00Z").await;
    let young = fleet(&app, YOUNG).await;
    let mut old = Vec::new();
    for serial in ["OLD1", "OLD2", "OLD3", "OLD4", "OLD5"] {
        old.push(app.fielded(serial, "2026-05-04T02:00:00Z").await.device);
    }
    let mut life = 0.0;
    // What the old ones do in three weeks of so many units a day: enough of them to borrow from.
    let mut three_weeks = async |per_day: f64| {
        let begin = app.clock.now();
        let mut rows = Vec::new();
        for day in 1..=21 {
            life += per_day;
            let read_at = begin + TimeDelta::days(day) + TimeDelta::hours(13);
            rows.extend(old.iter().map(|device| (device.as_str(), "TRANSACTIONS", life, read_at.to_rfc3339())));
        }
        app.clock.advance(TimeDelta::days(22));
        assert_eq!(app.read_many(rows).await["acceptedCount"], 5 * 21);
    };
    three_weeks(100.0).await;
    let read_at = (app.clock.now() - TimeDelta::hours(1)).to_rfc3339();
    read_all(&app, &young, 10.0, &read_at).await;
    let done = app.refresh_forecasts().await;
    assert_eq!((done.pools_published, done.fits_written, done.devices_marked), (1, 525, 525), "{done:?}");
    looked_at(&app).await;

    three_weeks(2_000.0).await;
    let before = app.db().statement_count();
    let done = app.refresh_forecasts().await;
    let cost = app.db().statement_count() - before;
    // The young ones were not read, but borrow from what the old ones did.
    assert_eq!((done.pools_published, done.series_looked_at, done.devices_marked), (1, 525, 525), "{done:?}");
    assert!(cost < 100, "{cost} statements for 525 devices");
    assert_eq!(app.refresh_forecasts().await, Refreshed::default());

    for n in 1_u32..=12 {
        three_weeks(if n % 2 == 0 { 2_000.0 } else { 10.0 }).await;
        app.refresh_forecasts().await;
    }
    let sql = "select version from usage_pool order by version";
    let statement = sea_orm::Statement::from_string(app.db().reader().get_database_backend(), sql);
    let rows = app.db().reader().query_all_raw(statement).await.unwrap();
    let versions: Vec<i64> = rows.iter().map(|row| row.try_get("", "version").unwrap()).collect();
    assert!(versions.len() as u64 <= KEEPS && versions.first() > Some(&1), "{versions:?}");
    assert!(versions.windows(2).all(|pair| pair[1] == pair[0] + 1), "{versions:?}");
}

#[tokio::test]
async fn a_fit_goes_with_the_readings_of_its_device() {
    let app = TestApp::start_at("2026-05-04T00:00:00Z").await;
    let old = app.fielded("HX1", "2026-05-04T00:00:00Z").await;
    let new = app.device(&old.model, "HX2").await;
    app.set_clock("2026-05-06T12:00:00Z");
    assert_eq!(app.refresh_forecasts().await, Refreshed::default(), "nothing was read of anybody");
    let by_terminal = |value: f64, read_at: &str| json!({"terminalNumber": "THX1", "meter": "TRANSACTIONS", "value": value, "readAt": read_at});
    let readings = json!([by_terminal(3.0, "2026-05-06T04:00:00Z"), by_terminal(40.0, "2026-05-06T11:00:00Z")]);
    app.mutate("recordReadings", "acceptedCount", json!({"readings": readings})).await;
    assert_eq!(app.refresh_forecasts().await.fits_written, 1);
    looked_at(&app).await;

    app.clock.advance(TimeDelta::hours(1));
    let swap = json!({
        "oldDeviceId": old.device, "newDeviceId": new, "swappedAt": "2026-05-06T03:20:00Z",
        "reason": "Reader worn out", "oldDeviceStatus": "IN_REPAIR",
    });
    app.mutate("swapDevice", "newDevice { id }", swap).await;
    let done = app.refresh_forecasts().await;
    assert_eq!((done.fits_removed, done.fits_written, done.devices_marked), (1, 1, 2), "{done:?}");
    assert_eq!(app.refresh_forecasts().await, Refreshed::default());
}
