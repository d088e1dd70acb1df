//! Fetches what the rows of a page will ask for before they are resolved, one statement per kind
//! of row, so that the number of SQL statements does not grow with the page.
//!
//! It follows the query as far as it goes: an order's device, that device's site, that site's
//! merchant. Of pages inside rows it takes the first one of a site's devices, of a device's visits
//! and of its file. What it leaves out are the pages after those, a device's orders, a merchant's
//! sites, and whatever is filtered: each is a query of its own, and the complexity limit keeps their
//! number small.

use super::connection::page;
use super::context::Cx;
use super::errors::internal;
use super::loaders::*;
use super::planning::types::UpcomingRow;
use super::scalars::{MAX_NUMBER, query_text};
use super::visits::types::MAX_FAILURES;
use crate::catalogue::model::DeviceModel;
use crate::db::StoreError;
use crate::firmware::model::FirmwareRelease;
use crate::kernel::ids::*;
use crate::kernel::subject::{Subject, SubjectKind};
use crate::planning::model::{MaintenanceItem, WorkOrder};
use crate::registry::model::{Device, Position, Site};
use crate::visits::model::ServiceVisit;
use async_graphql::dataloader::Loader;
use async_graphql::futures_util::future::BoxFuture;
use async_graphql::{Context, Lookahead, Result, Value};
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// What a query selects below some field, wherever and under whatever alias it asks for it.
pub struct Ahead<'a>(Vec<Lookahead<'a>>);

impl<'a> Ahead<'a> {
    /// Below the field being resolved.
    pub fn here(ctx: &'a Context<'_>) -> Self {
        Self(vec![ctx.look_ahead()])
    }

    /// Below the rows of the connection being resolved.
    pub fn rows(ctx: &'a Context<'_>) -> Self {
        Self::here(ctx).of_rows()
    }

    /// Below a field of this selection.
    pub fn at(&self, field: &str) -> Self {
        Self(self.0.iter().map(|a| a.field(field)).filter(Lookahead::exists).collect())
    }

    /// Below `nodes` and `edges { node }`.
    pub fn of_rows(&self) -> Self {
        let mut rows = self.at("nodes").0;
        rows.extend(self.at("edges").at("node").0);
        Self(rows)
    }

    /// Whether any of these fields is asked for.
    pub fn asks(&self, fields: &[&str]) -> bool {
        fields.iter().any(|f| self.0.iter().any(|a| a.field(f).exists()))
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values an argument has in these selections; a selection without it gives none.
    fn arguments(&self, name: &str) -> Vec<Option<Value>> {
        self.0
            .iter()
            .flat_map(Lookahead::selection_fields)
            .filter_map(|field| field.arguments().ok())
            .map(|given| given.into_iter().find(|(n, _)| n.as_str() == name).map(|(_, v)| v))
            .collect()
    }

    /// Whether any of these arguments is given.
    fn gives(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.arguments(name).iter().flatten().any(|v| *v != Value::Null))
    }

    /// How many rows the first pages asked for here have; none when some page is not a first one.
    fn first_pages(&self) -> Result<Vec<u32>> {
        if self.gives(&["after"]) {
            return Ok(Vec::new());
        }
        let first = |given: Option<Value>| match given {
            Some(Value::Number(n)) => n.as_i64().and_then(|n| i32::try_from(n).ok()),
            _ => None,
        };
        // Without a cursor there is no tag to check.
        self.arguments("first").into_iter().map(|given| page("", first(given), None).map(|p| p.first)).collect()
    }
}

/// Fetches rows into the request's loader at once, without its timer; answers those found, in any
/// order.
pub async fn fetch<K>(cx: &Cx, keys: Vec<K>) -> Result<Vec<<Batch as Loader<K>>::Value>>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Batch: Loader<K, Error = Arc<StoreError>>,
{
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: HashSet<K> = keys.into_iter().collect();
    let cached = cx.loader.get_cached_values::<K>();
    let mut rows = Vec::with_capacity(wanted.len());
    let mut missing = Vec::new();
    for key in wanted {
        match cached.get(&key) {
            Some(row) => rows.push(row.clone()),
            None => missing.push(key),
        }
    }
    if !missing.is_empty() {
        let fresh = <Batch as Loader<K>>::load(cx.loader.loader(), &missing).await.map_err(|e| internal(&*e))?;
        rows.extend(fresh.values().cloned());
        cx.loader.feed_many(fresh).await;
    }
    Ok(rows)
}

