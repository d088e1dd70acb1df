//! Use cases and API, against the real HTTP server, each test on a database of its own: SQLite, or
//! PostgreSQL when `TILLKEEP_TEST_POSTGRES` gives a server's URL. Either way the same tests.

mod main_line;
mod support;
