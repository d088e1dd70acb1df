//! Loads what decisions rest on, in a number of statements that does not depend on how many
//! subjects there are.

use super::PlanningService;
use crate::catalogue::model::{ComponentKind, FreezePeriod, Holiday, Meter};
use crate::catalogue::store as catalogue_store;
use crate::db::{ConnectionTrait, StoreError, StoreResult};
use crate::firmware::store as firmware_store;
use crate::kernel::calendar::end_of_day;
use crate::kernel::ids::{DeviceId, DeviceModelId, ItemId, PlanId, SiteId};
use crate::kernel::scope::Scope;
use crate::kernel::subject::{Subject, SubjectKind};
use crate::planning::model::*;
use crate::planning::rules::{
    self, ClosedDays, CompiledPlan, CompiledTrigger, EventFact, FirmwareFacts, ItemFacts, Slots, UsageFacts, WatchFacts,
};
use crate::planning::store;
use crate::registry::file::{self, EventKind};
use crate::registry::file_store;
use crate::registry::model::{Component, Device, DeviceStatus, Site, SoftwareKind};
use crate::registry::store as registry_store;
use crate::usage::hours::{HourProfile, USE_METER};
use crate::usage::measure::{Attributes, DeviceSeries};
use crate::usage::model::MeterKey;
use crate::usage::{pattern_store, series_store, store as usage_store};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// Days after a return to use in which it is still found.
const RETURN_DAYS: u32 = 60;
/// Days of readings that most measures need.
const NEAR_DAYS: u32 = 70;

/// One subject with the facts all its items share.
pub(super) struct SubjectFacts {
    pub subject: Subject,
    pub zone: Tz,
    pub device: Option<Device>,
    pub site: Option<Arc<SiteFacts>>,
    /// Devices standing at the site, when the subject is a site.
    pub standing: Vec<Device>,
    /// What happened to the device that can ask for work.
    events: Vec<EventFact>,
    /// Its measures, where a plan watches any.
    watch: Option<WatchFacts>,
    /// Its firmware, where a plan follows its target.
    firmware: Option<FirmwareFacts>,
}

/// A site with its calendar read.
pub(super) struct SiteFacts {
    pub site: Site,
    closed: ClosedDays,
}

/// One subject × one plan.
pub(super) struct Pair {
    pub facts: Arc<SubjectFacts>,
    pub plan: Arc<CompiledPlan>,
    /// The item's id, also before it is written.
    pub item_id: ItemId,
    pub item: Option<MaintenanceItem>,
    /// Its log, with the completions of plans that cover this one.
    pub log: Vec<LogEntry>,
    pub order: Option<WorkOrder>,
    usage: Vec<UsageFacts>,
    is_alive: bool,
    placed_since: Option<DateTime<Utc>>,
    slots: Option<Arc<Slots>>,
    covers: Arc<Vec<PlanId>>,
    freezes: Vec<Freeze>,
}

/// Every plan of the organization, read, with what each one's work includes.
#[derive(Clone)]
pub(super) struct PlanBook {
    plans: Vec<Arc<CompiledPlan>>,
    covers: HashMap<PlanId, Arc<Vec<PlanId>>>,
}

pub(super) fn is_gone(status: DeviceStatus) -> bool {
    matches!(status, DeviceStatus::Retired | DeviceStatus::Destroyed | DeviceStatus::Lost)
}

impl PlanBook {
    pub fn new(plans: Vec<Arc<CompiledPlan>>) -> Self {
        let direct: HashMap<PlanId, &[PlanId]> =
            plans.iter().map(|p| (p.plan.id, p.definition().covers.as_slice())).collect();
        let covers = plans.iter().map(|p| (p.plan.id, Arc::new(rules::covered_plans(p.plan.id, &direct)))).collect();
        Self { plans, covers }
    }

    /// The same plans with one put in, instead of the one with its id if there is one.
    pub fn with(&self, plan: Arc<CompiledPlan>) -> Self {
        let mut plans: Vec<Arc<CompiledPlan>> =
            self.plans.iter().filter(|p| p.plan.id != plan.plan.id).cloned().collect();
        plans.push(plan);
        Self::new(plans)
    }

    /// A plan by its id.
    pub fn plan(&self, id: PlanId) -> Option<&CompiledPlan> {
        self.plans.iter().find(|p| p.plan.id == id).map(Arc::as_ref)
    }

    fn triggers(&self) -> impl Iterator<Item = &CompiledTrigger> {
        self.plans.iter().filter(|p| p.plan.is_active).flat_map(|p| &p.triggers)
    }

