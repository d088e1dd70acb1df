//! What breaks and is repaired, and the work that the odd cases tell of.

use super::answers::failed;
use super::work::Way;
use super::{MONTH, Story};
use crate::catalogue::model::ComponentKind;
use crate::kernel::calendar::{local_date, local_to_instant};
use crate::kernel::ids::{PlanId, WorkOrderId};
use crate::planning::model::{MaintenanceKind, Priority};
use crate::planning::service::CreateOrder;
use crate::registry::model::DeviceRef;
use crate::seeding::Error;
use crate::seeding::demo::cases::{FailedStep, ReplacedPart, odd_serials};
use crate::seeding::demo::fleet::{Stay, Watch, fill, pick_by};
use crate::seeding::demo::parameters::{Repairs, Scenario, wrong};
use crate::visits::model::{LogLine, LogVisit, PartReplaced, StepResult, VisitLineOutcome};
use chrono::{DateTime, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use rand::RngExt;
use std::collections::BTreeMap;

/// How long after a repair it is logged.
const LOGGED: TimeDelta = TimeDelta::hours(2);
/// How long nobody notices a failure.
const UNNOTICED: TimeDelta = TimeDelta::minutes(40);
/// Devices tried for a failure, until one has what it needs.
const TRIES: usize = 30;
/// Days a repair may take and still be on time.
const REPAIR_DAYS: u32 = 2;
/// Minutes expected of one.
const REPAIR_MINUTES: u32 = 40;

/// A failure of a device, with when it was noticed and when it worked again.
struct Breakdown<'a> {
    device: usize,
    site: usize,
    scenario: &'a Scenario,
    failed_at: DateTime<Utc>,
    detected_at: DateTime<Utc>,
    restored_at: DateTime<Utc>,
}

impl<'a> Story<'a> {
    // ---- failures ----

    /// What breaks in a stretch of time. Since tillkeep plans, each repair has an order; some take a
    /// second visit, and what broke last is not mended yet.
    pub(super) async fn repairs(
        &mut self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        is_planned: bool,
    ) -> Result<(), Error> {
        let repairs = &self.p.repairs;
        let months = (to - from).num_hours() as f64 / MONTH.num_hours() as f64;
        let of_fleet = self.fleet.devices.len() as f64 / self.p.defaults.devices as f64;
        let wanted = (repairs.per_month as f64 * months * of_fleet).round() as usize;
        let mut of_old = Vec::new();
        for n in 0..wanted {
            let Some(breakdown) = self.breakdown(from, to)? else { continue };
            if !is_planned {
                of_old.push(self.mended(&breakdown, None)?);
                continue;
            }
            let order = self.order(&breakdown).await?;
            // Of the last days, one in two waits for its technician.
            if to == self.fleet.now && n % 2 == 1 {
                continue;
            }
            self.attempt(&breakdown, order, repairs).await?;
            let visit = self.mended(&breakdown, Some(order))?;
            self.log(vec![visit], breakdown.restored_at + LOGGED).await?;
        }
        self.log(of_old, to).await
    }

    /// A device that breaks and works again within a stretch of time; none where none was found.
    fn breakdown(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Option<Breakdown<'a>>, Error> {
        let (fleet, scenarios) = (self.fleet, &self.p.repairs.scenarios);
        let odd = odd_serials(&self.p.odd_cases);
        let (_, scenario) = pick_by(&mut self.rng, scenarios, |s| s.share)?;
        let [least, most] = scenario.hours;
        let takes = TimeDelta::minutes(self.rng.random_range(least * 60..=most * 60));
        let latest = to - takes - UNNOTICED - LOGGED;
        let minutes = (latest - from).num_minutes();
        if minutes <= 0 {
            return Ok(None);
        }
        let begun = from + TimeDelta::minutes(self.rng.random_range(0..minutes));
        // Within working hours, when somebody tries to pay.
        let day = local_date(fleet.zone, begun);
        let (hour, minute) = (self.rng.random_range(9..19), self.rng.random_range(0..60));
        let failed_at = self.local(day, hour, minute).clamp(from, latest);
        let (detected_at, restored_at) = (failed_at + UNNOTICED, failed_at + UNNOTICED + takes);
        for _ in 0..TRIES {
            let stay = &fleet.stays[self.rng.random_range(0..fleet.stays.len())];
            let stands = stay.from < failed_at - TimeDelta::days(1)
                && stay.to.is_none_or(|end| restored_at + TimeDelta::days(1) < end);
            let device = &fleet.devices[stay.device];
            if !stands || odd.contains(&device.serial_number) || fleet.outage.contains(&stay.device) {
                continue;
            }
            let model = self.model_of(stay.device)?;
            if scenario.part.is_some_and(|part| !model.field_parts.contains(&part)) {
                continue;
            }
            let site = fleet.positions[stay.position].site;
            return Ok(Some(Breakdown { device: stay.device, site, scenario, failed_at, detected_at, restored_at }));
        }
        Ok(None)
    }

