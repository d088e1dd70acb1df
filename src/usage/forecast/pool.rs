//! What the devices of a fleet have in common for one meter: their year, their holidays, how wrong
//! forecasts are, and what a young device may borrow.

use super::fit::{self, Residual};
use super::holidays::{Effects, Holidays, Seen};
use super::series::DailySeries;
use super::working::Working;
use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days of a series that are learned from: four years, so that each season is seen three times before.
pub const MAX_DAYS: usize = 4 * 365 + 1;
/// Known days of a device before it speaks for its groups, and for itself alone: two weeks.
pub const YOUNG_DAYS: usize = 14;
/// Devices that a group needs before anyone borrows from it.
const GROUP_MIN: usize = 5;
/// Share by which something must change before the fleet is told.
const MATERIAL: f64 = 0.1;

/// Days of a week that must be known before it is compared with the next.
const WEEK_SHARE: f64 = 0.55;
/// The largest step of one device from one week to the next, in logarithms, so that a closure does
/// not move the fleet.
const STEP: f64 = 0.7;
/// Devices that do as the fleet does are worth so many that do nothing: a small fleet's year is
/// believed less.
const DOUBTERS: f64 = 4.0;

/// Days ahead at which errors are measured.
pub(super) const HORIZONS: [i64; 2] = [30, 60];
/// The error expected of a fleet nothing is known of: the mean of |ln(used ÷ forecast)| over a month,
/// the middle of what the five data sets show (0.03 for shops, 0.07 for cash machines, 0.2 for vending).
const TYPICAL: f64 = 0.1;
/// How many devices that expectation is worth.
const TYPICAL_DEVICES: f64 = 3.0;
/// The largest error one device speaks with.
const TYPICAL_MOST: f64 = 0.5;
/// Tenth and ninetieth percentile of errors in typical errors: 1.6 for a normal distribution.
const TAIL: f64 = 1.6;
/// Errors after which a fleet's own percentiles are believed alone.
const TAIL_ERRORS: f64 = 400.0;
/// How fast errors may grow with the days ahead, as a power of them: between never and by chance alone.
const GROWTH: std::ops::RangeInclusive<f64> = 0.15..=0.6;

/// What a young device borrows from: its model, then its site's type, then the planning rate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Code of its model; empty for none.
    pub model: String,
    /// Code of what surrounds it; none without a site, and where nobody said.
    pub site_type: Option<String>,
}

/// What the devices of a group use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lender {
    /// The middle one of their daily rates.
    pub per_day: f64,
    /// The share of an average day that each weekday has, Monday first.
    pub shape: [f64; 7],
    /// How many devices it was learned from.
    pub devices: usize,
}

/// How wrong forecasts were on the fleet's own past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// Mean of |ln(used ÷ forecast)| at each horizon.
    pub typical: [f64; 2],
    /// Tenth percentile of ln(used ÷ forecast), in typical errors of the device; negative.
    pub low: f64,
    /// Ninetieth percentile.
    pub high: f64,
}

impl Default for Errors {
    fn default() -> Self {
        Self { typical: [TYPICAL * 0.8, TYPICAL], low: -TAIL, high: TAIL }
    }
}

/// What a fleet's devices have in common for one meter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// The last day of its data.
    pub through: NaiveDate,
    /// Devices it was learned from.
    pub devices: usize,
    /// Days of the longest of them.
    pub days: usize,
    /// ln of the fleet's level in each week, the last of which ends at `through`; from 0 on.
    pub weeks: Vec<f32>,
    /// What each day around a holiday sells.
    pub holidays: Effects,
    /// How wrong forecasts were.
    pub errors: Errors,
    /// By model code.
    pub models: BTreeMap<String, Lender>,
    /// By code of the site's type.
    pub site_types: BTreeMap<String, Lender>,
    /// Over all of them.
    pub fleet: Option<Lender>,
}

