//! The device file in GraphQL: events, their words, and whether the chain is intact.

use crate::graphql::connection::{connection, cursor};
use crate::graphql::context::Cx;
use crate::graphql::enums::{HistoryEventKind, Language};
use crate::graphql::scalars::int;
use crate::kernel::text;
use crate::registry::file::{self, EventKind};
use async_graphql::{ComplexObject, Context, ID, Json, SimpleObject};
use chrono::{DateTime, Utc};

/// What a walk along a device file found.
#[derive(SimpleObject, Clone)]
pub struct HistoryIntegrity {
    /// Nothing was changed, removed, swapped or replaced.
    pub is_intact: bool,
    /// Events found.
    pub event_count: i32,
    /// SHA-256 of the last event, hex; empty for an empty file.
    pub head_hash: String,
    /// Sequence of the first event that is not what was written; null when intact.
    pub first_bad_sequence: Option<i32>,
    /// What is wrong with it; null when intact.
    pub problem: Option<String>,
}

impl From<file::Integrity> for HistoryIntegrity {
    fn from(found: file::Integrity) -> Self {
        Self {
            is_intact: found.is_intact,
            event_count: int(found.event_count),
            head_hash: found.head_hash,
            first_bad_sequence: found.first_bad_sequence.map(int),
            problem: found.problem,
        }
    }
}

/// One event of a device file; the file is append-only, corrections are events of their own.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub struct HistoryEvent {
    /// Opaque id.
    pub id: ID,
    /// Place in the file, from 1, without gaps.
    pub sequence: i32,
    /// What happened.
    pub kind: HistoryEventKind,
    /// When it happened, device time.
    pub occurred_at: DateTime<Utc>,
    /// When the server took it in.
    pub recorded_at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// Id of the request it came with.
    pub request_id: String,
    /// The facts, as the kind has them.
    pub payload: Json<serde_json::Value>,
    /// Sequence of the event it corrects; null for all others.
    pub corrects: Option<i32>,
    /// SHA-256 of the event's canonical text, hex.
    pub hash: String,
    /// Hash of the event before; empty for the first.
    pub previous_hash: String,
}

#[ComplexObject]
impl HistoryEvent {
    /// One line a planner can read out.
    async fn summary(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "English or Chinese; the request's language unless stated.")] language: Option<Language>,
    ) -> String {
        words(self.kind.into(), &self.payload.0, language.map_or(Cx::of(ctx).language, Into::into))
    }
}

impl From<file::Event> for HistoryEvent {
    fn from(event: file::Event) -> Self {
        Self {
            id: cursor("HistoryEvent", &[event.device.0.to_string(), event.sequence.to_string()]).into(),
            sequence: int(event.sequence),
            kind: event.kind.into(),
            occurred_at: event.occurred_at,
            recorded_at: event.recorded_at,
            actor: event.actor,
            request_id: event.request_id,
            payload: Json(event.payload),
            corrects: event.corrects.map(int),
            hash: event.hash,
            previous_hash: event.previous_hash,
        }
    }
}

connection!(HistoryEventConnection, HistoryEventEdge, HistoryEvent, "events");

/// The facts of a payload as words; what is absent leaves nothing behind.
struct Facts<'a> {
    payload: &'a serde_json::Value,
    language: text::Language,
}

impl Facts<'_> {
    fn get(&self, key: &str) -> &str {
        self.payload.get(key).and_then(serde_json::Value::as_str).unwrap_or_default()
    }

    /// Whether a fact is there.
    fn has(&self, key: &str) -> bool {
        self.payload.get(key).is_some_and(|v| !v.is_null())
    }

    /// A number.
    fn number(&self, key: &str) -> i64 {
        self.payload.get(key).and_then(serde_json::Value::as_i64).unwrap_or_default()
    }

    /// A code as words.
    fn code(&self, key: &str) -> String {
        let code = self.get(key);
        match self.language {
            text::Language::En => code.replace('_', " ").to_lowercase(),
            text::Language::Zh => chinese(code).map_or_else(|| code.to_owned(), str::to_owned),
        }
    }

    /// A code as words at the begin of a line.
    fn capital(&self, key: &str) -> String {
        let words = self.code(key);
        let mut chars = words.chars();
        match chars.next() {
            Some(first) => first.to_uppercase().chain(chars).collect(),
            None => "Part".to_owned(),
        }
    }

    /// A civil day, `on`; where only the instant is known, its UTC day.
    fn day(&self, on: &str, at: &str) -> &str {
        match self.get(on) {
            "" => self.get(at).get(..10).unwrap_or_default(),
            day => day,
        }
    }

    /// Which way an entry of the log was corrected: it is void, it counts again, or nobody says.
    fn is_void(&self) -> Option<bool> {
        self.payload.get("isVoid").and_then(serde_json::Value::as_bool)
    }

    /// A fact behind words, where there is one.
    fn tail(&self, before: &str, key: &str) -> String {
        match self.get(key) {
            "" => String::new(),
            fact => format!("{before}{fact}"),
        }
    }
}

