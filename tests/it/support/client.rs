//! GraphQL over HTTP, as a caller sends it.

use super::{TestApp, text};
use serde_json::{Value, json};

impl TestApp {
    /// The data of an answer without errors.
    pub async fn gql(&self, query: &str, variables: Value) -> Value {
        self.gql_in("en", query, variables).await
    }

    /// As [`Self::gql`], to a caller who reads a language (`Accept-Language`).
    pub async fn gql_in(&self, language: &str, query: &str, variables: Value) -> Value {
        let mut answer = self.try_gql_in(language, query, variables).await;
        assert!(answer["errors"].is_null(), "{answer:#}\nto {query}");
        answer["data"].take()
    }

    /// The whole answer, errors and all.
    pub async fn try_gql(&self, query: &str, variables: Value) -> Value {
        self.try_gql_in("en", query, variables).await
    }

    /// As [`Self::try_gql`], to a caller who reads a language (`Accept-Language`).
    pub async fn try_gql_in(&self, language: &str, query: &str, variables: Value) -> Value {
        let request = self
            .http
            .post(format!("{}/graphql", self.url))
            .header("accept-language", language)
            .json(&json!({"query": query, "variables": variables}));
        let response = request.send().await.unwrap_or_else(|e| panic!("no answer to {query}: {e}"));
        let status = response.status();
        let body = response.text().await.unwrap_or_else(|e| panic!("{status}, half an answer to {query}: {e}"));
        serde_json::from_str(&body).unwrap_or_else(|e| panic!("{status}, not JSON ({e}): {body}"))
    }

    /// The payload of a mutation that is done.
    pub async fn mutate(&self, name: &str, selection: &str, input: Value) -> Value {
        let payload = self.payload(name, selection, input.clone()).await;
        let is_done = payload["userErrors"].as_array().is_some_and(Vec::is_empty);
        assert!(is_done, "{name} was refused: {:#}\nwith {input:#}", payload["userErrors"]);
        payload
    }

    /// Why a mutation is refused: code, message and path of the input field.
    pub async fn refused(&self, name: &str, input: Value) -> (String, String, Vec<String>) {
        let payload = self.payload(name, "__typename", input.clone()).await;
        let Some(error) = payload["userErrors"].get(0) else { panic!("{name} was not refused with {input:#}") };
        let field = error["field"].as_array().into_iter().flatten().map(text).collect();
        (text(&error["code"]), text(&error["message"]), field)
    }

    /// The payload of a mutation, done or refused.
    pub async fn payload(&self, name: &str, selection: &str, input: Value) -> Value {
        let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let query = format!(
            "mutation($input: {kind}!) {{
                {name}(input: $input) {{ {selection} userErrors {{ code message field }} }}
            }}"
        );
        self.gql(&query, json!({"input": input})).await[name].take()
    }
}
