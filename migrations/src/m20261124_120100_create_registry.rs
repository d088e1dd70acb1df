//! Creates the tables of registry.

use crate::sql::run;
use sea_orm_migration::prelude::*;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &[&str] = &[
    "create table organization (
         id {uuid} not null,
         code text not null,
         name text not null,
         time_zone text not null,
         version bigint not null,
         created_at {ts} not null,
         primary key (id),
         unique (code)
     )",
    "create table merchant (
         id {uuid} not null,
         organization_id {uuid} not null,
         name text not null,
         merchant_number text,
         version bigint not null,
         created_at {ts} not null,
         primary key (id),
         unique (organization_id, merchant_number)
     )",
    "create table site (
         id {uuid} not null,
         organization_id {uuid} not null,
         merchant_id {uuid} not null,
         name text not null,
         address text,
         region_code text,
         latitude double precision,
         longitude double precision,
         coordinate_system text,
         time_zone text not null,
         opening_hours text not null,
         closed_days text not null,
         observes_holidays boolean not null,
         country text,
         environment text,
         contact text,
         version bigint not null,
         created_at {ts} not null,
         primary key (id),
         foreign key (merchant_id) references merchant (id)
     )",
    "create index site_merchant_id on site (organization_id, merchant_id)",
    "create index site_region_code on site (organization_id, region_code)",
    "create table position (
         id {uuid} not null,
         organization_id {uuid} not null,
         site_id {uuid} not null,
         name text not null,
         terminal_number text,
         version bigint not null,
         created_at {ts} not null,
         primary key (id),
         unique (organization_id, terminal_number),
         unique (organization_id, site_id, name),
         foreign key (site_id) references site (id)
     )",
    "create table device (
         id {uuid} not null,
         organization_id {uuid} not null,
         manufacturer text not null,
         serial_number text not null,
         model_id {uuid} not null,
         asset_tag text,
         status text not null,
         status_reason text,
         status_since {ts} not null,
         merchant_id {uuid},
         site_id {uuid},
         position_id {uuid},
         region_code text,
         installed_at {ts},
         firmware_version text,
         last_seen_at {ts},
         version bigint not null,
         created_at {ts} not null,
         primary key (id),
         unique (organization_id, manufacturer, serial_number),
         foreign key (model_id) references device_model (id)
     )",
    "create index device_serial_number on device (organization_id, serial_number)",
    "create index device_site_id on device (organization_id, site_id)",
    "create index device_status on device (organization_id, status)",
    "create index device_model_id on device (organization_id, model_id)",
    "create table binding (
         id {uuid} not null,
         organization_id {uuid} not null,
         device_id {uuid} not null,
         position_id {uuid} not null,
         site_id {uuid} not null,
         started_at {ts} not null,
         ended_at {ts},
         primary key (id),
         foreign key (device_id) references device (id),
         foreign key (position_id) references position (id)
     )",
    "create unique index binding_device_id_open on binding (device_id) where ended_at is null",
    "create unique index binding_position_id_open on binding (position_id) where ended_at is null",
    "create index binding_position_id_started_at on binding (organization_id, position_id, started_at)",
    "create index binding_device_id_started_at on binding (organization_id, device_id, started_at)",
    "create table external_id (
         id {uuid} not null,
         organization_id {uuid} not null,
         device_id {uuid} not null,
         system text not null,
         value text not null,
         primary key (id),
         unique (organization_id, system, value)
     )",
    "create index external_id_device_id on external_id (organization_id, device_id)",
    "create table component (
         id {uuid} not null,
         organization_id {uuid} not null,
         device_id {uuid} not null,
         kind text not null,
         serial_number text,
         replaceable_at text not null,
         installed_at {ts} not null,
         removed_at {ts},
         primary key (id)
     )",
    "create index component_device_id on component (organization_id, device_id)",
    "create table software_item (
         id {uuid} not null,
         organization_id {uuid} not null,
         device_id {uuid} not null,
         kind text not null,
         name text not null,
         version_text text not null,
         reported_at {ts} not null,
         primary key (id),
         unique (device_id, kind, name)
     )",
    "create index software_item_device_id on software_item (organization_id, device_id)",
    "create table technician (
         id {uuid} not null,
         organization_id {uuid} not null,
         name text not null,
         employee_number text,
         phone text,
         region_codes text not null,
         version bigint not null,
         created_at {ts} not null,
         primary key (id),
         unique (organization_id, employee_number)
     )",
    "insert into organization (id, code, name, time_zone, version, created_at)
     values ({default_organization}, 'default', 'Default organization', 'Asia/Shanghai', 1, '2026-01-01T00:00:00+00:00')",
];

const DOWN: &[&str] = &[
    "drop table technician",
    "drop table software_item",
    "drop table component",
    "drop table external_id",
    "drop table binding",
    "drop table device",
    "drop table position",
    "drop table site",
    "drop table merchant",
    "drop table organization",
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
