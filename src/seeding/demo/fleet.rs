//! Who has which terminal, where, since when, and how it is used: the fleet as a pure function of
//! the parameters, the seed and today.

mod odd;

use super::cases::{WatchedCase, odd_serials};
use super::parameters::{City, Kind, ModelShare, Parameters, wrong};
use crate::kernel::calendar::{local_date, local_to_instant};
use crate::registry::model::{DeviceStatus, SiteEnvironment};
use crate::seeding::Error;
use chrono::{DateTime, Days, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A merchant.
pub struct MerchantPlan {
    pub name: String,
    pub merchant_number: String,
}

/// A site of a merchant.
pub struct SitePlan {
    pub merchant: usize,
    pub name: String,
    pub address: String,
    pub region_code: String,
    pub latitude: f64,
    pub longitude: f64,
    pub kind: usize,
    /// What surrounds its devices, if not what its kind says.
    pub environment: Option<SiteEnvironment>,
}

/// A position and how the device on it is used.
pub struct PositionPlan {
    pub site: usize,
    pub name: String,
    pub terminal_number: String,
    /// Place of the site's kind in the parameters.
    pub kind: usize,
    /// Transactions of an average day when the history begins.
    pub level: f64,
    /// Growth within a year, as a share.
    pub growth: f64,
}

/// What is odd about a device's readings.
#[derive(Default)]
pub struct Oddities {
    /// No reading from then on.
    pub silent_from: Option<NaiveDate>,
    /// No reading from the first day on, until the second.
    pub gap: Option<(NaiveDate, NaiveDate)>,
    /// The counter begins again at 0 on that day.
    pub reset_on: Option<NaiveDate>,
    /// The counter passes its modulus on that day.
    pub wraps_on: Option<NaiveDate>,
    /// Not used from the first day on, until the second.
    pub idle: Option<(NaiveDate, NaiveDate)>,
    /// Never heard of.
    pub is_never_read: bool,
}

/// A device.
pub struct DevicePlan {
    /// Code of its model.
    pub model: String,
    pub serial_number: String,
    pub firmware: String,
    pub asset_tag: String,
    pub registered_at: DateTime<Utc>,
    pub oddities: Oddities,
}

/// A device on a position.
pub struct Stay {
    pub device: usize,
    pub position: usize,
    pub from: DateTime<Utc>,
    pub to: Option<DateTime<Utc>>,
}

/// A device that is made to show something, and where it stands.
pub struct Watch {
    pub device: usize,
    pub position: usize,
    pub case: WatchedCase,
}

/// What is done to a device at a moment.
pub enum Act {
    Install { device: usize, position: usize, is_in_service: bool },
    Swap { old: usize, new: usize, reason: String, old_status: DeviceStatus },
    Relocate { device: usize, position: usize },
    Become { device: usize, status: DeviceStatus, reason: Option<String> },
}

/// A visit that is logged late, and twice.
pub struct LateVisit {
    pub device: usize,
    pub position: usize,
    pub performed_at: DateTime<Utc>,
    pub logged_at: DateTime<Utc>,
    pub idempotency_key: String,
}

/// The fleet with its history.
pub struct Fleet {
    pub zone: Tz,
    /// When the history begins.
    pub start: DateTime<Utc>,
    pub now: DateTime<Utc>,
    pub merchants: Vec<MerchantPlan>,
    pub sites: Vec<SitePlan>,
    pub positions: Vec<PositionPlan>,
    pub devices: Vec<DevicePlan>,
    pub stays: Vec<Stay>,
    /// Acts by the moment they happen, in order.
    pub acts: Vec<(DateTime<Utc>, Act)>,
    pub late_visit: Option<LateVisit>,
    pub watches: Vec<Watch>,
    /// Devices that report every hour.
    pub hourly: Vec<usize>,
    /// Devices whose host did not answer for a day.
    pub outage: Vec<usize>,
}

/// One of a list; the parameters' lists are not empty.
fn pick<'a, T>(rng: &mut StdRng, list: &'a [T]) -> Result<&'a T, Error> {
    if list.is_empty() {
        return Err(wrong("a list that something is picked from is empty"));
    }
    Ok(&list[rng.random_range(0..list.len())])
}

