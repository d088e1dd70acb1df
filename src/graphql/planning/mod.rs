//! Plans, items, orders and upcoming maintenance in GraphQL.

pub mod inputs;
pub mod mutations;
pub mod queries;
pub mod steps;
pub mod types;
