//! A model a firmware release is for.

use sea_orm::entity::prelude::*;

/// A row of `firmware_release_model`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "firmware_release_model")]
pub struct Model {
    /// The tenant.
    pub organization_id: Uuid,
    /// Release id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub release_id: Uuid,
    /// Model id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub model_id: Uuid,
    /// The release's version in its normal form; a model has it once.
    #[sea_orm(column_type = "Text")]
    pub version_key: String,
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
