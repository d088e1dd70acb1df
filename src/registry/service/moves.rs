//! Devices on the move: install, remove, relocate, swap, and changes of status.

use super::{DeviceDone, RegistryService, expect, optional_prose, past, prose};
use crate::db::StoreError;
use crate::db::tx::Tx;
use crate::kernel::call::Call;
use crate::kernel::ids::{BindingId, DeviceId, PositionId, SiteId};
use crate::registry::error::Error;
use crate::registry::file::{EventKind, NewEvent};
use crate::registry::model::*;
use crate::registry::rules;
use crate::registry::store;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

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

/// Devices installed in one transaction by an import; fewer than other rows, because each is
/// planned anew in the same transaction.
const BULK_INSTALLS: usize = 200;

/// A position with its site.
struct Place {
    position: Position,
    site: Site,
}

/// What a device becomes when it leaves its position.
struct Leaving {
    at: DateTime<Utc>,
    status: DeviceStatus,
    reason: Option<String>,
    kind: EventKind,
    replaced_by: Option<DeviceId>,
    /// Input fields of the moment and of the status.
    fields: (&'static str, &'static str),
}

/// What installing many devices has to know, read in a number of statements that does not grow
/// with their number (per thousand), and kept up to date row by row.
struct Standing {
    devices: HashMap<DeviceId, Device>,
    moves: HashMap<DeviceId, Vec<Binding>>,
    positions: HashMap<PositionId, Position>,
    lines: HashMap<PositionId, Vec<Binding>>,
    sites: HashMap<SiteId, Site>,
    /// Serial numbers of what stands at the positions.
    serials: HashMap<DeviceId, String>,
}

/// What an installation writes.
struct Installed {
    device: Device,
    binding: Binding,
    event: NewEvent,
}

/// A device cannot act before what it did last.
fn in_order(line: &[Binding], at: DateTime<Utc>, field: &'static str) -> Result<(), Error> {
    match rules::last_move(line) {
        Some(last) if at < last => Err(Error::Instant {
            field,
            problem: format!("lies before {last}, the device's last installation or removal"),
        }),
        _ => Ok(()),
    }
}

/// Nothing stands at a position from `at` on.
fn free(
    line: &[Binding],
    at: DateTime<Utc>,
    field: &'static str,
    serial: impl Fn(DeviceId) -> String,
) -> Result<(), Error> {
    if let Some(open) = rules::open(line) {
        return Err(Error::PositionOccupied { serial_number: serial(open.device_id), since: open.started_at });
    }
    match rules::last_left(line) {
        Some(end) if at < end => {
            Err(Error::Instant { field, problem: format!("lies before {end}, when another device left this position") })
        }
        _ => Ok(()),
    }
}

fn installable(device: &Device, to: DeviceStatus, field: &'static str) -> Result<(), Error> {
    if rules::INSTALLABLE.contains(&device.status) {
        return Ok(());
    }
    Err(Error::IllegalStatus {
        field,
        from: device.status,
        to,
        hint: "; bring it to IN_STOCK, READY or IN_TRANSIT first",
    })
}

fn stand(device: &mut Device, place: &Place, at: DateTime<Utc>) {
    device.merchant_id = Some(place.site.merchant_id);
    device.site_id = Some(place.site.id);
    device.position_id = Some(place.position.id);
    device.region_code.clone_from(&place.site.region_code);
    device.installed_at = Some(at);
    device.version += 1;
}

fn leave(device: &mut Device) {
    device.merchant_id = None;
    device.site_id = None;
    device.position_id = None;
    device.region_code = None;
    device.installed_at = None;
    device.version += 1;
}

fn set_status(device: &mut Device, status: DeviceStatus, at: DateTime<Utc>, reason: Option<String>) {
    if !rules::keeps_inspection(device.status, status) {
        rules::void_inspection(device, at);
    }
    device.status = status;
    device.status_since = at;
    device.status_reason = reason;
}

fn event(device: DeviceId, at: DateTime<Utc>, kind: EventKind, payload: Value) -> NewEvent {
    NewEvent { device, occurred_at: at, kind, payload, corrects: None }
}

fn place_payload(place: &Place, status: DeviceStatus) -> Value {
    json!({
        "positionId": place.position.id, "siteId": place.site.id,
        "terminalNumber": place.position.terminal_number, "status": status,
    })
}

