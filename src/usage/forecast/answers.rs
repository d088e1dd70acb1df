//! When each of many devices reaches so much more, asked of a fleet as it was known on some day.

use super::fit::fit;
use super::holidays::Holidays;
use super::passage::first_passage;
use super::pool::{FleetYear, Group, Learner, MAX_DAYS, Pool};
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
        forecast: Forecast { p10: None, p50: None, p90: None, per_day: None },
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
