//! Why something is due when it is, in GraphQL.

use crate::graphql::connection::row_cost;
use crate::graphql::context::Cx;
use crate::graphql::enums::*;
use crate::graphql::scalars::Date;
use crate::graphql::text::LocalizedText;
use crate::planning::model;
use crate::planning::rules::due_sentence;
use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

fn scaled(units: i64, decimals: i32) -> f64 {
    units as f64 / 10_f64.powi(decimals)
}

/// What a usage trigger's date rests on; values in the meter's unit.
#[derive(SimpleObject, Clone)]
pub struct UsageBasis {
    /// Meter code.
    pub meter: String,
    /// The plan's interval.
    pub every: f64,
    /// Life counter when last done.
    pub life_at_last_done: f64,
    /// Life counter at the last reading.
    pub life_now: f64,
    /// Units until due; negative once crossed.
    pub units_left: f64,
    /// Expected units a day until the due date; once crossed, at the level.
    pub units_per_day: f64,
    /// Device time of the last reading; null when there is none yet.
    pub last_reading_at: Option<DateTime<Utc>>,
    /// Where the rate comes from.
    pub source: RateSource,
    /// When the counter was seen to cross the limit; null before.
    pub crossed_at: Option<DateTime<Utc>>,
    /// What the expected rate was made of; null once crossed, and where the limit is never reached.
    pub parts: Option<RateParts>,
}

/// What an expected rate was made of: unitsPerDay is levelPerDay × weekdayFactor × seasonFactor ×
/// holidayFactor × closureFactor.
#[derive(SimpleObject, Clone)]
pub struct RateParts {
    /// Units a day in the last four weeks, outages left out; null where too few of their days are
    /// known.
    pub recent_per_day: Option<f64>,
    /// levelPerDay ÷ recentPerDay, what its longer past makes of the last four weeks: 1.05 where it sold
    /// more before, as four weeks alone are partly chance. Null without recentPerDay, and while the
    /// level is partly borrowed.
    pub trend_factor: Option<f64>,
    /// Expected units of an ordinary day.
    pub level_per_day: f64,
    /// Factor of the weekdays until the due date: below 1 where it falls after a weekend, say.
    pub weekday_factor: f64,
    /// Factor of the season until the due date: 1.1 for weeks that sell a tenth more than now.
    pub season_factor: f64,
    /// Whose last year the season is from.
    pub season_source: SeasonSource,
    /// Factor of the public holidays until the due date.
    pub holiday_factor: f64,
    /// Factor of the days on which the device is expected to be still closed or out of order.
    pub closure_factor: f64,
    /// Days it has been closed or out of order; null while it is used.
    pub closed_days: Option<i32>,
    /// The last day that is expected to last, in the site's zone; null while it is used.
    pub closed_until: Option<Date>,
}

impl RateParts {
    fn of(parts: &model::RateParts, basis: &model::UsageBasis) -> Self {
        let scale = 10_f64.powi(basis.decimals);
        let recent = parts.recent_per_day.filter(|recent| *recent > 0.0);
        Self {
            recent_per_day: recent.map(|recent| recent / scale),
            trend_factor: recent
                .filter(|_| basis.source == crate::usage::model::RateSource::Device)
                .map(|recent| parts.level / recent),
            level_per_day: parts.level / scale,
            weekday_factor: parts.weekdays(),
            season_factor: parts.way.season,
            season_source: parts.season.into(),
            holiday_factor: parts.way.holidays,
            closure_factor: parts.way.closure,
            closed_days: parts.closed.map(|(days, _)| i32::try_from(days).unwrap_or(i32::MAX)),
            closed_until: parts.closed.map(|(_, until)| Date(until)),
        }
    }
}

/// A clause of a condition as it was last seen; values in the meter's unit.
#[derive(SimpleObject, Clone)]
pub struct ClauseReading {
    /// The measure; null while the readings do not say.
    pub value: Option<f64>,
    /// What it is compared with; null while the device's model has no rating.
    pub limit: Option<f64>,
    /// Units it rests on; null for measures without a window.
    pub sample: Option<f64>,
    /// Beyond the limit, with enough of a sample.
    pub is_beyond: bool,
}

/// What a condition's date rests on.
#[derive(SimpleObject, Clone)]
pub struct ConditionBasis {
    /// Its clauses, in the trigger's order, at most 3.
    pub clauses: Vec<ClauseReading>,
    /// The last moment at which anything changed, device time; null before the first reading.
    pub looked_at: Option<DateTime<Utc>>,
    /// Since when it is beyond, device time; null while it is not.
    pub since: Option<DateTime<Utc>>,
    /// Due again, after work that did not help; its order is a repair.
    pub is_repeat: bool,
}

impl From<&model::ConditionBasis> for ConditionBasis {
    fn from(b: &model::ConditionBasis) -> Self {
        let clause = |c: &crate::planning::condition::ClauseReading| ClauseReading {
            value: c.value,
            limit: c.limit,
            sample: c.sample,
            is_beyond: c.is_beyond,
        };
        Self {
            clauses: b.clauses.iter().map(clause).collect(),
            looked_at: b.looked_at,
            since: b.since,
            is_repeat: b.is_repeat,
        }
    }
}

/// A gate an update waits for, as it was seen.
#[derive(SimpleObject, Clone)]
pub struct GateWait {
    /// The gate.
    pub gate: FirmwareGateKind,
    /// Its limit in percent; null for BATCH_SETTLED.
    pub percent: Option<f64>,
    /// What its meter said, in the meter's unit; null when it was never read.
    pub value: Option<f64>,
}

