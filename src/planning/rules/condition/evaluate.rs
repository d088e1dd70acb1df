//! When a condition falls due, as a state machine over the device's readings.
//!
//! It is beyond when all clauses are beyond their limits, and clear when one of them is back at its
//! clearing level; in between, and while the readings do not say, it stays what it was. A clause
//! changes with the readings of its own meters only, or at the exact moment at which time alone
//! carries it over a level, never because somebody looked. So the same facts give the same answer
//! whenever the planner comes by.
//!
//! Work cuts the readings: what was counted before it says nothing of how the device is now. Without
//! that, a week's error ratio would still be beyond for days after a cleaning that helped.

use crate::kernel::calendar::check_instant;
use crate::planning::condition::{Clause, ClauseReading, Condition, Episode, Limit};
use crate::usage::measure::{Attributes, DeviceSeries, Measure, Ticking, sample_points, value_since};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeSet, HashMap};

/// Days of a condition's past that are evaluated anew each time, so that late readings count.
const EVALUATED_DAYS: u32 = 30;
/// Days of readings before a window that are loaded with it, so that its begin is covered.
const SLACK_DAYS: u32 = 2;
/// Longest time a measure looks back: a year.
pub(super) const MAX_DAYS: u32 = 366;
/// Hours after work before its failure is told, where the hold time is shorter.
const REPEAT_HOURS: u32 = 24;

/// What a condition is evaluated on.
#[derive(Clone, Copy, Debug)]
pub struct ConditionFacts<'a> {
    /// Readings of its meters over the look-back.
    pub series: &'a DeviceSeries,
    /// Dates of the device.
    pub attributes: &'a Attributes,
    /// Rated lives of the device's model, by meter code, in the meter's unit.
    pub ratings: &'a HashMap<String, f64>,
    /// The guard is for such a device at such a place.
    pub is_guarded: bool,
    /// The device is used as much as the guard asks for; what has begun goes on when it is not, so
    /// that a rate around the guard's does not open and close in turn.
    pub is_busy: bool,
}

/// Where a condition stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionOutcome {
    /// When it fell due; none when it is not due now.
    pub fired_at: Option<DateTime<Utc>>,
    /// It is due again after work that did not help.
    pub is_repeat: bool,
    /// The time in which it is beyond, to be kept with the item.
    pub episode: Option<Episode>,
    /// Its clauses as of `looked_at`, in order.
    pub clauses: Vec<ClauseReading>,
    /// The last moment at which anything changed; none before it counts.
    pub looked_at: Option<DateTime<Utc>>,
    /// The first moment after now at which this can change without new readings or work.
    pub changes_at: Option<DateTime<Utc>>,
}

/// Days of the past that are evaluated.
fn evaluated_days(condition: &Condition) -> u32 {
    EVALUATED_DAYS.max(condition.hold_hours.div_ceil(24).saturating_add(2))
}

/// Days of readings that a condition is evaluated on.
pub fn look_back_days(condition: &Condition) -> u32 {
    let read = |clause: &Clause| match &clause.measure {
        // It must be seen to have rested for as long as the limit.
        Measure::DaysSinceUse { .. } => {
            let level = clause.limit.number().max(clause.clear_at.unwrap_or_default());
            level.clamp(0.0, f64::from(MAX_DAYS)).ceil() as u32
        }
        measure => measure.days_read(),
    };
    let longest = condition.clauses.iter().map(read).max().unwrap_or_default();
    evaluated_days(condition).saturating_add(longest).saturating_add(SLACK_DAYS)
}

/// Codes of the meters whose readings a condition is evaluated on, each once.
pub fn meters_of(condition: &Condition) -> Vec<String> {
    let codes: BTreeSet<&str> = condition.clauses.iter().flat_map(|c| c.measure.meters()).collect();
    codes.into_iter().map(str::to_owned).collect()
}

/// What one clause says at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Look {
    value: Option<f64>,
    sample: Option<f64>,
    is_beyond: bool,
    is_clear: bool,
}

/// What a clause said of a reading, after a cut.
type Seen = ((Option<DateTime<Utc>>, DateTime<Utc>), Look);

/// One clause, ready to be looked at.
struct Track<'a> {
    clause: &'a Clause,
    /// In the measure's unit.
    limit: Option<f64>,
    /// Where it is clear, in the measure's unit.
    clear: Option<f64>,
    /// How time moves it, if time does.
    ticking: Option<Ticking>,
    /// Readings of its meters since it counts.
    samples: Vec<DateTime<Utc>>,
}

