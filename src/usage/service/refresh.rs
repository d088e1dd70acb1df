//! The nightly refresh: chooses for each device and meter what its forecasts rest on, and keeps it.
//!
//! By day everybody only reads what was chosen. A run learns what the fleet has in common (the pool),
//! publishes it as a new version where it changed, and then looks, in slices, at the meters that were
//! read since their fit was made or whose pool has a newer version. Only devices whose choice comes
//! out different are marked for the planner, so that a night costs what changed.

use super::UsageService;
use crate::catalogue::model::MeterKind;
use crate::catalogue::store as catalogue_store;
use crate::db::{StoreError, StoreResult};
use crate::kernel::call::Call;
use crate::kernel::ids::DeviceId;
use crate::kernel::scope::Scope;
use crate::kernel::subject::SubjectKind;
use crate::usage::fit_store::{self, StoredFit, StoredPool};
use crate::usage::forecast::{DailySeries, Group, Holidays, Learner, MAX_DAYS, Pool, fit};
use crate::usage::hours::{self, HourProfile, USE_METER};
use crate::usage::model::{MeterKey, MeterState, UsagePattern};
use crate::usage::pattern_store::{self, Common, HolidaysByCountry};
use crate::usage::series_store;
use crate::usage::store::{self, DeviceFacts, first_full_day, last_full_day};
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

/// Device-meters looked at between two changes, and written in one.
const SLICE: usize = 500;
/// Devices a pool is learned from at most.
const SAMPLE: usize = 2_000;
/// Keys listed at a time when devices to learn from are picked.
const LISTED: usize = 10_000;
/// Days after which hours of the week are looked for anew.
const HOURS_DAYS: i64 = 7;
/// Years that a series may reach back.
const YEARS: i32 = 4;

/// What one refresh did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refreshed {
    /// New versions of what the fleet has in common.
    pub pools_published: u64,
    /// Choices that are new, or other than before.
    pub fits_written: u64,
    /// Choices of meters that have no readings any more.
    pub fits_removed: u64,
    /// Hours of the week that are new, or other than before.
    pub profiles_written: u64,
    /// Devices the planner is to look at.
    pub devices_marked: u64,
    /// Meters of devices that were looked at.
    pub series_looked_at: u64,
}

/// Runs what takes long beside the threads that serve requests.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> StoreResult<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| StoreError::Other(Box::new(e)))
}

/// A stable draw: the random half of a UUIDv7.
fn draw(device: DeviceId) -> (u64, DeviceId) {
    (device.0.as_u64_pair().1, device)
}

/// What one device and meter is fitted with.
struct Asked {
    series: DailySeries,
    group: Group,
    holidays: Arc<Holidays>,
    common: Arc<Common>,
    planning_per_day: f64,
}

impl Asked {
    fn fit(&self) -> UsagePattern {
        let Common { pool, year } = &*self.common;
        fit(&self.series, pool, year, &self.group, &self.holidays, self.planning_per_day)
    }
}

/// What was found for one device and meter.
struct Found {
    row: StoredFit,
    is_fit_new: bool,
    is_profile_new: bool,
}

impl UsageService {
    /// Chooses anew what forecasts rest on, for the meters that changed: see [`Refreshed`]. Safe to
    /// repeat: a second run right after the first writes nothing and marks nobody.
    ///
    /// Works in short changes. What is read while it runs is left to the next run.
    ///
    /// # Errors
    /// Storage only.
    pub async fn refresh_forecasts(&self, call: &Call) -> StoreResult<Refreshed> {
        let mut done = Refreshed::default();
        let mut marked: HashSet<DeviceId> = HashSet::new();
        self.remove_orphans(call, &mut done, &mut marked).await?;
        let counters: Vec<String> = catalogue_store::meters(self.db.reader(), &call.scope)
            .await?
            .into_iter()
            .filter(|m| m.kind == MeterKind::Counter)
            .map(|m| m.code)
            .collect();
        let holidays = pattern_store::holidays(self.db.reader()).await?;
        let pools = self.refresh_pools(call, &counters, &holidays, &mut done, &mut marked).await?;
        if !pools.is_empty() {
            self.refresh_fits(call, &pools, &holidays, &mut done, &mut marked).await?;
        }
        done.devices_marked = marked.len() as u64;
        Ok(done)
    }

