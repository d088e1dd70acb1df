//! The GraphQL ring: types, queries and mutations over the capabilities' services.
//!
//! It decides nothing: arguments in, one service call, types out. Lists prefetch what their rows
//! need by look-ahead ([`prefetch`]), so that the number of SQL statements does not grow with a
//! page. What a request may ask for is in [`limits`]; how it is executed in [`schema::execute`].

pub mod catalogue;
pub mod connection;
pub mod context;
pub mod enums;
pub mod errors;
pub mod firmware;
pub mod limits;
pub mod load;
pub mod loaders;
pub mod node;
pub mod planning;
pub mod prefetch;
pub mod registry;
pub mod reports;
pub mod request;
pub mod scalars;
pub mod schema;
pub mod search;
pub mod services;
pub mod subscriptions;
pub mod text;
pub mod usage;
pub mod visits;
