//! Decisions of planning as pure functions over facts: no database, no clock.
//!
//! [`timeline`] turns an item's log into its last done and the moment the current occurrence
//! counts from, [`due`] turns that into a date with reasons, [`decide`] compares the result with
//! what is stored and says what to write. [`condition`] says since when measures have been beyond
//! their limits.

mod ahead;
mod closed;
pub mod condition;
mod coverage;
mod decide;
mod due;
mod events;
mod explain;
mod facts;
mod firmware;
mod steps;
mod timeline;
mod validate;

#[cfg(test)]
mod tests;

pub use ahead::{HORIZON_DAYS, Spread, Workload, occurrences};
pub use closed::{Blocker, ClosedDays, PermittedDays};
pub use coverage::covered_plans;
pub use decide::{Decision, ItemFacts, OrderMove, counts_from, decide, decide_all, never_alive};
pub use due::{DueOutcome, EventFact, UsageFacts, next_due};
pub use events::{PlaceEvent, events_of_place, returns_to_use};
pub use explain::{due_sentence, shown_units};
pub use facts::{FirmwareFacts, GUARD_DAYS, WatchFacts};
pub use firmware::{UpdateRequest, UpdateTime, update_time};
pub use steps::{AnswerError, Review, Verdict, check_answer, clean_steps, review, verdict};
pub use timeline::{Slots, SlotsNow, Timeline, after_key, slot_key, timeline};
pub use validate::{CompiledPlan, CompiledTrigger, check_count, compile, read_triggers, shortest_gap_days};
