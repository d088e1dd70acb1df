//! What makes a plan fall due, in and out; and the parts of the year in which its work may be done.

use crate::graphql::connection::input_ids;
use crate::graphql::enums::{
    ConditionOperator, DatedAttribute, MeasureKind, SiteEnvironment, TriggerEvent, TriggerKind,
};
use crate::graphql::errors::{Failure, Outcome};
use crate::graphql::scalars::{CronExpression, Duration};
use crate::graphql::text::{LocalizedText, LocalizedTextInput};
use crate::kernel::code::Code;
use crate::kernel::ids::DeviceModelId;
use crate::planning::condition;
use crate::planning::model::{self, MonthDay, Trigger as RoomTrigger};
use crate::planning::service::TriggerSpec;
use crate::usage::measure;
use async_graphql::{ID, InputObject, OneofObject, SimpleObject};

/// A grid of dates.
#[derive(InputObject, Clone)]
pub struct CalendarFixedTriggerInput {
    /// Standard 5-field cron in the site's time zone, for example `0 9 1 * *`.
    pub cron: CronExpression,
}

/// A duration since last done.
#[derive(InputObject, Clone)]
pub struct CalendarFloatingTriggerInput {
    /// Whole days or more, for example `P90D`; counted on the civil calendar of the site.
    pub every: Duration,
}

/// So many units of a counter since last done.
#[derive(InputObject, Clone)]
pub struct UsageTriggerInput {
    /// Meter code, for example `TRANSACTIONS`.
    pub meter: String,
    /// Units, in the meter's unit; above 0.
    pub every: f64,
}

/// Something that happens to a device and asks for work.
#[derive(InputObject, Clone)]
pub struct EventTriggerInput {
    /// What happens.
    pub event: TriggerEvent,
    /// Civil days after it within which the work is due, 0 to 366; 0 unless stated.
    pub within_days: Option<i32>,
    /// Days without use that count as a long inactivity, 1 to 366; only with AFTER_INACTIVITY, 30
    /// unless stated.
    pub inactive_days: Option<i32>,
}

/// What a condition looks at; give exactly one. Values are in the meters' own units.
#[derive(OneofObject, Clone)]
pub enum MeasureInput {
    /// The latest value of a gauge.
    Gauge(MeterInput),
    /// The life counter of the part a meter rates.
    Life(MeterInput),
    /// What a counter grew in a window.
    Delta(WindowInput),
    /// What a counter grew a day in a window.
    Rate(WindowInput),
    /// What one counter grew as a share of what another grew, for example errors per read.
    Ratio(RatioInput),
    /// That ratio as a multiple of the device's own ratio in the time before.
    RatioToBaseline(BaselineInput),
    /// Days since the last reading of any meter.
    DaysSinceReading(AnyMeterInput),
    /// Days since a counter last grew.
    DaysSinceUse(MeterInput),
    /// Time since the last reading of any meter, as a multiple of the device's own normal gap.
    Silence(AnyMeterInput),
    /// Days since a date of the device; negative before it.
    AttributeAge(AttributeInput),
    /// Days until a gauge is forecast to cross a limit, by its trend of four weeks.
    DaysToLimit(DaysToLimitInput),
}

/// One meter.
#[derive(InputObject, Clone)]
pub struct MeterInput {
    /// Meter code.
    pub meter: String,
}

/// Whatever meter was read.
#[derive(InputObject, Clone)]
pub struct AnyMeterInput {
    /// Say true.
    pub any_meter: bool,
}

/// One meter over a window.
#[derive(InputObject, Clone)]
pub struct WindowInput {
    /// Meter code.
    pub meter: String,
    /// Days of the window, 1 to 366.
    pub window_days: i32,
}

/// Two counters over a window.
#[derive(InputObject, Clone)]
pub struct RatioInput {
    /// Code of the counter above the line, for example MSR_ERRORS.
    pub numerator: String,
    /// Code of the counter below it, for example MSR_READS.
    pub denominator: String,
    /// Days of the window, 1 to 366.
    pub window_days: i32,
}

/// Two counters over a window, against the time before it.
#[derive(InputObject, Clone)]
pub struct BaselineInput {
    /// Code of the counter above the line.
    pub numerator: String,
    /// Code of the counter below it.
    pub denominator: String,
    /// Days of the window, 1 to 366.
    pub window_days: i32,
    /// Days before the window that are normal, 1 to 366.
    pub baseline_days: i32,
}