/// The open-binding indexes are the last word when two requests meet.
fn just_filled(e: StoreError) -> Error {
    match e {
        StoreError::Conflict { .. } => Error::PositionJustFilled,
        other => Error::Store(other),
    }
}

impl RegistryService {
    async fn free_place(
        &self,
        tx: &Tx,
        id: PositionId,
        at: DateTime<Utc>,
        field: &'static str,
    ) -> Result<Place, Error> {
        let position = store::positions_by_ids(tx.conn(), tx.scope(), &[id])
            .await?
            .pop()
            .ok_or(Error::NotFound { what: "position", field: "positionId" })?;
        let line = store::bindings_of_positions(tx.conn(), tx.scope(), &[id]).await?;
        let occupant = match rules::open(&line) {
            Some(open) => store::devices_by_ids(tx.conn(), tx.scope(), &[open.device_id]).await?.pop(),
            None => None,
        };
        free(&line, at, field, |_| occupant.as_ref().map_or_else(String::new, |d| d.serial_number.clone()))?;
        let site = store::sites_by_ids(tx.conn(), tx.scope(), &[position.site_id])
            .await?
            .pop()
            .ok_or(Error::NotFound { what: "site", field: "positionId" })?;
        Ok(Place { position, site })
    }

    /// Refuses a device that has not passed its inspection by a moment where inspections are required.
    async fn inspected(
        &self,
        tx: &Tx,
        device: &Device,
        to: DeviceStatus,
        at: DateTime<Utc>,
        field: &'static str,
    ) -> Result<(), Error> {
        if !rules::needs_inspection(to) || device.inspected_at.is_some_and(|passed| passed <= at) {
            return Ok(());
        }
        match store::organization(tx.conn(), tx.scope()).await?.requires_inspection {
            true => Err(Error::InspectionRequired { field, to, since: device.uninspected_since }),
            false => Ok(()),
        }
    }

    async fn moves_of(&self, tx: &Tx, device: DeviceId) -> Result<Vec<Binding>, Error> {
        Ok(store::bindings_of_devices(tx.conn(), tx.scope(), &[device]).await?)
    }

    fn binding(&self, tx: &Tx, device_id: DeviceId, place: &Place, started_at: DateTime<Utc>) -> Binding {
        Binding {
            id: BindingId(self.ids.uuid(tx.now())),
            device_id,
            position_id: place.position.id,
            site_id: place.site.id,
            started_at,
            ended_at: None,
        }
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
        let done = DeviceDone { device_id: input.device_id };
        for row in self.install_in(&tx, &[input], false).await? {
            row?;
        }
        tx.finish(&done).await?;
        Ok(done)
    }

    /// Installs many devices in short changes; for imports. A device that fills its position
    /// already is left as it is.
    ///
    /// # Errors
    /// Storage; single refusals are in the rows.
    pub async fn install_devices(
        &self,
        call: &Call,
        inputs: &[InstallDevice],
    ) -> Result<Vec<Result<(), Error>>, Error> {
        let mut outcomes = Vec::with_capacity(inputs.len());
        for chunk in inputs.chunks(BULK_INSTALLS) {
            let tx = self.db.begin(call).await?;
            outcomes.extend(self.install_in(&tx, chunk, true).await?);
            tx.commit().await?;
        }
        Ok(outcomes)
    }

    async fn install_in(
        &self,
        tx: &Tx,
        inputs: &[InstallDevice],
        is_import: bool,
    ) -> Result<Vec<Result<(), Error>>, Error> {
        let mut standing = self.standing(tx, inputs).await?;
        let mut outcomes = Vec::with_capacity(inputs.len());
        let (mut devices, mut bindings, mut events) = (vec![], vec![], vec![]);
        for input in inputs {
            let fills = standing.devices.get(&input.device_id).and_then(|d| d.position_id);
            if is_import && fills == Some(input.position_id) {
                outcomes.push(Ok(()));
                continue;
            }
            // What a file says was in service long ago is evidence; who installs now has to inspect first.
            if !is_import
                && input.is_in_service
                && let Some(device) = standing.devices.get(&input.device_id)
            {
                self.inspected(tx, device, DeviceStatus::InService, input.installed_at, "deviceId").await?;
            }
            outcomes.push(self.install_one(tx, input, &standing).map(|done| {
                standing.devices.insert(done.device.id, done.device.clone());
                standing.serials.insert(done.device.id, done.device.serial_number.clone());
                standing.moves.entry(done.device.id).or_default().push(done.binding.clone());
                standing.lines.entry(done.binding.position_id).or_default().push(done.binding.clone());
                devices.push(done.device);
                bindings.push(done.binding);
                events.push(done.event);
            }));
        }
        store::insert_bindings(tx.conn(), tx.scope(), &bindings).await.map_err(just_filled)?;
        store::upsert_devices(tx.conn(), tx.scope(), &devices, false).await?;
        self.file.append(tx, events).await?;
        Ok(outcomes)
    }

