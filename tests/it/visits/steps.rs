//! Typed steps: what an answer is, when it has failed, and which answers cannot be.

use super::*;
use crate::bad_input::refused_all;
use crate::planning::{START, floating, make_plan, open_order};
use crate::support::{at, instant, only};

const VISIT: &str = "2026-05-06T02:00:00Z";

/// One step of each kind; only the first is required.
fn steps() -> Value {
    let step = |en: &str, more: Value| {
        let mut step = json!({"text": {"en": en}, "isRequired": false});
        for (field, value) in more.as_object().into_iter().flatten() {
            step[field.as_str()] = value.clone();
        }
        step
    };
    let choice = |code: &str, is_failure: bool| json!({"code": code, "text": {"en": code}, "isFailure": is_failure});
    json!([
        step("Reader is clean", json!({"isRequired": true})),
        step("Case", json!({"kind": "CHOICE", "choices": [choice("INTACT", false), choice("CRACKED", true)]})),
        step(
            "Supply voltage",
            json!({"kind": "NUMBER", "unit": "V", "min": 4.75, "max": 5.25, "lowest": 0, "highest": 60}),
        ),
        step("Remarks", json!({"kind": "TEXT"})),
        step("Counter", json!({"kind": "METER_READING", "meter": "TRANSACTIONS"})),
        step("Serial number", json!({"kind": "SERIAL_SCAN"})),
    ])
}

/// A plan with one step of each kind.
async fn plan(app: &TestApp) -> String {
    make_plan(app, "CHECK", &[floating("P30D")], json!({"steps": steps()})).await
}

const RESULTS: &str = "serviceVisit { lines { stepResults {
    step isDone passed choice number text serial hasFailed
} } } results { code }";

#[tokio::test]
async fn each_kind_of_step_is_answered_in_its_own_way() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = plan(&app).await;
    app.set_clock(VISIT);
    let line = json!({"deviceId": till.device, "planIds": [plan], "stepResults": [
        {"step": 1, "isDone": true, "passed": true},
        {"step": 2, "isDone": true, "choice": "INTACT"},
        {"step": 3, "isDone": true, "number": 5.02},
        {"step": 4, "isDone": true, "text": "slip of 4111 1111 1111 1111"},
        {"step": 5, "isDone": true, "number": 1200},
        {"step": 6, "isDone": true, "serial": "HX1"},
    ]});
    let logged = app.mutate("logServiceVisit", RESULTS, visit(&till.site, &technician, VISIT, line)).await;
    let results: Vec<String> = logged["results"].as_array().unwrap().iter().map(|r| text(&r["code"])).collect();
    assert_eq!(results, ["COUNTED", "CARD_NUMBER_MASKED"]);
    let answer = |step: u32, field: &str, value: Value| {
        let mut answer = json!({
            "step": step, "isDone": true, "passed": null, "choice": null, "number": null, "text": null,
            "serial": null, "hasFailed": false,
        });
        answer[field] = value;
        answer
    };
    assert_eq!(
        only(&logged["serviceVisit"]["lines"])["stepResults"],
        json!([
            answer(1, "passed", json!(true)),
            answer(2, "choice", json!("INTACT")),
            answer(3, "number", json!(5.02)),
            answer(4, "text", json!("slip of **** **** **** 1111")),
            answer(5, "number", json!(1200.0)),
            answer(6, "serial", json!("HX1")),
        ])
    );
    // The counter that was read off is a reading like any other.
    let query = "query($id: ID!) { device(id: $id) { meters { code latestValue latestAt } } }";
    let data = app.gql(query, json!({"id": till.device})).await;
    let meter = only(&data["device"]["meters"]);
    assert_eq!((&meter["latestValue"], instant(&meter["latestAt"])), (&json!(1200.0), at(VISIT)));
}

