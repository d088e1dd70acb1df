//! What is done to which subjects and when.

use sea_orm::entity::prelude::*;

/// A row of `maintenance_plan`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "maintenance_plan")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Code.
    #[sea_orm(column_type = "Text")]
    pub code: String,
    /// Current revision id.
    pub current_revision_id: Uuid,
    /// Is active.
    pub is_active: bool,
    /// Grows with every change.
    pub version: i64,
    /// When it was made, UTC.
    pub created_at: DateTimeUtc,
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
