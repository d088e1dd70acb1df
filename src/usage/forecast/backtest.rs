//! Forecasts held against what happened: questions with known answers, made from a fleet's own days.

use super::answers::{Fleet, Known};
use super::gauge::median;
use super::series::DailySeries;
use crate::kernel::clock::Stopwatch;
use chrono::{Days, NaiveDate};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use std::time::Duration;

/// Days ahead that are asked for, before u.
pub const HORIZONS: [u32; 3] = [30, 60, 90];
/// u is log-uniform between these, so that what is asked does not give the answer away.
const SPREAD: (f64, f64) = (0.7, 1.4);
/// Days of the plain rule, and how many of them it needs.
const PLAIN_DAYS: usize = 28;
const PLAIN_MIN: usize = 7;
/// Known days a series needs before it is asked about: eight weeks.
const KNOWN_MIN: usize = 56;
/// Share of the days on the way that may be unknown.
const GAPS_MOST: f64 = 0.1;
/// Days after which a date is late to whoever planned by it.
const LATE_DAYS: i64 = 7;

/// How a rule did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Score {
    /// Mean of |told − true|, in days.
    pub mean_days: f64,
    /// The middle one.
    pub median_days: f64,
    /// One in ten is larger.
    pub p90_days: f64,
    /// Mean of told − true, in days; positive: told too late.
    pub bias_days: f64,
    /// Share told more than 7 days too late, 0 to 1.
    pub late: f64,
}

/// How forecasts of a fleet did beside the mean of the last 28 days.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Series of the fleet.
    pub series: usize,
    /// Questions that have an answer.
    pub questions: usize,
    /// This forecast.
    pub forecast: Score,
    /// The mean of the last 28 days.
    pub plain: Score,
    /// Mean error of the forecast divided by that of the plain rule.
    pub ratio: f64,
    /// Share of true days from P10 to P90, 0 to 1; 0.8 is wanted.
    pub coverage: f64,
    /// Time of learning what the fleet has in common, per series and cut.
    pub learn_micros: f64,
    /// Time of a fit.
    pub fit_micros: f64,
    /// Time of fitting and answering, per answer.
    pub answer_micros: f64,
}

/// What really happened: days until so many more units, from the day after the cut. Unknown days are
/// as the middle one of their weekday; none when it did not happen or too much is unknown.
fn truth(series: &DailySeries, middle: &[f64; 7], cut: usize, units: f64) -> Option<i64> {
    let (mut sum, mut gaps) = (0.0, 0.0);
    for place in cut + 1..series.units.len() {
        let known = series.units[place];
        gaps += f64::from(u8::from(known.is_nan()));
        sum += if known.is_nan() { middle[series.weekday(place)] } else { known };
        if sum >= units * (1.0 - 1e-9) {
            let days = (place - cut) as f64;
            return (gaps <= GAPS_MOST * days).then_some(days as i64);
        }
    }
    None
}

fn middle_by_weekday(series: &DailySeries) -> [f64; 7] {
    let mut by_day: [Vec<f64>; 7] = Default::default();
    for place in 0..series.units.len() {
        if !series.units[place].is_nan() {
            by_day[series.weekday(place)].push(series.units[place]);
        }
    }
    by_day.map(|units| median(units).unwrap_or_default())
}

/// The mean of the last 28 days, where enough of them are known.
fn plain_rate(series: &DailySeries, cut: usize) -> Option<f64> {
    let from = (cut + 1).saturating_sub(PLAIN_DAYS);
    let known: Vec<f64> = series.units[from..=cut].iter().copied().filter(|u| !u.is_nan()).collect();
    let enough = series.units[..=cut].iter().filter(|u| !u.is_nan()).count() >= KNOWN_MIN && known.len() >= PLAIN_MIN;
    let rate = known.iter().sum::<f64>() / known.len().max(1) as f64;
    (enough && rate > 0.0).then_some(rate)
}