    /// Takes out what was chosen for meters whose readings went to another device.
    async fn remove_orphans(
        &self,
        call: &Call,
        done: &mut Refreshed,
        marked: &mut HashSet<DeviceId>,
    ) -> StoreResult<()> {
        loop {
            let devices = fit_store::orphans(self.db.reader(), &call.scope, SLICE as u64).await?;
            if devices.is_empty() {
                return Ok(());
            }
            let tx = self.db.begin(call).await?;
            let removed = fit_store::remove_orphans(tx.conn(), tx.scope(), &devices).await?;
            tx.mark(devices.iter().map(|d| (SubjectKind::Device, d.0)), self.ids.uuid(call.now));
            tx.commit().await?;
            done.fits_removed += removed;
            marked.extend(devices);
            // Read again meanwhile: they are no orphans any more.
            if removed == 0 {
                return Ok(());
            }
        }
    }

    /// The pool of each meter that was ever read, learned anew and published where it changed.
    async fn refresh_pools(
        &self,
        call: &Call,
        counters: &[String],
        holidays: &HolidaysByCountry,
        done: &mut Refreshed,
        marked: &mut HashSet<DeviceId>,
    ) -> StoreResult<HashMap<String, (i64, Arc<Common>)>> {
        let (db, scope) = (self.db.reader(), &call.scope);
        let codes: Vec<&str> = counters.iter().map(String::as_str).collect();
        let samples = self.samples(scope, &codes).await?;
        let mut latest = fit_store::latest_pools(db, scope, &codes).await?;
        let mut pools = HashMap::new();
        for (meter, devices) in samples {
            let (pool, device_count) = self.learn(scope, &meter, &devices, holidays).await?;
            let known = latest.remove(&meter);
            if let Some(known) = known.as_ref().filter(|known| !pool.differs(&known.pool)) {
                pools.insert(meter, (known.version, Arc::new(Common::of(known.pool.clone()))));
                continue;
            }
            let stored = StoredPool {
                meter_code: meter,
                version: known.map_or(1, |known| known.version + 1),
                published_at: call.now,
                device_count,
                pool,
            };
            let tx = self.db.begin(call).await?;
            fit_store::publish_pools(tx.conn(), tx.scope(), std::slice::from_ref(&stored)).await?;
            tx.commit().await?;
            done.pools_published += 1;
            self.mark_unread(call, &stored.meter_code, marked).await?;
            pools.insert(stored.meter_code, (stored.version, Arc::new(Common::of(stored.pool))));
        }
        Ok(pools)
    }

    /// Marks, in slices, the devices that go by a pool alone because they were never read.
    async fn mark_unread(&self, call: &Call, meter: &str, marked: &mut HashSet<DeviceId>) -> StoreResult<()> {
        let mut after: Option<DeviceId> = None;
        loop {
            let page = fit_store::unread_page(self.db.reader(), &call.scope, meter, after, SLICE as u64).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(*last);
            let tx = self.db.begin(call).await?;
            tx.mark(page.iter().map(|d| (SubjectKind::Device, d.0)), self.ids.uuid(call.now));
            tx.commit().await?;
            marked.extend(page);
        }
    }

    /// The devices each meter's pool is learned from, by meter code: the same ones every night, but for
    /// a few when devices come.
    async fn samples(&self, scope: &Scope, codes: &[&str]) -> StoreResult<BTreeMap<String, Vec<DeviceId>>> {
        let mut drawn: BTreeMap<String, BinaryHeap<(u64, DeviceId)>> = BTreeMap::new();
        let mut after: Option<MeterKey> = None;
        loop {
            let page = fit_store::keys_page(self.db.reader(), scope, codes, after.as_ref(), LISTED as u64).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            for (device, code) in page {
                let lowest = drawn.entry(code).or_default();
                lowest.push(draw(device));
                if lowest.len() > SAMPLE {
                    lowest.pop();
                }
            }
        }
        let devices = |lowest: BinaryHeap<(u64, DeviceId)>| lowest.into_iter().map(|(_, device)| device);
        // In the order of ids: a draw must not decide in which order sums are made.
        let sorted = |lowest| devices(lowest).collect::<BTreeSet<_>>().into_iter().collect();
        Ok(drawn.into_iter().map(|(code, lowest)| (code, sorted(lowest))).collect())
    }

