//! A meter a model has, with its bounds; values in the smallest unit.

use sea_orm::entity::prelude::*;

/// A row of `model_meter`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "model_meter")]
pub struct Model {
    /// The tenant.
    pub organization_id: Uuid,
    /// Model id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub model_id: Uuid,
    /// Meter code.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub meter_code: String,
    /// The counter starts again at 0 after modulus - 1.
    pub modulus: Option<i64>,
    /// Faster readings are kept aside.
    pub max_per_day: i64,
    /// Rated life.
    pub rated_life: Option<i64>,
    /// SOURCED, SOURCED_LOW or ASSUMED.
    #[sea_orm(column_type = "Text")]
    pub rated_life_basis: Option<String>,
    /// Rated life source.
    #[sea_orm(column_type = "Text")]
    pub rated_life_source: Option<String>,
    /// Rate assumed for a device without readings.
    pub planning_per_day: f64,
}

/// Relations live in the GraphQL ring.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl super::Scoped for Entity {
    fn organization_column() -> Self::Column {
        Column::OrganizationId
    }
}
