//! Failures, repairs and the time devices stood somewhere.

use super::*;
use crate::planning::{device_at, floating, make_plan};
use crate::support::at;
use sea_orm::{EntityTrait, Set};
use tillkeep::entity::failure;
use tillkeep::kernel::ids::{DeviceId, DeviceModelId, SiteId, VisitLineId, WorkOrderId};
use tillkeep::kernel::scope::Scope;
use uuid::Uuid;

/// Thirty days from the installation on: 720 hours.
const THIRTY_DAYS: (&str, &str) = (START, "2026-06-03T02:00:00Z");

/// A failure as it is stored.
struct Failed<'a> {
    device: &'a str,
    site: &'a str,
    line: &'a str,
    origin: &'a str,
    failed_at: &'a str,
    restored_at: Option<&'a str>,
    order: Option<&'a str>,
}

#[allow(clippy::needless_update, reason = "the table may have more columns than a report reads")]
async fn fail(app: &TestApp, n: u128, failed: Failed<'_>) {
    let row = failure::ActiveModel {
        id: Set(Uuid::from_u128(n)),
        organization_id: Set(Scope::DEFAULT.organization.0),
        device_id: Set(DeviceId::parse_global(failed.device).unwrap().0),
        site_id: Set(Some(SiteId::parse_global(failed.site).unwrap().0)),
        model_id: Set(DeviceModelId::parse_global(&app.model().await).unwrap().0),
        region_code: Set(None),
        visit_line_id: Set(VisitLineId::parse_global(failed.line).unwrap().0),
        work_order_id: Set(failed.order.map(|id| WorkOrderId::parse_global(id).unwrap().0)),
        failure_code: Set("READ_FAILS".to_owned()),
        cause_code: Set(None),
        remedy_code: Set(None),
        origin: Set(failed.origin.to_owned()),
        failed_at: Set(at(failed.failed_at)),
        detected_at: Set(None),
        restored_at: Set(failed.restored_at.map(at)),
        recorded_at: Set(at("2026-07-01T00:00:00Z")),
        ..Default::default()
    };
    failure::Entity::insert_many([row]).exec_without_returning(app.db().reader()).await.unwrap();
}

/// Logs a visit to one device and answers its line.
async fn line(app: &TestApp, site: &str, device: &str, performed_at: &str, outcome: &str) -> String {
    let technician = app.technician("Li Wei").await;
    let line = json!({"deviceId": device, "performedAt": performed_at, "outcome": outcome});
    let input = json!({"siteId": site, "technicianId": technician, "startedAt": performed_at, "lines": [line]});
    let logged = app.mutate("logServiceVisit", "serviceVisit { lines { id } }", input).await;
    text(&logged["serviceVisit"]["lines"][0]["id"])
}

/// Two devices for thirty days. One failed for 12 hours by itself, for an hour by the host, and was
/// once suspected for nothing; the other failed for a day by its site and was not repaired at once.
async fn two_devices(app: &TestApp) -> [(String, String); 2] {
    let (first, second) = (site_named(app, "Bund", None).await, site_named(app, "Xihu", None).await);
    let one = device_at(app, &first, "HX1", START).await;
    let two = device_at(app, &second, "HX2", START).await;
    app.set_clock("2026-07-01T00:00:00Z");
    let partly = line(app, &second, &two, "2026-05-20T12:00:00Z", "PARTLY_DONE").await;
    for (n, (origin, failed_at, restored_at)) in [
        ("DEVICE", "2026-05-10T00:00:00Z", Some("2026-05-10T12:00:00Z")),
        ("HOST", "2026-05-11T00:00:00Z", Some("2026-05-11T01:00:00Z")),
        ("NONE_FOUND", "2026-05-12T00:00:00Z", None),
    ]
    .into_iter()
    .enumerate()
    {
        // A line reports one failure.
        let done = line(app, &first, &one, "2026-05-12T12:00:00Z", "DONE").await;
        let failed = Failed { device: &one, site: &first, line: &done, origin, failed_at, restored_at, order: None };
        fail(app, n as u128 + 1, failed).await;
    }
    let failed = Failed {
        device: &two,
        site: &second,
        line: &partly,
        origin: "SITE",
        failed_at: "2026-05-20T00:00:00Z",
        restored_at: Some("2026-05-21T00:00:00Z"),
        order: None,
    };
    fail(app, 9, failed).await;
    [(one, first), (two, second)]
}

