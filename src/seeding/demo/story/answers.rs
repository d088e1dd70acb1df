//! What technicians answer to the steps of a task list, and what they say had failed.

use super::Story;
use crate::kernel::ids::DeviceModelId;
use crate::planning::model::{MaintenanceKind, StepKind, TaskStep, WorkOrder};
use crate::seeding::demo::parameters::{FailureCodes, Scenario};
use crate::visits::model::{NewFailure, StepResult};
use chrono::{DateTime, NaiveDate, Utc};

/// What a technician reads of a device that is well, by meter, and how far devices differ. ASSUMED.
const WELL: [(&str, f64, f64); 10] = [
    ("COIN_CELL_VOLTAGE", 3.02, 0.06),
    ("FLASH_FREE", 44.0, 14.0),
    ("RAM_FREE", 37.0, 10.0),
    ("TEMPERATURE", 24.0, 5.0),
    ("HUMIDITY", 54.0, 12.0),
    ("SUPPLY_VOLTAGE", 5.03, 0.06),
    ("SIGNAL_STRENGTH", -72.0, 12.0),
    ("BATTERY_LEVEL", 78.0, 20.0),
    ("BATTERY_HEALTH", 88.0, 8.0),
    ("UNSETTLED_TRANSACTIONS", 0.0, 0.0),
];
/// Days between two restarts of any device; ASSUMED, as in `seeds/device_models.json`.
const DAYS_PER_BOOT: i64 = 5;
/// What is chosen on a model for which the list says that something does not apply.
const NOT_APPLICABLE: [&str; 2] = ["NOT_ALLOWED", "NO_PRINTER"];

impl Story<'_> {
    /// The answers to the required steps of a list where all is well.
    pub(super) fn all_well(&self, place: Option<usize>, steps: &[TaskStep], at: DateTime<Utc>) -> Vec<StepResult> {
        let serial = place.map_or("", |place| self.fleet.devices[place].serial_number.as_str());
        let model = place.and_then(|place| self.model_of(place).ok()).map(|m| m.id);
        let required = steps.iter().zip(1_u32..).filter(|(step, _)| step.is_required);
        required.map(|(step, n)| well(step, n, serial, model, at)).collect()
    }

    /// The answers on the list of an order.
    pub(super) fn answers(&self, place: Option<usize>, order: &WorkOrder, at: DateTime<Utc>) -> Vec<StepResult> {
        let mut answers = self.all_well(place, &order.steps, at);
        for answer in &mut answers {
            answer.work_order_id = Some(order.id);
        }
        answers
    }

    /// What had failed where an order followed work that did not help: one of what its plan's work
    /// turns into, always the same for a device.
    pub(super) fn failure_after(&self, order: &WorkOrder, at: DateTime<Utc>) -> Option<NewFailure> {
        if order.kind != MaintenanceKind::Corrective {
            return None;
        }
        let place = self.by_id.get(&order.device_id?).copied().unwrap_or_default();
        let code = self.plans.iter().find(|p| Some(p.id) == order.plan_id).map_or("", |p| p.code.as_str());
        let scenarios = &self.p.repairs.scenarios;
        let of_plan: Vec<&Scenario> = scenarios.iter().filter(|s| s.plans.iter().any(|p| p == code)).collect();
        let scenario = of_plan.get(place % of_plan.len().max(1)).copied().or(scenarios.first())?;
        Some(failed(&scenario.codes, order.due_at.min(at), None, Some(at)))
    }

    /// The first day of the work that a device's story tells of a plan, from which on nobody else does
    /// it; none where the story says nothing.
    pub(super) fn told_from(&self, place: usize, code: &str) -> Option<NaiveDate> {
        let watch = self.fleet.watches.iter().find(|w| w.device == place)?;
        watch.case.plans.iter().find(|p| *p == code)?;
        Some(watch.case.serviced_days_ago.iter().max().map_or(NaiveDate::MIN, |days| self.day_ago(*days)))
    }
}

/// A failure as a technician reports it.
pub(super) fn failed(
    codes: &FailureCodes,
    failed_at: DateTime<Utc>,
    detected_at: Option<DateTime<Utc>>,
    restored_at: Option<DateTime<Utc>>,
) -> NewFailure {
    NewFailure {
        failure_code: codes.failure_code.clone(),
        cause_code: Some(codes.cause_code.clone()),
        remedy_code: Some(codes.remedy_code.clone()),
        origin: None,
        failed_at,
        detected_at,
        restored_at,
    }
}

