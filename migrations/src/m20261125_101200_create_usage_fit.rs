//! Creates the tables of what forecasts rest on: what was chosen for each device and meter, and what
//! the fleet has in common.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "create table usage_fit (
         organization_id {uuid} not null,
         device_id {uuid} not null,
         meter_code text not null,
         fitted_through {date} not null,
         source_updated_at {ts} not null,
         pool_version bigint not null,
         fit text not null,
         hour_profile text,
         hours_as_of {ts},
         updated_at {ts} not null,
         primary key (device_id, meter_code)
     )",
    "create table usage_pool (
         organization_id {uuid} not null,
         meter_code text not null,
         version bigint not null,
         published_at {ts} not null,
         device_count integer not null,
         pool text not null,
         primary key (organization_id, meter_code, version)
     )",
];

const DOWN: &[&str] = &["drop table usage_pool", "drop table usage_fit"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}
