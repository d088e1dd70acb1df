//! Merchants, sites, positions and technicians.

use super::{BULK, RegistryService, expect, optional, optional_prose, text};
use crate::db::StoreError;
use crate::db::tx::Tx;
use crate::kernel::calendar::parse_zone;
use crate::kernel::call::Call;
use crate::kernel::ids::{MerchantId, PositionId, SiteId, TechnicianId};
use crate::kernel::subject::SubjectKind;
use crate::registry::error::Error;
use crate::registry::model::*;
use crate::registry::store;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// A merchant to be made.
#[derive(Clone, Debug)]
pub struct NewMerchant {
    /// Name.
    pub name: String,
    /// MID.
    pub merchant_number: Option<String>,
}

/// A site to be made.
#[derive(Clone, Debug)]
pub struct NewSite {
    /// Its merchant.
    pub merchant_id: MerchantId,
    /// Name.
    pub name: String,
    /// Address.
    pub address: Option<String>,
    /// Administrative code.
    pub region_code: Option<String>,
    /// Degrees.
    pub latitude: Option<f64>,
    /// Degrees.
    pub longitude: Option<f64>,
    /// What the coordinates refer to.
    pub coordinate_system: Option<CoordinateSystem>,
    /// IANA zone.
    pub time_zone: String,
    /// Hours by weekday.
    pub opening_hours: Vec<OpeningHours>,
    /// Closed days.
    pub closed_days: Vec<NaiveDate>,
    /// Closed on public holidays.
    pub observes_holidays: bool,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// What surrounds the devices.
    pub environment: Option<SiteEnvironment>,
    /// Whom to ask for.
    pub contact: Option<SiteContact>,
}

/// A change of a site; absent parts stay.
#[derive(Clone, Debug, Default)]
pub struct SiteChange {
    /// The version the caller has.
    pub expected_version: Option<i64>,
    /// Name.
    pub name: Option<String>,
    /// Address.
    pub address: Option<String>,
    /// Administrative code.
    pub region_code: Option<String>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// Hours by weekday.
    pub opening_hours: Option<Vec<OpeningHours>>,
    /// Closed days.
    pub closed_days: Option<Vec<NaiveDate>>,
    /// Closed on public holidays.
    pub observes_holidays: Option<bool>,
    /// What surrounds the devices.
    pub environment: Option<SiteEnvironment>,
    /// Whom to ask for.
    pub contact: Option<SiteContact>,
}

/// A position to be made.
#[derive(Clone, Debug)]
pub struct NewPosition {
    /// Its site.
    pub site_id: SiteId,
    /// Name, unique at the site.
    pub name: String,
    /// TID.
    pub terminal_number: Option<String>,
}

/// A technician to be made.
#[derive(Clone, Debug)]
pub struct NewTechnician {
    /// Name.
    pub name: String,
    /// The employer's number.
    pub employee_number: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// Regions.
    pub region_codes: Vec<String>,
    /// Working hours a week for visits.
    pub weekly_hours: Option<f64>,
}

/// What was made, and whether it was there before.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Made<T> {
    /// Its id.
    pub id: T,
    /// False when it was there already.
    pub is_new: bool,
}

/// Closed days a site can name.
const MAX_CLOSED_DAYS: usize = 1_000;

/// Whom to ask for; nobody when neither name nor phone is given.
fn contact(given: Option<&SiteContact>) -> Result<Option<SiteContact>, Error> {
    let Some(given) = given else { return Ok(None) };
    let contact = SiteContact {
        name: optional(given.name.as_deref(), "contact", 200)?,
        phone: optional(given.phone.as_deref(), "contact", 64)?,
    };
    Ok((contact != SiteContact::default()).then_some(contact))
}

fn hours(hours: &[OpeningHours]) -> Result<(), Error> {
    let is_time = |t: &str| chrono::NaiveTime::parse_from_str(t, "%H:%M").is_ok() || t == "24:00";
    for h in hours {
        if !(1..=7).contains(&h.weekday) || !is_time(&h.opens) || !is_time(&h.closes) {
            return Err(Error::Invalid {
                field: "openingHours",
                problem: "give weekday 1 (Monday) to 7 (Sunday) and times as HH:MM".into(),
            });
        }
    }
    too_many("openingHours", hours.len(), 28)
}

fn zone(name: &str) -> Result<chrono_tz::Tz, Error> {
    Ok(parse_zone(name)?)
}

