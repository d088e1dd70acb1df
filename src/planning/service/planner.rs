//! The executor: loads facts for a batch of subjects, asks [`rules::decide`] for each item, and
//! writes what it says. It decides nothing itself.

use super::PlanningService;
use crate::catalogue::model::Holiday;
use crate::db::tx::Tx;
use crate::db::{StoreError, StoreResult, marks as db_marks, numbers};
use crate::kernel::calendar::local_date;
use crate::kernel::call::Call;
use crate::kernel::ids::{DeviceId, ItemId, LogEntryId, PlanId, SiteId, WorkOrderId};
use crate::kernel::subject::{Subject, SubjectKind};
use crate::planning::error::Error;
use crate::planning::model::*;
use crate::planning::rules::{
    self, ClosedDays, CompiledPlan, CompiledTrigger, Decision, ItemFacts, OrderMove, Slots, UsageFacts, slot_key,
};
use crate::planning::store;
use crate::registry::file::{EventKind, NewEvent, Observer};
use crate::registry::model::{Device, DeviceStatus, Site};
use crate::registry::store as registry_store;
use crate::usage::store as usage_store;
use async_trait::async_trait;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
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
            .filter(|e| e.kind.is_of_place() || e.kind == EventKind::VisitLogged)
            .map(|e| e.device)
            .collect();
        if devices.is_empty() {
            return Ok(());
        }
        let subjects: Vec<Subject> =
            devices.into_iter().map(|d| Subject { kind: SubjectKind::Device, id: d.0 }).collect();
        self.planning.settle(tx, &subjects).await.map(|_| ())
    }
}

/// One subject with the facts all its items share.
struct SubjectFacts {
    subject: Subject,
    zone: Tz,
    device: Option<Device>,
    site: Option<Arc<SiteFacts>>,
    /// Devices standing at the site, when the subject is a site.
    standing: Vec<Device>,
}

/// A site with its calendar read.
struct SiteFacts {
    site: Site,
    closed: ClosedDays,
}

/// One subject × one plan.
struct Pair {
    facts: Arc<SubjectFacts>,
    plan: Arc<CompiledPlan>,
    item: Option<MaintenanceItem>,
    log: Vec<LogEntry>,
    order: Option<WorkOrder>,
    usage: Vec<UsageFacts>,
    is_alive: bool,
    placed_since: Option<DateTime<Utc>>,
    slots: Option<Arc<Slots>>,
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

fn is_gone(status: DeviceStatus) -> bool {
    matches!(status, DeviceStatus::Retired | DeviceStatus::Destroyed | DeviceStatus::Lost)
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
        let pairs = self.load(tx, subjects).await?;
        let mut writes = Writes::default();
        writes.run.subjects = subjects.len() as u64;
        for pair in &pairs {
            let facts = ItemFacts {
                plan: &pair.plan,
                is_alive: pair.is_alive,
                is_gone: pair.facts.device.as_ref().is_some_and(|d| is_gone(d.status)),
                zone: pair.facts.zone,
                closed: pair.facts.closed(),
                placed_since: pair.placed_since,
                slots: pair.slots.as_deref(),
                item: pair.item.as_ref(),
                log: &pair.log,
                usage: &pair.usage,
                open_order: pair.order.as_ref(),
            };
            let decision = rules::decide(&facts, tx.now());
            self.collect(tx, pair, decision, &mut writes);
        }
        self.close_orders_of_gone(tx, &pairs, subjects, &mut writes).await?;
        let run = self.write(tx, writes).await?;
        // Whatever else the change does to them is told to the file, which marks them again.
        tx.unmark(subjects.iter().map(|s| (s.kind, s.id)));
        Ok(run)
    }

