//! The order of versions, which is not the order of their texts.

use std::cmp::Ordering;
use std::fmt;

/// Words that make what follows come before the release they belong to, with their place among each
/// other.
const PRE_RELEASES: [(&str, u8); 11] = [
    ("dev", 0),
    ("snapshot", 0),
    ("nightly", 0),
    ("alpha", 1),
    ("beta", 2),
    ("pre", 3),
    ("preview", 3),
    ("test", 3),
    ("rc", 4),
    ("cr", 4),
    ("candidate", 4),
];

/// One segment; before a release < number < letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part {
    /// Before the release, by its place.
    Pre(u8),
    /// Its digits without leading zeros; the longer one is larger.
    Number(usize, String),
    /// In lower case.
    Letters(String),
}

impl Part {
    fn number(digits: &str) -> Self {
        let digits = digits.trim_start_matches('0');
        Self::Number(digits.len(), digits.to_owned())
    }

    fn is_zero(&self) -> bool {
        matches!(self, Self::Number(0, _))
    }
}

/// A version, read for comparing.
///
/// Segments are compared from the left: numbers by value, however long, letters after numbers, words
/// such as `rc` and `beta` before the release they belong to. Upper and lower case are the same, a
/// leading `v` and what stands between segments mean nothing, and missing segments are zeros. So
/// `3.10.0` is newer than `3.9.2`, `V1.2` is `1.2.0`, and `2.0-rc1` comes before `2.0`.
///
/// Every text is a version of some place in this order, so that nothing a device reports is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(Vec<Part>);

impl Version {
    /// Reads a version.
    pub fn read(text: &str) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        for run in runs(without_v(text.trim())) {
            let word = run.to_lowercase();
            let pre = PRE_RELEASES.iter().find(|(name, _)| *name == word).map(|(_, place)| *place);
            match pre {
                _ if run.starts_with(|c: char| c.is_ascii_digit()) => parts.push(Part::number(run)),
                // A maker's prefix is not a pre-release of nothing.
                Some(place) if !parts.is_empty() => {
                    // 2.0-rc1 and 2.0.0-rc1 are one.
                    drop_zeros(&mut parts);
                    parts.push(Part::Pre(place));
                }
                _ => parts.push(Part::Letters(word)),
            }
        }
        drop_zeros(&mut parts);
        Self(parts)
    }
}

/// The text without a leading `v` that stands before a number.
fn without_v(text: &str) -> &str {
    let rest = text.strip_prefix(['v', 'V']).map(|rest| rest.trim_start_matches([' ', '.']));
    rest.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(text)
}

/// Runs of digits and runs of letters; what stands between them is left out.
fn runs(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_digit = first.is_ascii_digit();
        if !first.is_alphanumeric() {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let is_over = |c: char| !c.is_alphanumeric() || c.is_ascii_digit() != is_digit;
        let (run, tail) = rest.split_at(rest.find(is_over).unwrap_or(rest.len()));
        found.push(run);
        rest = tail;
    }
    found
}

fn drop_zeros(parts: &mut Vec<Part>) {
    while parts.last().is_some_and(Part::is_zero) {
        parts.pop();
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let zero = Part::number("");
        (0..self.0.len().max(other.0.len()))
            .map(|n| self.0.get(n).unwrap_or(&zero).cmp(other.0.get(n).unwrap_or(&zero)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The normal form: the same for versions that are the same.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, part) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str(".")?;
            }
            match part {
                Part::Pre(place) => write!(f, "~{place}")?,
                Part::Number(0, _) => f.write_str("0")?,
                Part::Number(_, text) | Part::Letters(text) => f.write_str(text)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compared(a: &str, b: &str) -> Ordering {
        Version::read(a).cmp(&Version::read(b))
    }

    #[test]
    fn each_version_is_newer_than_the_one_before() {
        for line in [
            &["3.2.1", "3.9.2", "3.10.0", "3.10.0.1", "3.11", "10.0"][..],
            &["2.0-dev", "2.0-alpha", "2.0-alpha2", "2.0-beta", "2.0-rc1", "2.0.0-rc2", "2.0", "2.0.0.1", "2.0a"],
            &["2023.12.31", "2024.05.01", "2024.5.2", "2024.11.01", "20240601"],
            &["QT500001-05.02", "QT500001-05.10", "QT500001-06.00", "QT500002-01.00", "QT1000000-01.00"],
            &["1.0.9b7", "1.0.10a1"],
            &["1.2.3", "1.2.b", "1.2.c"],
            &["99999999999999999999", "100000000000000000000"],
        ] {
            for pair in line.windows(2) {
                assert_eq!(compared(pair[0], pair[1]), Ordering::Less, "{} and {}", pair[0], pair[1]);
                assert_eq!(compared(pair[1], pair[0]), Ordering::Greater, "{} and {}", pair[1], pair[0]);
            }
        }
    }

    #[test]
    fn one_version_can_be_written_in_many_ways() {
        for same in [
            &["1.2", "1.2.0", "v1.2", "V 1.2.0.0", "1-2", "01.002", " 1_2 "][..],
            &["2.0-rc1", "2.0.0rc.1", "2-RC-1", "v2.0_cr01"],
            &["3.1.0b", "3.1.0-B"],
            &["", "0", "0.0", "-"],
        ] {
            for text in same {
                assert_eq!(Version::read(text), Version::read(same[0]), "{text} and {}", same[0]);
                assert_eq!(Version::read(text).to_string(), Version::read(same[0]).to_string());
            }
        }
        // A word that begins with v is a word.
        assert_ne!(Version::read("vega1"), Version::read("ega1"));
        assert_ne!(Version::read("pre100"), Version::read("100"));
    }

    fn versions() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => proptest::string::string_regex("v?[0-9]{1,3}([.\\-_]?(0|[0-9]{1,2}|rc|beta|a|B)){0,4}").unwrap(),
            1 => proptest::string::string_regex("[0a.v\\-]{0,5}").unwrap(),
            1 => any::<String>(),
        ]
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in versions(), b in versions(), c in versions()) {
            prop_assert_eq!(compared(&a, &b), compared(&b, &a).reverse());
            let mut sorted = [Version::read(&a), Version::read(&b), Version::read(&c)];
            sorted.sort();
            prop_assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2] && sorted[0] <= sorted[2]);
            if compared(&a, &b).is_eq() && compared(&b, &c).is_eq() {
                prop_assert!(compared(&a, &c).is_eq());
            }
        }

        #[test]
        fn equal_versions_and_only_they_have_one_normal_form(a in versions(), b in versions()) {
            let (a, b) = (Version::read(&a), Version::read(&b));
            prop_assert_eq!(a.cmp(&b).is_eq(), a == b);
            prop_assert_eq!(a == b, a.to_string() == b.to_string());
        }

        #[test]
        fn more_zeros_and_a_v_change_nothing(text in "[0-9]{1,3}(\\.[0-9]{1,3}){0,3}", zeros in 0_usize..4) {
            let longer = format!("v{text}{}", ".0".repeat(zeros));
            prop_assert_eq!(Version::read(&longer), Version::read(&text));
            prop_assert!(Version::read(&format!("{longer}-rc1")) < Version::read(&text));
            prop_assert!(Version::read(&format!("{longer}.1")) > Version::read(&text));
        }
    }
}
