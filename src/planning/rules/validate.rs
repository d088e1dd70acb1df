//! Reads a plan's triggers once, and says what is wrong with them.

use crate::kernel::calendar::{Grid, Period};
use crate::kernel::subject::SubjectKind;
use crate::planning::condition::Condition;
use crate::planning::error::Error;
use crate::planning::model::{MaintenancePlan, PlanDefinition, Trigger, TriggerEvent};
use crate::registry::file::sha256_hex;
use chrono::{DateTime, NaiveDate, Utc};
use std::sync::Arc;

/// A trigger ready to be asked for dates.
#[derive(Clone, Debug)]
pub enum CompiledTrigger {
    /// A parsed cron grid.
    Fixed(Grid),
    /// A parsed duration.
    Floating(Period),
    /// Meter and units.
    Usage {
        /// Meter code.
        meter: String,
        /// Units between two occurrences, smallest unit.
        every: i64,
        /// Decimal places of the meter.
        decimals: i32,
    },
    /// Measures beyond their limits.
    Condition {
        /// What is measured, and against what.
        condition: Condition,
        /// Names it by what it says.
        key: String,
    },
    /// Installed firmware is not the target.
    Firmware,
    /// Something that happens to the device.
    Event {
        /// What happens.
        event: TriggerEvent,
        /// Civil days after it within which the work is due.
        within_days: u32,
        /// Days without use that count as a long inactivity.
        inactive_days: u32,
    },
}

/// Days without use that count as a long inactivity unless the plan says otherwise; assumed.
pub const INACTIVE_DAYS: u32 = 30;

/// A plan whose triggers have been read.
#[derive(Clone, Debug)]
pub struct CompiledPlan {
    /// The plan.
    pub plan: Arc<MaintenancePlan>,
    /// Its triggers, in the plan's order.
    pub triggers: Vec<CompiledTrigger>,
}

impl CompiledPlan {
    /// What the plan says.
    pub fn definition(&self) -> &PlanDefinition {
        &self.plan.definition
    }

    /// Since when the plan's grid is the one it has.
    pub fn grid_since(&self) -> DateTime<Utc> {
        let made = self.plan.created_at;
        self.definition().grid_since.map_or(made, |since| since.max(made))
    }

    /// The plan's grid, if it has one.
    pub fn grid(&self) -> Option<&Grid> {
        self.triggers.iter().find_map(|t| match t {
            CompiledTrigger::Fixed(grid) => Some(grid),
            _ => None,
        })
    }
}

/// The shortest gap in civil days of the plan's grids, if it has any.
pub fn shortest_gap_days(triggers: &[CompiledTrigger]) -> Option<u32> {
    triggers
        .iter()
        .filter_map(|t| match t {
            CompiledTrigger::Fixed(grid) => Some(grid.shortest_gap_days()),
            _ => None,
        })
        .min()
}

/// The shortest a period can be in civil days: from February on.
fn shortest_days(period: Period) -> Option<u32> {
    let from = NaiveDate::from_ymd_opt(2025, 2, 1)?;
    u32::try_from((period.add_to(from)? - from).num_days()).ok()
}

/// Longest early, late and lead times, in days: a year.
const MAX_DAYS: u32 = 366;
/// Longest expected work on one subject: a week of minutes.
const MAX_MINUTES: u32 = 10_080;

/// Plans one plan covers at most.
const MAX_COVERS: usize = 20;
/// Blackouts of one plan at most.
const MAX_BLACKOUTS: usize = 20;

/// Refuses no triggers at all, and too many.
///
/// # Errors
/// None, or more than ten.
pub fn check_count(triggers: usize) -> Result<(), Error> {
    match triggers {
        0 => Err(Error::Required { field: "triggers", what: "what makes the plan fall due, 1 to 10 triggers" }),
        1..=10 => Ok(()),
        given => Err(Error::TooMany { field: "triggers", what: "triggers", given, max: 10 }),
    }
}

/// Names a condition by what it says, whatever its meters are called.
fn condition_key(condition: &Condition) -> String {
    let clauses: Vec<_> =
        condition.clauses.iter().map(|c| (&c.measure, c.operator, c.limit, c.clear_at, c.min_sample)).collect();
    let said = serde_json::json!([clauses, condition.hold_hours, condition.cool_down_days]);
    sha256_hex(&said.to_string()).chars().take(16).collect()
}

