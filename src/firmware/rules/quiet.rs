//! When a device is quiet enough to be updated.

use crate::firmware::model::{MaintenanceWindow, QuietBasis};
use crate::kernel::calendar::{Grid, GridError, local_date, start_of_day};
use crate::registry::model::OpeningHours;
use crate::usage::hours::HourProfile;
use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

/// When windows begin unless a target says otherwise, and how long they last: 22:00 to 06:00 every
/// day, the default maintenance window of Verifone's VHQ.
const DEFAULT_CRON: &str = "0 22 * * *";
const DEFAULT_LENGTH: TimeDelta = TimeDelta::hours(8);

/// Slots begin at whole steps after their window does, and last whole steps.
const STEP_MINUTES: u32 = 15;
/// Days searched for a window with a permitted slot: a year, as for every other date.
const MAX_DAYS: i64 = 367;
/// Windows looked at in one search; a grid can begin one every minute.
const MAX_WINDOWS: usize = 5_000;
/// Differences of expected usage below this are rounding.
const SAME_UNITS: f64 = 1e-9;
const WEEK_MINUTES: u32 = 7 * 24 * 60;

fn minutes(count: u32) -> TimeDelta {
    TimeDelta::minutes(i64::from(count))
}

/// What a quiet slot is looked for with.
#[derive(Clone, Debug)]
pub struct SlotRequest<'a> {
    /// When windows begin, and how long they last (elapsed time); 22:00 to 06:00 when absent.
    pub window: Option<(Grid, TimeDelta)>,
    /// The site's zone.
    pub zone: Tz,
    /// How the device is used over the hours of a week, if it is read often enough to know.
    pub profile: Option<&'a HourProfile>,
    /// The site's opening hours; empty when unknown.
    pub opening: &'a [OpeningHours],
    /// Civil days, first and last, on which nothing may be changed.
    pub freezes: &'a [(NaiveDate, NaiveDate)],
    /// Minutes the update takes; rounded up to quarters of an hour.
    pub needed_minutes: u32,
}

/// A stretch in which a device may be updated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuietSlot {
    /// From.
    pub start: DateTime<Utc>,
    /// Until.
    pub end: DateTime<Utc>,
    /// What it was found by.
    pub basis: QuietBasis,
    /// Units expected to be used in it, in the unit of the profile; absent without the device's own
    /// hours.
    pub units: Option<f64>,
}

/// Reads a window.
///
/// # Errors
/// The cron text cannot be read.
pub fn read_window(window: &MaintenanceWindow) -> Result<(Grid, TimeDelta), GridError> {
    Ok((Grid::parse(&window.cron)?, minutes(window.duration_minutes)))
}

/// The quietest permitted stretch of the first window that has one, from a moment on; what is left of
/// a window that is open then counts. None when no window of the next year has any.
///
/// By the device's own usage it is the stretch with the least expected units, the earliest of equals.
/// Without hours of use it is the middle one of those in which the site is closed, and where that
/// never happens, or its hours are unknown, the middle one of the window. A day of a freeze is not
/// touched at all. Windows and stretches last elapsed time; what is used and when the site is open
/// goes by the local clock, also on the days it is changed.
pub fn quiet_slot(request: &SlotRequest<'_>, from: DateTime<Utc>) -> Option<QuietSlot> {
    let default = || Some((Grid::parse(DEFAULT_CRON).ok()?, DEFAULT_LENGTH));
    let (grid, length) = request.window.clone().or_else(default)?;
    let needed = minutes(request.needed_minutes.max(1).div_ceil(STEP_MINUTES) * STEP_MINUTES);
    if needed > length {
        return None;
    }
    let open = open_minutes(request.opening);
    let until = from + TimeDelta::days(MAX_DAYS);
    // A window that began after this is open, or comes.
    let mut after = from - length;
    for _ in 0..MAX_WINDOWS {
        let start = grid.next_after(request.zone, after).filter(|start| *start < until)?;
        let stretches = permitted(request, start, start + length, from, needed);
        if !stretches.is_empty() {
            return choose(request, &stretches, &open, needed);
        }
        after = start;
        // Days of a freeze are left out at once, but for the window that reaches out of its last.
        if let Some(end) = frozen_until(request, start) {
            after = after.max(end - length);
        }
    }
    None
}

/// The beginnings of the stretches of a window that lie ahead and touch no freeze, in order.
fn permitted(
    request: &SlotRequest<'_>,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    from: DateTime<Utc>,
    needed: TimeDelta,
) -> Vec<DateTime<Utc>> {
    let mut found = Vec::new();
    let mut at = start;
    while at + needed <= end {
        if at >= from && !is_frozen(request, at, at + needed) {
            found.push(at);
        }
        at += minutes(STEP_MINUTES);
    }
    found
}

