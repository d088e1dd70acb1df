//! Usage by civil day in a row, and the days on which a device was out of use.

use super::super::daily::DayMap;
use chrono::{Datelike, Days, NaiveDate};

/// A day sells less than this share of what its weekday should: it counts as low. Chosen by
/// cross-validation between 0.2 and 0.5; docs/forecasting.md has the table.
const LOW: f64 = 0.35;
/// Days that the usual level rests on when low days are looked for.
const USUAL_DAYS: usize = 112;
/// Days that have to be known before a day can be called low.
const USUAL_MIN: usize = 21;
/// A run of low days is an outage if chance alone would make it once in so many.
const CHANCE: f64 = 0.01;
/// Low days in a row that an outage needs at least.
const OUTAGE_MIN: usize = 2;
/// Low but not idle days in a row after which the low level is the new one; a month and a half.
const OUTAGE_MAX: usize = 45;
/// Days a weekday shape looks back.
const SHAPE_DAYS: usize = 84;
/// How many average days each weekday is mixed with, so that few observations say little.
const SHAPE_PRIOR: f64 = 2.0;
/// Observations of a weekday, all of them zero, that make it a closed one.
const CLOSED_SEEN: f64 = 4.0;
/// A day whose expected share is below this is closed.
const CLOSED: f64 = 0.1;

/// Units per civil day from a first day on.
#[derive(Clone, Debug, PartialEq)]
pub struct DailySeries {
    /// The first day.
    pub first: NaiveDate,
    /// Units of each day, in any unit; NaN where nothing is known.
    pub units: Vec<f64>,
    /// Days whose units were spread over a gap: they count for the level and not for shapes.
    /// Shorter than `units` where no later day is estimated.
    pub estimated: Vec<bool>,
}

impl DailySeries {
    /// The known days from `first` to `last`, both included.
    pub fn of(days: &DayMap, first: NaiveDate, last: NaiveDate) -> Self {
        let count = usize::try_from((last - first).num_days() + 1).unwrap_or(0);
        let mut series = Self { first, units: vec![f64::NAN; count], estimated: vec![false; count] };
        for (date, day) in days.iter().filter(|(date, _)| (first..=last).contains(date)) {
            let place = (date - first).num_days() as usize;
            series.units[place] = day.units as f64;
            series.estimated[place] = day.is_estimated;
        }
        series
    }

    /// The same series as it was known at the end of a day.
    pub fn until(&self, last: NaiveDate) -> Self {
        let count = usize::try_from((last - self.first).num_days() + 1).unwrap_or(0).min(self.units.len());
        let estimated = self.estimated.iter().copied().take(count).collect();
        Self { first: self.first, units: self.units[..count].to_vec(), estimated }
    }

    /// The last `count` days at most.
    pub fn tail(mut self, count: usize) -> Self {
        let cut = self.units.len().saturating_sub(count);
        self.first = self.date(cut);
        self.units.drain(..cut);
        self.estimated.drain(..cut.min(self.estimated.len()));
        self
    }

    /// The date of a place.
    pub fn date(&self, place: usize) -> NaiveDate {
        self.first.checked_add_days(Days::new(place as u64)).unwrap_or(self.first)
    }

    /// The last day; the day before the first one when there are none.
    pub fn last(&self) -> NaiveDate {
        match self.units.len() {
            0 => self.first.pred_opt().unwrap_or(self.first),
            count => self.date(count - 1),
        }
    }

    /// Weekday of a place, 0 for Monday.
    pub fn weekday(&self, place: usize) -> usize {
        (self.first.weekday().num_days_from_monday() as usize + place) % 7
    }

    /// Days something is known of.
    pub fn observed(&self) -> usize {
        self.units.iter().filter(|units| !units.is_nan()).count()
    }

    fn is_estimated(&self, place: usize) -> bool {
        self.estimated.get(place).copied().unwrap_or(false)
    }

