//! Inputs of the catalogue.

use crate::graphql::enums::{Basis, ComponentKind, ReplaceableAt};
use async_graphql::InputObject;

/// A meter of a model; values in the meter's unit.
#[derive(InputObject)]
pub struct ModelMeterInput {
    /// Meter code; a code not known yet makes a new counter.
    pub code: String,
    /// The counter starts again at 0 after this many units.
    pub modulus: Option<f64>,
    /// Faster growth than this per day is kept aside.
    pub max_per_day: f64,
    /// Units the part is rated for.
    pub rated_life: Option<f64>,
    /// How well the rating is known; ASSUMED unless stated.
    pub rated_life_basis: Option<Basis>,
    /// Where the rating is stated.
    pub rated_life_source: Option<String>,
    /// Units a day assumed for a device without readings.
    pub planning_per_day: f64,
}

/// A part of a model.
#[derive(InputObject)]
pub struct ModelComponentInput {
    /// The part.
    pub kind: ComponentKind,
    /// Where it can be replaced.
    pub replaceable_at: ReplaceableAt,
    /// Code of the meter its life is rated by, one of the model's.
    pub rated_meter: Option<String>,
    /// How well this is known; ASSUMED unless stated.
    pub basis: Option<Basis>,
}

/// A model to be made.
#[derive(InputObject)]
pub struct CreateDeviceModelInput {
    /// Short code, unique; made of maker, name and revision unless stated.
    pub code: Option<String>,
    /// Maker.
    pub manufacturer: String,
    /// The maker's model name.
    pub name: String,
    /// Hardware revision.
    pub hardware_revision: Option<String>,
    /// Countertop, portable, pinpad…
    pub form_factor: Option<String>,
    /// Operating platform.
    pub platform: Option<String>,
    /// Where the facts come from.
    pub source: Option<String>,
    /// Its meters, at most 50.
    pub meters: Option<Vec<ModelMeterInput>>,
    /// Its parts, each once.
    pub components: Option<Vec<ModelComponentInput>>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}
