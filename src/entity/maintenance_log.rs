//! One entry of the log items are derived from.

use sea_orm::entity::prelude::*;

/// A row of `maintenance_log`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "maintenance_log")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Item id.
    pub item_id: Uuid,
    /// Plan id.
    pub plan_id: Uuid,
    /// Subject kind.
    #[sea_orm(column_type = "Text")]
    pub subject_kind: String,
    /// Subject id.
    pub subject_id: Uuid,
    /// Kind.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Performed at, UTC.
    pub performed_at: DateTimeUtc,
    /// Occurrence key.
    #[sea_orm(column_type = "Text")]
    pub occurrence_key: Option<String>,
    /// Nominal due at, UTC.
    pub nominal_due_at: Option<DateTimeUtc>,
    /// Postponed to, UTC.
    pub postponed_to: Option<DateTimeUtc>,
    /// Visit line id.
    pub visit_line_id: Option<Uuid>,
    /// Work order id.
    pub work_order_id: Option<Uuid>,
    /// Reason.
    #[sea_orm(column_type = "Text")]
    pub reason: Option<String>,
    /// Actor.
    #[sea_orm(column_type = "Text")]
    pub actor: String,
    /// Recorded at, UTC.
    pub recorded_at: DateTimeUtc,
    /// Is void.
    pub is_void: bool,
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
