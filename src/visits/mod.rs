//! Visits answer "what was done, by whom, where and when".
//!
//! Its words: a [`model::ServiceVisit`] is one trip of one technician to one site; each of its
//! [`model::VisitLine`]s says what was done to one device, or to the site. A visit is evidence:
//! it is never refused because an order changed, it may come late and out of order, and sent
//! twice with one idempotency key it is one. What is odd about a line comes back as a notice.
//!
//! Answers to typed steps are checked ([`checks`]): what cannot be is refused before anything is
//! written, what is not as it should be has failed, and may open a corrective order. Parts
//! replaced, meters read and inspections passed are handed on in the same change.
//!
//! It leaves what a line means for items and orders to `planning`, readings to `usage`, parts, the
//! gate before service and the device file to `registry`.

pub mod checks;
pub mod error;
mod evidence;
pub mod model;
pub mod rules;
pub mod search_store;
pub mod service;
pub mod store;

pub use error::Error;
pub use service::VisitService;
