//! Plans as callers state them, in the form the room has them.

use super::inputs::{CreateMaintenancePlanInput, UpdateMaintenancePlanInput, whole};
use super::steps::steps;
use super::triggers::{blackouts, season, triggers};
use crate::graphql::connection::{input_id, input_ids};
use crate::graphql::errors::Outcome;
use crate::graphql::load::load;
use crate::graphql::registry::mutations::version;
use crate::kernel::ids::PlanId;
use crate::planning::model;
use crate::planning::service::{NewPlan, PlanUpdate};
use async_graphql::Context;

/// A change of a plan as the room has it.
///
/// # Errors
/// What cannot be read.
pub async fn plan_update(ctx: &Context<'_>, input: UpdateMaintenancePlanInput) -> Outcome<PlanUpdate> {
    let plan_id = input_id(&input.plan_id, "planId", PlanId::parse_global)?;
    Ok(match load(ctx, plan_id).await? {
        // An unknown plan is the room's refusal.
        None => PlanUpdate { plan_id, expected_version: None, definition: None, triggers: None, is_active: None },
        // What the caller leaves out stays as it is in this version, so it must still be this one
        // when the change is written.
        Some(known) => PlanUpdate {
            plan_id,
            expected_version: version(input.expected_version).or(Some(known.version)),
            is_active: input.is_active,
            triggers: input.triggers.clone().map(triggers).transpose()?,
            definition: Some(changed_definition(known.definition.clone(), input)?),
        },
    })
}

/// A new plan as the room has it.
///
/// # Errors
/// What cannot be read.
pub fn new_plan(input: CreateMaintenancePlanInput) -> Outcome<NewPlan> {
    let definition = model::PlanDefinition {
        name: input.name.into(),
        kind: input.kind.into(),
        subject: input.subject.into(),
        channel: input.channel.into(),
        selector: input.selector.read()?,
        triggers: vec![],
        early_days: whole(input.early_days, "earlyDays")?,
        late_days: whole(input.late_days, "lateDays")?,
        lead_days: whole(input.lead_days, "leadDays")?,
        estimated_minutes: whole(input.estimated_minutes, "estimatedMinutes")?,
        priority: input.priority.into(),
        steps: steps(input.steps.unwrap_or_default())?,
        due_quantile: input.due_quantile.map_or(model::DueQuantile::P50, Into::into),
        is_compliance: input.is_compliance.unwrap_or(false),
        covers: input_ids(&input.covers.unwrap_or_default(), "covers", PlanId::parse_global)?,
        season: input.season.as_ref().map(season).transpose()?,
        blackouts: blackouts(input.blackouts.unwrap_or_default())?,
        grid_since: None,
        source: None,
    };
    let triggers = triggers(input.triggers)?;
    Ok(NewPlan { code: input.code, definition, triggers })
}

/// A definition with what the input changes; triggers are the service's.
fn changed_definition(
    mut d: model::PlanDefinition,
    input: UpdateMaintenancePlanInput,
) -> Outcome<model::PlanDefinition> {
    if let Some(name) = input.name {
        d.name = name.into();
    }
    if let Some(kind) = input.kind {
        d.kind = kind.into();
    }
    if let Some(channel) = input.channel {
        d.channel = channel.into();
    }
    if let Some(selector) = input.selector {
        d.selector = selector.read()?;
    }
    if let Some(days) = input.early_days {
        d.early_days = whole(days, "earlyDays")?;
    }
    if let Some(days) = input.late_days {
        d.late_days = whole(days, "lateDays")?;
    }
    if let Some(days) = input.lead_days {
        d.lead_days = whole(days, "leadDays")?;
    }
    if let Some(minutes) = input.estimated_minutes {
        d.estimated_minutes = whole(minutes, "estimatedMinutes")?;
    }
    if let Some(priority) = input.priority {
        d.priority = priority.into();
    }
    if let Some(list) = input.steps {
        d.steps = steps(list)?;
    }
    if let Some(covers) = input.covers {
        d.covers = input_ids(&covers, "covers", PlanId::parse_global)?;
    }
    if input.clear_season == Some(true) {
        d.season = None;
    }
    if let Some(given) = input.season {
        d.season = Some(season(&given)?);
    }
    if let Some(given) = input.blackouts {
        d.blackouts = blackouts(given)?;
    }
    if let Some(quantile) = input.due_quantile {
        d.due_quantile = quantile.into();
    }
    if let Some(is_compliance) = input.is_compliance {
        d.is_compliance = is_compliance;
    }
    Ok(d)
}
