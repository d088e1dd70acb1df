//! The demo fleet: a payment company of which a planner says "that is ours".
//!
//! [`parameters`] is `seeds/demo.json`, with [`cases`] for the devices that have a story of their
//! own; [`fleet`] says who has which terminal and where, [`usage`] what they report; both are pure and
//! the same for the same seed and day. [`story`] plays it all through the services, at the moments
//! things happened.

pub mod cases;
pub mod fleet;
pub mod parameters;
pub mod story;
pub mod usage;

use self::parameters::Parameters;
use self::story::{ModelFacts, Story, Told};
use super::{Error, Rooms, reference};
use crate::catalogue::model::{DeviceModel, ReplaceableAt};
use crate::db::lease;
use crate::registry::model::DeviceFilter;
use chrono::TimeDelta;
use std::collections::{BTreeSet, HashMap};

/// What the demo is to be.
#[derive(Clone, Copy, Debug)]
pub struct DemoOptions {
    /// Devices in the fleet.
    pub devices: usize,
    /// The same seed makes the same fleet.
    pub seed: u64,
    /// Show progress on the terminal.
    pub progress: bool,
}

/// What was found or made.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// The fleet was made.
    Made(Told),
    /// One was there already, and was planned up to now.
    Found {
        /// How many devices it has.
        devices: u64,
        /// As many as were asked for.
        is_as_asked: bool,
    },
}

/// The row that says the fleet was made to the end.
const MADE: &str = "demo";

/// Makes the fleet and plans it; one that is there is only planned.
///
/// # Errors
/// A database that holds something else, or a fleet that was cut off; storage.
pub async fn run(rooms: Rooms<'_>, options: DemoOptions) -> Result<Outcome, Error> {
    let call = (rooms.call)(rooms.now);
    if lease::last_fire(rooms.db, MADE).await?.is_some() {
        rooms.usage.refresh_forecasts(&call).await?;
        rooms.planning.run(&call, false).await?;
        let found = rooms.registry.count_devices(&call.scope, &DeviceFilter::default(), u64::MAX >> 1).await?;
        return Ok(Outcome::Found { devices: found, is_as_asked: found == options.devices as u64 });
    }
    if !rooms.registry.merchants_page(&call.scope, None, None, None, 1).await?.is_empty() {
        return Err(Error::NotEmpty);
    }
    let p = Parameters::load()?;
    let fleet = fleet::build(&p, options.devices, options.seed, rooms.now)?;
    // A moment before the first device, so that every plan is older than what it is for.
    reference::run(rooms, &(rooms.call)(fleet.start - TimeDelta::hours(1))).await?;
    let codes: BTreeSet<String> = fleet.devices.iter().map(|d| d.model.clone()).collect();
    let codes: Vec<String> = codes.into_iter().collect();
    let models = rooms.catalogue.models_by_codes(&call.scope, &codes).await?;
    let meters: HashMap<String, Vec<String>> = models
        .iter()
        .map(|m| (m.code.clone(), m.meters.iter().map(|meter| meter.meter_code.clone()).collect()))
        .collect();
    let readings = usage::readings(&p, &fleet, &reference::holidays()?, &meters, options.seed)?;
    let facts: HashMap<String, ModelFacts> = models.into_iter().map(|m| (m.code.clone(), facts_of(m))).collect();
    let told = Story::new(rooms, &p, &fleet, facts, options.seed).tell(readings, options.progress).await?;
    lease::set_last_fire(rooms.db, MADE, rooms.now).await?;
    Ok(Outcome::Made(told))
}

