//! A subject the planner is to look at.

use sea_orm::entity::prelude::*;

/// A row of `planner_mark`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "planner_mark")]
pub struct Model {
    /// The tenant.
    pub organization_id: Uuid,
    /// Subject kind.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub subject_kind: String,
    /// Subject id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject_id: Uuid,
    /// Changes with every mark.
    pub stamp: Uuid,
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
