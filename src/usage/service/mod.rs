//! Use cases of usage: taking readings in, and the nightly refresh of what forecasts rest on.

mod refresh;
mod swap;

pub use refresh::Refreshed;
pub use swap::SwapObserver;

use super::daily::DayMap;
use super::error::Error;
use super::forecast::Trend;
use super::hours::HourProfile;
use super::intake::{self, After, Before};
use super::life::MeterSpec;
use super::measure::{self, DeviceSeries};
use super::model::*;
use super::pattern_store;
use super::series_store;
use super::store::{self, DeviceFacts, ToldAnomaly};
use crate::catalogue::model::{Meter, MeterKind};
use crate::db::tx::Tx;
use crate::db::{Db, StoreResult};
use crate::kernel::calendar::{check_instant, local_date, stamp, start_of_day};
use crate::kernel::call::Call;
use crate::kernel::code::Code;
use crate::kernel::ids::{DeviceId, Ids};
use crate::kernel::scope::Scope;
use crate::kernel::subject::SubjectKind;
use crate::registry::file::{DeviceFile, EventKind, NewEvent};
use crate::registry::model::{ComponentLife, DeviceRef, ResolveError};
use crate::registry::rules::CLOCK_SKEW;
use crate::registry::service::resolve_many;
use crate::registry::store as registry_store;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Readings one request takes (API contract).
pub const MAX_READINGS: usize = 5_000;
/// How long raw readings are kept: five years.
const RETENTION: TimeDelta = TimeDelta::days(5 * 366);
/// Meters folded again at a time: their later readings are all in memory.
const FOLD_AGAIN: usize = 200;

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

/// Readings of one meter, with the rows they came from.
type Rows = BTreeMap<Reading, usize>;

/// The readings of one request for one meter.
#[derive(Debug, Default)]
struct Incoming {
    /// Those to be folded.
    new: Rows,
    /// Those kept aside because of their time.
    aside: BTreeMap<Reading, (usize, Disposition)>,
    /// Terminal numbers of those that were sent by one.
    terminals: BTreeMap<Reading, String>,
}

impl Incoming {
    /// Device time of the earliest and of the latest.
    fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let times = || self.new.keys().chain(self.aside.keys()).map(|r| r.read_at);
        Some((times().min()?, times().max()?))
    }

    fn len(&self) -> usize {
        self.new.len() + self.aside.len()
    }
}

/// What the readings of one request change.
#[derive(Default)]
struct Writes {
    readings: Vec<(MeterKey, FoldedReading)>,
    aside: Vec<(MeterKey, FoldedReading)>,
    terminals: HashMap<(MeterKey, Reading), String>,
    states: Vec<MeterState>,
    days: Vec<(MeterKey, DayMap)>,
    seen: BTreeMap<DeviceId, DateTime<Utc>>,
    /// The first reading of each kind of anomaly on each day.
    anomalies: BTreeMap<(MeterKey, Disposition, NaiveDate), FoldedReading>,
    /// What earlier readings were and are taken for: the first of a day, and how many.
    corrections: BTreeMap<(MeterKey, Disposition, Disposition, NaiveDate), (FoldedReading, u32)>,
}