impl<'a> Track<'a> {
    fn new(clause: &'a Clause, facts: &ConditionFacts<'_>, counts_from: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let rating = clause.measure.meters().first().and_then(|meter| facts.ratings.get(*meter)).copied();
        let in_unit = |number: f64| match clause.limit {
            Limit::Value { .. } => Some(number),
            Limit::ShareOfRating { .. } => rating.map(|rating| rating * number),
        };
        let is_by_time = clause.measure.is_by_time();
        Self {
            clause,
            limit: in_unit(clause.limit.number()).filter(|n| n.is_finite()),
            clear: in_unit(clause.clear_at.unwrap_or(clause.limit.number())).filter(|n| n.is_finite()),
            ticking: Ticking::of(&clause.measure, facts.series, facts.attributes),
            samples: match is_by_time {
                true => vec![],
                false => sample_points(&clause.measure, facts.series, facts.attributes, counts_from, now),
            },
        }
    }

    /// Its last reading up to a moment.
    fn last_sample(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.samples.get(self.samples.partition_point(|s| *s <= at).checked_sub(1)?).copied()
    }

    /// When time alone carries it over its levels, counted as it is at a moment.
    fn crossings(&self, at: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
        let cross = |level: Option<f64>| self.ticking.as_ref()?.crossing_at(level?, at);
        [cross(self.limit), cross(self.clear)].into_iter().flatten()
    }

    /// Moments up to `now` at which it can change.
    fn moments(&self, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let Some(ticking) = &self.ticking else { return self.samples.clone() };
        let starts = ticking.starts();
        let known = &starts[..starts.partition_point(|s| *s <= now)];
        let mut found: Vec<DateTime<Utc>> = known.to_vec();
        for pair in known.windows(2) {
            // A level that was not reached before it began again was never reached.
            found.extend(self.crossings(pair[0]).filter(|crossing| *crossing < pair[1]));
        }
        found.extend(self.crossings(now).filter(|crossing| *crossing <= now));
        found
    }

    /// What it says at a moment; readings from before `cut` do not speak.
    fn look(&self, facts: &ConditionFacts<'_>, cut: DateTime<Utc>, at: DateTime<Utc>) -> Look {
        let Some(limit) = self.limit else { return Look::default() };
        let clear = self.clear.unwrap_or(limit);
        let is_upward = self.clause.operator.is_upward();
        if self.clause.measure.is_by_time() {
            let Some(ticking) = &self.ticking else { return Look::default() };
            let (Some(at_limit), Some(at_clear)) = (ticking.crossing_at(limit, at), ticking.crossing_at(clear, at))
            else {
                return Look::default();
            };
            // Moments and not values are compared: at the crossing itself it is beyond.
            let is_beyond = if is_upward { at_limit <= at } else { at < at_limit };
            let is_back = if is_upward { at <= at_clear } else { at_clear <= at };
            let value = ticking.value_at(at).map(|m| m.value);
            return Look { value, sample: None, is_beyond, is_clear: !is_beyond && is_back };
        }
        let measured = self
            .last_sample(at)
            .filter(|sample| *sample >= cut)
            .and_then(|sample| value_since(&self.clause.measure, facts.series, facts.attributes, Some(cut), sample));
        let Some(measured) = measured else { return Look::default() };
        let value = measured.value;
        let look = Look { value: Some(value), sample: measured.sample, is_beyond: false, is_clear: false };
        if let (Some(sample), Some(wanted)) = (measured.sample, self.clause.min_sample)
            && sample < wanted
        {
            return look;
        }
        let is_beyond = self.clause.operator.holds(value, limit);
        let is_back = if is_upward { value <= clear } else { value >= clear };
        Look { is_beyond, is_clear: !is_beyond && is_back, ..look }
    }
}

/// The last of some sorted moments up to one of them.
fn last_until(moments: &[DateTime<Utc>], at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    moments.get(moments.partition_point(|m| *m <= at).checked_sub(1)?).copied()
}

/// Evaluates a condition: same facts, work and `now`, same answer, and the same again with the
/// episode it answered.
///
/// `done` are the completions of its item, sorted; `counts_from` is what a never-done item counts
/// from; `carried` is the episode of the look before.
pub fn evaluate(
    condition: &Condition,
    facts: &ConditionFacts<'_>,
    done: &[DateTime<Utc>],
    counts_from: DateTime<Utc>,
    carried: Option<&Episode>,
    now: DateTime<Utc>,
) -> ConditionOutcome {
    let days = i64::from(evaluated_days(condition));
    let from = now.checked_sub_signed(TimeDelta::days(days)).unwrap_or(counts_from).max(counts_from);
    evaluate_from(condition, facts, done, counts_from, carried, from, now)
}

