//! The executor: loads facts for a batch of subjects, asks [`rules::decide`] for each item, and
//! writes what it says. It decides nothing itself.

use super::PlanningService;
use super::facts::{Pair, is_gone};
use crate::db::tx::Tx;
use crate::db::{StoreError, StoreResult, marks as db_marks, numbers};
use crate::kernel::calendar::local_date;
use crate::kernel::call::Call;
use crate::kernel::ids::{DeviceId, ItemId, LogEntryId, SiteId, WorkOrderId};
use crate::kernel::subject::{Subject, SubjectKind};
use crate::planning::error::Error;
use crate::planning::model::*;
use crate::planning::rules::{self, Decision, ItemFacts, OrderMove, slot_key};
use crate::planning::store;
use crate::registry::file::{EventKind, NewEvent, Observer};
use crate::registry::store as registry_store;
use async_trait::async_trait;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// Subjects planned in one transaction: short enough that a request never waits long.
const BATCH: u64 = 200;
/// Subjects marked in one transaction.
const MARKS: usize = 2_000;

/// Settles devices in the transaction that changed them.
pub struct FileObserver {
    planning: Arc<PlanningService>,
}

impl FileObserver {
    /// Watches device files for planning.
    pub fn new(planning: Arc<PlanningService>) -> Self {
        Self { planning }
    }
}

#[async_trait]
impl Observer for FileObserver {
    async fn appended(&self, tx: &Tx, events: &[NewEvent]) -> Result<(), StoreError> {
        let devices: BTreeSet<DeviceId> = events
            .iter()
            .filter(|e| e.kind.is_of_place() || matches!(e.kind, EventKind::VisitLogged | EventKind::SoftwareReported))
            .map(|e| e.device)
            .collect();
        if devices.is_empty() {
            return Ok(());
        }
        self.planning.complete_updates(tx, events).await?;
        let subjects: Vec<Subject> =
            devices.into_iter().map(|d| Subject { kind: SubjectKind::Device, id: d.0 }).collect();
        self.planning.settle(tx, &subjects).await.map(|_| ())
    }
}

/// A new order among those to be written.
struct Unnumbered {
    place: usize,
    /// Devices whose files hear of it.
    devices: Vec<DeviceId>,
    /// Its due date on the site's calendar.
    due_on: NaiveDate,
}

/// What a batch writes.
#[derive(Default)]
struct Writes {
    items: Vec<MaintenanceItem>,
    orders: Vec<WorkOrder>,
    /// Orders that wait for a number.
    unnumbered: Vec<Unnumbered>,
    log: Vec<LogEntry>,
    void: Vec<Uuid>,
    revive: Vec<Uuid>,
    events: Vec<NewEvent>,
    run: PlannerRun,
}

impl PlanningService {
    /// Plans every subject whose time has come and every marked one; with `full`, all of them.
    ///
    /// Works in short batches, one transaction each, so that an outage in between loses nothing
    /// and requests are not kept waiting. Time comes first: marks can arrive faster than they are
    /// worked off. What is marked while it runs is left to the next run. A subject that cannot be
    /// planned is logged and keeps its mark; it does not keep the others from being planned.
    ///
    /// # Errors
    /// Storage only.
    pub async fn run(&self, call: &Call, full: bool) -> Result<PlannerRun, Error> {
        if full {
            self.mark_all(call).await?;
        }
        let mut total = PlannerRun::default();
        let mut after = None;
        loop {
            let due = store::subjects_to_look_at(self.db.reader(), &call.scope, call.now, after, BATCH).await?;
            let Some((_, last)) = due.last() else { break };
            after = Some(*last);
            let subjects: BTreeSet<Subject> = due.into_iter().map(|(subject, _)| subject).collect();
            self.plan_batch(call, subjects.into_iter().map(|s| (s, None)).collect(), &mut total).await?;
        }
        let until = self.ids.uuid(call.now);
        let mut after = None;
        loop {
            let marked = store::marked(self.db.reader(), &call.scope, after, until, BATCH).await?;
            let Some((subject, stamp)) = marked.last() else { break };
            after = Some((*stamp, subject.id));
            self.plan_batch(call, marked.into_iter().map(|(s, stamp)| (s, Some(stamp))).collect(), &mut total).await?;
        }
        Ok(total)
    }

