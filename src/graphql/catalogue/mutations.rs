//! Mutations of the catalogue.

use super::inputs::CreateDeviceModelInput;
use super::types::DeviceModel;
use crate::catalogue::model::{Basis, ModelComponent};
use crate::catalogue::service::{NewModel, NewModelMeter};
use crate::graphql::connection::payload;
use crate::graphql::context::Cx;
use crate::graphql::errors::Outcome;
use crate::graphql::load::load_known;
use async_graphql::{Context, Object, Result};

payload!(CreateDeviceModelPayload, device_model: DeviceModel, "the model");

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