/// What devices will be asked for.
pub fn devices<'a>(cx: &'a Cx, rows: &'a [Arc<Device>], ahead: &'a Ahead<'a>) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        if rows.is_empty() || ahead.is_empty() {
            return Ok(());
        }
        if ahead.asks(&["model", "meters"]) {
            let found = fetch(cx, rows.iter().map(|d| d.model_id).collect()).await?;
            models(cx, &found, &ahead.at("model")).await?;
        }
        if ahead.asks(&["site"]) {
            let found = fetch(cx, rows.iter().filter_map(|d| d.site_id).collect()).await?;
            sites(cx, &found, &ahead.at("site")).await?;
        }
        if ahead.asks(&["merchant"]) {
            fetch(cx, rows.iter().filter_map(|d| d.merchant_id).collect()).await?;
        }
        if ahead.asks(&["position", "terminalNumber"]) {
            let found = fetch(cx, rows.iter().filter_map(|d| d.position_id).collect()).await?;
            positions(cx, &found, &ahead.at("position")).await?;
        }
        if ahead.asks(&["externalIds"]) {
            fetch(cx, rows.iter().map(|d| ExternalIdsOf(d.id)).collect()).await?;
        }
        if ahead.asks(&["software"]) {
            fetch(cx, rows.iter().map(|d| SoftwareOf(d.id)).collect()).await?;
        }
        if ahead.asks(&["firmwareTarget"]) {
            let found = fetch(cx, rows.iter().map(|d| FirmwareOf(d.id)).collect()).await?;
            let release_ahead = ahead.at("firmwareTarget").at("release");
            if !release_ahead.is_empty() {
                let targets = found.iter().filter_map(|f| f.target.as_ref());
                let ids: Vec<FirmwareReleaseId> = targets.map(|t| t.release_id).collect();
                let found = fetch(cx, ids).await?;
                releases(cx, &found, &release_ahead).await?;
            }
        }
        if ahead.asks(&["components"]) {
            fetch(cx, rows.iter().map(|d| ComponentsOf(d.id)).collect()).await?;
            component_lives(cx, rows, &ahead.at("components")).await?;
        }
        if ahead.asks(&["failures"]) {
            let lists = fetch(cx, rows.iter().map(|d| FailuresOf(d.id)).collect()).await?;
            let failures = lists.iter().flat_map(|list| list.iter().take(MAX_FAILURES));
            failure_orders(cx, failures.filter_map(|f| f.report.work_order_id).collect(), &ahead.at("failures"))
                .await?;
        }
        if ahead.asks(&["meters"]) {
            fetch(cx, rows.iter().map(|d| MetersOf(d.id)).collect()).await?;
        }
        if ahead.asks(&["meters", "usagePattern"]) {
            fetch(cx, vec![AllMeters]).await?;
        }
        let (mut patterns, mut hours) = (Vec::new(), Vec::new());
        let of_patterns = ahead.at("usagePattern");
        let wants_hours = of_patterns.asks(&["hourRates"]);
        for meter in of_patterns.arguments("meter").into_iter().flatten() {
            if let Value::String(meter) = meter {
                let meter = query_text(meter, "meter", MAX_NUMBER)?;
                patterns.extend(rows.iter().map(|d| PatternOf { device: d.id, meter: meter.clone() }));
                if wants_hours {
                    hours.extend(rows.iter().map(|d| HoursOf { device: d.id, meter: meter.clone() }));
                }
            }
        }
        fetch(cx, patterns).await?;
        fetch(cx, hours).await?;
        if ahead.asks(&["maintenanceItems"]) {
            items_of(cx, rows.iter().map(|d| d.id.0).collect(), &ahead.at("maintenanceItems")).await?;
        }
        device_visits(cx, rows, &ahead.at("serviceVisits")).await?;
        device_history(cx, rows, &ahead.at("history")).await
    })
}

