//! The next due date of one item: each trigger proposes, the earliest wins.

use super::closed::PermittedDays;
use super::condition::{ConditionFacts, ConditionOutcome, evaluate};
use super::facts::{FirmwareFacts, WatchFacts};
use super::firmware::{UpdateRequest, UpdateTime, update_time};
use super::timeline::{Slots, Timeline, after_key, anchor_date, slot_key};
use super::validate::{CompiledPlan, CompiledTrigger, INACTIVE_DAYS};
use crate::kernel::calendar::{end_of_day, local_date, local_to_instant, start_of_day};
use crate::planning::condition::Condition;
use crate::planning::model::{
    AdjustmentKind, AnchorKind, ConditionBasis, ConditionState, Due, DueAdjustment, DueCandidate, DueQuantile,
    Explanation, LogEntry, LogKind, MaintenanceItem, RateParts, Trigger, TriggerEvent, UsageBasis,
};
use crate::usage::forecast::forecast;
use crate::usage::model::UsagePattern;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

/// What is known of one meter of the subject, for one item.
#[derive(Clone, Debug)]
pub struct UsageFacts {
    /// Meter code.
    pub meter: String,
    /// Life counter at the last reading; 0 without readings.
    pub life_now: i64,
    /// Life counter at the anchor of the current occurrence.
    pub life_at_anchor: i64,
    /// The last reading that counted.
    pub last_reading_at: Option<DateTime<Utc>>,
    /// When the life counter was seen to reach anchor + interval.
    pub crossed_at: Option<DateTime<Utc>>,
    /// How the device is used.
    pub pattern: UsagePattern,
}

/// Something that happened to a device and can ask for work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventFact {
    /// What happened.
    pub event: TriggerEvent,
    /// When, device time.
    pub at: DateTime<Utc>,
    /// Days without use before it; only of AFTER_INACTIVITY.
    pub idle_days: u32,
}

/// When the occurrence that the item counts from was skipped.
fn skipped_at(log: &[LogEntry], timeline: &Timeline) -> Option<DateTime<Utc>> {
    if timeline.anchor.kind != AnchorKind::Skipped {
        return None;
    }
    log.iter()
        .enumerate()
        .filter(|(place, e)| e.kind == LogKind::Skipped && !timeline.void.contains(place))
        .filter(|(_, e)| e.nominal_due_at == Some(timeline.anchor.at))
        .map(|(_, e)| e.performed_at)
        .max()
}

/// The latest event that asks for the work of a trigger and has not been answered.
fn pending_event(facts: &DueFacts<'_>, timeline: &Timeline, trigger: &Trigger) -> Option<DateTime<Utc>> {
    let &Trigger::Event { event: wanted, within_days, inactive_days } = trigger else { return None };
    let inactive_days = inactive_days.unwrap_or(INACTIVE_DAYS);
    let is_answered = |at: DateTime<Utc>| match timeline.anchor.kind {
        AnchorKind::Installed => false,
        AnchorKind::Done => timeline.anchor.at >= at,
        // A skip stands at the nominal date, which can be the event's own day.
        AnchorKind::Skipped => timeline.anchor.at >= event_due(facts.zone, at, within_days),
    };
    let made = facts.plan.plan.created_at;
    let found = facts
        .events
        .iter()
        .filter(|e| e.event == wanted && (wanted != TriggerEvent::AfterInactivity || e.idle_days >= inactive_days))
        .filter(|e| !is_answered(e.at))
        .filter_map(|e| match wanted {
            // What stands in stock when the plan comes needs its inspection as well.
            TriggerEvent::BeforeService => Some(e.at.max(facts.events_from)),
            // A device comes back from repair before it comes back into its plan.
            TriggerEvent::AfterRepair => Some(e.at.max(facts.events_from)).filter(|_| e.at >= made),
            TriggerEvent::AfterRelocation | TriggerEvent::AfterInactivity => {
                Some(e.at).filter(|at| *at >= facts.events_from)
            }
        })
        .max();
    // What asked once goes on asking until it is answered; its readings are not loaded for ever.
    let known = facts.item.and_then(|i| i.explanation.as_ref()).and_then(|e| {
        let of_trigger = e.candidates.iter().find(|c| c.trigger == *trigger)?;
        of_trigger.event_at.filter(|at| wanted == TriggerEvent::AfterInactivity && !is_answered(*at))
    });
    found.max(known)
}

