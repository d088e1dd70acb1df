//! Firmware answers "what is this device to run, what must it install first, and when is it quiet".
//!
//! Its words: a [`model::FirmwareRelease`] is a version for some models; a
//! [`model::FirmwareTarget`] says what the devices of a model, or part of them, are to run. Of all
//! targets that name a device the closest one counts ([`rules::resolve`]); on the way there it may
//! need other releases first ([`rules::Ladder`]); it is updated in its own quiet hours
//! ([`rules::quiet_slot`]), unless a gate of the release holds it back ([`rules::blocked_by`]).
//!
//! What is installed is a fact of `registry`; readings and hours of use come from `usage`. That a
//! device behind its target is work, and that its report closes the work, is decided by `planning`.

pub mod error;
pub mod model;
pub mod rules;
pub mod service;
pub mod store;

pub use error::Error;
pub use service::FirmwareService;
