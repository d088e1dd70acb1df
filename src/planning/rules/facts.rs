//! What is known of a device beside its usage: its measures and its firmware.

use super::condition::lets_through;
use crate::firmware::model as firmware;
use crate::kernel::ids::DeviceModelId;
use crate::planning::condition::Guard;
use crate::registry::model::{OpeningHours, SiteEnvironment};
use crate::usage::hours::HourProfile;
use crate::usage::measure::{Attributes, DeviceSeries, Measure, value_at};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// What is known of the measures of a device.
#[derive(Clone, Debug, Default)]
pub struct WatchFacts {
    /// Readings over the look-back of every condition.
    pub series: DeviceSeries,
    /// Dates of the device.
    pub attributes: Attributes,
    /// Rated lives of its model, by meter code, in the meter's unit.
    pub ratings: HashMap<String, f64>,
    /// What surrounds it.
    pub environment: Option<SiteEnvironment>,
    /// Its model.
    pub model: Option<DeviceModelId>,
}

/// Days over which a guard's rate is taken: four weeks.
pub const GUARD_DAYS: u32 = 28;

impl WatchFacts {
    /// Whether a condition's guard lets the device through.
    pub fn is_guarded(&self, guard: Option<&Guard>, now: DateTime<Utc>) -> bool {
        let rate = |meter: &str| {
            let measure = Measure::Rate { meter: meter.to_owned(), window_days: GUARD_DAYS };
            value_at(&measure, &self.series, &self.attributes, now).map(|m| m.value)
        };
        match self.model {
            Some(model) => lets_through(guard, self.environment, model, rate),
            None => guard.is_none(),
        }
    }
}

/// What is known of a device's firmware.
#[derive(Clone, Debug)]
pub struct FirmwareFacts {
    /// What it has and is to have.
    pub standing: firmware::FirmwareFacts,
    /// How busy it is in each hour of its week, if it is read often enough to know.
    pub profile: Option<HourProfile>,
    /// Opening hours of its site.
    pub opening: Vec<OpeningHours>,
    /// The last values of the meters that gates look at, in their units.
    pub latest: HashMap<String, f64>,
}