    /// The order for a repair, as the desk issues it when the merchant calls.
    async fn order(&self, breakdown: &Breakdown<'_>) -> Result<WorkOrderId, Error> {
        let at = breakdown.detected_at;
        let new = CreateOrder {
            device_id: Some(self.device(breakdown.device)?),
            site_id: None,
            kind: MaintenanceKind::Corrective,
            channel: breakdown.scenario.channel,
            priority: Priority::High,
            due_at: at + TimeDelta::days(1),
            early_days: 1,
            late_days: REPAIR_DAYS,
            estimated_minutes: REPAIR_MINUTES,
            steps: vec![],
        };
        let changed = self.rooms.planning.create_order(&(self.rooms.call)(at), new).await?;
        changed.work_order_id.ok_or_else(|| wrong("a repair has no order"))
    }

    /// A visit that did not mend it yet, for some.
    async fn attempt(&mut self, breakdown: &Breakdown<'_>, order: WorkOrderId, repairs: &Repairs) -> Result<(), Error> {
        let luck: f64 = self.rng.random();
        let outcome = if luck < repairs.no_access_share {
            VisitLineOutcome::NoAccess
        } else if luck < repairs.no_access_share + repairs.second_visit_share {
            VisitLineOutcome::PartlyDone
        } else {
            return Ok(());
        };
        let at = breakdown.detected_at + (breakdown.restored_at - breakdown.detected_at) / 2;
        let device = self.device(breakdown.device)?;
        let line = LogLine { work_order_ids: vec![order], ..self.line(Some(device), at, outcome) };
        let mut visit = self.visit(breakdown.site, at, vec![line]);
        visit.notes = self.notes(Way::of(breakdown.scenario.channel));
        self.log(vec![visit], at + TimeDelta::minutes(30)).await
    }

    /// The visit that mended it.
    fn mended(&mut self, breakdown: &Breakdown<'_>, order: Option<WorkOrderId>) -> Result<LogVisit, Error> {
        let at = breakdown.restored_at;
        let device = self.device(breakdown.device)?;
        let part = breakdown.scenario.part;
        let parts_replaced = part.map(|kind| self.new_part(kind.as_str(), local_date(self.fleet.zone, at), kind));
        let codes = &breakdown.scenario.codes;
        let line = LogLine {
            work_order_ids: order.into_iter().collect(),
            parts_replaced: parts_replaced.into_iter().collect(),
            failure: Some(failed(codes, breakdown.failed_at, Some(breakdown.detected_at), Some(at))),
            ..self.line(Some(device), at, VisitLineOutcome::Done)
        };
        let mut visit = self.visit(breakdown.site, at - TimeDelta::minutes(25), vec![line]);
        visit.ended_at = Some(at + TimeDelta::minutes(5));
        visit.notes = self.notes(Way::of(breakdown.scenario.channel));
        Ok(visit)
    }

    /// A new part with its serial number and warranty.
    fn new_part(&mut self, name: &str, on: NaiveDate, component_kind: ComponentKind) -> PartReplaced {
        self.new_parts += 1;
        let (repairs, sequence) = (&self.p.repairs, format!("{:05}", self.new_parts));
        let values = [("kind", name), ("sequence5", sequence.as_str())];
        PartReplaced {
            component_kind,
            old_serial_number: None,
            new_serial_number: Some(fill(&repairs.part_serial, &values)),
            warranty_ends_on: on.checked_add_months(Months::new(repairs.warranty_months)),
            part_number: None,
        }
    }

    // ---- what the odd cases tell ----

