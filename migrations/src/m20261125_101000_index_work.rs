//! Indexes by which a report finds the work of its period: what was counted, what lines tell, what
//! was repaired.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "create index maintenance_log_performed_at on maintenance_log (organization_id, performed_at)
     where kind = 'DONE'",
    "create index visit_line_performed_at on visit_line (organization_id, performed_at)",
    "create index work_order_performed_at on work_order (organization_id, performed_at)
     where kind = 'CORRECTIVE'",
];

const DOWN: &[&str] = &[
    "drop index work_order_performed_at",
    "drop index visit_line_performed_at",
    "drop index maintenance_log_performed_at",
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
