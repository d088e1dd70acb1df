//! The HTTP server: GraphQL at `/graphql` (by WebSocket too, see `socket.rs`), the query page at
//! `/`, lists as CSV at `/export/…`, health and metrics.
//!
//! `/graphql` follows the GraphQL-over-HTTP specification. Asked for
//! `application/graphql-response+json` it answers 400 to what cannot be read or is refused before
//! execution; asked for `application/json` (what a browser or curl asks for) it answers 200 with
//! errors. What is no GraphQL request at all has its own status in both: 400, 405, 406, 413, 415.

use super::App;
use super::socket::{self, REQUEST_TIMEOUT, Sockets, TOO_LONG};
use crate::db::StoreError;
use crate::graphql::context::Cx;
use crate::graphql::errors::{
    BAD_USER_INPUT, BATCH_REFUSED, BODY_LIMIT, INTERNAL, INTERNAL_MESSAGE, METHOD_NOT_ALLOWED, UNAVAILABLE,
};
use crate::graphql::request::{RequestBody, request};
use crate::graphql::schema::{self, TillkeepSchema};
use crate::kernel::clock::Stopwatch;
use crate::kernel::scope::Scope;
use crate::kernel::text::Language;
use crate::reports::export::{DEFAULT_DAYS, Export, List, MAX_DAYS};
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde::Deserialize;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tower_http::compression::CompressionLayer;
use tracing::Instrument;

/// Bytes of a request's body at most: 5,000 readings are well below 2 MB.
const MAX_BODY: usize = 8 * 1024 * 1024;
/// How long the database may take to say that it is there.
const READY_TIMEOUT: Duration = Duration::from_secs(5);
/// Characters of a request id that a caller may choose.
const MAX_REQUEST_ID: usize = 64;
/// Upper bounds of the request duration's classes, in seconds.
const DURATION_BOUNDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
/// Where a request's id travels.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The page loads nothing from elsewhere; GraphiQL's editor sets styles and starts workers.
const PAGE_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self'; \
     worker-src 'self' blob:; font-src 'self' data:; img-src 'self' data:; object-src 'none'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The query page, made by `build.rs`.
mod page {
    include!(concat!(env!("OUT_DIR"), "/page_assets.rs"));
}

/// What every handler has.
#[derive(Clone)]
struct Server {
    app: Arc<App>,
    schema: TillkeepSchema,
    sockets: Sockets,
    metrics: Option<PrometheusHandle>,
}

/// The id of the request being answered.
#[derive(Clone)]
struct RequestId(String);

/// Every route of the server.
fn router(app: Arc<App>, sockets: Sockets) -> Router {
    let server = Server { app, schema: schema::build(), sockets, metrics: recorder() };
    Router::new()
        .route("/graphql", get(graphql_get).post(graphql_post).fallback(graphql_other))
        .route("/export/{file}", get(export))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics_text))
        .fallback(asset)
        .layer(from_fn_with_state(server.clone(), watch))
        .layer(CompressionLayer::new())
        .with_state(server)
}

/// Serves until `shutdown`, then finishes the requests that are under way and closes the sockets.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let sockets = Sockets::default();
    let closing = sockets.clone();
    let shutdown = async move {
        shutdown.await;
        closing.close();
    };
    axum::serve(listener, router(app, sockets.clone())).with_graceful_shutdown(shutdown).await?;
    sockets.closed().await;
    Ok(())
}

// ---- around every request ----

