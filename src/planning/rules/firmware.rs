//! When a device's update is due: in its quiet hours, once the release's gates hold.

use super::facts::FirmwareFacts;
use crate::firmware::rules::{QuietSlot, SlotRequest, blocked_by, quiet_slot, read_window};
use crate::planning::model::{FirmwareBasis, Freeze, GateWait};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// What an update's time is looked for with, beside the device's own facts.
#[derive(Clone, Copy, Debug)]
pub struct UpdateRequest<'a> {
    /// The site's zone.
    pub zone: Tz,
    /// Freeze periods that hold there for the plan's channel.
    pub freezes: &'a [Freeze],
    /// Minutes the update takes.
    pub minutes: u32,
    /// What the present occurrence counts from: an update that was done, or when the device came in.
    pub counts_from: DateTime<Utc>,
    /// What was found by the look before.
    pub before: Option<&'a FirmwareBasis>,
}

/// The time of a device's update with what it rests on, and when that can change by itself.
///
/// While a gate does not hold, the update goes to the quiet hours after the next ones, and again so
/// until it holds; it then keeps the hours it was last put off to.
pub fn update_time(
    facts: &FirmwareFacts,
    request: UpdateRequest<'_>,
    now: DateTime<Utc>,
) -> (Option<DateTime<Utc>>, FirmwareBasis, Option<DateTime<Utc>>) {
    let mut basis = FirmwareBasis {
        installed: facts.standing.installed.clone(),
        target: facts.standing.target.as_ref().map(|t| t.version.clone()),
        next_version: None,
        gap: None,
        from: None,
        slot: None,
        quiet: None,
        waits: vec![],
        is_blocked: false,
    };
    let Some(target) = facts.standing.target.as_ref().filter(|_| !facts.standing.is_current) else {
        return (None, basis, None);
    };
    if let Some(gap) = &target.gap {
        basis.gap = Some((gap.reaches.clone(), gap.needs.clone()));
        return (None, basis, None);
    }
    basis.next_version = Some(target.next_version.clone());
    let freezes: Vec<(NaiveDate, NaiveDate)> = request.freezes.iter().map(|f| (f.from, f.to)).collect();
    let slots = SlotRequest {
        window: target.window.as_ref().and_then(|w| read_window(w).ok()),
        zone: request.zone,
        profile: facts.profile.as_ref(),
        opening: &facts.opening,
        freezes: &freezes,
        needed_minutes: request.minutes,
    };
    let first = target.set_at.max(request.counts_from);
    // Of another release nothing is known of waits.
    let before = request.before.filter(|b| b.next_version == basis.next_version && b.from.is_some_and(|f| f >= first));
    let latest = |meter: &str| facts.latest.get(meter).copied();
    let waits: Vec<GateWait> =
        blocked_by(&target.gates, latest).into_iter().map(|b| GateWait { gate: b.gate, value: b.value }).collect();
    let mut changes_at = None;
    let from = if waits.is_empty() {
        if let Some(before) = before {
            basis.waits.clone_from(&before.waits);
        }
        before.and_then(|b| b.from).unwrap_or(first)
    } else {
        basis.is_blocked = true;
        basis.waits = waits;
        let next = quiet_slot(&slots, first.max(now));
        changes_at = next.map(|slot| slot.end);
        next.map_or(first, |slot| slot.end)
    };
    let Some(QuietSlot { start, end, basis: quiet, .. }) = quiet_slot(&slots, from) else {
        return (None, basis, changes_at);
    };
    basis.from = Some(from);
    basis.slot = Some((start, end));
    basis.quiet = Some(quiet);
    (Some(start), basis, changes_at)
}
