//! Freeze periods: days on which work stands still.

use crate::bad_input::refused_all;
use crate::bad_input::world::with;
use crate::support::{TestApp, text};
use serde_json::{Value, json};

const FIELDS: &str = "code name { en zh } startsOn endsOn regionCodes channels version";

fn sale() -> Value {
    json!({
        "code": "DOUBLE-11",
        "name": {"en": "Singles' Day", "zh": "双11"},
        "startsOn": "2026-11-01",
        "endsOn": "2026-11-12",
        "regionCodes": ["44", "31"],
        "channels": ["REMOTE", "FIELD"],
    })
}

async fn put(app: &TestApp, input: Value) -> Value {
    app.mutate("putFreezePeriod", &format!("freezePeriod {{ {FIELDS} }}"), input).await["freezePeriod"].take()
}

async fn freeze_periods(app: &TestApp) -> Value {
    app.gql(&format!("{{ freezePeriods {{ {FIELDS} }} }}"), json!({})).await["freezePeriods"].take()
}

#[tokio::test]
async fn a_freeze_period_is_added_changed_and_removed() {
    let app = TestApp::start().await;
    let made = put(&app, sale()).await;
    let expected = json!({
        "code": "DOUBLE-11", "name": {"en": "Singles' Day", "zh": "双11"},
        "startsOn": "2026-11-01", "endsOn": "2026-11-12",
        "regionCodes": ["31", "44"], "channels": ["FIELD", "REMOTE"], "version": 1,
    });
    assert_eq!(made, expected);
    // An earlier one stands before it; without regions and channels it is for all.
    let spring = json!({
        "code": "SPRING", "name": {"en": "Spring Festival", "zh": "春节"},
        "startsOn": "2026-02-10", "endsOn": "2026-02-24",
    });
    let spring = put(&app, spring).await;
    assert_eq!((&spring["regionCodes"], &spring["channels"]), (&json!([]), &json!([])));
    assert_eq!(freeze_periods(&app).await, json!([spring, made]));

    let longer = with(with(sale(), "endsOn", json!("2026-11-15")), "expectedVersion", json!(1));
    let longer = put(&app, longer).await;
    assert_eq!((&longer["endsOn"], &longer["version"]), (&json!("2026-11-15"), &json!(2)));

    let payload = app.mutate("removeFreezePeriod", "freezePeriod { code endsOn }", json!({"code": "DOUBLE-11"})).await;
    assert_eq!(payload["freezePeriod"], json!({"code": "DOUBLE-11", "endsOn": "2026-11-15"}), "as it was");
    assert_eq!(freeze_periods(&app).await, json!([spring]));
}

#[tokio::test]
async fn a_freeze_period_asks_the_planner_to_look_at_everything_again() {
    let app = TestApp::start().await;
    app.fielded("HX1", "2026-05-04T01:00:00Z").await;
    app.plan_usage_or_days("CLEAN", 20_000.0, "P90D").await;
    app.run_planner().await;
    assert_eq!(app.run_planner().await["subjectCount"], 0);
    put(&app, sale()).await;
    assert_eq!(app.run_planner().await["subjectCount"], 2, "the device and its site");
    assert_eq!(app.run_planner().await["subjectCount"], 0);
    app.mutate("removeFreezePeriod", "", json!({"code": "DOUBLE-11"})).await;
    assert_eq!(app.run_planner().await["subjectCount"], 2);
}

#[tokio::test]
async fn a_freeze_period_that_cannot_be_is_refused() {
    let app = TestApp::start().await;
    put(&app, sale()).await;
    let of = |path: &str, value: Value| ("putFreezePeriod", with(sale(), path, value));
    let mut cases = Vec::new();
    for ((mutation, input), code, field) in [
        (of("endsOn", json!("2026-10-31")), "INVALID", "endsOn"),
        (of("endsOn", json!("2027-03-01")), "INVALID", "endsOn"),
        (of("startsOn", json!("1999-12-31")), "INVALID_INSTANT", "startsOn"),
        (of("endsOn", json!("2100-01-01")), "INVALID_INSTANT", "endsOn"),
        (of("code", json!(" ")), "REQUIRED", "code"),
        (of("regionCodes", json!([""])), "REQUIRED", "regionCodes"),
        (of("regionCodes", json!(vec!["44"; 501])), "TOO_MANY", "regionCodes"),
        (of("expectedVersion", json!(2)), "CONFLICT", "expectedVersion"),
        (("removeFreezePeriod", json!({"code": "TRIPLE-12"})), "NOT_FOUND", "code"),
        (("removeFreezePeriod", json!({"code": "DOUBLE-11", "expectedVersion": 7})), "CONFLICT", "expectedVersion"),
    ] {
        cases.push((mutation, input, code, field));
    }
    // A version of what is not there.
    let unknown = with(with(sale(), "code", json!("TRIPLE-12")), "expectedVersion", json!(1));
    cases.push(("putFreezePeriod", unknown, "NOT_FOUND", "code"));
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn a_freeze_period_of_a_hundred_and_twenty_days_is_taken_and_a_day_more_is_not() {
    let app = TestApp::start().await;
    let from_january = with(sale(), "startsOn", json!("2026-01-01"));
    put(&app, with(from_january.clone(), "endsOn", json!("2026-04-30"))).await;
    let (code, message, field) =
        app.refused("putFreezePeriod", with(from_january, "endsOn", json!("2026-05-01"))).await;
    assert_eq!((code.as_str(), field.as_slice()), ("INVALID", ["input".to_owned(), "endsOn".to_owned()].as_slice()));
    assert!(message.contains("121 days") && message.contains("at most 120"), "{message}");
}

#[tokio::test]
async fn a_stale_version_shows_the_freeze_period_as_it_is() {
    let app = TestApp::start().await;
    put(&app, sale()).await;
    let shown = "freezePeriod { code version }";
    let stale = with(with(sale(), "code", json!(" DOUBLE-11 ")), "expectedVersion", json!(3));
    for (mutation, input) in
        [("putFreezePeriod", stale), ("removeFreezePeriod", json!({"code": "DOUBLE-11", "expectedVersion": 0}))]
    {
        let payload = app.payload(mutation, shown, input).await;
        assert_eq!(text(&payload["userErrors"][0]["code"]), "CONFLICT", "{mutation}");
        assert_eq!(payload["freezePeriod"], json!({"code": "DOUBLE-11", "version": 1}), "{mutation}");
    }
}

#[tokio::test]
async fn the_same_removal_sent_again_answers_the_same() {
    let app = TestApp::start().await;
    put(&app, sale()).await;
    let input = json!({"code": "DOUBLE-11", "idempotencyKey": "once"});
    let first = app.mutate("removeFreezePeriod", "freezePeriod { code version }", input.clone()).await;
    let again = app.mutate("removeFreezePeriod", "freezePeriod { code version }", input).await;
    assert_eq!(first, again);
    assert_eq!(freeze_periods(&app).await, json!([]));
}
