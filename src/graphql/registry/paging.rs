//! Pages of lists that run both ways.

use crate::graphql::connection::{cut, key_part, page};
use crate::graphql::errors::bad_input;
use crate::kernel::page::Page;
use async_graphql::Result;
use uuid::Uuid;

/// Paging arguments of a list that runs both ways.
pub struct Paging {
    /// Rows forwards.
    pub first: Option<i32>,
    /// Cursor to go on after.
    pub after: Option<String>,
    /// Rows backwards.
    pub last: Option<i32>,
    /// Cursor to end before.
    pub before: Option<String>,
}

/// Which rows of a list that runs both ways.
pub struct BothWays {
    page: Page,
    /// The key after which it starts, in the direction it runs.
    pub key: Option<(String, Uuid)>,
    /// It runs from the end.
    pub is_backward: bool,
}

impl BothWays {
    /// Reads the paging arguments of a list.
    ///
    /// # Errors
    /// BAD_USER_INPUT: both ways at once, or as [`page`].
    pub fn read(tag: &str, paging: Paging) -> Result<Self> {
        let Paging { first, after, last, before } = paging;
        let is_backward = last.is_some() || before.is_some();
        if is_backward && (first.is_some() || after.is_some()) {
            return Err(bad_input("give first and after, or last and before, not both"));
        }
        let (count, from) = if is_backward { (last, before) } else { (first, after) };
        let page = page(tag, count, from.as_deref())?;
        let key = match &page.after {
            Some(k) => Some((key_part::<String>(k, 0)?, key_part::<Uuid>(k, 1)?)),
            None => None,
        };
        Ok(Self { page, key, is_backward })
    }

    /// One row more than the page has, to know whether there are more.
    pub fn limit(&self) -> u64 {
        u64::from(self.page.first) + 1
    }

    /// Cuts the rows to the page, in the order of the list; says whether there are more.
    pub fn cut<T>(&self, rows: Vec<T>) -> (Vec<T>, bool) {
        let (mut rows, has_more) = cut(rows, self.page.first);
        if self.is_backward {
            rows.reverse();
        }
        (rows, has_more)
    }

    /// Whether there are rows after and before the page.
    pub fn sides(&self, has_more: bool) -> (bool, bool) {
        let has_key = self.key.is_some();
        if self.is_backward { (has_key, has_more) } else { (has_more, has_key) }
    }
}
