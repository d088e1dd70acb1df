//! Re-derives what a device is from its file alone, to compare with the tables.

use super::file::{Event, EventKind};
use super::model::{Binding, Component, Device, DeviceStatus, MAIN_FIRMWARE, SoftwareItem, SoftwareKind};
use super::rules;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a device file says a device is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derived {
    /// Status code.
    pub status: String,
    /// Maker, serial number and model.
    pub identity: [String; 3],
    /// Position it fills.
    pub position_id: Option<String>,
    /// Site of that position.
    pub site_id: Option<String>,
    /// Every position it ever filled, from when to when, oldest first.
    pub line: Vec<Stay>,
    /// Version of its firmware item.
    pub firmware_version: Option<String>,
    /// Version by software kind and name.
    pub software: BTreeMap<(String, String), String>,
    /// Serial number by kind of the parts that are in, where it is known.
    pub components: BTreeMap<String, Option<String>>,
    /// When it passed the inspection before service that still counts.
    pub inspected_at: Option<DateTime<Utc>>,
}

/// A position, from when to when.
pub type Stay = (String, DateTime<Utc>, Option<DateTime<Utc>>);

fn text(payload: &Value, key: &str) -> Option<String> {
    payload.get(key)?.as_str().map(str::to_owned)
}

fn flag(payload: &Value, key: &str) -> bool {
    payload.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// Folds a file's events, in order.
pub fn fold(events: &[Event]) -> Derived {
    let mut now = Derived::default();
    for event in events {
        let payload = &event.payload;
        // Other rooms may have a status of their own in their payloads, and a move between positions
        // leaves it as it was: told late, it carries the status of the day it was told.
        let tells_status = event.kind.is_of_place() && event.kind != EventKind::Relocated;
        if (event.kind == EventKind::DeviceRegistered || tells_status)
            && let Some(status) = text(payload, "status")
        {
            if let (Some(from), Some(to)) = (DeviceStatus::parse(&now.status), DeviceStatus::parse(&status))
                && !rules::keeps_inspection(from, to)
            {
                now.inspected_at = now.inspected_at.filter(|passed| *passed >= event.occurred_at);
            }
            now.status = status;
        }
        if event.kind.is_of_place() && event.kind != EventKind::StatusChanged {
            let at = event.occurred_at;
            if let Some(open) = now.line.last_mut().filter(|(.., end)| end.is_none()) {
                open.2 = Some(at);
            }
            let leaves = matches!(event.kind, EventKind::Removed | EventKind::SwappedOut);
            now.position_id = text(payload, "positionId").filter(|_| !leaves);
            now.site_id = text(payload, "siteId").filter(|_| !leaves);
            now.line.extend(now.position_id.clone().map(|position| (position, at, None)));
        }
        match event.kind {
            EventKind::DeviceRegistered => {
                now.identity =
                    ["manufacturer", "serialNumber", "modelId"].map(|key| text(payload, key).unwrap_or_default());
                for part in payload.get("components").and_then(Value::as_array).into_iter().flatten() {
                    now.components.extend(part.as_str().map(|kind| (kind.to_owned(), None)));
                }
            }
            EventKind::SoftwareReported => {
                if let (Some(kind), Some(name), Some(version)) =
                    (text(payload, "kind"), text(payload, "name"), text(payload, "version"))
                {
                    now.software.insert((kind, name), version);
                }
            }
            EventKind::ComponentInstalled => now.components.extend(text(payload, "kind").map(|kind| (kind, None))),
            EventKind::ComponentRemoved => {
                if let Some(kind) = text(payload, "kind") {
                    now.components.remove(&kind);
                }
            }
            // One told late was replaced again since, and one that went to another device is not in.
            EventKind::ComponentReplaced if flag(payload, "isCurrent") => {
                if let Some(kind) = text(payload, "component") {
                    now.components.insert(kind, text(payload, "newSerialNumber"));
                }
            }
            EventKind::InspectionPassed if flag(payload, "counts") => {
                let at = event.occurred_at;
                now.inspected_at = Some(now.inspected_at.map_or(at, |passed| passed.max(at)));
            }
            EventKind::InspectionFailed => {
                now.inspected_at = now.inspected_at.filter(|passed| *passed >= event.occurred_at);
            }
            _ => {}
        }
    }
    now.firmware_version = now.software.get(&main_firmware()).cloned();
    now
}

fn main_firmware() -> (String, String) {
    (SoftwareKind::Firmware.as_str().to_owned(), MAIN_FIRMWARE.to_owned())
}

/// What the tables say, in the same form.
pub fn stated(device: &Device, line: &[Binding], components: &[Component], software: &[SoftwareItem]) -> Derived {
    let mut line: Vec<Stay> = line.iter().map(|b| (b.position_id.0.to_string(), b.started_at, b.ended_at)).collect();
    line.sort_by_key(|(_, from, until)| (*from, until.is_none(), *until));
    Derived {
        status: device.status.as_str().to_owned(),
        identity: [device.manufacturer.clone(), device.serial_number.clone(), device.model_id.0.to_string()],
        position_id: device.position_id.map(|p| p.0.to_string()),
        site_id: device.site_id.map(|s| s.0.to_string()),
        line,
        firmware_version: device.firmware_version.clone(),
        software: software.iter().map(|s| ((s.kind.as_str().to_owned(), s.name.clone()), s.version.clone())).collect(),
        components: components
            .iter()
            .filter(|c| c.removed_at.is_none())
            .map(|c| (c.kind.as_str().to_owned(), c.serial_number.clone()))
            .collect(),
        inspected_at: device.inspected_at,
    }
}

/// Where file and tables differ, in words.
pub fn differences(file: &Derived, tables: &Derived) -> Vec<String> {
    let mut found = Vec::new();
    if file.status != tables.status {
        found.push(format!("status is {} in the table, {} by the file", tables.status, file.status));
    }
    if file.position_id != tables.position_id {
        found.push("the position in the table is not the one of the file".to_owned());
    }
    if file.identity != tables.identity {
        found.push("maker, serial number or model in the table are not those of the file".to_owned());
    }
    if file.site_id != tables.site_id {
        found.push("the site in the table is not the one of the file".to_owned());
    }
    if file.line != tables.line {
        found.push("the places it stood at, or their times, are not those of the file".to_owned());
    }
    if file.firmware_version != tables.firmware_version {
        found.push("the firmware version in the table is not the one of the file".to_owned());
    }
    if file.software != tables.software {
        found.push("installed software differs from the file".to_owned());
    }
    if file.components != tables.components {
        found.push("components differ from the file".to_owned());
    }
    if file.inspected_at != tables.inspected_at {
        found.push("the inspection passed in the table is not the one of the file".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::DeviceId;
    use serde_json::json;
    use uuid::Uuid;

    fn event(sequence: i64, kind: EventKind, payload: Value) -> Event {
        Event {
            device: DeviceId(Uuid::from_u128(7)),
            sequence,
            occurred_at: "2026-11-24T08:00:00Z".parse().unwrap(),
            recorded_at: "2026-11-24T08:00:00Z".parse().unwrap(),
            kind,
            actor: "planner".into(),
            request_id: "r-1".into(),
            payload,
            corrects: None,
            previous_hash: String::new(),
            hash: String::new(),
        }
    }

    #[test]
    fn a_life_in_events_gives_status_place_parts_and_software() {
        let position = Uuid::from_u128(3).to_string();
        let events = [
            event(1, EventKind::DeviceRegistered, json!({"status": "IN_STOCK", "components": ["PRINTER", "BATTERY"]})),
            event(2, EventKind::SoftwareReported, json!({"kind": "FIRMWARE", "name": "firmware", "version": "3.2.0"})),
            event(3, EventKind::Installed, json!({"status": "INSTALLED", "positionId": position})),
            event(4, EventKind::ComponentRemoved, json!({"kind": "BATTERY"})),
            event(5, EventKind::VisitLogged, json!({"status": "somebody else's"})),
            event(6, EventKind::SoftwareReported, json!({"kind": "FIRMWARE", "name": "firmware", "version": "3.2.1"})),
        ];
        let now = fold(&events);
        assert_eq!(now.status, "INSTALLED");
        assert_eq!(now.position_id.as_ref(), Some(&position));
        assert_eq!(now.firmware_version.as_deref(), Some("3.2.1"));
        assert_eq!(now.components, BTreeMap::from([("PRINTER".to_owned(), None)]));

        let removed = event(7, EventKind::Removed, json!({"status": "IN_STOCK", "positionId": position}));
        let after = fold(&[events.as_slice(), &[removed]].concat());
        assert_eq!((after.status.as_str(), after.position_id.as_ref()), ("IN_STOCK", None));
        assert_eq!(differences(&after, &now).len(), 3, "status, position and line differ");
        assert!(differences(&now, &now).is_empty());
    }

    #[test]
    fn a_replaced_part_is_in_unless_it_was_told_late_or_went_elsewhere() {
        let replaced = |sequence, serial: &str, is_current: bool| {
            let payload = json!({"component": "BATTERY", "newSerialNumber": serial, "isCurrent": is_current});
            event(sequence, EventKind::ComponentReplaced, payload)
        };
        let gone = json!({"component": "BATTERY", "serialNumber": "B-2", "toDevice": "another"});
        let events = [
            event(1, EventKind::DeviceRegistered, json!({"status": "IN_STOCK", "components": ["BATTERY"]})),
            replaced(2, "B-2", true),
            replaced(3, "B-1", false),
            event(4, EventKind::ComponentReplaced, gone),
        ];
        let battery = |serial: &str| BTreeMap::from([("BATTERY".to_owned(), Some(serial.to_owned()))]);
        assert_eq!(fold(&events).components, battery("B-2"));
    }

    #[test]
    fn a_passed_inspection_counts_until_the_device_is_repaired() {
        let passed = |sequence, counts: bool| event(sequence, EventKind::InspectionPassed, json!({"counts": counts}));
        let mut repaired = event(4, EventKind::StatusChanged, json!({"status": "IN_REPAIR"}));
        repaired.occurred_at += chrono::TimeDelta::hours(1);
        let registered = event(1, EventKind::DeviceRegistered, json!({"status": "IN_STOCK"}));
        let events = [registered, passed(2, false), passed(3, true), repaired];
        assert_eq!(fold(&events[..2]).inspected_at, None);
        assert_eq!(fold(&events[..3]).inspected_at, Some(events[2].occurred_at));
        assert_eq!(fold(&events).inspected_at, None);
    }

    #[test]
    fn a_failed_inspection_takes_back_the_one_passed_before() {
        let passed = event(2, EventKind::InspectionPassed, json!({"counts": true}));
        let mut failed = event(3, EventKind::InspectionFailed, json!({}));
        let registered = event(1, EventKind::DeviceRegistered, json!({"status": "IN_STOCK"}));
        failed.occurred_at += chrono::TimeDelta::hours(1);
        let events = [registered, passed, failed];
        assert_eq!(fold(&events[..2]).inspected_at, Some(events[1].occurred_at));
        assert_eq!(fold(&events).inspected_at, None);
        // Told late, of before the one that was passed.
        let mut late = events;
        late[2].occurred_at = late[1].occurred_at - chrono::TimeDelta::hours(1);
        assert_eq!(fold(&late).inspected_at, Some(late[1].occurred_at));
    }

    #[test]
    fn a_relocation_leaves_the_status_as_it_was() {
        let events = [
            event(1, EventKind::DeviceRegistered, json!({"status": "IN_STOCK"})),
            event(2, EventKind::Installed, json!({"status": "INSTALLED", "positionId": "p"})),
            event(3, EventKind::Relocated, json!({"status": "IN_SERVICE", "positionId": "q"})),
        ];
        let now = fold(&events);
        assert_eq!((now.status.as_str(), now.position_id.as_deref()), ("INSTALLED", Some("q")));
    }
}
