//! A failure of a device, as a visit reported it.

use sea_orm::entity::prelude::*;

/// A row of `failure`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "failure")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Device id.
    pub device_id: Uuid,
    /// Site id: where the device stood when it failed.
    pub site_id: Option<Uuid>,
    /// Model id.
    pub model_id: Uuid,
    /// Region code of that site.
    #[sea_orm(column_type = "Text")]
    pub region_code: Option<String>,
    /// Visit line id.
    pub visit_line_id: Uuid,
    /// Work order id.
    pub work_order_id: Option<Uuid>,
    /// Failure code.
    #[sea_orm(column_type = "Text")]
    pub failure_code: String,
    /// Cause code.
    #[sea_orm(column_type = "Text")]
    pub cause_code: Option<String>,
    /// Remedy code.
    #[sea_orm(column_type = "Text")]
    pub remedy_code: Option<String>,
    /// Who or what caused it.
    #[sea_orm(column_type = "Text")]
    pub origin: String,
    /// Failed at, UTC.
    pub failed_at: DateTimeUtc,
    /// Detected at, UTC.
    pub detected_at: Option<DateTimeUtc>,
    /// Restored at, UTC.
    pub restored_at: Option<DateTimeUtc>,
    /// When the server took it in, UTC.
    pub recorded_at: DateTimeUtc,
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
