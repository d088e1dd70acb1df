//! Manufacturer, model and hardware revision.

use sea_orm::entity::prelude::*;

/// A row of `device_model`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "device_model")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Code.
    #[sea_orm(column_type = "Text")]
    pub code: String,
    /// Manufacturer.
    #[sea_orm(column_type = "Text")]
    pub manufacturer: String,
    /// Name.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Empty when the maker names none.
    #[sea_orm(column_type = "Text")]
    pub hardware_revision: String,
    /// Form factor.
    #[sea_orm(column_type = "Text")]
    pub form_factor: Option<String>,
    /// Platform.
    #[sea_orm(column_type = "Text")]
    pub platform: Option<String>,
    /// Source.
    #[sea_orm(column_type = "Text")]
    pub source: String,
    /// Some of its figures are assumptions.
    pub is_assumed: bool,
    /// Notes.
    #[sea_orm(column_type = "Text")]
    pub notes: Option<String>,
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
