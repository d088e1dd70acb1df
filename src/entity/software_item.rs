//! One installed thing with a version.

use sea_orm::entity::prelude::*;

/// A row of `software_item`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "software_item")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Device id.
    pub device_id: Uuid,
    /// Kind.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Name.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Version text.
    #[sea_orm(column_type = "Text")]
    pub version_text: String,
    /// Reported at, UTC.
    pub reported_at: DateTimeUtc,
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
