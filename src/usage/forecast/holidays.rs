//! Public holidays as data, and what a fleet learned of each of their days.
//!
//! A festival moves by weeks from year to year. Its days are therefore known by name and by their
//! place around it, never by date: what is learned of the third day of the Spring Festival is used
//! wherever that day falls next. Levels and yearly shapes are measured relative to it.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days before and after a holiday that it may still be felt on.
const AROUND: i64 = 3;
/// How many ordinary days each learned effect is mixed with.
const PRIOR: f64 = 3.0;
/// The largest ratio one day speaks with, so that one odd day does not decide.
const LARGEST: f64 = 3.0;

/// One holiday: days in a row of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// Its name, with the country where that matters.
    pub name: String,
    /// The first day.
    pub first: NaiveDate,
    /// The last day.
    pub last: NaiveDate,
}

/// The holidays that bind a device, in order; past ones and those to come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    runs: Vec<Holiday>,
}

/// What a day around a holiday sells, as a share of an ordinary day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Effects(BTreeMap<String, f64>);

/// What was seen of each day around a holiday: the sum of its shares, and how many.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(BTreeMap<String, (f64, f64)>);

impl Holidays {
    /// Holidays from single days of a name: those next to each other are one holiday.
    pub fn of(days: impl IntoIterator<Item = (NaiveDate, String)>) -> Self {
        let mut days: Vec<(NaiveDate, String)> = days.into_iter().collect();
        days.sort();
        let mut runs: Vec<Holiday> = Vec::new();
        for (date, name) in days {
            let same = runs.iter_mut().rev().take(4).find(|r| r.name == name && (date - r.last).num_days() <= 1);
            match same {
                Some(run) => run.last = date,
                None => runs.push(Holiday { name, first: date, last: date }),
            }
        }
        Self { runs }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The days around holidays from one day on: their place, and by what name their effect is known. A
    /// day between two holidays is the nearer one's, of equals the earlier one's.
    fn around(&self, first: NaiveDate, count: usize) -> BTreeMap<usize, String> {
        let mut nearest: BTreeMap<usize, (i64, String)> = BTreeMap::new();
        for run in &self.runs {
            let (begin, length) = ((run.first - first).num_days(), (run.last - run.first).num_days());
            for offset in -AROUND..=length + AROUND {
                let Some(place) = usize::try_from(begin + offset).ok().filter(|place| *place < count) else { continue };
                let (before, after) = (-offset, offset - length);
                let distance = before.max(after).max(0);
                if nearest.get(&place).is_some_and(|(known, _)| *known <= distance) {
                    continue;
                }
                // Days after it are counted from its end, which is not always as far from its begin.
                let key =
                    if after > 0 { format!("{}/after {after}", run.name) } else { format!("{}/{offset}", run.name) };
                nearest.insert(place, (distance, key));
            }
        }
        nearest.into_iter().map(|(place, (_, key))| (place, key)).collect()
    }

    /// Places from a day on whose expected share a holiday changes, and by what factor.
    pub(super) fn factors(&self, first: NaiveDate, count: usize, effects: &Effects) -> Vec<(usize, f64)> {
        if effects.0.is_empty() {
            return Vec::new();
        }
        self.around(first, count).into_iter().filter_map(|(place, key)| Some((place, *effects.0.get(&key)?))).collect()
    }

    /// Dates after a day whose expected share a holiday changes, and by what factor.
    pub fn coming(&self, after: NaiveDate, days: usize, effects: &Effects) -> Vec<(NaiveDate, f64)> {
        let Some(first) = after.checked_add_days(Days::new(1)) else { return Vec::new() };
        let dated = |(place, factor)| Some((first.checked_add_days(Days::new(place as u64))?, factor));
        self.factors(first, days, effects).into_iter().filter_map(dated).collect()
    }

    /// Places around a holiday, so that levels beside it can leave them out.
    pub(super) fn places(&self, first: NaiveDate, count: usize) -> Vec<bool> {
        let mut is_near = vec![false; count];
        for place in self.around(first, count).into_keys() {
            is_near[place] = true;
        }
        is_near
    }

    /// Notes the share of an ordinary day that each day around a holiday had.
    pub(super) fn note(&self, first: NaiveDate, shares: &[f64], seen: &mut Seen) {
        for (place, key) in self.around(first, shares.len()) {
            if !shares[place].is_nan() {
                let (sum, count) = seen.0.entry(key).or_default();
                *sum += shares[place].min(LARGEST);
                *count += 1.0;
            }
        }
    }
}

impl Seen {
    /// What was learned, mixed with ordinary days.
    pub(super) fn effects(&self) -> Effects {
        // Four places are enough, and shorter to keep.
        let effect = |(sum, count): &(f64, f64)| ((sum + PRIOR) / (count + PRIOR) * 1e4).round() / 1e4;
        Effects(self.0.iter().map(|(key, seen)| (key.clone(), effect(seen))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_learned_of_a_festival_moves_with_it() {
        let festival = |date: &str| {
            let first = day(date);
            (0..3).map(move |n| (first + Days::new(n), "Festival".to_owned()))
        };
        let holidays = Holidays::of(festival("2024-02-10").chain(festival("2025-01-29")));
        // In 2024 its second day sold a fifth.
        let mut shares = vec![1.0; 366];
        shares[41] = 0.2;
        let mut seen = Seen::default();
        for _ in 0..60 {
            holidays.note(day("2024-01-01"), &shares, &mut seen);
        }
        let coming = holidays.coming(day("2024-12-31"), 60, &seen.effects());
        let low: Vec<&NaiveDate> = coming.iter().filter(|(_, factor)| *factor < 0.5).map(|(date, _)| date).collect();
        assert_eq!(low, [&day("2025-01-30")]);
    }

    #[test]
    fn a_day_between_two_holidays_belongs_to_the_nearer_one_alone() {
        let holidays = Holidays::of([(day("2025-12-25"), "A".to_owned()), (day("2025-12-28"), "B".to_owned())]);
        let around: Vec<String> = holidays.around(day("2025-12-24"), 6).into_values().collect();
        assert_eq!(around, ["A/-1", "A/0", "A/after 1", "B/-1", "B/0", "B/after 1"]);
    }

    #[test]
    fn a_holiday_nothing_is_known_of_changes_nothing() {
        let holidays = Holidays::of([(day("2025-05-01"), "Labour Day".to_owned())]);
        assert!(holidays.coming(day("2025-01-01"), 365, &Effects::default()).is_empty());
    }
}
