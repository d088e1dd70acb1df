//! What was done to one device or site on a visit.

use sea_orm::entity::prelude::*;

/// A row of `visit_line`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "visit_line")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Visit id.
    pub visit_id: Uuid,
    /// Line no.
    pub line_no: i32,
    /// Device id.
    pub device_id: Option<Uuid>,
    /// Serial number.
    #[sea_orm(column_type = "Text")]
    pub serial_number: Option<String>,
    /// Manufacturer.
    #[sea_orm(column_type = "Text")]
    pub manufacturer: Option<String>,
    /// Performed at, UTC.
    pub performed_at: DateTimeUtc,
    /// Outcome.
    #[sea_orm(column_type = "Text")]
    pub outcome: String,
    /// Findings.
    #[sea_orm(column_type = "Text")]
    pub findings: Option<String>,
    /// Step results as JSON text.
    #[sea_orm(column_type = "Text")]
    pub step_results: String,
    /// Work order ids as JSON text.
    #[sea_orm(column_type = "Text")]
    pub work_order_ids: String,
    /// Plan ids as JSON text.
    #[sea_orm(column_type = "Text")]
    pub plan_ids: String,
    /// Notices as JSON text.
    #[sea_orm(column_type = "Text")]
    pub notices: String,
    /// Parts replaced as JSON text.
    #[sea_orm(column_type = "Text")]
    pub parts_replaced: String,
    /// Failure as JSON text.
    #[sea_orm(column_type = "Text")]
    pub failure: Option<String>,
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
