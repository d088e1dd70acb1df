//! New readings of one meter meet what is stored of it; pure.
//!
//! Readings later than all stored ones go on from the meter's state. Any other is folded again
//! from the last checkpoint before it (a counted reading that leaves nothing open), so that the
//! outcome is the one the readings would have had in order.

use super::daily::{self, DayMap, Point};
use super::life::{self, LifeState, MeterSpec};
use super::model::{Disposition, FoldedReading, MeterKey, MeterState, Reading};
use crate::kernel::calendar::{local_date, start_of_day};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use std::collections::{BTreeSet, HashMap};

/// What is stored of a meter, as far as new readings can change it.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// The meter's state; none before anything counted.
    pub state: Option<MeterState>,
    /// The readings to fold again, sorted: all from [`rows_from`] on, and the last counted one
    /// before. None when the new readings only continue ([`must_fold_again`]).
    pub rows: Option<Vec<FoldedReading>>,
    /// Usage by day, back to [`days_from`] and on to the last day known.
    pub days: DayMap,
}

/// What the new readings make of it.
#[derive(Clone, Debug, PartialEq)]
pub struct After {
    /// Readings whose rows are new or come out different.
    pub rows: Vec<FoldedReading>,
    /// What the new readings were taken for.
    pub fresh: Vec<FoldedReading>,
    /// What stored readings had been taken for, and are now.
    pub reinterpreted: Vec<(Disposition, FoldedReading)>,
    /// The meter's state.
    pub state: MeterState,
    /// Usage by day.
    pub days: DayMap,
}

/// Whether readings from `earliest` on change what stored ones are taken for.
pub fn must_fold_again(state: Option<&MeterState>, earliest: DateTime<Utc>) -> bool {
    state.is_some_and(|s| !s.is_settled || earliest <= s.last_row_at)
}

/// From when stored readings are needed to fold on from a checkpoint: the begin of its local
/// day, because that day's usage is added up anew.
pub fn rows_from(zone: Tz, checkpoint: DateTime<Utc>) -> DateTime<Utc> {
    start_of_day(zone, local_date(zone, checkpoint))
}

/// From which local day usage by day is needed to spread gaps after a reading.
pub fn days_from(zone: Tz, earliest: DateTime<Utc>) -> NaiveDate {
    let day = local_date(zone, earliest);
    day.checked_sub_days(chrono::Days::new(daily::SHAPE_DAYS)).unwrap_or(day)
}

/// First and further reading of a counter are one to a reader of the file.
fn is_plain(disposition: Disposition) -> bool {
    matches!(disposition, Disposition::CountedFirst | Disposition::Counted)
}

fn point(f: &FoldedReading) -> Option<Point> {
    f.disposition.is_counted().then_some((f.reading.read_at, f.life))
}

