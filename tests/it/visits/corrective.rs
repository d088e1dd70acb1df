//! Failed steps open corrective orders, and corrective work counts for the plans it did.

use super::*;
use crate::planning::{START, floating, item, make_plan, open_order, order, orders, told};
use crate::support::{at, instant};

const VISIT: &str = "2026-05-06T02:00:00Z";

/// A plan whose only step opens a corrective order when the voltage is off.
async fn power_check(app: &TestApp) -> String {
    let steps = json!([{
        "text": {"en": "Supply voltage", "zh": "供电电压"}, "kind": "NUMBER", "unit": "V", "min": 4.75, "max": 5.25,
        "opensCorrective": true,
    }]);
    let more = json!({"kind": "POWER_CHECK", "steps": steps});
    make_plan(app, "POWER", &[floating("P30D")], more).await
}

fn measured(device: &str, plan: &str, volts: f64) -> Value {
    json!({"deviceId": device, "planIds": [plan], "stepResults": [{"step": 1, "isDone": true, "number": volts}]})
}

const LOGGED: &str = "serviceVisit { id } results { line code workOrder { id } }";

#[tokio::test]
async fn a_failed_step_opens_one_corrective_order_linked_to_visit_and_step() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = power_check(&app).await;
    app.set_clock(VISIT);
    let mut input = visit(&till.site, &technician, VISIT, measured(&till.device, &plan, 4.2));
    input["idempotencyKey"] = json!("phone-7/visit-1");
    let first = app.mutate("logServiceVisit", LOGGED, input.clone()).await;
    assert_eq!(codes(&first, 1), [["COUNTED", "STEP_FAILED", "CORRECTIVE_OPENED"]]);
    let opened = text(&first["results"][2]["workOrder"]["id"]);
    let query = "query($id: ID!) { workOrder(id: $id) {
        number kind state priority dueAt windowStart windowEnd channel device { id } site { id } plan { id }
        originVisit { id } originStep steps { text { en zh } kind isRequired }
    } }";
    let found = app.gql(query, json!({"id": opened})).await["workOrder"].take();
    assert_eq!(
        (&found["kind"], &found["state"], &found["priority"]),
        (&json!("CORRECTIVE"), &json!("PLANNED"), &json!("HIGH"))
    );
    assert_eq!(instant(&found["dueAt"]), at(VISIT));
    assert_eq!(instant(&found["windowStart"]), at("2026-05-05T16:00:00Z"), "6 May begins");
    assert_eq!(instant(&found["windowEnd"]), at("2026-05-09T15:59:59.999999Z"), "9 May ends");
    assert_eq!((&found["device"]["id"], &found["site"]["id"]), (&json!(till.device), &json!(till.site)));
    assert_eq!((&found["originVisit"]["id"], &found["originStep"]), (&first["serviceVisit"]["id"], &json!(1)));
    assert_eq!(found["plan"], Value::Null);
    assert_eq!(
        found["steps"],
        json!([{
            "text": {"en": "Repair and check again: Supply voltage", "zh": "修复并复查：供电电压"},
            "kind": "PASS_FAIL", "isRequired": true,
        }])
    );
    let issued = told(&app, &till.device, &["WORK_ORDER_ISSUED"]).await;
    assert_eq!(issued.iter().filter(|e| e["payload"]["kind"] == "CORRECTIVE").count(), 1);

    // The phone sends it again; the next technician finds the same.
    assert_eq!(app.mutate("logServiceVisit", LOGGED, input).await, first);
    app.set_clock("2026-05-07T02:00:00Z");
    let next = visit(&till.site, &technician, "2026-05-07T02:00:00Z", measured(&till.device, &plan, 4.3));
    let again = app.mutate("logServiceVisit", LOGGED, next).await;
    assert_eq!(codes(&again, 1), [["COUNTED", "STEP_FAILED", "CORRECTIVE_OPENED"]]);
    assert_eq!(again["results"][2]["workOrder"]["id"], json!(opened));
    let corrective = async || {
        let all = orders(&app, &till.device).await;
        all.iter().filter(|o| o["steps"][0]["text"]["en"] == "Repair and check again: Supply voltage").count()
    };
    assert_eq!(corrective().await, 1);

    // Repaired, and the same step fails again: a failed repair is not silent.
    app.set_clock("2026-05-08T02:00:00Z");
    let repaired = json!({"workOrderIds": [opened], "stepResults": [{"step": 1, "isDone": true, "passed": true}]});
    let logged = app.log_visit(&till.site, &technician, "2026-05-08T02:00:00Z", vec![repaired]).await;
    assert_eq!(codes(&logged, 1), [["COMPLETED"]]);
    app.set_clock("2026-05-08T03:00:00Z");
    let line = measured(&till.device, &plan, 4.1);
    app.log_visit(&till.site, &technician, "2026-05-08T03:00:00Z", vec![line]).await;
    assert_eq!(corrective().await, 2);
}