/// What the lives of parts rest on: models, meters, life counters.
async fn component_lives(cx: &Cx, rows: &[Arc<Device>], ahead: &Ahead<'_>) -> Result<()> {
    if ahead.asks(&["ratedMeter", "unitsSinceInstalled", "lifeUsed"]) {
        fetch(cx, rows.iter().map(|d| d.model_id).collect()).await?;
    }
    if ahead.asks(&["unitsSinceInstalled", "lifeUsed"]) {
        fetch(cx, rows.iter().map(|d| MetersOf(d.id)).collect()).await?;
        fetch(cx, vec![AllMeters]).await?;
    }
    Ok(())
}

/// The orders failures were repaired under.
async fn failure_orders(cx: &Cx, ids: Vec<WorkOrderId>, ahead: &Ahead<'_>) -> Result<()> {
    if ahead.asks(&["workOrder"]) {
        let found = fetch(cx, ids).await?;
        orders(cx, &found, &ahead.at("workOrder")).await?;
    }
    Ok(())
}

/// The first page of each device's visits.
async fn device_visits(cx: &Cx, rows: &[Arc<Device>], ahead: &Ahead<'_>) -> Result<()> {
    let mut keys = Vec::new();
    for first in ahead.first_pages()? {
        let limit = super::visits::types::device_visits_limit(first);
        keys.extend(rows.iter().map(|d| VisitsOf { device: d.id, limit }));
    }
    let found: Vec<Arc<ServiceVisit>> = fetch(cx, keys).await?.iter().flat_map(|list| list.iter().cloned()).collect();
    visits(cx, &found, &ahead.of_rows()).await
}

/// The first page of each device's file, where all of it is asked for.
async fn device_history(cx: &Cx, rows: &[Arc<Device>], ahead: &Ahead<'_>) -> Result<()> {
    if ahead.gives(&["kinds", "occurredFrom", "occurredBefore"]) {
        return Ok(());
    }
    let mut keys = Vec::new();
    for first in ahead.first_pages()? {
        keys.extend(rows.iter().map(|d| HistoryOf { device: d.id, first }));
    }
    fetch(cx, keys).await?;
    Ok(())
}

/// What models will be asked for.
async fn models(cx: &Cx, rows: &[Arc<DeviceModel>], ahead: &Ahead<'_>) -> Result<()> {
    if !rows.is_empty() && ahead.asks(&["meters"]) {
        fetch(cx, vec![AllMeters]).await?;
    }
    Ok(())
}

/// What firmware releases will be asked for.
pub async fn releases(cx: &Cx, rows: &[Arc<FirmwareRelease>], ahead: &Ahead<'_>) -> Result<()> {
    if !rows.is_empty() && ahead.asks(&["models"]) {
        let found = fetch(cx, rows.iter().flat_map(|r| r.model_ids.iter().copied()).collect()).await?;
        models(cx, &found, &ahead.at("models")).await?;
    }
    Ok(())
}

/// What sites will be asked for.
pub fn sites<'a>(cx: &'a Cx, rows: &'a [Arc<Site>], ahead: &'a Ahead<'a>) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        if rows.is_empty() || ahead.is_empty() {
            return Ok(());
        }
        if ahead.asks(&["merchant"]) {
            fetch(cx, rows.iter().map(|s| s.merchant_id).collect()).await?;
        }
        if ahead.asks(&["positions"]) {
            let lists = fetch(cx, rows.iter().map(|s| PositionsOf(s.id)).collect()).await?;
            let found: Vec<Arc<Position>> = lists.iter().flat_map(|list| list.iter().cloned()).collect();
            positions(cx, &found, &ahead.at("positions")).await?;
        }
        site_devices(cx, rows, &ahead.at("devices")).await?;
        if ahead.asks(&["maintenanceItems"]) {
            items_of(cx, rows.iter().map(|s| s.id.0).collect(), &ahead.at("maintenanceItems")).await?;
        }
        Ok(())
    })
}

/// The first page of each site's devices.
async fn site_devices(cx: &Cx, rows: &[Arc<Site>], ahead: &Ahead<'_>) -> Result<()> {
    let Some(first) = ahead.first_pages()?.into_iter().max() else { return Ok(()) };
    let lists = fetch(cx, rows.iter().map(|s| DevicesOf(s.id)).collect()).await?;
    let shown: Vec<Arc<Device>> = lists.iter().flat_map(|list| list.iter().take(first as usize).cloned()).collect();
    devices(cx, &shown, &ahead.of_rows()).await
}

