//! Reports answer "how well do we keep the fleet, in figures, and where do we not".
//!
//! Its words: a [`model::Question`] is a period with what is asked of it; [`model::Figures`] are
//! counts and sums, each share with its numerator and denominator, so that they can be added and
//! checked by hand; a [`model::FleetReport`] is the figures of the whole fleet and of its groups.
//! What counts, and as what, is decided by [`rules`], pure functions over facts;
//! [`service::ReportService`] streams the facts past them. Lists leave as CSV ([`csv`]).
//!
//! Read models only: it writes nothing, and nobody but the edge imports it. It leaves what is due
//! to `planning`, what was done and what failed to `visits`, and who stands where to `registry`.

pub mod csv;
pub mod error;
pub mod export;
pub mod model;
pub mod promise_store;
pub mod rules;
pub mod service;
pub mod store;

pub use error::Error;
pub use service::ReportService;
