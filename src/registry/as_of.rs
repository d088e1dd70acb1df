//! What a device was at a moment, from its file alone.
//!
//! The events that had happened by then are folded in the order in which they were told, as
//! [`fold`](super::fold) does for all of them: what was told later stands over what was told
//! before, so that the state as of now is the state in the tables. When something was *told* does
//! not matter: a correction made today counts for the moment it is about.

use super::file::{Event, EventKind};
use super::fold::{self, Derived};
use super::model::{Device, DeviceFilter, DeviceStatus, Site, SoftwareItem, SoftwareKind};
use crate::kernel::ids::{PositionId, SiteId, SoftwareItemId};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a file says of its device at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct AsOf {
    /// Status, place, parts and software.
    pub derived: Derived,
    /// Since when it had its status, device time.
    pub status_since: DateTime<Utc>,
    /// Why it had its status.
    pub status_reason: Option<String>,
    /// Terminal number of the position it filled, as it was told with the move.
    pub terminal_number: Option<String>,
    /// The owner's own tag.
    pub asset_tag: Option<String>,
    /// When each version was first reported, by software kind and name.
    pub reported: BTreeMap<(String, String), DateTime<Utc>>,
}

/// Whether events of a kind say what a device is; the others are about its work and its meters.
pub fn tells_state(kind: EventKind) -> bool {
    !matches!(
        kind,
        EventKind::MeterAnomaly
            | EventKind::ReadingReinterpreted
            | EventKind::ReadingsMoved
            | EventKind::WorkOrderIssued
            | EventKind::WorkOrderMoved
            | EventKind::WorkOrderStateChanged
            | EventKind::WorkOrderCompleted
            | EventKind::WorkOrderWithdrawn
            | EventKind::OccurrenceSkipped
            | EventKind::OccurrencePostponed
            | EventKind::OccurrenceMissed
            | EventKind::OccurrenceMissedCorrected
            | EventKind::OccurrenceVoided
            | EventKind::VisitLogged
    )
}

fn text(payload: &Value, key: &str) -> Option<String> {
    payload.get(key)?.as_str().map(str::to_owned)
}

/// Folds the events of one file, in the order of the file, up to and including a moment; none when
/// the device was not in the fleet yet. It is from its registration on, or from its first move or
/// change of status where that was before: an import registers today what was installed long ago.
pub fn as_of(events: &[Event], moment: DateTime<Utc>) -> Option<AsOf> {
    let is_of_fleet = |e: &Event| e.kind == EventKind::DeviceRegistered || e.kind.is_of_place();
    if !events.iter().any(|e| is_of_fleet(e) && e.occurred_at <= moment) {
        return None;
    }
    // What it is was always so, also before it was registered.
    let happened: Vec<Event> =
        events.iter().filter(|e| e.kind == EventKind::DeviceRegistered || e.occurred_at <= moment).cloned().collect();
    let mut state = AsOf {
        derived: fold::fold(&happened),
        status_since: moment,
        status_reason: None,
        terminal_number: None,
        asset_tag: None,
        reported: BTreeMap::new(),
    };
    for event in &happened {
        let payload = &event.payload;
        match event.kind {
            EventKind::DeviceRegistered => {
                state.status_since = event.occurred_at.min(moment);
                state.asset_tag = text(payload, "assetTag");
            }
            EventKind::DeviceUpdated => state.asset_tag = text(payload, "assetTag"),
            EventKind::StatusChanged => {
                state.status_since = event.occurred_at;
                state.status_reason = text(payload, "reason");
            }
            EventKind::Removed | EventKind::SwappedOut => {
                state.status_since = event.occurred_at;
                state.status_reason = text(payload, "reason");
                state.terminal_number = None;
            }
            EventKind::Installed | EventKind::SwappedIn => {
                state.status_since = event.occurred_at;
                state.status_reason = None;
                state.terminal_number = text(payload, "terminalNumber");
            }
            // The status stays.
            EventKind::Relocated => state.terminal_number = text(payload, "terminalNumber"),
            EventKind::SoftwareReported => {
                if let (Some(kind), Some(name)) = (text(payload, "kind"), text(payload, "name")) {
                    state.reported.insert((kind, name), event.occurred_at);
                }
            }
            _ => {}
        }
    }
    Some(state)
}

fn id(text: Option<&String>) -> Option<Uuid> {
    text?.parse().ok()
}

impl AsOf {
    /// The site it stood at.
    pub fn site_id(&self) -> Option<SiteId> {
        id(self.derived.site_id.as_ref()).map(SiteId)
    }

    /// The position it filled.
    pub fn position_id(&self) -> Option<PositionId> {
        id(self.derived.position_id.as_ref()).map(PositionId)
    }

    /// Since when it stood there.
    pub fn installed_at(&self) -> Option<DateTime<Utc>> {
        self.derived.line.last().filter(|(.., end)| end.is_none()).map(|(_, start, _)| *start)
    }

    /// The device as it was; `site` is the one it stood at, with its merchant and region of today.
    pub fn device(&self, today: Device, site: Option<&Site>) -> Device {
        Device {
            // A file that cannot be read shows in its integrity.
            status: DeviceStatus::parse(&self.derived.status).unwrap_or(today.status),
            status_reason: self.status_reason.clone(),
            status_since: self.status_since,
            merchant_id: site.map(|s| s.merchant_id),
            site_id: self.site_id(),
            position_id: self.position_id(),
            region_code: site.and_then(|s| s.region_code.clone()),
            installed_at: self.installed_at(),
            firmware_version: self.derived.firmware_version.clone(),
            inspected_at: self.derived.inspected_at,
            asset_tag: self.asset_tag.clone(),
            ..today
        }
    }

