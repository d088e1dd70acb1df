//! Types of usage.

use crate::catalogue::model as catalogue;
use crate::graphql::context::Cx;
use crate::graphql::enums::*;
use crate::graphql::load::load;
use crate::graphql::loaders::{AllMeters, HoursOf, MetersOf, PatternOf};
use crate::graphql::scalars::Date;
use crate::graphql::text::LocalizedText;
use crate::kernel::ids::{DeviceId, DeviceModelId};
use crate::usage::model;
use async_graphql::{ComplexObject, Context, Result, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};

/// A meter of a device, as last read; values in the meter's unit.
#[derive(SimpleObject, Clone)]
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

/// How a device is used, from the last weeks of one meter; in the meter's unit.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub struct UsagePattern {
    /// Meter code.
    pub meter: String,
    /// Mean units a day.
    pub daily_rate: f64,
    /// Expected units by weekday, Monday first.
    pub weekday_rates: Vec<f64>,
    /// Standard deviation of a day around its weekday's mean, in units.
    pub spread: f64,
    /// Days the level rests on.
    pub observed_days: i32,
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
    /// site's zone on, of the eight weeks before they were last looked at. Kept for TRANSACTIONS only,
    /// and found anew in a nightly run, at most once a week. Null before a device's first nightly run
    /// (updates then go by the site's closed hours, and say so), where readings are more than three
    /// hours apart or leave most nights out, and for every other meter.
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
        as_of: (pattern.as_of != NaiveDate::MIN).then_some(Date(pattern.as_of)),
        source: pattern.source.into(),
        device,
        scale,
    }))
}
