//! Plays the fleet's history, week by week, through the services a caller reaches: what is done to
//! devices, what they report, what the planner issues, and what technicians do about it.

mod answers;
mod desk;
mod firmware;
mod repairs;
mod work;

use super::fleet::{Act, Fleet, SitePlan, fill};
use super::parameters::{Parameters, TechnicianSeed, wrong};
use super::usage::FleetReading;
use crate::catalogue::model::ComponentKind;
use crate::kernel::calendar::{local_date, local_to_instant};
use crate::kernel::ids::{DeviceId, DeviceModelId, MerchantId, PositionId, SiteId, TechnicianId, WorkOrderId};
use crate::kernel::scope::Scope;
use crate::planning::model::{MaintenanceKind, MaintenancePlan};
use crate::planning::service::PlanUpdate;
use crate::registry::model::{DeviceRef, OpeningHours, SiteContact};
use crate::registry::rules;
use crate::registry::service::{
    ChangeStatus, InstallDevice, NewMerchant, NewPosition, NewSite, NewTechnician, RegisterDevice, RelocateDevice,
    SwapDevice,
};
use crate::seeding::{Error, Rooms};
use crate::usage::service::{MAX_READINGS, ReadingInput};
use crate::visits::model::{LogLine, VisitLineOutcome};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, HashMap};

/// How long before now tillkeep took over the planning; what was done before was logged later.
const PLANNED: TimeDelta = TimeDelta::days(56);
const WEEK: TimeDelta = TimeDelta::days(7);
const MONTH: TimeDelta = TimeDelta::days(30);
/// Rows read at a time.
const ROWS: u64 = 20_000;

/// When and how an order will be done.
#[derive(Clone, Copy)]
struct Intent {
    on: NaiveDate,
    outcome: VisitLineOutcome,
}

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

/// What the story needs to know of a model.
#[derive(Clone, Debug)]
pub struct ModelFacts {
    /// Identity.
    pub id: DeviceModelId,
    /// Maker.
    pub manufacturer: String,
    /// Parts that a technician replaces at the site.
    pub field_parts: Vec<ComponentKind>,
    /// Units a day that are assumed of its meters, in their smallest unit.
    pub per_day: HashMap<String, f64>,
}

/// Everything the story has made so far.
pub struct Story<'a> {
    rooms: Rooms<'a>,
    p: &'a Parameters,
    fleet: &'a Fleet,
    models: HashMap<String, ModelFacts>,
    rng: StdRng,
    /// The fleet's sites, and last the company's own store.
    sites: Vec<SiteId>,
    positions: Vec<PositionId>,
    devices: HashMap<usize, DeviceId>,
    by_id: HashMap<DeviceId, usize>,
    technicians: Vec<(TechnicianId, &'a TechnicianSeed)>,
    /// Plans as they were seeded; whether they are on changes.
    plans: Vec<MaintenancePlan>,
    intents: HashMap<WorkOrderId, Intent>,
    /// New parts put in so far, for their serial numbers.
    new_parts: usize,
    told: Told,
}

