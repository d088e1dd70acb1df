//! What is known of a device beside its usage: its measures and its firmware.

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
    /// Whether a condition's guard is for such a device at such a place.
    pub fn is_placed(&self, guard: Option<&Guard>) -> bool {
        let Some(guard) = guard else { return true };
        let of_model = guard.model_ids.is_empty() || self.model.is_some_and(|m| guard.model_ids.contains(&m));
        let of_place =
            guard.environments.is_empty() || self.environment.is_some_and(|e| guard.environments.contains(&e));
        of_model && of_place
    }

    /// Whether the device is used as much as a guard asks for, as of the last reading of its meter.
    pub fn is_busy(&self, guard: Option<&Guard>, now: DateTime<Utc>) -> bool {
        let Some(rate) = guard.and_then(|g| g.min_per_day.as_ref()) else { return true };
        let measure = Measure::Rate { meter: rate.meter.clone(), window_days: GUARD_DAYS };
        let last = self.series.meters.get(&rate.meter).and_then(|m| m.points.last()).map(|p| p.at.min(now));
        let seen = last.and_then(|at| value_at(&measure, &self.series, &self.attributes, at));
        seen.is_some_and(|m| m.value >= rate.at_least)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::condition::RateGuard;
    use crate::usage::measure::{MeterSeries, Point};
    use chrono::TimeDelta;
    use uuid::Uuid;

    #[test]
    fn a_guard_asks_for_place_model_and_use() {
        let start = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let point = |day: i64, life: f64| Point { at: start + TimeDelta::days(day), value: life, life };
        let read = MeterSeries { points: vec![point(0, 0.0), point(28, 560.0)], life_base: 0.0 };
        let mut watch = WatchFacts {
            environment: Some(SiteEnvironment::FoodService),
            model: Some(DeviceModelId(Uuid::from_u128(1))),
            ..WatchFacts::default()
        };
        watch.series.meters.insert("READS".into(), read);
        let kitchen = Guard { environments: vec![SiteEnvironment::FoodService], ..Guard::default() };
        let other = Guard { model_ids: vec![DeviceModelId(Uuid::from_u128(2))], ..Guard::default() };
        assert!(watch.is_placed(Some(&kitchen)) && watch.is_placed(None) && !watch.is_placed(Some(&other)));
        watch.environment = Some(SiteEnvironment::Indoor);
        assert!(!watch.is_placed(Some(&kitchen)));
        let at_least = |meter: &str, at_least: f64| Guard {
            min_per_day: Some(RateGuard { meter: meter.into(), at_least }),
            ..Guard::default()
        };
        // 20 a day, however long ago it was read.
        let later = start + TimeDelta::days(90);
        assert!(watch.is_busy(Some(&at_least("READS", 20.0)), later) && watch.is_busy(None, later));
        assert!(!watch.is_busy(Some(&at_least("READS", 21.0)), later));
        assert!(!watch.is_busy(Some(&at_least("INSERTIONS", 1.0)), later));
    }
}
