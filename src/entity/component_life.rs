//! The life counters of a device at which a part came and went.

use sea_orm::entity::prelude::*;

/// A row of `component_life`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "component_life")]
pub struct Model {
    /// The tenant.
    pub organization_id: Uuid,
    /// Component id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub component_id: Uuid,
    /// Meter code.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub meter_code: String,
    /// Life counter when the part came in, smallest units.
    pub life_at_install: i64,
    /// Life counter when it went out, smallest units.
    pub life_at_removal: Option<i64>,
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
