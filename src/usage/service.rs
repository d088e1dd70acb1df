//! Use cases of usage: taking readings in.

use super::daily::{self, DayMap};
use super::error::Error;
use super::life::{self, LifeState, MeterSpec};
use super::model::*;
use super::store::{self, MeterKey};
use crate::catalogue::model::{Meter, MeterKind};
use crate::db::tx::Tx;
use crate::db::{Db, StoreResult};
use crate::kernel::calendar::{check_instant, local_date};
use crate::kernel::call::Call;
use crate::kernel::code::Code;
use crate::kernel::ids::{DeviceId, Ids};
use crate::kernel::scope::Scope;
use crate::kernel::subject::SubjectKind;
use crate::registry::file::{DeviceFile, EventKind, NewEvent};
use crate::registry::marks;
use crate::registry::model::{DeviceRef, ResolveError};
use crate::registry::service::resolve_many;
use crate::registry::store as registry_store;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Readings one request takes (API contract).
pub const MAX_READINGS: usize = 5_000;
/// How far a device's clock may be ahead.
const SKEW: TimeDelta = TimeDelta::minutes(10);
/// How long raw readings are kept: five years.
const RETENTION: TimeDelta = TimeDelta::days(5 * 366);

/// One reading as it comes in.
#[derive(Clone, Debug)]
pub struct ReadingInput {
    /// The device, at the time of the reading.
    pub device: DeviceRef,
    /// Meter code.
    pub meter: String,
    /// In the meter's unit.
    pub value: f64,
    /// Device time.
    pub read_at: DateTime<Utc>,
}

/// What is wrong with one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowIssue {
    /// Place in the request, from 0.
    pub row: usize,
    /// What kind of problem.
    pub code: Code,
    /// What is wrong and what to do.
    pub message: String,
    /// Kept aside rather than refused.
    pub is_kept: bool,
}

/// What became of the readings of one request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// New readings that count.
    pub accepted_count: usize,
    /// Readings that were there already.
    pub duplicate_count: usize,
    /// Readings kept aside or refused, by row.
    pub rejected: Vec<RowIssue>,
}

/// Readings, life counters and patterns.
pub struct UsageService {
    db: Db,
    ids: Arc<Ids>,
    file: Arc<DeviceFile>,
}

/// The new readings of one meter, with the rows they came from.
type Incoming = BTreeMap<Reading, usize>;

/// What the readings of one request change.
#[derive(Default)]
struct Writes {
    readings: Vec<(MeterKey, FoldedReading)>,
    states: Vec<MeterState>,
    days: Vec<(MeterKey, DayMap)>,
    events: Vec<NewEvent>,
    anomalies: BTreeSet<(MeterKey, &'static str, chrono::NaiveDate)>,
}

impl UsageService {
    /// Builds the service.
    pub fn new(db: Db, ids: Arc<Ids>, file: Arc<DeviceFile>) -> Self {
        Self { db, ids, file }
    }

    /// Meters of devices that were ever read.
    pub async fn meters_of(&self, scope: &Scope, devices: &[DeviceId]) -> StoreResult<Vec<MeterState>> {
        store::meters_of(self.db.reader(), scope, devices).await
    }

    /// How devices are used, in the order asked.
    pub async fn patterns(&self, scope: &Scope, keys: &[MeterKey]) -> StoreResult<Vec<Option<UsagePattern>>> {
        store::patterns(self.db.reader(), scope, keys).await
    }

    /// Takes readings in, in any order. Good rows are kept, bad ones answered with the reason.
    ///
    /// # Errors
    /// None or too many readings, an idempotency key with other input.
    pub async fn record_readings(&self, call: &Call, inputs: &[ReadingInput]) -> Result<Recorded, Error> {
        if inputs.is_empty() {
            return Err(Error::Nothing);
        }
        if inputs.len() > MAX_READINGS {
            return Err(Error::TooMany { given: inputs.len(), max: MAX_READINGS });
        }
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let mut recorded = Recorded::default();
        let incoming = self.admit(&tx, inputs, &mut recorded).await?;
        self.take_in(&tx, incoming, &mut recorded).await?;
        recorded.rejected.sort_by_key(|r| r.row);
        tx.finish(&recorded).await?;
        Ok(recorded)
    }