/// Where a rate was borrowed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LentBy {
    Model,
    SiteType,
    Fleet,
}

impl Pool {
    /// Whether it is another pool to whoever borrows from it; a small change is not worth looking at
    /// a fleet again, a week of newer data is.
    pub fn differs(&self, other: &Self) -> bool {
        let is_near = |a: f64, b: f64| (a - b).abs() <= MATERIAL * a.abs().max(b.abs());
        let is_same = |mine: &BTreeMap<String, Lender>, theirs: &BTreeMap<String, Lender>| {
            mine.len() == theirs.len()
                && mine
                    .iter()
                    .all(|(code, lender)| theirs.get(code).is_some_and(|other| is_near(lender.per_day, other.per_day)))
        };
        (self.through - other.through).num_days().abs() >= 7
            || !is_same(&self.models, &other.models)
            || !is_same(&self.site_types, &other.site_types)
            || !is_near(self.errors.typical[1], other.errors.typical[1])
    }

    /// The closest group of a device that has anything to lend.
    pub(super) fn lender(&self, group: &Group) -> Option<(LentBy, &Lender)> {
        let model = self.models.get(&group.model).map(|l| (LentBy::Model, l));
        let site = || group.site_type.as_ref().and_then(|s| self.site_types.get(s)).map(|l| (LentBy::SiteType, l));
        let fleet = || self.fleet.as_ref().filter(|_| group.model.is_empty()).map(|l| (LentBy::Fleet, l));
        model.or_else(site).or_else(fleet)
    }

    /// How far the fleet's own year is believed.
    pub(super) fn belief(&self) -> f64 {
        self.devices as f64 / (self.devices as f64 + DOUBTERS)
    }
}

/// The fleet's level day by day, ready to be averaged over any stretch. Made once for a pool.
#[derive(Clone, Debug, Default)]
pub struct FleetYear {
    first: NaiveDate,
    /// Sum of the levels before each day.
    sums: Vec<f64>,
}

impl FleetYear {
    /// From the pool's weeks, between whose middles it runs straight.
    pub fn of(pool: &Pool) -> Self {
        let count = 7 * pool.weeks.len();
        let first = pool.through.checked_sub_days(Days::new((count as u64).saturating_sub(1)));
        let (Some(first), Some(last)) = (first, pool.weeks.last()) else { return Self::default() };
        let mut sums = Vec::with_capacity(count + 1);
        let mut sum = 0.0;
        sums.push(sum);
        for day in 0..count {
            // Middles of weeks are at 3, 10, 17…
            let place = (day as f64 - 3.0) / 7.0;
            let week = place.max(0.0) as usize;
            let (here, next) = (pool.weeks[week.min(pool.weeks.len() - 1)], pool.weeks.get(week + 1).unwrap_or(last));
            let share = (place - week as f64).clamp(0.0, 1.0);
            sum += (f64::from(here) + (f64::from(*next) - f64::from(here)) * share).exp();
            sums.push(sum);
        }
        Self { first, sums }
    }

    /// ln of the mean level from one day to another, both included; none where the fleet's past does
    /// not reach back so far. Days after its last one are as that was.
    pub(super) fn level(&self, from: NaiveDate, to: NaiveDate) -> Option<f64> {
        let last = self.sums.len() as i64 - 2;
        let (low, high) = ((from - self.first).num_days(), (to - self.first).num_days());
        if low < 0 || last < 0 || low > last || high < low {
            return None;
        }
        let high = high.min(last);
        Some(((self.sums[high as usize + 1] - self.sums[low as usize]) / (high - low + 1) as f64).ln())
    }

    /// The first day anything is known of.
    pub(super) fn first(&self) -> Option<NaiveDate> {
        (!self.sums.is_empty()).then_some(self.first)
    }
}

/// A device that a pool is learned from.
#[derive(Clone, Debug)]
struct Member {
    series: DailySeries,
    group: Group,
    holidays: std::sync::Arc<Holidays>,
}

