//! Turns stored reasons into a sentence a planner can read out, in English or Chinese.

use super::condition::{clause_words, hold_words};
use crate::firmware::model::{Gate, QuietBasis};
use crate::kernel::text::Language;
use crate::planning::condition::{ClauseReading, Condition};
use crate::planning::model::{
    AdjustmentKind, AnchorKind, ConditionBasis, CoverNote, DueAdjustment, DueCandidate, Explanation, FirmwareBasis,
    GateWait, RateParts, Trigger, TriggerEvent, UsageBasis,
};
use crate::usage::model::{RateSource, SeasonSource};
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

fn shown_rate(per_day: f64, decimals: i32, language: Language) -> String {
    let rate = per_day / 10_f64.powi(decimals.clamp(0, 9));
    match (rate, language) {
        (r, _) if r >= 100.0 => shown_units(r.round() as i64, 0),
        (r, _) if r >= 0.1 => format!("{r:.1}"),
        (r, _) if r <= 0.0 => "0".to_owned(),
        (_, Language::En) => "less than 0.1".to_owned(),
        (_, Language::Zh) => "不到0.1".to_owned(),
    }
}

fn day(zone: Tz, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// An ISO 8601 duration in words: `P1Y6M` is "1 year 6 months", "1年6个月".
fn period_words(period: &str, language: Language) -> String {
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
fn listed(field: &str) -> Option<Vec<usize>> {
    field.split(',').map(|n| n.parse().ok()).collect()
}

fn ordinal(n: usize) -> String {
    let suffix = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

fn and(parts: &[String], language: Language) -> String {
    match (parts, language) {
        ([first @ .., last], Language::En) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        (_, Language::En) => parts.concat(),
        (_, Language::Zh) => parts.join("、"),
    }
}

/// The days of a grid in words where its cron text has a common shape; the text itself otherwise.
fn grid_words(cron: &str, language: Language) -> String {
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

/// What the period counts from, as an aside.
fn since(explanation: &Explanation, zone: Tz, language: Language) -> String {
    let date = day(zone, explanation.anchor.at);
    match (explanation.anchor.kind, language) {
        (AnchorKind::Done, Language::En) => format!("last done on {date}"),
        (AnchorKind::Done, Language::Zh) => format!("上次完成于{date}"),
        (AnchorKind::Skipped, Language::En) => format!("counted from the skipped date {date}"),
        (AnchorKind::Skipped, Language::Zh) => format!("自被跳过的{date}起算"),
        (AnchorKind::Installed, Language::En) => format!("never done, counted from {date}"),
        (AnchorKind::Installed, Language::Zh) => format!("尚未做过，自{date}起算"),
    }
}

/// The meter's name in the middle of a sentence.
fn meter_name(trigger: &Trigger, language: Language) -> String {
    match trigger {
        Trigger::Usage { meter, name, .. } => match (name.get(language), language) {
            ("", _) => meter.clone(),
            (name, Language::En) => name.to_lowercase(),
            (name, Language::Zh) => name.to_owned(),
        },
        Trigger::CalendarFixed { .. } | Trigger::CalendarFloating { .. } => String::new(),
        Trigger::Condition { .. } | Trigger::Firmware {} | Trigger::Event { .. } => String::new(),
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
fn usage_facts(basis: &UsageBasis, name: &str, zone: Tz, today: NaiveDate, language: Language) -> String {
    let every = shown_units(basis.every, basis.decimals);
    let left = shown_units(basis.units_left.max(0), basis.decimals);
    let over = shown_units(basis.units_left.saturating_neg(), basis.decimals);
    let rate = shown_rate(basis.units_per_day, basis.decimals, language);
    let parts = basis.parts.as_ref().map_or(String::new(), |parts| parts_words(parts, basis, language));
    let source = format!("{}{parts}", source_words(basis.source, basis.last_reading_at.is_some(), language));
    let reading = basis.last_reading_at.map(|at| day(zone, at));
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

/// What a condition saw, and for how long it must hold.
fn condition_words(condition: &Condition, basis: Option<&ConditionBasis>, zone: Tz, language: Language) -> String {
    let unknown = ClauseReading { value: None, limit: None, sample: None, is_beyond: false };
    let clauses: Vec<String> = condition
        .clauses
        .iter()
        .enumerate()
        .map(|(place, clause)| {
            let reading = basis.and_then(|b| b.clauses.get(place)).unwrap_or(&unknown);
            clause_words(clause, reading, language)
        })
        .collect();
    let mut words = clauses.join(if language == Language::En { " and " } else { "，且" });
    let hold = hold_words(condition.hold_hours, language);
    let is_held = basis.is_some_and(|b| b.since.is_some());
    if is_held || !hold.is_empty() {
        let since = basis.and_then(|b| b.since).map(|at| day(zone, at));
        words.push_str(&match (since, hold.as_str(), language) {
            (Some(since), "", Language::En) => format!(", so since {since}"),
            (Some(since), hold, Language::En) => format!(", so since {since}; it must hold {hold}"),
            (Some(since), "", Language::Zh) => format!("，自{since}起"),
            (Some(since), hold, Language::Zh) => format!("，自{since}起，须{hold}"),
            (None, hold, Language::En) => format!("; beyond it must hold {hold}"),
            (None, hold, Language::Zh) => format!("；超限须{hold}"),
        });
    }
    if basis.is_some_and(|b| b.is_repeat) {
        words.push_str(match language {
            Language::En => "; the work since then did not help",
            Language::Zh => "；此后的维护未见效",
        });
    }
    words
}

fn gate_words(wait: &GateWait, language: Language) -> String {
    let value = wait.value.map_or(String::new(), |v| format!("{v:.0}"));
    match (wait.gate, language) {
        (Gate::BatteryAtLeast { percent }, Language::En) => format!("battery at {percent:.0} % (was {value} %)"),
        (Gate::BatteryAtLeast { percent }, Language::Zh) => format!("电量达到{percent:.0}%（当时{value}%）"),
        (Gate::StorageFreeAtLeast { percent }, Language::En) => {
            format!("{percent:.0} % of its storage free (was {value} %)")
        }
        (Gate::StorageFreeAtLeast { percent }, Language::Zh) => format!("剩余存储达到{percent:.0}%（当时{value}%）"),
        (Gate::BatchSettled, Language::En) => format!("its batch to be settled ({value} transactions waited)"),
        (Gate::BatchSettled, Language::Zh) => format!("批次结算（当时有{value}笔未结算）"),
    }
}

/// What is installed, what is to be, and in which hours.
fn firmware_words(basis: Option<&FirmwareBasis>, zone: Tz, language: Language) -> String {
    let is_en = language == Language::En;
    let Some((basis, target)) = basis.and_then(|b| b.target.as_ref().map(|t| (b, t))) else {
        return if is_en { "no firmware target is set" } else { "未设置目标固件" }.to_owned();
    };
    let unknown = if is_en { "unknown firmware" } else { "未知版本" };
    let installed = basis.installed.as_deref().unwrap_or(unknown);
    if let Some((reaches, needs)) = &basis.gap {
        return match language {
            Language::En => format!(
                "firmware {target} is the target, but nothing leads there: {reaches} can be reached, the next release \
                 asks for {needs}"
            ),
            Language::Zh => format!("目标固件为{target}，但无法升级：最多升到{reaches}，下一版本要求至少{needs}"),
        };
    }
    let Some(next) = &basis.next_version else {
        return match language {
            Language::En => format!("firmware {installed} is its target {target} or newer"),
            Language::Zh => format!("固件{installed}已达到目标{target}"),
        };
    };
    let mut words = match (language, next == target) {
        (Language::En, true) => format!("firmware {installed} is installed and {target} is the target"),
        (Language::En, false) => {
            format!("firmware {installed} is installed and {target} is the target, by way of {next}")
        }
        (Language::Zh, true) => format!("已装固件{installed}，目标{target}"),
        (Language::Zh, false) => format!("已装固件{installed}，目标{target}，须先升到{next}"),
    };
    if let (Some((start, end)), Some(quiet)) = (basis.slot, basis.quiet) {
        let (start, end) = (start.with_timezone(&zone), end.with_timezone(&zone));
        let (on, from, to) = (start.format("%Y-%m-%d"), start.format("%H:%M"), end.format("%H:%M"));
        let why = match (quiet, language) {
            (QuietBasis::OwnUsage, Language::En) => "when this device itself is used least",
            (QuietBasis::OwnUsage, Language::Zh) => "本机用量最低的时段",
            (QuietBasis::ClosedHours, Language::En) => "when the site is closed, as its hourly use is not known",
            (QuietBasis::ClosedHours, Language::Zh) => "门店不营业的时段（没有分时用量）",
            (QuietBasis::WindowOnly, Language::En) => {
                "in the middle of the window, as neither hourly use nor closed hours are known"
            }
            (QuietBasis::WindowOnly, Language::Zh) => "维护窗口的中段（没有分时用量和营业时间）",
        };
        words.push_str(&match language {
            Language::En => format!("; updated on {on} from {from} to {to}, {why}"),
            Language::Zh => format!("；{on} {from}至{to}更新，{why}"),
        });
    }
    if basis.slot.is_none() {
        words.push_str(if is_en {
            "; no permitted hours within a year"
        } else {
            "；一年内没有允许更新的时段"
        });
    }
    if !basis.waits.is_empty() {
        let waits: Vec<String> = basis.waits.iter().map(|w| gate_words(w, language)).collect();
        let verb = match (language, basis.is_blocked) {
            (Language::En, true) => "put off until then, because it waits for",
            (Language::En, false) => "put off until then, because it waited for",
            (Language::Zh, true) => "已推迟，等待",
            (Language::Zh, false) => "曾推迟，等待",
        };
        let said = and(&waits, language);
        words.push_str(&if is_en { format!("; {verb} {said}") } else { format!("；{verb}{said}") });
    }
    words
}

/// What happened, and when.
fn event_words(event: TriggerEvent, at: Option<DateTime<Utc>>, zone: Tz, language: Language) -> String {
    let Some(on) = at.map(|at| day(zone, at)) else {
        return match (event, language) {
            (TriggerEvent::BeforeService, Language::En) => "it was inspected before going into service",
            (TriggerEvent::BeforeService, Language::Zh) => "投入使用前的检查已完成",
            (TriggerEvent::AfterRelocation, Language::En) => "after a relocation",
            (TriggerEvent::AfterRelocation, Language::Zh) => "移机后",
            (TriggerEvent::AfterRepair, Language::En) => "after a repair",
            (TriggerEvent::AfterRepair, Language::Zh) => "维修后",
            (TriggerEvent::AfterInactivity, Language::En) => "after a long inactivity",
            (TriggerEvent::AfterInactivity, Language::Zh) => "长期闲置后",
        }
        .to_owned();
    };
    match (event, language) {
        (TriggerEvent::BeforeService, Language::En) => {
            format!("it came into stock on {on} and goes into service only after this inspection")
        }
        (TriggerEvent::BeforeService, Language::Zh) => format!("设备{on}入库，检查通过后才能投入使用"),
        (TriggerEvent::AfterRelocation, Language::En) => format!("it was relocated on {on}"),
        (TriggerEvent::AfterRelocation, Language::Zh) => format!("设备于{on}移机"),
        (TriggerEvent::AfterRepair, Language::En) => format!("it came back from repair on {on}"),
        (TriggerEvent::AfterRepair, Language::Zh) => format!("设备于{on}修复返回"),
        (TriggerEvent::AfterInactivity, Language::En) => format!("it was used again on {on} after a long inactivity"),
        (TriggerEvent::AfterInactivity, Language::Zh) => format!("设备长期闲置后于{on}重新使用"),
    }
}

/// The winner's own words.
fn core(
    candidate: &DueCandidate,
    due: NaiveDate,
    explanation: &Explanation,
    today: NaiveDate,
    language: Language,
) -> String {
    let zone = zone_of(explanation);
    let since = since(explanation, zone, language);
    let from = day(zone, explanation.anchor.at);
    match (&candidate.trigger, &candidate.basis, language) {
        (Trigger::CalendarFixed { cron }, _, Language::En) => {
            format!("it is done {} ({since})", grid_words(cron, language))
        }
        (Trigger::CalendarFixed { cron }, _, Language::Zh) => format!("{}执行（{since}）", grid_words(cron, language)),
        (Trigger::CalendarFloating { every }, _, Language::En) => {
            let period = period_words(every, language);
            match explanation.anchor.kind {
                AnchorKind::Done => format!("{period} after it was last done on {from}"),
                AnchorKind::Skipped => format!("{period} after the skipped date {from}"),
                AnchorKind::Installed => format!("{period} after {from}, never done since"),
            }
        }
        (Trigger::CalendarFloating { every }, _, Language::Zh) => {
            let period = period_words(every, language);
            match explanation.anchor.kind {
                AnchorKind::Done => format!("距上次完成（{from}）满{period}"),
                AnchorKind::Skipped => format!("距被跳过的{from}满{period}"),
                AnchorKind::Installed => format!("自{from}起满{period}，尚未做过"),
            }
        }
        (Trigger::Usage { .. }, Some(basis), _) => {
            let name = meter_name(&candidate.trigger, language);
            let facts = usage_facts(basis, &name, zone, today, language);
            match (basis.crossed_at, language) {
                (Some(_), Language::En) => format!("the counter reached the limit on {due}; {facts} ({since})"),
                (Some(_), Language::Zh) => format!("计数已于{due}达到上限；{facts}（{since}）"),
                (None, Language::En) => {
                    let verb = if due < today { "was" } else { "is" };
                    format!("the limit {verb} expected to be reached on {due}; {facts} ({since})")
                }
                (None, Language::Zh) if due < today => format!("原预计{due}达到上限；{facts}（{since}）"),
                (None, Language::Zh) => format!("预计{due}达到上限；{facts}（{since}）"),
            }
        }
        (Trigger::Condition { condition }, ..) => {
            condition_words(condition, candidate.condition.as_ref(), zone, language)
        }
        (Trigger::Firmware {}, ..) => firmware_words(candidate.firmware.as_ref(), zone, language),
        (Trigger::Event { event, .. }, ..) => event_words(*event, candidate.event_at, zone, language),
        (Trigger::Usage { .. }, None, Language::En) => {
            format!("{} decide ({since})", meter_name(&candidate.trigger, language))
        }
        (Trigger::Usage { .. }, None, Language::Zh) => {
            format!("由{}决定（{since}）", meter_name(&candidate.trigger, language))
        }
    }
}

/// What another trigger would have said.
fn other(candidate: &DueCandidate, zone: Tz, today: NaiveDate, language: Language) -> String {
    let label = match (&candidate.trigger, language) {
        (Trigger::CalendarFixed { cron }, _) => grid_words(cron, language),
        (Trigger::CalendarFloating { every }, Language::En) => {
            format!("by calendar ({})", period_words(every, language))
        }
        (Trigger::CalendarFloating { every }, Language::Zh) => format!("按日历（满{}）", period_words(every, language)),
        // What is not beyond, not behind and has not happened is said as it is.
        (Trigger::Condition { condition }, _) => {
            let words = condition_words(condition, candidate.condition.as_ref(), zone, language);
            return match (candidate.due_at.map(|at| day(zone, at)), language) {
                (Some(date), Language::En) => format!("by measure since {date}: {words}"),
                (Some(date), Language::Zh) => format!("按测量自{date}起：{words}"),
                (None, Language::En) => format!("by measure nothing is due: {words}"),
                (None, Language::Zh) => format!("按测量尚未到期：{words}"),
            };
        }
        (Trigger::Firmware {}, _) => return firmware_words(candidate.firmware.as_ref(), zone, language),
        (Trigger::Event { event, .. }, _) => event_words(*event, candidate.event_at, zone, language),
        (Trigger::Usage { .. }, _) => {
            let name = meter_name(&candidate.trigger, language);
            let facts = candidate.basis.as_ref().map_or(name.clone(), |b| usage_facts(b, &name, zone, today, language));
            match language {
                Language::En => format!("by usage ({facts})"),
                Language::Zh => format!("按用量（{facts}）"),
            }
        }
    };
    match (candidate.due_at.map(|at| day(zone, at)), language) {
        (Some(date), Language::En) => format!("{label} it would be {date}"),
        (Some(date), Language::Zh) => format!("{label}为{date}"),
        (None, Language::En) => format!("{label} no date is in sight"),
        (None, Language::Zh) => format!("{label}暂无日期"),
    }
}

/// Why the date was moved.
fn moved(adjustment: &DueAdjustment, zone: Tz, language: Language) -> String {
    let (from, to) = (day(zone, adjustment.from), day(zone, adjustment.to));
    let reason = adjustment.reason.as_deref().unwrap_or_default();
    let name = adjustment.name.as_ref().map_or("", |n| n.get(language));
    let is_earlier = to < from;
    match (adjustment.kind, language) {
        (AdjustmentKind::ClosedDay, Language::En) => {
            format!("{} from {from}, when the site is closed", if is_earlier { "brought forward" } else { "put off" })
        }
        (AdjustmentKind::ClosedDay, Language::Zh) => {
            format!("门店{from}不营业，{}到{to}", if is_earlier { "提前" } else { "顺延" })
        }
        (AdjustmentKind::Season, Language::En) => {
            format!("{} from {from}, which is out of season", if is_earlier { "brought forward" } else { "put off" })
        }
        (AdjustmentKind::Season, Language::Zh) => {
            format!("{from}不在作业季节内，{}到{to}", if is_earlier { "提前" } else { "顺延" })
        }
        (AdjustmentKind::Blackout | AdjustmentKind::Freeze, Language::En) => {
            let verb = if is_earlier { "brought forward" } else { "put off" };
            let what = if adjustment.kind == AdjustmentKind::Freeze { "freeze period" } else { "blackout" };
            format!("{verb} from {from}, which lies in the {what} {name}")
        }
        (AdjustmentKind::Blackout | AdjustmentKind::Freeze, Language::Zh) => {
            let what = if adjustment.kind == AdjustmentKind::Freeze { "冻结期" } else { "禁止作业期" };
            format!("{from}处于{what}“{name}”，{}到{to}", if is_earlier { "提前" } else { "顺延" })
        }
        (AdjustmentKind::Postponed, Language::En) => format!("postponed from {from}: {reason}"),
        (AdjustmentKind::Postponed, Language::Zh) => format!("由{from}推迟：{reason}"),
        (AdjustmentKind::NoPermittedDay, Language::En) => format!("no day within 366 days of {from} is permitted"),
        (AdjustmentKind::NoPermittedDay, Language::Zh) => format!("{from}起366天内没有允许作业的日子"),
    }
}

/// The larger work that does this one too.
fn covered(note: &CoverNote, zone: Tz, language: Language) -> String {
    let (name, on) = (note.plan.get(language), day(zone, note.due_at));
    match language {
        Language::En => format!("not ordered by itself: {name}, due {on}, does it too"),
        Language::Zh => format!("不单独派单：由{on}到期的“{name}”一并完成"),
    }
}

/// Smaller work that this one does too.
fn covers(note: &CoverNote, zone: Tz, language: Language) -> String {
    let (name, on) = (note.plan.get(language), day(zone, note.due_at));
    match language {
        Language::En => format!("it also does {name}, which would be due {on}"),
        Language::Zh => format!("同时完成本应{on}到期的“{name}”"),
    }
}

fn zone_of(explanation: &Explanation) -> Tz {
    explanation.zone.parse().unwrap_or(Tz::UTC)
}

/// Why the date is what it is, in one sentence as it is read at `now`; civil dates are in the
/// explanation's zone.
pub fn due_sentence(explanation: &Explanation, now: DateTime<Utc>, language: Language) -> String {
    let zone = zone_of(explanation);
    let today = day(zone, now);
    let winner = explanation.winner.and_then(|w| explanation.candidates.get(w));
    let mut parts = Vec::new();
    let headline = match winner.and_then(|c| c.due_at.map(|at| (c, at))) {
        None => {
            parts.push(since(explanation, zone, language));
            match language {
                Language::En => "No date: nothing in the plan falls due in the foreseeable time".to_owned(),
                Language::Zh => "暂无日期：在可预见的时间内没有到期条件".to_owned(),
            }
        }
        Some((candidate, nominal)) => {
            let last = explanation.adjustments.last();
            let is_closed = last.is_some_and(|a| a.kind == AdjustmentKind::NoPermittedDay);
            let due = day(zone, last.map_or(nominal, |a| a.to));
            let core = core(candidate, day(zone, nominal), explanation, today, language);
            match (is_closed, language) {
                (true, Language::En) => format!("No date: {core}"),
                (true, Language::Zh) => format!("暂无日期：{core}"),
                (false, Language::En) => format!("Due {due}: {core}"),
                (false, Language::Zh) => format!("{due}到期：{core}"),
            }
        }
    };
    parts.insert(0, headline);
    parts.extend(explanation.adjustments.iter().map(|a| moved(a, zone, language)));
    parts.extend(explanation.covered_by.iter().map(|note| covered(note, zone, language)));
    parts.extend(explanation.covers.iter().map(|note| covers(note, zone, language)));
    // What is not beyond, has not happened or is not behind would make the sentence long and says
    // nothing of the date; where nothing is due at all it is what there is to say.
    let is_said = |c: &DueCandidate| match c.trigger {
        Trigger::Condition { .. } | Trigger::Firmware {} | Trigger::Event { .. } => {
            c.due_at.is_some() || explanation.winner.is_none()
        }
        Trigger::CalendarFixed { .. } | Trigger::CalendarFloating { .. } | Trigger::Usage { .. } => true,
    };
    let others = explanation
        .candidates
        .iter()
        .enumerate()
        .filter(|(place, candidate)| Some(*place) != explanation.winner && is_said(candidate));
    parts.extend(others.map(|(_, candidate)| other(candidate, zone, today, language)));
    match language {
        Language::En => format!("{}.", parts.join("; ")),
        Language::Zh => format!("{}。", parts.join("；")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::text::LocalizedText;
    use crate::planning::model::Anchor;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn usage(units_left: i64, crossed_at: Option<DateTime<Utc>>, due_at: &str) -> DueCandidate {
        DueCandidate {
            trigger: Trigger::Usage {
                meter: "TRANSACTIONS".into(),
                every: 3_500,
                decimals: 0,
                name: LocalizedText { en: "Transactions".into(), zh: "交易笔数".into() },
            },
            due_at: Some(at(due_at)),
            condition: None,
            firmware: None,
            event_at: None,
            basis: Some(UsageBasis {
                meter: "TRANSACTIONS".into(),
                decimals: 0,
                every: 3_500,
                life_at_last_done: 10_000,
                life_now: 13_500 - units_left,
                units_left,
                units_per_day: 40.25,
                last_reading_at: Some(at("2026-11-24T15:10:00Z")),
                source: RateSource::Device,
                parts: None,
                crossed_at,
                p10: None,
                p50: None,
                p90: None,
            }),
        }
    }

    fn explained(candidates: Vec<DueCandidate>, winner: usize, adjustments: Vec<DueAdjustment>) -> Explanation {
        Explanation {
            winner: Some(winner),
            candidates,
            adjustments,
            anchor: Anchor { kind: AnchorKind::Done, at: at("2026-09-01T02:00:00Z") },
            zone: "Asia/Shanghai".into(),
            covered_by: None,
            covers: vec![],
        }
    }

    fn floating(every: &str, due_at: &str) -> DueCandidate {
        DueCandidate {
            trigger: Trigger::CalendarFloating { every: every.into() },
            due_at: Some(at(due_at)),
            basis: None,
            condition: None,
            firmware: None,
            event_at: None,
        }
    }

    #[test]
    fn a_usage_date_names_units_left_rate_and_last_reading() {
        let e = explained(
            vec![floating("P90D", "2026-11-29T16:00:00Z"), usage(320, None, "2026-11-27T16:00:00Z")],
            1,
            vec![],
        );
        assert_eq!(
            due_sentence(&e, at("2026-11-25T02:00:00Z"), Language::En),
            "Due 2026-11-28: the limit is expected to be reached on 2026-11-28; 320 of 3,500 transactions left, about \
             40.2 a day (this device's own usage), last reading 2026-11-24 (last done on 2026-09-01); by calendar \
             (90 days) it would be 2026-11-30."
        );
        assert_eq!(
            due_sentence(&e, at("2026-11-25T02:00:00Z"), Language::Zh),
            "2026-11-28到期：预计2026-11-28达到上限；交易笔数每3,500一次，还剩320，日均约40.2（本机用量），最近读数2026-11-24\
             （上次完成于2026-09-01）；按日历（满90天）为2026-11-30。"
        );
    }

    #[test]
    fn a_calendar_date_still_names_what_usage_says() {
        let e = explained(
            vec![
                floating("P1Y6M", "2026-11-27T16:00:00Z"),
                usage(-120, Some(at("2026-11-28T00:00:00Z")), "2026-11-28T16:00:00Z"),
            ],
            0,
            vec![],
        );
        assert_eq!(
            due_sentence(&e, at("2026-11-25T02:00:00Z"), Language::En),
            "Due 2026-11-28: 1 year 6 months after it was last done on 2026-09-01; by usage (3,500 transactions passed \
             by 120, about 40.2 a day (this device's own usage), last reading 2026-11-24) it would be 2026-11-29."
        );
    }

    #[test]
    fn a_moved_date_begins_with_the_day_it_was_moved_to() {
        let closed = DueAdjustment {
            kind: AdjustmentKind::ClosedDay,
            from: at("2026-11-28T16:00:00Z"),
            to: at("2026-11-27T16:00:00Z"),
            reason: None,
            name: None,
        };
        let e = explained(vec![floating("P1M", "2026-11-28T16:00:00Z")], 0, vec![closed]);
        assert_eq!(
            due_sentence(&e, at("2026-11-25T02:00:00Z"), Language::En),
            "Due 2026-11-28: 1 month after it was last done on 2026-09-01; brought forward from 2026-11-29, when the \
             site is closed."
        );
        assert_eq!(
            due_sentence(&e, at("2026-11-25T02:00:00Z"), Language::Zh),
            "2026-11-28到期：距上次完成（2026-09-01）满1个月；门店2026-11-29不营业，提前到2026-11-28。"
        );
    }

    #[test]
    fn grids_of_common_shape_are_read_out() {
        let said = |cron| (grid_words(cron, Language::En), grid_words(cron, Language::Zh));
        assert_eq!(said("0 9 1 * *"), ("on the 1st of every month".into(), "每月1日".into()));
        assert_eq!(said("0 9 1,15 * *"), ("on the 1st and 15th of every month".into(), "每月1日、15日".into()));
        assert_eq!(
            said("0 9 15 6,12 *"),
            ("on 15 June and 15 December of every year".into(), "每年6月15日、12月15日".into())
        );
        assert_eq!(said("30 2 * * 1,4"), ("every Monday and Thursday".into(), "每周一、四".into()));
        assert_eq!(said("0 9 1-7 * 1").0, "by the fixed grid \"0 9 1-7 * 1\"");
    }
}
