//! Creates the tables of planning.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "create table maintenance_plan (
         id {uuid} not null,
         organization_id {uuid} not null,
         code text not null,
         current_revision_id {uuid} not null,
         is_active boolean not null,
         version bigint not null,
         created_at {ts} not null,
         primary key (id),
         unique (organization_id, code)
     )",
    "create table plan_revision (
         id {uuid} not null,
         organization_id {uuid} not null,
         plan_id {uuid} not null,
         revision integer not null,
         definition text not null,
         created_at {ts} not null,
         primary key (id),
         unique (plan_id, revision)
     )",
    "create table maintenance_item (
         id {uuid} not null,
         organization_id {uuid} not null,
         plan_id {uuid} not null,
         subject_kind text not null,
         subject_id {uuid} not null,
         device_id {uuid},
         site_id {uuid},
         model_id {uuid},
         region_code text,
         kind text not null,
         channel text not null,
         is_alive boolean not null,
         alive_since {ts} not null,
         counts_from {ts} not null,
         last_done_at {ts},
         cycle bigint not null,
         nominal_due_at {ts},
         due_at {ts},
         window_start {ts},
         window_end {ts},
         p10_at {ts},
         p50_at {ts},
         p90_at {ts},
         occurrence_key text,
         explanation text,
         open_order_id {uuid},
         decided_at {ts} not null,
         next_look_at {ts},
         version bigint not null,
         primary key (id),
         unique (plan_id, subject_kind, subject_id)
     )",
    "create index maintenance_item_due_at_id_open on maintenance_item (organization_id, due_at, id) where open_order_id is null",
    "create index maintenance_item_next_look_at on maintenance_item (organization_id, next_look_at)",
    "create index maintenance_item_site_id_due_at_id on maintenance_item (organization_id, site_id, due_at, id)",
    "create index maintenance_item_device_id_due_at_id on maintenance_item (organization_id, device_id, due_at, id)",
    "create index maintenance_item_subject_id on maintenance_item (organization_id, subject_id)",
    "create table maintenance_log (
         id {uuid} not null,
         organization_id {uuid} not null,
         item_id {uuid} not null,
         plan_id {uuid} not null,
         subject_kind text not null,
         subject_id {uuid} not null,
         kind text not null,
         performed_at {ts} not null,
         occurrence_key text,
         nominal_due_at {ts},
         postponed_to {ts},
         visit_line_id {uuid},
         work_order_id {uuid},
         reason text,
         actor text not null,
         recorded_at {ts} not null,
         is_void boolean not null,
         primary key (id)
     )",
    "create index maintenance_log_subject_id_performed_at on maintenance_log (organization_id, subject_id, performed_at)",
    "create unique index maintenance_log_item_id_occurrence_key_open on maintenance_log (item_id, occurrence_key) where kind = 'MISSED'",
    "create table work_order (
         id {uuid} not null,
         organization_id {uuid} not null,
         number text not null,
         kind text not null,
         state text not null,
         priority integer not null,
         item_id {uuid},
         plan_id {uuid},
         plan_revision_id {uuid},
         subject_kind text not null,
         subject_id {uuid} not null,
         device_id {uuid},
         site_id {uuid},
         position_id {uuid},
         model_id {uuid},
         region_code text,
         nominal_due_at {ts} not null,
         due_at {ts} not null,
         told_due_at {ts} not null,
         window_start {ts} not null,
         window_end {ts} not null,
         occurrence_key text,
         explanation text,
         channel text not null,
         steps text not null,
         estimated_minutes integer not null,
         assignee_id {uuid},
         scheduled_for {ts},
         close_reason text,
         closed_at {ts},
         performed_at {ts},
         visit_line_id {uuid},
         acceptance text,
         version bigint not null,
         created_at {ts} not null,
         primary key (id),
         unique (organization_id, number)
     )",
    "create unique index work_order_item_id_open on work_order (item_id) where state in ('PLANNED','SCHEDULED','DISPATCHED','IN_PROGRESS','ON_HOLD')",
    "create index work_order_due_at_id_open on work_order (organization_id, due_at, id) where state in ('PLANNED','SCHEDULED','DISPATCHED','IN_PROGRESS','ON_HOLD')",
    "create index work_order_created_at_id on work_order (organization_id, created_at, id)",
    "create index work_order_due_at_id on work_order (organization_id, due_at, id)",
    "create index work_order_scheduled_for_id on work_order (organization_id, scheduled_for, id)",
    "create index work_order_priority_id on work_order (organization_id, priority, id)",
    "create index work_order_assignee_id_scheduled_for_id on work_order (organization_id, assignee_id, scheduled_for, id)",
    "create index work_order_plan_id_created_at_id on work_order (organization_id, plan_id, created_at, id)",
    "create index work_order_subject_id on work_order (organization_id, subject_id)",
    // With the order of a page inside, else SQLite walks the whole organization in that order.
    "create index work_order_device_id_created_at_id on work_order (organization_id, device_id, created_at, id)",
    "create index work_order_site_id_created_at_id on work_order (organization_id, site_id, created_at, id)",
];

const DOWN: &[&str] = &[
    "drop table work_order",
    "drop table maintenance_log",
    "drop table maintenance_item",
    "drop table plan_revision",
    "drop table maintenance_plan",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}