#[tokio::test]
async fn two_lines_of_one_visit_open_one_order_and_a_passed_step_none() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = power_check(&app).await;
    app.set_clock(VISIT);
    let lines = [4.2, 4.1, 5.0].map(|volts| measured(&till.device, &plan, volts)).to_vec();
    let logged = app.log_visit(&till.site, &technician, VISIT, lines).await;
    let found = codes(&logged, 3);
    assert_eq!(found[0][1..], ["STEP_FAILED", "CORRECTIVE_OPENED"]);
    assert_eq!(found[1][1..], ["STEP_FAILED", "CORRECTIVE_OPENED"]);
    assert_eq!(found[2].len(), 1, "{found:?}");
    assert_eq!(orders(&app, &till.device).await.len(), 1);
}

#[tokio::test]
async fn a_failure_told_late_opens_no_order_for_what_was_done_again_since() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = power_check(&app).await;
    app.set_clock("2026-05-11T02:00:00Z");
    let good = measured(&till.device, &plan, 5.0);
    app.log_visit(&till.site, &technician, "2026-05-10T02:00:00Z", vec![good]).await;
    let bad = measured(&till.device, &plan, 4.2);
    let late = app.log_visit(&till.site, &technician, VISIT, vec![bad.clone()]).await;
    let said = &codes(&late, 1)[0];
    assert!(said.contains(&"STEP_FAILED".to_owned()), "{said:?}");
    assert!(!said.contains(&"CORRECTIVE_OPENED".to_owned()), "{said:?}");
    // What fails after that is not repaired yet.
    let now = app.log_visit(&till.site, &technician, "2026-05-10T03:00:00Z", vec![bad]).await;
    assert!(codes(&now, 1)[0].contains(&"CORRECTIVE_OPENED".to_owned()));
}

#[tokio::test]
async fn corrective_work_that_did_a_plans_task_counts_as_its_completion() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = make_plan(&app, "CLEAN", &[floating("P5D")], json!({"earlyDays": 2, "lateDays": 2})).await;
    app.run_planner().await;
    let planned = open_order(&app, &till.device, "CLEAN").await;
    let input = json!({"deviceId": till.device, "kind": "CORRECTIVE", "dueAt": "2026-05-06T02:00:00Z"});
    let repair = text(&app.mutate("createWorkOrder", "workOrder { id }", input).await["workOrder"]["id"]);
    // Due on 9 May, from the 7th on it is on time.
    let repaired_at = "2026-05-08T02:00:00Z";
    app.set_clock(repaired_at);
    let line = json!({"deviceId": till.device, "workOrderIds": [repair], "planIds": [plan]});
    let logged = app.log_visit(&till.site, &technician, repaired_at, vec![line]).await;
    assert_eq!(codes(&logged, 1), [["COMPLETED", "COMPLETED"]]);
    for id in [&planned, &repair] {
        assert_eq!(order(&app, id).await["state"], "COMPLETED");
    }
    let found = item(&app, &till.device, "CLEAN").await;
    assert_eq!((&found["cycle"], instant(&found["lastDoneAt"])), (&json!(1), at(repaired_at)));
}