    /// Loads everything the items of these subjects depend on, in a number of statements that
    /// does not depend on how many there are.
    async fn load(&self, tx: &Tx, subjects: &[Subject]) -> StoreResult<Vec<Pair>> {
        let (db, scope) = (tx.conn(), tx.scope());
        let device_ids: Vec<DeviceId> =
            subjects.iter().filter(|s| s.kind == SubjectKind::Device).map(|s| DeviceId(s.id)).collect();
        let site_subjects: Vec<SiteId> =
            subjects.iter().filter(|s| s.kind == SubjectKind::Site).map(|s| SiteId(s.id)).collect();
        let standing = registry_store::devices_at_sites(db, scope, &site_subjects).await?;
        let mut lock: Vec<DeviceId> = device_ids.clone();
        lock.extend(standing.iter().map(|d| d.id));
        self.file.lock(tx, &lock).await?;
        // A site without devices has no file to lock.
        registry_store::lock_sites(db, scope, &site_subjects).await?;
        let devices = registry_store::devices_by_ids(db, scope, &device_ids).await?;
        let mut site_ids: BTreeSet<SiteId> = site_subjects.iter().copied().collect();
        site_ids.extend(devices.iter().filter_map(|d| d.site_id));
        let site_ids: Vec<SiteId> = site_ids.into_iter().collect();
        let sites = registry_store::sites_by_ids(db, scope, &site_ids).await?;
        let holidays = self.catalogue.holidays(tx.conn()).await?;
        let sites: HashMap<SiteId, Arc<SiteFacts>> =
            sites.into_iter().map(|s| (s.id, Arc::new(site_facts(s, &holidays)))).collect();
        let organization_zone = registry_store::organization(db, scope).await?.time_zone;
        let mut plans = Vec::new();
        for plan in store::all_plans(db, scope).await? {
            plans.push(self.compiled(plan).map_err(|e| StoreError::Other(Box::new(e)))?);
        }
        let ids: Vec<Uuid> = subjects.iter().map(|s| s.id).collect();
        let mut items: HashMap<(PlanId, Uuid), MaintenanceItem> =
            store::items_of(db, scope, &ids).await?.into_iter().map(|i| ((i.plan_id, i.subject.id), i)).collect();
        let mut logs: HashMap<(PlanId, Uuid), Vec<LogEntry>> = HashMap::new();
        for entry in store::logs_of(db, scope, &ids).await? {
            logs.entry((entry.plan_id, entry.subject.id)).or_default().push(entry);
        }
        let mut orders: HashMap<ItemId, WorkOrder> = store::open_orders_of(db, scope, &ids)
            .await?
            .into_iter()
            .filter_map(|o| o.item_id.map(|i| (i, o)))
            .collect();

        let devices: HashMap<DeviceId, Device> = devices.into_iter().map(|d| (d.id, d)).collect();
        let mut at_site: HashMap<SiteId, Vec<Device>> = HashMap::new();
        for device in standing {
            if let Some(site) = device.site_id {
                at_site.entry(site).or_default().push(device);
            }
        }
        let mut grids: HashMap<(PlanId, Tz), Option<Arc<Slots>>> = HashMap::new();
        let mut pairs = Vec::new();
        for subject in subjects {
            let device = match subject.kind {
                SubjectKind::Device => match devices.get(&DeviceId(subject.id)) {
                    Some(device) => Some(device.clone()),
                    None => continue,
                },
                SubjectKind::Site => None,
            };
            let site_id = match &device {
                Some(device) => device.site_id,
                None => Some(SiteId(subject.id)),
            };
            let site = site_id.and_then(|s| sites.get(&s).cloned());
            let facts = Arc::new(SubjectFacts {
                subject: *subject,
                zone: site.as_ref().map_or(organization_zone, |s| s.site.time_zone),
                site,
                standing: match subject.kind {
                    SubjectKind::Site => at_site.remove(&SiteId(subject.id)).unwrap_or_default(),
                    SubjectKind::Device => vec![],
                },
                device,
            });
            for plan in plans.iter().filter(|p| p.definition().subject == subject.kind) {
                let key = (plan.plan.id, subject.id);
                let item = items.remove(&key);
                let placed_since = facts.placed_since(plan);
                let is_alive = plan.plan.is_active && placed_since.is_some();
                if item.is_none() && !is_alive {
                    continue;
                }
                let order = item.as_ref().and_then(|i| orders.remove(&i.id));
                let slots = grids
                    .entry((plan.plan.id, facts.zone))
                    .or_insert_with(|| Slots::of(plan, facts.zone, tx.now()).map(Arc::new));
                pairs.push(Pair {
                    placed_since,
                    slots: slots.clone(),
                    log: logs.remove(&key).unwrap_or_default(),
                    facts: facts.clone(),
                    plan: plan.clone(),
                    usage: vec![],
                    item,
                    order,
                    is_alive,
                });
            }
        }
        self.load_usage(tx, &mut pairs).await?;
        Ok(pairs)
    }

