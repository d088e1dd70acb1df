//! Devices, where they stand and stood, and how requests about them behave.

mod inspection;
mod moves;
mod nodes;
mod requests;
mod sites;
mod status;
