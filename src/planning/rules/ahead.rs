//! What comes after the next due date, and how much work a week brings.

use super::validate::{CompiledPlan, CompiledTrigger};
use crate::kernel::calendar::{end_of_day, local_date, start_of_day};
use crate::planning::model::{Due, Explanation, Occurrence, TriggerKind, UsageBasis};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

/// Days ahead that can be asked for: two years.
pub const HORIZON_DAYS: i64 = 731;

/// The occurrences of an item before a moment, the next one first, at most `limit`.
///
/// The next one is the item's own date. Those after it are projected as if each were done on the
/// day it is due: grids and durations by the calendar, usage by the device's mean rate as the
/// explanation states it. What is overdue is taken to be done today. Measures, firmware and events
/// say nothing of later occurrences.
pub fn occurrences(
    plan: &CompiledPlan,
    due: &Due,
    explanation: &Explanation,
    now: DateTime<Utc>,
    before: DateTime<Utc>,
    limit: usize,
) -> Vec<Occurrence> {
    let zone: Tz = explanation.zone.parse().unwrap_or(Tz::UTC);
    let Some(first) = due.due_at else { return vec![] };
    let winner = explanation.winner.and_then(|w| explanation.candidates.get(w));
    let mut found = vec![];
    let mut next = Some(Occurrence {
        due_at: first,
        window_start: due.window_start,
        window_end: due.window_end,
        trigger: winner.map_or(TriggerKind::CalendarFloating, |c| c.trigger.kind()),
        is_projected: false,
    });
    while let Some(this) = next.filter(|o| o.due_at < before && found.len() < limit) {
        let from = this.due_at.max(now);
        found.push(this);
        next = after(plan, explanation, zone, from).filter(|o| o.due_at > from);
    }
    found
}

/// The occurrence after work done at a moment.
fn after(plan: &CompiledPlan, explanation: &Explanation, zone: Tz, done: DateTime<Utc>) -> Option<Occurrence> {
    let definition = plan.definition();
    let day = local_date(zone, done);
    let rate = |meter: &str| {
        explanation
            .candidates
            .iter()
            .filter_map(|c| c.basis.as_ref())
            .find(|b| b.meter == meter)
            .map(UsageBasis::level_per_day)
    };
    let (due_at, kind) = plan
        .triggers
        .iter()
        .filter_map(|trigger| match trigger {
            CompiledTrigger::Fixed(grid) => {
                // Work within the early side of a slot has satisfied it already.
                let satisfied = done.checked_add_days(Days::new(u64::from(definition.early_days)))?;
                Some((grid.next_after(zone, satisfied)?, TriggerKind::CalendarFixed))
            }
            CompiledTrigger::Floating(period) => {
                Some((start_of_day(zone, period.add_to(day)?), TriggerKind::CalendarFloating))
            }
            CompiledTrigger::Usage { meter, every, .. } => {
                let per_day = rate(meter).filter(|r| *r > 0.0)?;
                let days = (*every as f64 / per_day).ceil().clamp(1.0, 3_660.0) as u64;
                Some((start_of_day(zone, day.checked_add_days(Days::new(days))?), TriggerKind::Usage))
            }
            CompiledTrigger::Condition { .. } | CompiledTrigger::Firmware | CompiledTrigger::Event { .. } => None,
        })
        .min_by_key(|(at, _)| *at)?;
    let due_day = local_date(zone, due_at);
    let shifted = |days: u32, is_back: bool| {
        let days = Days::new(u64::from(days));
        if is_back { due_day.checked_sub_days(days) } else { due_day.checked_add_days(days) }.unwrap_or(due_day)
    };
    Some(Occurrence {
        due_at,
        window_start: start_of_day(zone, shifted(definition.early_days, true)).max(done + TimeDelta::microseconds(1)),
        window_end: end_of_day(zone, shifted(definition.late_days, false)),
        trigger: kind,
        is_projected: true,
    })
}