    /// Fills in life counters, crossings and patterns for every usage trigger.
    async fn load_usage(&self, tx: &Tx, pairs: &mut [Pair]) -> StoreResult<()> {
        struct Need {
            pair: usize,
            device: DeviceId,
            meter: String,
            every: i64,
            anchor: DateTime<Utc>,
        }
        let (db, scope) = (tx.conn(), tx.scope());
        let mut needs = Vec::new();
        for (place, pair) in pairs.iter().enumerate() {
            let Some(device) = pair.facts.device.as_ref().filter(|_| pair.is_alive) else { continue };
            for trigger in &pair.plan.triggers {
                if let CompiledTrigger::Usage { meter, every, .. } = trigger {
                    let from = rules::counts_from(pair.item.as_ref(), pair.is_alive, pair.placed_since);
                    let line = rules::timeline(pair.slots.as_deref(), from, &pair.log);
                    needs.push(Need {
                        pair: place,
                        device: device.id,
                        meter: meter.clone(),
                        every: *every,
                        anchor: line.anchor.at,
                    });
                }
            }
        }
        if needs.is_empty() {
            return Ok(());
        }
        let meters: Vec<(DeviceId, String)> = needs.iter().map(|n| (n.device, n.meter.clone())).collect();
        let states = usage_store::meter_states(db, scope, &meters).await?;
        let patterns = usage_store::patterns(db, scope, &meters, &states).await?;
        let at: Vec<_> = meters.iter().zip(&needs).map(|(key, n)| (key, n.anchor)).collect();
        let lives = usage_store::life_at(db, scope, &at, &states).await?;
        let targets: Vec<_> = meters
            .iter()
            .zip(needs.iter().zip(&lives))
            .map(|(key, (n, life))| (key, life.unwrap_or(0).saturating_add(n.every)))
            .collect();
        let crossings = usage_store::crossings(db, scope, &targets, &states).await?;
        for (place, need) in needs.iter().enumerate() {
            let Some(pattern) = patterns[place].clone() else { continue };
            let state = states[place].as_ref();
            pairs[need.pair].usage.push(UsageFacts {
                meter: need.meter.clone(),
                life_now: state.map_or(0, |s| s.life),
                life_at_anchor: lives[place].unwrap_or(0),
                last_reading_at: state.map(|s| s.latest_at),
                crossed_at: crossings[place],
                pattern,
            });
        }
        Ok(())
    }

    /// Turns one decision into rows and events, where it differs from what is stored.
    fn collect(&self, tx: &Tx, pair: &Pair, decision: Decision, writes: &mut Writes) {
        let now = tx.now();
        let facts = &pair.facts;
        let definition = pair.plan.definition();
        let item_id = pair.item.as_ref().map_or_else(|| self.ids.next(now), |i| i.id);
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
                payload: json!({
                    "workOrderId": order.id, "number": order.number, "kind": order.kind,
                    "planId": order.plan_id, "dueAt": order.due_at, "dueOn": due_on,
                }),
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

impl SubjectFacts {
    fn closed(&self) -> &ClosedDays {
        static NONE: std::sync::LazyLock<ClosedDays> = std::sync::LazyLock::new(ClosedDays::default);
        self.site.as_ref().map_or(&NONE, |s| &s.closed)
    }

    /// Device files that hear of what happens to this subject.
    fn file_devices(&self) -> Vec<DeviceId> {
        match &self.device {
            Some(device) => vec![device.id],
            None => self.standing.iter().map(|d| d.id).collect(),
        }
    }

    /// Since when the subject is what the plan is for, or nothing when it is not.
    fn placed_since(&self, plan: &CompiledPlan) -> Option<DateTime<Utc>> {
        let selector = &plan.definition().selector;
        let site = self.site.as_ref().map(|s| &s.site);
        let selected = |device: &Device| {
            !is_gone(device.status)
                && selector.selects(
                    Some(device.model_id),
                    site.map(|s| s.id),
                    site.and_then(|s| s.region_code.as_deref()),
                    device.status,
                )
        };
        // In use it counts from its installation, otherwise from when it came into its status.
        let since = |device: &Device| match device.status {
            DeviceStatus::Installed | DeviceStatus::InService => device.installed_at.unwrap_or(device.status_since),
            _ => device.status_since,
        };
        match &self.device {
            Some(device) => selected(device).then(|| since(device)),
            None => self.standing.iter().filter(|d| selected(d)).map(since).min(),
        }
    }
}

fn site_facts(site: Site, holidays: &[Holiday]) -> SiteFacts {
    let mut closed = ClosedDays { weekdays: site.closed_weekdays(), ..ClosedDays::default() };
    closed.dates.extend(site.closed_days.iter().copied());
    if site.observes_holidays {
        let country = site.country.as_deref().unwrap_or("CN");
        for holiday in holidays.iter().filter(|h| h.country == country) {
            if holiday.is_working_day {
                closed.worked.insert(holiday.date);
            } else {
                closed.dates.insert(holiday.date);
            }
        }
    }
    SiteFacts { site, closed }
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
    Some(WorkOrder {
        id,
        number: String::new(),
        kind: definition.kind,
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
        version: 1,
        created_at: now,
    })
}
