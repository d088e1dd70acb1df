//! Inspections before service that devices passed and failed.

use super::RegistryService;
use crate::db::StoreResult;
use crate::db::tx::Tx;
use crate::kernel::ids::{DeviceId, VisitLineId};
use crate::registry::file::{EventKind, NewEvent};
use crate::registry::model::Device;
use crate::registry::rules;
use crate::registry::store;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};

/// An inspection that was done.
#[derive(Clone, Copy, Debug)]
pub struct InspectionDone {
    /// The device.
    pub device_id: DeviceId,
    /// Device time.
    pub performed_at: DateTime<Utc>,
    /// The visit line that reports it.
    pub visit_line_id: VisitLineId,
    /// Every required step was passed.
    pub is_passed: bool,
}

impl RegistryService {
    /// Remembers inspections. One passed before the device left the field, went to repair or failed
    /// one is in its file, and counts no more.
    ///
    /// # Errors
    /// Storage.
    pub async fn record_inspections(&self, tx: &Tx, done: &[InspectionDone]) -> StoreResult<()> {
        if done.is_empty() {
            return Ok(());
        }
        let ids: BTreeSet<DeviceId> = done.iter().map(|p| p.device_id).collect();
        let ids: Vec<DeviceId> = ids.into_iter().collect();
        self.file.lock(tx, &ids).await?;
        let mut devices: HashMap<DeviceId, Device> =
            store::devices_by_ids(tx.conn(), tx.scope(), &ids).await?.into_iter().map(|d| (d.id, d)).collect();
        let mut events = Vec::with_capacity(done.len());
        for inspection in done {
            let Some(device) = devices.get_mut(&inspection.device_id) else { continue };
            let at = inspection.performed_at;
            let (kind, payload) = if inspection.is_passed {
                rules::pass_inspection(device, at);
                let counts = device.inspected_at.is_some_and(|counted| counted >= at);
                (EventKind::InspectionPassed, json!({"visitLineId": inspection.visit_line_id, "counts": counts}))
            } else {
                rules::void_inspection(device, at);
                (EventKind::InspectionFailed, json!({"visitLineId": inspection.visit_line_id}))
            };
            device.version += 1;
            events.push(NewEvent { device: device.id, occurred_at: at, kind, payload, corrects: None });
        }
        let changed: Vec<Device> = devices.into_values().collect();
        store::upsert_devices(tx.conn(), tx.scope(), &changed, false).await?;
        self.file.append(tx, events).await
    }
}
