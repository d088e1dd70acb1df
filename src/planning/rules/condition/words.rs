//! What a condition saw, in a sentence's words, in English or Chinese.

use crate::kernel::text::{Language, LocalizedText};
use crate::planning::condition::{Clause, ClauseReading, Limit};
use crate::usage::measure::{DatedAttribute, Measure};

/// A number with thousands separators, without zeros at its end.
fn number(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((text.as_str(), ""));
    let mut shown = String::new();
    for (place, c) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(c);
    }
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        shown.push('.');
        shown.push_str(fraction);
    }
    if value < 0.0 && shown.chars().any(|c| matches!(c, '1'..='9')) {
        shown.insert(0, '-');
    }
    shown
}

/// Days: whole ones from ten on.
fn days(value: f64) -> String {
    number(value, if value.abs() < 9.95 { 1 } else { 0 })
}

fn en_days(value: f64) -> String {
    match days(value) {
        one if one == "1" => "1 day".to_owned(),
        many => format!("{many} days"),
    }
}

fn percent(share: f64, language: Language) -> String {
    let shown = number(share * 100.0, if share.abs() < 0.01 { 2 } else { 1 });
    match language {
        Language::En => format!("{shown} %"),
        Language::Zh => format!("{shown}%"),
    }
}

/// A value of the clause's meter; a long unit is what the meter's name says already.
fn of_meter(clause: &Clause, value: f64, language: Language) -> String {
    let shown = number(value, clause.decimals.clamp(0, 9) as usize);
    let unit = match clause.unit.as_str() {
        "degC" => "°C",
        unit if unit.chars().count() <= 3 => unit,
        _ => "",
    };
    match (unit, language) {
        ("", _) => shown,
        (unit, Language::En) => format!("{shown} {unit}"),
        (unit, Language::Zh) => format!("{shown}{unit}"),
    }
}

fn name(text: &LocalizedText, code: &str, language: Language) -> String {
    match (text.get(language), language) {
        ("", _) => code.to_owned(),
        (name, Language::En) => name.to_lowercase(),
        (name, Language::Zh) => name.to_owned(),
    }
}

/// The measure's value or limit as it is shown.
fn shown(clause: &Clause, value: f64, language: Language) -> String {
    match (&clause.measure, language) {
        (Measure::Gauge { .. } | Measure::Life { .. } | Measure::Delta { .. }, _) => of_meter(clause, value, language),
        (Measure::Rate { .. }, Language::En) => format!("{} a day", of_meter(clause, value, language)),
        (Measure::Rate { .. }, Language::Zh) => format!("每天{}", of_meter(clause, value, language)),
        (Measure::Ratio { .. }, _) => percent(value, language),
        (Measure::RatioToBaseline { .. }, Language::En) => format!("{} times", number(value, 1)),
        (Measure::RatioToBaseline { .. } | Measure::Silence, Language::Zh) => format!("{}倍", number(value, 1)),
        (Measure::Silence, Language::En) => format!("{} ×", number(value, 1)),
        (Measure::AttributeAge { attribute: DatedAttribute::WarrantyEndsAt }, _) if value < 0.0 => match language {
            Language::En => format!("{} before", en_days(-value)),
            Language::Zh => format!("到期前{}天", days(-value)),
        },
        (
            Measure::DaysSinceReading
            | Measure::DaysSinceUse { .. }
            | Measure::AttributeAge { .. }
            | Measure::DaysToLimit { .. },
            Language::En,
        ) => en_days(value),
        (
            Measure::DaysSinceReading
            | Measure::DaysSinceUse { .. }
            | Measure::AttributeAge { .. }
            | Measure::DaysToLimit { .. },
            Language::Zh,
        ) => format!("{}天", days(value)),
    }
}