    /// Its software as it was, by kind and name.
    pub fn software(&self, device: &Device) -> Vec<SoftwareItem> {
        self.derived
            .software
            .iter()
            .filter_map(|((kind, name), version)| {
                Some(SoftwareItem {
                    // What was installed then is no row of its own.
                    id: SoftwareItemId(Uuid::nil()),
                    device_id: device.id,
                    kind: SoftwareKind::parse(kind)?,
                    name: name.clone(),
                    version: version.clone(),
                    reported_at: self.reported.get(&(kind.clone(), name.clone())).copied().unwrap_or(self.status_since),
                })
            })
            .collect()
    }
}

/// Whether a device, as it was, is among those asked for. Serial numbers and models never change
/// and are left to the query.
pub fn matches(filter: &DeviceFilter, device: &Device, terminal_number: Option<&str>) -> bool {
    filter.statuses.as_ref().is_none_or(|all| all.contains(&device.status))
        && filter.site_id.is_none_or(|site| device.site_id == Some(site))
        && filter.merchant_id.is_none_or(|merchant| device.merchant_id == Some(merchant))
        && filter.region_codes.as_ref().is_none_or(|codes| {
            let region = device.region_code.as_deref();
            region.is_some_and(|region| codes.iter().any(|code| region.starts_with(code.as_str())))
        })
        && filter
            .terminal_numbers
            .as_ref()
            .is_none_or(|numbers| terminal_number.is_some_and(|number| numbers.iter().any(|wanted| wanted == number)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::DeviceId;
    use serde_json::json;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn event(sequence: i64, occurred_at: &str, kind: EventKind, payload: Value) -> Event {
        Event {
            device: DeviceId(Uuid::from_u128(7)),
            sequence,
            occurred_at: at(occurred_at),
            recorded_at: at("2026-11-24T08:00:00Z"),
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
    fn a_device_registered_after_it_was_installed_is_in_the_fleet_since_then() {
        let position = Uuid::from_u128(3).to_string();
        let site = Uuid::from_u128(4).to_string();
        let place = json!({"status": "INSTALLED", "positionId": position, "siteId": site, "terminalNumber": "T1"});
        let events = [
            event(1, "2026-05-01T00:00:00Z", EventKind::DeviceRegistered, json!({"status": "IN_STOCK"})),
            event(2, "2025-03-01T00:00:00Z", EventKind::Installed, place),
            event(3, "2026-06-01T00:00:00Z", EventKind::Removed, json!({"status": "RETIRED", "reason": "old"})),
        ];
        assert_eq!(as_of(&events, at("2025-02-28T23:59:59Z")), None);
        for moment in ["2025-03-01T00:00:00Z", "2026-05-02T00:00:00Z", "2026-05-31T23:59:59.999999Z"] {
            let then = as_of(&events, at(moment)).unwrap();
            assert_eq!((then.derived.status.as_str(), then.terminal_number.as_deref()), ("INSTALLED", Some("T1")));
            assert_eq!(then.installed_at(), Some(at("2025-03-01T00:00:00Z")), "{moment}");
            assert_eq!(then.site_id(), Some(SiteId(Uuid::from_u128(4))), "{moment}");
        }
        let then = as_of(&events, at("2026-06-01T00:00:00Z")).unwrap();
        assert_eq!((then.derived.status.as_str(), then.status_reason.as_deref()), ("RETIRED", Some("old")));
        assert_eq!((then.position_id(), then.installed_at(), then.terminal_number), (None, None, None));
    }

    #[test]
    fn software_and_parts_are_those_of_the_moment() {
        let events = [
            event(
                1,
                "2026-05-01T00:00:00Z",
                EventKind::DeviceRegistered,
                json!({"status": "IN_STOCK", "components": ["BATTERY"]}),
            ),
            event(
                2,
                "2026-05-02T00:00:00Z",
                EventKind::SoftwareReported,
                json!({"kind": "FIRMWARE", "name": "firmware", "version": "1.9"}),
            ),
            event(
                3,
                "2026-05-04T00:00:00Z",
                EventKind::SoftwareReported,
                json!({"kind": "FIRMWARE", "name": "firmware", "version": "1.10"}),
            ),
            event(4, "2026-05-05T00:00:00Z", EventKind::ComponentRemoved, json!({"kind": "BATTERY"})),
        ];
        let version = |moment: &str| as_of(&events, at(moment)).unwrap().derived.firmware_version;
        assert_eq!(version("2026-05-01T12:00:00Z"), None);
        assert_eq!(version("2026-05-03T00:00:00Z").as_deref(), Some("1.9"));
        let then = as_of(&events, at("2026-05-04T00:00:00Z")).unwrap();
        assert_eq!(then.derived.firmware_version.as_deref(), Some("1.10"));
        assert_eq!(then.derived.components.len(), 1);
        assert!(as_of(&events, at("2026-05-05T00:00:00Z")).unwrap().derived.components.is_empty());
    }

    #[test]
    fn only_events_about_work_and_meters_tell_no_state() {
        let silent = EventKind::ALL.iter().filter(|kind| !tells_state(**kind));
        assert!(silent.clone().all(|kind| !kind.is_of_place()), "{:?}", silent.collect::<Vec<_>>());
        assert!(tells_state(EventKind::DeviceRegistered) && tells_state(EventKind::SoftwareReported));
    }
}