    async fn standing(&self, tx: &Tx, inputs: &[InstallDevice]) -> Result<Standing, Error> {
        let (db, scope) = (tx.conn(), tx.scope());
        let device_ids: Vec<DeviceId> =
            inputs.iter().map(|i| i.device_id).collect::<BTreeSet<_>>().into_iter().collect();
        let position_ids: Vec<PositionId> =
            inputs.iter().map(|i| i.position_id).collect::<BTreeSet<_>>().into_iter().collect();
        // An id that is not ours must not get a head, so only devices found are locked, and then
        // read again under the lock.
        let known: Vec<DeviceId> =
            store::devices_by_ids(db, scope, &device_ids).await?.into_iter().map(|d| d.id).collect();
        self.file.lock(tx, &known).await?;
        let devices = store::devices_by_ids(db, scope, &known).await?.into_iter().map(|d| (d.id, d)).collect();
        let mut moves: HashMap<DeviceId, Vec<Binding>> = HashMap::new();
        for binding in store::bindings_of_devices(db, scope, &known).await? {
            moves.entry(binding.device_id).or_default().push(binding);
        }
        let positions: HashMap<PositionId, Position> =
            store::positions_by_ids(db, scope, &position_ids).await?.into_iter().map(|p| (p.id, p)).collect();
        let mut lines: HashMap<PositionId, Vec<Binding>> = HashMap::new();
        for binding in store::bindings_of_positions(db, scope, &position_ids).await? {
            lines.entry(binding.position_id).or_default().push(binding);
        }
        let site_ids: Vec<SiteId> =
            positions.values().map(|p| p.site_id).collect::<BTreeSet<_>>().into_iter().collect();
        let sites = store::sites_by_ids(db, scope, &site_ids).await?.into_iter().map(|s| (s.id, s)).collect();
        let occupants: Vec<DeviceId> =
            lines.values().filter_map(|line| rules::open(line)).map(|b| b.device_id).collect();
        let serials =
            store::devices_by_ids(db, scope, &occupants).await?.into_iter().map(|d| (d.id, d.serial_number)).collect();
        Ok(Standing { devices, moves, positions, lines, sites, serials })
    }

    fn install_one(&self, tx: &Tx, input: &InstallDevice, standing: &Standing) -> Result<Installed, Error> {
        let at = past(input.installed_at, tx.now(), "installedAt")?;
        let mut device = standing
            .devices
            .get(&input.device_id)
            .cloned()
            .ok_or(Error::NotFound { what: "device", field: "deviceId" })?;
        expect(input.expected_version, device.version)?;
        if device.position_id.is_some() {
            return Err(Error::AlreadyInstalled { field: "deviceId" });
        }
        let status = if input.is_in_service { DeviceStatus::InService } else { DeviceStatus::Installed };
        installable(&device, status, "deviceId")?;
        let line = |found: Option<&Vec<Binding>>| found.cloned().unwrap_or_default();
        in_order(&line(standing.moves.get(&device.id)), at, "installedAt")?;
        let position = standing
            .positions
            .get(&input.position_id)
            .cloned()
            .ok_or(Error::NotFound { what: "position", field: "positionId" })?;
        free(&line(standing.lines.get(&position.id)), at, "installedAt", |d| {
            standing.serials.get(&d).cloned().unwrap_or_default()
        })?;
        let site = standing
            .sites
            .get(&position.site_id)
            .cloned()
            .ok_or(Error::NotFound { what: "site", field: "positionId" })?;
        let place = Place { position, site };
        stand(&mut device, &place, at);
        set_status(&mut device, status, at, None);
        let binding = self.binding(tx, device.id, &place, at);
        let event = event(device.id, at, EventKind::Installed, place_payload(&place, status));
        Ok(Installed { device, binding, event })
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
        let leaving = Leaving {
            at: past(input.removed_at, call.now, "removedAt")?,
            status: input.status,
            reason: optional_prose(input.reason.as_deref(), "reason", 1_000)?,
            kind: EventKind::Removed,
            replaced_by: None,
            fields: ("removedAt", "status"),
        };
        let device = self.locked(&tx, input.device_id).await?;
        expect(input.expected_version, device.version)?;
        self.take_out(&tx, device, leaving).await?;
        let done = DeviceDone { device_id: input.device_id };
        tx.finish(&done).await?;
        Ok(done)
    }

