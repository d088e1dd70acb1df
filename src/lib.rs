//! tillkeep.
pub mod db;
pub mod entity;
pub mod kernel;
pub mod catalogue;
pub mod registry;
pub mod usage;
pub mod planning;
