//! Places, devices, people and the device file in GraphQL.

pub mod as_of;
pub mod components;
pub mod history;
pub mod inputs;
pub mod mutations;
pub mod paging;
pub mod queries;
pub mod types;
