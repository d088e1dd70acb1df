//! Inputs of reports.

use crate::graphql::enums::ComplianceBandKind;
use crate::graphql::errors::bad_input;
use crate::reports::model::Band;
use async_graphql::{InputObject, Result};

/// The band in which work counts as on time.
#[derive(InputObject, Clone, Copy)]
pub struct ComplianceBandInput {
    /// Each order's own, or the days given here.
    pub kind: ComplianceBandKind,
    /// With DAYS: civil days before the due date, 0 to 366; 0 unless stated.
    pub early_days: Option<u32>,
    /// With DAYS: civil days after the due date, 0 to 366; 0 unless stated.
    pub late_days: Option<u32>,
}

impl ComplianceBandInput {
    /// The room's form.
    ///
    /// # Errors
    /// BAD_USER_INPUT: days beside PLAN_BAND, which has its own.
    pub fn read(self) -> Result<Band> {
        match self.kind {
            ComplianceBandKind::PlanBand if self.early_days.is_some() || self.late_days.is_some() => Err(bad_input(
                "complianceBand PLAN_BAND has its own days; leave out earlyDays and lateDays, or give DAYS",
            )),
            ComplianceBandKind::PlanBand => Ok(Band::Plan),
            ComplianceBandKind::Days => {
                Ok(Band::Days { early: self.early_days.unwrap_or(0), late: self.late_days.unwrap_or(0) })
            }
        }
    }
}