/// When the work an event asks for is due: the start of a civil day.
fn event_due(zone: Tz, at: DateTime<Utc>, within_days: u32) -> DateTime<Utc> {
    start_of_day(zone, add_days(local_date(zone, at), within_days))
}

/// What a condition says, with what is to be remembered of it.
fn condition_candidate(
    facts: &DueFacts<'_>,
    watch: &WatchFacts,
    (condition, key): (&Condition, &str),
    timeline: &Timeline,
    now: DateTime<Utc>,
) -> (Option<DateTime<Utc>>, ConditionOutcome) {
    let guard = condition.guard.as_ref();
    let asked = ConditionFacts {
        series: &watch.series,
        attributes: &watch.attributes,
        ratings: &watch.ratings,
        is_guarded: watch.is_placed(guard),
        is_busy: watch.is_busy(guard, now),
    };
    let carried = facts.item.and_then(|i| i.conditions.iter().find(|c| c.key == key)).map(|c| &c.episode);
    let seen = evaluate(condition, &asked, timeline.done(), timeline.counts_from, carried, now);
    // A skipped occurrence rests until the measure is clear again.
    let skipped = skipped_at(facts.log, timeline);
    let is_skipped = seen.episode.as_ref().is_some_and(|e| skipped.is_some_and(|at| e.since <= at));
    let due_at = seen.fired_at.filter(|_| !is_skipped).map(|at| event_due(facts.zone, at, 0));
    (due_at, seen)
}

/// The time of an update; a skipped one rests until a target is set anew.
fn firmware_candidate(
    facts: &DueFacts<'_>,
    firmware: &FirmwareFacts,
    timeline: &Timeline,
    now: DateTime<Utc>,
) -> UpdateTime {
    let before = facts
        .item
        .and_then(|i| i.explanation.as_ref())
        .and_then(|e| e.candidates.iter().find_map(|c| c.firmware.as_ref()));
    let request = UpdateRequest {
        zone: facts.zone,
        days: facts.days,
        minutes: facts.plan.definition().estimated_minutes,
        counts_from: timeline.anchor.at,
        before,
    };
    let mut found = update_time(firmware, request, now);
    let set_at = firmware.standing.target.as_ref().map(|t| t.set_at);
    if skipped_at(facts.log, timeline).is_some_and(|skipped| set_at.is_some_and(|set| set <= skipped)) {
        found.due_at = None;
    }
    found
}

/// A due date, its reasons, and when both can change without new facts.
#[derive(Clone, Debug, PartialEq)]
pub struct DueOutcome {
    /// The date; absent when no trigger proposes one.
    pub due: Option<Due>,
    /// Why.
    pub explanation: Explanation,
    /// Slots found missed, oldest first.
    pub missed: Vec<DateTime<Utc>>,
    /// The first instant at which the date can change by itself.
    pub changes_at: Option<DateTime<Utc>>,
    /// What is to be remembered of its conditions.
    pub conditions: Vec<ConditionState>,
}

/// Days between two dates at most; further forecasts are no help to a planner.
const FORECAST_LIMIT_DAYS: u64 = 3_660;

