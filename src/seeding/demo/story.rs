//! Plays the fleet's history, week by week, through the services a caller reaches: what is done to
//! devices, what they report, what the planner issues, and what technicians do about it.

use super::fleet::{Act, Fleet};
use super::parameters::{Parameters, TechnicianSeed, wrong};
use super::usage::FleetReading;
use crate::kernel::calendar::{Period, local_date, local_to_instant};
use crate::kernel::call::IdempotencyClaim;
use crate::kernel::ids::{DeviceId, DeviceModelId, MerchantId, PlanId, PositionId, SiteId, TechnicianId, WorkOrderId};
use crate::kernel::scope::Scope;
use crate::kernel::subject::SubjectKind;
use crate::planning::model::{
    ExecutionChannel, MaintenanceKind, MaintenancePlan, StepKind, TaskStep, Trigger, WorkOrder, WorkOrderFilter,
    WorkOrderOrderField, WorkOrderState,
};
use crate::planning::service::{
    ChangeState, OccurrenceRef, PlanUpdate, PostponeOccurrence, ScheduleOrder, SkipOccurrence,
};
use crate::registry::file::sha256_hex;
use crate::registry::model::{DeviceRef, OpeningHours};
use crate::registry::rules;
use crate::registry::service::{
    ChangeStatus, InstallDevice, NewMerchant, NewPosition, NewSite, NewTechnician, RegisterDevice, RelocateDevice,
    SwapDevice,
};
use crate::seeding::{Error, Rooms};
use crate::usage::service::{MAX_READINGS, ReadingInput};
use crate::visits::model::{LogLine, LogVisit, StepResult, VisitLineOutcome};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, HashMap};

/// Days a technician looks ahead when orders are shared out.
const AHEAD: TimeDelta = TimeDelta::days(14);
/// How long before now tillkeep took over the planning; what was done before was logged later.
const PLANNED: TimeDelta = TimeDelta::days(56);
const WEEK: TimeDelta = TimeDelta::days(7);
const MONTH: TimeDelta = TimeDelta::days(30);
/// How long after a visit it is logged at the earliest.
const OVERNIGHT: TimeDelta = TimeDelta::hours(10);
/// The note on work that a shop did itself.
const OWN_WORK: &str = "商户自行完成，电话确认";
/// Orders read at a time.
const ORDERS: u64 = 20_000;
/// Orders with a date and a technician when the demo begins.
const SCHEDULED: usize = 40;

/// What the story made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// Devices registered.
    pub devices: usize,
    /// Readings taken in.
    pub readings: usize,
    /// Visits logged.
    pub visits: usize,
}

/// When and how an order will be done.
#[derive(Clone, Copy)]
struct Intent {
    on: NaiveDate,
    outcome: VisitLineOutcome,
}

/// A visit before tillkeep planned.
struct OldTrip {
    site: usize,
    begun: DateTime<Utc>,
    is_own: bool,
    /// Device, plans whose work was done, and when.
    lines: Vec<(usize, Vec<PlanId>, DateTime<Utc>)>,
}

/// Everything the story has made so far.
pub struct Story<'a> {
    rooms: Rooms<'a>,
    p: &'a Parameters,
    fleet: &'a Fleet,
    models: HashMap<String, (DeviceModelId, String)>,
    rng: StdRng,
    sites: Vec<SiteId>,
    positions: Vec<PositionId>,
    devices: HashMap<usize, DeviceId>,
    technicians: Vec<(TechnicianId, &'a TechnicianSeed)>,
    intents: HashMap<WorkOrderId, Intent>,
    told: Told,
}

impl<'a> Story<'a> {
    /// A story about a fleet; `models` are the ids and makers by model code.
    pub fn new(
        rooms: Rooms<'a>,
        p: &'a Parameters,
        fleet: &'a Fleet,
        models: HashMap<String, (DeviceModelId, String)>,
        seed: u64,
    ) -> Self {
        Self {
            rooms,
            p,
            fleet,
            models,
            rng: StdRng::seed_from_u64(seed ^ 0x5eed),
            sites: vec![],
            positions: vec![],
            devices: HashMap::new(),
            technicians: vec![],
            intents: HashMap::new(),
            told: Told::default(),
        }
    }