fn too_many(field: &'static str, given: usize, max: usize) -> Result<(), Error> {
    if given > max { Err(Error::TooMany { field, given, max }) } else { Ok(()) }
}

/// An ISO 3166-1 alpha-2 code, in capitals.
fn country(code: Option<&str>) -> Result<Option<String>, Error> {
    let Some(code) = optional(code, "country", 2)? else { return Ok(None) };
    if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Err(Error::Invalid { field: "country", problem: "give two letters, such as CN".into() });
    }
    Ok(Some(code.to_ascii_uppercase()))
}

/// Codes of regions, cleaned.
fn regions(codes: &[String]) -> Result<Vec<String>, Error> {
    too_many("regionCodes", codes.len(), 500)?;
    codes.iter().map(|code| text(code, "regionCodes", 32)).collect()
}

impl RegistryService {
    /// Gives the organization its name; for seeding.
    ///
    /// # Errors
    /// An empty name, or one that is too long; storage.
    pub async fn rename_organization(&self, call: &Call, name: &str) -> Result<(), Error> {
        let name = text(name, "name", 200)?;
        let tx = self.db.begin(call).await?;
        store::rename_organization(tx.conn(), tx.scope(), &name).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes a merchant.
    ///
    /// # Errors
    /// A bad name, a merchant number that is taken.
    pub async fn create_merchant(&self, call: &Call, new: NewMerchant) -> Result<Made<MerchantId>, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let mut rows = self.add_merchants(&tx, &[new]).await?;
        // One row in, one row out.
        let made = rows.pop().ok_or(Error::NotFound { what: "merchant", field: "name" })??;
        if !made.is_new {
            return Err(Error::Exists { what: "this merchant number".into(), field: "merchantNumber" });
        }
        tx.finish(&made).await?;
        Ok(made)
    }

    /// Makes many merchants in short changes; one with a known number is answered as it is.
    ///
    /// # Errors
    /// Storage; single refusals are in the rows.
    pub async fn create_merchants(
        &self,
        call: &Call,
        new: &[NewMerchant],
    ) -> Result<Vec<Result<Made<MerchantId>, Error>>, Error> {
        let mut made = Vec::with_capacity(new.len());
        for chunk in new.chunks(BULK) {
            let tx = self.db.begin(call).await?;
            made.extend(self.add_merchants(&tx, chunk).await?);
            tx.commit().await?;
        }
        Ok(made)
    }

    async fn add_merchants(&self, tx: &Tx, new: &[NewMerchant]) -> Result<Vec<Result<Made<MerchantId>, Error>>, Error> {
        let numbers: Vec<String> = new
            .iter()
            .filter_map(|m| optional(m.merchant_number.as_deref(), "merchantNumber", 64).ok().flatten())
            .collect();
        let mut known: HashMap<String, MerchantId> = store::merchants_by_numbers(tx.conn(), tx.scope(), &numbers)
            .await?
            .into_iter()
            .filter_map(|m| m.merchant_number.map(|n| (n, m.id)))
            .collect();
        let mut rows = Vec::new();
        let mut made = Vec::with_capacity(new.len());
        for m in new {
            let checked = text(&m.name, "name", 200)
                .and_then(|name| Ok((name, optional(m.merchant_number.as_deref(), "merchantNumber", 64)?)));
            made.push(checked.map(|(name, merchant_number)| {
                if let Some(id) = merchant_number.as_ref().and_then(|n| known.get(n)) {
                    return Made { id: *id, is_new: false };
                }
                let id = self.ids.next(tx.now());
                if let Some(number) = &merchant_number {
                    known.insert(number.clone(), id);
                }
                rows.push(Merchant { id, name, merchant_number, version: 1, created_at: tx.now() });
                Made { id, is_new: true }
            }));
        }
        store::insert_merchants(tx.conn(), tx.scope(), &rows)
            .await
            .map_err(taken("this merchant number", "merchantNumber"))?;
        Ok(made)
    }

