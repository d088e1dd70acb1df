//! How busy a device is in each hour of its week, from readings that are hours apart at most.
//!
//! Hours are local, so that a shop that opens at nine does so on both sides of a clock change. An
//! hour that comes twice then is two hours of the same name, one that does not come is none: the
//! means are of observed hours and not of days.

use crate::kernel::calendar::local_date;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The counter whose growth says that a device is used; the one whose hours are kept.
pub const USE_METER: &str = "TRANSACTIONS";

/// Hours of a week.
pub const HOURS: usize = 168;
/// Days a profile looks back: eight weeks, as a pattern does.
pub const WINDOW_DAYS: i64 = 56;
/// Readings further apart than this do not say in which hour the device was used.
const MAX_GAP: TimeDelta = TimeDelta::hours(3);
/// Different days that a profile needs: a week.
const MIN_DAYS: usize = 7;
/// Share of the week's hours, and of its nights', that must be observed.
const MIN_COVERAGE: f64 = 0.6;
/// Hours of a week between 22:00 and 6:00, in which work is done remotely.
const NIGHT_HOURS: usize = 56;

/// Share of the mean hour by which an hour must change before anybody is told.
const MATERIAL: f64 = 0.2;

/// How busy a device is in each hour of the week; in the meter's smallest unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct HourProfile {
    /// Mean units in each hour, from Monday 00:00 local time on.
    pub per_hour: [f64; HOURS],
    /// Weeks the profile rests on.
    pub weeks: f64,
    /// The last civil day with a reading, in the site's zone.
    pub as_of: NaiveDate,
}

/// A profile as it is stored: the hours as a list, because serde knows no arrays of 168.
#[derive(Serialize, Deserialize)]
struct Stored {
    per_hour: Vec<f64>,
    weeks: f64,
    as_of: NaiveDate,
}

impl From<HourProfile> for Stored {
    fn from(profile: HourProfile) -> Self {
        Self { per_hour: profile.per_hour.to_vec(), weeks: profile.weeks, as_of: profile.as_of }
    }
}

impl TryFrom<Stored> for HourProfile {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let per_hour = stored.per_hour.try_into();
        let per_hour = per_hour.map_err(|hours: Vec<f64>| format!("a week of {} hours", hours.len()))?;
        Ok(Self { per_hour, weeks: stored.weeks, as_of: stored.as_of })
    }
}

/// Whether two profiles are not the same to whoever plans by them: one of them is none, or an hour
/// changed by more than a fifth of the mean hour of the first.
pub fn differs(before: Option<&HourProfile>, after: Option<&HourProfile>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return before.is_some() != after.is_some() };
    let limit = MATERIAL * before.per_hour.iter().sum::<f64>() / HOURS as f64;
    before.per_hour.iter().zip(&after.per_hour).any(|(before, after)| (before - after).abs() > limit)
}

/// The place of a local hour in the week, Monday 00:00 first.
fn place(weekday_from_monday: u32, hour: u32) -> usize {
    (weekday_from_monday * 24 + hour) as usize % HOURS
}

fn is_night(place: usize) -> bool {
    let hour = place % 24;
    !(6..22).contains(&hour)
}

