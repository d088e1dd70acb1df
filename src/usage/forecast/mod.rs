//! When so many more units will have been used, and how sure that is.
//!
//! By night [`Learner`] learns what a fleet has in common and [`fit`](fit()) chooses what one device is
//! forecast with; by day [`forecast`] only walks along that. All of it is pure: the same days give
//! the same dates. docs/forecasting.md says how it works, what was tried and how good it is.

pub mod answers;
pub mod backtest;
mod fit;
mod gauge;
pub mod holidays;
mod learn;
mod passage;
mod pool;
mod series;
mod study;
mod weights;
mod working;

pub use fit::fit;
pub use gauge::Trend;
pub use holidays::{Effects, Holidays};
pub use learn::{Learner, MAX_DAYS};
pub use passage::{first_passage, forecast};
pub use pool::{Errors, FleetYear, Group, Lender, Pool, YOUNG_DAYS};
pub use series::DailySeries;
