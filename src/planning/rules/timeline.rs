//! An item's log, read as what it says now.
//!
//! The log is ordered by *performed at*, never by arrival, so a visit that comes in late gives
//! the same timeline as one that came in time.

use super::validate::CompiledPlan;
use crate::kernel::calendar::{Grid, local_date, local_to_instant};
use crate::planning::model::{Anchor, AnchorKind, LogEntry, LogKind};
use chrono::{DateTime, Days, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;

/// What a log says of one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// What the current occurrence counts from.
    pub anchor: Anchor,
    /// Last work that counts, device time.
    pub last_done_at: Option<DateTime<Utc>>,
    /// How many completions count.
    pub cycle: i64,
    /// Places in the log of skips and postponements that it no longer produces.
    pub void: BTreeSet<usize>,
    /// What a never-done item counts from.
    pub counts_from: DateTime<Utc>,
    done: Vec<DateTime<Utc>>,
    /// Times that satisfy grid slots: completions, and nominal dues of valid skips.
    satisfied: Vec<DateTime<Utc>>,
}

/// What a grid's slots come to by now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SlotsNow {
    /// Slots nothing was done for, oldest first.
    pub missed: Vec<DateTime<Utc>>,
    /// The slot that waits for work.
    pub current: Option<DateTime<Utc>>,
    /// When the current one is missed without work: the next one opens.
    pub closes_at: Option<DateTime<Utc>>,
}

/// The fires of a plan's grid in one zone, remembered so that many items walk it once.
#[derive(Clone, Debug)]
pub struct Slots {
    grid: Grid,
    zone: Tz,
    early_days: u32,
    /// Every fire from a moment on, without gaps.
    known: Vec<DateTime<Utc>>,
}

impl Slots {
    /// The slots of a plan, walked from when it was made until `now`; none without a grid.
    pub fn of(plan: &CompiledPlan, zone: Tz, now: DateTime<Utc>) -> Option<Self> {
        let grid = plan.grid()?.clone();
        let mut known = Vec::new();
        let mut at = plan.grid_since();
        while let Some(next) = grid.next_after(zone, at) {
            known.push(next);
            at = next;
            if next > now {
                break;
            }
        }
        Some(Self { grid, zone, early_days: plan.definition().early_days, known })
    }

    /// The first slot after a moment.
    fn next_after(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let place = self.known.partition_point(|slot| *slot <= at);
        match (place, self.known.get(place)) {
            // What lies before the first known one was not walked.
            (1.., Some(next)) => Some(*next),
            _ => self.grid.next_after(self.zone, at),
        }
    }

    /// The first instant at which work counts for a slot: the same local time, `early_days` civil
    /// days before.
    pub fn opens(&self, slot: DateTime<Utc>) -> DateTime<Utc> {
        if self.early_days == 0 {
            return slot;
        }
        let local = slot.with_timezone(&self.zone).naive_local();
        local
            .checked_sub_days(Days::new(u64::from(self.early_days)))
            .map_or(slot, |l| local_to_instant(self.zone, l).min(slot))
    }

    /// When work stops counting for a slot: the next one opens.
    pub fn closes(&self, slot: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.next_after(slot).map(|next| self.opens(next))
    }
}

/// What the key of an occurrence on a grid begins with.
const ON_GRID: &str = "slot:";

/// The key of an occurrence on a grid: its civil day, which a grid fires on at most once, so that
/// a corrected zone does not make it another occurrence.
pub fn slot_key(zone: Tz, slot: DateTime<Utc>) -> String {
    format!("{ON_GRID}{}", local_date(zone, slot))
}

/// The key of an occurrence that counts from an anchor.
pub fn after_key(anchor: DateTime<Utc>) -> String {
    format!("after:{}", anchor.format("%Y-%m-%dT%H:%M:%S%.6fZ"))
}

