//! Health, metrics and request ids: what operators see.

use super::{get, header, post};
use crate::support::{TestApp, text};
use serde_json::{Value, json};

#[tokio::test]
async fn a_server_that_runs_is_alive_and_ready() {
    let app = TestApp::start().await;
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(get(&app, path, &[]).await.status().as_u16(), 200, "{path}");
    }
    assert_eq!(get(&app, "/health", &[]).await.status().as_u16(), 404);
}

#[tokio::test]
async fn a_server_without_its_database_is_alive_but_not_ready_and_says_try_again() {
    let app = TestApp::start().await;
    app.db().reader().close_by_ref().await.unwrap();
    assert_eq!(get(&app, "/health/live", &[]).await.status().as_u16(), 200);
    let response = get(&app, "/health/ready", &[]).await;
    assert_eq!(response.status().as_u16(), 503);
    assert_eq!(response.text().await.unwrap(), "the database does not answer\n");
    let answer: Value = post(&app, "{ viewer { organization { code } } }", &[]).await.json().await.unwrap();
    let extensions = &answer["errors"][0]["extensions"];
    assert_eq!((&extensions["code"], &extensions["retryable"]), (&json!("UNAVAILABLE"), &json!(true)), "{answer:#}");
}

#[tokio::test]
async fn metrics_count_requests_and_statements() {
    let app = TestApp::start().await;
    get(&app, "/health/live", &[]).await;
    post(&app, "{ viewer { organization { code } } }", &[]).await;
    get(&app, "/no/such/page", &[]).await;
    let response = get(&app, "/metrics", &[]).await;
    assert_eq!(header(&response, "content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let metrics = response.text().await.unwrap();
    let counted = |name: &str, parts: &[&str]| {
        metrics.lines().any(|line| line.starts_with(name) && parts.iter().all(|part| line.contains(part)))
    };
    for (route, status) in [("/health/live", "200"), ("/graphql", "200"), ("page", "404")] {
        let parts = [format!("route=\"{route}\""), format!("status=\"{status}\"")];
        let parts = [parts[0].as_str(), parts[1].as_str()];
        assert!(counted("tillkeep_http_requests_total{", &parts), "{route}: {metrics}");
    }
    assert!(counted("tillkeep_http_request_duration_seconds_bucket{", &["le=\"0.005\""]), "{metrics}");
    assert!(counted("tillkeep_sql_statements_total ", &[]), "{metrics}");
    assert!(!metrics.contains("/no/such/page"), "paths nobody knows are no labels of their own");
}

#[tokio::test]
async fn a_request_keeps_the_id_its_caller_gave_it() {
    let app = TestApp::start().await;
    let given = "desk-7.2026_05";
    let response = post(&app, "{ nothing }", &[("x-request-id", given)]).await;
    assert_eq!(header(&response, "x-request-id"), given);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["requestId"], given);

    let long = "x".repeat(65);
    for odd in ["two words", "semi;colon", "quote\"", "", long.as_str()] {
        let response = get(&app, "/health/live", &[("x-request-id", odd)]).await;
        let made = header(&response, "x-request-id");
        assert!(made.len() == 36 && made != odd, "{odd}: {made}");
    }
    let first = get(&app, "/health/live", &[]).await;
    let second = get(&app, "/health/live", &[]).await;
    assert_ne!(header(&first, "x-request-id"), header(&second, "x-request-id"));
}

#[tokio::test]
async fn the_device_file_names_the_request_it_was_written_by() {
    let app = TestApp::start().await;
    let device = app.device(&app.model().await, "HX1").await;
    let change = format!(
        "mutation {{ updateDevice(input: {{deviceId: \"{device}\", assetTag: \"A-1\"}}) {{ device {{ id }} }} }}"
    );
    post(&app, &change, &[("x-request-id", "desk-7")]).await;
    let query = "query($id: ID!) { device(id: $id) { history(kinds: [DEVICE_UPDATED]) { nodes { requestId } } } }";
    let data = app.gql(query, json!({"id": device})).await;
    assert_eq!(text(&data["device"]["history"]["nodes"][0]["requestId"]), "desk-7");
}
