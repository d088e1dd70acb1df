//! How devices are used, for who plans or shows it: what was chosen at night, brought up to the day of
//! the last reading; for a device that waits for its first night, chosen on the spot.

use super::daily::DayMap;
use super::fit_store;
use super::forecast::{DailySeries, FleetYear, Holidays, Pool, fit};
use super::hours::HourProfile;
use super::model::{MeterKey, MeterState, UsagePattern};
use super::series_store;
use super::store::{self, DeviceFacts, days_of, first_full_day, last_full_day};
use crate::catalogue::model::MeterKind;
use crate::catalogue::store as catalogue_store;
use crate::db::StoreResult;
use crate::kernel::ids::DeviceId;
use crate::kernel::scope::Scope;
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use sea_orm::ConnectionTrait;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Days after which a fit is too old to be read: a week of nights was missed.
const FIT_DAYS: i64 = 7;
/// Days looked back at for a device that has no fit yet: the longest window but one.
const SPOT_DAYS: u64 = 190;

/// What a fleet has in common, ready to be used.
#[derive(Clone, Debug, Default)]
pub struct Common {
    /// As it was published.
    pub pool: Pool,
    /// Its level day by day.
    pub year: FleetYear,
}

impl Common {
    /// Readies a pool.
    pub fn of(pool: Pool) -> Self {
        Self { year: FleetYear::of(&pool), pool }
    }
}

/// The holidays of each country.
#[derive(Clone, Debug, Default)]
pub struct HolidaysByCountry {
    known: HashMap<String, Arc<Holidays>>,
    none: Arc<Holidays>,
}

impl HolidaysByCountry {
    /// Those that bind a device: its site's country's.
    pub fn of(&self, facts: &DeviceFacts, device: DeviceId) -> &Arc<Holidays> {
        facts.country(device).and_then(|country| self.known.get(country)).unwrap_or(&self.none)
    }
}

/// All holidays there are, by country; one statement. Working days that were moved are none.
pub async fn holidays(db: &impl ConnectionTrait) -> StoreResult<HolidaysByCountry> {
    let mut days: HashMap<String, Vec<(NaiveDate, String)>> = HashMap::new();
    for holiday in catalogue_store::holidays(db).await?.into_iter().filter(|h| !h.is_working_day) {
        let name = format!("{} {}", holiday.country, holiday.name.en);
        days.entry(holiday.country).or_default().push((holiday.date, name));
    }
    let known = days.into_iter().map(|(country, days)| (country, Arc::new(Holidays::of(days)))).collect();
    Ok(HolidaysByCountry { known, none: Arc::default() })
}

/// The days that are known from begin to end; none without readings.
fn full_days(facts: &DeviceFacts, state: &MeterState) -> (NaiveDate, NaiveDate) {
    let zone = facts.zone(state.device_id);
    (first_full_day(zone, state.first_at), last_full_day(zone, state.latest_at))
}

/// How these devices are used, in the order asked; none for a meter the model does not have.
///
/// Only days that are covered from begin to end speak: the day of the first reading does not.
/// `states` are those of the meters asked for.
pub async fn patterns(
    db: &impl ConnectionTrait,
    scope: &Scope,
    keys: &[MeterKey],
    states: &[Option<MeterState>],
) -> StoreResult<Vec<Option<UsagePattern>>> {
    let devices: BTreeSet<DeviceId> = keys.iter().map(|(device, _)| *device).collect();
    let facts = store::device_facts(db, scope, &devices.into_iter().collect::<Vec<_>>()).await?;
    let mut known: HashMap<&MeterKey, UsagePattern> = HashMap::new();
    // The same meter may be asked for twice.
    let mut waiting: HashMap<&MeterKey, Option<&MeterState>> = HashMap::new();
    let fits = fit_store::fits(db, scope, keys).await?;
    for ((key, state), fit) in keys.iter().zip(states).zip(fits) {
        if !facts.specs.contains_key(key) {
            continue;
        }
        let through = state.as_ref().map(|state| full_days(&facts, state).1);
        // A closure may have ended on any day since.
        let most = |fit: &UsagePattern| if fit.closure.is_some() { 0 } else { FIT_DAYS };
        match (fit, through) {
            (Some(stored), Some(through))
                if (0..=most(&stored.fit)).contains(&(through - stored.fitted_through).num_days()) =>
            {
                known.insert(key, UsagePattern { as_of: through, ..stored.fit });
            }
            _ => {
                waiting.insert(key, state.as_ref());
            }
        }
    }
    for (key, pattern) in on_the_spot(db, scope, &facts, &waiting).await? {
        known.insert(key, pattern);
    }
    Ok(keys.iter().map(|key| known.get(key).cloned()).collect())
}

