//! What a visit may say, and what each of its lines is about; pure.

use super::error::{Error, FieldPath};
use super::model::{LogLine, LogVisit, NewFailure, PartReplaced, VisitLineOutcome};
use crate::kernel::calendar::{check_instant, stamp};
use crate::kernel::ids::DeviceId;
use crate::kernel::subject::{Subject, SubjectKind};
use crate::kernel::text::{clean_text, mask_card_numbers};
use crate::registry::model::DeviceRef;
use crate::registry::rules::CLOCK_SKEW;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

/// Lines of one visit at most.
pub const MAX_LINES: usize = 200;
/// Orders and plans of one line at most, together.
const MAX_NAMED: usize = 100;
/// Step results of one line at most.
const MAX_STEPS: usize = 200;
/// Characters of findings and notes at most.
const MAX_TEXT: usize = 4_000;
/// Characters of a remark on a step at most.
const MAX_REMARK: usize = 1_000;
/// Characters of a serial number or a maker at most, as the registry keeps them.
const MAX_NAME: usize = 100;
/// Parts replaced on one line at most.
const MAX_PARTS: usize = 50;
/// Characters of a code, a part's serial number or part number at most.
const MAX_CODE: usize = 64;
/// Work further from the trip than this is flagged; clocks of terminals and phones differ.
const OUTSIDE: TimeDelta = TimeDelta::days(1);

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One device.
    Device(DeviceId),
    /// The site itself.
    Site,
    /// A device that is not known, or not by this reference alone.
    Unresolved,
    /// Whatever its orders are for: it names no device and several orders.
    Orders,
}

pub(super) fn path(parts: &[&str]) -> FieldPath {
    parts.iter().map(|p| (*p).to_owned()).collect()
}

pub(super) fn in_line(line: usize, field: &str) -> FieldPath {
    path(&["lines", &line.to_string(), field])
}

/// A field of one entry of a list in a line.
pub(super) fn in_entry(line: usize, list: &str, entry: usize, field: &str) -> FieldPath {
    path(&["lines", &line.to_string(), list, &entry.to_string(), field])
}

/// Trims a free text in place and masks card numbers; says whether there were any.
fn remark(
    text: &mut Option<String>,
    name: &'static str,
    max: usize,
    field: impl FnOnce() -> FieldPath,
) -> Result<bool, Error> {
    *text = text.take().filter(|t| !t.trim().is_empty());
    let Some(given) = text else { return Ok(false) };
    let cleaned = clean_text(given, max).map_err(|problem| Error::Text { field: field(), name, problem })?;
    let (masked, is_masked) = mask_card_numbers(&cleaned);
    *text = Some(masked);
    Ok(is_masked)
}

/// A moment that has passed, as both databases keep it.
fn past(
    at: DateTime<Utc>,
    now: DateTime<Utc>,
    name: &str,
    field: impl FnOnce() -> FieldPath,
) -> Result<DateTime<Utc>, Error> {
    let problem = match check_instant(at) {
        Err(e) => e.to_string(),
        Ok(()) if at > now + CLOCK_SKEW => "lies in the future; log a visit when it has been made".to_owned(),
        Ok(()) => return Ok(stamp(at)),
    };
    Err(Error::Instant { field: field(), problem: format!("{name} {problem}") })
}

