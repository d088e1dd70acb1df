//! Parts that are replaced: the old one goes out, the new one comes in, both keep their history.

use super::RegistryService;
use crate::catalogue::model::{ComponentKind, DeviceModel, ReplaceableAt};
use crate::catalogue::store as catalogue_store;
use crate::db::tx::Tx;
use crate::db::{StoreError, StoreResult};
use crate::kernel::code::Code;
use crate::kernel::ids::{ComponentId, DeviceId, DeviceModelId, VisitLineId};
use crate::registry::file::{EventKind, NewEvent};
use crate::registry::model::*;
use crate::registry::store;
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};

/// A part to be replaced.
#[derive(Clone, Debug)]
pub struct ReplacePart {
    /// The device.
    pub device_id: DeviceId,
    /// The part.
    pub kind: ComponentKind,
    /// Serial number of the part taken out, as read off it.
    pub old_serial_number: Option<String>,
    /// Serial number of the part put in.
    pub new_serial_number: Option<String>,
    /// Last civil day of the new part's warranty.
    pub warranty_ends_on: Option<NaiveDate>,
    /// The maker's number of the new part.
    pub part_number: Option<String>,
    /// Device time.
    pub performed_at: DateTime<Utc>,
    /// The visit line that reports it.
    pub visit_line_id: VisitLineId,
}

/// A part that was replaced, with the meter its life is counted by.
#[derive(Clone, Debug)]
pub struct PartReplaced {
    /// The device.
    pub device_id: DeviceId,
    /// The part taken out; absent when none was known.
    pub old_id: Option<ComponentId>,
    /// The life counters kept of it.
    pub old_lives: Vec<ComponentLife>,
    /// The part put in.
    pub new_id: ComponentId,
    /// When the new part went out again, where this was told late.
    pub removed_at: Option<DateTime<Utc>>,
    /// Device time.
    pub at: DateTime<Utc>,
    /// The meter the model rates the part by.
    pub rated_meter: Option<String>,
}

/// Why a part cannot have been replaced so.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// The device is gone from the tables.
    #[error("no device with this id in your organization; check the id")]
    NoDevice,
    /// The model has no such part.
    #[error("model {model} has no {kind}; correct the part, or the device")]
    NotInModel {
        /// The part.
        kind: ComponentKind,
        /// Name of the model.
        model: String,
    },
    /// Old and new are the same.
    #[error("{serial_number} is the part taken out as well as the part put in; give the new part's own serial number")]
    ByItself {
        /// Serial number.
        serial_number: String,
    },
    /// Another part is known to be in.
    #[error(
        "the {kind} in this device is {known}, not {given}; check the serial number, or log first how {given} came in"
    )]
    OtherPart {
        /// The part.
        kind: ComponentKind,
        /// Serial number of the part that is in.
        known: String,
        /// Serial number of the part that was to be taken out.
        given: String,
    },
    /// The new part is in another device.
    #[error(
        "{kind} {serial_number} is in device {device_serial}; log first that it was taken out there, or correct the serial number"
    )]
    InUse {
        /// The part.
        kind: ComponentKind,
        /// Its serial number.
        serial_number: String,
        /// Serial number of the device it is in.
        device_serial: String,
    },
    /// Another visit put a part with this serial number in at the same moment.
    #[error("{kind} {serial_number} was put into a device a moment ago; reload, and log the visit again")]
    JustUsed {
        /// The part.
        kind: ComponentKind,
        /// Its serial number.
        serial_number: String,
    },
    /// Not to be replaced there.
    #[error(
        "a {kind} of this model is replaced {place} only, because opening the terminal erases its keys; swap the terminal instead"
    )]
    NotHere {
        /// The part.
        kind: ComponentKind,
        /// Where it may be.
        place: &'static str,
    },
    /// Internal.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PartError {
    /// The code of the refusal; absent when the failure is internal.
    pub fn code(&self) -> Option<Code> {
        Some(match self {
            Self::NoDevice => Code::NotFound,
            Self::NotInModel { .. } => Code::PartNotInModel,
            Self::ByItself { .. } => Code::PartReplacedByItself,
            Self::OtherPart { .. } => Code::PartSerialMismatch,
            Self::InUse { .. } | Self::JustUsed { .. } => Code::PartSerialInUse,
            Self::NotHere { .. } => Code::PartNotReplaceableHere,
            Self::Store(_) => return None,
        })
    }

    /// The field of the replaced part it is about.
    pub fn field(&self) -> &'static str {
        match self {
            Self::NoDevice | Self::NotInModel { .. } | Self::NotHere { .. } | Self::Store(_) => "componentKind",
            Self::OtherPart { .. } => "oldSerialNumber",
            Self::ByItself { .. } | Self::InUse { .. } | Self::JustUsed { .. } => "newSerialNumber",
        }
    }
}

