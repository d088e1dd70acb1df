//! What the planner writes for one item: a pure comparison of what should be with what is.

use super::closed::{ClosedDays, PermittedDays};
use super::due::{DueFacts, DueOutcome, EventFact, UsageFacts, next_due};
use super::facts::{FirmwareFacts, WatchFacts};
use super::timeline::{Slots, Timeline, slot_key, timeline};
use super::validate::CompiledPlan;
use crate::kernel::calendar::{local_date, start_of_day};
use crate::kernel::ids::PlanId;
use crate::planning::model::{
    ConditionState, CoverNote, Due, Explanation, Freeze, LogEntry, LogKind, MaintenanceItem, WorkOrder, WorkOrderState,
};
use chrono::{DateTime, Days, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;

/// Days beyond the lead time at which a PLANNED order is withdrawn rather than moved, so that a
/// forecast that wavers around the lead time does not issue and withdraw in turn.
pub const WITHDRAW_HYSTERESIS_DAYS: u32 = 7;

/// Civil days a PLANNED order's date moves before the device file hears of it (DESIGN §4).
pub const MOVE_EVENT_DAYS: i64 = 2;

/// Everything known of one item.
#[derive(Clone, Copy, Debug)]
pub struct ItemFacts<'a> {
    /// The plan.
    pub plan: &'a CompiledPlan,
    /// The plan applies to the subject now.
    pub is_alive: bool,
    /// The subject is retired, destroyed or lost: its orders close whatever their state.
    pub is_gone: bool,
    /// Zone of the civil dates.
    pub zone: Tz,
    /// Days on which nobody works there.
    pub closed: &'a ClosedDays,
    /// Freeze periods that hold there for the plan's channel.
    pub freezes: &'a [Freeze],
    /// Every plan whose work this plan's work includes, directly or through others.
    pub covers: &'a [PlanId],
    /// Since when the subject is what the plan is for; absent when it is not.
    pub placed_since: Option<DateTime<Utc>>,
    /// The plan's grid in this zone, if it has one.
    pub slots: Option<&'a Slots>,
    /// The stored item, if there is one.
    pub item: Option<&'a MaintenanceItem>,
    /// Its log, sorted by (performed at, id), with the completions of plans that cover it.
    pub log: &'a [LogEntry],
    /// Its meters.
    pub usage: &'a [UsageFacts],
    /// What happened to it.
    pub events: &'a [EventFact],
    /// What is known of its measures; absent for plans without conditions.
    pub watch: Option<&'a WatchFacts>,
    /// What is known of its firmware; absent for plans without the trigger.
    pub firmware: Option<&'a FirmwareFacts>,
    /// Its open order.
    pub open_order: Option<&'a WorkOrder>,
}

/// What happens to the item's order.
#[derive(Clone, Debug, PartialEq)]
pub enum OrderMove {
    /// Nothing.
    Keep,
    /// A new order is issued.
    Issue,
    /// The PLANNED order keeps its date; its reasons are newer.
    Explain,
    /// The PLANNED order takes the new date; `is_reported` when the device file hears of it.
    Move {
        /// The civil date moved by [`MOVE_EVENT_DAYS`] or more.
        is_reported: bool,
    },
    /// The order is taken back.
    Withdraw {
        /// Why, for people.
        reason: &'static str,
    },
}

/// What the planner decided for one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The item is inside its plan.
    pub is_alive: bool,
    /// Since when.
    pub alive_since: DateTime<Utc>,
    /// What it counts from while never done.
    pub counts_from: DateTime<Utc>,
    /// Last work that counts.
    pub last_done_at: Option<DateTime<Utc>>,
    /// How many completions count.
    pub cycle: i64,
    /// The next due date.
    pub due: Option<Due>,
    /// Why.
    pub explanation: Option<Explanation>,
    /// Place of the item whose work will do this one too, among those decided together.
    pub covered_by: Option<usize>,
    /// What is to be remembered of its conditions.
    pub conditions: Vec<ConditionState>,
    /// Slots newly found missed, oldest first.
    pub missed: Vec<DateTime<Utc>>,
    /// Log entries (by place) that become void.
    pub voided: Vec<usize>,
    /// Log entries (by place) that come back.
    pub revived: Vec<usize>,
    /// What happens to the order.
    pub order: OrderMove,
    /// When this can change without new facts.
    pub next_look_at: Option<DateTime<Utc>>,
}

/// The `alive_since` of an item that has a log but was never inside its plan.
pub fn never_alive() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

/// What a never-done item counts from: kept while it lives and while it is away, so that moving a
/// device within the field does not start it anew.
pub fn counts_from(
    item: Option<&MaintenanceItem>,
    is_alive: bool,
    placed_since: Option<DateTime<Utc>>,
) -> DateTime<Utc> {
    match item {
        Some(item) if item.is_alive || !is_alive => item.counts_from,
        _ => placed_since.unwrap_or_else(never_alive),
    }
}