/// One of a list by its share.
pub(super) fn pick_by<'a, T>(
    rng: &mut StdRng,
    list: &'a [T],
    share: impl Fn(&T) -> f64,
) -> Result<(usize, &'a T), Error> {
    let total: f64 = list.iter().map(&share).sum();
    let mut rest = rng.random::<f64>() * total;
    for (place, one) in list.iter().enumerate() {
        rest -= share(one);
        if rest <= 0.0 {
            return Ok((place, one));
        }
    }
    list.last().map(|one| (list.len() - 1, one)).ok_or_else(|| wrong("a list that something is picked from is empty"))
}

/// A standard normal deviate, by Box and Muller.
pub fn normal(rng: &mut StdRng) -> f64 {
    let u: f64 = rng.random::<f64>().max(f64::MIN_POSITIVE);
    let v: f64 = rng.random();
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Fills `{name}` in a pattern; what is not named stays.
pub(super) fn fill(pattern: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(pattern.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// How many there are of something in a fleet of another size.
struct Scale {
    devices: usize,
    of: usize,
}

impl Scale {
    fn count(&self, count: usize) -> usize {
        if count == 0 {
            return 0;
        }
        ((count * self.devices) as f64 / self.of as f64).round().max(1.0) as usize
    }
}

/// Builds a fleet step by step.
struct Builder<'a> {
    p: &'a Parameters,
    rng: StdRng,
    zone: Tz,
    now: DateTime<Utc>,
    today: NaiveDate,
    start: DateTime<Utc>,
    serials: BTreeSet<String>,
    next_terminal: HashMap<String, u32>,
    fleet: Fleet,
}

/// Makes the fleet.
///
/// # Errors
/// The parameters do not fit together; a fault of ours.
pub fn build(p: &Parameters, devices: usize, seed: u64, now: DateTime<Utc>) -> Result<Fleet, Error> {
    let zone: Tz = p.organization.time_zone.parse().map_err(|_| wrong("organization.time_zone is no zone"))?;
    let today = local_date(zone, now);
    let first = today
        .checked_sub_months(Months::new(p.defaults.history_months))
        .ok_or_else(|| wrong("defaults.history_months is too long"))?;
    let start = local_to_instant(zone, first.and_time(NaiveTime::MIN));
    let fleet = Fleet {
        zone,
        start,
        now,
        merchants: vec![],
        sites: vec![],
        positions: vec![],
        devices: vec![],
        stays: vec![],
        acts: vec![],
        late_visit: None,
        watches: vec![],
        hourly: vec![],
        outage: vec![],
    };
    let builder = Builder {
        p,
        rng: StdRng::seed_from_u64(seed),
        zone,
        now,
        today,
        start,
        serials: odd_serials(&p.odd_cases),
        next_terminal: HashMap::new(),
        fleet,
    };
    builder.build(devices)
}

impl<'a> Builder<'a> {
    fn build(mut self, devices: usize) -> Result<Fleet, Error> {
        let scale = Scale { devices, of: self.p.defaults.devices };
        let mut others: BTreeMap<DeviceStatus, usize> = BTreeMap::new();
        let mut left = devices;
        for other in &self.p.fleet.other_statuses {
            // A fleet of a handful is all in the field.
            let count = scale.count(other.devices).min(left / 4);
            others.insert(other.status, count);
            left -= count;
        }
        let sizes = self.site_sizes(&scale, left);
        self.places(&scale, &sizes)?;
        let field = self.fleet.positions.len();
        self.field_devices(&scale, &sizes)?;
        let left_over = self.replaced(&others, field)?;
        *others.entry(DeviceStatus::InStock).or_default() += left_over;
        self.suspended(others.get(&DeviceStatus::Suspended).copied().unwrap_or(0), &sizes)?;
        self.in_store(&others)?;
        self.silence(field);
        self.rare_readings(&scale, field);
        self.hourly(&scale, field);
        self.outage(&scale, field);
        self.fleet.acts.sort_by_key(|(at, _)| *at);
        for (place, device) in self.fleet.devices.iter_mut().enumerate() {
            device.asset_tag = fill(&self.p.numbers.asset_tag, &[("sequence6", &format!("{:06}", place + 1))]);
        }
        Ok(self.fleet)
    }

    /// Devices per site, the hypermarket first; what is left over stands alone.
    fn site_sizes(&self, scale: &Scale, field: usize) -> Vec<usize> {
        let mut sizes = Vec::new();
        let mut left = field;
        let mut wanted: Vec<_> = self.p.fleet.site_sizes.iter().filter(|s| s.devices > 1).collect();
        wanted.sort_by_key(|s| (s.role.is_none(), std::cmp::Reverse(s.devices)));
        for size in wanted {
            for _ in 0..scale.count(size.sites) {
                // Never more than half of what is left in one place: small fleets stay fleets.
                if size.devices * 2 <= left {
                    sizes.push(size.devices);
                    left -= size.devices;
                }
            }
        }
        sizes.extend(std::iter::repeat_n(1, left));
        sizes
    }

    fn is_hypermarket(&self, size: usize) -> bool {
        self.p.fleet.site_sizes.iter().any(|s| s.role.is_some() && s.devices == size)
    }

    fn kind(&self, code: &str) -> Result<usize, Error> {
        self.p.kinds.iter().position(|k| k.code == code).ok_or_else(|| wrong(format!("there is no kind {code}")))
    }

    /// A city, by its province's share; a province's first city is its largest.
    fn city(&mut self) -> Result<&'a City, Error> {
        let (_, province) = pick_by(&mut self.rng, &self.p.provinces, |p| p.share)?;
        let is_first = self.rng.random_bool(0.4);
        match province.cities.first().filter(|_| is_first) {
            Some(first) => Ok(first),
            None => pick(&mut self.rng, &province.cities),
        }
    }

    fn city_of(&self, prefix: &str) -> Result<&'a City, Error> {
        self.p
            .provinces
            .iter()
            .flat_map(|p| &p.cities)
            .find(|c| c.prefix == prefix)
            .ok_or_else(|| wrong(format!("there is no city {prefix}")))
    }

    fn name(&mut self, kind: &Kind, street: &str) -> Result<String, Error> {
        let names = &self.p.names;
        let pattern = pick(&mut self.rng, &kind.names)?.clone();
        let trade = if kind.trades.is_empty() { "" } else { pick(&mut self.rng, &kind.trades)?.as_str() };
        let values = [
            ("surname", pick(&mut self.rng, &names.surnames)?.as_str()),
            ("lucky", pick(&mut self.rng, &names.lucky)?.as_str()),
            ("lucky2", pick(&mut self.rng, &names.lucky)?.as_str()),
            ("rare", pick(&mut self.rng, &names.rare)?.as_str()),
            ("rare2", pick(&mut self.rng, &names.rare)?.as_str()),
            ("street", street),
            ("trade", trade),
        ];
        Ok(fill(&pattern, &values))
    }

    /// Merchants, their sites and positions.
    fn places(&mut self, scale: &Scale, sizes: &[usize]) -> Result<(), Error> {
        let hypermarket = self.kind(&self.p.hypermarket.kind)?;
        // The special names go to shops that stand alone, from the end of the list.
        let mut special: Vec<(String, Option<String>)> = Vec::new();
        let same = &self.p.names.same_name;
        special.extend(same.city_prefixes.iter().map(|city| (same.name.clone(), Some(city.clone()))));
        special.extend(self.p.names.mixed_scripts.iter().map(|name| (name.clone(), None)));
        let twice: usize =
            self.p.fleet.merchants_by_sites.iter().filter(|m| m.sites == 2).map(|m| scale.count(m.merchants)).sum();
        let singles = sizes.iter().filter(|s| **s == 1).count();
        let mut branch_of: Option<(usize, String)> = None;
        let mut single = 0;
        for size in sizes {
            let is_hypermarket = self.is_hypermarket(*size);
            let (mut kind, mut city) = (pick_by(&mut self.rng, &self.p.kinds, |k| k.share)?.0, self.city()?);
            let mut given: Option<String> = None;
            if is_hypermarket {
                (kind, city) = (hypermarket, self.city_of(&self.p.hypermarket.city_prefix)?);
            } else if *size >= 9 {
                let code = if self.rng.random_bool(0.5) { "canteen" } else { "scenic" };
                kind = self.kind(code)?;
            } else if *size == 1 {
                single += 1;
                if let Some((name, prefix)) = (single + special.len() > singles).then(|| special.pop()).flatten() {
                    kind = hypermarket;
                    given = Some(name);
                    if let Some(prefix) = prefix {
                        city = self.city_of(&prefix)?;
                    }
                }
            }
            let (of_kind, district) = (&self.p.kinds[kind], pick(&mut self.rng, &city.districts)?);
            let street = pick(&mut self.rng, &city.streets)?.clone();
            // Two sites in a row share a merchant: its second branch.
            let branch = branch_of.take().filter(|_| *size == 1 && given.is_none());
            let (merchant, name) = match branch {
                Some((merchant, name)) => (merchant, format!("{name}（{street}店）")),
                None => {
                    let merchant = self.fleet.merchants.len();
                    let (owner, name) = match given {
                        _ if is_hypermarket => (self.p.hypermarket.merchant.clone(), self.p.hypermarket.site.clone()),
                        Some(name) => (name.clone(), name),
                        None => {
                            let name = self.name(of_kind, &street)?;
                            if *size == 1 && merchant.is_multiple_of(3) && merchant / 3 < twice {
                                branch_of = Some((merchant, name.clone()));
                            }
                            (name.clone(), name)
                        }
                    };
                    let code = if is_hypermarket { "hypermarket" } else { of_kind.code.as_str() };
                    self.merchant(owner, &city.prefix, code);
                    (merchant, name)
                }
            };
            let province = self.p.provinces.iter().find(|p| p.cities.iter().any(|c| c.prefix == city.prefix));
            let address = format!(
                "{}{}{}{street}{}号",
                province.map_or("", |p| p.name.zh.as_str()),
                city.name.zh,
                district.name,
                self.rng.random_range(1..800)
            );
            self.fleet.sites.push(SitePlan {
                merchant,
                name,
                address,
                region_code: district.code.clone(),
                latitude: around(&mut self.rng, district.latitude),
                longitude: around(&mut self.rng, district.longitude),
                kind,
                environment: None,
            });
            self.positions_of(self.fleet.sites.len() - 1, *size, is_hypermarket, &city.prefix)?;
        }
        // The company itself, whose store is no shop.
        let p = self.p;
        self.merchant(p.organization.name.clone(), &p.hypermarket.city_prefix, "company");
        // Contracts that have no terminal yet, or none any more.
        let without = scale.count(self.p.fleet.merchants).saturating_sub(self.fleet.merchants.len());
        for _ in 0..without {
            let (_, kind) = pick_by(&mut self.rng, &self.p.kinds, |k| k.share)?;
            let city = self.city()?;
            let street = pick(&mut self.rng, &city.streets)?.clone();
            let name = self.name(kind, &street)?;
            self.merchant(name, &city.prefix, &kind.code);
        }
        Ok(())
    }

    fn merchant(&mut self, name: String, city4: &str, kind: &str) {
        let sequence = format!("{:04}", self.fleet.merchants.len() + 1);
        let mcc = self.p.numbers.mcc.get(kind).map_or("5999", String::as_str);
        let values = [("city4", city4), ("mcc4", mcc), ("sequence4", sequence.as_str())];
        let merchant_number = fill(&self.p.numbers.merchant_number, &values);
        self.fleet.merchants.push(MerchantPlan { name, merchant_number });
    }

    fn positions_of(&mut self, site: usize, size: usize, is_hypermarket: bool, city: &str) -> Result<(), Error> {
        let kind = self.fleet.sites[site].kind;
        let mut names = Vec::new();
        if is_hypermarket {
            for group in &self.p.hypermarket.positions {
                names.extend((1..=group.count).map(|n| fill(&group.name, &[("n", &n.to_string())])));
            }
        } else {
            names.extend(self.p.kinds[kind].positions.iter().cloned());
        }
        for place in 0..size {
            let name = names.get(place).cloned().unwrap_or_else(|| format!("{}号机位", place + 1));
            let level = self.level(is_hypermarket);
            self.position(site, name, city, level)?;
        }
        Ok(())
    }

    fn position(&mut self, site: usize, name: String, city: &str, level: f64) -> Result<usize, Error> {
        let next = self.next_terminal.entry(city.to_owned()).or_insert(0);
        *next += 1;
        let sequence = format!("{next:04}");
        let terminal_number = fill(&self.p.numbers.terminal_number, &[("city4", city), ("sequence4", &sequence)]);
        let growth = &self.p.usage.yearly_growth;
        let growth = if self.rng.random_bool(0.5) {
            self.rng.random_range(growth.low..growth.median)
        } else {
            self.rng.random_range(growth.median..growth.high)
        };
        let kind = self.fleet.sites[site].kind;
        self.fleet.positions.push(PositionPlan { site, name, terminal_number, kind, level, growth });
        Ok(self.fleet.positions.len() - 1)
    }

    /// Transactions of an average day: log-normal, so that most shops run a few and some very many.
    fn level(&mut self, is_lane: bool) -> f64 {
        let usage = &self.p.usage;
        // The lanes of the hypermarket, one device in eighteen, are all above P90: of the others
        // only 4.7 % may be, which is the standard normal quantile of 0.953.
        let sigma = (usage.p90_per_day / usage.median_per_day).ln() / 1.675;
        let (median, sigma) =
            if is_lane { (self.p.hypermarket.lane_median_per_day, 0.4) } else { (usage.median_per_day, sigma) };
        let most = usage.top_per_day * if is_lane { 0.8 } else { 0.6 };
        (median * (sigma * normal(&mut self.rng)).exp()).clamp(0.3, most)
    }

    // ---- devices ----

    fn model_for(&mut self, kind: &str, is_lane: bool) -> Result<&'a ModelShare, Error> {
        let role = match kind {
            _ if is_lane => "lane",
            "night_market" => "mobile",
            _ => "till",
        };
        let fitting: Vec<&ModelShare> = self.p.models.iter().filter(|m| m.roles.iter().any(|r| r == role)).collect();
        Ok(pick_by(&mut self.rng, &fitting, |m| m.share)?.1)
    }

    fn model(&self, code: &str) -> Result<&'a ModelShare, Error> {
        self.p.models.iter().find(|m| m.model == code).ok_or_else(|| wrong(format!("there is no model {code}")))
    }

    /// A new device; it gets a serial of its model's form unless one is given.
    fn device(&mut self, model: &ModelShare, serial: Option<&str>, at: DateTime<Utc>) -> Result<usize, Error> {
        let serial_number = match serial {
            Some(serial) => serial.to_owned(),
            None => loop {
                let serial: String = model
                    .serial
                    .chars()
                    .map(|c| if c == '#' { char::from(b'0' + self.rng.random_range(0..10_u8)) } else { c })
                    .collect();
                if self.serials.insert(serial.clone()) {
                    break serial;
                }
            },
        };
        let firmware = pick(&mut self.rng, &model.firmware)?.clone();
        self.fleet.devices.push(DevicePlan {
            model: model.model.clone(),
            serial_number,
            firmware,
            asset_tag: String::new(),
            registered_at: at,
            oddities: Oddities::default(),
        });
        Ok(self.fleet.devices.len() - 1)
    }

    /// A working hour of a day so many days ago.
    fn days_ago(&mut self, days: i64) -> DateTime<Utc> {
        let day = self.today - TimeDelta::days(days);
        let (hour, minute) = (self.rng.random_range(9..17), self.rng.random_range(0..60));
        let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or(NaiveTime::MIN);
        local_to_instant(self.zone, day.and_time(time)).min(self.now - TimeDelta::hours(1))
    }

    fn history_days(&self) -> i64 {
        (self.now - self.start).num_days()
    }

    fn stay(&mut self, device: usize, position: usize, from: DateTime<Utc>, is_in_service: bool) {
        self.fleet.stays.push(Stay { device, position, from, to: None });
        self.fleet.acts.push((from.max(self.start), Act::Install { device, position, is_in_service }));
    }

    fn end_stay(&mut self, device: usize, at: DateTime<Utc>) {
        for stay in self.fleet.stays.iter_mut().filter(|s| s.device == device && s.to.is_none()) {
            stay.to = Some(at);
        }
    }

    /// A device on every position; most since before the history begins.
    fn field_devices(&mut self, scale: &Scale, sizes: &[usize]) -> Result<(), Error> {
        let field = self.fleet.positions.len();
        let installed: usize = self
            .p
            .fleet
            .field_statuses
            .iter()
            .filter(|s| s.status == DeviceStatus::Installed)
            .map(|s| scale.count(s.devices))
            .sum();
        let mut odd = self.odd_positions(sizes);
        let history = self.history_days();
        for position in 0..field {
            if let Some(case) = odd.remove(&position) {
                self.odd_device(position, case)?;
                continue;
            }
            let plan = &self.fleet.positions[position];
            let (kind, is_lane) = (self.p.kinds[plan.kind].code.clone(), self.is_lane(position));
            let model = self.model_for(&kind, is_lane)?;
            // Just installed: the last positions, which stand alone.
            let is_new = position + installed >= field;
            let days = match () {
                () if is_new => self.rng.random_range(1..5),
                () if self.rng.random_bool(0.15) => self.rng.random_range(20..history.max(22)),
                () => history + self.rng.random_range(1..700),
            };
            let from = self.days_ago(days);
            let registered_at = (from - TimeDelta::days(9)).max(self.start);
            let device = self.device(model, None, registered_at)?;
            self.stay(device, position, from, !is_new);
        }
        Ok(())
    }

    fn is_lane(&self, position: usize) -> bool {
        let plan = &self.fleet.positions[position];
        let lanes = self.p.hypermarket.positions.iter().filter(|g| g.role == "lane").map(|g| g.count).sum::<usize>();
        plan.site == 0 && self.fleet.sites[0].name == self.p.hypermarket.site && position < lanes
    }

    fn swap(
        &mut self,
        old: usize,
        new: usize,
        position: usize,
        at: DateTime<Utc>,
        reason: String,
        old_status: DeviceStatus,
    ) {
        self.end_stay(old, at);
        self.fleet.stays.push(Stay { device: new, position, from: at, to: None });
        self.fleet.acts.push((at, Act::Swap { old, new, reason, old_status }));
    }

    fn reason(&self, status: DeviceStatus) -> Option<String> {
        self.p.fleet.other_statuses.iter().find(|s| s.status == status).and_then(|s| s.reason.clone())
    }

    /// Devices that were in the field once: repaired, quarantined, retired and lost ones. Each was
    /// replaced by the one that stands there now. Answers how many found no place to have stood.
    fn replaced(&mut self, others: &BTreeMap<DeviceStatus, usize>, field: usize) -> Result<usize, Error> {
        let history = self.history_days();
        let mut wanted = Vec::new();
        for status in [DeviceStatus::InRepair, DeviceStatus::Quarantined, DeviceStatus::Retired, DeviceStatus::Lost] {
            wanted.extend(std::iter::repeat_n(status, others.get(&status).copied().unwrap_or(0)));
        }
        // The odd swap's old device is one of those in repair.
        if self.fleet.acts.iter().any(|(_, act)| matches!(act, Act::Swap { .. })) {
            wanted.retain({
                let mut is_first = true;
                move |s| *s != DeviceStatus::InRepair || !std::mem::take(&mut is_first)
            });
        }
        // Plain positions whose device came before the history.
        let mut free: Vec<usize> = (0..field)
            .filter(|p| {
                let mut stays = self.fleet.stays.iter().filter(|s| s.position == *p);
                let only = stays.next().filter(|s| s.from < self.start && s.to.is_none());
                only.is_some_and(|s| self.fleet.devices[s.device].registered_at == self.start) && stays.next().is_none()
            })
            .filter(|p| !self.is_odd(*p))
            .collect();
        let mut left_over = 0;
        for status in wanted {
            if free.is_empty() {
                left_over += 1;
                continue;
            }
            let position = free.swap_remove(self.rng.random_range(0..free.len()));
            let Some(stay) = self.fleet.stays.iter().find(|s| s.position == position && s.to.is_none()) else {
                continue;
            };
            let old = stay.device;
            let days = match status {
                DeviceStatus::InRepair => self.rng.random_range(2..40),
                DeviceStatus::Quarantined => self.rng.random_range(2..25),
                _ => self.rng.random_range(30..history.max(60) - 25),
            };
            let at = self.days_ago(days);
            let model = self.model(&self.fleet.devices[old].model.clone())?;
            let new = self.device(model, None, at - TimeDelta::days(6))?;
            let reason = self.reason(status);
            if status == DeviceStatus::Lost {
                self.end_stay(old, at);
                self.fleet.acts.push((at, Act::Become { device: old, status, reason }));
                let again = self.days_ago(days - 5);
                self.stay(new, position, again, true);
            } else {
                self.swap(old, new, position, at, reason.unwrap_or_default(), status);
            }
        }
        Ok(left_over)
    }

    /// Devices of shops that closed for now: they stand beside others.
    fn suspended(&mut self, count: usize, sizes: &[usize]) -> Result<(), Error> {
        let shared: Vec<usize> =
            sizes.iter().enumerate().filter(|(_, size)| **size > 1).map(|(site, _)| site).collect();
        let reason = self.reason(DeviceStatus::Suspended);
        let history = self.history_days();
        for n in 0..count {
            let site =
                shared.get(1 + n % shared.len().saturating_sub(1).max(1)).or(shared.first()).copied().unwrap_or(0);
            let city = self.fleet.sites[site].region_code.chars().take(4).collect::<String>();
            let level = self.level(false);
            let position = self.position(site, format!("停用机位{}", n + 1), &city, level)?;
            let kind = self.p.kinds[self.fleet.positions[position].kind].code.clone();
            let model = self.model_for(&kind, false)?;
            let days = history + self.rng.random_range(30..400);
            let (from, start) = (self.days_ago(days), self.start);
            let device = self.device(model, None, start)?;
            self.stay(device, position, from, true);
            let days = self.rng.random_range(20..90);
            let at = self.days_ago(days);
            let silent = local_date(self.zone, at);
            self.fleet.devices[device].oddities.silent_from = Some(silent);
            self.fleet.acts.push((at, Act::Become { device, status: DeviceStatus::Suspended, reason: reason.clone() }));
        }
        Ok(())
    }

    /// Devices bought lately: in stock, and on their way to a region.
    fn in_store(&mut self, others: &BTreeMap<DeviceStatus, usize>) -> Result<(), Error> {
        // Loaners that came back are in stock as well.
        let is_loaner = |act: &Act| matches!(act, Act::Swap { old_status: DeviceStatus::InStock, .. });
        let loaners = self.fleet.acts.iter().filter(|(_, act)| is_loaner(act)).count();
        let mut odd = self.odd_in_store();
        for status in [DeviceStatus::InStock, DeviceStatus::Ready, DeviceStatus::InTransit] {
            let held = if status == DeviceStatus::InStock { loaners } else { 0 };
            for _ in held..others.get(&status).copied().unwrap_or(0) {
                if let Some(case) = odd.remove(&status) {
                    self.odd_stored(case)?;
                    continue;
                }
                let (_, model) = pick_by(&mut self.rng, &self.p.models, |m| m.share)?;
                let days = self.rng.random_range(7..100);
                let at = self.days_ago(days);
                let device = self.device(model, None, at)?;
                if status != DeviceStatus::InStock {
                    let days = self.rng.random_range(1..6);
                    let at = self.days_ago(days);
                    let reason = self.reason(status);
                    self.fleet.acts.push((at, Act::Become { device, status, reason }));
                }
            }
        }
        Ok(())
    }

    /// Plain devices that stand on the first positions now.
    fn plain(&self, field: usize) -> Vec<usize> {
        let odd = odd_serials(&self.p.odd_cases);
        self.fleet
            .stays
            .iter()
            .filter(|s| s.to.is_none() && s.position < field && s.from < self.start)
            .map(|s| s.device)
            .filter(|d| !odd.contains(&self.fleet.devices[*d].serial_number))
            .collect()
    }

    /// Devices nobody has heard of for a month or more.
    fn silence(&mut self, field: usize) {
        let silent = &self.p.usage.silent;
        let (share, days) = (silent.share, silent.days);
        let count = (field as f64 * share).round() as usize;
        let mut plain = self.plain(field);
        for _ in 0..count.min(plain.len()) {
            let device = plain.swap_remove(self.rng.random_range(0..plain.len()));
            let ago = self.rng.random_range(days + 1..days * 5);
            self.fleet.devices[device].oddities.silent_from = self.today.checked_sub_days(Days::new(ago as u64));
        }
    }

    /// Counters that begin again, and gaps in what is reported.
    fn rare_readings(&mut self, scale: &Scale, field: usize) {
        let anomalies = &self.p.usage.anomalies;
        let (resets, gaps, gap_days) = (
            scale.count(anomalies.resets),
            scale.count(anomalies.gaps),
            (anomalies.gap_days.low, anomalies.gap_days.high),
        );
        let history = self.history_days();
        let mut plain = self.plain(field);
        plain.retain(|d| self.fleet.devices[*d].oddities.silent_from.is_none());
        for n in 0..(resets + gaps).min(plain.len()) {
            let device = plain.swap_remove(self.rng.random_range(0..plain.len()));
            let ago = self.rng.random_range(30..history.max(62) - 30);
            let on = self.today - TimeDelta::days(ago);
            let oddities = &mut self.fleet.devices[device].oddities;
            if n < resets {
                oddities.reset_on = Some(on);
            } else {
                oddities.gap = Some((on, on + TimeDelta::days(self.rng.random_range(gap_days.0..=gap_days.1))));
            }
        }
    }

    /// Plain devices of which nothing else is odd, with the positions they stand at.
    fn ordinary(&self, field: usize) -> Vec<(usize, usize)> {
        let plain = self.plain(field);
        let is_ordinary = |device: usize| {
            let odd = &self.fleet.devices[device].oddities;
            odd.silent_from.is_none() && odd.gap.is_none() && odd.reset_on.is_none()
        };
        let stays = self.fleet.stays.iter().filter(|s| s.to.is_none() && plain.contains(&s.device));
        stays.filter(|s| is_ordinary(s.device)).map(|s| (s.device, s.position)).collect()
    }

    /// Devices of the model with firmware targets that report every hour; none where another target
    /// counts.
    fn hourly(&mut self, scale: &Scale, field: usize) {
        let watched = self.fleet.watches.iter().filter(|w| w.case.is_hourly).map(|w| w.device);
        let mut hourly: Vec<usize> = watched.collect();
        let wanted = scale.count(self.p.usage.hourly.devices);
        let of_model = self.ordinary(field).into_iter().filter(|(device, position)| {
            self.fleet.devices[*device].model == self.p.firmware.model && !self.is_exception(*position)
        });
        hourly.extend(of_model.take(wanted).map(|(device, _)| device));
        self.fleet.hourly = hourly;
    }

    /// Whether a firmware target of its own counts at a position.
    fn is_exception(&self, position: usize) -> bool {
        let region = &self.fleet.sites[self.fleet.positions[position].site].region_code;
        self.p.firmware.exception.region_codes.iter().any(|code| region.starts_with(code.as_str()))
    }

    /// Devices at which the day without the host is seen, spread over those that are used enough.
    fn outage(&mut self, scale: &Scale, field: usize) {
        let outage = &self.p.usage.outage;
        let busy: Vec<usize> = self
            .ordinary(field)
            .into_iter()
            .filter(|(device, position)| {
                self.fleet.positions[*position].level >= outage.least_per_day && !self.fleet.hourly.contains(device)
            })
            .map(|(device, _)| device)
            .collect();
        let wanted = scale.count(outage.devices).min(busy.len());
        self.fleet.outage = (0..wanted).map(|n| busy[n * busy.len() / wanted]).collect();
    }
}

/// A place within a kilometre or two.
fn around(rng: &mut StdRng, degrees: f64) -> f64 {
    ((degrees + 0.012 * normal(rng)) * 100_000.0).round() / 100_000.0
}
