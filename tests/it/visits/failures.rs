//! Failure mode, cause and remedy on a line: closed lists, required where a repair is done.

use super::*;
use crate::bad_input::refused_all;
use crate::planning::{START, order, told};
use crate::support::{Fielded, at, instant, only};

const FAILED: &str = "2026-05-06T01:00:00Z";
const VISIT: &str = "2026-05-06T03:00:00Z";

/// A failure mode with a cause and a remedy of its own, and its origin.
struct Listed {
    code: String,
    cause: String,
    remedy: String,
    origin: String,
    /// A cause that is on the list, and unusual for the code.
    other_cause: String,
}

async fn listed(app: &TestApp) -> Listed {
    app.seed().await;
    let query = "{
        failureCodes { code origin causes { code } remedies { code } }
        failureCauses { code }
    }";
    let data = app.gql(query, json!({})).await;
    let codes = data["failureCodes"].as_array().expect("codes");
    let is_whole = |c: &&Value| c["causes"][0].is_object() && c["remedies"][0].is_object();
    let code = codes.iter().find(is_whole).expect("a code with causes and remedies");
    let usual: Vec<String> = code["causes"].as_array().into_iter().flatten().map(|c| text(&c["code"])).collect();
    let all = data["failureCauses"].as_array().expect("causes").iter().map(|c| text(&c["code"]));
    Listed {
        code: text(&code["code"]),
        cause: usual[0].clone(),
        remedy: text(&code["remedies"][0]["code"]),
        origin: text(&code["origin"]),
        other_cause: all.into_iter().find(|c| !usual.contains(c)).expect("another cause"),
    }
}

/// An order to repair a device.
async fn repair(app: &TestApp, till: &Fielded) -> String {
    let input = json!({"deviceId": till.device, "kind": "CORRECTIVE", "dueAt": VISIT});
    text(&app.mutate("createWorkOrder", "workOrder { id }", input).await["workOrder"]["id"])
}

#[tokio::test]
async fn a_repair_says_what_had_failed_why_and_what_was_done() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let known = listed(&app).await;
    let order_id = repair(&app, &till).await;
    app.set_clock("2026-05-06T04:00:00Z");
    let with = |failure: Value| {
        let line = json!({"workOrderIds": [order_id], "failure": failure});
        visit(&till.site, &technician, VISIT, line)
    };
    let whole = json!({
        "failureCode": known.code, "causeCode": known.other_cause, "remedyCode": known.remedy, "failedAt": FAILED,
        "detectedAt": "2026-05-06T01:30:00Z", "restoredAt": VISIT,
    });
    let but = |field: &str, value: Value| {
        let mut failure = whole.clone();
        failure[field] = value;
        with(failure)
    };
    let early = json!("2026-05-06T00:59:59Z");
    let case = |input: Value, code: &'static str, field: &'static str| ("logServiceVisit", input, code, field);
    refused_all(
        &app,
        vec![
            case(with(Value::Null), "FAILURE_REQUIRED", "lines.0.failure"),
            case(but("causeCode", Value::Null), "FAILURE_REQUIRED", "lines.0.failure.causeCode"),
            case(but("remedyCode", Value::Null), "FAILURE_REQUIRED", "lines.0.failure.remedyCode"),
            case(but("failureCode", json!("NOPE")), "UNKNOWN_FAILURE_CODE", "lines.0.failure.failureCode"),
            case(but("causeCode", json!("nope")), "UNKNOWN_FAILURE_CODE", "lines.0.failure.causeCode"),
            case(but("remedyCode", json!("nope")), "UNKNOWN_FAILURE_CODE", "lines.0.failure.remedyCode"),
            case(but("restoredAt", early.clone()), "INVALID_INSTANT", "lines.0.failure.restoredAt"),
            case(but("detectedAt", early), "INVALID_INSTANT", "lines.0.failure.detectedAt"),
            case(but("failedAt", json!("2026-05-06T05:00:00Z")), "INVALID_INSTANT", "lines.0.failure.failedAt"),
            case(
                with(json!({"failureCode": known.code, "failedAt": "2026-05-06T03:00:01Z"})),
                "INVALID_INSTANT",
                "lines.0.failure.failedAt",
            ),
            case(but("detectedAt", json!("2026-05-06T03:00:01Z")), "INVALID_INSTANT", "lines.0.failure.detectedAt"),
        ],
    )
    .await;
    // Nobody let the technician in: there is nothing to say yet.
    let mut no_access = with(Value::Null);
    no_access["lines"][0]["outcome"] = json!("NO_ACCESS");
    app.mutate("logServiceVisit", "", no_access).await;

    // A cause that is unusual for the code is believed.
    let logged = app.mutate("logServiceVisit", "results { line code }", with(whole.clone())).await;
    assert_eq!(codes(&logged, 1), [["COMPLETED"]]);
    assert_eq!(order(&app, &order_id).await["state"], "COMPLETED");
    let report = "failureCode causeCode remedyCode origin failedAt detectedAt restoredAt workOrder { id }";
    let query = format!(
        "query($id: ID!) {{
            device(id: $id) {{ failures {{ {report} }} }}
            serviceVisits(first: 1) {{ nodes {{ lines {{ failure {{ {report} }} }} }} }}
        }}"
    );
    let data = app.gql(&query, json!({"id": till.device})).await;
    let found = only(&data["device"]["failures"]);
    for field in ["failureCode", "causeCode", "remedyCode"] {
        assert_eq!(found[field], whole[field]);
    }
    assert_eq!((&found["origin"], &found["workOrder"]["id"]), (&json!(known.origin), &json!(order_id)));
    for field in ["failedAt", "detectedAt", "restoredAt"] {
        assert_eq!(instant(&found[field]), instant(&whole[field]));
    }
    let told = told(&app, &till.device, &["FAILURE_REPORTED"]).await;
    let [event] = told.as_slice() else { panic!("{told:#?}") };
    assert_eq!((instant(&event["occurredAt"]), &event["payload"]["failureCode"]), (at(FAILED), &json!(known.code)));
    let nodes = data["serviceVisits"]["nodes"].as_array().expect("visits");
    assert!(nodes.iter().any(|v| v["lines"][0]["failure"]["failureCode"] == known.code), "{nodes:#?}");

    // The order is done; who says so again need not say what had failed again.
    let again = app.mutate("logServiceVisit", "results { line code }", with(Value::Null)).await;
    assert_eq!(codes(&again, 1), [["ALREADY_COMPLETED"]]);
}

