//! Mutations of the catalogue.

use super::freezes::{FreezePeriod, PutFreezePeriodInput, RemoveFreezePeriodInput};
use super::inputs::CreateDeviceModelInput;
use super::types::DeviceModel;
use crate::catalogue::model::{Basis, ModelComponent};
use crate::catalogue::service::{NewFreezePeriod, NewModel, NewModelMeter};
use crate::graphql::connection::payload;
use crate::graphql::context::Cx;
use crate::graphql::errors::Outcome;
use crate::graphql::load::load_known;
use crate::graphql::loaders::FreezeOf;
use async_graphql::{Context, Object, Result};

payload!(CreateDeviceModelPayload, device_model: DeviceModel, "the model");
payload!(PutFreezePeriodPayload, freeze_period: FreezePeriod, "the freeze period");
payload!(RemoveFreezePeriodPayload, freeze_period: FreezePeriod, "the freeze period as it was");

/// Mutations of the catalogue.
#[derive(Default)]
pub struct CatalogueMutation;

#[Object]
impl CatalogueMutation {
    /// Makes a device model with its meters and parts.
    async fn create_device_model(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The model.")] input: CreateDeviceModelInput,
    ) -> Result<CreateDeviceModelPayload> {
        let cx = Cx::of(ctx);
        let outcome: Outcome<DeviceModel> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let made = cx.services.catalogue.create_model(&call, new_model(input)).await?;
            Ok(load_known(ctx, made.model_id, "device_model").await?.into())
        }
        .await;
        CreateDeviceModelPayload::new(outcome)
    }

    /// Adds a freeze period, or changes the one with its code. Due dates follow with the next
    /// planner run.
    async fn put_freeze_period(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The freeze period.")] input: PutFreezePeriodInput,
    ) -> Result<PutFreezePeriodPayload> {
        let cx = Cx::of(ctx);
        let key = FreezeOf(input.code.trim().to_owned());
        let outcome: Outcome<FreezePeriod> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let expected = input.expected_version.map(i64::from);
            let new = NewFreezePeriod::from(input);
            Ok(cx.services.catalogue.put_freeze_period(&call, &new, expected).await?.into())
        }
        .await;
        PutFreezePeriodPayload::or_current(ctx, outcome, Some(key)).await
    }

    /// Removes a freeze period. Due dates follow with the next planner run.
    async fn remove_freeze_period(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which freeze period.")] input: RemoveFreezePeriodInput,
    ) -> Result<RemoveFreezePeriodPayload> {
        let cx = Cx::of(ctx);
        let key = FreezeOf(input.code.trim().to_owned());
        let outcome: Outcome<FreezePeriod> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let expected = input.expected_version.map(i64::from);
            Ok(cx.services.catalogue.remove_freeze_period(&call, &input.code, expected).await?.into())
        }
        .await;
        RemoveFreezePeriodPayload::or_current(ctx, outcome, Some(key)).await
    }
}

fn new_model(input: CreateDeviceModelInput) -> NewModel {
    let meters = input.meters.unwrap_or_default().into_iter().map(|m| NewModelMeter {
        meter_code: m.code,
        modulus: m.modulus,
        max_per_day: m.max_per_day,
        rated_life: m.rated_life,
        rated_life_basis: m.rated_life_basis.map(Into::into),
        rated_life_source: m.rated_life_source,
        planning_per_day: m.planning_per_day,
    });
    let components = input.components.unwrap_or_default().into_iter().map(|c| ModelComponent {
        kind: c.kind.into(),
        replaceable_at: c.replaceable_at.into(),
        rated_meter: c.rated_meter,
        basis: c.basis.map_or(Basis::Assumed, Into::into),
    });
    NewModel {
        code: input.code,
        manufacturer: input.manufacturer,
        name: input.name,
        hardware_revision: input.hardware_revision,
        form_factor: input.form_factor,
        platform: input.platform,
        source: input.source,
        is_assumed: false,
        notes: None,
        meters: meters.collect(),
        components: components.collect(),
    }
}