    async fn take_out(&self, tx: &Tx, mut device: Device, leaving: Leaving) -> Result<(), Error> {
        let Leaving { at, status, reason, kind, replaced_by, fields } = leaving;
        let (Some(position), Some(site)) = (device.position_id, device.site_id) else {
            return Err(Error::NotInstalled {
                field: if kind == EventKind::SwappedOut { "oldDeviceId" } else { "deviceId" },
            });
        };
        if !rules::AFTER_REMOVAL.contains(&status) {
            return Err(Error::IllegalStatus {
                field: fields.1,
                from: device.status,
                to: status,
                hint: "; a removed device is in stock, in transit, in repair, quarantined, retired, destroyed or lost",
            });
        }
        in_order(&self.moves_of(tx, device.id).await?, at, fields.0)?;
        store::end_binding(tx.conn(), tx.scope(), device.id, at).await?;
        leave(&mut device);
        set_status(&mut device, status, at, reason.clone());
        store::upsert_devices(tx.conn(), tx.scope(), std::slice::from_ref(&device), false).await?;
        let mut payload = json!({"positionId": position, "siteId": site, "status": status, "reason": reason});
        if let Some(replaced_by) = replaced_by {
            payload["replacedBy"] = json!(replaced_by);
        }
        Ok(self.file.append(tx, vec![event(device.id, at, kind, payload)]).await?)
    }

