//! Indexes by which a report finds what fell due in its period.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "create index work_order_nominal_due_at on work_order (organization_id, nominal_due_at)",
    "create index maintenance_log_nominal_due_at on maintenance_log (organization_id, nominal_due_at)
     where kind in ('MISSED','SKIPPED')",
];

const DOWN: &[&str] = &["drop index maintenance_log_nominal_due_at", "drop index work_order_nominal_due_at"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}
