//! Texts of cells ↔ values: codes of closed lists and JSON. What cannot be read names its cell.

use super::{StoreError, StoreResult};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;

/// A cell that cannot be read as what it should be.
pub fn corrupt(table: &str, column: &str, row: impl Display, detail: impl Display) -> StoreError {
    StoreError::Corrupt { table: table.into(), column: column.into(), row: row.to_string(), detail: detail.to_string() }
}

/// The value a code of a closed list stands for.
pub fn code<T>(
    parse: impl FnOnce(&str) -> Option<T>,
    table: &str,
    column: &str,
    row: impl Display,
    text: &str,
) -> StoreResult<T> {
    parse(text).ok_or_else(|| corrupt(table, column, row, text))
}

/// The value a JSON text stands for.
pub fn json<T: DeserializeOwned>(table: &str, column: &str, row: impl Display, text: &str) -> StoreResult<T> {
    serde_json::from_str(text).map_err(|e| corrupt(table, column, row, e))
}

/// A value as JSON text.
pub fn to_json<T: Serialize>(value: &T) -> StoreResult<String> {
    serde_json::to_string(value).map_err(|e| StoreError::Other(Box::new(e)))
}