/// A date of a device.
#[derive(InputObject, Clone)]
pub struct AttributeInput {
    /// Which.
    pub attribute: DatedAttribute,
}

/// A gauge and where it must not get.
#[derive(InputObject, Clone)]
pub struct DaysToLimitInput {
    /// Code of the gauge.
    pub meter: String,
    /// The limit it moves to.
    pub limit: f64,
    /// True: it rises to the limit; false, as unless stated: it falls to it.
    pub is_rising: Option<bool>,
}

impl MeasureInput {
    fn read(self) -> Outcome<measure::Measure> {
        use measure::Measure as M;
        let window = |days| whole(days, "windowDays");
        Ok(match self {
            Self::Gauge(m) => M::Gauge { meter: m.meter },
            Self::Life(m) => M::Life { meter: m.meter },
            Self::Delta(w) => M::Delta { meter: w.meter, window_days: window(w.window_days)? },
            Self::Rate(w) => M::Rate { meter: w.meter, window_days: window(w.window_days)? },
            Self::Ratio(r) => {
                M::Ratio { numerator: r.numerator, denominator: r.denominator, window_days: window(r.window_days)? }
            }
            Self::RatioToBaseline(r) => M::RatioToBaseline {
                numerator: r.numerator,
                denominator: r.denominator,
                window_days: window(r.window_days)?,
                baseline_days: whole(r.baseline_days, "baselineDays")?,
            },
            Self::DaysSinceReading(m) => {
                meant(m.any_meter, "anyMeter")?;
                M::DaysSinceReading
            }
            Self::DaysSinceUse(m) => M::DaysSinceUse { meter: m.meter },
            Self::Silence(m) => {
                meant(m.any_meter, "anyMeter")?;
                M::Silence
            }
            Self::AttributeAge(a) => M::AttributeAge { attribute: a.attribute.into() },
            Self::DaysToLimit(d) => {
                M::DaysToLimit { meter: d.meter, limit: d.limit, is_rising: d.is_rising.unwrap_or(false) }
            }
        })
    }
}

/// What a measure is compared with; give exactly one.
#[derive(OneofObject, Clone)]
pub enum LimitInput {
    /// A number, in the measure's unit.
    Value(f64),
    /// A share of the model's rated life, 0.9 = 90 %; for life and gauge measures.
    ShareOfRating(f64),
}

/// One measure that must be beyond its limit.
#[derive(InputObject, Clone)]
pub struct ConditionClauseInput {
    /// What is measured.
    pub measure: MeasureInput,
    /// On which side of the limit it is beyond.
    pub operator: ConditionOperator,
    /// The limit.
    pub limit: LimitInput,
    /// Where it is clear again, in the limit's own terms, on the good side of it; at the limit unless
    /// stated.
    pub clear_at: Option<f64>,
    /// Units a measure over a window must rest on, or it says nothing.
    pub min_sample: Option<f64>,
}

/// A device is only looked at while it is used so much.
#[derive(InputObject, Clone)]
pub struct RateGuardInput {
    /// Code of a counter.
    pub meter: String,
    /// Units a day at least, over four weeks, in the meter's unit.
    pub at_least: f64,
}

/// Which devices a condition is for; parts given must all hold.
#[derive(InputObject, Clone)]
pub struct ConditionGuardInput {
    /// At sites with any of these surroundings.
    pub environments: Option<Vec<SiteEnvironment>>,
    /// Of any of these models.
    pub model_ids: Option<Vec<ID>>,
    /// Used at least so much.
    pub min_per_day: Option<RateGuardInput>,
}

/// Measures beyond their limits, held for a time. It falls due once and rests until it is clear.
/// Work that leaves it beyond for another full hold, a day at least, makes it due once more, as a
/// repair.
#[derive(InputObject, Clone)]
pub struct ConditionTriggerInput {
    /// One to three; all must hold.
    pub clauses: Vec<ConditionClauseInput>,
    /// Hours for which they must hold without a break, 0 to 2,160; 0 unless stated.
    pub hold_hours: Option<i32>,
    /// Days after work during which nothing new falls due, 0 to 366; 0 unless stated.
    pub cool_down_days: Option<i32>,
    /// Which devices it is for; all of the plan's unless stated.
    pub guard: Option<ConditionGuardInput>,
}

