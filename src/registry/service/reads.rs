//! Finding things: by reference at a moment, by page, and device files with their integrity.

use super::RegistryService;
use crate::db::{ConnectionTrait, StoreResult};
use crate::kernel::ids::*;
use crate::kernel::scope::Scope;
use crate::registry::file::{self, Event, Integrity};
use crate::registry::file_store::{self, EventFilter, FilePage, StoredEvent};
use crate::registry::fold;
use crate::registry::model::*;
use crate::registry::store::{self, DeviceKey, SiteFilter};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// One occupant of a position.
#[derive(Clone, Debug)]
pub struct Occupant {
    /// The binding.
    pub binding: Binding,
    /// The device.
    pub device: Option<Device>,
}

/// What `verify` found of one device.
#[derive(Clone, Debug)]
pub struct FileCheck {
    /// The device.
    pub device: Device,
    /// Its chain.
    pub integrity: Integrity,
    /// Where file and tables differ.
    pub differences: Vec<String>,
}

/// Events read at a time when walking a file.
const WALK: u64 = 5_000;

/// Resolves references to devices, each at its own moment, in a number of statements that does
/// not depend on how many there are (per thousand).
///
/// # Errors
/// Storage; single failures are in the answers.
pub async fn resolve_many(
    db: &impl ConnectionTrait,
    scope: &Scope,
    refs: &[(DeviceRef, DateTime<Utc>)],
) -> StoreResult<Vec<Result<DeviceId, ResolveError>>> {
    let (mut ids, mut serials, mut terminals) = (Vec::new(), Vec::new(), Vec::new());
    for (reference, _) in refs {
        match reference {
            DeviceRef::Id(id) => ids.push(*id),
            DeviceRef::Serial { serial_number, .. } => serials.push(serial_number.trim().to_owned()),
            DeviceRef::Terminal(number) => terminals.push(number.trim().to_owned()),
        }
    }
    ids.sort_unstable();
    ids.dedup();
    serials.sort_unstable();
    serials.dedup();
    terminals.sort_unstable();
    terminals.dedup();
    let known: std::collections::HashSet<DeviceId> =
        store::devices_by_ids(db, scope, &ids).await?.into_iter().map(|d| d.id).collect();
    let mut by_serial: HashMap<String, Vec<(String, DeviceId)>> = HashMap::new();
    for d in store::devices_by_serials(db, scope, &serials).await? {
        by_serial.entry(d.serial_number).or_default().push((d.manufacturer, d.id));
    }
    let positions: HashMap<String, PositionId> = store::positions_by_terminals(db, scope, &terminals)
        .await?
        .into_iter()
        .filter_map(|p| p.terminal_number.map(|t| (t, p.id)))
        .collect();
    let mut lines: HashMap<PositionId, Vec<Binding>> = HashMap::new();
    let position_ids: Vec<PositionId> = positions.values().copied().collect();
    for binding in store::bindings_of_positions(db, scope, &position_ids).await? {
        lines.entry(binding.position_id).or_default().push(binding);
    }
    Ok(refs
        .iter()
        .map(|(reference, at)| match reference {
            DeviceRef::Id(id) if known.contains(id) => Ok(*id),
            DeviceRef::Id(id) => Err(ResolveError::Unknown(format!("with id {}", id.global()))),
            DeviceRef::Serial { serial_number, manufacturer } => {
                let found: Vec<&(String, DeviceId)> = by_serial
                    .get(serial_number.trim())
                    .into_iter()
                    .flatten()
                    .filter(|(maker, _)| manufacturer.as_ref().is_none_or(|m| m.trim() == maker))
                    .collect();
                match found[..] {
                    [] => Err(ResolveError::Unknown(format!("with serial {serial_number}"))),
                    [(_, id)] => Ok(*id),
                    _ => Err(ResolveError::Ambiguous {
                        serial_number: serial_number.clone(),
                        makers: found.iter().map(|(maker, _)| maker.clone()).collect(),
                    }),
                }
            }
            DeviceRef::Terminal(number) => {
                let number = number.trim();
                let line = positions.get(number).and_then(|p| lines.get(p)).map(Vec::as_slice).unwrap_or_default();
                line.iter()
                    .find(|b| b.started_at <= *at && b.ended_at.is_none_or(|end| *at < end))
                    .map(|b| b.device_id)
                    .ok_or_else(|| match positions.contains_key(number) {
                        true => ResolveError::NobodyThere { terminal_number: number.to_owned(), at: *at },
                        false => ResolveError::Unknown(format!("at terminal number {number}")),
                    })
            }
        })
        .collect())
}

