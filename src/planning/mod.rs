//! Planning answers "what falls due, when, why, and is there an order for it".
//!
//! Its words: a [`model::MaintenancePlan`] says what is done to which subjects and when; a
//! [`model::MaintenanceItem`] is one subject × one plan with its next due date; a
//! [`model::WorkOrder`] is the authorised job. Dates are decided by [`rules::decide`], a pure
//! function over facts and `now`; [`service::PlanningService`] loads the facts, executes the
//! decisions and decides nothing itself.
//!
//! It leaves readings and forecasts to `usage`, who stands where to `registry`, and what was
//! found on a trip to `visits`, which hands completed lines in through
//! [`service::PlanningService::record_visit_lines`].

pub mod changes;
pub mod condition;
pub mod error;
pub mod foresight;
pub mod model;
pub mod order_store;
pub mod rules;
pub mod search_store;
pub mod service;
pub mod steps;
pub mod store;
pub mod trigger;

pub use error::Error;
pub use model::*;
pub use service::PlanningService;