    /// The meters that plans watch, with the days of readings they are watched over.
    fn watched_meters(&self) -> BTreeMap<String, u32> {
        let mut found: BTreeMap<String, u32> = BTreeMap::new();
        let mut add = |meter: &str, days: u32| {
            let known = found.entry(meter.to_owned()).or_default();
            *known = (*known).max(days);
        };
        for trigger in self.triggers() {
            match trigger {
                CompiledTrigger::Condition { condition, .. } => {
                    let days = rules::condition::look_back_days(condition);
                    for meter in rules::condition::meters_of(condition) {
                        add(&meter, days);
                    }
                    let guard = condition.guard.as_ref().and_then(|g| g.min_per_day.as_ref());
                    if let Some(rate) = guard {
                        add(&rate.meter, rules::GUARD_DAYS + 1);
                    }
                }
                CompiledTrigger::Event { event: TriggerEvent::AfterInactivity, inactive_days, .. } => {
                    add(USE_METER, inactive_days + RETURN_DAYS);
                }
                _ => {}
            }
        }
        found
    }

    /// Whether any plan watches measures.
    fn watches(&self) -> bool {
        self.triggers().any(|t| {
            matches!(
                t,
                CompiledTrigger::Condition { .. } | CompiledTrigger::Event { event: TriggerEvent::AfterInactivity, .. }
            )
        })
    }

    /// Whether any plan follows firmware targets.
    pub fn updates(&self) -> bool {
        self.triggers().any(|t| matches!(t, CompiledTrigger::Firmware))
    }

    /// Whether any plan asks for work after what happens to a device.
    fn listens(&self) -> bool {
        self.plans.iter().any(|p| p.triggers.iter().any(|t| matches!(t, CompiledTrigger::Event { .. })))
    }

    /// Every plan whose work a plan's work includes.
    pub fn covers(&self, plan: PlanId) -> Arc<Vec<PlanId>> {
        self.covers.get(&plan).cloned().unwrap_or_default()
    }
}

impl Pair {
    /// The device's firmware is its target.
    pub fn is_at_target(&self) -> bool {
        self.facts.firmware.as_ref().is_some_and(|f| f.standing.is_current)
    }

    /// What the rules ask of it.
    pub fn item_facts(&self) -> ItemFacts<'_> {
        ItemFacts {
            plan: &self.plan,
            is_alive: self.is_alive,
            is_gone: self.facts.device.as_ref().is_some_and(|d| is_gone(d.status)),
            zone: self.facts.zone,
            closed: self.facts.closed(),
            freezes: &self.freezes,
            covers: &self.covers,
            placed_since: self.placed_since,
            slots: self.slots.as_deref(),
            item: self.item.as_ref(),
            log: &self.log,
            usage: &self.usage,
            events: &self.facts.events,
            watch: self.facts.watch.as_ref(),
            firmware: self.facts.firmware.as_ref(),
            open_order: self.order.as_ref(),
        }
    }
}

impl PlanningService {
    /// Every plan as it is now.
    pub(super) async fn plan_book(&self, db: &impl ConnectionTrait, scope: &Scope) -> StoreResult<PlanBook> {
        let mut plans = Vec::new();
        for plan in store::all_plans(db, scope).await? {
            plans.push(self.compiled(plan).map_err(|e| StoreError::Other(Box::new(e)))?);
        }
        Ok(PlanBook::new(plans))
    }

