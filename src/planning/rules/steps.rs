//! What a task list may say, which answers can be, and what they come to.

use crate::catalogue::model::{Meter, ValueError};
use crate::kernel::code::Code;
use crate::kernel::text::clean_text;
use crate::planning::error::Error;
use crate::planning::model::{StepAnswer, StepKind, TaskStep};
use std::collections::{BTreeSet, HashMap};

/// Steps of one list at most.
const MAX_STEPS: usize = 100;
/// Choices of one step at most.
const MAX_CHOICES: usize = 50;
/// Notes on models of one step at most.
const MAX_NOTES: usize = 50;
/// Models of one note at most.
const MAX_MODELS: usize = 200;
/// No instrument of a technician shows more than this.
const MAX_NUMBER: f64 = 1e12;

/// What an answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// Not as it should be.
    Failed,
    /// Not answered.
    Open,
}

/// Why an answer cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AnswerError {
    /// The value the step asks for is missing.
    #[error("this step is answered with {field}; give it, or say isDone: false")]
    Missing {
        /// The field that is missing.
        field: &'static str,
    },
    /// A value of another kind of step.
    #[error("this step is answered with {expected}, not with {given}")]
    WrongKind {
        /// The field the step is answered with.
        expected: &'static str,
        /// The field that was given.
        given: &'static str,
    },
    /// A code that is none of the step's.
    #[error("\"{given}\" is none of the choices; choose one of {choices}")]
    UnknownChoice {
        /// What was given, shortened.
        given: String,
        /// The codes of the step.
        choices: String,
    },
    /// Infinite or not a number.
    #[error("is not a number")]
    NotANumber,
    /// A number no instrument shows.
    #[error("{given} cannot be: it lies outside {lowest} to {highest}; read it again")]
    OutOfRange {
        /// What was given.
        given: f64,
        /// The lowest that can be.
        lowest: f64,
        /// The highest that can be.
        highest: f64,
    },
    /// A value the meter cannot have.
    #[error("a reading of {meter} {problem}")]
    Reading {
        /// The meter.
        meter: String,
        /// What is wrong.
        problem: ValueError,
    },
}

impl AnswerError {
    /// The code of the refusal.
    pub fn code(&self) -> Code {
        match self {
            Self::Missing { .. } => Code::Required,
            Self::WrongKind { .. } | Self::UnknownChoice { .. } => Code::InvalidAnswer,
            Self::NotANumber | Self::Reading { .. } => Code::InvalidNumber,
            Self::OutOfRange { .. } => Code::OutOfRange,
        }
    }

    /// The field of the answer it is about.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Missing { field } => field,
            Self::WrongKind { given, .. } => given,
            Self::UnknownChoice { .. } => "choice",
            Self::NotANumber | Self::OutOfRange { .. } | Self::Reading { .. } => "number",
        }
    }
}

/// The field of an answer that a kind of step asks for.
fn own_field(kind: StepKind) -> &'static str {
    match kind {
        StepKind::PassFail => "passed",
        StepKind::Choice => "choice",
        StepKind::Number | StepKind::MeterReading => "number",
        StepKind::Text => "text",
        StepKind::SerialScan => "serial",
    }
}

/// The fields of an answer that are given.
fn given_fields(answer: &StepAnswer) -> impl Iterator<Item = &'static str> {
    [
        ("passed", answer.passed.is_some()),
        ("choice", answer.choice.is_some()),
        ("number", answer.number.is_some()),
        ("text", answer.text.is_some()),
        ("serial", answer.serial.is_some()),
    ]
    .into_iter()
    .filter_map(|(field, is_given)| is_given.then_some(field))
}

