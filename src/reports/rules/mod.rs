//! What counts, and as what: pure functions over facts, without database and clock.

mod accuracy;
mod downtime;
mod failures;
mod labels;
mod standing;
mod statistics;
mod tally;

pub use accuracy::{Accuracy, Issue, LATE_DAYS, MAX_FORECAST_GROUPS, compare};
pub use downtime::{Down, Outage, Stay, downtime, stay_at};
pub use failures::{Reported, Telling, reported};
pub use labels::{kind_name, nothing_of};
pub use standing::{Found, band_of, check, standing, takes_site};
pub use statistics::{CONFIDENCE, Mtbf, chi_square_quantile, mtbf};
pub use tally::{MAX_GROUPS, Tally, counts_against_devices};