/// The profile of readings (device time, life counter), sorted by time, from the last eight weeks;
/// none when too few of them are close enough together to say in which hour the device was used.
pub fn hour_profile(readings: &[(DateTime<Utc>, i64)], zone: Tz, now: DateTime<Utc>) -> Option<HourProfile> {
    let from = now - TimeDelta::days(WINDOW_DAYS);
    let mut units = [0.0_f64; HOURS];
    let mut observed = [0.0_f64; HOURS];
    let mut days = BTreeSet::new();
    let mut last = None;
    for pair in readings.windows(2) {
        let ((start, before), (end, after)) = (pair[0], pair[1]);
        let gap = end - start;
        if start < from || end > now || gap <= TimeDelta::zero() || gap > MAX_GAP {
            continue;
        }
        let used = after.saturating_sub(before).max(0) as f64;
        let whole = gap.num_milliseconds().max(1) as f64;
        let mut at = start;
        while at < end {
            let local = at.with_timezone(&zone);
            let into = TimeDelta::seconds(i64::from(local.minute() * 60 + local.second()))
                + TimeDelta::nanoseconds(i64::from(local.nanosecond() % 1_000_000_000));
            let until = (at + (TimeDelta::hours(1) - into).max(TimeDelta::milliseconds(1))).min(end);
            let part = (until - at).num_milliseconds() as f64;
            let hour = place(local.weekday().num_days_from_monday(), local.hour());
            units[hour] += used * part / whole;
            observed[hour] += part / 3_600_000.0;
            at = until;
        }
        days.insert(local_date(zone, start));
        last = Some(end);
    }
    let as_of = local_date(zone, last?);
    let seen = |hours: &dyn Fn(usize) -> bool| (0..HOURS).filter(|h| hours(*h) && observed[*h] > 0.0).count() as f64;
    if days.len() < MIN_DAYS
        || seen(&|_| true) < MIN_COVERAGE * HOURS as f64
        || seen(&is_night) < MIN_COVERAGE * NIGHT_HOURS as f64
    {
        return None;
    }
    let all: f64 = observed.iter().sum();
    let mean = units.iter().sum::<f64>() / all;
    // The same hour of the other days.
    let of_day = |hour: usize| {
        let same = || (0..7_usize).map(move |day| day * 24 + hour % 24);
        let hours: f64 = same().map(|h| observed[h]).sum();
        if hours > 0.0 { same().map(|h| units[h]).sum::<f64>() / hours } else { mean }
    };
    let per_hour =
        std::array::from_fn(|hour| if observed[hour] > 0.0 { units[hour] / observed[hour] } else { of_day(hour) });
    Some(HourProfile { per_hour, weeks: all / HOURS as f64, as_of })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERLIN: Tz = Tz::Europe__Berlin;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Readings every so many minutes of a device that does 60 an hour while it is open.
    fn readings(
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        every: i64,
        is_open: impl Fn(usize, u32) -> bool,
    ) -> Vec<(DateTime<Utc>, i64)> {
        let (mut at, mut life) = (from, 0);
        let mut found = vec![(at, life)];
        while at < until {
            for minute in 0..every {
                let local = (at + TimeDelta::minutes(minute)).with_timezone(&BERLIN);
                let weekday = local.weekday().num_days_from_monday() as usize;
                life += i64::from(is_open(weekday, local.hour()));
            }
            at += TimeDelta::minutes(every);
            found.push((at, life));
        }
        found
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn hours_are_local_on_both_sides_of_a_clock_change() {
        // Clocks go back on 25 October 2026; three weeks before and three after.
        let (from, now) = (at("2026-10-04T22:00:00Z"), at("2026-11-15T23:00:00Z"));
        let shop = |weekday: usize, hour: u32| weekday < 6 && (9..18).contains(&hour);
        let profile = hour_profile(&readings(from, now, 15, shop), BERLIN, now).unwrap();
        for place in 0..HOURS {
            let expected = if shop(place / 24, (place % 24) as u32) { 60.0 } else { 0.0 };
            assert!(near(profile.per_hour[place], expected), "hour {place}: {}", profile.per_hour[place]);
        }
        // Six weeks and the hour that came twice.
        assert!(near(profile.weeks, 6.0 + 1.0 / 168.0), "{}", profile.weeks);
        assert_eq!(profile.as_of.to_string(), "2026-11-16");
    }

    #[test]
    fn an_hour_that_comes_twice_or_not_at_all_is_as_busy_as_the_others() {
        for now in ["2026-11-02T00:00:00Z", "2026-04-06T00:00:00Z"] {
            let now = at(now);
            let always = readings(now - TimeDelta::days(14), now, 60, |_, _| true);
            let profile = hour_profile(&always, BERLIN, now).unwrap();
            assert!(profile.per_hour.iter().all(|units| near(*units, 60.0)), "{:?}", profile.per_hour);
        }
    }

    #[test]
    fn an_interval_is_spread_evenly_over_its_hours() {
        let now = at("2026-05-18T00:00:00Z");
        let night = |_: usize, hour: u32| hour == 0;
        let profile = hour_profile(&readings(now - TimeDelta::days(14), now, 120, night), BERLIN, now).unwrap();
        // Read at even hours UTC, which are even hours in Berlin in summer.
        assert!(near(profile.per_hour[0], 30.0) && near(profile.per_hour[1], 30.0) && near(profile.per_hour[2], 0.0));
    }

    #[test]
    fn readings_that_are_too_rare_or_never_at_night_give_no_profile() {
        let now = at("2026-05-18T00:00:00Z");
        let of = |days: i64, every: i64| {
            hour_profile(&readings(now - TimeDelta::days(days), now, every, |_, _| true), BERLIN, now)
        };
        assert!(of(14, 180).is_some());
        assert!(of(14, 181).is_none(), "more than three hours apart");
        assert!(of(14, 1_440).is_none());
        assert!(of(5, 60).is_none(), "less than a week");
        assert!(hour_profile(&[], BERLIN, now).is_none());
        let all = readings(now - TimeDelta::days(28), now, 60, |_, _| true);
        let by_day: Vec<_> =
            all.into_iter().filter(|(at, _)| (7..21).contains(&at.with_timezone(&BERLIN).hour())).collect();
        assert!(hour_profile(&by_day, BERLIN, now).is_none());
    }

    #[test]
    fn an_hour_that_was_never_observed_is_as_busy_as_on_other_days() {
        let now = at("2026-05-18T00:00:00Z");
        let mornings = |_: usize, hour: u32| hour == 8;
        let all = readings(now - TimeDelta::days(14), now, 60, mornings);
        let no_sundays: Vec<_> =
            all.into_iter().filter(|(at, _)| at.with_timezone(&BERLIN).weekday().num_days_from_monday() != 6).collect();
        let profile = hour_profile(&no_sundays, BERLIN, now).unwrap();
        assert!(near(profile.per_hour[6 * 24 + 8], 60.0) && near(profile.per_hour[6 * 24 + 12], 0.0));
    }

    #[test]
    fn only_the_last_eight_weeks_speak() {
        let now = at("2026-05-18T00:00:00Z");
        let mut all = readings(now - TimeDelta::days(100), now - TimeDelta::days(60), 60, |_, _| true);
        let quiet = readings(now - TimeDelta::days(60), now, 60, |_, _| false);
        let life = all.last().map_or(0, |(_, life)| *life);
        all.extend(quiet.into_iter().map(|(at, _)| (at, life)));
        let profile = hour_profile(&all, BERLIN, now).unwrap();
        assert!(profile.per_hour.iter().all(|units| near(*units, 0.0)));
    }

    #[test]
    fn a_profile_differs_when_an_hour_changes_by_more_than_a_fifth_of_the_mean_hour() {
        let flat = HourProfile { per_hour: [10.0; HOURS], weeks: 4.0, as_of: "2026-05-01".parse().unwrap() };
        let with = |units: f64| {
            let mut other = flat.clone();
            other.per_hour[30] = units;
            other
        };
        assert!(!differs(None, None) && differs(None, Some(&flat)) && differs(Some(&flat), None));
        assert!(!differs(Some(&flat), Some(&with(11.9))) && differs(Some(&flat), Some(&with(12.1))));
    }

    #[test]
    fn a_profile_comes_back_as_it_was_stored_and_a_short_week_is_refused() {
        let profile = HourProfile {
            per_hour: std::array::from_fn(|hour| hour as f64 / 3.0),
            weeks: 4.1,
            as_of: "2026-05-01".parse().unwrap(),
        };
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<HourProfile>(&text).unwrap(), profile);
        let short = r#"{"per_hour":[1.0],"weeks":1.0,"as_of":"2026-05-01"}"#;
        assert!(serde_json::from_str::<HourProfile>(short).is_err());
    }
}
