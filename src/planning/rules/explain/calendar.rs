//! Periods and grids in words.

use crate::kernel::text::Language;

/// An ISO 8601 duration in words: `P1Y6M` is "1 year 6 months", "1年6个月".
pub(super) fn period_words(period: &str, language: Language) -> String {
    let mut words = Vec::new();
    let mut number = String::new();
    for c in period.chars().skip(1) {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let plural = if number == "1" { "" } else { "s" };
        words.push(match (c, language) {
            ('Y', Language::En) => format!("{number} year{plural}"),
            ('M', Language::En) => format!("{number} month{plural}"),
            ('W', Language::En) => format!("{number} week{plural}"),
            (_, Language::En) => format!("{number} day{plural}"),
            ('Y', Language::Zh) => format!("{number}年"),
            ('M', Language::Zh) => format!("{number}个月"),
            ('W', Language::Zh) => format!("{number}周"),
            (_, Language::Zh) => format!("{number}天"),
        });
        number.clear();
    }
    words.join(if language == Language::En { " " } else { "" })
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [(&str, &str); 7] = [
    ("Sunday", "日"),
    ("Monday", "一"),
    ("Tuesday", "二"),
    ("Wednesday", "三"),
    ("Thursday", "四"),
    ("Friday", "五"),
    ("Saturday", "六"),
];

/// The numbers of a cron field that only lists some.
pub(super) fn listed(field: &str) -> Option<Vec<usize>> {
    field.split(',').map(|n| n.parse().ok()).collect()
}

pub(super) fn ordinal(n: usize) -> String {
    let suffix = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

pub(super) fn and(parts: &[String], language: Language) -> String {
    match (parts, language) {
        ([first @ .., last], Language::En) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        (_, Language::En) => parts.concat(),
        (_, Language::Zh) => parts.join("、"),
    }
}

/// The days of a grid in words where its cron text has a common shape; the text itself otherwise.
pub(super) fn grid_words(cron: &str, language: Language) -> String {
    let as_it_is = match language {
        Language::En => format!("by the fixed grid \"{cron}\""),
        Language::Zh => format!("固定日程“{cron}”"),
    };
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let [_, _, days, months, weekdays] = fields[..] else { return as_it_is };
    let words = match (days, months, weekdays) {
        ("*", "*", "*") => Some(match language {
            Language::En => "every day".to_owned(),
            Language::Zh => "每天".to_owned(),
        }),
        ("*", "*", _) => listed(weekdays).map(|list| {
            let of = |n: &usize| WEEKDAYS[n % 7];
            match language {
                Language::En => {
                    let names: Vec<String> = list.iter().map(|n| of(n).0.to_owned()).collect();
                    format!("every {}", and(&names, language))
                }
                Language::Zh => {
                    let names: Vec<String> = list.iter().map(|n| of(n).1.to_owned()).collect();
                    format!("每周{}", and(&names, language))
                }
            }
        }),
        (_, "*", "*") => listed(days).map(|list| match language {
            Language::En => {
                let days: Vec<String> = list.into_iter().map(ordinal).collect();
                format!("on the {} of every month", and(&days, language))
            }
            Language::Zh => {
                let days: Vec<String> = list.into_iter().map(|d| format!("{d}日")).collect();
                format!("每月{}", and(&days, language))
            }
        }),
        (_, _, "*") => listed(days).zip(listed(months)).map(|(days, months)| {
            let dates: Vec<String> = months
                .iter()
                .flat_map(|month| days.iter().map(move |day| (*month, *day)))
                .map(|(month, day)| match language {
                    Language::En => format!("{day} {}", MONTHS[(month + 11) % 12]),
                    Language::Zh => format!("{month}月{day}日"),
                })
                .collect();
            match language {
                Language::En => format!("on {} of every year", and(&dates, language)),
                Language::Zh => format!("每年{}", and(&dates, language)),
            }
        }),
        _ => None,
    };
    words.unwrap_or(as_it_is)
}
