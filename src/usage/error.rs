//! Refusals of usage.

use crate::db::StoreError;
use crate::db::tx::IdempotencyError;
use crate::kernel::code::{Code, Refusal};

/// Why usage refuses a whole request; single readings are refused in their rows.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// More readings than one request takes.
    #[error("{given} readings in one request; send at most {max} at a time")]
    TooMany {
        /// How many came.
        given: usize,
        /// How many are taken.
        max: usize,
    },
    /// None at all.
    #[error("give at least one reading")]
    Nothing,
    /// The idempotency key was used with other input, or cannot be looked up.
    #[error(transparent)]
    Replay(#[from] IdempotencyError),
    /// Internal.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal for Error {
    fn code(&self) -> Option<Code> {
        Some(match self {
            Self::TooMany { .. } => Code::TooMany,
            Self::Nothing => Code::Required,
            Self::Replay(e) => return e.code(),
            Self::Store(_) => return None,
        })
    }

    fn field(&self) -> Vec<String> {
        match self {
            Self::TooMany { .. } | Self::Nothing => vec!["input".into(), "readings".into()],
            Self::Replay(e) => e.field(),
            Self::Store(_) => vec![],
        }
    }

    fn message(&self) -> String {
        self.to_string()
    }
}
