//! Subscriptions: what is new in device files and in maintenance, as it happens.
//!
//! What a subscriber is told begins where it subscribed: everything that becomes lasting after
//! that, once, whichever node it was written on. A subscriber that is slow is told later.

use super::context::Cx;
use super::enums::MaintenanceChangeKind;
use super::errors::{bad_input, internal};
use super::planning::inputs::UpcomingMaintenanceFilter;
use super::planning::types::{MaintenanceItem, UpcomingMaintenance, UpcomingRow, WorkOrder};
use super::registry::history::HistoryEvent;
use super::scalars::query_id;
use super::services::Services;
use crate::db::{StoreError, StoreResult};
use crate::kernel::ids::DeviceId;
use crate::kernel::page::MAX_PAGE;
use crate::kernel::scope::Scope;
use crate::planning::changes::{self, Change, Told};
use crate::planning::model::UpcomingFilter;
use crate::registry::feed::Listener;
use crate::registry::file;
use crate::registry::service::EventFilter;
use async_graphql::futures_util::StreamExt;
use async_graphql::futures_util::stream::{self, BoxStream};
use async_graphql::{Context, ID, Result, SimpleObject, Subscription};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// Something that happened to maintenance: to an order, or to an occurrence without one.
#[derive(SimpleObject, Clone)]
pub struct MaintenanceChange {
    /// What happened.
    pub kind: MaintenanceChangeKind,
    /// When the server took it in.
    pub at: DateTime<Utc>,
    /// The item it is about, as it is now; null for ad hoc orders.
    pub item: Option<MaintenanceItem>,
    /// The order it is about, as it is now; null when an occurrence without an order changed.
    pub work_order: Option<WorkOrder>,
    /// Its row of upcoming maintenance; null when the order is closed, or nothing is due.
    pub upcoming: Option<UpcomingMaintenance>,
}

impl From<Change> for MaintenanceChange {
    fn from(change: Change) -> Self {
        let item = change.item.map(Arc::new);
        let order = change.order.map(Arc::new);
        let upcoming = match (&order, &item) {
            (Some(order), _) => order.state.is_open().then(|| UpcomingRow::Order(order.clone())),
            (None, Some(item)) => {
                let is_due = item.due.as_ref().is_some_and(|due| due.due_at.is_some());
                (item.is_alive && is_due && item.open_order_id.is_none()).then(|| UpcomingRow::Item(item.clone()))
            }
            (None, None) => None,
        };
        Self {
            kind: change.kind.into(),
            at: change.at,
            item: item.map(Into::into),
            work_order: order.map(Into::into),
            upcoming: upcoming.map(UpcomingMaintenance),
        }
    }
}

/// Where a subscription gets what it tells.
#[async_trait]
trait Source: Send + 'static {
    /// What it tells.
    type Item: Send + 'static;

    /// The next things to tell, possibly none yet; `None` when nothing will come any more.
    async fn more(&mut self) -> StoreResult<Option<Vec<Self::Item>>>;
}

/// Tells what a source has, until it fails or ends.
fn told<S: Source>(source: S) -> BoxStream<'static, Result<S::Item>> {
    let waiting: VecDeque<S::Item> = VecDeque::new();
    stream::unfold(Some((source, waiting)), |state| async move {
        let (mut source, mut waiting) = state?;
        loop {
            if let Some(item) = waiting.pop_front() {
                return Some((Ok(item), Some((source, waiting))));
            }
            match source.more().await {
                Ok(Some(items)) => waiting.extend(items),
                Ok(None) => return None,
                // The subscriber begins anew, from what it has.
                Err(error) => return Some((Err(internal(&error)), None)),
            }
        }
    })
    .boxed()
}

/// Changes of maintenance that a filter lets through.
struct Changes {
    services: Services,
    scope: Scope,
    filter: UpcomingFilter,
    listener: Listener,
    /// What was told last, in its order.
    last: VecDeque<Told>,
    /// The same, to be looked up.
    known: HashSet<Told>,
}

/// Changes remembered, so that one which is told to the files of many devices is told once.
const REMEMBERED: usize = 5_000;

