//! Use cases of visits: logging, safe to send twice, late, or out of order.

use super::error::Error;
use super::model::*;
use super::rules::{self, Target};
use super::search_store;
use super::store::{self, VisitKey};
use crate::db::tx::Tx;
use crate::db::{Db, StoreResult, numbers};
use crate::kernel::call::Call;
use crate::kernel::ids::*;
use crate::kernel::scope::Scope;
use crate::kernel::search::{Hits, MatchedField, SearchText, SearchType};
use crate::kernel::subject::{Subject, SubjectKind};
use crate::planning::PlanningService;
use crate::planning::model::{LineCode, LineResult, VisitLineFact};
use crate::planning::store as planning_store;
use crate::registry::RegistryService;
use crate::registry::file::{DeviceFile, EventKind, NewEvent};
use crate::registry::model::{Binding, DeviceRef};
use crate::registry::service::resolve_many;
use crate::registry::store as registry_store;
use crate::usage::UsageService;
use chrono::{DateTime, Datelike, Utc};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// Visits of one transaction when many are logged: short enough that nobody waits long.
const BULK: usize = 100;

/// Service visits.
pub struct VisitService {
    db: Db,
    ids: Arc<Ids>,
    file: Arc<DeviceFile>,
    pub(super) planning: Arc<PlanningService>,
    pub(super) registry: Arc<RegistryService>,
    pub(super) usage: Arc<UsageService>,
}

/// A line on its way into the tables.
pub(super) struct Draft {
    pub(super) row: VisitLine,
    pub(super) site_id: SiteId,
    pub(super) target: Target,
    /// Devices whose files name the visit.
    devices: Vec<DeviceId>,
    /// What is odd about it, as far as visits can tell.
    notices: Vec<LineCode>,
}

/// What the lines name: their devices, line by line, and what their orders are for.
struct Known {
    devices: Vec<Option<Option<DeviceId>>>,
    orders: HashMap<WorkOrderId, Subject>,
}

fn sorted<T: Ord + Copy>(given: impl IntoIterator<Item = T>) -> Vec<T> {
    given.into_iter().collect::<BTreeSet<T>>().into_iter().collect()
}

impl VisitService {
    /// Builds the service.
    pub fn new(
        db: Db,
        ids: Arc<Ids>,
        file: Arc<DeviceFile>,
        planning: Arc<PlanningService>,
        registry: Arc<RegistryService>,
        usage: Arc<UsageService>,
    ) -> Self {
        Self { db, ids, file, planning, registry, usage }
    }

    /// A fresh id.
    pub(super) fn new_id(&self, tx: &Tx) -> Uuid {
        self.ids.uuid(tx.now())
    }

    /// Visits whose number begins with a text, where they are asked for; at most 200, the best.
    ///
    /// # Errors
    /// Storage.
    pub async fn search(&self, scope: &Scope, text: &SearchText, types: &[SearchType]) -> StoreResult<Hits> {
        let mut hits = Hits::default();
        if types.contains(&SearchType::ServiceVisit) {
            let rows = search_store::visits_by_number(self.db.reader(), scope, text).await?;
            hits.add(SearchType::ServiceVisit, MatchedField::Number, rows);
        }
        Ok(hits)
    }

