//! What every resolver is handed.

use super::errors::{Failure, bad_input, internal};
use super::loaders::{Batch, clear};
use super::services::Services;
use crate::db::StoreError;
use crate::kernel::call::{Call, IdempotencyClaim};
use crate::kernel::code::Code;
use crate::kernel::scope::Scope;
use crate::kernel::text::Language;
use crate::registry::file::sha256_hex;
use async_graphql::dataloader::{DataLoader, HashMapCache};
use async_graphql::{Context, Result};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One request.
pub struct Cx {
    /// Every service.
    pub services: Services,
    /// Whose data.
    pub scope: Scope,
    /// Who asks.
    pub actor: String,
    /// The request's id.
    pub request_id: String,
    /// What the caller reads, from `Accept-Language`.
    pub language: Language,
    /// When it came in, UTC.
    pub now: DateTime<Utc>,
    /// Whether it may change anything; a GET may not.
    pub may_change: bool,
    /// Rows already fetched for this request.
    pub loader: DataLoader<Batch, HashMapCache>,
    /// Whether a resolver may have run; before that a response carries no data.
    has_begun: AtomicBool,
    /// Whether it is answered again and again, each time with a context of its own.
    is_stream: bool,
}

impl Cx {
    /// A request's context, with an empty loader.
    pub fn new(services: Services, request_id: String, language: Language, may_change: bool) -> Self {
        let scope = Scope::DEFAULT;
        let now = services.clock.now();
        let loader =
            DataLoader::with_cache(Batch { services: services.clone(), scope }, tokio::spawn, HashMapCache::default());
        Self {
            services,
            scope,
            actor: "planner".to_owned(),
            request_id,
            language,
            now,
            may_change,
            loader,
            has_begun: AtomicBool::new(false),
            is_stream: false,
        }
    }

    /// The context of a request that may be answered more than once.
    pub fn of_stream(services: Services, request_id: String, language: Language) -> Self {
        Self { is_stream: true, ..Self::new(services, request_id, language, true) }
    }

    /// The context of one more answer: now, and nothing fetched before; none when the request is
    /// answered once.
    pub fn again(&self) -> Option<Self> {
        let fresh = || Self::new(self.services.clone(), self.request_id.clone(), self.language, self.may_change);
        self.is_stream.then(fresh)
    }

    /// The context of a resolver.
    pub fn of<'a>(ctx: &Context<'a>) -> &'a Self {
        ctx.data_unchecked::<Arc<Self>>()
    }

    /// Remembers that resolvers run from now on.
    pub fn begin(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
    }

    /// Whether resolvers ran.
    pub fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// A request for a change: reads the clock, forgets what was read before, and claims the
    /// idempotency key for this field and input.
    ///
    /// # Errors
    /// A key that is empty, too long, or has control characters.
    pub fn call(&self, ctx: &Context<'_>, key: Option<&str>) -> Result<Call, Failure> {
        // What was read before the change must not answer for what is after it.
        clear(&self.loader);
        let idempotency = match key {
            None => None,
            Some(key)
                if key.trim().is_empty() || key.chars().count() > MAX_KEY || key.chars().any(char::is_control) =>
            {
                return Err(Failure::user(
                    Code::Invalid,
                    "an idempotency key has 1 to 200 characters, none of them a control character; a UUID is a good one",
                    &["input", "idempotencyKey"],
                ));
            }
            Some(key) => Some(IdempotencyClaim {
                operation: ctx.field().name().to_owned(),
                key: key.to_owned(),
                input_hash: input_hash(ctx)?,
            }),
        };
        Ok(Call {
            scope: self.scope,
            actor: self.actor.clone(),
            request_id: self.request_id.clone(),
            now: self.services.clock.now(),
            idempotency,
        })
    }

    /// A storage failure as the caller may see it.
    pub fn fail(&self, error: StoreError) -> async_graphql::Error {
        internal(&error)
    }
}

/// Characters of an idempotency key at most.
const MAX_KEY: usize = 200;

/// SHA-256 of the field's arguments in their canonical form, hex.
fn input_hash(ctx: &Context<'_>) -> Result<String, Failure> {
    let mut input = serde_json::Map::new();
    let unreadable = |e: &dyn std::fmt::Display| Failure::Internal(bad_input(format!("the input cannot be read: {e}")));
    for (name, value) in ctx.field().arguments().map_err(|e| unreadable(&e))? {
        input.insert(name.to_string(), value.into_json().map_err(|e| unreadable(&e))?);
    }
    let mut text = String::new();
    write_canonical(&serde_json::Value::Object(input), &mut text);
    Ok(sha256_hex(&text))
}

/// Writes JSON so that the same input has the same text: names sorted, nulls left out of objects
/// (for an input, null and absent are the same).
fn write_canonical(value: &serde_json::Value, out: &mut String) {
    match value {
        serde_json::Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().filter(|(_, v)| !v.is_null()).collect();
            fields.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (place, (name, value)) in fields.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                out.push_str(&serde_json::Value::from(name.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
            }
            out.push('}');
        }
        serde_json::Value::Array(rows) => {
            out.push('[');
            for (place, row) in rows.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_canonical(row, out);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_names_and_nulls_do_not_make_another_input() {
        let text = |json: &str| {
            let mut out = String::new();
            write_canonical(&serde_json::from_str(json).unwrap(), &mut out);
            out
        };
        assert_eq!(text(r#"{"b":[{"y":1,"x":"\""}],"a":null,"c":2.5}"#), text(r#"{"c":2.5,"b":[{"x":"\"","y":1}]}"#));
        assert_ne!(text(r#"{"a":[1,2]}"#), text(r#"{"a":[2,1]}"#));
        assert_ne!(text(r#"{"a":[null]}"#), text(r#"{"a":[]}"#));
    }
}