/// What an update's time rests on.
#[derive(SimpleObject, Clone)]
pub struct FirmwareBasis {
    /// Version that is installed; null while it was never reported.
    pub installed: Option<String>,
    /// Version it is to have; null when nobody said.
    pub target: Option<String>,
    /// Version to install now on the way there; null when nothing is to be installed.
    pub next_version: Option<String>,
    /// Where releases lead at most, when none leads to the target; null otherwise.
    pub gap_reaches: Option<String>,
    /// What the release after that asks for at least; null otherwise.
    pub gap_needs: Option<String>,
    /// From when the update is to be done; null without one.
    pub slot_start: Option<DateTime<Utc>>,
    /// Until when.
    pub slot_end: Option<DateTime<Utc>>,
    /// What the quiet hours were found by; null without an update.
    pub quiet_basis: Option<QuietBasis>,
    /// Gates it waits for, or waited for when it was last put off; at most 3.
    pub waits: Vec<GateWait>,
    /// It waits for them now.
    pub is_blocked: bool,
}

impl From<&model::FirmwareBasis> for FirmwareBasis {
    fn from(b: &model::FirmwareBasis) -> Self {
        let wait =
            |w: &model::GateWait| GateWait { gate: w.gate.kind().into(), percent: w.gate.percent(), value: w.value };
        Self {
            installed: b.installed.clone(),
            target: b.target.clone(),
            next_version: b.next_version.clone(),
            gap_reaches: b.gap.as_ref().map(|g| g.0.clone()),
            gap_needs: b.gap.as_ref().map(|g| g.1.clone()),
            slot_start: b.slot.map(|s| s.0),
            slot_end: b.slot.map(|s| s.1),
            quiet_basis: b.quiet.map(Into::into),
            waits: b.waits.iter().map(wait).collect(),
            is_blocked: b.is_blocked,
        }
    }
}

/// One trigger's own proposal.
#[derive(SimpleObject, Clone)]
pub struct DueCandidate {
    /// The trigger.
    pub trigger: TriggerKind,
    /// Its date; null when it gives none.
    pub due_at: Option<DateTime<Utc>>,
    /// What a usage date rests on; null for other triggers.
    pub basis: Option<UsageBasis>,
    /// What a condition's date rests on; null for other triggers.
    pub condition: Option<ConditionBasis>,
    /// What an update's time rests on; null for other triggers.
    pub firmware: Option<FirmwareBasis>,
    /// When the event happened that asks for the work; null for other triggers, and when none waits.
    pub event_at: Option<DateTime<Utc>>,
}

/// One move of a due date, with its reason.
#[derive(SimpleObject, Clone)]
pub struct DueAdjustment {
    /// Why.
    pub kind: AdjustmentKind,
    /// Before.
    pub from: DateTime<Utc>,
    /// After; equal to `from` when no day is permitted.
    pub to: DateTime<Utc>,
    /// The planner's words; null where the kind says all.
    pub reason: Option<String>,
    /// What people call the blackout or freeze period; null for other kinds.
    pub name: Option<LocalizedText>,
}

/// Why something is due when it is.
#[derive(Clone)]
pub struct DueExplanation(pub model::Explanation);

/// Why something is due when it is.
#[Object]
impl DueExplanation {
    /// One sentence a planner can read out; civil dates are in the site's zone.
    async fn summary(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The request's language unless stated.")] language: Option<Language>,
    ) -> String {
        due_sentence(&self.0, Cx::of(ctx).now, language.map_or(Cx::of(ctx).language, Into::into))
    }
    /// The trigger that won; the plan's first when none gives a date.
    async fn trigger(&self) -> TriggerKind {
        let place = self.0.winner.unwrap_or(0);
        self.0.candidates.get(place).map_or(TriggerKind::CalendarFixed, |c| c.trigger.kind().into())
    }
    /// Every trigger's own proposal, in the plan's order; at most 10.
    #[graphql(complexity = "row_cost(3, child_complexity)")]
    async fn candidates(&self) -> Vec<DueCandidate> {
        self.0
            .candidates
            .iter()
            .map(|c| DueCandidate {
                trigger: c.trigger.kind().into(),
                due_at: c.due_at,
                event_at: c.event_at,
                condition: c.condition.as_ref().map(Into::into),
                firmware: c.firmware.as_ref().map(Into::into),
                basis: c.basis.as_ref().map(|b| UsageBasis {
                    meter: b.meter.clone(),
                    every: scaled(b.every, b.decimals),
                    life_at_last_done: scaled(b.life_at_last_done, b.decimals),
                    life_now: scaled(b.life_now, b.decimals),
                    units_left: scaled(b.units_left, b.decimals),
                    units_per_day: b.units_per_day / 10_f64.powi(b.decimals),
                    last_reading_at: b.last_reading_at,
                    source: b.source.into(),
                    crossed_at: b.crossed_at,
                    parts: b.parts.as_ref().map(|parts| RateParts::of(parts, b)),
                }),
            })
            .collect()
    }
    /// What moved the date afterwards.
    #[graphql(complexity = "row_cost(2, child_complexity)")]
    async fn adjustments(&self) -> Vec<DueAdjustment> {
        self.0
            .adjustments
            .iter()
            .map(|a| DueAdjustment {
                kind: a.kind.into(),
                from: a.from,
                to: a.to,
                reason: a.reason.clone(),
                name: a.name.as_ref().map(Into::into),
            })
            .collect()
    }
}
