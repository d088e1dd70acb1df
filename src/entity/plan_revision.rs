//! What a plan said from some moment on.

use sea_orm::entity::prelude::*;

/// A row of `plan_revision`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "plan_revision")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Plan id.
    pub plan_id: Uuid,
    /// Revision.
    pub revision: i32,
    /// Definition as JSON text.
    #[sea_orm(column_type = "Text")]
    pub definition: String,
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
