//! The next due date of one item: each trigger proposes, the earliest wins.

use super::closed::PermittedDays;
use super::condition::{ConditionFacts, evaluate};
use super::facts::{FirmwareFacts, WatchFacts};
use super::firmware::{UpdateRequest, update_time};
use super::timeline::{Slots, Timeline, after_key, anchor_date, slot_key};
use super::validate::{CompiledPlan, CompiledTrigger};
use crate::kernel::calendar::{end_of_day, local_date, local_to_instant, start_of_day};
use crate::planning::model::{
    AdjustmentKind, AnchorKind, ConditionBasis, ConditionState, Due, DueAdjustment, DueCandidate, DueQuantile,
    Explanation, LogEntry, LogKind, MaintenanceItem, TriggerEvent, UsageBasis,
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

/// The latest event of a kind that asks for work and has not been answered by any.
fn pending_event(
    events: &[EventFact],
    wanted: TriggerEvent,
    inactive_days: u32,
    timeline: &Timeline,
    binds_from: DateTime<Utc>,
    plan_from: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let is_answered = |at: DateTime<Utc>| timeline.anchor.kind != AnchorKind::Installed && timeline.anchor.at >= at;
    events
        .iter()
        .filter(|e| e.event == wanted && (wanted != TriggerEvent::AfterInactivity || e.idle_days >= inactive_days))
        .filter_map(|e| match wanted {
            // What stands in stock when the plan comes needs its inspection as well.
            TriggerEvent::BeforeService => Some(e.at.max(binds_from)).filter(|_| !is_answered(e.at)),
            // It comes back into stock, and into the plan with its next installation.
            TriggerEvent::AfterRepair => Some(e.at.max(binds_from)).filter(|_| e.at >= plan_from && !is_answered(e.at)),
            _ => Some(e.at).filter(|at| *at >= binds_from && !is_answered(*at)),
        })
        .max()
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
    };
    if let Some(crossed) = facts.crossed_at {
        let day = local_date(zone, crossed);
        (basis.p10, basis.p50, basis.p90) = (Some(day), Some(day), Some(day));
        return (basis, Some(day));
    }
    // Nothing is known between the last data and the anchor but that both have happened.
    let from = facts.last_reading_at.map_or(anchor_day, |_| facts.pattern.as_of.max(anchor_day));
    let reach = forecast(&facts.pattern, from, units_left.max(1));
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
    let DueFacts { plan, zone, days, slots, grid_from, log, usage, events, watch, firmware, item } = *facts;
    let definition = plan.definition();
    let anchor_day = anchor_date(zone, &timeline.anchor);
    let on_slots = timeline.slots(slots, grid_from, now);
    let (missed, slot, mut changes_at) = (on_slots.missed, on_slots.current, on_slots.closes_at);
    let mut sooner = |at: Option<DateTime<Utc>>| changes_at = [changes_at, at].into_iter().flatten().min();
    let mut conditions = Vec::new();
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
                let Some(watch) = watch else {
                    candidates.push(candidate);
                    continue;
                };
                let asked = ConditionFacts {
                    series: &watch.series,
                    attributes: &watch.attributes,
                    ratings: &watch.ratings,
                    is_guarded: watch.is_guarded(condition.guard.as_ref(), now),
                };
                let carried = item.and_then(|i| i.conditions.iter().find(|c| c.key == *key)).map(|c| &c.episode);
                let seen = evaluate(condition, &asked, timeline.done(), timeline.counts_from, carried, now);
                sooner(seen.changes_at);
                let day_of = |at: DateTime<Utc>| start_of_day(zone, local_date(zone, at));
                // A skipped occurrence rests until the measure is clear again.
                let is_skipped = timeline.anchor.kind == AnchorKind::Skipped
                    && seen.episode.as_ref().is_some_and(|e| day_of(e.since) <= timeline.anchor.at);
                candidate.due_at = seen.fired_at.filter(|_| !is_skipped).map(day_of);
                candidate.condition = Some(ConditionBasis {
                    clauses: seen.clauses,
                    looked_at: seen.looked_at,
                    since: seen.episode.as_ref().map(|e| e.since),
                    is_repeat: seen.is_repeat,
                });
                conditions.extend(seen.episode.map(|episode| ConditionState { key: key.clone(), episode }));
            }
            CompiledTrigger::Firmware => {
                if let Some(firmware) = firmware {
                    let before = item
                        .and_then(|i| i.explanation.as_ref())
                        .and_then(|e| e.candidates.iter().find_map(|c| c.firmware.as_ref()));
                    let request = UpdateRequest {
                        zone,
                        freezes: days.freezes,
                        minutes: definition.estimated_minutes,
                        counts_from: timeline.anchor.at,
                        before,
                    };
                    let (due_at, basis, changes) = update_time(firmware, request, now);
                    sooner(changes);
                    candidate.due_at = due_at;
                    candidate.firmware = Some(basis);
                }
            }
            CompiledTrigger::Event { event, within_days, inactive_days } => {
                candidate.event_at =
                    pending_event(events, *event, *inactive_days, timeline, grid_from, plan.grid_since());
                let day = candidate.event_at.map(|at| add_days(local_date(zone, at), *within_days));
                candidate.due_at = day.map(|d| start_of_day(zone, d));
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
        None => start_of_day(zone, sub_days(nominal_day, definition.early_days))
            .max(timeline.anchor.at + TimeDelta::microseconds(1)),
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
        // Quiet hours are found around freezes, and do not ask whether the site is open.
        let is_update = matches!(plan.triggers[place], CompiledTrigger::Firmware);
        let blocker = days.blocker(nominal_day).filter(|_| !is_update);
        let permitted = days.nearest(nominal_day, definition.early_days);
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
