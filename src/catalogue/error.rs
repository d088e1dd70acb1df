//! Refusals of the catalogue.

use crate::db::StoreError;
use crate::db::tx::IdempotencyError;
use crate::kernel::calendar::InstantError;
use crate::kernel::code::{Code, Refusal};
use crate::kernel::text::TextError;
use chrono::NaiveDate;

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
    /// No such thing in this organization.
    #[error("there is no {what} {code}; check the code")]
    NotFound {
        /// Noun.
        what: &'static str,
        /// The code that was given.
        code: String,
    },
    /// Somebody else changed it first.
    #[error("it was changed meanwhile (version is {actual}, you had {expected}); reload it and try again")]
    Conflict {
        /// Version the caller had.
        expected: i64,
        /// Version now.
        actual: i64,
    },
    /// A day that is impossible.
    #[error("{day} {problem}")]
    Day {
        /// Input field.
        field: &'static str,
        /// The day.
        day: NaiveDate,
        /// What is wrong with it.
        problem: InstantError,
    },
    /// A freeze that ends before it begins.
    #[error("the freeze ends on {ends_on}, before it begins on {starts_on}; give the last day in endsOn")]
    FreezeEndsBeforeStart {
        /// First day.
        starts_on: NaiveDate,
        /// Last day.
        ends_on: NaiveDate,
    },
    /// A freeze in which too much would fall overdue.
    #[error("the freeze has {days} days; give at most {max}, or make the plan a season instead")]
    FreezeTooLong {
        /// Days, both ends counted.
        days: i64,
        /// Days at most.
        max: i64,
    },
    /// Not an execution channel.
    #[error("\"{given}\" is not an execution channel; give REMOTE, MERCHANT, FIELD or DEPOT")]
    UnknownChannel {
        /// What was given, shortened.
        given: String,
    },
    /// As many freeze periods as an organization keeps.
    #[error("there are {max} freeze periods already; remove past ones first")]
    FreezePeriodsFull {
        /// How many there may be.
        max: usize,
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
            Self::Invalid { .. }
            | Self::Text { problem: TextError::Control, .. }
            | Self::FreezeEndsBeforeStart { .. }
            | Self::FreezeTooLong { .. }
            | Self::UnknownChannel { .. } => Code::Invalid,
            Self::Text { problem: TextError::Empty, .. } => Code::Required,
            Self::Text { problem: TextError::TooLong { .. }, .. } => Code::TooLong,
            Self::TooMany { .. } | Self::FreezePeriodsFull { .. } => Code::TooMany,
            Self::NotFound { .. } => Code::NotFound,
            Self::Conflict { .. } => Code::Conflict,
            Self::Day { .. } => Code::InvalidInstant,
            Self::CodeTaken { .. } | Self::ModelExists { .. } => Code::AlreadyExists,
            Self::Replay(e) => return e.code(),
            Self::Store(_) => return None,
        })
    }

    fn field(&self) -> Vec<String> {
        match self {
            Self::Invalid { field, .. } | Self::Text { field, .. } => vec!["input".into(), field.clone()],
            Self::TooMany { field, .. } | Self::Day { field, .. } => vec!["input".into(), (*field).into()],
            Self::CodeTaken { .. } | Self::NotFound { .. } | Self::FreezePeriodsFull { .. } => {
                vec!["input".into(), "code".into()]
            }
            Self::Conflict { .. } => vec!["input".into(), "expectedVersion".into()],
            Self::FreezeEndsBeforeStart { .. } | Self::FreezeTooLong { .. } => vec!["input".into(), "endsOn".into()],
            Self::UnknownChannel { .. } => vec!["input".into(), "channels".into()],
            Self::ModelExists { .. } => vec!["input".into(), "name".into()],
            Self::Replay(e) => e.field(),
            Self::Store(_) => vec![],
        }
    }

    fn message(&self) -> String {
        self.to_string()
    }
}
