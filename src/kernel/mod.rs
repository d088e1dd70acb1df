//! The kernel: time, ids, pages, texts and calendars that every room shares; imports nothing of
//! ours.

pub mod calendar;
pub mod call;
pub mod clock;
pub mod code;
pub mod ids;
pub mod page;
pub mod scope;
pub mod search;
pub mod subject;
pub mod text;
