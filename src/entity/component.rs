//! A part of a device.

use sea_orm::entity::prelude::*;

/// A row of `component`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "component")]
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
    /// Serial number.
    #[sea_orm(column_type = "Text")]
    pub serial_number: Option<String>,
    /// Replaceable at.
    #[sea_orm(column_type = "Text")]
    pub replaceable_at: String,
    /// Installed at, UTC.
    pub installed_at: DateTimeUtc,
    /// Removed at, UTC.
    pub removed_at: Option<DateTimeUtc>,
    /// Last civil day of its warranty.
    pub warranty_ends_on: Option<Date>,
    /// The maker's number of the part.
    #[sea_orm(column_type = "Text")]
    pub part_number: Option<String>,
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
