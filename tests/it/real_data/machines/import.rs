//! The fleet's way into the product.

use super::raw::{ERRORS, Machine, PARTS, Part, Visit, Work, standstill};
use super::{COUNTED, INSTALLED, MAKER};
use crate::ingest::take_in;
use crate::support::{TestApp, text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use tillkeep::catalogue::model::FailureOrigin;
use tillkeep::ingest::Kind;
use tillkeep::kernel::ids::{DeviceId, SiteId, TechnicianId, WorkOrderId};
use tillkeep::planning::model::{ExecutionChannel, LineCode, MaintenanceKind, Priority};
use tillkeep::planning::service::CreateOrder;
use tillkeep::registry::model::DeviceRef;
use tillkeep::visits::model::{LogLine, LogVisit, Logged, NewFailure, PartReplaced};

/// The fleet as the product knows it.
pub struct Imported<'a> {
    app: &'a TestApp,
    technician: String,
    /// By the machines' places.
    devices: Vec<String>,
    sites: Vec<String>,
    /// Cause and remedy of each part's failures.
    reasons: Vec<(String, String)>,
}

async fn import_file(app: &TestApp, kind: Kind, csv: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), csv).unwrap();
    let report = take_in(app, kind, file.path()).await.unwrap();
    let rows = csv.lines().count() as u64 - 1;
    assert_eq!((report.rows, report.added, report.refused_count), (rows, rows, 0), "{report}");
}

pub fn meter(error: usize) -> String {
    ERRORS[error].to_uppercase()
}

pub fn site_name(site: usize) -> String {
    format!("Plant {}", site + 1)
}

/// The reference data is taken over for its failure lists. The fleet has plans of its own, which
/// nobody wrote down: those of the seeds are switched off, the inspection before service too.
async fn lists_without_plans(app: &TestApp) {
    app.seed().await;
    let data = app.gql("{ maintenancePlans(first: 500) { nodes { id } } }", json!({})).await;
    let plans = data["maintenancePlans"]["nodes"].as_array().unwrap();
    assert!(!plans.is_empty());
    for plan in plans {
        app.mutate("updateMaintenancePlan", "", json!({"planId": plan["id"], "isActive": false})).await;
    }
}

/// The cause a part's failures usually have, and the remedy of last resort.
async fn reason(app: &TestApp, part: &Part) -> (String, String) {
    let query = "query($part: ComponentKind!) {
        failureCodes(component: $part) { code causes { code } remedies { code } }
    }";
    let data = app.gql(query, json!({"part": part.kind.as_str()})).await;
    let codes = data["failureCodes"].as_array().unwrap();
    let code = codes.iter().find(|c| c["code"] == part.failure);
    let code = code.unwrap_or_else(|| panic!("no {}: {codes:#?}", part.failure));
    (text(&code["causes"][0]["code"]), text(&code["remedies"].as_array().unwrap().last().unwrap()["code"]))
}

