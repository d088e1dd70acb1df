//! A place where devices are visited together.

use sea_orm::entity::prelude::*;

/// A row of `site`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "site")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Merchant id.
    pub merchant_id: Uuid,
    /// Name.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Address.
    #[sea_orm(column_type = "Text")]
    pub address: Option<String>,
    /// Region code.
    #[sea_orm(column_type = "Text")]
    pub region_code: Option<String>,
    /// Latitude.
    pub latitude: Option<f64>,
    /// Longitude.
    pub longitude: Option<f64>,
    /// WGS84, GCJ02 or BD09.
    #[sea_orm(column_type = "Text")]
    pub coordinate_system: Option<String>,
    /// Time zone.
    #[sea_orm(column_type = "Text")]
    pub time_zone: String,
    /// Opening hours as JSON text.
    #[sea_orm(column_type = "Text")]
    pub opening_hours: String,
    /// Closed days as JSON text.
    #[sea_orm(column_type = "Text")]
    pub closed_days: String,
    /// Observes holidays.
    pub observes_holidays: bool,
    /// Country.
    #[sea_orm(column_type = "Text")]
    pub country: Option<String>,
    /// Environment.
    #[sea_orm(column_type = "Text")]
    pub environment: Option<String>,
    /// Contact as JSON text.
    #[sea_orm(column_type = "Text")]
    pub contact: Option<String>,
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
