//! A reported version completes the update that was to install it, without a visit.

use super::PlanningService;
use super::facts::Pair;
use crate::db::StoreResult;
use crate::db::tx::Tx;
use crate::firmware::rules::Version;
use crate::kernel::ids::{DeviceId, LogEntryId};
use crate::kernel::subject::{Subject, SubjectKind};
use crate::planning::model::*;
use crate::planning::store;
use crate::registry::file::{EventKind, NewEvent};
use crate::registry::model::{MAIN_FIRMWARE, SoftwareKind};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeMap;

/// When each device was last reported to have a firmware version, in these events.
fn reports(events: &[NewEvent]) -> BTreeMap<DeviceId, DateTime<Utc>> {
    let mut found: BTreeMap<DeviceId, DateTime<Utc>> = BTreeMap::new();
    for event in events.iter().filter(|e| e.kind == EventKind::SoftwareReported) {
        let says = |key: &str, value: &str| event.payload.get(key).and_then(|v| v.as_str()) == Some(value);
        if says("kind", SoftwareKind::Firmware.as_str()) && says("name", MAIN_FIRMWARE) {
            let at = found.entry(event.device).or_insert(event.occurred_at);
            *at = (*at).max(event.occurred_at);
        }
    }
    found
}

/// The version a pair's item waits for.
fn awaited(pair: &Pair) -> Option<&str> {
    let explanation = pair.item.as_ref().filter(|i| i.is_alive)?.explanation.as_ref()?;
    explanation.candidates.iter().find_map(|c| c.firmware.as_ref()?.next_version.as_deref())
}

impl PlanningService {
    /// Completes the updates that these events report; the caller settles the devices afterwards.
    ///
    /// # Errors
    /// Storage only.
    pub(super) async fn complete_updates(&self, tx: &Tx, events: &[NewEvent]) -> StoreResult<()> {
        let reported = reports(events);
        if reported.is_empty() {
            return Ok(());
        }
        let (db, scope, now) = (tx.conn(), tx.scope(), tx.now());
        let book = self.plan_book(db, scope).await?;
        if !book.updates() {
            return Ok(());
        }
        let subjects: Vec<Subject> = reported.keys().map(|d| Subject { kind: SubjectKind::Device, id: d.0 }).collect();
        let pairs = self.load(db, scope, &book, &subjects, now).await?;
        let (mut log, mut orders, mut told) = (vec![], vec![], vec![]);
        for pair in &pairs {
            let (Some(awaited), Some(device)) = (awaited(pair), pair.facts.device.as_ref()) else { continue };
            let Some(at) = reported.get(&device.id).copied() else { continue };
            // A newer version than the one waited for is further on the same way.
            let reaches = |version: &str| Version::read(version) >= Version::read(awaited);
            if !pair.is_at_target() && !device.firmware_version.as_deref().is_some_and(reaches) {
                continue;
            }
            log.push(LogEntry {
                id: LogEntryId(self.ids.uuid(now)),
                item_id: pair.item_id,
                plan_id: pair.plan.plan.id,
                subject: pair.facts.subject,
                kind: LogKind::Done,
                performed_at: at,
                occurrence_key: None,
                nominal_due_at: None,
                postponed_to: None,
                visit_line_id: None,
                work_order_id: pair.order.as_ref().map(|o| o.id),
                reason: None,
                actor: tx.call.actor.clone(),
                recorded_at: now,
                is_void: false,
            });
            let Some(mut order) = pair.order.clone() else { continue };
            order.state = WorkOrderState::Completed;
            order.performed_at = Some(at);
            order.closed_at = Some(now);
            order.version += 1;
            told.push(NewEvent {
                device: device.id,
                occurred_at: at,
                kind: EventKind::WorkOrderCompleted,
                payload: json!({
                    "workOrderId": order.id, "number": order.number, "planId": order.plan_id,
                    "itemId": order.item_id, "firmwareVersion": device.firmware_version, "performedAt": at,
                }),
                corrects: None,
            });
            orders.push(order);
        }
        store::insert_log(db, scope, &log).await?;
        store::upsert_orders(db, scope, &orders).await?;
        if !told.is_empty() {
            self.file.append(tx, told).await?;
        }
        Ok(())
    }
}
