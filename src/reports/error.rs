//! Refusals of reports.

use crate::db::StoreError;
use crate::kernel::code::{Code, Refusal};

/// Why a report is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The period ends before it begins.
    #[error("periodEnd must lie after periodStart")]
    EmptyPeriod,
    /// The period is longer than a report covers.
    #[error("the period is longer than {max} years; ask for it in parts")]
    LongPeriod {
        /// Years at most.
        max: i32,
    },
    /// The band of days is too wide.
    #[error("complianceBand.{field} is {given}; give 0 to {max}")]
    Band {
        /// Input field.
        field: &'static str,
        /// What was given.
        given: u32,
        /// Days at most.
        max: u32,
    },
    /// Internal.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal for Error {
    fn code(&self) -> Option<Code> {
        Some(match self {
            Self::EmptyPeriod | Self::LongPeriod { .. } | Self::Band { .. } => Code::Invalid,
            Self::Store(_) => return None,
        })
    }

    fn message(&self) -> String {
        self.to_string()
    }
}
