//! What people at desks do: a visit that is logged late, and the planner's morning.

use super::work::AHEAD;
use super::{ROWS, Story};
use crate::kernel::calendar::local_date;
use crate::kernel::call::IdempotencyClaim;
use crate::kernel::ids::{PlanId, SiteId};
use crate::kernel::subject::SubjectKind;
use crate::planning::model::{ExecutionChannel, WorkOrderState};
use crate::planning::service::{ChangeState, OccurrenceRef, PostponeOccurrence, ScheduleOrder, SkipOccurrence};
use crate::registry::file::sha256_hex;
use crate::seeding::Error;
use crate::visits::model::{LogLine, VisitLineOutcome};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;

/// Orders with a date and a technician when the demo begins.
const SCHEDULED: usize = 40;

impl Story<'_> {
    /// The visit that comes five days late, and twice with one key.
    pub(super) async fn late_visit(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<(), Error> {
        let Some(late) = self.fleet.late_visit.as_ref().filter(|l| l.logged_at > from && l.logged_at <= to) else {
            return Ok(());
        };
        let plans = self.rooms.planning.plans_page(&self.scope(), None, None, Some(true), ROWS).await?;
        let of_device: Vec<PlanId> = plans
            .iter()
            .filter(|p| p.definition.subject == SubjectKind::Device && p.definition.selector.everything)
            .filter(|p| p.definition.channel == ExecutionChannel::Field)
            .map(|p| p.id)
            .collect();
        let device = self.device(late.device)?;
        let done = self.line(Some(device), late.performed_at, VisitLineOutcome::Done);
        let line = LogLine { plan_ids: of_device, ..done };
        let visit = self.visit(self.fleet.positions[late.position].site, late.performed_at, vec![line]);
        for _ in 0..2 {
            let mut call = (self.rooms.call)(late.logged_at);
            call.idempotency = Some(IdempotencyClaim {
                operation: "logServiceVisit".to_owned(),
                key: late.idempotency_key.clone(),
                input_hash: sha256_hex(&late.idempotency_key),
            });
            self.rooms.visits.log_visit(&call, visit.clone()).await?;
        }
        self.told.visits += 1;
        Ok(())
    }

    /// What a planner did this morning: dates and technicians for the next days, one order on its
    /// way and one on hold, two occurrences postponed and one skipped.
    pub(super) async fn planners_desk(&mut self, now: DateTime<Utc>) -> Result<(), Error> {
        let zone = self.fleet.zone;
        let places: HashMap<SiteId, usize> = self.sites.iter().enumerate().map(|(n, id)| (*id, n)).collect();
        let today = local_date(zone, now);
        let mut orders = self.open_orders(now + AHEAD, now).await?;
        orders.retain(|o| {
            let is_planned = o.channel == ExecutionChannel::Field && o.item_id.is_some() && o.device_id.is_some();
            // What the odd cases show stays as the planner issued it.
            is_planned && o.window_end > now && self.told_of(o).is_none()
        });
        let planning = self.rooms.planning;
        for (n, order) in orders.iter().take(SCHEDULED).enumerate() {
            let Some(site) = order.site_id.and_then(|id| places.get(&id)) else { continue };
            let day = local_date(zone, order.due_at).max(today + TimeDelta::days(1 + (n % 5) as i64));
            let schedule = ScheduleOrder {
                work_order_id: order.id,
                scheduled_for: self.local(day, 9 + (n % 7) as u32, 30),
                assignee_id: Some(self.technician(*site)),
                expected_version: None,
            };
            planning.schedule_order(&(self.rooms.call)(now), schedule).await?;
        }
        let moves = [(0, WorkOrderState::Dispatched, None), (1, WorkOrderState::OnHold, Some("等待配件"))];
        for (n, state, reason) in moves {
            let Some(order) = orders.get(n) else { continue };
            let change = ChangeState {
                work_order_id: order.id,
                state,
                reason: reason.map(str::to_owned),
                reissue: false,
                expected_version: None,
            };
            planning.change_state(&(self.rooms.call)(now), change).await?;
        }
        let mut rest = orders.iter().skip(SCHEDULED);
        for order in rest.by_ref().take(2) {
            let postpone = PostponeOccurrence {
                occurrence: OccurrenceRef::Order(order.id),
                until: local_date(zone, order.due_at).max(today) + TimeDelta::days(6),
                reason: "商户装修，改期".to_owned(),
                waiver: None,
                expected_version: None,
            };
            planning.postpone(&(self.rooms.call)(now), postpone).await?;
        }
        if let Some(order) = rest.next() {
            let skip = SkipOccurrence {
                occurrence: OccurrenceRef::Order(order.id),
                reason: "本周已随维修一并清洁".to_owned(),
                waiver: None,
                expected_version: None,
            };
            planning.skip(&(self.rooms.call)(now), skip).await?;
        }
        Ok(())
    }
}
