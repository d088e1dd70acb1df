//! Decisions of firmware as pure functions over facts: no database, no clock.
//!
//! [`Version`] is the order of versions, which is not text order; [`resolve`] picks the target that
//! counts for a device; [`Ladder`] finds the way to it through the releases of a model;
//! [`quiet_slot`] finds the hours in which it may happen; [`blocked_by`] says which gates hold.

mod chain;
mod gates;
mod quiet;
mod target;
mod version;

#[cfg(test)]
mod examples;

pub use chain::{Ladder, Step};
pub use gates::{GateBlock, blocked_by, unknown_gates};
pub use quiet::{QuietSlot, SlotRequest, quiet_slot, read_window};
pub use target::{Verdict, check_target, is_current, is_gone, resolve, standing};
pub use version::Version;
