//! Quiet hours: the least used stretch, on the days clocks are changed too, around freezes, and
//! without hours of use.

use super::*;
use proptest::prelude::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// So many units in every hour of the week, but for some: (weekday from Monday = 0, hour, units).
fn profile(units: f64, but: &[(usize, usize, f64)]) -> HourProfile {
    let mut per_hour = [units; 168];
    for (weekday, hour, units) in but {
        per_hour[weekday * 24 + hour] = *units;
    }
    HourProfile { per_hour, weeks: 4.0, as_of: day("2026-05-01") }
}

fn request<'a>(zone: Tz, profile: Option<&'a HourProfile>, needed_minutes: u32) -> SlotRequest<'a> {
    SlotRequest { window: None, zone, profile, opening: &[], freezes: &[], needed_minutes }
}

fn slot(start: &str, end: &str, basis: QuietBasis, units: Option<f64>) -> Option<QuietSlot> {
    Some(QuietSlot { start: at(start), end: at(end), basis, units })
}

fn every_day(opens: &str, closes: &str) -> Vec<OpeningHours> {
    (1..=7).map(|weekday| OpeningHours { weekday, opens: opens.to_owned(), closes: closes.to_owned() }).collect()
}

/// A Monday, 16:00 in Shanghai.
const MONDAY: &str = "2026-05-04T08:00:00Z";

#[test]
fn the_least_used_stretch_of_the_first_window_is_taken() {
    // The night of Monday: quiet from 03:00 to 04:00. The next one is quieter, but later.
    let hours = profile(5.0, &[(1, 3, 1.0), (2, 3, 0.0)]);
    let found = quiet_slot(&request(Tz::Asia__Shanghai, Some(&hours), 31), at(MONDAY));
    assert_eq!(found, slot("2026-05-04T19:00:00Z", "2026-05-04T19:45:00Z", QuietBasis::OwnUsage, Some(0.75)));
}

#[test]
fn of_equally_quiet_stretches_the_earliest_is_taken() {
    let hours = profile(0.1, &[]);
    let found = quiet_slot(&request(Tz::Asia__Shanghai, Some(&hours), 60), at(MONDAY)).unwrap();
    assert_eq!((found.start, found.end), (at("2026-05-04T14:00:00Z"), at("2026-05-04T15:00:00Z")));
}

#[test]
fn a_window_that_is_open_counts_for_its_rest() {
    let hours = profile(5.0, &[]);
    let asked = request(Tz::Asia__Shanghai, Some(&hours), 30);
    // 04:07 in the night of Monday, and 05:46, when nothing fits any more.
    assert_eq!(quiet_slot(&asked, at("2026-05-04T20:07:00Z")).unwrap().start, at("2026-05-04T20:15:00Z"));
    assert_eq!(quiet_slot(&asked, at("2026-05-04T21:46:00Z")).unwrap().start, at("2026-05-05T14:00:00Z"));
}

#[test]
fn an_hour_that_does_not_exist_is_not_taken_and_one_that_comes_twice_is_long() {
    // Berlin, 29 March: 02:00 to 03:00 is left out. 8 hours after 22:00 it is 07:00.
    let spring = profile(5.0, &[(6, 2, 0.0), (6, 4, 1.0)]);
    let found = quiet_slot(&request(Tz::Europe__Berlin, Some(&spring), 60), at("2026-03-28T12:00:00Z"));
    assert_eq!(found, slot("2026-03-29T02:00:00Z", "2026-03-29T03:00:00Z", QuietBasis::OwnUsage, Some(1.0)));
    // Berlin, 25 October: 02:00 to 03:00 comes twice.
    let autumn = profile(5.0, &[(6, 2, 0.0)]);
    let found = quiet_slot(&request(Tz::Europe__Berlin, Some(&autumn), 120), at("2026-10-24T12:00:00Z"));
    assert_eq!(found, slot("2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", QuietBasis::OwnUsage, Some(0.0)));
    // New York, 8 March: the window ends at 07:00.
    let spring = profile(1.0, &[(6, 6, 0.0)]);
    let found = quiet_slot(&request(Tz::America__New_York, Some(&spring), 60), at("2026-03-07T20:00:00Z"));
    assert_eq!(found, slot("2026-03-08T10:00:00Z", "2026-03-08T11:00:00Z", QuietBasis::OwnUsage, Some(0.0)));
    // New York, 1 November: 01:00 to 02:00 comes twice.
    let autumn = profile(1.0, &[(6, 1, 0.5)]);
    let found = quiet_slot(&request(Tz::America__New_York, Some(&autumn), 120), at("2026-10-31T20:00:00Z"));
    assert_eq!(found, slot("2026-11-01T05:00:00Z", "2026-11-01T07:00:00Z", QuietBasis::OwnUsage, Some(1.0)));
}