/// How busy devices are in each hour of their week, in the order asked: as it was kept at night, and for
/// those for which nobody looked yet, by their readings until now. None for gauges, and where readings
/// do not say.
pub async fn hour_profiles(
    db: &impl ConnectionTrait,
    scope: &Scope,
    keys: &[MeterKey],
    now: DateTime<Utc>,
) -> StoreResult<Vec<Option<HourProfile>>> {
    let kept = fit_store::hour_profiles(db, scope, keys).await?;
    let waiting = keys.iter().zip(&kept).filter(|(_, kept)| kept.is_none());
    let mut waiting: Vec<MeterKey> = waiting.map(|(key, _)| key.clone()).collect();
    let mut found: HashMap<MeterKey, HourProfile> = HashMap::new();
    if !waiting.is_empty() {
        let devices: BTreeSet<DeviceId> = waiting.iter().map(|(device, _)| *device).collect();
        let facts = store::device_facts(db, scope, &devices.into_iter().collect::<Vec<_>>()).await?;
        waiting.retain(|(_, code)| facts.meters.get(code).is_some_and(|meter| meter.kind == MeterKind::Counter));
        let profiles = series_store::hour_profiles(db, scope, &facts, &waiting, now).await?;
        found.extend(waiting.into_iter().zip(profiles).filter_map(|(key, profile)| Some((key, profile?))));
    }
    Ok(keys.iter().zip(kept).map(|(key, kept)| kept.unwrap_or_else(|| found.get(key).cloned())).collect())
}

/// Chooses for devices that have no fit, or only an old one.
async fn on_the_spot<'a>(
    db: &impl ConnectionTrait,
    scope: &Scope,
    facts: &DeviceFacts,
    waiting: &HashMap<&'a MeterKey, Option<&MeterState>>,
) -> StoreResult<Vec<(&'a MeterKey, UsagePattern)>> {
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let mut keys: Vec<MeterKey> = waiting.keys().map(|key| (*key).clone()).collect();
    keys.sort_unstable();
    let codes: BTreeSet<&str> = keys.iter().map(|(_, code)| code.as_str()).collect();
    let pools = fit_store::latest_pools(db, scope, &codes.into_iter().collect::<Vec<_>>()).await?;
    let commons: HashMap<String, Common> =
        pools.into_iter().map(|(code, stored)| (code, Common::of(stored.pool))).collect();
    let holidays = holidays(db).await?;
    let earliest = waiting.values().flatten().map(|state| full_days(facts, state).1).min();
    let from_year = earliest.and_then(|day| day.checked_sub_days(Days::new(SPOT_DAYS))).map_or(i32::MAX, |d| d.year());
    let days = days_of(db, scope, &keys, from_year).await?;
    let (nothing, alone) = (DayMap::new(), Common::default());
    let mut found = Vec::with_capacity(waiting.len());
    for (key, state) in waiting {
        let (Some(spec), Some(group)) = (facts.specs.get(*key), facts.group(key.0)) else { continue };
        let Common { pool, year } = commons.get(&key.1).unwrap_or(&alone);
        // A device that was never read is as unknown on the pool's last day as on any other.
        let (first, last) = state.map_or((pool.through, pool.through), |state| full_days(facts, state));
        let first = first.max(last.checked_sub_days(Days::new(SPOT_DAYS)).unwrap_or(first));
        let series = DailySeries::of(days.get(*key).unwrap_or(&nothing), first, last);
        let binding = holidays.of(facts, key.0);
        let pattern = fit(&series, pool, year, group, binding, spec.planning_per_day);
        let as_of = if state.is_some() { last } else { NaiveDate::MIN };
        found.push((*key, UsagePattern { as_of, ..pattern }));
    }
    Ok(found)
}
