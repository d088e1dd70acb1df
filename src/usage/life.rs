//! The life counter: a fold over all readings of a meter in (device time, value) order, so that
//! the order of arrival cannot matter.

use super::model::{Disposition, FoldedReading, Reading};
use chrono::{DateTime, Utc};

/// What the fold needs to know of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterSpec {
    /// False for gauges, which are not added up.
    pub is_counter: bool,
    /// The counter starts again at 0 after this many units.
    pub modulus: Option<i64>,
    /// Faster growth than this per day is not believed.
    pub max_per_day: i64,
}

/// Where the fold stands after a counted reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifeState {
    /// Last counted value.
    pub value: i64,
    /// Its device time.
    pub at: DateTime<Utc>,
    /// Life counter.
    pub life: i64,
    /// What was counted before a reset that may turn out to be a glitch.
    pub before_reset: Option<(i64, DateTime<Utc>, i64)>,
}

impl LifeState {
    /// Where the fold stood after a checkpoint.
    pub fn at(checkpoint: &FoldedReading) -> Self {
        Self {
            value: checkpoint.reading.value,
            at: checkpoint.reading.read_at,
            life: checkpoint.life,
            before_reset: None,
        }
    }
}

/// Seconds of a civil day.
const DAY_SECONDS: f64 = 86_400.0;

/// Units believable between two moments: the daily maximum, for one day at least, because a
/// busy hour is faster than a busy day.
fn allowance(spec: &MeterSpec, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    let days = ((to - from).num_seconds() as f64 / DAY_SECONDS).max(1.0);
    (spec.max_per_day as f64 * days).min(i64::MAX as f64 / 2.0) as i64
}

/// One step: what a reading is taken for, and the state after it.
fn step(spec: &MeterSpec, state: Option<LifeState>, reading: Reading) -> (Disposition, LifeState) {
    let at = reading.read_at;
    let value = reading.value;
    let Some(state) = state else {
        // A counter has counted its value before we saw it; a gauge may well be below zero.
        let life = if spec.is_counter { value.max(0) } else { value };
        return (Disposition::CountedFirst, LifeState { value, at, life, before_reset: None });
    };
    if !spec.is_counter {
        return (Disposition::Counted, LifeState { value, at, life: value, before_reset: None });
    }
    let allowed = allowance(spec, state.at, at);
    if value >= state.value {
        let usage = value - state.value;
        if usage <= allowed {
            return (
                Disposition::Counted,
                LifeState { value, at, life: state.life.saturating_add(usage), before_reset: None },
            );
        }
        if let Some((old, old_at, old_life)) = state.before_reset
            && value >= old
            && value - old <= allowance(spec, old_at, at)
        {
            // The low reading was a glitch: the counter never was reset.
            let life = old_life.saturating_add(value - old).max(state.life);
            return (Disposition::Recovered, LifeState { value, at, life, before_reset: None });
        }
        return (Disposition::TooFast, state);
    }
    if let Some(modulus) = spec.modulus
        && state.value < modulus
    {
        let wrapped = value + modulus - state.value;
        if wrapped <= allowed {
            return (
                Disposition::Rollover,
                LifeState { value, at, life: state.life.saturating_add(wrapped), before_reset: None },
            );
        }
    }
    let usage = if value <= allowed { value.max(0) } else { 0 };
    let before = state.before_reset.unwrap_or((state.value, state.at, state.life));
    (Disposition::Reset, LifeState { value, at, life: state.life.saturating_add(usage), before_reset: Some(before) })
}