/// Checks a visit and cleans its texts and times in place; says of each line whether a card number was
/// masked there (one in the visit's notes counts for the first line).
///
/// # Errors
/// No or too many lines, impossible moments, texts out of bounds.
pub fn clean(visit: &mut LogVisit, now: DateTime<Utc>) -> Result<Vec<bool>, Error> {
    let too_many = |field, what, given, max| Err(Error::TooMany { field, what, given, max });
    match visit.lines.len() {
        0 => return Err(Error::NoLines),
        given if given > MAX_LINES => return too_many(path(&["lines"]), "lines", given, MAX_LINES),
        _ => {}
    }
    visit.started_at = past(visit.started_at, now, "startedAt", || path(&["startedAt"]))?;
    if let Some(ended) = &mut visit.ended_at {
        *ended = past(*ended, now, "endedAt", || path(&["endedAt"]))?;
        if *ended < visit.started_at {
            return Err(Error::Instant {
                field: path(&["endedAt"]),
                problem: "endedAt lies before startedAt; correct one of them".into(),
            });
        }
    }
    let mut masked = vec![false; visit.lines.len()];
    masked[0] = remark(&mut visit.notes, "notes", MAX_TEXT, || path(&["notes"]))?;
    for (place, line) in visit.lines.iter_mut().enumerate() {
        line.performed_at = past(line.performed_at, now, "performedAt", || in_line(place, "performedAt"))?;
        let named = line.work_order_ids.len() + line.plan_ids.len();
        if named > MAX_NAMED {
            return too_many(in_line(place, "workOrderIds"), "orders and plans", named, MAX_NAMED);
        }
        if line.step_results.len() > MAX_STEPS {
            return too_many(in_line(place, "stepResults"), "step results", line.step_results.len(), MAX_STEPS);
        }
        // A technician may name an order twice; the work was still done once.
        line.work_order_ids = in_order(&line.work_order_ids);
        line.plan_ids = in_order(&line.plan_ids);
        if let Some(DeviceRef::Serial { serial_number, manufacturer }) = &mut line.device {
            let name_of = |text: &str, name: &'static str| {
                clean_text(text, MAX_NAME).map_err(|problem| Error::Text { field: in_line(place, name), name, problem })
            };
            *serial_number = name_of(serial_number, "serialNumber")?;
            if let Some(maker) = manufacturer {
                *maker = name_of(maker, "manufacturer")?;
            }
        }
        masked[place] |= remark(&mut line.findings, "findings", MAX_TEXT, || in_line(place, "findings"))?;
        for (entry, step) in line.step_results.iter_mut().enumerate() {
            masked[place] |= remark(&mut step.note, "note", MAX_REMARK, || in_line(place, "stepResults"))?;
            let of_step = |field: &'static str| move || in_entry(place, "stepResults", entry, field);
            masked[place] |= remark(&mut step.text, "text", MAX_REMARK, of_step("text"))?;
            number_of(&mut step.choice, "choice", MAX_CODE, of_step("choice"))?;
            number_of(&mut step.serial, "serial", MAX_NAME, of_step("serial"))?;
        }
        clean_parts(line, place)?;
        if let Some(failure) = &mut line.failure {
            clean_failure(failure, line.performed_at, now, place)?;
        }
    }
    Ok(masked)
}

/// Trims a code or a number in place; an empty one is none.
fn number_of(
    text: &mut Option<String>,
    name: &'static str,
    max: usize,
    field: impl FnOnce() -> FieldPath,
) -> Result<(), Error> {
    *text = text.take().filter(|t| !t.trim().is_empty());
    if let Some(given) = text {
        *given = clean_text(given, max).map_err(|problem| Error::Text { field: field(), name, problem })?;
    }
    Ok(())
}

/// Cleans the parts of a line.
fn clean_parts(line: &mut LogLine, place: usize) -> Result<(), Error> {
    let given = line.parts_replaced.len();
    if given > MAX_PARTS {
        let field = in_line(place, "partsReplaced");
        return Err(Error::TooMany { field, what: "parts", given, max: MAX_PARTS });
    }
    if given > 0 && !matches!(line.outcome, VisitLineOutcome::Done | VisitLineOutcome::PartlyDone) {
        return Err(Error::Invalid {
            field: in_line(place, "partsReplaced"),
            problem: format!("no part is replaced where the work ended with {}; correct one of them", line.outcome),
        });
    }
    for (entry, part) in line.parts_replaced.iter_mut().enumerate() {
        let of_part = |field: &'static str| move || in_entry(place, "partsReplaced", entry, field);
        let PartReplaced { old_serial_number, new_serial_number, part_number, warranty_ends_on, .. } = part;
        number_of(old_serial_number, "oldSerialNumber", MAX_CODE, of_part("oldSerialNumber"))?;
        number_of(new_serial_number, "newSerialNumber", MAX_CODE, of_part("newSerialNumber"))?;
        number_of(part_number, "partNumber", MAX_CODE, of_part("partNumber"))?;
        if let Some(day) = warranty_ends_on {
            check_instant(day.and_time(NaiveTime::MIN).and_utc()).map_err(|e| Error::Instant {
                field: in_entry(place, "partsReplaced", entry, "warrantyEndsOn"),
                problem: format!("warrantyEndsOn {e}"),
            })?;
        }
    }
    Ok(())
}

