//! A value at device time.

use sea_orm::entity::prelude::*;

/// A row of `meter_reading`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "meter_reading")]
pub struct Model {
    /// The tenant.
    pub organization_id: Uuid,
    /// Device id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_id: Uuid,
    /// Meter code.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub meter_code: String,
    /// Read at, UTC.
    #[sea_orm(primary_key, auto_increment = false)]
    pub read_at: DateTimeUtc,
    /// Value.
    #[sea_orm(primary_key, auto_increment = false)]
    pub value: i64,
    /// What the fold took it for.
    #[sea_orm(column_type = "Text")]
    pub disposition: String,
    /// Life counter after it.
    pub life: i64,
    /// Recorded at, UTC.
    pub recorded_at: DateTimeUtc,
    /// Source.
    #[sea_orm(column_type = "Text")]
    pub source: String,
    /// Terminal number it was sent by, if it was.
    #[sea_orm(column_type = "Text")]
    pub terminal_number: Option<String>,
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
