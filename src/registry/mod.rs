//! The registry answers "who has which terminal, where does it stand, and what happened to it".
//!
//! Its words: merchants, sites, positions, effective-dated bindings, devices with their status
//! machine, components, software and technicians ([`model`]); and the device file
//! ([`file::DeviceFile`]), the append-only, hash-chained history every change is written to in
//! the same transaction. It leaves meters' values to `usage` and work to `planning`; rooms above
//! watch the file through [`file::Observer`].

pub mod as_of;
pub mod as_of_store;
pub mod error;
pub mod feed;
pub mod file;
pub mod file_store;
pub mod fold;
pub mod model;
pub mod part_store;
pub mod place_store;
pub mod rules;
pub mod search_store;
pub mod service;
pub mod store;

pub use error::Error;
pub use service::RegistryService;