    /// Marks every device and site for the planner, in short changes.
    ///
    /// # Errors
    /// Storage only.
    pub async fn mark_all(&self, call: &Call) -> Result<(), Error> {
        let subjects = store::all_subjects(self.db.reader(), &call.scope).await?;
        for chunk in subjects.chunks(MARKS) {
            let tx = self.db.begin(call).await?;
            tx.mark(chunk.iter().map(|s| (s.kind, s.id)), self.ids.uuid(call.now));
            tx.commit().await?;
        }
        Ok(())
    }

    /// Plans a batch and takes its marks back; where the batch fails, one subject after the other.
    async fn plan_batch(
        &self,
        call: &Call,
        batch: Vec<(Subject, Option<Uuid>)>,
        total: &mut PlannerRun,
    ) -> Result<(), Error> {
        match self.plan_once(call, &batch).await {
            Ok(run) => {
                total.add(&run);
                return Ok(());
            }
            Err(e @ StoreError::Unavailable(_)) => return Err(e.into()),
            Err(error) => tracing::warn!(error = %error, subjects = batch.len(), "batch failed; planning one by one"),
        }
        for one in &batch {
            match self.plan_once(call, std::slice::from_ref(one)).await {
                Ok(run) => total.add(&run),
                Err(e @ StoreError::Unavailable(_)) => return Err(e.into()),
                Err(error) => {
                    let chain = StoreError::chain(&error);
                    tracing::error!(subject.id = %one.0.id, error = chain, "subject cannot be planned");
                }
            }
        }
        Ok(())
    }