/// Gives a request its id, its log span and its time limit, keeps a panic inside it, and counts
/// it.
async fn watch(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let id = request_id(&server.app, request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let route = route_label(request.uri().path());
    let span = tracing::info_span!("request", request.id = %id, http.method = %method, http.route = route);
    let stopwatch = Stopwatch::start();
    let answered =
        timeout(REQUEST_TIMEOUT, AssertUnwindSafe(next.run(request)).catch_unwind()).instrument(span.clone());
    let mut response = match answered.await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            span.in_scope(|| tracing::error!(error = panic_text(&*panic), "request panicked"));
            refuse(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL, INTERNAL_MESSAGE, &id)
        }
        Err(_) => {
            span.in_scope(|| tracing::error!("request took too long and was given up"));
            refuse(StatusCode::GATEWAY_TIMEOUT, UNAVAILABLE, TOO_LONG, &id)
        }
    };
    let duration = stopwatch.elapsed();
    let status = response.status().as_u16();
    span.in_scope(|| tracing::debug!(http.status = status, duration_ms = duration.as_millis() as u64, "answered"));
    metrics::counter!("tillkeep_http_requests_total", "route" => route, "status" => status.to_string()).increment(1);
    metrics::histogram!("tillkeep_http_request_duration_seconds", "route" => route).record(duration.as_secs_f64());
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// The caller's request id where it is a plain word, else one of ours.
fn request_id(app: &App, headers: &HeaderMap) -> String {
    let is_plain = |id: &&str| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    match headers.get(&REQUEST_ID).and_then(|v| v.to_str().ok()).filter(is_plain) {
        Some(id) => id.to_owned(),
        None => app.services.ids.uuid(app.services.clock.now()).to_string(),
    }
}

/// A path as metrics know it; there are few, whatever is asked for.
fn route_label(path: &str) -> &'static str {
    match path {
        "/graphql" => "/graphql",
        "/health/live" => "/health/live",
        "/health/ready" => "/health/ready",
        "/metrics" => "/metrics",
        path if path.starts_with("/export/") => "/export",
        _ => "page",
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without words")
}

/// An answer that is only an error, in the shape of GraphQL's.
fn refuse(status: StatusCode, code: &str, message: &str, request_id: &str) -> Response {
    let error = serde_json::json!({
        "errors": [{ "message": message, "extensions": { "code": code, "requestId": request_id } }]
    });
    (status, [(CONTENT_TYPE, JSON), (CACHE_CONTROL, "no-store")], error.to_string()).into_response()
}

// ---- GraphQL ----

const JSON: &str = "application/json; charset=utf-8";
const GRAPHQL: &str = "application/graphql-response+json; charset=utf-8";

/// What the answer is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    /// `application/json`.
    Json,
    /// `application/graphql-response+json`.
    GraphQl,
}

/// The best of what a caller accepts; none when we have nothing for it.
fn accepted(headers: &HeaderMap) -> Option<Media> {
    let mut best: Option<(f32, Media)> = None;
    let mut is_said = false;
    for value in headers.get_all(ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "" => continue,
                "application/graphql-response+json" => Some(Media::GraphQl),
                "application/json" | "application/*" | "*/*" => Some(Media::Json),
                _ => None,
            };
            is_said = true;
            let weight = parts.find_map(|p| p.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
            if let Some(media) = media
                && weight > best.map_or(0.0, |(known, _)| known)
            {
                best = Some((weight, media));
            }
        }
    }
    if is_said { best.map(|(_, media)| media) } else { Some(Media::Json) }
}

/// The language a caller reads, from `Accept-Language`: the first of English and Chinese by
/// weight; English when neither is named.
fn language(headers: &HeaderMap) -> Language {
    let mut best: Option<(f32, Language)> = None;
    for value in headers.get_all(ACCEPT_LANGUAGE) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
            let language = match tag.split('-').next() {
                Some("zh") => Language::Zh,
                Some("en") => Language::En,
                _ => continue,
            };
            let weight = parts.find_map(|p| p.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
            if weight > best.map_or(0.0, |(known, _)| known) {
                best = Some((weight, language));
            }
        }
    }
    best.map_or(Language::En, |(_, language)| language)
}

/// A GraphQL request as it comes in an address; variables are JSON text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphQlParameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

/// Why a request is not even a GraphQL request.
struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refused {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, BAD_USER_INPUT, message)
    }

    fn respond(&self, request_id: &str) -> Response {
        refuse(self.status, self.code, &self.message, request_id)
    }
}

async fn graphql_post(State(server): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let id = id_of(&parts.extensions);
    let Some(media) = accepted(&parts.headers) else { return not_acceptable(&id) };
    let request = match read_body(&parts.headers, body).await.and_then(|bytes| read_request(&bytes)) {
        Ok(request) => request,
        Err(refused) => return refused.respond(&id),
    };
    answer(&server, request, &parts.headers, media, id, true).await
}

