//! A fleet of machines over a year and a half, synthetic and written by others: parts replaced,
//! failures, errors. All of it comes in through the product, and what device files and reports then
//! say is compared with the raw files, by arithmetic of this test's own.
//!
//! The files name no zone, sites, serial numbers, nor how long a machine stood still. Here their
//! times are UTC; ten machines stand at a site, in the order of their numbers; parts are numbered as
//! they come; and a machine works again as many hours after it failed as its part's number says.

mod import;
mod raw;

use self::import::{Imported, meter, site_name};
use self::raw::{ERRORS, FOLDER, Machine, Moment, PARTS, fleet, standstill, visits};
use crate::reports::{close, group, report, share};
use crate::support::{TestApp, at, instant, text};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tillkeep::kernel::scope::Scope;

/// Who made the machines: nobody.
const MAKER: &str = "Simulated";
/// When the machines were installed: the day before the first record.
const INSTALLED: &str = "2014-05-31T00:00:00Z";
/// Since when errors are counted, from 0.
const COUNTED: &str = "2015-01-01T00:00:00Z";
/// When everything is taken in: after the last record.
const NOW: &str = "2016-01-05T08:00:00Z";
/// One visit of so many comes over HTTP, the others as a bulk: as requests, all of them would take
/// minutes in a debug build and say no more than fifty.
const OF_HTTP: usize = 36;
/// The value below which nine tenths of a standard normal variable lie.
const NORMAL_90: f64 = 1.281_551_565_544_6;

/// What the file of a device, its parts, failures and meters say is what the raw files say.
async fn check_files(app: &TestApp, fleet: &[Machine]) {
    let query = "{
        devices(first: 100) { nodes {
            serialNumber status model { name } site { name }
            visits: history(kinds: [VISIT_LOGGED], first: 1) { totalCount }
            replaced: history(kinds: [COMPONENT_REPLACED], first: 1) { totalCount }
            failed: history(kinds: [FAILURE_REPORTED], first: 1) { totalCount }
            repaired: history(kinds: [WORK_ORDER_COMPLETED], first: 1) { totalCount }
            components { kind serialNumber installedAt removedAt }
            failures { failureCode origin failedAt restoredAt workOrder { kind state } }
            meters { code lifeCounter latestValue latestAt }
        } }
    }";
    let data = app.gql(query, json!({})).await;
    let devices = data["devices"]["nodes"].as_array().unwrap();
    assert_eq!(devices.len(), fleet.len());
    for machine in fleet {
        let serial = machine.serial();
        let device = devices.iter().find(|d| d["serialNumber"] == serial.as_str()).unwrap();
        assert_eq!((&device["status"], &device["model"]["name"]), (&json!("IN_SERVICE"), &json!(machine.model)));
        assert_eq!(device["site"]["name"], json!(site_name(machine.site())), "{serial}");

        let count = |name: &str| device[name]["totalCount"].as_u64().unwrap() as usize;
        let repaired = machine.failed.iter().filter(|f| machine.replaced.contains(f)).count();
        let (replaced, failed) = (machine.replaced.len(), machine.failed.len());
        assert_eq!(count("visits"), replaced + failed - repaired, "{serial}");
        assert_eq!((count("replaced"), count("failed"), count("repaired")), (replaced, failed, repaired), "{serial}");
        check_parts(machine, device);
        check_failures(machine, device);
        check_meters(machine, device);
    }
    let checks = app.services().registry.verify_page(&Scope::DEFAULT, None, 500).await.unwrap();
    assert_eq!(checks.len(), fleet.len());
    for check in checks {
        assert!(check.integrity.is_intact, "{}: {:?}", check.device.serial_number, check.integrity.problem);
        assert_eq!(check.differences, Vec::<String>::new(), "{}", check.device.serial_number);
    }
    assert!(app.services().registry.files_without_device(&Scope::DEFAULT).await.unwrap().is_empty());
}

