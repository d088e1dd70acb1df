//! The devices with a story, where they stand and what happened to them.

use super::{Act, Builder, LateVisit, Stay, Watch};
use crate::kernel::calendar::local_to_instant;
use crate::registry::model::DeviceStatus;
use crate::seeding::Error;
use crate::seeding::demo::cases::{OddCase, WatchedCase, odd_serials, serial_of};
use crate::seeding::demo::parameters::wrong;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use std::collections::{BTreeMap, HashMap};

impl<'a> Builder<'a> {
    /// Positions of the odd cases: shops that stand alone; the busiest lane is the hypermarket's.
    pub(super) fn odd_positions(&self, sizes: &[usize]) -> HashMap<usize, (&'a OddCase, usize)> {
        let mut first_of_site = 0;
        let mut alone = Vec::new();
        for (site, size) in sizes.iter().enumerate() {
            if *size == 1 && self.p.kinds[self.fleet.sites[site].kind].code == "shop" {
                alone.push(first_of_site);
            }
            first_of_site += size;
        }
        let mut found = HashMap::new();
        for case in &self.p.odd_cases {
            match case {
                OddCase::BusiestLane { .. } if self.is_lane(0) => {
                    found.insert(0, (case, 0));
                }
                OddCase::SameSerialTwoMakers { models, .. } => {
                    for (place, position) in alone.drain(..models.len().min(alone.len())).enumerate() {
                        found.insert(position, (case, place));
                    }
                }
                // Stands nowhere.
                OddCase::WaitingInspection { .. } => {}
                _ => {
                    // What waits for the model's firmware stands where no other target counts.
                    let waits = matches!(case, OddCase::Watched(watched) if watched.firmware.is_some());
                    let fits = |position: &usize| !waits || !self.is_exception(*position);
                    if let Some(place) = alone.iter().position(fits) {
                        found.insert(alone.remove(place), (case, 0));
                    }
                }
            }
        }
        found
    }

