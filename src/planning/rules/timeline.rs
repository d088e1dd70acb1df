//! An item's log, read as what it says now.
//!
//! The log is ordered by *performed at*, never by arrival, so a visit that comes in late gives
//! the same timeline as one that came in time.

use super::validate::CompiledPlan;
use crate::kernel::calendar::{local_date, local_to_instant};
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
    /// Times that satisfy grid slots: completions, and nominal dues of valid skips.
    pub satisfied: Vec<DateTime<Utc>>,
}

/// The key of an occurrence on a grid.
pub fn slot_key(slot: DateTime<Utc>) -> String {
    format!("slot:{}", slot.format("%Y-%m-%dT%H:%M:%SZ"))
}

/// The key of an occurrence that counts from an anchor.
pub fn after_key(anchor: DateTime<Utc>) -> String {
    format!("after:{}", anchor.format("%Y-%m-%dT%H:%M:%S%.6fZ"))
}

/// The first instant at which work counts for a grid slot: the same local time, `early_days`
/// civil days before.
pub fn slot_opens(zone: Tz, slot: DateTime<Utc>, early_days: u32) -> DateTime<Utc> {
    if early_days == 0 {
        return slot;
    }
    let local = slot.with_timezone(&zone).naive_local();
    local
        .checked_sub_days(Days::new(u64::from(early_days)))
        .map_or(slot, |l| local_to_instant(zone, l).min(slot))
}

/// Reads a log sorted by (performed at, id); `counts_from` is the installation.
pub fn timeline(
    plan: &CompiledPlan,
    zone: Tz,
    counts_from: DateTime<Utc>,
    log: &[LogEntry],
) -> Timeline {
    let done: Vec<DateTime<Utc>> =
        log.iter().filter(|e| e.kind == LogKind::Done).map(|e| e.performed_at).collect();
    let early = plan.definition().early_days;
    let mut skips: Vec<(usize, &LogEntry, DateTime<Utc>)> = log
        .iter()
        .enumerate()
        .filter(|(_, e)| e.kind == LogKind::Skipped)
        .filter_map(|(i, e)| e.nominal_due_at.map(|n| (i, e, n)))
        .collect();
    skips.sort_by_key(|(_, e, nominal)| (*nominal, e.recorded_at, e.id));
    let mut void = BTreeSet::new();
    let mut satisfied = done.clone();
    let mut anchors: BTreeSet<DateTime<Utc>> = done.iter().copied().collect();
    anchors.insert(counts_from);
    let mut skipped_keys = BTreeSet::new();
    for (place, entry, nominal) in skips {
        let Some(key) = entry.occurrence_key.as_deref() else { continue };
        let on_grid = key == slot_key(nominal);
        let from = if on_grid {
            slot_opens(zone, nominal, early)
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
        if overtaken || !skipped_keys.insert(key.to_owned()) {
            void.insert(place);
            continue;
        }
        anchors.insert(nominal);
        satisfied.push(nominal);
    }
    satisfied.sort_unstable();
    let last_done_at = done.last().copied();
    let anchor = match (last_done_at, satisfied.last()) {
        (Some(done), Some(last)) if done >= *last => Anchor { kind: AnchorKind::Done, at: done },
        (_, Some(last)) => Anchor { kind: AnchorKind::Skipped, at: *last },
        _ => Anchor { kind: AnchorKind::Installed, at: counts_from },
    };
    Timeline { anchor, last_done_at, cycle: done.len() as i64, void, satisfied }
}

impl Timeline {
    /// The grid slots after `from` up to `now`, split into missed ones and the current one.
    ///
    /// A slot is missed when the next slot's band has opened and nothing was done for it.
    pub fn slots(
        &self,
        plan: &CompiledPlan,
        zone: Tz,
        from: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> (Vec<DateTime<Utc>>, Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        let Some(grid) = plan.grid() else { return (vec![], None, None) };
        let early = plan.definition().early_days;
        let mut missed = Vec::new();
        let mut slot = grid.next_after(zone, from);
        // 366 slots a year at most (a grid fires once a day), and a century at most.
        while let Some(this) = slot {
            let opens = slot_opens(zone, this, early);
            let next = grid.next_after(zone, this);
            let closes = next.map(|n| slot_opens(zone, n, early));
            let at = self.satisfied.partition_point(|s| *s < opens);
            let is_satisfied = self.satisfied.get(at).is_some_and(|s| closes.is_none_or(|c| *s < c));
            let later_work = self.satisfied.get(at).is_some();
            if !is_satisfied {
                match closes {
                    Some(closes) if closes <= now || later_work => missed.push(this),
                    _ => return (missed, Some(this), closes),
                }
            }
            slot = next;
        }
        (missed, None, None)
    }
}

/// The local day of an instant, for anchors.
pub fn anchor_date(zone: Tz, anchor: &Anchor) -> chrono::NaiveDate {
    local_date(zone, anchor.at)
}