/// Cleans a failure; its moments follow one another, and it is told by work that came after it.
fn clean_failure(
    failure: &mut NewFailure,
    performed_at: DateTime<Utc>,
    now: DateTime<Utc>,
    place: usize,
) -> Result<(), Error> {
    let of_failure = |field: &str| path(&["lines", &place.to_string(), "failure", field]);
    failure.failure_code = clean_text(&failure.failure_code, MAX_CODE).map_err(|problem| Error::Text {
        field: of_failure("failureCode"),
        name: "failureCode",
        problem,
    })?;
    number_of(&mut failure.cause_code, "causeCode", MAX_CODE, || of_failure("causeCode"))?;
    number_of(&mut failure.remedy_code, "remedyCode", MAX_CODE, || of_failure("remedyCode"))?;
    failure.failed_at = past(failure.failed_at, now, "failedAt", || of_failure("failedAt"))?;
    let wrong = |name: &str, problem: &str| Error::Instant { field: of_failure(name), problem: problem.to_owned() };
    if failure.failed_at > performed_at {
        return Err(wrong("failedAt", "failedAt lies after performedAt of the line; correct one of them"));
    }
    for (moment, name) in [(&mut failure.detected_at, "detectedAt"), (&mut failure.restored_at, "restoredAt")] {
        let Some(at) = moment else { continue };
        *at = past(*at, now, name, || of_failure(name))?;
        if *at < failure.failed_at {
            return Err(wrong(name, &format!("{name} lies before failedAt; correct one of them")));
        }
    }
    if let (Some(detected), Some(restored)) = (failure.detected_at, failure.restored_at)
        && detected > restored
    {
        return Err(wrong("detectedAt", "detectedAt lies after restoredAt; correct one of them"));
    }
    Ok(())
}

/// Without repeats, in the order given.
fn in_order<T: Copy + PartialEq>(given: &[T]) -> Vec<T> {
    let mut kept = Vec::with_capacity(given.len());
    for one in given {
        if !kept.contains(one) {
            kept.push(*one);
        }
    }
    kept
}

/// What a line is about: the device it names, else the one thing its orders are for, else the
/// site.
///
/// `device` is absent when the line names none, and `Some(None)` when it names one that is not
/// known; `ordered` are the subjects of the orders it names.
pub fn target(device: Option<Option<DeviceId>>, ordered: &[Subject]) -> Target {
    match (device, ordered) {
        (Some(Some(device)), _) => Target::Device(device),
        (Some(None), _) => Target::Unresolved,
        (None, []) => Target::Site,
        (None, [first, rest @ ..]) if rest.iter().any(|s| s != first) => Target::Orders,
        (None, [only, ..]) => match only.kind {
            SubjectKind::Device => Target::Device(DeviceId(only.id)),
            SubjectKind::Site => Target::Site,
        },
    }
}

