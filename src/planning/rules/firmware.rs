//! When a device's update is due: in its quiet hours, once the release's gates hold.

use super::closed::PermittedDays;
use super::facts::FirmwareFacts;
use crate::firmware::rules::{QuietSlot, SlotRequest, blocked_by, quiet_slot, read_window};
use crate::kernel::calendar::local_date;
use crate::kernel::text::LocalizedText;
use crate::planning::model::{AdjustmentKind, FirmwareBasis, GateWait};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// What an update's time is looked for with, beside the device's own facts.
#[derive(Clone, Copy, Debug)]
pub struct UpdateRequest<'a> {
    /// The site's zone.
    pub zone: Tz,
    /// Days on which the update may be done; whether the site is open does not matter.
    pub days: PermittedDays<'a>,
    /// Minutes the update takes.
    pub minutes: u32,
    /// What the present occurrence counts from: an update that was done, or when the device came in.
    pub counts_from: DateTime<Utc>,
    /// What was found by the look before.
    pub before: Option<&'a FirmwareBasis>,
}

/// The time of a device's update.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateTime {
    /// Begin of its quiet hours; absent when nothing is to be installed, or nothing can be.
    pub due_at: Option<DateTime<Utc>>,
    /// What it rests on.
    pub basis: FirmwareBasis,
    /// What moved it away from the quiet hours it would have had: from when, and why.
    pub moved: Option<(DateTime<Utc>, AdjustmentKind, Option<LocalizedText>)>,
    /// When it can change by itself.
    pub changes_at: Option<DateTime<Utc>>,
}

/// Days in which an update can be moved; beyond them its hours are not found anyway.
const SEARCHED_DAYS: usize = 368;

/// The days from a moment on that the plan or a freeze leaves out.
fn left_out(days: &PermittedDays<'_>, zone: Tz, from: DateTime<Utc>) -> Vec<(NaiveDate, NaiveDate)> {
    let first = local_date(zone, from);
    first
        .iter_days()
        .take(SEARCHED_DAYS)
        .filter(|day| days.blocker(*day).is_some_and(|b| b.kind != AdjustmentKind::ClosedDay))
        .map(|day| (day, day))
        .collect()
}

/// The time of a device's update with what it rests on, and when that can change by itself.
///
/// While a gate does not hold, the update goes to the quiet hours after the next ones, and again so
/// until it holds; it then keeps the hours it was last put off to.
pub fn update_time(facts: &FirmwareFacts, request: UpdateRequest<'_>, now: DateTime<Utc>) -> UpdateTime {
    let mut found = UpdateTime {
        due_at: None,
        basis: FirmwareBasis {
            installed: facts.standing.installed.clone(),
            target: facts.standing.target.as_ref().map(|t| t.version.clone()),
            next_version: None,
            gap: None,
            from: None,
            slot: None,
            quiet: None,
            waits: vec![],
            is_blocked: false,
        },
        moved: None,
        changes_at: None,
    };
    let Some(target) = facts.standing.target.as_ref().filter(|_| !facts.standing.is_current) else { return found };
    if let Some(gap) = &target.gap {
        found.basis.gap = Some((gap.reaches.clone(), gap.needs.clone()));
        return found;
    }
    found.basis.next_version = Some(target.next_version.clone());
    let search = |from: DateTime<Utc>, freezes: &[(NaiveDate, NaiveDate)]| {
        let slots = SlotRequest {
            window: target.window.as_ref().and_then(|w| read_window(w).ok()),
            zone: request.zone,
            profile: facts.profile.as_ref(),
            opening: &facts.opening,
            freezes,
            needed_minutes: request.minutes,
        };
        quiet_slot(&slots, from)
    };
    let permitted = |from: DateTime<Utc>| search(from, &left_out(&request.days, request.zone, from));
    let first = target.set_at.max(request.counts_from);
    // Of another release nothing is known of waits.
    let before = request
        .before
        .filter(|b| b.next_version == found.basis.next_version)
        .and_then(|b| Some((b, b.from.filter(|from| *from >= first)?)));
    let latest = |meter: &str| facts.latest.get(meter).copied();
    let waits: Vec<GateWait> =
        blocked_by(&target.gates, latest).into_iter().map(|b| GateWait { gate: b.gate, value: b.value }).collect();
    let from = match (before, waits.is_empty()) {
        (Some((before, from)), true) => {
            found.basis.waits.clone_from(&before.waits);
            from
        }
        // Looked for from when it is known, so that nothing is overdue before it could be done.
        (None, true) => first.max(now),
        (before, false) => {
            found.basis.is_blocked = true;
            found.basis.waits = waits;
            // Put off already, it stays where it is until the hours it let pass are over.
            let kept = before.filter(|(b, from)| b.is_blocked && *from > now).map(|(_, from)| from);
            let from = kept.or_else(|| permitted(first.max(now)).map(|slot| slot.end)).unwrap_or(first);
            found.changes_at = Some(from).filter(|at| *at > now);
            from
        }
    };
    // Once its hours have begun they stay, whatever is learned of its use since then.
    let begun = before
        .filter(|(b, known)| *known == from && !found.basis.is_blocked && b.slot.is_some_and(|(start, _)| start <= now))
        .and_then(|(b, _)| Some((b.slot?, b.quiet?)));
    let slot = match begun {
        Some(((start, end), basis)) => Some(QuietSlot { start, end, basis, units: None }),
        None => permitted(from),
    };
    let Some(QuietSlot { start, end, basis: quiet, .. }) = slot else { return found };
    // The day it would have been without blackouts and freezes, and what stands against that.
    let plain = search(from, &[]).filter(|slot| slot.start < start);
    found.moved = plain.and_then(|slot| {
        let blocker = request.days.blocker(local_date(request.zone, slot.start))?;
        Some((slot.start, blocker.kind, blocker.name.cloned()))
    });
    found.basis.from = Some(from);
    found.basis.slot = Some((start, end));
    found.basis.quiet = Some(quiet);
    found.due_at = Some(start);
    found
}
