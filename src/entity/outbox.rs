//! What this node owes the outside.

use sea_orm::entity::prelude::*;

/// A row of `outbox`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Topic.
    #[sea_orm(column_type = "Text")]
    pub topic: String,
    /// Subject id.
    pub subject_id: Uuid,
    /// Payload as JSON text.
    #[sea_orm(column_type = "Text")]
    pub payload: String,
    /// When it was made, UTC.
    pub created_at: DateTimeUtc,
    /// The change it belongs to, on PostgreSQL; the database gives it.
    pub change_id: i64,
    /// Its number; the database gives it.
    pub position: i64,
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
