//! Turns stored reasons into a sentence a planner can read out, in English or Chinese.

use crate::kernel::text::Language;
use crate::planning::model::{
    AdjustmentKind, AnchorKind, Explanation, Trigger, UsageBasis,
};
use crate::usage::model::RateSource;
use chrono::{DateTime, NaiveDate, Utc};
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

fn shown_rate(per_day: f64, decimals: i32) -> String {
    let rate = per_day / 10_f64.powi(decimals.clamp(0, 9));
    if rate >= 100.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

fn day(zone: Tz, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

fn since(explanation: &Explanation, zone: Tz, language: Language) -> String {
    let date = day(zone, explanation.anchor.at);
    match (explanation.anchor.kind, language) {
        (AnchorKind::Done, Language::En) => format!("last done on {date}"),
        (AnchorKind::Done, Language::Zh) => format!("上次完成于{date}"),
        (AnchorKind::Skipped, Language::En) => format!("counted from the skipped occurrence of {date}"),
        (AnchorKind::Skipped, Language::Zh) => format!("自{date}被跳过的一次起算"),
        (AnchorKind::Installed, Language::En) => format!("never done, counted from installation on {date}"),
        (AnchorKind::Installed, Language::Zh) => format!("从未做过，自{date}安装起算"),
    }
}

fn usage_words(basis: &UsageBasis, due: NaiveDate, zone: Tz, language: Language) -> String {
    let every = shown_units(basis.every, basis.decimals);
    let left = shown_units(basis.units_left, basis.decimals);
    let rate = shown_rate(basis.units_per_day, basis.decimals);
    let meter = basis.meter.as_str();
    let reading = basis.last_reading_at.map(|at| day(zone, at));
    if let Some(crossed) = basis.crossed_at {
        let day = day(zone, crossed);
        return match language {
            Language::En => format!(
                "{meter} passed {every} since last done on {day} (rate {rate} a day, {left} left, last reading {})",
                reading.map_or_else(|| "none".to_owned(), |d| d.to_string())
            ),
            Language::Zh => format!(
                "{meter}自上次起已于{day}达到{every}（每天约{rate}，剩余{left}，最近读数{}）",
                reading.map_or_else(|| "无".to_owned(), |d| d.to_string())
            ),
        };
    }
    let source = match (basis.source, language) {
        (RateSource::Device, Language::En) => "this device's own rate",
        (RateSource::Device, Language::Zh) => "本机自身用量",
        (RateSource::Model, Language::En) => "the rate of its model",
        (RateSource::Model, Language::Zh) => "同型号用量",
        (RateSource::Planning, Language::En) => "the model's planning rate, assumed",
        (RateSource::Planning, Language::Zh) => "型号的计划用量（假定值）",
    };
    match (language, reading) {
        (Language::En, Some(reading)) => format!(
            "{left} of {every} {meter} left at {rate} a day ({source}) is expected to be used up on {due}; last reading {reading}"
        ),
        (Language::En, None) => format!(
            "{every} {meter} at {rate} a day ({source}) is expected to be used up on {due}; no reading yet"
        ),
        (Language::Zh, Some(reading)) => {
            format!("{meter}每{every}一次，还剩{left}，每天约{rate}（{source}），预计{due}用完；最近读数{reading}")
        }
        (Language::Zh, None) => {
            format!("{meter}每{every}一次，每天约{rate}（{source}），预计{due}用完；尚无读数")
        }
    }
}

/// Why the date is what it is, in one sentence; civil dates are in the explanation's zone.
pub fn due_sentence(explanation: &Explanation, language: Language) -> String {
    let zone: Tz = explanation.zone.parse().unwrap_or(Tz::UTC);
    let since = since(explanation, zone, language);
    let winner = explanation.winner.and_then(|w| explanation.candidates.get(w));
    let Some((candidate, due_at)) = winner.and_then(|c| c.due_at.map(|at| (c, at))) else {
        return match language {
            Language::En => format!("No date: no trigger of the plan falls due in the foreseeable time ({since})."),
            Language::Zh => format!("无日期：该计划在可预见的时间内没有到期的触发条件（{since}）。"),
        };
    };
    let due = day(zone, due_at);
    let core = match (&candidate.trigger, &candidate.basis, language) {
        (Trigger::CalendarFixed { cron }, _, Language::En) => {
            format!("the fixed grid \"{cron}\" falls on {due}")
        }
        (Trigger::CalendarFixed { cron }, _, Language::Zh) => format!("固定日程“{cron}”落在{due}"),
        (Trigger::CalendarFloating { every }, _, Language::En) => {
            format!("{every} after that is {due}")
        }
        (Trigger::CalendarFloating { every }, _, Language::Zh) => format!("其后{every}为{due}"),
        (Trigger::Usage { .. }, Some(basis), _) => usage_words(basis, due, zone, language),
        (Trigger::Usage { meter, .. }, None, Language::En) => format!("{meter} decides"),
        (Trigger::Usage { meter, .. }, None, Language::Zh) => format!("由{meter}决定"),
    };
    let others: Vec<String> = explanation
        .candidates
        .iter()
        .enumerate()
        .filter(|(place, _)| Some(*place) != explanation.winner)
        .map(|(_, other)| {
            let label = match &other.trigger {
                Trigger::CalendarFixed { cron } => cron.clone(),
                Trigger::CalendarFloating { every } => every.clone(),
                Trigger::Usage { meter, every, decimals } => {
                    format!("{} {meter}", shown_units(*every, *decimals))
                }
            };
            match (other.due_at, language) {
                (Some(at), Language::En) => format!("{label} would be {}", day(zone, at)),
                (Some(at), Language::Zh) => format!("{label}为{}", day(zone, at)),
                (None, Language::En) => format!("{label} gives no date"),
                (None, Language::Zh) => format!("{label}无日期"),
            }
        })
        .collect();
    let moves: Vec<String> = explanation
        .adjustments
        .iter()
        .map(|a| {
            let (from, to) = (day(zone, a.from), day(zone, a.to));
            let reason = a.reason.as_deref().unwrap_or("");
            match (a.kind, language) {
                (AdjustmentKind::ClosedDay, Language::En) => {
                    format!("moved to {to} because the site is closed on {from}")
                }
                (AdjustmentKind::ClosedDay, Language::Zh) => format!("因{from}现场不营业，改到{to}"),
                (AdjustmentKind::Postponed, Language::En) => {
                    format!("postponed from {from} to {to}: {reason}")
                }
                (AdjustmentKind::Postponed, Language::Zh) => format!("由{from}推迟到{to}：{reason}"),
                (AdjustmentKind::NoPermittedDay, Language::En) => {
                    format!("no permitted day within 366 days of {from}")
                }
                (AdjustmentKind::NoPermittedDay, Language::Zh) => format!("{from}起366天内没有可作业的日子"),
            }
        })
        .collect();
    match language {
        Language::En => {
            let mut text = format!("Due {due}: {core} ({since})");
            for part in moves.iter().chain(&others) {
                text.push_str("; ");
                text.push_str(part);
            }
            text.push('.');
            text
        }
        Language::Zh => {
            let mut text = format!("应于{due}：{core}（{since}）");
            for part in moves.iter().chain(&others) {
                text.push('；');
                text.push_str(part);
            }
            text.push('。');
            text
        }
    }
}
