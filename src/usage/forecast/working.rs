//! A series prepared for asking: sums over any stretch of days in no time.

use super::holidays::{Effects, Holidays};
use super::series::{DailySeries, Ongoing, usual, without_idle_stretches};
use chrono::{Days, NaiveDate};

/// Days of a year of whole weeks, so that weekdays fall on weekdays.
pub(super) const YEAR: i64 = 364;
/// Days that a mean needs at least.
const MEAN_MIN: f64 = 5.0;

/// Sums of units and of day weights before each place.
#[derive(Clone, Debug)]
struct Sums {
    units: Vec<f64>,
    weights: Vec<f64>,
    counts: Vec<u32>,
}

impl Sums {
    fn of(units: &[f64], weights: &[f64]) -> Self {
        let mut sums = Self {
            units: Vec::with_capacity(units.len() + 1),
            weights: Vec::with_capacity(units.len() + 1),
            counts: Vec::with_capacity(units.len() + 1),
        };
        let (mut unit, mut weight, mut count) = (0.0, 0.0, 0);
        sums.push(unit, weight, count);
        for (units, weights) in units.iter().zip(weights) {
            if !units.is_nan() {
                unit += units;
                weight += weights;
                count += 1;
            }
            sums.push(unit, weight, count);
        }
        sums
    }

    fn push(&mut self, unit: f64, weight: f64, count: u32) {
        self.units.push(unit);
        self.weights.push(weight);
        self.counts.push(count);
    }

    /// Units per ordinary day from one place to another, both included; none when the stretch
    /// ends outside the series, nothing was used or less than a share of its days is known.
    fn mean(&self, from: i64, to: i64, share: f64) -> Option<f64> {
        let end = self.units.len() as i64 - 1;
        if to < 0 || to >= end || to < from {
            return None;
        }
        let (low, high) = (from.max(0) as usize, to as usize + 1);
        let count = f64::from(self.counts[high] - self.counts[low]);
        let (units, weight) = (self.units[high] - self.units[low], self.weights[high] - self.weights[low]);
        let is_known = count >= share * (to - from + 1) as f64 && units > 0.0 && weight > 0.0;
        is_known.then(|| units / weight)
    }
}

/// A series with its day weights and without its outages.
#[derive(Clone, Debug)]
pub(super) struct Working {
    pub(super) first: NaiveDate,
    /// Days in the series.
    pub(super) count: i64,
    /// Share of an average day that each weekday has.
    pub(super) shape: [f64; 7],
    /// The expected share of an ordinary day, for each day.
    pub(super) weights: Vec<f64>,
    /// Units without outages, NaN where unknown.
    pub(super) units: Vec<f64>,
    pub(super) outage_days: usize,
    pub(super) ongoing: Option<Ongoing>,
    usual: Sums,
    all: Sums,
}

impl Working {
    /// Prepares a series. Units are divided by what the weekday and the holiday should sell only as
    /// sums, never day by day: a mean of quotients is biased where days are few and ragged.
    pub(super) fn of(series: &DailySeries, prior: &[f64; 7], holidays: &Holidays, effects: &Effects) -> Self {
        let special = holidays.factors(series.first, series.units.len(), effects);
        let weigh = |shape: &[f64; 7]| -> Vec<f64> {
            let mut weights: Vec<f64> = (0..series.units.len()).map(|place| shape[series.weekday(place)]).collect();
            for (place, factor) in &special {
                weights[*place] *= factor;
            }
            weights
        };
        let rough = weigh(&series.shape(&without_idle_stretches(&series.units), prior));
        let usual = usual(series, &rough);
        let shape = series.shape(&usual.units, prior);
        let weights = weigh(&shape);
        Self {
            first: series.first,
            count: series.units.len() as i64,
            shape,
            usual: Sums::of(&usual.units, &weights),
            all: Sums::of(&series.units, &weights),
            weights,
            units: usual.units,
            outage_days: usual.outage_days,
            ongoing: usual.ongoing,
        }
    }

    /// Units per ordinary day from one place to another, both included, outages left out.
    pub(super) fn mean(&self, from: i64, to: i64, share: f64) -> Option<f64> {
        let least = MEAN_MIN / (to - from + 1).max(1) as f64;
        self.usual.mean(from, to, share.max(least))
    }

    /// What really was used per ordinary day, outages and all.
    pub(super) fn used(&self, from: i64, to: i64, share: f64) -> Option<f64> {
        self.all.mean(from, to, share)
    }

    /// The last place.
    pub(super) fn end(&self) -> i64 {
        self.count - 1
    }

    /// The date of a place, which may lie outside the series.
    pub(super) fn date(&self, place: i64) -> NaiveDate {
        let days = Days::new(place.unsigned_abs());
        let date = if place < 0 { self.first.checked_sub_days(days) } else { self.first.checked_add_days(days) };
        date.unwrap_or(self.first)
    }
}