impl Changes {
    /// Whether it was not told before.
    fn is_new(&mut self, told: &Told) -> bool {
        if !self.known.insert(told.clone()) {
            return false;
        }
        self.last.push_back(told.clone());
        if self.last.len() > REMEMBERED
            && let Some(oldest) = self.last.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[async_trait]
impl Source for Changes {
    type Item = MaintenanceChange;

    async fn more(&mut self) -> StoreResult<Option<Vec<MaintenanceChange>>> {
        let Some(events) = self.listener.next().await? else { return Ok(None) };
        let mut new = Vec::new();
        for told in events.iter().filter_map(changes::read) {
            if self.is_new(&told) {
                new.push(told);
            }
        }
        if new.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let now = self.services.clock.now();
        let found = self.services.planning.changes(&self.scope, &new).await?;
        let found = found.into_iter().filter(|change| change.matches(&self.filter, now));
        Ok(Some(found.map(Into::into).collect()))
    }
}

/// New events of one device file.
struct FileEvents {
    services: Services,
    scope: Scope,
    device: DeviceId,
    listener: Listener,
    /// Sequence of the last event told.
    last: i64,
    /// There is more in the file than was told.
    has_more: bool,
}

#[async_trait]
impl Source for FileEvents {
    type Item = HistoryEvent;

    async fn more(&mut self) -> StoreResult<Option<Vec<HistoryEvent>>> {
        if !self.has_more {
            let Some(events) = self.listener.next().await? else { return Ok(None) };
            if !events.iter().any(|e| e.device == self.device && e.sequence > self.last) {
                return Ok(Some(Vec::new()));
            }
        }
        // The file has an order of its own, without gaps: that is the one told. A page at a time, which
        // is told before the next is read, however much was written at once.
        let filter = EventFilter::default();
        let page = self.services.registry.history(&self.scope, self.device, &filter, self.last, MAX_PAGE).await?;
        self.last = page.events.last().map_or(self.last, |e| e.sequence);
        self.has_more = page.has_next;
        Ok(Some(page.events.iter().filter_map(file::read).map(HistoryEvent::from).collect()))
    }
}

/// What can be followed, over WebSocket at the address of the queries (`graphql-transport-ws`).
/// Told is everything that is written after the subscription began, once; reconnected, a client
/// asks for what it missed.
pub struct Subscription;

/// What can be followed, over WebSocket at the address of the queries (`graphql-transport-ws`).
/// Told is everything that is written after the subscription began, once; reconnected, a client
/// asks for what it missed.
#[Subscription]
impl Subscription {
    /// What happens to maintenance: orders issued, moved by two days or more, scheduled, worked on,
    /// completed, closed; occurrences skipped, postponed, missed. Orders and items are shown as they
    /// are when the change is told.
    async fn maintenance_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which orders and items; all unless stated.")] filter: Option<UpcomingMaintenanceFilter>,
    ) -> Result<BoxStream<'static, Result<MaintenanceChange>>> {
        let cx = Cx::of(ctx);
        let filter = filter.unwrap_or_default().read()?;
        let listener = listen(cx).await?;
        Ok(told(Changes {
            services: cx.services.clone(),
            scope: cx.scope,
            filter,
            listener,
            last: VecDeque::new(),
            known: HashSet::new(),
        }))
    }

    /// New events of one device's file, in the order of the file.
    async fn device_file_appended(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The device.")] device_id: ID,
    ) -> Result<BoxStream<'static, Result<HistoryEvent>>> {
        let cx = Cx::of(ctx);
        let device = query_id(&device_id, DeviceId::parse_global)?;
        let registry = &cx.services.registry;
        let known = registry.devices_by_ids(&cx.scope, &[device]).await.map_err(|e| cx.fail(e))?;
        if known.is_empty() {
            return Err(bad_input("no device with this id in your organization; check the id"));
        }
        // The end of the file is read after listening began: what comes in between is told.
        let listener = listen(cx).await?;
        let last = registry.last_sequence(&cx.scope, device).await.map_err(|e| cx.fail(e))?;
        Ok(told(FileEvents { services: cx.services.clone(), scope: cx.scope, device, listener, last, has_more: false }))
    }
}

async fn listen(cx: &Cx) -> Result<Listener> {
    cx.services.feed.listen(cx.scope).await.map_err(|e: StoreError| cx.fail(e))
}
