//! Task lists in GraphQL: typed steps as they are shown and given.

use crate::graphql::connection::input_ids;
use crate::graphql::enums::StepKind;
use crate::graphql::errors::Outcome;
use crate::graphql::text::{LocalizedText, LocalizedTextInput};
use crate::kernel::ids::DeviceModelId;
use crate::planning::model;
use async_graphql::{ID, InputObject, SimpleObject};

/// One answer a CHOICE step can be given.
#[derive(SimpleObject, Clone)]
pub struct StepChoice {
    /// What is reported as `choice`.
    pub code: String,
    /// What people read.
    pub text: LocalizedText,
    /// The step has failed when this is chosen.
    pub is_failure: bool,
}

/// What is different about a step on some models.
#[derive(SimpleObject, Clone)]
pub struct StepModelNote {
    /// The device models.
    pub model_ids: Vec<ID>,
    /// What people read.
    pub text: LocalizedText,
}

/// One step of a task list.
#[derive(SimpleObject, Clone)]
pub struct TaskStep {
    /// Place in the list, from 1.
    pub number: i32,
    /// What to do.
    pub text: LocalizedText,
    /// Whether the step must be answered.
    pub is_required: bool,
    /// How it is answered.
    pub kind: StepKind,
    /// The answers of a CHOICE step, at most 50; empty for all others.
    pub choices: Vec<StepChoice>,
    /// Unit of a NUMBER step, for example `V`; null when it has none.
    pub unit: Option<String>,
    /// A number below this has failed; null without a lower limit.
    pub min: Option<f64>,
    /// A number above this has failed; null without an upper limit.
    pub max: Option<f64>,
    /// The lowest an instrument can show; a number below is refused. Null when nobody says.
    pub lowest: Option<f64>,
    /// The highest an instrument can show; a number above is refused. Null when nobody says.
    pub highest: Option<f64>,
    /// Code of the meter a METER_READING step reads; null for all others.
    pub meter: Option<String>,
    /// A failed step opens a corrective order, due within three days.
    pub opens_corrective: bool,
    /// What is different on some models, at most 50.
    pub model_notes: Vec<StepModelNote>,
    /// The notes that apply to the order's own device, for example "nothing goes into the chip
    /// slot"; empty in a plan, which is for many models.
    pub notes: Vec<LocalizedText>,
}

/// Steps as they are shown; `model` is the one of the device they are done to.
pub fn shown(steps: &[model::TaskStep], model: Option<DeviceModelId>) -> Vec<TaskStep> {
    let choice =
        |c: &model::StepChoice| StepChoice { code: c.code.clone(), text: (&c.text).into(), is_failure: c.is_failure };
    let note = |n: &model::ModelNote| StepModelNote {
        model_ids: n.model_ids.iter().map(|id| id.global().into()).collect(),
        text: (&n.text).into(),
    };
    steps
        .iter()
        .zip(1..)
        .map(|(s, number)| TaskStep {
            number,
            text: (&s.text).into(),
            is_required: s.is_required,
            kind: s.kind.into(),
            choices: s.choices.iter().map(choice).collect(),
            unit: s.unit.clone(),
            min: s.min,
            max: s.max,
            lowest: s.lowest,
            highest: s.highest,
            meter: s.meter.clone(),
            opens_corrective: s.opens_corrective,
            model_notes: s.model_notes.iter().map(note).collect(),
            notes: s.notes_for(model).map(Into::into).collect(),
        })
        .collect()
}

/// One answer a CHOICE step can be given.
#[derive(InputObject, Clone)]
pub struct StepChoiceInput {
    /// What is reported as `choice`, unique in the step, 1 to 64 characters.
    pub code: String,
    /// What people read.
    pub text: LocalizedTextInput,
    /// The step has failed when this is chosen; false unless stated.
    pub is_failure: Option<bool>,
}

/// What is different about a step on some models.
#[derive(InputObject, Clone)]
pub struct StepModelNoteInput {
    /// The device models, 1 to 200.
    pub model_ids: Vec<ID>,
    /// What people read.
    pub text: LocalizedTextInput,
}

/// One step of a task list.
#[derive(InputObject, Clone)]
pub struct TaskStepInput {
    /// What to do.
    pub text: LocalizedTextInput,
    /// Whether the step must be answered; true unless stated.
    pub is_required: Option<bool>,
    /// How it is answered; PASS_FAIL unless stated.
    pub kind: Option<StepKind>,
    /// The answers of a CHOICE step, 1 to 50.
    pub choices: Option<Vec<StepChoiceInput>>,
    /// Unit of a NUMBER step, for example `V`.
    pub unit: Option<String>,
    /// A number below this has failed.
    pub min: Option<f64>,
    /// A number above this has failed.
    pub max: Option<f64>,
    /// The lowest an instrument can show: a number below is refused.
    pub lowest: Option<f64>,
    /// The highest an instrument can show: a number above is refused.
    pub highest: Option<f64>,
    /// Code of the meter a METER_READING step reads; what is read is recorded as a reading.
    pub meter: Option<String>,
    /// A failed step opens a corrective order, due within three days; false unless stated.
    pub opens_corrective: Option<bool>,
    /// What is different on some models, at most 50.
    pub model_notes: Option<Vec<StepModelNoteInput>>,
}

fn step(given: TaskStepInput) -> Outcome<model::TaskStep> {
    let choices = given.choices.unwrap_or_default().into_iter().map(|c| model::StepChoice {
        code: c.code,
        text: c.text.into(),
        is_failure: c.is_failure.unwrap_or(false),
    });
    let mut model_notes = Vec::new();
    for note in given.model_notes.unwrap_or_default() {
        model_notes.push(model::ModelNote {
            model_ids: input_ids(&note.model_ids, "steps", DeviceModelId::parse_global)?,
            text: note.text.into(),
        });
    }
    Ok(model::TaskStep {
        text: given.text.into(),
        is_required: given.is_required.unwrap_or(true),
        kind: given.kind.map_or(model::StepKind::PassFail, Into::into),
        choices: choices.collect(),
        unit: given.unit,
        min: given.min,
        max: given.max,
        lowest: given.lowest,
        highest: given.highest,
        meter: given.meter,
        opens_corrective: given.opens_corrective.unwrap_or(false),
        model_notes,
    })
}

/// Steps as the room has them.
///
/// # Errors
/// Ids of models that are not what they should be.
pub fn steps(given: Vec<TaskStepInput>) -> Outcome<Vec<model::TaskStep>> {
    given.into_iter().map(step).collect()
}
