//! Looking ahead, in GraphQL: later occurrences, load, and previews of plans.

use super::forms::{new_plan, plan_update};
use super::inputs::{CreateMaintenancePlanInput, UpcomingMaintenanceFilter, UpdateMaintenancePlanInput};
use super::occurrence::within_horizon;
use super::types::{MaintenanceItem, MaintenanceSubject, subject};
use crate::graphql::connection::row_cost;
use crate::graphql::context::Cx;
use crate::graphql::enums::{ExecutionChannel, LoadDimension, MaintenanceKind};
use crate::graphql::errors::{Failure, Outcome, UserError, bad_input};
use crate::graphql::load::load_opt;
use crate::graphql::registry::types::Technician;
use crate::graphql::scalars::{Date, query_instant_opt};
use crate::kernel::code::Code;
use crate::kernel::ids::{ItemId, TechnicianId};
use crate::kernel::subject::Subject;
use crate::planning::foresight as room;
use crate::planning::service::Proposal;
use async_graphql::{ComplexObject, Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};

/// Work of a group.
#[derive(SimpleObject, Clone)]
pub struct LoadFigures {
    /// Occurrences whose date (its middle, for forecasts) lies in the group; what is overdue counts in
    /// the present week.
    pub item_count: i32,
    /// Of them those that larger work does too; they bring no hours and no visit.
    pub covered_count: i32,
    /// Sites with work of channel FIELD, each once a week however many devices it has there.
    pub visit_count: i32,
    /// Hours of work, P50: not exceeded in one of two cases.
    pub hours_p50: f64,
    /// Hours of work, P90: not exceeded in nine of ten cases. Forecast dates can fall into this week or
    /// another.
    pub hours_p90: f64,
    /// Weekly hours of the technicians who work in the group's region, times its weeks; null for
    /// channels other than FIELD, and where no technician states weekly hours.
    pub capacity_hours: Option<f64>,
}

fn count(n: u64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

impl From<&room::LoadFigures> for LoadFigures {
    fn from(f: &room::LoadFigures) -> Self {
        Self {
            item_count: count(f.items),
            covered_count: count(f.covered),
            visit_count: count(f.visits),
            hours_p50: f.hours_p50,
            hours_p90: f.hours_p90,
            capacity_hours: f.capacity_hours,
        }
    }
}

/// Work with something in common.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub struct LoadGroup {
    /// Monday of the week, on the sites' calendars; null unless grouped by WEEK.
    pub week: Option<Date>,
    /// Region code of the sites; null unless grouped by REGION, and for sites without one.
    pub region_code: Option<String>,
    /// The kind of maintenance; null unless grouped by KIND.
    pub kind: Option<MaintenanceKind>,
    /// Who does it, and where; null unless grouped by CHANNEL.
    pub channel: Option<ExecutionChannel>,
    /// The work.
    pub figures: LoadFigures,
    #[graphql(skip)]
    technician: Option<TechnicianId>,
}

#[ComplexObject]
impl LoadGroup {
    /// Whom the orders are given to; null unless grouped by TECHNICIAN, and for what nobody has yet.
    async fn technician(&self, ctx: &Context<'_>) -> Result<Option<Technician>> {
        Ok(load_opt(ctx, self.technician).await?.map(Into::into))
    }
}

/// The work that lies ahead, with the occurrences after the next one as they are projected.
#[derive(SimpleObject, Clone)]
pub struct MaintenanceLoad {
    /// All of it.
    pub total: LoadFigures,
    /// By what it was grouped, in order; at most 5,000.
    #[graphql(complexity = "row_cost(50, child_complexity)")]
    pub groups: Vec<LoadGroup>,
    /// False when there was more than one answer looks at; ask for less.
    pub is_complete: bool,
}

/// Groups of one answer at most.
const MAX_GROUPS: usize = 5_000;