async fn graphql_get(State(server): State<Server>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let id = id_of(&parts.extensions);
    if socket::is_asked(&parts.headers) {
        let language = language(&parts.headers);
        let opened =
            socket::open(&server.sockets, server.app.clone(), server.schema.clone(), &mut parts, language, &id);
        return match opened.await {
            Ok(response) => response,
            Err(refused) => refuse(refused.status, refused.code, &refused.message, &id),
        };
    }
    if parts.uri.query().is_none_or(str::is_empty) && wants_page(&parts.headers) {
        return (StatusCode::SEE_OTHER, [(LOCATION, "/")]).into_response();
    }
    let Some(media) = accepted(&parts.headers) else { return not_acceptable(&id) };
    let request = match read_parameters(&parts.uri) {
        Ok(request) => request,
        Err(refused) => return refused.respond(&id),
    };
    answer(&server, request, &parts.headers, media, id, false).await
}

/// Any other method.
async fn graphql_other(request: Request) -> Response {
    let id = id_of(request.extensions());
    let message = format!("{} is not for GraphQL; use POST, or GET for queries", request.method());
    let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, METHOD_NOT_ALLOWED, &message, &id);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

fn id_of(extensions: &axum::http::Extensions) -> String {
    extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

fn not_acceptable(request_id: &str) -> Response {
    let message = "accept application/graphql-response+json or application/json";
    refuse(StatusCode::NOT_ACCEPTABLE, BAD_USER_INPUT, message, request_id)
}

/// A browser that opens the address, rather than a client that queries.
fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// Reads a body of JSON, within its bound.
async fn read_body(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refused> {
    let given = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts
        .filter_map(|p| p.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .all(|(_, set)| set.trim().trim_matches('"').eq_ignore_ascii_case("utf-8"));
    let is_plain = headers.get(CONTENT_ENCODING).is_none_or(|e| e.as_bytes().eq_ignore_ascii_case(b"identity"));
    if !is_json || !is_utf8 || !is_plain {
        let message = "send content-type: application/json in UTF-8, not compressed";
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, BAD_USER_INPUT, message));
    }
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refused::bad("the body ended too early; send the request again"))?;
        if bytes.len() + chunk.len() > MAX_BODY {
            let message = format!("the body is larger than {} MB; send it in parts", MAX_BODY / 1024 / 1024);
            return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, BODY_LIMIT, message));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn read_request(bytes: &[u8]) -> Result<async_graphql::Request, Refused> {
    if bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[') {
        let message = "several requests in one are not taken; send them one by one";
        return Err(Refused::new(StatusCode::BAD_REQUEST, BATCH_REFUSED, message));
    }
    let body: RequestBody = serde_json::from_slice(bytes).map_err(|e| {
        Refused::bad(format!("the body is not a GraphQL request ({e}); send {{\"query\": …, \"variables\": …}}"))
    })?;
    body.request().ok_or_else(|| Refused::bad("the body has no query"))
}

fn read_parameters(uri: &Uri) -> Result<async_graphql::Request, Refused> {
    let Query(given) = Query::<GraphQlParameters>::try_from_uri(uri)
        .map_err(|e| Refused::bad(format!("the address cannot be read: {e}")))?;
    let query = given.query.ok_or_else(|| Refused::bad("there is no query; send it by POST, or as ?query="))?;
    let object = |text: Option<String>, name: &str| match text.filter(|t| !t.is_empty()) {
        None => Ok(None),
        Some(text) => serde_json::from_str(&text)
            .map_err(|e| Refused::bad(format!("{name} is not the JSON text of an object: {e}"))),
    };
    let variables = object(given.variables, "variables")?;
    object(given.extensions, "extensions")?;
    Ok(request(query, given.operation_name, variables))
}