impl<'a> Story<'a> {
    /// A story about a fleet; `models` by model code.
    pub fn new(
        rooms: Rooms<'a>,
        p: &'a Parameters,
        fleet: &'a Fleet,
        models: HashMap<String, ModelFacts>,
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
            by_id: HashMap::new(),
            technicians: vec![],
            plans: vec![],
            intents: HashMap::new(),
            new_parts: 0,
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
        self.rooms.registry.rename_organization(&(self.rooms.call)(start), &self.p.organization.name).await?;
        self.plans = self.rooms.planning.plans_page(&self.scope(), None, None, None, ROWS).await?;
        // First of all: while plans are off, nothing is due and nothing has to be inspected.
        self.switch_plans(start, false).await?;
        self.places(start).await?;
        self.register(None, start).await?;
        self.acts(None, start).await?;
        self.publish(None, start).await?;
        let bar = if progress { ProgressBar::new((now - start).num_days() as u64) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} day {pos}/{len}") {
            bar.set_style(style);
        }
        bar.set_message("making fourteen months of history");
        let mut readings = self.with_delays(readings).into_iter().peekable();
        let mut past = self.work_of_old(planned)?.into_iter().peekable();
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
            self.publish(Some(from), to).await?;
            self.freeze(from, to).await?;
            self.update(from, to).await?;
            if is_planned {
                self.work(from, to).await?;
                self.late_visit(from, to).await?;
            } else {
                let mut trips = Vec::new();
                while let Some(trip) = past.next_if(|t| t.is_told_by(to)) {
                    trips.push(trip);
                }
                self.log_old(trips, to).await?;
            }
            self.told_work(from, to).await?;
            self.repairs(from, to, is_planned).await?;
            if !is_planned && to >= planned {
                self.switch_plans(to, true).await?;
            }
            if to >= planned {
                if to == now {
                    self.rooms.usage.refresh_forecasts(&(self.rooms.call)(to)).await?;
                }
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

    /// A day so many days ago.
    fn day_ago(&self, days: i64) -> NaiveDate {
        local_date(self.fleet.zone, self.fleet.now) - TimeDelta::days(days)
    }

    /// The place of the company's own store among the sites.
    fn depot(&self) -> usize {
        self.fleet.sites.len()
    }

    fn plan(&self, code: &str) -> Option<&MaintenancePlan> {
        self.plans.iter().find(|p| p.code == code)
    }

    fn device(&self, place: usize) -> Result<DeviceId, Error> {
        self.devices.get(&place).copied().ok_or_else(|| wrong("a device acts before it is registered"))
    }

    fn model_of(&self, place: usize) -> Result<&ModelFacts, Error> {
        let code = &self.fleet.devices[place].model;
        self.models.get(code).ok_or_else(|| wrong(format!("the model {code} is not seeded")))
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
        let new: Vec<NewSite> =
            self.fleet.sites.iter().enumerate().map(|(n, s)| self.new_site(n, s, merchants[s.merchant])).collect();
        for made in self.rooms.registry.create_sites(&call, &new).await? {
            self.sites.push(made?.id);
        }
        let company = self.fleet.merchants.iter().position(|m| m.name == self.p.organization.name);
        let company = company.ok_or_else(|| wrong("the company is none of the merchants"))?;
        // The last one, at the place that `depot` tells.
        let depot = self.new_depot(merchants[company]);
        self.sites.push(self.rooms.registry.create_site(&call, depot).await?.id);
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

    fn new_site(&self, place: usize, site: &SitePlan, merchant_id: MerchantId) -> NewSite {
        let kind = &self.p.kinds[site.kind];
        let opening_hours = (1..=7_u8)
            .filter(|day| !kind.closed_weekdays.contains(day))
            .map(|weekday| OpeningHours { weekday, opens: kind.opens.clone(), closes: kind.closes.clone() })
            .collect();
        let is_hypermarket = site.name == self.p.hypermarket.site;
        let of_kind = if is_hypermarket { self.p.hypermarket.environment } else { kind.environment };
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
            environment: Some(site.environment.unwrap_or(of_kind)),
            contact: Some(self.contact(place)),
        }
    }

    /// Whom to ask for at a site.
    fn contact(&self, place: usize) -> SiteContact {
        let (contacts, surnames) = (&self.p.contacts, &self.p.names.surnames);
        let of = |list: &[String], n: usize| list.get(n % list.len().max(1)).cloned().unwrap_or_default();
        let surname = of(surnames, place * 7 + place / surnames.len().max(1));
        SiteContact {
            name: Some(fill(&of(&contacts.names, place), &[("surname", &surname)])),
            phone: Some(fill(&contacts.phone, &[("sequence7", &format!("{:07}", place + 1))])),
        }
    }

    /// The company's own store.
    fn new_depot(&self, merchant_id: MerchantId) -> NewSite {
        let depot = &self.p.depot;
        NewSite {
            merchant_id,
            name: depot.name.clone(),
            address: Some(depot.address.clone()),
            region_code: Some(depot.region_code.clone()),
            latitude: Some(depot.latitude),
            longitude: Some(depot.longitude),
            coordinate_system: Some(self.p.coordinate_system),
            time_zone: self.p.organization.time_zone.clone(),
            opening_hours: vec![],
            closed_days: vec![],
            observes_holidays: true,
            country: Some(self.p.country.clone()),
            environment: None,
            contact: Some(self.contact(self.depot())),
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
                let model = self.model_of(*place)?;
                new.push(RegisterDevice {
                    manufacturer: model.manufacturer.clone(),
                    model_id: model.id,
                    serial_number: device.serial_number.clone(),
                    asset_tag: Some(device.asset_tag.clone()),
                    status: None,
                    firmware_version: Some(device.firmware.clone()),
                    external_ids: vec![],
                });
            }
            let rows = self.rooms.registry.register_devices(&(self.rooms.call)(at), &new).await?;
            for (place, row) in places.into_iter().zip(rows) {
                let id = row?.device_id;
                self.devices.insert(place, id);
                self.by_id.insert(id, place);
                self.told.devices += 1;
            }
        }
        Ok(())
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
        let performed_at = at - TimeDelta::hours(1);
        let line = LogLine {
            device: Some(DeviceRef::Id(self.device(place)?)),
            plan_ids: vec![plan.id],
            step_results: self.all_well(Some(place), &plan.definition.steps, performed_at),
            ..LogLine::new(performed_at, VisitLineOutcome::Done)
        };
        let visit = self.visit(self.depot(), performed_at, vec![line]);
        self.rooms.visits.log_visit(&(self.rooms.call)(at), visit).await?;
        Ok(())
    }

    /// Switches every plan off, or those on that the company has: while they are off, work is logged
    /// and nothing is due.
    async fn switch_plans(&self, at: DateTime<Utc>, is_active: bool) -> Result<(), Error> {
        for plan in self.plans.iter().filter(|p| !is_active || self.p.plans.contains(&p.code)) {
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

    // ---- what devices report ----

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
}
