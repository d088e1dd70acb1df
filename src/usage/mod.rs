//! Usage answers "how much was this device used, how fast, and when will it reach so much more".
//!
//! Its words: readings become a life counter by a fold ([`life`]), life counters become usage per
//! civil day ([`daily`]), days become a pattern ([`pattern`]), patterns become a forecast
//! ([`forecast`]). It leaves due dates to `planning`.

pub mod daily;
pub mod error;
pub mod forecast;
pub mod life;
pub mod model;
pub mod pattern;
pub mod service;
pub mod store;

pub use error::Error;
pub use service::UsageService;