/// Whether work lies more than a day outside the trip it is reported with.
pub fn is_outside(performed_at: DateTime<Utc>, started_at: DateTime<Utc>, ended_at: Option<DateTime<Utc>>) -> bool {
    performed_at < started_at - OUTSIDE || performed_at > ended_at.unwrap_or(started_at) + OUTSIDE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::model::ComponentKind;
    use crate::kernel::code::{Code, Refusal};
    use crate::kernel::ids::{SiteId, TechnicianId};
    use crate::visits::model::StepResult;
    use uuid::Uuid;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn now() -> DateTime<Utc> {
        at("2026-05-04T08:00:00Z")
    }

    fn line() -> LogLine {
        LogLine::new(at("2026-05-04T07:30:00Z"), VisitLineOutcome::Done)
    }

    fn visit(lines: Vec<LogLine>) -> LogVisit {
        LogVisit {
            site_id: SiteId(Uuid::nil()),
            technician_id: TechnicianId(Uuid::nil()),
            started_at: at("2026-05-04T07:00:00Z"),
            ended_at: Some(at("2026-05-04T07:45:00Z")),
            notes: None,
            lines,
        }
    }

    fn refusal(mut visit: LogVisit) -> (Code, Vec<String>) {
        let error = clean(&mut visit, now()).unwrap_err();
        (error.code().unwrap(), error.field())
    }

    #[test]
    fn a_visit_is_refused_only_for_what_cannot_be() {
        assert_eq!(refusal(visit(vec![])).0, Code::Required);
        assert_eq!(refusal(visit(vec![line(); MAX_LINES + 1])).0, Code::TooMany);
        let late = LogLine { performed_at: at("2026-05-04T08:11:00Z"), ..line() };
        assert_eq!(
            refusal(visit(vec![line(), late])),
            (Code::InvalidInstant, path(&["input", "lines", "1", "performedAt"]))
        );
        let backwards = LogVisit { ended_at: Some(at("2026-05-04T06:59:00Z")), ..visit(vec![line()]) };
        assert_eq!(refusal(backwards).0, Code::InvalidInstant);
        let long = LogLine { findings: Some("长".repeat(MAX_TEXT + 1)), ..line() };
        assert_eq!(refusal(visit(vec![long])).0, Code::TooLong);
        let skewed = LogLine { performed_at: at("2026-05-04T08:09:00Z"), ..line() };
        assert!(clean(&mut visit(vec![skewed]), now()).is_ok());
    }

    #[test]
    fn a_failure_is_restored_and_noticed_after_it_failed() {
        let failed_at = at("2026-05-04T06:00:00Z");
        let failure = NewFailure {
            failure_code: " CRD-MSR-01 ".into(),
            cause_code: Some(" ".into()),
            remedy_code: None,
            origin: None,
            failed_at,
            detected_at: None,
            restored_at: Some(failed_at),
        };
        let with = |failure: NewFailure| visit(vec![LogLine { failure: Some(failure), ..line() }]);
        let mut good = with(failure.clone());
        assert!(clean(&mut good, now()).is_ok(), "restored at once");
        let kept = good.lines[0].failure.as_ref().unwrap();
        assert_eq!((kept.failure_code.as_str(), &kept.cause_code), ("CRD-MSR-01", &None));
        let before = Some(at("2026-05-04T05:59:59Z"));
        for (wrong, field) in [
            (NewFailure { restored_at: before, ..failure.clone() }, "restoredAt"),
            (NewFailure { detected_at: before, ..failure.clone() }, "detectedAt"),
            (NewFailure { detected_at: Some(at("2026-05-04T06:00:01Z")), ..failure.clone() }, "detectedAt"),
            (NewFailure { failed_at: at("2026-05-04T07:30:01Z"), restored_at: None, ..failure.clone() }, "failedAt"),
            (NewFailure { failed_at: at("2026-05-04T09:00:00Z"), restored_at: None, ..failure }, "failedAt"),
        ] {
            let expected = (Code::InvalidInstant, path(&["input", "lines", "0", "failure", field]));
            assert_eq!(refusal(with(wrong)), expected);
        }
    }

    #[test]
    fn parts_are_replaced_where_work_was_done() {
        let part = PartReplaced {
            component_kind: ComponentKind::Battery,
            old_serial_number: Some(" ".into()),
            new_serial_number: Some(" B-2 ".into()),
            warranty_ends_on: None,
            part_number: None,
        };
        let with = |outcome, parts| visit(vec![LogLine { outcome, parts_replaced: parts, ..line() }]);
        let mut good = with(VisitLineOutcome::PartlyDone, vec![part.clone()]);
        assert!(clean(&mut good, now()).is_ok());
        let kept = &good.lines[0].parts_replaced[0];
        assert_eq!((&kept.old_serial_number, kept.new_serial_number.as_deref()), (&None, Some("B-2")));
        assert_eq!(refusal(with(VisitLineOutcome::NoAccess, vec![part.clone()])).0, Code::Invalid);
        assert_eq!(refusal(with(VisitLineOutcome::Done, vec![part; MAX_PARTS + 1])).0, Code::TooMany);
    }

    #[test]
    fn card_numbers_are_masked_wherever_people_write() {
        let step = StepResult {
            note: Some("4111111111111111".into()),
            text: Some("of 4111111111111111".into()),
            ..StepResult::plain(1, true)
        };
        let mut visit = visit(vec![
            line(),
            LogLine { findings: Some(" slip of 4111 1111 1111 1111 left in printer ".into()), ..line() },
            LogLine { step_results: vec![step], ..line() },
        ]);
        assert_eq!(clean(&mut visit, now()).unwrap(), vec![false, true, true]);
        assert_eq!(visit.lines[1].findings.as_deref(), Some("slip of **** **** **** 1111 left in printer"));
        let masked = &visit.lines[2].step_results[0];
        assert_eq!(masked.note.as_deref(), Some("************1111"));
        assert_eq!(masked.text.as_deref(), Some("of ************1111"));
        visit.notes = Some("5500005555555559".into());
        assert!(clean(&mut visit, now()).unwrap()[0]);
    }

    #[test]
    fn a_line_is_about_the_device_it_names_or_the_one_its_orders_are_for() {
        let device = |n| Subject { kind: SubjectKind::Device, id: Uuid::from_u128(n) };
        let site = Subject { kind: SubjectKind::Site, id: Uuid::from_u128(9) };
        let one = DeviceId(Uuid::from_u128(1));
        assert_eq!(target(Some(Some(one)), &[device(2)]), Target::Device(one));
        assert_eq!(target(Some(None), &[device(1)]), Target::Unresolved);
        assert_eq!(target(None, &[]), Target::Site);
        assert_eq!(target(None, &[site]), Target::Site);
        assert_eq!(target(None, &[device(1), device(1)]), Target::Device(one));
        assert_eq!(target(None, &[device(1), device(2)]), Target::Orders);
        assert_eq!(target(None, &[device(1), site]), Target::Orders);
    }

    #[test]
    fn work_a_day_from_the_trip_is_flagged_and_an_hour_from_it_is_not() {
        let (start, end) = (at("2026-05-04T07:00:00Z"), Some(at("2026-05-04T07:45:00Z")));
        assert!(!is_outside(at("2026-05-04T05:50:00Z"), start, end));
        assert!(is_outside(at("2026-05-03T06:59:00Z"), start, end));
        assert!(is_outside(at("2026-05-05T07:46:00Z"), start, end));
    }
}
