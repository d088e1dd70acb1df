//! Inspections before service that devices passed.

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

/// An inspection that was passed.
#[derive(Clone, Copy, Debug)]
pub struct PassedInspection {
    /// The device.
    pub device_id: DeviceId,
    /// Device time.
    pub performed_at: DateTime<Utc>,
    /// The visit line that reports it.
    pub visit_line_id: VisitLineId,
}

impl RegistryService {
    /// Remembers passed inspections. One from before the device left the field or went to repair is
    /// in its file, and counts no more.
    ///
    /// # Errors
    /// Storage.
    pub async fn pass_inspections(&self, tx: &Tx, passed: &[PassedInspection]) -> StoreResult<()> {
        if passed.is_empty() {
            return Ok(());
        }
        let ids: BTreeSet<DeviceId> = passed.iter().map(|p| p.device_id).collect();
        let ids: Vec<DeviceId> = ids.into_iter().collect();
        self.file.lock(tx, &ids).await?;
        let mut devices: HashMap<DeviceId, Device> =
            store::devices_by_ids(tx.conn(), tx.scope(), &ids).await?.into_iter().map(|d| (d.id, d)).collect();
        let mut events = Vec::with_capacity(passed.len());
        for inspection in passed {
            let Some(device) = devices.get_mut(&inspection.device_id) else { continue };
            let at = inspection.performed_at;
            rules::pass_inspection(device, at);
            device.version += 1;
            events.push(NewEvent {
                device: device.id,
                occurred_at: at,
                kind: EventKind::InspectionPassed,
                payload: json!({
                    "visitLineId": inspection.visit_line_id,
                    "counts": device.inspected_at.is_some_and(|counted| counted >= at),
                }),
                corrects: None,
            });
        }
        let changed: Vec<Device> = devices.into_values().collect();
        store::upsert_devices(tx.conn(), tx.scope(), &changed, false).await?;
        self.file.append(tx, events).await
    }
}