fn facts_of(model: DeviceModel) -> ModelFacts {
    let in_field = model.components.iter().filter(|c| c.replaceable_at == ReplaceableAt::Field);
    ModelFacts {
        id: model.id,
        field_parts: in_field.map(|c| c.kind).collect(),
        per_day: model.meters.iter().map(|m| (m.meter_code.clone(), m.planning_per_day)).collect(),
        manufacturer: model.manufacturer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::model::DeviceStatus;
    use chrono::{DateTime, Utc};
    use std::collections::BTreeMap;

    fn now() -> DateTime<Utc> {
        "2026-11-25T03:00:00Z".parse().unwrap()
    }

    fn build(devices: usize) -> fleet::Fleet {
        fleet::build(&Parameters::load().unwrap(), devices, 1, now()).unwrap()
    }

    #[test]
    fn the_default_fleet_has_the_counts_it_promises() {
        let fleet = build(500);
        assert_eq!((fleet.devices.len(), fleet.merchants.len(), fleet.sites.len()), (500, 370, 330));
        let standing: Vec<_> = fleet.stays.iter().filter(|s| s.to.is_none()).collect();
        // 430 in service or just installed, and 6 suspended beside them.
        assert_eq!(standing.len(), 436);
        let mut per_site: BTreeMap<usize, usize> = BTreeMap::new();
        for stay in &standing {
            *per_site.entry(fleet.positions[stay.position].site).or_default() += 1;
        }
        assert_eq!(per_site.len(), 330);
        assert_eq!(per_site.values().filter(|n| **n == 1).count(), 300);
        assert_eq!(per_site.values().max(), Some(&30));
        let same = fleet.sites.iter().filter(|s| s.name == "老王面馆").count();
        assert_eq!(same, 3);
        let repaired = fleet
            .acts
            .iter()
            .filter(|(_, act)| matches!(act, fleet::Act::Swap { old_status: DeviceStatus::InRepair, .. }))
            .count();
        // Twelve are in repair, and one came back from there.
        assert_eq!(repaired, 13);
        let back = |act: &fleet::Act| matches!(act, fleet::Act::Swap { old_status: DeviceStatus::InStock, .. });
        assert_eq!(fleet.acts.iter().filter(|(_, act)| back(act)).count(), 1);
        let ready = |act: &fleet::Act| matches!(act, fleet::Act::Become { status: DeviceStatus::Ready, .. });
        assert_eq!(fleet.acts.iter().filter(|(_, act)| ready(act)).count(), 1);
    }

    #[test]
    fn some_report_every_hour_and_some_lost_their_host_for_a_day() {
        let (p, fleet) = (Parameters::load().unwrap(), build(500));
        assert_eq!(fleet.hourly.len(), p.usage.hourly.devices + 1, "and the one with a story");
        assert_eq!(fleet.outage.len(), p.usage.outage.devices);
        assert!(fleet.outage.iter().all(|device| !fleet.hourly.contains(device)));
    }

    #[test]
    fn a_story_is_told_by_meters_that_its_model_has() {
        let (fleet, meters) = (build(500), meters());
        for watch in &fleet.watches {
            let known = &meters[&watch.case.model];
            for curve in &watch.case.meters {
                assert!(known.contains(&curve.meter), "{} has no {}", watch.case.model, curve.meter);
            }
        }
    }

    #[test]
    fn counters_of_a_story_never_go_back_and_none_is_read_in_the_future() {
        let (p, fleet) = (Parameters::load().unwrap(), build(500));
        let all = usage::readings(&p, &fleet, &reference::holidays().unwrap(), &meters(), 1).unwrap();
        assert!(all.iter().all(|r| r.read_at <= now() && r.read_at.timestamp() > 0));
        for watch in &fleet.watches {
            for curve in watch.case.meters.iter().filter(|c| c.decimals == 0 && c.meter != "UNSETTLED_TRANSACTIONS") {
                let of_curve = all.iter().filter(|r| r.device == watch.device && r.meter == curve.meter);
                let values: Vec<f64> = of_curve.map(|r| r.value).collect();
                assert!(values.len() > 3 && values.is_sorted(), "{}: {values:?}", curve.meter);
            }
        }
        for device in &fleet.hourly {
            let hours: Vec<f64> = all.iter().filter(|r| r.device == *device).map(|r| r.value).collect();
            assert!(hours.len() > 24 * 14, "{} readings", hours.len());
        }
        let burst = all.iter().filter(|r| r.meter == "TRANSACTION_TIMEOUTS").count();
        assert!(burst > 20 * 40, "{burst} readings of timeouts");
    }

    /// Meters by model code, as they are seeded.
    fn meters() -> HashMap<String, Vec<String>> {
        let text = include_str!("../../../seeds/device_models.json");
        let file: serde_json::Value = crate::seeding::read("device_models.json", text).unwrap();
        let code = |of: &serde_json::Value, key: &str| of[key].as_str().unwrap().to_owned();
        let of_model =
            |m: &serde_json::Value| m["meters"].as_array().unwrap().iter().map(|x| code(x, "meter")).collect();
        file["models"].as_array().unwrap().iter().map(|m| (code(m, "code"), of_model(m))).collect()
    }

    #[test]
    fn every_odd_case_is_in_the_default_fleet() {
        let (p, fleet) = (Parameters::load().unwrap(), build(500));
        for case in &p.odd_cases {
            let serial = cases::serial_of(case);
            let found = fleet.devices.iter().filter(|d| d.serial_number == serial).count();
            let wanted = if matches!(case, cases::OddCase::SameSerialTwoMakers { .. }) { 2 } else { 1 };
            assert_eq!(found, wanted, "{serial}");
        }
    }

    #[test]
    fn a_fleet_of_any_size_has_that_many_devices() {
        for devices in [1, 7, 50, 333, 2_000] {
            assert_eq!(build(devices).devices.len(), devices);
        }
    }

    #[test]
    fn usage_is_as_spread_as_it_promises() {
        let fleet = build(2_000);
        let mut levels: Vec<f64> = fleet.positions.iter().map(|p| p.level).collect();
        levels.sort_by(f64::total_cmp);
        let (median, p90) = (levels[levels.len() / 2], levels[levels.len() * 9 / 10]);
        assert!((4.5..8.5).contains(&median), "median {median}");
        assert!((45.0..75.0).contains(&p90), "P90 {p90}");
    }

    #[test]
    fn the_same_seed_makes_the_same_fleet() {
        let serials = |fleet: fleet::Fleet| fleet.devices.into_iter().map(|d| d.serial_number).collect::<Vec<_>>();
        assert_eq!(serials(build(120)), serials(build(120)));
    }
}
