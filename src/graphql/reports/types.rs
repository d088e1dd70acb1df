//! Types of reports. Their descriptions are the definitions of the figures.

use crate::graphql::catalogue::types::DeviceModel;
use crate::graphql::connection::row_cost;
use crate::graphql::context::Cx;
use crate::graphql::enums::{Language, ReportDimension};
use crate::graphql::load::load_known;
use crate::graphql::scalars::int;
use crate::reports::model::{self, Figures};
use crate::reports::rules::{self, CONFIDENCE};
use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// A sum over a sum, so that both can be checked.
#[derive(SimpleObject, Clone, Copy)]
pub struct Ratio {
    /// Above the line.
    pub numerator: f64,
    /// Below the line.
    pub denominator: f64,
    /// Numerator over denominator; null, never 0, where the denominator is 0.
    pub value: Option<f64>,
}

impl From<model::Ratio> for Ratio {
    fn from(r: model::Ratio) -> Self {
        Self { numerator: r.numerator, denominator: r.denominator, value: r.value() }
    }
}

fn count(n: u64) -> i32 {
    int(i64::try_from(n).unwrap_or(i64::MAX))
}

/// Mean time between failures, in hours.
#[derive(SimpleObject, Clone, Copy)]
pub struct Mtbf {
    /// Failures that count against devices and began in the period: those caused by the device or
    /// the site.
    pub failures: i32,
    /// Hours devices stood at a position in the period, added up.
    pub device_hours: f64,
    /// deviceHours over failures; null where nothing failed, since that proves no infinity.
    pub value: Option<f64>,
    /// The one-sided lower bound: with the stated confidence the true mean is not below
    /// 2 × deviceHours / χ²(confidence; 2 × failures + 2), in hours, for an observation that ends
    /// at a time. Defined without failures too; null without device hours.
    #[graphql(name = "lowerBound90")]
    pub lower_bound_90: Option<f64>,
    /// The confidence of the lower bound: 0.9.
    pub confidence: f64,
}

/// Failures that began in the period, by who caused them.
#[derive(SimpleObject, Clone, Copy)]
pub struct FailureCounts {
    /// All that were reported.
    pub reported: i32,
    /// Those that count against devices: caused by the device or by the site. What card, host or
    /// network caused, and what no fault was found of, does not count.
    pub counted: i32,
    /// Caused by the device.
    pub device: i32,
    /// Caused by the site: its power, people, air.
    pub site: i32,
    /// Caused by the network.
    pub network: i32,
    /// Caused by the acquirer's host.
    pub host: i32,
    /// Caused by the card.
    pub card: i32,
    /// No fault was found.
    pub none_found: i32,
}

/// How the days that usage forecasts told compare with those on which the counters got there. Of
/// the occurrences in `due` that usage made due and that have an order: the day told when the order
/// was issued against the civil day at the site on which the life counter reached the plan's limit,
/// as far as it has by now, and only where it had not when the day was told. The day told is the
/// forecast's middle day (P50), which neither the plan's dueQuantile nor a closed day shifts; the
/// due day, where the device file keeps no P50 of the issue because an earlier version wrote it.
#[derive(SimpleObject, Clone, Copy)]
pub struct ForecastError {
    /// Orders that can be compared.
    pub count: i32,
    /// Days between the two, whichever came first: their sum over count.
    pub mean_absolute_days: Ratio,
    /// Days between the two, whichever came first: the median, of an even count the mean of the
    /// middle two, for example 3.5. Null when there is nothing to compare.
    pub median_absolute_days: Option<f64>,
    /// Days between the two, whichever came first: nine in ten orders were off by so many days at
    /// most, for example 12. Null when there is nothing to compare.
    #[graphql(name = "p90AbsoluteDays")]
    pub p90_absolute_days: Option<f64>,
    /// Days from the day told to the day reached: their sum over count. Positive: the counters got
    /// there later than told, so that work came too early.
    pub mean_days: Ratio,
    /// Share of orders whose day told lies more than 7 days after the day reached: work planned by
    /// it came too late.
    #[graphql(name = "moreThan7DaysLate")]
    pub more_than_7_days_late: Ratio,
    /// Share of orders whose counter got there inside the band around the day told: as many days
    /// before and after it as the order's own band has, or those of complianceBand.
    pub within_band: Ratio,
    /// Share of orders whose counter got there from the early to the late day (P10 to P90) told when
    /// the order was issued, both included. The denominator counts only orders whose device file
    /// keeps both, so it may be smaller than count: earlier versions kept neither, and a late day
    /// beyond ten years was not told. About 0.8 is right: lower, and the intervals are
    /// too narrow; higher, and they are wider than they need be.
    pub interval_coverage: Ratio,
}

