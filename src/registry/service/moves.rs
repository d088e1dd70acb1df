//! Devices on the move: install, remove, relocate, swap, and changes of status.

use super::{DeviceDone, RegistryService, expect, optional, past, text};
use crate::db::tx::Tx;
use crate::kernel::call::Call;
use crate::kernel::ids::{BindingId, DeviceId, PositionId};
use crate::registry::error::Error;
use crate::registry::file::{EventKind, NewEvent};
use crate::registry::model::*;
use crate::registry::rules;
use crate::registry::store;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A device that begins to fill a position.
#[derive(Clone, Debug)]
pub struct InstallDevice {
    /// The device.
    pub device_id: DeviceId,
    /// The position.
    pub position_id: PositionId,
    /// Device time.
    pub installed_at: DateTime<Utc>,
    /// The device's version the caller has.
    pub expected_version: Option<i64>,
    /// In service at once rather than INSTALLED.
    pub is_in_service: bool,
}

/// A device that leaves its position.
#[derive(Clone, Debug)]
pub struct RemoveDevice {
    /// The device.
    pub device_id: DeviceId,
    /// Device time.
    pub removed_at: DateTime<Utc>,
    /// What it becomes.
    pub status: DeviceStatus,
    /// Why.
    pub reason: Option<String>,
    /// The device's version the caller has.
    pub expected_version: Option<i64>,
}

/// A device that goes from one position to another.
#[derive(Clone, Debug)]
pub struct RelocateDevice {
    /// The device.
    pub device_id: DeviceId,
    /// Where to.
    pub position_id: PositionId,
    /// Device time.
    pub relocated_at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
    /// The device's version the caller has.
    pub expected_version: Option<i64>,
}

/// Old out, new in, at one minute.
#[derive(Clone, Debug)]
pub struct SwapDevice {
    /// The device that leaves.
    pub old_device_id: DeviceId,
    /// The device that comes.
    pub new_device_id: DeviceId,
    /// Device time.
    pub swapped_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// What the old device becomes.
    pub old_device_status: DeviceStatus,
}

/// A change of status.
#[derive(Clone, Debug)]
pub struct ChangeStatus {
    /// The device.
    pub device_id: DeviceId,
    /// What it becomes.
    pub status: DeviceStatus,
    /// Device time; now when absent.
    pub changed_at: Option<DateTime<Utc>>,
    /// Why.
    pub reason: Option<String>,
    /// The device's version the caller has.
    pub expected_version: Option<i64>,
}

/// Both devices of a swap.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Swapped {
    /// The device that left.
    pub old_device_id: DeviceId,
    /// The device that came.
    pub new_device_id: DeviceId,
}

/// A position with its site, and nothing standing there from `at` on.
struct Place {
    position: Position,
    site: Site,
}

impl RegistryService {
    async fn free_place(&self, tx: &Tx, id: PositionId, at: DateTime<Utc>, field: &'static str) -> Result<Place, Error> {
        let position = store::positions_by_ids(tx.conn(), tx.scope(), &[id])
            .await?
            .pop()
            .ok_or(Error::NotFound { what: "position", field: "positionId" })?;
        let line = store::bindings_of_positions(tx.conn(), tx.scope(), &[id]).await?;
        if let Some(open) = line.iter().find(|b| b.ended_at.is_none()) {
            let occupant = store::devices_by_ids(tx.conn(), tx.scope(), &[open.device_id]).await?.pop();
            return Err(Error::PositionOccupied {
                serial_number: occupant.map_or_else(String::new, |d| d.serial_number),
                since: open.started_at,
            });
        }
        if let Some(end) = line.iter().filter_map(|b| b.ended_at).max()
            && at < end
        {
            return Err(Error::Instant { field, problem: format!("lies before {end}, when another device left this position") });
        }
        let site = store::sites_by_ids(tx.conn(), tx.scope(), &[position.site_id])
            .await?
            .pop()
            .ok_or(Error::NotFound { what: "site", field: "positionId" })?;
        Ok(Place { position, site })
    }

