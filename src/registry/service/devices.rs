//! Registering and changing devices.

use super::{BULK, RegistryService, expect, optional, text};
use crate::catalogue::model::DeviceModel;
use crate::db::tx::Tx;
use crate::kernel::call::Call;
use crate::kernel::ids::{ComponentId, DeviceId, DeviceModelId, SoftwareItemId};
use crate::registry::error::Error;
use crate::registry::file::{EventKind, NewEvent};
use crate::registry::model::*;
use crate::registry::rules;
use crate::registry::store;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// A device to be registered.
#[derive(Clone, Debug)]
pub struct RegisterDevice {
    /// Maker.
    pub manufacturer: String,
    /// Its model.
    pub model_id: DeviceModelId,
    /// Serial number, unique per maker.
    pub serial_number: String,
    /// The owner's own tag.
    pub asset_tag: Option<String>,
    /// ORDERED, IN_STOCK (default), READY, IN_TRANSIT, IN_REPAIR, QUARANTINED, RETIRED, DESTROYED or LOST.
    pub status: Option<DeviceStatus>,
    /// Installed firmware.
    pub firmware_version: Option<String>,
    /// What other systems call it.
    pub external_ids: Vec<ExternalId>,
}

/// A device that was registered, changed or moved.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct DeviceDone {
    /// The device.
    pub device_id: DeviceId,
}

/// What became of one row of a bulk registration.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RowOutcome {
    /// The device.
    pub device_id: DeviceId,
    /// False when it was there already.
    pub is_new: bool,
}

/// A change of a device's own facts; absent parts stay.
#[derive(Clone, Debug, Default)]
pub struct DeviceUpdate {
    /// The version the caller has.
    pub expected_version: Option<i64>,
    /// The owner's own tag.
    pub asset_tag: Option<String>,
    /// Installed firmware, as reported.
    pub firmware_version: Option<String>,
    /// External ids to add.
    pub external_ids: Vec<ExternalId>,
}

/// A device with what is written about it.
#[derive(Clone, Debug)]
pub struct DeviceChange {
    /// The device as it is to be.
    pub device: Device,
    /// Its event.
    pub event: NewEvent,
}

/// External ids one device can be given in a request.
const MAX_EXTERNAL_IDS: usize = 20;

fn external_id(given: &ExternalId) -> Result<ExternalId, Error> {
    Ok(ExternalId { system: text(&given.system, "externalIds", 64)?, value: text(&given.value, "externalIds", 128)? })
}

