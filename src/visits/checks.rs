//! What the answers on a line come to, and whether a failure is one of the lists; pure.

use super::error::Error;
use super::model::{FailureReport, NewFailure, StepResult, VisitLineOutcome};
use super::rules::{in_entry, in_line, path};
use crate::catalogue::model::{FailureLists, Meter};
use crate::kernel::ids::DeviceId;
use crate::kernel::subject::SubjectKind;
use crate::planning::model::{MaintenanceKind, StepAnswer, StepKind, TaskList, TaskStep};
use crate::planning::rules::{Review, Verdict, check_answer, review, verdict};
use chrono::{DateTime, Utc};

/// A meter that was read with a step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReading {
    /// The device.
    pub device_id: Option<DeviceId>,
    /// Meter code.
    pub meter: String,
    /// In the meter's unit.
    pub value: f64,
}

/// What the answers of a line come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answered {
    /// List by list.
    pub reviews: Vec<Review>,
    /// Meters read.
    pub readings: Vec<StepReading>,
}

/// Which list an answer belongs to: the one it names, else the line's first that has steps.
fn list_of(result: &StepResult, lists: &[TaskList]) -> Option<usize> {
    match (result.work_order_id, result.plan_id) {
        (Some(order), _) => lists.iter().position(|l| l.work_order_id == Some(order)),
        (None, Some(plan)) => lists.iter().position(|l| l.plan_id == Some(plan)),
        (None, None) => lists.iter().position(|l| !l.steps.is_empty()),
    }
}

fn step_of(result: &StepResult, list: Option<&TaskList>) -> Option<TaskStep> {
    let place = usize::try_from(result.step).ok()?.checked_sub(1)?;
    list?.steps.get(place).cloned()
}

/// The device a list is for.
pub fn device_of(list: &TaskList) -> Option<DeviceId> {
    (list.subject.kind == SubjectKind::Device).then_some(DeviceId(list.subject.id))
}

/// Checks the answers of a line against its lists and marks those that failed; `serial` says the
/// serial number of a device.
///
/// # Errors
/// The first answer that cannot be, with its place.
pub fn answers<'a>(
    line: usize,
    results: &mut [StepResult],
    lists: &[TaskList],
    meters: &[Meter],
    serial: impl Fn(DeviceId) -> Option<&'a str>,
) -> Result<Answered, Error> {
    let mut by_list: Vec<Vec<StepAnswer>> = vec![Vec::new(); lists.len()];
    let mut readings = Vec::new();
    for (entry, result) in results.iter_mut().enumerate() {
        let place = list_of(result, lists);
        let list = place.and_then(|p| lists.get(p));
        let step = step_of(result, list);
        let answer = result.answer();
        check_answer(step.as_ref(), &answer, meters).map_err(|problem| Error::Answer {
            field: in_entry(line, "stepResults", entry, problem.field()),
            problem,
        })?;
        let device = list.and_then(device_of);
        if let Some(step) = &step {
            result.has_failed = verdict(step, Some(&answer), device.and_then(&serial)) == Verdict::Failed;
            if let (StepKind::MeterReading, Some(meter), Some(value), true) =
                (step.kind, &step.meter, answer.number, answer.is_done)
            {
                readings.push(StepReading { device_id: device, meter: meter.clone(), value });
            }
        }
        if let Some(of_list) = place.and_then(|p| by_list.get_mut(p)) {
            of_list.push(answer);
        }
    }
    let reviews = lists
        .iter()
        .zip(&by_list)
        .map(|(list, answers)| review(&list.steps, answers, device_of(list).and_then(&serial)))
        .collect();
    Ok(Answered { reviews, readings })
}

/// What a done line says of an inspection before service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// Everything a plan requires was answered and passed.
    Passed,
    /// Nothing required failed or was left out, but no plan that is in force required anything.
    Nothing,
    /// A required step failed or was not answered: it was not done.
    Failed,
}

/// What a list with these answers is as an inspection of a device before service; none when it is
/// no such list.
pub fn inspection(list: &TaskList, review: &Review) -> Option<Inspection> {
    if list.kind != MaintenanceKind::PreInstallation || device_of(list).is_none() {
        return None;
    }
    let requires_anything = list.is_of_plan && list.steps.iter().any(|s| s.is_required);
    Some(match review.is_passed {
        true if requires_anything => Inspection::Passed,
        true => Inspection::Nothing,
        false => Inspection::Failed,
    })
}

