//! The schema and what it refuses, on the database of the run: SQLite, or PostgreSQL when
//! `TILLKEEP_TEST_POSTGRES` gives a server's URL. Either way the same number of tests.

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, EntityName, EntityTrait, IdenStatic,
    IntoActiveModel, Iterable, QueryOrder, QuerySelect, Statement,
};
use std::collections::BTreeSet;
use tillkeep::db::{Db, StoreError};
use tillkeep::entity;
use tillkeep::kernel::scope::Scope;
use tillkeep_migrations::{Migrator, MigratorTrait};
use uuid::Uuid;

#[allow(clippy::disallowed_methods, reason = "the run says through the environment where its server is")]
fn server() -> Option<String> {
    std::env::var("TILLKEEP_TEST_POSTGRES").ok()
}

/// A server's URL with another database.
fn url_of(server: &str, database: &str) -> String {
    let (address, options) = server.split_once('?').unwrap_or((server, ""));
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..].find('/').map_or(address.len(), |at| host + at);
    let mark = if options.is_empty() { "" } else { "?" };
    format!("{}/{database}{mark}{options}", &address[..end])
}

/// Runs a test on an empty database of its own, which is gone afterwards.
async fn on_new_database(name: &str, test: impl AsyncFnOnce(&str)) {
    let Some(server) = server() else {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tillkeep.db");
        test(&format!("sqlite://{}?mode=rwc", file.display())).await;
        return;
    };
    let name = format!("tillkeep_{name}_{}", std::process::id());
    let admin = Database::connect(server.clone()).await.unwrap();
    admin.execute_unprepared(&format!("create database {name}")).await.unwrap();
    test(&url_of(&server, &name)).await;
    admin.execute_unprepared(&format!("drop database {name} with (force)")).await.unwrap();
}

/// The column `name` of a query, sorted.
async fn names(db: &DatabaseConnection, sql: &str) -> BTreeSet<String> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get::<String>("", "name").unwrap()).collect()
}

fn is_sqlite(db: &DatabaseConnection) -> bool {
    db.get_database_backend() == DatabaseBackend::Sqlite
}

/// Everything migrations made: tables, indexes, triggers, functions.
async fn objects(db: &DatabaseConnection) -> BTreeSet<String> {
    let sql = if is_sqlite(db) {
        "select type || ' ' || name as name from sqlite_master
         where name not like 'sqlite_%' and name not like 'seaql_%'"
    } else {
        "select 'relation ' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relname not like 'seaql_%'
         union all
         select 'function ' || p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname = 'public'
         union all
         select 'trigger ' || tgname from pg_trigger where not tgisinternal"
    };
    names(db, sql).await
}

async fn tables(db: &DatabaseConnection) -> BTreeSet<String> {
    let sql = if is_sqlite(db) {
        "select name from sqlite_master
         where type = 'table' and name not like 'sqlite_%' and name not like 'seaql_%'"
    } else {
        "select cast(table_name as text) as name from information_schema.tables
         where table_schema = 'public' and table_name not like 'seaql_%'"
    };
    names(db, sql).await
}

async fn columns(db: &DatabaseConnection, table: &str) -> BTreeSet<String> {
    let sql = if is_sqlite(db) {
        format!("select name from pragma_table_info('{table}')")
    } else {
        format!(
            "select cast(column_name as text) as name from information_schema.columns
             where table_schema = 'public' and table_name = '{table}'"
        )
    };
    names(db, &sql).await
}

/// Reads a table through its entity and compares their columns; says which table.
async fn check<E: EntityTrait>(db: &DatabaseConnection) -> String {
    let table = EntityName::table_name(&E::default());
    if let Err(error) = E::find().limit(1).all(db).await {
        panic!("{table} cannot be read: {error}");
    }
    let declared: BTreeSet<String> =
        <E::Column as Iterable>::iter().map(|c| IdenStatic::as_str(&c).to_owned()).collect();
    assert_eq!(columns(db, table).await, declared, "columns of {table}");
    table.to_owned()
}