impl RegistryService {
    /// The organization of a scope.
    pub async fn organization(&self, scope: &Scope) -> StoreResult<Organization> {
        store::organization(self.db.reader(), scope).await
    }

    /// Resolves references, each at its own moment.
    pub async fn resolve(
        &self,
        scope: &Scope,
        refs: &[(DeviceRef, DateTime<Utc>)],
    ) -> StoreResult<Vec<Result<DeviceId, ResolveError>>> {
        resolve_many(self.db.reader(), scope, refs).await
    }

    /// Now, by the service's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Devices by id, in any order.
    pub async fn devices_by_ids(&self, scope: &Scope, ids: &[DeviceId]) -> StoreResult<Vec<Device>> {
        store::devices_by_ids(self.db.reader(), scope, ids).await
    }

    /// A page of devices after a key.
    pub async fn devices_page(
        &self,
        scope: &Scope,
        filter: &DeviceFilter,
        field: DeviceOrderField,
        is_reversed: bool,
        after: Option<&DeviceKey>,
        limit: u64,
    ) -> StoreResult<Vec<Device>> {
        store::devices_page(self.db.reader(), scope, filter, field, is_reversed, after, limit).await
    }

    /// How many devices match, counted up to `limit`.
    pub async fn count_devices(&self, scope: &Scope, filter: &DeviceFilter, limit: u64) -> StoreResult<u64> {
        store::count_devices(self.db.reader(), scope, filter, limit).await
    }

    /// Merchants by id, in any order.
    pub async fn merchants_by_ids(&self, scope: &Scope, ids: &[MerchantId]) -> StoreResult<Vec<Merchant>> {
        store::merchants_by_ids(self.db.reader(), scope, ids).await
    }

    /// Merchants by merchant number.
    pub async fn merchants_by_numbers(&self, scope: &Scope, numbers: &[String]) -> StoreResult<Vec<Merchant>> {
        store::merchants_by_numbers(self.db.reader(), scope, numbers).await
    }

    /// Merchants in the order they were made.
    pub async fn merchants_page(
        &self,
        scope: &Scope,
        name_contains: Option<&str>,
        numbers: Option<&[String]>,
        after: Option<Uuid>,
        limit: u64,
    ) -> StoreResult<Vec<Merchant>> {
        store::merchants_page(self.db.reader(), scope, name_contains, numbers, after, limit).await
    }

    /// How many merchants match, counted up to `limit`.
    pub async fn count_merchants(
        &self,
        scope: &Scope,
        name_contains: Option<&str>,
        numbers: Option<&[String]>,
        limit: u64,
    ) -> StoreResult<u64> {
        store::count_merchants(self.db.reader(), scope, name_contains, numbers, limit).await
    }

    /// Sites by id, in any order.
    pub async fn sites_by_ids(&self, scope: &Scope, ids: &[SiteId]) -> StoreResult<Vec<Site>> {
        store::sites_by_ids(self.db.reader(), scope, ids).await
    }

    /// Sites of merchants.
    pub async fn sites_of_merchants(&self, scope: &Scope, ids: &[MerchantId]) -> StoreResult<Vec<Site>> {
        store::sites_of_merchants(self.db.reader(), scope, ids).await
    }

    /// Sites in the order they were made.
    pub async fn sites_page(
        &self,
        scope: &Scope,
        filter: &SiteFilter,
        after: Option<Uuid>,
        limit: u64,
    ) -> StoreResult<Vec<Site>> {
        store::sites_page(self.db.reader(), scope, filter, after, limit).await
    }

    /// How many sites match, counted up to `limit`.
    pub async fn count_sites(&self, scope: &Scope, filter: &SiteFilter, limit: u64) -> StoreResult<u64> {
        store::count_sites(self.db.reader(), scope, filter, limit).await
    }

