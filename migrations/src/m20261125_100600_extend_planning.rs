//! Adds coverage and the state of conditions to items, and weekly hours to technicians.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "alter table maintenance_item add column covered_by {uuid}",
    "alter table maintenance_item add column conditions text",
    "alter table technician add column weekly_hours double precision",
];

const DOWN: &[&str] = &[
    "alter table technician drop column weekly_hours",
    "alter table maintenance_item drop column conditions",
    "alter table maintenance_item drop column covered_by",
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
