//! GraphQL over HTTP: methods, media types, status codes.

use super::{JSON, encoded, get, header, post, refusal, send};
use crate::bad_input::database::rows;
use crate::support::TestApp;
use serde_json::{Value, json};

const GRAPHQL: &str = "application/graphql-response+json";
const VIEWER: &str = "{ viewer { actor } }";

#[tokio::test]
async fn a_query_is_answered_by_post_and_by_get() {
    let app = TestApp::start().await;
    let expected = json!({"data": {"viewer": {"actor": "planner"}}});
    let response = post(&app, VIEWER, &[]).await;
    assert_eq!(
        (response.status().as_u16(), header(&response, "content-type")),
        (200, "application/json; charset=utf-8")
    );
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert_eq!(response.json::<Value>().await.unwrap(), expected);

    let response = get(&app, &format!("/graphql?query={}", encoded(VIEWER)), &[("accept", GRAPHQL)]).await;
    let kind = "application/graphql-response+json; charset=utf-8";
    assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, kind));
    assert_eq!(response.json::<Value>().await.unwrap(), expected);

    let query = encoded("query A($n: Int) { devices(first: $n) { totalCount } } query B { viewer { actor } }");
    let address = format!("/graphql?query={query}&operationName=A&variables={}", encoded(r#"{"n": 5}"#));
    let answer: Value = get(&app, &address, &[]).await.json().await.unwrap();
    assert_eq!(answer, json!({"data": {"devices": {"totalCount": 0}}}));
}

#[tokio::test]
async fn a_get_changes_nothing() {
    let app = TestApp::start().await;
    let before = rows(&app).await;
    let change = r#"mutation M { createMerchant(input: {name: "By GET"}) { merchant { id } } }"#;
    let both = encoded(&format!("{change} query Q {{ viewer {{ actor }} }}"));
    let change = encoded(change);
    for accept in ["*/*", GRAPHQL] {
        let response = get(&app, &format!("/graphql?query={change}"), &[("accept", accept)]).await;
        assert_eq!(header(&response, "allow"), "POST");
        assert_eq!(refusal(response).await, (405, "METHOD_NOT_ALLOWED".to_owned()));
    }
    // A query beside it does not make it one.
    let response = get(&app, &format!("/graphql?query={both}&operationName=M"), &[]).await;
    assert_eq!(refusal(response).await.0, 405);
    let response = get(&app, &format!("/graphql?query={both}&operationName=Q"), &[]).await;
    assert_eq!(response.json::<Value>().await.unwrap()["data"]["viewer"]["actor"], "planner");
    assert_eq!(rows(&app).await, before);
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let app = TestApp::start().await;
    for method in ["PUT", "PATCH", "DELETE"] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let response = app.http.request(method.clone(), format!("{}/graphql", app.url)).send().await.unwrap();
        assert_eq!(header(&response, "allow"), "GET, POST", "{method}");
        assert_eq!(refusal(response).await, (405, "METHOD_NOT_ALLOWED".to_owned()), "{method}");
    }
}

#[tokio::test]
async fn a_body_is_json_in_utf_8_and_says_so() {
    let app = TestApp::start().await;
    let body = json!({"query": VIEWER}).to_string();
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/graphql", "application/json; charset=gbk"]
    {
        let response = send(&app, body.clone(), &[("content-type", kind)]).await;
        assert_eq!(refusal(response).await, (415, "BAD_USER_INPUT".to_owned()), "{kind}");
    }
    let nameless = send(&app, body.clone(), &[]).await;
    assert_eq!(refusal(nameless).await.0, 415, "without a content type");
    let compressed = send(&app, body.clone(), &[JSON, ("content-encoding", "gzip")]).await;
    assert_eq!(refusal(compressed).await.0, 415, "compressed");
    for kind in ["application/json", "Application/JSON; charset=UTF-8"] {
        let response = send(&app, body.clone(), &[("content-type", kind)]).await;
        assert_eq!(response.status().as_u16(), 200, "{kind}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_400_to_who_asks_for_graphql_and_200_to_who_asks_for_json() {
    let app = TestApp::start().await;
    for query in ["{ viewer {", "", "{ nothing }", "{ devices(first: 0) { totalCount } }", "{ device(id: 5.5) { id } }"]
    {
        for (accept, status) in [
            (GRAPHQL, 400),
            ("application/json", 200),
            ("*/*", 200),
            ("application/graphql-response+json, application/json;q=0.9", 400),
        ] {
            let response = post(&app, query, &[("accept", accept)]).await;
            assert_eq!(refusal(response).await, (status, "BAD_USER_INPUT".to_owned()), "{query} as {accept}");
        }
    }
    // What was executed is 200, errors and all.
    let response = post(&app, "{ device(id: \"nonsense\") { id } }", &[("accept", GRAPHQL)]).await;
    assert_eq!(response.status().as_u16(), 200);
    let answer: Value = response.json().await.unwrap();
    assert!(answer.get("data").is_some(), "{answer}");
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
    let response = post(&app, VIEWER, &[("accept", "text/html")]).await;
    assert_eq!(refusal(response).await, (406, "BAD_USER_INPUT".to_owned()));
}

#[tokio::test]
async fn a_body_that_is_no_request_is_400_for_everybody() {
    let app = TestApp::start().await;
    for body in
        ["", "nonsense", "{}", r#"{"query": 1}"#, r#"{"query": "{ viewer { actor } }", "variables": []}"#, "\u{0}"]
    {
        let response = send(&app, body.to_owned(), &[JSON]).await;
        assert_eq!(refusal(response).await, (400, "BAD_USER_INPUT".to_owned()), "{body}");
    }
    for address in ["/graphql?query=", "/graphql?variables=%7B%7D", "/graphql?query=%7Ba%7D&variables=nonsense"] {
        let response = get(&app, address, &[("accept", GRAPHQL)]).await;
        assert_eq!(refusal(response).await, (400, "BAD_USER_INPUT".to_owned()), "{address}");
    }
}

#[tokio::test]
async fn messages_are_in_the_callers_language_and_codes_are_not() {
    let app = TestApp::start().await;
    let device = app.fielded("HX1", "2026-05-04T01:00:00Z").await.device;
    let query =
        format!("{{ device(id: \"{device}\") {{ history(kinds: [INSTALLED]) {{ nodes {{ kind summary }} }} }} }}");
    for (language, summary) in [
        ("en", "Installed at terminal number THX1"),
        ("zh-CN,zh;q=0.9,en;q=0.5", "安装，终端号THX1"),
        ("de", "Installed at terminal number THX1"),
    ] {
        let answer: Value = post(&app, &query, &[("accept-language", language)]).await.json().await.unwrap();
        let event = &answer["data"]["device"]["history"]["nodes"][0];
        assert_eq!(event, &json!({"kind": "INSTALLED", "summary": summary}), "{language}");
    }
}
