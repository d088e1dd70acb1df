//! One subject × one plan.

use sea_orm::entity::prelude::*;

/// A row of `maintenance_item`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "maintenance_item")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Plan id.
    pub plan_id: Uuid,
    /// Subject kind.
    #[sea_orm(column_type = "Text")]
    pub subject_kind: String,
    /// Subject id.
    pub subject_id: Uuid,
    /// Device id.
    pub device_id: Option<Uuid>,
    /// Site id.
    pub site_id: Option<Uuid>,
    /// Model id.
    pub model_id: Option<Uuid>,
    /// Region code.
    #[sea_orm(column_type = "Text")]
    pub region_code: Option<String>,
    /// Kind.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Channel.
    #[sea_orm(column_type = "Text")]
    pub channel: String,
    /// Is alive.
    pub is_alive: bool,
    /// Alive since, UTC.
    pub alive_since: DateTimeUtc,
    /// Counts from, UTC.
    pub counts_from: DateTimeUtc,
    /// Last done at, UTC.
    pub last_done_at: Option<DateTimeUtc>,
    /// Cycle.
    pub cycle: i64,
    /// Nominal due at, UTC.
    pub nominal_due_at: Option<DateTimeUtc>,
    /// Due at, UTC.
    pub due_at: Option<DateTimeUtc>,
    /// Window start, UTC.
    pub window_start: Option<DateTimeUtc>,
    /// Window end, UTC.
    pub window_end: Option<DateTimeUtc>,
    /// P10 at, UTC.
    pub p10_at: Option<DateTimeUtc>,
    /// P50 at, UTC.
    pub p50_at: Option<DateTimeUtc>,
    /// P90 at, UTC.
    pub p90_at: Option<DateTimeUtc>,
    /// Occurrence key.
    #[sea_orm(column_type = "Text")]
    pub occurrence_key: Option<String>,
    /// Explanation as JSON text.
    #[sea_orm(column_type = "Text")]
    pub explanation: Option<String>,
    /// Open order id.
    pub open_order_id: Option<Uuid>,
    /// Item whose work does this one too.
    pub covered_by: Option<Uuid>,
    /// State of its conditions as JSON text.
    #[sea_orm(column_type = "Text")]
    pub conditions: Option<String>,
    /// Decided at, UTC.
    pub decided_at: DateTimeUtc,
    /// Next look at, UTC.
    pub next_look_at: Option<DateTimeUtc>,
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
