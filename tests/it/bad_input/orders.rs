//! Work orders and occurrences: moves that are not theirs to make.

use super::world::{World, compliance, with};
use super::{Case, refused_all};
use crate::support::TestApp;
use serde_json::{Value, json};

fn change(order: &str, state: &str) -> Value {
    json!({"workOrderId": order, "state": state, "reason": "because"})
}

fn schedule(order: &str) -> Value {
    json!({"workOrderId": order, "scheduledFor": "2026-05-19T02:00:00Z"})
}

fn to(order: &str, state: &str, code: &'static str) -> Case<'static> {
    ("changeWorkOrderState", change(order, state), code, "state")
}

#[tokio::test]
async fn an_order_is_completed_by_a_visit_and_skipped_by_skipping_whatever_its_state() {
    let app = TestApp::start().await;
    let World { order, .. } = World::make(&app).await;
    for state in ["PLANNED", "SCHEDULED", "DISPATCHED", "IN_PROGRESS", "CANCELLED"] {
        match state {
            "PLANNED" => {}
            "SCHEDULED" => {
                app.mutate("scheduleWorkOrder", "", schedule(&order)).await;
            }
            _ => {
                app.mutate("changeWorkOrderState", "", change(&order, state)).await;
            }
        }
        let cases = vec![
            to(&order, "COMPLETED", "COMPLETION_NEEDS_VISIT"),
            to(&order, "SKIPPED", "SKIP_NEEDS_SKIP_OCCURRENCE"),
        ];
        refused_all(&app, cases).await;
    }
}

#[tokio::test]
async fn an_order_moves_only_along_its_states() {
    let app = TestApp::start().await;
    let World { order, .. } = World::make(&app).await;
    let way: [(&str, &[&str]); 4] = [
        ("PLANNED", &["PLANNED", "DISPATCHED", "ON_HOLD"]),
        ("IN_PROGRESS", &["IN_PROGRESS", "PLANNED", "SCHEDULED", "DISPATCHED"]),
        ("ON_HOLD", &["ON_HOLD", "PLANNED", "DISPATCHED"]),
        ("CANCELLED", &["CANCELLED", "PLANNED", "SCHEDULED", "DISPATCHED", "IN_PROGRESS", "ON_HOLD"]),
    ];
    for (state, not_from_here) in way {
        if state != "PLANNED" {
            app.mutate("changeWorkOrderState", "", change(&order, state)).await;
        }
        let mut cases: Vec<Case<'_>> =
            not_from_here.iter().map(|next| to(&order, next, "ILLEGAL_TRANSITION")).collect();
        if matches!(state, "IN_PROGRESS" | "CANCELLED") {
            cases.push(("scheduleWorkOrder", schedule(&order), "ILLEGAL_TRANSITION", "workOrderId"));
        }
        refused_all(&app, cases).await;
    }
}

#[tokio::test]
async fn to_cancel_or_to_hold_an_order_takes_a_reason() {
    let app = TestApp::start().await;
    let World { order, .. } = World::make(&app).await;
    let without = |state: &str| json!({"workOrderId": order, "state": state});
    refused_all(&app, vec![("changeWorkOrderState", without("CANCELLED"), "REQUIRED", "reason")]).await;
    app.mutate("changeWorkOrderState", "", without("IN_PROGRESS")).await;
    refused_all(&app, vec![("changeWorkOrderState", without("ON_HOLD"), "REQUIRED", "reason")]).await;
}

#[tokio::test]
async fn an_order_is_for_a_device_or_a_site() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let order = world.input("createWorkOrder");
    let both = with(order.clone(), "siteId", json!(world.fielded.site));
    let cases = vec![
        ("createWorkOrder", both, "INVALID", "deviceId"),
        ("createWorkOrder", with(order, "deviceId", Value::Null), "REQUIRED", "deviceId"),
    ];
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn only_what_is_due_can_be_skipped_or_postponed() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let by_order =
        |mutation: &str| with(with(world.input(mutation), "itemId", Value::Null), "workOrderId", json!(world.order));
    let both = |mutation: &str| with(world.input(mutation), "workOrderId", json!(world.order));
    let neither = |mutation: &str| with(world.input(mutation), "itemId", Value::Null);
    let until = |day: &str| with(world.input("postponeOccurrence"), "until", json!(day));
    refused_all(
        &app,
        vec![
            // An order made by hand serves no item.
            ("skipOccurrence", by_order("skipOccurrence"), "OCCURRENCE_NOT_CURRENT", ""),
            ("postponeOccurrence", by_order("postponeOccurrence"), "OCCURRENCE_NOT_CURRENT", ""),
            ("skipOccurrence", both("skipOccurrence"), "REQUIRED", "itemId"),
            ("postponeOccurrence", both("postponeOccurrence"), "REQUIRED", "itemId"),
            ("skipOccurrence", neither("skipOccurrence"), "REQUIRED", "itemId"),
            ("postponeOccurrence", neither("postponeOccurrence"), "REQUIRED", "itemId"),
            // Due on 2 August.
            ("postponeOccurrence", until("2026-08-02"), "INVALID", "until"),
            ("postponeOccurrence", until("2026-07-01"), "INVALID", "until"),
            ("postponeOccurrence", until("2027-08-04"), "INVALID", "until"),
        ],
    )
    .await;
    app.mutate("changeWorkOrderState", "", change(&world.order, "CANCELLED")).await;
    let closed = by_order("skipOccurrence");
    refused_all(&app, vec![("skipOccurrence", closed, "ILLEGAL_TRANSITION", "workOrderId")]).await;
}

#[tokio::test]
async fn a_compliance_plan_is_not_skipped_without_a_waiver() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let (item, order) = compliance(&app, &world.fielded.device).await;
    let skip = json!({"itemId": item, "reason": "shop is closed"});
    let by_order = json!({"workOrderId": order, "reason": "shop is closed"});
    // Due on 2 August, its band ends on the 5th.
    let postpone = |day: &str| json!({"itemId": item, "until": day, "reason": "shop is closed"});
    refused_all(
        &app,
        vec![
            ("skipOccurrence", skip.clone(), "WAIVER_REQUIRED", "waiver"),
            ("skipOccurrence", with(skip, "waiver", json!("  ")), "WAIVER_REQUIRED", "waiver"),
            ("skipOccurrence", by_order, "WAIVER_REQUIRED", "waiver"),
            ("postponeOccurrence", postpone("2026-08-06"), "WAIVER_REQUIRED", "waiver"),
            // This mutation takes no waiver.
            ("changeWorkOrderState", change(&order, "CANCELLED"), "WAIVER_REQUIRED", "reissue"),
        ],
    )
    .await;
    app.mutate("postponeOccurrence", "", postpone("2026-08-05")).await;
    let reissued = with(change(&order, "CANCELLED"), "reissue", json!(true));
    app.mutate("changeWorkOrderState", "", reissued).await;
}

#[tokio::test]
async fn an_order_beyond_skipping_stays_and_nothing_is_logged() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let (_, order) = compliance(&app, &world.fielded.device).await;
    app.mutate("changeWorkOrderState", "", change(&order, "IN_PROGRESS")).await;
    let skip = json!({"workOrderId": order, "reason": "shop is closed", "waiver": "approved by Li"});
    refused_all(&app, vec![("skipOccurrence", skip, "ILLEGAL_TRANSITION", "workOrderId")]).await;
}
