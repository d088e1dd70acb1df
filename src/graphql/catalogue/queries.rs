//! Queries of the catalogue.

use super::types::{DeviceModelConnection, Meter, models_page};
use crate::graphql::connection::{page_cost, row_cost};
use crate::graphql::load::load;
use crate::graphql::loaders::AllMeters;
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
}