    /// A device cannot act before what it did last.
    async fn in_order(&self, tx: &Tx, device: &Device, at: DateTime<Utc>, field: &'static str) -> Result<(), Error> {
        let line = store::bindings_of_devices(tx.conn(), tx.scope(), &[device.id]).await?;
        let last = line.iter().filter_map(|b| b.ended_at.or(Some(b.started_at))).max();
        match last {
            Some(last) if at < last => {
                Err(Error::Instant { field, problem: format!("lies before {last}, the device's last installation or removal") })
            }
            _ => Ok(()),
        }
    }

    fn stand(device: &mut Device, place: &Place, at: DateTime<Utc>, status: DeviceStatus) {
        device.merchant_id = Some(place.site.merchant_id);
        device.site_id = Some(place.site.id);
        device.position_id = Some(place.position.id);
        device.region_code.clone_from(&place.site.region_code);
        device.installed_at = Some(at);
        Self::become_status(device, status, at, None);
    }

    fn leave(device: &mut Device, status: DeviceStatus, at: DateTime<Utc>, reason: Option<String>) {
        device.merchant_id = None;
        device.site_id = None;
        device.position_id = None;
        device.region_code = None;
        device.installed_at = None;
        Self::become_status(device, status, at, reason);
    }

    fn become_status(device: &mut Device, status: DeviceStatus, at: DateTime<Utc>, reason: Option<String>) {
        device.status = status;
        device.status_since = at;
        device.status_reason = reason;
        device.version += 1;
    }

    async fn bind(&self, tx: &Tx, device: DeviceId, place: &Place, at: DateTime<Utc>) -> Result<(), Error> {
        let binding = Binding {
            id: BindingId(self.ids.uuid(tx.now())),
            device_id: device,
            position_id: place.position.id,
            site_id: place.site.id,
            started_at: at,
            ended_at: None,
        };
        Ok(store::insert_bindings(tx.conn(), tx.scope(), &[binding]).await?)
    }

    fn event(device: &Device, at: DateTime<Utc>, kind: EventKind, payload: Value) -> NewEvent {
        NewEvent { device: device.id, occurred_at: at, kind, payload, corrects: None }
    }

    fn place_payload(place: &Place, status: DeviceStatus) -> Value {
        json!({
            "positionId": place.position.id, "siteId": place.site.id,
            "terminalNumber": place.position.terminal_number, "status": status,
        })
    }

