//! Types of usage.

use crate::catalogue::model as catalogue;
use crate::graphql::context::Cx;
use crate::graphql::enums::*;
use crate::graphql::load::load;
use crate::graphql::loaders::{AllMeters, HoursOf, MetersOf, PatternOf, TrendOf};
use crate::graphql::scalars::Date;
use crate::graphql::text::LocalizedText;
use crate::kernel::ids::{DeviceId, DeviceModelId};
use crate::usage::model;
use async_graphql::{ComplexObject, Context, Result, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};

/// A meter of a device, as last read; values in the meter's unit.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub struct DeviceMeter {
    /// Meter code, for example `TRANSACTIONS`.
    pub code: String,
    /// Name.
    pub name: LocalizedText,
    /// COUNTER or GAUGE.
    pub kind: MeterKind,
    /// Unit of the values.
    pub unit: String,
    /// Last value that counted.
    pub latest_value: f64,
    /// Device time of it.
    pub latest_at: DateTime<Utc>,
    /// Usage added up across resets, rollovers and swaps; never goes down.
    pub life_counter: f64,
    /// Units the part is rated for; null when not known.
    pub rated_life: Option<f64>,
    /// Whether the rating is an assumption; null without a rating.
    pub rated_life_basis: Option<Basis>,
    /// Share of the rated life that is used, 1 = all; null without a rating.
    pub rated_life_used: Option<f64>,
    /// Hours since the last reading that counted.
    pub data_age_hours: f64,
    #[graphql(skip)]
    device: DeviceId,
}

/// The civil days at the site on which a gauge is forecast to reach a limit; today once it has.
#[derive(SimpleObject, Clone)]
pub struct LimitForecast {
    /// Early: one in ten gets there sooner; null beyond ten years.
    pub p10: Option<Date>,
    /// Middle; null beyond ten years.
    pub p50: Option<Date>,
    /// Late: one in ten takes longer; null beyond ten years.
    pub p90: Option<Date>,
    /// Units a day of the trend of the last four weeks, in the meter's unit; negative while it falls.
    pub per_day: f64,
}

#[ComplexObject]
impl DeviceMeter {
    /// When this gauge reaches a limit, by its trend of the last four weeks: free storage that runs out,
    /// a battery that ages. Null for counters, with readings on fewer than five of those days, and
    /// while the trend does not lead there.
    #[graphql(complexity = "20 + child_complexity")]
    async fn limit_forecast(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The limit, in the meter's unit.")] limit: f64,
        #[graphql(desc = "Reached from below, as a temperature is; otherwise from above, as free storage.", default)]
        is_rising: bool,
    ) -> Result<Option<LimitForecast>> {
        let key = TrendOf { device: self.device, meter: self.code.clone() };
        let Some((trend, today, passed)) = load(ctx, key).await?.flatten() else { return Ok(None) };
        if trend.days_to(limit, is_rising).is_none() {
            return Ok(None);
        }
        let found = trend.passage(today, passed, limit, is_rising);
        let day = |date: Option<NaiveDate>| date.map(Date);
        let (p10, p50, p90) = (day(found.p10), day(found.p50), day(found.p90));
        Ok(Some(LimitForecast { p10, p50, p90, per_day: trend.per_day }))
    }
}

impl DeviceMeter {
    fn new(
        state: &model::MeterState,
        meter: &catalogue::Meter,
        spec: Option<&catalogue::ModelMeter>,
        now: DateTime<Utc>,
    ) -> Self {
        let rated = spec.and_then(|s| s.rated_life);
        Self {
            device: state.device_id,
            code: meter.code.clone(),
            name: (&meter.name).into(),
            kind: meter.kind.into(),
            unit: meter.unit.clone(),
            latest_value: meter.to_value(state.latest_value),
            latest_at: state.latest_at,
            life_counter: meter.to_value(state.life),
            rated_life: rated.map(|l| meter.to_value(l)),
            rated_life_basis: spec.and_then(|s| s.rated_life_basis).map(Into::into),
            rated_life_used: rated.filter(|l| *l > 0).map(|l| state.life as f64 / l as f64),
            data_age_hours: ((now - state.latest_at).num_minutes() as f64 / 60.0).max(0.0),
        }
    }
}

