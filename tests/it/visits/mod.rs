//! Service visits: what one says, what becomes of it, and when it comes late or twice.

mod arrival;
mod logging;
mod notices;

use crate::support::{TestApp, text};
use serde_json::{Value, json};

/// The codes of each line of a payload, as many as lines were sent.
fn codes(payload: &Value, lines: usize) -> Vec<Vec<String>> {
    let mut found = vec![Vec::new(); lines];
    for result in payload["results"].as_array().expect("results") {
        let line = result["line"].as_u64().expect("a line") as usize;
        found[line].push(text(&result["code"]));
    }
    found
}

/// Every visit, newest first.
async fn visits(app: &TestApp) -> Vec<Value> {
    let query = "{ serviceVisits { nodes {
        id number notes
        lines { line serialNumber findings device { id } notices { code workOrder { id } } }
    } } }";
    app.gql(query, json!({})).await["serviceVisits"]["nodes"].as_array().expect("a list").clone()
}