    /// What these devices have in common, and how many of them had anything to say.
    async fn learn(
        &self,
        scope: &Scope,
        meter: &str,
        devices: &[DeviceId],
        holidays: &HolidaysByCountry,
    ) -> StoreResult<(Pool, usize)> {
        let db = self.db.reader();
        let (mut learner, mut count) = (Learner::new(), 0);
        for chunk in devices.chunks(SLICE) {
            let keys: Vec<MeterKey> = chunk.iter().map(|device| (*device, meter.to_owned())).collect();
            let states: Vec<MeterState> = store::meter_states(db, scope, &keys).await?.into_iter().flatten().collect();
            let facts = store::device_facts(db, scope, chunk).await?;
            let series = self.series_of(scope, &facts, &states).await?;
            let with_group: Vec<(DailySeries, Group, Arc<Holidays>)> = states
                .iter()
                .zip(series)
                .filter(|(_, series)| !series.units.is_empty())
                .filter_map(|(state, series)| {
                    let device = state.device_id;
                    Some((series, facts.group(device)?.clone(), holidays.of(&facts, device).clone()))
                })
                .collect();
            count += with_group.len();
            learner = beside(move || {
                for (series, group, holidays) in with_group {
                    learner.add(series, &group, &holidays);
                }
                learner
            })
            .await?;
        }
        Ok((beside(move || learner.finish()).await?, count))
    }

    /// The days of these meters, in their order.
    async fn series_of(
        &self,
        scope: &Scope,
        facts: &DeviceFacts,
        states: &[MeterState],
    ) -> StoreResult<Vec<DailySeries>> {
        let keys: Vec<MeterKey> = states.iter().map(key_of).collect();
        let from_year = states.iter().map(|s| s.latest_at.year()).min().map_or(i32::MAX, |year| year - YEARS - 1);
        let days = store::days_of(self.db.reader(), scope, &keys, from_year).await?;
        let series = states.iter().zip(&keys).map(|(state, key)| {
            let zone = facts.zone(state.device_id);
            let (first, last) = (first_full_day(zone, state.first_at), last_full_day(zone, state.latest_at));
            let last = last.max(first.pred_opt().unwrap_or(first));
            let series = days.get(key).map(|days| DailySeries::of(days, first, last).tail(MAX_DAYS));
            series.unwrap_or(DailySeries { first, units: vec![], estimated: vec![] })
        });
        Ok(series.collect())
    }

    /// Fits the meters that are not up to date, slice by slice.
    async fn refresh_fits(
        &self,
        call: &Call,
        pools: &HashMap<String, (i64, Arc<Common>)>,
        holidays: &HolidaysByCountry,
        done: &mut Refreshed,
        marked: &mut HashSet<DeviceId>,
    ) -> StoreResult<()> {
        let versions: BTreeMap<String, i64> =
            pools.iter().map(|(code, (version, _))| (code.clone(), *version)).collect();
        let hours_before = call.now - TimeDelta::days(HOURS_DAYS);
        let mut after: Option<MeterKey> = None;
        loop {
            let (db, scope) = (self.db.reader(), &call.scope);
            let stale = fit_store::stale_page(db, scope, &versions, hours_before, after.as_ref(), SLICE as u64).await?;
            let Some(last) = stale.last() else { return Ok(()) };
            after = Some(key_of(last));
            done.series_looked_at += stale.len() as u64;
            // Read and chosen before the change begins: on SQLite everybody waits for a writer.
            let found = self.choose(call, pools, holidays, stale, hours_before).await?;
            let changed: BTreeSet<DeviceId> =
                found.iter().filter(|f| f.is_fit_new || f.is_profile_new).map(|f| f.row.key.0).collect();
            done.fits_written += found.iter().filter(|f| f.is_fit_new).count() as u64;
            done.profiles_written += found.iter().filter(|f| f.is_profile_new).count() as u64;
            let rows: Vec<StoredFit> = found.into_iter().map(|f| f.row).collect();
            let tx = self.db.begin(call).await?;
            fit_store::upsert_fits(tx.conn(), tx.scope(), &rows).await?;
            if !changed.is_empty() {
                tx.mark(changed.iter().map(|d| (SubjectKind::Device, d.0)), self.ids.uuid(call.now));
            }
            tx.commit().await?;
            marked.extend(changed);
        }
    }