macro_rules! check_all {
    ($db:expr, $($table:ident)*) => {
        BTreeSet::from([$(check::<entity::$table::Entity>($db).await),*])
    };
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn event(sequence: i64, occurred_at: DateTime<Utc>) -> entity::device_event::Model {
    entity::device_event::Model {
        organization_id: Scope::DEFAULT.organization.0,
        device_id: Uuid::from_u128(7),
        sequence,
        occurred_at,
        recorded_at: at("2026-11-24T10:00:00.000001Z"),
        kind: "DEVICE_REGISTERED".into(),
        actor: "test".into(),
        canonical: "[]".into(),
        hash: "00".into(),
    }
}

async fn insert(db: &DatabaseConnection, row: &entity::device_event::Model) {
    entity::device_event::Entity::insert(row.clone().into_active_model()).exec_without_returning(db).await.unwrap();
}

#[tokio::test]
async fn migrations_go_up_and_down_and_up_again() {
    on_new_database("up_down", async |url: &str| {
        let db = Database::connect(url).await.unwrap();
        Migrator::up(&db, None).await.unwrap();
        let made = objects(&db).await;
        assert!(!made.is_empty());
        Migrator::down(&db, None).await.unwrap();
        assert_eq!(objects(&db).await, BTreeSet::new(), "left behind");
        Migrator::up(&db, None).await.unwrap();
        assert_eq!(objects(&db).await, made);
    })
    .await;
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    on_new_database("again", async |url: &str| {
        let db = Db::connect(url).await.unwrap();
        db.migrate().await.unwrap();
        let made = objects(db.reader()).await;
        db.migrate().await.unwrap();
        assert_eq!(objects(db.reader()).await, made);
    })
    .await;
}

#[tokio::test]
async fn every_table_has_an_entity_with_the_same_columns() {
    on_new_database("entities", async |url: &str| {
        let db = Db::connect(url).await.unwrap();
        db.migrate().await.unwrap();
        let db = db.reader();
        let checked = check_all!(db,
            binding component component_life daily_usage device device_event device_head device_meter device_model external_id failure
            failure_cause failure_code failure_remedy firmware_release firmware_release_model firmware_target freeze_period holiday
            idempotency job_run lease maintenance_item maintenance_log maintenance_plan merchant meter
            meter_reading model_component model_meter number_block organization outbox plan_revision planner_mark
            position service_visit site software_item technician usage_fit usage_pool visit_line work_order
        );
        assert_eq!(tables(db).await, checked);
    })
    .await;
}

#[tokio::test]
async fn there_is_one_organization_from_the_start() {
    on_new_database("organization", async |url: &str| {
        let db = Db::connect(url).await.unwrap();
        db.migrate().await.unwrap();
        let all = entity::organization::Entity::find().all(db.reader()).await.unwrap();
        let [only] = all.as_slice() else { panic!("{} organizations", all.len()) };
        assert_eq!(only.id, Scope::DEFAULT.organization.0);
        assert_eq!((only.code.as_str(), only.time_zone.as_str()), ("default", "Asia/Shanghai"));
    })
    .await;
}

#[tokio::test]
async fn the_device_file_is_append_only() {
    on_new_database("append_only", async |url: &str| {
        let db = Db::connect(url).await.unwrap();
        db.migrate().await.unwrap();
        // Outside a transaction, which PostgreSQL would give up at the first refusal.
        let db = db.reader();
        let event = event(1, at("2026-11-24T09:00:00Z"));
        insert(db, &event).await;
        let mut refused = vec![
            "update device_event set kind = 'X'",
            "delete from device_event",
            "insert into device_event select * from device_event where true
             on conflict (device_id, sequence) do update set kind = 'X'",
        ];
        if is_sqlite(db) {
            refused.push("insert or replace into device_event select * from device_event");
            refused.push("replace into device_event select * from device_event");
            refused.push("update or replace device_event set sequence = 2");
        } else {
            refused.push("truncate device_event");
        }
        for sql in refused {
            let error = db.execute_unprepared(sql).await.expect_err(sql);
            assert!(error.to_string().contains("append-only"), "{sql}: {error}");
            let all = entity::device_event::Entity::find().all(db).await.unwrap();
            assert_eq!(all, std::slice::from_ref(&event), "{sql}");
        }
    })
    .await;
}

#[tokio::test]
async fn instants_sort_as_time_and_come_back_as_they_were() {
    on_new_database("instants", async |url: &str| {
        let db = Db::connect(url).await.unwrap();
        db.migrate().await.unwrap();
        let db = db.reader();
        let sorted = [
            "2026-11-24T08:59:59.999999Z",
            "2026-11-24T09:00:00Z",
            "2026-11-24T09:00:00.000001Z",
            "2026-11-24T09:00:00.001Z",
            "2026-11-24T09:00:00.001001Z",
            "2026-11-24T09:00:00.500Z",
            "2026-11-24T09:00:01Z",
        ]
        .map(at);
        for (sequence, place) in (1..).zip([3, 0, 6, 1, 5, 2, 4]) {
            insert(db, &event(sequence, sorted[place])).await;
        }
        let rows = entity::device_event::Entity::find()
            .order_by_asc(entity::device_event::Column::OccurredAt)
            .all(db)
            .await
            .unwrap();
        assert_eq!(rows.iter().map(|r| r.occurred_at).collect::<Vec<_>>(), sorted);
    })
    .await;
}

#[tokio::test]
async fn a_unique_violation_is_a_conflict() {
    on_new_database("conflict", async |url: &str| {
        let db = Db::connect(url).await.unwrap();
        db.migrate().await.unwrap();
        let second = entity::organization::Model {
            id: Uuid::from_u128(8),
            code: "default".into(),
            name: "Another".into(),
            time_zone: "Asia/Shanghai".into(),
            requires_inspection: false,
            version: 1,
            created_at: at("2026-11-24T09:00:00Z"),
        };
        let error = entity::organization::Entity::insert(second.into_active_model())
            .exec_without_returning(db.reader())
            .await
            .unwrap_err();
        assert!(matches!(StoreError::from(error), StoreError::Conflict { .. }));
    })
    .await;
}
