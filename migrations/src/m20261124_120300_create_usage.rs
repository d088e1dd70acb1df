//! Creates the tables of usage.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "create table meter_reading (
         organization_id {uuid} not null,
         device_id {uuid} not null,
         meter_code text not null,
         read_at {ts} not null,
         value bigint not null,
         disposition text not null,
         life bigint not null,
         recorded_at {ts} not null,
         source text not null,
         terminal_number text,
         primary key (device_id, meter_code, read_at, value)
     )",
    "create index meter_reading_device_id_meter_code_life on meter_reading (device_id, meter_code, life)",
    "create table device_meter (
         organization_id {uuid} not null,
         device_id {uuid} not null,
         meter_code text not null,
         latest_value bigint not null,
         latest_at {ts} not null,
         life bigint not null,
         first_at {ts} not null,
         first_life bigint not null,
         reading_count bigint not null,
         last_row_at {ts} not null,
         is_settled boolean not null,
         updated_at {ts} not null,
         primary key (device_id, meter_code)
     )",
    "create table daily_usage (
         organization_id {uuid} not null,
         device_id {uuid} not null,
         meter_code text not null,
         year integer not null,
         days {blob} not null,
         primary key (device_id, meter_code, year)
     )",
];

const DOWN: &[&str] = &["drop table daily_usage", "drop table device_meter", "drop table meter_reading"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}
