//! Decisions of planning as pure functions over facts: no database, no clock.
//!
//! [`timeline`] turns an item's log into its last done and the moment the current occurrence
//! counts from, [`due`] turns that into a date with reasons, [`decide`] compares the result with
//! what is stored and says what to write.

mod closed;
mod decide;
mod due;
mod explain;
mod steps;
mod timeline;
mod validate;

#[cfg(test)]
mod tests;

pub use closed::ClosedDays;
pub use decide::{Decision, ItemFacts, OrderMove, counts_from, decide, never_alive};
pub use due::{DueOutcome, UsageFacts, next_due};
pub use explain::{due_sentence, shown_units};
pub use steps::{AnswerError, Review, Verdict, check_answer, clean_steps, review, verdict};
pub use timeline::{Slots, SlotsNow, Timeline, after_key, slot_key, timeline};
pub use validate::{CompiledPlan, CompiledTrigger, check_count, compile, read_triggers, shortest_gap_days};