/// [`evaluate`], over a past of any length.
pub(super) fn evaluate_from(
    condition: &Condition,
    facts: &ConditionFacts<'_>,
    done: &[DateTime<Utc>],
    counts_from: DateTime<Utc>,
    carried: Option<&Episode>,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> ConditionOutcome {
    let done = &done[..done.partition_point(|d| *d <= now)];
    let tracks: Vec<Track<'_>> =
        condition.clauses.iter().map(|clause| Track::new(clause, facts, counts_from, now)).collect();
    let moments: Vec<Vec<DateTime<Utc>>> = tracks.iter().map(|track| track.moments(now)).collect();
    let mut events: BTreeSet<DateTime<Utc>> =
        moments.iter().flatten().chain(done).copied().filter(|at| (from..=now).contains(at)).collect();
    // How it stands when the evaluated past begins was decided by what changed last before it.
    let begin = moments.iter().flatten().chain(done).copied().filter(|at| *at <= from).max();
    let begin = begin.map_or(counts_from, |at| at.max(counts_from));
    events.extend(Some(begin).filter(|at| *at <= now));

    let had_begun = carried.is_some();
    let carried = carried.filter(|episode| episode.since < from);
    let mut since = carried.map(|episode| episode.since);
    let mut confirmed: Vec<DateTime<Utc>> =
        carried.map(|e| e.confirmed.iter().copied().filter(|at| *at < from).collect()).unwrap_or_default();
    let cut_at = |at: DateTime<Utc>| last_until(done, at).map_or(counts_from, |work| work.max(counts_from));
    // A clause is measured once for each of its readings, not once for each moment.
    let mut known: Vec<Option<Seen>> = vec![None; tracks.len()];
    for at in &events {
        let at = *at;
        if carried.is_some() && at < from {
            continue;
        }
        let cut = cut_at(at);
        let (mut is_beyond, mut is_clear) = (!tracks.is_empty(), false);
        for (track, known) in tracks.iter().zip(&mut known) {
            let key = (track.last_sample(at), cut);
            let look = match known {
                Some((of, look)) if *of == key && !track.clause.measure.is_by_time() => *look,
                _ => track.look(facts, cut, at),
            };
            *known = Some((key, look));
            is_beyond &= look.is_beyond;
            is_clear |= look.is_clear;
        }
        match since {
            None if is_beyond => since = Some(at),
            Some(since) if is_beyond => {
                let work = last_until(done, at).filter(|work| *work > since);
                if work.is_some_and(|work| confirmed.last().is_none_or(|last| *last < work)) {
                    confirmed.push(at);
                }
            }
            _ if is_clear => {
                since = None;
                confirmed.clear();
            }
            _ => {}
        }
    }
    if !facts.is_guarded || (!facts.is_busy && !had_begun) {
        since = None;
    }
    let firing = since.map(|since| firing(condition, since, &confirmed, done)).unwrap_or_default();
    let fired_at = firing.at.filter(|at| *at <= now);
    let looked_at = events.last().copied().max(fired_at);
    let read = |track: &Track<'_>| {
        let look = looked_at.map(|at| track.look(facts, cut_at(at), at)).unwrap_or_default();
        ClauseReading { value: look.value, limit: track.limit, sample: look.sample, is_beyond: look.is_beyond }
    };
    let by_time = tracks.iter().flat_map(|track| track.crossings(now));
    let changes_at =
        by_time.chain(firing.at).filter(|at| facts.is_guarded && *at > now && check_instant(*at).is_ok()).min();
    ConditionOutcome {
        fired_at,
        is_repeat: fired_at.is_some() && firing.is_repeat,
        episode: since.map(|since| Episode {
            since,
            confirmed,
            fired_at,
            is_repeat: fired_at.is_some() && firing.is_repeat,
        }),
        clauses: tracks.iter().map(read).collect(),
        looked_at,
        changes_at,
    }
}

/// When an episode falls due, if nothing clears it before.
#[derive(Clone, Copy, Debug, Default)]
struct Firing {
    at: Option<DateTime<Utc>>,
    is_repeat: bool,
}

/// An episode falls due once its hold time is over, and not before the cool-down after the work
/// before it. Work in it that leaves it beyond for a full hold makes it due once more; after work on
/// that it rests.
fn firing(condition: &Condition, since: DateTime<Utc>, confirmed: &[DateTime<Utc>], done: &[DateTime<Utc>]) -> Firing {
    let after = |at: DateTime<Utc>, wait: TimeDelta| at.checked_add_signed(wait).unwrap_or(at);
    let hold = TimeDelta::hours(i64::from(condition.hold_hours));
    let again = TimeDelta::hours(i64::from(condition.hold_hours.max(REPEAT_HOURS)));
    let cool_down = TimeDelta::days(i64::from(condition.cool_down_days));
    let (before, within) = done.split_at(done.partition_point(|work| *work <= since));
    let rested = before.last().map(|work| after(*work, cool_down));
    let held = after(since, hold);
    let mut firing = Firing { at: Some(rested.map_or(held, |rested| rested.max(held))), is_repeat: false };
    for work in within {
        let was_due = firing.at.is_some_and(|at| at <= *work);
        if was_due && firing.is_repeat {
            return Firing::default();
        }
        let seen = confirmed.iter().find(|at| *at >= work);
        firing = Firing { at: seen.map(|seen| after(*work, again).max(*seen)), is_repeat: true };
    }
    firing
}
