//! Releases, what devices are to run, who has it already, and when nothing may be changed.

use super::Story;
use crate::catalogue::service::NewFreezePeriod;
use crate::firmware::model::{ReleaseFilter, TargetSelector};
use crate::firmware::service::{NewRelease, NewWindow, SetTarget};
use crate::kernel::calendar::local_date;
use crate::kernel::ids::{DeviceModelId, FirmwareReleaseId};
use crate::registry::file::sha256_hex;
use crate::registry::model::{DeviceRef, SoftwareKind};
use crate::registry::service::SoftwareReport;
use crate::seeding::Error;
use crate::seeding::demo::cases::odd_serials;
use crate::seeding::demo::parameters::{Freeze, wrong};
use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};
use rand::RngExt;

/// Days ahead for which freeze periods are known.
const FROZEN_AHEAD: i64 = 60;
/// How long before now they were agreed.
const AGREED: TimeDelta = TimeDelta::days(9);
/// Nights in which devices were updated already.
const NIGHTS: i64 = 3;

impl Story<'_> {
    /// The model that has targets; none where the fleet has no such device.
    fn updated_model(&self) -> Option<DeviceModelId> {
        self.models.get(&self.p.firmware.model).map(|m| m.id)
    }

    /// Publishes the releases of the time after `from`, or all up to `to` when there is none.
    pub(super) async fn publish(&self, from: Option<DateTime<Utc>>, to: DateTime<Utc>) -> Result<(), Error> {
        let Some(model) = self.updated_model() else { return Ok(()) };
        for release in &self.p.firmware.releases {
            let published_at = self.fleet.now - TimeDelta::days(release.published_days_ago);
            if published_at > to || from.is_some_and(|from| published_at <= from) {
                continue;
            }
            let new = NewRelease {
                version: release.version.clone(),
                model_ids: vec![model],
                criticality: release.criticality,
                fixes: release.fixes.clone(),
                minimum_prior_version: release.minimum_prior_version.clone(),
                notes: release.notes.clone(),
                checksum_sha256: sha256_hex(&format!("{} {}", self.p.firmware.model, release.version)),
                size_bytes: release.size_bytes,
                gates: release.gates.clone(),
                published_at: Some(published_at),
            };
            self.rooms.firmware.publish(&(self.rooms.call)(published_at.max(self.fleet.start)), new).await?;
        }
        Ok(())
    }

    async fn release(&self, model: DeviceModelId, version: &str) -> Result<FirmwareReleaseId, Error> {
        let filter =
            ReleaseFilter { model_id: Some(model), version: Some(version.to_owned()), ..ReleaseFilter::default() };
        let found = self.rooms.firmware.releases_page(&self.scope(), &filter, None, 1).await?;
        found.first().map(|r| r.id).ok_or_else(|| wrong(format!("there is no release {version}")))
    }

    /// Sets the targets, plans for them, and brings some devices there.
    pub(super) async fn update(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<(), Error> {
        let Some(model) = self.updated_model() else { return Ok(()) };
        let (firmware, now) = (&self.p.firmware, self.fleet.now);
        let set_at = now - TimeDelta::days(firmware.target.days_ago);
        if from < set_at && set_at <= to {
            // A night of the week that comes the day after tomorrow: one that has not been since.
            let weekday = self.day_ago(-2).weekday().num_days_from_sunday();
            let window =
                NewWindow { cron: format!("0 0 * * {weekday}"), duration_minutes: firmware.target.window_minutes };
            let target = SetTarget {
                model_id: model,
                release_id: self.release(model, &firmware.target.version).await?,
                selector: None,
                window: Some(window),
                allow_downgrade: false,
                expected_version: None,
            };
            self.rooms.firmware.set_target(&(self.rooms.call)(set_at), target).await?;
            // Orders for the updates, in the hours that last night found and before the first of them are
            // reported.
            self.rooms.usage.refresh_forecasts(&(self.rooms.call)(set_at)).await?;
            self.rooms.planning.run(&(self.rooms.call)(set_at + TimeDelta::hours(1)), false).await?;
            self.report_updates(set_at).await?;
        }
        let set_at = now - TimeDelta::hours(firmware.exception.hours_ago);
        if from < set_at && set_at <= to {
            let selector =
                TargetSelector { region_codes: firmware.exception.region_codes.clone(), ..TargetSelector::default() };
            let target = SetTarget {
                model_id: model,
                release_id: self.release(model, &firmware.exception.version).await?,
                selector: Some(selector),
                window: None,
                allow_downgrade: false,
                expected_version: None,
            };
            self.rooms.firmware.set_target(&(self.rooms.call)(set_at), target).await?;
        }
        Ok(())
    }

    /// Some devices report the next release on the way, in the nights after the target was set.
    async fn report_updates(&mut self, set_at: DateTime<Utc>) -> Result<(), Error> {
        let (firmware, fleet) = (&self.p.firmware, self.fleet);
        let odd = odd_serials(&self.p.odd_cases);
        let mut versions: Vec<&str> = firmware.releases.iter().map(|r| r.version.as_str()).collect();
        versions.truncate(versions.iter().position(|v| *v == firmware.target.version).map_or(0, |last| last + 1));
        let first = local_date(fleet.zone, set_at) + TimeDelta::days(1);
        for night in 0..NIGHTS {
            let begun = self.local(first + TimeDelta::days(night), 1, 30);
            let mut reports = Vec::new();
            for stay in fleet.stays.iter().filter(|s| s.to.is_none() && s.from < set_at) {
                let device = &fleet.devices[stay.device];
                let region = &fleet.sites[fleet.positions[stay.position].site].region_code;
                let is_other = firmware.exception.region_codes.iter().any(|code| region.starts_with(code.as_str()));
                let is_heard = device.oddities.silent_from.is_none() && !device.oddities.is_never_read;
                let is_meant = device.model == firmware.model && is_heard && !is_other;
                // Each in one of the nights; what reports every hour shows when it will be.
                if !is_meant
                    || stay.device as i64 % NIGHTS != night
                    || odd.contains(&device.serial_number)
                    || fleet.hourly.contains(&stay.device)
                    || !self.rng.random_bool(firmware.updated_share)
                {
                    continue;
                }
                // From a version that is older than all releases the first one comes next.
                let next = versions.iter().position(|v| *v == device.firmware).map_or(0, |place| place + 1);
                let Some(version) = versions.get(next) else { continue };
                reports.push(SoftwareReport {
                    device: DeviceRef::Id(self.device(stay.device)?),
                    kind: SoftwareKind::Firmware,
                    name: None,
                    version: (*version).to_owned(),
                    reported_at: begun + TimeDelta::minutes(self.rng.random_range(0..150)),
                });
            }
            let at = begun + TimeDelta::hours(4);
            if !reports.is_empty() && at <= fleet.now {
                self.rooms.registry.report_software(&(self.rooms.call)(at), &reports).await?;
            }
        }
        Ok(())
    }

    /// The freeze periods that begin within two months of today, as they were agreed some days ago.
    pub(super) async fn freeze(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<(), Error> {
        let at = self.fleet.now - AGREED;
        if at <= from || at > to {
            return Ok(());
        }
        let today = self.day_ago(0);
        for freeze in &self.p.freezes {
            let (starts_on, ends_on) = next_freeze(freeze, today)?;
            if (starts_on - today).num_days() > FROZEN_AHEAD {
                continue;
            }
            let new = NewFreezePeriod {
                code: format!("{}-{}", freeze.code, starts_on.year()),
                name: freeze.name.clone(),
                starts_on,
                ends_on,
                region_codes: vec![],
                channels: vec!["REMOTE".to_owned(), "FIELD".to_owned()],
            };
            self.rooms.catalogue.put_freeze_period(&(self.rooms.call)(at), &new, None).await?;
        }
        Ok(())
    }
}

/// A freeze period that is not over, first and last day.
fn next_freeze(freeze: &Freeze, today: NaiveDate) -> Result<(NaiveDate, NaiveDate), Error> {
    let day = |year: i32, text: &str| {
        NaiveDate::parse_from_str(&format!("{year}-{text}"), "%Y-%m-%d")
            .map_err(|_| wrong(format!("freezes: {text} is no day of {year}")))
    };
    // One that began last year can still last.
    for year in today.year() - 1..=today.year() + 1 {
        let (starts_on, mut ends_on) = (day(year, &freeze.from)?, day(year, &freeze.to)?);
        if ends_on < starts_on {
            ends_on = ends_on.checked_add_months(Months::new(12)).unwrap_or(ends_on);
        }
        if ends_on >= today {
            return Ok((starts_on, ends_on));
        }
    }
    Err(wrong(format!("freezes: {} never comes", freeze.code)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeding::demo::parameters::Parameters;

    #[test]
    fn whenever_the_demo_is_made_a_freeze_lies_ahead() {
        let p = Parameters::load().unwrap();
        let first: NaiveDate = "2026-01-01".parse().unwrap();
        for today in first.iter_days().take(366) {
            let mut ahead = p.freezes.iter().map(|f| next_freeze(f, today).unwrap());
            let is_near = |(starts_on, ends_on): (NaiveDate, NaiveDate)| {
                ends_on >= today && (starts_on - today).num_days() <= FROZEN_AHEAD
            };
            assert!(ahead.any(is_near), "no freeze within two months of {today}");
        }
    }

    #[test]
    fn a_freeze_over_new_year_is_one() {
        let p = Parameters::load().unwrap();
        let freeze = p.freezes.iter().find(|f| f.from > f.to).unwrap();
        let day = |text: &str| -> NaiveDate { text.parse().unwrap() };
        assert_eq!(next_freeze(freeze, day("2027-01-01")).unwrap(), (day("2026-12-30"), day("2027-01-02")));
        assert_eq!(next_freeze(freeze, day("2027-01-03")).unwrap(), (day("2027-12-30"), day("2028-01-02")));
    }
}
