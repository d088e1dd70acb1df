//! Meters' readings and how devices are used, in GraphQL.

pub mod inputs;
pub mod mutations;
pub mod types;