    /// Loads everything the items of these subjects depend on; pairs of one subject stand together.
    pub(super) async fn load(
        &self,
        db: &impl ConnectionTrait,
        scope: &Scope,
        book: &PlanBook,
        subjects: &[Subject],
        now: DateTime<Utc>,
    ) -> StoreResult<Vec<Pair>> {
        let device_ids: Vec<DeviceId> =
            subjects.iter().filter(|s| s.kind == SubjectKind::Device).map(|s| DeviceId(s.id)).collect();
        let site_subjects: Vec<SiteId> =
            subjects.iter().filter(|s| s.kind == SubjectKind::Site).map(|s| SiteId(s.id)).collect();
        let standing = registry_store::devices_at_sites(db, scope, &site_subjects).await?;
        let devices = registry_store::devices_by_ids(db, scope, &device_ids).await?;
        let mut site_ids: BTreeSet<SiteId> = site_subjects.iter().copied().collect();
        site_ids.extend(devices.iter().filter_map(|d| d.site_id));
        let site_ids: Vec<SiteId> = site_ids.into_iter().collect();
        let sites = registry_store::sites_by_ids(db, scope, &site_ids).await?;
        let holidays = self.catalogue.holidays(db).await?;
        let freezes = catalogue_store::freeze_periods(db, scope).await?;
        let sites: HashMap<SiteId, Arc<SiteFacts>> =
            sites.into_iter().map(|s| (s.id, Arc::new(site_facts(s, &holidays)))).collect();
        let organization_zone = registry_store::organization(db, scope).await?.time_zone;
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
        let mut events = if book.listens() { device_events(db, scope, &devices).await? } else { HashMap::new() };
        let mut watched = self.watch(db, scope, book, &devices, &sites, now).await?;
        let mut firmware = self.firmware_facts(db, scope, book, &devices, &sites, now).await?;

        let mut devices: HashMap<DeviceId, Device> = devices.into_iter().map(|d| (d.id, d)).collect();
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
                SubjectKind::Device => match devices.remove(&DeviceId(subject.id)) {
                    Some(device) => Some(device),
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
                events: {
                    let mut known = events.remove(&DeviceId(subject.id)).unwrap_or_default();
                    if device.as_ref().is_some_and(|d| d.inspected_at.is_some()) {
                        // Whatever it was moved about since then, it may go into service.
                        known.retain(|e| e.event != TriggerEvent::BeforeService);
                    }
                    let idle = watched.get(&DeviceId(subject.id)).map(|w| rules::returns_to_use(&w.series));
                    known.extend(idle.unwrap_or_default());
                    known
                },
                watch: watched.remove(&DeviceId(subject.id)),
                firmware: firmware.remove(&DeviceId(subject.id)),
                device,
            });
            for plan in book.plans.iter().filter(|p| p.definition().subject == subject.kind) {
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
                    .or_insert_with(|| Slots::of(plan, facts.zone, now).map(Arc::new));
                pairs.push(Pair {
                    placed_since,
                    slots: slots.clone(),
                    log: log_of(book, &logs, plan.plan.id, subject.id),
                    facts: facts.clone(),
                    plan: plan.clone(),
                    covers: book.covers(plan.plan.id),
                    freezes: freezes_of(&freezes, plan.definition().channel, facts.region()),
                    usage: vec![],
                    item_id: item.as_ref().map_or_else(|| self.ids.next(now), |i| i.id),
                    item,
                    order,
                    is_alive,
                });
            }
        }
        load_usage(db, scope, &mut pairs).await?;
        Ok(pairs)
    }
}

impl PlanningService {
    /// The measures of these devices that plans watch.
    async fn watch(
        &self,
        db: &impl ConnectionTrait,
        scope: &Scope,
        book: &PlanBook,
        devices: &[Device],
        sites: &HashMap<SiteId, Arc<SiteFacts>>,
        now: DateTime<Utc>,
    ) -> StoreResult<HashMap<DeviceId, WatchFacts>> {
        if !book.watches() || devices.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<DeviceId> = devices.iter().map(|d| d.id).collect();
        // Most measures look a few weeks back; only those that look further pay for it.
        let meters = book.watched_meters();
        let (near, far): (Vec<_>, Vec<_>) = meters.into_iter().partition(|(_, days)| *days <= NEAR_DAYS);
        let mut series: HashMap<DeviceId, DeviceSeries> = HashMap::new();
        for (place, meters) in [near, far].into_iter().enumerate() {
            if meters.is_empty() && place > 0 {
                continue;
            }
            let days = meters.iter().map(|(_, days)| *days).max().unwrap_or(1);
            let codes: Vec<String> = meters.into_iter().map(|(code, _)| code).collect();
            let asked: Vec<(DeviceId, Vec<String>)> = ids.iter().map(|id| (*id, codes.clone())).collect();
            let from = now - TimeDelta::days(i64::from(days));
            let found = series_store::series(db, scope, &asked, from, now).await?;
            for (id, found) in ids.iter().zip(found) {
                series.entry(*id).or_default().absorb(found);
            }
        }
        let models: BTreeSet<DeviceModelId> = devices.iter().map(|d| d.model_id).collect();
        let models: Vec<DeviceModelId> = models.into_iter().collect();
        let models = catalogue_store::models_by_ids(db, scope, &models).await?;
        let units: HashMap<String, Meter> =
            catalogue_store::meters(db, scope).await?.into_iter().map(|m| (m.code.clone(), m)).collect();
        let ratings: HashMap<DeviceModelId, HashMap<String, f64>> = models
            .iter()
            .map(|model| {
                let rated = model.meters.iter().filter_map(|m| {
                    let meter = units.get(&m.meter_code)?;
                    Some((m.meter_code.clone(), meter.to_value(m.rated_life?)))
                });
                (model.id, rated.collect())
            })
            .collect();
        let parts = registry_store::components_of(db, scope, &ids).await?;
        let fallback = registry_store::organization(db, scope).await?.time_zone;
        let zones: HashMap<DeviceId, Tz> =
            devices.iter().filter_map(|d| Some((d.id, sites.get(&d.site_id?)?.site.time_zone))).collect();
        let zone_of = |device: &DeviceId| zones.get(device).copied().unwrap_or(fallback);
        let mut attributes = attributes(db, scope, devices, &parts, zone_of).await?;
        for part in parts.iter().filter(|p| p.removed_at.is_none()) {
            let Some(series) = series.get_mut(&part.device_id) else { continue };
            for life in &part.lives {
                if let (Some(of), Some(meter)) = (series.meters.get_mut(&life.meter_code), units.get(&life.meter_code))
                {
                    of.life_base = meter.to_value(life.life_at_install);
                }
            }
        }
        Ok(devices
            .iter()
            .map(|device| {
                let site = device.site_id.and_then(|s| sites.get(&s));
                let facts = WatchFacts {
                    series: series.remove(&device.id).unwrap_or_default(),
                    attributes: attributes.remove(&device.id).unwrap_or_default(),
                    ratings: ratings.get(&device.model_id).cloned().unwrap_or_default(),
                    environment: site.and_then(|s| s.site.environment),
                    model: Some(device.model_id),
                };
                (device.id, facts)
            })
            .collect())
    }