/// What positions will be asked for.
pub fn positions<'a>(cx: &'a Cx, rows: &'a [Arc<Position>], ahead: &'a Ahead<'a>) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        if rows.is_empty() || ahead.is_empty() {
            return Ok(());
        }
        if ahead.asks(&["site"]) {
            let found = fetch(cx, rows.iter().map(|p| p.site_id).collect()).await?;
            sites(cx, &found, &ahead.at("site")).await?;
        }
        if ahead.asks(&["occupants"]) {
            let lists = fetch(cx, rows.iter().map(|p| OccupantsOf(p.id)).collect()).await?;
            let standing: Vec<Arc<Device>> =
                lists.iter().flat_map(|list| list.iter().filter_map(|o| o.device.clone().map(Arc::new))).collect();
            cx.loader.feed_many(standing.iter().map(|d| (d.id, d.clone()))).await;
            devices(cx, &standing, &ahead.at("occupants").at("device")).await?;
        }
        Ok(())
    })
}

async fn items_of(cx: &Cx, subjects: Vec<uuid::Uuid>, ahead: &Ahead<'_>) -> Result<()> {
    let lists = fetch(cx, subjects.into_iter().map(ItemsOf).collect()).await?;
    let found: Vec<Arc<MaintenanceItem>> = lists.iter().flat_map(|list| list.iter().cloned()).collect();
    items(cx, &found, ahead).await
}

/// What items will be asked for.
pub fn items<'a>(cx: &'a Cx, rows: &'a [Arc<MaintenanceItem>], ahead: &'a Ahead<'a>) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        if rows.is_empty() || ahead.is_empty() {
            return Ok(());
        }
        if ahead.asks(&["plan"]) {
            fetch(cx, rows.iter().map(|i| i.plan_id).collect()).await?;
        }
        subjects(cx, rows.iter().map(|i| i.subject).collect(), &ahead.at("subject")).await?;
        if ahead.asks(&["openWorkOrder"]) {
            let found = fetch(cx, rows.iter().filter_map(|i| i.open_order_id).collect()).await?;
            orders(cx, &found, &ahead.at("openWorkOrder")).await?;
        }
        Ok(())
    })
}

/// What orders will be asked for.
pub fn orders<'a>(cx: &'a Cx, rows: &'a [Arc<WorkOrder>], ahead: &'a Ahead<'a>) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        if rows.is_empty() || ahead.is_empty() {
            return Ok(());
        }
        if ahead.asks(&["plan"]) {
            fetch(cx, rows.iter().filter_map(|o| o.plan_id).collect()).await?;
        }
        if ahead.asks(&["item"]) {
            let found = fetch(cx, rows.iter().filter_map(|o| o.item_id).collect()).await?;
            items(cx, &found, &ahead.at("item")).await?;
        }
        if ahead.asks(&["position"]) {
            let found = fetch(cx, rows.iter().filter_map(|o| o.position_id).collect()).await?;
            positions(cx, &found, &ahead.at("position")).await?;
        }
        if ahead.asks(&["assignee"]) {
            fetch(cx, rows.iter().filter_map(|o| o.assignee_id).collect()).await?;
        }
        if ahead.asks(&["originVisit"]) {
            let found = fetch(cx, rows.iter().filter_map(|o| o.origin.map(|origin| origin.visit_id)).collect()).await?;
            visits(cx, &found, &ahead.at("originVisit")).await?;
        }
        places(
            cx,
            rows.iter().filter_map(|o| o.device_id).collect(),
            rows.iter().filter_map(|o| o.site_id).collect(),
            rows.iter().map(|o| o.subject).collect(),
            ahead,
        )
        .await
    })
}

