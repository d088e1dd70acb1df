//! Counts, rates and what made them, in words.

use crate::kernel::calendar::local_date;
use crate::kernel::text::Language;
use crate::planning::model::{RateParts, UsageBasis};
use crate::usage::model::{RateSource, SeasonSource};
use chrono::NaiveDate;
use chrono_tz::Tz;

/// A whole number of smallest units, shown in the meter's own unit with thousands separators.
pub fn shown_units(units: i64, decimals: i32) -> String {
    let digits = decimals.clamp(0, 9) as u32;
    let scale = 10_u64.pow(digits);
    let magnitude = units.unsigned_abs();
    let whole = (magnitude / scale).to_string();
    let mut text = String::new();
    for (place, c) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    if units < 0 {
        text.insert(0, '-');
    }
    let rest = magnitude % scale;
    if rest > 0 {
        let fraction = format!("{rest:0width$}", width = digits as usize);
        text.push('.');
        text.push_str(fraction.trim_end_matches('0'));
    }
    text
}

pub(super) fn shown_rate(per_day: f64, decimals: i32, language: Language) -> String {
    let rate = per_day / 10_f64.powi(decimals.clamp(0, 9));
    match (rate, language) {
        (r, _) if r >= 100.0 => shown_units(r.round() as i64, 0),
        (r, _) if r >= 0.1 => format!("{r:.1}"),
        (r, _) if r <= 0.0 => "0".to_owned(),
        (_, Language::En) => "less than 0.1".to_owned(),
        (_, Language::Zh) => "不到0.1".to_owned(),
    }
}

fn source_words(source: RateSource, is_read: bool, language: Language) -> &'static str {
    match (source, language) {
        (RateSource::Model, Language::En) if !is_read => "the rate of its model",
        (RateSource::Model, Language::Zh) if !is_read => "按型号用量",
        (RateSource::SiteType, Language::En) if !is_read => "what devices at sites of its type do",
        (RateSource::SiteType, Language::Zh) if !is_read => "按同类场所设备用量",
        (RateSource::Device, Language::En) => "this device's own usage",
        (RateSource::Device, Language::Zh) => "本机用量",
        (RateSource::Model, Language::En) => "few readings yet, so partly the rate of its model",
        (RateSource::Model, Language::Zh) => "读数尚少，部分按型号用量",
        (RateSource::SiteType, Language::En) => "few readings yet, so partly what devices at sites of its type do",
        (RateSource::SiteType, Language::Zh) => "读数尚少，部分按同类场所设备用量",
        (RateSource::Planning, Language::En) => "its model's planning rate, assumed",
        (RateSource::Planning, Language::Zh) => "型号的计划用量，假定值",
    }
}

/// A factor that changes a rate by less than this is not worth a word.
const WORTH_SAYING: f64 = 0.02;

/// What made a rate: the last weeks, and what they were corrected by.
fn parts_words(parts: &RateParts, basis: &UsageBasis, language: Language) -> String {
    let is_en = language == Language::En;
    let change = |factor: f64| {
        let percent = (factor - 1.0) * 100.0;
        match language {
            _ if (factor - 1.0).abs() < WORTH_SAYING => None,
            Language::En => Some(format!("{:.0} % {}", percent.abs(), if percent > 0.0 { "more" } else { "less" })),
            Language::Zh => Some(format!("{percent:+.0}%")),
        }
    };
    let mut words = Vec::new();
    if let Some(recent) = parts.recent_per_day.filter(|recent| *recent > 0.0) {
        let shown = shown_rate(recent, basis.decimals, language);
        words.push(if is_en { format!("{shown} in the last four weeks") } else { format!("近四周日均{shown}") });
        // What a young device borrows is no past of its own.
        if let Some(by) = change(parts.level / recent).filter(|_| basis.source == RateSource::Device) {
            words.push(if is_en { format!("{by} by its longer past") } else { format!("长期走势{by}") });
        }
    }
    if let Some(by) = change(parts.weekdays()) {
        words.push(if is_en { format!("{by} by the weekdays until then") } else { format!("星期{by}") });
    }
    if let Some(by) = change(parts.way.season) {
        words.push(match (parts.season, language) {
            (SeasonSource::Device, Language::En) => format!("{by} by season, as last year"),
            (SeasonSource::Device, Language::Zh) => format!("季节{by}（参照去年）"),
            (_, Language::En) => format!("{by} by season, as its fleet last year"),
            (_, Language::Zh) => format!("季节{by}（参照同批设备去年）"),
        });
    }
    if let Some(by) = change(parts.way.holidays) {
        words.push(if is_en { format!("{by} by holidays") } else { format!("节假日{by}") });
    }
    if let Some((days, until)) = parts.closed {
        words.push(match language {
            Language::En => format!("out of use for {days} days, expected until {until}"),
            Language::Zh => format!("已停用{days}天，预计至{until}"),
        });
    }
    match (words.is_empty(), language) {
        (true, _) => String::new(),
        (_, Language::En) => format!(": {}", words.join(", ")),
        (_, Language::Zh) => format!("：{}", words.join("，")),
    }
}

/// Days without a reading after which a date is said to rest on an old rate.
const SILENT_DAYS: i64 = 14;

/// Units left, rate and last reading: what every usage date rests on.
pub(super) fn usage_facts(basis: &UsageBasis, name: &str, zone: Tz, today: NaiveDate, language: Language) -> String {
    let every = shown_units(basis.every, basis.decimals);
    let left = shown_units(basis.units_left.max(0), basis.decimals);
    let over = shown_units(basis.units_left.saturating_neg(), basis.decimals);
    let rate = shown_rate(basis.units_per_day, basis.decimals, language);
    let parts = basis.parts.as_ref().map_or(String::new(), |parts| parts_words(parts, basis, language));
    let source = format!("{}{parts}", source_words(basis.source, basis.last_reading_at.is_some(), language));
    let reading = basis.last_reading_at.map(|at| local_date(zone, at));
    let is_over = basis.units_left < 0;
    let silent = reading.map_or(0, |r| (today - r).num_days());
    let silence = match language {
        _ if silent < SILENT_DAYS => String::new(),
        Language::En => format!(", silent for {silent} days, so the date assumes its old rate"),
        Language::Zh => format!("，已{silent}天无读数，日期按原用量推算"),
    };
    match (language, reading) {
        (Language::En, Some(reading)) => {
            let state = if is_over {
                format!("{every} {name} passed by {over}")
            } else {
                format!("{left} of {every} {name} left")
            };
            format!("{state}, about {rate} a day ({source}), last reading {reading}{silence}")
        }
        (Language::En, None) => format!("{every} {name}, about {rate} a day ({source}), no reading yet"),
        (Language::Zh, Some(reading)) => {
            let state = if is_over { format!("已超出{over}") } else { format!("还剩{left}") };
            format!("{name}每{every}一次，{state}，日均约{rate}（{source}），最近读数{reading}{silence}")
        }
        (Language::Zh, None) => format!("{name}每{every}一次，日均约{rate}（{source}），尚无读数"),
    }
}