    /// What is to be kept of these meters.
    async fn choose(
        &self,
        call: &Call,
        pools: &HashMap<String, (i64, Arc<Common>)>,
        holidays: &HolidaysByCountry,
        states: Vec<MeterState>,
        hours_before: DateTime<Utc>,
    ) -> StoreResult<Vec<Found>> {
        let (db, scope) = (self.db.reader(), &call.scope);
        let keys: Vec<MeterKey> = states.iter().map(key_of).collect();
        let devices: BTreeSet<DeviceId> = keys.iter().map(|(device, _)| *device).collect();
        let facts = store::device_facts(db, scope, &devices.into_iter().collect::<Vec<_>>()).await?;
        let known = fit_store::fits(db, scope, &keys).await?;
        let series = self.series_of(scope, &facts, &states).await?;
        let mut profiles = self.new_profiles(call, &facts, &states, &known, hours_before).await?;
        let asked: Vec<Option<Asked>> = keys
            .iter()
            .zip(series)
            .map(|(key, series)| {
                Some(Asked {
                    series,
                    group: facts.group(key.0)?.clone(),
                    holidays: holidays.of(&facts, key.0).clone(),
                    common: pools.get(&key.1)?.1.clone(),
                    planning_per_day: facts.specs.get(key)?.planning_per_day,
                })
            })
            .collect();
        let fits: Vec<Option<UsagePattern>> =
            beside(move || asked.iter().map(|asked| asked.as_ref().map(Asked::fit)).collect()).await?;
        let mut found = Vec::with_capacity(states.len());
        for ((state, known), (key, fit)) in states.iter().zip(known).zip(keys.into_iter().zip(fits)) {
            let (Some(fit), Some((version, _))) = (fit, pools.get(&key.1)) else { continue };
            let (was_fit, was_hours, was_as_of) = match known {
                Some(known) => (Some(known.fit), known.hours, known.hours_as_of),
                None => (None, None, None),
            };
            let looked = profiles.remove(&key);
            let hours_as_of = if looked.is_some() { Some(call.now) } else { was_as_of };
            // What changed a little stays as it was: otherwise many small steps would never be told.
            let new = looked.filter(|new| hours::differs(was_hours.as_ref(), new.as_ref()));
            let is_profile_new = new.is_some();
            let row = StoredFit {
                fitted_through: last_full_day(facts.zone(state.device_id), state.latest_at),
                source_updated_at: state.updated_at,
                pool_version: *version,
                hours: new.unwrap_or(was_hours),
                hours_as_of,
                updated_at: call.now,
                fit,
                key,
            };
            found.push(Found { is_fit_new: was_fit.as_ref() != Some(&row.fit), is_profile_new, row });
        }
        Ok(found)
    }

    /// The hours of the week of those meters whose turn it is; the value is none where the readings do
    /// not say.
    async fn new_profiles(
        &self,
        call: &Call,
        facts: &DeviceFacts,
        states: &[MeterState],
        known: &[Option<StoredFit>],
        hours_before: DateTime<Utc>,
    ) -> StoreResult<HashMap<MeterKey, Option<HourProfile>>> {
        let is_due = |state: &MeterState, known: Option<&StoredFit>| {
            let as_of = known.and_then(|known| known.hours_as_of);
            state.meter_code == USE_METER && as_of.is_none_or(|at| at <= hours_before && at < state.updated_at)
        };
        let keys: Vec<MeterKey> = states
            .iter()
            .zip(known)
            .filter(|(state, known)| is_due(state, known.as_ref()))
            .map(|(state, _)| key_of(state))
            .collect();
        let found = series_store::hour_profiles(self.db.reader(), &call.scope, facts, &keys, call.now).await?;
        Ok(keys.into_iter().zip(found).collect())
    }
}

fn key_of(state: &MeterState) -> MeterKey {
    (state.device_id, state.meter_code.clone())
}
