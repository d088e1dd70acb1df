//! Reports in GraphQL.

pub mod inputs;
pub mod queries;
pub mod types;
