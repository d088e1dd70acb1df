//! Refusals of firmware that a caller can act on.

use super::model::Gap;
use crate::db::StoreError;
use crate::db::tx::IdempotencyError;
use crate::kernel::code::{Code, Refusal};
use crate::kernel::text::TextError;

/// Why firmware refuses.
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
        /// What is wrong and what to do.
        problem: String,
    },
    /// A text is empty, too long, or cannot be shown.
    #[error("{name} {problem}")]
    Text {
        /// Input field.
        field: &'static str,
        /// What it is called.
        name: &'static str,
        /// What is wrong with it.
        problem: TextError,
    },
    /// Something necessary is missing.
    #[error("{field} is missing: give {what}")]
    Required {
        /// Input field.
        field: &'static str,
        /// What is to be given.
        what: &'static str,
    },
    /// A number is out of its bounds.
    #[error("{problem}")]
    OutOfRange {
        /// Input field.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// More than one request takes.
    #[error("{given} {what} are too many; give at most {max}")]
    TooMany {
        /// Input field.
        field: &'static str,
        /// What there is too much of.
        what: &'static str,
        /// How many were given.
        given: usize,
        /// How many may be.
        max: usize,
    },
    /// An impossible moment.
    #[error("{field} {problem}")]
    Instant {
        /// Input field.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The cron text of a window cannot be read, or never fires.
    #[error("{problem}")]
    Cron {
        /// What is wrong with it.
        problem: String,
    },
    /// Selects nothing in particular.
    #[error("the selector is empty: name sites, regions or devices, or leave it out to mean the whole model")]
    EmptySelector,
    /// A model has the version already.
    #[error("a model has a release of version {version} already; use that one, or give another version")]
    Exists {
        /// The version.
        version: String,
    },
    /// The release is for other models.
    #[error("release {version} is not for this model; choose one of the model's releases")]
    OtherModel {
        /// The release's version.
        version: String,
    },
    /// Devices would have to go back.
    #[error(
        "{count} of the devices have a newer version than {version}, for example {serial_number} with {installed}; \
         choose a newer release, leave them out, or say allowDowngrade: true"
    )]
    Downgrade {
        /// How many.
        count: usize,
        /// The target's version.
        version: String,
        /// One of them.
        serial_number: String,
        /// What that one has.
        installed: String,
    },
    /// Devices cannot get there.
    #[error(
        "{count} of the devices cannot reach {version}, for example {serial_number} with {installed}: releases lead to \
         {reaches} and the next one needs at least {needs}; publish a release from {reaches} to {needs} first",
        reaches = gap.reaches, needs = gap.needs
    )]
    PrerequisiteUnmet {
        /// How many.
        count: usize,
        /// The target's version.
        version: String,
        /// One of them.
        serial_number: String,
        /// What that one has.
        installed: String,
        /// What is missing.
        gap: Box<Gap>,
    },
    /// Somebody else changed it first.
    #[error("the target was set meanwhile (version is {actual}, you had {expected}); reload it and try again")]
    Conflict {
        /// Version the caller had.
        expected: i64,
        /// Version now; 0 when there is none.
        actual: i64,
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
            Self::Invalid { .. } | Self::OtherModel { .. } | Self::Text { problem: TextError::Control, .. } => {
                Code::Invalid
            }
            Self::Required { .. } | Self::Text { problem: TextError::Empty, .. } => Code::Required,
            Self::Text { problem: TextError::TooLong { .. }, .. } => Code::TooLong,
            Self::OutOfRange { .. } => Code::OutOfRange,
            Self::TooMany { .. } => Code::TooMany,
            Self::Instant { .. } => Code::InvalidInstant,
            Self::Cron { .. } => Code::InvalidCron,
            Self::EmptySelector => Code::EmptySelector,
            Self::Exists { .. } => Code::AlreadyExists,
            Self::Downgrade { .. } => Code::FirmwareDowngrade,
            Self::PrerequisiteUnmet { .. } => Code::PrerequisiteUnmet,
            Self::Conflict { .. } => Code::Conflict,
            Self::Replay(e) => return e.code(),
            Self::Store(_) => return None,
        })
    }

    fn field(&self) -> Vec<String> {
        let field = match self {
            Self::NotFound { field, .. }
            | Self::Invalid { field, .. }
            | Self::Text { field, .. }
            | Self::Required { field, .. }
            | Self::OutOfRange { field, .. }
            | Self::TooMany { field, .. }
            | Self::Instant { field, .. } => *field,
            Self::Cron { .. } => "window",
            Self::EmptySelector => "selector",
            Self::Exists { .. } => "version",
            Self::OtherModel { .. } | Self::Downgrade { .. } | Self::PrerequisiteUnmet { .. } => "releaseId",
            Self::Conflict { .. } => "expectedVersion",
            Self::Replay(e) => return e.field(),
            Self::Store(_) => return vec![],
        };
        vec!["input".to_owned(), field.to_owned()]
    }

    fn message(&self) -> String {
        self.to_string()
    }
}
