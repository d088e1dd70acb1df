//! Scalars of the API, and how the arguments of queries are read: ids, texts, codes, instants.

use super::errors::bad_input;
use crate::kernel::calendar::{check_instant, stamp};
use crate::kernel::ids::IdError;
use crate::kernel::text::TextError;
use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, NaiveDate, Utc};

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

    /// Any text: `parse` says better what is wrong with one.
    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
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
    parse(id.as_str()).map_err(|e| bad_input(e.to_string()))
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

/// Reads ids of a query's filter; `name` is the argument's, here and below.
///
/// # Errors
/// BAD_USER_INPUT: more than 1,000, or one that is not what it should be.
pub fn query_ids<T>(
    ids: Option<Vec<async_graphql::ID>>,
    name: &str,
    parse: impl Fn(&str) -> Result<T, IdError>,
) -> async_graphql::Result<Option<Vec<T>>> {
    let Some(ids) = at_most(ids, name, MAX_LIST)? else { return Ok(None) };
    ids.iter().map(|id| query_id(id, &parse)).collect::<async_graphql::Result<Vec<T>>>().map(Some)
}

/// Reads codes of a closed list of a query.
///
/// # Errors
/// BAD_USER_INPUT: more than 100.
pub fn query_codes<T: Into<U>, U>(codes: Option<Vec<T>>, name: &str) -> async_graphql::Result<Option<Vec<U>>> {
    let codes = at_most(codes, name, MAX_CODES)?;
    Ok(codes.map(|codes| codes.into_iter().map(Into::into).collect()))
}

/// Reads a text of a query.
///
/// # Errors
/// BAD_USER_INPUT: too long, or with control characters (PostgreSQL refuses NUL).
pub fn query_text(text: String, name: &str, max: usize) -> async_graphql::Result<String> {
    let refuse = |problem: TextError| Err(bad_input(format!("{name} {problem}")));
    if text.chars().nth(max).is_some() {
        return refuse(TextError::TooLong { max });
    }
    if text.chars().any(char::is_control) {
        return refuse(TextError::Control);
    }
    Ok(text)
}

/// Reads an optional text of a query.
///
/// # Errors
/// As [`query_text`].
pub fn query_text_opt(text: Option<String>, name: &str, max: usize) -> async_graphql::Result<Option<String>> {
    text.map(|text| query_text(text, name, max)).transpose()
}

/// Reads texts of a query's filter.
///
/// # Errors
/// BAD_USER_INPUT: more than 1,000, or as [`query_text`].
pub fn query_texts(texts: Option<Vec<String>>, name: &str, max: usize) -> async_graphql::Result<Option<Vec<String>>> {
    let Some(texts) = at_most(texts, name, MAX_LIST)? else { return Ok(None) };
    texts.into_iter().map(|text| query_text(text, name, max)).collect::<async_graphql::Result<Vec<String>>>().map(Some)
}

/// Reads an instant of a query.
///
/// # Errors
/// BAD_USER_INPUT: outside 2000 to 2100.
pub fn query_instant(at: DateTime<Utc>, name: &str) -> async_graphql::Result<DateTime<Utc>> {
    check_instant(at).map_err(|e| bad_input(format!("{name} {e}")))?;
    Ok(stamp(at))
}

/// Reads an optional instant of a query.
///
/// # Errors
/// As [`query_instant`].
pub fn query_instant_opt(at: Option<DateTime<Utc>>, name: &str) -> async_graphql::Result<Option<DateTime<Utc>>> {
    at.map(|at| query_instant(at, name)).transpose()
}

/// Entries of a list in a query's filter at most.
const MAX_LIST: usize = 1_000;
/// Entries of a list of codes at most.
const MAX_CODES: usize = 100;
/// Characters of a region code at most, as the registry keeps them.
pub const MAX_REGION: usize = 32;
/// Characters of a serial number, another number, a maker or a meter code at most.
pub const MAX_NUMBER: usize = 128;
/// Characters of a part of a name at most.
pub const MAX_PART: usize = 200;

/// A list within its bound.
fn at_most<T>(list: Option<Vec<T>>, name: &str, max: usize) -> async_graphql::Result<Option<Vec<T>>> {
    match list {
        Some(list) if list.len() > max => {
            Err(bad_input(format!("{name} has {} entries; give at most {max}", list.len())))
        }
        list => Ok(list),
    }
}

/// A whole number as GraphQL has it.
pub fn int(n: i64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_query_gives_is_bounded_and_the_refusal_names_the_argument() {
        let message = |e: async_graphql::Error| e.message;
        assert_eq!(query_text("王".repeat(2), "number", 2).unwrap(), "王王");
        assert_eq!(
            message(query_text("abc".into(), "number", 2).unwrap_err()),
            "number has more than 2 characters; shorten it"
        );
        assert_eq!(
            message(query_texts(Some(vec!["a\0".into()]), "numbers", 8).unwrap_err()),
            "numbers contains control characters; remove them"
        );
        assert_eq!(
            message(query_codes::<u8, u32>(Some(vec![1; 101]), "kinds").unwrap_err()),
            "kinds has 101 entries; give at most 100"
        );
        assert!(query_texts(Some(vec![String::new(); 1_001]), "numbers", 8).is_err());
        let year_9999 = "9999-01-01T00:00:00Z".parse().unwrap();
        assert!(message(query_instant(year_9999, "dueBefore").unwrap_err()).starts_with("dueBefore is outside 2000"));
    }

    #[test]
    fn an_impossible_date_is_told_how_to_write_one() {
        let given = Value::String("2026-02-30".to_owned());
        assert!(Date::is_valid(&given));
        assert!(format!("{:?}", Date::parse(given).unwrap_err()).contains("write 2026-11-24"));
    }
}
