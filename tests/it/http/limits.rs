//! What one request may ask for: each limit has its code, and is there before any resolver runs.

use super::{JSON, post, refusal, send};
use crate::bad_input::query_code;
use crate::support::TestApp;
use serde_json::json;

/// Sends a query that must be refused before anything is executed.
async fn too_much(app: &TestApp, query: &str, code: &str) {
    let statements = app.db().statement_count();
    let shown: String = query.chars().take(200).collect();
    for (accept, status) in [("application/json", 200), ("application/graphql-response+json", 400)] {
        let response = post(app, query, &[("accept", accept)]).await;
        assert_eq!(refusal(response).await, (status, code.to_owned()), "{shown}");
    }
    assert_eq!(app.db().statement_count(), statements, "no resolver ran for {shown}");
}

/// A query so many levels deep.
fn deep(levels: usize) -> String {
    let cycle = ["devices(first: 1)", "nodes", "site"];
    let fields = (0..levels - 1).map(|level| format!("{} {{ ", cycle[level % 3]));
    format!("{{ {}__typename {}}}", fields.collect::<String>(), "} ".repeat(levels - 1))
}

#[tokio::test]
async fn a_query_is_fifteen_levels_deep_at_most() {
    let app = TestApp::start().await;
    assert_eq!(query_code(&app, &deep(15), json!({})).await, "DONE");
    too_much(&app, &deep(16), "DEPTH_LIMIT").await;
    too_much(&app, &deep(3_000), "DEPTH_LIMIT").await;
    let fragments = (0..40).map(|n| format!("fragment F{n} on Query {{ ...F{} }} ", n + 1)).collect::<String>();
    too_much(&app, &format!("{{ ...F0 }} {fragments} fragment F40 on Query {{ viewer {{ actor }} }}"), "DEPTH_LIMIT")
        .await;
}

#[tokio::test]
async fn a_query_that_may_answer_too_much_is_too_complex() {
    let app = TestApp::start().await;
    too_much(&app, "{ devices(first: 500) { nodes { workOrders(first: 500) { nodes { id } } } } }", "TOO_COMPLEX")
        .await;
    too_much(&app, "{ devices(first: 500) { nodes { historyIntegrity { isIntact } } } }", "TOO_COMPLEX").await;
    too_much(&app, &format!("{{ viewer {{ {} }} }}", "actor ".repeat(5_001)), "TOO_COMPLEX").await;
    let mut bomb = "{ ...F0 }".to_owned();
    for n in 0..20 {
        bomb.push_str(&format!(" fragment F{n} on Query {{ ...F{next} ...F{next} }}", next = n + 1));
    }
    bomb.push_str(" fragment F20 on Query { viewer { actor } }");
    too_much(&app, &bomb, "TOO_COMPLEX").await;
}

#[tokio::test]
async fn questions_about_the_whole_fleet_are_asked_a_few_at_a_time() {
    let app = TestApp::start().await;
    let ask = |count: usize, question: &str| {
        let fields: Vec<String> = (0..count).map(|n| format!("a{n}: {question}")).collect();
        format!("{{ {} }}", fields.join(" "))
    };
    let report = "fleetReport(periodStart: \"2026-05-01T00:00:00Z\", periodEnd: \"2026-06-01T00:00:00Z\") {
        total { due mtbfHours { value } }
    }";
    let then = "devices(asOf: \"2026-05-01T00:00:00Z\", first: 50) { nodes { serialNumber status site { name } } }";
    for question in [report, then] {
        assert_eq!(query_code(&app, &ask(4, question), json!({})).await, "DONE", "{question}");
        too_much(&app, &ask(5, question), "TOO_COMPLEX").await;
    }
    let page = then.replace("50", "500");
    assert_eq!(query_code(&app, &ask(1, &page), json!({})).await, "DONE");
    // As it is now, it is a list like any other.
    let now = then.replace("asOf: \"2026-05-01T00:00:00Z\", ", "");
    assert_eq!(query_code(&app, &ask(20, &now), json!({})).await, "DONE");
}

#[tokio::test]
async fn a_query_has_so_many_aliases_directives_and_words() {
    let app = TestApp::start().await;
    let aliases = |count: usize| {
        let fields: Vec<String> = (0..count).map(|n| format!("a{n}: viewer {{ actor }}")).collect();
        format!("{{ {} }}", fields.join(" "))
    };
    assert_eq!(query_code(&app, &aliases(30), json!({})).await, "DONE");
    too_much(&app, &aliases(31), "ALIAS_LIMIT").await;
    let directives = "@include(if: true) ".repeat(31);
    too_much(&app, &format!("{{ viewer {directives} {{ actor }} }}"), "DIRECTIVE_LIMIT").await;
    too_much(&app, &format!("{{ viewer {{ {} }} }}", "actor ".repeat(10_001)), "TOKEN_LIMIT").await;
}

#[tokio::test]
async fn a_circle_of_fragments_is_refused() {
    let app = TestApp::start().await;
    let circle = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }";
    too_much(&app, circle, "BAD_USER_INPUT").await;
}

#[tokio::test]
async fn requests_come_one_by_one() {
    let app = TestApp::start().await;
    let statements = app.db().statement_count();
    let batch = json!([{"query": "{ viewer { actor } }"}, {"query": "{ viewer { actor } }"}]);
    let response = send(&app, batch.to_string(), &[JSON]).await;
    assert_eq!(refusal(response).await, (400, "BATCH_REFUSED".to_owned()));
    assert_eq!(app.db().statement_count(), statements);
}

#[tokio::test]
async fn a_body_has_eight_megabytes_at_most() {
    let app = TestApp::start().await;
    let statements = app.db().statement_count();
    let body = |bytes: usize| {
        let (start, end) = (r#"{"query": "{ viewer { actor } }", "variables": {"x": ""#, r#""}}"#);
        format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len()))
    };
    let most = 8 * 1024 * 1024;
    // One byte more, so that the server has read all of it when it refuses.
    let response = send(&app, body(most + 1), &[JSON]).await;
    assert_eq!(refusal(response).await, (413, "BODY_LIMIT".to_owned()));
    assert_eq!(app.db().statement_count(), statements);
    assert_eq!(send(&app, body(most), &[JSON]).await.status().as_u16(), 200);
}