/// Meters of a device that were ever read, at most 50.
pub async fn device_meters(ctx: &Context<'_>, device: DeviceId, model: DeviceModelId) -> Result<Vec<DeviceMeter>> {
    let now = Cx::of(ctx).now;
    let states = load(ctx, MetersOf(device)).await?.unwrap_or_default();
    let meters = load(ctx, AllMeters).await?.unwrap_or_default();
    let model = load(ctx, model).await?;
    let shown = |state: &model::MeterState| {
        let meter = meters.iter().find(|m| m.code == state.meter_code)?;
        let spec = model.as_ref().and_then(|m| m.meters.iter().find(|s| s.meter_code == state.meter_code));
        Some(DeviceMeter::new(state, meter, spec, now))
    };
    Ok(states.iter().take(50).filter_map(|s| shown(s)).collect())
}

/// How a device uses one meter, in the meter's unit: what the nightly run chose for its forecasts.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub struct UsagePattern {
    /// Meter code.
    pub meter: String,
    /// Expected units of an ordinary day: the level, without season, holidays and closures.
    pub daily_rate: f64,
    /// Mean units a day of the last four weeks, outages left out; null where too few of their days are
    /// known.
    pub recent_daily_rate: Option<f64>,
    /// Expected units by weekday, Monday first.
    pub weekday_rates: Vec<f64>,
    /// Standard deviation of a day around what its weekday should have, in units.
    pub spread: f64,
    /// Days of the last eight weeks that are known.
    pub observed_days: i32,
    /// Factor of each of the 52 weeks after `seasonFrom`, 1.1 for a week that sells a tenth more than
    /// the level; empty while neither the device nor its fleet has a whole year.
    pub season: Vec<f64>,
    /// The day before the first week of `season`, in the site's zone; null without one.
    pub season_from: Option<Date>,
    /// Whose last year the season was learned from.
    pub season_source: SeasonSource,
    /// How far the units of 60 days are typically off, as a share: 0.1 for a tenth.
    pub typical_error: f64,
    /// Days of closures and outages that were left out of the level, in the last four years.
    pub outage_days: i32,
    /// The last day that a closure or outage which still goes on is expected to last, in the site's
    /// zone; null while the device is used.
    pub closed_until: Option<Date>,
    /// Last civil day with full data, in the site's zone; null without readings.
    pub as_of: Option<Date>,
    /// Where the rate comes from.
    pub source: RateSource,
    #[graphql(skip)]
    device: DeviceId,
    #[graphql(skip)]
    scale: f64,
}

#[ComplexObject]
impl UsagePattern {
    /// Mean units in each hour of the week, in the meter's unit: 168 values, from Monday 00:00 in the
    /// site's zone on, of eight weeks. Of TRANSACTIONS as kept by the nightly run, which looks anew once
    /// a week; before a device's first one, and of other meters, as of now. Null where readings are more
    /// than three hours apart or leave most nights out, and for gauges.
    #[graphql(complexity = "50 + child_complexity")]
    async fn hour_rates(&self, ctx: &Context<'_>) -> Result<Option<Vec<f64>>> {
        let key = HoursOf { device: self.device, meter: self.meter.clone() };
        let profile = load(ctx, key).await?.flatten();
        Ok(profile.map(|p| p.per_hour.iter().map(|units| units / self.scale).collect()))
    }
}

/// How a device uses a meter; none when its model has no such meter.
pub async fn usage_pattern(ctx: &Context<'_>, device: DeviceId, meter: String) -> Result<Option<UsagePattern>> {
    let key = PatternOf { device, meter: meter.clone() };
    let Some(pattern) = load(ctx, key).await?.flatten() else { return Ok(None) };
    let meters = load(ctx, AllMeters).await?.unwrap_or_default();
    let scale = meters.iter().find(|m| m.code == meter).map_or(1.0, |m| 10_f64.powi(m.decimals));
    Ok(Some(UsagePattern {
        meter,
        daily_rate: pattern.per_day / scale,
        weekday_rates: pattern.weekday.iter().map(|r| r / scale).collect(),
        spread: pattern.spread / scale,
        observed_days: i32::try_from(pattern.observed_days).unwrap_or(i32::MAX),
        recent_daily_rate: pattern.parts.recent_per_day.map(|rate| rate / scale),
        // Kept to four places.
        season: pattern.season.iter().map(|factor| (f64::from(*factor) * 1e4).round() / 1e4).collect(),
        season_from: (!pattern.season.is_empty()).then_some(Date(pattern.season_from)),
        season_source: pattern.parts.season.into(),
        typical_error: pattern.uncertainty.typical.exp_m1(),
        outage_days: i32::try_from(pattern.parts.outage_days).unwrap_or(i32::MAX),
        closed_until: pattern.closure.as_ref().map(|closure| Date(closure.expected_until)),
        as_of: (pattern.as_of != NaiveDate::MIN).then_some(Date(pattern.as_of)),
        source: pattern.source.into(),
        device,
        scale,
    }))
}
