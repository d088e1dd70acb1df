//! What a visit's lines mean for items and orders.

use super::PlanningService;
use crate::db::StoreResult;
use crate::db::tx::Tx;
use crate::kernel::ids::{DeviceId, ItemId, LogEntryId, PlanId, SiteId, WorkOrderId};
use crate::kernel::subject::{Subject, SubjectKind};
use crate::planning::model::*;
use crate::planning::rules::never_alive;
use crate::planning::store;
use crate::registry::file::{EventKind, NewEvent};
use crate::registry::store as registry_store;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

impl PlanningService {
    /// Counts completed lines for their items and closes the orders they close.
    ///
    /// A visit counts whatever the order's state; it closes the open order if performed at or
    /// after the start of its band. Nothing is refused: what is odd comes back as a code. The
    /// caller appends the visit to the device files afterwards, which settles the devices, and then
    /// settles the sites that are answered; only then are order numbers taken, after the visit's.
    ///
    /// # Errors
    /// Storage only.
    pub async fn record_visit_lines(
        &self,
        tx: &Tx,
        lines: &[VisitLineFact],
    ) -> StoreResult<(Vec<LineResult>, Vec<Subject>)> {
        let (db, scope, now) = (tx.conn(), tx.scope(), tx.now());
        let order_ids: BTreeSet<WorkOrderId> = lines.iter().flat_map(|l| l.work_order_ids.iter().copied()).collect();
        let plan_ids: BTreeSet<PlanId> = lines.iter().flat_map(|l| l.plan_ids.iter().copied()).collect();
        let order_ids: Vec<WorkOrderId> = order_ids.into_iter().collect();
        let named = store::orders_by_ids(db, scope, &order_ids).await?;
        let mut subjects: BTreeSet<(SubjectKind, Uuid)> =
            lines.iter().filter_map(|l| l.subject).map(|s| (s.kind, s.id)).collect();
        subjects.extend(named.iter().map(|o| (o.subject.kind, o.subject.id)));
        let subjects: Vec<Subject> = subjects.into_iter().map(|(kind, id)| Subject { kind, id }).collect();
        // Every file that may hear of it, at once and before anything else is locked: of the
        // devices worked on, and of all that stand at the sites.
        let mut sites: BTreeSet<SiteId> = lines.iter().map(|l| l.site_id).collect();
        sites.extend(subjects.iter().filter(|s| s.kind == SubjectKind::Site).map(|s| SiteId(s.id)));
        let sites: Vec<SiteId> = sites.into_iter().collect();
        let standing = registry_store::devices_at_sites(db, scope, &sites).await?;
        let mut devices: Vec<DeviceId> = subjects.iter().filter_map(|s| store::device_of(*s)).collect();
        devices.extend(standing.iter().map(|d| d.id));
        devices.extend(lines.iter().flat_map(|l| l.touches.iter().copied()));
        self.file.lock(tx, &devices).await?;
        registry_store::lock_sites(db, scope, &sites).await?;
        let ids: Vec<Uuid> = subjects.iter().map(|s| s.id).collect();
        let mut orders: HashMap<WorkOrderId, WorkOrder> = store::orders_by_ids(db, scope, &order_ids)
            .await?
            .into_iter()
            .chain(store::open_orders_of(db, scope, &ids).await?)
            .map(|o| (o.id, o))
            .collect();
        let mut open_by_item: HashMap<ItemId, WorkOrderId> =
            orders.values().filter(|o| o.state.is_open()).filter_map(|o| o.item_id.map(|i| (i, o.id))).collect();
        let mut items: HashMap<(PlanId, Uuid), MaintenanceItem> =
            store::items_of(db, scope, &ids).await?.into_iter().map(|i| ((i.plan_id, i.subject.id), i)).collect();
        let mut last_done: HashMap<ItemId, chrono::DateTime<chrono::Utc>> = HashMap::new();
        for entry in store::logs_of(db, scope, &ids).await?.iter().filter(|e| e.kind == LogKind::Done) {
            last_done.insert(entry.item_id, entry.performed_at);
        }
        let wanted: BTreeSet<PlanId> = plan_ids.into_iter().chain(orders.values().filter_map(|o| o.plan_id)).collect();
        let wanted: Vec<PlanId> = wanted.into_iter().collect();
        let plans: HashMap<PlanId, MaintenancePlan> =
            store::plans_by_ids(db, scope, &wanted).await?.into_iter().map(|p| (p.id, p)).collect();

        let book = self.plan_book(db, scope).await?;
        let mut results = Vec::new();
        let mut log = Vec::new();
        let mut new_items = Vec::new();
        let mut closed: BTreeSet<WorkOrderId> = BTreeSet::new();
        let mut events = Vec::new();
        for line in lines {
            let mut answered = false;
            let mut say = |code: LineCode, work_order: Option<WorkOrderId>| {
                results.push(LineResult { line: line.line, code, work_order });
            };
            // The items this line counts for, each with the order it was named by.
            let mut counts: Vec<(PlanId, Subject, Option<WorkOrderId>)> = Vec::new();
            for id in &line.work_order_ids {
                answered = true;
                let Some(order) = orders.get(id) else {
                    say(LineCode::OrderNotFound, None);
                    continue;
                };
                if line.is_unresolved {
                    // The order is for a device we know; who knows which one was worked on.
                    say(LineCode::UnresolvedDevice, Some(*id));
                    continue;
                }
                if line.subject.is_some_and(|s| s != order.subject)
                    && !(order.subject.kind == SubjectKind::Site && order.subject.id == line.site_id.0)
                {
                    say(LineCode::OrderOfOtherSubject, Some(*id));
                    continue;
                }
                if !line.is_done {
                    say(LineCode::NotDone, Some(*id));
                    continue;
                }
                // The visit says so; to be inspected again, the order stays open.
                if line.not_passed_orders.contains(id) {
                    continue;
                }
                match order.plan_id {
                    Some(plan) if order.item_id.is_some() => counts.push((plan, order.subject, Some(*id))),
                    _ if order.state.is_open() => {
                        closed.insert(*id);
                        say(LineCode::Completed, Some(*id));
                    }
                    _ if order.state == WorkOrderState::Completed => say(LineCode::AlreadyCompleted, Some(*id)),
                    _ => say(LineCode::OrderClosed, Some(*id)),
                }
            }
            for id in &line.plan_ids {
                answered = true;
                let Some(plan) = plans.get(id) else {
                    say(LineCode::PlanNotFound, None);
                    continue;
                };
                let subject = match plan.definition.subject {
                    SubjectKind::Device => line.subject.filter(|s| s.kind == SubjectKind::Device),
                    SubjectKind::Site => Some(Subject { kind: SubjectKind::Site, id: line.site_id.0 }),
                };
                let Some(subject) = subject else {
                    say(
                        if line.is_unresolved { LineCode::UnresolvedDevice } else { LineCode::PlanNotForSubject },
                        None,
                    );
                    continue;
                };
                if !line.is_done {
                    say(LineCode::NotDone, None);
                } else if !line.not_passed_plans.contains(id)
                    && !counts.iter().any(|(p, s, _)| p == id && *s == subject)
                {
                    counts.push((*id, subject, None));
                }
            }
            for (plan_id, subject, named) in counts {
                let Some(plan) = plans.get(&plan_id) else { continue };
                let item = items.entry((plan_id, subject.id)).or_insert_with(|| {
                    let item = MaintenanceItem {
                        id: self.ids.next(now),
                        plan_id,
                        subject,
                        device_id: store::device_of(subject),
                        site_id: (subject.kind == SubjectKind::Site).then_some(line.site_id),
                        model_id: None,
                        region_code: None,
                        kind: plan.definition.kind,
                        channel: plan.definition.channel,
                        is_alive: false,
                        alive_since: never_alive(),
                        counts_from: never_alive(),
                        last_done_at: None,
                        cycle: 0,
                        due: None,
                        explanation: None,
                        open_order_id: None,
                        covered_by: None,
                        conditions: vec![],
                        decided_at: now,
                        next_look_at: None,
                        version: 1,
                    };
                    new_items.push(item.clone());
                    item
                });
                let open = open_by_item.get(&item.id).copied();
                let order_id = named.or(open);
                log.push(LogEntry {
                    id: LogEntryId(self.ids.uuid(now)),
                    item_id: item.id,
                    plan_id,
                    subject,
                    kind: LogKind::Done,
                    performed_at: line.performed_at,
                    occurrence_key: None,
                    nominal_due_at: None,
                    postponed_to: None,
                    visit_line_id: Some(line.visit_line_id),
                    work_order_id: order_id,
                    reason: None,
                    actor: tx.call.actor.clone(),
                    recorded_at: now,
                    is_void: false,
                });
                let is_late = last_done.get(&item.id).is_some_and(|last| *last > line.performed_at);
                let last = last_done.entry(item.id).or_insert(line.performed_at);
                *last = (*last).max(line.performed_at);
                // The order named first; else the one that is open for the item.
                let state = named.and_then(|id| orders.get(&id)).map(|o| o.state);
                match state {
                    Some(WorkOrderState::Completed) => say(LineCode::AlreadyCompleted, named),
                    Some(s) if !s.is_open() => say(LineCode::OrderClosed, named),
                    _ => {}
                }
                match open.and_then(|id| orders.get(&id)) {
                    Some(order) if line.performed_at >= order.window_start => {
                        closed.insert(order.id);
                        say(LineCode::Completed, Some(order.id));
                        open_by_item.remove(&item.id);
                        if let Some(done) = open.and_then(|id| orders.get_mut(&id)) {
                            done.state = WorkOrderState::Completed;
                            done.performed_at = Some(line.performed_at);
                            done.visit_line_id = Some(line.visit_line_id);
                        }
                    }
                    Some(order) => say(LineCode::BeforeWindow, Some(order.id)),
                    None if is_late => say(LineCode::OutOfOrder, order_id),
                    None => say(LineCode::Counted, order_id),
                }
                // What the larger work includes is done with it.
                for covered in book.covers(plan_id).iter().filter_map(|plan| items.get(&(*plan, subject.id))) {
                    let open = open_by_item.get(&covered.id).copied().and_then(|id| orders.get_mut(&id));
                    if let Some(order) = open.filter(|o| line.performed_at >= o.window_start) {
                        order.state = WorkOrderState::Completed;
                        order.performed_at = Some(line.performed_at);
                        order.visit_line_id = Some(line.visit_line_id);
                        closed.insert(order.id);
                        say(LineCode::Completed, Some(order.id));
                        open_by_item.remove(&covered.id);
                    }
                }
            }
            for id in &closed {
                if let Some(order) = orders.get_mut(id).filter(|o| o.closed_at.is_none()) {
                    order.state = WorkOrderState::Completed;
                    order.performed_at.get_or_insert(line.performed_at);
                    order.visit_line_id.get_or_insert(line.visit_line_id);
                    order.closed_at = Some(now);
                    order.version += 1;
                }
            }
            if !answered {
                say(if line.is_unresolved { LineCode::UnresolvedDevice } else { LineCode::Recorded }, None);
            }
        }
        let completed: Vec<WorkOrder> = closed.iter().filter_map(|id| orders.get(id).cloned()).collect();
        for order in &completed {
            let devices: Vec<_> = match order.device_id {
                Some(device) => vec![device],
                None => {
                    standing.iter().filter(|d| d.site_id.map(|s| s.0) == Some(order.subject.id)).map(|d| d.id).collect()
                }
            };
            for device in devices {
                events.push(NewEvent {
                    device,
                    occurred_at: order.performed_at.unwrap_or(now),
                    kind: EventKind::WorkOrderCompleted,
                    payload: json!({
                        "workOrderId": order.id, "number": order.number, "planId": order.plan_id,
                        "visitLineId": order.visit_line_id, "performedAt": order.performed_at,
                    }),
                    corrects: None,
                });
            }
        }
        store::upsert_items(db, scope, &new_items).await?;
        store::insert_log(db, scope, &log).await?;
        store::upsert_orders(db, scope, &completed).await?;
        if !events.is_empty() {
            self.file.append(tx, events).await?;
        }
        let sites: Vec<Subject> = subjects
            .iter()
            .copied()
            .chain(log.iter().map(|e| e.subject))
            .filter(|s| s.kind == SubjectKind::Site)
            .collect::<std::collections::HashSet<_>>()
            .into_iter()
            .collect();
        Ok((results, sites))
    }
}