/// The answer to a step that finds everything as it should be.
fn well(step: &TaskStep, place: u32, serial: &str, model: Option<DeviceModelId>, at: DateTime<Utc>) -> StepResult {
    let mut result = StepResult::plain(place, true);
    match step.kind {
        StepKind::PassFail => result.passed = Some(true),
        StepKind::Choice => {
            let is_noted = model.is_some_and(|id| step.model_notes.iter().any(|n| n.model_ids.contains(&id)));
            let not_here = step.choices.iter().find(|c| is_noted && NOT_APPLICABLE.contains(&c.code.as_str()));
            let good = step.choices.iter().find(|c| !c.is_failure);
            result.choice = not_here.or(good).map(|c| c.code.clone());
        }
        StepKind::Number | StepKind::MeterReading => result.number = Some(number(step, serial, at)),
        StepKind::Text => result.text = Some("正常".to_owned()),
        StepKind::SerialScan => result.serial = Some(serial.to_owned()),
    }
    result
}

/// A number within the limits of a step, a little different from device to device.
fn number(step: &TaskStep, serial: &str, at: DateTime<Utc>) -> f64 {
    let digits: u32 = serial.bytes().map(u32::from).sum();
    let part = f64::from(digits % 11) / 10.0 - 0.5;
    let meter = step.meter.as_deref().unwrap_or_default();
    if meter == "BOOTS" {
        let days = (at - DateTime::UNIX_EPOCH).num_days() / DAYS_PER_BOOT;
        return days as f64;
    }
    let value = match (WELL.iter().find(|(code, ..)| *code == meter), step.min, step.max) {
        (Some((_, value, spread)), ..) => value + spread * part,
        (None, Some(min), Some(max)) => (min + max) / 2.0 + (max - min) * 0.3 * part,
        (None, Some(min), None) => min + min.abs() * (0.6 + 0.2 * part),
        // Of what is counted by the piece, none failed.
        (None, None, Some(max)) if max <= 10.0 => step.lowest.unwrap_or(0.0),
        (None, None, Some(max)) => max * (0.2 + 0.1 * part),
        (None, None, None) => step.lowest.unwrap_or(0.0),
    };
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::text::LocalizedText;
    use crate::planning::model::StepAnswer;
    use crate::planning::rules::{Verdict, verdict};
    use crate::seeding::read;

    /// The plans' steps as they are seeded, as far as answers need them.
    fn steps() -> Vec<TaskStep> {
        let text = include_str!("../../../../seeds/maintenance_plans.json");
        let file: serde_json::Value = read("maintenance_plans.json", text).unwrap();
        let plans = file["plans"].as_array().unwrap();
        let seeded = plans.iter().flat_map(|p| p["steps"].as_array().unwrap());
        let step = |seed: &serde_json::Value| {
            let mut seed = seed.clone();
            // Notes name models by codes there.
            seed.as_object_mut().unwrap().remove("model_notes");
            serde_json::from_value::<TaskStep>(seed).unwrap()
        };
        seeded.map(step).collect()
    }

    #[test]
    fn every_seeded_step_can_be_answered_so_that_it_passes() {
        let at: DateTime<Utc> = "2026-11-25T03:00:00Z".parse().unwrap();
        for serial in ["0821990011", "NL2107990012", "514990016"] {
            for step in steps() {
                let answer: StepAnswer = well(&step, 1, serial, None, at).answer();
                assert_eq!(verdict(&step, Some(&answer), Some(serial)), Verdict::Passed, "{step:?}");
            }
        }
    }

    #[test]
    fn what_does_not_apply_to_a_model_is_said_so() {
        let text = LocalizedText::default();
        let choice = |code: &str| crate::planning::model::StepChoice {
            code: code.to_owned(),
            text: text.clone(),
            is_failure: false,
        };
        let id = DeviceModelId(uuid::Uuid::from_u128(1));
        let mut step = TaskStep::plain(text.clone(), true);
        step.kind = StepKind::Choice;
        step.choices = vec![choice("DONE"), choice("NO_PRINTER")];
        step.model_notes = vec![crate::planning::model::ModelNote { model_ids: vec![id], text: text.clone() }];
        let at = DateTime::UNIX_EPOCH;
        assert_eq!(well(&step, 1, "", Some(id), at).choice.as_deref(), Some("NO_PRINTER"));
        assert_eq!(well(&step, 1, "", None, at).choice.as_deref(), Some("DONE"));
    }
}
