//! The schema, and how a request is executed against it.

use super::catalogue::mutations::CatalogueMutation;
use super::catalogue::queries::CatalogueQuery;
use super::context::Cx;
use super::errors::{BAD_USER_INPUT, INTERNAL, INTERNAL_MESSAGE};
use super::firmware::mutations::FirmwareMutation;
use super::firmware::queries::FirmwareQuery;
use super::limits::{self, Limits};
use super::node::NodeQuery;
use super::planning::foresight::ForesightQuery;
use super::planning::mutations::PlanningMutation;
use super::planning::queries::PlanningQuery;
use super::registry::mutations::RegistryMutation;
use super::registry::queries::RegistryQuery;
use super::reports::queries::ReportQuery;
use super::search::SearchQuery;
use super::subscriptions::Subscription;
use super::usage::mutations::UsageMutation;
use super::visits::mutations::VisitMutation;
use super::visits::queries::VisitQuery;
use async_graphql::futures_util::StreamExt;
use async_graphql::futures_util::stream::{self, BoxStream};
use async_graphql::{
    Json, MergedObject, Request, Response, SDLExportOptions, Schema, SchemaBuilder, ServerError, Value,
};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// What can be asked. Times are UTC instants unless they are called civil days; lists page with
/// `first` (1 to 500, 50 unless stated) and `after`.
#[derive(MergedObject, Default)]
pub struct Query(
    NodeQuery,
    SearchQuery,
    RegistryQuery,
    CatalogueQuery,
    FirmwareQuery,
    PlanningQuery,
    ForesightQuery,
    VisitQuery,
    ReportQuery,
);

/// What can be changed. Every mutation takes one `input`; what the caller can do something about
/// comes back in `userErrors`, and nothing was changed then. Sent again with the same
/// `idempotencyKey`, a request is done once.
#[derive(MergedObject, Default)]
pub struct Mutation(
    RegistryMutation,
    CatalogueMutation,
    UsageMutation,
    FirmwareMutation,
    PlanningMutation,
    VisitMutation,
);

/// The schema; cheap to clone.
pub type TillkeepSchema = Schema<Query, Mutation, Subscription>;

/// Levels of selections and fragments the library walks; above what [`limits`] lets through.
const RECURSION: usize = 64;

/// Builds the schema; it holds no service, each request brings its own [`Cx`].
pub fn build() -> TillkeepSchema {
    builder().finish()
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription)
        .limit_recursive_depth(RECURSION)
        .extension(Limits)
        .override_output_type_description::<DateTime<Utc>>(
            "An instant, RFC 3339, for example `2026-11-24T09:00:00Z`; answered in UTC, accepted with any offset.",
        )
        .override_output_type_description::<Json<serde_json::Value>>(
            "JSON of a shape that depends on the kind of what carries it.",
        )
}

/// The schema as text, as in `schema.graphql`.
pub fn sdl() -> String {
    build().sdl_with_options(SDLExportOptions::new().prefer_single_line_descriptions())
}

/// What became of a request.
#[derive(Debug)]
pub struct Answer {
    /// Data and errors.
    pub response: Response,
    /// Whether it was executed; a request that was refused before has no data at all.
    pub is_executed: bool,
}

impl Answer {
    /// The response as JSON. A refused request has no `data`, not even null.
    ///
    /// # Errors
    /// Data that JSON cannot carry.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        if self.is_executed {
            return serde_json::to_vec(&self.response);
        }
        serde_json::to_vec(&serde_json::json!({ "errors": self.response.errors }))
    }

    /// Whether some error has this code.
    pub fn has_code(&self, code: &str) -> bool {
        self.response.errors.iter().any(|e| code_of(e) == Some(code))
    }
}

fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

/// Checks a request against the limits, runs it, and completes its errors: each has a code and
/// the request's id, and none says what only the log should know.
pub async fn execute(schema: &TillkeepSchema, cx: Arc<Cx>, mut request: Request) -> Answer {
    let mut response = match limits::check(&mut request, cx.may_change) {
        Ok(()) => schema.execute(request.data(cx.clone())).await,
        Err(refusal) => Response::from_errors(vec![refusal]),
    };
    for error in &mut response.errors {
        complete(error, &cx.request_id);
    }
    Answer { response, is_executed: cx.has_begun() }
}