/// Refuses texts that cannot name anything, before they are looked up or echoed.
fn check_texts(input: &ReadingInput) -> Result<(), (Code, String)> {
    let mut fields = vec![("meter", input.meter.as_str(), 64)];
    match &input.device {
        DeviceRef::Id(_) => {}
        DeviceRef::Serial { serial_number, manufacturer } => fields.extend([
            ("serialNumber", serial_number.as_str(), 64),
            ("manufacturer", manufacturer.as_deref().unwrap_or_default(), 100),
        ]),
        DeviceRef::Terminal(number) => fields.push(("terminalNumber", number.as_str(), 32)),
    }
    for (field, text, max) in fields {
        if text.chars().any(char::is_control) {
            return Err((Code::Invalid, format!("{field} contains control characters; remove them")));
        }
        if text.chars().nth(max).is_some() {
            return Err((Code::TooLong, format!("{field} has more than {max} characters; shorten it")));
        }
    }
    Ok(())
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
        let states = store::meter_states(self.db.reader(), scope, keys).await?;
        pattern_store::patterns(self.db.reader(), scope, keys, &states).await
    }

    /// How gauges move, in the order asked, in their own unit, with the civil day at their site and the
    /// share of it that has passed; none for counters, and where the last four weeks do not say.
    pub async fn trends(
        &self,
        scope: &Scope,
        keys: &[MeterKey],
        now: DateTime<Utc>,
    ) -> StoreResult<Vec<Option<(Trend, NaiveDate, f64)>>> {
        let db = self.db.reader();
        let mut asked: BTreeMap<DeviceId, Vec<String>> = BTreeMap::new();
        for (device, code) in keys {
            asked.entry(*device).or_default().push(code.clone());
        }
        let devices: Vec<DeviceId> = asked.keys().copied().collect();
        let facts = store::device_facts(db, scope, &devices).await?;
        let asked: Vec<(DeviceId, Vec<String>)> = asked.into_iter().collect();
        let from = now - TimeDelta::days(i64::from(measure::TREND_DAYS));
        let series = series_store::series(db, scope, &asked, from, now).await?;
        let by_device: HashMap<DeviceId, DeviceSeries> = devices.into_iter().zip(series).collect();
        let trend = |(device, code): &MeterKey| {
            facts.meters.get(code).filter(|m| m.kind == MeterKind::Gauge)?;
            let trend = measure::trend_at(by_device.get(device)?, code, now)?;
            let zone = facts.zone(*device);
            let today = local_date(zone, now);
            let passed = (now - start_of_day(zone, today)).num_seconds() as f64 / 86_400.0;
            Some((trend, today, passed.clamp(0.0, 1.0)))
        };
        Ok(keys.iter().map(trend).collect())
    }

    /// How busy devices are in each hour of their week, in the order asked; none where the readings
    /// do not say.
    pub async fn hour_profiles(
        &self,
        scope: &Scope,
        keys: &[MeterKey],
        now: DateTime<Utc>,
    ) -> StoreResult<Vec<Option<HourProfile>>> {
        pattern_store::hour_profiles(self.db.reader(), scope, keys, now).await
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
        let recorded = self.record_in(&tx, inputs).await?;
        tx.finish(&recorded).await?;
        Ok(recorded)
    }

    /// Takes readings in, in somebody else's change: those a visit reports with its steps.
    ///
    /// # Errors
    /// Storage; what is wrong with a reading is in its row.
    pub async fn record_in(&self, tx: &Tx, inputs: &[ReadingInput]) -> StoreResult<Recorded> {
        let mut recorded = Recorded::default();
        let (incoming, facts) = self.admit(tx, inputs, &mut recorded).await?;
        self.take_in(tx, incoming, &facts, &mut recorded).await?;
        recorded.rejected.sort_by_key(|r| r.row);
        Ok(recorded)
    }

    /// Resolves devices and checks values; what is wrong is answered by row.
    async fn admit(
        &self,
        tx: &Tx,
        inputs: &[ReadingInput],
        recorded: &mut Recorded,
    ) -> StoreResult<(BTreeMap<MeterKey, Incoming>, DeviceFacts)> {
        let now = tx.now();
        let refuse = |recorded: &mut Recorded, row: usize, code: Code, message: String| {
            recorded.rejected.push(RowIssue { row, code, message, is_kept: false });
        };
        let (mut rows, mut refs) = (Vec::with_capacity(inputs.len()), Vec::with_capacity(inputs.len()));
        for (row, input) in inputs.iter().enumerate() {
            if let Err((code, message)) = check_texts(input) {
                refuse(recorded, row, code, message);
            } else if let Err(e) = check_instant(input.read_at) {
                refuse(recorded, row, Code::InvalidInstant, format!("readAt {e}"));
            } else {
                rows.push((row, input));
                refs.push((input.device.clone(), input.read_at));
            }
        }
        let resolved = resolve_many(tx.conn(), tx.scope(), &refs).await?;
        let devices: BTreeSet<DeviceId> = resolved.iter().filter_map(|r| r.as_ref().ok().copied()).collect();
        let devices: Vec<DeviceId> = devices.into_iter().collect();
        let facts = store::device_facts(tx.conn(), tx.scope(), &devices).await?;
        let mut incoming: BTreeMap<MeterKey, Incoming> = BTreeMap::new();
        for ((row, input), device) in rows.into_iter().zip(resolved) {
            let device = match device {
                Ok(device) => device,
                Err(e) => {
                    let code = match &e {
                        ResolveError::Ambiguous { .. } => Code::Ambiguous,
                        ResolveError::Unknown(_) | ResolveError::NobodyThere { .. } => Code::NotFound,
                    };
                    refuse(recorded, row, code, e.to_string());
                    continue;
                }
            };
            let key = (device, input.meter.trim().to_owned());
            let Some(meter) = facts.meters.get(&key.1).filter(|_| facts.specs.contains_key(&key)) else {
                let message = format!(
                    "this device's model has no meter {}; correct the code or add the meter to the model",
                    key.1
                );
                refuse(recorded, row, Code::UnknownMeter, message);
                continue;
            };
            let value = match meter.to_units(input.value) {
                Ok(value) => value,
                Err(e) => {
                    refuse(recorded, row, Code::InvalidNumber, format!("value {e}"));
                    continue;
                }
            };
            // What the databases keep of an instant.
            let reading = Reading { read_at: stamp(input.read_at), value };
            let of_meter = incoming.entry(key).or_default();
            if let DeviceRef::Terminal(number) = &input.device {
                of_meter.terminals.insert(reading, number.trim().to_owned());
            }
            if reading.read_at > now + CLOCK_SKEW {
                of_meter.aside.entry(reading).or_insert((row, Disposition::Future));
            } else if reading.read_at < now - RETENTION {
                of_meter.aside.entry(reading).or_insert((row, Disposition::TooOld));
            } else {
                of_meter.new.entry(reading).or_insert(row);
            }
        }
        let kept: usize = incoming.values().map(Incoming::len).sum();
        recorded.duplicate_count = inputs.len() - recorded.rejected.len() - kept;
        Ok((incoming, facts))
    }

    /// Folds the new readings into what is stored and writes what changes.
    async fn take_in(
        &self,
        tx: &Tx,
        mut incoming: BTreeMap<MeterKey, Incoming>,
        facts: &DeviceFacts,
        recorded: &mut Recorded,
    ) -> StoreResult<()> {
        let (db, scope, now) = (tx.conn(), tx.scope(), tx.now());
        if incoming.is_empty() {
            return Ok(());
        }
        let keys: Vec<MeterKey> = incoming.keys().cloned().collect();
        let mut devices: Vec<DeviceId> = keys.iter().map(|(d, _)| *d).collect();
        devices.dedup();
        self.file.lock(tx, &devices).await?;
        let mut states: HashMap<MeterKey, MeterState> = keys
            .iter()
            .cloned()
            .zip(store::meter_states(db, scope, &keys).await?)
            .filter_map(|(k, s)| s.map(|s| (k, s)))
            .collect();
        let known: HashSet<MeterKey> = states.keys().cloned().collect();
        let mut writes = Writes::default();
        // Readings that only continue what is known need nothing but the state.
        let (again, onward): (Vec<MeterKey>, Vec<MeterKey>) = keys.into_iter().partition(|key| {
            let earliest = incoming.get(key).and_then(Incoming::span).map(|(earliest, _)| earliest);
            earliest.is_some_and(|at| intake::must_fold_again(states.get(key), at))
        });
        let from_year = onward
            .iter()
            .filter_map(|k| states.get(k).map(|s| intake::days_from(facts.zone(k.0), s.latest_at).year()))
            .min();
        let mut days = match from_year {
            Some(year) => store::days_of(db, scope, &onward, year).await?,
            None => HashMap::new(),
        };
        for key in onward {
            let Some(new) = incoming.remove(&key) else { continue };
            let before = Before { state: states.remove(&key), rows: None, days: days.remove(&key).unwrap_or_default() };
            Self::fold(&key, facts, before, new, now, recorded, &mut writes);
        }
        for chunk in again.chunks(FOLD_AGAIN) {
            let chunk = Self::drop_known(tx, chunk, &mut incoming, recorded).await?;
            let asked: Vec<(&MeterKey, chrono_tz::Tz, DateTime<Utc>)> = chunk
                .iter()
                .filter_map(|key| Some((key, facts.zone(key.0), incoming.get(key)?.new.keys().next()?.read_at)))
                .collect();
            let rows = store::rows_to_fold(db, scope, &asked).await?;
            let from_year = asked
                .iter()
                .zip(&rows)
                .filter_map(|((_, zone, _), rows)| Some(intake::days_from(*zone, rows.first()?.reading.read_at).year()))
                .min();
            let mut days = store::days_of(db, scope, &chunk, from_year.unwrap_or(i32::MAX)).await?;
            let mut rows: HashMap<MeterKey, Vec<FoldedReading>> =
                asked.into_iter().zip(rows).map(|((key, ..), rows)| (key.clone(), rows)).collect();
            for key in &chunk {
                let Some(new) = incoming.remove(key) else { continue };
                let rows = rows.remove(key).unwrap_or_default();
                let before =
                    Before { state: states.remove(key), rows: Some(rows), days: days.remove(key).unwrap_or_default() };
                Self::fold(key, facts, before, new, now, recorded, &mut writes);
            }
        }
        let read = writes.states.iter().map(|s| (s.device_id, s.meter_code.clone()));
        let begun: HashSet<MeterKey> = read.filter(|key| !known.contains(key)).collect();
        self.write(tx, facts, writes).await?;
        self.begin_lives(tx, &begun).await
    }

    /// Says at what life parts came in that were put in before their meter was first read.
    async fn begin_lives(&self, tx: &Tx, begun: &HashSet<MeterKey>) -> StoreResult<()> {
        if begun.is_empty() {
            return Ok(());
        }
        let (db, scope) = (tx.conn(), tx.scope());
        let devices: BTreeSet<DeviceId> = begun.iter().map(|(device, _)| *device).collect();
        let devices: Vec<DeviceId> = devices.into_iter().collect();
        let (mut keys, mut moments, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for part in registry_store::components_of(db, scope, &devices).await? {
            for life in part.lives {
                let key = (part.device_id, life.meter_code.clone());
                if begun.contains(&key) {
                    keys.push(key);
                    moments.push(part.installed_at);
                    waiting.push(life);
                }
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        let states = store::meter_states(db, scope, &keys).await?;
        let asked: Vec<(&MeterKey, DateTime<Utc>)> = keys.iter().zip(moments).collect();
        let came = store::life_at(db, scope, &asked, &states).await?;
        let lives: Vec<ComponentLife> = waiting
            .into_iter()
            .zip(came)
            .filter_map(|(life, came)| Some(ComponentLife { life_at_install: came?, ..life }))
            .collect();
        registry_store::set_lives_at_install(db, scope, &lives).await
    }

    /// Takes out readings that are stored already, counting them as duplicates, and answers the
    /// meters that have others. One that was too fast stays in: it is looked at again.
    async fn drop_known(
        tx: &Tx,
        keys: &[MeterKey],
        incoming: &mut BTreeMap<MeterKey, Incoming>,
        recorded: &mut Recorded,
    ) -> StoreResult<Vec<MeterKey>> {
        let asked: Vec<(&MeterKey, DateTime<Utc>, DateTime<Utc>)> = keys
            .iter()
            .filter_map(|key| incoming.get(key).and_then(Incoming::span).map(|(from, to)| (key, from, to)))
            .collect();
        let known = store::readings_between(tx.conn(), tx.scope(), &asked).await?;
        let mut left = Vec::new();
        for ((key, ..), known) in asked.into_iter().zip(known) {
            let Some(of_meter) = incoming.get_mut(key) else { continue };
            for f in known.iter().filter(|f| !f.disposition.is_aside()) {
                recorded.duplicate_count += usize::from(of_meter.new.remove(&f.reading).is_some());
                recorded.duplicate_count += usize::from(of_meter.aside.remove(&f.reading).is_some());
            }
            if of_meter.len() > 0 {
                left.push(key.clone());
            } else {
                incoming.remove(key);
            }
        }
        Ok(left)
    }

    /// Folds one meter's new readings and notes what is to be written and answered.
    fn fold(
        key: &MeterKey,
        facts: &DeviceFacts,
        before: Before,
        incoming: Incoming,
        now: DateTime<Utc>,
        recorded: &mut Recorded,
        writes: &mut Writes,
    ) {
        let (Some(spec), Some(meter)) = (facts.specs.get(key), facts.meters.get(&key.1)) else { return };
        writes
            .terminals
            .extend(incoming.terminals.into_iter().map(|(reading, number)| ((key.clone(), reading), number)));
        for (reading, (row, disposition)) in incoming.aside {
            let problem = match disposition {
                Disposition::Future => "lies in the future; it is kept aside, send it again when its time has come",
                _ => "is older than raw readings are kept (5 years); it is kept aside",
            };
            let message = format!("readAt {problem}");
            recorded.rejected.push(RowIssue { row, code: Code::InvalidInstant, message, is_kept: true });
            writes.aside.push((key.clone(), FoldedReading { reading, disposition, life: 0 }));
        }
        let zone = facts.zone(key.0);
        let is_counter = meter.kind == MeterKind::Counter;
        let limits = MeterSpec { is_counter, modulus: spec.modulus, max_per_day: spec.max_per_day };
        let new: BTreeSet<Reading> = incoming.new.keys().copied().collect();
        let Some(After { rows, fresh, reinterpreted, state, days }) =
            intake::take_in(key, &limits, zone, before, &new, now)
        else {
            return;
        };
        for f in fresh {
            if f.disposition == Disposition::TooFast {
                let max = meter.to_value(spec.max_per_day);
                let message = format!(
                    "value would have grown by more than {max} a day, the most this model is believed; it is kept aside"
                );
                if let Some(row) = incoming.new.get(&f.reading) {
                    recorded.rejected.push(RowIssue { row: *row, code: Code::OutOfRange, message, is_kept: true });
                }
            } else {
                recorded.accepted_count += 1;
            }
            if matches!(f.disposition, Disposition::Rollover | Disposition::Reset | Disposition::TooFast) {
                let day = local_date(zone, f.reading.read_at);
                writes.anomalies.entry((key.clone(), f.disposition, day)).or_insert(f);
            }
        }
        for (was, f) in reinterpreted {
            let day = local_date(zone, f.reading.read_at);
            writes.corrections.entry((key.clone(), was, f.disposition, day)).or_insert((f, 0)).1 += 1;
        }
        if let Some(last) = new.last().map(|r| r.read_at) {
            let at = writes.seen.entry(key.0).or_insert(last);
            *at = (*at).max(last);
        }
        // Sent again and looked at again, but nothing came of it.
        if !rows.is_empty() {
            writes.readings.extend(rows.into_iter().map(|f| (key.clone(), f)));
            writes.states.push(state);
            writes.days.push((key.clone(), days));
        }
    }

    async fn write(&self, tx: &Tx, facts: &DeviceFacts, writes: Writes) -> StoreResult<()> {
        let (db, scope, now) = (tx.conn(), tx.scope(), tx.now());
        store::upsert_readings(db, scope, &writes.readings, &writes.terminals, &tx.call.actor, now).await?;
        store::add_aside(db, scope, &writes.aside, &writes.terminals, &tx.call.actor, now).await?;
        store::upsert_states(db, scope, &writes.states).await?;
        store::write_days(db, scope, &writes.days).await?;
        let seen: Vec<(DeviceId, DateTime<Utc>)> = writes.seen.iter().map(|(d, at)| (*d, *at)).collect();
        registry_store::touch_last_seen(db, scope, &seen).await?;
        let changed: BTreeSet<DeviceId> = writes.states.iter().map(|s| s.device_id).collect();
        tx.mark(changed.iter().map(|d| (SubjectKind::Device, d.0)), self.ids.uuid(now));
        let events = self.events(tx, facts, &writes).await?;
        self.file.append(tx, events).await
    }

    /// What the device files are told: an anomaly once per device, meter, kind and local day, and
    /// a correction where an earlier reading is taken for something else.
    async fn events(&self, tx: &Tx, facts: &DeviceFacts, writes: &Writes) -> StoreResult<Vec<NewEvent>> {
        let anomalies = writes.anomalies.iter().map(|((key, ..), f)| (key.0, f.reading.read_at));
        let corrections = writes.corrections.iter().map(|((key, ..), (f, _))| (key.0, f.reading.read_at));
        let touched: Vec<(DeviceId, DateTime<Utc>)> = anomalies.chain(corrections).collect();
        let (Some(from), Some(to)) = (touched.iter().map(|t| t.1).min(), touched.iter().map(|t| t.1).max()) else {
            return Ok(Vec::new());
        };
        let devices: BTreeSet<DeviceId> = touched.iter().map(|t| t.0).collect();
        let devices: Vec<DeviceId> = devices.into_iter().collect();
        // Two days around, so that every zone's local day is in.
        let around = TimeDelta::days(2);
        let told = store::told_anomalies(tx.conn(), tx.scope(), &devices, from - around, to + around).await?;
        let told_days: HashSet<(&MeterKey, &str, NaiveDate)> =
            told.iter().map(|t| (&t.key, t.anomaly.as_str(), local_date(facts.zone(t.key.0), t.at))).collect();
        let mut events = Vec::new();
        for ((key, disposition, day), f) in &writes.anomalies {
            let Some(meter) =
                facts.meters.get(&key.1).filter(|_| !told_days.contains(&(key, disposition.as_str(), *day)))
            else {
                continue;
            };
            events.push(NewEvent {
                device: key.0,
                occurred_at: f.reading.read_at,
                kind: EventKind::MeterAnomaly,
                payload: json!({
                    "meter": key.1, "anomaly": disposition, "value": meter.to_value(f.reading.value),
                    "lifeAfter": meter.to_value(f.life),
                }),
                corrects: None,
            });
        }
        for ((key, was, is, _), (f, count)) in &writes.corrections {
            let Some(meter) = facts.meters.get(&key.1) else { continue };
            events.push(Self::correction(key, meter, *was, *is, f, *count, &told));
        }
        Ok(events)
    }

    fn correction(
        key: &MeterKey,
        meter: &Meter,
        was: Disposition,
        is: Disposition,
        f: &FoldedReading,
        count: u32,
        told: &[ToldAnomaly],
    ) -> NewEvent {
        let corrected = told
            .iter()
            .filter(|t| t.key == *key && t.anomaly == was.as_str() && t.at == f.reading.read_at)
            .max_by_key(|t| t.sequence);
        NewEvent {
            device: key.0,
            occurred_at: f.reading.read_at,
            kind: EventKind::ReadingReinterpreted,
            payload: json!({
                "meter": key.1, "readAt": f.reading.read_at, "value": meter.to_value(f.reading.value),
                "was": was, "is": is, "readings": count,
            }),
            corrects: corrected.map(|t| t.sequence),
        }
    }
}