    /// Moves a device to another free position; its status stays.
    ///
    /// # Errors
    /// As for installing and removing.
    pub async fn relocate_device(&self, call: &Call, input: RelocateDevice) -> Result<DeviceDone, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let at = past(input.relocated_at, call.now, "relocatedAt")?;
        let reason = optional_prose(input.reason.as_deref(), "reason", 1_000)?;
        let mut device = self.locked(&tx, input.device_id).await?;
        expect(input.expected_version, device.version)?;
        let from = device.position_id.ok_or(Error::NotInstalled { field: "deviceId" })?;
        let from_site = device.site_id;
        in_order(&self.moves_of(&tx, device.id).await?, at, "relocatedAt")?;
        let place = self.free_place(&tx, input.position_id, at, "relocatedAt").await?;
        store::end_binding(tx.conn(), tx.scope(), device.id, at).await?;
        stand(&mut device, &place, at);
        let binding = self.binding(&tx, device.id, &place, at);
        store::insert_bindings(tx.conn(), tx.scope(), &[binding]).await.map_err(just_filled)?;
        store::upsert_devices(tx.conn(), tx.scope(), std::slice::from_ref(&device), false).await?;
        let mut payload = place_payload(&place, device.status);
        payload["fromPositionId"] = json!(from);
        payload["fromSiteId"] = json!(from_site);
        payload["reason"] = json!(reason);
        self.file.append(&tx, vec![event(device.id, at, EventKind::Relocated, payload)]).await?;
        let done = DeviceDone { device_id: input.device_id };
        tx.finish(&done).await?;
        Ok(done)
    }

    /// Swaps devices: old out, new in, position and terminal number kept, counters split at that
    /// moment, one atomic act.
    ///
    /// # Errors
    /// As for installing and removing; also a device swapped with itself.
    pub async fn swap_device(&self, call: &Call, input: SwapDevice) -> Result<Swapped, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let at = past(input.swapped_at, call.now, "swappedAt")?;
        let reason = prose(&input.reason, "reason", 1_000)?;
        if input.old_device_id == input.new_device_id {
            return Err(Error::Invalid {
                field: "newDeviceId",
                problem: "a device cannot be swapped with itself".into(),
            });
        }
        let both = [input.old_device_id, input.new_device_id];
        let known: Vec<DeviceId> =
            store::devices_by_ids(tx.conn(), tx.scope(), &both).await?.into_iter().map(|d| d.id).collect();
        for (id, field) in both.into_iter().zip(["oldDeviceId", "newDeviceId"]) {
            if !known.contains(&id) {
                return Err(Error::NotFound { what: "device", field });
            }
        }
        self.file.lock(&tx, &both).await?;
        let old = self.locked(&tx, input.old_device_id).await?;
        let mut new = self.locked(&tx, input.new_device_id).await?;
        let position = old.position_id.ok_or(Error::NotInstalled { field: "oldDeviceId" })?;
        if new.position_id.is_some() {
            return Err(Error::AlreadyInstalled { field: "newDeviceId" });
        }
        let status =
            if old.status == DeviceStatus::InService { DeviceStatus::InService } else { DeviceStatus::Installed };
        installable(&new, status, "newDeviceId")?;
        self.inspected(&tx, &new, status, at, "newDeviceId").await?;
        in_order(&self.moves_of(&tx, new.id).await?, at, "swappedAt")?;
        let leaving = Leaving {
            at,
            status: input.old_device_status,
            reason: Some(reason.clone()),
            kind: EventKind::SwappedOut,
            replaced_by: Some(new.id),
            fields: ("swappedAt", "oldDeviceStatus"),
        };
        self.take_out(&tx, old, leaving).await?;
        let place = self.free_place(&tx, position, at, "swappedAt").await?;
        stand(&mut new, &place, at);
        set_status(&mut new, status, at, None);
        let binding = self.binding(&tx, new.id, &place, at);
        store::insert_bindings(tx.conn(), tx.scope(), &[binding]).await.map_err(just_filled)?;
        store::upsert_devices(tx.conn(), tx.scope(), std::slice::from_ref(&new), false).await?;
        let mut payload = place_payload(&place, status);
        payload["insteadOf"] = json!(input.old_device_id);
        payload["reason"] = json!(reason);
        self.file.append(&tx, vec![event(new.id, at, EventKind::SwappedIn, payload)]).await?;
        let done = Swapped { old_device_id: input.old_device_id, new_device_id: input.new_device_id };
        tx.finish(&done).await?;
        Ok(done)
    }

    /// Changes a device's status; lost, destroyed, quarantined and retired devices leave their
    /// position at that moment.
    ///
    /// # Errors
    /// What the status machine forbids, a device that has to pass an inspection first, a stale
    /// version, an impossible moment.
    pub async fn change_status(&self, call: &Call, input: ChangeStatus) -> Result<DeviceDone, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let reason = optional_prose(input.reason.as_deref(), "reason", 1_000)?;
        let mut device = self.locked(&tx, input.device_id).await?;
        expect(input.expected_version, device.version)?;
        // Without a moment it is now, or when the last change was if that device's clock is ahead.
        let at = past(input.changed_at.unwrap_or(call.now.max(device.status_since)), call.now, "changedAt")?;
        if !rules::may_become(device.status, input.status) {
            let hint = match (rules::is_in_field(device.status), rules::is_in_field(input.status)) {
                (true, false) => "; use removeDevice",
                (false, true) => "; use installDevice",
                _ => "",
            };
            return Err(Error::IllegalStatus { field: "status", from: device.status, to: input.status, hint });
        }
        self.inspected(&tx, &device, input.status, at, "status").await?;
        in_order(&self.moves_of(&tx, device.id).await?, at, "changedAt")?;
        // Registration says when we were told, not since when it was so: what was before may be
        // told later.
        if at < device.status_since && device.status_since != device.created_at {
            let problem = format!("lies before {}, when it became {}", device.status_since, device.status);
            return Err(Error::Instant { field: "changedAt", problem });
        }
        if device.position_id.is_some() && !rules::is_in_field(input.status) {
            let leaving = Leaving {
                at,
                status: input.status,
                reason,
                kind: EventKind::Removed,
                replaced_by: None,
                fields: ("changedAt", "status"),
            };
            self.take_out(&tx, device, leaving).await?;
        } else {
            let from = device.status;
            set_status(&mut device, input.status, at, reason.clone());
            device.version += 1;
            store::upsert_devices(tx.conn(), tx.scope(), std::slice::from_ref(&device), false).await?;
            let payload = json!({"from": from, "status": input.status, "reason": reason});
            self.file.append(&tx, vec![event(device.id, at, EventKind::StatusChanged, payload)]).await?;
        }
        let done = DeviceDone { device_id: input.device_id };
        tx.finish(&done).await?;
        Ok(done)
    }
}
