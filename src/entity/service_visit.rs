//! One trip of one technician to one site.

use sea_orm::entity::prelude::*;

/// A row of `service_visit`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "service_visit")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Number.
    #[sea_orm(column_type = "Text")]
    pub number: String,
    /// Site id.
    pub site_id: Uuid,
    /// Technician id.
    pub technician_id: Uuid,
    /// Started at, UTC.
    pub started_at: DateTimeUtc,
    /// Ended at, UTC.
    pub ended_at: Option<DateTimeUtc>,
    /// Notes.
    #[sea_orm(column_type = "Text")]
    pub notes: Option<String>,
    /// Recorded at, UTC.
    pub recorded_at: DateTimeUtc,
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