impl ConditionTriggerInput {
    fn read(self) -> Outcome<condition::Condition> {
        let clause = |c: ConditionClauseInput| -> Outcome<condition::Clause> {
            let limit = match c.limit {
                LimitInput::Value(value) => condition::Limit::Value { value },
                LimitInput::ShareOfRating(share) => condition::Limit::ShareOfRating { share },
            };
            let mut clause = condition::Clause::new(c.measure.read()?, c.operator.into(), limit);
            clause.clear_at = c.clear_at;
            clause.min_sample = c.min_sample;
            Ok(clause)
        };
        let guard = |g: ConditionGuardInput| -> Outcome<condition::Guard> {
            Ok(condition::Guard {
                environments: g.environments.unwrap_or_default().into_iter().map(Into::into).collect(),
                model_ids: input_ids(&g.model_ids.unwrap_or_default(), "triggers", DeviceModelId::parse_global)?,
                min_per_day: g
                    .min_per_day
                    .map(|rate| condition::RateGuard { meter: rate.meter, at_least: rate.at_least }),
            })
        };
        Ok(condition::Condition {
            clauses: self.clauses.into_iter().map(clause).collect::<Outcome<_>>()?,
            hold_hours: whole(self.hold_hours.unwrap_or(0), "holdHours")?,
            cool_down_days: whole(self.cool_down_days.unwrap_or(0), "coolDownDays")?,
            guard: self.guard.map(guard).transpose()?,
        })
    }
}

/// Installed firmware is not the target set for the device.
#[derive(InputObject, Clone)]
pub struct FirmwareTriggerInput {
    /// Say true: due when the device's firmware is not its target, in its quiet hours.
    pub not_at_target: bool,
}

/// A whole number that must not be negative; the room refuses what is too large.
fn whole(given: i32, name: &str) -> Outcome<u32> {
    let message = || format!("{name} is {given}; give 0 or more");
    u32::try_from(given).map_err(|_| Failure::user(Code::Invalid, &message(), &["input", "triggers"]))
}

/// Refuses to take a no for a yes.
fn meant(said: bool, name: &str) -> Outcome<()> {
    let message = format!("{name} is false; say true, or leave it out");
    if said { Ok(()) } else { Err(Failure::user(Code::Invalid, &message, &["input", "triggers"])) }
}

/// What makes a plan fall due; give exactly one.
#[derive(OneofObject, Clone)]
pub enum TriggerInput {
    /// A grid of dates, by cron.
    CalendarFixed(CalendarFixedTriggerInput),
    /// A duration since last done.
    CalendarFloating(CalendarFloatingTriggerInput),
    /// So many units of a counter since last done.
    Usage(UsageTriggerInput),
    /// Measures beyond their limits.
    Condition(ConditionTriggerInput),
    /// Installed firmware is not the target.
    Firmware(FirmwareTriggerInput),
    /// Something that happens to a device.
    Event(EventTriggerInput),
}

/// Triggers as the room has them.
///
/// # Errors
/// What cannot be read.
pub fn triggers(given: Vec<TriggerInput>) -> Outcome<Vec<TriggerSpec>> {
    let read = |trigger| {
        Ok(match trigger {
            TriggerInput::CalendarFixed(t) => TriggerSpec::CalendarFixed { cron: t.cron.0 },
            TriggerInput::CalendarFloating(t) => TriggerSpec::CalendarFloating { every: t.every.0 },
            TriggerInput::Usage(t) => TriggerSpec::Usage { meter: t.meter, every: t.every },
            TriggerInput::Condition(t) => TriggerSpec::Condition(t.read()?),
            TriggerInput::Firmware(t) => {
                meant(t.not_at_target, "notAtTarget")?;
                TriggerSpec::Firmware
            }
            TriggerInput::Event(t) => TriggerSpec::Event {
                event: t.event.into(),
                within_days: whole(t.within_days.unwrap_or(0), "withinDays")?,
                inactive_days: t.inactive_days.map(|days| whole(days, "inactiveDays")).transpose()?,
            },
        })
    };
    given.into_iter().map(read).collect()
}

/// A part of every year.
#[derive(InputObject, Clone)]
pub struct SeasonInput {
    /// First day, MM-DD, for example `03-01`.
    pub from: String,
    /// Last day, MM-DD; before the first it runs over the turn of the year.
    pub to: String,
}

/// A part of every year in which a plan's work is not done.
#[derive(InputObject, Clone)]
pub struct BlackoutInput {
    /// First day, MM-DD, for example `11-01`.
    pub from: String,
    /// Last day, MM-DD; before the first it runs over the turn of the year.
    pub to: String,
    /// What people call it.
    pub name: LocalizedTextInput,
}