/// Folds readings sorted by (device time, value), on from a state. At one time the highest value
/// counts and the others are superseded.
pub fn fold(
    spec: &MeterSpec,
    mut state: Option<LifeState>,
    readings: &[Reading],
) -> (Vec<FoldedReading>, Option<LifeState>) {
    let mut folded = Vec::with_capacity(readings.len());
    for (place, reading) in readings.iter().enumerate() {
        let is_superseded = readings.get(place + 1).is_some_and(|next| next.read_at == reading.read_at);
        let life = |state: &Option<LifeState>| state.map_or(0, |s| s.life);
        if is_superseded {
            folded.push(FoldedReading { reading: *reading, disposition: Disposition::Superseded, life: life(&state) });
            continue;
        }
        let (disposition, next) = step(spec, state, *reading);
        // The first reading of a counter makes the state even when it stands alone.
        state = Some(next);
        folded.push(FoldedReading { reading: *reading, disposition, life: life(&state) });
    }
    (folded, state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    const SPEC: MeterSpec = MeterSpec { is_counter: true, modulus: Some(4_294_967_296), max_per_day: 5_000 };

    fn day(n: i64, value: i64) -> Reading {
        Reading { read_at: DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + n), value }
    }

    fn kinds(readings: &[Reading]) -> (Vec<Disposition>, i64) {
        let (folded, state) = fold(&SPEC, None, readings);
        (folded.iter().map(|f| f.disposition).collect(), state.unwrap().life)
    }

    #[test]
    fn a_reset_goes_on_from_zero_and_a_wrap_counts_through() {
        use Disposition::*;
        assert_eq!(kinds(&[day(0, 100), day(1, 400), day(2, 50)]), (vec![CountedFirst, Counted, Reset], 450));
        let top = 4_294_967_296 - 10;
        assert_eq!(kinds(&[day(0, top), day(1, 5)]), (vec![CountedFirst, Rollover], top + 15));
    }

    #[test]
    fn a_low_glitch_is_recovered_and_a_spike_is_kept_aside() {
        use Disposition::*;
        assert_eq!(
            kinds(&[day(0, 100_000), day(1, 0), day(2, 100_050), day(3, 100_060)]),
            (vec![CountedFirst, Reset, Recovered, Counted], 100_060)
        );
        assert_eq!(kinds(&[day(0, 100), day(1, 900_000), day(2, 200)]), (vec![CountedFirst, TooFast, Counted], 200));
    }

    #[test]
    fn a_gauge_may_begin_below_zero_and_its_latest_value_counts() {
        let gauge = MeterSpec { is_counter: false, modulus: None, max_per_day: 1 };
        let (folded, state) = fold(&gauge, None, &[day(0, -50), day(1, 400), day(2, -10)]);
        assert_eq!(folded.iter().map(|f| f.life).collect::<Vec<_>>(), vec![-50, 400, -10]);
        assert_eq!(state.map(|s| s.life), Some(-10));
    }

    #[test]
    fn at_one_time_the_highest_value_counts() {
        use Disposition::*;
        assert_eq!(kinds(&[day(0, 1), day(1, 5), day(1, 9)]), (vec![CountedFirst, Superseded, Counted], 9));
    }

    proptest! {
        #[test]
        fn the_life_counter_never_goes_down(values in prop::collection::vec((0_i64..60, 0_i64..20_000), 1..60)) {
            let mut readings: Vec<Reading> = values.iter().map(|(n, v)| day(*n, *v)).collect();
            readings.sort_unstable();
            readings.dedup();
            let (folded, _) = fold(&SPEC, None, &readings);
            prop_assert!(folded.windows(2).all(|w| w[0].life <= w[1].life));
        }

        #[test]
        fn folding_in_two_parts_is_folding_at_once(values in prop::collection::vec((0_i64..60, 0_i64..20_000), 2..60), cut in 0_usize..60) {
            let mut readings: Vec<Reading> = values.iter().map(|(n, v)| day(*n, *v)).collect();
            readings.sort_unstable();
            readings.dedup_by_key(|r| r.read_at);
            let cut = cut.min(readings.len());
            let (whole, end) = fold(&SPEC, None, &readings);
            let (mut first, middle) = fold(&SPEC, None, &readings[..cut]);
            let (second, last) = fold(&SPEC, middle, &readings[cut..]);
            first.extend(second);
            prop_assert_eq!(whole, first);
            prop_assert_eq!(end, last);
        }
    }
}