/// A date as a forecast knows it: one in ten is earlier than the first, half than the second, nine
/// in ten than the third.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Early day.
    pub p10: NaiveDate,
    /// Middle day.
    pub p50: NaiveDate,
    /// Late day.
    pub p90: NaiveDate,
}

impl Spread {
    /// A date that is certain.
    pub fn certain(day: NaiveDate) -> Self {
        Self { p10: day, p50: day, p90: day }
    }

    /// Around another middle day, as wide as it is.
    pub fn around(self, day: NaiveDate) -> Self {
        Self { p10: day - (self.p50 - self.p10), p50: day, p90: day + (self.p90 - self.p50) }
    }

    /// The probability that the date lies before a day: straight between the three known points, and as
    /// far again outside them.
    fn before(self, day: NaiveDate) -> f64 {
        let at = |d: NaiveDate| (d - self.p50).num_days() as f64;
        let x = at(day);
        let (low, high) = (at(self.p10).min(0.0), at(self.p90).max(0.0));
        let between = |from: f64, to: f64, p_from: f64, p_to: f64| {
            if to > from { p_from + (x - from) / (to - from) * (p_to - p_from) } else { p_to }
        };
        // A day stands for its begin: the date itself lies in [day, day + 1).
        let p = match x {
            x if x <= 0.0 && low == 0.0 => 0.0,
            x if x > 0.0 && high == 0.0 => 1.0,
            x if x < low => between(low * 1.25, low, 0.0, 0.1),
            x if x <= 0.0 => between(low, 0.0, 0.1, 0.5),
            x if x <= high => between(0.0, high, 0.5, 0.9),
            _ => between(high, high * 1.25, 0.9, 1.0),
        };
        p.clamp(0.0, 1.0)
    }

    /// The probability that the date lies from one day up to, not with, another.
    pub fn within(self, from: NaiveDate, to: NaiveDate) -> f64 {
        (self.before(to) - self.before(from)).max(0.0)
    }
}

/// Standard normal quantile of 0.9.
const Z90: f64 = 1.281_551_565_545;

/// Minutes of work that each come with a probability.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Workload {
    mean: f64,
    variance: f64,
}

impl Workload {
    /// Adds a piece of work that comes with a probability.
    pub fn add(&mut self, minutes: f64, probability: f64) {
        self.mean += minutes * probability;
        self.variance += minutes * minutes * probability * (1.0 - probability);
    }

    /// Hours that are not exceeded in one of two cases: many independent pieces add up to about a
    /// normal distribution, whose middle is its mean.
    pub fn hours_p50(&self) -> f64 {
        self.mean / 60.0
    }

    /// Hours that are not exceeded in nine of ten cases.
    pub fn hours_p90(&self) -> f64 {
        (self.mean + Z90 * self.variance.sqrt()) / 60.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(n: i64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 6, 1).unwrap() + TimeDelta::days(n)
    }

    #[test]
    fn a_certain_date_lies_in_its_own_week_and_in_no_other() {
        let date = Spread::certain(day(3));
        assert_eq!(date.within(day(0), day(7)), 1.0);
        assert_eq!(date.within(day(3), day(4)), 1.0);
        assert_eq!(date.within(day(-7), day(0)) + date.within(day(4), day(11)), 0.0);
    }

    #[test]
    fn certain_work_has_no_spread_and_uncertain_work_has() {
        let mut week = Workload::default();
        week.add(120.0, 1.0);
        assert_eq!((week.hours_p50(), week.hours_p90()), (2.0, 2.0));
        week.add(60.0, 0.5);
        assert_eq!(week.hours_p50(), 2.5);
        assert!(week.hours_p90() > 3.0 && week.hours_p90() < 3.2);
    }

    proptest! {
        #[test]
        fn the_weeks_of_a_date_add_up_to_one(early in 0_i64..60, late in 0_i64..60, middle in -20_i64..20) {
            let date = Spread { p10: day(middle - early), p50: day(middle), p90: day(middle + late) };
            let weeks = (-30..30).map(|w| date.within(day(w * 7), day(w * 7 + 7)));
            prop_assert!((weeks.sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
