//! Remembers whether devices must be inspected before service, and which were.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "alter table organization add column requires_inspection boolean not null default false",
    "alter table device add column inspected_at {ts}",
    "alter table device add column uninspected_since {ts}",
];

const DOWN: &[&str] = &[
    "alter table device drop column uninspected_since",
    "alter table device drop column inspected_at",
    "alter table organization drop column requires_inspection",
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
