//! Refusals of the registry that a caller can act on.

use super::model::{DeviceStatus, ResolveError};
use crate::db::StoreError;
use crate::db::tx::IdempotencyError;
use crate::kernel::calendar::ZoneError;
use crate::kernel::code::{Code, Refusal};
use crate::kernel::text::TextError;
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
    /// A text is empty, too long, or cannot be shown.
    #[error("{field} {error}")]
    Text {
        /// Input field.
        field: &'static str,
        /// What is wrong.
        error: TextError,
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
    #[error("{given} {field} are too many; give at most {max}")]
    TooMany {
        /// Input field.
        field: &'static str,
        /// How many were given.
        given: usize,
        /// How many may be.
        max: usize,
    },
    /// Not an IANA zone.
    #[error(transparent)]
    Zone(#[from] ZoneError),
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
        /// Input field.
        field: &'static str,
        /// Where it is.
        from: DeviceStatus,
        /// Where it was to go.
        to: DeviceStatus,
        /// What to do instead.
        hint: &'static str,
    },
    /// It has to pass an inspection first.
    #[error(
        "this device cannot become {to}: no pre-installation inspection that it had passed by then is recorded for \
         it{since}; log a visit for an active plan of kind PRE_INSTALLATION, or for an order of one, with every \
         required step passed",
        since = since.map_or_else(String::new, |at| format!(" since it came back, or failed one, on {}", at.date_naive()))
    )]
    InspectionRequired {
        /// Input field.
        field: &'static str,
        /// What it was to become.
        to: DeviceStatus,
        /// Since when inspections before do not count.
        since: Option<DateTime<Utc>>,
    },
    /// Something stands there.
    #[error("the position is filled by {serial_number} since {since}; remove it first, or use swapDevice")]
    PositionOccupied {
        /// The occupant.
        serial_number: String,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// Another request filled it at the same moment.
    #[error("another device was installed at the position a moment ago; reload it and try again")]
    PositionJustFilled,
    /// It stands somewhere already.
    #[error("the device stands at a position already; use relocateDevice or removeDevice")]
    AlreadyInstalled {
        /// Input field.
        field: &'static str,
    },
    /// It stands nowhere.
    #[error("the device stands at no position; install it first")]
    NotInstalled {
        /// Input field.
        field: &'static str,
    },
    /// Somebody else changed it first.
    #[error("it was changed meanwhile (version is {actual}, you had {expected}); reload it and try again")]
    Conflict {
        /// Version the caller had.
        expected: i64,
        /// Version now.
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
            Self::Invalid { .. } | Self::Text { error: TextError::Control, .. } => Code::Invalid,
            Self::Required { .. } | Self::Text { error: TextError::Empty, .. } => Code::Required,
            Self::Text { error: TextError::TooLong { .. }, .. } => Code::TooLong,
            Self::OutOfRange { .. } => Code::OutOfRange,
            Self::TooMany { .. } => Code::TooMany,
            Self::Zone(_) => Code::UnknownTimeZone,
            Self::Instant { .. } => Code::InvalidInstant,
            Self::Exists { .. } => Code::AlreadyExists,
            Self::Resolve(ResolveError::Ambiguous { .. }) => Code::Ambiguous,
            Self::Resolve(_) => Code::NotFound,
            Self::IllegalStatus { .. } => Code::IllegalTransition,
            Self::InspectionRequired { .. } => Code::InspectionRequired,
            Self::PositionOccupied { .. } | Self::PositionJustFilled => Code::PositionOccupied,
            Self::AlreadyInstalled { .. } => Code::DeviceAlreadyInstalled,
            Self::NotInstalled { .. } => Code::DeviceNotInstalled,
            Self::Conflict { .. } => Code::Conflict,
            Self::Replay(e) => return e.code(),
            Self::Store(_) => return None,
        })
    }

    fn field(&self) -> Vec<String> {
        let one = |f: &str| vec!["input".to_owned(), f.to_owned()];
        match self {
            Self::NotFound { field, .. }
            | Self::Invalid { field, .. }
            | Self::Text { field, .. }
            | Self::Required { field, .. }
            | Self::OutOfRange { field, .. }
            | Self::TooMany { field, .. }
            | Self::Instant { field, .. }
            | Self::Exists { field, .. }
            | Self::IllegalStatus { field, .. }
            | Self::InspectionRequired { field, .. }
            | Self::AlreadyInstalled { field }
            | Self::NotInstalled { field } => one(field),
            Self::Zone(_) => one("timeZone"),
            Self::Resolve(ResolveError::NobodyThere { .. }) => one("terminalNumber"),
            Self::Resolve(_) => one("serialNumber"),
            Self::PositionOccupied { .. } | Self::PositionJustFilled => one("positionId"),
            Self::Conflict { .. } => one("expectedVersion"),
            Self::Replay(e) => e.field(),
            Self::Store(_) => vec![],
        }
    }

    fn message(&self) -> String {
        self.to_string()
    }
}