/// Whether a line has to say what had failed: it completes a repair of a device.
pub fn needs_failure(outcome: VisitLineOutcome, lists: &[TaskList]) -> bool {
    let is_repair = |l: &TaskList| l.kind == MaintenanceKind::Corrective && l.is_open && device_of(l).is_some();
    outcome == VisitLineOutcome::Done && lists.iter().any(is_repair)
}

/// A failure as it is kept: of the closed lists, under the order it was repaired by. A cause that is
/// unusual for its code is believed; a repair that is done and does not say since when the device
/// works again was done when the work was.
///
/// # Errors
/// A code, cause or remedy the lists have not; a repair that does not say all of it.
pub fn failure(
    line: usize,
    given: Option<&NewFailure>,
    (outcome, performed_at): (VisitLineOutcome, DateTime<Utc>),
    lists: &[TaskList],
    known: &FailureLists,
) -> Result<Option<FailureReport>, Error> {
    let of_failure = |field: &str| path(&["lines", &line.to_string(), "failure", field]);
    // Who has no lists cannot choose from them.
    let is_repair = needs_failure(outcome, lists);
    let is_required = is_repair && !known.codes.is_empty();
    let Some(given) = given else {
        return match is_required {
            true => Err(Error::FailureRequired {
                field: in_line(line, "failure"),
                missing: "failure, with failureCode, causeCode, remedyCode and failedAt",
            }),
            false => Ok(None),
        };
    };
    let unknown = |field: &str, what: &'static str, code: &str| Error::UnknownFailureCode {
        field: of_failure(field),
        what,
        given: code.to_owned(),
    };
    let Some(code) = known.codes.iter().find(|c| c.code == given.failure_code) else {
        return Err(unknown("failureCode", "failure mode", &given.failure_code));
    };
    match &given.cause_code {
        Some(cause) if !known.causes.iter().any(|c| c.code == *cause) => {
            return Err(unknown("causeCode", "cause", cause));
        }
        None if is_required => {
            return Err(Error::FailureRequired { field: of_failure("causeCode"), missing: "causeCode" });
        }
        _ => {}
    }
    match &given.remedy_code {
        Some(remedy) if !known.remedies.iter().any(|r| r.code == *remedy) => {
            return Err(unknown("remedyCode", "remedy", remedy));
        }
        None if is_required => {
            return Err(Error::FailureRequired { field: of_failure("remedyCode"), missing: "remedyCode" });
        }
        _ => {}
    }
    let repaired_at = performed_at.max(given.failed_at).max(given.detected_at.unwrap_or(performed_at));
    let repaired_by = lists.iter().find(|l| l.kind == MaintenanceKind::Corrective && l.work_order_id.is_some());
    Ok(Some(FailureReport {
        failure_code: given.failure_code.clone(),
        cause_code: given.cause_code.clone(),
        remedy_code: given.remedy_code.clone(),
        origin: given.origin.unwrap_or(code.origin),
        failed_at: given.failed_at,
        detected_at: given.detected_at,
        restored_at: given.restored_at.or(is_repair.then_some(repaired_at)),
        work_order_id: repaired_by.and_then(|l| l.work_order_id),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::code::{Code, Refusal};
    use crate::kernel::ids::{PlanId, WorkOrderId};
    use crate::kernel::subject::Subject;
    use crate::kernel::text::LocalizedText;
    use uuid::Uuid;

    const DEVICE: Uuid = Uuid::from_u128(1);

    fn step(kind: StepKind) -> TaskStep {
        TaskStep { kind, ..TaskStep::plain(LocalizedText::default(), true) }
    }

    fn list(n: u128, kind: MaintenanceKind, steps: Vec<TaskStep>) -> TaskList {
        TaskList {
            work_order_id: Some(WorkOrderId(Uuid::from_u128(n))),
            plan_id: Some(PlanId(Uuid::from_u128(n))),
            kind,
            subject: Subject { kind: SubjectKind::Device, id: DEVICE },
            is_open: true,
            is_of_plan: true,
            steps,
        }
    }

    fn passed(step: u32, passed: bool) -> StepResult {
        StepResult { passed: Some(passed), ..StepResult::plain(step, true) }
    }

    #[test]
    fn an_answer_belongs_to_the_list_it_names_else_to_the_first_with_steps() {
        let lists = [
            list(1, MaintenanceKind::Corrective, vec![]),
            list(2, MaintenanceKind::Cleaning, vec![step(StepKind::PassFail)]),
            list(3, MaintenanceKind::PowerCheck, vec![step(StepKind::PassFail)]),
        ];
        let mut results =
            [passed(1, true), StepResult { plan_id: Some(PlanId(Uuid::from_u128(3))), ..passed(1, false) }];
        let answered = answers(0, &mut results, &lists, &[], |_| None).unwrap();
        let is_passed: Vec<bool> = answered.reviews.iter().map(|r| r.is_passed).collect();
        assert_eq!(is_passed, [true, true, false]);
        assert_eq!(results.map(|r| r.has_failed), [false, true]);
    }

    #[test]
    fn an_answer_that_cannot_be_is_named_by_its_place() {
        let lists = [list(1, MaintenanceKind::Cleaning, vec![step(StepKind::PassFail), step(StepKind::Number)])];
        let wrong = StepResult { text: Some("five".into()), ..StepResult::plain(2, true) };
        let error = answers(3, &mut [passed(1, true), wrong], &lists, &[], |_| None).unwrap_err();
        assert_eq!(error.code(), Some(Code::InvalidAnswer));
        assert_eq!(error.field(), ["input", "lines", "3", "stepResults", "1", "text"]);
        // A step no list has is kept as it was said.
        assert!(answers(0, &mut [passed(0, true), passed(9, true)], &lists, &[], |_| None).is_ok());
    }

    #[test]
    fn readings_and_serial_numbers_are_those_of_the_lists_device() {
        let read = TaskStep { meter: Some("TRANSACTIONS".into()), ..step(StepKind::MeterReading) };
        let lists = [list(1, MaintenanceKind::Inspection, vec![read, step(StepKind::SerialScan)])];
        let mut results = [
            StepResult { number: Some(5_000.0), ..StepResult::plain(1, true) },
            StepResult { serial: Some("HX2".into()), ..StepResult::plain(2, true) },
        ];
        let answered = answers(0, &mut results, &lists, &[], |_| Some("HX1")).unwrap();
        let device_id = Some(DeviceId(DEVICE));
        assert_eq!(answered.readings, [StepReading { device_id, meter: "TRANSACTIONS".into(), value: 5_000.0 }]);
        assert_eq!(answered.reviews[0].failed, [2]);
    }

    #[test]
    fn only_what_a_plan_requires_passes_an_inspection_before_service() {
        let optional = TaskStep { is_required: false, ..step(StepKind::PassFail) };
        let asked = |steps| list(1, MaintenanceKind::PreInstallation, steps);
        let (good, bad) = (Review { is_passed: true, ..Review::default() }, Review::default());
        let whole = asked(vec![step(StepKind::PassFail), optional.clone()]);
        assert_eq!(inspection(&whole, &good), Some(Inspection::Passed));
        assert_eq!(inspection(&whole, &bad), Some(Inspection::Failed));
        assert_eq!(inspection(&TaskList { is_of_plan: false, ..whole.clone() }, &good), Some(Inspection::Nothing));
        assert_eq!(inspection(&asked(vec![optional]), &good), Some(Inspection::Nothing));
        assert_eq!(inspection(&asked(vec![]), &good), Some(Inspection::Nothing));
        assert_eq!(inspection(&TaskList { kind: MaintenanceKind::Inspection, ..whole }, &good), None);
    }

    #[test]
    fn a_repair_says_what_had_failed_where_there_are_lists_to_choose_from() {
        let repair = [list(1, MaintenanceKind::Corrective, vec![])];
        let none = FailureLists::default();
        assert!(needs_failure(VisitLineOutcome::Done, &repair));
        assert!(!needs_failure(VisitLineOutcome::NoAccess, &repair));
        assert!(!needs_failure(VisitLineOutcome::Done, &[list(1, MaintenanceKind::Cleaning, vec![])]));
        let done = (VisitLineOutcome::Done, "2026-05-06T03:00:00Z".parse().unwrap());
        assert_eq!(failure(0, None, done, &repair, &none).unwrap(), None);
    }
}
