//! What devices of a model are to run.

use sea_orm::entity::prelude::*;

/// A row of `firmware_target`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "firmware_target")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Model id.
    pub model_id: Uuid,
    /// Hash of the selector; empty for the whole model.
    #[sea_orm(column_type = "Text")]
    pub selector_key: String,
    /// Selector as JSON text.
    #[sea_orm(column_type = "Text")]
    pub selector: String,
    /// Release id.
    pub release_id: Uuid,
    /// When windows begin, cron in the site's zone.
    #[sea_orm(column_type = "Text")]
    pub window_cron: Option<String>,
    /// Minutes a window lasts.
    pub window_minutes: Option<i32>,
    /// Devices with a newer version go back.
    pub allow_downgrade: bool,
    /// When it was set, UTC.
    pub set_at: DateTimeUtc,
    /// Who set it.
    #[sea_orm(column_type = "Text")]
    pub set_by: String,
    /// Grows with every change.
    pub version: i64,
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