/// What is being answered.
pub struct Answers {
    /// One for a query or a change, one for each event of a subscription.
    pub stream: BoxStream<'static, Answer>,
    /// It goes on until somebody ends it.
    pub is_subscription: bool,
}

/// Checks a request against the limits and runs it as a stream of answers. A request that is refused
/// has one answer, which is not executed.
pub fn execute_stream(schema: &TillkeepSchema, cx: Arc<Cx>, mut request: Request) -> Answers {
    let (answers, is_subscription) = match limits::check(&mut request, cx.may_change) {
        Ok(()) => {
            let is_subscription = limits::is_subscription(&mut request);
            (schema.execute_stream(request.data(cx.clone())), is_subscription)
        }
        Err(refusal) => (stream::iter([Response::from_errors(vec![refusal])]).boxed(), false),
    };
    let stream = answers
        .map(move |mut response| {
            for error in &mut response.errors {
                complete(error, &cx.request_id);
            }
            Answer { response, is_executed: cx.has_begun() }
        })
        .boxed();
    Answers { stream, is_subscription }
}

/// What the library says of a text that is no instant.
const NO_INSTANT: &str = "Failed to parse \"DateTime\"";

fn complete(error: &mut ServerError, request_id: &str) {
    if code_of(error).is_none() {
        // Without a code it comes from the library. What it found in the request is the caller's;
        // what it was handed as a foreign error is ours.
        let is_ours = error.source.is_some();
        if is_ours {
            tracing::error!(error = error.message, "resolver failed with a foreign error");
            error.message = INTERNAL_MESSAGE.to_owned();
        } else if error.message.contains(NO_INSTANT) {
            // The library says what is wrong with the text, but not how to write one.
            error.message.push_str("; write an instant as RFC 3339, for example 2026-11-24T09:00:00+08:00");
        }
        let code = if is_ours { INTERNAL } else { BAD_USER_INPUT };
        error.extensions.get_or_insert_with(Default::default).set("code", code);
    }
    error.extensions.get_or_insert_with(Default::default).set("requestId", request_id);
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::ValidationResult;
    use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
    use async_trait::async_trait;

    /// Answers what a query costs instead of asking it.
    struct Measure;

    impl ExtensionFactory for Measure {
        fn create(&self) -> Arc<dyn Extension> {
            Arc::new(Self)
        }
    }

    #[async_trait]
    impl Extension for Measure {
        async fn validation(
            &self,
            ctx: &ExtensionContext<'_>,
            next: NextValidation<'_>,
        ) -> Result<ValidationResult, Vec<ServerError>> {
            let measured = next.run(ctx).await?;
            Err(vec![ServerError::new(measured.complexity.to_string(), None)])
        }
    }

    async fn cost(query: &str) -> usize {
        let response = builder().extension(Measure).finish().execute(query).await;
        let message = response.errors[0].message.clone();
        message.parse().unwrap_or_else(|_| panic!("{message}"))
    }

    #[tokio::test]
    async fn a_full_page_of_devices_is_let_through_and_lists_within_lists_are_not() {
        let fleet = "{ devices(first: 500) {
            nodes {
                id serialNumber status model { code name } site { name } merchant { name }
                position { name terminalNumber } meters { code latestValue ratedLifeUsed }
                maintenanceItems { plan { code } dueAt }
            }
            pageInfo { hasNextPage endCursor }
        } }";
        assert_eq!(cost(fleet).await, 29_001);
        let nested =
            format!("{{ sites {{ nodes {{ {}name{} }} }} }}", "positions { site { ".repeat(5), " } }".repeat(5));
        assert!(cost(&nested).await > limits::MAX_COMPLEXITY);
        let files = "{ devices(first: 100) { nodes { historyIntegrity { isIntact } } } }";
        assert!(cost(files).await > limits::MAX_COMPLEXITY);
    }

    #[test]
    fn an_impossible_instant_is_told_how_to_write_one() {
        let mut error = ServerError::new("Failed to parse \"DateTime\": input is out of range", None);
        complete(&mut error, "r-1");
        assert!(error.message.ends_with("for example 2026-11-24T09:00:00+08:00"), "{}", error.message);
        assert_eq!(code_of(&error), Some(BAD_USER_INPUT));
    }
}
