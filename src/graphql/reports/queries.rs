//! Queries of reports.

use super::inputs::ComplianceBandInput;
use super::types::FleetReport;
use crate::graphql::connection::FLEET_COST;
use crate::graphql::context::Cx;
use crate::graphql::enums::ReportDimension;
use crate::graphql::errors::bad_input;
use crate::graphql::registry::inputs::DeviceFilter;
use crate::graphql::scalars::query_instant;
use crate::reports::Error;
use crate::reports::model::{Band, Question};
use async_graphql::{Context, Object, Result};
use chrono::{DateTime, Utc};

/// Queries of reports.
#[derive(Default)]
pub struct ReportQuery;

#[Object]
impl ReportQuery {
    /// The figures of a period of at most ten years, as they are known now: what fell due and what
    /// became of it, failures, repairs and availability. Each share comes with its numerator and
    /// denominator, and its value is null, never 0, where it is undefined. The number of
    /// statements does not depend on the size of the fleet.
    #[graphql(complexity = "child_complexity.saturating_add(FLEET_COST)")]
    #[allow(clippy::too_many_arguments, reason = "each is an argument of the field")]
    async fn fleet_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first instant of the period.")] period_start: DateTime<Utc>,
        #[graphql(desc = "The first instant after the period; later than periodStart.")] period_end: DateTime<Utc>,
        #[graphql(desc = "What the figures are grouped by beside the total; no groups unless stated.")]
        group_by: Option<ReportDimension>,
        #[graphql(desc = "Which devices, as they are now; all unless stated. Work on sites themselves is left out \
                          where the filter says something that only devices have.")]
        filter: Option<DeviceFilter>,
        #[graphql(desc = "Which days around a due date count as on time; each order's own band unless stated.")]
        compliance_band: Option<ComplianceBandInput>,
    ) -> Result<FleetReport> {
        let cx = Cx::of(ctx);
        let ahead = ctx.look_ahead();
        let wants_forecast = ahead.field("total").field("forecastError").exists()
            || ahead.field("groups").field("figures").field("forecastError").exists()
            || ahead.field("byModelAndHorizon").exists();
        let question = Question {
            period_start: query_instant(period_start, "periodStart")?,
            period_end: query_instant(period_end, "periodEnd")?,
            group_by: group_by.map(Into::into),
            filter: filter.unwrap_or_default().read()?,
            band: compliance_band.map(ComplianceBandInput::read).transpose()?.unwrap_or(Band::Plan),
            wants_forecast,
        };
        let report = cx.services.reports.fleet_report(&cx.scope, question, cx.now).await;
        report.map(FleetReport::from).map_err(|error| match error {
            Error::Store(cause) => cx.fail(cause),
            refusal => bad_input(refusal.to_string()),
        })
    }
}
