//! What people do to work orders and occurrences: issue by hand, schedule, move along, skip,
//! postpone.

use super::PlanningService;
use crate::db::numbers;
use crate::db::tx::Tx;
use crate::kernel::calendar::{InstantError, check_instant, end_of_day, local_date, stamp, start_of_day};
use crate::kernel::call::Call;
use crate::kernel::ids::{DeviceId, ItemId, LogEntryId, SiteId, TechnicianId, WorkOrderId};
use crate::kernel::subject::{Subject, SubjectKind};
use crate::kernel::text::{clean_text, mask_card_numbers};
use crate::planning::error::Error;
use crate::planning::model::*;
use crate::planning::rules;
use crate::planning::store;
use crate::registry::file::{EventKind, NewEvent};
use crate::registry::store as registry_store;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// An order made by hand: installation, swap, repair.
#[derive(Clone, Debug)]
pub struct CreateOrder {
    /// The device, or
    pub device_id: Option<DeviceId>,
    /// the site it is for.
    pub site_id: Option<SiteId>,
    /// The kind of maintenance.
    pub kind: MaintenanceKind,
    /// Who does it.
    pub channel: ExecutionChannel,
    /// How urgent.
    pub priority: Priority,
    /// Due, UTC.
    pub due_at: DateTime<Utc>,
    /// Civil days before and after due that count as on time.
    pub early_days: u32,
    /// See `early_days`.
    pub late_days: u32,
    /// Expected minutes.
    pub estimated_minutes: u32,
    /// What to do.
    pub steps: Vec<TaskStep>,
}

/// A date and a technician for an order.
#[derive(Clone, Debug)]
pub struct ScheduleOrder {
    /// The order.
    pub work_order_id: WorkOrderId,
    /// When it is to be done, UTC.
    pub scheduled_for: DateTime<Utc>,
    /// Who is to do it.
    pub assignee_id: Option<TechnicianId>,
    /// The version the caller has.
    pub expected_version: Option<i64>,
}

/// A move of an order through its states.
#[derive(Clone, Debug)]
pub struct ChangeState {
    /// The order.
    pub work_order_id: WorkOrderId,
    /// The state it goes to.
    pub state: WorkOrderState,
    /// Why; required for CANCELLED and ON_HOLD.
    pub reason: Option<String>,
    /// After CANCELLED: let the planner issue the occurrence again instead of skipping it.
    pub reissue: bool,
    /// The version the caller has.
    pub expected_version: Option<i64>,
}

/// An occurrence, named by its item or by its open order.
#[derive(Clone, Copy, Debug)]
pub enum OccurrenceRef {
    /// The item's current occurrence.
    Item(ItemId),
    /// The occurrence the order was issued for.
    Order(WorkOrderId),
}

/// An occurrence that will not be done.
#[derive(Clone, Debug)]
pub struct SkipOccurrence {
    /// Which.
    pub occurrence: OccurrenceRef,
    /// Why.
    pub reason: String,
    /// Approver and waiver, for compliance plans.
    pub waiver: Option<String>,
    /// The item's or order's version the caller has.
    pub expected_version: Option<i64>,
}

/// An occurrence that will be done later.
#[derive(Clone, Debug)]
pub struct PostponeOccurrence {
    /// Which.
    pub occurrence: OccurrenceRef,
    /// The new civil date, in the site's zone.
    pub until: NaiveDate,
    /// Why.
    pub reason: String,
    /// Approver and waiver, for compliance plans beyond their band.
    pub waiver: Option<String>,
    /// The item's or order's version the caller has.
    pub expected_version: Option<i64>,
}

/// What was changed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct OrderChanged {
    /// The order, if there is one.
    pub work_order_id: Option<WorkOrderId>,
    /// The item, if there is one.
    pub item_id: Option<ItemId>,
}

/// A free text; card numbers never reach a device file, which forgets nothing.
fn words(text: &str, field: &'static str) -> Result<String, Error> {
    let clean = clean_text(text, 1_000).map_err(|problem| Error::Text { field: vec![field], name: field, problem })?;
    Ok(mask_card_numbers(&clean).0)
}

/// An optional free text; empty means absent.
fn optional_words(text: Option<&str>, field: &'static str) -> Result<Option<String>, Error> {
    text.filter(|t| !t.trim().is_empty()).map(|t| words(t, field)).transpose()
}

/// A possible moment, as both databases keep it.
fn instant(at: DateTime<Utc>, field: &'static str) -> Result<DateTime<Utc>, Error> {
    check_instant(at).map_err(|e| Error::Instant { field, problem: format!("{field} {e}") })?;
    Ok(stamp(at))
}

