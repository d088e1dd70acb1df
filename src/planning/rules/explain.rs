//! Turns stored reasons into a sentence a planner can read out, in English or Chinese.

mod calendar;
mod firmware;
mod usage;

pub use usage::shown_units;

use self::calendar::{grid_words, period_words};
use self::firmware::firmware_words;
use self::usage::usage_facts;
use super::condition::{clause_words, hold_words};
use crate::kernel::calendar::local_date;
use crate::kernel::text::Language;
use crate::planning::condition::{ClauseReading, Condition};
use crate::planning::model::{
    AdjustmentKind, AnchorKind, ConditionBasis, CoverNote, DueAdjustment, DueCandidate, Explanation, Trigger,
    TriggerEvent,
};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// What the period counts from, as an aside.
fn since(explanation: &Explanation, zone: Tz, language: Language) -> String {
    let date = local_date(zone, explanation.anchor.at);
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
        let since = basis.and_then(|b| b.since).map(|at| local_date(zone, at));
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

/// What happened, and when.
fn event_words(event: TriggerEvent, at: Option<DateTime<Utc>>, zone: Tz, language: Language) -> String {
    let Some(on) = at.map(|at| local_date(zone, at)) else {
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
    let from = local_date(zone, explanation.anchor.at);
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
            return match (candidate.due_at.map(|at| local_date(zone, at)), language) {
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
    match (candidate.due_at.map(|at| local_date(zone, at)), language) {
        (Some(date), Language::En) => format!("{label} it would be {date}"),
        (Some(date), Language::Zh) => format!("{label}为{date}"),
        (None, Language::En) => format!("{label} no date is in sight"),
        (None, Language::Zh) => format!("{label}暂无日期"),
    }
}

/// Why the date was moved.
fn moved(adjustment: &DueAdjustment, zone: Tz, language: Language) -> String {
    let (from, to) = (local_date(zone, adjustment.from), local_date(zone, adjustment.to));
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
    let (name, on) = (note.plan.get(language), local_date(zone, note.due_at));
    match language {
        Language::En => format!("not ordered by itself: {name}, due {on}, does it too"),
        Language::Zh => format!("不单独派单：由{on}到期的“{name}”一并完成"),
    }
}

/// Smaller work that this one does too.
fn covers(note: &CoverNote, zone: Tz, language: Language) -> String {
    let (name, on) = (note.plan.get(language), local_date(zone, note.due_at));
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
    let today = local_date(zone, now);
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
            let due = local_date(zone, last.map_or(nominal, |a| a.to));
            let core = core(candidate, local_date(zone, nominal), explanation, today, language);
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
    use crate::planning::model::{Anchor, RateParts, UsageBasis};
    use crate::usage::model::{RateSource, SeasonSource, Way};

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
    fn a_rate_says_what_made_it_and_a_borrowed_one_claims_no_past() {
        let way = Way { per_day: 55.0, level: 50.0, season: 1.1, holidays: 1.0, closure: 1.0 };
        let parts =
            RateParts { recent_per_day: Some(40.0), level: 50.0, way, season: SeasonSource::Device, closed: None };
        let said = |source: RateSource, language: Language| {
            let mut candidate = usage(1_950, None, "2026-06-22T16:00:00Z");
            if let Some(basis) = &mut candidate.basis {
                (basis.source, basis.parts) = (source, Some(parts.clone()));
            }
            due_sentence(&explained(vec![candidate], 0, vec![]), at("2026-06-04T01:00:00Z"), language)
        };
        let own = said(RateSource::Device, Language::En);
        assert!(own.contains("in the last four weeks, 25 % more by its longer past, 10 % more by season"), "{own}");
        assert!(said(RateSource::Device, Language::Zh).contains("长期走势+25%，季节+10%"));
        let young = said(RateSource::Model, Language::En);
        assert!(young.contains("partly the rate of its model") && !young.contains("longer past"), "{young}");
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
