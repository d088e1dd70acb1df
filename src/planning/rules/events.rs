//! What happens to a device that asks for work, read from the moves in its file.

use super::due::EventFact;
use crate::planning::model::TriggerEvent;
use crate::registry::model::DeviceStatus;
use crate::usage::hours::USE_METER;
use crate::usage::measure::DeviceSeries;
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

/// The times at which a device is used again after days without use, by the counters that were read
/// of it.
pub fn returns_to_use(series: &DeviceSeries) -> Vec<EventFact> {
    let Some(counter) = series.meters.get(USE_METER) else { return vec![] };
    let Some(first) = counter.points.first() else { return vec![] };
    let mut found = vec![];
    let mut used_at: Option<DateTime<Utc>> = None;
    for pair in counter.points.windows(2) {
        let [before, this] = pair else { continue };
        let last = *used_at.get_or_insert(before.at);
        if this.life > before.life {
            // What it was used by its own rate meanwhile was not idle: it was only not read.
            let known_days = (before.at - first.at).num_seconds() as f64 / 86_400.0;
            let rate = if known_days > 0.0 { (before.life - first.life) / known_days } else { 0.0 };
            let busy_days = if rate > 0.0 { (this.life - before.life) / rate } else { 0.0 };
            let idle_days = ((this.at - last).num_seconds() as f64 / 86_400.0 - busy_days).max(0.0) as u32;
            if idle_days > 0 {
                found.push(EventFact { event: TriggerEvent::AfterInactivity, at: this.at, idle_days });
            }
            used_at = Some(this.at);
        }
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
