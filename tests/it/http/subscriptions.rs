//! Subscriptions over WebSocket, as a client of graphql-transport-ws has them.

use crate::planning::{START, change_state, device_at, floating, item, make_plan, open_order, schedule};
use crate::support::{TestApp, text};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tillkeep::app::http;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PROTOCOL: &str = "graphql-transport-ws";
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

const FILE: &str = "subscription($id: ID!) { deviceFileAppended(deviceId: $id) { kind sequence summary } }";
const CHANGES: &str = "subscription($filter: UpcomingMaintenanceFilter) {
    maintenanceChanged(filter: $filter) {
        kind at
        item { plan { code } }
        workOrder { id state device { serialNumber } }
        upcoming { dueAt isOverdue device { serialNumber } }
    }
}";

/// What a client hears.
#[derive(Debug)]
enum Heard {
    Said(Value),
    Closed(u16),
}

struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// Asks a server for a connection, with these headers.
async fn ask(url: &str, headers: &[(&'static str, &str)]) -> Result<Client, Error> {
    let mut request = format!("{}/graphql", url.replace("http://", "ws://")).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let (socket, response) = connect_async(request).await?;
    assert_eq!(response.headers()["sec-websocket-protocol"], PROTOCOL);
    Ok(Client { socket })
}

/// Status and code of a connection that is refused.
async fn refused(url: &str, headers: &[(&'static str, &str)]) -> (u16, String) {
    match ask(url, headers).await {
        Err(Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
            let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned();
            (response.status().as_u16(), code)
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{headers:?} was not refused"),
    }
}

impl Client {
    /// A connection that has begun.
    async fn begin(app: &TestApp) -> Self {
        let mut client = ask(&app.url, &[("sec-websocket-protocol", PROTOCOL)]).await.unwrap();
        client.say(json!({"type": "connection_init"})).await;
        assert_eq!(client.hear().await, json!({"type": "connection_ack"}));
        client
    }

    async fn say(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn next(&mut self) -> Heard {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("nothing was said").expect("it has ended");
            match message.unwrap() {
                Message::Text(text) => return Heard::Said(serde_json::from_str(text.as_str()).unwrap()),
                Message::Close(frame) => return Heard::Closed(frame.map_or(0, |f| f.code.into())),
                _ => {}
            }
        }
    }

    async fn hear(&mut self) -> Value {
        match self.next().await {
            Heard::Said(message) => message,
            Heard::Closed(code) => panic!("closed with {code}"),
        }
    }

    /// The code the connection is closed with.
    async fn end(&mut self) -> u16 {
        match self.next().await {
            Heard::Closed(code) => code,
            Heard::Said(message) => panic!("said {message:#}"),
        }
    }

    async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({"query": query, "variables": variables});
        self.say(json!({"id": id, "type": "subscribe", "payload": payload})).await;
        // What begins is not told; a ping behind it is answered once it has been taken.
        self.say(json!({"type": "ping"})).await;
        assert_eq!(self.hear().await, json!({"type": "pong"}));
        // The subscription itself begins a moment later, in a task of its own.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    /// What a subscription says next.
    async fn data(&mut self, id: &str) -> Value {
        let mut message = self.hear().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!(id)), "{message:#}");
        assert!(message["payload"]["errors"].is_null(), "{message:#}");
        message["payload"]["data"].take()
    }

    /// Code of the error that ends a subscription before it begins.
    async fn error(&mut self, id: &str) -> String {
        let message = self.hear().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!(id)), "{message:#}");
        let extensions = &message["payload"][0]["extensions"];
        assert!(!text(&extensions["requestId"]).is_empty(), "{message:#}");
        text(&extensions["code"])
    }
}

async fn set_status(app: &TestApp, device: &str, status: &str) {
    app.mutate("changeDeviceStatus", "", json!({"deviceId": device, "status": status})).await;
}

#[tokio::test]
async fn what_is_appended_to_a_device_file_is_told_in_its_order() {
    let app = TestApp::start().await;
    let model = app.model().await;
    let site = app.site(&app.merchant("Wang's Noodles").await).await;
    let position = app.position(&site, "Counter 1", Some("T1")).await;
    let device = app.device(&model, "HX1").await;
    let other = app.device(&model, "HX2").await;

    let mut client = Client::begin(&app).await;
    client.subscribe("file", FILE, json!({"id": device})).await;
    set_status(&app, &other, "READY").await;
    app.install(&device, &position, "2026-05-04T07:00:00Z").await;
    set_status(&app, &device, "IN_SERVICE").await;
    let event = client.data("file").await["deviceFileAppended"].take();
    let expected = json!({"kind": "INSTALLED", "sequence": 2, "summary": "Installed at terminal number T1"});
    assert_eq!(event, expected, "neither what was before nor the other device's");
    let event = client.data("file").await["deviceFileAppended"].take();
    assert_eq!((&event["kind"], &event["sequence"]), (&json!("STATUS_CHANGED"), &json!(3)));
}

#[tokio::test]
async fn every_subscriber_is_told_and_a_late_one_only_what_comes_later() {
    let app = TestApp::start().await;
    let device = app.device(&app.model().await, "HX1").await;
    let mut first = Client::begin(&app).await;
    first.subscribe("1", FILE, json!({"id": device})).await;
    let mut second = Client::begin(&app).await;
    second.subscribe("a", FILE, json!({"id": device})).await;
    set_status(&app, &device, "READY").await;
    let sequence = |mut data: Value| data["deviceFileAppended"]["sequence"].take();
    assert_eq!(sequence(first.data("1").await), 2);
    assert_eq!(sequence(second.data("a").await), 2);

    let mut late = Client::begin(&app).await;
    late.subscribe("late", FILE, json!({"id": device})).await;
    second.say(json!({"id": "a", "type": "complete"})).await;
    second.subscribe("a", FILE, json!({"id": device})).await;
    set_status(&app, &device, "IN_TRANSIT").await;
    assert_eq!(sequence(late.data("late").await), 3);
    assert_eq!(sequence(second.data("a").await), 3, "the id may be used again");
    assert_eq!(sequence(first.data("1").await), 3);
}

#[tokio::test]
async fn changes_of_maintenance_are_told_by_site_from_issue_to_completion() {
    let app = TestApp::start_at(START).await;
    make_plan(&app, "CLEAN", &[floating("P30D")], json!({})).await;
    let merchant = app.merchant("Chain").await;
    let (here, there) = (app.site(&merchant).await, app.site(&merchant).await);
    let device = device_at(&app, &here, "HX1", START).await;
    device_at(&app, &there, "HX2", START).await;
    app.run_planner().await;

    let mut client = Client::begin(&app).await;
    client.subscribe("here", CHANGES, json!({"filter": {"siteId": here}})).await;
    // Two weeks before 3 June.
    app.set_clock("2026-05-21T02:00:00Z");
    let run = app.run_planner().await;
    assert_eq!(run["ordersIssued"], 2, "{run:#}");
    let change = client.data("here").await["maintenanceChanged"].take();
    let order = open_order(&app, &device, "CLEAN").await;
    let due_at = item(&app, &device, "CLEAN").await["dueAt"].clone();
    let expected = json!({
        "kind": "ISSUED", "at": "2026-05-21T02:00:00+00:00",
        "item": {"plan": {"code": "CLEAN"}},
        "workOrder": {"id": order, "state": "PLANNED", "device": {"serialNumber": "HX1"}},
        "upcoming": {"dueAt": due_at, "isOverdue": false, "device": {"serialNumber": "HX1"}},
    });
    assert_eq!(change, expected);

    schedule(&app, &order, "2026-06-02T02:00:00Z").await;
    let change = client.data("here").await["maintenanceChanged"].take();
    assert_eq!((&change["kind"], &change["workOrder"]["state"]), (&json!("SCHEDULED"), &json!("SCHEDULED")));
    change_state(&app, &order, "ON_HOLD", json!({"reason": "Shop is closed"})).await;
    assert_eq!(client.data("here").await["maintenanceChanged"]["kind"], "STATE_CHANGED");

    app.set_clock("2026-06-02T03:00:00Z");
    let technician = app.technician("Li Wei").await;
    let line = json!({"deviceId": device, "workOrderIds": [order]});
    app.log_visit(&here, &technician, "2026-06-02T02:30:00Z", vec![line]).await;
    let change = client.data("here").await["maintenanceChanged"].take();
    assert_eq!((&change["kind"], &change["workOrder"]["state"]), (&json!("COMPLETED"), &json!("COMPLETED")));
    assert!(change["upcoming"].is_null(), "{change:#}");
}

#[tokio::test]
async fn a_change_told_to_the_files_of_many_devices_is_told_once() {
    let app = TestApp::start_at(START).await;
    make_plan(&app, "PATROL", &[floating("P30D")], json!({"subject": "SITE", "kind": "MERCHANT_PATROL"})).await;
    let site = app.site(&app.merchant("Chain").await).await;
    device_at(&app, &site, "HX1", START).await;
    device_at(&app, &site, "HX2", START).await;
    app.run_planner().await;
    let mut client = Client::begin(&app).await;
    client.subscribe("all", CHANGES, json!({})).await;
    app.set_clock("2026-05-21T02:00:00Z");
    app.run_planner().await;
    assert_eq!(client.data("all").await["maintenanceChanged"]["kind"], "ISSUED");
    let order = open_order(&app, &site, "PATROL").await;
    schedule(&app, &order, "2026-06-02T02:00:00Z").await;
    assert_eq!(client.data("all").await["maintenanceChanged"]["kind"], "SCHEDULED", "and not issued again");
}

#[tokio::test]
async fn queries_and_changes_are_answered_on_the_same_connection() {
    let app = TestApp::start().await;
    let mut client = Client::begin(&app).await;
    let payload = json!({"query": "{ viewer { actor } }"});
    client.say(json!({"id": "q", "type": "subscribe", "payload": payload})).await;
    assert_eq!(client.data("q").await, json!({"viewer": {"actor": "planner"}}));
    assert_eq!(client.hear().await, json!({"id": "q", "type": "complete"}));
    client.say(json!({"type": "ping", "payload": {"n": 1}})).await;
    assert_eq!(client.hear().await, json!({"type": "pong", "payload": {"n": 1}}));
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_refused_with_a_code_and_the_connection_stays() {
    let app = TestApp::start().await;
    let mut client = Client::begin(&app).await;
    let unknown = app.merchant("Wang's Noodles").await;
    let deep = format!("{}a{}", "{ a ".repeat(20), " }".repeat(20));
    let two = "subscription { a: maintenanceChanged { kind } b: maintenanceChanged { kind } }";
    for (id, query, code) in [
        ("id", format!("subscription {{ deviceFileAppended(deviceId: \"{unknown}\") {{ kind }} }}"), "BAD_USER_INPUT"),
        ("deep", deep, "DEPTH_LIMIT"),
        ("two", two.to_owned(), "BAD_USER_INPUT"),
        ("unreadable", "subscription {".to_owned(), "BAD_USER_INPUT"),
        ("unknown", "subscription { nothing }".to_owned(), "BAD_USER_INPUT"),
    ] {
        client.say(json!({"id": id, "type": "subscribe", "payload": {"query": query}})).await;
        assert_eq!(client.error(id).await, code, "{id}");
    }
    let device = app.device(&app.model().await, "HX1").await;
    for n in 0..100 {
        let payload = json!({"query": FILE, "variables": {"id": device}});
        client.say(json!({"id": n.to_string(), "type": "subscribe", "payload": payload})).await;
    }
    let payload = json!({"query": "{ viewer { actor } }"});
    client.say(json!({"id": "one more", "type": "subscribe", "payload": payload})).await;
    assert_eq!(client.error("one more").await, "SUBSCRIPTION_LIMIT");
}

#[tokio::test]
async fn connections_of_another_protocol_or_site_are_refused() {
    let app = TestApp::start().await;
    let host = app.url.trim_start_matches("http://");
    assert_eq!(refused(&app.url, &[]).await.0, 400);
    assert_eq!(refused(&app.url, &[("sec-websocket-protocol", "graphql-ws")]).await.0, 400);
    let ours = ("sec-websocket-protocol", PROTOCOL);
    assert_eq!(refused(&app.url, &[ours, ("origin", "http://evil.example")]).await.0, 403);
    let own = format!("http://{host}");
    assert!(ask(&app.url, &[ours, ("origin", own.as_str())]).await.is_ok());
    let both = ("sec-websocket-protocol", "graphql-ws, graphql-transport-ws");
    assert!(ask(&app.url, &[both]).await.is_ok());
}

#[tokio::test]
async fn a_client_that_breaks_the_protocol_is_closed_with_its_code() {
    let app = TestApp::start().await;
    let subscribe =
        json!({"id": "1", "type": "subscribe", "payload": {"query": "subscription { maintenanceChanged { kind } }"}});
    let mut client = ask(&app.url, &[("sec-websocket-protocol", PROTOCOL)]).await.unwrap();
    client.say(subscribe.clone()).await;
    assert_eq!(client.end().await, 4401, "before it has begun");
    for (message, code) in [
        (json!({"type": "connection_init"}), 4429),
        (json!({"type": "start"}), 4400),
        (json!({"id": "", "type": "subscribe", "payload": {"query": "{ viewer { actor } }"}}), 4400),
    ] {
        let mut client = Client::begin(&app).await;
        client.say(message.clone()).await;
        assert_eq!(client.end().await, code, "{message}");
    }
    let mut client = Client::begin(&app).await;
    client.say(subscribe.clone()).await;
    client.say(subscribe).await;
    assert_eq!(client.end().await, 4409, "an id in use");
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_ends() {
    let app = TestApp::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move {
        let _ = stopped.await;
    };
    let server = tokio::spawn(http::serve(app.app.clone(), listener, shutdown));
    let mut client = ask(&url, &[("sec-websocket-protocol", PROTOCOL)]).await.unwrap();
    client.say(json!({"type": "connection_init"})).await;
    client.hear().await;
    stop.send(()).unwrap();
    assert_eq!(client.end().await, 1001);
    timeout(PATIENCE, server).await.expect("the server ends").unwrap().unwrap();
}

#[tokio::test]
async fn a_change_under_way_is_answered_before_the_server_stops() {
    let app = TestApp::start_at(START).await;
    make_plan(&app, "CLEAN", &[floating("P5D")], json!({"earlyDays": 1, "lateDays": 1})).await;
    let site = app.site(&app.merchant("Chain").await).await;
    for n in 0..10 {
        device_at(&app, &site, &format!("HX{n}"), START).await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move {
        let _ = stopped.await;
    };
    let server = tokio::spawn(http::serve(app.app.clone(), listener, shutdown));
    let mut client = ask(&url, &[("sec-websocket-protocol", PROTOCOL)]).await.unwrap();
    client.say(json!({"type": "connection_init"})).await;
    client.hear().await;
    let query = "mutation { runPlanner(input: {full: true}) { plannerRun { subjectCount } userErrors { code } } }";
    client.say(json!({"id": "1", "type": "subscribe", "payload": {"query": query}})).await;
    client.say(json!({"type": "ping"})).await;
    // The change may be faster than the answer to the ping, and than the stop.
    let mut heard = Vec::new();
    while heard.last() != Some(&json!({"type": "pong"})) {
        heard.push(client.hear().await);
    }
    stop.send(()).unwrap();
    let code = loop {
        match client.next().await {
            Heard::Said(message) => heard.push(message),
            Heard::Closed(code) => break code,
        }
    };
    assert_eq!(code, 1001);
    let answer = heard.iter().find(|m| m["type"] == "next").expect("an answer");
    assert!(answer["payload"]["data"]["runPlanner"]["plannerRun"]["subjectCount"].is_number(), "{answer:#}");
    assert!(heard.contains(&json!({"id": "1", "type": "complete"})), "{heard:#?}");
    timeout(PATIENCE, server).await.expect("the server ends").unwrap().unwrap();
}