    /// The firmware of these devices, where a plan follows its target.
    async fn firmware_facts(
        &self,
        db: &impl ConnectionTrait,
        scope: &Scope,
        book: &PlanBook,
        devices: &[Device],
        sites: &HashMap<SiteId, Arc<SiteFacts>>,
        now: DateTime<Utc>,
    ) -> StoreResult<HashMap<DeviceId, FirmwareFacts>> {
        if !book.updates() || devices.is_empty() {
            return Ok(HashMap::new());
        }
        let mut standing = firmware_store::facts(db, scope, devices).await?;
        // Only what waits for an update is asked for its hours and its gates.
        let waiting: Vec<DeviceId> = standing.iter().filter(|(_, f)| !f.is_current).map(|(id, _)| *id).collect();
        let keys: Vec<MeterKey> = waiting.iter().map(|id| (*id, USE_METER.to_owned())).collect();
        let profiles = pattern_store::hour_profiles(db, scope, &keys, now).await?;
        let mut profiles: HashMap<DeviceId, HourProfile> =
            waiting.iter().zip(profiles).filter_map(|(id, p)| p.map(|p| (*id, p))).collect();
        let mut latest: HashMap<DeviceId, HashMap<String, f64>> = HashMap::new();
        if !waiting.is_empty() {
            let units: HashMap<String, Meter> =
                catalogue_store::meters(db, scope).await?.into_iter().map(|m| (m.code.clone(), m)).collect();
            for state in usage_store::meters_of(db, scope, &waiting).await? {
                if let Some(meter) = units.get(&state.meter_code) {
                    let value = meter.to_value(state.latest_value);
                    latest.entry(state.device_id).or_default().insert(state.meter_code, value);
                }
            }
        }
        Ok(devices
            .iter()
            .filter_map(|device| {
                let site = device.site_id.and_then(|s| sites.get(&s));
                let facts = FirmwareFacts {
                    standing: standing.remove(&device.id)?,
                    profile: profiles.remove(&device.id),
                    opening: site.map(|s| s.site.opening_hours.clone()).unwrap_or_default(),
                    latest: latest.remove(&device.id).unwrap_or_default(),
                };
                Some((device.id, facts))
            })
            .collect())
    }
}