/// What upcoming maintenance will be asked for.
pub fn upcoming<'a>(cx: &'a Cx, rows: &'a [UpcomingRow], ahead: &'a Ahead<'a>) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        if rows.is_empty() || ahead.is_empty() {
            return Ok(());
        }
        if ahead.asks(&["plan", "estimatedMinutes"]) {
            fetch(cx, rows.iter().filter_map(UpcomingRow::plan_id).collect()).await?;
        }
        if ahead.asks(&["item"]) {
            // Rows without an order are items themselves.
            let known = rows.iter().filter_map(|r| match r {
                UpcomingRow::Item(item) => Some((item.id, item.clone())),
                UpcomingRow::Order(_) => None,
            });
            cx.loader.feed_many(known.collect::<Vec<_>>()).await;
            let found = fetch(cx, rows.iter().filter_map(UpcomingRow::item_id).collect()).await?;
            items(cx, &found, &ahead.at("item")).await?;
        }
        places(
            cx,
            rows.iter().filter_map(UpcomingRow::device_id).collect(),
            rows.iter().filter_map(UpcomingRow::site_id).collect(),
            rows.iter().map(UpcomingRow::subject).collect(),
            ahead,
        )
        .await?;
        let issued: Vec<Arc<WorkOrder>> = rows.iter().filter_map(|r| r.order().cloned()).collect();
        orders(cx, &issued, &ahead.at("workOrder")).await
    })
}

/// What visits will be asked for.
pub fn visits<'a>(cx: &'a Cx, rows: &'a [Arc<ServiceVisit>], ahead: &'a Ahead<'a>) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        if rows.is_empty() || ahead.is_empty() {
            return Ok(());
        }
        if ahead.asks(&["technician"]) {
            fetch(cx, rows.iter().map(|v| v.technician_id).collect()).await?;
        }
        if ahead.asks(&["site"]) {
            let found = fetch(cx, rows.iter().map(|v| v.site_id).collect()).await?;
            sites(cx, &found, &ahead.at("site")).await?;
        }
        let lines_ahead = ahead.at("lines");
        if lines_ahead.is_empty() {
            return Ok(());
        }
        let lists = fetch(cx, rows.iter().map(|v| LinesOf(v.id)).collect()).await?;
        let lines: Vec<_> = lists.iter().flat_map(|list| list.iter().cloned()).collect();
        if lines_ahead.asks(&["device"]) {
            let found = fetch(cx, lines.iter().filter_map(|l| l.device_id).collect()).await?;
            devices(cx, &found, &lines_ahead.at("device")).await?;
        }
        if lines_ahead.asks(&["failure"]) {
            let ids = lines.iter().filter_map(|l| l.failure.as_ref().and_then(|f| f.work_order_id)).collect();
            failure_orders(cx, ids, &lines_ahead.at("failure")).await?;
        }
        if lines_ahead.asks(&["plans"]) {
            fetch(cx, lines.iter().flat_map(|l| l.plan_ids.iter().copied()).collect()).await?;
        }
        let order_ahead = lines_ahead.at("notices").at("workOrder");
        if lines_ahead.asks(&["workOrders"]) || !order_ahead.is_empty() {
            let named = lines.iter().flat_map(|l| l.work_order_ids.iter().copied());
            let noticed = lines.iter().flat_map(|l| l.notices.iter().filter_map(|n| n.work_order));
            let found = fetch(cx, named.chain(noticed).collect()).await?;
            orders(cx, &found, &lines_ahead.at("workOrders")).await?;
            orders(cx, &found, &order_ahead).await?;
        }
        Ok(())
    })
}

/// The devices and sites of rows that have `device`, `site` and `subject`.
async fn places(
    cx: &Cx,
    device_ids: Vec<DeviceId>,
    site_ids: Vec<SiteId>,
    of_rows: Vec<Subject>,
    ahead: &Ahead<'_>,
) -> Result<()> {
    if ahead.asks(&["device"]) {
        let found = fetch(cx, device_ids).await?;
        devices(cx, &found, &ahead.at("device")).await?;
    }
    if ahead.asks(&["site"]) {
        let found = fetch(cx, site_ids).await?;
        sites(cx, &found, &ahead.at("site")).await?;
    }
    subjects(cx, of_rows, &ahead.at("subject")).await
}

/// The devices and sites that are subjects.
async fn subjects(cx: &Cx, rows: Vec<Subject>, ahead: &Ahead<'_>) -> Result<()> {
    if ahead.is_empty() {
        return Ok(());
    }
    let of = |kind: SubjectKind| rows.iter().filter(move |s| s.kind == kind).map(|s| s.id);
    let found = fetch(cx, of(SubjectKind::Device).map(DeviceId).collect()).await?;
    devices(cx, &found, ahead).await?;
    let found = fetch(cx, of(SubjectKind::Site).map(SiteId).collect()).await?;
    sites(cx, &found, ahead).await
}