/// Reads the triggers of a definition and checks everything a plan promises.
///
/// # Errors
/// Names the field: no trigger, unreadable cron or duration, zero or negative interval, a band
/// that reaches the shortest gap of the grid, an empty selector, numbers out of bounds.
pub fn compile(definition: &PlanDefinition) -> Result<Vec<CompiledTrigger>, Error> {
    let invalid = |field: &str, problem: String| Error::Invalid { field: field.into(), problem };
    if definition.selector.is_empty() {
        return Err(Error::EmptySelector);
    }
    check_count(definition.triggers.len())?;
    for (field, days) in
        [("earlyDays", definition.early_days), ("lateDays", definition.late_days), ("leadDays", definition.lead_days)]
    {
        if days > MAX_DAYS {
            return Err(invalid(field, format!("{field} is {days}; give 0 to {MAX_DAYS} days")));
        }
    }
    if definition.estimated_minutes == 0 || definition.estimated_minutes > MAX_MINUTES {
        return Err(invalid("estimatedMinutes", format!("give 1 to {MAX_MINUTES} minutes")));
    }
    let compiled = read_triggers(definition)?;
    if compiled.iter().filter(|t| matches!(t, CompiledTrigger::Fixed(_))).count() > 1 {
        return Err(invalid(
            "triggers",
            "give at most one calendarFixed trigger; put several times into one cron text".into(),
        ));
    }
    let is_of_device = |t: &CompiledTrigger| !matches!(t, CompiledTrigger::Fixed(_) | CompiledTrigger::Floating(_));
    if definition.subject == SubjectKind::Site && compiled.iter().any(is_of_device) {
        return Err(invalid(
            "triggers",
            "a site has no meters, no firmware and no events; give a plan for sites calendar triggers only, or make it \
             a plan for devices"
                .into(),
        ));
    }
    if definition.covers.len() > MAX_COVERS {
        return Err(Error::TooMany {
            field: "covers",
            what: "covered plans",
            given: definition.covers.len(),
            max: MAX_COVERS,
        });
    }
    if definition.blackouts.len() > MAX_BLACKOUTS {
        return Err(Error::TooMany {
            field: "blackouts",
            what: "blackouts",
            given: definition.blackouts.len(),
            max: MAX_BLACKOUTS,
        });
    }
    if compiled.iter().filter(|t| matches!(t, CompiledTrigger::Firmware)).count() > 1 {
        return Err(invalid("triggers", "give the firmware trigger once; it follows every target".into()));
    }
    for trigger in &compiled {
        if let CompiledTrigger::Floating(period) = trigger
            && let Some(days) = shortest_days(*period)
            && definition.early_days >= days
        {
            // Work done today would lie in the band of the occurrence after it.
            return Err(Error::BandTooWide { band_days: definition.early_days, gap_days: days });
        }
    }
    if let Some(gap_days) = shortest_gap_days(&compiled) {
        let band_days = definition.early_days + definition.late_days;
        if gap_days == u32::MAX {
            return Err(Error::Cron {
                field: "triggers".into(),
                problem: "the cron text never fires, or only once; check day and month".into(),
            });
        }
        if gap_days == 0 {
            return Err(invalid(
                "triggers",
                "a maintenance grid fires at most once a day; give one minute and one hour".into(),
            ));
        }
        if band_days >= gap_days {
            return Err(Error::BandTooWide { band_days, gap_days });
        }
    }
    Ok(compiled)
}

/// Reads the triggers of a definition that has been checked before.
///
/// # Errors
/// An unreadable cron text or duration, or an interval that is not above zero.
pub fn read_triggers(definition: &PlanDefinition) -> Result<Vec<CompiledTrigger>, Error> {
    let invalid = |field: &str, problem: String| Error::Invalid { field: field.into(), problem };
    let mut compiled = Vec::new();
    for trigger in &definition.triggers {
        compiled.push(match trigger {
            Trigger::CalendarFixed { cron } => CompiledTrigger::Fixed(
                Grid::parse(cron).map_err(|e| Error::Cron { field: "triggers".into(), problem: e.to_string() })?,
            ),
            Trigger::CalendarFloating { every } => CompiledTrigger::Floating(
                Period::parse(every)
                    .map_err(|e| Error::Duration { field: "triggers".into(), problem: e.to_string() })?,
            ),
            Trigger::Usage { meter, every, decimals, .. } => {
                if *every <= 0 {
                    return Err(invalid("triggers", format!("the usage interval on {meter} must be above zero")));
                }
                CompiledTrigger::Usage { meter: meter.clone(), every: *every, decimals: *decimals }
            }
            Trigger::Condition { condition } => {
                CompiledTrigger::Condition { condition: condition.clone(), key: condition_key(condition) }
            }
            Trigger::Firmware {} => CompiledTrigger::Firmware,
            Trigger::Event { event, within_days, inactive_days } => {
                if *within_days > MAX_DAYS {
                    return Err(invalid("triggers", format!("withinDays is {within_days}; give 0 to {MAX_DAYS} days")));
                }
                if inactive_days.is_some() && *event != TriggerEvent::AfterInactivity {
                    return Err(invalid(
                        "triggers",
                        "inactiveDays goes with AFTER_INACTIVITY only; leave it out".into(),
                    ));
                }
                let inactive_days = inactive_days.unwrap_or(INACTIVE_DAYS);
                if !(1..=MAX_DAYS).contains(&inactive_days) {
                    return Err(invalid("triggers", format!("inactiveDays is {inactive_days}; give 1 to {MAX_DAYS}")));
                }
                CompiledTrigger::Event { event: *event, within_days: *within_days, inactive_days }
            }
        });
    }
    Ok(compiled)
}