impl From<&model::ForecastErrors> for ForecastError {
    fn from(errors: &model::ForecastErrors) -> Self {
        Self {
            count: count(errors.count()),
            mean_absolute_days: errors.mean_absolute_days().into(),
            median_absolute_days: errors.median_absolute_days(),
            p90_absolute_days: errors.p90_absolute_days(),
            mean_days: errors.mean_days().into(),
            more_than_7_days_late: errors.told_late(rules::LATE_DAYS).into(),
            within_band: errors.within_band().into(),
            interval_coverage: errors.interval_coverage().into(),
        }
    }
}

/// Usage forecasts against what came, of the devices of one model and of days told about equally
/// far ahead.
#[derive(Clone)]
pub struct ForecastErrorGroup(Arc<model::ForecastGroup>);

/// Usage forecasts against what came, of the devices of one model and of days told about equally
/// far ahead. How far is the civil days from the issue of the order to the day told, in the bands 0
/// to 14, 15 to 30, 31 to 60, 61 to 120, and more than 120. Orders are issued their plan's lead time
/// before they are due, so that far bands need plans with a long one.
#[Object]
impl ForecastErrorGroup {
    /// The device model.
    async fn model(&self, ctx: &Context<'_>) -> Result<DeviceModel> {
        Ok(load_known(ctx, self.0.model, "device_model").await?.into())
    }
    /// The first day of the band, for example 15. Days told that had passed already when the order
    /// was issued are in the band that begins at 0.
    async fn from_days(&self) -> i32 {
        int(self.0.horizon.days().0)
    }
    /// The last day of the band, for example 30; null for the band of more than 120 days.
    async fn to_days(&self) -> Option<i32> {
        self.0.horizon.days().1.map(int)
    }
    /// Its figures, defined as those of the whole fleet.
    async fn forecast_error(&self) -> ForecastError {
        (&self.0.errors).into()
    }
}

/// The figures of the fleet or of a part of it.
#[derive(Clone)]
pub struct ReportFigures(Arc<Figures>, bool);

