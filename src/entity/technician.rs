//! A person who visits sites.

use sea_orm::entity::prelude::*;

/// A row of `technician`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "technician")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Name.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Employee number.
    #[sea_orm(column_type = "Text")]
    pub employee_number: Option<String>,
    /// Phone.
    #[sea_orm(column_type = "Text")]
    pub phone: Option<String>,
    /// Region codes as JSON text.
    #[sea_orm(column_type = "Text")]
    pub region_codes: String,
    /// Working hours a week.
    pub weekly_hours: Option<f64>,
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