async fn answer(
    server: &Server,
    request: async_graphql::Request,
    headers: &HeaderMap,
    media: Media,
    request_id: String,
    may_change: bool,
) -> Response {
    let cx = Cx::new(server.app.services.clone(), request_id.clone(), language(headers), may_change);
    let answer = schema::execute(&server.schema, Arc::new(cx), request).await;
    let Ok(body) = answer.to_json() else {
        tracing::error!("a response is no JSON");
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL, INTERNAL_MESSAGE, &request_id);
    };
    let is_method_wrong = answer.has_code(METHOD_NOT_ALLOWED);
    let status = match (answer.is_executed, media) {
        _ if is_method_wrong => StatusCode::METHOD_NOT_ALLOWED,
        (true, _) | (false, Media::Json) => StatusCode::OK,
        (false, Media::GraphQl) => StatusCode::BAD_REQUEST,
    };
    let kind = match media {
        Media::Json => JSON,
        Media::GraphQl => GRAPHQL,
    };
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store"), (VARY, "accept, accept-language")];
    let mut response = (status, headers, body).into_response();
    if is_method_wrong {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

// ---- files ----

/// What an export may be asked by its address.
#[derive(Deserialize)]
struct ExportParameters {
    /// Days ahead, for upcoming work.
    days: Option<u32>,
}

/// A list as a CSV file, sent page by page as it is read.
async fn export(State(server): State<Server>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let id = id_of(&parts.extensions);
    let name = parts.uri.path().strip_prefix("/export/").and_then(|file| file.strip_suffix(".csv"));
    let Some(list) = name.and_then(List::parse) else {
        let files: Vec<String> = List::ALL.iter().map(|list| format!("/export/{list}.csv")).collect();
        let message = format!("no such file; there are {}", files.join(", "));
        return refuse(StatusCode::NOT_FOUND, BAD_USER_INPUT, &message, &id);
    };
    let days = match Query::<ExportParameters>::try_from_uri(&parts.uri) {
        Ok(Query(given)) => given.days.unwrap_or(DEFAULT_DAYS),
        Err(e) => return Refused::bad(format!("the address cannot be read: {e}")).respond(&id),
    };
    if !(1..=MAX_DAYS).contains(&days) {
        return Refused::bad(format!("days is {days}; give 1 to {MAX_DAYS}")).respond(&id);
    }
    let app = server.app;
    let export = Export { list, days, language: language(&parts.headers), now: app.services.clock.now() };
    let first = match app.services.reports.export_page(&Scope::DEFAULT, &export, None).await {
        Ok(page) => page,
        Err(error) => {
            tracing::error!(error = StoreError::chain(&error), "a list cannot be exported");
            return match error {
                StoreError::Unavailable(_) => {
                    let message = "the database cannot be reached just now; try again in a moment";
                    refuse(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE, message, &id)
                }
                _ => refuse(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL, INTERNAL_MESSAGE, &id),
            };
        }
    };
    // A page that cannot be read cuts the answer off, so that nobody takes half a file for a whole.
    let more = stream::try_unfold((app, first.next), move |(app, key)| async move {
        let Some(key) = key else { return Ok::<_, StoreError>(None) };
        let page =
            app.services.reports.export_page(&Scope::DEFAULT, &export, Some(key)).await.inspect_err(|error| {
                tracing::error!(error = StoreError::chain(error), "an export was cut off");
            })?;
        Ok(Some((page.text, (app, page.next))))
    });
    let begin = stream::iter([Ok::<_, StoreError>(first.text)]);
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{list}.csv\"")),
        (CACHE_CONTROL, "no-store".to_owned()),
        (VARY, "accept-language".to_owned()),
    ];
    (headers, Body::from_stream(begin.chain(more))).into_response()
}

// ---- page, health, metrics ----

/// A file of the query page.
async fn asset(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let name = match uri.path() {
        "/" => "index.html",
        path => path.trim_start_matches('/'),
    };
    let Some((place, (_, kind, content))) = page::ASSETS.iter().enumerate().find(|(_, (known, _, _))| *known == name)
    else {
        let text = "nothing here; the query page is at /, GraphQL at /graphql\n";
        return (StatusCode::NOT_FOUND, [(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response();
    };
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response();
    }
    let tag = etags().get(place).map(String::as_str).unwrap_or_default();
    let is_known = headers.get(IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(|known| known.contains(tag));
    let caching = [(CACHE_CONTROL, "no-cache"), (ETAG, tag), (CONTENT_SECURITY_POLICY, PAGE_POLICY)];
    if is_known && !tag.is_empty() {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(CONTENT_TYPE, *kind)], *content).into_response()
}

/// A tag for each file's content, so that a browser fetches the page once per build. Weak, because
/// the same content is also sent compressed.
fn etags() -> &'static [String] {
    static TAGS: OnceLock<Vec<String>> = OnceLock::new();
    TAGS.get_or_init(|| {
        page::ASSETS
            .iter()
            .map(|(_, _, content)| {
                let mut hasher = DefaultHasher::new();
                content.hash(&mut hasher);
                format!("W/\"{:016x}\"", hasher.finish())
            })
            .collect()
    })
}

/// The process runs.
async fn live() -> &'static str {
    "alive\n"
}