/// The figures of the fleet or of a part of it. An occurrence is counted once, by its nominal due
/// date (before closed days and postponements moved it), and as exactly one thing:
/// due = doneOnTime + doneEarly + doneLate + missed + skipped + waived + overdue + open.
#[Object]
impl ReportFigures {
    /// Occurrences of plans that fell due in the period: orders issued for an item, whatever became
    /// of them unless they were taken back; slots that were missed; occurrences that were skipped;
    /// and items without an order whose date has passed. Orders issued ahead count when their due
    /// date lies in the period, later forecasts do not.
    async fn due(&self) -> i32 {
        count(self.0.due)
    }
    /// Of `due`: completed inside the band, by the time the work was performed.
    async fn done_on_time(&self) -> i32 {
        count(self.0.done_on_time)
    }
    /// Of `due`: completed before the band. Only with complianceBand DAYS: work before a plan's own
    /// band closes no order.
    async fn done_early(&self) -> i32 {
        count(self.0.done_early)
    }
    /// Of `due`: completed after the band.
    async fn done_late(&self) -> i32 {
        count(self.0.done_late)
    }
    /// Of `due`: slots of a cron grid that passed without work until the next one opened.
    async fn missed(&self) -> i32 {
        count(self.0.missed)
    }
    /// Of `due`: skipped by a planner, or cancelled without being issued again, of plans that need
    /// no waiver.
    async fn skipped(&self) -> i32 {
        count(self.0.skipped)
    }
    /// Of `due`: skipped with an approver and a waiver, which is the only way to skip an occurrence
    /// of a compliance plan.
    async fn waived(&self) -> i32 {
        count(self.0.waived)
    }
    /// Of `due`: not done, and past the end of its band now.
    async fn overdue(&self) -> i32 {
        count(self.0.overdue)
    }
    /// Of `due`: not done, and its band is not over yet.
    async fn open(&self) -> i32 {
        count(self.0.open)
    }
    /// Work performed in the period that was counted for a plan and closed no order, because it came
    /// before the order's band or before there was one. No due date is known of it, so it is in no
    /// other figure.
    async fn done_without_order(&self) -> i32 {
        count(self.0.done_without_order)
    }
    /// Share of maintenance done on time: doneOnTime over the sum of doneOnTime, doneEarly, doneLate,
    /// missed, skipped and overdue. What is waived, and what still has time, is no part of it.
    async fn pm_compliance(&self) -> Ratio {
        self.0.compliance().into()
    }
    /// Usage forecasts against what came.
    async fn forecast_error(&self) -> ForecastError {
        (&self.0.forecast).into()
    }
    /// Failures that began in the period, each once however many visits told of it; null in groups
    /// by KIND, since a failure is of no kind of maintenance.
    async fn failures(&self) -> Option<FailureCounts> {
        let f = self.0.failures;
        self.if_of_devices(FailureCounts {
            reported: count(f.reported()),
            counted: count(f.counted()),
            device: count(f.device),
            site: count(f.site),
            network: count(f.network),
            host: count(f.host),
            card: count(f.card),
            none_found: count(f.none_found),
        })
    }
    /// Failures reported in which no fault was found; they count against no device. Null in groups
    /// by KIND.
    async fn no_fault_found_count(&self) -> Option<i32> {
        self.if_of_devices(count(self.0.failures.none_found))
    }
    /// Mean time between failures, in device hours. Null in groups by KIND.
    async fn mtbf_hours(&self) -> Option<Mtbf> {
        let failures = self.0.failures.counted();
        let found = rules::mtbf(self.0.device_hours(), failures);
        self.if_of_devices(Mtbf {
            failures: count(failures),
            device_hours: found.time,
            value: found.mean,
            lower_bound_90: found.lower_bound,
            confidence: CONFIDENCE,
        })
    }
    /// Mean time to restore, in hours: from failed-at to restored-at, added up, over the failures
    /// that count, began in the period and were restored. Null in groups by KIND.
    async fn mttr_hours(&self) -> Option<Ratio> {
        self.if_of_devices(self.0.mean_time_to_restore().into())
    }
    /// Availability in required time: 1 − downtime / required time, as hours up over hours required.
    /// Required is the time in the period, and not after now, that devices stood at a position,
    /// whatever the opening hours. Down is the part of it from a failure that counts until it was
    /// restored, which another report of the same failure mode may say, or else until the device left
    /// the position; failures at one time are down once. Null in groups by KIND.
    async fn availability(&self) -> Option<Ratio> {
        self.if_of_devices(self.0.availability().into())
    }
    /// First-time fix: repairs that needed one visit over all repairs of the period. A repair is a
    /// CORRECTIVE order completed in it, fixed first when no earlier line for it ended PARTLY_DONE,
    /// REFUSED or DEVICE_NOT_FOUND and no step failed that opened another order; or a fault reported
    /// on a visit line without such an order, fixed first when that line is DONE, says restoredAt,
    /// opened no order, and no line told of the failure before. Trips to a closed door are apart, and
    /// so is what no fault was found of. Null in groups by KIND.
    async fn first_time_fix(&self) -> Option<Ratio> {
        self.if_of_devices(self.0.first_time_fix().into())
    }
    /// Trips to a CORRECTIVE order in the period that ended NO_ACCESS or SITE_CLOSED, one for each
    /// order on a trip. Null in groups by KIND.
    async fn no_access_visits(&self) -> Option<i32> {
        self.if_of_devices(count(self.0.no_access))
    }
}