fn usage_candidate(
    zone: Tz,
    every: i64,
    decimals: i32,
    quantile: DueQuantile,
    anchor_day: NaiveDate,
    facts: &UsageFacts,
) -> (UsageBasis, Option<NaiveDate>) {
    let used = facts.life_now.saturating_sub(facts.life_at_anchor);
    let units_left = every.saturating_sub(used);
    let mut basis = UsageBasis {
        meter: facts.meter.clone(),
        decimals,
        every,
        life_at_last_done: facts.life_at_anchor,
        life_now: facts.life_now,
        units_left,
        units_per_day: facts.pattern.per_day,
        last_reading_at: facts.last_reading_at,
        source: facts.pattern.source,
        crossed_at: facts.crossed_at,
        p10: None,
        p50: None,
        p90: None,
        parts: None,
    };
    if let Some(crossed) = facts.crossed_at {
        let day = local_date(zone, crossed);
        (basis.p10, basis.p50, basis.p90) = (Some(day), Some(day), Some(day));
        return (basis, Some(day));
    }
    // Nothing is known between the last data and the anchor but that both have happened.
    let from = facts.last_reading_at.map_or(anchor_day, |_| facts.pattern.as_of.max(anchor_day));
    let reach = forecast(&facts.pattern, from, units_left.max(1));
    if let Some(way) = reach.way {
        let pattern = &facts.pattern;
        basis.units_per_day = way.per_day;
        basis.parts = Some(RateParts {
            recent_per_day: pattern.parts.recent_per_day,
            level: pattern.per_day,
            way,
            season: pattern.parts.season,
            closed: pattern
                .closure
                .as_ref()
                .filter(|closure| closure.expected_until > from)
                .map(|closure| (closure.days_so_far, closure.expected_until)),
        });
    }
    let limit = from.checked_add_days(Days::new(FORECAST_LIMIT_DAYS));
    let bounded = |day: Option<NaiveDate>| day.filter(|d| limit.is_none_or(|l| *d <= l));
    (basis.p10, basis.p50, basis.p90) = (bounded(reach.p10), bounded(reach.p50), bounded(reach.p90));
    let day = match quantile {
        DueQuantile::P10 => basis.p10,
        DueQuantile::P50 => basis.p50,
        DueQuantile::P90 => basis.p90,
    };
    (basis, day)
}

fn add_days(date: NaiveDate, days: u32) -> NaiveDate {
    date.checked_add_days(Days::new(u64::from(days))).unwrap_or(date)
}

fn sub_days(date: NaiveDate, days: u32) -> NaiveDate {
    date.checked_sub_days(Days::new(u64::from(days))).unwrap_or(date)
}

/// What the next due date rests on, beside the item's timeline.
#[derive(Clone, Copy, Debug)]
pub struct DueFacts<'a> {
    /// The plan.
    pub plan: &'a CompiledPlan,
    /// Zone of the civil dates.
    pub zone: Tz,
    /// Days on which the work may be done.
    pub days: PermittedDays<'a>,
    /// The plan's grid, if it has one.
    pub slots: Option<&'a Slots>,
    /// Where the grid begins to bind the item.
    pub grid_from: DateTime<Utc>,
    /// From when on events bind the item.
    pub events_from: DateTime<Utc>,
    /// The item's log, searched for a postponement of the occurrence that comes out.
    pub log: &'a [LogEntry],
    /// Its meters.
    pub usage: &'a [UsageFacts],
    /// What happened to it.
    pub events: &'a [EventFact],
    /// What is known of its measures; absent for plans without conditions.
    pub watch: Option<&'a WatchFacts>,
    /// What is known of its firmware; absent for plans without the trigger.
    pub firmware: Option<&'a FirmwareFacts>,
    /// The item as it was decided before.
    pub item: Option<&'a MaintenanceItem>,
}

