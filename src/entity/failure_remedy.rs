//! What was done about a failure, from a closed list.

use sea_orm::entity::prelude::*;

/// A row of `failure_remedy`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "failure_remedy")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// Code.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub code: String,
    /// Name en.
    #[sea_orm(column_type = "Text")]
    pub name_en: String,
    /// Name zh.
    #[sea_orm(column_type = "Text")]
    pub name_zh: String,
    /// Source.
    #[sea_orm(column_type = "Text")]
    pub source: String,
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
