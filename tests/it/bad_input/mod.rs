//! Bad input: every refusal has its code and its field and says what to do, and nothing of the
//! request stays.

mod codes;
mod conditions;
pub mod database;
mod devices;
mod ids;
mod keys;
mod moments;
mod numbers;
mod orders;
mod pages;
mod plans;
mod readings;
mod texts;
pub mod world;

use self::database::rows;
use crate::support::{TestApp, text};
use serde_json::{Value, json};

/// Characters of a message at most: what was given is not sent back whole.
const MAX_MESSAGE: usize = 1_000;

/// A mutation with an input that must be refused, the code, and the field under `input`, with
/// dots; without a field the refusal is about the whole request.
pub type Case<'a> = (&'a str, Value, &'a str, &'a str);

/// What became of a mutation.
#[derive(Debug)]
pub struct Outcome {
    /// The code of its first refusal or error; `DONE` without one.
    pub code: String,
    /// The field, as a path.
    pub field: Vec<String>,
    /// The message.
    pub message: String,
}

/// Sends a mutation, whatever comes of it.
pub async fn outcome(app: &TestApp, mutation: &str, input: &Value) -> Outcome {
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query =
        format!("mutation($input: {kind}!) {{ {mutation}(input: $input) {{ userErrors {{ code field message }} }} }}");
    let answer = app.try_gql(&query, json!({"input": input})).await;
    let (error, refusal) = (&answer["errors"][0], &answer["data"][mutation]["userErrors"][0]);
    if !error.is_null() {
        let (code, message) = (text(&error["extensions"]["code"]), text(&error["message"]));
        return Outcome { code, field: vec![], message };
    }
    if refusal.is_null() {
        return Outcome { code: "DONE".to_owned(), field: vec![], message: String::new() };
    }
    let field = refusal["field"].as_array().into_iter().flatten().map(text).collect();
    Outcome { code: text(&refusal["code"]), field, message: text(&refusal["message"]) }
}

/// The code of a query's first error; `DONE` without one.
pub async fn query_code(app: &TestApp, query: &str, variables: Value) -> String {
    let answer = app.try_gql(query, variables).await;
    answer["errors"].get(0).map_or_else(|| "DONE".to_owned(), |error| text(&error["extensions"]["code"]))
}

/// Sends mutations that must be refused one by one, and names all that are not refused as they
/// should be or leave something behind.
pub async fn refused_all(app: &TestApp, cases: Vec<Case<'_>>) {
    assert!(!cases.is_empty());
    let mut problems = Vec::new();
    let mut before = rows(app).await;
    for (mutation, input, code, field) in cases {
        let found = outcome(app, mutation, &input).await;
        let shown: String = input.to_string().chars().take(300).collect();
        let expected: Vec<&str> = match field {
            "" => vec![],
            field => std::iter::once("input").chain(field.split('.')).collect(),
        };
        let is_message_fit = (1..=MAX_MESSAGE).contains(&found.message.chars().count());
        if found.code != code || found.field != expected || !is_message_fit {
            let message: String = found.message.chars().take(300).collect();
            let (found, field) = (found.code, found.field);
            problems.push(format!("{mutation}: {found} {field:?} for {code} {expected:?}: {message}\n  {shown}"));
        }
        let after = rows(app).await;
        if after != before {
            let changed: Vec<_> = after.iter().filter(|(table, now)| before.get(*table) != Some(*now)).collect();
            problems.push(format!("{mutation} left something in {changed:?}\n  {shown}"));
            before = after;
        }
    }
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}