fn month_day(text: &str, field: &str) -> Outcome<MonthDay> {
    text.parse().map_err(|e| {
        let shown: String = text.chars().take(20).collect();
        Failure::user(Code::Invalid, &format!("\"{shown}\" {e}"), &["input", field])
    })
}

/// A season as the room has it.
///
/// # Errors
/// INVALID for what is no day of the year.
pub fn season(given: &SeasonInput) -> Outcome<model::Season> {
    Ok(model::Season { from: month_day(&given.from, "season")?, to: month_day(&given.to, "season")? })
}

/// Blackouts as the room has them.
///
/// # Errors
/// INVALID for what is no day of the year.
pub fn blackouts(given: Vec<BlackoutInput>) -> Outcome<Vec<model::Blackout>> {
    let read = |b: BlackoutInput| {
        Ok(model::Blackout {
            from: month_day(&b.from, "blackouts")?,
            to: month_day(&b.to, "blackouts")?,
            name: b.name.into(),
        })
    };
    given.into_iter().map(read).collect()
}

/// The part of every year in which a plan's work may be done.
#[derive(SimpleObject, Clone)]
pub struct Season {
    /// First day, MM-DD.
    pub from: String,
    /// Last day, MM-DD; before the first it runs over the turn of the year.
    pub to: String,
}

impl From<&model::Season> for Season {
    fn from(s: &model::Season) -> Self {
        Self { from: s.from.to_string(), to: s.to.to_string() }
    }
}

/// A part of every year in which a plan's work is not done.
#[derive(SimpleObject, Clone)]
pub struct Blackout {
    /// First day, MM-DD.
    pub from: String,
    /// Last day, MM-DD; before the first it runs over the turn of the year.
    pub to: String,
    /// What people call it.
    pub name: LocalizedText,
}

impl From<&model::Blackout> for Blackout {
    fn from(b: &model::Blackout) -> Self {
        Self { from: b.from.to_string(), to: b.to.to_string(), name: (&b.name).into() }
    }
}

/// One measure that must be beyond its limit; values are in the meters' own units.
#[derive(SimpleObject, Clone)]
pub struct ConditionClause {
    /// What kind of measure.
    pub measure: MeasureKind,
    /// Meters it looks at: the counter above the line first; empty for those of any meter.
    pub meters: Vec<String>,
    /// Days of its window; null for measures without one.
    pub window_days: Option<u32>,
    /// Days before the window that are normal; only for RATIO_TO_BASELINE.
    pub baseline_days: Option<u32>,
    /// The date; only for ATTRIBUTE_AGE.
    pub attribute: Option<DatedAttribute>,
    /// Where the gauge must not get; only for DAYS_TO_LIMIT.
    pub gauge_limit: Option<f64>,
    /// On which side of the limit it is beyond.
    pub operator: ConditionOperator,
    /// The limit, or the share of the model's rated life.
    pub limit: f64,
    /// The limit is a share of the model's rated life.
    pub is_share_of_rating: bool,
    /// Where it is clear again, in the limit's own terms.
    pub clear_at: f64,
    /// Units a measure over a window must rest on; null when any will do.
    pub min_sample: Option<f64>,
}

impl From<&condition::Clause> for ConditionClause {
    fn from(c: &condition::Clause) -> Self {
        use measure::Measure as M;
        let (kind, window_days, baseline_days) = match &c.measure {
            M::Gauge { .. } => (MeasureKind::Gauge, None, None),
            M::Life { .. } => (MeasureKind::Life, None, None),
            M::Delta { window_days, .. } => (MeasureKind::Delta, Some(*window_days), None),
            M::Rate { window_days, .. } => (MeasureKind::Rate, Some(*window_days), None),
            M::Ratio { window_days, .. } => (MeasureKind::Ratio, Some(*window_days), None),
            M::RatioToBaseline { window_days, baseline_days, .. } => {
                (MeasureKind::RatioToBaseline, Some(*window_days), Some(*baseline_days))
            }
            M::DaysSinceReading => (MeasureKind::DaysSinceReading, None, None),
            M::DaysSinceUse { .. } => (MeasureKind::DaysSinceUse, None, None),
            M::Silence => (MeasureKind::Silence, None, None),
            M::AttributeAge { .. } => (MeasureKind::AttributeAge, None, None),
            M::DaysToLimit { .. } => (MeasureKind::DaysToLimit, None, None),
        };
        Self {
            measure: kind,
            meters: c.measure.meters().into_iter().map(str::to_owned).collect(),
            window_days,
            baseline_days,
            attribute: match &c.measure {
                M::AttributeAge { attribute } => Some((*attribute).into()),
                _ => None,
            },
            gauge_limit: match &c.measure {
                M::DaysToLimit { limit, .. } => Some(*limit),
                _ => None,
            },
            operator: c.operator.into(),
            limit: c.limit.number(),
            is_share_of_rating: matches!(c.limit, condition::Limit::ShareOfRating { .. }),
            clear_at: c.clear_at.unwrap_or(c.limit.number()),
            min_sample: c.min_sample,
        }
    }
}

