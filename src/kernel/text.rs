//! Texts that people write and read.

use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
