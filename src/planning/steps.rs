//! The words of task lists: typed steps and the answers to them.

use crate::code_enum;
use crate::kernel::ids::{DeviceModelId, PlanId, VisitId, VisitLineId};
use crate::kernel::subject::Subject;
use crate::kernel::text::LocalizedText;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

code_enum! {
    /// How a step is answered.
    pub enum StepKind {
        PassFail = "PASS_FAIL", Choice = "CHOICE", Number = "NUMBER", Text = "TEXT",
        MeterReading = "METER_READING", SerialScan = "SERIAL_SCAN",
    }
}

/// What a step of a list that says nothing else is: seeds and revisions from before steps had kinds.
fn pass_fail() -> StepKind {
    StepKind::PassFail
}

/// One answer a CHOICE step can be given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepChoice {
    /// What is reported, unique in its step.
    pub code: String,
    /// What people read.
    pub text: LocalizedText,
    /// The step has failed when this is chosen.
    #[serde(default)]
    pub is_failure: bool,
}

/// What is different about a step on some models, for example "nothing goes into the chip slot".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelNote {
    /// The models.
    pub model_ids: Vec<DeviceModelId>,
    /// What people read.
    pub text: LocalizedText,
}

/// One step of a task list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskStep {
    /// What to do, in English and Chinese.
    pub text: LocalizedText,
    /// Whether the step must be answered.
    pub is_required: bool,
    /// How it is answered.
    #[serde(default = "pass_fail")]
    pub kind: StepKind,
    /// The answers of a CHOICE step.
    #[serde(default)]
    pub choices: Vec<StepChoice>,
    /// Unit of a NUMBER step, for example `V`.
    #[serde(default)]
    pub unit: Option<String>,
    /// A number below this has failed.
    #[serde(default)]
    pub min: Option<f64>,
    /// A number above this has failed.
    #[serde(default)]
    pub max: Option<f64>,
    /// The lowest an instrument can show; a number below cannot be.
    #[serde(default)]
    pub lowest: Option<f64>,
    /// The highest an instrument can show; a number above cannot be.
    #[serde(default)]
    pub highest: Option<f64>,
    /// The meter a METER_READING step reads.
    #[serde(default)]
    pub meter: Option<String>,
    /// A failed step opens a corrective order.
    #[serde(default)]
    pub opens_corrective: bool,
    /// What is different on some models.
    #[serde(default)]
    pub model_notes: Vec<ModelNote>,
}

impl TaskStep {
    /// A step that is passed or failed, and nothing more.
    pub fn plain(text: LocalizedText, is_required: bool) -> Self {
        Self {
            text,
            is_required,
            kind: StepKind::PassFail,
            choices: vec![],
            unit: None,
            min: None,
            max: None,
            lowest: None,
            highest: None,
            meter: None,
            opens_corrective: false,
            model_notes: vec![],
        }
    }

    /// The notes that apply to a model, in order; none without one.
    pub fn notes_for(&self, model: Option<DeviceModelId>) -> impl Iterator<Item = &LocalizedText> {
        self.model_notes.iter().filter(move |n| model.is_some_and(|m| n.model_ids.contains(&m))).map(|n| &n.text)
    }
}

/// An answer to one step, as reported.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepAnswer {
    /// Place of the step in its list, from 1.
    pub step: u32,
    /// Whether it was done.
    pub is_done: bool,
    /// PASS_FAIL.
    pub passed: Option<bool>,
    /// CHOICE: the code chosen.
    pub choice: Option<String>,
    /// NUMBER and METER_READING.
    pub number: Option<f64>,
    /// TEXT.
    pub text: Option<String>,
    /// SERIAL_SCAN.
    pub serial: Option<String>,
}

/// Where an order that no plan issued comes from: a step that failed on a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderOrigin {
    /// The visit.
    pub visit_id: VisitId,
    /// Its line.
    pub visit_line_id: VisitLineId,
    /// The plan whose list it was; absent for the list of an order made by hand.
    pub plan_id: Option<PlanId>,
    /// Place of the step in the list, from 1.
    pub step: u32,
}

/// A failed step that wants an order.
#[derive(Clone, Debug, PartialEq)]
pub struct CorrectiveNeed {
    /// Place of the line among all lines reported, from 0.
    pub line: usize,
    /// Device or site.
    pub subject: Subject,
    /// Where it comes from.
    pub origin: OrderOrigin,
    /// What the step says.
    pub text: LocalizedText,
    /// When it failed, device time.
    pub performed_at: DateTime<Utc>,
}
