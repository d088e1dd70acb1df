//! The state of one meter of one device.

use sea_orm::entity::prelude::*;

/// A row of `device_meter`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "device_meter")]
pub struct Model {
    /// The tenant.
    pub organization_id: Uuid,
    /// Device id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_id: Uuid,
    /// Meter code.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub meter_code: String,
    /// Latest value.
    pub latest_value: i64,
    /// Latest at, UTC.
    pub latest_at: DateTimeUtc,
    /// Life.
    pub life: i64,
    /// First at, UTC.
    pub first_at: DateTimeUtc,
    /// First life.
    pub first_life: i64,
    /// Reading count.
    pub reading_count: i64,
    /// The latest stored reading, counted or not.
    pub last_row_at: DateTimeUtc,
    /// The last counted reading leaves nothing open.
    pub is_settled: bool,
    /// Updated at, UTC.
    pub updated_at: DateTimeUtc,
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