impl From<room::Load> for MaintenanceLoad {
    fn from(load: room::Load) -> Self {
        let is_complete = load.is_complete && load.groups.len() <= MAX_GROUPS;
        let group = |(key, figures): &(room::LoadKey, room::LoadFigures)| LoadGroup {
            week: key.week.map(Date),
            region_code: key.region.clone(),
            kind: key.kind.map(Into::into),
            channel: key.channel.map(Into::into),
            figures: figures.into(),
            technician: key.technician,
        };
        let groups = load.groups.iter().take(MAX_GROUPS).map(group).collect();
        Self { total: (&load.total).into(), groups, is_complete }
    }
}

/// A plan to look at before it acts; give either create or update.
#[derive(InputObject)]
pub struct PreviewMaintenancePlanInput {
    /// A new plan.
    pub create: Option<CreateMaintenancePlanInput>,
    /// A change of a plan.
    pub update: Option<UpdateMaintenancePlanInput>,
    /// Weeks to show, 1 to 53; 13 unless stated.
    pub weeks: Option<i32>,
}

/// One item whose date would move.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub struct PreviewMove {
    /// Its date as it is; null when it has none.
    pub due_before: Option<DateTime<Utc>>,
    /// Its date as it would be; null when it would have none.
    pub due_after: Option<DateTime<Utc>>,
    #[graphql(skip)]
    item: Option<ItemId>,
    #[graphql(skip)]
    of: Subject,
}

#[ComplexObject]
impl PreviewMove {
    /// The item; null when it would be new.
    async fn item(&self, ctx: &Context<'_>) -> Result<Option<MaintenanceItem>> {
        Ok(load_opt(ctx, self.item).await?.map(Into::into))
    }
    /// Device or site.
    async fn subject(&self, ctx: &Context<'_>) -> Result<MaintenanceSubject> {
        subject(ctx, self.of).await
    }
}

/// Hours and visits of one week, of all plans together.
#[derive(SimpleObject, Clone)]
pub struct PreviewWeek {
    /// Its Monday.
    pub week: Date,
    /// Hours of work as it is, P50.
    pub hours_before: f64,
    /// Hours of work as it would be, P50.
    pub hours_after: f64,
    /// Sites with field work as it is, each once.
    pub visits_before: i32,
    /// Sites with field work as it would be, each once.
    pub visits_after: i32,
}

/// What a plan would do; nothing of it has been done.
#[derive(SimpleObject, Clone, Default)]
pub struct MaintenancePlanPreview {
    /// Devices or sites looked at.
    pub subject_count: i32,
    /// False when there are more than 20,000; the figures are then of the first 20,000 alone.
    pub is_complete: bool,
    /// Items the plan would touch: those added, removed and moved.
    pub items_touched: i32,
    /// Items that would be new.
    pub items_added: i32,
    /// Items that would end.
    pub items_removed: i32,
    /// Items due earlier than they are, by a civil day at least.
    pub dates_earlier: i32,
    /// Items due later.
    pub dates_later: i32,
    /// Items whose day stays.
    pub dates_unchanged: i32,
    /// Orders that would be issued at once.
    pub orders_issued: i32,
    /// Orders that would be withdrawn at once.
    pub orders_withdrawn: i32,
    /// Items of any plan that larger work would do too, and does not today.
    pub newly_covered: i32,
    /// The first 50 items touched, by their new date.
    #[graphql(complexity = "row_cost(50, child_complexity)")]
    pub moves: Vec<PreviewMove>,
    /// The weeks ahead, this one first.
    #[graphql(complexity = "row_cost(13, child_complexity)")]
    pub weeks: Vec<PreviewWeek>,
    /// Why the plan would be refused; empty when it would not.
    pub user_errors: Vec<UserError>,
}

