//! Task lists: what a plan's list may ask for, which lists a visit line answers, the orders its
//! failed steps open, and the gate of devices that were not inspected.

use super::PlanningService;
use crate::catalogue::store as catalogue_store;
use crate::db::tx::Tx;
use crate::db::{ConnectionTrait, StoreResult, numbers};
use crate::kernel::calendar::{end_of_day, local_date, start_of_day};
use crate::kernel::ids::{DeviceId, DeviceModelId, PlanId, SiteId, WorkOrderId};
use crate::kernel::scope::Scope;
use crate::kernel::subject::{Subject, SubjectKind};
use crate::kernel::text::LocalizedText;
use crate::planning::error::Error;
use crate::planning::model::*;
use crate::planning::rules;
use crate::planning::store;
use crate::registry::file::{EventKind, NewEvent};
use crate::registry::model::{Device, Site};
use crate::registry::store as registry_store;
use chrono::{DateTime, Datelike, Days, Utc};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Civil days a corrective order of a failed step may take and still be on time; assumed.
const CORRECTIVE_LATE_DAYS: u64 = 3;
/// Minutes of work expected of it; assumed.
const CORRECTIVE_MINUTES: u32 = 30;

impl PlanningService {
    /// Cleans the texts of a task list and checks what it asks for, its meters and models too.
    pub(super) async fn clean_steps(
        &self,
        db: &impl ConnectionTrait,
        scope: &Scope,
        steps: &mut [TaskStep],
    ) -> Result<(), Error> {
        let meters = match steps.iter().any(|s| s.kind == StepKind::MeterReading) {
            true => catalogue_store::meters(db, scope).await?,
            false => Vec::new(),
        };
        rules::clean_steps(steps, &meters)?;
        let models: BTreeSet<DeviceModelId> =
            steps.iter().flat_map(|s| &s.model_notes).flat_map(|n| n.model_ids.iter().copied()).collect();
        let models: Vec<DeviceModelId> = models.into_iter().collect();
        if models.is_empty() {
            return Ok(());
        }
        if catalogue_store::models_by_ids(db, scope, &models).await?.len() != models.len() {
            return Err(Error::NotFound { what: "device model", field: "steps" });
        }
        Ok(())
    }

    /// Tells the registry whether devices must be inspected before they go into service: while a
    /// plan for devices of that kind is active.
    pub(super) async fn set_gate(&self, tx: &Tx) -> StoreResult<()> {
        let (db, scope) = (tx.conn(), tx.scope());
        // First, because it locks the row: of two changes at once the second sees the first.
        registry_store::set_requires_inspection(db, scope, true).await?;
        let plans = store::all_plans(db, scope).await?;
        let is_gate = |p: &MaintenancePlan| {
            p.is_active
                && p.definition.kind == MaintenanceKind::PreInstallation
                && p.definition.subject == SubjectKind::Device
        };
        if !plans.iter().any(is_gate) {
            registry_store::set_requires_inspection(db, scope, false).await?;
        }
        Ok(())
    }

    /// The task lists each line answers, in the order it names them: of orders as they were issued,
    /// of plans as the open order has it, else as the plan has it now. Orders and plans of another
    /// subject than the line's are left out.
    ///
    /// # Errors
    /// Storage only.
    pub async fn task_lists(&self, tx: &Tx, lines: &[VisitLineFact]) -> StoreResult<Vec<Vec<TaskList>>> {
        let (db, scope) = (tx.conn(), tx.scope());
        let order_ids: BTreeSet<WorkOrderId> = lines.iter().flat_map(|l| l.work_order_ids.iter().copied()).collect();
        let order_ids: Vec<WorkOrderId> = order_ids.into_iter().collect();
        let plan_ids: BTreeSet<PlanId> = lines.iter().flat_map(|l| l.plan_ids.iter().copied()).collect();
        let plan_ids: Vec<PlanId> = plan_ids.into_iter().collect();
        let orders: HashMap<WorkOrderId, WorkOrder> =
            store::orders_by_ids(db, scope, &order_ids).await?.into_iter().map(|o| (o.id, o)).collect();
        let mut plans: HashMap<PlanId, MaintenancePlan> = HashMap::new();
        let mut open: HashMap<(PlanId, Uuid), WorkOrder> = HashMap::new();
        if !plan_ids.is_empty() {
            plans = store::plans_by_ids(db, scope, &plan_ids).await?.into_iter().map(|p| (p.id, p)).collect();
            let subjects: BTreeSet<Uuid> = lines
                .iter()
                .filter(|l| !l.plan_ids.is_empty())
                .flat_map(|l| l.subject.map(|s| s.id).into_iter().chain([l.site_id.0]))
                .collect();
            let subjects: Vec<Uuid> = subjects.into_iter().collect();
            for order in store::open_orders_of(db, scope, &subjects).await? {
                if let Some(plan) = order.plan_id {
                    open.insert((plan, order.subject.id), order);
                }
            }
        }
        Ok(lines.iter().map(|line| lists_of(line, &orders, &plans, &open)).collect())
    }