/// Learns a pool from one series after the other; their order does not matter.
#[derive(Clone, Debug, Default)]
pub struct Learner {
    members: Vec<Member>,
}

impl Learner {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one device in, with the holidays that bind it.
    pub fn add(&mut self, series: DailySeries, group: &Group, holidays: &std::sync::Arc<Holidays>) {
        if series.observed() >= YOUNG_DAYS {
            let series = series.tail(MAX_DAYS);
            self.members.push(Member { series, group: group.clone(), holidays: holidays.clone() });
        }
    }

    /// What they have in common.
    pub fn finish(mut self) -> Pool {
        // Sums of floats must not depend on the order in which devices came.
        self.members.sort_by(|a, b| {
            let key = |m: &Member| (m.series.first, m.series.units.len(), m.series.observed());
            key(a).cmp(&key(b)).then_with(|| {
                let bits = |m: &Member| m.series.units.iter().map(|u| u.to_bits()).collect::<Vec<_>>();
                bits(a).cmp(&bits(b))
            })
        });
        let Some(through) = self.members.iter().map(|m| m.series.last()).max() else { return Pool::default() };
        let holidays = self.effects();
        let workings: Vec<Working> =
            self.members.iter().map(|m| Working::of(&m.series, &fit::FLAT, &m.holidays, &holidays)).collect();
        let mut pool = Pool {
            through,
            devices: self.members.len(),
            days: self.members.iter().map(|m| m.series.units.len()).max().unwrap_or_default(),
            weeks: weeks(&workings, through),
            holidays,
            ..Pool::default()
        };
        self.lend(&workings, &mut pool);
        let year = FleetYear::of(&pool);
        let residuals: Vec<Vec<Residual>> =
            workings.iter().map(|working| fit::study(working, &pool, &year).residuals).collect();
        pool.errors = errors(&residuals);
        pool
    }

    /// What each day around a holiday sells against the days beside it.
    fn effects(&self) -> Effects {
        let mut seen = Seen::default();
        for member in self.members.iter().filter(|m| !m.holidays.is_empty()) {
            let series = &member.series;
            let working = Working::of(series, &fit::FLAT, &Holidays::default(), &Effects::default());
            let is_near = member.holidays.places(series.first, series.units.len());
            let beside: Vec<f64> =
                series.units.iter().zip(&is_near).map(|(u, near)| if *near { f64::NAN } else { *u }).collect();
            let beside = DailySeries { units: beside, ..series.clone() };
            let level = Working::of(&beside, &working.shape, &Holidays::default(), &Effects::default());
            let shares: Vec<f64> = (0..series.units.len())
                .map(|place| {
                    let (around, weight) = (place as i64, working.weights[place]);
                    let last = level.end();
                    match level.mean(around - 28, (around + 28).min(last), 0.4) {
                        Some(level) if weight > 0.1 && is_near[place] => series.units[place] / (weight * level),
                        _ => f64::NAN,
                    }
                })
                .collect();
            member.holidays.note(series.first, &shares, &mut seen);
        }
        seen.effects()
    }

    /// What young devices may borrow.
    fn lend(&self, workings: &[Working], pool: &mut Pool) {
        let mut groups: [BTreeMap<String, Vec<(f64, [f64; 7])>>; 3] = Default::default();
        for (member, working) in self.members.iter().zip(workings) {
            let Some(rate) = working.mean(working.end() - 55, working.end(), 0.1) else { continue };
            let one = (rate, working.shape);
            if !member.group.model.is_empty() {
                groups[0].entry(member.group.model.clone()).or_default().push(one);
            }
            if let Some(site) = &member.group.site_type {
                groups[1].entry(site.clone()).or_default().push(one);
            }
            groups[2].entry(String::new()).or_default().push(one);
        }
        let [models, site_types, mut fleet] = groups.map(|groups| {
            let lenders = groups.into_iter().filter(|(_, members)| members.len() >= GROUP_MIN);
            lenders.map(|(code, members)| (code, lender(members))).collect::<BTreeMap<String, Lender>>()
        });
        (pool.models, pool.site_types, pool.fleet) = (models, site_types, fleet.remove(""));
    }
}

