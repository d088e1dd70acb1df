//! What became of an occurrence, and which questions are answered.

use crate::kernel::calendar::{end_of_day, local_date, start_of_day};
use crate::kernel::ids::{MerchantId, SiteId};
use crate::registry::model::DeviceFilter;
use crate::reports::error::Error;
use crate::reports::model::{Band, Question, Standing};
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use chrono_tz::Tz;

/// Years of a period at most.
const MAX_YEARS: i32 = 10;
/// Days of a band at most, as with plans.
const MAX_BAND_DAYS: u32 = 366;

/// An occurrence as it is stored: what it was due, and when it was done if it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Due before adjustments.
    pub nominal_at: DateTime<Utc>,
    /// Start of its own band.
    pub window_start: DateTime<Utc>,
    /// Last instant of its own band.
    pub window_end: DateTime<Utc>,
    /// Device time of the work.
    pub done_at: Option<DateTime<Utc>>,
}

/// Whether a question can be answered.
///
/// # Errors
/// A period that is empty or longer than ten years, a band wider than 366 days.
pub fn check(question: &Question) -> Result<(), Error> {
    let Question { period_start, period_end, band, .. } = question;
    if period_end <= period_start {
        return Err(Error::EmptyPeriod);
    }
    let last = period_start.with_year(period_start.year() + MAX_YEARS);
    // The 29th of February has no counterpart in ten years; a day more or less is nobody's matter.
    let last = last.or_else(|| period_start.checked_add_days(Days::new(3_652))).unwrap_or(*period_end);
    if *period_end > last {
        return Err(Error::LongPeriod { max: MAX_YEARS });
    }
    if let Band::Days { early, late } = *band {
        for (field, given) in [("earlyDays", early), ("lateDays", late)] {
            if given > MAX_BAND_DAYS {
                return Err(Error::Band { field, given, max: MAX_BAND_DAYS });
            }
        }
    }
    Ok(())
}

fn shifted(day: NaiveDate, early: u32, late: u32) -> (NaiveDate, NaiveDate) {
    (
        day.checked_sub_days(Days::new(u64::from(early))).unwrap_or(day),
        day.checked_add_days(Days::new(u64::from(late))).unwrap_or(day),
    )
}

/// First and last instant of the band in which work counts as on time.
pub fn band_of(band: Band, zone: Tz, found: &Found) -> (DateTime<Utc>, DateTime<Utc>) {
    match band {
        Band::Plan => (found.window_start, found.window_end),
        Band::Days { early, late } => {
            let (first, last) = shifted(local_date(zone, found.nominal_at), early, late);
            (start_of_day(zone, first), end_of_day(zone, last))
        }
    }
}

/// What became of an occurrence that was neither missed nor skipped.
pub fn standing(band: Band, zone: Tz, found: &Found, now: DateTime<Utc>) -> Standing {
    let (opens, closes) = band_of(band, zone, found);
    match found.done_at {
        Some(at) if at > closes => Standing::Late,
        // Its own band closes an order, so earlier work is only seen by a band of days.
        Some(at) if at < opens && band != Band::Plan => Standing::Early,
        Some(_) => Standing::OnTime,
        None if now > closes => Standing::Overdue,
        None => Standing::Open,
    }
}

/// Whether a counter got there inside the band around the day that was told: the days asked for,
/// or as many as the order's own band has before and after its date.
pub fn forecast_is_within(band: Band, zone: Tz, found: &Found, told: NaiveDate, reached: NaiveDate) -> bool {
    let (early, late) = match band {
        Band::Days { early, late } => (i64::from(early), i64::from(late)),
        Band::Plan => {
            let due = local_date(zone, found.nominal_at);
            let (first, last) = (local_date(zone, found.window_start), local_date(zone, found.window_end));
            ((due - first).num_days(), (last - due).num_days())
        }
    };
    let off = (reached - told).num_days();
    -early <= off && off <= late
}

