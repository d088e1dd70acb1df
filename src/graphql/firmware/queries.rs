//! Queries of firmware.

use super::inputs::FirmwareReleaseFilter;
use super::types::{FirmwareReleaseConnection, FirmwareTargetSetting, releases_page};
use crate::graphql::connection::{page_cost, row_cost};
use crate::graphql::context::Cx;
use crate::graphql::prefetch::{self, Ahead, fetch};
use crate::graphql::scalars::query_id;
use crate::kernel::ids::DeviceModelId;
use async_graphql::{Context, ID, Object, Result};

/// Targets of one model that are shown.
const MAX_TARGETS: usize = 1_000;

/// Queries of firmware.
#[derive(Default)]
pub struct FirmwareQuery;

#[Object]
impl FirmwareQuery {
    /// Firmware releases, the one published last first.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn firmware_releases(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which releases; all unless stated.")] filter: Option<FirmwareReleaseFilter>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<FirmwareReleaseConnection> {
        releases_page(ctx, &filter.unwrap_or_default().read()?, first, after.as_deref()).await
    }

    /// What the devices of a model are to run, for all of them and for parts; the one set last first,
    /// at most 1,000.
    #[graphql(complexity = "row_cost(10, child_complexity)")]
    async fn firmware_targets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The model.")] model_id: ID,
    ) -> Result<Vec<FirmwareTargetSetting>> {
        let cx = Cx::of(ctx);
        let model = query_id(&model_id, DeviceModelId::parse_global)?;
        let mut rows = cx.services.firmware.targets_of_model(&cx.scope, model).await.map_err(|e| cx.fail(e))?;
        rows.truncate(MAX_TARGETS);
        let ahead = Ahead::here(ctx);
        if ahead.asks(&["release"]) {
            let found = fetch(cx, rows.iter().map(|t| t.release_id).collect()).await?;
            prefetch::releases(cx, &found, &ahead.at("release")).await?;
        }
        if ahead.asks(&["model"]) {
            fetch(cx, rows.iter().map(|t| t.model_id).collect()).await?;
        }
        Ok(rows.into_iter().map(Into::into).collect())
    }
}
