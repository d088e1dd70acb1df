//! Refusals of the registry that a caller can act on.

use super::model::{DeviceStatus, ResolveError};
use crate::db::StoreError;
use crate::db::tx::IdempotencyError;
use crate::kernel::code::{Code, Refusal};
use chrono::{DateTime, Utc};

/// Why the registry refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such thing in this organization.
    #[error("no {what} with this id in your organization; check the id")]
    NotFound {
        /// Noun.
        what: &'static str,
        /// Input field.
        field: &'static str,
    },
    /// A field is out of its bounds.
    #[error("{problem}")]
    Invalid {
        /// Input field.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// An impossible moment.
    #[error("{field} {problem}")]
    Instant {
        /// Input field.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Taken.
    #[error("{what} exists already; use the existing one or choose another")]
    Exists {
        /// What is taken.
        what: String,
        /// Input field.
        field: &'static str,
    },
    /// A reference that names no single device.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The status machine forbids it.
    #[error("a device that is {from} cannot become {to}{hint}")]
    IllegalStatus {
        /// Where it is.
        from: DeviceStatus,
        /// Where it was to go.
        to: DeviceStatus,
        /// What to do instead.
        hint: &'static str,
    },
    /// Something stands there.
    #[error("the position is filled by {serial_number} since {since}; remove it first, or use swapDevice")]
    PositionOccupied {
        /// The occupant.
        serial_number: String,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// It stands somewhere already.
    #[error("the device stands at a position already; use relocateDevice or removeDevice")]
    AlreadyInstalled,
    /// It stands nowhere.
    #[error("the device stands at no position; install it first")]
    NotInstalled,
    /// Somebody else changed it first.
    #[error("it was changed meanwhile (version is {actual}, you had {expected}); reload it and try again")]
    Conflict {
        /// Version the caller had.
        expected: i64,
        /// Version now.
        actual: i64,
    },
    /// The same idempotency key with other input.
    #[error("this idempotency key was used with other input; use a new key for a new request")]
    IdempotencyMismatch,
    /// Internal.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<IdempotencyError> for Error {
    fn from(e: IdempotencyError) -> Self {
        match e {
            IdempotencyError::Mismatch => Self::IdempotencyMismatch,
            IdempotencyError::Store(e) => Self::Store(e),
        }
    }
}

impl Refusal for Error {
    fn code(&self) -> Option<Code> {
        Some(match self {
            Self::NotFound { .. } => Code::NotFound,
            Self::Invalid { .. } => Code::Invalid,
            Self::Instant { .. } => Code::InvalidInstant,
            Self::Exists { .. } => Code::AlreadyExists,
            Self::Resolve(ResolveError::Ambiguous { .. }) => Code::Ambiguous,
            Self::Resolve(_) => Code::NotFound,
            Self::IllegalStatus { .. } => Code::IllegalTransition,
            Self::PositionOccupied { .. } => Code::PositionOccupied,
            Self::AlreadyInstalled => Code::DeviceAlreadyInstalled,
            Self::NotInstalled => Code::DeviceNotInstalled,
            Self::Conflict { .. } => Code::Conflict,
            Self::IdempotencyMismatch => Code::IdempotencyMismatch,
            Self::Store(_) => return None,
        })
    }

    fn field(&self) -> Vec<String> {
        let one = |f: &str| vec!["input".to_owned(), f.to_owned()];
        match self {
            Self::NotFound { field, .. }
            | Self::Invalid { field, .. }
            | Self::Instant { field, .. }
            | Self::Exists { field, .. } => one(field),
            Self::Resolve(_) => one("serialNumber"),
            Self::IllegalStatus { .. } => one("status"),
            Self::PositionOccupied { .. } => one("positionId"),
            Self::AlreadyInstalled | Self::NotInstalled => one("deviceId"),
            Self::Conflict { .. } => one("expectedVersion"),
            Self::IdempotencyMismatch => one("idempotencyKey"),
            Self::Store(_) => vec![],
        }
    }

    fn message(&self) -> String {
        self.to_string()
    }
}
