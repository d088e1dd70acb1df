//! The day on which so many more units are reached: the first one on which what is expected to be
//! used, or what may be used early or late in one case of ten, gets there.

use crate::usage::model::{Forecast, Uncertainty, UsagePattern, Way};
use chrono::{Datelike, Days, NaiveDate};

/// Days a forecast looks ahead; beyond ten years it says nothing.
const LIMIT_DAYS: usize = 3_653;
/// Days after which errors are as large as typical errors say.
const TYPICAL_DAYS: f64 = 60.0;
/// Middle of the first week of a season, and days between two middles.
const MIDDLE: f64 = 4.0;
const WEEK: f64 = 7.0;
/// Days of a season.
const YEAR: i64 = 364;
/// What is lost when sums of floats are compared.
const TOLERANCE: f64 = 1e-9;

/// The day on which `units` more are reached, counted from the end of `from`.
pub fn forecast(pattern: &UsagePattern, from: NaiveDate, units: i64) -> Forecast {
    first_passage(pattern, from, units.max(1) as f64)
}

/// The same in any unit, as long as it is the pattern's.
pub fn first_passage(pattern: &UsagePattern, from: NaiveDate, units: f64) -> Forecast {
    let mut found = Forecast { p10: None, p50: None, p90: None, way: None };
    if pattern.per_day <= 0.0 || !units.is_finite() {
        return found;
    }
    let goal = units * (1.0 - TOLERANCE);
    let errors = &pattern.uncertainty;
    // Errors are largest on the first day or on the last: below this nothing needs to be worked out.
    let largest = errors.after(1.0).max(errors.after(LIMIT_DAYS as f64));
    let near = goal / (errors.high * largest).exp();
    let mut path = Path::of(pattern, from);
    for ahead in 1..=LIMIT_DAYS {
        path.walk();
        let expected = path.expected;
        if expected < near {
            continue;
        }
        let error = errors.after(ahead as f64);
        let date = || from.checked_add_days(Days::new(ahead as u64));
        if found.p10.is_none() && (expected >= goal || expected * (errors.high * error).exp() >= goal) {
            found.p10 = date();
        }
        if expected >= goal {
            if found.p50.is_none() {
                found.p50 = date();
                found.way = Some(path.way(ahead as f64));
            }
            if expected * (errors.low * error).exp() >= goal {
                found.p90 = date();
                break;
            }
        }
    }
    found
}

impl Uncertainty {
    /// A typical error of what is used in so many days, in logarithms. That of single days averages
    /// out, that of the level grows.
    fn after(&self, days: f64) -> f64 {
        let level = self.typical * (days / TYPICAL_DAYS).powf(self.growth);
        level.max(self.noise / days.sqrt())
    }
}

/// What is expected of one day after the other.
struct Path<'a> {
    pattern: &'a UsagePattern,
    date: NaiveDate,
    weekday: usize,
    /// Days since the season begins.
    age: i64,
    /// The holidays still to come.
    holidays: &'a [(NaiveDate, f64)],
    /// Sums over the days so far: of the level alone, with its season, with the holidays, with all.
    level: f64,
    seasonal: f64,
    festive: f64,
    expected: f64,
}

impl<'a> Path<'a> {
    fn of(pattern: &'a UsagePattern, from: NaiveDate) -> Self {
        let past = pattern.holidays.partition_point(|(date, _)| *date <= from);
        Self {
            pattern,
            date: from,
            weekday: from.weekday().num_days_from_monday() as usize,
            age: (from - pattern.season_from).num_days(),
            holidays: &pattern.holidays[past..],
            level: 0.0,
            seasonal: 0.0,
            festive: 0.0,
            expected: 0.0,
        }
    }

    /// Goes on by a day.
    fn walk(&mut self) {
        self.date = self.date.succ_opt().unwrap_or(self.date);
        self.weekday = (self.weekday + 1) % 7;
        self.age += 1;
        let mut units = self.pattern.weekday[self.weekday].max(0.0);
        self.level += units;
        units *= self.season();
        self.seasonal += units;
        if let Some(((_, factor), later)) = self.holidays.split_first().filter(|((date, _), _)| *date <= self.date) {
            units *= factor;
            self.holidays = later;
        }
        self.festive += units;
        self.expected += match &self.pattern.closure {
            Some(closure) if self.date <= closure.expected_until => units * closure.share,
            _ => units,
        };
    }

