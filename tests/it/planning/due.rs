//! When something is due, worked out by hand, and why.

use super::*;
use crate::support::{at, instant, only};
use chrono::{Days, NaiveDate};

#[tokio::test]
async fn each_trigger_gives_its_civil_date_at_the_site_across_a_clock_change() {
    // Germany's clocks go forward at 02:00 on Sunday, 29 March.
    let app = TestApp::start_at("2026-03-23T09:00:00Z").await;
    let merchant = app.merchant("Chain").await;
    let berlin = app.site_in(&merchant, "Europe/Berlin").await;
    let shanghai = app.site(&merchant).await;
    let berlin = device_at(&app, &berlin, "B1", "2026-03-23T09:00:00Z").await;
    let shanghai = device_at(&app, &shanghai, "S1", "2026-03-23T09:00:00Z").await;
    make_plan(&app, "MONTHLY", &[grid("0 9 1 * *")], json!({})).await;
    make_plan(&app, "NIGHT", &[grid("30 2 * * 0")], json!({"earlyDays": 0, "lateDays": 0})).await;
    make_plan(&app, "DAYS", &[floating("P10D")], json!({})).await;
    make_plan(&app, "USAGE", &[usage(150)], json!({})).await;
    app.run_planner().await;

    for (device, code, due, from, until) in [
        (&berlin, "MONTHLY", "2026-04-01T07:00:00Z", "2026-03-25T08:00:00Z", "2026-04-08T21:59:59.999999Z"),
        // 02:30 does not exist that day; 03:00 is the first moment after it.
        (&berlin, "NIGHT", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T21:59:59.999999Z"),
        (&berlin, "DAYS", "2026-04-01T22:00:00Z", "2026-03-25T23:00:00Z", "2026-04-09T21:59:59.999999Z"),
        (&berlin, "USAGE", "2026-04-01T22:00:00Z", "2026-03-25T23:00:00Z", "2026-04-09T21:59:59.999999Z"),
        (&shanghai, "MONTHLY", "2026-04-01T01:00:00Z", "2026-03-25T01:00:00Z", "2026-04-08T15:59:59.999999Z"),
        (&shanghai, "NIGHT", "2026-03-28T18:30:00Z", "2026-03-28T18:30:00Z", "2026-03-29T15:59:59.999999Z"),
        (&shanghai, "DAYS", "2026-04-01T16:00:00Z", "2026-03-25T16:00:00Z", "2026-04-09T15:59:59.999999Z"),
        (&shanghai, "USAGE", "2026-04-01T16:00:00Z", "2026-03-25T16:00:00Z", "2026-04-09T15:59:59.999999Z"),
    ] {
        let item = item(&app, device, code).await;
        let found = ["dueAt", "windowStart", "windowEnd"].map(|field| instant(&item[field]));
        assert_eq!(found, [due, from, until].map(at), "{code}: {item:#}");
    }
    // A device that was never read is planned by its model's rate, and says so.
    let explanation = &item(&app, &berlin, "USAGE").await["explanation"];
    let basis = &explanation["candidates"][0]["basis"];
    assert_eq!((&basis["source"], &basis["unitsPerDay"]), (&json!("PLANNING"), &json!(15.0)));
    assert!(basis["lastReadingAt"].is_null(), "{basis:#}");
    let summary = text(&explanation["summary"]);
    assert!(summary.contains("about 15.0 a day (its model's planning rate, assumed), no reading yet"), "{summary}");
}

#[tokio::test]
async fn a_day_without_a_midnight_begins_at_its_first_instant() {
    // In Cairo 24 April begins at 01:00.
    let app = TestApp::start_at("2026-04-14T08:00:00Z").await;
    let site = site_with(&app, json!({"timeZone": "Africa/Cairo"})).await;
    let device = device_at(&app, &site, "C1", "2026-04-14T08:00:00Z").await;
    make_plan(&app, "DAYS", &[floating("P10D")], json!({})).await;
    app.run_planner().await;
    assert_eq!(instant(&item(&app, &device, "DAYS").await["dueAt"]), at("2026-04-23T22:00:00Z"));
    let again = app.run_planner_in_full().await;
    assert_eq!(again["itemsWritten"], 0, "what is stored is what was decided: {again:#}");
}

#[tokio::test]
async fn the_earliest_trigger_wins_and_the_explanation_lists_them_all() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let triggers = [grid("0 9 1 * *"), floating("P40D"), usage(450)];
    let plan = make_plan(&app, "CLEAN", &triggers, json!({"leadDays": 0})).await;
    app.run_planner().await;

    let check = async |winner: &str, due: &str, candidates: [&str; 3]| {
        let item = item(&app, &till.device, "CLEAN").await;
        let explanation = &item["explanation"];
        assert_eq!((&explanation["trigger"], instant(&item["dueAt"])), (&json!(winner), at(due)));
        let listed = explanation["candidates"].as_array().expect("a list");
        let found: Vec<_> = listed.iter().map(|c| (text(&c["trigger"]), instant(&c["dueAt"]))).collect();
        let kinds = ["CALENDAR_FIXED", "CALENDAR_FLOATING", "USAGE"];
        let expected: Vec<_> =
            kinds.into_iter().zip(candidates).map(|(kind, due)| (kind.to_owned(), at(due))).collect();
        assert_eq!(found, expected);
        text(&explanation["summary"])
    };
    // 1 June; 40 days and 450 at 15 a day, both from 4 May.
    let dates = ["2026-06-01T01:00:00Z", "2026-06-12T16:00:00Z", "2026-06-02T16:00:00Z"];
    let summary = check("CALENDAR_FIXED", dates[0], dates).await;
    for part in ["Due 2026-06-01", "on the 1st of every month", "(40 days) it would be 2026-06-13", "2026-06-03"] {
        assert!(summary.contains(part), "no \"{part}\" in: {summary}");
    }
    // One completion resets all three: 1 July; 40 and 30 days from 26 May.
    app.set_clock("2026-05-26T02:00:00Z");
    let technician = app.technician("Li Wei").await;
    let line = json!({"deviceId": till.device, "planIds": [plan]});
    app.log_visit(&till.site, &technician, "2026-05-26T02:00:00Z", vec![line]).await;
    let dates = ["2026-07-01T01:00:00Z", "2026-07-04T16:00:00Z", "2026-06-24T16:00:00Z"];
    check("USAGE", dates[2], dates).await;
}

