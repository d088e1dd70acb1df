//! One event of a device file; append-only.

use sea_orm::entity::prelude::*;

/// A row of `device_event`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "device_event")]
pub struct Model {
    /// The tenant.
    pub organization_id: Uuid,
    /// Device id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_id: Uuid,
    /// From 1, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    /// Device time.
    pub occurred_at: DateTimeUtc,
    /// Recorded at, UTC.
    pub recorded_at: DateTimeUtc,
    /// Kind.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Actor.
    #[sea_orm(column_type = "Text")]
    pub actor: String,
    /// The one text of all columns and the payload that is hashed.
    #[sea_orm(column_type = "Text")]
    pub canonical: String,
    /// SHA-256 of canonical, hex.
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
