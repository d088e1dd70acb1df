//! What the catalogue decides without asking anybody: whether a freeze period can be one.

use super::error::Error;
use super::model::FreezePeriod;
use crate::kernel::calendar::check_instant;
use crate::kernel::ids::FreezePeriodId;
use crate::kernel::text::{LocalizedText, clean_text};
use chrono::{NaiveDate, NaiveTime};

/// Days of a freeze at most, both ends counted: a third of a year. In a longer one most plans would
/// only be able to fall overdue.
pub const MAX_FREEZE_DAYS: i64 = 120;
/// Freeze periods of an organization at most; lists of them need no pages.
pub const MAX_FREEZE_PERIODS: usize = 500;
/// Regions of a freeze at most.
const MAX_REGIONS: usize = 500;
/// The channels a freeze can name. They are planning's words, and planning stands above this room;
/// a test in the GraphQL ring sees to it that both lists agree.
pub const CHANNELS: [&str; 4] = ["REMOTE", "MERCHANT", "FIELD", "DEPOT"];

/// A freeze period as a caller states it.
#[derive(Clone, Debug)]
pub struct NewFreezePeriod {
    /// The organization's own short code.
    pub code: String,
    /// What people read.
    pub name: LocalizedText,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day.
    pub ends_on: NaiveDate,
    /// Region codes; empty means every region.
    pub region_codes: Vec<String>,
    /// Channel codes; empty means every channel.
    pub channels: Vec<String>,
}

/// Cleans a text of an input.
///
/// # Errors
/// Empty, too long, or with control characters.
pub fn text(value: &str, field: &str, name: &str, max: usize) -> Result<String, Error> {
    clean_text(value, max).map_err(|problem| Error::Text { field: field.into(), name: name.into(), problem })
}

fn day(day: NaiveDate, field: &'static str) -> Result<NaiveDate, Error> {
    check_instant(day.and_time(NaiveTime::MIN).and_utc()).map_err(|problem| Error::Day { field, day, problem })?;
    Ok(day)
}

fn channel(given: &str) -> Result<String, Error> {
    match CHANNELS.contains(&given) {
        true => Ok(given.to_owned()),
        false => Err(Error::UnknownChannel { given: given.chars().take(64).collect() }),
    }
}

/// The freeze period a caller states, cleaned; regions and channels each once, sorted.
///
/// # Errors
/// Texts out of bounds, a day outside 2000 to 2100, an end before the start, more than
/// [`MAX_FREEZE_DAYS`] days, an unknown channel.
pub fn freeze_period(new: &NewFreezePeriod, id: FreezePeriodId, version: i64) -> Result<FreezePeriod, Error> {
    let code = text(&new.code, "code", "code", 64)?;
    let name =
        LocalizedText { en: text(&new.name.en, "name", "name", 200)?, zh: text(&new.name.zh, "name", "name", 200)? };
    let (starts_on, ends_on) = (day(new.starts_on, "startsOn")?, day(new.ends_on, "endsOn")?);
    if ends_on < starts_on {
        return Err(Error::FreezeEndsBeforeStart { starts_on, ends_on });
    }
    let days = (ends_on - starts_on).num_days() + 1;
    if days > MAX_FREEZE_DAYS {
        return Err(Error::FreezeTooLong { days, max: MAX_FREEZE_DAYS });
    }
    if new.region_codes.len() > MAX_REGIONS {
        return Err(Error::TooMany { field: "regionCodes", given: new.region_codes.len(), max: MAX_REGIONS });
    }
    let mut region_codes = Vec::with_capacity(new.region_codes.len());
    for region in &new.region_codes {
        region_codes.push(text(region, "regionCodes", "a region code", 32)?);
    }
    region_codes.sort_unstable();
    region_codes.dedup();
    let mut channels = Vec::with_capacity(new.channels.len());
    for given in &new.channels {
        channels.push(channel(given)?);
    }
    channels.sort_unstable();
    channels.dedup();
    Ok(FreezePeriod { id, code, name, starts_on, ends_on, region_codes, channels, version })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn sale(starts_on: &str, ends_on: &str) -> NewFreezePeriod {
        NewFreezePeriod {
            code: " SALE ".into(),
            name: LocalizedText { en: "Singles' Day".into(), zh: "双11".into() },
            starts_on: date(starts_on),
            ends_on: date(ends_on),
            region_codes: vec!["44".into(), "31".into(), "44".into()],
            channels: vec!["REMOTE".into(), "FIELD".into(), "REMOTE".into()],
        }
    }

    fn checked(new: &NewFreezePeriod) -> Result<FreezePeriod, Error> {
        freeze_period(new, FreezePeriodId(Uuid::nil()), 1)
    }

    #[test]
    fn a_freeze_is_cleaned_and_names_each_region_and_channel_once() {
        let period = checked(&sale("2026-11-01", "2026-11-12")).unwrap();
        assert_eq!(period.code, "SALE");
        assert_eq!(period.region_codes, ["31", "44"]);
        assert_eq!(period.channels, ["FIELD", "REMOTE"]);
    }

    #[test]
    fn a_freeze_of_one_day_and_of_a_hundred_and_twenty_are_taken_and_a_longer_one_is_not() {
        assert!(checked(&sale("2026-11-11", "2026-11-11")).is_ok());
        assert!(checked(&sale("2026-01-01", "2026-04-30")).is_ok());
        let error = checked(&sale("2026-01-01", "2026-05-01")).unwrap_err();
        assert!(matches!(error, Error::FreezeTooLong { days: 121, max: 120 }), "{error}");
    }

    #[test]
    fn a_freeze_that_cannot_be_is_refused_by_name() {
        assert!(matches!(checked(&sale("2026-11-12", "2026-11-11")), Err(Error::FreezeEndsBeforeStart { .. })));
        assert!(matches!(checked(&sale("1999-12-31", "2000-01-02")), Err(Error::Day { field: "startsOn", .. })));
        assert!(matches!(checked(&sale("2099-12-31", "2100-01-01")), Err(Error::Day { field: "endsOn", .. })));
        let by_horse = NewFreezePeriod { channels: vec!["HORSE".into()], ..sale("2026-11-01", "2026-11-12") };
        assert!(matches!(checked(&by_horse), Err(Error::UnknownChannel { .. })));
    }
}
