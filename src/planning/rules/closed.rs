//! Days on which nobody works at a site.

use chrono::{Datelike, NaiveDate};
use std::collections::BTreeSet;

/// The days a site is closed, in its own zone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClosedDays {
    /// Weekdays without opening hours, Monday = 0; all seven true would leave no day at all.
    pub weekdays: [bool; 7],
    /// Single closed days: the site's own and, if it observes them, public holidays.
    pub dates: BTreeSet<NaiveDate>,
    /// Days that are worked although their weekday is closed (moved working days).
    pub worked: BTreeSet<NaiveDate>,
}

impl ClosedDays {
    /// Whether the site is closed on this day.
    pub fn is_closed(&self, date: NaiveDate) -> bool {
        let weekday = date.weekday().num_days_from_monday() as usize;
        self.dates.contains(&date) || (self.weekdays[weekday] && !self.worked.contains(&date))
    }

    /// The nearest permitted day: on `date`, else earlier within the band, else later, at most
    /// 366 days on; `None` means no day is permitted.
    pub fn permitted_day(&self, date: NaiveDate, early_days: u32) -> Option<NaiveDate> {
        let earlier = (0..=u64::from(early_days)).map(|n| date.checked_sub_days(chrono::Days::new(n)));
        let later = (1..=366u64).map(|n| date.checked_add_days(chrono::Days::new(n)));
        earlier.chain(later).flatten().find(|d| !self.is_closed(*d))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_closed_day_moves_earlier_inside_the_early_side_and_else_later() {
        let mut closed = ClosedDays::default();
        closed.weekdays[6] = true; // Sundays
        let sunday = day("2026-11-29");
        assert_eq!(closed.permitted_day(sunday, 3), Some(day("2026-11-28")));
        assert_eq!(closed.permitted_day(sunday, 0), Some(day("2026-11-30")));
        closed.dates.insert(day("2026-11-28"));
        assert_eq!(closed.permitted_day(sunday, 1), Some(day("2026-11-30")));
    }

    #[test]
    fn a_moved_working_day_opens_a_closed_weekday() {
        let mut closed = ClosedDays::default();
        closed.weekdays[6] = true;
        closed.worked.insert(day("2026-11-29"));
        assert_eq!(closed.permitted_day(day("2026-11-29"), 3), Some(day("2026-11-29")));
    }

    #[test]
    fn a_site_that_never_opens_has_no_permitted_day() {
        let closed = ClosedDays { weekdays: [true; 7], ..Default::default() };
        assert_eq!(closed.permitted_day(day("2026-11-24"), 7), None);
    }
}
