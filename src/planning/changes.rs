//! What events of device files say about maintenance, for those who follow it.

use super::model::{ExecutionChannel, MaintenanceItem, MaintenanceKind, UpcomingFilter, WorkOrder, WorkOrderState};
use crate::code_enum;
use crate::kernel::ids::{DeviceId, DeviceModelId, ItemId, PlanId, SiteId, WorkOrderId};
use crate::registry::file::{Event, EventKind};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

code_enum! {
    /// What happened to a piece of maintenance.
    pub enum ChangeKind {
        Issued = "ISSUED", Moved = "MOVED", Scheduled = "SCHEDULED", StateChanged = "STATE_CHANGED",
        Completed = "COMPLETED", Withdrawn = "WITHDRAWN", ItemChanged = "ITEM_CHANGED",
    }
}

/// One change of an order or an item, as a device file tells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Told {
    /// What happened.
    pub kind: ChangeKind,
    /// When the server took it in.
    pub at: DateTime<Utc>,
    /// The order it is about.
    pub order_id: Option<WorkOrderId>,
    /// The item it is about, where it names one.
    pub item_id: Option<ItemId>,
    /// The request it came with: a site's order is told to the file of every device of the site,
    /// and is one change.
    pub request_id: String,
    /// Its facts, which tell apart what else one request did to one item.
    pub facts: String,
}

/// One change, with what it is about as it is now.
#[derive(Clone, Debug)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// When the server took it in.
    pub at: DateTime<Utc>,
    /// The order; absent when an occurrence without one changed.
    pub order: Option<WorkOrder>,
    /// The item; absent for ad hoc orders.
    pub item: Option<MaintenanceItem>,
}

fn id(payload: &Value, key: &str) -> Option<Uuid> {
    payload.get(key)?.as_str()?.parse().ok()
}

/// Reads an event; none when it is not about maintenance, or names nothing that could be shown.
pub fn read(event: &Event) -> Option<Told> {
    let payload = &event.payload;
    let order_id = id(payload, "workOrderId").map(WorkOrderId);
    let item_id = id(payload, "itemId").or_else(|| id(payload.get("plan")?, "itemId")).map(ItemId);
    let kind = match event.kind {
        EventKind::WorkOrderIssued => ChangeKind::Issued,
        EventKind::WorkOrderMoved => ChangeKind::Moved,
        EventKind::WorkOrderStateChanged => {
            let to = payload.get("to").and_then(Value::as_str).and_then(WorkOrderState::parse);
            match to {
                Some(WorkOrderState::Scheduled) => ChangeKind::Scheduled,
                _ => ChangeKind::StateChanged,
            }
        }
        EventKind::WorkOrderCompleted => ChangeKind::Completed,
        EventKind::WorkOrderWithdrawn => ChangeKind::Withdrawn,
        // Skipping closes the order, postponing moves it.
        EventKind::OccurrenceSkipped if order_id.is_some() => ChangeKind::StateChanged,
        EventKind::OccurrencePostponed if order_id.is_some() => ChangeKind::Moved,
        EventKind::OccurrenceSkipped
        | EventKind::OccurrencePostponed
        | EventKind::OccurrenceMissed
        | EventKind::OccurrenceMissedCorrected
        | EventKind::OccurrenceVoided => ChangeKind::ItemChanged,
        _ => return None,
    };
    (order_id.is_some() || item_id.is_some()).then(|| Told {
        kind,
        at: event.recorded_at,
        order_id,
        item_id,
        request_id: event.request_id.clone(),
        facts: payload.to_string(),
    })
}

/// What a filter of upcoming maintenance looks at.
struct Facts<'a> {
    kind: MaintenanceKind,
    plan_id: Option<PlanId>,
    site_id: Option<SiteId>,
    device_id: Option<DeviceId>,
    model_id: Option<DeviceModelId>,
    region_code: Option<&'a str>,
    channel: ExecutionChannel,
    /// End of the band.
    window_end: Option<DateTime<Utc>>,
}

impl Change {
    fn facts(&self) -> Option<Facts<'_>> {
        if let Some(order) = &self.order {
            return Some(Facts {
                kind: order.kind,
                plan_id: order.plan_id,
                site_id: order.site_id,
                device_id: order.device_id,
                model_id: order.model_id,
                region_code: order.region_code.as_deref(),
                channel: order.channel,
                window_end: Some(order.window_end),
            });
        }
        let item = self.item.as_ref()?;
        Some(Facts {
            kind: item.kind,
            plan_id: Some(item.plan_id),
            site_id: item.site_id,
            device_id: item.device_id,
            model_id: item.model_id,
            region_code: item.region_code.as_deref(),
            channel: item.channel,
            window_end: item.due.as_ref().filter(|d| d.due_at.is_some()).map(|d| d.window_end),
        })
    }

    /// Whether it is among what is asked for; looked at is the order, else the item.
    pub fn matches(&self, filter: &UpcomingFilter, now: DateTime<Utc>) -> bool {
        let Some(facts) = self.facts() else { return false };
        filter.kinds.as_ref().is_none_or(|kinds| kinds.contains(&facts.kind))
            && filter.plan_ids.as_ref().is_none_or(|plans| facts.plan_id.is_some_and(|plan| plans.contains(&plan)))
            && filter.site_id.is_none_or(|site| facts.site_id == Some(site))
            && filter.device_id.is_none_or(|device| facts.device_id == Some(device))
            && filter.model_id.is_none_or(|model| facts.model_id == Some(model))
            && filter.region_codes.as_ref().is_none_or(|codes| {
                facts.region_code.is_some_and(|region| codes.iter().any(|code| region.starts_with(code.as_str())))
            })
            && filter.channels.as_ref().is_none_or(|channels| channels.contains(&facts.channel))
            && (!filter.overdue_only || facts.window_end.is_some_and(|end| end < now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(kind: EventKind, payload: Value) -> Event {
        Event {
            device: DeviceId(Uuid::from_u128(7)),
            sequence: 3,
            occurred_at: "2026-11-24T07:00:00Z".parse().unwrap(),
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
    fn events_about_orders_and_items_are_changes_and_others_are_not() {
        let order = Uuid::from_u128(1).to_string();
        let item = Uuid::from_u128(2).to_string();
        let kind = |kind, payload| read(&event(kind, payload)).map(|told| told.kind);
        assert_eq!(kind(EventKind::WorkOrderIssued, json!({"workOrderId": order})), Some(ChangeKind::Issued));
        let scheduled = json!({"workOrderId": order, "from": "PLANNED", "to": "SCHEDULED"});
        assert_eq!(kind(EventKind::WorkOrderStateChanged, scheduled), Some(ChangeKind::Scheduled));
        let held = json!({"workOrderId": order, "from": "SCHEDULED", "to": "ON_HOLD"});
        assert_eq!(kind(EventKind::WorkOrderStateChanged, held), Some(ChangeKind::StateChanged));
        assert_eq!(kind(EventKind::OccurrenceSkipped, json!({"workOrderId": order})), Some(ChangeKind::StateChanged));
        assert_eq!(kind(EventKind::OccurrenceSkipped, json!({"itemId": item})), Some(ChangeKind::ItemChanged));
        let missed = read(&event(EventKind::OccurrenceMissed, json!({"plan": {"itemId": item}}))).unwrap();
        assert_eq!((missed.kind, missed.item_id), (ChangeKind::ItemChanged, Some(ItemId(Uuid::from_u128(2)))));
        assert_eq!(kind(EventKind::OccurrenceMissed, json!({})), None, "it names nothing");
        assert_eq!(kind(EventKind::Installed, json!({"workOrderId": order})), None);
    }
}