    /// The device of an odd case, standing since before the history begins.
    pub(super) fn odd_device(&mut self, position: usize, (case, place): (&'a OddCase, usize)) -> Result<(), Error> {
        let history = self.history_days();
        let (from, start) = (self.days_ago(history + 150), self.start);
        let level = self.fleet.positions[position].level.clamp(4.0, 60.0);
        self.fleet.positions[position].level = level;
        let today = self.today;
        let ago = |days: i64| today - TimeDelta::days(days);
        let plain = |b: &mut Self, model: &str| -> Result<usize, Error> {
            let model = b.model(model)?;
            let device = b.device(model, Some(serial_of(case)), start)?;
            b.stay(device, position, from, true);
            Ok(device)
        };
        match case {
            OddCase::SameSerialTwoMakers { models, .. } => {
                plain(self, &models[place])?;
            }
            OddCase::SwapAt1120 {
                old_serial_number, model, days_ago, local_time, reason, old_device_status, ..
            } => {
                let model = self.model(model)?;
                let old = self.device(model, Some(old_serial_number), start)?;
                self.stay(old, position, from, true);
                let time =
                    NaiveTime::parse_from_str(local_time, "%H:%M").map_err(|_| wrong("local_time is no time"))?;
                let at = local_to_instant(self.zone, ago(*days_ago).and_time(time));
                let new = self.device(model, Some(serial_of(case)), at - TimeDelta::days(4))?;
                self.swap(old, new, position, at, reason.clone(), *old_device_status);
            }
            OddCase::LateAndTwice { model, performed_days_ago, logged_days_late, idempotency_key, .. } => {
                let device = plain(self, model)?;
                let performed_at = self.days_ago(*performed_days_ago);
                self.fleet.late_visit = Some(LateVisit {
                    device,
                    position,
                    performed_at,
                    logged_at: performed_at + TimeDelta::days(*logged_days_late),
                    idempotency_key: idempotency_key.clone(),
                });
            }
            OddCase::Wrap32Bit { model, days_ago, per_day, .. } => {
                self.fleet.positions[position].level = *per_day;
                let device = plain(self, model)?;
                self.fleet.devices[device].oddities.wraps_on = Some(ago(*days_ago));
            }
            OddCase::ResetToZero { model, days_ago, .. } => {
                let device = plain(self, model)?;
                self.fleet.devices[device].oddities.reset_on = Some(ago(*days_ago));
            }
            OddCase::LongGap { model, gap_days, days_ago, .. } => {
                let device = plain(self, model)?;
                self.fleet.devices[device].oddities.gap = Some((ago(*days_ago), ago(*days_ago - *gap_days)));
            }
            OddCase::BusiestLane { model, per_day, .. } => {
                self.fleet.positions[position].level = *per_day;
                self.fleet.positions[position].growth = 0.0;
                plain(self, model)?;
            }
            OddCase::NeverRead { model, .. } => {
                let device = plain(self, model)?;
                self.fleet.devices[device].oddities.is_never_read = true;
            }
            OddCase::Growing { model, per_day, factor, months, .. } => {
                self.fleet.positions[position].level = *per_day;
                self.fleet.positions[position].growth = factor.powf(12.0 / f64::from(*months)) - 1.0;
                plain(self, model)?;
            }
            OddCase::MovedTwice { model, days_ago, .. } => self.moved(position, model, days_ago, case, from)?,
            OddCase::BackFromRepair { model, out_days_ago, repaired_days_ago, back_days_ago, reason, .. } => {
                let device = plain(self, model)?;
                let days = [*out_days_ago, *repaired_days_ago, *back_days_ago];
                self.back_from_repair(device, position, days, reason)?;
            }
            OddCase::WaitingInspection { .. } => {}
            OddCase::Watched(watched) => self.watched(position, watched, from)?,
        }
        Ok(())
    }

    /// A device that stood at other sites before it came to its position.
    fn moved(
        &mut self,
        last: usize,
        model: &str,
        days_ago: &[i64],
        case: &OddCase,
        from: DateTime<Utc>,
    ) -> Result<(), Error> {
        let sites = self.fleet.sites.len();
        let level = self.fleet.positions[last].level;
        let mut stops = Vec::new();
        for step in 1..=days_ago.len() {
            let site = (self.fleet.positions[last].site + step * 7) % sites;
            let city = self.fleet.sites[site].region_code.chars().take(4).collect::<String>();
            stops.push(self.position(site, format!("备用机位{step}"), &city, level)?);
        }
        stops.push(last);
        let model = self.model(model)?;
        let device = self.device(model, Some(serial_of(case)), self.start)?;
        self.stay(device, stops[0], from, true);
        for (position, days) in stops[1..].iter().copied().zip(days_ago) {
            let at = self.days_ago(*days);
            self.end_stay(device, at);
            self.fleet.stays.push(Stay { device, position, from: at, to: None });
            self.fleet.acts.push((at, Act::Relocate { device, position }));
        }
        Ok(())
    }

    pub(super) fn is_odd(&self, position: usize) -> bool {
        let odd = odd_serials(&self.p.odd_cases);
        self.fleet
            .stays
            .iter()
            .any(|s| s.position == position && odd.contains(&self.fleet.devices[s.device].serial_number))
    }

    /// A device that went to repair, and came back to where a loaner stood meanwhile.
    fn back_from_repair(
        &mut self,
        device: usize,
        position: usize,
        days_ago: [i64; 3],
        reason: &str,
    ) -> Result<(), Error> {
        let [out, repaired, back] = days_ago.map(|days| self.days_ago(days));
        let model = self.model(&self.fleet.devices[device].model.clone())?;
        let loaner = self.device(model, None, out - TimeDelta::days(20))?;
        self.swap(device, loaner, position, out, reason.to_owned(), DeviceStatus::InRepair);
        let status = DeviceStatus::InStock;
        self.fleet.acts.push((repaired, Act::Become { device, status, reason: Some("修复入库".to_owned()) }));
        self.swap(loaner, device, position, back, "修复返回，换回周转机".to_owned(), status);
        Ok(())
    }

    /// A device that shows one thing now.
    fn watched(&mut self, position: usize, case: &WatchedCase, from: DateTime<Utc>) -> Result<(), Error> {
        let today = self.today;
        let ago = |days: i64| today - TimeDelta::days(days);
        if let Some(per_day) = case.per_day {
            self.fleet.positions[position].level = per_day;
        }
        // Its interval is to be foreseen to the week.
        self.fleet.positions[position].growth = 0.0;
        let site = self.fleet.positions[position].site;
        self.fleet.sites[site].environment = case.environment;
        let (from, registered_at) = match case.installed_days_ago {
            Some(days) => {
                let at = self.days_ago(days);
                (at, at - TimeDelta::days(9))
            }
            None => (from, self.start),
        };
        let model = self.model(&case.model)?;
        let device = self.device(model, Some(&case.serial_number), registered_at.max(self.start))?;
        if let Some(firmware) = &case.firmware {
            self.fleet.devices[device].firmware.clone_from(firmware);
        }
        let oddities = &mut self.fleet.devices[device].oddities;
        oddities.silent_from = case.silent_days.map(ago);
        oddities.idle = case.idle_days.map(|[begins, ends]| (ago(begins), ago(ends)));
        self.stay(device, position, from, true);
        self.fleet.watches.push(Watch { device, position, case: case.clone() });
        Ok(())
    }

    /// The odd cases that stand nowhere, by what they are now.
    pub(super) fn odd_in_store(&self) -> BTreeMap<DeviceStatus, &'a OddCase> {
        let mut found = BTreeMap::new();
        for case in &self.p.odd_cases {
            if let OddCase::WaitingInspection { ready_days_ago, .. } = case {
                let status = if ready_days_ago.is_some() { DeviceStatus::Ready } else { DeviceStatus::InStock };
                found.insert(status, case);
            }
        }
        found
    }

    /// A device of an odd case in stock.
    pub(super) fn odd_stored(&mut self, case: &'a OddCase) -> Result<(), Error> {
        let OddCase::WaitingInspection { model, registered_days_ago, ready_days_ago, .. } = case else {
            return Ok(());
        };
        let model = self.model(model)?;
        let at = self.days_ago(*registered_days_ago);
        let device = self.device(model, Some(serial_of(case)), at)?;
        if let Some(days) = ready_days_ago {
            let at = self.days_ago(*days);
            let (status, reason) = (DeviceStatus::Ready, self.reason(DeviceStatus::Ready));
            self.fleet.acts.push((at, Act::Become { device, status, reason }));
        }
        Ok(())
    }
}
