//! Devices, where they stand and stood, and how requests about them behave.

mod as_of;
mod inspection;
mod moves;
mod nodes;
mod requests;
mod search;
mod sites;
mod status;
