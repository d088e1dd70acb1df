//! Gives parts a warranty, a number of their own, and the life counters at which they came and went.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "alter table component add column warranty_ends_on {date}",
    "alter table component add column part_number text",
    // One part cannot be in two devices at once.
    "create unique index component_kind_serial_number_open on component (organization_id, kind, serial_number) where removed_at is null",
    "create index component_serial_number on component (organization_id, serial_number)",
    "create table component_life (
         organization_id {uuid} not null,
         component_id {uuid} not null,
         meter_code text not null,
         life_at_install bigint not null,
         life_at_removal bigint,
         primary key (component_id, meter_code),
         foreign key (component_id) references component (id)
     )",
];

const DOWN: &[&str] = &[
    "drop table component_life",
    "drop index component_serial_number",
    "drop index component_kind_serial_number_open",
    "alter table component drop column part_number",
    "alter table component drop column warranty_ends_on",
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
