//! What is wrong with a condition, and what its sentences need of the catalogue.

use super::evaluate::MAX_DAYS;
use crate::catalogue::model::{Meter, MeterKind};
use crate::planning::condition::{Clause, Condition, Limit};
use crate::planning::error::Error;
use crate::usage::measure::Measure;

/// Clauses of a condition at most.
const MAX_CLAUSES: usize = 3;
/// Longest hold time: 90 days of hours.
const MAX_HOLD_HOURS: u32 = 24 * 90;

fn invalid(problem: String) -> Error {
    Error::Invalid { field: "triggers".into(), problem }
}

/// Refuses an unknown meter, and one of the wrong kind.
fn of_kind(meters: &[Meter], code: &str, wanted: MeterKind) -> Result<(), Error> {
    let Some(meter) = meters.iter().find(|m| m.code == code) else {
        return Err(Error::UnknownMeter { meter: code.to_owned() });
    };
    match (meter.kind == wanted, wanted) {
        (true, _) => Ok(()),
        (false, MeterKind::Counter) => Err(invalid(format!(
            "{code} is a gauge, which does not add up; give a counter, or measure its latest value"
        ))),
        (false, MeterKind::Gauge) => {
            Err(invalid(format!("{code} is a counter, which only grows; give a gauge, or measure its life or growth")))
        }
    }
}

fn window(name: &str, days: u32) -> Result<(), Error> {
    match days {
        0 => Err(invalid(format!("a measure over an empty window says nothing; give {name} of 1 to {MAX_DAYS} days"))),
        1..=MAX_DAYS => Ok(()),
        _ => Err(invalid(format!("{name} is {days}; give 1 to {MAX_DAYS} days"))),
    }
}

fn check_measure(measure: &Measure, meters: &[Meter]) -> Result<(), Error> {
    let two = |numerator: &str, denominator: &str, days: u32| -> Result<(), Error> {
        of_kind(meters, numerator, MeterKind::Counter)?;
        of_kind(meters, denominator, MeterKind::Counter)?;
        if numerator == denominator {
            return Err(invalid(format!("the ratio of {numerator} to itself is always 1; give another denominator")));
        }
        window("windowDays", days)
    };
    match measure {
        Measure::Gauge { meter } => of_kind(meters, meter, MeterKind::Gauge),
        Measure::Life { meter } | Measure::DaysSinceUse { meter } => of_kind(meters, meter, MeterKind::Counter),
        Measure::Delta { meter, window_days } | Measure::Rate { meter, window_days } => {
            of_kind(meters, meter, MeterKind::Counter)?;
            window("windowDays", *window_days)
        }
        Measure::Ratio { numerator, denominator, window_days } => two(numerator, denominator, *window_days),
        Measure::RatioToBaseline { numerator, denominator, window_days, baseline_days } => {
            two(numerator, denominator, *window_days)?;
            window("baselineDays", *baseline_days)
        }
        Measure::DaysToLimit { meter, limit, .. } => {
            of_kind(meters, meter, MeterKind::Gauge)?;
            if limit.is_finite() { Ok(()) } else { Err(invalid(format!("the value of {meter} must be a number"))) }
        }
        Measure::DaysSinceReading | Measure::Silence | Measure::AttributeAge { .. } => Ok(()),
    }
}

fn check_clause(clause: &Clause, meters: &[Meter]) -> Result<(), Error> {
    check_measure(&clause.measure, meters)?;
    let limit = clause.limit.number();
    if !limit.is_finite() {
        return Err(invalid("the limit must be a number".into()));
    }
    if let Limit::ShareOfRating { share } = clause.limit {
        if !matches!(clause.measure, Measure::Life { .. } | Measure::Gauge { .. }) {
            return Err(invalid(
                "only a life counter or a latest value can be compared with a share of the rating; give a number"
                    .into(),
            ));
        }
        if share <= 0.0 {
            return Err(invalid(format!("the share of the rating is {share}; give one above 0, for example 0.9")));
        }
    }
    if let Measure::DaysSinceUse { .. } = clause.measure
        && limit > f64::from(MAX_DAYS)
    {
        return Err(invalid(format!("days without use are seen for a year; give a limit of up to {MAX_DAYS} days")));
    }
    if let Some(clear) = clause.clear_at {
        let is_beyond = if clause.operator.is_upward() { clear > limit } else { clear < limit };
        if !clear.is_finite() || is_beyond {
            let side = if clause.operator.is_upward() { "above" } else { "below" };
            return Err(invalid(format!(
                "the clearing level {clear} is beyond the limit {limit}: it must not be {side} it, or nothing would ever clear"
            )));
        }
    }
    match clause.min_sample {
        Some(sample) if !sample.is_finite() || sample < 0.0 => {
            Err(invalid(format!("the minimum sample is {sample}; give 0 or more units")))
        }
        _ => Ok(()),
    }
}

/// Refuses a condition that cannot be evaluated, or would not say what its author means.
///
/// # Errors
/// No clause or more than three, an unknown meter or one of the wrong kind, an empty or too long
/// window, a ratio of a meter to itself, a limit that is no number, a share of a rating where there
/// is none, a clearing level beyond the limit, a negative sample, a hold time beyond 90 days.
pub fn check(condition: &Condition, meters: &[Meter]) -> Result<(), Error> {
    match condition.clauses.len() {
        0 => return Err(Error::Required { field: "triggers", what: "what a condition measures, 1 to 3 clauses" }),
        1..=MAX_CLAUSES => {}
        given => return Err(Error::TooMany { field: "triggers", what: "clauses", given, max: MAX_CLAUSES }),
    }
    if condition.hold_hours > MAX_HOLD_HOURS {
        let given = condition.hold_hours;
        return Err(invalid(format!("holdHours is {given}; give 0 to {MAX_HOLD_HOURS} hours")));
    }
    if condition.cool_down_days > MAX_DAYS {
        let given = condition.cool_down_days;
        return Err(invalid(format!("coolDownDays is {given}; give 0 to {MAX_DAYS} days")));
    }
    if let Some(rate) = condition.guard.as_ref().and_then(|g| g.min_per_day.as_ref()) {
        of_kind(meters, &rate.meter, MeterKind::Counter)?;
        if !rate.at_least.is_finite() || rate.at_least < 0.0 {
            let given = rate.at_least;
            return Err(invalid(format!("the guard asks for {given} units a day; give 0 or more")));
        }
    }
    condition.clauses.iter().try_for_each(|clause| check_clause(clause, meters))
}

/// Adds the names, units and decimal places of the meters that the condition's sentences show.
pub fn describe(condition: &mut Condition, meters: &[Meter]) {
    for clause in &mut condition.clauses {
        let codes = clause.measure.meters();
        let find = |place: usize| codes.get(place).and_then(|code| meters.iter().find(|m| m.code == *code));
        let (first, second) = (find(0), find(1));
        clause.decimals = first.map_or(0, |m| m.decimals);
        clause.name = first.map(|m| m.name.clone()).unwrap_or_default();
        clause.unit = first.map(|m| m.unit.clone()).unwrap_or_default();
        clause.of_name = second.map(|m| m.name.clone()).unwrap_or_default();
    }
}
