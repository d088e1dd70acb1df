//! Gives messages of the outbox a place in the order in which changes become lasting.

use crate::sql::run;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

// SQLite cannot add such a column, so the table is made anew. Numbers are never given twice, also
// when old messages are dropped.
const UP_SQLITE: &[&str] = &[
    "create table outbox_ordered (
         position integer primary key autoincrement,
         change_id bigint not null default 0,
         id {uuid} not null,
         organization_id {uuid} not null,
         topic text not null,
         subject_id {uuid} not null,
         payload text not null,
         created_at {ts} not null,
         unique (id)
     )",
    "insert into outbox_ordered (id, organization_id, topic, subject_id, payload, created_at)
     select id, organization_id, topic, subject_id, payload, created_at from outbox order by rowid",
    "drop table outbox",
    "alter table outbox_ordered rename to outbox",
    "create index outbox_created_at on outbox (created_at)",
];

const UP_POSTGRES: &[&str] = &[
    "alter table outbox add column position bigint generated always as identity",
    "alter table outbox add column change_id bigint not null default (pg_current_xact_id()::text::bigint)",
];

const INDEX: &[&str] = &["create index outbox_order on outbox (organization_id, topic, change_id, position)"];

const DOWN_SQLITE: &[&str] = &[
    "create table outbox_plain (
         id {uuid} not null,
         organization_id {uuid} not null,
         topic text not null,
         subject_id {uuid} not null,
         payload text not null,
         created_at {ts} not null,
         primary key (id)
     )",
    "insert into outbox_plain select id, organization_id, topic, subject_id, payload, created_at from outbox",
    "drop table outbox",
    "alter table outbox_plain rename to outbox",
    "create index outbox_created_at on outbox (created_at)",
];

const DOWN_POSTGRES: &[&str] =
    &["drop index outbox_order", "alter table outbox drop column change_id", "alter table outbox drop column position"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DatabaseBackend::Sqlite => run(manager, UP_SQLITE).await?,
            _ => run(manager, UP_POSTGRES).await?,
        }
        run(manager, INDEX).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DatabaseBackend::Sqlite => run(manager, DOWN_SQLITE).await,
            _ => run(manager, DOWN_POSTGRES).await,
        }
    }
}
