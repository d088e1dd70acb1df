//! Creates the tables of infrastructure.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "create table number_block (
         organization_id {uuid} not null,
         kind text not null,
         year integer not null,
         next bigint not null,
         primary key (organization_id, kind, year)
     )",
    "create table idempotency (
         organization_id {uuid} not null,
         actor text not null,
         operation text not null,
         key text not null,
         input_hash text not null,
         outcome text not null,
         created_at {ts} not null,
         primary key (organization_id, actor, operation, key)
     )",
    "create table outbox (
         id {uuid} not null,
         organization_id {uuid} not null,
         topic text not null,
         subject_id {uuid} not null,
         payload text not null,
         created_at {ts} not null,
         primary key (id)
     )",
    "create index outbox_created_at on outbox (created_at)",
    "create table lease (
         name text not null,
         holder text not null,
         until {ts} not null,
         primary key (name)
     )",
    "create table job_run (
         name text not null,
         last_fire {ts} not null,
         primary key (name)
     )",
];

const DOWN: &[&str] = &[
    "drop table job_run",
    "drop table lease",
    "drop table outbox",
    "drop table idempotency",
    "drop table number_block",
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
