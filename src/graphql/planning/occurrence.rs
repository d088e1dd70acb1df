//! Later occurrences of an item, and how far ahead can be asked for.

use crate::graphql::context::Cx;
use crate::graphql::enums::TriggerKind;
use crate::graphql::errors::bad_input;
use crate::graphql::scalars::query_instant;
use crate::planning::model;
use crate::planning::rules::HORIZON_DAYS;
use async_graphql::{Result, SimpleObject};
use chrono::{DateTime, TimeDelta, Utc};

/// One time that an item's work is due.
#[derive(SimpleObject, Clone)]
pub struct Occurrence {
    /// When; for usage and floating dates the start of that civil day at the site.
    pub due_at: DateTime<Utc>,
    /// Begin of its band: work from here to windowEnd counts as on time.
    pub window_start: DateTime<Utc>,
    /// End of its band, its last instant.
    pub window_end: DateTime<Utc>,
    /// The trigger that gives the date.
    pub trigger: TriggerKind,
    /// True: it assumes that the occurrence before is done on the day it is due, and that the device
    /// goes on being used at its mean rate.
    pub is_projected: bool,
}

impl From<model::Occurrence> for Occurrence {
    fn from(o: model::Occurrence) -> Self {
        Self {
            due_at: o.due_at,
            window_start: o.window_start,
            window_end: o.window_end,
            trigger: o.trigger.into(),
            is_projected: o.is_projected,
        }
    }
}

/// How far ahead can be asked for.
///
/// # Errors
/// BAD_USER_INPUT: more than two years from now.
pub fn within_horizon(cx: &Cx, before: DateTime<Utc>, name: &str) -> Result<DateTime<Utc>> {
    let before = query_instant(before, name)?;
    if before > cx.now + TimeDelta::days(HORIZON_DAYS) {
        return Err(bad_input(format!("{name} is more than two years ahead; ask for less")));
    }
    Ok(before)
}
