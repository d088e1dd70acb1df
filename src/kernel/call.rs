//! Who asks for a change, when, and under which idempotency key.

use super::scope::Scope;
use chrono::{DateTime, Utc};

/// A caller's claim that this request is to be done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyClaim {
    /// The mutation's name.
    pub operation: String,
    /// The caller's key.
    pub key: String,
    /// SHA-256 of the canonical input, hex.
    pub input_hash: String,
}

/// One request for a change.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whose data.
    pub scope: Scope,
    /// Who asks.
    pub actor: String,
    /// The request's id, as in logs and device files.
    pub request_id: String,
    /// When the request came in, UTC.
    pub now: DateTime<Utc>,
    /// The claim, if the caller gave a key.
    pub idempotency: Option<IdempotencyClaim>,
}
