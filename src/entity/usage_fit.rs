//! What was chosen for one meter of one device, with its hours of the week.

use sea_orm::entity::prelude::*;

/// A row of `usage_fit`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_fit")]
pub struct Model {
    /// The tenant.
    pub organization_id: Uuid,
    /// Device id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_id: Uuid,
    /// Meter code.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub meter_code: String,
    /// The last full civil day it rests on, in the site's zone.
    pub fitted_through: Date,
    /// `device_meter.updated_at` of the readings it was made from, UTC.
    pub source_updated_at: DateTimeUtc,
    /// The pool it borrowed from; 0 for none.
    pub pool_version: i64,
    /// The choice as JSON text.
    #[sea_orm(column_type = "Text")]
    pub fit: String,
    /// Units in each hour of the week as JSON text; null where the readings do not say.
    #[sea_orm(column_type = "Text")]
    pub hour_profile: Option<String>,
    /// When the hours were last looked for, UTC, whatever was found; null where they never were.
    pub hours_as_of: Option<DateTimeUtc>,
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