    /// Opens a corrective order for each failed step that has none open yet; answers each need's
    /// order. Where the plan's work was done again since, a failure told late opens nothing: what
    /// fails now is told by that work. The files of the subjects are locked by the caller, and the
    /// visit's own work is in their logs.
    ///
    /// # Errors
    /// Storage only.
    pub async fn open_correctives(&self, tx: &Tx, needs: &[CorrectiveNeed]) -> StoreResult<Vec<Option<WorkOrderId>>> {
        if needs.is_empty() {
            return Ok(Vec::new());
        }
        let (db, scope, now) = (tx.conn(), tx.scope(), tx.now());
        let subjects: BTreeSet<Uuid> = needs.iter().map(|n| n.subject.id).collect();
        let subjects: Vec<Uuid> = subjects.into_iter().collect();
        let mut open: HashMap<CorrectiveKey, WorkOrderId> = store::open_orders_of(db, scope, &subjects)
            .await?
            .iter()
            .filter_map(|o| o.origin.map(|origin| ((o.subject, origin.plan_id, origin.step), o.id)))
            .collect();
        let mut last_done: HashMap<(Subject, PlanId), DateTime<Utc>> = HashMap::new();
        // In the order of the work: the last one stays.
        for entry in store::logs_of(db, scope, &subjects).await? {
            if entry.kind == LogKind::Done && !entry.is_void {
                last_done.insert((entry.subject, entry.plan_id), entry.performed_at);
            }
        }
        let places = self.corrective_places(tx, needs).await?;
        let mut answers = Vec::with_capacity(needs.len());
        let mut new: Vec<WorkOrder> = Vec::new();
        for need in needs {
            let key = (need.subject, need.origin.plan_id, need.origin.step);
            if let Some(id) = open.get(&key) {
                answers.push(Some(*id));
                continue;
            }
            let done = need.origin.plan_id.and_then(|plan| last_done.get(&(need.subject, plan)));
            if done.is_some_and(|done| *done > need.performed_at) {
                answers.push(None);
                continue;
            }
            let order = corrective(self.ids.next(now), need, &places, now);
            open.insert(key, order.id);
            answers.push(Some(order.id));
            new.push(order);
        }
        if new.is_empty() {
            return Ok(answers);
        }
        let year = now.year();
        let count = u32::try_from(new.len()).unwrap_or(u32::MAX);
        let numbers = numbers::reserve(tx, "WO", year, count).await?;
        let mut events = Vec::new();
        for (order, number) in new.iter_mut().zip(numbers) {
            order.number = format!("WO-{year}-{number:06}");
            let due_on = local_date(places.zone(order.subject), order.due_at);
            for device in places.files(order.subject) {
                events.push(NewEvent {
                    device,
                    occurred_at: now,
                    kind: EventKind::WorkOrderIssued,
                    payload: json!({
                        "workOrderId": order.id, "number": order.number, "dueAt": order.due_at, "dueOn": due_on,
                        "kind": order.kind, "visitLineId": order.origin.map(|o| o.visit_line_id),
                        "step": order.origin.map(|o| o.step),
                    }),
                    corrects: None,
                });
            }
        }
        store::upsert_orders(db, scope, &new).await?;
        self.file.append(tx, events).await?;
        Ok(answers)
    }

    async fn corrective_places(&self, tx: &Tx, needs: &[CorrectiveNeed]) -> StoreResult<Places> {
        let (db, scope) = (tx.conn(), tx.scope());
        let of = |kind: SubjectKind| -> BTreeSet<Uuid> {
            needs.iter().filter(|n| n.subject.kind == kind).map(|n| n.subject.id).collect()
        };
        let device_ids: Vec<DeviceId> = of(SubjectKind::Device).into_iter().map(DeviceId).collect();
        let own_sites: Vec<SiteId> = of(SubjectKind::Site).into_iter().map(SiteId).collect();
        let devices: HashMap<DeviceId, Device> =
            registry_store::devices_by_ids(db, scope, &device_ids).await?.into_iter().map(|d| (d.id, d)).collect();
        let site_ids: BTreeSet<SiteId> =
            own_sites.iter().copied().chain(devices.values().filter_map(|d| d.site_id)).collect();
        let site_ids: Vec<SiteId> = site_ids.into_iter().collect();
        let sites = registry_store::sites_by_ids(db, scope, &site_ids).await?.into_iter().map(|s| (s.id, s)).collect();
        let standing = match own_sites.is_empty() {
            true => Vec::new(),
            false => registry_store::devices_at_sites(db, scope, &own_sites).await?,
        };
        let fallback = registry_store::organization(db, scope).await?.time_zone;
        Ok(Places { devices, sites, standing, fallback })
    }
}

/// What makes two failed steps one: subject, plan and place in its list.
type CorrectiveKey = (Subject, Option<PlanId>, u32);