/// Codes that occur in payloads, in Chinese.
fn chinese(code: &str) -> Option<&'static str> {
    Some(match code {
        "ORDERED" => "已订购",
        "IN_STOCK" => "在库",
        "READY" => "待安装",
        "IN_TRANSIT" => "在途",
        "INSTALLED" => "已安装",
        "IN_SERVICE" => "使用中",
        "SUSPENDED" => "暂停使用",
        "QUARANTINED" => "隔离",
        "IN_REPAIR" => "维修中",
        "RETIRED" => "已退役",
        "DESTROYED" => "已销毁",
        "LOST" => "已丢失",
        "PLANNED" => "待排期",
        "SCHEDULED" => "已排期",
        "DISPATCHED" => "已派单",
        "IN_PROGRESS" => "进行中",
        "ON_HOLD" => "挂起",
        "COMPLETED" => "已完成",
        "SKIPPED" => "已跳过",
        "CANCELLED" => "已取消",
        "DONE" => "已完成",
        "PARTLY_DONE" => "部分完成",
        "NO_ACCESS" => "无法进入",
        "REFUSED" => "商户拒绝",
        "DEVICE_NOT_FOUND" => "未找到设备",
        "SITE_CLOSED" => "门店关闭",
        "FIRMWARE" => "固件",
        "OS" => "操作系统",
        "PAYMENT_APP" => "支付应用",
        "PARAMETERS" => "参数",
        "KERNEL" => "内核",
        "CERTIFICATE" => "证书",
        "ROLLOVER" => "计数翻转",
        "RESET" => "计数清零",
        "TOO_FAST" => "增长过快",
        "FUTURE" => "时间在未来",
        "TOO_OLD" => "时间过早",
        "POWER_MODULE" => "电源模块",
        "DISPLAY" => "显示屏",
        "MAGSTRIPE_READER" => "磁条读卡器",
        "CHIP_READER" => "芯片读卡器",
        "CONTACTLESS_READER" => "非接读卡器",
        "CAMERA" => "摄像头",
        "PRINTER" => "打印机",
        "KEYPAD" => "键盘",
        "BATTERY" => "电池",
        "COIN_CELL" => "纽扣电池",
        "COMMS_MODULE" => "通信模块",
        "SIM" => "SIM卡",
        "SAM" => "安全模块",
        "SPEAKER" => "扬声器",
        "BASE" => "底座",
        _ => return None,
    })
}

/// An event as one line.
fn words(kind: EventKind, payload: &serde_json::Value, language: text::Language) -> String {
    let f = Facts { payload, language };
    match language {
        text::Language::En => english_line(kind, &f),
        text::Language::Zh => chinese_line(kind, &f),
    }
}