fn check_parts(machine: &Machine, device: &Value) {
    let serial = machine.serial();
    let all = device["components"].as_array().unwrap();
    assert_eq!(all.len(), PARTS.len() + machine.replaced.len(), "{serial}");
    for (place, part) in PARTS.iter().enumerate() {
        let of_kind = all.iter().filter(|c| c["kind"] == part.kind.as_str());
        let (open, gone): (Vec<&Value>, Vec<&Value>) = of_kind.partition(|c| c["removedAt"].is_null());
        let [open] = open[..] else { panic!("{serial}, {}: {open:#?}", part.raw) };
        let replaced = machine.replacements(place);
        let last = *replaced.last().unwrap();
        assert_eq!(open["serialNumber"], json!(machine.part_serial(place, replaced.len())), "{serial}");
        assert_eq!(instant(&open["installedAt"]), last, "{serial}, {}", part.raw);
        let found: BTreeMap<Moment, String> =
            gone.iter().map(|c| (instant(&c["removedAt"]), text(&c["serialNumber"]))).collect();
        let expected: BTreeMap<Moment, String> =
            replaced.iter().enumerate().map(|(n, when)| (*when, machine.part_serial(place, n))).collect();
        assert_eq!(found, expected, "{serial}, {}", part.raw);
        assert_eq!(gone.len(), replaced.len(), "{serial}, {}", part.raw);
    }
}

fn check_failures(machine: &Machine, device: &Value) {
    let all = device["failures"].as_array().unwrap();
    assert_eq!(all.len(), machine.failed.len(), "{}", machine.serial());
    let mut found = BTreeSet::new();
    for failure in all {
        assert_eq!(failure["origin"], "DEVICE");
        let is_repaired = failure["workOrder"].is_object();
        if is_repaired {
            assert_eq!(failure["workOrder"], json!({"kind": "CORRECTIVE", "state": "COMPLETED"}));
        }
        let (from, to) = (instant(&failure["failedAt"]), instant(&failure["restoredAt"]));
        found.insert((from, text(&failure["failureCode"]), to, is_repaired));
    }
    let expected: BTreeSet<(Moment, String, Moment, bool)> = machine
        .failed
        .iter()
        .map(|failed| {
            let (when, part) = *failed;
            let is_repaired = machine.replaced.contains(failed);
            (when, PARTS[part].failure.to_owned(), when + standstill(part), is_repaired)
        })
        .collect();
    assert_eq!(found, expected, "{}", machine.serial());
}

fn check_meters(machine: &Machine, device: &Value) {
    let serial = machine.serial();
    let meters = device["meters"].as_array().unwrap();
    assert_eq!(meters.len(), ERRORS.len(), "{serial}");
    for error in 0..ERRORS.len() {
        let found = meters.iter().find(|m| m["code"] == meter(error).as_str()).unwrap();
        let when: Vec<Moment> = machine.errors.iter().filter(|(_, e)| *e == error).map(|(when, _)| *when).collect();
        let count = when.len() as f64;
        assert_eq!(
            (found["lifeCounter"].as_f64(), found["latestValue"].as_f64()),
            (Some(count), Some(count)),
            "{serial}"
        );
        assert_eq!(instant(&found["latestAt"]), when.last().copied().unwrap_or_else(|| at(COUNTED)), "{serial}");
    }
}

/// Compares the figures of some machines and a period with the raw files.
fn check_figures(found: &Value, machines: &[&Machine], from: Moment, to: Moment) {
    let (from, to) = (from.max(at(INSTALLED)), to.min(at(NOW)));
    let (mut failures, mut repaired, mut restoring) = (0, 0, TimeDelta::zero());
    // Everything is told by the hour; an hour in which two parts are down is one.
    let mut down: BTreeSet<(usize, Moment)> = BTreeSet::new();
    for machine in machines {
        for failed in machine.failed.iter().filter(|(when, _)| (from..to).contains(when)) {
            let (when, part) = *failed;
            failures += 1;
            repaired += u64::from(machine.replaced.contains(failed));
            restoring += standstill(part);
            let hours = (0..standstill(part).num_hours()).map(|hour| when + TimeDelta::hours(hour));
            down.extend(hours.filter(|hour| *hour < to).map(|hour| (machine.number, hour)));
        }
    }
    assert!(failures > 0);
    let counts = json!({
        "reported": failures, "counted": failures, "device": failures, "site": 0, "network": 0, "host": 0, "card": 0,
        "noneFound": 0,
    });
    assert_eq!((&found["failures"], &found["noFaultFoundCount"]), (&counts, &json!(0)));

    let time = (machines.len() as i64 * (to - from).num_hours()) as f64;
    let count = failures as f64;
    let mtbf = &found["mtbfHours"];
    assert_eq!(mtbf["failures"], json!(failures));
    close(&mtbf["deviceHours"], time);
    close(&mtbf["value"], time / count);
    let bound = mtbf["lowerBound90"].as_f64().unwrap();
    assert!(0.0 < bound && bound < time / count, "{mtbf:#}");
    // 2T / χ²(0.9; 2r + 2), the quantile as Wilson and Hilferty have it.
    let degrees = 2.0 * count + 2.0;
    let spread = 2.0 / (9.0 * degrees);
    let quantile = degrees * (1.0 - spread + NORMAL_90 * spread.sqrt()).powi(3);
    assert!((bound * quantile / (2.0 * time) - 1.0).abs() < 1e-3, "{bound} of {mtbf:#}");

    let same = |name: &str, above: f64, below: f64| {
        let (numerator, denominator, value) = share(&found[name]);
        for (number, expected) in [(numerator, above), (denominator, below), (value.unwrap(), above / below)] {
            assert!((number / expected - 1.0).abs() < 1e-9, "{name}: not {above} of {below} in {:#}", found[name]);
        }
    };
    same("mttrHours", restoring.num_hours() as f64, count);
    same("availability", time - down.len() as f64, time);
    same("firstTimeFix", repaired as f64, count);
    assert_eq!(found["noAccessVisits"], 0);
    assert_eq!((&found["due"], &found["doneWithoutOrder"]), (&json!(0), &json!(0)), "there is no plan");
}