/// Which devices a condition is for; the parts given must all hold.
#[derive(SimpleObject, Clone)]
pub struct ConditionGuard {
    /// At sites with any of these surroundings; empty means anything.
    pub environments: Vec<SiteEnvironment>,
    /// Of any of these models; empty means any.
    pub model_ids: Vec<ID>,
    /// Counter whose rate must be at least `minPerDay`; null when none is asked for.
    pub rate_meter: Option<String>,
    /// Units a day at least, over four weeks.
    pub min_per_day: Option<f64>,
}

impl From<&condition::Guard> for ConditionGuard {
    fn from(g: &condition::Guard) -> Self {
        Self {
            environments: g.environments.iter().map(|e| (*e).into()).collect(),
            model_ids: g.model_ids.iter().map(|m| m.global().into()).collect(),
            rate_meter: g.min_per_day.as_ref().map(|r| r.meter.clone()),
            min_per_day: g.min_per_day.as_ref().map(|r| r.at_least),
        }
    }
}

/// One way a plan falls due.
#[derive(SimpleObject, Clone)]
pub struct PlanTrigger {
    /// The kind.
    pub kind: TriggerKind,
    /// Cron text in the site's zone; only for CALENDAR_FIXED.
    pub cron: Option<CronExpression>,
    /// Duration since last done; only for CALENDAR_FLOATING.
    pub every: Option<Duration>,
    /// Meter code; only for USAGE.
    pub meter: Option<String>,
    /// Units since last done, in the meter's unit; only for USAGE.
    pub every_units: Option<f64>,
    /// What must be beyond which limit; only for CONDITION, 1 to 3.
    pub clauses: Option<Vec<ConditionClause>>,
    /// Hours for which the clauses must hold; only for CONDITION.
    pub hold_hours: Option<u32>,
    /// Days after work during which nothing new falls due; only for CONDITION.
    pub cool_down_days: Option<u32>,
    /// Which devices the condition is for; null for all of the plan's.
    pub guard: Option<ConditionGuard>,
    /// What happens to the device; only for EVENT.
    pub event: Option<TriggerEvent>,
    /// Civil days after the event within which the work is due; only for EVENT.
    pub within_days: Option<u32>,
    /// Days without use that count as a long inactivity; only for AFTER_INACTIVITY events that say
    /// so.
    pub inactive_days: Option<u32>,
}

impl From<&RoomTrigger> for PlanTrigger {
    fn from(t: &RoomTrigger) -> Self {
        let mut trigger = Self {
            kind: t.kind().into(),
            cron: None,
            every: None,
            meter: None,
            every_units: None,
            clauses: None,
            hold_hours: None,
            cool_down_days: None,
            guard: None,
            event: None,
            within_days: None,
            inactive_days: None,
        };
        match t {
            RoomTrigger::CalendarFixed { cron } => trigger.cron = Some(CronExpression(cron.clone())),
            RoomTrigger::CalendarFloating { every } => trigger.every = Some(Duration(every.clone())),
            RoomTrigger::Usage { meter, every, decimals, .. } => {
                trigger.meter = Some(meter.clone());
                trigger.every_units = Some(*every as f64 / 10_f64.powi(*decimals));
            }
            RoomTrigger::Condition { condition } => {
                trigger.clauses = Some(condition.clauses.iter().map(Into::into).collect());
                trigger.hold_hours = Some(condition.hold_hours);
                trigger.cool_down_days = Some(condition.cool_down_days);
                trigger.guard = condition.guard.as_ref().map(Into::into);
            }
            RoomTrigger::Firmware {} => {}
            RoomTrigger::Event { event, within_days, inactive_days } => {
                trigger.event = Some((*event).into());
                trigger.within_days = Some(*within_days);
                trigger.inactive_days = *inactive_days;
            }
        }
        trigger
    }
}
