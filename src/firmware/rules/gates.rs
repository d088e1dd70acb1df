//! What holds an update back.

use crate::firmware::model::Gate;

/// A gate that does not hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateBlock {
    /// The gate.
    pub gate: Gate,
    /// What its meter says, in the meter's unit; always there, because an unknown value blocks
    /// nothing.
    pub value: Option<f64>,
}

/// The gates that hold an update back; `latest` is the last value of a meter, in its unit.
///
/// A meter that was never read blocks nothing: many models have no battery, and many never say how
/// much storage is free. [`unknown_gates`] names those, so that it can be shown.
pub fn blocked_by(gates: &[Gate], latest: impl Fn(&str) -> Option<f64>) -> Vec<GateBlock> {
    let block = |gate: &Gate| {
        let value = latest(gate.meter())?;
        let holds = match gate {
            Gate::BatteryAtLeast { percent } | Gate::StorageFreeAtLeast { percent } => value >= *percent,
            // Counted in whole transactions; what is below a half is none.
            Gate::BatchSettled => value < 0.5,
        };
        (!holds).then_some(GateBlock { gate: *gate, value: Some(value) })
    };
    gates.iter().filter_map(block).collect()
}

/// The gates whose meter was never read.
pub fn unknown_gates(gates: &[Gate], latest: impl Fn(&str) -> Option<f64>) -> Vec<Gate> {
    gates.iter().copied().filter(|gate| latest(gate.meter()).is_none()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATES: [Gate; 3] =
        [Gate::BatteryAtLeast { percent: 40.0 }, Gate::StorageFreeAtLeast { percent: 15.0 }, Gate::BatchSettled];

    #[test]
    fn a_gate_blocks_below_its_limit_and_says_the_value() {
        let good = |meter: &str| match meter {
            "BATTERY_LEVEL" => Some(40.0),
            "FLASH_FREE" => Some(15.0),
            _ => Some(0.0),
        };
        assert_eq!(blocked_by(&GATES, good), []);
        let bad = |meter: &str| match meter {
            "BATTERY_LEVEL" => Some(39.9),
            "FLASH_FREE" => Some(14.0),
            _ => Some(3.0),
        };
        let values: Vec<Option<f64>> = blocked_by(&GATES, bad).iter().map(|b| b.value).collect();
        assert_eq!(values, [Some(39.9), Some(14.0), Some(3.0)]);
    }

    #[test]
    fn what_was_never_read_blocks_nothing_and_is_named() {
        let only_battery = |meter: &str| (meter == "BATTERY_LEVEL").then_some(80.0);
        assert_eq!(blocked_by(&GATES, only_battery), []);
        assert_eq!(unknown_gates(&GATES, only_battery), [GATES[1], GATES[2]]);
    }
}
