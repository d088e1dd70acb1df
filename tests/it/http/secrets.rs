//! What goes wrong inside stays inside.

use super::post;
use crate::bad_input::database::sql;
use crate::support::{TestApp, text};
use serde_json::Value;

/// What only the log may say.
const INSIDE: [&str; 8] = ["table", "relation", "select", "insert", "sqlx", "sqlite", "postgres", "technician_away"];

#[tokio::test]
async fn an_internal_error_says_nothing_of_the_database() {
    let app = TestApp::start().await;
    let technician = app.technician("Li Wei").await;
    sql(&app, "alter table technician rename to technician_away").await;
    for request in [
        "{ technicians { nodes { name } } }".to_owned(),
        format!("{{ node(id: \"{technician}\") {{ id }} }}"),
        "mutation { createTechnician(input: {name: \"Zhao Min\"}) { technician { id } } }".to_owned(),
    ] {
        let response = post(&app, &request, &[]).await;
        assert_eq!(response.status().as_u16(), 200, "{request}");
        let body = response.text().await.unwrap();
        let answer: Value = serde_json::from_str(&body).unwrap();
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "INTERNAL", "{body}");
        assert_eq!(error["extensions"]["retryable"], false, "{body}");
        assert!(text(&error["message"]).contains("request id"), "{body}");
        assert!(!text(&error["extensions"]["requestId"]).is_empty(), "{body}");
        let told: Vec<&str> = INSIDE.into_iter().filter(|word| body.to_lowercase().contains(*word)).collect();
        assert!(told.is_empty(), "{told:?} in {body}");
    }
    sql(&app, "alter table technician_away rename to technician").await;
    app.technician("Zhao Min").await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_says_nothing_of_itself() {
    let app = TestApp::start().await;
    app.fielded("HX1", "2026-05-04T01:00:00Z").await;
    sql(&app, "update device set status = 'NONSENSE'").await;
    let response = post(&app, "{ devices { nodes { serialNumber status } } }", &[]).await;
    let body = response.text().await.unwrap();
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL", "{body}");
    assert!(!body.contains("NONSENSE") && !body.contains("corrupt"), "{body}");
}
