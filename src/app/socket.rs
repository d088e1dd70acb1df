//! GraphQL over WebSocket at `/graphql`: the `graphql-transport-ws` protocol.
//!
//! A connection that asks for another protocol, or comes from a page of another site, is refused
//! before it is one. On it run subscriptions, queries and changes side by side, each in a task of
//! its own; the connection hands on what they say. A client that reads too slowly holds up its own
//! subscriptions, which are told later, and is closed when it reads nothing at all; nobody who
//! writes waits for it.

use super::App;
use crate::graphql::context::Cx;
use crate::graphql::errors::{BAD_USER_INPUT, FORBIDDEN, INTERNAL, INTERNAL_MESSAGE, SUBSCRIPTION_LIMIT, UNAVAILABLE};
use crate::graphql::request::RequestBody;
use crate::graphql::schema::{self, Answers, TillkeepSchema};
use crate::kernel::text::Language;
use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::header::{HOST, ORIGIN, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::{FutureExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::error::Elapsed;
use tokio::time::{interval, sleep, timeout};
use tracing::Instrument;

/// How long a request may take before it is given up, by HTTP too; what it wrote is rolled back.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// What is said of one that was given up.
pub(super) const TOO_LONG: &str = "the request took too long and was given up; ask for less at a time";
/// The protocol, as a client asks for it.
const PROTOCOL: &str = "graphql-transport-ws";
/// How long a client may take to begin.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a client is asked whether it is there; one that says nothing until the next time is
/// not.
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long a client may take to take a message.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long queries and changes under way may take to end when the server stops.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long closed connections may take to end: what is under way, and the goodbyes.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(8);
/// Operations under way on one connection.
const MAX_OPERATIONS: usize = 100;
/// Bytes of a message of a client at most, as of a long query with its variables.
const MAX_MESSAGE: usize = 1024 * 1024;
/// Characters of an operation's id at most.
const MAX_ID: usize = 128;
/// Messages that wait for a connection to take them; its operations wait behind them.
const WAITING: usize = 64;

/// Every connection of a server, to be closed with it.
#[derive(Clone)]
pub(super) struct Sockets(watch::Sender<bool>);

impl Default for Sockets {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Sockets {
    /// Tells every connection to end.
    pub(super) fn close(&self) {
        self.0.send_replace(true);
    }

    /// Waits until all have ended, or took too long.
    pub(super) async fn closed(&self) {
        if timeout(CLOSE_TIMEOUT, self.0.closed()).await.is_err() {
            tracing::warn!("connections did not end in time; they were cut off");
        }
    }
}

/// Why a connection is closed.
#[derive(PartialEq, Eq)]
struct End {
    code: u16,
    reason: &'static str,
}

/// The codes are the protocol's own, but for the first three.
const STOPS: End = End { code: 1001, reason: "the server stops; connect again" };
const SILENT: End = End { code: 1001, reason: "nothing was heard of the client" };
const TOO_SLOW: End = End { code: 1013, reason: "the client takes no messages; connect again" };
const UNREADABLE: End = End { code: 4400, reason: "a message that is none of graphql-transport-ws" };
const NOT_BEGUN: End = End { code: 4401, reason: "Unauthorized: send connection_init first" };
const INIT_TOO_LATE: End = End { code: 4408, reason: "Connection initialisation timeout" };
const ID_IN_USE: End = End { code: 4409, reason: "Subscriber for this id already exists" };
const INIT_TWICE: End = End { code: 4429, reason: "Too many initialisation requests" };

/// A message of a client.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Incoming {
    ConnectionInit {},
    Ping { payload: Option<Value> },
    Pong {},
    Subscribe { id: String, payload: RequestBody },
    Complete { id: String },
}

/// What an operation says.
struct Said {
    id: String,
    /// Which operation of this id: a client may use an id again.
    serial: u64,
    text: String,
    is_last: bool,
}

/// Whether a request asks for a WebSocket.
pub(super) fn is_asked(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Whether the page that asks, if it is one, is of this server: browsers let any page connect.
fn is_of_this_site(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let host = headers.get(HOST).and_then(|v| v.to_str().ok());
    let from = origin.to_str().ok().and_then(|o| o.split_once("://")).map(|(_, authority)| authority);
    match (from, host) {
        (Some(from), Some(host)) => from.eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// Why a connection is not opened.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    fn bad(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: BAD_USER_INPUT, message: message.into() }
    }
}

/// Opens a connection, or says why not.
pub(super) async fn open(
    sockets: &Sockets,
    app: Arc<App>,
    schema: TillkeepSchema,
    parts: &mut Parts,
    language: Language,
    request_id: &str,
) -> Result<Response, Refusal> {
    if !is_of_this_site(&parts.headers) {
        let message = "connections are for pages of this server, and for clients that are no pages".to_owned();
        return Err(Refusal { status: StatusCode::FORBIDDEN, code: FORBIDDEN, message });
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(parts, &()).await {
        Ok(upgrade) => upgrade.protocols([PROTOCOL]).max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE),
        Err(rejection) => return Err(Refusal::bad(format!("this is no WebSocket request: {rejection}"))),
    };
    if upgrade.selected_protocol().is_none() {
        return Err(Refusal::bad("ask for the protocol graphql-transport-ws (Sec-WebSocket-Protocol)"));
    }
    let closing = sockets.0.subscribe();
    let request_id = request_id.to_owned();
    let span = tracing::info_span!("socket", request.id = %request_id);
    Ok(upgrade.on_upgrade(move |socket| {
        let (said_by, said) = mpsc::channel(WAITING);
        let connection = Connection {
            app,
            schema,
            language,
            request_id,
            is_begun: false,
            running: HashMap::new(),
            serial: 0,
            said_by,
        };
        connection.run(socket, said, closing).instrument(span)
    }))
}

/// An operation under way.
struct Running {
    serial: u64,
    task: AbortHandle,
    /// It goes on until somebody ends it.
    is_subscription: bool,
}

/// One connection.
struct Connection {
    app: Arc<App>,
    schema: TillkeepSchema,
    language: Language,
    request_id: String,
    is_begun: bool,
    /// Operations under way.
    running: HashMap<String, Running>,
    serial: u64,
    said_by: mpsc::Sender<Said>,
}

/// Sends a message; false when the client does not take it.
async fn send(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(WRITE_TIMEOUT, socket.send(message)).await, Ok(Ok(())))
}

/// Ends when the server does.
async fn stopped(closing: &mut watch::Receiver<bool>) {
    // An error means that nobody can tell us any more, which is an end as well.
    let _ = closing.wait_for(|is_closing| *is_closing).await;
}

impl Connection {
    /// Runs until one side ends it.
    async fn run(mut self, mut socket: WebSocket, mut said: mpsc::Receiver<Said>, mut closing: watch::Receiver<bool>) {
        let end = self.talk(&mut socket, &mut said, &mut closing).await;
        if end.as_ref() == Some(&STOPS) {
            self.finish(&mut socket, &mut said).await;
        }
        for (_, running) in self.running.drain() {
            running.task.abort();
        }
        if let Some(End { code, reason }) = end {
            tracing::debug!(code, reason, "connection closed");
            let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
            if !send(&mut socket, close).await {
                return;
            }
        }
        // Each side's goodbye, so that neither is lost with the connection.
        let goodbye = async { while let Some(Ok(_)) = socket.recv().await {} };
        let _ = timeout(Duration::from_secs(1), goodbye).await;
    }

    /// Takes and gives messages; says why it ends, unless the client has.
    async fn talk(
        &mut self,
        socket: &mut WebSocket,
        said: &mut mpsc::Receiver<Said>,
        closing: &mut watch::Receiver<bool>,
    ) -> Option<End> {
        let too_late = sleep(INIT_TIMEOUT);
        tokio::pin!(too_late);
        let mut pings = interval(PING_EVERY);
        // The first one is at once.
        pings.tick().await;
        let mut is_heard = true;
        loop {
            let answer = tokio::select! {
                () = stopped(closing) => return Some(STOPS),
                () = &mut too_late, if !self.is_begun => return Some(INIT_TOO_LATE),
                _ = pings.tick() => {
                    if !is_heard {
                        return Some(SILENT);
                    }
                    is_heard = false;
                    Some(Message::Ping(Bytes::new()))
                }
                message = said.recv() => self.hand_on(message?).map(Message::from),
                message = socket.recv() => {
                    is_heard = true;
                    match message? {
                        Ok(Message::Text(text)) => match self.hear(text.as_str()) {
                            Ok(answer) => answer.map(Message::from),
                            Err(end) => return Some(end),
                        },
                        Ok(Message::Binary(_)) => return Some(UNREADABLE),
                        // The library answers pings.
                        Ok(Message::Ping(_) | Message::Pong(_)) => None,
                        Ok(Message::Close(_)) | Err(_) => return None,
                    }
                }
            };
            if let Some(message) = answer
                && !send(socket, message).await
            {
                return Some(TOO_SLOW);
            }
        }
    }

    /// Lets queries and changes end that are under way when the server stops, and hands on what they
    /// say; subscriptions end at once.
    async fn finish(&mut self, socket: &mut WebSocket, said: &mut mpsc::Receiver<Said>) {
        self.running.retain(|_, running| {
            if running.is_subscription {
                running.task.abort();
            }
            !running.is_subscription
        });
        let rest = async {
            while !self.running.is_empty() {
                let Some(message) = said.recv().await else { return };
                if let Some(text) = self.hand_on(message)
                    && !send(socket, Message::from(text)).await
                {
                    return;
                }
            }
        };
        if timeout(FINISH_TIMEOUT, rest).await.is_err() {
            tracing::warn!("operations did not end in time; they were cut off");
        }
    }

    /// What an operation says, unless the client has ended it meanwhile.
    fn hand_on(&mut self, said: Said) -> Option<String> {
        let is_running = self.running.get(&said.id).is_some_and(|running| running.serial == said.serial);
        if is_running && said.is_last {
            self.running.remove(&said.id);
        }
        is_running.then_some(said.text)
    }

    /// Hears a message, and answers it.
    fn hear(&mut self, text: &str) -> Result<Option<String>, End> {
        let message: Incoming = serde_json::from_str(text).map_err(|_| UNREADABLE)?;
        match message {
            Incoming::ConnectionInit {} if self.is_begun => Err(INIT_TWICE),
            Incoming::ConnectionInit {} => {
                self.is_begun = true;
                Ok(Some(json!({"type": "connection_ack"}).to_string()))
            }
            Incoming::Ping { payload: None } => Ok(Some(json!({"type": "pong"}).to_string())),
            Incoming::Ping { payload } => Ok(Some(json!({"type": "pong", "payload": payload}).to_string())),
            Incoming::Pong {} => Ok(None),
            Incoming::Complete { id } => {
                if let Some(running) = self.running.remove(&id) {
                    running.task.abort();
                }
                Ok(None)
            }
            Incoming::Subscribe { .. } if !self.is_begun => Err(NOT_BEGUN),
            Incoming::Subscribe { id, .. } if id.is_empty() || id.chars().nth(MAX_ID).is_some() => Err(UNREADABLE),
            Incoming::Subscribe { id, .. } if self.running.contains_key(&id) => Err(ID_IN_USE),
            Incoming::Subscribe { id, payload } => Ok(self.begin(id, payload)),
        }
    }

    /// Begins an operation; answers when it cannot.
    fn begin(&mut self, id: String, body: RequestBody) -> Option<String> {
        self.serial += 1;
        let serial = self.serial;
        let request_id = format!("{}.{serial}", self.request_id);
        if self.running.len() >= MAX_OPERATIONS {
            let message = format!("more than {MAX_OPERATIONS} operations on one connection; end some, or open another");
            return Some(refusal(&id, SUBSCRIPTION_LIMIT, &message, &request_id));
        }
        let Some(request) = body.request() else {
            return Some(refusal(&id, BAD_USER_INPUT, "there is no query in the payload", &request_id));
        };
        let span = tracing::info_span!("operation", request.id = %request_id);
        let cx = Cx::of_stream(self.app.services.clone(), request_id.clone(), self.language);
        let Answers { stream: mut answers, is_subscription } =
            schema::execute_stream(&self.schema, Arc::new(cx), request);
        // What is asked once has as long as by HTTP.
        let patience = (!is_subscription).then_some(REQUEST_TIMEOUT);
        let said_by = self.said_by.clone();
        let (told, operation) = (id.clone(), request_id.clone());
        let talk = async move {
            loop {
                let Ok(answer) = within(patience, answers.next()).await else {
                    tracing::error!("operation took too long and was given up");
                    let text = refusal(&told, UNAVAILABLE, TOO_LONG, &operation);
                    let _ = said_by.send(Said { id: told, serial, text, is_last: true }).await;
                    return;
                };
                let Some(answer) = answer else { break };
                let is_last = !answer.is_executed;
                // Fields keep the order in which they were asked for, as in an answer by HTTP.
                let (kind, payload) = match is_last {
                    true => ("error", serde_json::to_string(&answer.response.errors)),
                    false => ("next", serde_json::to_string(&answer.response)),
                };
                let Ok(payload) = payload else {
                    tracing::error!("an answer is no JSON");
                    let text = refusal(&told, INTERNAL, INTERNAL_MESSAGE, &operation);
                    let _ = said_by.send(Said { id: told, serial, text, is_last: true }).await;
                    return;
                };
                let text = format!("{{\"id\":{},\"type\":\"{kind}\",\"payload\":{payload}}}", json!(told));
                if said_by.send(Said { id: told.clone(), serial, text, is_last }).await.is_err() || is_last {
                    return;
                }
            }
            let text = json!({"id": told, "type": "complete"}).to_string();
            let _ = said_by.send(Said { id: told, serial, text, is_last: true }).await;
        };
        let (said_by, told) = (self.said_by.clone(), id.clone());
        let guarded = async move {
            if AssertUnwindSafe(talk).catch_unwind().await.is_err() {
                tracing::error!("operation panicked");
                let text = refusal(&told, INTERNAL, INTERNAL_MESSAGE, &request_id);
                let _ = said_by.send(Said { id: told, serial, text, is_last: true }).await;
            }
        };
        let task = tokio::spawn(guarded.instrument(span));
        self.running.insert(id, Running { serial, task: task.abort_handle(), is_subscription });
        None
    }
}

/// What comes of something within a time, or at any time without one.
async fn within<T>(patience: Option<Duration>, work: impl Future<Output = T>) -> Result<T, Elapsed> {
    match patience {
        Some(patience) => timeout(patience, work).await,
        None => Ok(work.await),
    }
}

/// What ends an operation before it began, or without its own answer.
fn refusal(id: &str, code: &str, message: &str, request_id: &str) -> String {
    let extensions = json!({"code": code, "requestId": request_id});
    json!({"id": id, "type": "error", "payload": [{"message": message, "extensions": extensions}]}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_pages_of_this_server_connect_and_clients_that_are_none() {
        let is_let_in = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("tills.example:8080"))]);
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            is_of_this_site(&headers)
        };
        for known in [None, Some("http://tills.example:8080"), Some("https://Tills.Example:8080")] {
            assert!(is_let_in(known), "{known:?}");
        }
        for foreign in ["http://evil.example", "http://tills.example", "http://tills.example:80801", "null", ""] {
            assert!(!is_let_in(Some(foreign)), "{foreign}");
        }
    }

    #[tokio::test]
    async fn what_is_asked_once_is_given_up_and_a_subscription_goes_on() {
        let soon = Some(Duration::from_millis(1));
        assert!(within(soon, std::future::pending::<()>()).await.is_err());
        assert_eq!(within(soon, async { 7 }).await.ok(), Some(7));
        let later = async {
            sleep(Duration::from_millis(5)).await;
            7
        };
        assert_eq!(within(None, later).await.ok(), Some(7));
    }

    #[test]
    fn messages_are_those_of_the_protocol() {
        let read = |text: &str| serde_json::from_str::<Incoming>(text).is_ok();
        for known in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":{"any":1}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"pong","payload":null}"#,
            r#"{"id":"1","type":"subscribe","payload":{"query":"{ viewer { actor } }"}}"#,
            r#"{"id":"1","type":"complete"}"#,
        ] {
            assert!(read(known), "{known}");
        }
        for odd in ["", "[]", r#"{"type":"start"}"#, r#"{"type":"subscribe","id":"1"}"#, r#"{"type":"complete"}"#] {
            assert!(!read(odd), "{odd}");
        }
    }
}