impl ReportFigures {
    /// A figure that groups by kind of maintenance do not have.
    fn if_of_devices<T>(&self, figure: T) -> Option<T> {
        self.1.then_some(figure)
    }
}

/// The figures of a part of the fleet.
#[derive(Clone)]
pub struct ReportGroup(Arc<model::Group>, ReportFigures);

/// The figures of a part of the fleet.
#[Object]
impl ReportGroup {
    /// What the group is of: the global id of a model or site, a region code, a kind of maintenance,
    /// or a month such as 2026-05; empty for what has none.
    async fn key(&self) -> &str {
        &self.0.key
    }
    /// The key as people read it.
    async fn label(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The request's language unless stated.")] language: Option<Language>,
    ) -> String {
        self.0.label.get(language.map_or(Cx::of(ctx).language, Into::into)).to_owned()
    }
    /// Its figures.
    async fn figures(&self) -> ReportFigures {
        self.1.clone()
    }
}

/// The figures of a period.
pub struct FleetReport {
    report: model::FleetReport,
    total: ReportFigures,
    groups: Vec<ReportGroup>,
    forecasts: Vec<ForecastErrorGroup>,
}

impl From<model::FleetReport> for FleetReport {
    fn from(mut report: model::FleetReport) -> Self {
        let is_of_devices = report.group_by != Some(model::Dimension::Kind);
        let groups = std::mem::take(&mut report.groups)
            .into_iter()
            .map(|group| {
                let figures = ReportFigures(Arc::new(group.figures.clone()), is_of_devices);
                ReportGroup(Arc::new(group), figures)
            })
            .collect();
        let total = ReportFigures(Arc::new(report.total.clone()), true);
        let forecasts =
            std::mem::take(&mut report.forecasts).into_iter().map(|g| ForecastErrorGroup(Arc::new(g))).collect();
        Self { report, total, groups, forecasts }
    }
}

/// The figures of a period, as they are known now.
#[Object]
impl FleetReport {
    /// The first instant of the period.
    async fn period_start(&self) -> DateTime<Utc> {
        self.report.period_start
    }
    /// The first instant after the period.
    async fn period_end(&self) -> DateTime<Utc> {
        self.report.period_end
    }
    /// What the groups are of; null when the figures are not grouped.
    async fn group_by(&self) -> Option<ReportDimension> {
        self.report.group_by.map(Into::into)
    }
    /// The figures of all devices and sites that were asked for.
    async fn total(&self) -> ReportFigures {
        self.total.clone()
    }
    /// The figures of each group, by key, at most 1,000; they add up to the total. Empty when the
    /// figures are not grouped.
    #[graphql(complexity = "row_cost(100, child_complexity)")]
    async fn groups(&self) -> Vec<ReportGroup> {
        self.groups.clone()
    }
    /// How many groups there are, those beyond the first 1,000 too.
    async fn group_count(&self) -> i32 {
        count(self.report.group_count as u64)
    }
    /// The forecast errors of the total by device model and by how far ahead the days were told: "are
    /// our dates for this model wrong, and only far ahead?" By model and band, at most 1,000, which
    /// are the bands of 200 models; of more, those with the most orders. Bands without an order to
    /// compare are left out; uncut, the counts add up to that of the total.
    #[graphql(complexity = "row_cost(50, child_complexity)")]
    async fn by_model_and_horizon(&self) -> Vec<ForecastErrorGroup> {
        self.forecasts.clone()
    }
}