/// How a subject's device files hear of its work.
fn told(order: &WorkOrder, mut payload: serde_json::Value) -> serde_json::Value {
    if let Some(object) = payload.as_object_mut() {
        object.insert("workOrderId".into(), json!(order.id));
        object.insert("number".into(), json!(order.number));
    }
    payload
}

fn expect(expected: Option<i64>, actual: i64) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != actual => Err(Error::Conflict { expected, actual }),
        _ => Ok(()),
    }
}

impl PlanningService {
    /// Issues an order by hand.
    ///
    /// # Errors
    /// Unknown device or site, both or neither given, an impossible date.
    pub async fn create_order(&self, call: &Call, mut new: CreateOrder) -> Result<OrderChanged, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let due_at = instant(new.due_at, "dueAt")?;
        self.clean_steps(tx.conn(), tx.scope(), &mut new.steps).await?;
        let bounds = [
            ("earlyDays", new.early_days, 0, 366),
            ("lateDays", new.late_days, 0, 366),
            ("estimatedMinutes", new.estimated_minutes, 1, 10_080),
        ];
        for (field, given, low, high) in bounds {
            if !(low..=high).contains(&given) {
                return Err(Error::Invalid {
                    field: field.into(),
                    problem: format!("{field} is {given}; give {low} to {high}"),
                });
            }
        }
        let (subject, device) = match (new.device_id, new.site_id) {
            (Some(id), None) => {
                let device = registry_store::devices_by_ids(tx.conn(), tx.scope(), &[id])
                    .await?
                    .pop()
                    .ok_or(Error::NotFound { what: "device", field: "deviceId" })?;
                (Subject { kind: SubjectKind::Device, id: id.0 }, Some(device))
            }
            (None, Some(id)) => (Subject { kind: SubjectKind::Site, id: id.0 }, None),
            (None, None) => return Err(Error::Required { field: "deviceId", what: "which device or site it is for" }),
            (Some(_), Some(_)) => {
                return Err(Error::Invalid {
                    field: "deviceId".into(),
                    problem: "give either deviceId or siteId, not both".into(),
                });
            }
        };
        let site_id = new.site_id.or(device.as_ref().and_then(|d| d.site_id));
        let site = match site_id {
            Some(id) => registry_store::sites_by_ids(tx.conn(), tx.scope(), &[id]).await?.pop(),
            None => None,
        };
        if new.site_id.is_some() && site.is_none() {
            return Err(Error::NotFound { what: "site", field: "siteId" });
        }
        let zone = match &site {
            Some(site) => site.time_zone,
            None => registry_store::organization(tx.conn(), tx.scope()).await?.time_zone,
        };
        // Files first, then numbers: every change takes its locks in this order.
        self.lock_subject(&tx, subject).await?;
        let day = local_date(zone, due_at);
        let year = call.now.year();
        let number = numbers::reserve(&tx, "WO", year, 1).await?.first().copied().unwrap_or_default();
        let shift = |days: u32| chrono::Days::new(u64::from(days));
        let order = WorkOrder {
            id: self.ids.next(call.now),
            number: format!("WO-{year}-{number:06}"),
            kind: new.kind,
            state: WorkOrderState::Planned,
            priority: new.priority,
            item_id: None,
            plan_id: None,
            plan_revision_id: None,
            subject,
            device_id: new.device_id,
            site_id,
            position_id: device.as_ref().and_then(|d| d.position_id),
            model_id: device.as_ref().map(|d| d.model_id),
            region_code: site.as_ref().and_then(|s| s.region_code.clone()),
            nominal_due_at: due_at,
            due_at,
            told_due_at: due_at,
            window_start: start_of_day(zone, day.checked_sub_days(shift(new.early_days)).unwrap_or(day)),
            window_end: end_of_day(zone, day.checked_add_days(shift(new.late_days)).unwrap_or(day)),
            occurrence_key: None,
            explanation: None,
            channel: new.channel,
            steps: new.steps,
            estimated_minutes: new.estimated_minutes,
            assignee_id: None,
            scheduled_for: None,
            close_reason: None,
            closed_at: None,
            performed_at: None,
            visit_line_id: None,
            origin: None,
            version: 1,
            created_at: call.now,
        };
        store::upsert_orders(tx.conn(), tx.scope(), std::slice::from_ref(&order)).await?;
        self.tell(
            &tx,
            &order,
            EventKind::WorkOrderIssued,
            json!({"dueAt": order.due_at, "dueOn": day, "kind": order.kind}),
        )
        .await?;
        let changed = OrderChanged { work_order_id: Some(order.id), item_id: None };
        tx.finish(&changed).await?;
        Ok(changed)
    }

    /// Gives an order a date and a technician; from then on its band is frozen.
    ///
    /// # Errors
    /// Unknown order or technician, an order that is not PLANNED, SCHEDULED, DISPATCHED or
    /// ON_HOLD, an impossible date, a stale version.
    pub async fn schedule_order(&self, call: &Call, input: ScheduleOrder) -> Result<OrderChanged, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let scheduled_for = instant(input.scheduled_for, "scheduledFor")?;
        if scheduled_for < call.now - TimeDelta::days(1) {
            let problem = "scheduledFor lies in the past; give the day on which it is to be done".into();
            return Err(Error::Instant { field: "scheduledFor", problem });
        }
        let mut order = self.locked_order(&tx, input.work_order_id).await?;
        expect(input.expected_version, order.version)?;
        if order.state != WorkOrderState::Scheduled && !order.state.may_become(WorkOrderState::Scheduled) {
            return Err(Error::IllegalTransition {
                field: "workOrderId",
                from: order.state,
                to: WorkOrderState::Scheduled,
            });
        }
        if let Some(id) = input.assignee_id {
            let known = registry_store::technicians_by_ids(tx.conn(), tx.scope(), &[id]).await?;
            if known.is_empty() {
                return Err(Error::NotFound { what: "technician", field: "assigneeId" });
            }
        }
        let from = order.state;
        order.state = WorkOrderState::Scheduled;
        order.scheduled_for = Some(scheduled_for);
        order.assignee_id = input.assignee_id.or(order.assignee_id);
        let payload = json!({"from": from, "to": order.state, "scheduledFor": order.scheduled_for, "assigneeId": order.assignee_id});
        self.save(&tx, order, EventKind::WorkOrderStateChanged, payload).await?;
        let changed = OrderChanged { work_order_id: Some(input.work_order_id), item_id: None };
        tx.finish(&changed).await?;
        Ok(changed)
    }

    /// Moves an order through its states.
    ///
    /// # Errors
    /// What the state machine forbids; COMPLETED and SKIPPED, which come from visits and from
    /// skipping; a missing reason; a stale version.
    pub async fn change_state(&self, call: &Call, input: ChangeState) -> Result<OrderChanged, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let mut order = self.locked_order(&tx, input.work_order_id).await?;
        expect(input.expected_version, order.version)?;
        match input.state {
            WorkOrderState::Completed => return Err(Error::CompletionNeedsVisit),
            WorkOrderState::Skipped => return Err(Error::SkipNeedsSkipOccurrence),
            _ => {}
        }
        if !order.state.may_become(input.state) {
            return Err(Error::IllegalTransition { field: "state", from: order.state, to: input.state });
        }
        if input.state == WorkOrderState::Scheduled && order.scheduled_for.is_none() {
            return Err(Error::Required { field: "state", what: "when it is to be done, with scheduleWorkOrder" });
        }
        let reason = match (optional_words(input.reason.as_deref(), "reason")?, input.state) {
            (None, WorkOrderState::Cancelled | WorkOrderState::OnHold) => {
                return Err(Error::Required { field: "reason", what: "why" });
            }
            (reason, _) => reason,
        };
        let skips = input.state == WorkOrderState::Cancelled && !input.reissue;
        let from = order.state;
        order.state = input.state;
        if input.state == WorkOrderState::Cancelled {
            order.close_reason = reason.clone();
            order.closed_at = Some(call.now);
        }
        if input.state == WorkOrderState::Planned {
            order.scheduled_for = None;
        }
        let subject = order.subject;
        let item = match order.item_id {
            Some(id) => store::items_by_ids(tx.conn(), tx.scope(), &[id]).await?.pop(),
            None => None,
        };
        if let Some(item) = item.as_ref().filter(|_| skips)
            && self.plan_of(&tx, item).await?.definition.is_compliance
        {
            // Cancelling would skip it without a waiver.
            let zone = self.zone_of(&tx, item).await?;
            let until = local_date(zone, order.window_end);
            return Err(Error::WaiverRequired {
                until,
                field: "reissue",
                how: "use skipOccurrence, or cancel with reissue",
            });
        }
        let payload = json!({"from": from, "to": order.state, "reason": reason});
        let order = self.save(&tx, order, EventKind::WorkOrderStateChanged, payload).await?;
        if let Some(item) = item.as_ref().filter(|_| skips)
            && let Some(key) = &order.occurrence_key
        {
            let entry = self.entry(
                &tx,
                item,
                LogKind::Skipped,
                key.clone(),
                order.nominal_due_at,
                reason.clone(),
                Some(order.id),
            );
            store::insert_log(tx.conn(), tx.scope(), &[entry]).await?;
            self.tell(&tx, &order, EventKind::OccurrenceSkipped, json!({"occurrence": key, "reason": reason})).await?;
        }
        if item.is_some() {
            self.settle(&tx, &[subject]).await?;
        }
        let changed = OrderChanged { work_order_id: Some(input.work_order_id), item_id: item.map(|i| i.id) };
        tx.finish(&changed).await?;
        Ok(changed)
    }

    /// Skips the current occurrence: it acts as done at its nominal due, without changing when
    /// the work was last done.
    ///
    /// # Errors
    /// Nothing due, an order that cannot be skipped, a compliance plan without a waiver.
    pub async fn skip(&self, call: &Call, input: SkipOccurrence) -> Result<OrderChanged, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let reason = words(&input.reason, "reason")?;
        let waiver = optional_words(input.waiver.as_deref(), "waiver")?;
        let (item, order) = self.occurrence(&tx, input.occurrence, input.expected_version).await?;
        let plan = self.plan_of(&tx, &item).await?;
        if plan.definition.is_compliance && waiver.is_none() {
            let zone = self.zone_of(&tx, &item).await?;
            let until = local_date(zone, item.due.as_ref().map_or(call.now, |d| d.window_end));
            return Err(Error::WaiverRequired { until, field: "waiver", how: "give it as waiver" });
        }
        let (key, nominal) = match (&order, &item.due) {
            (Some(order), _) if order.occurrence_key.is_some() => {
                (order.occurrence_key.clone().unwrap_or_default(), order.nominal_due_at)
            }
            (_, Some(due)) => (due.occurrence_key.clone(), due.nominal_at),
            _ => return Err(Error::OccurrenceNotCurrent),
        };
        // A limit reached on the very day it counts from is due before that: the skip must still
        // lie after it, or the same occurrence would come again.
        let anchor = item.explanation.as_ref().map_or(nominal, |e| e.anchor.at + TimeDelta::microseconds(1));
        let nominal = if key == rules::slot_key(self.zone_of(&tx, &item).await?, nominal) {
            nominal
        } else {
            nominal.max(anchor)
        };
        let payload = json!({"occurrence": key, "nominalDueAt": nominal, "reason": reason, "waiver": waiver, "planId": plan.id, "itemId": item.id});
        let entry =
            self.entry(&tx, &item, LogKind::Skipped, key, nominal, Some(reason.clone()), order.as_ref().map(|o| o.id));
        store::insert_log(tx.conn(), tx.scope(), &[entry]).await?;
        let order_id = order.as_ref().map(|o| o.id);
        match order {
            Some(mut order) => {
                if !order.state.may_become(WorkOrderState::Skipped) {
                    return Err(Error::IllegalTransition {
                        field: "workOrderId",
                        from: order.state,
                        to: WorkOrderState::Skipped,
                    });
                }
                order.state = WorkOrderState::Skipped;
                order.close_reason = Some(reason);
                order.closed_at = Some(call.now);
                self.save(&tx, order, EventKind::OccurrenceSkipped, payload).await?;
            }
            None => self.tell_subject(&tx, item.subject, EventKind::OccurrenceSkipped, payload).await?,
        }
        self.settle(&tx, &[item.subject]).await?;
        let changed = OrderChanged { work_order_id: order_id, item_id: Some(item.id) };
        tx.finish(&changed).await?;
        Ok(changed)
    }

    /// Postpones the current occurrence to a later day.
    ///
    /// # Errors
    /// Nothing due, a date that is not later or more than 366 days later, a compliance plan past
    /// its band without a waiver.
    pub async fn postpone(&self, call: &Call, input: PostponeOccurrence) -> Result<OrderChanged, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let reason = words(&input.reason, "reason")?;
        let waiver = optional_words(input.waiver.as_deref(), "waiver")?;
        let (item, order) = self.occurrence(&tx, input.occurrence, input.expected_version).await?;
        let plan = self.plan_of(&tx, &item).await?;
        let zone = self.zone_of(&tx, &item).await?;
        if !(2000..2100).contains(&input.until.year()) {
            return Err(Error::Instant { field: "until", problem: format!("until {InstantError}") });
        }
        let to = start_of_day(zone, input.until);
        let (key, nominal, due_at, window_end) = match (&order, &item.due) {
            (Some(o), _) if o.occurrence_key.is_some() => {
                (o.occurrence_key.clone().unwrap_or_default(), o.nominal_due_at, o.due_at, o.window_end)
            }
            (_, Some(d)) => (d.occurrence_key.clone(), d.nominal_at, d.due_at.unwrap_or(d.nominal_at), d.window_end),
            _ => return Err(Error::OccurrenceNotCurrent),
        };
        let late = (input.until - local_date(zone, nominal)).num_days();
        if to <= due_at || late > 366 {
            return Err(Error::Invalid {
                field: "until".into(),
                problem: format!("until must be after {} and within 366 days of it", local_date(zone, due_at)),
            });
        }
        let compiled = self.compiled(plan.clone())?;
        let closes = rules::Slots::of(&compiled, zone, call.now)
            .filter(|_| key == rules::slot_key(zone, nominal))
            .and_then(|slots| slots.closes(nominal));
        if let Some(closes) = closes.filter(|closes| input.until >= local_date(zone, *closes)) {
            let problem = format!(
                "until must be before {}, when the next date of the grid takes over; skip this one instead",
                local_date(zone, closes)
            );
            return Err(Error::Invalid { field: "until".into(), problem });
        }
        if plan.definition.is_compliance && end_of_day(zone, input.until) > window_end && waiver.is_none() {
            let until = local_date(zone, window_end);
            return Err(Error::WaiverRequired { until, field: "waiver", how: "give it as waiver" });
        }
        let payload = json!({
            "occurrence": key, "from": due_at, "fromOn": local_date(zone, due_at), "to": to, "toOn": input.until,
            "reason": reason, "waiver": waiver, "planId": plan.id, "itemId": item.id,
        });
        let mut entry = self.entry(
            &tx,
            &item,
            LogKind::Postponed,
            key,
            nominal,
            Some(reason.clone()),
            order.as_ref().map(|o| o.id),
        );
        entry.postponed_to = Some(to);
        store::insert_log(tx.conn(), tx.scope(), &[entry]).await?;
        let order_id = order.as_ref().map(|o| o.id);
        match order {
            Some(mut order) => {
                if let Some(explanation) = &mut order.explanation {
                    explanation.adjustments.push(DueAdjustment {
                        kind: AdjustmentKind::Postponed,
                        from: order.due_at,
                        to,
                        reason: Some(reason),
                        name: None,
                    });
                }
                order.due_at = to;
                order.told_due_at = to;
                order.window_end = order.window_end.max(end_of_day(zone, input.until));
                self.save(&tx, order, EventKind::OccurrencePostponed, payload).await?;
            }
            None => self.tell_subject(&tx, item.subject, EventKind::OccurrencePostponed, payload).await?,
        }
        self.settle(&tx, &[item.subject]).await?;
        let changed = OrderChanged { work_order_id: order_id, item_id: Some(item.id) };
        tx.finish(&changed).await?;
        Ok(changed)
    }

    // ---- shared steps ----

    #[allow(clippy::too_many_arguments)]
    fn entry(
        &self,
        tx: &Tx,
        item: &MaintenanceItem,
        kind: LogKind,
        key: String,
        nominal: DateTime<Utc>,
        reason: Option<String>,
        order: Option<WorkOrderId>,
    ) -> LogEntry {
        LogEntry {
            id: LogEntryId(self.ids.uuid(tx.now())),
            item_id: item.id,
            plan_id: item.plan_id,
            subject: item.subject,
            kind,
            performed_at: tx.now(),
            occurrence_key: Some(key),
            nominal_due_at: Some(nominal),
            postponed_to: None,
            visit_line_id: None,
            work_order_id: order,
            reason,
            actor: tx.call.actor.clone(),
            recorded_at: tx.now(),
            is_void: false,
        }
    }

    /// The device files that hear of a subject.
    async fn lock_subject(&self, tx: &Tx, subject: Subject) -> Result<Vec<DeviceId>, Error> {
        let devices = match subject.kind {
            SubjectKind::Device => vec![DeviceId(subject.id)],
            SubjectKind::Site => registry_store::devices_at_sites(tx.conn(), tx.scope(), &[SiteId(subject.id)])
                .await?
                .into_iter()
                .map(|d| d.id)
                .collect(),
        };
        self.file.lock(tx, &devices).await?;
        if subject.kind == SubjectKind::Site {
            // A site without devices has no file to lock.
            registry_store::lock_sites(tx.conn(), tx.scope(), &[SiteId(subject.id)]).await?;
        }
        Ok(devices)
    }

    async fn locked_order(&self, tx: &Tx, id: WorkOrderId) -> Result<WorkOrder, Error> {
        let missing = Error::NotFound { what: "work order", field: "workOrderId" };
        let Some(order) = store::orders_by_ids(tx.conn(), tx.scope(), &[id]).await?.pop() else {
            return Err(missing);
        };
        self.lock_subject(tx, order.subject).await?;
        // Read again under the lock: what was read before may have been changed meanwhile.
        store::orders_by_ids(tx.conn(), tx.scope(), &[id]).await?.pop().ok_or(missing)
    }

    async fn occurrence(
        &self,
        tx: &Tx,
        which: OccurrenceRef,
        expected: Option<i64>,
    ) -> Result<(MaintenanceItem, Option<WorkOrder>), Error> {
        match which {
            OccurrenceRef::Order(id) => {
                let order = self.locked_order(tx, id).await?;
                expect(expected, order.version)?;
                if !order.state.is_open() {
                    return Err(Error::IllegalTransition {
                        field: "workOrderId",
                        from: order.state,
                        to: WorkOrderState::Skipped,
                    });
                }
                let item_id = order.item_id.ok_or(Error::OccurrenceNotCurrent)?;
                let item = store::items_by_ids(tx.conn(), tx.scope(), &[item_id])
                    .await?
                    .pop()
                    .ok_or(Error::OccurrenceNotCurrent)?;
                Ok((item, Some(order)))
            }
            OccurrenceRef::Item(id) => {
                let missing = Error::NotFound { what: "maintenance item", field: "itemId" };
                let Some(item) = store::items_by_ids(tx.conn(), tx.scope(), &[id]).await?.pop() else {
                    return Err(missing);
                };
                self.lock_subject(tx, item.subject).await?;
                let item = store::items_by_ids(tx.conn(), tx.scope(), &[id]).await?.pop().ok_or(missing)?;
                expect(expected, item.version)?;
                let order = match item.open_order_id {
                    Some(id) => store::orders_by_ids(tx.conn(), tx.scope(), &[id]).await?.pop(),
                    None => None,
                };
                Ok((item, order.filter(|o| o.state.is_open())))
            }
        }
    }

    async fn plan_of(&self, tx: &Tx, item: &MaintenanceItem) -> Result<MaintenancePlan, Error> {
        store::plans_by_ids(tx.conn(), tx.scope(), &[item.plan_id])
            .await?
            .pop()
            .ok_or(Error::NotFound { what: "maintenance plan", field: "itemId" })
    }

    async fn zone_of(&self, tx: &Tx, item: &MaintenanceItem) -> Result<Tz, Error> {
        let site = match item.site_id {
            Some(id) => registry_store::sites_by_ids(tx.conn(), tx.scope(), &[id]).await?.pop(),
            None => None,
        };
        Ok(match site {
            Some(site) => site.time_zone,
            None => registry_store::organization(tx.conn(), tx.scope()).await?.time_zone,
        })
    }

    /// Writes a changed order and tells the device file.
    async fn save(
        &self,
        tx: &Tx,
        mut order: WorkOrder,
        kind: EventKind,
        payload: serde_json::Value,
    ) -> Result<WorkOrder, Error> {
        order.version += 1;
        store::upsert_orders(tx.conn(), tx.scope(), std::slice::from_ref(&order)).await?;
        self.tell(tx, &order, kind, payload).await?;
        Ok(order)
    }

    async fn tell(&self, tx: &Tx, order: &WorkOrder, kind: EventKind, payload: serde_json::Value) -> Result<(), Error> {
        self.tell_subject(tx, order.subject, kind, told(order, payload)).await
    }

    async fn tell_subject(
        &self,
        tx: &Tx,
        subject: Subject,
        kind: EventKind,
        payload: serde_json::Value,
    ) -> Result<(), Error> {
        let devices = self.lock_subject(tx, subject).await?;
        let events = devices
            .into_iter()
            .map(|device| NewEvent { device, occurred_at: tx.now(), kind, payload: payload.clone(), corrects: None })
            .collect::<Vec<_>>();
        if !events.is_empty() {
            self.file.append(tx, events).await?;
        }
        Ok(())
    }
}
