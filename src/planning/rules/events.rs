//! What happens to a device that asks for work, read from the moves in its file.

use super::due::EventFact;
use crate::planning::model::TriggerEvent;
use crate::registry::model::DeviceStatus;
use chrono::{DateTime, Utc};

/// A move or a change of status, as a device file tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceEvent {
    /// When it happened, device time.
    pub at: DateTime<Utc>,
    /// The status from then on; absent where the event leaves it as it was.
    pub status: Option<DeviceStatus>,
    /// The device went from one place to another.
    pub is_relocation: bool,
}

/// Statuses of a device that has not gone into service yet.
fn is_before_service(status: DeviceStatus) -> bool {
    use DeviceStatus::*;
    matches!(status, Ordered | InStock | InTransit | Ready)
}

/// What a device's moves, oldest first as they were told, come to.
pub fn events_of_place(story: &[PlaceEvent]) -> Vec<EventFact> {
    let mut story: Vec<PlaceEvent> = story.to_vec();
    // Told late, they still happened when they happened.
    story.sort_by_key(|e| e.at);
    let mut found = Vec::new();
    let mut before: Option<DeviceStatus> = None;
    for told in story {
        let mut add = |event| found.push(EventFact { event, at: told.at, idle_days: 0 });
        if told.is_relocation {
            add(TriggerEvent::AfterRelocation);
        }
        let Some(status) = told.status else { continue };
        if before == Some(DeviceStatus::InRepair) && status != DeviceStatus::InRepair {
            add(TriggerEvent::AfterRepair);
        }
        if is_before_service(status) && !before.is_some_and(is_before_service) {
            add(TriggerEvent::BeforeService);
        }
        before = Some(status);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeviceStatus::*;

    fn at(day: u32) -> DateTime<Utc> {
        format!("2026-03-{day:02}T02:00:00Z").parse().unwrap()
    }

    fn became(day: u32, status: DeviceStatus) -> PlaceEvent {
        PlaceEvent { at: at(day), status: Some(status), is_relocation: false }
    }

    #[test]
    fn a_life_of_moves_tells_relocation_repair_and_each_way_into_stock() {
        let moved = PlaceEvent { at: at(5), status: None, is_relocation: true };
        let story = [
            became(1, InStock),
            became(2, Ready),
            became(3, Installed),
            moved,
            became(8, InRepair),
            became(12, InStock),
        ];
        let found: Vec<(TriggerEvent, DateTime<Utc>)> =
            events_of_place(&story).iter().map(|e| (e.event, e.at)).collect();
        let expected = [
            (TriggerEvent::BeforeService, at(1)),
            (TriggerEvent::AfterRelocation, at(5)),
            (TriggerEvent::AfterRepair, at(12)),
            (TriggerEvent::BeforeService, at(12)),
        ];
        assert_eq!(found, expected);
    }
}
