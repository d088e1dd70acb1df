//! Planned work: what was done before tillkeep planned, and how the orders since then are done.

use super::{Intent, MONTH, ModelFacts, ROWS, Story};
use crate::kernel::calendar::{Period, local_date};
use crate::kernel::ids::{DeviceId, PlanId, SiteId, TechnicianId, WorkOrderId};
use crate::planning::model::{
    ExecutionChannel, MaintenanceKind, MaintenancePlan, Trigger, WorkOrder, WorkOrderFilter, WorkOrderOrderField,
    WorkOrderState,
};
use crate::registry::model::DeviceRef;
use crate::seeding::Error;
use crate::seeding::demo::fleet::Act;
use crate::visits::model::{LogLine, LogVisit, StepResult, VisitLineOutcome};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rand::RngExt;
use std::collections::{BTreeMap, HashMap};

/// Days a technician looks ahead when orders are shared out.
pub(super) const AHEAD: TimeDelta = TimeDelta::days(14);
/// How long after a visit it is logged at the earliest.
const OVERNIGHT: TimeDelta = TimeDelta::hours(10);
/// How long before now technicians began to answer every step.
const ANSWERED: TimeDelta = TimeDelta::days(28);
/// Days for which an outage of the host is seen in a week's figures.
const OUTAGE_DAYS: i64 = 8;

/// Who works, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// A technician at the site.
    Field,
    /// The shop itself.
    Own,
    /// Somebody at a desk.
    Remote,
}

impl Way {
    pub(super) fn of(channel: ExecutionChannel) -> Self {
        match channel {
            ExecutionChannel::Merchant => Self::Own,
            ExecutionChannel::Remote => Self::Remote,
            ExecutionChannel::Field | ExecutionChannel::Depot => Self::Field,
        }
    }
}

/// A visit before tillkeep planned.
pub(super) struct OldTrip {
    site: usize,
    begun: DateTime<Utc>,
    way: Way,
    /// Device, plans whose work was done, and when.
    lines: Vec<(usize, Vec<PlanId>, DateTime<Utc>)>,
}

impl OldTrip {
    /// Whether it was logged by a moment.
    pub(super) fn is_told_by(&self, at: DateTime<Utc>) -> bool {
        self.begun + OVERNIGHT <= at
    }
}

