//! Creates the table of freeze periods.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &["create table freeze_period (
         id {uuid} not null,
         organization_id {uuid} not null,
         code text not null,
         name_en text not null,
         name_zh text not null,
         starts_on {date} not null,
         ends_on {date} not null,
         region_codes text not null,
         channels text not null,
         version bigint not null,
         primary key (id),
         unique (organization_id, code)
     )"];

const DOWN: &[&str] = &["drop table freeze_period"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}
