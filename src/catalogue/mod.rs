//! The catalogue answers "what is this model, what does it count, how can it fail, which days are
//! holidays, when does work stand still".
//!
//! Its words: [`model::Meter`], [`model::DeviceModel`] with its meters, rated lives and
//! components, [`model::FailureCode`] with its causes and remedies, [`model::Holiday`],
//! [`model::FreezePeriod`]. It leaves devices to `registry`, and what a freeze moves to `planning`.

pub mod error;
pub mod model;
pub mod rules;
pub mod service;
pub mod store;

pub use error::Error;
pub use service::CatalogueService;