#[test]
fn a_frozen_day_is_not_touched() {
    let hours = profile(5.0, &[]);
    let freezes = [(day("2026-11-10"), day("2026-11-12"))];
    let asked = SlotRequest { freezes: &freezes, ..request(Tz::Asia__Shanghai, Some(&hours), 60) };
    let start = |from: &str| quiet_slot(&asked, at(from)).unwrap().start;
    // 22:30 on the day before: until midnight it may be.
    assert_eq!(start("2026-11-09T14:30:00Z"), at("2026-11-09T14:30:00Z"));
    // 23:30: from the first minute after the freeze, in the window that began in it.
    assert_eq!(start("2026-11-09T15:30:00Z"), at("2026-11-12T16:00:00Z"));
    let long = [(day("2026-11-01"), day("2027-12-01"))];
    assert_eq!(quiet_slot(&SlotRequest { freezes: &long, ..asked }, at("2026-11-09T15:30:00Z")), None);
}

#[test]
fn without_hours_of_use_it_is_when_the_site_is_closed_else_the_middle_of_the_window() {
    let of = |opening: &[OpeningHours]| {
        let asked = SlotRequest { opening, ..request(Tz::Asia__Shanghai, None, 60) };
        quiet_slot(&asked, at(MONDAY))
    };
    // Closed from 02:00: the middle of 02:00 to 06:00.
    let bar = of(&every_day("10:00", "02:00"));
    assert_eq!(bar, slot("2026-05-04T19:30:00Z", "2026-05-04T20:30:00Z", QuietBasis::ClosedHours, None));
    // Unknown, or never closed: the middle of 22:00 to 06:00.
    let middle = slot("2026-05-04T17:30:00Z", "2026-05-04T18:30:00Z", QuietBasis::WindowOnly, None);
    assert_eq!(of(&[]), middle);
    assert_eq!(of(&every_day("00:00", "24:00")), middle);
    assert_eq!(of(&every_day("06:00", "06:00")), middle);
    // Sunday night goes on on Monday.
    let sunday = [OpeningHours { weekday: 7, opens: "20:00".to_owned(), closes: "05:00".to_owned() }];
    let asked = SlotRequest { opening: &sunday, ..request(Tz::Asia__Shanghai, None, 60) };
    let found = quiet_slot(&asked, at("2026-05-03T14:00:00Z"));
    assert_eq!(found, slot("2026-05-03T21:00:00Z", "2026-05-03T22:00:00Z", QuietBasis::ClosedHours, None));
}

#[test]
fn a_window_of_its_own_is_kept_to_and_one_that_is_too_short_has_no_slot() {
    let window = MaintenanceWindow { cron: "30 3 * * 0".to_owned(), duration_minutes: 20 };
    let mut asked = request(Tz::Asia__Shanghai, None, 15);
    asked.window = Some(read_window(&window).unwrap());
    // Sunday 03:30.
    let found = quiet_slot(&asked, at(MONDAY));
    assert_eq!(found, slot("2026-05-09T19:30:00Z", "2026-05-09T19:45:00Z", QuietBasis::WindowOnly, None));
    asked.needed_minutes = 21;
    assert_eq!(quiet_slot(&asked, at(MONDAY)), None);
    let bad = MaintenanceWindow { cron: "0 0 L * *".to_owned(), duration_minutes: 20 };
    assert!(read_window(&bad).is_err());
}

