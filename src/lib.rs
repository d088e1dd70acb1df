//! tillkeep keeps tills running: for every card terminal of a fleet it holds a *device file* and
//! works out, from the device's own usage, when it needs cleaning, a check or an update, and why.
//!
//! # The map
//!
//! A request walks one way: [`graphql`] → a capability's `service` → its rules and `store` →
//! [`entity`]. A room imports only from rooms above it in this list, and every capability has the
//! same face: `mod.rs` (what it answers), `model.rs`, `rules`, `error.rs`, `store.rs`, `service`.
//!
//! * [`kernel`]: clock, ids, pages, texts, calendars, codes; imports nothing of ours
//! * [`entity`]: one file per table, rows and nothing else
//! * [`db`]: connections, transactions, outbox, idempotency, numbers, leases
//! * [`catalogue`]: device models, meters, holidays
//! * [`registry`]: merchants, sites, positions, devices, technicians, and the device file
//! * [`usage`]: readings, life counters, patterns, forecasts
//! * [`firmware`]: releases, what each device is to run, the way there, its quiet hours
//! * [`planning`]: plans, due dates with their reasons, items, work orders, the planner
//! * [`visits`]: what was done, by whom, where and when
//! * [`reports`]: figures of a period with what they are made of; lists as CSV
//! * [`jobs`], [`seeding`], [`graphql`], [`ingest`]: the rings; none imports another
//! * [`app`]: builds every service and wires the observers; the HTTP server
//!
//! [`config`] reads the settings for `main.rs`, which is the command line and nothing else.
//!
//! # Where to start reading
//!
//! * how a date comes about: [`planning::rules::decide`], a pure function over facts and `now`
//! * how a reading becomes usage: [`usage::life`], a fold whose result no arrival order can change
//! * how history is kept: [`registry::file::DeviceFile::append`], the one way to write it
//! * how a change is made whole: [`db::tx::Tx`], all of it or nothing

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::todo, clippy::dbg_macro))]

// In import order; the blank lines keep rustfmt from sorting them.

pub mod kernel;

pub mod entity;

pub mod db;

pub mod catalogue;

pub mod registry;

pub mod usage;

pub mod firmware;

pub mod planning;

pub mod visits;

pub mod reports;

pub mod jobs;

pub mod seeding;

pub mod graphql;

pub mod ingest;

pub mod app;

pub mod config;
