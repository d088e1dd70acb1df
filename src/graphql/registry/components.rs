//! Parts of devices in GraphQL: their serial numbers, warranty and life.

use crate::catalogue::model as catalogue;
use crate::graphql::enums::{ComponentKind, ReplaceableAt};
use crate::graphql::load::load;
use crate::graphql::loaders::{AllMeters, MetersOf};
use crate::graphql::scalars::Date;
use crate::kernel::ids::DeviceModelId;
use crate::registry::model;
use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// A part of a device.
#[derive(Clone)]
pub struct Component {
    part: Arc<model::Component>,
    model_id: DeviceModelId,
}

/// How far the life of a part is counted, smallest units.
struct Counted {
    units: i64,
    meter: catalogue::Meter,
    rated_life: Option<i64>,
}

impl Component {
    /// A part of a device of a model.
    pub fn new(part: Arc<model::Component>, model_id: DeviceModelId) -> Self {
        Self { part, model_id }
    }

    /// The meter the model rates the part by.
    async fn rated_by(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let model = load(ctx, self.model_id).await?;
        let of_model = model.as_ref().and_then(|m| m.components.iter().find(|c| c.kind == self.part.kind));
        Ok(of_model.and_then(|c| c.rated_meter.clone()))
    }

    /// What the part was used for since it came in.
    async fn counted(&self, ctx: &Context<'_>) -> Result<Option<Counted>> {
        let Some(code) = self.rated_by(ctx).await? else { return Ok(None) };
        let kept = self.part.lives.iter().find(|l| l.meter_code == code);
        let until = match self.part.removed_at {
            Some(_) => kept.and_then(|l| l.life_at_removal),
            None => {
                let states = load(ctx, MetersOf(self.part.device_id)).await?.unwrap_or_default();
                states.iter().find(|s| s.meter_code == code).map(|s| s.life)
            }
        };
        let meters = load(ctx, AllMeters).await?.unwrap_or_default();
        let (Some(until), Some(meter)) = (until, meters.iter().find(|m| m.code == code)) else { return Ok(None) };
        let model = load(ctx, self.model_id).await?;
        let spec = model.as_ref().and_then(|m| m.meters.iter().find(|s| s.meter_code == code));
        Ok(Some(Counted {
            // A part that came with the device has all of its life on it.
            units: (until - kept.map_or(0, |l| l.life_at_install)).max(0),
            meter: meter.clone(),
            rated_life: spec.and_then(|s| s.rated_life).filter(|l| *l > 0),
        }))
    }
}

/// A part of a device.
#[Object]
impl Component {
    /// Opaque id.
    async fn id(&self) -> ID {
        self.part.id.global().into()
    }
    /// The part.
    async fn kind(&self) -> ComponentKind {
        self.part.kind.into()
    }
    /// Its own serial; null when unknown.
    async fn serial_number(&self) -> Option<&str> {
        self.part.serial_number.as_deref()
    }
    /// The maker's number of the part; null when unknown.
    async fn part_number(&self) -> Option<&str> {
        self.part.part_number.as_deref()
    }
    /// Where it can be replaced; opening a terminal erases its keys.
    async fn replaceable_at(&self) -> ReplaceableAt {
        self.part.replaceable_at.into()
    }
    /// Since when, device time; for parts that came with the device when it was registered.
    async fn installed_at(&self) -> DateTime<Utc> {
        self.part.installed_at
    }
    /// Until, device time; null while it is in.
    async fn removed_at(&self) -> Option<DateTime<Utc>> {
        self.part.removed_at
    }
    /// Last civil day of its warranty; null when none is known.
    async fn warranty_ends_on(&self) -> Option<Date> {
        self.part.warranty_ends_on.map(Date)
    }
    /// Code of the meter the model rates its life by; null when it is not rated.
    async fn rated_meter(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.rated_by(ctx).await
    }
    /// Units of that meter since it came in, until now or until it went out; null without a rated
    /// meter or readings.
    async fn units_since_installed(&self, ctx: &Context<'_>) -> Result<Option<f64>> {
        Ok(self.counted(ctx).await?.map(|c| c.meter.to_value(c.units)))
    }
    /// Share of its rated life that is used, 1 = all; null without a rating or readings.
    async fn life_used(&self, ctx: &Context<'_>) -> Result<Option<f64>> {
        let counted = self.counted(ctx).await?;
        Ok(counted.and_then(|c| c.rated_life.map(|rated| c.units as f64 / rated as f64)))
    }
}
