//! What another system calls a device.

use sea_orm::entity::prelude::*;

/// A row of `external_id`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "external_id")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Device id.
    pub device_id: Uuid,
    /// System.
    #[sea_orm(column_type = "Text")]
    pub system: String,
    /// Value.
    #[sea_orm(column_type = "Text")]
    pub value: String,
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
