//! Creates the tables of firmware.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "create table firmware_release (
         id {uuid} not null,
         organization_id {uuid} not null,
         version_text text not null,
         version_key text not null,
         criticality text not null,
         fixes text not null,
         minimum_prior_version text,
         notes_en text,
         notes_zh text,
         checksum_sha256 text not null,
         size_bytes bigint not null,
         gates text not null,
         published_at {ts} not null,
         created_at {ts} not null,
         primary key (id)
     )",
    "create index firmware_release_published_at_id on firmware_release (organization_id, published_at, id)",
    // The version again, in its normal form, so that a model has it once however it is written.
    "create table firmware_release_model (
         organization_id {uuid} not null,
         release_id {uuid} not null,
         model_id {uuid} not null,
         version_key text not null,
         primary key (release_id, model_id),
         unique (organization_id, model_id, version_key)
     )",
    "create table firmware_target (
         id {uuid} not null,
         organization_id {uuid} not null,
         model_id {uuid} not null,
         selector_key text not null,
         selector text not null,
         release_id {uuid} not null,
         window_cron text,
         window_minutes integer,
         allow_downgrade boolean not null,
         set_at {ts} not null,
         set_by text not null,
         version bigint not null,
         primary key (id),
         unique (organization_id, model_id, selector_key)
     )",
];

const DOWN: &[&str] =
    &["drop table firmware_target", "drop table firmware_release_model", "drop table firmware_release"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}