/// The limit as an aside; its side is named where it is not the one that is meant anyway.
fn limit_words(clause: &Clause, reading: &ClauseReading, language: Language) -> String {
    let is_usual = clause.operator.is_upward() != matches!(clause.measure, Measure::DaysToLimit { .. });
    let side = match (is_usual, clause.operator.is_upward(), language) {
        (true, _, _) => "",
        (false, true, Language::En) => "above ",
        (false, false, Language::En) => "below ",
        (false, true, Language::Zh) => "高于",
        (false, false, Language::Zh) => "低于",
    };
    let share = match clause.limit {
        Limit::Value { .. } => None,
        Limit::ShareOfRating { share } => Some(percent(share, language)),
    };
    match (share, reading.limit.map(|limit| shown(clause, limit, language)), language) {
        (None, Some(limit), Language::En) => format!("limit {side}{limit}"),
        (None, Some(limit), Language::Zh) => format!("限值{side}{limit}"),
        (Some(share), Some(limit), Language::En) => format!("limit {side}{limit}, {share} of its rating"),
        (Some(share), Some(limit), Language::Zh) => format!("限值{side}{limit}，即额定值的{share}"),
        (Some(share), None, Language::En) => format!("limit {side}{share} of its rating, which is not known"),
        (Some(share), None, Language::Zh) => format!("限值{side}额定值的{share}，额定值未知"),
        (None, None, Language::En) => "no limit".to_owned(),
        (None, None, Language::Zh) => "无限值".to_owned(),
    }
}

/// What is measured, while nothing is known of it.
fn unknown_words(clause: &Clause, language: Language) -> String {
    let of = match &clause.measure {
        Measure::AttributeAge { attribute } => match (attribute, language) {
            (DatedAttribute::InstalledAt, Language::En) => "date of installation".to_owned(),
            (DatedAttribute::InstalledAt, Language::Zh) => "安装日期".to_owned(),
            (DatedAttribute::FirmwareReportedAt, Language::En) => "report of its firmware".to_owned(),
            (DatedAttribute::FirmwareReportedAt, Language::Zh) => "固件报告".to_owned(),
            (DatedAttribute::BatteryInstalledAt, Language::En) => "date of its battery".to_owned(),
            (DatedAttribute::BatteryInstalledAt, Language::Zh) => "电池安装日期".to_owned(),
            (DatedAttribute::WarrantyEndsAt, Language::En) => "date of its warranty".to_owned(),
            (DatedAttribute::WarrantyEndsAt, Language::Zh) => "保修日期".to_owned(),
        },
        measure => match (measure.meters().first(), language) {
            (Some(code), _) => name(&clause.name, code, language),
            (None, Language::En) => "readings".to_owned(),
            (None, Language::Zh) => "读数".to_owned(),
        },
    };
    match language {
        Language::En => format!("too little is known of {of}"),
        Language::Zh => format!("{of}数据不足"),
    }
}

/// What was measured.
fn value_words(clause: &Clause, value: f64, language: Language) -> String {
    let text = shown(clause, value, language);
    let named = |code: &str| name(&clause.name, code, language);
    match (&clause.measure, language) {
        (Measure::Gauge { meter } | Measure::Life { meter }, Language::En) => format!("{} {text}", named(meter)),
        (Measure::Gauge { meter } | Measure::Life { meter }, Language::Zh) => format!("{}{text}", named(meter)),
        (Measure::Delta { meter, window_days }, Language::En) => {
            format!("{} grew by {text} over {}", named(meter), en_days(f64::from(*window_days)))
        }
        (Measure::Delta { meter, window_days }, Language::Zh) => {
            format!("{}{window_days}天内增加{text}", named(meter))
        }
        (Measure::Rate { meter, window_days }, Language::En) => {
            format!("{} {text} over {}", named(meter), en_days(f64::from(*window_days)))
        }
        (Measure::Rate { meter, window_days }, Language::Zh) => format!("{}{window_days}天内{text}", named(meter)),
        (Measure::Ratio { numerator, denominator, window_days }, Language::En) => {
            let of = name(&clause.of_name, denominator, language);
            format!("{} {text} of {of} over {}", named(numerator), en_days(f64::from(*window_days)))
        }
        (Measure::Ratio { numerator, denominator, window_days }, Language::Zh) => {
            let of = name(&clause.of_name, denominator, language);
            format!("{window_days}天内{}占{of}的{text}", named(numerator))
        }
        (Measure::RatioToBaseline { numerator, denominator, window_days, baseline_days }, Language::En) => {
            let of = name(&clause.of_name, denominator, language);
            let window = en_days(f64::from(*window_days));
            let usual = en_days(f64::from(*baseline_days));
            format!("{} per {of} over {window} {text} its own of the {usual} before", named(numerator))
        }
        (Measure::RatioToBaseline { numerator, denominator, window_days, baseline_days }, Language::Zh) => {
            let of = name(&clause.of_name, denominator, language);
            format!("{window_days}天内{}与{of}之比为此前{baseline_days}天的{text}", named(numerator))
        }
        (Measure::DaysSinceReading, Language::En) => format!("no reading for {text}"),
        (Measure::DaysSinceReading, Language::Zh) => format!("已{text}无读数"),
        (Measure::DaysSinceUse { meter }, Language::En) => format!("no {} for {text}", named(meter)),
        (Measure::DaysSinceUse { meter }, Language::Zh) => format!("{}已{text}没有增加", named(meter)),
        (Measure::Silence, Language::En) => format!("no reading for {text} its normal gap"),
        (Measure::Silence, Language::Zh) => format!("已有平常间隔的{text}时间无读数"),
        (Measure::AttributeAge { attribute }, _) => age_words(*attribute, value, language),
        (Measure::DaysToLimit { meter, limit, .. }, _) => {
            let limit = of_meter(clause, *limit, language);
            match (language, value <= 0.0) {
                (Language::En, true) => format!("{} has reached {limit}", named(meter)),
                (Language::En, false) => format!("{} reaches {limit} in about {text}", named(meter)),
                (Language::Zh, true) => format!("{}已到达{limit}", named(meter)),
                (Language::Zh, false) => format!("{}约{text}后到达{limit}", named(meter)),
            }
        }
    }
}

