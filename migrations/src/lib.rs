//! tillkeep's migrations: plain SQL, the same on SQLite and PostgreSQL but for type names.
//!
//! A crate of its own, so that a migration cannot import today's code.

mod m20261124_120000_create_catalogue;
mod m20261124_120100_create_registry;
mod m20261124_120200_create_device_file;
mod m20261124_120300_create_usage;
mod m20261124_120400_create_planning;
mod m20261124_120500_create_visits;
mod m20261124_120600_create_infrastructure;
mod m20261125_100000_create_failure_codes;
mod m20261125_100100_create_freeze_period;
mod m20261125_100200_create_firmware;
mod m20261125_100400_create_failures;
mod m20261125_100410_create_component_life;
mod m20261125_100420_add_inspection_gate;
mod m20261125_100430_add_order_origin;
mod m20261125_100500_index_search;
mod m20261125_100510_order_outbox;
mod m20261125_100600_extend_planning;
mod m20261125_100900_index_reports;
mod m20261125_101000_index_work;
mod m20261125_101200_create_usage_fit;
mod sql;

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

/// Every migration, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_120000_create_catalogue::Migration),
            Box::new(m20261124_120100_create_registry::Migration),
            Box::new(m20261124_120200_create_device_file::Migration),
            Box::new(m20261124_120300_create_usage::Migration),
            Box::new(m20261124_120400_create_planning::Migration),
            Box::new(m20261124_120500_create_visits::Migration),
            Box::new(m20261124_120600_create_infrastructure::Migration),
            Box::new(m20261125_100000_create_failure_codes::Migration),
            Box::new(m20261125_100100_create_freeze_period::Migration),
            Box::new(m20261125_100200_create_firmware::Migration),
            Box::new(m20261125_100400_create_failures::Migration),
            Box::new(m20261125_100410_create_component_life::Migration),
            Box::new(m20261125_100420_add_inspection_gate::Migration),
            Box::new(m20261125_100430_add_order_origin::Migration),
            Box::new(m20261125_100500_index_search::Migration),
            Box::new(m20261125_100510_order_outbox::Migration),
            Box::new(m20261125_100600_extend_planning::Migration),
            Box::new(m20261125_100900_index_reports::Migration),
            Box::new(m20261125_101000_index_work::Migration),
            Box::new(m20261125_101200_create_usage_fit::Migration),
        ]
    }
}