#[tokio::test]
async fn an_answer_outside_the_limits_has_failed_and_the_work_counts() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = plan(&app).await;
    app.set_clock(VISIT);
    for (n, answer) in [
        json!({"step": 1, "isDone": true, "passed": false}),
        json!({"step": 2, "isDone": true, "choice": "CRACKED"}),
        json!({"step": 3, "isDone": true, "number": 4.7}),
        // Another terminal than it should be.
        json!({"step": 6, "isDone": true, "serial": "HX-OTHER"}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut results = vec![json!({"step": 1, "isDone": true, "passed": true})];
        results.push(answer.clone());
        let line = json!({"deviceId": till.device, "planIds": [plan], "stepResults": results});
        let moment = format!("2026-05-06T0{}:00:00Z", n + 2);
        app.set_clock(&moment);
        let input = visit(&till.site, &technician, &moment, line);
        let logged = app.mutate("logServiceVisit", RESULTS, input).await;
        assert_eq!(logged["results"], json!([{"code": "COUNTED"}, {"code": "STEP_FAILED"}]), "{answer:#}");
        let line = only(&logged["serviceVisit"]["lines"]);
        assert_eq!(line["stepResults"][1]["hasFailed"], true, "{answer:#}");
    }
}

#[tokio::test]
async fn required_steps_left_open_come_back_as_a_notice() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = plan(&app).await;
    app.set_clock(VISIT);
    let open = json!([{"step": 1, "isDone": false}]);
    for results in [Value::Null, open] {
        let line = json!({"deviceId": till.device, "planIds": [plan], "stepResults": results});
        let logged = app.log_visit(&till.site, &technician, VISIT, vec![line]).await;
        assert_eq!(codes(&logged, 1)[0].last().map(String::as_str), Some("STEPS_MISSING"));
    }
    let nobody_home = json!({"deviceId": till.device, "planIds": [plan], "outcome": "NO_ACCESS"});
    let logged = app.log_visit(&till.site, &technician, VISIT, vec![nobody_home]).await;
    assert_eq!(codes(&logged, 1), [["NOT_DONE"]]);
}

#[tokio::test]
async fn a_client_from_before_steps_had_kinds_is_heard_and_passes_nothing() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = plan(&app).await;
    app.set_clock(VISIT);
    let results = json!([{"step": 1, "isDone": true, "note": "clean"}]);
    let line = json!({"deviceId": till.device, "planIds": [plan], "stepResults": results});
    let logged = app.log_visit(&till.site, &technician, VISIT, vec![line]).await;
    assert_eq!(codes(&logged, 1), [["COUNTED", "STEPS_MISSING"]]);
}