    /// Logs a visit: counts completed work for its items, closes the orders it closes, and writes
    /// to the file of every device.
    ///
    /// # Errors
    /// Unknown site or technician, no or too many lines, impossible moments, texts out of bounds;
    /// answers that cannot be, parts that cannot have been replaced so, a repair that does not say
    /// what had failed; an idempotency key used with other input.
    pub async fn log_visit(&self, call: &Call, visit: LogVisit) -> Result<Logged, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let logged = self.record(&tx, vec![visit]).await?.pop().ok_or(Error::NoLines)?;
        tx.finish(&logged).await?;
        Ok(logged)
    }

    /// Logs visits in one change.
    ///
    /// # Errors
    /// As [`Self::log_visit`]; then none of them is logged.
    pub async fn log_visits(&self, call: &Call, visits: &[LogVisit]) -> Result<Vec<Logged>, Error> {
        if visits.is_empty() {
            return Ok(Vec::new());
        }
        let tx = self.db.begin(call).await?;
        let logged = self.record(&tx, visits.to_vec()).await?;
        tx.commit().await?;
        Ok(logged)
    }

    /// Logs any number of visits, a hundred to a transaction; for seeding and imports.
    ///
    /// # Errors
    /// As [`Self::log_visit`]; the hundreds before the one refused stay logged.
    pub async fn log_visits_bulk(&self, call: &Call, visits: Vec<LogVisit>) -> Result<Vec<Logged>, Error> {
        let mut logged = Vec::with_capacity(visits.len());
        for chunk in visits.chunks(BULK) {
            logged.extend(self.log_visits(call, chunk).await?);
        }
        Ok(logged)
    }

    async fn record(&self, tx: &Tx, mut visits: Vec<LogVisit>) -> Result<Vec<Logged>, Error> {
        let (db, scope, now) = (tx.conn(), tx.scope(), tx.now());
        let mut masked = Vec::new();
        for visit in &mut visits {
            masked.extend(rules::clean(visit, now)?);
        }
        let sites = sorted(visits.iter().map(|v| v.site_id));
        if registry_store::sites_by_ids(db, scope, &sites).await?.len() != sites.len() {
            return Err(Error::NotFound { what: "site", field: "siteId" });
        }
        let technicians = sorted(visits.iter().map(|v| v.technician_id));
        if registry_store::technicians_by_ids(db, scope, &technicians).await?.len() != technicians.len() {
            return Err(Error::NotFound { what: "technician", field: "technicianId" });
        }
        let known = self.known(tx, &visits).await?;
        let mut rows = self.rows(now, &visits);
        let mut drafts = self.drafts(now, &visits, &rows, &known, &masked);
        flag_other_sites(tx, &mut drafts).await?;

        let mut facts: Vec<VisitLineFact> = drafts.iter().enumerate().map(|(place, draft)| draft.fact(place)).collect();
        // What is refused is refused before anything is written.
        let lines: Vec<&LogLine> = visits.iter().flat_map(|v| &v.lines).collect();
        let evidence = self.evidence(tx, &lines, &mut drafts, &facts).await?;
        for (fact, devices) in facts.iter_mut().zip(&evidence.touches) {
            fact.touches.clone_from(devices);
        }
        for (fact, (orders, plans)) in facts.iter_mut().zip(&evidence.not_passed) {
            fact.not_passed_orders.clone_from(orders);
            fact.not_passed_plans.clone_from(plans);
        }
        let (results, sites) = self.planning.record_visit_lines(tx, &facts).await?;
        // After the files are locked: a visit that waits for one must not keep the numbers.
        number(tx, &mut rows).await?;
        let found = self.act(tx, &evidence, &drafts).await?;
        for result in results {
            if let Some(draft) = drafts.get_mut(result.line) {
                draft.notices.retain(|n| *n != result.code);
                let line = draft.row.line_no as usize;
                draft.row.notices.push(LineResult { line, ..result });
            }
        }
        for draft in &mut drafts {
            let line = draft.row.line_no as usize;
            let own = draft.notices.drain(..).map(|code| LineResult { line, code, work_order: None });
            draft.row.notices.extend(own);
        }
        for LineResult { line: place, code, work_order } in found {
            if let Some(draft) = drafts.get_mut(place) {
                let line = draft.row.line_no as usize;
                draft.row.notices.push(LineResult { line, code, work_order });
            }
        }

        let places: HashMap<VisitId, usize> = rows.iter().enumerate().map(|(place, v)| (v.id, place)).collect();
        let mut logged: Vec<Logged> = rows.iter().map(|v| Logged { visit_id: v.id, results: Vec::new() }).collect();
        let mut events = Vec::new();
        let mut lines = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let Some(place) = places.get(&draft.row.visit_id).copied() else { continue };
            events.extend(draft.events(&rows[place]));
            events.extend(draft.failure_event());
            logged[place].results.extend(draft.row.notices.iter().cloned());
            lines.push(draft.row);
        }
        store::insert_visits(db, scope, &rows).await?;
        store::insert_lines(db, scope, &lines).await?;
        store::insert_failures(db, scope, &evidence.failures).await?;
        // Last: appending settles the devices, which must find the completed work in the log.
        self.file.append(tx, events).await?;
        self.planning.settle(tx, &sites).await?;
        Ok(logged)
    }

    /// Finds the devices and orders the lines name, in a number of statements that does not
    /// depend on how many there are.
    async fn known(&self, tx: &Tx, visits: &[LogVisit]) -> StoreResult<Known> {
        let lines = || visits.iter().flat_map(|v| &v.lines);
        let refs: Vec<_> = lines().filter_map(|l| l.device.clone().map(|d| (d, l.performed_at))).collect();
        let mut resolved = resolve_many(tx.conn(), tx.scope(), &refs).await?.into_iter();
        let devices: Vec<_> =
            lines().map(|l| l.device.as_ref().map(|_| resolved.next().and_then(Result::ok))).collect();
        let without_device = lines().zip(&devices).filter(|(_, device)| !matches!(device, Some(Some(_))));
        let ids = sorted(without_device.flat_map(|(l, _)| l.work_order_ids.iter().copied()));
        let orders = planning_store::orders_by_ids(tx.conn(), tx.scope(), &ids).await?;
        Ok(Known { devices, orders: orders.into_iter().map(|o| (o.id, o.subject)).collect() })
    }

    /// The visits, still without numbers.
    fn rows(&self, now: DateTime<Utc>, visits: &[LogVisit]) -> Vec<ServiceVisit> {
        visits
            .iter()
            .map(|visit| ServiceVisit {
                id: self.ids.next(now),
                number: String::new(),
                site_id: visit.site_id,
                technician_id: visit.technician_id,
                started_at: visit.started_at,
                ended_at: visit.ended_at,
                notes: visit.notes.clone(),
                recorded_at: now,
                version: 1,
            })
            .collect()
    }

    fn drafts(
        &self,
        now: DateTime<Utc>,
        visits: &[LogVisit],
        rows: &[ServiceVisit],
        known: &Known,
        masked: &[bool],
    ) -> Vec<Draft> {
        let lines = visits
            .iter()
            .zip(rows)
            .flat_map(|(visit, row)| visit.lines.iter().enumerate().map(move |(no, l)| (row, no, l)));
        lines
            .zip(known.devices.iter().zip(masked))
            .map(|((visit, line_no, line), (device, is_masked))| {
                let ordered: Vec<Subject> =
                    line.work_order_ids.iter().filter_map(|id| known.orders.get(id).copied()).collect();
                let target = rules::target(*device, &ordered);
                let devices = match target {
                    Target::Device(device) => vec![device],
                    Target::Site => vec![],
                    Target::Unresolved | Target::Orders => {
                        sorted(ordered.iter().filter(|s| s.kind == SubjectKind::Device).map(|s| DeviceId(s.id)))
                    }
                };
                let (serial_number, manufacturer) = match &line.device {
                    Some(DeviceRef::Serial { serial_number, manufacturer }) => {
                        (Some(serial_number.clone()), manufacturer.clone())
                    }
                    _ => (None, None),
                };
                let notices = [
                    (target == Target::Unresolved, LineCode::UnresolvedDevice),
                    (*is_masked, LineCode::CardNumberMasked),
                    (
                        rules::is_outside(line.performed_at, visit.started_at, visit.ended_at),
                        LineCode::PerformedOutsideVisit,
                    ),
                ];
                Draft {
                    row: VisitLine {
                        id: self.ids.next(now),
                        visit_id: visit.id,
                        line_no: line_no as i32,
                        device_id: match target {
                            Target::Device(device) => Some(device),
                            Target::Site | Target::Unresolved | Target::Orders => None,
                        },
                        serial_number,
                        manufacturer,
                        performed_at: line.performed_at,
                        outcome: line.outcome,
                        findings: line.findings.clone(),
                        step_results: line.step_results.clone(),
                        work_order_ids: line.work_order_ids.clone(),
                        plan_ids: line.plan_ids.clone(),
                        notices: vec![],
                        parts_replaced: line.parts_replaced.clone(),
                        failure: None,
                    },
                    site_id: visit.site_id,
                    target,
                    devices,
                    notices: notices.into_iter().filter_map(|(is_so, code)| is_so.then_some(code)).collect(),
                }
            })
            .collect()
    }

    /// How many visits match, counted up to `limit`.
    pub async fn count_visits(&self, scope: &Scope, filter: &VisitFilter, limit: u64) -> StoreResult<u64> {
        store::count_visits(self.db.reader(), scope, filter, limit).await
    }

    /// Visits by id, in any order.
    pub async fn visits_by_ids(&self, scope: &Scope, ids: &[VisitId]) -> StoreResult<Vec<ServiceVisit>> {
        store::visits_by_ids(self.db.reader(), scope, ids).await
    }

    /// Lines of visits, in order.
    pub async fn lines_of(&self, scope: &Scope, visits: &[VisitId]) -> StoreResult<Vec<VisitLine>> {
        store::lines_of(self.db.reader(), scope, visits).await
    }

    /// Failures of devices, newest first.
    pub async fn failures_of_devices(&self, scope: &Scope, devices: &[DeviceId]) -> StoreResult<Vec<Failure>> {
        store::failures_of_devices(self.db.reader(), scope, devices).await
    }

    /// The latest visits to each of these devices, newest first, at most `per_device` each.
    pub async fn visits_of_devices(
        &self,
        scope: &Scope,
        devices: &[DeviceId],
        per_device: usize,
    ) -> StoreResult<Vec<(DeviceId, ServiceVisit)>> {
        store::visits_of_devices(self.db.reader(), scope, devices, per_device).await
    }

    /// Visits, newest first.
    pub async fn visits_page(
        &self,
        scope: &Scope,
        filter: &VisitFilter,
        after: Option<&VisitKey>,
        limit: u64,
    ) -> StoreResult<Vec<ServiceVisit>> {
        store::visits_page(self.db.reader(), scope, filter, after, limit).await
    }
}

