//! Queries of visits.

use super::inputs::ServiceVisitFilter;
use super::types::{ServiceVisitConnection, visits_page};
use crate::graphql::connection::page_cost;
use async_graphql::{Context, Object, Result};

/// Queries of visits.
#[derive(Default)]
pub struct VisitQuery;

#[Object]
impl VisitQuery {
    /// Service visits, newest first.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn service_visits(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which visits; all unless stated.")] filter: Option<ServiceVisitFilter>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<ServiceVisitConnection> {
        visits_page(ctx, &filter.unwrap_or_default().read()?, first, after.as_deref()).await
    }
}