/// Figures that groups add up to.
const SUMS: [&str; 6] = [
    "/failures/reported",
    "/mtbfHours/deviceHours",
    "/mttrHours/numerator",
    "/availability/numerator",
    "/firstTimeFix/numerator",
    "/firstTimeFix/denominator",
];

/// The reports of the year of the failures, and of all time by model and by site.
async fn check_reports(app: &TestApp, fleet: &[Machine]) {
    let all: Vec<&Machine> = fleet.iter().collect();
    let (from, to) = ("2015-01-01T00:00:00Z", "2016-01-01T00:00:00Z");
    check_figures(&report(app, from, to, "").await["total"], &all, at(from), at(to));

    // From before the machines came to after now.
    let (from, to) = ("2014-01-01T00:00:00Z", "2017-01-01T00:00:00Z");
    let label_of = |dimension: &str, machine: &Machine| match dimension {
        "MODEL" => format!("{MAKER} {}", machine.model),
        _ => site_name(machine.site()),
    };
    for dimension in ["MODEL", "SITE"] {
        let found = report(app, from, to, &format!(", groupBy: {dimension}")).await;
        check_figures(&found["total"], &all, at(from), at(to));
        let mut groups: BTreeMap<String, Vec<&Machine>> = BTreeMap::new();
        for machine in fleet {
            groups.entry(label_of(dimension, machine)).or_default().push(machine);
        }
        assert_eq!(found["groupCount"], json!(groups.len()), "{dimension}");
        for (label, machines) in &groups {
            check_figures(group(&found, label), machines, at(from), at(to));
        }
        for figure in SUMS {
            let number = |figures: &Value| figures.pointer(figure).and_then(Value::as_f64).unwrap();
            let sum: f64 = found["groups"].as_array().unwrap().iter().map(|g| number(&g["figures"])).sum();
            close(&json!(sum), number(&found["total"]));
        }
    }
}

#[tokio::test]
async fn a_fleet_of_machines_comes_in_and_files_and_reports_agree_with_the_raw_records() {
    let Some(fleet) = fleet() else {
        eprintln!("skipped: {FOLDER} is absent");
        return;
    };
    let sum = |count: fn(&Machine) -> usize| fleet.iter().map(count).sum::<usize>();
    let told = [sum(|m| m.replaced.len()), sum(|m| m.failed.len()), sum(|m| m.errors.len())];
    assert_eq!((fleet.len(), told), (100, [3_286, 761, 3_919]), "as the fleet is described");
    assert!(fleet.iter().enumerate().all(|(place, machine)| machine.number == place + 1));

    let app = TestApp::start_at(NOW).await;
    let imported = Imported::new(&app, &fleet).await;
    imported.count_errors(&fleet).await;
    let visits = visits(&fleet);
    let mut failures_over_http = 0;
    for some in visits.chunks(OF_HTTP) {
        failures_over_http += imported.log(some).await;
    }
    assert!(failures_over_http > 0, "no failure came over HTTP");

    let query = "{ serviceVisits(first: 1) { totalCount } workOrders(first: 1) { totalCount } }";
    let data = app.gql(query, json!({})).await;
    let repairs = visits.iter().flat_map(|v| &v.work).filter(|w| w.is_repair()).count();
    assert_eq!(data["serviceVisits"]["totalCount"], json!(visits.len()));
    assert_eq!(data["workOrders"]["totalCount"], json!(repairs));
    check_files(&app, &fleet).await;
    check_reports(&app, &fleet).await;
}