    /// The work on odd cases, and what was logged of the day without the host.
    pub(super) async fn told_work(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<(), Error> {
        let fleet = self.fleet;
        let is_now = |at: DateTime<Utc>| from < at && at <= to;
        let mut visits: BTreeMap<DateTime<Utc>, Vec<LogVisit>> = BTreeMap::new();
        for watch in &fleet.watches {
            let (hour, minute) = (9 + (watch.device % 7) as u32, (watch.device % 53) as u32);
            let at_day = |story: &Self, days: i64| story.local(story.day_ago(days), hour, minute);
            for days in &watch.case.serviced_days_ago {
                let at = at_day(self, *days);
                if is_now(at) {
                    visits.entry(at).or_default().push(self.serviced(watch, at)?);
                }
            }
            if let Some(part) = &watch.case.replaced {
                let at = at_day(self, part.days_ago);
                if is_now(at) {
                    visits.entry(at).or_default().push(self.replaced(watch, part, at)?);
                }
            }
            if let Some(step) = &watch.case.failed_step {
                let at = at_day(self, step.days_ago);
                if is_now(at) {
                    visits.entry(at).or_default().push(self.failed_step(watch, step, at)?);
                }
            }
        }
        let restored_at = self.time_of_outage(&self.p.usage.outage.ends)?;
        if is_now(restored_at) {
            visits.entry(restored_at).or_default().extend(self.outage(restored_at)?);
        }
        for (at, visits) in visits {
            self.log(visits, (at + LOGGED).min(to)).await?;
        }
        Ok(())
    }

    fn plan_ids(&self, codes: &[String]) -> Vec<PlanId> {
        codes.iter().filter_map(|code| self.plan(code)).map(|p| p.id).collect()
    }

    /// The answers to the steps of plans on a device.
    fn answers_of_plans(&self, place: usize, codes: &[String], at: DateTime<Utc>) -> Vec<StepResult> {
        let mut found = Vec::new();
        for plan in codes.iter().filter_map(|code| self.plan(code)) {
            for answer in self.all_well(Some(place), &plan.definition.steps, at) {
                found.push(StepResult { plan_id: Some(plan.id), ..answer });
            }
        }
        found
    }

    /// A visit on which a story's plans were done.
    fn serviced(&mut self, watch: &Watch, at: DateTime<Utc>) -> Result<LogVisit, Error> {
        let device = self.device(watch.device)?;
        let line = LogLine {
            plan_ids: self.plan_ids(&watch.case.plans),
            ..self.line(Some(device), at, VisitLineOutcome::Done)
        };
        Ok(self.visit(self.fleet.positions[watch.position].site, at, vec![line]))
    }

    /// A visit on which a part was replaced, which answers the story's plans.
    fn replaced(&mut self, watch: &Watch, part: &ReplacedPart, at: DateTime<Utc>) -> Result<LogVisit, Error> {
        let device = self.device(watch.device)?;
        let scenario = self.p.repairs.scenarios.iter().find(|s| s.codes.failure_code == part.failure_code);
        let scenario = scenario.ok_or_else(|| wrong(format!("no repair mends {}", part.failure_code)))?;
        let on = local_date(self.fleet.zone, at);
        let replaced = PartReplaced {
            component_kind: part.component_kind,
            old_serial_number: Some(part.old_serial_number.clone()),
            new_serial_number: Some(part.new_serial_number.clone()),
            warranty_ends_on: on.checked_add_months(Months::new(self.p.repairs.warranty_months)),
            part_number: None,
        };
        let failed_at = at - TimeDelta::days(1);
        let line = LogLine {
            plan_ids: self.plan_ids(&watch.case.plans),
            parts_replaced: vec![replaced],
            failure: Some(failed(&scenario.codes, failed_at, Some(failed_at + UNNOTICED), Some(at))),
            ..self.line(Some(device), at, VisitLineOutcome::Done)
        };
        Ok(self.visit(self.fleet.positions[watch.position].site, at, vec![line]))
    }

    /// A visit on which one step failed and all others were well.
    fn failed_step(&mut self, watch: &Watch, step: &FailedStep, at: DateTime<Utc>) -> Result<LogVisit, Error> {
        let device = self.device(watch.device)?;
        let codes = [step.plan.clone()];
        let mut step_results = self.answers_of_plans(watch.device, &codes, at);
        for answer in step_results.iter_mut().filter(|a| a.step == step.step) {
            answer.number = Some(step.number);
        }
        let line = LogLine {
            plan_ids: self.plan_ids(&codes),
            step_results,
            ..self.line(Some(device), at, VisitLineOutcome::Done)
        };
        Ok(self.visit(self.fleet.positions[watch.position].site, at, vec![line]))
    }

    // ---- the day without the host ----

    fn time_of_outage(&self, text: &str) -> Result<DateTime<Utc>, Error> {
        let time = NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| wrong("usage.outage: a time is no time"))?;
        Ok(local_to_instant(self.fleet.zone, self.day_ago(self.p.usage.outage.days_ago).and_time(time)))
    }

    /// What the desk wrote down when the host answered again: a failure of each terminal, mended at
    /// one moment, and nobody sent.
    fn outage(&self, restored_at: DateTime<Utc>) -> Result<Vec<LogVisit>, Error> {
        let outage = &self.p.usage.outage;
        let failed_at = self.time_of_outage(&outage.begins)?;
        let mut by_site: BTreeMap<usize, Vec<LogLine>> = BTreeMap::new();
        for device in &self.fleet.outage {
            let is_there =
                |s: &&Stay| s.device == *device && s.from < failed_at && s.to.is_none_or(|end| restored_at < end);
            let Some(stay) = self.fleet.stays.iter().find(is_there) else { continue };
            let line = LogLine {
                failure: Some(failed(&outage.failure, failed_at, Some(failed_at + UNNOTICED), Some(restored_at))),
                ..LogLine::new(restored_at, VisitLineOutcome::Done)
            };
            let id = self.device(*device)?;
            let line = LogLine { device: Some(DeviceRef::Id(id)), ..line };
            by_site.entry(self.fleet.positions[stay.position].site).or_default().push(line);
        }
        let mut visits = Vec::with_capacity(by_site.len());
        for (site, lines) in by_site {
            let mut visit = self.visit(site, restored_at, lines);
            visit.notes = Some(outage.notes.clone());
            visits.push(visit);
        }
        Ok(visits)
    }
}
