//! Adds facts up, for the whole fleet and for each group.

use crate::catalogue::model::FailureOrigin;
use crate::kernel::calendar::{local_date, start_of_day};
use crate::reports::model::{Compared, Dimension, Figures, GroupKey, Place, Standing};
use chrono::{DateTime, Datelike, Months, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// Groups of a report at most.
pub const MAX_GROUPS: usize = 1_000;

/// Whether a failure speaks against the device it happened on: its own faults and the site's do;
/// those of card, host and network, and no fault found, do not.
pub fn counts_against_devices(origin: FailureOrigin) -> bool {
    matches!(origin, FailureOrigin::Device | FailureOrigin::Site)
}

/// Sums in the making.
#[derive(Clone, Debug)]
pub struct Tally {
    dimension: Option<Dimension>,
    /// The organization's zone, which months are of.
    zone: Tz,
    total: Figures,
    groups: BTreeMap<GroupKey, Figures>,
}

impl Tally {
    /// Nothing yet.
    pub fn new(dimension: Option<Dimension>, zone: Tz) -> Self {
        Self { dimension, zone, total: Figures::default(), groups: BTreeMap::new() }
    }

    /// The sums of the whole fleet, and of each group by key.
    pub fn into_parts(self) -> (Figures, BTreeMap<GroupKey, Figures>) {
        (self.total, self.groups)
    }

    /// The group a fact belongs to; none where it belongs to the total alone, as failures do in a
    /// report by kind of maintenance.
    fn key(&self, place: &Place) -> Option<GroupKey> {
        let of = |key: Option<GroupKey>| Some(key.unwrap_or(GroupKey::Nothing));
        match self.dimension? {
            Dimension::Model => of(place.model.map(GroupKey::Model)),
            Dimension::Site => of(place.site.map(GroupKey::Site)),
            Dimension::Region => of(place.region.clone().map(GroupKey::Region)),
            Dimension::Kind => place.kind.map(GroupKey::Kind),
            Dimension::Month => {
                let day = local_date(self.zone, place.at);
                Some(GroupKey::Month(day.year(), day.month()))
            }
        }
    }

    fn add(&mut self, place: &Place, change: impl Fn(&mut Figures)) {
        change(&mut self.total);
        if let Some(key) = self.key(place) {
            change(self.groups.entry(key).or_default());
        }
    }

    /// Adds an occurrence that fell due.
    pub fn occurrence(&mut self, place: &Place, standing: Standing) {
        self.add(place, |figures| {
            figures.due += 1;
            let count = match standing {
                Standing::OnTime => &mut figures.done_on_time,
                Standing::Early => &mut figures.done_early,
                Standing::Late => &mut figures.done_late,
                Standing::Missed => &mut figures.missed,
                Standing::Skipped => &mut figures.skipped,
                Standing::Waived => &mut figures.waived,
                Standing::Overdue => &mut figures.overdue,
                Standing::Open => &mut figures.open,
            };
            *count += 1;
        });
    }

    /// Adds work that was counted for a plan and closed no order.
    pub fn done_without_order(&mut self, place: &Place) {
        self.add(place, |figures| figures.done_without_order += 1);
    }

    /// Adds a failure that began in the period; `repair_millis` is how long until the device
    /// worked again, where it did.
    pub fn failure(&mut self, place: &Place, origin: FailureOrigin, repair_millis: Option<i64>) {
        self.add(place, |figures| {
            let count = match origin {
                FailureOrigin::Device => &mut figures.failures.device,
                FailureOrigin::Site => &mut figures.failures.site,
                FailureOrigin::Network => &mut figures.failures.network,
                FailureOrigin::Host => &mut figures.failures.host,
                FailureOrigin::Card => &mut figures.failures.card,
                FailureOrigin::NoneFound => &mut figures.failures.none_found,
            };
            *count += 1;
            if let Some(millis) = repair_millis.filter(|_| counts_against_devices(origin)) {
                figures.repairs += 1;
                figures.repair_millis += millis;
            }
        });
    }

    /// Adds a repair or an attempt at one.
    pub fn fix(&mut self, place: &Place, is_first: bool) {
        self.add(place, |figures| {
            figures.fix_attempts += 1;
            figures.fixed_first += u64::from(is_first);
        });
    }

    /// Adds a trip to a repair that ended at a closed door.
    pub fn no_access(&mut self, place: &Place) {
        self.add(place, |figures| figures.no_access += 1);
    }

    /// Adds a usage forecast whose counter got there.
    pub fn forecast(&mut self, place: &Place, compared: &Compared) {
        self.add(place, |figures| figures.forecast.add(compared));
    }

    /// Adds time that a device stood at a position.
    pub fn stood(&mut self, place: &Place, from: DateTime<Utc>, to: DateTime<Utc>) {
        self.spread(place, from, to, |figures, millis| figures.stood_millis += millis);
    }

    /// Adds time of it during which it did not work.
    pub fn down(&mut self, place: &Place, from: DateTime<Utc>, to: DateTime<Utc>) {
        self.spread(place, from, to, |figures, millis| figures.down_millis += millis);
    }

    /// Adds a stretch of time, to each month its own part.
    fn spread(&mut self, place: &Place, from: DateTime<Utc>, to: DateTime<Utc>, add: fn(&mut Figures, i64)) {
        let mut part = Place { at: from, ..place.clone() };
        while part.at < to {
            let end = match self.dimension {
                Some(Dimension::Month) => self.end_of_month(part.at).min(to),
                _ => to,
            };
            let millis = (end - part.at).num_milliseconds();
            self.add(&part, |figures| add(figures, millis));
            part.at = end;
        }
    }

    fn end_of_month(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let day = local_date(self.zone, at);
        let next = day.with_day(1).and_then(|first| first.checked_add_months(Months::new(1)));
        // Beyond the calendar there are no months to part.
        next.map_or(DateTime::<Utc>::MAX_UTC, |first| start_of_day(self.zone, first))
            .max(at + TimeDelta::milliseconds(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::model::MaintenanceKind;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn place(model: u128, site: u128, when: &str) -> Place {
        Place {
            model: Some(Uuid::from_u128(model)),
            site: Some(Uuid::from_u128(site)),
            region: Some("330106".into()),
            kind: None,
            at: at(when),
        }
    }

    fn hours(figures: &Figures) -> f64 {
        figures.device_hours()
    }

    #[test]
    fn each_occurrence_is_counted_as_one_thing_and_the_parts_add_up() {
        let mut tally = Tally::new(None, Tz::UTC);
        let all = [
            Standing::OnTime,
            Standing::OnTime,
            Standing::Early,
            Standing::Late,
            Standing::Missed,
            Standing::Skipped,
            Standing::Waived,
            Standing::Overdue,
            Standing::Open,
        ];
        for standing in all {
            tally.occurrence(&place(1, 1, "2026-05-04T00:00:00Z"), standing);
        }
        let (total, groups) = tally.into_parts();
        assert!(groups.is_empty());
        assert_eq!((total.due, total.done_on_time), (9, 2));
        let compliance = total.compliance();
        assert_eq!((compliance.numerator, compliance.denominator), (2.0, 7.0), "neither the waived nor the open one");
    }

    #[test]
    fn what_is_undefined_has_no_value() {
        let nothing = Figures::default();
        for ratio in
            [nothing.compliance(), nothing.mean_time_to_restore(), nothing.availability(), nothing.first_time_fix()]
        {
            assert_eq!(ratio.value(), None);
        }
    }

    #[test]
    fn failures_of_card_host_and_network_and_none_found_do_not_count() {
        let mut tally = Tally::new(Some(Dimension::Model), Tz::UTC);
        for origin in FailureOrigin::ALL {
            tally.failure(&place(1, 1, "2026-05-04T00:00:00Z"), *origin, Some(3_600_000));
        }
        let (total, groups) = tally.into_parts();
        assert_eq!((total.failures.reported(), total.failures.counted(), total.failures.none_found), (6, 2, 1));
        assert_eq!((total.repairs, total.mean_time_to_restore().value()), (2, Some(1.0)));
        assert_eq!(groups[&GroupKey::Model(Uuid::from_u128(1))], total);
    }

    #[test]
    fn months_are_the_organizations() {
        let mut tally = Tally::new(Some(Dimension::Month), Tz::Asia__Shanghai);
        // June begins at 16:00 on 31 May, UTC.
        let (from, to) = (at("2026-05-31T14:00:00Z"), at("2026-07-01T00:00:00Z"));
        tally.stood(&place(1, 1, "2026-05-31T14:00:00Z"), from, to);
        tally.occurrence(&place(1, 1, "2026-05-31T16:00:00Z"), Standing::OnTime);
        let (total, groups) = tally.into_parts();
        let by_month: Vec<(String, f64, u64)> =
            groups.iter().map(|(key, figures)| (key.text(), hours(figures), figures.due)).collect();
        assert_eq!(
            by_month,
            [("2026-05".to_owned(), 2.0, 0), ("2026-06".to_owned(), 720.0, 1), ("2026-07".to_owned(), 8.0, 0)]
        );
        assert_eq!(hours(&total), 730.0);
    }

    #[test]
    fn what_has_no_kind_is_in_the_total_only() {
        let mut tally = Tally::new(Some(Dimension::Kind), Tz::UTC);
        let here = place(1, 1, "2026-05-04T00:00:00Z");
        tally.failure(&here, FailureOrigin::Device, None);
        tally.occurrence(&Place { kind: Some(MaintenanceKind::Cleaning), ..here }, Standing::Late);
        let (total, groups) = tally.into_parts();
        assert_eq!((total.failures.device, total.done_late, groups.len()), (1, 1, 1));
        assert_eq!(groups[&GroupKey::Kind(MaintenanceKind::Cleaning)].failures.device, 0);
    }

    proptest! {
        #[test]
        fn groups_add_up_to_the_total(
            facts in prop::collection::vec((0_u128..4, 0_i64..400, 1_i64..2_000), 1..40),
            which in 0_usize..5,
        ) {
            let mut tally = Tally::new(Some(Dimension::ALL[which]), Tz::Asia__Shanghai);
            for (n, day, length) in facts {
                let from = at("2026-01-01T00:00:00Z") + TimeDelta::days(day);
                let here = Place {
                    site: (n > 0).then(|| Uuid::from_u128(n)),
                    kind: Some(MaintenanceKind::Cleaning),
                    at: from,
                    ..place(n, n, "2026-01-01T00:00:00Z")
                };
                tally.stood(&here, from, from + TimeDelta::hours(length));
                tally.occurrence(&here, Standing::Open);
            }
            let (total, groups) = tally.into_parts();
            prop_assert_eq!(groups.values().map(|g| g.stood_millis).sum::<i64>(), total.stood_millis);
            prop_assert_eq!(groups.values().map(|g| g.due).sum::<u64>(), total.due);
        }
    }
}