#[tokio::test]
async fn a_closed_day_moves_a_date_earlier_inside_its_band_and_else_later() {
    let app = TestApp::start_at(START).await;
    let site = site_with(&app, json!({"closedDays": ["2026-06-02", "2026-06-03"]})).await;
    let device = device_at(&app, &site, "HX1", START).await;
    make_plan(&app, "EARLIER", &[floating("P30D")], json!({"earlyDays": 3, "lateDays": 0})).await;
    make_plan(&app, "LATER", &[floating("P30D")], json!({"earlyDays": 0, "lateDays": 0})).await;
    make_plan(&app, "GRID", &[grid("0 9 3 * *")], json!({"earlyDays": 3, "lateDays": 0})).await;
    app.run_planner().await;

    for (code, nominal, due, until, words) in [
        ("EARLIER", "2026-06-02T16:00:00Z", "2026-05-31T16:00:00Z", "2026-06-03T15:59:59.999999Z", "brought forward"),
        ("LATER", "2026-06-02T16:00:00Z", "2026-06-03T16:00:00Z", "2026-06-04T15:59:59.999999Z", "put off"),
        ("GRID", "2026-06-03T01:00:00Z", "2026-06-01T01:00:00Z", "2026-06-03T15:59:59.999999Z", "brought forward"),
    ] {
        let item = item(&app, &device, code).await;
        assert_eq!(instant(&item["dueAt"]), at(due), "{code}");
        assert_eq!(instant(&item["windowEnd"]), at(until), "{code}");
        let explanation = &item["explanation"];
        let moved = only(&explanation["adjustments"]);
        assert_eq!((&moved["kind"], &moved["reason"]), (&json!("CLOSED_DAY"), &json!(null)));
        assert_eq!((instant(&moved["from"]), instant(&moved["to"])), (at(nominal), at(due)), "{code}");
        let (summary, words) = (text(&explanation["summary"]), format!("{words} from 2026-06-03"));
        assert!(summary.contains(&words), "no \"{words}\" in: {summary}");
    }
}

#[tokio::test]
async fn a_site_that_does_not_open_for_a_year_has_no_date_and_says_so() {
    let app = TestApp::start_at(START).await;
    let first: NaiveDate = "2026-05-27".parse().expect("a date");
    let closed: Vec<String> = (0..380).map(|n| (first + Days::new(n)).to_string()).collect();
    let site = site_with(&app, json!({"closedDays": closed})).await;
    let device = device_at(&app, &site, "HX1", START).await;
    make_plan(&app, "DAYS", &[floating("P30D")], json!({})).await;
    app.set_clock("2026-06-10T02:00:00Z");
    let run = app.run_planner().await;
    assert_eq!((&run["itemsWritten"], &run["ordersIssued"]), (&json!(1), &json!(0)));

    let found = item(&app, &device, "DAYS").await;
    let explanation = &found["explanation"];
    let nominal = "2026-06-02T16:00:00Z";
    let moved = only(&explanation["adjustments"]);
    assert_eq!(moved["kind"], "NO_PERMITTED_DAY");
    assert_eq!((instant(&moved["from"]), instant(&moved["to"])), (at(nominal), at(nominal)));
    let summary = text(&explanation["summary"]);
    assert!(summary.starts_with("No date: "), "{summary}");
    assert!(summary.contains("no day within 366 days of 2026-06-03 is permitted"), "{summary}");
    for field in ["dueAt", "windowStart", "windowEnd"] {
        assert!(found[field].is_null(), "{field} without a date: {found:#}");
    }
    let query = r#"{ upcomingMaintenance(dueBefore: "2099-01-01T00:00:00Z") { nodes { id } } }"#;
    assert_eq!(app.gql(query, json!({})).await["upcomingMaintenance"]["nodes"], json!([]));
    assert_eq!(app.run_planner_in_full().await["itemsWritten"], 0);

    app.mutate("updateSite", "", json!({"siteId": site, "closedDays": []})).await;
    assert_eq!(app.run_planner().await["ordersIssued"], 1);
    assert_eq!(instant(&item(&app, &device, "DAYS").await["dueAt"]), at(nominal));
}