    /// Share of an average day that each weekday has, Monday first; their mean is 1. `units` are
    /// this series' own, perhaps without its outages; `prior` is what few observations are mixed with.
    pub(super) fn shape(&self, units: &[f64], prior: &[f64; 7]) -> [f64; 7] {
        let from = units.len().saturating_sub(SHAPE_DAYS);
        let (mut sums, mut counts) = ([0.0; 7], [0.0; 7]);
        for place in from..units.len() {
            if !units[place].is_nan() && !self.is_estimated(place) {
                sums[self.weekday(place)] += units[place];
                counts[self.weekday(place)] += 1.0;
            }
        }
        let (sum, count): (f64, f64) = (sums.iter().sum(), counts.iter().sum());
        if sum <= 0.0 {
            return *prior;
        }
        let mean = sum / count;
        let raw: [f64; 7] = std::array::from_fn(|day| {
            if sums[day] <= 0.0 && counts[day] >= CLOSED_SEEN {
                return 0.0;
            }
            (sums[day] / mean + SHAPE_PRIOR * prior[day]) / (counts[day] + SHAPE_PRIOR)
        });
        let level = raw.iter().sum::<f64>() / 7.0;
        raw.map(|share| share / level)
    }
}

/// Idle days in a row, of what is known, after which they say nothing of weekdays: a week with every
/// weekday in it, and one more.
const IDLE_MOST: usize = 7;

/// The units without long idle stretches, for a first look at the weekdays: what has been closed for
/// weeks would look as if it were closed on all the weekdays not seen since.
pub(super) fn without_idle_stretches(units: &[f64]) -> Vec<f64> {
    let mut found = units.to_vec();
    let mut run: Vec<usize> = Vec::new();
    let mut end = |run: &mut Vec<usize>| {
        if run.len() > IDLE_MOST {
            for place in run.iter() {
                found[*place] = f64::NAN;
            }
        }
        run.clear();
    };
    for (place, units) in units.iter().enumerate().filter(|(_, units)| !units.is_nan()) {
        if *units == 0.0 {
            run.push(place);
        } else {
            end(&mut run);
        }
    }
    end(&mut run);
    found
}

/// An outage that still goes on at the end of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ongoing {
    /// Days it has lasted.
    pub(super) days: usize,
    /// What is used meanwhile, as a share of the usual.
    pub(super) share: f64,
}

/// A series without its outages.
#[derive(Clone, Debug)]
pub(super) struct Usual {
    /// Units of each day, NaN where nothing is known and during outages.
    pub(super) units: Vec<f64>,
    /// Days taken out.
    pub(super) outage_days: usize,
    /// The outage at the end.
    pub(super) ongoing: Option<Ongoing>,
}

/// The days that the usual level rests on, newest last.
struct Recent<'a> {
    units: &'a [f64],
    weights: &'a [f64],
    places: std::collections::VecDeque<usize>,
    sum: f64,
    weight: f64,
}

impl Recent<'_> {
    fn push(&mut self, place: usize) {
        self.places.push_back(place);
        self.sum += self.units[place];
        self.weight += self.weights[place];
        if self.places.len() > USUAL_DAYS
            && let Some(old) = self.places.pop_front()
        {
            self.sum -= self.units[old];
            self.weight -= self.weights[old];
        }
    }

    fn level(&self) -> Option<f64> {
        (self.places.len() >= USUAL_MIN && self.weight > 0.0 && self.sum > 0.0).then(|| self.sum / self.weight)
    }

    fn clear(&mut self) {
        self.places.clear();
        (self.sum, self.weight) = (0.0, 0.0);
    }
}

/// Takes outages out: several days in a row far below what the device's weekdays should sell, as
/// when a shop is closed for works or a machine is out of order. A low level that stays is no
/// outage but a new level, one that is idle altogether may last as long as it will. How many days
/// it takes is a matter of how often this device has a low day by chance.
pub(super) fn usual(series: &DailySeries, weights: &[f64]) -> Usual {
    let (first, runs) = scan(series, weights, OUTAGE_MIN);
    let observed = series.observed() as f64;
    // Runs of four and more are no chance.
    let by_chance: usize = runs.iter().filter(|run| **run < 4).sum();
    let chance = (by_chance as f64 + 1.0) / (observed + 50.0);
    let needed = ((CHANCE.ln() / chance.min(0.9).ln()).ceil() as usize).max(OUTAGE_MIN);
    if needed == OUTAGE_MIN { first } else { scan(series, weights, needed).0 }
}