impl Story<'_> {
    // ---- before tillkeep planned ----

    /// The visits of the time before tillkeep planned: what technicians did by their old calendar,
    /// each device at its own pace, a site's work of one week on one day. By date.
    pub(super) fn work_of_old(&mut self, until: DateTime<Utc>) -> Result<Vec<OldTrip>, Error> {
        let (zone, fleet) = (self.fleet.zone, self.fleet);
        let plans: Vec<MaintenancePlan> =
            self.plans.iter().filter(|p| self.p.plans.contains(&p.code)).cloned().collect();
        // Week, site, who did it → device → plans.
        let mut trips: BTreeMap<(i64, usize, Way), BTreeMap<usize, Vec<PlanId>>> = BTreeMap::new();
        for stay in &fleet.stays {
            let position = &fleet.positions[stay.position];
            let (begin, end) = (stay.from.max(fleet.start - MONTH * 6), stay.to.unwrap_or(until).min(until));
            let model = self.model_of(stay.device)?.clone();
            for plan in &plans {
                let selector = &plan.definition.selector;
                if !selector.everything && !selector.model_ids.contains(&model.id) {
                    continue;
                }
                let Some(cycle) = self.cycle_days(plan, &model, position.level, begin) else { continue };
                let told_from = self.told_from(stay.device, &plan.code);
                let way = Way::of(plan.definition.channel);
                let mut days = self.rng.random_range(0.0..1.0) * cycle;
                while begin + TimeDelta::days(days as i64) < end {
                    let at = begin + TimeDelta::days(days as i64);
                    let day = (at - DateTime::UNIX_EPOCH).num_days();
                    // What shops and desks do was written down by nobody; the last time is asked for.
                    let is_known = way == Way::Field || (end - begin).num_days() as f64 - days < cycle;
                    // A trip is on any day of its week.
                    let is_told = told_from.is_some_and(|from| local_date(zone, at) + TimeDelta::days(7) > from);
                    if is_known && !is_told && at >= fleet.start {
                        let of_trip = trips.entry((day / 7, position.site, way)).or_default();
                        of_trip.entry(stay.device).or_default().push(plan.id);
                    }
                    days += cycle.max(5.0) * self.rng.random_range(0.85..1.15);
                }
            }
        }
        let mut trips_of_old = Vec::with_capacity(trips.len());
        for ((week, site, way), devices) in trips {
            let day = local_date(zone, DateTime::UNIX_EPOCH + TimeDelta::days(week * 7 + (site % 6) as i64));
            let begun = self.local(day, 9 + (site % 6) as u32, (site % 50) as u32);
            let mut lines = Vec::new();
            for (device, mut plan_ids) in devices {
                // A swap within the week: the device was not there yet, or not any more.
                let stood = fleet.stays.iter().any(|s| {
                    s.device == device && s.from < begun && s.to.is_none_or(|to| begun + TimeDelta::hours(2) < to)
                });
                if !stood {
                    continue;
                }
                plan_ids.sort_unstable();
                plan_ids.dedup();
                let at = begun + TimeDelta::minutes(6 * (1 + lines.len() as i64).min(15));
                lines.push((device, plan_ids, at));
            }
            if lines.is_empty() || begun >= until - OVERNIGHT {
                continue;
            }
            trips_of_old.push(OldTrip { site, begun, way, lines });
        }
        trips_of_old.sort_by_key(|t| t.begun);
        Ok(trips_of_old)
    }

    /// Days between two occurrences of a plan at a level of usage; none where only grids, measures or
    /// events make it due.
    fn cycle_days(&self, plan: &MaintenancePlan, model: &ModelFacts, level: f64, from: DateTime<Utc>) -> Option<f64> {
        let days = |trigger: &Trigger| match trigger {
            Trigger::CalendarFloating { every } => {
                let begin = from.date_naive();
                let end = Period::parse(every).ok()?.add_to(begin)?;
                Some((end - begin).num_days() as f64)
            }
            Trigger::Usage { meter, every, .. } if *meter == self.p.usage.meter => Some(*every as f64 / level.max(0.1)),
            Trigger::Usage { meter, every, .. } => {
                model.per_day.get(meter).filter(|per_day| **per_day > 0.0).map(|per_day| *every as f64 / per_day)
            }
            _ => None,
        };
        plan.definition.triggers.iter().filter_map(days).reduce(f64::min)
    }

    /// Logs visits of old.
    pub(super) async fn log_old(&mut self, trips: Vec<OldTrip>, at: DateTime<Utc>) -> Result<(), Error> {
        let mut done = Vec::with_capacity(trips.len());
        for trip in trips {
            let mut lines = Vec::with_capacity(trip.lines.len());
            for (device, plan_ids, at) in trip.lines {
                let id = self.device(device)?;
                lines.push(LogLine { plan_ids, ..self.line(Some(id), at, VisitLineOutcome::Done) });
            }
            let mut visit = self.visit(trip.site, trip.begun, lines);
            visit.notes = self.notes(trip.way);
            done.push(visit);
        }
        self.log(done, at).await
    }

    // ---- week by week ----

    /// Says when the orders that come up will be done, and how well.
    pub(super) async fn share_out(&mut self, now: DateTime<Utc>) -> Result<(), Error> {
        let zone = self.fleet.zone;
        let tomorrow = local_date(zone, now) + TimeDelta::days(1);
        for order in self.open_orders(now + AHEAD, now).await? {
            if self.intents.contains_key(&order.id) || !self.is_shared_out(&order) {
                continue;
            }
            let (due, last) = (local_date(zone, order.due_at), local_date(zone, order.window_end));
            let first = local_date(zone, order.window_start).max(tomorrow);
            let visits = &self.p.visits;
            let luck: f64 = self.rng.random();
            let intent = if luck < visits.late_share {
                let late = self.rng.random_range(visits.late_days.low..=visits.late_days.high);
                Intent { on: last.max(tomorrow) + TimeDelta::days(late), outcome: VisitLineOutcome::Done }
            } else if luck < visits.late_share + visits.no_access_share {
                Intent { on: due.max(first), outcome: VisitLineOutcome::NoAccess }
            } else {
                let around = self.rng.random_range(-4..=4);
                let on = (due + TimeDelta::days(around)).min(last).max(first);
                Intent { on, outcome: VisitLineOutcome::Done }
            };
            // The story tells of this work itself.
            if self.told_of(&order).is_some_and(|from| intent.on >= from) {
                continue;
            }
            self.intents.insert(order.id, intent);
        }
        Ok(())
    }

    /// Whether somebody is sent for an order.
    fn is_shared_out(&self, order: &WorkOrder) -> bool {
        // Updates are sent from afar, and repairs have a story of their own.
        if order.kind == MaintenanceKind::FirmwareUpdate || order.plan_id.is_none() {
            return false;
        }
        let Some(place) = order.device_id.and_then(|id| self.by_id.get(&id)).copied() else { return true };
        // What was just installed waits for the technician who brought it.
        let is_new = |act: &Act| matches!(act, Act::Install { device, is_in_service: false, .. } if *device == place);
        if order.kind == MaintenanceKind::PreInstallation && self.fleet.acts.iter().any(|(_, act)| is_new(act)) {
            return false;
        }
        let outage = &self.p.usage.outage;
        let day = self.day_ago(outage.days_ago);
        let days = (local_date(self.fleet.zone, order.due_at) - day).num_days();
        let is_of_outage = self.fleet.outage.contains(&place)
            && (0..=OUTAGE_DAYS).contains(&days)
            && self.plan(&outage.plan).map(|p| p.id) == order.plan_id;
        // Nobody is sent to a terminal for what the host did.
        !is_of_outage
    }

    /// From when on the story itself does the work of an order.
    pub(super) fn told_of(&self, order: &WorkOrder) -> Option<NaiveDate> {
        let place = order.device_id.and_then(|id| self.by_id.get(&id)).copied()?;
        let plan = self.plans.iter().find(|p| Some(p.id) == order.plan_id)?;
        self.told_from(place, &plan.code)
    }

    pub(super) async fn open_orders(
        &self,
        due_before: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Vec<WorkOrder>, Error> {
        let filter = WorkOrderFilter {
            states: Some(WorkOrderState::OPEN.to_vec()),
            due_before: Some(due_before),
            ..WorkOrderFilter::default()
        };
        let (scope, field) = (self.scope(), WorkOrderOrderField::DueAt);
        Ok(self.rooms.planning.orders_page(&scope, &filter, field, false, None, ROWS, now).await?)
    }

    /// The trips of a week: all orders of a site that are to be done in it, on one day; what the
    /// shop does itself, and what is done from afar, is a trip of its own. What stands nowhere is
    /// worked on in the company's store.
    pub(super) async fn work(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<(), Error> {
        let zone = self.fleet.zone;
        let (first, last) = (local_date(zone, from), local_date(zone, to));
        let mut trips: BTreeMap<(usize, Way), Vec<(WorkOrder, Intent)>> = BTreeMap::new();
        let places: HashMap<SiteId, usize> = self.sites.iter().enumerate().map(|(n, id)| (*id, n)).collect();
        for order in self.open_orders(to + TimeDelta::days(400), to).await? {
            let Some(intent) = self.intents.get(&order.id).filter(|i| i.on > first && i.on <= last) else { continue };
            let site = order.site_id.and_then(|id| places.get(&id)).copied().unwrap_or(self.depot());
            trips.entry((site, Way::of(order.channel))).or_default().push((order, *intent));
        }
        let mut by_day: BTreeMap<NaiveDate, Vec<LogVisit>> = BTreeMap::new();
        for ((site, way), work) in trips {
            let earliest = work.iter().map(|(_, i)| i.on).min().unwrap_or(last);
            let opens = work.iter().map(|(o, _)| local_date(zone, o.window_start)).max().unwrap_or(earliest);
            // Never before the band of the last order: the order would stay open.
            let day = earliest.max(opens).min(last);
            // The day's log is written at 18:30; a day that has not come so far waits.
            if self.local(day, 18, 30) > to {
                for (order, intent) in work {
                    self.intents.insert(order.id, Intent { on: last + TimeDelta::days(1), ..intent });
                }
                continue;
            }
            let visit = self.trip(site, day, way, &work);
            for (order, _) in &work {
                // What was not done is shared out again.
                self.intents.remove(&order.id);
            }
            by_day.entry(day).or_default().push(visit);
        }
        for (day, visits) in by_day {
            self.log(visits, self.local(day, 18, 30)).await?;
        }
        Ok(())
    }

    fn trip(&mut self, site: usize, day: NaiveDate, way: Way, work: &[(WorkOrder, Intent)]) -> LogVisit {
        let (hour, minute) = (self.rng.random_range(9..15), self.rng.random_range(0..60));
        let begun = self.local(day, hour, minute);
        let mut by_subject: BTreeMap<Option<DeviceId>, (Vec<&WorkOrder>, VisitLineOutcome)> = BTreeMap::new();
        for (order, intent) in work {
            let of_subject = by_subject.entry(order.device_id).or_insert((vec![], intent.outcome));
            of_subject.0.push(order);
        }
        let latest = begun + TimeDelta::hours(3);
        let mut at = begun;
        let mut lines = Vec::new();
        for (device, (orders, outcome)) in by_subject {
            at = (at + TimeDelta::minutes(6)).min(latest);
            let mut line = self.line(device, at, outcome);
            line.work_order_ids = orders.iter().map(|o| o.id).collect::<Vec<WorkOrderId>>();
            if outcome == VisitLineOutcome::Done {
                line.failure = orders.iter().find_map(|order| self.failure_after(order, at));
                for order in orders {
                    line.step_results.extend(self.answered(order, at));
                }
            }
            lines.push(line);
        }
        let mut visit = self.visit(site, begun, lines);
        visit.ended_at = Some(at + TimeDelta::minutes(10));
        visit.notes = self.notes(way);
        visit
    }

    /// The answers on an order that was done: of the last weeks, and wherever something hangs on them.
    fn answered(&self, order: &WorkOrder, at: DateTime<Utc>) -> Vec<StepResult> {
        let place = order.device_id.and_then(|id| self.by_id.get(&id)).copied();
        let device = place.map(|place| &self.fleet.devices[place]);
        // Nothing can be read off a terminal that is not heard of.
        let day = local_date(self.fleet.zone, at);
        let is_silent =
            device.is_some_and(|d| d.oddities.is_never_read || d.oddities.silent_from.is_some_and(|s| s <= day));
        let is_inspection = order.kind == MaintenanceKind::PreInstallation;
        if is_inspection || (!is_silent && at >= self.fleet.now - ANSWERED) {
            return self.answers(place, order, at);
        }
        vec![]
    }

    /// A line that says when and how it ended, with what technicians write of it.
    pub(super) fn line(
        &mut self,
        device: Option<DeviceId>,
        performed_at: DateTime<Utc>,
        outcome: VisitLineOutcome,
    ) -> LogLine {
        let texts = self.p.visits.outcome_texts.get(outcome.as_str()).map(Vec::as_slice).unwrap_or_default();
        let findings = (!texts.is_empty()).then(|| texts[self.rng.random_range(0..texts.len())].clone());
        LogLine { device: device.map(DeviceRef::Id), findings, ..LogLine::new(performed_at, outcome) }
    }

    pub(super) fn visit(&self, site: usize, started_at: DateTime<Utc>, lines: Vec<LogLine>) -> LogVisit {
        LogVisit {
            site_id: self.sites[site],
            technician_id: self.technician(site),
            started_at,
            ended_at: None,
            notes: None,
            lines,
        }
    }

    /// What is noted on work that no technician did at the site.
    pub(super) fn notes(&self, way: Way) -> Option<String> {
        match way {
            Way::Field => None,
            Way::Own => Some(self.p.visits.own_notes.clone()),
            Way::Remote => Some(self.p.visits.remote_notes.clone()),
        }
    }

    /// A technician of the site's region; the same one for the same site.
    pub(super) fn technician(&self, site: usize) -> TechnicianId {
        let region = self.fleet.sites.get(site).map_or(&self.p.depot.region_code, |s| &s.region_code);
        let local: Vec<TechnicianId> = self
            .technicians
            .iter()
            .filter(|(_, t)| t.region_codes.iter().any(|code| region.starts_with(code.as_str())))
            .map(|(id, _)| *id)
            .collect();
        let among: Vec<TechnicianId> =
            if local.is_empty() { self.technicians.iter().map(|(id, _)| *id).collect() } else { local };
        among[site % among.len()]
    }

    pub(super) async fn log(&mut self, visits: Vec<LogVisit>, at: DateTime<Utc>) -> Result<(), Error> {
        self.told.visits += visits.len();
        self.rooms.visits.log_visits_bulk(&(self.rooms.call)(at), visits).await?;
        Ok(())
    }
}
