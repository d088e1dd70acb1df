//! What is installed on devices, as they or their management system report it.

use super::{RegistryService, past, text};
use crate::db::StoreResult;
use crate::db::tx::Tx;
use crate::kernel::call::Call;
use crate::kernel::code::{Code, Refusal};
use crate::kernel::ids::{DeviceId, SoftwareItemId};
use crate::kernel::subject::SubjectKind;
use crate::registry::error::Error;
use crate::registry::file::{EventKind, NewEvent};
use crate::registry::model::*;
use crate::registry::store;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Reports one request takes.
pub const MAX_SOFTWARE_REPORTS: usize = 5_000;

/// One installed thing, as reported.
#[derive(Clone, Debug)]
pub struct SoftwareReport {
    /// The device, at the time of the report.
    pub device: DeviceRef,
    /// What it is.
    pub kind: SoftwareKind,
    /// Its name; absent for the only one of its kind. The firmware without a name is the one whose
    /// version is the device's `firmwareVersion`.
    pub name: Option<String>,
    /// Its version.
    pub version: String,
    /// Device time.
    pub reported_at: DateTime<Utc>,
}

/// A row that was not taken in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// Place in the request, from 0.
    pub row: usize,
    /// What kind of problem.
    pub code: Code,
    /// What is wrong and what to do.
    pub message: String,
}

/// What became of the reports of one request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SoftwareReported {
    /// Reports that changed a version.
    pub changed_count: usize,
    /// Reports of what was known, or older than what is known.
    pub unchanged_count: usize,
    /// Reports refused, by row.
    pub rejected: Vec<RefusedRow>,
}

/// One item of one device.
type ItemKey = (DeviceId, SoftwareKind, String);

/// The name of the only item of a kind.
fn default_name(kind: SoftwareKind) -> String {
    match kind {
        SoftwareKind::Firmware => MAIN_FIRMWARE.to_owned(),
        SoftwareKind::Os
        | SoftwareKind::PaymentApp
        | SoftwareKind::Parameters
        | SoftwareKind::Kernel
        | SoftwareKind::Certificate => kind.as_str().to_lowercase(),
    }
}

impl RegistryService {
    /// Takes in what devices say is installed, in any order of arrival: the latest by device time
    /// stands. Only a changed version is an event in the device file.
    ///
    /// # Errors
    /// None or too many reports, an idempotency key with other input; single refusals are in the
    /// rows.
    pub async fn report_software(&self, call: &Call, reports: &[SoftwareReport]) -> Result<SoftwareReported, Error> {
        if reports.is_empty() {
            return Err(Error::Invalid { field: "reports", problem: "give at least one report".into() });
        }
        if reports.len() > MAX_SOFTWARE_REPORTS {
            return Err(Error::TooMany { field: "reports", given: reports.len(), max: MAX_SOFTWARE_REPORTS });
        }
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let refs: Vec<(DeviceRef, DateTime<Utc>)> = reports.iter().map(|r| (r.device.clone(), r.reported_at)).collect();
        let resolved = super::resolve_many(tx.conn(), tx.scope(), &refs).await?;
        let mut reported = SoftwareReported::default();
        let mut items = Vec::with_capacity(reports.len());
        for (row, (report, device)) in reports.iter().zip(resolved).enumerate() {
            match device.map_err(Error::from).and_then(|device| self.reported_item(&tx, report, device)) {
                Ok(item) => items.push(item),
                Err(e) => reported.rejected.push(RefusedRow {
                    row,
                    code: e.code().unwrap_or(Code::Invalid),
                    message: e.message(),
                }),
            }
        }
        self.take_in(&tx, items, &mut reported).await?;
        tx.finish(&reported).await?;
        Ok(reported)
    }

    fn reported_item(&self, tx: &Tx, report: &SoftwareReport, device_id: DeviceId) -> Result<SoftwareItem, Error> {
        Ok(SoftwareItem {
            id: SoftwareItemId(self.ids.uuid(tx.now())),
            device_id,
            kind: report.kind,
            name: match &report.name {
                Some(name) => text(name, "name", 200)?,
                None => default_name(report.kind),
            },
            version: text(&report.version, "version", 64)?,
            reported_at: past(report.reported_at, tx.now(), "reportedAt")?,
        })
    }

    async fn take_in(&self, tx: &Tx, mut items: Vec<SoftwareItem>, reported: &mut SoftwareReported) -> StoreResult<()> {
        // Stable: of two reports of one moment the later row stands.
        items.sort_by_key(|i| i.reported_at);
        let devices: BTreeSet<DeviceId> = items.iter().map(|i| i.device_id).collect();
        let devices: Vec<DeviceId> = devices.into_iter().collect();
        self.file.lock(tx, &devices).await?;
        let mut known: HashMap<ItemKey, SoftwareItem> = store::software_of(tx.conn(), tx.scope(), &devices)
            .await?
            .into_iter()
            .map(|i| ((i.device_id, i.kind, i.name.clone()), i))
            .collect();
        let mut written: BTreeSet<ItemKey> = BTreeSet::new();
        let mut firmware: BTreeMap<DeviceId, String> = BTreeMap::new();
        let mut events = Vec::new();
        for item in items {
            let key = (item.device_id, item.kind, item.name.clone());
            let before = known.get(&key);
            if before.is_some_and(|b| item.reported_at < b.reported_at) {
                reported.unchanged_count += 1;
                continue;
            }
            if before.is_some_and(|b| b.version == item.version) {
                reported.unchanged_count += 1;
            } else {
                reported.changed_count += 1;
                if item.kind == SoftwareKind::Firmware && item.name == MAIN_FIRMWARE {
                    firmware.insert(item.device_id, item.version.clone());
                }
                events.push(NewEvent {
                    device: item.device_id,
                    occurred_at: item.reported_at,
                    kind: EventKind::SoftwareReported,
                    payload: json!({"kind": item.kind, "name": item.name, "version": item.version}),
                    corrects: None,
                });
            }
            // The moment moves on also without a change, so that an older report is known as one.
            written.insert(key.clone());
            known.insert(key, item);
        }
        // How long ago it was reported can be what a plan watches.
        tx.mark(written.iter().map(|key| (SubjectKind::Device, key.0.0)), self.ids.uuid(tx.now()));
        let rows: Vec<SoftwareItem> = written.iter().filter_map(|key| known.get(key).cloned()).collect();
        store::upsert_software(tx.conn(), tx.scope(), &rows).await?;
        let changed: Vec<DeviceId> = firmware.keys().copied().collect();
        let mut devices = store::devices_by_ids(tx.conn(), tx.scope(), &changed).await?;
        for device in &mut devices {
            device.firmware_version = firmware.get(&device.id).cloned();
            device.version += 1;
        }
        store::upsert_devices(tx.conn(), tx.scope(), &devices, false).await?;
        self.file.append(tx, events).await
    }
}