#[tokio::test]
async fn failures_of_the_host_and_none_found_do_not_count_against_devices() {
    let app = TestApp::start_at(START).await;
    two_devices(&app).await;
    let found = report(&app, THIRTY_DAYS.0, THIRTY_DAYS.1, ", groupBy: SITE").await;
    let total = &found["total"];
    let failures = json!({
        "reported": 4, "counted": 2, "device": 1, "site": 1, "network": 0, "host": 1, "card": 0, "noneFound": 1,
    });
    assert_eq!((&total["failures"], &total["noFaultFoundCount"]), (&failures, &json!(1)));
    let mtbf = &total["mtbfHours"];
    assert_eq!((&mtbf["failures"], mtbf["deviceHours"].as_f64()), (&json!(2), Some(1_440.0)));
    close(&mtbf["value"], 720.0);
    // 2 × 1,440 h over the 90th percentile of chi-square with 6 degrees of freedom, 10.6446406756684.
    close(&mtbf["lowerBound90"], 270.558_686_549_478_4);
    assert_eq!(share(&total["mttrHours"]), (36.0, 2.0, Some(18.0)));
    assert_eq!(share(&total["availability"]), (1_404.0, 1_440.0, Some(0.975)));
    let (fixed, attempts, _) = share(&total["firstTimeFix"]);
    assert_eq!((fixed, attempts), (2.0, 3.0), "what no fault was found of was no repair");

    let bund = group(&found, "Bund");
    assert_eq!((&bund["failures"]["counted"], bund["mtbfHours"]["deviceHours"].as_f64()), (&json!(1), Some(720.0)));
    assert_eq!(share(&bund["availability"]), (708.0, 720.0, Some(708.0 / 720.0)));
    assert_eq!(share(&group(&found, "Xihu")["firstTimeFix"]), (0.0, 1.0, Some(0.0)));
}

#[tokio::test]
async fn a_fleet_without_failures_has_a_bound_and_no_mean() {
    let app = TestApp::start_at(START).await;
    let site = site_named(&app, "Bund", None).await;
    device_at(&app, &site, "HX1", START).await;
    app.set_clock("2026-07-01T00:00:00Z");
    let found = report(&app, THIRTY_DAYS.0, THIRTY_DAYS.1, "").await;
    let mtbf = &found["total"]["mtbfHours"];
    assert!(mtbf["value"].is_null(), "{mtbf:#}");
    // 720 h over the natural logarithm of 10.
    close(&mtbf["lowerBound90"], 720.0 / std::f64::consts::LN_10);
    assert_eq!(share(&found["total"]["availability"]), (720.0, 720.0, Some(1.0)));
    assert_eq!(share(&found["total"]["mttrHours"]), (0.0, 0.0, None));
}