/// Checks an answer against its step; one to a step nobody knows is only checked for what no answer
/// can be.
///
/// # Errors
/// A value of the wrong kind, a choice that is none, a number that cannot be, no value at all for a
/// step that was done, unless it is to be passed or failed.
pub fn check_answer(step: Option<&TaskStep>, answer: &StepAnswer, meters: &[Meter]) -> Result<(), AnswerError> {
    if let Some(number) = answer.number {
        if !number.is_finite() {
            return Err(AnswerError::NotANumber);
        }
        let bound = |given: Option<f64>, otherwise: f64| given.unwrap_or(otherwise);
        let lowest = bound(step.and_then(|s| s.lowest), -MAX_NUMBER);
        let highest = bound(step.and_then(|s| s.highest), MAX_NUMBER);
        if number < lowest || number > highest {
            return Err(AnswerError::OutOfRange { given: number, lowest, highest });
        }
    }
    let Some(step) = step else { return Ok(()) };
    let expected = own_field(step.kind);
    if let Some(given) = given_fields(answer).find(|f| *f != expected) {
        return Err(AnswerError::WrongKind { expected, given });
    }
    // Clients from before steps had kinds know no `passed`: done, and nobody knows with what result.
    let may_be_bare = step.kind == StepKind::PassFail;
    if answer.is_done && !may_be_bare && given_fields(answer).next().is_none() {
        return Err(AnswerError::Missing { field: expected });
    }
    if step.kind == StepKind::Choice
        && let Some(given) = &answer.choice
        && !step.choices.iter().any(|c| c.code == *given)
    {
        let choices: Vec<&str> = step.choices.iter().map(|c| c.code.as_str()).collect();
        return Err(AnswerError::UnknownChoice {
            given: given.chars().take(64).collect(),
            choices: choices.join(", ").chars().take(500).collect(),
        });
    }
    if step.kind == StepKind::MeterReading
        && let (Some(number), Some(code)) = (answer.number, &step.meter)
        && let Some(meter) = meters.iter().find(|m| m.code == *code)
        && let Err(problem) = meter.to_units(number)
    {
        return Err(AnswerError::Reading { meter: code.clone(), problem });
    }
    Ok(())
}

/// What an answer comes to; `serial` is the serial number of the device worked on.
pub fn verdict(step: &TaskStep, answer: Option<&StepAnswer>, serial: Option<&str>) -> Verdict {
    let Some(answer) = answer else { return Verdict::Open };
    // Who says that it failed has looked, whatever else was not done.
    if step.kind == StepKind::PassFail && answer.passed == Some(false) {
        return Verdict::Failed;
    }
    if !answer.is_done || given_fields(answer).next().is_none() {
        return Verdict::Open;
    }
    let has_failed = match step.kind {
        StepKind::PassFail | StepKind::Text => false,
        StepKind::Choice => {
            step.choices.iter().any(|c| c.is_failure && Some(c.code.as_str()) == answer.choice.as_deref())
        }
        StepKind::Number | StepKind::MeterReading => {
            answer.number.is_some_and(|n| step.min.is_some_and(|min| n < min) || step.max.is_some_and(|max| n > max))
        }
        // Another serial number than the device's may be a substituted terminal.
        StepKind::SerialScan => match (serial, &answer.serial) {
            (Some(known), Some(scanned)) => known.trim() != scanned.trim(),
            _ => false,
        },
    };
    if has_failed { Verdict::Failed } else { Verdict::Passed }
}

/// What the answers to a whole list come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// Required steps without an answer, by place from 1.
    pub missing: Vec<u32>,
    /// Failed steps, by place from 1.
    pub failed: Vec<u32>,
    /// Every required step was answered and passed.
    pub is_passed: bool,
}

/// Reviews a list. Of two answers to one step the later stands.
pub fn review(steps: &[TaskStep], answers: &[StepAnswer], serial: Option<&str>) -> Review {
    let by_step: HashMap<u32, &StepAnswer> = answers.iter().map(|a| (a.step, a)).collect();
    let mut review = Review { is_passed: true, ..Review::default() };
    for (step, place) in steps.iter().zip(1_u32..) {
        match verdict(step, by_step.get(&place).copied(), serial) {
            Verdict::Passed => {}
            Verdict::Failed => {
                review.failed.push(place);
                review.is_passed &= !step.is_required;
            }
            Verdict::Open if step.is_required => {
                review.missing.push(place);
                review.is_passed = false;
            }
            Verdict::Open => {}
        }
    }
    review
}

fn invalid(place: usize, problem: impl std::fmt::Display) -> Error {
    Error::Invalid { field: "steps".into(), problem: format!("step {place}: {problem}") }
}

