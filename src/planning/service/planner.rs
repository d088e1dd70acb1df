//! The executor: loads facts for a batch of subjects, asks [`rules::decide`] for each item, and
//! writes what it says. It decides nothing itself.

use super::PlanningService;
use crate::catalogue::model::Holiday;
use crate::db::tx::Tx;
use crate::db::{StoreError, StoreResult, numbers};
use crate::kernel::call::Call;
use crate::kernel::ids::{DeviceId, ItemId, LogEntryId, PlanId, SiteId, WorkOrderId};
use crate::kernel::subject::{Subject, SubjectKind};
use crate::planning::error::Error;
use crate::planning::model::*;
use crate::planning::rules::{
    self, ClosedDays, CompiledPlan, CompiledTrigger, Decision, ItemFacts, OrderMove, UsageFacts,
    slot_key,
};
use crate::planning::store;
use crate::registry::file::{EventKind, NewEvent, Observer};
use crate::registry::marks;
use crate::registry::model::{Device, DeviceStatus, Site};
use crate::registry::store as registry_store;
use crate::usage::store as usage_store;
use async_trait::async_trait;
use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// Subjects planned in one transaction: short enough that a request never waits long.
const BATCH: u64 = 200;

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
            .filter(|e| {
                matches!(
                    e.kind,
                    EventKind::StatusChanged
                        | EventKind::Installed
                        | EventKind::Removed
                        | EventKind::Relocated
                        | EventKind::SwappedOut
                        | EventKind::SwappedIn
                        | EventKind::VisitLogged
                )
            })
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
    device: Option<Device>,
    site: Option<Arc<SiteFacts>>,
    /// Devices standing at the site, when the subject is a site.
    standing: Vec<Device>,
}

/// A site with its calendar read.
struct SiteFacts {
    site: Site,
    zone: Tz,
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
    counts_from: DateTime<Utc>,
}

