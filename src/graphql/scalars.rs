//! Scalars of the API, and how ids of queries are read.

use crate::kernel::ids::IdError;
use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::NaiveDate;

/// Declares a scalar that is kept as the text it was given as; the rooms read it, and refuse it
/// with a code of its own.
macro_rules! text_scalar {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub String);

        $(#[$doc])*
        #[Scalar]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                match value {
                    Value::String(text) => Ok(Self(text)),
                    other => Err(InputValueError::expected_type(other)),
                }
            }

            fn is_valid(value: &Value) -> bool {
                matches!(value, Value::String(_))
            }

            fn to_value(&self) -> Value {
                Value::String(self.0.clone())
            }
        }
    };
}

text_scalar! {
    /// An IANA time zone, for example `Asia/Shanghai`.
    TimeZone
}
text_scalar! {
    /// Standard 5-field cron text (minute, hour, day of month, month, day of week), read in the
    /// site's time zone, for example `0 9 1 * *`. `L`, `W`, `#` and 6 or 7 fields are refused.
    CronExpression
}
text_scalar! {
    /// An ISO 8601 duration of whole days or more, for example `P90D` or `P1M`.
    Duration
}

/// A civil day, for example `2026-11-24`; it belongs to a site's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// A civil day, for example `2026-11-24`; it belongs to a site's time zone.
#[Scalar]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text
                .parse()
                .map(Self)
                .map_err(|_| InputValueError::custom(format!("\"{text}\" is not a date; write 2026-11-24"))),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(text) if text.parse::<NaiveDate>().is_ok())
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Reads an id argument of a query.
///
/// # Errors
/// BAD_USER_INPUT, naming what is wrong.
pub fn query_id<T>(id: &async_graphql::ID, parse: impl Fn(&str) -> Result<T, IdError>) -> async_graphql::Result<T> {
    parse(id.as_str()).map_err(|e| super::errors::bad_input(e.to_string()))
}

/// Reads an optional id of a query's filter.
///
/// # Errors
/// BAD_USER_INPUT, naming what is wrong.
pub fn query_id_opt<T>(
    id: Option<&async_graphql::ID>,
    parse: impl Fn(&str) -> Result<T, IdError>,
) -> async_graphql::Result<Option<T>> {
    id.map(|id| query_id(id, parse)).transpose()
}

/// Reads ids of a query's filter.
///
/// # Errors
/// BAD_USER_INPUT, naming what is wrong.
pub fn query_ids<T>(
    ids: Option<&Vec<async_graphql::ID>>,
    parse: impl Fn(&str) -> Result<T, IdError>,
) -> async_graphql::Result<Option<Vec<T>>> {
    let Some(ids) = ids else { return Ok(None) };
    if ids.len() > MAX_LIST {
        return Err(super::errors::bad_input(format!("{} ids are too many; give at most {MAX_LIST}", ids.len())));
    }
    ids.iter().map(|id| query_id(id, &parse)).collect::<async_graphql::Result<Vec<T>>>().map(Some)
}

/// Entries of a list in a query's filter at most.
const MAX_LIST: usize = 1_000;

/// A list of a query's filter, within its bound.
///
/// # Errors
/// BAD_USER_INPUT: more than 1,000 entries.
pub fn at_most<T>(list: Option<Vec<T>>, field: &str) -> async_graphql::Result<Option<Vec<T>>> {
    match list {
        Some(list) if list.len() > MAX_LIST => {
            Err(super::errors::bad_input(format!("{field} has {} entries; give at most {MAX_LIST}", list.len())))
        }
        list => Ok(list),
    }
}

/// A whole number as GraphQL has it.
pub fn int(n: i64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