/// The process can do its work: its database answers.
async fn ready(State(server): State<Server>) -> Response {
    let reason = match timeout(READY_TIMEOUT, server.app.db().ping()).await {
        Ok(Ok(())) => return "ready\n".into_response(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    tracing::warn!(error = reason, "not ready");
    (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
}

/// Prometheus metrics.
async fn metrics_text(State(server): State<Server>) -> Response {
    let Some(metrics) = &server.metrics else {
        return (StatusCode::SERVICE_UNAVAILABLE, "metrics are not recorded in this process\n").into_response();
    };
    metrics::counter!("tillkeep_sql_statements_total").absolute(server.app.db().statement_count());
    metrics.run_upkeep();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()).into_response()
}

/// The recorder of this process; several servers in one process share it.
fn recorder() -> Option<PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let built = PrometheusBuilder::new()
                .set_buckets(&DURATION_BOUNDS)
                .and_then(PrometheusBuilder::install_recorder)
                .inspect_err(|error| tracing::warn!(%error, "metrics are not recorded"))
                .ok()?;
            metrics::describe_counter!("tillkeep_http_requests_total", "Requests answered, by route and status");
            metrics::describe_histogram!(
                "tillkeep_http_request_duration_seconds",
                metrics::Unit::Seconds,
                "Time from a request's headers to its answer's headers"
            );
            metrics::describe_counter!("tillkeep_sql_statements_total", "SQL statements sent since the start");
            Some(built)
        })
        .clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_media_type_is_the_callers_best() {
        let cases = [
            ("application/graphql-response+json", Some(Media::GraphQl)),
            ("application/json", Some(Media::Json)),
            ("*/*", Some(Media::Json)),
            ("application/json;q=0.5, application/graphql-response+json", Some(Media::GraphQl)),
            ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", Some(Media::GraphQl)),
            ("text/html", None),
            ("application/json;q=0", None),
        ];
        for (accept, expected) in cases {
            assert_eq!(accepted(&headers(ACCEPT, accept)), expected, "{accept}");
        }
        assert_eq!(accepted(&HeaderMap::new()), Some(Media::Json));
    }

    #[test]
    fn the_language_is_english_or_chinese_by_weight() {
        let read = |value| language(&headers(ACCEPT_LANGUAGE, value));
        assert_eq!(read("zh-CN,zh;q=0.9,en;q=0.8"), Language::Zh);
        assert_eq!(read("de, en;q=0.3, zh;q=0.6"), Language::Zh);
        assert_eq!(read("de-DE"), Language::En);
        assert_eq!(language(&HeaderMap::new()), Language::En);
    }

    #[test]
    fn bodies_that_are_no_request_are_refused() {
        let status = |body: &str| read_request(body.as_bytes()).map(|_| ()).map_err(|r| (r.status, r.code));
        assert_eq!(status(r#"{"query":"{ viewer { actor } }","variables":null}"#), Ok(()));
        assert_eq!(status(" [{}]"), Err((StatusCode::BAD_REQUEST, BATCH_REFUSED)));
        for body in ["", "{}", "nonsense", r#"{"query":1}"#, r#"{"query":"{a}","variables":[]}"#] {
            assert_eq!(status(body), Err((StatusCode::BAD_REQUEST, BAD_USER_INPUT)), "{body}");
        }
    }

    #[test]
    fn the_page_has_its_first_file() {
        assert!(page::ASSETS.iter().any(|(name, _, _)| *name == "index.html"));
    }
}
