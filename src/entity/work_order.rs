//! An authorised job for one subject.

use sea_orm::entity::prelude::*;

/// A row of `work_order`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "work_order")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Number.
    #[sea_orm(column_type = "Text")]
    pub number: String,
    /// Kind.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// State.
    #[sea_orm(column_type = "Text")]
    pub state: String,
    /// Priority, by its rank.
    pub priority: i32,
    /// Item id.
    pub item_id: Option<Uuid>,
    /// Plan id.
    pub plan_id: Option<Uuid>,
    /// Plan revision id.
    pub plan_revision_id: Option<Uuid>,
    /// Subject kind.
    #[sea_orm(column_type = "Text")]
    pub subject_kind: String,
    /// Subject id.
    pub subject_id: Uuid,
    /// Device id.
    pub device_id: Option<Uuid>,
    /// Site id.
    pub site_id: Option<Uuid>,
    /// Position id.
    pub position_id: Option<Uuid>,
    /// Model id.
    pub model_id: Option<Uuid>,
    /// Region code.
    #[sea_orm(column_type = "Text")]
    pub region_code: Option<String>,
    /// Nominal due at, UTC.
    pub nominal_due_at: DateTimeUtc,
    /// Due at, UTC.
    pub due_at: DateTimeUtc,
    /// Told due at, UTC.
    pub told_due_at: DateTimeUtc,
    /// Window start, UTC.
    pub window_start: DateTimeUtc,
    /// Window end, UTC.
    pub window_end: DateTimeUtc,
    /// Occurrence key.
    #[sea_orm(column_type = "Text")]
    pub occurrence_key: Option<String>,
    /// Explanation as JSON text.
    #[sea_orm(column_type = "Text")]
    pub explanation: Option<String>,
    /// Channel.
    #[sea_orm(column_type = "Text")]
    pub channel: String,
    /// Steps as JSON text.
    #[sea_orm(column_type = "Text")]
    pub steps: String,
    /// Estimated minutes.
    pub estimated_minutes: i32,
    /// Assignee id.
    pub assignee_id: Option<Uuid>,
    /// Scheduled for, UTC.
    pub scheduled_for: Option<DateTimeUtc>,
    /// Close reason.
    #[sea_orm(column_type = "Text")]
    pub close_reason: Option<String>,
    /// Closed at, UTC.
    pub closed_at: Option<DateTimeUtc>,
    /// Performed at, UTC.
    pub performed_at: Option<DateTimeUtc>,
    /// Visit line id.
    pub visit_line_id: Option<Uuid>,
    /// Acceptance as JSON text.
    #[sea_orm(column_type = "Text")]
    pub acceptance: Option<String>,
    /// Origin visit id.
    pub origin_visit_id: Option<Uuid>,
    /// Origin visit line id.
    pub origin_visit_line_id: Option<Uuid>,
    /// Origin plan id.
    pub origin_plan_id: Option<Uuid>,
    /// Place of the failed step in its list, from 1.
    pub origin_step: Option<i32>,
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