/// What replacing has to know; read once, and kept up to date part by part.
struct Bench {
    devices: HashMap<DeviceId, Device>,
    models: HashMap<DeviceModelId, DeviceModel>,
    bindings: HashMap<DeviceId, Vec<Binding>>,
    /// Parts of the devices, and every part with one of the new serial numbers.
    parts: Vec<Component>,
    /// Serial numbers of the other devices in which such parts are or were.
    serials: HashMap<DeviceId, String>,
    /// Parts that are changed or new.
    touched: BTreeSet<ComponentId>,
}

impl Bench {
    /// Whether the device stood at a position at a moment.
    fn is_in_field(&self, device: DeviceId, at: DateTime<Utc>) -> bool {
        let line = self.bindings.get(&device).map(Vec::as_slice).unwrap_or_default();
        line.iter().any(|b| b.started_at <= at && b.ended_at.is_none_or(|end| at < end))
    }

    /// The place of the part that was in a device at a moment. The first one was in from before it
    /// was told: registration says what a device has, not since when.
    fn part_at(&self, device: DeviceId, kind: ComponentKind, at: DateTime<Utc>) -> Option<usize> {
        let mut of_kind: Vec<usize> = (0..self.parts.len())
            .filter(|i| self.parts[*i].device_id == device && self.parts[*i].kind == kind)
            .collect();
        of_kind.sort_by_key(|i| (self.parts[*i].installed_at, self.parts[*i].removed_at.is_none(), self.parts[*i].id));
        let first = of_kind.first().copied();
        of_kind.into_iter().find(|i| {
            let part = &self.parts[*i];
            (part.installed_at <= at || Some(*i) == first) && part.removed_at.is_none_or(|end| at < end)
        })
    }
}

/// Two visits at once may put the same serial number into two devices, and neither sees the other's.
fn just_used(asked: &[ReplacePart], error: StoreError) -> (usize, PartError) {
    let named = asked.iter().enumerate().find_map(|(place, part)| {
        part.new_serial_number.clone().map(|serial_number| (place, part.kind, serial_number))
    });
    match (error, named) {
        (StoreError::Conflict { .. }, Some((place, kind, serial_number))) => {
            (place, PartError::JustUsed { kind, serial_number })
        }
        (error, _) => (0, PartError::Store(error)),
    }
}

impl RegistryService {
    /// Devices in which parts with these serial numbers are or were; their files hear of it when
    /// such a part comes into another device.
    ///
    /// # Errors
    /// Storage.
    pub async fn devices_of_parts(&self, tx: &Tx, serials: &[String]) -> StoreResult<Vec<DeviceId>> {
        let parts = store::components_by_serials(tx.conn(), tx.scope(), serials).await?;
        let devices: BTreeSet<DeviceId> = parts.iter().map(|p| p.device_id).collect();
        Ok(devices.into_iter().collect())
    }