impl From<room::Preview> for MaintenancePlanPreview {
    fn from(p: room::Preview) -> Self {
        Self {
            subject_count: count(p.subjects),
            is_complete: p.is_complete,
            items_touched: count(p.added + p.removed + p.earlier + p.later),
            items_added: count(p.added),
            items_removed: count(p.removed),
            dates_earlier: count(p.earlier),
            dates_later: count(p.later),
            dates_unchanged: count(p.unchanged),
            orders_issued: count(p.orders_issued),
            orders_withdrawn: count(p.orders_withdrawn),
            newly_covered: count(p.newly_covered),
            moves: p
                .moves
                .into_iter()
                .map(|m| PreviewMove { due_before: m.from, due_after: m.to, item: m.item_id, of: m.subject })
                .collect(),
            weeks: p
                .weeks
                .into_iter()
                .map(|w| PreviewWeek {
                    week: Date(w.week),
                    hours_before: w.hours_before,
                    hours_after: w.hours_after,
                    visits_before: count(w.visits_before),
                    visits_after: count(w.visits_after),
                })
                .collect(),
            user_errors: vec![],
        }
    }
}

/// What a look over the whole fleet costs, beside what is asked of it.
const LOOK_COST: usize = 10_000;

/// Queries that look ahead.
#[derive(Default)]
pub struct ForesightQuery;

#[Object]
impl ForesightQuery {
    /// What a new or changed plan would do, before it does it: items touched, dates moved, hours and
    /// visits week by week. Refuses what making or changing the plan would refuse.
    #[graphql(complexity = "LOOK_COST + child_complexity")]
    async fn preview_maintenance_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The plan as it would be.")] input: PreviewMaintenancePlanInput,
    ) -> Result<MaintenancePlanPreview> {
        let cx = Cx::of(ctx);
        let weeks = match u32::try_from(input.weeks.unwrap_or(13)) {
            Ok(weeks @ 1..=53) => weeks,
            _ => return Err(bad_input("weeks must be 1 to 53")),
        };
        let outcome: Outcome<room::Preview> = async {
            let proposal = match (input.create, input.update) {
                (Some(create), None) => Proposal::New(new_plan(create)?),
                (None, Some(update)) => Proposal::Change(plan_update(ctx, update).await?),
                _ => return Err(Failure::user(Code::Required, "give either create or update", &["input", "create"])),
            };
            Ok(cx.services.planning.preview_plan(&cx.scope, proposal, weeks, cx.now).await?)
        }
        .await;
        match outcome {
            Ok(preview) => Ok(preview.into()),
            Err(Failure::User(e)) => Ok(MaintenancePlanPreview { user_errors: vec![e], ..Default::default() }),
            Err(Failure::Internal(e)) => Err(e),
        }
    }

    /// The work that falls due in a time, as items, visits and hours, against the technicians' weekly
    /// hours; later occurrences are projected.
    #[graphql(complexity = "LOOK_COST + child_complexity")]
    async fn maintenance_load(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Due at or after; everything overdue too unless stated.")] due_from: Option<DateTime<Utc>>,
        #[graphql(desc = "Due before; at most two years ahead.")] due_before: DateTime<Utc>,
        #[graphql(desc = "Which work; all unless stated.")] filter: Option<UpcomingMaintenanceFilter>,
        #[graphql(desc = "What groups have in common, at most one of each.")] group_by: Vec<LoadDimension>,
    ) -> Result<MaintenanceLoad> {
        let cx = Cx::of(ctx);
        let from = query_instant_opt(due_from, "dueFrom")?;
        let before = within_horizon(cx, due_before, "dueBefore")?;
        if group_by.iter().enumerate().any(|(place, d)| group_by[..place].contains(d)) {
            return Err(bad_input("groupBy names a dimension twice; give each at most once"));
        }
        let dimensions: Vec<room::LoadDimension> = group_by.into_iter().map(Into::into).collect();
        let filter = filter.unwrap_or_default().read()?;
        let load = cx.services.planning.load_ahead(&cx.scope, &filter, from, before, &dimensions, cx.now).await;
        Ok(load.map_err(|e| cx.fail(e))?.into())
    }
}
