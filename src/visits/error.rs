//! Refusals of visits.

use crate::db::StoreError;
use crate::db::tx::IdempotencyError;
use crate::kernel::code::{Code, Refusal};
use crate::kernel::text::TextError;
use crate::planning::rules::AnswerError;
use crate::registry::service::PartError;

/// Where in the input: names, and places of lines from 0.
pub type FieldPath = Vec<String>;

/// Why a whole visit is refused; what is odd about a line comes back as a notice.
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
    /// A visit without lines says nothing.
    #[error("a visit has at least one line; say what was done, or why it could not be")]
    NoLines,
    /// More than one request takes.
    #[error("{given} {what} where at most {max} are taken; split the visit")]
    TooMany {
        /// Where.
        field: FieldPath,
        /// Noun.
        what: &'static str,
        /// How many were given.
        given: usize,
        /// How many are taken.
        max: usize,
    },
    /// A text that cannot be kept.
    #[error("{name} {problem}")]
    Text {
        /// Where.
        field: FieldPath,
        /// The field's name.
        name: &'static str,
        /// What is wrong with it.
        problem: TextError,
    },
    /// An impossible moment.
    #[error("{problem}")]
    Instant {
        /// Where.
        field: FieldPath,
        /// What is wrong.
        problem: String,
    },
    /// An answer to a step that cannot be.
    #[error("{problem}")]
    Answer {
        /// Where.
        field: FieldPath,
        /// What is wrong.
        problem: AnswerError,
    },
    /// A part that cannot have been replaced so.
    #[error("{problem}")]
    Part {
        /// Where.
        field: FieldPath,
        /// What is wrong.
        problem: PartError,
    },
    /// Something necessary is missing.
    #[error("{what}")]
    Required {
        /// Where.
        field: FieldPath,
        /// What is to be given, and why.
        what: String,
    },
    /// What is said contradicts itself.
    #[error("{problem}")]
    Invalid {
        /// Where.
        field: FieldPath,
        /// What is wrong.
        problem: String,
    },
    /// A repair does not say what had failed.
    #[error("a repair that is done says what had failed; missing: {missing}")]
    FailureRequired {
        /// Where.
        field: FieldPath,
        /// What is missing.
        missing: &'static str,
    },
    /// None of the closed lists.
    #[error("\"{given}\" is no {what} of the list; see failureCodes for those there are")]
    UnknownFailureCode {
        /// Where.
        field: FieldPath,
        /// Which list.
        what: &'static str,
        /// What was given.
        given: String,
    },
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
            Self::NotFound { .. } => Code::NotFound,
            Self::NoLines | Self::Text { problem: TextError::Empty, .. } => Code::Required,
            Self::TooMany { .. } => Code::TooMany,
            Self::Text { problem: TextError::TooLong { .. }, .. } => Code::TooLong,
            Self::Text { problem: TextError::Control, .. } => Code::Invalid,
            Self::Instant { .. } => Code::InvalidInstant,
            Self::Answer { problem, .. } => problem.code(),
            Self::Part { problem, .. } => return problem.code(),
            Self::Required { .. } => Code::Required,
            Self::Invalid { .. } => Code::Invalid,
            Self::FailureRequired { .. } => Code::FailureRequired,
            Self::UnknownFailureCode { .. } => Code::UnknownFailureCode,
            Self::Replay(e) => return e.code(),
            Self::Store(_) => return None,
        })
    }

    fn field(&self) -> Vec<String> {
        let path = match self {
            Self::NotFound { field, .. } => vec![(*field).to_owned()],
            Self::NoLines => vec!["lines".to_owned()],
            Self::TooMany { field, .. }
            | Self::Text { field, .. }
            | Self::Instant { field, .. }
            | Self::Answer { field, .. }
            | Self::Part { field, .. }
            | Self::Required { field, .. }
            | Self::Invalid { field, .. }
            | Self::FailureRequired { field, .. }
            | Self::UnknownFailureCode { field, .. } => field.clone(),
            Self::Replay(e) => return e.field(),
            Self::Store(_) => return Vec::new(),
        };
        std::iter::once("input".to_owned()).chain(path).collect()
    }

    fn message(&self) -> String {
        self.to_string()
    }
}