    async fn plan_once(&self, call: &Call, batch: &[(Subject, Option<Uuid>)]) -> StoreResult<PlannerRun> {
        let tx = self.db.begin(call).await?;
        let subjects: Vec<Subject> = batch.iter().map(|(subject, _)| *subject).collect();
        let run = self.settle(&tx, &subjects).await?;
        let seen: Vec<(Uuid, Uuid)> = batch.iter().filter_map(|(s, stamp)| stamp.map(|stamp| (s.id, stamp))).collect();
        db_marks::clear(tx.conn(), tx.scope(), &seen).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Decides all items of these subjects and writes what changed, in the caller's transaction.
    ///
    /// # Errors
    /// Storage only.
    pub async fn settle(&self, tx: &Tx, subjects: &[Subject]) -> StoreResult<PlannerRun> {
        if subjects.is_empty() {
            return Ok(PlannerRun::default());
        }
        self.lock(tx, subjects).await?;
        let book = self.plan_book(tx.conn(), tx.scope()).await?;
        let pairs = self.load(tx.conn(), tx.scope(), &book, subjects, tx.now()).await?;
        let mut writes = Writes::default();
        writes.run.subjects = subjects.len() as u64;
        for of_subject in pairs.chunk_by(|a, b| a.facts.subject == b.facts.subject) {
            let facts: Vec<ItemFacts<'_>> = of_subject.iter().map(Pair::item_facts).collect();
            let decisions = rules::decide_all(&facts, tx.now());
            for (pair, decision) in of_subject.iter().zip(decisions) {
                let covered_by = decision.covered_by.map(|place| of_subject[place].item_id);
                self.collect(tx, pair, decision, covered_by, &mut writes);
            }
        }
        self.close_orders_of_gone(tx, &pairs, subjects, &mut writes).await?;
        let run = self.write(tx, writes).await?;
        // Whatever else the change does to them is told to the file, which marks them again.
        tx.unmark(subjects.iter().map(|s| (s.kind, s.id)));
        Ok(run)
    }

    /// Locks the device files that hear of what happens to these subjects, in id order.
    async fn lock(&self, tx: &Tx, subjects: &[Subject]) -> StoreResult<()> {
        let (db, scope) = (tx.conn(), tx.scope());
        let sites: Vec<SiteId> =
            subjects.iter().filter(|s| s.kind == SubjectKind::Site).map(|s| SiteId(s.id)).collect();
        let standing = registry_store::devices_at_sites(db, scope, &sites).await?;
        let mut lock: Vec<DeviceId> = subjects.iter().filter_map(|s| store::device_of(*s)).collect();
        lock.extend(standing.iter().map(|d| d.id));
        self.file.lock(tx, &lock).await?;
        // A site without devices has no file to lock.
        registry_store::lock_sites(db, scope, &sites).await
    }

    /// Turns one decision into rows and events, where it differs from what is stored.
    fn collect(&self, tx: &Tx, pair: &Pair, decision: Decision, covered_by: Option<ItemId>, writes: &mut Writes) {
        let now = tx.now();
        let facts = &pair.facts;
        let definition = pair.plan.definition();
        let item_id = pair.item_id;
        let mut open_order_id = pair.order.as_ref().map(|o| o.id);
        let devices = facts.file_devices();
        let mut tell = |kind: EventKind, payload: serde_json::Value| {
            for device in &devices {
                writes.events.push(NewEvent {
                    device: *device,
                    occurred_at: now,
                    kind,
                    payload: payload.clone(),
                    corrects: None,
                });
            }
        };
        let plan = json!({"planId": pair.plan.plan.id, "planCode": pair.plan.plan.code, "itemId": item_id});
        match &decision.order {
            OrderMove::Keep => {}
            OrderMove::Explain => {
                if let Some(order) = &pair.order {
                    // Newer reasons are nothing a caller's version could be about.
                    writes.orders.push(WorkOrder { explanation: decision.explanation.clone(), ..order.clone() });
                }
            }
            OrderMove::Issue => {
                if let Some(order) = new_order(self.ids.next(now), item_id, pair, &decision, now) {
                    open_order_id = Some(order.id);
                    let due_on = local_date(facts.zone, order.due_at);
                    writes.unnumbered.push(Unnumbered { place: writes.orders.len(), devices: devices.clone(), due_on });
                    writes.orders.push(order);
                    writes.run.orders_issued += 1;
                }
            }
            OrderMove::Move { is_reported } => {
                if let (Some(order), Some(due)) = (&pair.order, &decision.due)
                    && let Some(due_at) = due.due_at
                {
                    let mut moved = order.clone();
                    moved.nominal_due_at = due.nominal_at;
                    moved.due_at = due_at;
                    moved.window_start = due.window_start;
                    moved.window_end = due.window_end;
                    moved.occurrence_key = Some(due.occurrence_key.clone());
                    moved.explanation = decision.explanation.clone();
                    moved.version += 1;
                    if *is_reported {
                        moved.told_due_at = due_at;
                        tell(
                            EventKind::WorkOrderMoved,
                            json!({
                                "workOrderId": order.id, "number": order.number, "plan": plan,
                                "from": order.told_due_at, "fromOn": local_date(facts.zone, order.told_due_at),
                                "to": due_at, "toOn": local_date(facts.zone, due_at),
                            }),
                        );
                        writes.run.orders_moved += 1;
                    }
                    writes.orders.push(moved);
                }
            }
            OrderMove::Withdraw { reason } => {
                if let Some(order) = &pair.order {
                    let mut withdrawn = order.clone();
                    withdrawn.state = WorkOrderState::Cancelled;
                    withdrawn.close_reason = Some((*reason).to_owned());
                    withdrawn.closed_at = Some(now);
                    withdrawn.version += 1;
                    tell(
                        EventKind::WorkOrderWithdrawn,
                        json!({"workOrderId": order.id, "number": order.number, "reason": reason, "plan": plan}),
                    );
                    open_order_id = None;
                    writes.orders.push(withdrawn);
                    writes.run.orders_withdrawn += 1;
                }
            }
        }
        for slot in &decision.missed {
            tell(
                EventKind::OccurrenceMissed,
                json!({"slot": slot, "slotOn": local_date(facts.zone, *slot), "plan": plan}),
            );
            writes.run.slots_missed += 1;
            writes.log.push(LogEntry {
                id: LogEntryId(self.ids.uuid(now)),
                item_id,
                plan_id: pair.plan.plan.id,
                subject: facts.subject,
                kind: LogKind::Missed,
                performed_at: *slot,
                occurrence_key: Some(slot_key(facts.zone, *slot)),
                nominal_due_at: Some(*slot),
                postponed_to: None,
                visit_line_id: None,
                work_order_id: None,
                reason: None,
                actor: tx.call.actor.clone(),
                recorded_at: now,
                is_void: false,
            });
        }
        for (places, is_void) in [(&decision.voided, true), (&decision.revived, false)] {
            for place in places {
                let entry = &pair.log[*place];
                let kind = if entry.kind == LogKind::Missed {
                    EventKind::OccurrenceMissedCorrected
                } else {
                    EventKind::OccurrenceVoided
                };
                tell(
                    kind,
                    json!({"occurrence": entry.occurrence_key, "nominalDueAt": entry.nominal_due_at, "isVoid": is_void, "plan": plan}),
                );
                if is_void { writes.void.push(entry.id.0) } else { writes.revive.push(entry.id.0) }
            }
        }
        let site = facts.site.as_ref().map(|s| &s.site);
        let mut item = MaintenanceItem {
            id: item_id,
            plan_id: pair.plan.plan.id,
            subject: facts.subject,
            device_id: facts.device.as_ref().map(|d| d.id),
            site_id: site.map(|s| s.id),
            model_id: facts.device.as_ref().map(|d| d.model_id),
            region_code: site.and_then(|s| s.region_code.clone()),
            kind: definition.kind,
            channel: definition.channel,
            is_alive: decision.is_alive,
            alive_since: decision.alive_since,
            counts_from: decision.counts_from,
            last_done_at: decision.last_done_at,
            cycle: decision.cycle,
            due: decision.due,
            explanation: decision.explanation,
            open_order_id,
            covered_by,
            conditions: decision.conditions,
            decided_at: now,
            next_look_at: decision.next_look_at,
            version: 1,
        };
        match &pair.item {
            Some(known) => {
                item.decided_at = known.decided_at;
                item.version = known.version;
                if item == *known {
                    return;
                }
                // Newer reasons and later looks are nothing a caller's version could be about.
                let reasons = MaintenanceItem {
                    explanation: item.explanation.clone(),
                    next_look_at: item.next_look_at,
                    ..known.clone()
                };
                item.version += i64::from(item != reasons);
                item.decided_at = now;
            }
            None if !decision.is_alive => return,
            None => {}
        }
        writes.run.items_written += 1;
        writes.items.push(item);
    }

    /// Orders without an item close with their device too.
    async fn close_orders_of_gone(
        &self,
        tx: &Tx,
        pairs: &[Pair],
        subjects: &[Subject],
        writes: &mut Writes,
    ) -> StoreResult<()> {
        let ids: Vec<DeviceId> = subjects.iter().filter_map(|s| store::device_of(*s)).collect();
        let gone: HashMap<Uuid, DateTime<Utc>> = registry_store::devices_by_ids(tx.conn(), tx.scope(), &ids)
            .await?
            .into_iter()
            .filter(|d| is_gone(d.status))
            .map(|d| (d.id.0, d.status_since))
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = gone.keys().copied().collect();
        let handled: BTreeSet<WorkOrderId> = pairs.iter().filter_map(|p| p.order.as_ref().map(|o| o.id)).collect();
        for mut order in store::open_orders_of(tx.conn(), tx.scope(), &ids).await? {
            // What was ordered after it was gone, fetching it back for example, is meant so.
            let is_meant = gone.get(&order.subject.id).is_some_and(|since| order.created_at > *since);
            if handled.contains(&order.id) || is_meant {
                continue;
            }
            order.state = WorkOrderState::Cancelled;
            order.close_reason = Some("the device is gone".to_owned());
            order.closed_at = Some(tx.now());
            order.version += 1;
            writes.events.push(NewEvent {
                device: DeviceId(order.subject.id),
                occurred_at: tx.now(),
                kind: EventKind::WorkOrderWithdrawn,
                payload: json!({"workOrderId": order.id, "number": order.number, "reason": "the device is gone"}),
                corrects: None,
            });
            writes.run.orders_withdrawn += 1;
            writes.orders.push(order);
        }
        Ok(())
    }

    /// Writes a batch: log, orders, items, then the device files.
    async fn write(&self, tx: &Tx, mut writes: Writes) -> StoreResult<PlannerRun> {
        let (db, scope, now) = (tx.conn(), tx.scope(), tx.now());
        if !writes.unnumbered.is_empty() {
            let year = now.year();
            let reserved = numbers::reserve(tx, "WO", year, writes.unnumbered.len() as u32).await?;
            for (new, number) in writes.unnumbered.iter().zip(reserved) {
                writes.orders[new.place].number = format!("WO-{year}-{number:06}");
            }
        }
        let issued: Vec<NewEvent> = writes
            .unnumbered
            .iter()
            .flat_map(|new| new.devices.iter().map(|device| (&writes.orders[new.place], new.due_on, *device)))
            .map(|(order, due_on, device)| NewEvent {
                device,
                occurred_at: now,
                kind: EventKind::WorkOrderIssued,
                payload: issue_payload(order, due_on),
                corrects: None,
            })
            .collect();
        writes.events.extend(issued);
        store::insert_log(db, scope, &writes.log).await?;
        store::set_void(db, scope, &writes.void, true).await?;
        store::set_void(db, scope, &writes.revive, false).await?;
        store::upsert_orders(db, scope, &writes.orders).await?;
        store::upsert_items(db, scope, &writes.items).await?;
        if !writes.events.is_empty() {
            self.file.append(tx, writes.events).await?;
        }
        Ok(writes.run)
    }
}

/// What the device file keeps of an order when it is issued. A planned order follows its forecast, so
/// only here it stays what was told on the first day; a limit that was crossed is no forecast.
fn issue_payload(order: &WorkOrder, due_on: NaiveDate) -> serde_json::Value {
    let mut payload = json!({
        "workOrderId": order.id, "number": order.number, "kind": order.kind,
        "planId": order.plan_id, "dueAt": order.due_at, "dueOn": due_on,
    });
    let forecast = order.explanation.as_ref().and_then(|why| why.usage()).filter(|basis| basis.crossed_at.is_none());
    if let (Some(basis), Some(fields)) = (forecast, payload.as_object_mut()) {
        for (name, day) in [("p10", basis.p10), ("p50", basis.p50), ("p90", basis.p90)] {
            if let Some(day) = day {
                fields.insert(name.to_owned(), json!(day));
            }
        }
    }
    payload
}

fn new_order(
    id: WorkOrderId,
    item_id: ItemId,
    pair: &Pair,
    decision: &Decision,
    now: DateTime<Utc>,
) -> Option<WorkOrder> {
    let due = decision.due.as_ref()?;
    let definition = pair.plan.definition();
    let site = pair.facts.site.as_ref().map(|s| &s.site);
    let device = pair.facts.device.as_ref();
    let winner = decision.explanation.as_ref().and_then(|e| e.candidates.get(e.winner?));
    // Work that did not help is not silent: what comes after it is a repair.
    let is_repeat = winner.and_then(|c| c.condition.as_ref()).is_some_and(|c| c.is_repeat);
    Some(WorkOrder {
        id,
        number: String::new(),
        kind: if is_repeat { MaintenanceKind::Corrective } else { definition.kind },
        state: WorkOrderState::Planned,
        priority: definition.priority,
        item_id: Some(item_id),
        plan_id: Some(pair.plan.plan.id),
        plan_revision_id: Some(pair.plan.plan.revision_id),
        subject: pair.facts.subject,
        device_id: device.map(|d| d.id),
        site_id: site.map(|s| s.id),
        position_id: device.and_then(|d| d.position_id),
        model_id: device.map(|d| d.model_id),
        region_code: site.and_then(|s| s.region_code.clone()),
        nominal_due_at: due.nominal_at,
        due_at: due.due_at?,
        told_due_at: due.due_at?,
        window_start: due.window_start,
        window_end: due.window_end,
        occurrence_key: Some(due.occurrence_key.clone()),
        explanation: decision.explanation.clone(),
        channel: definition.channel,
        steps: definition.steps.clone(),
        estimated_minutes: definition.estimated_minutes,
        assignee_id: None,
        scheduled_for: None,
        close_reason: None,
        closed_at: None,
        performed_at: None,
        visit_line_id: None,
        origin: None,
        version: 1,
        created_at: now,
    })
}