    /// Resolves devices and checks values; what is wrong is answered by row.
    async fn admit(&self, tx: &Tx, inputs: &[ReadingInput], recorded: &mut Recorded) -> StoreResult<BTreeMap<MeterKey, Incoming>> {
        let refs: Vec<(DeviceRef, DateTime<Utc>)> = inputs.iter().map(|r| (r.device.clone(), r.read_at)).collect();
        let resolved = resolve_many(tx.conn(), tx.scope(), &refs).await?;
        let mut devices: Vec<DeviceId> = resolved.iter().filter_map(|r| r.as_ref().ok().copied()).collect();
        devices.sort_unstable();
        devices.dedup();
        let (specs, meters) = store::specs(tx.conn(), tx.scope(), &devices).await?;
        let mut incoming: BTreeMap<MeterKey, Incoming> = BTreeMap::new();
        for (row, (input, device)) in inputs.iter().zip(resolved).enumerate() {
            let mut refuse = |code: Code, message: String| {
                recorded.rejected.push(RowIssue { row, code, message, is_kept: false });
            };
            let device = match device {
                Ok(device) => device,
                Err(e @ ResolveError::Ambiguous { .. }) => {
                    refuse(Code::Ambiguous, e.to_string());
                    continue;
                }
                Err(e) => {
                    refuse(Code::NotFound, e.to_string());
                    continue;
                }
            };
            let key = (device, input.meter.clone());
            let Some(meter) = meters.get(&input.meter).filter(|_| specs.contains_key(&key)) else {
                let code: String = input.meter.chars().take(64).collect();
                refuse(Code::UnknownMeter, format!("this device's model has no meter {code}; correct the code or add the meter to the model"));
                continue;
            };
            if let Err(e) = check_instant(input.read_at) {
                refuse(Code::InvalidInstant, format!("readAt {e}"));
                continue;
            }
            match meter.to_units(input.value) {
                Ok(value) => {
                    incoming.entry(key).or_default().entry(Reading { read_at: input.read_at, value }).or_insert(row);
                }
                Err(e) => refuse(Code::InvalidNumber, format!("value {e}")),
            }
        }
        let kept: usize = incoming.values().map(BTreeMap::len).sum();
        recorded.duplicate_count = inputs.len() - recorded.rejected.len() - kept;
        Ok(incoming)
    }

    /// Folds the new readings into what is stored and writes what changes.
    async fn take_in(&self, tx: &Tx, mut incoming: BTreeMap<MeterKey, Incoming>, recorded: &mut Recorded) -> StoreResult<()> {
        let (db, scope, now) = (tx.conn(), tx.scope(), tx.now());
        if incoming.is_empty() {
            return Ok(());
        }
        let keys: Vec<MeterKey> = incoming.keys().cloned().collect();
        let mut devices: Vec<DeviceId> = keys.iter().map(|(d, _)| *d).collect();
        devices.dedup();
        self.file.lock(tx, &devices).await?;
        let (specs, meters) = store::specs(db, scope, &devices).await?;
        let zones = store::zones(db, scope, &devices).await?;
        let states: HashMap<MeterKey, MeterState> = keys
            .iter()
            .cloned()
            .zip(store::meter_states(db, scope, &keys).await?)
            .filter_map(|(k, s)| s.map(|s| (k, s)))
            .collect();
        // Readings that only continue what is known need nothing but the state; all others are
        // folded again from the first.
        let (slow, fast): (Vec<MeterKey>, Vec<MeterKey>) = keys.into_iter().partition(|key| {
            let first = incoming.get(key).and_then(|i| i.keys().next()).map(|r| r.read_at);
            match (states.get(key), first) {
                (Some(state), Some(first)) => !state.is_settled || first <= state.last_row_at,
                _ => false,
            }
        });
        let mut known = store::readings_of(db, scope, &slow).await?;
        let earliest = fast.iter().filter_map(|k| states.get(k)).map(|s| s.latest_at).min();
        let from_year = earliest.map_or(2100, |at| chrono::Datelike::year(&(at - TimeDelta::days(1))));
        let mut old_days = store::days_of(db, scope, &fast, from_year).await?;
        let mut writes = Writes::default();
        let mut seen: HashMap<DeviceId, DateTime<Utc>> = HashMap::new();
        for key in fast.into_iter().chain(slow) {
            let (Some(spec), Some(meter), Some(mut new)) = (specs.get(&key), meters.get(&key.1), incoming.remove(&key)) else { continue };
            let spec = MeterSpec { is_counter: meter.kind == MeterKind::Counter, modulus: spec.modulus, max_per_day: spec.max_per_day };
            let zone = zones.get(&key.0).copied().unwrap_or(Tz::UTC);
            let before = known.remove(&key);
            let mut aside = Vec::new();
            new.retain(|reading, row| {
                let (disposition, problem) = if reading.read_at > now + SKEW {
                    (Disposition::Future, "lies in the future; it is kept aside, send it again when its time has come")
                } else if reading.read_at < now - RETENTION {
                    (Disposition::TooOld, "is older than raw readings are kept (5 years); it is kept aside")
                } else {
                    return true;
                };
                recorded.rejected.push(RowIssue { row: *row, code: Code::InvalidInstant, message: format!("readAt {problem}"), is_kept: true });
                aside.push((key.clone(), FoldedReading { reading: *reading, disposition, life: 0 }));
                false
            });
            if let Some(stored) = &before {
                for f in stored.iter().filter(|f| !matches!(f.disposition, Disposition::Future | Disposition::TooOld)) {
                    if new.remove(&f.reading).is_some() {
                        recorded.duplicate_count += 1;
                    }
                }
            }
            let aside_count = aside.len() as i64;
            writes.readings.extend(aside);
            if let Some(last) = new.keys().map(|r| r.read_at).max() {
                let at = seen.entry(key.0).or_insert(last);
                *at = (*at).max(last);
            }
            if new.is_empty() && aside_count == 0 {
                continue;
            }
            let state = states.get(&key).cloned();
            let folding = Folding { key: &key, meter, spec, zone, now };
            match before {
                Some(before) => folding.anew(&before, &new, aside_count, recorded, &mut writes),
                None => folding.on(state, &new, old_days.remove(&key).unwrap_or_default(), aside_count, recorded, &mut writes),
            }
        }
        store::upsert_readings(db, scope, &writes.readings, &tx.call.actor, now).await?;
        store::upsert_states(db, scope, &writes.states).await?;
        store::write_days(db, scope, &writes.days).await?;
        let mut seen: Vec<(DeviceId, DateTime<Utc>)> = seen.into_iter().collect();
        seen.sort_unstable();
        registry_store::touch_last_seen(db, scope, &seen).await?;
        let marked: Vec<_> = devices.iter().map(|d| (SubjectKind::Device, d.0)).collect();
        marks::mark(tx, &marked, self.ids.uuid(now)).await?;
        self.file.append(tx, writes.events).await
    }
}

/// One meter of one device, being folded.
struct Folding<'a> {
    key: &'a MeterKey,
    meter: &'a Meter,
    spec: MeterSpec,
    zone: Tz,
    now: DateTime<Utc>,
}

