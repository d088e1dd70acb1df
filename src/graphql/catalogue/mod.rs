//! Device models, meters, failure lists and freeze periods in GraphQL.

pub mod failures;
pub mod freezes;
pub mod inputs;
pub mod mutations;
pub mod queries;
pub mod types;
