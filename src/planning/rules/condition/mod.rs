//! CONDITION triggers: [`evaluate`] says when one falls due and why, [`check`] what is wrong with
//! one, [`clause_words`] what it saw as a sentence.

mod check;
mod evaluate;
mod words;

#[cfg(test)]
mod tests;

pub use check::{check, describe};
pub use evaluate::{ConditionFacts, ConditionOutcome, evaluate, look_back_days, meters_of};
pub use words::{clause_words, hold_words};