    /// Positions by id, in any order.
    pub async fn positions_by_ids(&self, scope: &Scope, ids: &[PositionId]) -> StoreResult<Vec<Position>> {
        store::positions_by_ids(self.db.reader(), scope, ids).await
    }

    /// Positions by terminal number.
    pub async fn positions_by_terminals(&self, scope: &Scope, numbers: &[String]) -> StoreResult<Vec<Position>> {
        store::positions_by_terminals(self.db.reader(), scope, numbers).await
    }

    /// Positions of sites, by name.
    pub async fn positions_of_sites(&self, scope: &Scope, sites: &[SiteId]) -> StoreResult<Vec<Position>> {
        store::positions_of_sites(self.db.reader(), scope, sites).await
    }

    /// The line of occupants of positions, newest first.
    pub async fn occupants(&self, scope: &Scope, positions: &[PositionId]) -> StoreResult<Vec<Occupant>> {
        let bindings = store::bindings_of_positions(self.db.reader(), scope, positions).await?;
        let ids: Vec<DeviceId> = bindings.iter().map(|b| b.device_id).collect();
        let devices: HashMap<DeviceId, Device> =
            store::devices_by_ids(self.db.reader(), scope, &ids).await?.into_iter().map(|d| (d.id, d)).collect();
        Ok(bindings.into_iter().map(|b| Occupant { device: devices.get(&b.device_id).cloned(), binding: b }).collect())
    }

    /// Every place these devices ever stood at, newest first.
    pub async fn bindings_of_devices(&self, scope: &Scope, devices: &[DeviceId]) -> StoreResult<Vec<Binding>> {
        store::bindings_of_devices(self.db.reader(), scope, devices).await
    }

    /// Devices standing at these sites, in the order they were registered; many sites at once, so
    /// that a list of sites costs one statement.
    pub async fn devices_at_sites(&self, scope: &Scope, sites: &[SiteId]) -> StoreResult<Vec<Device>> {
        store::devices_at_sites(self.db.reader(), scope, sites).await
    }

    /// Technicians by id, in any order.
    pub async fn technicians_by_ids(&self, scope: &Scope, ids: &[TechnicianId]) -> StoreResult<Vec<Technician>> {
        store::technicians_by_ids(self.db.reader(), scope, ids).await
    }

    /// Technicians in the order they were made.
    pub async fn technicians_page(
        &self,
        scope: &Scope,
        after: Option<Uuid>,
        limit: u64,
    ) -> StoreResult<Vec<Technician>> {
        store::technicians_page(self.db.reader(), scope, after, limit).await
    }

    /// How many technicians there are, counted up to `limit`.
    pub async fn count_technicians(&self, scope: &Scope, limit: u64) -> StoreResult<u64> {
        store::count_technicians(self.db.reader(), scope, limit).await
    }

    /// Parts of devices.
    pub async fn components_of(&self, scope: &Scope, devices: &[DeviceId]) -> StoreResult<Vec<Component>> {
        store::components_of(self.db.reader(), scope, devices).await
    }

    /// Software of devices.
    pub async fn software_of(&self, scope: &Scope, devices: &[DeviceId]) -> StoreResult<Vec<SoftwareItem>> {
        store::software_of(self.db.reader(), scope, devices).await
    }

    /// External ids of devices.
    pub async fn external_ids_of(
        &self,
        scope: &Scope,
        devices: &[DeviceId],
    ) -> StoreResult<HashMap<DeviceId, Vec<ExternalId>>> {
        store::external_ids_of(self.db.reader(), scope, devices).await
    }

    /// A page of a device file after a sequence, as stored: [`file::read`] reads its events, and
    /// those that cannot be read have their place in it too.
    pub async fn history(
        &self,
        scope: &Scope,
        device: DeviceId,
        filter: &EventFilter,
        after: i64,
        first: u32,
    ) -> StoreResult<FilePage> {
        let stored = file_store::events(self.db.reader(), scope, device, filter, after, u64::from(first) + 1).await?;
        Ok(FilePage::new(stored, first))
    }

