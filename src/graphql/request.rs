//! A GraphQL request as callers write it, in a body, an address or a message.

use async_graphql::{Request, Variables};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A request in JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestBody {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    /// Read so that a wrong shape is refused; none is supported.
    #[serde(rename = "extensions")]
    _extensions: Option<Map<String, Value>>,
}

impl RequestBody {
    /// The request; none when there is no query.
    pub fn request(self) -> Option<Request> {
        Some(request(self.query?, self.operation_name, self.variables))
    }
}

/// A request of these parts.
pub fn request(query: String, operation_name: Option<String>, variables: Option<Map<String, Value>>) -> Request {
    let variables = Variables::from_json(Value::Object(variables.unwrap_or_default()));
    let request = Request::new(query).variables(variables);
    match operation_name.filter(|name| !name.is_empty()) {
        Some(name) => request.operation_name(name),
        None => request,
    }
}
