//! Civil calendars: local days, ISO 8601 periods and cron grids. The only user of `cron`.

mod grid;
mod period;

pub use grid::{Grid, GridError};
pub use period::{Period, PeriodError};

use chrono::{DateTime, Days, MappedLocalTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

/// An instant outside the years the product works in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is outside 2000-01-01 to 2100-01-01; check the year")]
pub struct InstantError;

/// Refuses instants outside 2000–2100 (DESIGN §4).
///
/// # Errors
/// The instant is outside.
pub fn check_instant(at: DateTime<Utc>) -> Result<(), InstantError> {
    // 2000-01-01 and 2100-01-01, seconds since 1970.
    if (946_684_800..4_102_444_800).contains(&at.timestamp()) { Ok(()) } else { Err(InstantError) }
}

/// The instant both databases keep: cut to microseconds; a leap second becomes the next second.
///
/// Whatever comes from outside goes through here before it is stored, compared or hashed, else
/// SQLite keeps nanoseconds that PostgreSQL drops. sqlx writes it to SQLite as RFC 3339 in UTC with
/// 0, 3 or 6 decimals. That text sorts as time although its length varies: where two texts part, it
/// is at a digit, or one has its `+00:00` where the other goes on with `.` or a digit, and `+` sorts
/// before both.
pub fn stamp(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

/// No such time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" is not an IANA time zone; give a name such as Asia/Shanghai")]
pub struct ZoneError {
    /// What was given.
    pub given: String,
}

/// Reads an IANA zone name.
///
/// # Errors
/// No such zone.
pub fn parse_zone(text: &str) -> Result<Tz, ZoneError> {
    text.parse().map_err(|_| ZoneError { given: text.chars().take(64).collect() })
}

/// The civil day of an instant in a zone.
pub fn local_date(zone: Tz, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// The instant of a local time: the first of two, and the first valid instant after a time that
/// does not exist.
pub fn local_to_instant(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.with_timezone(&Utc),
        MappedLocalTime::None => gap_end(zone, local),
    }
}

/// The first instant after the gap that swallows `local`.
fn gap_end(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    // A gap lies between the last instant whose local time is before `local` and the first whose
    // local time is after; offsets never change by more than a day, so search two days around.
    // No gap begins or ends within a second.
    let guess = local.with_nanosecond(0).unwrap_or(local).and_utc();
    let (mut before, mut after) = (guess - TimeDelta::days(2), guess + TimeDelta::days(2));
    while after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
        if middle.with_timezone(&zone).naive_local() < local { before = middle } else { after = middle }
    }
    after
}

/// The first instant of a civil day.
pub fn start_of_day(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    local_to_instant(zone, date.and_time(chrono::NaiveTime::MIN))
}

/// The last microsecond of a civil day.
pub fn end_of_day(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    let next = date.checked_add_days(Days::new(1)).unwrap_or(date);
    start_of_day(zone, next) - TimeDelta::microseconds(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_without_midnight_begins_at_its_first_instant() {
        // São Paulo skipped midnight on 2018-11-04.
        let day = NaiveDate::from_ymd_opt(2018, 11, 4).unwrap();
        let start = start_of_day(Tz::America__Sao_Paulo, day);
        assert_eq!(start.to_rfc3339(), "2018-11-04T03:00:00+00:00");
        assert_eq!(local_date(Tz::America__Sao_Paulo, start), day);
        assert_ne!(local_date(Tz::America__Sao_Paulo, start - TimeDelta::microseconds(1)), day);
    }

    #[test]
    fn years_outside_2000_to_2100_are_refused() {
        assert!(check_instant("9999-01-01T00:00:00Z".parse().unwrap()).is_err());
        assert!(check_instant("1999-12-31T23:59:59Z".parse().unwrap()).is_err());
        assert!(check_instant("2026-11-24T00:00:00Z".parse().unwrap()).is_ok());
    }
}
