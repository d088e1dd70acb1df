//! Refusals of the catalogue.

use crate::db::StoreError;
use crate::db::tx::IdempotencyError;
use crate::kernel::code::{Code, Refusal};

/// Why the catalogue refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field is out of its bounds.
    #[error("{problem}")]
    Invalid {
        /// Input field.
        field: String,
        /// What is wrong.
        problem: String,
    },
    /// The model exists.
    #[error("model {name} of {manufacturer} exists already in this hardware revision, or its code is taken")]
    ModelExists {
        /// Maker.
        manufacturer: String,
        /// Model name.
        name: String,
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
            Self::Invalid { .. } => Code::Invalid,
            Self::ModelExists { .. } => Code::AlreadyExists,
            Self::IdempotencyMismatch => Code::IdempotencyMismatch,
            Self::Store(_) => return None,
        })
    }

    fn field(&self) -> Vec<String> {
        match self {
            Self::Invalid { field, .. } => vec!["input".into(), field.clone()],
            Self::ModelExists { .. } => vec!["input".into(), "name".into()],
            Self::IdempotencyMismatch => vec!["input".into(), "idempotencyKey".into()],
            Self::Store(_) => vec![],
        }
    }

    fn message(&self) -> String {
        self.to_string()
    }
}