/// What a batch writes.
#[derive(Default)]
struct Writes {
    items: Vec<MaintenanceItem>,
    orders: Vec<WorkOrder>,
    /// Places in `orders` that wait for a number.
    unnumbered: Vec<usize>,
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
    /// Plans every marked subject and every one whose time has come; with `full`, all of them.
    ///
    /// Works in short batches, one transaction each, so that an outage in between loses nothing
    /// and requests are not kept waiting.
    ///
    /// # Errors
    /// Storage only.
    pub async fn run(&self, call: &Call, full: bool) -> Result<PlannerRun, Error> {
        let mut total = PlannerRun::default();
        if full {
            let subjects = store::all_subjects(self.db.reader(), &call.scope).await?;
            for chunk in subjects.chunks(BATCH as usize) {
                let tx = self.db.begin(call).await?;
                let marked: Vec<_> = chunk.iter().map(|s| (s.kind, s.id)).collect();
                marks::mark(&tx, &marked, self.ids.uuid(call.now)).await?;
                tx.commit().await?;
            }
        }
        loop {
            let tx = self.db.begin(call).await?;
            let marked = store::marked(tx.conn(), &call.scope, BATCH).await?;
            let mut subjects: Vec<Subject> = marked.iter().map(|(s, _)| *s).collect();
            if subjects.is_empty() {
                subjects = store::subjects_to_look_at(tx.conn(), &call.scope, tx.now(), BATCH).await?;
                subjects.sort_unstable_by_key(|s| (s.kind, s.id));
                subjects.dedup();
            }
            if subjects.is_empty() {
                return Ok(total);
            }
            let run = self.settle(&tx, &subjects).await?;
            let seen: Vec<(Uuid, Uuid)> = marked.iter().map(|(s, stamp)| (s.id, *stamp)).collect();
            marks::clear(&tx, &seen).await?;
            tx.commit().await?;
            total.subjects += run.subjects;
            total.items_written += run.items_written;
            total.orders_issued += run.orders_issued;
            total.orders_moved += run.orders_moved;
            total.orders_withdrawn += run.orders_withdrawn;
            total.slots_missed += run.slots_missed;
        }
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
                zone: pair.facts.zone(),
                closed: pair.facts.closed(),
                counts_from: pair.counts_from,
                item: pair.item.as_ref(),
                log: &pair.log,
                usage: &pair.usage,
                open_order: pair.order.as_ref(),
            };
            let decision = rules::decide(&facts, tx.now());
            self.collect(tx, pair, decision, &mut writes);
        }
        self.close_orders_of_gone(tx, &pairs, subjects, &mut writes).await?;
        self.write(tx, writes).await
    }

    /// Loads everything the items of these subjects depend on, in a number of statements that
    /// does not depend on how many there are.
    async fn load(&self, tx: &Tx, subjects: &[Subject]) -> StoreResult<Vec<Pair>> {
        let (db, scope) = (tx.conn(), tx.scope());
        let device_ids: Vec<DeviceId> = subjects
            .iter()
            .filter(|s| s.kind == SubjectKind::Device)
            .map(|s| DeviceId(s.id))
            .collect();
        let site_subjects: Vec<SiteId> = subjects
            .iter()
            .filter(|s| s.kind == SubjectKind::Site)
            .map(|s| SiteId(s.id))
            .collect();
        let standing = registry_store::devices_at_sites(db, scope, &site_subjects).await?;
        let mut lock: Vec<DeviceId> = device_ids.clone();
        lock.extend(standing.iter().map(|d| d.id));
        self.file.lock(tx, &lock).await?;
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
        let mut items: HashMap<(PlanId, Uuid), MaintenanceItem> = store::items_of(db, scope, &ids)
            .await?
            .into_iter()
            .map(|i| ((i.plan_id, i.subject.id), i))
            .collect();
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
        let _ = organization_zone;
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
            let facts = Arc::new(SubjectFacts {
                subject: *subject,
                site: site_id.and_then(|s| sites.get(&s).cloned()),
                standing: match subject.kind {
                    SubjectKind::Site => at_site.remove(&SiteId(subject.id)).unwrap_or_default(),
                    SubjectKind::Device => vec![],
                },
                device,
            });
            for plan in plans.iter().filter(|p| p.definition().subject == subject.kind) {
                let key = (plan.plan.id, subject.id);
                let item = items.remove(&key);
                let counts_from = facts.counts_from(plan);
                let is_alive = plan.plan.is_active && counts_from.is_some();
                if item.is_none() && !is_alive {
                    continue;
                }
                let order = item.as_ref().and_then(|i| orders.remove(&i.id));
                pairs.push(Pair {
                    counts_from: counts_from
                        .or(item.as_ref().map(|i| i.alive_since))
                        .unwrap_or(plan.plan.created_at),
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
                    let line = rules::timeline(&pair.plan, pair.facts.zone(), pair.counts_from, &pair.log);
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
        let meters: Vec<(DeviceId, String)> =
            needs.iter().map(|n| (n.device, n.meter.clone())).collect();
        let states = usage_store::meter_states(db, scope, &meters).await?;
        let patterns = usage_store::patterns(db, scope, &meters).await?;
        let at: Vec<_> = needs.iter().map(|n| (n.device, n.meter.clone(), n.anchor)).collect();
        let lives = usage_store::life_at(db, scope, &at).await?;
        let targets: Vec<_> = needs
            .iter()
            .zip(&lives)
            .map(|(n, life)| (n.device, n.meter.clone(), life.unwrap_or(0).saturating_add(n.every)))
            .collect();
        let crossings = usage_store::crossings(db, scope, &targets).await?;
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
        let plan = json!({"planId": pair.plan.plan.id, "planCode": pair.plan.plan.code});
        match &decision.order {
            OrderMove::Keep => {}
            OrderMove::Issue => {
                if let Some(order) = new_order(self.ids.next(now), item_id, pair, &decision, now) {
                    open_order_id = Some(order.id);
                    writes.unnumbered.push(writes.orders.len());
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
                        tell(
                            EventKind::WorkOrderMoved,
                            json!({"workOrderId": order.id, "number": order.number, "from": order.due_at, "to": due_at, "plan": plan}),
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
            tell(EventKind::OccurrenceMissed, json!({"slot": slot, "plan": plan}));
            writes.run.slots_missed += 1;
            writes.log.push(LogEntry {
                id: LogEntryId(self.ids.uuid(now)),
                item_id,
                plan_id: pair.plan.plan.id,
                subject: facts.subject,
                kind: LogKind::Missed,
                performed_at: *slot,
                occurrence_key: Some(slot_key(*slot)),
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
                item.decided_at = now;
                item.version = known.version + 1;
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
        let gone: Vec<Uuid> = registry_store::devices_by_ids(tx.conn(), tx.scope(), &ids)
            .await?
            .into_iter()
            .filter(|d| is_gone(d.status))
            .map(|d| d.id.0)
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        let handled: BTreeSet<WorkOrderId> =
            pairs.iter().filter_map(|p| p.order.as_ref().map(|o| o.id)).collect();
        for mut order in store::open_orders_of(tx.conn(), tx.scope(), &gone).await? {
            if handled.contains(&order.id) {
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
            for (place, number) in writes.unnumbered.iter().zip(reserved) {
                writes.orders[*place].number = format!("WO-{year}-{number:06}");
            }
        }
        let issued: Vec<NewEvent> = writes
            .unnumbered
            .iter()
            .map(|place| &writes.orders[*place])
            .filter_map(|order| {
                Some(NewEvent {
                    device: order.device_id?,
                    occurred_at: now,
                    kind: EventKind::WorkOrderIssued,
                    payload: json!({
                        "workOrderId": order.id, "number": order.number, "kind": order.kind,
                        "planId": order.plan_id, "dueAt": order.due_at,
                    }),
                    corrects: None,
                })
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
    fn zone(&self) -> Tz {
        self.site.as_ref().map_or(Tz::Asia__Shanghai, |s| s.zone)
    }

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

    /// Since when the plan applies, or nothing when it does not.
    fn counts_from(&self, plan: &CompiledPlan) -> Option<DateTime<Utc>> {
        let selector = &plan.definition().selector;
        let site = self.site.as_ref().map(|s| &s.site);
        let selected = |device: &Device| {
            selector.selects(
                Some(device.model_id),
                site.map(|s| s.id),
                site.and_then(|s| s.region_code.as_deref()),
                device.status,
            )
        };
        match &self.device {
            Some(device) => {
                selected(device).then(|| device.installed_at.unwrap_or(device.status_since))
            }
            None => self
                .standing
                .iter()
                .filter(|d| selected(d))
                .map(|d| d.installed_at.unwrap_or(d.status_since))
                .min(),
        }
    }
}

fn site_facts(site: Site, holidays: &[Holiday]) -> SiteFacts {
    let zone = site.time_zone;
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
    SiteFacts { site, zone, closed }
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

