//! Use cases and API, against the real HTTP server, each test on a database of its own: SQLite, or
//! PostgreSQL when `TILLKEEP_TEST_POSTGRES` gives a server's URL. Either way the same tests.

mod bad_input;
mod catalogue;
mod command_line;
mod demo;
mod file;
mod firmware;
mod http;
mod ingest;
mod main_line;
mod planning;
mod real_data;
mod registry;
mod reports;
mod statements;
mod support;
mod usage;
mod visits;
