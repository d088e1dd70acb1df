//! The catalogue answers "what is this model, what does it count, which days are holidays".
//!
//! Its words: [`model::Meter`], [`model::DeviceModel`] with its meters, rated lives and
//! components, [`model::Holiday`]. It leaves devices to `registry`.

pub mod error;
pub mod model;
pub mod service;
pub mod store;

pub use error::Error;
pub use service::CatalogueService;