/// Gives visits their numbers.
async fn number(tx: &Tx, visits: &mut [ServiceVisit]) -> StoreResult<()> {
    let year = tx.now().year();
    let numbers = numbers::reserve(tx, "SV", year, visits.len() as u32).await?;
    for (visit, number) in visits.iter_mut().zip(numbers) {
        visit.number = format!("SV-{year}-{number:06}");
    }
    Ok(())
}

impl Draft {
    /// What planning is told; `place` counts over all visits of the change.
    fn fact(&self, place: usize) -> VisitLineFact {
        let (subject, device) = match self.target {
            Target::Device(id) => (Some(Subject { kind: SubjectKind::Device, id: id.0 }), Some(id)),
            Target::Site => (Some(Subject { kind: SubjectKind::Site, id: self.site_id.0 }), None),
            Target::Unresolved | Target::Orders => (None, None),
        };
        VisitLineFact {
            line: place,
            visit_line_id: self.row.id,
            subject,
            is_unresolved: self.target == Target::Unresolved,
            device,
            site_id: self.site_id,
            work_order_ids: self.row.work_order_ids.clone(),
            plan_ids: self.row.plan_ids.clone(),
            not_passed_orders: vec![],
            not_passed_plans: vec![],
            performed_at: self.row.performed_at,
            is_done: self.row.outcome == VisitLineOutcome::Done,
            outcome: self.row.outcome.as_str().to_owned(),
            touches: vec![],
        }
    }