/// Dates of devices that conditions can ask for.
async fn attributes(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[Device],
    parts: &[Component],
    zone_of: impl Fn(&DeviceId) -> Tz,
) -> StoreResult<HashMap<DeviceId, Attributes>> {
    let ids: Vec<DeviceId> = devices.iter().map(|d| d.id).collect();
    let mut found: HashMap<DeviceId, Attributes> =
        devices.iter().map(|d| (d.id, Attributes { installed_at: d.installed_at, ..Attributes::default() })).collect();
    for item in registry_store::software_of(db, scope, &ids).await? {
        if item.kind == SoftwareKind::Firmware
            && let Some(of) = found.get_mut(&item.device_id)
        {
            of.firmware_reported_at = of.firmware_reported_at.max(Some(item.reported_at));
        }
    }
    for part in parts.iter().filter(|p| p.removed_at.is_none()) {
        let Some(of) = found.get_mut(&part.device_id) else { continue };
        if part.kind == ComponentKind::Battery {
            of.battery_installed_at = of.battery_installed_at.max(Some(part.installed_at));
        }
        // The first one that ends is the one to act on.
        let ends = part.warranty_ends_on.map(|day| end_of_day(zone_of(&part.device_id), day));
        of.warranty_ends_at = [of.warranty_ends_at, ends].into_iter().flatten().min();
    }
    Ok(found)
}

/// The log of an item, with the completions of every plan whose work includes its own.
fn log_of(
    book: &PlanBook,
    logs: &HashMap<(PlanId, Uuid), Vec<LogEntry>>,
    plan: PlanId,
    subject: Uuid,
) -> Vec<LogEntry> {
    let mut log = logs.get(&(plan, subject)).cloned().unwrap_or_default();
    let own = log.len();
    for (larger, covered) in &book.covers {
        if covered.contains(&plan) {
            let done = logs.get(&(*larger, subject)).into_iter().flatten().filter(|e| e.kind == LogKind::Done);
            log.extend(done.cloned());
        }
    }
    if log.len() > own {
        log.sort_by_key(|e| (e.performed_at, e.id));
    }
    log
}

/// The freeze periods that hold for a channel in a region.
fn freezes_of(periods: &[FreezePeriod], channel: ExecutionChannel, region: Option<&str>) -> Vec<Freeze> {
    let holds = |period: &&FreezePeriod| {
        (period.channels.is_empty() || period.channels.iter().any(|c| c == channel.as_str()))
            && (period.region_codes.is_empty()
                || region.is_some_and(|r| period.region_codes.iter().any(|code| r.starts_with(code.as_str()))))
    };
    let freeze = |p: &FreezePeriod| Freeze { from: p.starts_on, to: p.ends_on, name: p.name.clone() };
    periods.iter().filter(holds).map(freeze).collect()
}

/// What the files of these devices say happened to them that can ask for work.
async fn device_events(
    db: &impl ConnectionTrait,
    scope: &Scope,
    devices: &[Device],
) -> StoreResult<HashMap<DeviceId, Vec<EventFact>>> {
    let ids: Vec<DeviceId> = devices.iter().map(|d| d.id).collect();
    let kinds: Vec<&str> = EventKind::ALL
        .iter()
        .filter(|k| k.is_of_place() || **k == EventKind::DeviceRegistered)
        .map(|k| k.as_str())
        .collect();
    let mut found: HashMap<DeviceId, Vec<EventFact>> = HashMap::new();
    let mut stories: HashMap<DeviceId, Vec<rules::PlaceEvent>> = HashMap::new();
    for event in file_store::events_of_kinds(db, scope, &ids, &kinds).await?.iter().filter_map(file::read) {
        let status = event.payload.get("status").and_then(|s| s.as_str()).and_then(DeviceStatus::parse);
        let is_relocation = event.kind == EventKind::Relocated;
        let told = rules::PlaceEvent { at: event.occurred_at, status, is_relocation };
        stories.entry(event.device).or_default().push(told);
    }
    for (device, story) in stories {
        found.insert(device, rules::events_of_place(&story));
    }
    Ok(found)
}

/// Fills in life counters, crossings and patterns for every usage trigger.
async fn load_usage(db: &impl ConnectionTrait, scope: &Scope, pairs: &mut [Pair]) -> StoreResult<()> {
    struct Need {
        pair: usize,
        device: DeviceId,
        meter: String,
        every: i64,
        anchor: DateTime<Utc>,
    }
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
    let patterns = pattern_store::patterns(db, scope, &meters, &states).await?;
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

impl SubjectFacts {
    fn region(&self) -> Option<&str> {
        self.site.as_ref().and_then(|s| s.site.region_code.as_deref())
    }

    pub fn closed(&self) -> &ClosedDays {
        static NONE: std::sync::LazyLock<ClosedDays> = std::sync::LazyLock::new(ClosedDays::default);
        self.site.as_ref().map_or(&NONE, |s| &s.closed)
    }

    /// Device files that hear of what happens to this subject.
    pub fn file_devices(&self) -> Vec<DeviceId> {
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
    if let Some(country) = site.holiday_country() {
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