/// Whether work on a site itself is asked for: a filter that says something of devices alone
/// leaves it out.
pub fn takes_site(filter: &DeviceFilter, site: SiteId, merchant: MerchantId, region: Option<&str>) -> bool {
    let is_of_devices = filter.statuses.is_some()
        || filter.model_ids.is_some()
        || filter.serial_numbers.is_some()
        || filter.terminal_numbers.is_some()
        || filter.silent_since.is_some();
    let is_in = |codes: &Vec<String>| region.is_some_and(|r| codes.iter().any(|code| r.starts_with(code.as_str())));
    !is_of_devices
        && filter.site_id.is_none_or(|wanted| wanted == site)
        && filter.merchant_id.is_none_or(|wanted| wanted == merchant)
        && filter.region_codes.as_ref().is_none_or(is_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHANGHAI: Tz = Tz::Asia__Shanghai;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Due on 2 August in Shanghai, a week early or late.
    fn found(done_at: Option<&str>) -> Found {
        Found {
            nominal_at: at("2026-08-01T16:00:00Z"),
            window_start: at("2026-07-25T16:00:00Z"),
            window_end: at("2026-08-09T15:59:59.999999Z"),
            done_at: done_at.map(at),
        }
    }

    fn of(band: Band, done_at: Option<&str>, now: &str) -> Standing {
        standing(band, SHANGHAI, &found(done_at), at(now))
    }

    #[test]
    fn work_is_on_time_to_the_last_instant_of_the_band() {
        let now = "2026-09-01T00:00:00Z";
        assert_eq!(of(Band::Plan, Some("2026-07-25T16:00:00Z"), now), Standing::OnTime);
        assert_eq!(of(Band::Plan, Some("2026-08-09T15:59:59.999999Z"), now), Standing::OnTime);
        assert_eq!(of(Band::Plan, Some("2026-08-09T16:00:00Z"), now), Standing::Late);
        assert_eq!(of(Band::Plan, None, "2026-08-09T15:59:59Z"), Standing::Open);
        assert_eq!(of(Band::Plan, None, "2026-08-09T16:00:00Z"), Standing::Overdue);
    }

    #[test]
    fn a_band_of_days_lies_around_the_day_itself() {
        let band = Band::Days { early: 1, late: 0 };
        let now = "2026-09-01T00:00:00Z";
        assert_eq!(of(band, Some("2026-07-31T15:59:59Z"), now), Standing::Early);
        assert_eq!(of(band, Some("2026-07-31T16:00:00Z"), now), Standing::OnTime);
        assert_eq!(of(band, Some("2026-08-02T15:59:59Z"), now), Standing::OnTime);
        assert_eq!(of(band, Some("2026-08-02T16:00:00Z"), now), Standing::Late);
        assert_eq!(of(band, None, "2026-08-02T16:00:00Z"), Standing::Overdue);
    }

    #[test]
    fn a_forecast_is_measured_by_the_band_it_had() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let is_within =
            |band, reached: &str| forecast_is_within(band, SHANGHAI, &found(None), day("2026-08-02"), day(reached));
        assert!(is_within(Band::Plan, "2026-07-26") && is_within(Band::Plan, "2026-08-09"));
        assert!(!is_within(Band::Plan, "2026-07-25") && !is_within(Band::Plan, "2026-08-10"));
        let days = Band::Days { early: 0, late: 2 };
        assert!(is_within(days, "2026-08-04") && !is_within(days, "2026-08-01"));
    }

    #[test]
    fn periods_and_bands_are_bounded() {
        let question = |start: &str, end: &str, band| Question {
            period_start: at(start),
            period_end: at(end),
            group_by: None,
            filter: DeviceFilter::default(),
            band,
            wants_forecast: false,
        };
        let ask = |start, end| check(&question(start, end, Band::Plan));
        assert!(ask("2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z").is_ok());
        assert!(matches!(ask("2026-01-01T00:00:00Z", "2036-01-01T00:00:01Z"), Err(Error::LongPeriod { .. })));
        assert!(matches!(ask("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), Err(Error::EmptyPeriod)));
        assert!(ask("2028-02-29T00:00:00Z", "2038-02-28T00:00:00Z").is_ok());
        let wide = Band::Days { early: 0, late: 367 };
        let refused = check(&question("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", wide));
        assert!(matches!(refused, Err(Error::Band { field: "lateDays", given: 367, .. })));
    }

    #[test]
    fn a_filter_on_devices_alone_leaves_work_on_sites_out() {
        let (site, merchant) = (SiteId(uuid::Uuid::from_u128(1)), MerchantId(uuid::Uuid::from_u128(2)));
        let takes = |filter: &DeviceFilter| takes_site(filter, site, merchant, Some("330106"));
        assert!(takes(&DeviceFilter::default()));
        assert!(takes(&DeviceFilter { site_id: Some(site), ..DeviceFilter::default() }));
        assert!(takes(&DeviceFilter { region_codes: Some(vec!["33".into()]), ..DeviceFilter::default() }));
        assert!(!takes(&DeviceFilter { region_codes: Some(vec!["31".into()]), ..DeviceFilter::default() }));
        assert!(!takes(&DeviceFilter { serial_numbers: Some(vec!["HX1".into()]), ..DeviceFilter::default() }));
    }
}