/// Takes new readings in; none when there are none.
///
/// A new reading that is stored already is folded again, by the meter's limits of today.
pub fn take_in(
    key: &MeterKey,
    spec: &MeterSpec,
    zone: Tz,
    before: Before,
    new: &BTreeSet<Reading>,
    now: DateTime<Utc>,
) -> Option<After> {
    let earliest = new.first()?.read_at;
    let Before { state, rows, mut days } = before;
    let is_again = rows.is_some();
    let rows: Vec<FoldedReading> = rows.into_iter().flatten().filter(|f| !f.disposition.is_outside_fold()).collect();
    let start = match is_again {
        false => state.as_ref().map(|s| LifeState {
            value: s.latest_value,
            at: s.latest_at,
            life: s.life,
            before_reset: None,
        }),
        true => rows.iter().rfind(|f| f.disposition.is_checkpoint() && f.reading.read_at < earliest).map(LifeState::at),
    };
    let mut readings = new.clone();
    readings.extend(rows.iter().map(|f| f.reading).filter(|r| start.is_none_or(|s| r.read_at > s.at)));
    let readings: Vec<Reading> = readings.into_iter().collect();
    let (folded, end) = life::fold(spec, start, &readings);
    let end = end?;

    let known: HashMap<Reading, &FoldedReading> = rows.iter().map(|f| (f.reading, f)).collect();
    let mut changed = Vec::new();
    let mut fresh = Vec::new();
    let mut reinterpreted = Vec::new();
    for f in &folded {
        let old = known.get(&f.reading).copied();
        if old != Some(f) {
            changed.push(*f);
        }
        if new.contains(&f.reading) {
            fresh.push(*f);
        }
        if let Some(was) = old.map(|o| o.disposition)
            && was != f.disposition
            && !(is_plain(was) && is_plain(f.disposition))
        {
            reinterpreted.push((was, *f));
        }
    }

    if spec.is_counter {
        let mut points: Vec<Point> = match start {
            Some(s) if is_again => rows.iter().filter(|f| f.reading.read_at <= s.at).filter_map(point).collect(),
            Some(s) => vec![(s.at, s.life)],
            None => Vec::new(),
        };
        points.extend(folded.iter().filter_map(point));
        let mut since = NaiveDate::MIN;
        if is_again {
            since = start.map_or(NaiveDate::MIN, |s| local_date(zone, s.at));
            days.forget_from(since);
        }
        daily::add_points(&mut days, zone, &points, since);
    }

    let first = match (&state, start) {
        (Some(s), Some(_)) => (s.first_at, s.first_life),
        _ => folded.iter().find_map(point).unwrap_or((end.at, end.life)),
    };
    let added = new.iter().filter(|r| !known.contains_key(r)).count() as i64;
    let last_row_at = readings.last().map_or(end.at, |r| r.read_at);
    let state = MeterState {
        device_id: key.0,
        meter_code: key.1.clone(),
        latest_value: end.value,
        latest_at: end.at,
        life: end.life,
        first_at: first.0,
        first_life: first.1,
        reading_count: state.as_ref().map_or(0, |s| s.reading_count) + added,
        last_row_at: state.as_ref().map_or(last_row_at, |s| s.last_row_at.max(last_row_at)),
        is_settled: end.before_reset.is_none(),
        updated_at: now,
    };
    Some(After { rows: changed, fresh, reinterpreted, state, days })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::DeviceId;
    use chrono::TimeDelta;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    const SPEC: MeterSpec = MeterSpec { is_counter: true, modulus: Some(100_000), max_per_day: 2_000 };
    const ZONE: Tz = Tz::Asia__Shanghai;

    /// One meter as the tables hold it.
    #[derive(Clone, Debug, Default)]
    struct Stored {
        rows: BTreeMap<Reading, FoldedReading>,
        state: Option<MeterState>,
        days: DayMap,
    }

    impl Stored {
        /// Loads what `store` loads, takes the batch in, and writes what `service` writes.
        fn take(&mut self, batch: &[Reading]) -> Option<After> {
            let mut new: BTreeSet<Reading> = batch.iter().copied().collect();
            let again = must_fold_again(self.state.as_ref(), new.first()?.read_at);
            if again {
                new.retain(|r| self.rows.get(r).is_none_or(|f| f.disposition == Disposition::TooFast));
            }
            let earliest = new.first()?.read_at;
            let rows = again.then(|| {
                let checkpoint =
                    self.rows.values().rfind(|f| f.disposition.is_checkpoint() && f.reading.read_at < earliest);
                let from = checkpoint.map(|f| rows_from(ZONE, f.reading.read_at));
                let is_late = |f: &&FoldedReading| from.is_none_or(|from| f.reading.read_at >= from);
                let before = self.rows.values().rfind(|f| !is_late(f) && f.disposition.is_counted());
                before.into_iter().chain(self.rows.values().filter(is_late)).copied().collect::<Vec<_>>()
            });
            let mut days = self.days.clone();
            if let Some(first) =
                rows.as_ref().map_or(self.state.as_ref().map(|s| s.latest_at), |r| r.first().map(|f| f.reading.read_at))
            {
                // What is not loaded must not be needed.
                days.forget_before(days_from(ZONE, first));
            }
            let unseen: Vec<_> = self.days.iter().filter(|(date, _)| days.get(*date).is_none()).collect();
            let key = (DeviceId(Uuid::nil()), "TRANSACTIONS".to_owned());
            let before = Before { state: self.state.clone(), rows, days };
            let mut after = take_in(&key, &SPEC, ZONE, before, &new, DateTime::UNIX_EPOCH)?;
            for f in &after.rows {
                self.rows.insert(f.reading, *f);
            }
            for (date, usage) in unseen {
                after.days.insert(date, usage);
            }
            self.state = Some(after.state.clone());
            self.days = after.days.clone();
            Some(after)
        }
    }

    fn hour(n: i64, value: i64) -> Reading {
        Reading { read_at: DateTime::from_timestamp(1_760_000_000, 0).unwrap() + TimeDelta::hours(n), value }
    }

    /// A counter that runs, rests, wraps, jumps, glitches and starts again.
    fn history() -> impl Strategy<Value = Vec<Reading>> {
        let step = (1_i64..120, 0_i64..1_500, 0_u8..20);
        (prop::sample::select(vec![500, 97_000]), prop::collection::vec(step, 1..60)).prop_map(|(start, steps)| {
            let (mut at, mut value) = (0, start);
            let mut readings = Vec::new();
            for (hours, units, luck) in steps {
                at += hours;
                match luck {
                    0 => value = units,
                    1 => readings.push(hour(at - 1, 0)),
                    2 => readings.push(hour(at, value + 90_000)),
                    3 => readings.push(hour(at, value / 2)),
                    _ => value = (value + units) % 100_000,
                }
                readings.push(hour(at, value));
            }
            readings.sort_unstable();
            readings.dedup();
            readings
        })
    }

    fn same_state(a: &MeterState, b: &MeterState) -> bool {
        MeterState { updated_at: b.updated_at, ..a.clone() } == *b
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_cannot_matter(
            (readings, shuffled) in history().prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
            cuts in prop::collection::vec(1_usize..9, 1..60),
        ) {
            let mut at_once = Stored::default();
            at_once.take(&readings);
            let mut bit_by_bit = Stored::default();
            let mut rest = shuffled.as_slice();
            for cut in cuts.into_iter().cycle() {
                let (batch, later) = rest.split_at(cut.min(rest.len()));
                bit_by_bit.take(batch);
                rest = later;
                if rest.is_empty() { break; }
            }
            prop_assert_eq!(&at_once.rows, &bit_by_bit.rows);
            prop_assert_eq!(&at_once.days, &bit_by_bit.days);
            prop_assert!(same_state(at_once.state.as_ref().unwrap(), bit_by_bit.state.as_ref().unwrap()));
            // Folding everything from nothing says the same.
            let (folded, end) = life::fold(&SPEC, None, &readings);
            prop_assert_eq!(folded, at_once.rows.values().copied().collect::<Vec<_>>());
            prop_assert_eq!(end.map(|e| e.life), at_once.state.map(|s| s.life));
        }

        #[test]
        fn the_same_readings_again_change_nothing(readings in history(), cut in 0_usize..60) {
            let mut stored = Stored::default();
            stored.take(&readings);
            let before = stored.clone();
            let again = stored.take(&readings[cut.min(readings.len() - 1)..]);
            prop_assert!(again.is_none_or(|a| a.rows.is_empty() && a.reinterpreted.is_empty()));
            prop_assert_eq!(before.rows, stored.rows);
            prop_assert_eq!(before.days, stored.days);
        }

        #[test]
        fn life_never_goes_down_and_days_add_up_to_it(readings in history()) {
            let mut stored = Stored::default();
            stored.take(&readings);
            let lives: Vec<i64> = stored.rows.values().map(|f| f.life).collect();
            let from = stored.rows.values().position(|f| f.disposition.is_counted()).unwrap();
            prop_assert!(lives[from..].windows(2).all(|w| w[0] <= w[1]));
            let state = stored.state.unwrap();
            prop_assert_eq!(stored.days.iter().map(|(_, d)| d.units).sum::<i64>(), state.life - state.first_life);
        }
    }

    #[test]
    fn a_late_reading_can_change_what_an_earlier_one_was_taken_for() {
        let mut stored = Stored::default();
        stored.take(&[hour(0, 1_000), hour(96, 9_000)]);
        assert_eq!(stored.state.as_ref().map(|s| s.life), Some(9_000));
        // Eight thousand in four days are believed, in the last one of them they are not.
        let after = stored.take(&[hour(72, 1_000)]).unwrap();
        assert_eq!(after.fresh[0].disposition, Disposition::Counted);
        let (was, is) = after.reinterpreted[0];
        assert_eq!((was, is.disposition, is.reading), (Disposition::Counted, Disposition::TooFast, hour(96, 9_000)));
        assert_eq!((after.state.life, after.state.reading_count), (1_000, 3));
    }

    #[test]
    fn an_earlier_first_reading_is_no_reinterpretation() {
        let mut stored = Stored::default();
        stored.take(&[hour(0, 1_000), hour(24, 1_100)]);
        let after = stored.take(&[hour(-24, 900)]).unwrap();
        assert!(after.reinterpreted.is_empty());
        assert_eq!((after.state.first_life, after.state.life), (900, 1_100));
    }

    #[test]
    fn limits_that_were_raised_are_used_when_a_reading_is_sent_again() {
        let key = (DeviceId(Uuid::nil()), "TRANSACTIONS".to_owned());
        let mut stored = Stored::default();
        stored.take(&[hour(0, 0), hour(24, 5_000)]);
        let spec = MeterSpec { max_per_day: 10_000, ..SPEC };
        let before = Before { state: stored.state, rows: Some(stored.rows.into_values().collect()), days: stored.days };
        let after =
            take_in(&key, &spec, ZONE, before, &BTreeSet::from([hour(24, 5_000)]), DateTime::UNIX_EPOCH).unwrap();
        assert_eq!((after.state.life, after.state.reading_count), (5_000, 2));
        assert_eq!(after.reinterpreted[0].0, Disposition::TooFast);
    }
}
