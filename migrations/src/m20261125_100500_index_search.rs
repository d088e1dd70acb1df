//! Indexes of what people search by: numbers, whatever their case, from their beginning.

use crate::sql::run;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// Index, table, column.
const INDEXES: [(&str, &str, &str); 7] = [
    ("device_serial_number_search", "device", "serial_number"),
    ("device_asset_tag_search", "device", "asset_tag"),
    ("external_id_value_search", "external_id", "value"),
    ("position_terminal_number_search", "position", "terminal_number"),
    ("merchant_merchant_number_search", "merchant", "merchant_number"),
    ("work_order_number_search", "work_order", "number"),
    ("service_visit_number_search", "service_visit", "number"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Bytes in their order, whatever the language of the database.
        let order = match manager.get_database_backend() {
            DatabaseBackend::Sqlite => "",
            _ => " text_pattern_ops",
        };
        for (index, table, column) in INDEXES {
            let sql = format!("create index {index} on {table} (organization_id, lower({column}){order})");
            run(manager, &[sql.as_str()]).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (index, _, _) in INDEXES {
            run(manager, &[format!("drop index {index}").as_str()]).await?;
        }
        Ok(())
    }
}