impl Folding<'_> {
    /// Goes on from the state: every new reading is later than every stored one.
    fn on(
        &self,
        state: Option<MeterState>,
        new: &Incoming,
        mut days: DayMap,
        aside_count: i64,
        recorded: &mut Recorded,
        writes: &mut Writes,
    ) {
        let readings: Vec<Reading> = new.keys().copied().collect();
        let start = state.as_ref().filter(|s| s.reading_count > 0).map(|s| LifeState {
            value: s.latest_value,
            at: s.latest_at,
            life: s.life,
            before_reset: None,
        });
        let (folded, end) = life::fold(&self.spec, start, &readings);
        let Some(end) = end else { return };
        let mut last = start.map(|s| (s.at, s.life));
        for f in folded.iter().filter(|f| f.disposition.is_counted()) {
            self.add_days(&mut days, &mut last, f);
        }
        self.report(&folded, new, recorded, writes);
        let first = folded.iter().find(|f| f.disposition.is_counted());
        writes.states.push(MeterState {
            device_id: self.key.0,
            meter_code: self.key.1.clone(),
            latest_value: end.value,
            latest_at: end.at,
            life: end.life,
            first_at: state.as_ref().map(|s| s.first_at).or(first.map(|f| f.reading.read_at)).unwrap_or(end.at),
            first_life: state.as_ref().map(|s| s.first_life).or(first.map(|f| f.life)).unwrap_or(end.life),
            reading_count: state.as_ref().map_or(0, |s| s.reading_count) + readings.len() as i64 + aside_count,
            last_row_at: readings.last().map_or(end.at, |r| r.read_at),
            is_settled: end.before_reset.is_none(),
            updated_at: self.now,
        });
        writes.readings.extend(folded.into_iter().map(|f| (self.key.clone(), f)));
        writes.days.push((self.key.clone(), days));
    }

    /// Folds everything again: a new reading is not later than all stored ones.
    fn anew(&self, before: &[FoldedReading], new: &Incoming, aside_count: i64, recorded: &mut Recorded, writes: &mut Writes) {
        let mut all: BTreeSet<Reading> = before
            .iter()
            .filter(|f| !matches!(f.disposition, Disposition::Future | Disposition::TooOld))
            .map(|f| f.reading)
            .collect();
        all.extend(new.keys().copied());
        let readings: Vec<Reading> = all.into_iter().collect();
        let (folded, end) = life::fold(&self.spec, None, &readings);
        let Some(end) = end else { return };
        let known: HashMap<Reading, &FoldedReading> = before.iter().map(|f| (f.reading, f)).collect();
        let mut days = DayMap::new();
        let mut last = None;
        let mut changed = Vec::new();
        for f in &folded {
            if f.disposition.is_counted() {
                self.add_days(&mut days, &mut last, f);
            }
            match known.get(&f.reading) {
                Some(old) if **old == *f => {}
                Some(old) => {
                    // What an earlier reading was taken for has changed: the file gets a correction.
                    if old.disposition != f.disposition && (old.disposition.is_aside() || f.disposition.is_aside() || old.disposition == Disposition::Reset || f.disposition == Disposition::Reset) {
                        writes.events.push(NewEvent {
                            device: self.key.0,
                            occurred_at: f.reading.read_at,
                            kind: EventKind::ReadingReinterpreted,
                            payload: json!({
                                "meter": self.key.1, "readAt": f.reading.read_at, "value": self.meter.to_value(f.reading.value),
                                "was": old.disposition, "is": f.disposition,
                            }),
                            corrects: None,
                        });
                    }
                    changed.push(*f);
                }
                None => changed.push(*f),
            }
        }
        let fresh: Vec<FoldedReading> = folded.iter().filter(|f| new.contains_key(&f.reading)).copied().collect();
        self.report(&fresh, new, recorded, writes);
        let first = folded.iter().find(|f| f.disposition.is_counted());
        writes.states.push(MeterState {
            device_id: self.key.0,
            meter_code: self.key.1.clone(),
            latest_value: end.value,
            latest_at: end.at,
            life: end.life,
            first_at: first.map_or(end.at, |f| f.reading.read_at),
            first_life: first.map_or(end.life, |f| f.life),
            reading_count: before.len() as i64 + fresh.len() as i64 + aside_count,
            last_row_at: readings.last().map_or(end.at, |r| r.read_at),
            is_settled: end.before_reset.is_none(),
            updated_at: self.now,
        });
        writes.readings.extend(changed.into_iter().map(|f| (self.key.clone(), f)));
        writes.days.push((self.key.clone(), days));
    }

    fn add_days(&self, days: &mut DayMap, last: &mut Option<(DateTime<Utc>, i64)>, f: &FoldedReading) {
        if self.spec.is_counter
            && let Some((at, life)) = *last
        {
            // The shape of the days known so far; flat while there are none.
            let shape = shape(days);
            daily::spread(days, self.zone, at, f.reading.read_at, f.life - life, &shape);
        }
        *last = Some((f.reading.read_at, f.life));
    }

    /// Counts what was accepted, answers what was kept aside, and tells the device file of
    /// anomalies, at most once per device, meter, kind and day.
    fn report(&self, folded: &[FoldedReading], new: &Incoming, recorded: &mut Recorded, writes: &mut Writes) {
        for f in folded {
            if f.disposition == Disposition::TooFast {
                if let Some(row) = new.get(&f.reading) {
                    let max = self.meter.to_value(self.spec.max_per_day);
                    recorded.rejected.push(RowIssue {
                        row: *row,
                        code: Code::OutOfRange,
                        message: format!("the counter would have grown faster than {max} a day, the most its model is believed; it is kept aside"),
                        is_kept: true,
                    });
                }
            } else {
                recorded.accepted_count += 1;
            }
            let kind = match f.disposition {
                Disposition::Rollover => "ROLLOVER",
                Disposition::Reset => "RESET",
                Disposition::TooFast => "TOO_FAST",
                _ => continue,
            };
            let day = local_date(self.zone, f.reading.read_at);
            if writes.anomalies.insert((self.key.clone(), kind, day)) {
                writes.events.push(NewEvent {
                    device: self.key.0,
                    occurred_at: f.reading.read_at,
                    kind: EventKind::MeterAnomaly,
                    payload: json!({
                        "meter": self.key.1, "anomaly": kind, "value": self.meter.to_value(f.reading.value),
                        "lifeAfter": self.meter.to_value(f.life),
                    }),
                    corrects: None,
                });
            }
        }
    }
}

/// Mean units by weekday of the last weeks of a day map; ones when it says nothing.
fn shape(days: &DayMap) -> [f64; 7] {
    let mut sums = [0.0; 7];
    let mut counts = [0.0; 7];
    for (date, usage) in days.iter().rev().filter(|(_, d)| !d.is_estimated).take(56) {
        let weekday = chrono::Datelike::weekday(date).num_days_from_monday() as usize;
        sums[weekday] += usage.units as f64;
        counts[weekday] += 1.0;
    }
    if counts.iter().any(|c| *c == 0.0) || sums.iter().sum::<f64>() <= 0.0 {
        return [1.0; 7];
    }
    std::array::from_fn(|day| sums[day] / counts[day])
}