/// Outages of at least so many days, and the lengths of all low runs.
fn scan(series: &DailySeries, weights: &[f64], needed: usize) -> (Usual, Vec<usize>) {
    let units = &series.units;
    let mut usual = Usual { units: units.clone(), outage_days: 0, ongoing: None };
    let mut recent = Recent { units, weights, places: Default::default(), sum: 0.0, weight: 0.0 };
    let (mut run, mut runs): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    let is_outage =
        |run: &[usize]| run.len() >= needed && (run.len() <= OUTAGE_MAX || run.iter().all(|p| units[*p] == 0.0));
    let mut end = |run: &mut Vec<usize>, recent: &mut Recent<'_>, usual: &mut Usual| {
        if run.is_empty() {
            return;
        }
        runs.push(run.len());
        if is_outage(run) {
            usual.outage_days += run.len();
            for place in run.iter() {
                usual.units[*place] = f64::NAN;
            }
        } else {
            if run.len() > OUTAGE_MAX {
                recent.clear();
            }
            for place in run.iter() {
                recent.push(*place);
            }
        }
        run.clear();
    };
    for place in 0..units.len() {
        if units[place].is_nan() {
            continue;
        }
        let is_open = weights[place] > CLOSED;
        let is_low = is_open && recent.level().is_some_and(|level| units[place] < LOW * level * weights[place]);
        if is_low {
            run.push(place);
            continue;
        }
        // A closed day does not end an outage.
        if is_open {
            end(&mut run, &mut recent, &mut usual);
        }
        recent.push(place);
    }
    if is_outage(&run)
        && let Some(level) = recent.level()
    {
        let (sold, should): (f64, f64) =
            run.iter().fold((0.0, 0.0), |(s, w), place| (s + units[*place], w + weights[*place] * level));
        usual.ongoing = Some(Ongoing { days: run.len(), share: if should > 0.0 { sold / should } else { 0.0 } });
    }
    end(&mut run, &mut recent, &mut usual);
    (usual, runs)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A series from a Monday on.
    pub fn series(units: impl IntoIterator<Item = f64>) -> DailySeries {
        DailySeries { first: "2024-01-01".parse().unwrap(), units: units.into_iter().collect(), estimated: Vec::new() }
    }

    fn taken_out(units: Vec<f64>) -> Vec<usize> {
        let s = series(units);
        let usual = usual(&s, &vec![1.0; s.units.len()]);
        (0..s.units.len()).filter(|p| usual.units[*p].is_nan() && !s.units[*p].is_nan()).collect()
    }

    #[test]
    fn a_closure_of_weeks_is_taken_out_and_one_bad_day_is_not() {
        let mut units = vec![100.0; 200];
        units[50] = 10.0;
        for day in &mut units[100..130] {
            *day = 0.0;
        }
        assert_eq!(taken_out(units), (100..130).collect::<Vec<_>>());
    }

    #[test]
    fn a_low_level_that_stays_is_the_new_level() {
        let units: Vec<f64> = (0..200).map(|day| if day < 100 { 100.0 } else { 20.0 }).collect();
        assert_eq!(taken_out(units), Vec::<usize>::new());
    }

    #[test]
    fn a_device_that_idles_often_needs_more_idle_days_for_an_outage() {
        // Every third day is idle: two in a row are nothing, two weeks are.
        let mut units: Vec<f64> = (0..300).map(|day| if day % 3 == 0 { 0.0 } else { 30.0 }).collect();
        units[100] = 0.0;
        for day in &mut units[200..214] {
            *day = 0.0;
        }
        let out = taken_out(units);
        assert!(!out.contains(&100) && out.contains(&205), "{out:?}");
    }

    #[test]
    fn weekdays_not_seen_since_a_long_closure_are_not_closed() {
        let units: Vec<f64> = (0..200).map(|day| if (100..190).contains(&day) { 0.0 } else { 50.0 }).collect();
        let s = series(units);
        let shape = s.shape(&without_idle_stretches(&s.units), &[1.0; 7]);
        assert!(shape.iter().all(|share| (share - 1.0).abs() < 1e-9), "{shape:?}");
    }

    #[test]
    fn an_outage_at_the_end_goes_on() {
        let units: Vec<f64> = (0..120).map(|day| if day < 110 { 50.0 } else { 5.0 }).collect();
        let s = series(units);
        let ongoing = usual(&s, &vec![1.0; 120]).ongoing.unwrap();
        assert_eq!(ongoing.days, 10);
        assert!((ongoing.share - 0.1).abs() < 1e-9);
    }

    #[test]
    fn a_weekday_on_which_nothing_was_ever_sold_is_closed() {
        let s = series((0..84).map(|day| if day % 7 == 6 { 0.0 } else { 70.0 }));
        let shape = s.shape(&s.units, &[1.0; 7]);
        assert_eq!(shape[6], 0.0);
        assert!((shape.iter().sum::<f64>() - 7.0).abs() < 1e-9);
    }
}
