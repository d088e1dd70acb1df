//! Reports and exports: figures worked out by hand for small fleets, in Shanghai unless a test says
//! otherwise, where a month begins at 16:00 UTC the day before.

mod exports;
mod forecasts;
mod maintenance;
mod reliability;

use crate::support::{TestApp, text};
use serde_json::{Value, json};

/// When devices are installed: 10:00 on Monday, 4 May 2026.
const START: &str = "2026-05-04T02:00:00Z";

const RATIO: &str = "{ numerator denominator value }";

/// Every figure of forecasts.
fn forecast_errors() -> String {
    format!(
        "count meanAbsoluteDays {RATIO} medianAbsoluteDays p90AbsoluteDays meanDays {RATIO}
        moreThan7DaysLate {RATIO} withinBand {RATIO} intervalCoverage {RATIO}"
    )
}

/// Every figure.
fn figures() -> String {
    let errors = forecast_errors();
    format!(
        "due doneOnTime doneEarly doneLate missed skipped waived overdue open doneWithoutOrder
        pmCompliance {RATIO}
        forecastError {{ {errors} }}
        failures {{ reported counted device site network host card noneFound }} noFaultFoundCount
        mtbfHours {{ failures deviceHours value lowerBound90 confidence }}
        mttrHours {RATIO} availability {RATIO} firstTimeFix {RATIO} noAccessVisits"
    )
}

/// The report of a period; `arguments` says what else is asked.
pub async fn report(app: &TestApp, from: &str, to: &str, arguments: &str) -> Value {
    let figures = figures();
    let query = format!(
        "{{ fleetReport(periodStart: \"{from}\", periodEnd: \"{to}\"{arguments}) {{
            periodStart periodEnd groupBy groupCount
            total {{ {figures} }}
            groups {{ key label zh: label(language: ZH) figures {{ {figures} }} }}
        }} }}"
    );
    app.gql(&query, json!({})).await["fleetReport"].take()
}

/// What became of the occurrences that fell due, in the order of the figures; they add up.
fn outcomes(figures: &Value) -> [u64; 9] {
    let names = ["due", "doneOnTime", "doneEarly", "doneLate", "missed", "skipped", "waived", "overdue", "open"];
    let found = names.map(|name| figures[name].as_u64().unwrap_or_else(|| panic!("{name}: {figures:#}")));
    assert_eq!(found[0], found[1..].iter().sum::<u64>(), "{figures:#}");
    found
}

/// Numerator, denominator and value of a share.
pub fn share(ratio: &Value) -> (f64, f64, Option<f64>) {
    let number = |name: &str| ratio[name].as_f64().unwrap_or_else(|| panic!("{name}: {ratio:#}"));
    (number("numerator"), number("denominator"), ratio["value"].as_f64())
}

/// The figures of the group with a label.
pub fn group<'a>(report: &'a Value, label: &str) -> &'a Value {
    let groups = report["groups"].as_array().expect("groups");
    let found = groups.iter().find(|group| text(&group["label"]) == label);
    &found.unwrap_or_else(|| panic!("no group {label}: {groups:#?}"))["figures"]
}

pub fn close(found: &Value, expected: f64) {
    let number = found.as_f64().unwrap_or_else(|| panic!("{found} is no number"));
    assert!((number - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{number} is not {expected}");
}

/// A named site of a merchant of its own, in a region.
async fn site_named(app: &TestApp, name: &str, region: Option<&str>) -> String {
    let merchant = app.merchant(&format!("Merchant of {name}")).await;
    let input = json!({"merchantId": merchant, "name": name, "timeZone": "Asia/Shanghai", "regionCode": region});
    let payload = app.mutate("createSite", "site { id }", input).await;
    text(&payload["site"]["id"])
}

#[tokio::test]
async fn what_is_undefined_is_null_and_never_zero() {
    let app = TestApp::start_at(START).await;
    let found = report(&app, "2026-04-30T16:00:00Z", "2026-05-31T16:00:00Z", "").await;
    let total = &found["total"];
    assert_eq!(outcomes(total), [0; 9]);
    let errors = &total["forecastError"];
    for ratio in [
        &total["pmCompliance"],
        &total["mttrHours"],
        &total["availability"],
        &total["firstTimeFix"],
        &errors["meanAbsoluteDays"],
        &errors["meanDays"],
        &errors["moreThan7DaysLate"],
        &errors["withinBand"],
        &errors["intervalCoverage"],
    ] {
        assert_eq!(share(ratio), (0.0, 0.0, None), "{total:#}");
    }
    assert_eq!((&errors["medianAbsoluteDays"], &errors["p90AbsoluteDays"]), (&Value::Null, &Value::Null));
    let nothing = json!({"failures": 0, "deviceHours": 0.0, "value": null, "lowerBound90": null, "confidence": 0.9});
    assert_eq!(total["mtbfHours"], nothing);
    assert_eq!((&found["groupBy"], &found["groups"], &found["groupCount"]), (&json!(null), &json!([]), &json!(0)));
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_is_refused_with_the_reason() {
    let app = TestApp::start_at(START).await;
    let may = "periodStart: \"2026-05-01T00:00:00Z\", periodEnd: \"2026-06-01T00:00:00Z\"";
    for (arguments, reason) in [
        ("periodStart: \"2026-05-01T00:00:00Z\", periodEnd: \"2026-05-01T00:00:00Z\"".to_owned(), "must lie after"),
        ("periodStart: \"2026-05-01T00:00:00Z\", periodEnd: \"2026-04-01T00:00:00Z\"".to_owned(), "must lie after"),
        ("periodStart: \"2016-01-01T00:00:00Z\", periodEnd: \"2026-01-01T00:00:01Z\"".to_owned(), "10 years"),
        (
            "periodStart: \"1999-12-31T23:59:59Z\", periodEnd: \"2026-01-01T00:00:00Z\"".to_owned(),
            "periodStart is outside",
        ),
        (
            "periodStart: \"2026-05-01T00:00:00Z\", periodEnd: \"9999-01-01T00:00:00Z\"".to_owned(),
            "periodEnd is outside",
        ),
        (format!("{may}, complianceBand: {{ kind: DAYS, lateDays: 367 }}"), "lateDays is 367"),
        (format!("{may}, complianceBand: {{ kind: DAYS, earlyDays: -1 }}"), ""),
        (format!("{may}, complianceBand: {{ kind: PLAN_BAND, lateDays: 3 }}"), "leave out earlyDays"),
        (format!("{may}, filter: {{ siteId: \"nonsense\" }}"), "not an id"),
        (format!("{may}, filter: {{ silentSince: \"1970-01-01T00:00:00Z\" }}"), "silentSince is outside"),
    ] {
        let answer = app.try_gql(&format!("{{ fleetReport({arguments}) {{ total {{ due }} }} }}"), json!({})).await;
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{arguments}: {answer:#}");
        assert!(text(&error["message"]).contains(reason), "{arguments}: {answer:#}");
    }
}
