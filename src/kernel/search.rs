//! What people type to find something, and how well a value answers it.

use super::text::half_width;
use uuid::Uuid;

crate::code_enum! {
    /// How well something answers a search, best first.
    pub enum Rank { Exact = "EXACT", Prefix = "PREFIX", Contains = "CONTAINS" }
}

crate::code_enum! {
    /// What can be searched for.
    pub enum SearchType {
        Device = "DEVICE", Merchant = "MERCHANT", Site = "SITE", Position = "POSITION",
        Technician = "TECHNICIAN", WorkOrder = "WORK_ORDER", ServiceVisit = "SERVICE_VISIT",
    }
}

crate::code_enum! {
    /// What a search found the text in.
    pub enum MatchedField {
        SerialNumber = "SERIAL_NUMBER", AssetTag = "ASSET_TAG", ExternalId = "EXTERNAL_ID",
        TerminalNumber = "TERMINAL_NUMBER", MerchantNumber = "MERCHANT_NUMBER", Name = "NAME",
        EmployeeNumber = "EMPLOYEE_NUMBER", Phone = "PHONE", Number = "NUMBER",
    }
}

/// Things of one source at most.
pub const MOST_HITS: u64 = 200;
/// Digits of a phone number at least; fewer are in every number.
const PHONE_DIGITS: usize = 4;

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText {
    /// Half-width, lower case.
    folded: String,
    /// What the database compares with: as typed, and in half width where that is another text.
    patterns: Vec<String>,
    /// The digits, where it may be a phone number.
    phone: Option<String>,
}

/// The digits of a phone number; none when there is anything else in it.
fn digits(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '+' | '(' | ')')).collect();
    (digits.len() >= PHONE_DIGITS && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

impl SearchText {
    /// Reads what was typed; none when there is nothing in it.
    pub fn read(typed: &str) -> Option<Self> {
        let typed = typed.trim();
        let half = half_width(typed);
        let half = half.trim();
        if half.is_empty() {
            return None;
        }
        let mut patterns = vec![half.to_owned()];
        if half != typed {
            patterns.push(typed.to_owned());
        }
        Some(Self { folded: half.to_lowercase(), patterns, phone: digits(half) })
    }

    /// Half-width and lower case: texts that are searched for alike are equal.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// What the database compares with.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// The digits, where it may be a phone number.
    pub fn phone(&self) -> Option<&str> {
        self.phone.as_deref()
    }

    /// One character: it is in too many names to look for it inside them.
    pub fn is_short(&self) -> bool {
        self.folded.chars().nth(1).is_none()
    }

    /// How well a value answers; none when it does not.
    pub fn rank(&self, value: &str) -> Option<Rank> {
        let value = half_width(value).to_lowercase();
        if value == self.folded {
            Some(Rank::Exact)
        } else if value.starts_with(&self.folded) {
            Some(Rank::Prefix)
        } else {
            value.contains(&self.folded).then_some(Rank::Contains)
        }
    }

    /// How well a phone number answers, whatever stands between its digits; none when it does not.
    pub fn rank_phone(&self, value: &str) -> Option<Rank> {
        let wanted = self.phone.as_deref()?;
        let value = digits(&half_width(value))?;
        if value == wanted {
            Some(Rank::Exact)
        } else if value.starts_with(wanted) {
            Some(Rank::Prefix)
        } else {
            value.contains(wanted).then_some(Rank::Contains)
        }
    }
}

/// Something found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// How well it answers.
    pub rank: Rank,
    /// What it is.
    pub of: SearchType,
    /// Which one.
    pub id: Uuid,
    /// What the text was found in.
    pub field: MatchedField,
    /// That value, as it is stored.
    pub text: String,
}

/// What a room found.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// What was found, in any order; the same thing may be in it more than once.
    pub found: Vec<Hit>,
    /// Some source had more than it may give.
    pub is_cut: bool,
}

impl Hits {
    /// Adds what a source gave.
    pub fn add(&mut self, of: SearchType, field: MatchedField, rows: Vec<(Uuid, Rank, String)>) {
        self.is_cut |= rows.len() as u64 >= MOST_HITS;
        self.found.extend(rows.into_iter().map(|(id, rank, text)| Hit { rank, of, id, field, text }));
    }

    /// Adds what another room found.
    pub fn extend(&mut self, other: Self) {
        self.found.extend(other.found);
        self.is_cut |= other.is_cut;
    }

    /// Each thing once, by what it answers best; in the order of rank, type and id.
    pub fn sorted(mut self) -> Self {
        self.found.sort_by_key(|hit| (hit.of, hit.id, hit.rank, hit.field));
        self.found.dedup_by_key(|hit| (hit.of, hit.id));
        self.found.sort_by_key(Hit::key);
        self
    }
}

impl Hit {
    /// Its place among all hits.
    pub fn key(&self) -> (Rank, SearchType, Uuid) {
        (self.rank, self.of, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(typed: &str) -> SearchText {
        SearchText::read(typed).unwrap()
    }

    #[test]
    fn width_case_and_blanks_do_not_matter() {
        assert_eq!(SearchText::read(" \u{3000} "), None);
        let typed = text("　ＨＸ３０００１ ");
        assert_eq!((typed.folded(), typed.patterns().len()), ("hx30001", 2));
        assert_eq!(typed.rank("HX30001"), Some(Rank::Exact));
        assert_eq!(typed.rank("hx300012"), Some(Rank::Prefix));
        assert_eq!(typed.rank("NEW-HX30001"), Some(Rank::Contains));
        assert_eq!(typed.rank("HX30002"), None);
        assert_eq!(text("面馆").rank("老王面馆（中山路店）"), Some(Rank::Contains));
        assert!(text("王").is_short() && !text("王面").is_short());
    }

    #[test]
    fn a_phone_number_is_its_digits() {
        assert_eq!(text("138-0013 8000").rank_phone("13800138000"), Some(Rank::Exact));
        assert_eq!(text("13800138000").rank_phone("+86 138 0013 8000"), Some(Rank::Contains));
        assert_eq!(text("1380").rank_phone("138-0013-8000"), Some(Rank::Prefix));
        for no_phone in ["HX1380", "138", "老王"] {
            assert_eq!(text(no_phone).phone(), None, "{no_phone}");
        }
        assert_eq!(text("13800138000").rank_phone("nobody"), None);
    }

    #[test]
    fn each_thing_is_found_once_and_the_best_come_first() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut hits = Hits::default();
        hits.add(SearchType::Site, MatchedField::Name, vec![(a, Rank::Contains, "x".into())]);
        hits.add(SearchType::Device, MatchedField::AssetTag, vec![(b, Rank::Prefix, "b1".into())]);
        hits.add(
            SearchType::Device,
            MatchedField::SerialNumber,
            vec![(b, Rank::Exact, "b".into()), (a, Rank::Exact, "b".into())],
        );
        let sorted = hits.sorted();
        let keys: Vec<_> = sorted.found.iter().map(Hit::key).collect();
        assert_eq!(
            keys,
            [
                (Rank::Exact, SearchType::Device, a),
                (Rank::Exact, SearchType::Device, b),
                (Rank::Contains, SearchType::Site, a),
            ]
        );
        assert_eq!(sorted.found[1].field, MatchedField::SerialNumber);
        assert!(!sorted.is_cut);
    }
}
