//! Pages that cannot be: too many rows, none, or after a place in another list.

use super::query_code;
use super::world::World;
use crate::support::TestApp;
use serde_json::{Value, json};
use tillkeep::kernel::page::encode_cursor;

/// Every list; `PAGE` stands for its paging arguments.
const LISTS: [&str; 14] = [
    "devices(PAGE)",
    "devices(orderBy: { field: SERIAL_NUMBER, direction: ASC }, PAGE)",
    "devices(orderBy: { field: SERIAL_NUMBER, direction: DESC }, PAGE)",
    "merchants(PAGE)",
    "sites(PAGE)",
    "technicians(PAGE)",
    "deviceModels(PAGE)",
    "maintenancePlans(PAGE)",
    r#"upcomingMaintenance(dueBefore: "2026-12-01T00:00:00Z", PAGE)"#,
    "workOrders(PAGE)",
    "workOrders(orderBy: { field: CREATED_AT, direction: DESC }, PAGE)",
    "workOrders(orderBy: { field: PRIORITY, direction: ASC }, PAGE)",
    "serviceVisits(PAGE)",
    r#"device(serialNumber: "HX1") { list: history(PAGE)"#,
];

/// A query of a list with paging arguments.
fn query(list: &str, page: &str) -> String {
    let close = if list.contains("{ list:") { "}" } else { "" };
    let list = list.replace("PAGE", page);
    format!("query($n: Int, $after: String) {{ {list} {{ pageInfo {{ endCursor hasNextPage }} }} {close} }}")
}

/// The first text of a field, wherever it stands.
fn find<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    match value {
        Value::Object(fields) => {
            fields.get(field).and_then(Value::as_str).or_else(|| fields.values().find_map(|v| find(v, field)))
        }
        Value::Array(rows) => rows.iter().find_map(|v| find(v, field)),
        _ => None,
    }
}

#[tokio::test]
async fn a_page_has_one_to_five_hundred_rows() {
    let app = TestApp::start().await;
    app.fielded("HX1", "2026-05-04T01:00:00Z").await;
    for list in LISTS {
        let statements = app.db().statement_count();
        for n in [0, -1, 501, i32::MIN] {
            let written = format!("first: {n}");
            for page in [written.as_str(), "first: $n"] {
                // Variables that are not used are no error of the page's.
                let query = query(list, &format!("{page}, after: $after"));
                let query = if page == written { query.replace("$n: Int, ", "") } else { query };
                let answer = app.try_gql(&query, json!({"n": n, "after": null})).await;
                let error = &answer["errors"][0];
                assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{query} with {n}: {answer:#}");
                assert!(error["message"].as_str().unwrap().contains("1 to 500"), "{query} with {n}: {answer:#}");
            }
        }
        assert_eq!(app.db().statement_count(), statements, "{list}: refused before any resolver runs");
        let most = query(list, "first: $n, after: $after");
        assert_eq!(query_code(&app, &most, json!({"n": 500})).await, "DONE", "{list}");
    }
    for page in ["last: 0", "last: 501", "first: 5, last: 5", "last: 5, after: \"x\"", "before: \"x\""] {
        let query = format!("{{ devices({page}) {{ totalCount }} }}");
        assert_eq!(query_code(&app, &query, json!({})).await, "BAD_USER_INPUT", "{page}");
    }
}

#[tokio::test]
async fn a_cursor_is_read_by_its_own_list_and_order_only() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let line = json!({"deviceId": world.fielded.device});
    app.log_visit(&world.fielded.site, &world.technician, "2026-05-04T02:00:00Z", vec![line]).await;
    let mut cursors = Vec::new();
    for list in LISTS {
        let data = app.gql(&query(list, "first: $n, after: $after"), json!({"n": 1})).await;
        let cursor = find(&data, "endCursor").unwrap_or_else(|| panic!("{list} is empty: {data:#}")).to_owned();
        cursors.push((list, cursor));
    }
    let mut wrong = Vec::new();
    for list in LISTS {
        for (from, cursor) in &cursors {
            let page = query(list, "first: $n, after: $after");
            let code = query_code(&app, &page, json!({"n": 5, "after": cursor})).await;
            if (code == "DONE") != (list == *from) || !matches!(code.as_str(), "DONE" | "BAD_USER_INPUT") {
                wrong.push(format!("{code}: a cursor of {from} in {list}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_is_no_cursor_is_refused() {
    let app = TestApp::start().await;
    app.fielded("HX1", "2026-05-04T01:00:00Z").await;
    let none: [String; 0] = [];
    let cursors = [
        "nonsense".to_owned(),
        String::new(),
        "…".to_owned(),
        encode_cursor(&none),
        encode_cursor(&["\u{0}".to_owned()]),
        encode_cursor(&["devices".to_owned(), "x".to_owned(), "x".to_owned()]),
    ];
    for list in LISTS {
        for cursor in &cursors {
            let page = query(list, "first: $n, after: $after");
            let code = query_code(&app, &page, json!({"n": 5, "after": cursor})).await;
            assert_eq!(code, "BAD_USER_INPUT", "{cursor:?} in {list}");
        }
    }
}
