//! Which serial stands where, from when to when.

use sea_orm::entity::prelude::*;

/// A row of `binding`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "binding")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Device id.
    pub device_id: Uuid,
    /// Position id.
    pub position_id: Uuid,
    /// Site id.
    pub site_id: Uuid,
    /// Started at, UTC.
    pub started_at: DateTimeUtc,
    /// Ended at, UTC.
    pub ended_at: Option<DateTimeUtc>,
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
