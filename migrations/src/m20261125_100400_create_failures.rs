//! Creates the table of failures, and keeps what a visit line says of parts and failure.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "create table failure (
         id {uuid} not null,
         organization_id {uuid} not null,
         device_id {uuid} not null,
         site_id {uuid},
         model_id {uuid} not null,
         region_code text,
         visit_line_id {uuid} not null,
         work_order_id {uuid},
         failure_code text not null,
         cause_code text,
         remedy_code text,
         origin text not null,
         failed_at {ts} not null,
         detected_at {ts},
         restored_at {ts},
         recorded_at {ts} not null,
         primary key (id),
         unique (visit_line_id)
     )",
    "create index failure_device_id_failed_at on failure (organization_id, device_id, failed_at)",
    "create index failure_failed_at on failure (organization_id, failed_at)",
    "alter table visit_line add column parts_replaced text not null default '[]'",
    "alter table visit_line add column failure text",
];

const DOWN: &[&str] = &[
    "alter table visit_line drop column failure",
    "alter table visit_line drop column parts_replaced",
    "drop table failure",
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
