//! Firmware releases, targets and installed software in GraphQL.

pub mod inputs;
pub mod mutations;
pub mod queries;
pub mod types;
