//! Creates the tables of device file.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "create table device_event (
         organization_id {uuid} not null,
         device_id {uuid} not null,
         sequence bigint not null,
         occurred_at {ts} not null,
         recorded_at {ts} not null,
         kind text not null,
         actor text not null,
         canonical text not null,
         hash text not null,
         primary key (device_id, sequence)
     )",
    "create table device_head (
         organization_id {uuid} not null,
         device_id {uuid} not null,
         sequence bigint not null,
         hash text not null,
         primary key (device_id)
     )",
    "create table planner_mark (
         organization_id {uuid} not null,
         subject_kind text not null,
         subject_id {uuid} not null,
         stamp {uuid} not null,
         primary key (subject_kind, subject_id)
     )",
    "create index planner_mark_stamp_subject_id on planner_mark (organization_id, stamp, subject_id)",
];

const DOWN: &[&str] = &["drop table planner_mark", "drop table device_head", "drop table device_event"];

const APPEND_ONLY_SQLITE: &[&str] = &[
    "create trigger device_event_no_update before update on device_event
     begin select raise(abort, 'device_event is append-only'); end",
    "create trigger device_event_no_delete before delete on device_event
     begin select raise(abort, 'device_event is append-only'); end",
    // UPDATE and DELETE triggers do not stop INSERT OR REPLACE.
    "create trigger device_event_no_replace before insert on device_event
     when exists (select 1 from device_event where device_id = new.device_id and sequence = new.sequence)
     begin select raise(abort, 'device_event is append-only'); end",
];

const APPEND_ONLY_POSTGRES: &[&str] = &[
    "create function device_event_is_append_only() returns trigger language plpgsql as
     $$ begin raise exception 'device_event is append-only'; end $$",
    "create trigger device_event_no_change before update or delete on device_event
     for each row execute function device_event_is_append_only()",
    "create trigger device_event_no_truncate before truncate on device_event
     for each statement execute function device_event_is_append_only()",
    "revoke update, delete, truncate on device_event from public",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await?;
        match manager.get_database_backend() {
            sea_orm_migration::sea_orm::DatabaseBackend::Sqlite => run(manager, APPEND_ONLY_SQLITE).await,
            _ => run(manager, APPEND_ONLY_POSTGRES).await,
        }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await?;
        match manager.get_database_backend() {
            sea_orm_migration::sea_orm::DatabaseBackend::Sqlite => Ok(()),
            _ => run(manager, &["drop function device_event_is_append_only()"]).await,
        }
    }
}
