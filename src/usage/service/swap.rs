//! A swap that is told late: readings sent by the terminal number since then went to the device
//! that was thought to stand there, and belong to the one that came.

use super::{Incoming, Recorded, UsageService, Writes};
use crate::catalogue::model::MeterKind;
use crate::db::tx::Tx;
use crate::db::{StoreError, StoreResult};
use crate::kernel::ids::DeviceId;
use crate::registry::file::{EventKind, NewEvent, Observer};
use crate::usage::intake::{self, Before};
use crate::usage::life::MeterSpec;
use crate::usage::model::{MeterKey, Reading};
use crate::usage::store;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Splits the counters of swapped devices in the transaction that swaps them.
pub struct SwapObserver {
    usage: Arc<UsageService>,
}

impl SwapObserver {
    /// Watches device files for usage.
    pub fn new(usage: Arc<UsageService>) -> Self {
        Self { usage }
    }
}

#[async_trait]
impl Observer for SwapObserver {
    async fn appended(&self, tx: &Tx, events: &[NewEvent]) -> Result<(), StoreError> {
        for event in events.iter().filter(|e| e.kind == EventKind::SwappedIn) {
            let text = |name: &str| event.payload.get(name).and_then(|v| v.as_str());
            let old = text("insteadOf").and_then(|id| id.parse().ok()).map(DeviceId);
            if let (Some(old), Some(terminal)) = (old, text("terminalNumber")) {
                let swap = Swap { old, new: event.device, terminal: terminal.to_owned(), at: event.occurred_at };
                self.usage.split(tx, &swap).await?;
            }
        }
        Ok(())
    }
}

/// Old out, new in, at a position with a terminal number.
struct Swap {
    old: DeviceId,
    new: DeviceId,
    terminal: String,
    at: DateTime<Utc>,
}

impl UsageService {
    /// Moves readings sent by the terminal number since the swap from the old device to the new
    /// one, and folds both anew. Readings of meters the new device does not have stay.
    async fn split(&self, tx: &Tx, swap: &Swap) -> StoreResult<()> {
        let (db, scope, now) = (tx.conn(), tx.scope(), tx.now());
        let rows = store::readings_by_terminal(db, scope, swap.old, &swap.terminal, swap.at).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let facts = store::device_facts(db, scope, &[swap.old, swap.new]).await?;
        let mut moving: BTreeMap<String, BTreeSet<Reading>> = BTreeMap::new();
        for (meter, reading) in rows {
            if facts.specs.contains_key(&(swap.new, meter.clone())) {
                moving.entry(meter).or_default().insert(reading);
            }
        }
        let mut incoming: BTreeMap<MeterKey, Incoming> = BTreeMap::new();
        let mut writes = Writes::default();
        let mut events = Vec::new();
        for (meter, readings) in moving {
            let key = (swap.old, meter.clone());
            store::take_out_by_terminal(db, scope, &key, &swap.terminal, swap.at).await?;
            let all = (&key, DateTime::UNIX_EPOCH, swap.at.max(now) + TimeDelta::days(366));
            let left = store::readings_between(db, scope, &[all]).await?.pop().unwrap_or_default();
            let left: BTreeSet<Reading> =
                left.iter().filter(|f| !f.disposition.is_outside_fold()).map(|f| f.reading).collect();
            if let (Some(spec), Some(known)) = (facts.specs.get(&key), facts.meters.get(&meter)) {
                let limits = MeterSpec {
                    is_counter: known.kind == MeterKind::Counter,
                    modulus: spec.modulus,
                    max_per_day: spec.max_per_day,
                };
                // The old device stands nowhere now; its days were those of the site.
                let zone = facts.zone(swap.new);
                if let Some(after) = intake::take_in(&key, &limits, zone, Before::default(), &left, now) {
                    writes.readings.extend(after.rows.into_iter().map(|f| (key.clone(), f)));
                    writes.states.push(after.state);
                    writes.days.push((key.clone(), after.days));
                }
            }
            for (device, from, to) in [(swap.old, None, Some(swap.new)), (swap.new, Some(swap.old), None)] {
                events.push(NewEvent {
                    device,
                    occurred_at: swap.at,
                    kind: EventKind::ReadingsMoved,
                    payload: json!({"meter": meter, "readings": readings.len(), "fromDevice": from, "toDevice": to}),
                    corrects: None,
                });
            }
            let terminals = readings.iter().map(|r| (*r, swap.terminal.clone())).collect();
            let new = readings.into_iter().map(|r| (r, 0)).collect();
            incoming.insert((swap.new, meter), Incoming { new, aside: BTreeMap::new(), terminals });
        }
        self.write(tx, &facts, writes).await?;
        self.take_in(tx, incoming, &facts, &mut Recorded::default()).await?;
        self.file.append(tx, events).await
    }
}
