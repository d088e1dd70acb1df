//! tillkeep.
pub mod db;
pub mod entity;
pub mod kernel;
