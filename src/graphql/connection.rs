//! Relay connections with keyset cursors.

use super::errors::bad_input;
use crate::kernel::page::{DEFAULT_PAGE, MAX_PAGE, Page, encode_cursor};
use async_graphql::{Context, Result, SimpleObject};

/// Where a page stands in its list.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(name = "PageInfo")]
pub struct PageInfo {
    /// There are rows after this page.
    pub has_next_page: bool,
    /// There are rows before this page.
    pub has_previous_page: bool,
    /// Cursor of the first row; null on an empty page.
    pub start_cursor: Option<String>,
    /// Cursor of the last row; give it as `after` for the next page.
    pub end_cursor: Option<String>,
}

/// Counts are exact up to this, then null.
pub const COUNT_LIMIT: u64 = 10_000;

/// Reads the paging arguments of a list; `tag` is what its cursors begin with.
///
/// # Errors
/// BAD_USER_INPUT: `first` outside 1 to 500, an unreadable cursor, a cursor of another list.
pub fn page(tag: &str, first: Option<i32>, after: Option<&str>) -> Result<Page> {
    let mut page = Page::try_new(first, after).map_err(|e| bad_input(e.to_string()))?;
    if let Some(key) = &mut page.after {
        // No key has a NUL, and PostgreSQL refuses it.
        if key.first().is_none_or(|t| t != tag) || key.iter().any(|part| part.contains('\0')) {
            return Err(other_list());
        }
        key.remove(0);
    }
    Ok(page)
}

fn other_list() -> async_graphql::Error {
    bad_input("the cursor is of another list or order; start again without after")
}

/// The tag of a list that has an order.
pub fn order_tag(list: &str, field: impl std::fmt::Display, is_descending: bool) -> String {
    format!("{list} {field} {}", if is_descending { "DESC" } else { "ASC" })
}

/// What a page costs: its rows times what one row costs.
pub fn page_cost(first: Option<i32>, child: usize) -> usize {
    let rows = first.and_then(|n| usize::try_from(n).ok()).unwrap_or(DEFAULT_PAGE as usize);
    row_cost(rows.min(MAX_PAGE as usize), child)
}

/// What a question costs that reads the facts of the whole fleet, whatever it answers: a request may
/// ask a few, and not dozens by aliases.
pub const FLEET_COST: usize = 20_000;

/// What so many rows cost; a list inside a type counts as many as it usually has.
pub fn row_cost(rows: usize, child: usize) -> usize {
    rows.saturating_mul(child.max(1)).saturating_add(1)
}

/// Reads the place `n` of a cursor.
///
/// # Errors
/// BAD_USER_INPUT: the cursor is of another list.
pub fn key_part<T: std::str::FromStr>(key: &[String], n: usize) -> Result<T> {
    key.get(n).and_then(|text| text.parse().ok()).ok_or_else(other_list)
}

/// Whether a field of the connection is asked for.
pub fn asks(ctx: &Context<'_>, field: &str) -> bool {
    ctx.look_ahead().field(field).exists()
}

/// Cuts the one row more that tells whether there is a next page.
pub fn cut<T>(mut rows: Vec<T>, first: u32) -> (Vec<T>, bool) {
    let has_next = rows.len() > first as usize;
    rows.truncate(first as usize);
    (rows, has_next)
}

/// The info of a page with these cursors.
pub fn info(cursors: &[String], has_next: bool, has_previous: bool) -> PageInfo {
    PageInfo {
        has_next_page: has_next,
        has_previous_page: has_previous,
        start_cursor: cursors.first().cloned(),
        end_cursor: cursors.last().cloned(),
    }
}

/// A cursor: what it is a cursor of, and the key there.
pub fn cursor(tag: &str, parts: &[String]) -> String {
    let key: Vec<String> = std::iter::once(tag.to_owned()).chain(parts.iter().cloned()).collect();
    encode_cursor(&key)
}

/// Declares a connection and its edge.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty, $what:tt) => {
        #[doc = concat!("One of the ", $what, " of a page.")]
        #[derive(async_graphql::SimpleObject)]
        pub struct $edge {
            /// Its place in the list; give it as `after` to go on from here.
            pub cursor: String,
            /// The row.
            pub node: $node,
        }

        #[doc = concat!("A page of ", $what, ".")]
        #[derive(async_graphql::SimpleObject)]
        pub struct $connection {
            /// The rows with their cursors.
            pub edges: Vec<$edge>,
            /// The rows alone.
            pub nodes: Vec<$node>,
            /// Where the page stands in the list.
            pub page_info: $crate::graphql::connection::PageInfo,
            /// How many there are in all, counted only when asked for; exact up to 10,000, then
            /// null.
            pub total_count: Option<i32>,
        }

        impl $connection {
            /// Builds a page from rows with their cursors.
            pub fn new(rows: Vec<($node, String)>, has_next: bool, has_previous: bool, total: Option<u64>) -> Self {
                let cursors: Vec<String> = rows.iter().map(|(_, c)| c.clone()).collect();
                let page_info = $crate::graphql::connection::info(&cursors, has_next, has_previous);
                let total_count = total
                    .filter(|n| *n <= $crate::graphql::connection::COUNT_LIMIT)
                    .and_then(|n| i32::try_from(n).ok());
                Self {
                    nodes: rows.iter().map(|(n, _)| n.clone()).collect(),
                    edges: rows.into_iter().map(|(node, cursor)| $edge { cursor, node }).collect(),
                    page_info,
                    total_count,
                }
            }
        }
    };
}
pub(crate) use connection;

