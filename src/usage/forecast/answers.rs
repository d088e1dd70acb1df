//! When each of many devices reaches so much more, asked of a fleet as it was known on some day.

use super::fit::fit;
use super::holidays::Holidays;
use super::learn::{Learner, MAX_DAYS};
use super::passage::first_passage;
use super::pool::{FleetYear, Group, Pool};
use super::series::DailySeries;
use crate::usage::model::{Forecast, RateSource, SeasonSource};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Series by name, taken for one fleet.
pub type Fleet = BTreeMap<String, DailySeries>;

/// On which day after `cut` are `units` more reached?
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Name of the series.
    pub series: String,
    /// The last day that may be looked at.
    pub cut: NaiveDate,
    /// How many more.
    pub units: f64,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The days.
    pub forecast: Forecast,
    /// Where the level comes from; none where nothing is known of anybody.
    pub level: Option<RateSource>,
    /// Whose last year was used.
    pub season: SeasonSource,
}

impl Answer {
    const NONE: Self = Self {
        forecast: Forecast { p10: None, p50: None, p90: None, way: None },
        level: None,
        season: SeasonSource::None,
    };
}

/// A fleet as it was known at the end of a day, and what it has in common.
pub struct Known {
    cut: NaiveDate,
    series: Fleet,
    pool: Pool,
    year: FleetYear,
}

impl Known {
    /// Forgets everything after a day.
    pub fn at(fleet: &Fleet, cut: NaiveDate) -> Self {
        let holidays = Arc::new(Holidays::default());
        let mut learner = Learner::new();
        let mut series = Fleet::new();
        for (name, whole) in fleet.iter().filter(|(_, whole)| whole.first <= cut) {
            let mut known = whole.until(cut);
            // What ended earlier is unknown from then on, and not an end of time.
            let days = usize::try_from((cut - known.first).num_days() + 1).unwrap_or_default();
            known.units.resize(days, f64::NAN);
            let known = known.tail(MAX_DAYS);
            learner.add(known.clone(), &Group::default(), &holidays);
            series.insert(name.clone(), known);
        }
        let pool = learner.finish();
        let year = FleetYear::of(&pool);
        Self { cut, series, pool, year }
    }

    /// How many series are known.
    pub fn count(&self) -> usize {
        self.series.len()
    }

    /// Answers about one device; the same whatever else is asked.
    pub fn answers(&self, name: &str, units: &[f64]) -> Vec<Answer> {
        let nothing = DailySeries { first: self.cut, units: vec![f64::NAN], estimated: Vec::new() };
        let series = self.series.get(name).unwrap_or(&nothing);
        let pattern = fit(series, &self.pool, &self.year, &Group::default(), &Holidays::default(), 0.0);
        if pattern.source == RateSource::Planning {
            return vec![Answer::NONE; units.len()];
        }
        units
            .iter()
            .map(|units| Answer {
                forecast: first_passage(&pattern, self.cut, *units),
                level: Some(pattern.source),
                season: pattern.parts.season,
            })
            .collect()
    }
}