    /// Tells it all, up to now.
    ///
    /// # Errors
    /// Storage; something the rooms refuse, which is a fault of ours.
    pub async fn tell(mut self, readings: Vec<FleetReading>, progress: bool) -> Result<Told, Error> {
        let (start, now) = (self.fleet.start, self.fleet.now);
        let planned = (now - PLANNED).max(start);
        self.places(start).await?;
        self.register(None, start).await?;
        self.acts(None, start).await?;
        let bar = if progress { ProgressBar::new((now - start).num_days() as u64) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} day {pos}/{len}") {
            bar.set_style(style);
        }
        bar.set_message("making fourteen months of history");
        let mut readings = self.with_delays(readings).into_iter().peekable();
        let mut past = self.work_of_old(planned).await?.into_iter().peekable();
        self.switch_plans(start, false).await?;
        let mut from = start;
        while from < now {
            let is_planned = from >= planned;
            let step = if is_planned { WEEK } else { MONTH.min(planned - from) };
            let to = (from + step).min(now);
            self.register(Some(from), to).await?;
            self.acts(Some(from), to).await?;
            let mut arrived = Vec::new();
            while let Some((_, reading)) = readings.next_if(|(at, _)| *at <= to) {
                arrived.push(reading);
            }
            self.read(arrived, to).await?;
            if is_planned {
                self.work(from, to).await?;
                self.late_visit(from, to).await?;
            } else {
                let mut done = Vec::new();
                while let Some(trip) = past.next_if(|t| t.begun + OVERNIGHT <= to) {
                    let mut lines = Vec::with_capacity(trip.lines.len());
                    for (device, plans, at) in trip.lines {
                        let id = self.device(device)?;
                        lines.push(self.line(Some(id), vec![], plans, at, VisitLineOutcome::Done));
                    }
                    let mut visit = self.visit(trip.site, trip.begun, lines);
                    visit.notes = trip.is_own.then(|| OWN_WORK.to_owned());
                    done.push(visit);
                }
                self.log(done, to).await?;
                if to >= planned {
                    self.switch_plans(to, true).await?;
                }
            }
            if to >= planned {
                self.rooms.planning.run(&(self.rooms.call)(to), false).await?;
                self.share_out(to).await?;
            }
            bar.inc((to - from).num_days() as u64);
            from = to;
        }
        self.planners_desk(now).await?;
        bar.finish_and_clear();
        Ok(self.told)
    }

    fn scope(&self) -> Scope {
        (self.rooms.call)(self.fleet.start).scope
    }

    fn local(&self, day: NaiveDate, hour: u32, minute: u32) -> DateTime<Utc> {
        let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or(NaiveTime::MIN);
        local_to_instant(self.fleet.zone, day.and_time(time))
    }

    // ---- the beginning ----

    /// Merchants, sites, positions and technicians.
    async fn places(&mut self, at: DateTime<Utc>) -> Result<(), Error> {
        let call = (self.rooms.call)(at);
        let new: Vec<NewMerchant> = self
            .fleet
            .merchants
            .iter()
            .map(|m| NewMerchant { name: m.name.clone(), merchant_number: Some(m.merchant_number.clone()) })
            .collect();
        let mut merchants: Vec<MerchantId> = Vec::new();
        for made in self.rooms.registry.create_merchants(&call, &new).await? {
            merchants.push(made?.id);
        }
        let new: Vec<NewSite> = self.fleet.sites.iter().map(|s| self.new_site(s, merchants[s.merchant])).collect();
        for made in self.rooms.registry.create_sites(&call, &new).await? {
            self.sites.push(made?.id);
        }
        let new: Vec<NewPosition> = self
            .fleet
            .positions
            .iter()
            .map(|p| NewPosition {
                site_id: self.sites[p.site],
                name: p.name.clone(),
                terminal_number: Some(p.terminal_number.clone()),
            })
            .collect();
        for made in self.rooms.registry.import_positions(&call, &new).await? {
            self.positions.push(made?.id);
        }
        for t in &self.p.technicians {
            let new = NewTechnician {
                name: t.name.clone(),
                employee_number: Some(t.employee_number.clone()),
                phone: Some(t.phone.clone()),
                region_codes: t.region_codes.clone(),
                weekly_hours: Some(t.weekly_hours),
            };
            self.technicians.push((self.rooms.registry.create_technician(&call, new).await?.id, t));
        }
        Ok(())
    }

    fn new_site(&self, site: &super::fleet::SitePlan, merchant_id: MerchantId) -> NewSite {
        let kind = &self.p.kinds[site.kind];
        let opening_hours = (1..=7_u8)
            .filter(|day| !kind.closed_weekdays.contains(day))
            .map(|weekday| OpeningHours { weekday, opens: kind.opens.clone(), closes: kind.closes.clone() })
            .collect();
        let is_hypermarket = site.name == self.p.hypermarket.site;
        NewSite {
            merchant_id,
            name: site.name.clone(),
            address: Some(site.address.clone()),
            region_code: Some(site.region_code.clone()),
            latitude: Some(site.latitude),
            longitude: Some(site.longitude),
            coordinate_system: Some(self.p.coordinate_system),
            time_zone: self.p.organization.time_zone.clone(),
            opening_hours,
            closed_days: vec![],
            observes_holidays: kind.observes_holidays,
            country: Some(self.p.country.clone()),
            environment: Some(if is_hypermarket { self.p.hypermarket.environment } else { kind.environment }),
            contact: None,
        }
    }

    /// Devices registered after `from`, or all up to `to` when there is none.
    async fn register(&mut self, from: Option<DateTime<Utc>>, to: DateTime<Utc>) -> Result<(), Error> {
        let mut by_time: BTreeMap<DateTime<Utc>, Vec<usize>> = BTreeMap::new();
        for (place, device) in self.fleet.devices.iter().enumerate() {
            if device.registered_at <= to && from.is_none_or(|from| device.registered_at > from) {
                by_time.entry(device.registered_at).or_default().push(place);
            }
        }
        for (at, places) in by_time {
            let mut new = Vec::with_capacity(places.len());
            for place in &places {
                let device = &self.fleet.devices[*place];
                let (model_id, manufacturer) = self
                    .models
                    .get(&device.model)
                    .cloned()
                    .ok_or_else(|| wrong(format!("the model {} is not seeded", device.model)))?;
                new.push(RegisterDevice {
                    manufacturer,
                    model_id,
                    serial_number: device.serial_number.clone(),
                    asset_tag: Some(device.asset_tag.clone()),
                    status: None,
                    firmware_version: Some(device.firmware.clone()),
                    external_ids: vec![],
                });
            }
            let rows = self.rooms.registry.register_devices(&(self.rooms.call)(at), &new).await?;
            for (place, row) in places.into_iter().zip(rows) {
                self.devices.insert(place, row?.device_id);
                self.told.devices += 1;
            }
        }
        Ok(())
    }

    fn device(&self, place: usize) -> Result<DeviceId, Error> {
        self.devices.get(&place).copied().ok_or_else(|| wrong("a device acts before it is registered"))
    }

    /// What is done to devices after `from`, or all up to `to` when there is none.
    async fn acts(&mut self, from: Option<DateTime<Utc>>, to: DateTime<Utc>) -> Result<(), Error> {
        let fleet = self.fleet;
        let mut installs = Vec::new();
        for (at, act) in fleet.acts.iter().filter(|(at, _)| *at <= to && from.is_none_or(|from| *at > from)) {
            let call = (self.rooms.call)(*at);
            let registry = self.rooms.registry;
            match act {
                Act::Install { device, position, is_in_service } => {
                    let installed_at = fleet
                        .stays
                        .iter()
                        .find(|s| s.device == *device && s.position == *position)
                        .map_or(*at, |s| s.from);
                    let install = InstallDevice {
                        device_id: self.device(*device)?,
                        position_id: self.positions[*position],
                        installed_at,
                        expected_version: None,
                        is_in_service: *is_in_service,
                    };
                    if from.is_none() {
                        installs.push(install);
                    } else {
                        if *is_in_service {
                            self.inspect(*at, *device).await?;
                        }
                        registry.install_device(&call, install).await?;
                    }
                }
                Act::Swap { old, new, reason, old_status } => {
                    self.inspect(*at, *new).await?;
                    let swap = SwapDevice {
                        old_device_id: self.device(*old)?,
                        new_device_id: self.device(*new)?,
                        swapped_at: *at,
                        reason: reason.clone(),
                        old_device_status: *old_status,
                    };
                    registry.swap_device(&call, swap).await?;
                }
                Act::Relocate { device, position } => {
                    let relocate = RelocateDevice {
                        device_id: self.device(*device)?,
                        position_id: self.positions[*position],
                        relocated_at: *at,
                        reason: Some("移机".to_owned()),
                        expected_version: None,
                    };
                    registry.relocate_device(&call, relocate).await?;
                }
                Act::Become { device, status, reason } => {
                    if rules::needs_inspection(*status) {
                        self.inspect(*at, *device).await?;
                    }
                    let change = ChangeStatus {
                        device_id: self.device(*device)?,
                        status: *status,
                        changed_at: Some(*at),
                        reason: reason.clone(),
                        expected_version: None,
                    };
                    registry.change_status(&call, change).await?;
                }
            }
        }
        for outcome in self.rooms.registry.install_devices(&(self.rooms.call)(to), &installs).await? {
            outcome?;
        }
        Ok(())
    }

    /// What goes into service is inspected the hour before, where a plan asks for it.
    async fn inspect(&self, at: DateTime<Utc>, place: usize) -> Result<(), Error> {
        let kinds = [MaintenanceKind::PreInstallation];
        let plans = self.rooms.planning.plans_page(&self.scope(), None, Some(&kinds), Some(true), 1).await?;
        let Some(plan) = plans.first() else { return Ok(()) };
        let serial = &self.fleet.devices[place].serial_number;
        let performed_at = at - TimeDelta::hours(1);
        let steps = plan.definition.steps.iter().zip(1..);
        let line = LogLine {
            device: Some(DeviceRef::Id(self.device(place)?)),
            plan_ids: vec![plan.id],
            step_results: steps.filter(|(s, _)| s.is_required).map(|(s, n)| all_well(s, n, serial)).collect(),
            ..LogLine::new(performed_at, VisitLineOutcome::Done)
        };
        let visit = self.visit(0, performed_at, vec![line]);
        self.rooms.visits.log_visit(&(self.rooms.call)(at), visit).await?;
        Ok(())
    }

    /// Switches every plan off or on: while they are off, work is logged and nothing is due.
    async fn switch_plans(&self, at: DateTime<Utc>, is_active: bool) -> Result<(), Error> {
        for plan in self.rooms.planning.plans_page(&self.scope(), None, None, None, ORDERS).await? {
            let update = PlanUpdate {
                plan_id: plan.id,
                expected_version: None,
                definition: None,
                triggers: None,
                is_active: Some(is_active),
            };
            self.rooms.planning.update_plan(&(self.rooms.call)(at), update).await?;
        }
        Ok(())
    }

    /// The visits of the time before tillkeep planned: what technicians did by their old calendar,
    /// each device at its own pace, a site's work of one week on one day. By date.
    async fn work_of_old(&mut self, until: DateTime<Utc>) -> Result<Vec<OldTrip>, Error> {
        let (zone, fleet) = (self.fleet.zone, self.fleet);
        let plans = self.rooms.planning.plans_page(&self.scope(), None, None, Some(true), ORDERS).await?;
        // Site, week, whether the shop does it itself → device → plans.
        let mut trips: BTreeMap<(i64, usize, bool), BTreeMap<usize, Vec<PlanId>>> = BTreeMap::new();
        for stay in &fleet.stays {
            let position = &fleet.positions[stay.position];
            let (begin, end) = (stay.from.max(fleet.start - MONTH * 6), stay.to.unwrap_or(until).min(until));
            for plan in plans.iter().filter(|p| p.definition.selector.everything) {
                let Some(cycle) = cycle_days(plan, position.level, begin) else { continue };
                let is_own = plan.definition.channel == ExecutionChannel::Merchant;
                let mut days = self.rng.random_range(0.0..1.0) * cycle;
                while begin + TimeDelta::days(days as i64) < end {
                    let day = (begin + TimeDelta::days(days as i64) - DateTime::UNIX_EPOCH).num_days();
                    // What shops do themselves was written down by nobody; the last time is asked for.
                    let is_known = !is_own || (end - begin).num_days() as f64 - days < cycle;
                    let is_before = begin + TimeDelta::days(days as i64) < fleet.start;
                    if is_known && !is_before {
                        let of_trip = trips.entry((day / 7, position.site, is_own)).or_default();
                        of_trip.entry(stay.device).or_default().push(plan.id);
                    }
                    days += cycle.max(5.0) * self.rng.random_range(0.85..1.15);
                }
            }
        }
        let mut trips_of_old = Vec::with_capacity(trips.len());
        for ((week, site, is_own), devices) in trips {
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
            trips_of_old.push(OldTrip { site, begun, is_own, lines });
        }
        trips_of_old.sort_by_key(|t| t.begun);
        Ok(trips_of_old)
    }

    // ---- week by week ----

    /// Readings with the moment they arrive: a few come weeks late, a few twice.
    fn with_delays(&mut self, readings: Vec<FleetReading>) -> Vec<(DateTime<Utc>, FleetReading)> {
        let anomalies = &self.p.usage.anomalies;
        let every = (readings.len() / (anomalies.late_readings + anomalies.duplicate_readings + 2)).max(1);
        let mut arriving = Vec::with_capacity(readings.len());
        for (place, reading) in readings.into_iter().enumerate() {
            let odd = (place > 0 && place.is_multiple_of(every)).then_some(place / every);
            let mut at = reading.read_at;
            match odd {
                Some(n) if n <= anomalies.late_readings => at += TimeDelta::days(20),
                Some(n) if n <= anomalies.late_readings + anomalies.duplicate_readings => {
                    arriving.push((at + TimeDelta::days(8), reading.clone()));
                }
                _ => {}
            }
            arriving.push((at, reading));
        }
        arriving.sort_by_key(|(at, _)| *at);
        arriving
    }

    async fn read(&mut self, readings: Vec<FleetReading>, at: DateTime<Utc>) -> Result<(), Error> {
        let call = (self.rooms.call)(at);
        for chunk in readings.chunks(MAX_READINGS) {
            let mut inputs = Vec::with_capacity(chunk.len());
            for r in chunk {
                inputs.push(ReadingInput {
                    device: DeviceRef::Id(self.device(r.device)?),
                    meter: r.meter.clone(),
                    value: r.value,
                    read_at: r.read_at,
                });
            }
            self.told.readings += self.rooms.usage.record_readings(&call, &inputs).await?.accepted_count;
        }
        Ok(())
    }

    /// Says when the orders that come up will be done, and how well.
    async fn share_out(&mut self, now: DateTime<Utc>) -> Result<(), Error> {
        let zone = self.fleet.zone;
        let tomorrow = local_date(zone, now) + TimeDelta::days(1);
        for order in self.open_orders(now + AHEAD, now).await? {
            if self.intents.contains_key(&order.id) {
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
            self.intents.insert(order.id, intent);
        }
        Ok(())
    }

    async fn open_orders(&self, due_before: DateTime<Utc>, now: DateTime<Utc>) -> Result<Vec<WorkOrder>, Error> {
        let filter = WorkOrderFilter {
            states: Some(WorkOrderState::OPEN.to_vec()),
            due_before: Some(due_before),
            ..WorkOrderFilter::default()
        };
        let (scope, field) = (self.scope(), WorkOrderOrderField::DueAt);
        Ok(self.rooms.planning.orders_page(&scope, &filter, field, false, None, ORDERS, now).await?)
    }

    /// The trips of a week: all orders of a site that are to be done in it, on one day; what the
    /// shop does itself is a trip of its own.
    async fn work(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<(), Error> {
        let zone = self.fleet.zone;
        let (first, last) = (local_date(zone, from), local_date(zone, to));
        let mut trips: BTreeMap<(usize, bool), Vec<(WorkOrder, Intent)>> = BTreeMap::new();
        let places: HashMap<SiteId, usize> = self.sites.iter().enumerate().map(|(n, id)| (*id, n)).collect();
        for order in self.open_orders(to + TimeDelta::days(400), to).await? {
            let Some(intent) = self.intents.get(&order.id).filter(|i| i.on > first && i.on <= last) else { continue };
            let Some(site) = order.site_id.and_then(|id| places.get(&id)) else { continue };
            let is_own = order.channel == ExecutionChannel::Merchant;
            trips.entry((*site, is_own)).or_default().push((order, *intent));
        }
        let mut by_day: BTreeMap<NaiveDate, Vec<LogVisit>> = BTreeMap::new();
        for ((site, is_own), work) in trips {
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
            let visit = self.trip(site, day, is_own, &work);
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

    fn trip(&mut self, site: usize, day: NaiveDate, is_own: bool, work: &[(WorkOrder, Intent)]) -> LogVisit {
        let (hour, minute) = (self.rng.random_range(9..15), self.rng.random_range(0..60));
        let begun = self.local(day, hour, minute);
        let mut by_subject: BTreeMap<Option<DeviceId>, (Vec<WorkOrderId>, VisitLineOutcome)> = BTreeMap::new();
        for (order, intent) in work {
            let of_subject = by_subject.entry(order.device_id).or_insert((vec![], intent.outcome));
            of_subject.0.push(order.id);
        }
        let mut at = begun;
        let mut lines = Vec::new();
        for (device, (orders, outcome)) in by_subject {
            at += TimeDelta::minutes(6);
            lines.push(self.line(device, orders, vec![], at.min(begun + TimeDelta::hours(3)), outcome));
        }
        let mut visit = self.visit(site, begun, lines);
        visit.ended_at = Some(at.min(begun + TimeDelta::hours(3)) + TimeDelta::minutes(10));
        if is_own {
            visit.notes = Some(OWN_WORK.to_owned());
        }
        visit
    }

    fn line(
        &mut self,
        device: Option<DeviceId>,
        work_order_ids: Vec<WorkOrderId>,
        plan_ids: Vec<PlanId>,
        performed_at: DateTime<Utc>,
        outcome: VisitLineOutcome,
    ) -> LogLine {
        let texts = self.p.visits.outcome_texts.get(outcome.as_str()).map(Vec::as_slice).unwrap_or_default();
        let findings = (!texts.is_empty()).then(|| texts[self.rng.random_range(0..texts.len())].clone());
        LogLine {
            device: device.map(DeviceRef::Id),
            work_order_ids,
            plan_ids,
            performed_at,
            outcome,
            findings,
            step_results: vec![],
            parts_replaced: vec![],
            failure: None,
        }
    }

    fn visit(&self, site: usize, started_at: DateTime<Utc>, lines: Vec<LogLine>) -> LogVisit {
        LogVisit {
            site_id: self.sites[site],
            technician_id: self.technician(site),
            started_at,
            ended_at: None,
            notes: None,
            lines,
        }
    }

    /// A technician of the site's region; the same one for the same site.
    fn technician(&self, site: usize) -> TechnicianId {
        let region = &self.fleet.sites[site].region_code;
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

    async fn log(&mut self, visits: Vec<LogVisit>, at: DateTime<Utc>) -> Result<(), Error> {
        self.told.visits += visits.len();
        self.rooms.visits.log_visits_bulk(&(self.rooms.call)(at), visits).await?;
        Ok(())
    }

    /// The visit that comes five days late, and twice with one key.
    async fn late_visit(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<(), Error> {
        let Some(late) = self.fleet.late_visit.as_ref().filter(|l| l.logged_at > from && l.logged_at <= to) else {
            return Ok(());
        };
        let plans = self.rooms.planning.plans_page(&self.scope(), None, None, Some(true), ORDERS).await?;
        let of_device: Vec<PlanId> = plans
            .iter()
            .filter(|p| p.definition.subject == SubjectKind::Device && p.definition.selector.everything)
            .filter(|p| p.definition.channel == ExecutionChannel::Field)
            .map(|p| p.id)
            .collect();
        let device = self.device(late.device)?;
        let line = self.line(Some(device), vec![], of_device, late.performed_at, VisitLineOutcome::Done);
        let visit = self.visit(self.fleet.positions[late.position].site, late.performed_at, vec![line]);
        for _ in 0..2 {
            let mut call = (self.rooms.call)(late.logged_at);
            call.idempotency = Some(IdempotencyClaim {
                operation: "logServiceVisit".to_owned(),
                key: late.idempotency_key.clone(),
                input_hash: sha256_hex(&late.idempotency_key),
            });
            self.rooms.visits.log_visit(&call, visit.clone()).await?;
        }
        self.told.visits += 1;
        Ok(())
    }

    // ---- the planner's desk, now ----

    /// What a planner did this morning: dates and technicians for the next days, one order on its
    /// way and one on hold, two occurrences postponed and one skipped.
    async fn planners_desk(&mut self, now: DateTime<Utc>) -> Result<(), Error> {
        let zone = self.fleet.zone;
        let places: HashMap<SiteId, usize> = self.sites.iter().enumerate().map(|(n, id)| (*id, n)).collect();
        let today = local_date(zone, now);
        let mut orders = self.open_orders(now + AHEAD, now).await?;
        orders.retain(|o| o.channel == ExecutionChannel::Field && o.device_id.is_some() && o.window_end > now);
        let planning = self.rooms.planning;
        for (n, order) in orders.iter().take(SCHEDULED).enumerate() {
            let Some(site) = order.site_id.and_then(|id| places.get(&id)) else { continue };
            let day = local_date(zone, order.due_at).max(today + TimeDelta::days(1 + (n % 5) as i64));
            let schedule = ScheduleOrder {
                work_order_id: order.id,
                scheduled_for: self.local(day, 9 + (n % 7) as u32, 30),
                assignee_id: Some(self.technician(*site)),
                expected_version: None,
            };
            planning.schedule_order(&(self.rooms.call)(now), schedule).await?;
        }
        let moves = [(0, WorkOrderState::Dispatched, None), (1, WorkOrderState::OnHold, Some("等待配件"))];
        for (n, state, reason) in moves {
            let Some(order) = orders.get(n) else { continue };
            let change = ChangeState {
                work_order_id: order.id,
                state,
                reason: reason.map(str::to_owned),
                reissue: false,
                expected_version: None,
            };
            planning.change_state(&(self.rooms.call)(now), change).await?;
        }
        let mut rest = orders.iter().skip(SCHEDULED);
        for order in rest.by_ref().take(2) {
            let postpone = PostponeOccurrence {
                occurrence: OccurrenceRef::Order(order.id),
                until: local_date(zone, order.due_at).max(today) + TimeDelta::days(6),
                reason: "商户装修，改期".to_owned(),
                waiver: None,
                expected_version: None,
            };
            planning.postpone(&(self.rooms.call)(now), postpone).await?;
        }
        if let Some(order) = rest.next() {
            let skip = SkipOccurrence {
                occurrence: OccurrenceRef::Order(order.id),
                reason: "本周已随维修一并清洁".to_owned(),
                waiver: None,
                expected_version: None,
            };
            planning.skip(&(self.rooms.call)(now), skip).await?;
        }
        Ok(())
    }
}

/// Days between two occurrences of a plan at a level of usage; none where only grids, measures or events make it due.
fn cycle_days(plan: &MaintenancePlan, level: f64, from: DateTime<Utc>) -> Option<f64> {
    plan.definition
        .triggers
        .iter()
        .filter_map(|trigger| match trigger {
            Trigger::CalendarFloating { every } => {
                let begin = from.date_naive();
                let end = Period::parse(every).ok()?.add_to(begin)?;
                Some((end - begin).num_days() as f64)
            }
            Trigger::Usage { every, .. } => Some(*every as f64 / level.max(0.1)),
            _ => None,
        })
        .reduce(f64::min)
}

/// The answer to a step that finds everything as it should be.
fn all_well(step: &TaskStep, place: u32, serial: &str) -> StepResult {
    let mut result = StepResult::plain(place, true);
    match step.kind {
        StepKind::PassFail => result.passed = Some(true),
        StepKind::Choice => result.choice = step.choices.iter().find(|c| !c.is_failure).map(|c| c.code.clone()),
        StepKind::Number | StepKind::MeterReading => result.number = step.min.or(step.max).or(Some(0.0)),
        StepKind::Text => result.text = Some("正常".to_owned()),
        StepKind::SerialScan => result.serial = Some(serial.to_owned()),
    }
    result
}
