//! Queries of planning.

use super::inputs::{MaintenancePlanFilter, UpcomingMaintenanceFilter, WorkOrderFilter, WorkOrderOrder};
use super::types::*;
use crate::graphql::connection::page_cost;
use crate::graphql::context::Cx;
use crate::graphql::errors::bad_input;
use crate::graphql::load::load;
use crate::graphql::prefetch::{self, Ahead};
use crate::graphql::scalars::{MAX_NUMBER, query_codes, query_id, query_instant, query_instant_opt, query_text};
use crate::kernel::ids::WorkOrderId;
use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Queries of planning.
#[derive(Default)]
pub struct PlanningQuery;

#[Object]
impl PlanningQuery {
    /// Maintenance plans, by code.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn maintenance_plans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which plans; all unless stated.")] filter: Option<MaintenancePlanFilter>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<MaintenancePlanConnection> {
        let filter = filter.unwrap_or_default();
        plans_page(ctx, query_codes(filter.kinds, "kinds")?, filter.is_active, first, after.as_deref()).await
    }

    /// What falls due, by due date, where, and why: at most one row per item (its open order, else
    /// its next due), and the orders without an item. A row whose date moves between two pages may
    /// come twice or be missed.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    #[allow(clippy::too_many_arguments, reason = "each is an argument of the field")]
    async fn upcoming_maintenance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Due at or after; everything overdue too unless stated.")] due_from: Option<DateTime<Utc>>,
        #[graphql(desc = "Due before.")] due_before: DateTime<Utc>,
        #[graphql(desc = "Which rows; all unless stated.")] filter: Option<UpcomingMaintenanceFilter>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<UpcomingMaintenanceConnection> {
        let range =
            DueRange { from: query_instant_opt(due_from, "dueFrom")?, before: query_instant(due_before, "dueBefore")? };
        upcoming_page(ctx, range, filter.unwrap_or_default(), first, after.as_deref()).await
    }

    /// One work order, by id or by number; null when there is none.
    async fn work_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque global id.")] id: Option<ID>,
        #[graphql(desc = "What people see, for example WO-2026-000123.")] number: Option<String>,
    ) -> Result<Option<WorkOrder>> {
        let cx = Cx::of(ctx);
        let order = match (id, number) {
            (Some(id), None) => load(ctx, query_id(&id, WorkOrderId::parse_global)?).await?,
            (None, Some(number)) => {
                let number = query_text(number, "number", MAX_NUMBER)?;
                let found = cx.services.planning.order_by_number(&cx.scope, number.trim()).await;
                found.map_err(|e| cx.fail(e))?.map(Arc::new)
            }
            _ => return Err(bad_input("give either id or number")),
        };
        let Some(order) = order else { return Ok(None) };
        prefetch::orders(cx, std::slice::from_ref(&order), &Ahead::here(ctx)).await?;
        Ok(Some(order.into()))
    }

    /// Work orders, by due date unless stated.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn work_orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which orders; all unless stated.")] filter: Option<WorkOrderFilter>,
        #[graphql(desc = "By what; by due date, earliest first, unless stated.")] order_by: Option<WorkOrderOrder>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<WorkOrderConnection> {
        let filter = filter.unwrap_or_default();
        orders_page(ctx, filter, order_by.unwrap_or_default(), first, after.as_deref()).await
    }
}
