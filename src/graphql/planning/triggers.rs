//! What makes a plan fall due, in and out; and the parts of the year in which its work may be done.

use crate::graphql::enums::{TriggerEvent, TriggerKind};
use crate::graphql::errors::{Failure, Outcome};
use crate::graphql::scalars::{CronExpression, Duration};
use crate::graphql::text::{LocalizedText, LocalizedTextInput};
use crate::kernel::code::Code;
use crate::planning::model::{self, MonthDay, Trigger as RoomTrigger};
use crate::planning::service::TriggerSpec;
use async_graphql::{InputObject, OneofObject, SimpleObject};

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

/// A number of days; what cannot be is left to the room, which refuses it by name.
fn days(given: i32) -> u32 {
    u32::try_from(given).unwrap_or(u32::MAX)
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
    /// Something that happens to a device.
    Event(EventTriggerInput),
}

impl From<TriggerInput> for TriggerSpec {
    fn from(trigger: TriggerInput) -> Self {
        match trigger {
            TriggerInput::CalendarFixed(t) => Self::CalendarFixed { cron: t.cron.0 },
            TriggerInput::CalendarFloating(t) => Self::CalendarFloating { every: t.every.0 },
            TriggerInput::Usage(t) => Self::Usage { meter: t.meter, every: t.every },
            TriggerInput::Event(t) => Self::Event {
                event: t.event.into(),
                within_days: t.within_days.map_or(0, days),
                inactive_days: t.inactive_days.map(days),
            },
        }
    }
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
            RoomTrigger::Event { event, within_days, inactive_days } => {
                trigger.event = Some((*event).into());
                trigger.within_days = Some(*within_days);
                trigger.inactive_days = *inactive_days;
            }
        }
        trigger
    }
}