    /// What the days so far were made of.
    fn way(&self, days: f64) -> Way {
        let factor = |with: f64, without: f64| if without > 0.0 { with / without } else { 1.0 };
        Way {
            per_day: self.expected / days,
            level: self.level / days,
            season: factor(self.seasonal, self.level),
            holidays: factor(self.festive, self.seasonal),
            closure: factor(self.expected, self.festive),
        }
    }

    /// Straight between the middles of the weeks of the year ahead, and the same again every year.
    fn season(&self) -> f64 {
        let season = &self.pattern.season;
        let (Some(first), true) = (season.first(), self.age > 0) else { return 1.0 };
        let day = (self.age - 1) % YEAR + 1;
        let place = ((day as f64 - MIDDLE) / WEEK).max(0.0);
        let week = place as usize;
        let here = season.get(week).unwrap_or(first);
        let next = season.get(week + 1).unwrap_or(here);
        f64::from(*here) + f64::from(next - here) * (place - week as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flat(per_day: f64) -> UsagePattern {
        UsagePattern { weekday: [per_day; 7], per_day, ..UsagePattern::unknown("2026-01-01".parse().unwrap()) }
    }

    fn from() -> NaiveDate {
        "2026-01-01".parse().unwrap()
    }

    #[test]
    fn a_hundred_units_at_ten_a_day_take_ten_days() {
        let f = forecast(&flat(10.0), from(), 100);
        assert_eq!(f.p50, "2026-01-11".parse().ok());
        assert_eq!(f.way.map(|way| way.per_day), Some(10.0));
    }

    #[test]
    fn a_closure_moves_the_date_by_its_length_and_a_season_by_what_it_says() {
        let closure =
            crate::usage::model::Closure { days_so_far: 4, expected_until: "2026-01-07".parse().unwrap(), share: 0.0 };
        let closed = UsagePattern { closure: Some(closure), ..flat(10.0) };
        assert_eq!(forecast(&closed, from(), 100).p50, "2026-01-17".parse().ok());
        let busy = UsagePattern { season: vec![2.0; 52], ..flat(10.0) };
        assert_eq!(forecast(&busy, from(), 100).p50, "2026-01-06".parse().ok());
    }

    #[test]
    fn nothing_is_reached_by_what_is_not_used() {
        let f = forecast(&flat(0.0), from(), 1);
        assert_eq!((f.p10, f.p50, f.p90), (None, None, None));
    }

    fn is_not_later(more: Option<NaiveDate>, less: Option<NaiveDate>) -> bool {
        match (more, less) {
            (Some(more), Some(less)) => more <= less,
            (None, Some(_)) => false,
            (_, None) => true,
        }
    }

    prop_compose! {
        fn any_pattern()(
            weekday in prop::array::uniform7(0.5_f64..500.0),
            season in prop::collection::vec(0.3_f32..3.0, 0..53),
            typical in 0.0_f64..1.0, growth in 0.15_f64..0.6,
            low in -3.0_f64..0.0, high in 0.0_f64..3.0, noise in 0.0_f64..1.2,
            holidays in prop::collection::btree_map(1_u64..300, 0.0_f64..3.0, 0..9),
        ) -> UsagePattern {
            let day = |n: u64| from() + Days::new(n);
            UsagePattern {
                per_day: weekday.iter().sum::<f64>() / 7.0,
                weekday,
                season,
                holidays: holidays.into_iter().map(|(n, factor)| (day(n), factor)).collect(),
                uncertainty: Uncertainty { typical, growth, low, high, noise },
                ..flat(1.0)
            }
        }
    }

    proptest! {
        #[test]
        fn quantiles_are_ordered(pattern in any_pattern(), units in 1_i64..200_000, age in 0_u64..40) {
            let f = forecast(&pattern, from() + Days::new(age), units);
            prop_assert!(is_not_later(f.p10, f.p50) && is_not_later(f.p50, f.p90));
        }

        #[test]
        fn more_usage_on_any_day_is_never_later(
            pattern in any_pattern(),
            more in prop::array::uniform7(0.0_f64..300.0),
            busier in prop::collection::vec(0.0_f32..1.0, 52),
            units in 1_i64..200_000,
        ) {
            let mut busy = pattern.clone();
            busy.weekday = std::array::from_fn(|day| pattern.weekday[day] + more[day]);
            busy.per_day = busy.weekday.iter().sum::<f64>() / 7.0;
            for (week, by) in busy.season.iter_mut().zip(&busier) {
                *week += by;
            }
            let (f, g) = (forecast(&pattern, from(), units), forecast(&busy, from(), units));
            prop_assert!(is_not_later(g.p10, f.p10) && is_not_later(g.p50, f.p50) && is_not_later(g.p90, f.p90));
        }
    }
}