impl<'a> Imported<'a> {
    /// Makes models, sites and devices, all in service since they were installed.
    pub async fn new(app: &'a TestApp, fleet: &[Machine]) -> Self {
        lists_without_plans(app).await;
        let mut reasons = Vec::new();
        for part in &PARTS {
            reasons.push(reason(app, part).await);
        }
        let models: BTreeSet<&str> = fleet.iter().map(|m| m.model.as_str()).collect();
        let meters: Vec<Value> = (0..ERRORS.len())
            // Telemetry of the fleet is hourly.
            .map(|error| json!({"code": meter(error), "maxPerDay": 24, "planningPerDay": 0}))
            .collect();
        let parts: Vec<Value> =
            PARTS.iter().map(|part| json!({"kind": part.kind.as_str(), "replaceableAt": "FIELD"})).collect();
        for name in &models {
            let input = json!({"manufacturer": MAKER, "name": name, "meters": meters, "components": parts});
            app.mutate("createDeviceModel", "", input).await;
        }

        let mut places: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let mut devices = "manufacturer,model,serial_number,terminal_number,installed_at,status\n".to_owned();
        for machine in fleet {
            let serial = machine.serial();
            places.entry(machine.site()).or_default().push(format!("Place of {serial}=T{serial}"));
            writeln!(devices, "{MAKER},{},{serial},T{serial},{INSTALLED},IN_SERVICE", machine.model).unwrap();
        }
        let mut sites = "merchant_number,name,time_zone,positions\n".to_owned();
        for (site, places) in &places {
            writeln!(sites, "F1,{},UTC,{}", site_name(*site), places.join(";")).unwrap();
        }
        import_file(app, Kind::Merchants, "merchant_number,name\nF1,Fleet\n").await;
        import_file(app, Kind::Sites, &sites).await;
        import_file(app, Kind::Devices, &devices).await;

        let query = "{
            devices(first: 500) { nodes { id serialNumber } }
            sites(first: 500) { nodes { id name } }
        }";
        let data = app.gql(query, json!({})).await;
        let id_of = |list: &str, field: &str, name: String| {
            let nodes = data[list]["nodes"].as_array().unwrap();
            let found = nodes.iter().find(|node| node[field] == name.as_str());
            text(&found.unwrap_or_else(|| panic!("no {name}"))["id"])
        };
        Self {
            app,
            technician: app.technician("Ana Torres").await,
            devices: fleet.iter().map(|m| id_of("devices", "serialNumber", m.serial())).collect(),
            sites: places.keys().map(|site| id_of("sites", "name", site_name(*site))).collect(),
            reasons,
        }
    }

    fn device(&self, machine: &Machine) -> &str {
        &self.devices[machine.number - 1]
    }

    /// Takes in what was counted: each error moves its machine's counter on by one.
    pub async fn count_errors(&self, fleet: &[Machine]) {
        let codes: Vec<String> = (0..ERRORS.len()).map(meter).collect();
        let mut readings: Vec<(&str, &str, f64, String)> = Vec::new();
        for machine in fleet {
            let device = self.device(machine);
            readings.extend(codes.iter().map(|code| (device, code.as_str(), 0.0, COUNTED.to_owned())));
            let mut counts = [0.0; ERRORS.len()];
            for (when, error) in &machine.errors {
                counts[*error] += 1.0;
                readings.push((device, codes[*error].as_str(), counts[*error], when.to_rfc3339()));
            }
        }
        let total = readings.len();
        let mut accepted = 0;
        for request in readings.chunks(5_000) {
            let payload = self.app.read_many(request.to_vec()).await;
            assert_eq!(payload["rejected"], json!([]));
            accepted += payload["acceptedCount"].as_u64().unwrap() as usize;
        }
        assert_eq!(accepted, total);
    }

    /// The orders of a visit's repairs, line by line.
    async fn order_repairs(&self, visit: &Visit<'_>) -> Vec<Option<WorkOrderId>> {
        let mut orders = Vec::with_capacity(visit.work.len());
        for work in &visit.work {
            if !work.is_repair() {
                orders.push(None);
                continue;
            }
            let order = CreateOrder {
                device_id: Some(DeviceId::parse_global(self.device(work.machine)).unwrap()),
                site_id: None,
                kind: MaintenanceKind::Corrective,
                channel: ExecutionChannel::Field,
                priority: Priority::Normal,
                due_at: visit.when,
                early_days: 0,
                late_days: 0,
                estimated_minutes: 30,
                steps: vec![],
            };
            let call = self.app.app.system_call("importer");
            let made = self.app.services().planning.create_order(&call, order).await.unwrap();
            orders.push(Some(made.work_order_id.unwrap()));
        }
        orders
    }

    /// A visit as the service takes it.
    fn visit(&self, visit: &Visit<'_>, orders: &[Option<WorkOrderId>]) -> LogVisit {
        let line = |(work, order): (&Work<'_>, &Option<WorkOrderId>)| {
            let (part, (cause, remedy)) = (&PARTS[work.part], &self.reasons[work.part]);
            let replaced = work.serials().map(|(old, new)| PartReplaced {
                component_kind: part.kind,
                old_serial_number: Some(old),
                new_serial_number: Some(new),
                warranty_ends_on: None,
                part_number: None,
            });
            let failure = work.has_failed.then(|| NewFailure {
                failure_code: part.failure.to_owned(),
                cause_code: Some(cause.clone()),
                remedy_code: Some(remedy.clone()),
                origin: Some(FailureOrigin::Device),
                failed_at: visit.when,
                detected_at: None,
                restored_at: Some(visit.when + standstill(work.part)),
            });
            LogLine {
                device: Some(DeviceRef::Id(DeviceId::parse_global(self.device(work.machine)).unwrap())),
                work_order_ids: order.iter().copied().collect(),
                parts_replaced: replaced.into_iter().collect(),
                failure,
                ..LogLine::new(visit.when, work.outcome())
            }
        };
        LogVisit {
            site_id: SiteId::parse_global(&self.sites[visit.site]).unwrap(),
            technician_id: TechnicianId::parse_global(&self.technician).unwrap(),
            started_at: visit.when,
            ended_at: None,
            notes: None,
            lines: visit.work.iter().zip(orders).map(line).collect(),
        }
    }

    /// The same visit as it comes over HTTP.
    fn input(&self, visit: &Visit<'_>, orders: &[Option<WorkOrderId>]) -> Value {
        let mut lines = Vec::new();
        for (work, order) in visit.work.iter().zip(orders) {
            let part = &PARTS[work.part];
            let named: Vec<String> = order.iter().map(|id| id.global()).collect();
            let mut line = json!({
                "deviceId": self.device(work.machine),
                "performedAt": visit.when,
                "outcome": work.outcome().as_str(),
                "workOrderIds": named,
            });
            if let Some((old, new)) = work.serials() {
                let kind = part.kind.as_str();
                line["partsReplaced"] =
                    json!([{"componentKind": kind, "oldSerialNumber": old, "newSerialNumber": new}]);
            }
            if work.has_failed {
                let (cause, remedy) = &self.reasons[work.part];
                line["failure"] = json!({
                    "failureCode": part.failure, "causeCode": cause, "remedyCode": remedy, "origin": "DEVICE",
                    "failedAt": visit.when, "restoredAt": visit.when + standstill(work.part),
                });
            }
            lines.push(line);
        }
        json!({
            "siteId": self.sites[visit.site],
            "technicianId": self.technician,
            "startedAt": visit.when,
            "lines": lines,
        })
    }

    /// Logs visits in the order of time, the last of them over HTTP; says how many failures that
    /// one told of.
    pub async fn log(&self, visits: &[Visit<'_>]) -> usize {
        let Some((last, bulk)) = visits.split_last() else { return 0 };
        let mut asked = Vec::with_capacity(bulk.len());
        for visit in bulk {
            let orders = self.order_repairs(visit).await;
            asked.push(self.visit(visit, &orders));
        }
        let call = self.app.app.system_call("importer");
        let logged: Vec<Logged> = self.app.services().visits.log_visits_bulk(&call, asked).await.unwrap();
        assert_eq!(logged.len(), bulk.len());
        for (visit, logged) in bulk.iter().zip(&logged) {
            let answered: Vec<(usize, LineCode)> = logged.results.iter().map(|r| (r.line, r.code)).collect();
            let expected: Vec<(usize, LineCode)> = visit.work.iter().map(Work::code).enumerate().collect();
            assert_eq!(answered, expected, "at {}, {}", visit.when, site_name(visit.site));
        }
        let orders = self.order_repairs(last).await;
        let payload = self.app.mutate("logServiceVisit", "results { line code }", self.input(last, &orders)).await;
        let expected: Vec<Value> =
            last.work.iter().enumerate().map(|(line, w)| json!({"line": line, "code": w.code().as_str()})).collect();
        assert_eq!(payload["results"], json!(expected), "at {}, {}", last.when, site_name(last.site));
        last.work.iter().filter(|w| w.has_failed).count()
    }
}