fn english_line(kind: EventKind, f: &Facts<'_>) -> String {
    match kind {
        EventKind::DeviceRegistered => format!("Registered as {} {}", f.get("manufacturer"), f.get("serialNumber")),
        EventKind::DeviceUpdated => "Asset tag or external ids changed".to_owned(),
        EventKind::StatusChanged => {
            format!("Status changed from {} to {}{}", f.code("from"), f.code("status"), f.tail(": ", "reason"))
        }
        EventKind::Installed => format!("Installed{}", f.tail(" at terminal number ", "terminalNumber")),
        EventKind::Removed => format!("Removed, now {}{}", f.code("status"), f.tail(": ", "reason")),
        EventKind::Relocated => format!("Moved{}", f.tail(" to terminal number ", "terminalNumber")),
        EventKind::SwappedOut => format!("Swapped out, now {}{}", f.code("status"), f.tail(": ", "reason")),
        EventKind::SwappedIn => format!("Swapped in{}", f.tail(" at terminal number ", "terminalNumber")),
        EventKind::ComponentInstalled => format!("Part put in: {}", f.code("kind")),
        EventKind::ComponentRemoved => format!("Part taken out: {}", f.code("kind")),
        EventKind::SoftwareReported => format!("Reported {} {}", f.code("kind"), f.get("version")),
        EventKind::MeterAnomaly => format!("{}: {}", f.get("meter"), f.code("anomaly")),
        EventKind::ReadingReinterpreted => format!(
            "{}: what was taken for {} is {}, as a late reading shows",
            f.get("meter"),
            f.code("was"),
            f.code("is")
        ),
        EventKind::ReadingsMoved => {
            let way = if f.has("toDevice") { "to the device that came" } else { "from the device that left" };
            format!("{}: {} readings moved {way}, as the swap was told late", f.get("meter"), f.number("readings"))
        }
        EventKind::WorkOrderIssued => format!("Order {} issued, due {}", f.get("number"), f.day("dueOn", "dueAt")),
        EventKind::WorkOrderMoved => {
            let (from, to) = (f.day("fromOn", "from"), f.day("toOn", "to"));
            format!("Order {} moved from {from} to {to}", f.get("number"))
        }
        EventKind::WorkOrderStateChanged => format!(
            "Order {} went from {} to {}{}",
            f.get("number"),
            f.code("from"),
            f.code("to"),
            f.tail(": ", "reason")
        ),
        EventKind::WorkOrderCompleted => format!("Order {} completed", f.get("number")),
        EventKind::WorkOrderWithdrawn => format!("Order {} withdrawn{}", f.get("number"), f.tail(": ", "reason")),
        EventKind::OccurrenceSkipped => format!("Occurrence skipped{}", f.tail(": ", "reason")),
        EventKind::OccurrencePostponed => {
            format!("Occurrence postponed to {}{}", f.day("toOn", "to"), f.tail(": ", "reason"))
        }
        EventKind::OccurrenceMissed => format!("The slot of {} was missed", f.day("slotOn", "slot")),
        EventKind::OccurrenceMissedCorrected => match f.is_void() {
            Some(true) => "A slot thought missed was not",
            Some(false) => "A slot counts as missed again",
            None => "Whether a slot was missed was corrected",
        }
        .to_owned(),
        EventKind::OccurrenceVoided => match f.is_void() {
            Some(true) => "A skip or postponement no longer applies",
            Some(false) => "A skip or postponement applies again",
            None => "Whether a skip or postponement applies was corrected",
        }
        .to_owned(),
        EventKind::VisitLogged => format!("Visit {} logged: {}", f.get("number"), f.code("outcome")),
        EventKind::ComponentReplaced if f.has("toDevice") => {
            format!("Part{} ({}) is in another device now", f.tail(" ", "serialNumber"), f.code("component"))
        }
        EventKind::ComponentReplaced => format!(
            "{} replaced{}{}",
            f.capital("component"),
            f.tail(", out: ", "oldSerialNumber"),
            f.tail(", in: ", "newSerialNumber")
        ),
        EventKind::FailureReported => format!(
            "Failure {}{}{}",
            f.get("failureCode"),
            f.tail(", cause ", "causeCode"),
            f.tail(", remedy ", "remedyCode")
        ),
        EventKind::InspectionPassed => "Passed the inspection before service".to_owned(),
        EventKind::InspectionFailed => "Failed the inspection before service".to_owned(),
    }
}

