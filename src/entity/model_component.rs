//! A part a model has.

use sea_orm::entity::prelude::*;

/// A row of `model_component`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "model_component")]
pub struct Model {
    /// The tenant.
    pub organization_id: Uuid,
    /// Model id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub model_id: Uuid,
    /// Kind.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub kind: String,
    /// FIELD, DEPOT or FACTORY.
    #[sea_orm(column_type = "Text")]
    pub replaceable_at: String,
    /// Rated meter.
    #[sea_orm(column_type = "Text")]
    pub rated_meter: Option<String>,
    /// Basis.
    #[sea_orm(column_type = "Text")]
    pub basis: String,
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