/// The next due date of an item, from its timeline and its usage.
pub fn next_due(facts: &DueFacts<'_>, timeline: &Timeline, now: DateTime<Utc>) -> DueOutcome {
    let DueFacts { plan, zone, days, slots, grid_from, log, usage, .. } = *facts;
    let definition = plan.definition();
    let anchor_day = anchor_date(zone, &timeline.anchor);
    let on_slots = timeline.slots(slots, grid_from, now);
    let (missed, slot, mut changes_at) = (on_slots.missed, on_slots.current, on_slots.closes_at);
    let mut sooner = |at: Option<DateTime<Utc>>| changes_at = [changes_at, at].into_iter().flatten().min();
    let mut conditions = Vec::new();
    let mut update_moved = None;
    let mut candidates = Vec::with_capacity(plan.triggers.len());
    for (trigger, compiled) in definition.triggers.iter().zip(&plan.triggers) {
        let mut candidate = DueCandidate {
            trigger: trigger.clone(),
            due_at: None,
            basis: None,
            condition: None,
            firmware: None,
            event_at: None,
        };
        match compiled {
            CompiledTrigger::Fixed(_) => candidate.due_at = slot,
            CompiledTrigger::Floating(period) => {
                candidate.due_at = period.add_to(anchor_day).map(|d| start_of_day(zone, d));
            }
            CompiledTrigger::Usage { meter, every, decimals } => {
                if let Some(facts) = usage.iter().find(|u| u.meter == *meter) {
                    let (basis, day) =
                        usage_candidate(zone, *every, *decimals, definition.due_quantile, anchor_day, facts);
                    candidate.due_at = day.map(|d| start_of_day(zone, d));
                    candidate.basis = Some(basis);
                }
            }
            CompiledTrigger::Condition { condition, key } => {
                if let Some(watch) = facts.watch {
                    let (due_at, seen) = condition_candidate(facts, watch, (condition, key), timeline, now);
                    sooner(seen.changes_at);
                    candidate.due_at = due_at;
                    candidate.condition = Some(ConditionBasis {
                        clauses: seen.clauses,
                        looked_at: seen.looked_at,
                        since: seen.episode.as_ref().map(|e| e.since),
                        is_repeat: seen.is_repeat,
                    });
                    conditions.extend(seen.episode.map(|episode| ConditionState { key: key.clone(), episode }));
                }
            }
            CompiledTrigger::Firmware => {
                if let Some(firmware) = facts.firmware {
                    let found = firmware_candidate(facts, firmware, timeline, now);
                    sooner(found.changes_at);
                    candidate.due_at = found.due_at;
                    candidate.firmware = Some(found.basis);
                    update_moved = found.moved.zip(found.due_at);
                }
            }
            CompiledTrigger::Event { within_days, .. } => {
                candidate.event_at = pending_event(facts, timeline, trigger);
                candidate.due_at = candidate.event_at.map(|at| event_due(zone, at, *within_days));
            }
        }
        candidates.push(candidate);
    }
    let winner = candidates
        .iter()
        .enumerate()
        .filter_map(|(place, c)| c.due_at.map(|at| (at, place)))
        .min()
        .map(|(_, place)| place);
    let mut explanation = Explanation {
        winner,
        candidates,
        adjustments: vec![],
        anchor: timeline.anchor,
        zone: zone.name().to_owned(),
        covered_by: None,
        covers: vec![],
    };
    let Some((nominal_at, place)) = winner.and_then(|w| explanation.candidates[w].due_at.map(|at| (at, w))) else {
        return DueOutcome { due: None, explanation, missed, changes_at, conditions };
    };
    let on_grid = matches!(plan.triggers[place], CompiledTrigger::Fixed(_));
    let nominal_day = local_date(zone, nominal_at);
    let after_anchor = after_key(timeline.anchor.at);
    let occurrence_key = if on_grid { slot_key(zone, nominal_at) } else { after_anchor.clone() };
    let window_start = match slots.filter(|_| on_grid) {
        Some(slots) => slots.opens(nominal_at),
        // Never back to the work it counts from, which would then close its own successor.
        None => {
            let early = start_of_day(zone, sub_days(nominal_day, definition.early_days));
            // What an event asks for can be done from the event on.
            let opens = explanation.candidates[place].event_at.map_or(early, |at| at.min(early));
            opens.max((timeline.anchor.at + TimeDelta::microseconds(1)).min(nominal_at))
        }
    };
    let mut window_end = end_of_day(zone, add_days(nominal_day, definition.late_days));
    // A postponement names what waited then. Between two pieces of work the winner can change
    // from usage to grid and back; the planner's word holds for the work, whoever wins.
    let slot_waits = slot.map(|s| slot_key(zone, s));
    let postponed = log
        .iter()
        .enumerate()
        .filter(|(place, e)| e.kind == LogKind::Postponed && !timeline.void.contains(place))
        .map(|(_, e)| e)
        .filter(|e| e.occurrence_key.as_ref().is_some_and(|k| *k == after_anchor || slot_waits.as_ref() == Some(k)))
        .filter(|e| e.postponed_to.is_some_and(|to| to > nominal_at))
        .max_by_key(|e| (e.performed_at, e.id));
    let mut due_at = Some(nominal_at);
    if let Some((entry, to)) = postponed.and_then(|e| e.postponed_to.map(|to| (e, to))) {
        explanation.adjustments.push(DueAdjustment {
            kind: AdjustmentKind::Postponed,
            from: nominal_at,
            to,
            reason: entry.reason.clone(),
            name: None,
        });
        due_at = Some(to);
        window_end = window_end.max(end_of_day(zone, local_date(zone, to)));
    } else {
        // Quiet hours are found around season, blackouts and freezes, and do not ask whether the site is
        // open.
        let is_update = matches!(plan.triggers[place], CompiledTrigger::Firmware);
        if let Some(((from, kind, name), to)) = update_moved.filter(|_| is_update) {
            explanation.adjustments.push(DueAdjustment { kind, from, to, reason: None, name });
        }
        let blocker = days.blocker(nominal_day).filter(|_| !is_update);
        // What was seen on a day cannot be due before it, nor before the work it counts from.
        let candidate = &explanation.candidates[place];
        let seen_on = match &plan.triggers[place] {
            CompiledTrigger::Condition { .. } => Some(nominal_day),
            CompiledTrigger::Usage { .. } => {
                Some(nominal_day).filter(|_| candidate.basis.as_ref().is_some_and(|b| b.crossed_at.is_some()))
            }
            CompiledTrigger::Event { .. } => candidate.event_at.map(|at| local_date(zone, at)),
            _ => None,
        };
        let earliest = seen_on.map_or(anchor_day, |day| day.max(anchor_day));
        let room = u32::try_from((nominal_day - earliest).num_days()).unwrap_or(0);
        let permitted = days.nearest(nominal_day, definition.early_days.min(room));
        if let Some(blocker) = blocker {
            let to = permitted.map(|day| {
                if on_grid {
                    local_to_instant(zone, day.and_time(nominal_at.with_timezone(&zone).time()))
                } else {
                    start_of_day(zone, day)
                }
            });
            explanation.adjustments.push(DueAdjustment {
                kind: to.map_or(AdjustmentKind::NoPermittedDay, |_| blocker.kind),
                from: nominal_at,
                to: to.unwrap_or(nominal_at),
                reason: None,
                name: blocker.name.cloned(),
            });
            if let Some(day) = permitted {
                window_end = window_end.max(end_of_day(zone, day));
            }
            due_at = to;
        }
    }
    let quantile_at = |pick: fn(&UsageBasis) -> Option<NaiveDate>| {
        explanation.candidates[place].basis.as_ref().and_then(pick).map(|d| start_of_day(zone, d))
    };
    let due = Due {
        occurrence_key,
        nominal_at,
        due_at,
        window_start,
        window_end,
        p10_at: quantile_at(|b| b.p10),
        p50_at: quantile_at(|b| b.p50),
        p90_at: quantile_at(|b| b.p90),
    };
    DueOutcome { due: Some(due), explanation, missed, changes_at, conditions }
}