/// External ids, cleaned, each once.
fn external_ids(given: &[ExternalId]) -> Result<Vec<ExternalId>, Error> {
    if given.len() > MAX_EXTERNAL_IDS {
        return Err(Error::TooMany { field: "externalIds", given: given.len(), max: MAX_EXTERNAL_IDS });
    }
    let mut names: Vec<ExternalId> = Vec::with_capacity(given.len());
    for e in given {
        let name = external_id(e)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Nobody has these external ids.
fn free(names: &[ExternalId], owners: &HashMap<(String, String), DeviceId>) -> Result<(), Error> {
    match names.iter().find(|e| owners.contains_key(&(e.system.clone(), e.value.clone()))) {
        Some(e) => {
            Err(Error::Exists { what: format!("external id {} of {}", e.value, e.system), field: "externalIds" })
        }
        None => Ok(()),
    }
}

impl RegistryService {
    /// Registers a device with the parts of its model.
    ///
    /// # Errors
    /// Unknown model, a serial this maker used already, a status only reached by installing or by
    /// passing an inspection.
    pub async fn register_device(&self, call: &Call, new: RegisterDevice) -> Result<DeviceDone, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let serial = new.serial_number.clone();
        let maker = new.manufacturer.clone();
        if let Some(to) = new.status.filter(|s| rules::needs_inspection(*s) && !rules::is_in_field(*s))
            && store::organization(tx.conn(), tx.scope()).await?.requires_inspection
        {
            return Err(Error::InspectionRequired { field: "status", to, since: None });
        }
        let mut rows = self.add_devices(&tx, &[new]).await?;
        // One row in, one row out.
        let row = rows.pop().ok_or(Error::NotFound { what: "device", field: "serialNumber" })??;
        if !row.is_new {
            return Err(Error::Exists { what: format!("serial {serial} of {maker}"), field: "serialNumber" });
        }
        let done = DeviceDone { device_id: row.device_id };
        tx.finish(&done).await?;
        Ok(done)
    }

    /// Registers many devices in short changes; one with a known maker and serial is answered as
    /// it is.
    ///
    /// # Errors
    /// Storage; single refusals are in the rows.
    pub async fn register_devices(
        &self,
        call: &Call,
        new: &[RegisterDevice],
    ) -> Result<Vec<Result<RowOutcome, Error>>, Error> {
        let mut rows = Vec::with_capacity(new.len());
        for chunk in new.chunks(BULK) {
            let tx = self.db.begin(call).await?;
            rows.extend(self.add_devices(&tx, chunk).await?);
            tx.commit().await?;
        }
        Ok(rows)
    }

    async fn add_devices(&self, tx: &Tx, new: &[RegisterDevice]) -> Result<Vec<Result<RowOutcome, Error>>, Error> {
        let serials: Vec<String> = new.iter().filter_map(|d| text(&d.serial_number, "serialNumber", 64).ok()).collect();
        let mut known: HashMap<(String, String), DeviceId> = store::devices_by_serials(tx.conn(), tx.scope(), &serials)
            .await?
            .into_iter()
            .map(|d| ((d.manufacturer, d.serial_number), d.id))
            .collect();
        let wanted: HashSet<DeviceModelId> = new.iter().map(|d| d.model_id).collect();
        let wanted: Vec<DeviceModelId> = wanted.into_iter().collect();
        let models: HashMap<DeviceModelId, DeviceModel> =
            crate::catalogue::store::models_by_ids(tx.conn(), tx.scope(), &wanted)
                .await?
                .into_iter()
                .map(|m| (m.id, m))
                .collect();
        let wanted: Vec<ExternalId> =
            new.iter().flat_map(|d| d.external_ids.iter()).filter_map(|e| external_id(e).ok()).collect();
        let mut owners = store::owners_of_external_ids(tx.conn(), tx.scope(), &wanted).await?;
        let mut outcomes = Vec::with_capacity(new.len());
        let (mut devices, mut parts, mut software, mut external, mut events) = (vec![], vec![], vec![], vec![], vec![]);
        for d in new {
            let checked = self.device(tx, d, models.get(&d.model_id));
            outcomes.push(checked.and_then(|device| {
                let key = (device.manufacturer.clone(), device.serial_number.clone());
                if let Some(id) = known.get(&key) {
                    return Ok(RowOutcome { device_id: *id, is_new: false });
                }
                let names = external_ids(&d.external_ids)?;
                free(&names, &owners)?;
                known.insert(key, device.id);
                let model_parts = models.get(&d.model_id).map(|m| m.components.as_slice()).unwrap_or_default();
                for part in model_parts {
                    parts.push(Component {
                        id: ComponentId(self.ids.uuid(tx.now())),
                        device_id: device.id,
                        kind: part.kind,
                        serial_number: None,
                        replaceable_at: part.replaceable_at,
                        installed_at: tx.now(),
                        removed_at: None,
                        warranty_ends_on: None,
                        part_number: None,
                        lives: Vec::new(),
                    });
                }
                for e in &names {
                    owners.insert((e.system.clone(), e.value.clone()), device.id);
                    external.push((self.ids.uuid(tx.now()), device.id, e.clone()));
                }
                events.push(NewEvent {
                    device: device.id,
                    occurred_at: tx.now(),
                    kind: EventKind::DeviceRegistered,
                    payload: json!({
                        "manufacturer": device.manufacturer, "serialNumber": device.serial_number,
                        "modelId": device.model_id, "status": device.status, "assetTag": device.asset_tag,
                        "components": model_parts.iter().map(|p| p.kind.as_str()).collect::<Vec<_>>(),
                        "externalIds": names,
                    }),
                    corrects: None,
                });
                if let Some(version) = &device.firmware_version {
                    let (item, event) = self.firmware(tx, device.id, version);
                    software.push(item);
                    events.push(event);
                }
                let id = device.id;
                devices.push(device);
                Ok(RowOutcome { device_id: id, is_new: true })
            }));
        }
        store::upsert_devices(tx.conn(), tx.scope(), &devices, true)
            .await
            .map_err(super::places::taken("a device of this maker with this serial number", "serialNumber"))?;
        store::upsert_components(tx.conn(), tx.scope(), &parts).await?;
        store::upsert_software(tx.conn(), tx.scope(), &software).await?;
        store::insert_external_ids(tx.conn(), tx.scope(), &external)
            .await
            .map_err(super::places::taken("this external id", "externalIds"))?;
        self.file.append(tx, events).await?;
        Ok(outcomes)
    }

    fn firmware(&self, tx: &Tx, device_id: DeviceId, version: &str) -> (SoftwareItem, NewEvent) {
        let item = SoftwareItem {
            id: SoftwareItemId(self.ids.uuid(tx.now())),
            device_id,
            kind: SoftwareKind::Firmware,
            name: MAIN_FIRMWARE.into(),
            version: version.to_owned(),
            reported_at: tx.now(),
        };
        let event = NewEvent {
            device: device_id,
            occurred_at: tx.now(),
            kind: EventKind::SoftwareReported,
            payload: json!({"kind": item.kind, "name": item.name, "version": item.version}),
            corrects: None,
        };
        (item, event)
    }

    fn device(&self, tx: &Tx, new: &RegisterDevice, model: Option<&DeviceModel>) -> Result<Device, Error> {
        let model = model.ok_or(Error::NotFound { what: "device model", field: "modelId" })?;
        let manufacturer = text(&new.manufacturer, "manufacturer", 100)?;
        if manufacturer != model.manufacturer {
            let problem =
                format!("the model {} is made by {}; correct the maker or the model", model.name, model.manufacturer);
            return Err(Error::Invalid { field: "manufacturer", problem });
        }
        let status = new.status.unwrap_or(DeviceStatus::InStock);
        if rules::is_in_field(status) {
            return Err(Error::IllegalStatus {
                field: "status",
                from: DeviceStatus::InStock,
                to: status,
                hint: "; register it in stock and use installDevice",
            });
        }
        Ok(Device {
            id: self.ids.next(tx.now()),
            manufacturer,
            serial_number: text(&new.serial_number, "serialNumber", 64)?,
            model_id: model.id,
            asset_tag: optional(new.asset_tag.as_deref(), "assetTag", 64)?,
            status,
            status_reason: None,
            status_since: tx.now(),
            merchant_id: None,
            site_id: None,
            position_id: None,
            region_code: None,
            installed_at: None,
            firmware_version: optional(new.firmware_version.as_deref(), "firmwareVersion", 64)?,
            last_seen_at: None,
            inspected_at: None,
            uninspected_since: None,
            version: 1,
            created_at: tx.now(),
        })
    }

    /// Changes a device's own facts.
    ///
    /// # Errors
    /// Unknown device, a stale version, texts out of bounds, an external id that is taken.
    pub async fn update_device(&self, call: &Call, id: DeviceId, change: DeviceUpdate) -> Result<DeviceDone, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let mut device = self.locked(&tx, id).await?;
        expect(change.expected_version, device.version)?;
        let mut events = Vec::new();
        let before = device.asset_tag.clone();
        if change.asset_tag.is_some() {
            device.asset_tag = optional(change.asset_tag.as_deref(), "assetTag", 64)?;
        }
        let mut names = external_ids(&change.external_ids)?;
        let owners = store::owners_of_external_ids(tx.conn(), tx.scope(), &names).await?;
        // What it is called already needs no row.
        names.retain(|e| owners.get(&(e.system.clone(), e.value.clone())) != Some(&id));
        free(&names, &owners)?;
        let external: Vec<_> = names.iter().map(|e| (self.ids.uuid(call.now), id, e.clone())).collect();
        store::insert_external_ids(tx.conn(), tx.scope(), &external)
            .await
            .map_err(super::places::taken("this external id", "externalIds"))?;
        if device.asset_tag != before || !names.is_empty() {
            events.push(NewEvent {
                device: id,
                occurred_at: call.now,
                kind: EventKind::DeviceUpdated,
                payload: json!({"assetTag": device.asset_tag, "externalIds": names}),
                corrects: None,
            });
        }
        if let Some(version) = optional(change.firmware_version.as_deref(), "firmwareVersion", 64)?
            && device.firmware_version.as_ref() != Some(&version)
        {
            let (item, event) = self.firmware(&tx, id, &version);
            store::upsert_software(tx.conn(), tx.scope(), &[item]).await?;
            device.firmware_version = Some(version);
            events.push(event);
        }
        if !events.is_empty() {
            device.version += 1;
            store::upsert_devices(tx.conn(), tx.scope(), std::slice::from_ref(&device), false).await?;
            self.file.append(&tx, events).await?;
        }
        let done = DeviceDone { device_id: id };
        tx.finish(&done).await?;
        Ok(done)
    }

    /// A device, read under the lock of its file.
    pub(super) async fn locked(&self, tx: &Tx, id: DeviceId) -> Result<Device, Error> {
        self.file.lock(tx, &[id]).await?;
        store::devices_by_ids(tx.conn(), tx.scope(), &[id])
            .await?
            .pop()
            .ok_or(Error::NotFound { what: "device", field: "deviceId" })
    }
}