fn score(errors: &[i64]) -> Score {
    let mut sizes: Vec<i64> = errors.iter().map(|e| e.abs()).collect();
    sizes.sort_unstable();
    let count = errors.len().max(1) as f64;
    let at = |share: f64| {
        let place = ((sizes.len() as f64 - 1.0) * share).round().max(0.0) as usize;
        sizes.get(place).copied().unwrap_or_default() as f64
    };
    Score {
        mean_days: sizes.iter().sum::<i64>() as f64 / count,
        median_days: at(0.5),
        p90_days: at(0.9),
        bias_days: errors.iter().sum::<i64>() as f64 / count,
        late: errors.iter().filter(|e| **e > LATE_DAYS).count() as f64 / count,
    }
}

/// Days on which questions are asked: `cuts` of them, evenly over the fleet's days, but for the first
/// eighth and the last month.
fn cuts(fleet: &Fleet, cuts: usize) -> Vec<NaiveDate> {
    let (Some(first), Some(last)) =
        (fleet.values().map(|s| s.first).min(), fleet.values().map(DailySeries::last).max())
    else {
        return Vec::new();
    };
    let days = (last - first).num_days();
    let (from, to) = ((days / 8).max(KNOWN_MIN as i64), days - 30);
    (0..cuts as i64)
        .map(|n| from + (to - from) * n / (cuts as i64 - 1).max(1))
        .filter(|day| *day >= from && *day <= to)
        .filter_map(|day| first.checked_add_days(Days::new(u64::try_from(day).ok()?)))
        .collect()
}

/// Asks a fleet when each of its devices would reach so much more, on days of its past, and compares
/// with what happened. The same seed asks the same.
pub fn backtest(fleet: &Fleet, seed: u64, cut_count: usize) -> Report {
    let mut random = StdRng::seed_from_u64(seed);
    let (mut ours, mut plain, mut inside) = (Vec::new(), Vec::new(), 0_usize);
    let (mut learning, mut fitting, mut answering) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let (mut learned, mut fitted) = (0_usize, 0_usize);
    let middles: Vec<[f64; 7]> = fleet.values().map(middle_by_weekday).collect();
    for cut in cuts(fleet, cut_count) {
        let begin = Stopwatch::start();
        let known = Known::at(fleet, cut);
        learning += begin.elapsed();
        learned += known.count();
        for ((name, series), middle) in fleet.iter().zip(&middles) {
            let us: [f64; 3] = std::array::from_fn(|_| random.random::<f64>());
            let place = usize::try_from((cut - series.first).num_days()).unwrap_or(usize::MAX);
            if place.saturating_add(1) >= series.units.len() {
                continue;
            }
            let Some(rate) = plain_rate(series, place) else { continue };
            let asked: Vec<(f64, i64)> = HORIZONS
                .iter()
                .zip(us)
                .filter_map(|(horizon, u)| {
                    let u = SPREAD.0 * (SPREAD.1 / SPREAD.0).powf(u);
                    let units = u * f64::from(*horizon) * rate;
                    Some((units, truth(series, middle, place, units)?))
                })
                .collect();
            if asked.is_empty() {
                continue;
            }
            let units: Vec<f64> = asked.iter().map(|(units, _)| *units).collect();
            let begin = Stopwatch::start();
            known.answers(name, &[]);
            let alone = begin.elapsed();
            let begin = Stopwatch::start();
            let answers = known.answers(name, &units);
            answering += begin.elapsed();
            fitting += alone;
            fitted += 1;
            for ((units, hit), answer) in asked.iter().zip(answers) {
                let Some(told) = answer.forecast.p50 else { continue };
                let after = |date: Option<NaiveDate>| date.map_or(i64::MAX, |date| (date - cut).num_days());
                ours.push((told - cut).num_days() - hit);
                plain.push((units / rate - 1e-9).ceil() as i64 - hit);
                inside += usize::from((after(answer.forecast.p10)..=after(answer.forecast.p90)).contains(hit));
            }
        }
    }
    let micros = |time: Duration, count: usize| time.as_secs_f64() * 1e6 / count.max(1) as f64;
    let (forecast, plain) = (score(&ours), score(&plain));
    Report {
        series: fleet.len(),
        questions: ours.len(),
        ratio: if plain.mean_days > 0.0 { forecast.mean_days / plain.mean_days } else { 0.0 },
        coverage: inside as f64 / ours.len().max(1) as f64,
        learn_micros: micros(learning, learned),
        fit_micros: micros(fitting, fitted),
        answer_micros: micros(answering, ours.len()),
        forecast,
        plain,
    }
}