    fn site(&self, tx: &Tx, new: &NewSite) -> Result<Site, Error> {
        hours(&new.opening_hours)?;
        match (new.latitude, new.longitude) {
            (Some(lat), Some(lon)) if lat.abs() <= 90.0 && lon.abs() <= 180.0 => {
                if new.coordinate_system.is_none() {
                    let what = "what the coordinates refer to: WGS84, GCJ02 or BD09";
                    return Err(Error::Required { field: "coordinateSystem", what });
                }
            }
            (None, None) => {}
            (Some(lat), Some(_)) => {
                let field = if lat.abs() <= 90.0 { "longitude" } else { "latitude" };
                let problem = "latitude goes from -90 to 90, longitude from -180 to 180".into();
                return Err(Error::OutOfRange { field, problem });
            }
            (Some(_), None) => {
                return Err(Error::Required { field: "longitude", what: "both coordinates, or neither" });
            }
            (None, Some(_)) => return Err(Error::Required { field: "latitude", what: "both coordinates, or neither" }),
        }
        too_many("closedDays", new.closed_days.len(), MAX_CLOSED_DAYS)?;
        Ok(Site {
            id: self.ids.next(tx.now()),
            merchant_id: new.merchant_id,
            name: text(&new.name, "name", 200)?,
            address: optional_prose(new.address.as_deref(), "address", 500)?,
            region_code: optional(new.region_code.as_deref(), "regionCode", 32)?,
            latitude: new.latitude,
            longitude: new.longitude,
            coordinate_system: new.coordinate_system,
            time_zone: zone(&new.time_zone)?,
            opening_hours: new.opening_hours.clone(),
            closed_days: new.closed_days.clone(),
            observes_holidays: new.observes_holidays,
            country: country(new.country.as_deref())?,
            environment: new.environment,
            contact: contact(new.contact.as_ref())?,
            version: 1,
            created_at: tx.now(),
        })
    }