/// Where the subjects of corrective orders are.
struct Places {
    devices: HashMap<DeviceId, Device>,
    sites: HashMap<SiteId, Site>,
    /// Devices at the sites that are subjects themselves.
    standing: Vec<Device>,
    fallback: chrono_tz::Tz,
}

impl Places {
    fn device(&self, subject: Subject) -> Option<&Device> {
        store::device_of(subject).and_then(|id| self.devices.get(&id))
    }

    fn site(&self, subject: Subject) -> Option<&Site> {
        let id = match subject.kind {
            SubjectKind::Site => Some(SiteId(subject.id)),
            SubjectKind::Device => self.device(subject).and_then(|d| d.site_id),
        };
        id.and_then(|id| self.sites.get(&id))
    }

    fn zone(&self, subject: Subject) -> chrono_tz::Tz {
        self.site(subject).map_or(self.fallback, |s| s.time_zone)
    }

    /// The device files that hear of a subject.
    fn files(&self, subject: Subject) -> Vec<DeviceId> {
        match store::device_of(subject) {
            Some(device) => vec![device],
            None => self.standing.iter().filter(|d| d.site_id.map(|s| s.0) == Some(subject.id)).map(|d| d.id).collect(),
        }
    }
}

/// A corrective order for a failed step: due today, urgent enough to come before what is planned.
fn corrective(id: WorkOrderId, need: &CorrectiveNeed, places: &Places, now: DateTime<Utc>) -> WorkOrder {
    let (device, site) = (places.device(need.subject), places.site(need.subject));
    let zone = places.zone(need.subject);
    let day = local_date(zone, now);
    let last = day.checked_add_days(Days::new(CORRECTIVE_LATE_DAYS)).unwrap_or(day);
    let text = LocalizedText {
        en: format!("Repair and check again: {}", need.text.en),
        zh: format!("修复并复查：{}", need.text.zh),
    };
    WorkOrder {
        id,
        number: String::new(),
        kind: MaintenanceKind::Corrective,
        state: WorkOrderState::Planned,
        priority: Priority::High,
        item_id: None,
        plan_id: None,
        plan_revision_id: None,
        subject: need.subject,
        device_id: store::device_of(need.subject),
        site_id: site.map(|s| s.id),
        position_id: device.and_then(|d| d.position_id),
        model_id: device.map(|d| d.model_id),
        region_code: site.and_then(|s| s.region_code.clone()),
        nominal_due_at: now,
        due_at: now,
        told_due_at: now,
        window_start: start_of_day(zone, day),
        window_end: end_of_day(zone, last),
        occurrence_key: None,
        explanation: None,
        channel: if site.is_some() { ExecutionChannel::Field } else { ExecutionChannel::Depot },
        steps: vec![TaskStep::plain(text, true)],
        estimated_minutes: CORRECTIVE_MINUTES,
        assignee_id: None,
        scheduled_for: None,
        close_reason: None,
        closed_at: None,
        performed_at: None,
        visit_line_id: None,
        origin: Some(need.origin),
        version: 1,
        created_at: now,
    }
}

/// The lists one line answers.
fn lists_of(
    line: &VisitLineFact,
    orders: &HashMap<WorkOrderId, WorkOrder>,
    plans: &HashMap<PlanId, MaintenancePlan>,
    open: &HashMap<(PlanId, Uuid), WorkOrder>,
) -> Vec<TaskList> {
    let mut lists: Vec<TaskList> = Vec::new();
    if line.is_unresolved {
        return lists;
    }
    for order in line.work_order_ids.iter().filter_map(|id| orders.get(id)) {
        let is_of_site = order.subject.kind == SubjectKind::Site && order.subject.id == line.site_id.0;
        if line.subject.is_some_and(|s| s != order.subject) && !is_of_site {
            continue;
        }
        lists.push(TaskList {
            work_order_id: Some(order.id),
            plan_id: order.plan_id,
            kind: order.kind,
            subject: order.subject,
            is_open: order.state.is_open(),
            is_of_plan: order.plan_id.is_some(),
            steps: order.steps.clone(),
        });
    }
    for plan in line.plan_ids.iter().filter_map(|id| plans.get(id)) {
        let subject = match plan.definition.subject {
            SubjectKind::Device => line.subject.filter(|s| s.kind == SubjectKind::Device),
            SubjectKind::Site => Some(Subject { kind: SubjectKind::Site, id: line.site_id.0 }),
        };
        let Some(subject) = subject else { continue };
        if lists.iter().any(|l| l.plan_id == Some(plan.id) && l.subject == subject) {
            continue;
        }
        let order = open.get(&(plan.id, subject.id));
        lists.push(TaskList {
            work_order_id: order.map(|o| o.id),
            plan_id: Some(plan.id),
            kind: order.map_or(plan.definition.kind, |o| o.kind),
            subject,
            is_open: true,
            is_of_plan: plan.is_active || order.is_some(),
            steps: order.map_or_else(|| plan.definition.steps.clone(), |o| o.steps.clone()),
        });
    }
    lists
}