    /// Installs a device at a free position.
    ///
    /// # Errors
    /// Unknown device or position, an occupied position, a device that stands somewhere or is in
    /// no state to be installed, a moment in the future or before its last move.
    pub async fn install_device(&self, call: &Call, input: InstallDevice) -> Result<DeviceDone, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        self.install_in(&tx, &input).await?;
        let done = DeviceDone { device_id: input.device_id };
        tx.finish(&done).await?;
        Ok(done)
    }

    /// Installs many devices in one change; for imports.
    ///
    /// # Errors
    /// Storage; single refusals are in the rows.
    pub async fn install_devices(&self, call: &Call, inputs: &[InstallDevice]) -> Result<Vec<Result<(), Error>>, Error> {
        let tx = self.db.begin(call).await?;
        let mut outcomes = Vec::with_capacity(inputs.len());
        for input in inputs {
            match self.install_in(&tx, input).await {
                Err(Error::Store(e)) => return Err(Error::Store(e)),
                other => outcomes.push(other),
            }
        }
        tx.commit().await?;
        Ok(outcomes)
    }

    async fn install_in(&self, tx: &Tx, input: &InstallDevice) -> Result<(), Error> {
        let at = input.installed_at;
        past(at, tx.now(), "installedAt")?;
        let mut device = self.locked(tx, input.device_id).await?;
        expect(input.expected_version, device.version)?;
        if device.position_id.is_some() {
            return Err(Error::AlreadyInstalled);
        }
        let status = if input.is_in_service { DeviceStatus::InService } else { DeviceStatus::Installed };
        if !rules::INSTALLABLE.contains(&device.status) {
            return Err(Error::IllegalStatus { from: device.status, to: status, hint: "; bring it to IN_STOCK, READY or IN_TRANSIT first" });
        }
        self.in_order(tx, &device, at, "installedAt").await?;
        let place = self.free_place(tx, input.position_id, at, "installedAt").await?;
        Self::stand(&mut device, &place, at, status);
        self.bind(tx, device.id, &place, at).await?;
        store::upsert_devices(tx.conn(), tx.scope(), std::slice::from_ref(&device), false).await?;
        let event = Self::event(&device, at, EventKind::Installed, Self::place_payload(&place, status));
        Ok(self.file.append(tx, vec![event]).await?)
    }

    /// Takes a device from its position.
    ///
    /// # Errors
    /// A device that stands nowhere, a status it cannot take, an impossible moment.
    pub async fn remove_device(&self, call: &Call, input: RemoveDevice) -> Result<DeviceDone, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        past(input.removed_at, call.now, "removedAt")?;
        let device = self.locked(&tx, input.device_id).await?;
        expect(input.expected_version, device.version)?;
        let reason = optional(input.reason.as_deref(), "reason", 1_000)?;
        self.take_out(&tx, device, input.removed_at, input.status, reason, EventKind::Removed, "removedAt").await?;
        let done = DeviceDone { device_id: input.device_id };
        tx.finish(&done).await?;
        Ok(done)
    }

    #[allow(clippy::too_many_arguments)]
    async fn take_out(
        &self,
        tx: &Tx,
        mut device: Device,
        at: DateTime<Utc>,
        status: DeviceStatus,
        reason: Option<String>,
        kind: EventKind,
        field: &'static str,
    ) -> Result<(), Error> {
        let (Some(position), Some(site)) = (device.position_id, device.site_id) else {
            return Err(Error::NotInstalled);
        };
        if !rules::AFTER_REMOVAL.contains(&status) {
            return Err(Error::IllegalStatus { from: device.status, to: status, hint: "; a removed device is in stock, in transit, in repair, quarantined, retired, destroyed or lost" });
        }
        self.in_order(tx, &device, at, field).await?;
        store::end_binding(tx.conn(), tx.scope(), device.id, at).await?;
        Self::leave(&mut device, status, at, reason.clone());
        store::upsert_devices(tx.conn(), tx.scope(), std::slice::from_ref(&device), false).await?;
        let payload = json!({"positionId": position, "siteId": site, "status": status, "reason": reason});
        Ok(self.file.append(tx, vec![Self::event(&device, at, kind, payload)]).await?)
    }

    /// Moves a device to another free position.
    ///
    /// # Errors
    /// As for installing and removing.
    pub async fn relocate_device(&self, call: &Call, input: RelocateDevice) -> Result<DeviceDone, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let at = input.relocated_at;
        past(at, call.now, "relocatedAt")?;
        let mut device = self.locked(&tx, input.device_id).await?;
        expect(input.expected_version, device.version)?;
        let from = device.position_id.ok_or(Error::NotInstalled)?;
        self.in_order(&tx, &device, at, "relocatedAt").await?;
        let place = self.free_place(&tx, input.position_id, at, "relocatedAt").await?;
        store::end_binding(tx.conn(), tx.scope(), device.id, at).await?;
        let status = device.status;
        Self::stand(&mut device, &place, at, status);
        self.bind(&tx, device.id, &place, at).await?;
        store::upsert_devices(tx.conn(), tx.scope(), std::slice::from_ref(&device), false).await?;
        let mut payload = Self::place_payload(&place, status);
        payload["fromPositionId"] = json!(from);
        payload["reason"] = json!(optional(input.reason.as_deref(), "reason", 1_000)?);
        self.file.append(&tx, vec![Self::event(&device, at, EventKind::Relocated, payload)]).await?;
        let done = DeviceDone { device_id: input.device_id };
        tx.finish(&done).await?;
        Ok(done)
    }

    /// Swaps devices: old out, new in, position and terminal number kept, counters split at that
    /// minute, one atomic act.
    ///
    /// # Errors
    /// As for installing and removing; also a device swapped with itself.
    pub async fn swap_device(&self, call: &Call, input: SwapDevice) -> Result<Swapped, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let at = input.swapped_at;
        past(at, call.now, "swappedAt")?;
        let reason = text(&input.reason, "reason", 1_000)?;
        if input.old_device_id == input.new_device_id {
            return Err(Error::Invalid { field: "newDeviceId", problem: "a device cannot be swapped with itself".into() });
        }
        self.file.lock(&tx, &[input.old_device_id, input.new_device_id]).await?;
        let old = self.locked(&tx, input.old_device_id).await?;
        let mut new = store::devices_by_ids(tx.conn(), tx.scope(), &[input.new_device_id])
            .await?
            .pop()
            .ok_or(Error::NotFound { what: "device", field: "newDeviceId" })?;
        let position = old.position_id.ok_or(Error::NotInstalled)?;
        if new.position_id.is_some() {
            return Err(Error::AlreadyInstalled);
        }
        let status = if old.status == DeviceStatus::InService { DeviceStatus::InService } else { DeviceStatus::Installed };
        if !rules::INSTALLABLE.contains(&new.status) {
            return Err(Error::IllegalStatus { from: new.status, to: status, hint: "; bring it to IN_STOCK, READY or IN_TRANSIT first" });
        }
        self.in_order(&tx, &new, at, "swappedAt").await?;
        self.take_out(&tx, old, at, input.old_device_status, Some(reason.clone()), EventKind::SwappedOut, "swappedAt").await?;
        let place = self.free_place(&tx, position, at, "swappedAt").await?;
        Self::stand(&mut new, &place, at, status);
        self.bind(&tx, new.id, &place, at).await?;
        store::upsert_devices(tx.conn(), tx.scope(), std::slice::from_ref(&new), false).await?;
        let mut payload = Self::place_payload(&place, status);
        payload["insteadOf"] = json!(input.old_device_id);
        payload["reason"] = json!(reason);
        self.file.append(&tx, vec![Self::event(&new, at, EventKind::SwappedIn, payload)]).await?;
        let done = Swapped { old_device_id: input.old_device_id, new_device_id: input.new_device_id };
        tx.finish(&done).await?;
        Ok(done)
    }

    /// Changes a device's status; lost, destroyed, quarantined and retired devices leave their
    /// position at that moment.
    ///
    /// # Errors
    /// What the status machine forbids, a stale version, an impossible moment.
    pub async fn change_status(&self, call: &Call, input: ChangeStatus) -> Result<DeviceDone, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let at = input.changed_at.unwrap_or(call.now);
        past(at, call.now, "changedAt")?;
        let mut device = self.locked(&tx, input.device_id).await?;
        expect(input.expected_version, device.version)?;
        if !rules::may_become(device.status, input.status) {
            let hint = match (rules::is_in_field(device.status), rules::is_in_field(input.status)) {
                (true, false) => "; use removeDevice",
                (false, true) => "; use installDevice",
                _ => "",
            };
            return Err(Error::IllegalStatus { from: device.status, to: input.status, hint });
        }
        let reason = optional(input.reason.as_deref(), "reason", 1_000)?;
        if device.position_id.is_some() && !rules::is_in_field(input.status) {
            self.take_out(&tx, device, at, input.status, reason, EventKind::Removed, "changedAt").await?;
        } else {
            let from = device.status;
            Self::become_status(&mut device, input.status, at, reason.clone());
            store::upsert_devices(tx.conn(), tx.scope(), std::slice::from_ref(&device), false).await?;
            let payload = json!({"from": from, "status": input.status, "reason": reason});
            self.file.append(&tx, vec![Self::event(&device, at, EventKind::StatusChanged, payload)]).await?;
        }
        let done = DeviceDone { device_id: input.device_id };
        tx.finish(&done).await?;
        Ok(done)
    }
}
