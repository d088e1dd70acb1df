//! The end of a device file: lock and tail anchor.

use sea_orm::entity::prelude::*;

/// A row of `device_head`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "device_head")]
pub struct Model {
    /// The tenant.
    pub organization_id: Uuid,
    /// Device id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_id: Uuid,
    /// Sequence.
    pub sequence: i64,
    /// Hash.
    #[sea_orm(column_type = "Text")]
    pub hash: String,
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
