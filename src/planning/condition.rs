//! The words of CONDITION triggers: what is measured, beyond which limit, for how long, and what is
//! remembered of it between two looks. [`super::rules::condition`] evaluates them.

use crate::code_enum;
use crate::kernel::ids::DeviceModelId;
use crate::kernel::text::LocalizedText;
use crate::registry::model::SiteEnvironment;
use crate::usage::measure::Measure;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

code_enum! {
    /// On which side of a limit a measure is beyond it.
    pub enum Operator { Above = "ABOVE", AtLeast = "AT_LEAST", Below = "BELOW", AtMost = "AT_MOST" }
}

impl Operator {
    /// Beyond is above.
    pub fn is_upward(self) -> bool {
        matches!(self, Self::Above | Self::AtLeast)
    }

    /// Whether a value is beyond a limit.
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
        }
    }
}

/// What a measure is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Limit {
    /// A number, in the measure's unit.
    Value {
        /// The number.
        value: f64,
    },
    /// A share of what the device's model is rated for, 0.9 = 90 %.
    ShareOfRating {
        /// The share.
        share: f64,
    },
}

impl Limit {
    /// The number or the share.
    pub fn number(self) -> f64 {
        match self {
            Self::Value { value } => value,
            Self::ShareOfRating { share } => share,
        }
    }
}

/// One thing that must be beyond its limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clause {
    /// What is measured.
    pub measure: Measure,
    /// On which side of the limit it is beyond.
    pub operator: Operator,
    /// The limit.
    pub limit: Limit,
    /// Where it is clear again, in the same terms as the limit; absent, at the limit.
    #[serde(default)]
    pub clear_at: Option<f64>,
    /// Units a measure over a window must rest on, or it says nothing.
    #[serde(default)]
    pub min_sample: Option<f64>,
    /// Decimal places of its (first) meter.
    #[serde(default)]
    pub decimals: i32,
    /// Its (first) meter as people read it.
    #[serde(default)]
    pub name: LocalizedText,
    /// Unit of its (first) meter.
    #[serde(default)]
    pub unit: String,
    /// What a ratio is of, as people read it.
    #[serde(default)]
    pub of_name: LocalizedText,
}

impl Clause {
    /// A clause as it is stated; [`super::rules::condition::describe`] adds what sentences need.
    pub fn new(measure: Measure, operator: Operator, limit: Limit) -> Self {
        Self {
            measure,
            operator,
            limit,
            clear_at: None,
            min_sample: None,
            decimals: 0,
            name: LocalizedText::default(),
            unit: String::new(),
            of_name: LocalizedText::default(),
        }
    }
}

/// A device is only looked at while it is used so much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateGuard {
    /// Meter code.
    pub meter: String,
    /// Units a day, in the meter's unit.
    pub at_least: f64,
}

/// Which devices a condition is for, beyond the plan's selector; the parts given must all hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    /// What surrounds the device; empty means anything.
    #[serde(default)]
    pub environments: Vec<SiteEnvironment>,
    /// Device models; empty means any.
    #[serde(default)]
    pub model_ids: Vec<DeviceModelId>,
    /// How much it is used at least.
    #[serde(default)]
    pub min_per_day: Option<RateGuard>,
}

/// Measures beyond their limits, held for a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// One to three; all must hold.
    pub clauses: Vec<Clause>,
    /// Hours for which they must hold without a break.
    #[serde(default)]
    pub hold_hours: u32,
    /// Days after work during which no new occurrence begins to be due.
    #[serde(default)]
    pub cool_down_days: u32,
    /// Which devices it is for; absent, all of the plan's.
    #[serde(default)]
    pub guard: Option<Guard>,
}

/// A time during which a condition has been beyond, from its begin until it is clear; kept with the
/// item, because readings from before the look-back are not loaded again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// Since when it is beyond.
    pub since: DateTime<Utc>,
    /// When it was first seen to be beyond still, after each work on it.
    #[serde(default)]
    pub confirmed: Vec<DateTime<Utc>>,
    /// When it fell due, while no work has answered it.
    #[serde(default)]
    pub fired_at: Option<DateTime<Utc>>,
    /// It fell due again after work that did not help.
    #[serde(default)]
    pub is_repeat: bool,
}

/// A clause as it was last seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClauseReading {
    /// The measure; absent while the readings do not say.
    pub value: Option<f64>,
    /// What it is compared with, in the measure's unit; absent while the device's model has no
    /// rating.
    pub limit: Option<f64>,
    /// Units it rests on, of a measure over a window.
    pub sample: Option<f64>,
    /// Beyond the limit, with enough of a sample.
    pub is_beyond: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_reads_as_seeds_state_it() {
        let text = r#"{
            "hold_hours": 24, "cool_down_days": 14,
            "guard": {"environments": ["FOOD_SERVICE"], "min_per_day": null},
            "clauses": [{
                "measure": {"kind": "RATIO", "numerator": "MSR_ERRORS", "denominator": "MSR_READS", "window_days": 7},
                "operator": "ABOVE", "limit": {"kind": "VALUE", "value": 0.03}, "clear_at": 0.015, "min_sample": 200
            }]
        }"#;
        let condition: Condition = serde_json::from_str(text).unwrap();
        assert_eq!(condition.clauses[0].limit, Limit::Value { value: 0.03 });
        assert_eq!(condition.clauses[0].min_sample, Some(200.0));
        let guard = condition.guard.clone().unwrap();
        assert_eq!(guard.environments, [SiteEnvironment::FoodService]);
        let again: Condition = serde_json::from_str(&serde_json::to_string(&condition).unwrap()).unwrap();
        assert_eq!(again, condition);
    }
}