fn lender(mut members: Vec<(f64, [f64; 7])>) -> Lender {
    members.sort_by(|a, b| a.0.total_cmp(&b.0));
    let per_day = members.get(members.len() / 2).map_or(0.0, |(rate, _)| *rate);
    let count = members.len() as f64;
    let shape = std::array::from_fn(|day| members.iter().map(|(_, shape)| shape[day]).sum::<f64>() / count);
    Lender { per_day, shape, devices: members.len() }
}

/// ln of the fleet's level in each week up to a day: the steps from week to week are means over the
/// devices that have both, so that devices may come and go.
fn weeks(workings: &[Working], through: NaiveDate) -> Vec<f32> {
    let count = workings.iter().map(|w| ((through - w.first).num_days() + 1) / 7).max().unwrap_or_default().max(0);
    let mut steps = vec![(0.0_f64, 0_u32); count as usize];
    for working in workings {
        let mut before: Option<f64> = None;
        for week in 0..count {
            let last = (through - working.first).num_days() - 7 * (count - 1 - week);
            let level = if last < 6 { None } else { working.mean(last - 6, last, WEEK_SHARE).map(f64::ln) };
            if let (Some(before), Some(level)) = (before, level) {
                let step = &mut steps[week as usize];
                step.0 += (level - before).clamp(-STEP, STEP);
                step.1 += 1;
            }
            before = level;
        }
    }
    let mut level = 0.0;
    steps
        .into_iter()
        .map(|(sum, count)| {
            level += if count > 0 { sum / f64::from(count) } else { 0.0 };
            level as f32
        })
        .collect()
}

/// What all devices' errors have in common.
fn errors(devices: &[Vec<Residual>]) -> Errors {
    let mut typical = [0.0; 2];
    for (place, typical) in typical.iter_mut().enumerate() {
        let of_device = |residuals: &Vec<Residual>| {
            let at: Vec<f64> = residuals.iter().filter(|r| r.horizon == place).map(|r| r.error.abs()).collect();
            (!at.is_empty()).then(|| (at.iter().sum::<f64>() / at.len() as f64).min(TYPICAL_MOST))
        };
        let known: Vec<f64> = devices.iter().filter_map(of_device).collect();
        let count = known.len() as f64;
        *typical = (known.iter().sum::<f64>() + TYPICAL * TYPICAL_DEVICES) / (count + TYPICAL_DEVICES);
    }
    let mut scaled: Vec<f64> = devices
        .iter()
        .flat_map(|residuals| {
            let scale = fit::scale(residuals, &typical);
            residuals.iter().map(move |r| r.error / (scale * typical[r.horizon]))
        })
        .collect();
    scaled.sort_by(f64::total_cmp);
    let belief = (scaled.len() as f64 / TAIL_ERRORS).min(1.0);
    let quantile = |share: f64, tail: f64| {
        let place = ((scaled.len() as f64 - 1.0) * share).round().max(0.0) as usize;
        scaled.get(place).map_or(tail, |found| belief * found + (1.0 - belief) * tail)
    };
    Errors { typical, low: quantile(0.1, -TAIL).min(0.0), high: quantile(0.9, TAIL).max(0.0) }
}

impl Errors {
    /// How errors grow with the days ahead.
    pub(super) fn growth(&self) -> f64 {
        let doubled = (self.typical[1] / self.typical[0]).ln() / (HORIZONS[1] as f64 / HORIZONS[0] as f64).ln();
        doubled.clamp(*GROWTH.start(), *GROWTH.end())
    }
}
