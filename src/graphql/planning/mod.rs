//! Plans, items, orders and upcoming maintenance in GraphQL.

pub mod explanation;
pub mod foresight;
pub mod forms;
pub mod inputs;
pub mod mutations;
pub mod occurrence;
pub mod queries;
pub mod steps;
pub mod triggers;
pub mod types;
