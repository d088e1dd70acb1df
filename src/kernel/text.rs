//! Texts that people write and read.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The languages people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalizedText {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl LocalizedText {
    /// The text in a language.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Zh => &self.zh,
        }
    }
}

/// Why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Too many characters.
    #[error("has more than {max} characters; shorten it")]
    TooLong {
        /// Characters at most.
        max: usize,
    },
    /// Characters that cannot be shown.
    #[error("contains control characters; remove them")]
    Control,
}

/// Trims a text and checks it: 1 to `max` characters, no control characters but line breaks and
/// tabs.
///
/// # Errors
/// Says what is wrong.
pub fn clean_text(text: &str, max: usize) -> Result<String, TextError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(TextError::Empty);
    }
    if trimmed.chars().nth(max).is_some() {
        return Err(TextError::TooLong { max });
    }
    if trimmed.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(TextError::Control);
    }
    Ok(trimmed.to_owned())
}

/// Letters, digits and signs of Chinese keyboards as their half-width forms, an ideographic space
/// as a space.
pub fn half_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            '\u{3000}' => ' ',
            other => other,
        })
        .collect()
}

fn passes_luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, d)| match place % 2 {
            0 => *d,
            _ if *d > 4 => *d * 2 - 9,
            _ => *d * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Masks card numbers (runs of 13 to 19 digits that pass the Luhn check, spaces and dashes
/// allowed inside) but for their last four digits; says whether there were any.
///
/// Only for free text: typed number fields are what they are.
pub fn mask_card_numbers(text: &str) -> (String, bool) {
    let chars: Vec<char> = text.chars().collect();
    let mut out: Vec<char> = chars.clone();
    let mut found = false;
    let mut start = 0;
    while start < chars.len() {
        if !chars[start].is_ascii_digit() {
            start += 1;
            continue;
        }
        let mut places = Vec::new();
        let mut end = start;
        while end < chars.len()
            && (chars[end].is_ascii_digit()
                || (matches!(chars[end], ' ' | '-') && chars.get(end + 1).is_some_and(char::is_ascii_digit)))
        {
            if chars[end].is_ascii_digit() {
                places.push(end);
            }
            end += 1;
        }
        let digits: Vec<u32> = places.iter().filter_map(|p| chars[*p].to_digit(10)).collect();
        if (13..=19).contains(&digits.len()) && passes_luhn(&digits) {
            found = true;
            for place in &places[..places.len() - 4] {
                out[*place] = '*';
            }
        }
        start = end.max(start + 1);
    }
    (out.into_iter().collect(), found)
}

/// What a spreadsheet may take for the begin of a formula; some read the wide forms too.
const FORMULA_SIGNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Whether a text, behind any apostrophes, begins as a formula would.
fn looks_like_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA_SIGNS)
}

/// A number below zero and nothing else.
fn is_negative_number(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('-') else { return false };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    is_all_digits(whole) && is_all_digits(fraction)
}

/// A text as a cell that no spreadsheet runs as a formula: it gets an apostrophe in front where it
/// looks like one, and [`read_cell`] takes that away again. Numbers stay numbers.
pub fn safe_cell(text: &str) -> Cow<'_, str> {
    match looks_like_formula(text) && !is_negative_number(text) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// What a cell made by [`safe_cell`] says.
pub fn read_cell(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if looks_like_formula(text) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_card_number_in_free_text_is_masked_and_a_phone_number_is_not() {
        let (text, found) = mask_card_numbers("card 4111 1111 1111 1111, phone 13800138000");
        assert!(found);
        assert_eq!(text, "card **** **** **** 1111, phone 13800138000");
    }

    #[test]
    fn full_width_letters_become_half_width() {
        assert_eq!(half_width("ＨＸ－１　王（店）"), "HX-1 王(店)");
    }

    #[test]
    fn texts_are_trimmed_and_bounded_in_characters() {
        assert_eq!(clean_text(" 老王面馆 ", 4), Ok("老王面馆".into()));
        assert_eq!(clean_text("老王面馆", 3), Err(TextError::TooLong { max: 3 }));
        assert_eq!(clean_text("  ", 3), Err(TextError::Empty));
        assert_eq!(clean_text("a\u{0}b", 3), Err(TextError::Control));
    }

    #[test]
    fn a_cell_that_looks_like_a_formula_is_marked_as_text_and_a_number_is_not() {
        for (text, cell) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1", "'+1"),
            ("@x", "'@x"),
            ("-2+3", "'-2+3"),
            ("-", "'-"),
            ("-1.", "'-1."),
            ("＝1", "'＝1"),
            ("\t=1", "'\t=1"),
            ("'=1", "''=1"),
            ("-12.5", "-12.5"),
            ("-7", "-7"),
            ("老王面馆", "老王面馆"),
            ("'t Hof", "'t Hof"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(safe_cell(text), cell);
            assert_eq!(read_cell(cell), text);
        }
    }

    proptest! {
        #[test]
        fn a_safe_cell_reads_back_and_is_safe(text in "['=+@\t＝a1.-]{0,6}") {
            let cell = safe_cell(&text);
            prop_assert_eq!(read_cell(&cell), text.as_str());
            prop_assert!(!cell.starts_with(FORMULA_SIGNS) || is_negative_number(&cell));
        }
    }
}