fn chinese_line(kind: EventKind, f: &Facts<'_>) -> String {
    match kind {
        EventKind::DeviceRegistered => format!("登记设备{} {}", f.get("manufacturer"), f.get("serialNumber")),
        EventKind::DeviceUpdated => "资产标签或外部编号变更".to_owned(),
        EventKind::StatusChanged => {
            format!("状态由{}变为{}{}", f.code("from"), f.code("status"), f.tail("：", "reason"))
        }
        EventKind::Installed => format!("安装{}", f.tail("，终端号", "terminalNumber")),
        EventKind::Removed => format!("拆除，现为{}{}", f.code("status"), f.tail("：", "reason")),
        EventKind::Relocated => format!("移机{}", f.tail("，终端号", "terminalNumber")),
        EventKind::SwappedOut => format!("换出，现为{}{}", f.code("status"), f.tail("：", "reason")),
        EventKind::SwappedIn => format!("换入{}", f.tail("，终端号", "terminalNumber")),
        EventKind::ComponentInstalled => format!("装入部件：{}", f.get("kind")),
        EventKind::ComponentRemoved => format!("取出部件：{}", f.get("kind")),
        EventKind::SoftwareReported => format!("上报{}版本{}", f.code("kind"), f.get("version")),
        EventKind::MeterAnomaly => format!("{}：{}", f.get("meter"), f.code("anomaly")),
        EventKind::ReadingReinterpreted => {
            format!("{}：迟到的读数表明，原判断“{}”应为“{}”", f.get("meter"), f.code("was"), f.code("is"))
        }
        EventKind::ReadingsMoved => {
            let way = if f.has("toDevice") { "移交给换上的设备" } else { "自换下的设备转来" };
            format!("{}：换机补登，{}条读数{way}", f.get("meter"), f.number("readings"))
        }
        EventKind::WorkOrderIssued => format!("签发工单{}，到期日{}", f.get("number"), f.day("dueOn", "dueAt")),
        EventKind::WorkOrderMoved => {
            format!("工单{}由{}改至{}", f.get("number"), f.day("fromOn", "from"), f.day("toOn", "to"))
        }
        EventKind::WorkOrderStateChanged => {
            format!("工单{}由{}变为{}{}", f.get("number"), f.code("from"), f.code("to"), f.tail("：", "reason"))
        }
        EventKind::WorkOrderCompleted => format!("工单{}完成", f.get("number")),
        EventKind::WorkOrderWithdrawn => format!("撤回工单{}{}", f.get("number"), f.tail("：", "reason")),
        EventKind::OccurrenceSkipped => format!("跳过一次{}", f.tail("：", "reason")),
        EventKind::OccurrencePostponed => {
            format!("推迟至{}{}", f.day("toOn", "to"), f.tail("：", "reason"))
        }
        EventKind::OccurrenceMissed => format!("错过{}的一次", f.day("slotOn", "slot")),
        EventKind::OccurrenceMissedCorrected => match f.is_void() {
            Some(true) => "原记为错过的一次并未错过",
            Some(false) => "一次重新计为错过",
            None => "更正了一次是否错过",
        }
        .to_owned(),
        EventKind::OccurrenceVoided => match f.is_void() {
            Some(true) => "一次跳过或推迟不再适用",
            Some(false) => "一次跳过或推迟重新适用",
            None => "更正了一次跳过或推迟是否适用",
        }
        .to_owned(),
        EventKind::VisitLogged => format!("登记上门{}：{}", f.get("number"), f.code("outcome")),
        EventKind::ComponentReplaced if f.has("toDevice") => {
            format!("部件{}（{}）已装入另一台设备", f.get("serialNumber"), f.code("component"))
        }
        EventKind::ComponentReplaced => format!(
            "更换{}{}{}",
            f.code("component"),
            f.tail("，换下", "oldSerialNumber"),
            f.tail("，换上", "newSerialNumber")
        ),
        EventKind::FailureReported => format!(
            "登记故障{}{}{}",
            f.get("failureCode"),
            f.tail("，原因", "causeCode"),
            f.tail("，处理", "remedyCode")
        ),
        EventKind::InspectionPassed => "上线前检查通过".to_owned(),
        EventKind::InspectionFailed => "上线前检查未通过".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_has_a_line_in_both_languages_even_without_facts() {
        for kind in EventKind::ALL {
            for language in [text::Language::En, text::Language::Zh] {
                assert!(!words(*kind, &json!({}), language).is_empty(), "{kind}");
            }
        }
    }

    #[test]
    fn a_line_names_what_happened() {
        let payload = json!({"number": "WO-2026-000007", "from": "PLANNED", "to": "ON_HOLD", "reason": "shop closed"});
        let kind = EventKind::WorkOrderStateChanged;
        assert_eq!(
            words(kind, &payload, text::Language::En),
            "Order WO-2026-000007 went from planned to on hold: shop closed"
        );
        assert_eq!(words(kind, &payload, text::Language::Zh), "工单WO-2026-000007由待排期变为挂起：shop closed");
    }

    #[test]
    fn a_day_is_the_sites_where_it_is_told() {
        let kind = EventKind::OccurrenceMissed;
        let utc = json!({"slot": "2026-11-23T16:00:00Z"});
        assert_eq!(words(kind, &utc, text::Language::En), "The slot of 2026-11-23 was missed");
        let civil = json!({"slot": "2026-11-23T16:00:00Z", "slotOn": "2026-11-24"});
        assert_eq!(words(kind, &civil, text::Language::En), "The slot of 2026-11-24 was missed");
    }

    #[test]
    fn a_correction_says_which_way_it_went() {
        let line = |kind, is_void: bool| words(kind, &json!({"isVoid": is_void}), text::Language::En);
        assert_eq!(line(EventKind::OccurrenceVoided, true), "A skip or postponement no longer applies");
        assert_eq!(line(EventKind::OccurrenceVoided, false), "A skip or postponement applies again");
        assert_eq!(line(EventKind::OccurrenceMissedCorrected, true), "A slot thought missed was not");
        assert_eq!(line(EventKind::OccurrenceMissedCorrected, false), "A slot counts as missed again");
    }
}