/// When the order for a due date is issued: the start of the local day, lead days before.
fn issue_at(zone: Tz, due_at: DateTime<Utc>, lead_days: u32) -> DateTime<Utc> {
    let day = local_date(zone, due_at);
    start_of_day(zone, day.checked_sub_days(Days::new(u64::from(lead_days))).unwrap_or(day))
}

/// The planner's decision for one item that nothing covers: same facts and same `now`, same answer.
pub fn decide(facts: &ItemFacts<'_>, now: DateTime<Utc>) -> Decision {
    let mut decision = assess(facts, now);
    decision.order = order_move(facts, &mut decision, now);
    decision
}

/// The planner's decisions for all items of one subject at once, in the order given, so that work
/// which includes other work is ordered once: same facts and same `now`, same answers.
pub fn decide_all(items: &[ItemFacts<'_>], now: DateTime<Utc>) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = items.iter().map(|facts| assess(facts, now)).collect();
    cover(items, &mut decisions);
    for (facts, decision) in items.iter().zip(&mut decisions) {
        decision.order = order_move(facts, decision, now);
    }
    decisions
}

/// Says of every item which other one's work does it too: one that is due inside its band and is
/// not done by a third one itself. The earliest such work counts. Nothing of it is kept: where the
/// larger work is skipped or moves away, the smaller one comes back.
fn cover(items: &[ItemFacts<'_>], decisions: &mut [Decision]) {
    let mut order: Vec<usize> = (0..items.len()).collect();
    // What covers a plan covers more plans than it: the largest work is looked at first.
    order.sort_by_key(|place| std::cmp::Reverse(items[*place].covers.len()));
    for small in order {
        let plan = items[small].plan.plan.id;
        let Some(due) = decisions[small].due.as_ref().filter(|d| d.due_at.is_some()) else { continue };
        let (opens, ends) = (due.window_start, due.window_end);
        let found = (0..items.len())
            .filter(|large| items[*large].covers.contains(&plan) && decisions[*large].covered_by.is_none())
            .filter_map(|large| Some((stands_at(&items[large], &decisions[large])?, items[large].plan.plan.id, large)))
            .filter(|(due_at, ..)| opens <= *due_at && *due_at <= ends)
            .min();
        let Some((large_due_at, _, large)) = found else { continue };
        let small_due_at = due.due_at.unwrap_or(due.nominal_at);
        decisions[small].covered_by = Some(large);
        let name = |place: usize| items[place].plan.definition().name.clone();
        if let Some(explanation) = &mut decisions[small].explanation {
            explanation.covered_by = Some(CoverNote { plan: name(large), due_at: large_due_at });
        }
        if let Some(explanation) = &mut decisions[large].explanation {
            explanation.covers.push(CoverNote { plan: name(small), due_at: small_due_at });
        }
    }
}

/// When work will be done as far as is known: where its order has a date of its own, then.
fn stands_at(facts: &ItemFacts<'_>, decision: &Decision) -> Option<DateTime<Utc>> {
    match facts.open_order.filter(|o| decision.is_alive && o.state != WorkOrderState::Planned) {
        Some(order) => Some(order.scheduled_for.unwrap_or(order.due_at)),
        None => decision.due.as_ref()?.due_at,
    }
}

/// Everything about one item but its order.
fn assess(facts: &ItemFacts<'_>, now: DateTime<Utc>) -> Decision {
    let definition = facts.plan.definition();
    let counts_from = counts_from(facts.item, facts.is_alive, facts.placed_since);
    let line = timeline(facts.slots, counts_from, facts.log);
    let alive_since = match facts.item {
        Some(item) if item.is_alive || !facts.is_alive => item.alive_since,
        // Coming back counts from last done, but the grid binds only from the return on.
        Some(item) if item.alive_since > never_alive() => now,
        _ => facts.plan.plan.created_at.max(counts_from),
    };
    let void_now = |place: usize| line.void.contains(&place);
    let mut decision = Decision {
        is_alive: facts.is_alive,
        alive_since,
        counts_from,
        last_done_at: line.last_done_at,
        cycle: line.cycle,
        due: None,
        explanation: None,
        covered_by: None,
        conditions: vec![],
        missed: vec![],
        voided: vec![],
        revived: vec![],
        order: OrderMove::Keep,
        next_look_at: None,
    };
    for (place, entry) in facts.log.iter().enumerate() {
        if !matches!(entry.kind, LogKind::Skipped | LogKind::Postponed) {
            continue;
        }
        match (entry.is_void, void_now(place)) {
            (false, true) => decision.voided.push(place),
            (true, false) => decision.revived.push(place),
            _ => {}
        }
    }
    if !facts.is_alive {
        reconcile_missed(facts, &line, &[], DateTime::<Utc>::MAX_UTC, &mut decision);
        return decision;
    }
    let grid_from = alive_since.max(counts_from).max(facts.plan.grid_since());
    let due_facts = DueFacts {
        plan: facts.plan,
        zone: facts.zone,
        days: PermittedDays {
            closed: facts.closed,
            season: definition.season,
            blackouts: &definition.blackouts,
            freezes: facts.freezes,
        },
        slots: facts.slots,
        grid_from,
        events_from: alive_since.max(counts_from),
        log: facts.log,
        usage: facts.usage,
        events: facts.events,
        watch: facts.watch,
        firmware: facts.firmware,
        item: facts.item,
    };
    let DueOutcome { due, explanation, missed, changes_at, conditions } = next_due(&due_facts, &line, now);
    reconcile_missed(facts, &line, &missed, grid_from, &mut decision);
    decision.next_look_at = changes_at.filter(|at| *at > now);
    decision.due = due;
    decision.conditions = conditions;
    decision.explanation = Some(explanation);
    decision
}

/// What happens to the item's order; sets when to look again.
fn order_move(facts: &ItemFacts<'_>, decision: &mut Decision, now: DateTime<Utc>) -> OrderMove {
    let planned = facts.open_order.filter(|o| o.state == WorkOrderState::Planned);
    if !facts.is_alive {
        return match facts.open_order {
            Some(_) if planned.is_some() || facts.is_gone => {
                OrderMove::Withdraw { reason: "the subject left the plan" }
            }
            _ => OrderMove::Keep,
        };
    }
    let Some(due_at) = decision.due.as_ref().and_then(|d| d.due_at) else {
        return match planned {
            Some(_) => OrderMove::Withdraw { reason: "no date is due any more" },
            None => OrderMove::Keep,
        };
    };
    if decision.covered_by.is_some() {
        return match planned {
            Some(_) => OrderMove::Withdraw { reason: "other work that is due does this one too" },
            None => OrderMove::Keep,
        };
    }
    let lead_days = facts.plan.definition().lead_days;
    let issue = issue_at(facts.zone, due_at, lead_days);
    let found = match (facts.open_order, planned) {
        (None, _) if now >= issue => OrderMove::Issue,
        (None, _) => OrderMove::Keep,
        (Some(_), Some(order)) => {
            let keeps_until = issue_at(facts.zone, due_at, lead_days + WITHDRAW_HYSTERESIS_DAYS);
            if now < keeps_until {
                OrderMove::Withdraw { reason: "the due date moved beyond the lead time" }
            } else {
                follow(facts.zone, order, decision.due.as_ref(), decision.explanation.as_ref())
            }
        }
        (Some(_), None) => OrderMove::Keep,
    };
    let waits = facts.open_order.is_none() && found == OrderMove::Keep;
    if waits || matches!(found, OrderMove::Withdraw { .. }) {
        decision.next_look_at = Some(decision.next_look_at.map_or(issue, |at| at.min(issue)));
    }
    found
}

/// A PLANNED order follows the forecast.
fn follow(zone: Tz, order: &WorkOrder, due: Option<&Due>, explanation: Option<&Explanation>) -> OrderMove {
    let Some((due, due_at)) = due.and_then(|d| d.due_at.map(|at| (d, at))) else {
        return OrderMove::Keep;
    };
    let unchanged = order.due_at == due_at
        && order.nominal_due_at == due.nominal_at
        && order.window_start == due.window_start
        && order.window_end == due.window_end
        && order.occurrence_key.as_deref() == Some(due.occurrence_key.as_str());
    if unchanged {
        let is_explained = order.explanation.as_ref() == explanation;
        return if is_explained { OrderMove::Keep } else { OrderMove::Explain };
    }
    let moved = (local_date(zone, due_at) - local_date(zone, order.told_due_at)).num_days().abs();
    OrderMove::Move { is_reported: moved >= MOVE_EVENT_DAYS }
}

/// Compares the slots that are missed with those the log already names. Slots up to `grid_from`
/// are from before the item last came into its plan: work can still turn up for them, but none
/// is found missed any more.
fn reconcile_missed(
    facts: &ItemFacts<'_>,
    line: &Timeline,
    missed: &[DateTime<Utc>],
    grid_from: DateTime<Utc>,
    decision: &mut Decision,
) {
    let keys: BTreeSet<String> = missed.iter().map(|s| slot_key(facts.zone, *s)).collect();
    let mut known = BTreeSet::new();
    for (place, entry) in facts.log.iter().enumerate() {
        let (LogKind::Missed, Some(key), Some(slot)) = (entry.kind, entry.occurrence_key.clone(), entry.nominal_due_at)
        else {
            continue;
        };
        let is_missed = match facts.slots {
            // Of another grid than today's: what it said then stands.
            _ if slot <= facts.plan.grid_since() => !entry.is_void,
            _ if slot > grid_from => keys.contains(&key),
            Some(slots) => !line.satisfies(slots, slot),
            None => !entry.is_void,
        };
        match (entry.is_void, is_missed) {
            (false, false) => decision.voided.push(place),
            (true, true) => decision.revived.push(place),
            _ => {}
        }
        known.insert(key);
    }
    decision.missed = missed.iter().copied().filter(|s| !known.contains(&slot_key(facts.zone, *s))).collect();
}