#[tokio::test]
async fn an_answer_that_cannot_be_is_refused_at_its_place() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let plan = plan(&app).await;
    app.set_clock(VISIT);
    let with = |answer: Value| {
        let good = json!({"step": 1, "isDone": true, "passed": true});
        let line = json!({"deviceId": till.device, "planIds": [plan], "stepResults": [good, answer]});
        visit(&till.site, &technician, VISIT, line)
    };
    let of = |field: &str| format!("lines.0.stepResults.1.{field}");
    let cases = [
        (json!({"step": 1, "isDone": true, "text": "yes"}), "INVALID_ANSWER", of("text")),
        (json!({"step": 2, "isDone": true, "choice": "DIRTY"}), "INVALID_ANSWER", of("choice")),
        (json!({"step": 2, "isDone": true, "passed": true}), "INVALID_ANSWER", of("passed")),
        (json!({"step": 3, "isDone": true, "choice": "INTACT"}), "INVALID_ANSWER", of("choice")),
        (json!({"step": 3, "isDone": true}), "REQUIRED", of("number")),
        (json!({"step": 3, "isDone": true, "number": -0.5}), "OUT_OF_RANGE", of("number")),
        (json!({"step": 3, "isDone": true, "number": 61}), "OUT_OF_RANGE", of("number")),
        (json!({"step": 4, "isDone": true, "number": 1}), "INVALID_ANSWER", of("number")),
        (json!({"step": 5, "isDone": true, "number": -1}), "INVALID_NUMBER", of("number")),
        (json!({"step": 5, "isDone": true, "number": 2e12}), "OUT_OF_RANGE", of("number")),
        (json!({"step": 6, "isDone": true, "text": "HX1"}), "INVALID_ANSWER", of("text")),
        // Also to a step nobody asked for.
        (json!({"step": 9, "isDone": true, "number": 2e12}), "OUT_OF_RANGE", of("number")),
    ];
    let cases: Vec<_> = cases
        .iter()
        .map(|(answer, code, field)| ("logServiceVisit", with(answer.clone()), *code, field.as_str()))
        .collect();
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn a_task_list_that_contradicts_itself_makes_no_plan_and_no_order() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let step = |more: Value| {
        let mut step = json!({"text": {"en": "Look"}});
        for (field, value) in more.as_object().into_iter().flatten() {
            step[field.as_str()] = value.clone();
        }
        json!([step])
    };
    let choices = |n: usize| -> Vec<Value> {
        (0..n).map(|i| json!({"code": format!("C{i}"), "text": {"en": "One of them"}})).collect()
    };
    let lists = [
        (step(json!({"kind": "NUMBER", "min": 5, "max": 4})), "INVALID"),
        (step(json!({"kind": "NUMBER", "min": 5, "lowest": 6})), "INVALID"),
        (step(json!({"kind": "CHOICE"})), "INVALID"),
        (step(json!({"kind": "CHOICE", "choices": choices(51)})), "TOO_MANY"),
        (step(json!({"kind": "TEXT", "choices": choices(2)})), "INVALID"),
        (step(json!({"kind": "METER_READING"})), "INVALID"),
        (step(json!({"kind": "METER_READING", "meter": "COFFEES"})), "UNKNOWN_METER"),
        (step(json!({"kind": "TEXT", "meter": "TRANSACTIONS"})), "INVALID"),
        (step(json!({"kind": "PASS_FAIL", "max": 4})), "INVALID"),
        (step(json!({"modelNotes": [{"modelIds": [till.site], "text": {"en": "Mind"}}]})), "WRONG_ID_KIND"),
        (step(json!({"modelNotes": [{"modelIds": [], "text": {"en": "Mind"}}]})), "INVALID"),
    ];
    let mut cases = Vec::new();
    for (list, code) in &lists {
        let plan = crate::bad_input::world::plan(json!({"steps": list}));
        cases.push(("createMaintenancePlan", plan, *code, "steps"));
        let order = json!({"deviceId": till.device, "kind": "INSPECTION", "dueAt": VISIT, "steps": list});
        cases.push(("createWorkOrder", order, *code, "steps"));
    }
    refused_all(&app, cases).await;
}

#[tokio::test]
async fn an_order_shows_the_notes_for_its_devices_model() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let input = json!({"manufacturer": "OTHER", "name": "O-1", "meters": []});
    let other = text(&app.mutate("createDeviceModel", "deviceModel { id }", input).await["deviceModel"]["id"]);
    let note = |model: &str, en: &str| json!({"modelIds": [model], "text": {"en": en}});
    let steps = json!([{"text": {"en": "Clean the readers"}, "modelNotes": [
        note(&till.model, "Nothing goes into the chip slot"), note(&other, "Wipe the camera too"),
    ]}]);
    let plan = make_plan(&app, "CLEAN", &[floating("P5D")], json!({"steps": steps, "earlyDays": 2})).await;
    app.run_planner().await;
    let order = open_order(&app, &till.device, "CLEAN").await;
    let query = "query($order: ID!, $plan: ID!) {
        workOrder(id: $order) { steps { notes { en } modelNotes { modelIds text { en } } } }
        node(id: $plan) { ... on MaintenancePlan { steps { notes { en } kind isRequired } } }
    }";
    let data = app.gql(query, json!({"order": order, "plan": plan})).await;
    let step = only(&data["workOrder"]["steps"]);
    assert_eq!(step["notes"], json!([{"en": "Nothing goes into the chip slot"}]));
    assert_eq!(step["modelNotes"].as_array().map(Vec::len), Some(2));
    assert_eq!(only(&data["node"]["steps"]), &json!({"notes": [], "kind": "PASS_FAIL", "isRequired": true}));
}
