//! One terminal, with copies of where it stands.

use sea_orm::entity::prelude::*;

/// A row of `device`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "device")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Manufacturer.
    #[sea_orm(column_type = "Text")]
    pub manufacturer: String,
    /// Serial number.
    #[sea_orm(column_type = "Text")]
    pub serial_number: String,
    /// Model id.
    pub model_id: Uuid,
    /// Asset tag.
    #[sea_orm(column_type = "Text")]
    pub asset_tag: Option<String>,
    /// Status.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// Status reason.
    #[sea_orm(column_type = "Text")]
    pub status_reason: Option<String>,
    /// Status since, UTC.
    pub status_since: DateTimeUtc,
    /// Merchant id.
    pub merchant_id: Option<Uuid>,
    /// Site id.
    pub site_id: Option<Uuid>,
    /// Position id.
    pub position_id: Option<Uuid>,
    /// Region code.
    #[sea_orm(column_type = "Text")]
    pub region_code: Option<String>,
    /// Installed at, UTC.
    pub installed_at: Option<DateTimeUtc>,
    /// Firmware version.
    #[sea_orm(column_type = "Text")]
    pub firmware_version: Option<String>,
    /// Last seen at, UTC.
    pub last_seen_at: Option<DateTimeUtc>,
    /// When it passed its inspection before service, UTC.
    pub inspected_at: Option<DateTimeUtc>,
    /// Since when an inspection before does not count any more, UTC.
    pub uninspected_since: Option<DateTimeUtc>,
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
