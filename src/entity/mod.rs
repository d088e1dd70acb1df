//! One file per table: SeaORM model, nothing else.

pub mod binding;
pub mod component;
pub mod component_life;
pub mod daily_usage;
pub mod device;
pub mod device_event;
pub mod device_head;
pub mod device_meter;
pub mod device_model;
pub mod external_id;
pub mod failure;
pub mod failure_cause;
pub mod failure_code;
pub mod failure_remedy;
pub mod firmware_release;
pub mod firmware_release_model;
pub mod firmware_target;
pub mod freeze_period;
pub mod holiday;
pub mod idempotency;
pub mod job_run;
pub mod lease;
pub mod maintenance_item;
pub mod maintenance_log;
pub mod maintenance_plan;
pub mod merchant;
pub mod meter;
pub mod meter_reading;
pub mod model_component;
pub mod model_meter;
pub mod number_block;
pub mod organization;
pub mod outbox;
pub mod plan_revision;
pub mod planner_mark;
pub mod position;
pub mod service_visit;
pub mod site;
pub mod software_item;
pub mod technician;
pub mod usage_fit;
pub mod usage_pool;
pub mod visit_line;
pub mod work_order;

use sea_orm::EntityTrait;

/// A table whose every row belongs to one organization.
pub trait Scoped: EntityTrait {
    /// The column that says which.
    fn organization_column() -> Self::Column;
}
