//! Days on which work may be done: when the site is open, in the plan's season, outside blackouts
//! and freeze periods.

use crate::kernel::text::LocalizedText;
use crate::planning::model::{AdjustmentKind, Blackout, Freeze, Season};
use chrono::{Datelike, Days, NaiveDate};
use std::collections::BTreeSet;

/// Days searched for a permitted one; beyond them the answer is that there is none.
const SEARCH_DAYS: u64 = 366;

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
}

/// Why work may not be done on a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blocker<'a> {
    /// What kind of reason.
    pub kind: AdjustmentKind,
    /// What people call it; only blackouts and freeze periods have a name.
    pub name: Option<&'a LocalizedText>,
}

/// Everything that says whether one plan's work may be done at one site on a day.
#[derive(Clone, Copy, Debug)]
pub struct PermittedDays<'a> {
    /// Days on which nobody works there.
    pub closed: &'a ClosedDays,
    /// The plan's season.
    pub season: Option<Season>,
    /// The plan's blackouts.
    pub blackouts: &'a [Blackout],
    /// Freeze periods that hold for the plan's channel at the site.
    pub freezes: &'a [Freeze],
}

impl<'a> PermittedDays<'a> {
    /// What stands against a day; nothing when it is permitted.
    pub fn blocker(&self, date: NaiveDate) -> Option<Blocker<'a>> {
        let unnamed = |kind| Some(Blocker { kind, name: None });
        if self.season.is_some_and(|season| !season.contains(date)) {
            return unnamed(AdjustmentKind::Season);
        }
        if let Some(blackout) = self.blackouts.iter().find(|b| b.contains(date)) {
            return Some(Blocker { kind: AdjustmentKind::Blackout, name: Some(&blackout.name) });
        }
        if let Some(freeze) = self.freezes.iter().find(|f| f.from <= date && date <= f.to) {
            return Some(Blocker { kind: AdjustmentKind::Freeze, name: Some(&freeze.name) });
        }
        if self.closed.is_closed(date) { unnamed(AdjustmentKind::ClosedDay) } else { None }
    }

    /// The nearest permitted day: on `date`, else earlier within the band, else later, at most
    /// 366 days on; `None` means no day is permitted.
    pub fn nearest(&self, date: NaiveDate, early_days: u32) -> Option<NaiveDate> {
        let earlier = (0..=u64::from(early_days)).map(|n| date.checked_sub_days(Days::new(n)));
        let later = (1..=SEARCH_DAYS).map(|n| date.checked_add_days(Days::new(n)));
        earlier.chain(later).flatten().find(|d| self.blocker(*d).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn of(closed: &ClosedDays) -> PermittedDays<'_> {
        PermittedDays { closed, season: None, blackouts: &[], freezes: &[] }
    }

    #[test]
    fn a_closed_day_moves_earlier_inside_the_early_side_and_else_later() {
        let mut closed = ClosedDays::default();
        closed.weekdays[6] = true; // Sundays
        let sunday = day("2026-11-29");
        assert_eq!(of(&closed).nearest(sunday, 3), Some(day("2026-11-28")));
        assert_eq!(of(&closed).nearest(sunday, 0), Some(day("2026-11-30")));
        closed.dates.insert(day("2026-11-28"));
        assert_eq!(of(&closed).nearest(sunday, 1), Some(day("2026-11-30")));
    }

    #[test]
    fn a_moved_working_day_opens_a_closed_weekday() {
        let mut closed = ClosedDays::default();
        closed.weekdays[6] = true;
        closed.worked.insert(day("2026-11-29"));
        assert_eq!(of(&closed).nearest(day("2026-11-29"), 3), Some(day("2026-11-29")));
    }

    #[test]
    fn a_site_that_never_opens_has_no_permitted_day() {
        let closed = ClosedDays { weekdays: [true; 7], ..Default::default() };
        assert_eq!(of(&closed).nearest(day("2026-11-24"), 7), None);
    }

    #[test]
    fn season_blackout_and_freeze_each_move_a_date_and_say_so() {
        let closed = ClosedDays::default();
        let season = Some(Season { from: "03-01".parse().unwrap(), to: "10-31".parse().unwrap() });
        let winter = PermittedDays { season, ..of(&closed) };
        assert_eq!(winter.nearest(day("2026-12-10"), 14), Some(day("2027-03-01")));
        assert_eq!(winter.nearest(day("2026-11-05"), 14), Some(day("2026-10-31")));
        assert_eq!(winter.blocker(day("2026-12-10")).map(|b| b.kind), Some(AdjustmentKind::Season));
        let name = LocalizedText { en: "Double 11".into(), zh: "双11".into() };
        let blackouts = [Blackout { from: "11-01".parse().unwrap(), to: "11-12".parse().unwrap(), name: name.clone() }];
        let sale = PermittedDays { blackouts: &blackouts, ..of(&closed) };
        assert_eq!(sale.nearest(day("2026-11-06"), 3), Some(day("2026-11-13")));
        assert_eq!(sale.blocker(day("2026-11-06")).and_then(|b| b.name), Some(&name));
        let freezes = [Freeze { from: day("2027-02-01"), to: day("2027-02-20"), name }];
        let festival = PermittedDays { freezes: &freezes, ..of(&closed) };
        assert_eq!(festival.nearest(day("2027-02-03"), 7), Some(day("2027-01-31")));
        assert_eq!(festival.blocker(day("2027-02-03")).map(|b| b.kind), Some(AdjustmentKind::Freeze));
    }
}