/// Declares a mutation's payload: the object, and why it was refused.
macro_rules! payload {
    ($name:ident, $field:ident : $type:ty, $what:tt) => {
        #[doc = concat!("What became of the request: ", $what, ", or why it was refused.")]
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            #[doc = concat!(
                                "Null when refused, except with CONFLICT: then as it is now. Otherwise ", $what, "."
                            )]
            pub $field: Option<$type>,
            /// Why the request was refused; empty when it was done.
            pub user_errors: Vec<$crate::graphql::errors::UserError>,
        }

        impl $name {
            /// From what the service said.
            #[allow(dead_code, reason = "changes with a version use or_current")]
            pub fn new(outcome: $crate::graphql::errors::Outcome<$type>) -> async_graphql::Result<Self> {
                match outcome {
                    Ok(done) => Ok(Self { $field: Some(done), user_errors: vec![] }),
                    Err($crate::graphql::errors::Failure::User(e)) => Ok(Self { $field: None, user_errors: vec![e] }),
                    Err($crate::graphql::errors::Failure::Internal(e)) => Err(e),
                }
            }

            /// From what the service said; where the version was not the current one, with the
            /// object as it is now.
            #[allow(dead_code, reason = "what is made has no version yet")]
            pub async fn or_current<K>(
                ctx: &async_graphql::Context<'_>,
                outcome: $crate::graphql::errors::Outcome<$type>,
                id: Option<K>,
            ) -> async_graphql::Result<Self>
            where
                K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
                $crate::graphql::loaders::Batch:
                    async_graphql::dataloader::Loader<K, Error = $crate::graphql::loaders::BatchError>,
                $type: From<<$crate::graphql::loaders::Batch as async_graphql::dataloader::Loader<K>>::Value>,
            {
                let mut payload = Self::new(outcome)?;
                let is_conflict =
                    payload.user_errors.iter().any(|e| e.code == $crate::graphql::errors::UserErrorCode::Conflict);
                if is_conflict {
                    payload.$field = $crate::graphql::load::load_opt(ctx, id).await?.map(Into::into);
                }
                Ok(payload)
            }
        }
    };
}
pub(crate) use payload;

/// Reads an id of a mutation's input.
///
/// # Errors
/// MALFORMED_ID or WRONG_ID_KIND for the field.
pub fn input_id<T>(
    id: &async_graphql::ID,
    field: &str,
    parse: impl Fn(&str) -> Result<T, crate::kernel::ids::IdError>,
) -> Result<T, super::errors::Failure> {
    parse(id.as_str()).map_err(|e| super::errors::id_refusal(&e, field))
}

/// Reads an optional id of a mutation's input.
///
/// # Errors
/// As [`input_id`].
pub fn optional_id<T>(
    id: Option<&async_graphql::ID>,
    field: &str,
    parse: impl Fn(&str) -> Result<T, crate::kernel::ids::IdError>,
) -> Result<Option<T>, super::errors::Failure> {
    id.map(|id| input_id(id, field, parse)).transpose()
}

/// Reads ids of a mutation's input.
///
/// # Errors
/// As [`input_id`].
pub fn input_ids<T>(
    ids: &[async_graphql::ID],
    field: &str,
    parse: impl Fn(&str) -> Result<T, crate::kernel::ids::IdError>,
) -> Result<Vec<T>, super::errors::Failure> {
    ids.iter().map(|id| input_id(id, field, &parse)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_by_its_own_list_and_order_only() {
        let tag = order_tag("devices", "SERIAL_NUMBER", true);
        let at = cursor(&tag, &["HX1".to_owned(), "7".to_owned()]);
        let key = page(&tag, None, Some(at.as_str())).unwrap().after.unwrap();
        assert_eq!((key_part::<String>(&key, 0).unwrap(), key_part::<u8>(&key, 1).unwrap()), ("HX1".to_owned(), 7));
        for other in [order_tag("devices", "SERIAL_NUMBER", false), "sites".to_owned()] {
            let refusal = page(&other, None, Some(at.as_str())).unwrap_err();
            assert!(refusal.message.contains("another list or order"), "{}", refusal.message);
        }
        for at in [cursor("sites", &["\0".to_owned()]), encode_cursor(&[])] {
            assert!(page("sites", None, Some(at.as_str())).is_err());
        }
    }
}
