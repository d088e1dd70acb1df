//! Days on which work of some channels stands still.

use sea_orm::entity::prelude::*;

/// A row of `freeze_period`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "freeze_period")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Code.
    #[sea_orm(column_type = "Text")]
    pub code: String,
    /// Name en.
    #[sea_orm(column_type = "Text")]
    pub name_en: String,
    /// Name zh.
    #[sea_orm(column_type = "Text")]
    pub name_zh: String,
    /// First day.
    pub starts_on: Date,
    /// Last day.
    pub ends_on: Date,
    /// Region codes as JSON text; empty: every region.
    #[sea_orm(column_type = "Text")]
    pub region_codes: String,
    /// Execution channels as JSON text; empty: every channel.
    #[sea_orm(column_type = "Text")]
    pub channels: String,
    /// Grows with every change.
    pub version: i64,
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
