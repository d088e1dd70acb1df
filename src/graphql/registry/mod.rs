//! Places, devices, people and the device file in GraphQL.

pub mod history;
pub mod inputs;
pub mod lists;
pub mod mutations;
pub mod queries;
pub mod types;
