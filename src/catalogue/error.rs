//! Refusals of the catalogue.

use crate::db::StoreError;
use crate::db::tx::IdempotencyError;
use crate::kernel::code::{Code, Refusal};
use crate::kernel::text::TextError;

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
    /// A text is empty, too long, or cannot be shown.
    #[error("{name} {problem}")]
    Text {
        /// Input field.
        field: String,
        /// What it is called.
        name: String,
        /// What is wrong with it.
        problem: TextError,
    },
    /// More than one request takes.
    #[error("{given} {field} are too many; give at most {max}")]
    TooMany {
        /// Input field.
        field: &'static str,
        /// How many were given.
        given: usize,
        /// How many may be.
        max: usize,
    },
    /// The code is taken.
    #[error("the code {code} is taken by another model; choose another")]
    CodeTaken {
        /// The code.
        code: String,
    },
    /// The model exists.
    #[error(
        "model {name} of {manufacturer} exists already in this hardware revision; use it, or name another revision"
    )]
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
            Self::Invalid { .. } | Self::Text { problem: TextError::Control, .. } => Code::Invalid,
            Self::Text { problem: TextError::Empty, .. } => Code::Required,
            Self::Text { problem: TextError::TooLong { .. }, .. } => Code::TooLong,
            Self::TooMany { .. } => Code::TooMany,
            Self::CodeTaken { .. } | Self::ModelExists { .. } => Code::AlreadyExists,
            Self::IdempotencyMismatch => Code::IdempotencyMismatch,
            Self::Store(_) => return None,
        })
    }

    fn field(&self) -> Vec<String> {
        match self {
            Self::Invalid { field, .. } | Self::Text { field, .. } => vec!["input".into(), field.clone()],
            Self::TooMany { field, .. } => vec!["input".into(), (*field).into()],
            Self::CodeTaken { .. } => vec!["input".into(), "code".into()],
            Self::ModelExists { .. } => vec!["input".into(), "name".into()],
            Self::IdempotencyMismatch => vec!["input".into(), "idempotencyKey".into()],
            Self::Store(_) => vec![],
        }
    }

    fn message(&self) -> String {
        self.to_string()
    }
}
