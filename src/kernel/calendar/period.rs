//! ISO 8601 durations of whole days or more, added on the civil calendar.

use chrono::{Days, Months, NaiveDate};

/// A duration such as `P90D`, `P1M` or `P1Y6M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    months: u32,
    days: u32,
}

/// Why a duration is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Not ISO 8601.
    #[error("\"{given}\" is not an ISO 8601 duration; write for example P90D, P2W, P1M or P1Y")]
    Malformed {
        /// What was given.
        given: String,
    },
    /// Hours, minutes or seconds.
    #[error("\"{given}\" has a time part; maintenance intervals are whole days or more, for example P1D")]
    TimePart {
        /// What was given.
        given: String,
    },
    /// Zero or negative.
    #[error("\"{given}\" is not above zero; give at least P1D")]
    NotPositive {
        /// What was given.
        given: String,
    },
    /// Longer than a century.
    #[error("\"{given}\" is longer than 100 years")]
    TooLong {
        /// What was given.
        given: String,
    },
}

impl Period {
    /// Reads `PnYnMnWnD`.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(text: &str) -> Result<Self, PeriodError> {
        let given: String = text.chars().take(64).collect();
        let malformed = || PeriodError::Malformed { given: given.clone() };
        if text.starts_with('-') || text.contains("P-") || text.contains('-') {
            return Err(PeriodError::NotPositive { given });
        }
        if text.contains('T') {
            return Err(PeriodError::TimePart { given });
        }
        let mut rest = text.strip_prefix('P').filter(|r| !r.is_empty()).ok_or_else(malformed)?;
        let (mut months, mut days) = (0_u32, 0_u32);
        let mut units = "YMWD".chars();
        while !rest.is_empty() {
            let at = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(malformed)?;
            let (number, tail) = rest.split_at(at);
            if number.is_empty() {
                return Err(malformed());
            }
            let too_long = || PeriodError::TooLong { given: given.clone() };
            let number: u32 = number.parse().ok().filter(|n| *n <= 36_525).ok_or_else(too_long)?;
            let unit = tail.chars().next().ok_or_else(malformed)?;
            // Units come in order, each once.
            if !units.any(|u| u == unit) {
                return Err(malformed());
            }
            match unit {
                'Y' => months += number * 12,
                'M' => months += number,
                'W' => days += number * 7,
                _ => days += number,
            }
            rest = &tail[1..];
        }
        match (months, days) {
            (0, 0) => Err(PeriodError::NotPositive { given }),
            (m, d) if m > 1_200 || d > 36_525 => Err(PeriodError::TooLong { given }),
            _ => Ok(Self { months, days }),
        }
    }

    /// The day this long after `date`: a month after 31 January is the end of February.
    pub fn add_to(&self, date: NaiveDate) -> Option<NaiveDate> {
        date.checked_add_months(Months::new(self.months))?.checked_add_days(Days::new(u64::from(self.days)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_after_the_31st_is_the_end_of_the_month() {
        let day = |t: &str| t.parse::<NaiveDate>().unwrap();
        let month = Period::parse("P1M").unwrap();
        assert_eq!(month.add_to(day("2026-01-31")), Some(day("2026-02-28")));
        assert_eq!(Period::parse("P1Y2M1W3D").unwrap().add_to(day("2024-02-29")), Some(day("2025-05-09")));
    }

    #[test]
    fn time_parts_zero_negative_and_nonsense_are_refused_by_name() {
        assert!(matches!(Period::parse("PT4H"), Err(PeriodError::TimePart { .. })));
        assert!(matches!(Period::parse("P0D"), Err(PeriodError::NotPositive { .. })));
        assert!(matches!(Period::parse("-P3D"), Err(PeriodError::NotPositive { .. })));
        assert!(matches!(Period::parse("P"), Err(PeriodError::Malformed { .. })));
        assert!(matches!(Period::parse("P1D1Y"), Err(PeriodError::Malformed { .. })));
        assert!(matches!(Period::parse("90 days"), Err(PeriodError::Malformed { .. })));
        assert!(matches!(Period::parse("P99999999999Y"), Err(PeriodError::TooLong { .. })));
    }
}
