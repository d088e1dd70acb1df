//! Types of the catalogue.

use crate::catalogue::model;
use crate::graphql::connection::{COUNT_LIMIT, asks, connection, cursor, cut, key_part, page, row_cost};
use crate::graphql::context::Cx;
use crate::graphql::enums::*;
use crate::graphql::load::load;
use crate::graphql::loaders::{AllMeters, shows};
use crate::graphql::prefetch::{Ahead, fetch};
use crate::graphql::scalars::int;
use crate::graphql::text::LocalizedText;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// A measured quantity of devices.
#[derive(SimpleObject, Clone)]
pub struct Meter {
    /// Code, for example `TRANSACTIONS`.
    pub code: String,
    /// Name.
    pub name: LocalizedText,
    /// COUNTER only grows, GAUGE goes up and down.
    pub kind: MeterKind,
    /// Unit of the values given and answered.
    pub unit: String,
    /// Decimal places that are kept of a value.
    pub decimals: i32,
    /// Where the meter is described.
    pub source: String,
}

impl From<&model::Meter> for Meter {
    fn from(m: &model::Meter) -> Self {
        Self {
            code: m.code.clone(),
            name: (&m.name).into(),
            kind: m.kind.into(),
            unit: m.unit.clone(),
            decimals: m.decimals,
            source: m.source.clone(),
        }
    }
}

/// A meter as a model has it; values in the meter's unit.
#[derive(SimpleObject, Clone)]
pub struct ModelMeter {
    /// Meter code, for example `TRANSACTIONS`.
    pub code: String,
    /// The counter starts again at 0 after this many units; null when it never does.
    pub modulus: Option<f64>,
    /// Faster growth than this per day is kept aside.
    pub max_per_day: f64,
    /// Units the part is rated for; null when not known.
    pub rated_life: Option<f64>,
    /// How well the rating is known; null without a rating.
    pub rated_life_basis: Option<Basis>,
    /// Where the rating is stated; null without a rating.
    pub rated_life_source: Option<String>,
    /// Units a day assumed for a device without readings.
    pub planning_per_day: f64,
}

impl ModelMeter {
    fn new(spec: &model::ModelMeter, meter: &model::Meter) -> Self {
        Self {
            code: spec.meter_code.clone(),
            modulus: spec.modulus.map(|n| meter.to_value(n)),
            max_per_day: meter.to_value(spec.max_per_day),
            rated_life: spec.rated_life.map(|n| meter.to_value(n)),
            rated_life_basis: spec.rated_life_basis.map(Into::into),
            rated_life_source: spec.rated_life_source.clone(),
            planning_per_day: spec.planning_per_day / 10_f64.powi(meter.decimals),
        }
    }
}

/// A part as a model has it.
#[derive(SimpleObject, Clone)]
pub struct ModelComponent {
    /// The part.
    pub kind: ComponentKind,
    /// Where it can be replaced; opening a terminal erases its keys.
    pub replaceable_at: ReplaceableAt,
    /// Meter its life is rated by; null when it is not.
    pub rated_meter: Option<String>,
    /// How well this is known.
    pub basis: Basis,
}

shows! {
    /// Manufacturer, model and hardware revision.
    DeviceModel(model::DeviceModel)
}

/// Manufacturer, model and hardware revision, with meters, rated lives and parts.
#[Object]
impl DeviceModel {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        self.0.id.global().into()
    }
    /// Short code, unique.
    async fn code(&self) -> &str {
        &self.0.code
    }
    /// Maker.
    async fn manufacturer(&self) -> &str {
        &self.0.manufacturer
    }
    /// The maker's model name.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// Hardware revision; empty when the maker names none.
    async fn hardware_revision(&self) -> &str {
        &self.0.hardware_revision
    }
    /// Countertop, portable, pinpad…; null when unknown.
    async fn form_factor(&self) -> Option<&str> {
        self.0.form_factor.as_deref()
    }
    /// Operating platform; null when unknown.
    async fn platform(&self) -> Option<&str> {
        self.0.platform.as_deref()
    }
    /// Where the facts come from.
    async fn source(&self) -> &str {
        &self.0.source
    }
    /// Some of its figures are assumptions; each figure says whether it is.
    async fn is_assumed(&self) -> bool {
        self.0.is_assumed
    }
    /// Remarks; null when there are none.
    async fn notes(&self) -> Option<&str> {
        self.0.notes.as_deref()
    }
    /// Its meters, at most 50.
    #[graphql(complexity = "row_cost(8, child_complexity)")]
    async fn meters(&self, ctx: &Context<'_>) -> Result<Vec<ModelMeter>> {
        let meters = load(ctx, AllMeters).await?.unwrap_or_default();
        let shown = |spec: &model::ModelMeter| {
            let meter = meters.iter().find(|m| m.code == spec.meter_code)?;
            Some(ModelMeter::new(spec, meter))
        };
        Ok(self.0.meters.iter().filter_map(shown).collect())
    }
    /// Its parts, each once.
    #[graphql(complexity = "row_cost(8, child_complexity)")]
    async fn components(&self) -> Vec<ModelComponent> {
        let shown = |c: &model::ModelComponent| ModelComponent {
            kind: c.kind.into(),
            replaceable_at: c.replaceable_at.into(),
            rated_meter: c.rated_meter.clone(),
            basis: c.basis.into(),
        };
        self.0.components.iter().map(shown).collect()
    }
    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// Grows with every change.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
}

connection!(DeviceModelConnection, DeviceModelEdge, DeviceModel, "device models");

/// The tag of cursors of models.
const MODELS: &str = "deviceModels";

/// A page of models, by maker and name.
pub async fn models_page(ctx: &Context<'_>, first: Option<i32>, after: Option<&str>) -> Result<DeviceModelConnection> {
    let cx = Cx::of(ctx);
    let page = page(MODELS, first, after)?;
    let key: Option<(String, String, Uuid)> = match &page.after {
        Some(k) => Some((key_part(k, 0)?, key_part(k, 1)?, key_part(k, 2)?)),
        None => None,
    };
    let limit = u64::from(page.first) + 1;
    let rows = cx.services.catalogue.models_page(&cx.scope, key.as_ref(), limit).await.map_err(|e| cx.fail(e))?;
    let total = match asks(ctx, "totalCount") {
        true => {
            let count = cx.services.catalogue.count_models(&cx.scope, COUNT_LIMIT + 1).await;
            Some(count.map_err(|e| cx.fail(e))?)
        }
        false => None,
    };
    let (rows, has_next) = cut(rows, page.first);
    if Ahead::rows(ctx).asks(&["meters"]) {
        fetch(cx, vec![AllMeters]).await?;
    }
    let rows = rows
        .into_iter()
        .map(|m| {
            let at = cursor(MODELS, &[m.manufacturer.clone(), m.name.clone(), m.id.0.to_string()]);
            (DeviceModel(Arc::new(m)), at)
        })
        .collect();
    Ok(DeviceModelConnection::new(rows, has_next, key.is_some(), total))
}