#[tokio::test]
async fn a_repair_that_is_done_ends_the_failure_when_nobody_says_when_it_ended() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let known = listed(&app).await;
    let order_id = repair(&app, &till).await;
    app.set_clock("2026-05-06T04:00:00Z");
    let failure = json!({
        "failureCode": known.code, "causeCode": known.cause, "remedyCode": known.remedy, "failedAt": FAILED,
    });
    let line = json!({"workOrderIds": [order_id], "failure": failure});
    app.log_visit(&till.site, &technician, VISIT, vec![line]).await;
    let query = "query($id: ID!) { device(id: $id) { failures { failedAt restoredAt } } }";
    let data = app.gql(query, json!({"id": till.device})).await;
    assert_eq!(instant(&only(&data["device"]["failures"])["restoredAt"]), at(VISIT));
}

#[tokio::test]
async fn a_failure_is_reported_with_any_work_and_says_who_caused_it() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let known = listed(&app).await;
    app.set_clock("2026-05-07T04:00:00Z");
    for (failed_at, origin) in [("2026-05-05T01:00:00Z", "HOST"), ("2026-05-07T01:00:00Z", "NONE_FOUND")] {
        let failure = json!({
            "failureCode": known.code, "causeCode": known.cause, "origin": origin, "failedAt": failed_at,
        });
        let line = json!({"deviceId": till.device, "outcome": "PARTLY_DONE", "failure": failure});
        app.log_visit(&till.site, &technician, "2026-05-07T03:00:00Z", vec![line]).await;
    }
    let query =
        "query($id: ID!) { device(id: $id) { failures { origin restoredAt } last: failures(first: 1) { origin } } }";
    let data = app.gql(query, json!({"id": till.device})).await;
    let origins: Vec<String> =
        data["device"]["failures"].as_array().unwrap().iter().map(|f| text(&f["origin"])).collect();
    assert_eq!(origins, ["NONE_FOUND", "HOST"], "newest first");
    assert_eq!(data["device"]["last"], json!([{"origin": "NONE_FOUND"}]));
    assert_eq!(data["device"]["failures"][0]["restoredAt"], Value::Null);

    let of_site = json!({"failure": {"failureCode": known.code, "failedAt": FAILED}});
    let case = ("logServiceVisit", visit(&till.site, &technician, VISIT, of_site), "REQUIRED", "lines.0.deviceId");
    refused_all(&app, vec![case]).await;
}
