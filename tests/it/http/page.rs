//! The query page works without the internet.

use super::{get, header};
use crate::support::TestApp;

/// What the attributes `src` and `href` of a page name.
fn named(html: &str) -> Vec<&str> {
    let after = |attribute: &'static str| html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
    after(" src=\"").chain(after(" href=\"")).collect()
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let app = TestApp::start().await;
    let response = get(&app, "/", &[("accept", "text/html")]).await;
    assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, "text/html; charset=utf-8"));
    let policy = header(&response, "content-security-policy").to_owned();
    for part in ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    let sources = policy.split([';', ' ']).filter(|word| !word.is_empty());
    let foreign: Vec<&str> =
        sources.filter(|word| word.contains(['.', '*', '/']) || word.starts_with("http")).collect();
    assert!(foreign.is_empty(), "{foreign:?} in {policy}");
    assert_eq!(header(&response, "x-content-type-options"), "nosniff");
    assert_eq!(header(&response, "referrer-policy"), "no-referrer");

    let html = response.text().await.unwrap();
    assert!(!html.contains("://"), "{html}");
    let files = named(&html);
    assert!(files.iter().any(|file| file.ends_with(".js")), "{html}");
    for file in files {
        assert!(!file.starts_with("//") && !file.contains(':'), "{file}");
        let response = get(&app, &format!("/{}", file.trim_start_matches('/')), &[]).await;
        assert_eq!(response.status().as_u16(), 200, "{file}");
        assert!(!header(&response, "content-security-policy").is_empty(), "{file}");
        assert!(!response.bytes().await.unwrap().is_empty(), "{file}");
    }
}

#[tokio::test]
async fn a_page_that_is_known_is_not_sent_again() {
    let app = TestApp::start().await;
    let response = get(&app, "/", &[]).await;
    let tag = header(&response, "etag").to_owned();
    assert!(tag.len() > 10, "{tag}");
    let response = get(&app, "/", &[("if-none-match", tag.as_str())]).await;
    assert_eq!(response.status().as_u16(), 304);
    assert_eq!(get(&app, "/", &[("if-none-match", "W/\"0\"")]).await.status().as_u16(), 200);
}

#[tokio::test]
async fn only_the_files_of_the_page_are_served() {
    let app = TestApp::start().await;
    for path in ["/nothing.html", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/page", "/graphql/"] {
        assert_eq!(get(&app, path, &[]).await.status().as_u16(), 404, "{path}");
    }
    let response = app.http.post(format!("{}/", app.url)).send().await.unwrap();
    assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, "GET, HEAD"));
}