    /// The first page of each of these device files; devices without events are absent.
    pub async fn first_pages(
        &self,
        scope: &Scope,
        devices: &[DeviceId],
        first: u32,
    ) -> StoreResult<HashMap<DeviceId, FilePage>> {
        let mut files: HashMap<DeviceId, Vec<StoredEvent>> = HashMap::new();
        for event in file_store::first_events(self.db.reader(), scope, devices, first.saturating_add(1)).await? {
            files.entry(event.device).or_default().push(event);
        }
        Ok(files.into_iter().map(|(device, stored)| (device, FilePage::new(stored, first))).collect())
    }

    /// How many events a device file has, counted up to `limit`.
    pub async fn count_history(
        &self,
        scope: &Scope,
        device: DeviceId,
        filter: &EventFilter,
        limit: u64,
    ) -> StoreResult<u64> {
        file_store::count_events(self.db.reader(), scope, device, filter, limit).await
    }

    /// Sequence of the last event of a device file; 0 when it is empty.
    pub async fn last_sequence(&self, scope: &Scope, device: DeviceId) -> StoreResult<i64> {
        Ok(file_store::head(self.db.reader(), scope, device).await?.map_or(0, |head| head.sequence))
    }

    /// Walks a device file.
    pub async fn integrity(&self, scope: &Scope, device: DeviceId) -> StoreResult<Integrity> {
        // One moment: an event appended meanwhile must not look like tampering.
        let at = self.db.snapshot().await?;
        Ok(walk(&at, scope, device).await?.0)
    }

    /// Walks the files of the devices after an id and compares what they say with the tables, all
    /// as of one moment.
    ///
    /// # Errors
    /// Storage.
    pub async fn verify_page(&self, scope: &Scope, after: Option<Uuid>, limit: u64) -> StoreResult<Vec<FileCheck>> {
        let at = self.db.snapshot().await?;
        let key = after.map(|id| (String::new(), id));
        let order = DeviceOrderField::CreatedAt;
        let devices =
            store::devices_page(&at, scope, &DeviceFilter::default(), order, false, key.as_ref(), limit).await?;
        let ids: Vec<DeviceId> = devices.iter().map(|d| d.id).collect();
        let components = store::components_of(&at, scope, &ids).await?;
        let software = store::software_of(&at, scope, &ids).await?;
        let bindings = store::bindings_of_devices(&at, scope, &ids).await?;
        let mut checks = Vec::with_capacity(devices.len());
        for device in devices {
            let (integrity, events) = walk(&at, scope, device.id).await?;
            let parts: Vec<Component> = components.iter().filter(|c| c.device_id == device.id).cloned().collect();
            let line: Vec<Binding> = bindings.iter().filter(|b| b.device_id == device.id).cloned().collect();
            let items: Vec<SoftwareItem> = software.iter().filter(|s| s.device_id == device.id).cloned().collect();
            let differences = fold::differences(&fold::fold(&events), &fold::stated(&device, &line, &parts, &items));
            checks.push(FileCheck { device, integrity, differences });
        }
        Ok(checks)
    }

    /// Files whose device is not in the tables any more, 100 at most.
    ///
    /// # Errors
    /// Storage.
    pub async fn files_without_device(&self, scope: &Scope) -> StoreResult<Vec<DeviceId>> {
        file_store::without_device(self.db.reader(), scope, 100).await
    }
}

/// Walks a device file; nothing may be appended meanwhile.
async fn walk(db: &impl ConnectionTrait, scope: &Scope, device: DeviceId) -> StoreResult<(Integrity, Vec<Event>)> {
    let head = file_store::head(db, scope, device).await?;
    let mut stored = Vec::new();
    loop {
        let after = stored.last().map_or(i64::MIN, |e: &file::StoredEvent| e.sequence);
        let page = file_store::events(db, scope, device, &EventFilter::default(), after, WALK).await?;
        let is_last = (page.len() as u64) < WALK;
        stored.extend(page);
        if is_last {
            break;
        }
    }
    let integrity = file::verify(&stored, head.as_ref());
    Ok((integrity, stored.iter().filter_map(file::read).collect()))
}
