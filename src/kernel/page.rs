//! Pages of a list and their opaque cursors.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Rows of a page unless the caller says otherwise.
pub const DEFAULT_PAGE: u32 = 50;
/// Rows of a page at most.
pub const MAX_PAGE: u32 = 500;

/// Why a page cannot be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// `first` is out of bounds.
    #[error("first is {given}; give 1 to {MAX_PAGE}")]
    First {
        /// What was given.
        given: i32,
    },
    /// The cursor is not one of ours.
    #[error("the cursor cannot be read; use endCursor of the page before, for the same list and order")]
    Cursor,
}

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Rows at most.
    pub first: u32,
    /// The key after which it starts.
    pub after: Option<Vec<String>>,
}

impl Page {
    /// Reads the paging arguments.
    ///
    /// # Errors
    /// `first` outside 1..=500, an unreadable cursor.
    pub fn try_new(first: Option<i32>, after: Option<&str>) -> Result<Self, PageError> {
        let first = match first {
            None => DEFAULT_PAGE,
            Some(n) => {
                u32::try_from(n).ok().filter(|n| (1..=MAX_PAGE).contains(n)).ok_or(PageError::First { given: n })?
            }
        };
        let after = after.map(decode_cursor).transpose()?;
        Ok(Self { first, after })
    }
}

/// The opaque text of a key.
pub fn encode_cursor(key: &[String]) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

/// Reads a cursor.
///
/// # Errors
/// Not one of ours.
pub fn decode_cursor(text: &str) -> Result<Vec<String>, PageError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| PageError::Cursor)?;
    serde_json::from_slice(&bytes).map_err(|_| PageError::Cursor)
}
