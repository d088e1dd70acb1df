//! Usage answers "how much was this device used, how fast, and when will it reach so much more".
//!
//! Its words: readings become a life counter by a fold ([`life`]), life counters become usage per
//! civil day ([`daily`]), days become a pattern and patterns a forecast ([`forecast`]). [`intake`]
//! lets readings come in any order. [`measure`] is what a condition can look at, [`hours`] how busy a
//! device is in each hour of the week. What takes many days to choose is chosen at night and only
//! read by day: a pattern for each device and meter, with what the fleet has in common behind it, and
//! the hours. It leaves devices, places and the device file to `registry`, and due dates to `planning`.
//!
//! ```
//! use chrono::{DateTime, TimeDelta};
//! use tillkeep::usage::life::{MeterSpec, fold};
//! use tillkeep::usage::model::Reading;
//!
//! let day = |n: i64, value: i64| Reading { read_at: DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + n), value };
//! let meter = MeterSpec { is_counter: true, modulus: None, max_per_day: 5_000 };
//! // 400 after a day, and 50 more since the counter began again.
//! let (_, state) = fold(&meter, None, &[day(0, 100), day(1, 400), day(2, 50)]);
//! assert_eq!(state.map(|s| s.life), Some(450));
//! ```

pub mod daily;
pub mod error;
pub mod fit_store;
pub mod forecast;
pub mod hours;
pub mod intake;
pub mod life;
pub mod measure;
pub mod model;
pub mod pattern_store;
pub mod series_store;
pub mod service;
pub mod store;

pub use error::Error;
pub use service::UsageService;
