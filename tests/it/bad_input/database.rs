//! The database behind the server: to tamper with it, and to see that nothing was written.

use crate::support::TestApp;
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use std::collections::BTreeMap;

/// Tables a request may write to, each with what also grows when one of its rows is changed.
const TABLES: [(&str, &str); 37] = [
    ("meter", "0"),
    ("failure_code", "0"),
    ("failure_cause", "0"),
    ("failure_remedy", "0"),
    ("freeze_period", "version"),
    ("device_model", "version"),
    ("model_meter", "0"),
    ("model_component", "0"),
    ("merchant", "version"),
    ("site", "version"),
    ("position", "version"),
    ("technician", "version"),
    ("device", "version"),
    ("binding", "case when ended_at is null then 0 else 1 end"),
    ("component", "case when removed_at is null then 0 else 1 end"),
    ("component_life", "life_at_install"),
    ("software_item", "0"),
    ("external_id", "0"),
    ("device_event", "sequence"),
    ("device_head", "sequence"),
    ("planner_mark", "0"),
    ("meter_reading", "life"),
    ("device_meter", "life"),
    ("daily_usage", "0"),
    ("firmware_release", "0"),
    ("firmware_release_model", "0"),
    ("firmware_target", "version"),
    ("maintenance_plan", "version"),
    ("plan_revision", "revision"),
    ("maintenance_item", "version"),
    ("maintenance_log", "0"),
    ("work_order", "version"),
    ("service_visit", "version"),
    ("visit_line", "0"),
    ("failure", "0"),
    ("number_block", "next"),
    ("idempotency", "0"),
];

/// How many rows each table has, and how far they have grown.
pub type Rows = BTreeMap<String, (i64, i64)>;

/// Sends SQL behind the product's back; both databases must understand it.
pub async fn sql(app: &TestApp, sql: &str) {
    app.db().reader().execute_unprepared(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
}

/// Asks behind the product's back.
pub async fn ask(app: &TestApp, sql: &str) -> Vec<QueryResult> {
    let db = app.db().reader();
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.query_all_raw(statement).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
}

/// What stands in the tables.
pub async fn rows(app: &TestApp) -> Rows {
    let of_table = |(table, grows): &(&str, &str)| {
        let grown = format!("cast(coalesce(sum({grows}), 0) as bigint)");
        format!("select '{table}' as name, count(*) as found, {grown} as grown from {table}")
    };
    let asked: Vec<String> = TABLES.iter().map(of_table).collect();
    let read = |row: &QueryResult| {
        let number = |column: &str| row.try_get::<i64>("", column).expect(column);
        (row.try_get::<String>("", "name").expect("name"), (number("found"), number("grown")))
    };
    ask(app, &asked.join(" union all ")).await.iter().map(read).collect()
}
