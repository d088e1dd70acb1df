//! Moments that cannot be: no date at all, another century, the future, before what went before.

use super::world::{World, with};
use super::{Case, query_code, refused_all};
use crate::support::{TestApp, text};
use serde_json::{Value, json};

/// Every moment a mutation takes, and whether it may lie in the future.
const MOMENTS: [(&str, &str, bool); 10] = [
    ("installDevice", "installedAt", false),
    ("relocateDevice", "relocatedAt", false),
    ("removeDevice", "removedAt", false),
    ("swapDevice", "swappedAt", false),
    ("changeDeviceStatus", "changedAt", false),
    ("createWorkOrder", "dueAt", true),
    ("scheduleWorkOrder", "scheduledFor", true),
    ("logServiceVisit", "startedAt", false),
    ("logServiceVisit", "endedAt", false),
    ("logServiceVisit", "lines.0.performedAt", false),
];

/// A good request for each moment, with a bad one in its place.
fn each(world: &World, bad: &[Value], code: &'static str, is_future: bool) -> Vec<Case<'static>> {
    let mut cases = Vec::new();
    for (mutation, path, _) in MOMENTS.into_iter().filter(|(.., may_be_future)| !(is_future && *may_be_future)) {
        for value in bad {
            // What cannot be read is no refusal of the product's, and has no field.
            let field = if code == "BAD_USER_INPUT" { "" } else { path };
            cases.push((mutation, with(world.input(mutation), path, value.clone()), code, field));
        }
    }
    cases
}

#[tokio::test]
async fn what_is_no_moment_cannot_be_read() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let bad = [
        json!("2026-02-30T00:00:00Z"),
        json!("2026-05-04T25:00:00Z"),
        json!("2026-05-04T02:00:00"),
        json!("yesterday"),
        json!(""),
        json!(1_777_860_000),
    ];
    refused_all(&app, each(&world, &bad, "BAD_USER_INPUT", false)).await;
}

#[tokio::test]
async fn another_century_is_refused() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let bad = [
        json!("9999-12-31T23:59:59Z"),
        json!("2100-01-01T00:00:00Z"),
        json!("1999-12-31T23:59:59Z"),
        json!("+262142-01-01T00:00:00Z"),
    ];
    refused_all(&app, each(&world, &bad, "INVALID_INSTANT", false)).await;
}

#[tokio::test]
async fn the_future_is_refused_where_something_was_done() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    // Clocks of devices may be ten minutes ahead.
    refused_all(&app, each(&world, &[json!("2026-05-04T08:10:01Z")], "INVALID_INSTANT", true)).await;
    app.install(&world.stock, &world.free[0], "2026-05-04T08:10:00Z").await;
}

#[tokio::test]
async fn nothing_is_done_before_what_was_done_last() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let early = json!("2026-05-04T00:59:59Z");
    let of_device = |mutation: &str, path: &str| {
        let device = if mutation == "swapDevice" { "oldDeviceId" } else { "deviceId" };
        with(with(world.input(mutation), path, early.clone()), device, json!(world.fielded.device))
    };
    let to_suspended = with(of_device("changeDeviceStatus", "changedAt"), "status", json!("SUSPENDED"));
    refused_all(
        &app,
        vec![
            ("relocateDevice", of_device("relocateDevice", "relocatedAt"), "INVALID_INSTANT", "relocatedAt"),
            ("removeDevice", of_device("removeDevice", "removedAt"), "INVALID_INSTANT", "removedAt"),
            ("swapDevice", of_device("swapDevice", "swappedAt"), "INVALID_INSTANT", "swappedAt"),
            ("changeDeviceStatus", to_suspended, "INVALID_INSTANT", "changedAt"),
            (
                "logServiceVisit",
                with(world.input("logServiceVisit"), "endedAt", json!("2026-05-04T01:59:59Z")),
                "INVALID_INSTANT",
                "endedAt",
            ),
        ],
    )
    .await;

    // A position cannot be filled before it was left, nor a device put up before it was taken down.
    app.mutate("removeDevice", "", with(world.input("removeDevice"), "status", json!("IN_STOCK"))).await;
    let here = json!({
        "deviceId": world.stock, "positionId": world.fielded.position, "installedAt": "2026-05-04T03:59:59Z",
    });
    let again = with(with(here.clone(), "deviceId", json!(world.fielded.device)), "positionId", json!(world.free[0]));
    let cases = [here, again].map(|input| ("installDevice", input, "INVALID_INSTANT", "installedAt"));
    refused_all(&app, cases.into()).await;
}

#[tokio::test]
async fn an_impossible_day_is_refused() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let mut cases = Vec::new();
    for day in ["2026-02-30", "2026-13-01", "tomorrow", "2026-05-04T00:00:00Z"] {
        let closed = with(world.input("createSite"), "closedDays", json!([day]));
        cases.push(("createSite", closed, "BAD_USER_INPUT", ""));
        let until = with(world.input("postponeOccurrence"), "until", json!(day));
        cases.push(("postponeOccurrence", until, "BAD_USER_INPUT", ""));
    }
    for day in ["9999-12-31", "1999-12-31", "+262142-12-31", "-262143-01-01"] {
        let until = with(world.input("postponeOccurrence"), "until", json!(day));
        cases.push(("postponeOccurrence", until, "INVALID_INSTANT", "until"));
    }
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn a_query_says_how_to_write_a_moment_and_refuses_other_centuries() {
    let app = TestApp::start().await;
    let device = app.fielded("HX1", "2026-05-04T01:00:00Z").await.device;
    let answer = app.try_gql(r#"{ occupantAt(terminalNumber: "THX1", at: "2026-02-30") { id } }"#, json!({})).await;
    let message = text(&answer["errors"][0]["message"]);
    assert!(message.contains("2026-11-24T09:00:00"), "{message}");
    for at in ["9999-12-31T23:59:59Z", "+262142-12-31T23:59:59Z", "1999-12-31T23:59:59Z", "2026-02-30T00:00:00Z"] {
        for query in [
            r#"occupantAt(terminalNumber: "THX1", at: $at) { id }"#,
            "devices(filter: { silentSince: $at }) { totalCount }",
            "upcomingMaintenance(dueBefore: $at) { totalCount }",
            "workOrders(filter: { dueBefore: $at }) { totalCount }",
            "workOrders(filter: { scheduledFrom: $at }) { totalCount }",
            "workOrders(filter: { createdBefore: $at }) { totalCount }",
            "serviceVisits(filter: { startedFrom: $at }) { totalCount }",
            "device(id: $id) { history(occurredFrom: $at) { totalCount } }",
        ] {
            let query = format!("query($at: DateTime!, $id: ID!) {{ {query} node(id: $id) {{ id }} }}");
            let code = query_code(&app, &query, json!({"at": at, "id": device})).await;
            assert_eq!(code, "BAD_USER_INPUT", "{at} in {query}");
        }
    }
}
