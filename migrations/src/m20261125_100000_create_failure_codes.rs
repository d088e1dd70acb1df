//! Creates the closed lists of failures: codes, causes and remedies.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "create table failure_code (
         organization_id {uuid} not null,
         code text not null,
         name_en text not null,
         name_zh text not null,
         family text not null,
         component text,
         mode text not null,
         mechanism text not null,
         mechanism_name_en text not null,
         mechanism_name_zh text not null,
         severity integer not null,
         is_remote_fixable boolean not null,
         is_compliance boolean not null,
         origin text not null,
         causes text not null,
         remedies text not null,
         detection text not null,
         note text,
         source text not null,
         basis text not null,
         primary key (organization_id, code)
     )",
    "create table failure_cause (
         organization_id {uuid} not null,
         code text not null,
         name_en text not null,
         name_zh text not null,
         source text not null,
         primary key (organization_id, code)
     )",
    "create table failure_remedy (
         organization_id {uuid} not null,
         code text not null,
         name_en text not null,
         name_zh text not null,
         source text not null,
         primary key (organization_id, code)
     )",
];

const DOWN: &[&str] = &["drop table failure_remedy", "drop table failure_cause", "drop table failure_code"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}
