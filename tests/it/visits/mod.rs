//! Service visits: what one says, what becomes of it, and when it comes late or twice.

mod arrival;
mod corrective;
mod failures;
mod logging;
mod notices;
mod parts;
mod steps;

use crate::support::{TestApp, text};
use serde_json::{Value, json};
use tillkeep::kernel::scope::Scope;

/// The codes of each line of a payload, as many as lines were sent.
fn codes(payload: &Value, lines: usize) -> Vec<Vec<String>> {
    let mut found = vec![Vec::new(); lines];
    for result in payload["results"].as_array().expect("results") {
        let line = result["line"].as_u64().expect("a line") as usize;
        found[line].push(text(&result["code"]));
    }
    found
}

/// A visit with one line at a moment, DONE unless the line says otherwise.
fn visit(site: &str, technician: &str, at: &str, line: Value) -> Value {
    let mut line = line;
    for (field, value) in [("performedAt", at), ("outcome", "DONE")] {
        if line[field].is_null() {
            line[field] = json!(value);
        }
    }
    json!({"siteId": site, "technicianId": technician, "startedAt": at, "lines": [line]})
}

/// Where files and tables differ.
async fn differences(app: &TestApp) -> Vec<String> {
    let checks = app.services().registry.verify_page(&Scope::DEFAULT, None, 100).await.unwrap();
    checks.into_iter().flat_map(|check| check.differences.into_iter().chain(check.integrity.problem)).collect()
}

/// Every visit, newest first.
async fn visits(app: &TestApp) -> Vec<Value> {
    let query = "{ serviceVisits { nodes {
        id number notes
        lines { line serialNumber findings device { id } notices { code workOrder { id } } }
    } } }";
    app.gql(query, json!({})).await["serviceVisits"]["nodes"].as_array().expect("a list").clone()
}
