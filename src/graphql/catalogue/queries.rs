//! Queries of the catalogue.

use super::failures::{FailureCause, FailureCode, FailureRemedy};
use super::freezes::FreezePeriod;
use super::types::{DeviceModelConnection, Meter, models_page};
use crate::graphql::connection::{page_cost, row_cost};
use crate::graphql::context::Cx;
use crate::graphql::enums::ComponentKind;
use crate::graphql::load::load;
use crate::graphql::loaders::{AllFailures, AllMeters};
use async_graphql::{Context, Object, Result};

/// Queries of the catalogue.
#[derive(Default)]
pub struct CatalogueQuery;

#[Object]
impl CatalogueQuery {
    /// Device models, by maker and name.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn device_models(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<DeviceModelConnection> {
        models_page(ctx, first, after.as_deref()).await
    }

    /// Every meter of the organization, by code; there are at most a few hundred.
    #[graphql(complexity = "row_cost(20, child_complexity)")]
    async fn meters(&self, ctx: &Context<'_>) -> Result<Vec<Meter>> {
        let meters = load(ctx, AllMeters).await?.unwrap_or_default();
        Ok(meters.iter().map(Into::into).collect())
    }

    /// The closed list of failure modes, by code; there are at most a few dozen.
    #[graphql(complexity = "row_cost(40, child_complexity)")]
    async fn failure_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those of a part; all unless stated.")] component: Option<ComponentKind>,
    ) -> Result<Vec<FailureCode>> {
        let lists = load(ctx, AllFailures).await?.unwrap_or_default();
        Ok(FailureCode::all(&lists, component.map(Into::into)))
    }

    /// The closed list of causes of failures, by code; there are at most a few dozen.
    #[graphql(complexity = "row_cost(60, child_complexity)")]
    async fn failure_causes(&self, ctx: &Context<'_>) -> Result<Vec<FailureCause>> {
        let lists = load(ctx, AllFailures).await?.unwrap_or_default();
        Ok(lists.causes.iter().map(Into::into).collect())
    }

    /// The closed list of remedies for failures, by code; there are at most a few dozen.
    #[graphql(complexity = "row_cost(60, child_complexity)")]
    async fn failure_remedies(&self, ctx: &Context<'_>) -> Result<Vec<FailureRemedy>> {
        let lists = load(ctx, AllFailures).await?.unwrap_or_default();
        Ok(lists.remedies.iter().map(Into::into).collect())
    }

    /// Every freeze period, past ones too, by first day and code; there are at most 500.
    #[graphql(complexity = "row_cost(20, child_complexity)")]
    async fn freeze_periods(&self, ctx: &Context<'_>) -> Result<Vec<FreezePeriod>> {
        let cx = Cx::of(ctx);
        let periods = cx.services.catalogue.freeze_periods(&cx.scope).await.map_err(|e| cx.fail(e))?;
        Ok(periods.into_iter().map(Into::into).collect())
    }
}
