//! Usage per civil day of a year, packed.

use sea_orm::entity::prelude::*;

/// A row of `daily_usage`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "daily_usage")]
pub struct Model {
    /// The tenant.
    pub organization_id: Uuid,
    /// Device id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_id: Uuid,
    /// Meter code.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub meter_code: String,
    /// Year.
    #[sea_orm(primary_key, auto_increment = false)]
    pub year: i32,
    /// Days.
    pub days: Vec<u8>,
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
