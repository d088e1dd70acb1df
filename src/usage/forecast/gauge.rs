//! When a gauge reaches a limit: free storage that runs out, a battery that ages. The same first
//! passage as for counters, along the gauge's trend instead of its usage.

use super::passage::first_passage;
use crate::usage::model::{Forecast, Uncertainty, UsagePattern};
use chrono::NaiveDate;

/// Days with a reading that a trend needs: a working week.
const POINTS: usize = 5;
/// Parts of the window whose own speeds say how steady the trend is: weeks of four.
const PARTS: usize = 4;
/// The error of a speed, as a share of it, between one that was never seen to vary and one that was
/// seen to do nothing else.
const ERROR: std::ops::RangeInclusive<f64> = 0.05..=1.0;
/// How the error of a speed grows with the days ahead. A speed is wrong from the first day on, so
/// hardly; the least that passages of counters use.
const GROWTH: f64 = 0.15;
/// One normal error in ten is above so many mean absolute ones.
const TAIL: f64 = 1.6;

/// How a gauge moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// The value at the end, on the line and not the last reading.
    pub level: f64,
    /// Units a day; negative while it falls.
    pub per_day: f64,
    /// A typical error of the speed, as a share of it.
    pub error: f64,
}

/// The middle one of some numbers, or the mean of the two in the middle.
pub(super) fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let upper = *numbers.get(numbers.len() / 2)?;
    if numbers.len() % 2 == 1 {
        return Some(upper);
    }
    Some((numbers.get(numbers.len() / 2 - 1)? + upper) / 2.0)
}

/// The Theil–Sen speed of a line: the middle one of all speeds between two of its points.
fn speed(line: &[(f64, f64)]) -> Option<f64> {
    let pairs = line.iter().enumerate().flat_map(|(place, a)| line[place + 1..].iter().map(move |b| (a, b)));
    median(pairs.filter(|(a, b)| b.0 > a.0).map(|(a, b)| (b.1 - a.1) / (b.0 - a.0)).collect())
}

impl Trend {
    /// The trend of points (day, value) in order, the days counted back from 0; a few odd readings do
    /// not turn it. None with fewer than five.
    pub fn of(line: &[(f64, f64)]) -> Option<Self> {
        if line.len() < POINTS {
            return None;
        }
        let per_day = speed(line)?;
        let level = median(line.iter().map(|(x, y)| y - per_day * x).collect())?;
        let parts: Vec<f64> = line.chunks(line.len().div_ceil(PARTS).max(2)).filter_map(speed).collect();
        let off = parts.iter().map(|part| (part - per_day).abs()).sum::<f64>() / parts.len().max(1) as f64;
        let error = off / (per_day.abs() * (parts.len().max(1) as f64).sqrt());
        let error = if error.is_finite() { error.clamp(*ERROR.start(), *ERROR.end()) } else { *ERROR.end() };
        Some(Self { level, per_day, error })
    }

    /// Units to a limit, and how many of them a day; 0 units once it is reached, none while the trend
    /// does not lead there.
    fn left(&self, limit: f64, is_rising: bool) -> Option<(f64, f64)> {
        let (left, speed) =
            if is_rising { (limit - self.level, self.per_day) } else { (self.level - limit, -self.per_day) };
        (left <= 0.0 || speed > 0.0).then_some((left.max(0.0), speed))
    }

    /// Days until a limit, in the middle; 0 once it is reached, none while the trend does not lead there.
    pub fn days_to(&self, limit: f64, is_rising: bool) -> Option<f64> {
        let (left, speed) = self.left(limit, is_rising)?;
        Some(if left > 0.0 { left / speed } else { 0.0 })
    }

    /// The days on which a limit is reached, from `today` on, of which a share has passed; today once it
    /// is, none while the trend does not lead there.
    pub fn passage(&self, today: NaiveDate, passed: f64, limit: f64, is_rising: bool) -> Forecast {
        match self.left(limit, is_rising) {
            None => Forecast { p10: None, p50: None, p90: None, way: None },
            Some((0.0, _)) => Forecast { p10: Some(today), p50: Some(today), p90: Some(today), way: None },
            Some((left, speed)) => {
                let uncertainty =
                    Uncertainty { typical: self.error, growth: GROWTH, low: -TAIL, high: TAIL, noise: 0.0 };
                let from = today.pred_opt().unwrap_or(today);
                let pattern =
                    UsagePattern { per_day: speed, weekday: [speed; 7], uncertainty, ..UsagePattern::unknown(from) };
                // Whole days are walked: from the begin of today.
                first_passage(&pattern, from, left + speed * passed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(value: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        (-27..=0).map(|day| (f64::from(day), value(f64::from(day)))).collect()
    }

    #[test]
    fn a_steady_fall_of_one_a_day_reaches_a_limit_ten_below_in_ten_days() {
        let trend = Trend::of(&line(|day| 40.0 - day)).unwrap();
        let today: NaiveDate = "2026-01-01".parse().unwrap();
        // From the end of the day on ten more, from its middle half a day less.
        assert_eq!(trend.passage(today, 1.0, 30.0, false).p50, "2026-01-11".parse().ok());
        let found = trend.passage(today, 0.4, 30.0, false);
        assert_eq!(found.p50, "2026-01-11".parse().ok());
        assert_eq!(trend.passage(today, 0.4, 39.5, false).p50, Some(today), "half a day is left of today");
        assert!(found.p10 <= found.p50 && found.p50 <= found.p90);
        assert!((trend.days_to(30.0, false).unwrap() - 10.0).abs() < 1e-9);
        assert_eq!(trend.days_to(50.0, true), None, "it falls");
        assert_eq!(trend.passage(today, 0.5, 45.0, false).p90, Some(today), "it is below already");
    }

    #[test]
    fn an_unsteady_fall_has_a_wider_interval() {
        let width = |wobble: f64| {
            let trend = Trend::of(&line(|day| 100.0 - day + wobble * (day / 3.0).sin())).unwrap();
            let f = trend.passage("2026-01-01".parse().unwrap(), 0.5, 20.0, false);
            (f.p90.unwrap() - f.p10.unwrap()).num_days()
        };
        assert!(width(10.0) > width(0.0), "{} {}", width(10.0), width(0.0));
    }

    #[test]
    fn four_days_are_no_trend() {
        assert_eq!(Trend::of(&line(|day| day)[..4]), None);
    }
}