    /// Makes a site.
    ///
    /// # Errors
    /// Unknown merchant or zone, coordinates without their system, texts out of bounds.
    pub async fn create_site(&self, call: &Call, new: NewSite) -> Result<Made<SiteId>, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let site = self.site(&tx, &new)?;
        if store::merchants_by_ids(tx.conn(), tx.scope(), &[new.merchant_id]).await?.is_empty() {
            return Err(Error::NotFound { what: "merchant", field: "merchantId" });
        }
        store::upsert_sites(tx.conn(), tx.scope(), std::slice::from_ref(&site)).await?;
        let made = Made { id: site.id, is_new: true };
        tx.finish(&made).await?;
        Ok(made)
    }

    /// Makes many sites in short changes; one of the same merchant, name and address is answered
    /// as it is.
    ///
    /// # Errors
    /// Storage; single refusals are in the rows.
    pub async fn create_sites(&self, call: &Call, new: &[NewSite]) -> Result<Vec<Result<Made<SiteId>, Error>>, Error> {
        let mut made = Vec::with_capacity(new.len());
        for chunk in new.chunks(BULK) {
            let tx = self.db.begin(call).await?;
            made.extend(self.add_sites(&tx, chunk).await?);
            tx.commit().await?;
        }
        Ok(made)
    }

    async fn add_sites(&self, tx: &Tx, new: &[NewSite]) -> Result<Vec<Result<Made<SiteId>, Error>>, Error> {
        let merchants: HashSet<MerchantId> = new.iter().map(|s| s.merchant_id).collect();
        let merchants: Vec<MerchantId> = merchants.into_iter().collect();
        let ours: HashSet<MerchantId> =
            store::merchants_by_ids(tx.conn(), tx.scope(), &merchants).await?.into_iter().map(|m| m.id).collect();
        let mut known: HashMap<(MerchantId, String, Option<String>), SiteId> =
            store::sites_of_merchants(tx.conn(), tx.scope(), &merchants)
                .await?
                .into_iter()
                .map(|s| ((s.merchant_id, s.name, s.address), s.id))
                .collect();
        let mut rows = Vec::new();
        let mut made = Vec::with_capacity(new.len());
        for n in new {
            if !ours.contains(&n.merchant_id) {
                made.push(Err(Error::NotFound { what: "merchant", field: "merchantId" }));
                continue;
            }
            made.push(self.site(tx, n).map(|site| {
                let key = (site.merchant_id, site.name.clone(), site.address.clone());
                if let Some(id) = known.get(&key) {
                    return Made { id: *id, is_new: false };
                }
                known.insert(key, site.id);
                let id = site.id;
                rows.push(site);
                Made { id, is_new: true }
            }));
        }
        store::upsert_sites(tx.conn(), tx.scope(), &rows).await?;
        Ok(made)
    }

    /// Changes a site; its devices are planned anew.
    ///
    /// # Errors
    /// Unknown site or zone, a stale version, texts out of bounds.
    pub async fn update_site(&self, call: &Call, id: SiteId, change: SiteChange) -> Result<Made<SiteId>, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        store::lock_sites(tx.conn(), tx.scope(), &[id]).await?;
        let mut site = store::sites_by_ids(tx.conn(), tx.scope(), &[id])
            .await?
            .pop()
            .ok_or(Error::NotFound { what: "site", field: "siteId" })?;
        expect(change.expected_version, site.version)?;
        let region_before = site.region_code.clone();
        if let Some(name) = &change.name {
            site.name = text(name, "name", 200)?;
        }
        if change.address.is_some() {
            site.address = optional_prose(change.address.as_deref(), "address", 500)?;
        }
        if change.region_code.is_some() {
            site.region_code = optional(change.region_code.as_deref(), "regionCode", 32)?;
        }
        if let Some(name) = &change.time_zone {
            site.time_zone = zone(name)?;
        }
        if let Some(opening) = change.opening_hours {
            hours(&opening)?;
            site.opening_hours = opening;
        }
        if let Some(days) = change.closed_days {
            too_many("closedDays", days.len(), MAX_CLOSED_DAYS)?;
            site.closed_days = days;
        }
        site.observes_holidays = change.observes_holidays.unwrap_or(site.observes_holidays);
        site.environment = change.environment.or(site.environment);
        if change.contact.is_some() {
            site.contact = contact(change.contact.as_ref())?;
        }
        site.version += 1;
        store::upsert_sites(tx.conn(), tx.scope(), std::slice::from_ref(&site)).await?;
        let devices = store::devices_at_sites(tx.conn(), tx.scope(), &[id]).await?;
        if site.region_code != region_before {
            store::set_region(tx.conn(), tx.scope(), id, site.region_code.as_deref()).await?;
        }
        let mut touched = vec![(SubjectKind::Site, id.0)];
        touched.extend(devices.iter().map(|d| (SubjectKind::Device, d.id.0)));
        tx.mark(touched, self.ids.uuid(tx.now()));
        let made = Made { id, is_new: false };
        tx.finish(&made).await?;
        Ok(made)
    }

    /// Makes a position.
    ///
    /// # Errors
    /// Unknown site, a name or terminal number that is taken.
    pub async fn create_position(&self, call: &Call, new: NewPosition) -> Result<Made<PositionId>, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        if store::sites_by_ids(tx.conn(), tx.scope(), &[new.site_id]).await?.is_empty() {
            return Err(Error::NotFound { what: "site", field: "siteId" });
        }
        let position = self.position(&tx, &new)?;
        let at_site = store::positions_of_sites(tx.conn(), tx.scope(), &[new.site_id]).await?;
        if at_site.iter().any(|p| p.name == position.name) {
            return Err(Error::Exists { what: format!("a position {} at this site", position.name), field: "name" });
        }
        store::insert_positions(tx.conn(), tx.scope(), std::slice::from_ref(&position))
            .await
            .map_err(taken("a position of this name at the site, or this terminal number,", "terminalNumber"))?;
        let made = Made { id: position.id, is_new: true };
        tx.finish(&made).await?;
        Ok(made)
    }

    fn position(&self, tx: &Tx, new: &NewPosition) -> Result<Position, Error> {
        Ok(Position {
            id: self.ids.next(tx.now()),
            site_id: new.site_id,
            name: text(&new.name, "name", 200)?,
            terminal_number: optional(new.terminal_number.as_deref(), "terminalNumber", 32)?,
            version: 1,
            created_at: tx.now(),
        })
    }

    /// Makes many positions in one change; one of the same site, name and terminal number is
    /// answered as it is.
    ///
    /// # Errors
    /// An unknown site, a name or terminal number that is taken; nothing is made then.
    pub async fn create_positions(&self, call: &Call, new: &[NewPosition]) -> Result<Vec<PositionId>, Error> {
        let tx = self.db.begin(call).await?;
        let rows = self.add_positions(&tx, new).await?;
        let ids = rows.into_iter().map(|row| row.map(|made| made.id)).collect::<Result<Vec<_>, _>>()?;
        tx.commit().await?;
        Ok(ids)
    }

    /// Makes many positions in short changes, row by row; one of the same site, name and terminal
    /// number is answered as it is.
    ///
    /// # Errors
    /// Storage; single refusals are in the rows.
    pub async fn import_positions(
        &self,
        call: &Call,
        new: &[NewPosition],
    ) -> Result<Vec<Result<Made<PositionId>, Error>>, Error> {
        let mut made = Vec::with_capacity(new.len());
        for chunk in new.chunks(BULK) {
            let tx = self.db.begin(call).await?;
            made.extend(self.add_positions(&tx, chunk).await?);
            tx.commit().await?;
        }
        Ok(made)
    }

    async fn add_positions(&self, tx: &Tx, new: &[NewPosition]) -> Result<Vec<Result<Made<PositionId>, Error>>, Error> {
        let sites: HashSet<SiteId> = new.iter().map(|p| p.site_id).collect();
        let sites: Vec<SiteId> = sites.into_iter().collect();
        let ours: HashSet<SiteId> =
            store::sites_by_ids(tx.conn(), tx.scope(), &sites).await?.into_iter().map(|s| s.id).collect();
        let numbers: Vec<String> = new
            .iter()
            .filter_map(|p| optional(p.terminal_number.as_deref(), "terminalNumber", 32).ok().flatten())
            .collect();
        let mut by_number: HashMap<String, PositionId> = store::positions_by_terminals(tx.conn(), tx.scope(), &numbers)
            .await?
            .into_iter()
            .filter_map(|p| p.terminal_number.map(|n| (n, p.id)))
            .collect();
        let mut by_name: HashMap<(SiteId, String), Position> = store::positions_of_sites(tx.conn(), tx.scope(), &sites)
            .await?
            .into_iter()
            .map(|p| ((p.site_id, p.name.clone()), p))
            .collect();
        let mut rows = Vec::new();
        let mut made = Vec::with_capacity(new.len());
        for n in new {
            if !ours.contains(&n.site_id) {
                made.push(Err(Error::NotFound { what: "site", field: "siteId" }));
                continue;
            }
            made.push(self.position(tx, n).and_then(|position| {
                let key = (position.site_id, position.name.clone());
                if let Some(known) = by_name.get(&key) {
                    if known.terminal_number == position.terminal_number {
                        return Ok(Made { id: known.id, is_new: false });
                    }
                    let what = format!("a position {} with another terminal number", position.name);
                    return Err(Error::Exists { what, field: "name" });
                }
                if let Some(number) = &position.terminal_number {
                    if by_number.contains_key(number) {
                        return Err(Error::Exists {
                            what: format!("terminal number {number}"),
                            field: "terminalNumber",
                        });
                    }
                    by_number.insert(number.clone(), position.id);
                }
                let id = position.id;
                by_name.insert(key, position.clone());
                rows.push(position);
                Ok(Made { id, is_new: true })
            }));
        }
        store::insert_positions(tx.conn(), tx.scope(), &rows)
            .await
            .map_err(taken("a position of this name at the site, or this terminal number,", "terminalNumber"))?;
        Ok(made)
    }

    /// Makes a technician.
    ///
    /// # Errors
    /// An employee number that is taken, texts out of bounds.
    pub async fn create_technician(&self, call: &Call, new: NewTechnician) -> Result<Made<TechnicianId>, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        if new.weekly_hours.is_some_and(|hours| !(0.0..=168.0).contains(&hours)) {
            let problem = "give 0 to 168 hours a week".to_owned();
            return Err(Error::Invalid { field: "weeklyHours", problem });
        }
        let technician = Technician {
            id: self.ids.next(call.now),
            name: text(&new.name, "name", 200)?,
            employee_number: optional(new.employee_number.as_deref(), "employeeNumber", 64)?,
            phone: optional(new.phone.as_deref(), "phone", 64)?,
            region_codes: regions(&new.region_codes)?,
            weekly_hours: new.weekly_hours,
            version: 1,
            created_at: call.now,
        };
        store::insert_technician(tx.conn(), tx.scope(), &technician)
            .await
            .map_err(taken("this employee number", "employeeNumber"))?;
        let made = Made { id: technician.id, is_new: true };
        tx.finish(&made).await?;
        Ok(made)
    }
}

/// A unique violation as a named refusal.
pub(super) fn taken(what: &'static str, field: &'static str) -> impl Fn(StoreError) -> Error {
    move |e| match e {
        StoreError::Conflict { .. } => Error::Exists { what: what.to_owned(), field },
        other => Error::Store(other),
    }
}
