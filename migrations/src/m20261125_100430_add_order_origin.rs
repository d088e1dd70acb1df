//! Remembers the failed step an order was opened for.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "alter table work_order add column origin_visit_id {uuid}",
    "alter table work_order add column origin_visit_line_id {uuid}",
    "alter table work_order add column origin_plan_id {uuid}",
    "alter table work_order add column origin_step integer",
];

const DOWN: &[&str] = &[
    "alter table work_order drop column origin_step",
    "alter table work_order drop column origin_plan_id",
    "alter table work_order drop column origin_visit_line_id",
    "alter table work_order drop column origin_visit_id",
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
