//! Learns what a fleet's devices have in common, from their days.

use super::holidays::{Effects, Holidays, Seen};
use super::pool::{Errors, FleetYear, Group, Lender, Pool, TAIL, TYPICAL, YOUNG_DAYS};
use super::series::DailySeries;
use super::study::{self, FLAT, Residual};
use super::working::Working;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Days of a series that are learned from: four years, so that each season is seen three times before.
pub const MAX_DAYS: usize = 4 * 365 + 1;
/// Devices that a group needs before anyone borrows from it.
const GROUP_MIN: usize = 5;
/// Days of a week that must be known before it is compared with the next.
const WEEK_SHARE: f64 = 0.55;
/// The largest step of one device from one week to the next, in logarithms, so that a closure does
/// not move the fleet.
const STEP: f64 = 0.7;
/// How many devices that expectation is worth.
const TYPICAL_DEVICES: f64 = 3.0;
/// The largest error one device speaks with.
const TYPICAL_MOST: f64 = 0.5;
/// Errors after which a fleet's own percentiles are believed alone.
const TAIL_ERRORS: f64 = 400.0;

/// A device that a pool is learned from.
#[derive(Clone, Debug)]
struct Member {
    series: DailySeries,
    group: Group,
    holidays: Arc<Holidays>,
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
    pub fn add(&mut self, series: DailySeries, group: &Group, holidays: &Arc<Holidays>) {
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
            self.members.iter().map(|m| Working::of(&m.series, &FLAT, &m.holidays, &holidays)).collect();
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
            workings.iter().map(|working| study::study(working, &pool, &year).residuals).collect();
        pool.errors = errors(&residuals);
        pool
    }

    /// What each day around a holiday sells against the days beside it.
    fn effects(&self) -> Effects {
        let mut seen = Seen::default();
        for member in self.members.iter().filter(|m| !m.holidays.is_empty()) {
            let series = &member.series;
            let working = Working::of(series, &FLAT, &Holidays::default(), &Effects::default());
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
        let mut groups: [BTreeMap<String, Vec<Usage>>; 3] = Default::default();
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

/// Daily rate and weekday shape of a device.
type Usage = (f64, [f64; 7]);

fn lender(mut members: Vec<Usage>) -> Lender {
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
            let scale = study::scale(residuals, &typical);
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