fn age_words(attribute: DatedAttribute, value: f64, language: Language) -> String {
    let (en, zh) = (en_days(value.abs()), days(value.abs()));
    match (attribute, language) {
        (DatedAttribute::InstalledAt, Language::En) => format!("installed for {en}"),
        (DatedAttribute::InstalledAt, Language::Zh) => format!("已安装{zh}天"),
        (DatedAttribute::FirmwareReportedAt, Language::En) => format!("its firmware unreported for {en}"),
        (DatedAttribute::FirmwareReportedAt, Language::Zh) => format!("固件已{zh}天未上报"),
        (DatedAttribute::BatteryInstalledAt, Language::En) => format!("its battery in use for {en}"),
        (DatedAttribute::BatteryInstalledAt, Language::Zh) => format!("电池已使用{zh}天"),
        (DatedAttribute::WarrantyEndsAt, Language::En) if value < 0.0 => format!("its warranty ends in {en}"),
        (DatedAttribute::WarrantyEndsAt, Language::En) => format!("its warranty ended {en} ago"),
        (DatedAttribute::WarrantyEndsAt, Language::Zh) if value < 0.0 => format!("保修{zh}天后到期"),
        (DatedAttribute::WarrantyEndsAt, Language::Zh) => format!("保修已过期{zh}天"),
    }
}

/// What a clause saw, with its limit: "battery health 68 % (limit below 70 %)".
pub fn clause_words(clause: &Clause, reading: &ClauseReading, language: Language) -> String {
    let limit = limit_words(clause, reading, language);
    let what = match reading.value {
        Some(value) => value_words(clause, value, language),
        None => unknown_words(clause, language),
    };
    let few = reading.sample.zip(clause.min_sample).filter(|(sample, wanted)| sample < wanted);
    let few = few.map(|(sample, wanted)| (number(sample.floor(), 0), number(wanted, 0)));
    match (few, language) {
        (None, Language::En) => format!("{what} ({limit})"),
        (None, Language::Zh) => format!("{what}（{limit}）"),
        (Some((sample, wanted)), Language::En) => format!("{what} ({limit}; {sample} of {wanted} needed to say so)"),
        (Some((sample, wanted)), Language::Zh) => format!("{what}（{limit}；样本{sample}，至少需{wanted}）"),
    }
}

/// For how long a condition must hold; empty when it need not.
pub fn hold_words(hold_hours: u32, language: Language) -> String {
    let days = hold_hours / 24;
    match (hold_hours, hold_hours.is_multiple_of(24) && days > 1, language) {
        (0, _, _) => String::new(),
        (_, true, Language::En) => format!("for {days} days"),
        (_, true, Language::Zh) => format!("持续{days}天"),
        (1, _, Language::En) => "for 1 hour".to_owned(),
        (hours, _, Language::En) => format!("for {hours} hours"),
        (hours, _, Language::Zh) => format!("持续{hours}小时"),
    }
}
