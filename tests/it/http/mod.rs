//! The server as HTTP sees it: methods, media types, limits, health, the page, and what it keeps
//! to itself.

mod graphql;
mod limits;
mod operations;
mod page;
mod secrets;
mod subscriptions;

use crate::support::{TestApp, text};
use reqwest::Response;
use serde_json::{Value, json};

/// What a GraphQL request's body is.
const JSON: (&str, &str) = ("content-type", "application/json");

/// Sends a body to GraphQL with these headers and no others.
async fn send(app: &TestApp, body: String, headers: &[(&str, &str)]) -> Response {
    let mut request = app.http.post(format!("{}/graphql", app.url)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

/// Sends a query with these headers besides its content type.
async fn post(app: &TestApp, query: &str, headers: &[(&str, &str)]) -> Response {
    send(app, json!({"query": query}).to_string(), &[&[JSON][..], headers].concat()).await
}

/// Fetches a path with these headers.
async fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = app.http.get(format!("{}{path}", app.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

/// A header's text; empty when it is not there.
fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Status and code of an answer that is only an error.
async fn refusal(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let answer: Value = response.json().await.unwrap();
    assert!(answer.get("data").is_none(), "what was not executed has no data: {answer:#}");
    let error = &answer["errors"][0];
    assert!(!text(&error["message"]).is_empty() && !text(&error["extensions"]["requestId"]).is_empty(), "{answer:#}");
    (status, text(&error["extensions"]["code"]))
}

/// A text as part of an address.
fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}