fn text(given: &mut String, max: usize, name: &'static str) -> Result<(), Error> {
    *given = clean_text(given, max).map_err(|problem| Error::Text { field: vec!["steps"], name, problem })?;
    Ok(())
}

/// Cleans the texts of a task list and checks what it asks for.
///
/// # Errors
/// Too many steps or choices, texts out of bounds, limits that contradict each other, a choice
/// without choices, a reading without a meter that is known.
pub fn clean_steps(steps: &mut [TaskStep], meters: &[Meter]) -> Result<(), Error> {
    let too_many = |what, given, max| Err(Error::TooMany { field: "steps", what, given, max });
    if steps.len() > MAX_STEPS {
        return too_many("steps", steps.len(), MAX_STEPS);
    }
    for (step, place) in steps.iter_mut().zip(1_usize..) {
        for given in [&mut step.text.en, &mut step.text.zh] {
            text(given, 1_000, "a step")?;
        }
        if step.choices.len() > MAX_CHOICES {
            return too_many("choices of a step", step.choices.len(), MAX_CHOICES);
        }
        if step.model_notes.len() > MAX_NOTES {
            return too_many("notes of a step", step.model_notes.len(), MAX_NOTES);
        }
        for note in &mut step.model_notes {
            if note.model_ids.len() > MAX_MODELS {
                return too_many("models of a note", note.model_ids.len(), MAX_MODELS);
            }
            if note.model_ids.is_empty() {
                return Err(invalid(place, "a note names no model; name the models it is for"));
            }
            for given in [&mut note.text.en, &mut note.text.zh] {
                text(given, 1_000, "a note")?;
            }
        }
        let mut codes = BTreeSet::new();
        for choice in &mut step.choices {
            text(&mut choice.code, 64, "the code of a choice")?;
            for given in [&mut choice.text.en, &mut choice.text.zh] {
                text(given, 200, "a choice")?;
            }
            if !codes.insert(choice.code.clone()) {
                return Err(invalid(place, format!("the choice {} is given twice", choice.code)));
            }
        }
        step.unit = step.unit.take().filter(|u| !u.trim().is_empty());
        if let Some(unit) = &mut step.unit {
            text(unit, 32, "the unit of a step")?;
        }
        check_kind(step, place, meters)?;
        check_limits(step, place)?;
    }
    Ok(())
}

/// What belongs to the kind of a step is there, and nothing else.
fn check_kind(step: &TaskStep, place: usize, meters: &[Meter]) -> Result<(), Error> {
    match step.kind {
        StepKind::Choice if step.choices.is_empty() => {
            return Err(invalid(place, "a CHOICE step has choices; give 1 to 50"));
        }
        StepKind::Choice => {}
        _ if !step.choices.is_empty() => {
            return Err(invalid(place, format!("a {} step has no choices; make it a CHOICE step", step.kind)));
        }
        _ => {}
    }
    match (&step.meter, step.kind) {
        (Some(code), StepKind::MeterReading) => {
            if !meters.iter().any(|m| m.code == *code) {
                return Err(Error::UnknownStepMeter { meter: code.chars().take(64).collect() });
            }
        }
        (None, StepKind::MeterReading) => {
            return Err(invalid(place, "a METER_READING step names its meter"));
        }
        (Some(_), kind) => {
            return Err(invalid(place, format!("a {kind} step reads no meter; make it a METER_READING step")));
        }
        (None, _) => {}
    }
    let is_number = matches!(step.kind, StepKind::Number | StepKind::MeterReading);
    if !is_number && [step.min, step.max, step.lowest, step.highest].iter().any(Option::is_some) {
        return Err(invalid(place, format!("a {} step has no limits; make it a NUMBER step", step.kind)));
    }
    Ok(())
}

