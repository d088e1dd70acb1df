//! Creates the tables of catalogue.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "create table holiday (
         country text not null,
         date {date} not null,
         name_en text not null,
         name_zh text not null,
         is_working_day boolean not null,
         source text not null,
         primary key (country, date)
     )",
    "create table meter (
         organization_id {uuid} not null,
         code text not null,
         name_en text not null,
         name_zh text not null,
         kind text not null,
         unit text not null,
         decimals integer not null,
         source text not null,
         primary key (organization_id, code)
     )",
    "create table device_model (
         id {uuid} not null,
         organization_id {uuid} not null,
         code text not null,
         manufacturer text not null,
         name text not null,
         hardware_revision text not null,
         form_factor text,
         platform text,
         source text not null,
         is_assumed boolean not null,
         notes text,
         version bigint not null,
         created_at {ts} not null,
         primary key (id),
         unique (organization_id, manufacturer, name, hardware_revision),
         unique (organization_id, code)
     )",
    "create table model_meter (
         organization_id {uuid} not null,
         model_id {uuid} not null,
         meter_code text not null,
         modulus bigint,
         max_per_day bigint not null,
         rated_life bigint,
         rated_life_basis text,
         rated_life_source text,
         planning_per_day double precision not null,
         primary key (model_id, meter_code)
     )",
    "create table model_component (
         organization_id {uuid} not null,
         model_id {uuid} not null,
         kind text not null,
         replaceable_at text not null,
         rated_meter text,
         basis text not null,
         primary key (model_id, kind)
     )",
];

const DOWN: &[&str] = &[
    "drop table model_component",
    "drop table model_meter",
    "drop table device_model",
    "drop table meter",
    "drop table holiday",
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
