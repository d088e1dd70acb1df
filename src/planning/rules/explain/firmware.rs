//! Versions, quiet hours and gates in words.

use super::calendar::and;
use crate::firmware::model::{Gate, QuietBasis};
use crate::kernel::text::Language;
use crate::planning::model::{FirmwareBasis, GateWait};
use chrono_tz::Tz;

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
pub(super) fn firmware_words(basis: Option<&FirmwareBasis>, zone: Tz, language: Language) -> String {
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