    /// Replaces parts, in the order of their moments: what a device is known to have changes with
    /// each. The files of the devices, and of those the parts come from, are locked by the caller.
    /// One told late, after the part that followed it, takes its place in between.
    ///
    /// # Errors
    /// The place of the part in the request, and why: a part the model has not, or that is not
    /// replaced there; a serial number that contradicts what is known, or is in use elsewhere; a
    /// part replaced by itself.
    pub async fn replace_parts(&self, tx: &Tx, asked: &[ReplacePart]) -> Result<Vec<PartReplaced>, (usize, PartError)> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let stored = |e: StoreError| (0, PartError::Store(e));
        let mut bench = self.bench(tx, asked).await.map_err(stored)?;
        let mut order: Vec<usize> = (0..asked.len()).collect();
        order.sort_by_key(|i| asked[*i].performed_at);
        let mut done = Vec::with_capacity(asked.len());
        let mut events = Vec::new();
        for place in order {
            let part = self.replace(tx, &mut bench, &asked[place], &mut events).map_err(|e| (place, e))?;
            done.push(part);
        }
        let (out, new): (Vec<Component>, Vec<Component>) =
            bench.parts.iter().filter(|p| bench.touched.contains(&p.id)).cloned().partition(|p| p.removed_at.is_some());
        // What goes out first, else its serial number is still taken.
        store::upsert_components(tx.conn(), tx.scope(), &out).await.map_err(stored)?;
        store::upsert_components(tx.conn(), tx.scope(), &new).await.map_err(|e| just_used(asked, e))?;
        self.file.append(tx, events).await.map_err(stored)?;
        Ok(done)
    }

    async fn bench(&self, tx: &Tx, asked: &[ReplacePart]) -> StoreResult<Bench> {
        let (db, scope) = (tx.conn(), tx.scope());
        let ids: BTreeSet<DeviceId> = asked.iter().map(|p| p.device_id).collect();
        let ids: Vec<DeviceId> = ids.into_iter().collect();
        let serials: BTreeSet<String> = asked.iter().filter_map(|p| p.new_serial_number.clone()).collect();
        let serials: Vec<String> = serials.into_iter().collect();
        let devices: HashMap<DeviceId, Device> =
            store::devices_by_ids(db, scope, &ids).await?.into_iter().map(|d| (d.id, d)).collect();
        let models: BTreeSet<DeviceModelId> = devices.values().map(|d| d.model_id).collect();
        let models: Vec<DeviceModelId> = models.into_iter().collect();
        let models = catalogue_store::models_by_ids(db, scope, &models).await?.into_iter().map(|m| (m.id, m)).collect();
        let mut bindings: HashMap<DeviceId, Vec<Binding>> = HashMap::new();
        for binding in store::bindings_of_devices(db, scope, &ids).await? {
            bindings.entry(binding.device_id).or_default().push(binding);
        }
        let mut parts = store::components_of(db, scope, &ids).await?;
        let elsewhere: Vec<Component> = store::components_by_serials(db, scope, &serials)
            .await?
            .into_iter()
            .filter(|p| !devices.contains_key(&p.device_id))
            .collect();
        let others: BTreeSet<DeviceId> = elsewhere.iter().map(|p| p.device_id).collect();
        let others: Vec<DeviceId> = others.into_iter().collect();
        let mut names: HashMap<DeviceId, String> =
            store::devices_by_ids(db, scope, &others).await?.into_iter().map(|d| (d.id, d.serial_number)).collect();
        names.extend(devices.values().map(|d| (d.id, d.serial_number.clone())));
        parts.extend(elsewhere);
        Ok(Bench { devices, models, bindings, parts, serials: names, touched: BTreeSet::new() })
    }

    fn replace(
        &self,
        tx: &Tx,
        bench: &mut Bench,
        asked: &ReplacePart,
        events: &mut Vec<NewEvent>,
    ) -> Result<PartReplaced, PartError> {
        let (kind, at) = (asked.kind, asked.performed_at);
        let device = bench.devices.get(&asked.device_id).ok_or(PartError::NoDevice)?;
        let (device_id, device_serial) = (device.id, device.serial_number.clone());
        let model = bench.models.get(&device.model_id).ok_or(PartError::NoDevice)?;
        let of_model = model.components.iter().find(|c| c.kind == kind);
        let old_place = bench.part_at(device_id, kind, at);
        let old = old_place.map(|i| bench.parts[i].clone());
        let replaceable_at = old.as_ref().map(|p| p.replaceable_at).or(of_model.map(|c| c.replaceable_at));
        let Some(replaceable_at) = replaceable_at else {
            return Err(PartError::NotInModel { kind, model: model.name.clone() });
        };
        match replaceable_at {
            ReplaceableAt::Field => {}
            ReplaceableAt::Depot if !bench.is_in_field(device_id, at) => {}
            ReplaceableAt::Depot => return Err(PartError::NotHere { kind, place: "in the workshop" }),
            ReplaceableAt::Factory => return Err(PartError::NotHere { kind, place: "at the maker's" }),
        }
        let known = old.as_ref().and_then(|p| p.serial_number.clone());
        if let (Some(known), Some(given)) = (&known, &asked.old_serial_number)
            && known != given
        {
            return Err(PartError::OtherPart { kind, known: known.clone(), given: given.clone() });
        }
        // Told late: it was in until the part that followed came.
        let until = old.as_ref().and_then(|p| p.removed_at);
        let old_serial = known.or_else(|| asked.old_serial_number.clone());
        let mut came_from = None;
        if let Some(new_serial) = &asked.new_serial_number {
            if old_serial.as_ref() == Some(new_serial) {
                return Err(PartError::ByItself { serial_number: new_serial.clone() });
            }
            let twins: Vec<&Component> = bench
                .parts
                .iter()
                .filter(|p| p.device_id != device_id && p.kind == kind && p.serial_number.as_ref() == Some(new_serial))
                .collect();
            // One part is in one device at a time; where it was before and after is another matter.
            let overlaps = |p: &Component| {
                until.is_none_or(|until| p.installed_at < until) && p.removed_at.is_none_or(|end| end > at)
            };
            if let Some(other) = twins.iter().find(|p| overlaps(p)) {
                return Err(PartError::InUse {
                    kind,
                    serial_number: new_serial.clone(),
                    device_serial: bench.serials.get(&other.device_id).cloned().unwrap_or_default(),
                });
            }
            came_from = twins
                .iter()
                .filter(|p| p.removed_at.is_some_and(|end| end <= at))
                .max_by_key(|p| p.removed_at)
                .map(|p| p.device_id);
        }
        let rated_meter = of_model.and_then(|c| c.rated_meter.clone());
        let new = Component {
            id: ComponentId(self.ids.uuid(tx.now())),
            device_id,
            kind,
            serial_number: asked.new_serial_number.clone(),
            replaceable_at,
            installed_at: at,
            removed_at: until,
            warranty_ends_on: asked.warranty_ends_on,
            part_number: asked.part_number.clone(),
            lives: Vec::new(),
        };
        if let Some(part) = old_place.and_then(|i| bench.parts.get_mut(i)) {
            part.serial_number.clone_from(&old_serial);
            part.installed_at = part.installed_at.min(at);
            part.removed_at = Some(at);
            bench.touched.insert(part.id);
        }
        let done = PartReplaced {
            device_id,
            old_id: old.as_ref().map(|p| p.id),
            old_lives: old.map(|p| p.lives).unwrap_or_default(),
            new_id: new.id,
            removed_at: new.removed_at,
            at,
            rated_meter,
        };
        let event = |device: DeviceId, payload: serde_json::Value| NewEvent {
            device,
            occurred_at: at,
            kind: EventKind::ComponentReplaced,
            payload,
            corrects: None,
        };
        events.push(event(
            device_id,
            json!({
                "component": kind, "oldSerialNumber": old_serial, "newSerialNumber": new.serial_number,
                "partNumber": new.part_number, "warrantyEndsOn": new.warranty_ends_on, "fromDevice": came_from,
                "visitLineId": asked.visit_line_id, "isCurrent": new.removed_at.is_none(), "removedAt": new.removed_at,
            }),
        ));
        if let Some(other) = came_from {
            events.push(event(
                other,
                json!({
                    "component": kind, "serialNumber": new.serial_number, "toDevice": device_id,
                    "toSerialNumber": device_serial, "visitLineId": asked.visit_line_id,
                }),
            ));
        }
        bench.touched.insert(new.id);
        bench.parts.push(new);
        Ok(done)
    }
}