/// Reads a log sorted by (performed at, id); `counts_from` is what a never-done item counts from.
pub fn timeline(slots: Option<&Slots>, counts_from: DateTime<Utc>, log: &[LogEntry]) -> Timeline {
    let mut done: Vec<DateTime<Utc>> = log.iter().filter(|e| e.kind == LogKind::Done).map(|e| e.performed_at).collect();
    // The same work told twice is one piece of work.
    done.dedup();
    let mut skips: Vec<(usize, &LogEntry, DateTime<Utc>)> = log
        .iter()
        .enumerate()
        .filter(|(_, e)| e.kind == LogKind::Skipped)
        .filter_map(|(i, e)| e.nominal_due_at.map(|n| (i, e, n)))
        .collect();
    skips.sort_by_key(|(_, e, nominal)| (*nominal, e.performed_at, e.id));
    let mut void = BTreeSet::new();
    let mut satisfied = done.clone();
    let mut anchors: BTreeSet<DateTime<Utc>> = done.iter().copied().collect();
    anchors.insert(counts_from);
    let mut skipped_keys = BTreeSet::new();
    for (place, entry, nominal) in skips {
        let Some(key) = entry.occurrence_key.as_deref() else { continue };
        let on_grid = key.starts_with(ON_GRID);
        let from = if on_grid {
            slots.map_or(nominal, |s| s.opens(nominal))
        } else {
            match anchors.iter().find(|a| after_key(**a) == key) {
                Some(anchor) => *anchor,
                None => {
                    void.insert(place);
                    continue;
                }
            }
        };
        let overtaken = done.iter().any(|d| (*d > from || (on_grid && *d == from)) && *d <= nominal);
        // A slot that was missed stays missed: it cannot be skipped afterwards.
        let is_too_late =
            on_grid && slots.and_then(|s| s.closes(nominal)).is_some_and(|closes| closes <= entry.performed_at);
        if overtaken || is_too_late || !skipped_keys.insert(key.to_owned()) {
            void.insert(place);
            continue;
        }
        anchors.insert(nominal);
        satisfied.push(nominal);
    }
    satisfied.sort_unstable();
    for (place, entry) in log.iter().enumerate().filter(|(_, e)| e.kind == LogKind::Postponed) {
        if !is_produced(entry, slots, &anchors, &satisfied) {
            void.insert(place);
        }
    }
    let last_done_at = done.last().copied();
    let anchor = match (last_done_at, satisfied.last()) {
        (Some(done), Some(last)) if done >= *last => Anchor { kind: AnchorKind::Done, at: done },
        (_, Some(last)) => Anchor { kind: AnchorKind::Skipped, at: *last },
        _ => Anchor { kind: AnchorKind::Installed, at: counts_from },
    };
    Timeline { anchor, last_done_at, cycle: done.len() as i64, void, counts_from, done, satisfied }
}

/// Whether the occurrence a postponement names was still waiting when it was postponed.
fn is_produced(
    entry: &LogEntry,
    slots: Option<&Slots>,
    anchors: &BTreeSet<DateTime<Utc>>,
    satisfied: &[DateTime<Utc>],
) -> bool {
    let (Some(key), Some(nominal)) = (entry.occurrence_key.as_deref(), entry.nominal_due_at) else { return false };
    let decided = entry.performed_at;
    if key.starts_with(ON_GRID) {
        let opens = slots.map_or(nominal, |s| s.opens(nominal));
        return !satisfied.iter().any(|s| *s >= opens && *s <= decided);
    }
    match anchors.iter().find(|a| after_key(**a) == key) {
        Some(anchor) => !satisfied.iter().any(|s| *s > *anchor && *s <= decided),
        None => false,
    }
}

impl Timeline {
    /// Completions, in order.
    pub fn done(&self) -> &[DateTime<Utc>] {
        &self.done
    }

    /// Whether work satisfies a slot: done at or after its opening and before the next one's.
    pub fn satisfies(&self, slots: &Slots, slot: DateTime<Utc>) -> bool {
        let at = self.satisfied.partition_point(|s| *s < slots.opens(slot));
        self.satisfied.get(at).is_some_and(|s| slots.closes(slot).is_none_or(|closes| *s < closes))
    }

    /// The grid's slots after `from`, split into missed ones and the one that waits.
    ///
    /// A slot is missed when the next slot's band has opened and nothing was done for it.
    pub fn slots(&self, slots: Option<&Slots>, from: DateTime<Utc>, now: DateTime<Utc>) -> SlotsNow {
        let Some(slots) = slots else { return SlotsNow::default() };
        let mut found = SlotsNow::default();
        let mut slot = slots.next_after(from);
        // 366 slots a year at most (a grid fires once a day), and a century at most.
        while let Some(this) = slot {
            if !self.satisfies(slots, this) {
                let closes = slots.closes(this);
                let later_work = self.satisfied.last().is_some_and(|s| *s >= slots.opens(this));
                match closes {
                    Some(closes) if closes <= now || later_work => found.missed.push(this),
                    _ => {
                        found.current = Some(this);
                        found.closes_at = closes;
                        return found;
                    }
                }
            }
            slot = slots.next_after(this);
        }
        found
    }
}

/// The local day of an instant, for anchors.
pub fn anchor_date(zone: Tz, anchor: &Anchor) -> chrono::NaiveDate {
    local_date(zone, anchor.at)
}
