//! The fleet as it stood at a moment.

use super::RegistryService;
use crate::catalogue::model::ComponentKind;
use crate::db::{ConnectionTrait, StoreResult};
use crate::kernel::ids::{ComponentId, DeviceId, PositionId, SiteId};
use crate::kernel::scope::Scope;
use crate::registry::as_of::{self, AsOf};
use crate::registry::as_of_store;
use crate::registry::file::{self, Event};
use crate::registry::model::*;
use crate::registry::store::{self, DeviceKey, device_key};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// A device as it was, and what hung on it.
#[derive(Clone, Debug)]
pub struct Stood {
    /// The device: status, place, firmware and tag as they were.
    pub device: Device,
    /// What hung on it.
    pub then: Then,
}

/// What hung on a device at a moment.
#[derive(Clone, Debug)]
pub struct Then {
    /// Terminal number of the position it filled.
    pub terminal_number: Option<String>,
    /// Parts that had been put in by then; those taken out later are in.
    pub components: Vec<Component>,
    /// Software with the versions last reported by then.
    pub software: Vec<SoftwareItem>,
}

/// A list of devices in an order.
#[derive(Clone, Copy, Debug)]
pub struct DeviceWalk<'a> {
    /// By what.
    pub field: DeviceOrderField,
    /// Walked backwards.
    pub is_reversed: bool,
    /// The key after which it goes on.
    pub after: Option<&'a DeviceKey>,
}

/// Devices whose files are read together at first; more when these do not fill the page.
const FIRST_SCAN: u64 = 100;
/// Devices whose files are read together at most.
const MOST_SCAN: u64 = 1_000;

/// Devices whose files say that they were among those asked for, after a key, `limit` at most.
async fn scan(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &DeviceFilter,
    moment: DateTime<Utc>,
    walk: DeviceWalk<'_>,
    limit: u64,
) -> StoreResult<Vec<(Device, AsOf)>> {
    let terminals: Option<Vec<PositionId>> = match &filter.terminal_numbers {
        Some(numbers) => {
            Some(store::positions_by_terminals(db, scope, numbers).await?.into_iter().map(|p| p.id).collect())
        }
        None => None,
    };
    let mut found = Vec::new();
    let mut key: Option<DeviceKey> = walk.after.cloned();
    let mut size = limit.clamp(FIRST_SCAN, MOST_SCAN);
    loop {
        let (field, is_reversed) = (walk.field, walk.is_reversed);
        let devices = as_of_store::candidates(
            db,
            scope,
            filter,
            terminals.as_deref(),
            moment,
            field,
            is_reversed,
            key.as_ref(),
            size,
        )
        .await?;
        let is_last = (devices.len() as u64) < size;
        key = devices.last().map(|d| device_key(field, d));
        found.extend(fold(db, scope, filter, moment, devices).await?);
        if is_last || found.len() as u64 >= limit {
            break;
        }
        size = (size * 2).min(MOST_SCAN);
    }
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// Those of these devices that were among those asked for, as they were.
async fn fold(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &DeviceFilter,
    moment: DateTime<Utc>,
    devices: Vec<Device>,
) -> StoreResult<Vec<(Device, AsOf)>> {
    let ids: Vec<DeviceId> = devices.iter().map(|d| d.id).collect();
    let mut files: HashMap<DeviceId, Vec<Event>> = HashMap::new();
    for event in as_of_store::told_by(db, scope, &ids, moment).await?.iter().filter_map(file::read) {
        files.entry(event.device).or_default().push(event);
    }
    let mut states: HashMap<DeviceId, AsOf> =
        files.into_iter().filter_map(|(device, events)| Some((device, as_of::as_of(&events, moment)?))).collect();
    let sites: HashSet<SiteId> = states.values().filter_map(AsOf::site_id).collect();
    let sites: Vec<SiteId> = sites.into_iter().collect();
    let sites: HashMap<SiteId, Site> =
        store::sites_by_ids(db, scope, &sites).await?.into_iter().map(|s| (s.id, s)).collect();
    let mut found = Vec::with_capacity(devices.len());
    for device in devices {
        let Some(state) = states.remove(&device.id) else { continue };
        let site = state.site_id().and_then(|id| sites.get(&id));
        let device = state.device(device, site);
        if as_of::matches(filter, &device, state.terminal_number.as_deref()) {
            found.push((device, state));
        }
    }
    Ok(found)
}

/// The first known part of each kind of a device.
fn came_with_device(parts: &[Component]) -> Vec<ComponentId> {
    let mut first: HashMap<ComponentKind, &Component> = HashMap::new();
    // Of two put in at one moment, the one that went out again was there before the other.
    let order = |c: &Component| (c.installed_at, c.removed_at.is_none(), c.removed_at, c.id);
    for part in parts {
        let kept = first.entry(part.kind).or_insert(part);
        if order(part) < order(kept) {
            *kept = part;
        }
    }
    first.into_values().map(|part| part.id).collect()
}

impl RegistryService {
    /// A page of devices as they stood at a moment, after a key: what their files say had happened
    /// by then. The filter is about then too; who was silent is not told by the files.
    ///
    /// # Errors
    /// Storage.
    pub async fn devices_as_of(
        &self,
        scope: &Scope,
        filter: &DeviceFilter,
        moment: DateTime<Utc>,
        walk: DeviceWalk<'_>,
        limit: u64,
    ) -> StoreResult<Vec<Stood>> {
        // One moment for files, sites and parts, whatever is written meanwhile.
        let db = self.db.snapshot().await?;
        let found = scan(&db, scope, filter, moment, walk, limit).await?;
        let ids: Vec<DeviceId> = found.iter().map(|(device, _)| device.id).collect();
        let mut parts: HashMap<DeviceId, Vec<Component>> = HashMap::new();
        for part in store::components_of(&db, scope, &ids).await? {
            parts.entry(part.device_id).or_default().push(part);
        }
        let came_with: HashSet<ComponentId> =
            parts.values().flat_map(|of_device| came_with_device(of_device)).collect();
        let stood = found.into_iter().map(|(device, state)| {
            let components = parts
                .remove(&device.id)
                .unwrap_or_default()
                .into_iter()
                // What came with the device was in it before it was registered, too.
                .filter(|c| {
                    c.installed_at <= moment || (c.installed_at <= device.created_at && came_with.contains(&c.id))
                })
                .map(|c| Component { removed_at: c.removed_at.filter(|at| *at <= moment), ..c })
                .collect();
            let software = state.software(&device);
            Stood { then: Then { terminal_number: state.terminal_number, components, software }, device }
        });
        Ok(stood.collect())
    }

    /// How many devices there were at a moment, counted up to `limit`.
    ///
    /// # Errors
    /// Storage.
    pub async fn count_devices_as_of(
        &self,
        scope: &Scope,
        filter: &DeviceFilter,
        moment: DateTime<Utc>,
        limit: u64,
    ) -> StoreResult<u64> {
        let db = self.db.snapshot().await?;
        let walk = DeviceWalk { field: DeviceOrderField::CreatedAt, is_reversed: false, after: None };
        Ok(scan(&db, scope, filter, moment, walk, limit).await?.len() as u64)
    }
}
