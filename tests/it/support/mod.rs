//! What the tests stand on: a running server, a client, and builders through the public API.

#![allow(dead_code, reason = "one harness for all tests; some parts wait for theirs")]

mod app;
pub mod builders;
mod client;

pub use app::TestApp;
pub use builders::Fielded;

use chrono::{DateTime, Utc};
use serde_json::Value;

/// An instant from RFC 3339.
pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_else(|e| panic!("\"{text}\" is not an instant: {e}"))
}

/// An instant of an answer; two spellings of one instant are equal.
pub fn instant(value: &Value) -> DateTime<Utc> {
    at(&text(value))
}

/// A text of an answer.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).to_owned()
}

/// The one row of a list.
pub fn only(list: &Value) -> &Value {
    match list.as_array().map(Vec::as_slice) {
        Some([row]) => row,
        _ => panic!("not one row: {list}"),
    }
}
