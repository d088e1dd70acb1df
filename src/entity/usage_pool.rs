//! What a fleet's devices have in common for one meter; never changed once published.

use sea_orm::entity::prelude::*;

/// A row of `usage_pool`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_pool")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// Meter code.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub meter_code: String,
    /// From 1 on, in the order they were published.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    /// Published at, UTC.
    pub published_at: DateTimeUtc,
    /// Devices it was learned from.
    pub device_count: i32,
    /// The pool as JSON text.
    #[sea_orm(column_type = "Text")]
    pub pool: String,
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