fn is_frozen(request: &SlotRequest<'_>, start: DateTime<Utc>, end: DateTime<Utc>) -> bool {
    let first = local_date(request.zone, start);
    let last = local_date(request.zone, end - TimeDelta::microseconds(1));
    request.freezes.iter().any(|(from, to)| *from <= last && first <= *to)
}

/// When the freeze ends that an instant lies in.
fn frozen_until(request: &SlotRequest<'_>, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let day = local_date(request.zone, at);
    let last = request.freezes.iter().filter(|(from, to)| (*from..=*to).contains(&day)).map(|(_, to)| *to).max()?;
    Some(start_of_day(request.zone, last.checked_add_days(Days::new(1))?))
}

/// The best of the stretches of a window.
fn choose(
    request: &SlotRequest<'_>,
    stretches: &[DateTime<Utc>],
    open: &[(u32, u32)],
    needed: TimeDelta,
) -> Option<QuietSlot> {
    let slot = |start: DateTime<Utc>, basis, units| QuietSlot { start, end: start + needed, basis, units };
    if let Some(profile) = request.profile {
        let mut best: Option<(DateTime<Utc>, f64)> = None;
        for start in stretches {
            let units = expected_units(profile, request.zone, *start, needed);
            if best.is_none_or(|(_, least)| least - units > SAME_UNITS) {
                best = Some((*start, units));
            }
        }
        return best.map(|(start, units)| slot(start, QuietBasis::OwnUsage, Some(units)));
    }
    let is_closed = |start: &&DateTime<Utc>| !is_open(open, request.zone, **start, needed);
    let closed: Vec<DateTime<Utc>> =
        if open.is_empty() { Vec::new() } else { stretches.iter().filter(is_closed).copied().collect() };
    match middle(&closed) {
        Some(start) => Some(slot(start, QuietBasis::ClosedHours, None)),
        None => middle(stretches).map(|start| slot(start, QuietBasis::WindowOnly, None)),
    }
}

fn middle(stretches: &[DateTime<Utc>]) -> Option<DateTime<Utc>> {
    stretches.get(stretches.len().saturating_sub(1) / 2).copied()
}

/// Units expected between two instants, each hour by its place in the local week.
fn expected_units(profile: &HourProfile, zone: Tz, start: DateTime<Utc>, needed: TimeDelta) -> f64 {
    let (mut at, end) = (start, start + needed);
    let mut units = 0.0;
    while at < end {
        let local = at.with_timezone(&zone);
        let hour = local.weekday().num_days_from_monday() * 24 + local.hour();
        // To the end of the local hour, but no further.
        let part = minutes(60 - local.minute()).min(end - at);
        units += profile.per_hour.get(hour as usize).copied().unwrap_or(0.0) * part.num_seconds() as f64 / 3_600.0;
        at += part;
    }
    units
}

/// Minutes of the local week in which a site is open, Monday 00:00 first; none when unknown.
fn open_minutes(opening: &[OpeningHours]) -> Vec<(u32, u32)> {
    let mut open = Vec::new();
    for hours in opening {
        let day = u32::from(hours.weekday.saturating_sub(1)) * 24 * 60;
        let (Some(opens), Some(closes)) = (minute_of_day(&hours.opens), minute_of_day(&hours.closes)) else {
            continue;
        };
        let length = if closes > opens { closes - opens } else { closes + 24 * 60 - opens };
        let (from, to) = (day + opens, day + opens + length);
        open.push((from, to.min(WEEK_MINUTES)));
        if to > WEEK_MINUTES {
            // Sunday night goes on on Monday.
            open.push((0, to - WEEK_MINUTES));
        }
    }
    open
}

/// Minutes after midnight of `HH:MM`; `24:00` is the end of the day.
fn minute_of_day(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let minutes = hour.trim().parse::<u32>().ok()? * 60 + minute.trim().parse::<u32>().ok()?;
    (minutes <= 24 * 60).then_some(minutes)
}

/// Whether a site is open at any time between two instants.
fn is_open(open: &[(u32, u32)], zone: Tz, start: DateTime<Utc>, needed: TimeDelta) -> bool {
    let (mut at, end) = (start, start + needed);
    while at < end {
        let local = at.with_timezone(&zone);
        let day = local.weekday().num_days_from_monday() * 24 * 60;
        let minute = day + local.hour() * 60 + local.minute();
        let next = minute + STEP_MINUTES;
        let overlaps = |from: u32, to: u32| open.iter().any(|(opens, closes)| *opens < to && from < *closes);
        if overlaps(minute, next.min(WEEK_MINUTES)) || next > WEEK_MINUTES && overlaps(0, next - WEEK_MINUTES) {
            return true;
        }
        at += minutes(STEP_MINUTES);
    }
    false
}

#[cfg(test)]
mod tests;