#[tokio::test]
async fn time_is_counted_where_it_passed_and_not_beyond_now() {
    let app = TestApp::start_at(START).await;
    let (first, second) = (site_named(&app, "Bund", None).await, site_named(&app, "Xihu", None).await);
    let device = device_at(&app, &first, "HX1", START).await;
    let free = app.position(&second, "Counter 9", None).await;
    app.set_clock("2026-05-14T02:00:00Z");
    let input = json!({"deviceId": device, "positionId": free, "relocatedAt": "2026-05-14T02:00:00Z"});
    app.mutate("relocateDevice", "", input).await;
    app.set_clock("2026-06-02T02:00:00Z");
    let hours = |figures: &Value| figures["mtbfHours"]["deviceHours"].as_f64();
    // Ten days at the first site, 19 at the second; the rest of the year has not come.
    let found = report(&app, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", ", groupBy: SITE").await;
    assert_eq!((hours(group(&found, "Bund")), hours(group(&found, "Xihu"))), (Some(240.0), Some(456.0)));
    assert_eq!(hours(&found["total"]), Some(696.0));
    // May ends in Shanghai at 16:00 UTC on the 31st: 27 days and 14 hours.
    let found = report(&app, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", ", groupBy: MONTH").await;
    assert_eq!((hours(group(&found, "2026-05")), hours(group(&found, "2026-06"))), (Some(662.0), Some(34.0)));
}

#[tokio::test]
async fn a_repair_is_fixed_first_unless_somebody_was_there_before_and_closed_doors_are_apart() {
    let app = TestApp::start_at(START).await;
    let site = site_named(&app, "Bund", None).await;
    let technician = app.technician("Li Wei").await;
    let mut orders = Vec::new();
    for serial in ["HX1", "HX2", "HX3"] {
        let device = device_at(&app, &site, serial, START).await;
        let input = json!({"deviceId": device, "kind": "CORRECTIVE", "dueAt": "2026-05-06T02:00:00Z"});
        let made = app.mutate("createWorkOrder", "workOrder { id }", input).await;
        orders.push((device, text(&made["workOrder"]["id"])));
    }
    app.set_clock("2026-05-08T02:00:00Z");
    for (order, performed_at, outcome) in [
        (0, "2026-05-05T02:00:00Z", "NO_ACCESS"),
        (0, "2026-05-06T02:00:00Z", "DONE"),
        (1, "2026-05-05T02:00:00Z", "PARTLY_DONE"),
        (1, "2026-05-07T02:00:00Z", "DONE"),
        (2, "2026-05-07T02:00:00Z", "SITE_CLOSED"),
    ] {
        let (device, id) = &orders[order];
        let line = json!({"deviceId": device, "workOrderIds": [id], "outcome": outcome});
        app.log_visit(&site, &technician, performed_at, vec![line]).await;
    }
    let found = report(&app, THIRTY_DAYS.0, THIRTY_DAYS.1, "").await;
    assert_eq!(share(&found["total"]["firstTimeFix"]), (1.0, 2.0, Some(0.5)), "{found:#}");
    assert_eq!(found["total"]["noAccessVisits"], 2, "they are no failed repairs");
    assert_eq!(found["total"]["due"], 0, "repairs are no planned maintenance");
}

#[tokio::test]
async fn planned_work_is_no_repair() {
    let app = TestApp::start_at(START).await;
    let site = site_named(&app, "Bund", None).await;
    let device = device_at(&app, &site, "HX1", START).await;
    let plan = make_plan(&app, "DAYS", &[floating("P30D")], json!({})).await;
    let technician = app.technician("Li Wei").await;
    app.set_clock("2026-05-30T02:00:00Z");
    app.run_planner().await;
    let work = json!({"deviceId": device, "planIds": [plan]});
    app.log_visit(&site, &technician, "2026-05-30T02:00:00Z", vec![work]).await;
    let found = report(&app, THIRTY_DAYS.0, THIRTY_DAYS.1, "").await;
    assert_eq!(share(&found["total"]["firstTimeFix"]), (0.0, 0.0, None), "{found:#}");
}

/// An order to repair a device.
async fn repair(app: &TestApp, device: &str) -> String {
    let input = json!({"deviceId": device, "kind": "CORRECTIVE", "dueAt": "2026-05-06T02:00:00Z"});
    text(&app.mutate("createWorkOrder", "workOrder { id }", input).await["workOrder"]["id"])
}

#[tokio::test]
async fn a_closed_door_before_the_period_is_no_attempt_at_a_repair() {
    let app = TestApp::start_at(START).await;
    let site = site_named(&app, "Bund", None).await;
    let device = device_at(&app, &site, "HX1", START).await;
    let technician = app.technician("Li Wei").await;
    let order = repair(&app, &device).await;
    app.set_clock("2026-05-08T02:00:00Z");
    for (performed_at, outcome) in [("2026-05-05T02:00:00Z", "SITE_CLOSED"), ("2026-05-07T02:00:00Z", "DONE")] {
        let line = json!({"deviceId": device, "workOrderIds": [order], "outcome": outcome});
        app.log_visit(&site, &technician, performed_at, vec![line]).await;
    }
    let found = report(&app, "2026-05-06T00:00:00Z", "2026-06-01T00:00:00Z", "").await;
    assert_eq!(share(&found["total"]["firstTimeFix"]), (1.0, 1.0, Some(1.0)), "{found:#}");
    assert_eq!(found["total"]["noAccessVisits"], 0);
}

#[tokio::test]
async fn one_failure_told_on_two_visits_is_one_and_ends_once() {
    let app = TestApp::start_at(START).await;
    let site = site_named(&app, "Bund", None).await;
    let device = device_at(&app, &site, "HX1", START).await;
    app.set_clock("2026-07-01T00:00:00Z");
    let failed_at = "2026-05-10T00:00:00Z";
    for (n, (performed_at, outcome, restored_at)) in
        [("2026-05-10T06:00:00Z", "PARTLY_DONE", None), ("2026-05-11T00:00:00Z", "DONE", Some("2026-05-11T00:00:00Z"))]
            .into_iter()
            .enumerate()
    {
        let line = line(&app, &site, &device, performed_at, outcome).await;
        let failed =
            Failed { device: &device, site: &site, line: &line, origin: "DEVICE", failed_at, restored_at, order: None };
        fail(&app, n as u128 + 1, failed).await;
    }
    let found = report(&app, THIRTY_DAYS.0, THIRTY_DAYS.1, "").await;
    let total = &found["total"];
    assert_eq!((&total["failures"]["reported"], &total["failures"]["device"]), (&json!(1), &json!(1)), "{total:#}");
    assert_eq!(share(&total["mttrHours"]), (24.0, 1.0, Some(24.0)));
    let (up, required, _) = share(&total["availability"]);
    assert_eq!((up, required), (696.0, 720.0));
    assert_eq!(share(&total["firstTimeFix"]), (0.0, 1.0, Some(0.0)), "somebody had been there before");
    // Its end is known in every period, also where the second visit lies before it.
    let later = report(&app, "2026-05-12T00:00:00Z", THIRTY_DAYS.1, "").await;
    assert_eq!(later["total"]["availability"]["value"], json!(1.0), "{later:#}");
}

#[tokio::test]
async fn a_repair_that_found_no_fault_is_no_repair() {
    let app = TestApp::start_at(START).await;
    let site = site_named(&app, "Bund", None).await;
    let technician = app.technician("Li Wei").await;
    app.set_clock("2026-05-08T02:00:00Z");
    for (n, (serial, origin)) in [("HX1", "NONE_FOUND"), ("HX2", "DEVICE")].into_iter().enumerate() {
        let device = device_at(&app, &site, serial, START).await;
        let order = repair(&app, &device).await;
        let work = json!({"deviceId": device, "workOrderIds": [order], "outcome": "DONE",
            "performedAt": "2026-05-07T02:00:00Z"});
        let input = json!({
            "siteId": site, "technicianId": technician, "startedAt": "2026-05-07T02:00:00Z", "lines": [work],
        });
        let logged = app.mutate("logServiceVisit", "serviceVisit { lines { id } }", input).await;
        let line = text(&logged["serviceVisit"]["lines"][0]["id"]);
        let failed = Failed {
            device: &device,
            site: &site,
            line: &line,
            origin,
            failed_at: "2026-05-06T00:00:00Z",
            restored_at: Some("2026-05-07T02:00:00Z"),
            order: Some(&order),
        };
        fail(&app, n as u128 + 1, failed).await;
    }
    let found = report(&app, THIRTY_DAYS.0, THIRTY_DAYS.1, "").await;
    assert_eq!(share(&found["total"]["firstTimeFix"]), (1.0, 1.0, Some(1.0)), "{found:#}");
    assert_eq!(found["total"]["noFaultFoundCount"], 1);
}

#[tokio::test]
async fn what_was_found_and_ordered_is_not_fixed_and_neither_is_what_does_not_work_again() {
    let app = TestApp::start_at(START).await;
    let site = site_named(&app, "Bund", None).await;
    let technician = app.technician("Li Wei").await;
    let steps = json!([{"text": {"en": "Reader works"}, "isRequired": true, "opensCorrective": true}]);
    let plan = make_plan(&app, "CHECK", &[floating("P30D")], json!({"steps": steps})).await;
    app.set_clock("2026-05-08T02:00:00Z");
    let performed_at = "2026-05-07T02:00:00Z";
    for (n, (serial, passed, restored_at)) in
        [("HX1", false, Some(performed_at)), ("HX2", true, None), ("HX3", true, Some(performed_at))]
            .into_iter()
            .enumerate()
    {
        let device = device_at(&app, &site, serial, START).await;
        let results = json!([{"step": 1, "isDone": true, "passed": passed}]);
        let work = json!({"deviceId": device, "planIds": [plan], "outcome": "DONE", "performedAt": performed_at,
            "stepResults": results});
        let input = json!({"siteId": site, "technicianId": technician, "startedAt": performed_at, "lines": [work]});
        let logged = app.mutate("logServiceVisit", "serviceVisit { lines { id } }", input).await;
        let line = text(&logged["serviceVisit"]["lines"][0]["id"]);
        let failed = Failed {
            device: &device,
            site: &site,
            line: &line,
            origin: "DEVICE",
            failed_at: "2026-05-06T00:00:00Z",
            restored_at,
            order: None,
        };
        fail(&app, n as u128 + 1, failed).await;
    }
    let found = report(&app, THIRTY_DAYS.0, THIRTY_DAYS.1, "").await;
    let (fixed, repairs, _) = share(&found["total"]["firstTimeFix"]);
    assert_eq!((fixed, repairs), (1.0, 3.0), "{found:#}");
}