/// Expected units minute by minute.
fn by_minute(profile: &HourProfile, zone: Tz, start: DateTime<Utc>, end: DateTime<Utc>) -> f64 {
    let minutes = (end - start).num_minutes();
    let of = |minute: i64| {
        let local = (start + TimeDelta::minutes(minute)).with_timezone(&zone);
        profile.per_hour[(local.weekday().num_days_from_monday() * 24 + local.hour()) as usize] / 60.0
    };
    (0..minutes).map(of).sum()
}

proptest! {
    #[test]
    fn a_slot_lies_ahead_in_a_window_off_all_freezes_and_no_stretch_beside_it_is_quieter(
        zone in prop::sample::select(vec![
            Tz::Asia__Shanghai, Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe,
        ]),
        cron in prop::sample::select(vec!["0 22 * * *", "30 1 * * 0", "0 */6 * * *", "15 2 1,15 * *"]),
        length in 30_u32..720,
        needed in 1_u32..240,
        units in prop::collection::vec(0_u8..20, 168),
        from in 1_767_225_600_i64..1_830_297_600,
        freeze in (0_i64..40, 0_i64..20),
    ) {
        let from = DateTime::from_timestamp(from, 0).unwrap();
        let mut hours = profile(0.0, &[]);
        for (hour, units) in hours.per_hour.iter_mut().zip(&units) {
            *hour = f64::from(*units);
        }
        let first = local_date(zone, from) + TimeDelta::days(freeze.0);
        let freezes = [(first, first + TimeDelta::days(freeze.1))];
        let window = MaintenanceWindow { cron: cron.to_owned(), duration_minutes: length };
        let (grid, length) = read_window(&window).unwrap();
        let asked = SlotRequest {
            window: Some((grid.clone(), length)),
            freezes: &freezes,
            ..request(zone, Some(&hours), needed)
        };
        let Some(found) = quiet_slot(&asked, from) else {
            // Only where no window is long enough, or the next one is far.
            let rounded = TimeDelta::minutes(i64::from(needed.div_ceil(15)) * 15);
            prop_assert!(rounded > length || freeze.1 > 0 || cron.starts_with("15"));
            return Ok(());
        };
        prop_assert!(found.start >= from);
        prop_assert_eq!(found.end - found.start, TimeDelta::minutes(i64::from(needed.div_ceil(15)) * 15));
        let (first_day, last_day) = (local_date(zone, found.start), local_date(zone, found.end - TimeDelta::seconds(1)));
        prop_assert!(freezes.iter().all(|(a, b)| last_day < *a || first_day > *b));
        let mut begins = grid.next_after(zone, found.end - length - TimeDelta::seconds(1)).unwrap();
        prop_assert!(begins <= found.start, "no window holds it");
        // The window that began first holds the choice.
        while let Some(next) = grid.next_after(zone, begins).filter(|next| *next <= found.start) {
            begins = next;
        }
        let quietest = by_minute(&hours, zone, found.start, found.end);
        prop_assert!((quietest - found.units.unwrap()).abs() < 1e-6);
        let mut beside = begins;
        while beside + (found.end - found.start) <= begins + length {
            let end = beside + (found.end - found.start);
            let is_frozen = freezes.iter().any(|(a, b)| {
                *a <= local_date(zone, end - TimeDelta::seconds(1)) && local_date(zone, beside) <= *b
            });
            if beside >= from && !is_frozen && !cron.contains("*/6") {
                prop_assert!(by_minute(&hours, zone, beside, end) >= quietest - 1e-6);
            }
            beside += TimeDelta::minutes(15);
        }
    }
}
