//! Creates the tables of visits.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "create table service_visit (
         id {uuid} not null,
         organization_id {uuid} not null,
         number text not null,
         site_id {uuid} not null,
         technician_id {uuid} not null,
         started_at {ts} not null,
         ended_at {ts},
         notes text,
         recorded_at {ts} not null,
         version bigint not null,
         primary key (id),
         unique (organization_id, number)
     )",
    "create index service_visit_started_at_id on service_visit (organization_id, started_at, id)",
    "create index service_visit_site_id_started_at_id on service_visit (organization_id, site_id, started_at, id)",
    "create index service_visit_technician_id_started_at_id on service_visit (organization_id, technician_id, started_at, id)",
    "create table visit_line (
         id {uuid} not null,
         organization_id {uuid} not null,
         visit_id {uuid} not null,
         line_no integer not null,
         device_id {uuid},
         serial_number text,
         manufacturer text,
         performed_at {ts} not null,
         outcome text not null,
         findings text,
         step_results text not null,
         work_order_ids text not null,
         plan_ids text not null,
         notices text not null,
         primary key (id),
         foreign key (visit_id) references service_visit (id)
     )",
    "create index visit_line_visit_id on visit_line (organization_id, visit_id)",
    "create index visit_line_device_id_performed_at on visit_line (organization_id, device_id, performed_at)",
];

const DOWN: &[&str] = &["drop table visit_line", "drop table service_visit"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}