    /// What the device's file says of the failure; nothing for a device nobody knows.
    fn failure_event(&self) -> Option<NewEvent> {
        let (device, failure) = (self.row.device_id?, self.row.failure.as_ref()?);
        Some(NewEvent {
            device,
            occurred_at: failure.failed_at,
            kind: EventKind::FailureReported,
            payload: json!({
                "failureCode": failure.failure_code, "causeCode": failure.cause_code,
                "remedyCode": failure.remedy_code, "origin": failure.origin, "failedAt": failure.failed_at,
                "detectedAt": failure.detected_at, "restoredAt": failure.restored_at,
                "workOrderId": failure.work_order_id, "visitLineId": self.row.id,
            }),
            corrects: None,
        })
    }

    /// What the files of its devices say. People's names and free text stay in the tables, where
    /// they can be erased.
    fn events(&self, visit: &ServiceVisit) -> impl Iterator<Item = NewEvent> {
        let codes: Vec<LineCode> = self.row.notices.iter().map(|r| r.code).collect();
        let payload = json!({
            "visitId": visit.id, "number": visit.number, "siteId": visit.site_id,
            "technicianId": visit.technician_id, "outcome": self.row.outcome, "visitLineId": self.row.id,
            "workOrderIds": self.row.work_order_ids, "planIds": self.row.plan_ids, "results": codes,
        });
        let occurred_at = self.row.performed_at;
        self.devices.clone().into_iter().map(move |device| NewEvent {
            device,
            occurred_at,
            kind: EventKind::VisitLogged,
            payload: payload.clone(),
            corrects: None,
        })
    }
}

/// Flags lines whose device stood at another site at the time of the work.
async fn flag_other_sites(tx: &Tx, drafts: &mut [Draft]) -> StoreResult<()> {
    let devices = sorted(drafts.iter().filter_map(|d| d.row.device_id));
    let mut lines: HashMap<DeviceId, Vec<Binding>> = HashMap::new();
    for binding in registry_store::bindings_of_devices(tx.conn(), tx.scope(), &devices).await? {
        lines.entry(binding.device_id).or_default().push(binding);
    }
    for draft in drafts {
        let at = draft.row.performed_at;
        let stood = draft.row.device_id.and_then(|d| lines.get(&d)).into_iter().flatten();
        // A device that stood nowhere was on its way in or out: nothing to remark.
        let mut then = stood.filter(|b| b.started_at <= at && b.ended_at.is_none_or(|end| at <= end)).peekable();
        if then.peek().is_some() && then.all(|b| b.site_id != draft.site_id) {
            draft.notices.push(LineCode::OtherSite);
        }
    }
    Ok(())
}
