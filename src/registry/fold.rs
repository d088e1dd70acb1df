//! Re-derives what a device is from its file alone, to compare with the tables.

use super::file::{Event, EventKind};
use super::model::{Component, Device, SoftwareItem};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a device file says a device is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derived {
    /// Status code.
    pub status: String,
    /// Position it fills.
    pub position_id: Option<String>,
    /// Version by software kind and name.
    pub software: BTreeMap<(String, String), String>,
    /// Kinds of the parts that are in.
    pub components: BTreeSet<String>,
}

fn text(payload: &Value, key: &str) -> Option<String> {
    payload.get(key)?.as_str().map(str::to_owned)
}

/// Folds a file's events, in order.
pub fn fold(events: &[Event]) -> Derived {
    let mut now = Derived::default();
    for event in events {
        let payload = &event.payload;
        if let Some(status) = text(payload, "status") {
            now.status = status;
        }
        match event.kind {
            EventKind::DeviceRegistered => {
                for part in payload.get("components").and_then(Value::as_array).into_iter().flatten() {
                    now.components.extend(part.as_str().map(str::to_owned));
                }
            }
            EventKind::Installed | EventKind::Relocated | EventKind::SwappedIn => {
                now.position_id = text(payload, "positionId");
            }
            EventKind::Removed | EventKind::SwappedOut => now.position_id = None,
            EventKind::SoftwareReported => {
                if let (Some(kind), Some(name), Some(version)) =
                    (text(payload, "kind"), text(payload, "name"), text(payload, "version"))
                {
                    now.software.insert((kind, name), version);
                }
            }
            EventKind::ComponentInstalled => now.components.extend(text(payload, "kind")),
            EventKind::ComponentRemoved => {
                if let Some(kind) = text(payload, "kind") {
                    now.components.remove(&kind);
                }
            }
            _ => {}
        }
    }
    now
}

/// What the tables say, in the same form.
pub fn stated(device: &Device, components: &[Component], software: &[SoftwareItem]) -> Derived {
    Derived {
        status: device.status.as_str().to_owned(),
        position_id: device.position_id.map(|p| p.0.to_string()),
        software: software
            .iter()
            .map(|s| ((s.kind.as_str().to_owned(), s.name.clone()), s.version.clone()))
            .collect(),
        components: components
            .iter()
            .filter(|c| c.removed_at.is_none())
            .map(|c| c.kind.as_str().to_owned())
            .collect(),
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
    if file.software != tables.software {
        found.push("installed software differs from the file".to_owned());
    }
    if file.components != tables.components {
        found.push("components differ from the file".to_owned());
    }
    found
}
