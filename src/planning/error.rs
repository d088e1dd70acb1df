//! Refusals of planning that a caller can act on.

use super::model::WorkOrderState;
use crate::db::StoreError;
use crate::db::tx::IdempotencyError;
use crate::kernel::code::{Code, Refusal};
use crate::kernel::text::TextError;
use chrono::NaiveDate;

/// Why planning refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such thing in this organization.
    #[error("no {what} with this id in your organization; check the id")]
    NotFound {
        /// Noun, for example `work order`.
        what: &'static str,
        /// Input field.
        field: &'static str,
    },
    /// A field is out of its bounds.
    #[error("{problem}")]
    Invalid {
        /// Input field.
        field: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A text is empty, too long, or cannot be shown.
    #[error("{name} {problem}")]
    Text {
        /// Path of the input field.
        field: Vec<&'static str>,
        /// What it is called.
        name: &'static str,
        /// What is wrong with it.
        problem: TextError,
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
    /// Something necessary is missing.
    #[error("{field} is missing: say {what}")]
    Required {
        /// Input field.
        field: &'static str,
        /// What is to be said.
        what: &'static str,
    },
    /// An impossible moment.
    #[error("{problem}")]
    Instant {
        /// Input field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The cron text cannot be read.
    #[error("{problem}")]
    Cron {
        /// Input field.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The duration cannot be read.
    #[error("{problem}")]
    Duration {
        /// Input field.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The band reaches the next slot.
    #[error(
        "the band ({band_days} days) must be narrower than the shortest time between two occurrences \
         ({gap_days} days); give fewer early and late days, or a longer interval"
    )]
    BandTooWide {
        /// Early and late days on a grid, early days otherwise.
        band_days: u32,
        /// Shortest time between two occurrences.
        gap_days: u32,
    },
    /// Selects nothing in particular.
    #[error("the selector is empty: name models, sites, regions or statuses, or say everything: true")]
    EmptySelector,
    /// The code is taken.
    #[error("a plan with code {code} exists already; choose another code")]
    CodeTaken {
        /// The code.
        code: String,
    },
    /// No such meter.
    #[error("unknown meter {meter}; create it with a device model first, or correct the code")]
    UnknownMeter {
        /// The meter's code.
        meter: String,
    },
    /// A step reads a meter nobody knows.
    #[error("unknown meter {meter} in a step; create it with a device model first, or correct the code")]
    UnknownStepMeter {
        /// The meter's code.
        meter: String,
    },
    /// The state machine forbids it.
    #[error("a {from} work order cannot become {to}", from = from.as_str(), to = to.as_str())]
    IllegalTransition {
        /// Input field.
        field: &'static str,
        /// Where it is.
        from: WorkOrderState,
        /// Where it was to go.
        to: WorkOrderState,
    },
    /// COMPLETED needs a visit line.
    #[error(
        "a work order is completed by logging the visit that did the work (logServiceVisit), not by changing its state"
    )]
    CompletionNeedsVisit,
    /// SKIPPED comes from skipOccurrence.
    #[error("use skipOccurrence to skip an occurrence; it records the reason")]
    SkipNeedsSkipOccurrence,
    /// Somebody else changed it first.
    #[error("it was changed meanwhile (version is {actual}, you had {expected}); reload it and try again")]
    Conflict {
        /// Version the caller had.
        expected: i64,
        /// Version now.
        actual: i64,
    },
    /// The item has no due date to skip or postpone.
    #[error("this item has no due occurrence now; there is nothing to skip or postpone")]
    OccurrenceNotCurrent,
    /// A compliance plan.
    #[error(
        "this plan is required for compliance: skipping it, or postponing it past {until}, needs a waiver that names who \
         approved it; {how}"
    )]
    WaiverRequired {
        /// Last day of the band, in the site's zone.
        until: NaiveDate,
        /// Input field.
        field: &'static str,
        /// What to do.
        how: &'static str,
    },
    /// Coverage that comes back to where it began.
    #[error("the coverage runs in a circle through {through}; leave one of these plans out of covers")]
    CoverageCircle {
        /// Codes of the other plans in the circle.
        through: String,
    },
    /// The idempotency key was used with other input, or cannot be looked up.
    #[error(transparent)]
    Replay(#[from] IdempotencyError),
    /// Storage failed; internal.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal for Error {
    fn code(&self) -> Option<Code> {
        Some(match self {
            Self::NotFound { .. } => Code::NotFound,
            Self::Invalid { .. } => Code::Invalid,
            Self::Required { .. } | Self::Text { problem: TextError::Empty, .. } => Code::Required,
            Self::Text { problem: TextError::TooLong { .. }, .. } => Code::TooLong,
            Self::Text { problem: TextError::Control, .. } => Code::Invalid,
            Self::TooMany { .. } => Code::TooMany,
            Self::Instant { .. } => Code::InvalidInstant,
            Self::Cron { .. } => Code::InvalidCron,
            Self::Duration { .. } => Code::InvalidDuration,
            Self::BandTooWide { .. } => Code::BandTooWide,
            Self::EmptySelector => Code::EmptySelector,
            Self::CodeTaken { .. } => Code::AlreadyExists,
            Self::UnknownMeter { .. } | Self::UnknownStepMeter { .. } => Code::UnknownMeter,
            Self::IllegalTransition { .. } => Code::IllegalTransition,
            Self::CompletionNeedsVisit => Code::CompletionNeedsVisit,
            Self::SkipNeedsSkipOccurrence => Code::SkipNeedsSkipOccurrence,
            Self::Conflict { .. } => Code::Conflict,
            Self::OccurrenceNotCurrent => Code::OccurrenceNotCurrent,
            Self::WaiverRequired { .. } => Code::WaiverRequired,
            Self::CoverageCircle { .. } => Code::CoverageCircle,
            Self::Replay(e) => return e.code(),
            Self::Store(_) => return None,
        })
    }

    fn field(&self) -> Vec<String> {
        let one = |f: &str| vec!["input".to_owned(), f.to_owned()];
        match self {
            Self::NotFound { field, .. }
            | Self::Required { field, .. }
            | Self::TooMany { field, .. }
            | Self::Instant { field, .. } => one(field),
            Self::Text { field, .. } => {
                std::iter::once("input").chain(field.iter().copied()).map(str::to_owned).collect()
            }
            Self::Invalid { field, .. } | Self::Cron { field, .. } | Self::Duration { field, .. } => one(field),
            Self::BandTooWide { .. } => one("earlyDays"),
            Self::EmptySelector => one("selector"),
            Self::CodeTaken { .. } => one("code"),
            Self::UnknownMeter { .. } => one("triggers"),
            Self::UnknownStepMeter { .. } => one("steps"),
            Self::IllegalTransition { field, .. } => one(field),
            Self::CompletionNeedsVisit | Self::SkipNeedsSkipOccurrence => one("state"),
            Self::CoverageCircle { .. } => one("covers"),
            Self::Conflict { .. } => one("expectedVersion"),
            Self::WaiverRequired { field, .. } => one(field),
            Self::Replay(e) => e.field(),
            Self::OccurrenceNotCurrent | Self::Store(_) => vec![],
        }
    }

    fn message(&self) -> String {
        self.to_string()
    }
}