/// The limits of a step leave something that can be, and something that passes.
fn check_limits(step: &TaskStep, place: usize) -> Result<(), Error> {
    let limits = [("lowest", step.lowest), ("min", step.min), ("max", step.max), ("highest", step.highest)];
    let mut before: Option<(&str, f64)> = None;
    for (name, limit) in limits {
        let Some(limit) = limit else { continue };
        if !limit.is_finite() || limit.abs() > MAX_NUMBER {
            return Err(invalid(place, format!("{name} must be a number of at most 1e12")));
        }
        if let Some((lower, bound)) = before
            && limit < bound
        {
            return Err(invalid(place, format!("{name} is {limit}, below {lower}, which is {bound}")));
        }
        before = Some((name, limit));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::model::MeterKind;
    use crate::kernel::text::LocalizedText;
    use crate::planning::model::StepChoice;

    fn step(kind: StepKind) -> TaskStep {
        let text = LocalizedText { en: "Look".into(), zh: "看".into() };
        TaskStep { kind, ..TaskStep::plain(text, true) }
    }

    fn choice(code: &str, is_failure: bool) -> StepChoice {
        StepChoice { code: code.into(), text: LocalizedText { en: code.into(), zh: code.into() }, is_failure }
    }

    fn meter(code: &str) -> Meter {
        Meter {
            code: code.into(),
            name: LocalizedText::default(),
            kind: MeterKind::Counter,
            unit: "count".into(),
            decimals: 0,
            source: "test".into(),
        }
    }

    fn done() -> StepAnswer {
        StepAnswer { step: 1, is_done: true, ..StepAnswer::default() }
    }

    fn voltage() -> TaskStep {
        TaskStep { min: Some(4.75), max: Some(5.25), lowest: Some(0.0), highest: Some(60.0), ..step(StepKind::Number) }
    }

    #[test]
    fn an_answer_of_the_wrong_kind_is_refused_and_named() {
        let told = StepAnswer { text: Some("five volts".into()), ..done() };
        let refusal = check_answer(Some(&voltage()), &told, &[]).unwrap_err();
        assert_eq!((refusal.code(), refusal.field()), (Code::InvalidAnswer, "text"));
        let nothing = check_answer(Some(&voltage()), &done(), &[]).unwrap_err();
        assert_eq!((nothing.code(), nothing.field()), (Code::Required, "number"));
        assert!(check_answer(Some(&voltage()), &StepAnswer { is_done: false, ..done() }, &[]).is_ok());
    }

    #[test]
    fn a_step_that_is_done_without_a_result_is_taken_and_passes_nothing() {
        let list = [step(StepKind::PassFail)];
        assert!(check_answer(list.first(), &done(), &[]).is_ok());
        assert_eq!(verdict(&list[0], Some(&done()), None), Verdict::Open);
        let came_to = review(&list, &[done()], None);
        assert_eq!(came_to, Review { missing: vec![1], failed: vec![], is_passed: false });
    }

    #[test]
    fn outside_the_limits_has_failed_and_outside_what_can_be_is_refused() {
        let of = |n: f64| StepAnswer { number: Some(n), ..done() };
        for (number, expected) in
            [(4.74, Verdict::Failed), (4.75, Verdict::Passed), (5.25, Verdict::Passed), (5.26, Verdict::Failed)]
        {
            assert!(check_answer(Some(&voltage()), &of(number), &[]).is_ok());
            assert_eq!(verdict(&voltage(), Some(&of(number)), None), expected, "{number}");
        }
        for number in [-0.1, 60.1] {
            assert_eq!(check_answer(Some(&voltage()), &of(number), &[]).unwrap_err().code(), Code::OutOfRange);
        }
        // Also where nobody says what an instrument shows, or which step it is.
        for unbounded in [Some(step(StepKind::Number)), None] {
            assert_eq!(check_answer(unbounded.as_ref(), &of(2e12), &[]).unwrap_err().code(), Code::OutOfRange);
            let infinite = check_answer(unbounded.as_ref(), &of(f64::INFINITY), &[]).unwrap_err();
            assert_eq!(infinite.code(), Code::InvalidNumber);
        }
    }

    #[test]
    fn a_choice_is_one_of_the_list_and_may_be_a_failure() {
        let asked = TaskStep { choices: vec![choice("CLEAN", false), choice("CUT", true)], ..step(StepKind::Choice) };
        let of = |code: &str| StepAnswer { choice: Some(code.into()), ..done() };
        assert_eq!(check_answer(Some(&asked), &of("DIRTY"), &[]).unwrap_err().code(), Code::InvalidAnswer);
        assert_eq!(verdict(&asked, Some(&of("CLEAN")), None), Verdict::Passed);
        assert_eq!(verdict(&asked, Some(&of("CUT")), None), Verdict::Failed);
    }

    #[test]
    fn a_counter_is_never_read_below_zero() {
        let asked = TaskStep { meter: Some("TRANSACTIONS".into()), ..step(StepKind::MeterReading) };
        let read = StepAnswer { number: Some(-1.0), ..done() };
        let refusal = check_answer(Some(&asked), &read, &[meter("TRANSACTIONS")]).unwrap_err();
        assert_eq!((refusal.code(), refusal.field()), (Code::InvalidNumber, "number"));
    }

    #[test]
    fn a_scanned_serial_number_of_another_device_has_failed() {
        let asked = step(StepKind::SerialScan);
        let scanned = StepAnswer { serial: Some(" HX1 ".into()), ..done() };
        assert_eq!(verdict(&asked, Some(&scanned), Some("HX1")), Verdict::Passed);
        assert_eq!(verdict(&asked, Some(&scanned), Some("HX2")), Verdict::Failed);
        assert_eq!(verdict(&asked, Some(&scanned), None), Verdict::Passed);
    }

    #[test]
    fn a_list_is_passed_when_every_required_step_is() {
        let optional = TaskStep { is_required: false, ..step(StepKind::PassFail) };
        let list = [step(StepKind::PassFail), optional, step(StepKind::PassFail)];
        let of = |step: u32, passed: bool| StepAnswer { step, passed: Some(passed), ..done() };
        let all = review(&list, &[of(1, true), of(3, true)], None);
        assert_eq!(all, Review { missing: vec![], failed: vec![], is_passed: true });
        let one_failed = review(&list, &[of(1, true), of(2, false), of(3, true)], None);
        assert_eq!(one_failed, Review { missing: vec![], failed: vec![2], is_passed: true });
        let half = review(&list, &[of(1, false)], None);
        assert_eq!(half, Review { missing: vec![3], failed: vec![1], is_passed: false });
        assert!(review(&[], &[], None).is_passed, "nothing was asked");
        // Looked at again on the same visit: the later answer stands.
        assert!(review(&list[..1], &[of(1, false), of(1, true)], None).is_passed);
    }

    #[test]
    fn a_list_that_contradicts_itself_is_refused() {
        let refused = |step: TaskStep| clean_steps(&mut [step], &[meter("TRANSACTIONS")]).unwrap_err();
        let upside_down = TaskStep { min: Some(6.0), max: Some(5.0), ..step(StepKind::Number) };
        assert!(refused(upside_down).to_string().contains("step 1: max is 5, below min"));
        let beyond = TaskStep { min: Some(1.0), lowest: Some(2.0), ..step(StepKind::Number) };
        assert!(matches!(refused(beyond), Error::Invalid { .. }));
        assert!(matches!(refused(step(StepKind::Choice)), Error::Invalid { .. }));
        let many = TaskStep { choices: vec![choice("A", false); 51], ..step(StepKind::Choice) };
        assert!(matches!(refused(many), Error::TooMany { given: 51, max: 50, .. }));
        let twice = TaskStep { choices: vec![choice("A", false); 2], ..step(StepKind::Choice) };
        assert!(matches!(refused(twice), Error::Invalid { .. }));
        assert!(matches!(refused(step(StepKind::MeterReading)), Error::Invalid { .. }));
        let unknown = TaskStep { meter: Some("COFFEES".into()), ..step(StepKind::MeterReading) };
        assert!(matches!(refused(unknown), Error::UnknownStepMeter { .. }));
        let known = TaskStep { meter: Some("TRANSACTIONS".into()), ..step(StepKind::MeterReading) };
        assert!(clean_steps(&mut [known, voltage()], &[meter("TRANSACTIONS")]).is_ok());
    }

    #[test]
    fn a_step_from_before_steps_had_kinds_is_passed_or_failed() {
        let old: TaskStep =
            serde_json::from_str(r#"{"text": {"en": "Look", "zh": "看"}, "is_required": true}"#).unwrap();
        assert_eq!(old, step(StepKind::PassFail));
    }
}