/// Answers in the order of the questions; each rests on the days up to its own cut.
pub fn answers(fleet: &Fleet, questions: &[Question]) -> Vec<Answer> {
    let mut by_cut: BTreeMap<NaiveDate, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for (place, question) in questions.iter().enumerate() {
        by_cut.entry(question.cut).or_default().entry(&question.series).or_default().push(place);
    }
    let mut found = vec![Answer::NONE; questions.len()];
    for (cut, by_series) in by_cut {
        let known = Known::at(fleet, cut);
        for (name, places) in by_series {
            let units: Vec<f64> = places.iter().map(|place| questions[*place].units).collect();
            for (place, answer) in places.into_iter().zip(known.answers(name, &units)) {
                found[place] = answer;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Days;
    use proptest::prelude::*;

    fn first() -> NaiveDate {
        "2024-01-01".parse().unwrap()
    }

    fn cut() -> NaiveDate {
        first() + Days::new(499)
    }

    /// Five devices of a fleet with weekdays, a year and noise, some days of which are unknown.
    fn fleet(noise: &[f64], days: usize) -> Fleet {
        (0..5)
            .map(|device| {
                let units = (0..days)
                    .map(|day| {
                        let roll = noise[(day * 7 + device * 13) % noise.len()];
                        let weekday = [1.0, 0.9, 0.9, 1.0, 1.2, 1.6, 0.4][day % 7];
                        let season = 1.0 + 0.3 * (day as f64 / 58.0).sin();
                        if roll > 0.97 {
                            f64::NAN
                        } else {
                            40.0 * (device + 1) as f64 * weekday * season * (0.6 + roll)
                        }
                    })
                    .collect();
                (format!("device {device}"), DailySeries { first: first(), units, estimated: Vec::new() })
            })
            .collect()
    }

    fn questions(units: f64) -> Vec<Question> {
        (0..5).map(|device| Question { series: format!("device {device}"), cut: cut(), units }).collect()
    }

    fn dates(answers: &[Answer]) -> Vec<[Option<NaiveDate>; 3]> {
        answers.iter().map(|a| [a.forecast.p10, a.forecast.p50, a.forecast.p90]).collect()
    }

    fn noise() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(0.0_f64..1.0, 97)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn scaling_all_values_and_units_leaves_the_dates(noise in noise(), by in 0.01_f64..1_000.0) {
            let fleet = fleet(&noise, 500);
            let mut scaled = fleet.clone();
            for series in scaled.values_mut() {
                for units in &mut series.units {
                    *units *= by;
                }
            }
            let (plain, other) = (answers(&fleet, &questions(5_000.0)), answers(&scaled, &questions(5_000.0 * by)));
            prop_assert_eq!(dates(&plain), dates(&other));
        }

        #[test]
        fn what_comes_after_the_cut_changes_nothing(noise in noise(), later in prop::collection::vec(0.0_f64..1e6, 100)) {
            let short = fleet(&noise, 500);
            let mut long = short.clone();
            for (place, series) in long.values_mut().enumerate() {
                series.units.extend(later.iter().cycle().skip(place).take(later.len()));
            }
            // A device that comes later is nobody yet.
            let late = DailySeries { first: cut() + Days::new(1), units: later, estimated: Vec::new() };
            long.insert("late".to_owned(), late);
            prop_assert_eq!(answers(&short, &questions(5_000.0)), answers(&long, &questions(5_000.0)));
        }

        #[test]
        fn the_same_question_has_the_same_answer_in_whatever_order(noise in noise()) {
            let fleet = fleet(&noise, 500);
            let mut asked: Vec<Question> = questions(5_000.0);
            asked.extend(questions(900.0));
            let mut turned = asked.clone();
            turned.reverse();
            let mut found = answers(&fleet, &turned);
            found.reverse();
            prop_assert_eq!(answers(&fleet, &asked), found);
        }

        #[test]
        fn more_units_are_never_reached_earlier(noise in noise(), units in 10.0_f64..20_000.0, more in 0.0_f64..5_000.0) {
            let fleet = fleet(&noise, 500);
            let (less, more) = (answers(&fleet, &questions(units)), answers(&fleet, &questions(units + more)));
            for (less, more) in dates(&less).iter().zip(dates(&more)) {
                prop_assert!(less.iter().zip(more).all(|(less, more)| more.is_none() || *less <= more));
            }
        }
    }

    #[test]
    fn a_series_of_which_nothing_is_known_at_the_cut_has_no_answer() {
        let mut fleet = Fleet::new();
        let late = DailySeries { first: cut() + Days::new(1), units: vec![5.0; 10], estimated: Vec::new() };
        fleet.insert("device 0".to_owned(), late);
        let found = answers(&fleet, &questions(10.0)[..1]);
        assert_eq!((found[0].level, found[0].forecast.p50), (None, None));
    }
}
