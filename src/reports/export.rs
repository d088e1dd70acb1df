//! Lists as CSV files, page by page, so that a file of any length takes the memory of one page.
//!
//! Devices have just the columns that `tillkeep import devices` takes, so that a fleet can be taken
//! out of one installation and into another. What an import cannot say comes out all the same and
//! is refused there by its row: a device at a position without terminal number, or suspended at its
//! place. Pages are read one after the other: what changes meanwhile may come twice or be missed.

use super::csv;
use super::service::ReportService;
use crate::catalogue::store as catalogue_store;
use crate::code_enum;
use crate::db::{StoreError, StoreResult};
use crate::kernel::calendar::local_date;
use crate::kernel::ids::{DeviceId, DeviceModelId, MerchantId, PlanId, PositionId, SiteId, TechnicianId, WorkOrderId};
use crate::kernel::scope::Scope;
use crate::kernel::text::Language;
use crate::planning::model::{Explanation, MaintenancePlan, Upcoming, UpcomingFilter};
use crate::planning::rules::due_sentence;
use crate::planning::store::{self as planning_store, UpcomingKey};
use crate::registry::model::{Device, DeviceFilter, DeviceOrderField, Merchant, Position, Site, Technician};
use crate::registry::store::{self as registry_store, DeviceKey};
use crate::visits::model::VisitFilter;
use crate::visits::store::{self as visit_store, VisitKey};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use std::collections::HashMap;
use std::hash::Hash;

code_enum! {
    /// Which list is written as a file.
    pub enum List { Upcoming = "upcoming", Devices = "devices", Visits = "visits" }
}

/// Rows read at a time.
const PAGE: u64 = 500;
/// How far ahead upcoming work is listed unless stated.
pub const DEFAULT_DAYS: u32 = 90;
/// How far ahead it can be listed.
pub const MAX_DAYS: u32 = 3_660;

/// Columns of upcoming work.
static UPCOMING: [&str; 25] = [
    "due_at",
    "due_on",
    "window_start",
    "window_end",
    "is_overdue",
    "kind",
    "plan",
    "plan_name",
    "channel",
    "estimated_minutes",
    "work_order",
    "state",
    "priority",
    "scheduled_for",
    "technician",
    "merchant",
    "site",
    "address",
    "region_code",
    "time_zone",
    "position",
    "terminal_number",
    "manufacturer",
    "serial_number",
    "reason",
];

/// Columns of devices: those `tillkeep import devices` takes.
static DEVICES: [&str; 9] = [
    "manufacturer",
    "model",
    "serial_number",
    "hardware_revision",
    "asset_tag",
    "status",
    "firmware_version",
    "terminal_number",
    "installed_at",
];

/// Columns of visits, a row for each line.
static VISITS: [&str; 16] = [
    "visit",
    "merchant",
    "site",
    "technician",
    "started_at",
    "ended_at",
    "line",
    "manufacturer",
    "serial_number",
    "performed_at",
    "outcome",
    "findings",
    "work_orders",
    "plans",
    "notes",
    "recorded_at",
];

/// What is written, for whom, and as of when.
#[derive(Clone, Copy, Debug)]
pub struct Export {
    /// The list.
    pub list: List,
    /// How many days ahead upcoming work is listed, 1 to [`MAX_DAYS`].
    pub days: u32,
    /// The language of names and reasons.
    pub language: Language,
    /// Now, UTC.
    pub now: DateTime<Utc>,
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq)]
pub enum PageKey {
    /// After this upcoming work.
    Upcoming(UpcomingKey),
    /// After this device.
    Device(DeviceKey),
    /// After this visit.
    Visit(VisitKey),
}

/// A piece of a file.
#[derive(Clone, Debug)]
pub struct Page {
    /// Whole rows; the first page begins with the names of the columns.
    pub text: Vec<u8>,
    /// Where the next one begins; absent at the end.
    pub next: Option<PageKey>,
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn optional(at: Option<DateTime<Utc>>) -> String {
    at.map(instant).unwrap_or_default()
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

fn by_id<I: Eq + Hash, T>(rows: Vec<T>, id: impl Fn(&T) -> I) -> HashMap<I, T> {
    rows.into_iter().map(|row| (id(&row), row)).collect()
}

fn once<I: Ord>(ids: impl Iterator<Item = I>) -> Vec<I> {
    let mut ids: Vec<I> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The sites of a page and whose they are.
struct Sites {
    sites: HashMap<SiteId, Site>,
    merchants: HashMap<MerchantId, Merchant>,
}

impl Sites {
    fn get(&self, id: Option<SiteId>) -> Option<&Site> {
        id.and_then(|id| self.sites.get(&id))
    }

    fn merchant(&self, site: Option<&Site>) -> String {
        site.and_then(|site| self.merchants.get(&site.merchant_id)).map(|m| m.name.clone()).unwrap_or_default()
    }
}

impl ReportService {
    /// A page of a list as CSV, after a key.
    ///
    /// # Errors
    /// Storage.
    pub async fn export_page(&self, scope: &Scope, export: &Export, after: Option<PageKey>) -> StoreResult<Page> {
        let is_first = after.is_none();
        let (columns, rows, next): (&[&str], Vec<Vec<String>>, Option<PageKey>) = match export.list {
            List::Upcoming => {
                let key = match after {
                    Some(PageKey::Upcoming(key)) => Some(key),
                    _ => None,
                };
                let (rows, next) = self.upcoming_rows(scope, export, key).await?;
                (&UPCOMING[..], rows, next.map(PageKey::Upcoming))
            }
            List::Devices => {
                let key = match after {
                    Some(PageKey::Device(key)) => Some(key),
                    _ => None,
                };
                let (rows, next) = self.device_rows(scope, key).await?;
                (&DEVICES[..], rows, next.map(PageKey::Device))
            }
            List::Visits => {
                let key = match after {
                    Some(PageKey::Visit(key)) => Some(key),
                    _ => None,
                };
                let (rows, next) = self.visit_rows(scope, key).await?;
                (&VISITS[..], rows, next.map(PageKey::Visit))
            }
        };
        let header: Option<Vec<String>> = is_first.then(|| columns.iter().map(|name| (*name).to_owned()).collect());
        let all: Vec<Vec<String>> = header.into_iter().chain(rows).collect();
        let text = csv::write(&all).map_err(|e| StoreError::Other(Box::new(e)))?;
        Ok(Page { text, next })
    }

    async fn sites(&self, scope: &Scope, ids: &[SiteId]) -> StoreResult<Sites> {
        let sites = registry_store::sites_by_ids(self.db.reader(), scope, ids).await?;
        let merchants = once(sites.iter().map(|site| site.merchant_id));
        let merchants = registry_store::merchants_by_ids(self.db.reader(), scope, &merchants).await?;
        Ok(Sites { sites: by_id(sites, |s| s.id), merchants: by_id(merchants, |m| m.id) })
    }

    async fn upcoming_rows(
        &self,
        scope: &Scope,
        export: &Export,
        after: Option<UpcomingKey>,
    ) -> StoreResult<(Vec<Vec<String>>, Option<UpcomingKey>)> {
        let (db, now) = (self.db.reader(), export.now);
        let before = now + TimeDelta::days(i64::from(export.days));
        let filter = UpcomingFilter::default();
        let page = planning_store::upcoming_page(db, scope, &filter, None, before, after.as_ref(), PAGE, now).await?;
        let next = page.last().map(planning_store::upcoming_key).filter(|_| page.len() as u64 == PAGE);
        let mut rows: Vec<UpcomingRow> = page.into_iter().map(UpcomingRow::from).collect();
        let site_ids = once(rows.iter().filter_map(|r| r.site));
        let sites = self.sites(scope, &site_ids).await?;
        let devices = once(rows.iter().filter_map(|r| r.device));
        let devices: HashMap<DeviceId, Device> =
            by_id(registry_store::devices_by_ids(db, scope, &devices).await?, |d| d.id);
        // A forecast is for wherever its device stands.
        for row in &mut rows {
            let stands = row.device.and_then(|d| devices.get(&d)).and_then(|d| d.position_id);
            row.position = row.position.or(stands);
        }
        let positions = once(rows.iter().filter_map(|r| r.position));
        let positions: HashMap<PositionId, Position> =
            by_id(registry_store::positions_by_ids(db, scope, &positions).await?, |p| p.id);
        let people = once(rows.iter().filter_map(|r| r.assignee));
        let people: HashMap<TechnicianId, Technician> =
            by_id(registry_store::technicians_by_ids(db, scope, &people).await?, |t| t.id);
        let plans = once(rows.iter().filter_map(|r| r.plan));
        let plans: HashMap<PlanId, MaintenancePlan> =
            by_id(planning_store::plans_by_ids(db, scope, &plans).await?, |p| p.id);
        let zone = registry_store::organization(db, scope).await?.time_zone;
        let cells = rows
            .iter()
            .map(|row| {
                let site = sites.get(row.site);
                let device = row.device.and_then(|d| devices.get(&d));
                let position = row.position.and_then(|p| positions.get(&p));
                let plan = row.plan.and_then(|p| plans.get(&p));
                let zone = site.map_or(zone, |site| site.time_zone);
                vec![
                    instant(row.due_at),
                    local_date(zone, row.due_at).to_string(),
                    instant(row.window_start),
                    instant(row.window_end),
                    (row.window_end < now).to_string(),
                    row.kind.clone(),
                    plan.map(|p| p.code.clone()).unwrap_or_default(),
                    plan.map(|p| p.definition.name.get(export.language).to_owned()).unwrap_or_default(),
                    row.channel.clone(),
                    row.minutes.or(plan.map(|p| p.definition.estimated_minutes)).unwrap_or_default().to_string(),
                    row.number.clone(),
                    row.state.clone(),
                    row.priority.clone(),
                    optional(row.scheduled_for),
                    row.assignee.and_then(|t| people.get(&t)).map(|t| t.name.clone()).unwrap_or_default(),
                    sites.merchant(site),
                    site.map(|s| s.name.clone()).unwrap_or_default(),
                    text(site.and_then(|s| s.address.as_ref())),
                    text(site.and_then(|s| s.region_code.as_ref())),
                    zone.name().to_owned(),
                    position.map(|p| p.name.clone()).unwrap_or_default(),
                    text(position.and_then(|p| p.terminal_number.as_ref())),
                    device.map(|d| d.manufacturer.clone()).unwrap_or_default(),
                    device.map(|d| d.serial_number.clone()).unwrap_or_default(),
                    row.explanation.as_ref().map(|e| due_sentence(e, now, export.language)).unwrap_or_default(),
                ]
            })
            .collect();
        Ok((cells, next))
    }

    async fn device_rows(
        &self,
        scope: &Scope,
        after: Option<DeviceKey>,
    ) -> StoreResult<(Vec<Vec<String>>, Option<DeviceKey>)> {
        let db = self.db.reader();
        let (filter, order) = (DeviceFilter::default(), DeviceOrderField::CreatedAt);
        let devices = registry_store::devices_page(db, scope, &filter, order, false, after.as_ref(), PAGE).await?;
        let last = devices.last().filter(|_| devices.len() as u64 == PAGE);
        let next = last.map(|device| registry_store::device_key(order, device));
        let models: Vec<DeviceModelId> = once(devices.iter().map(|d| d.model_id));
        let models = by_id(catalogue_store::models_by_ids(db, scope, &models).await?, |m| m.id);
        let positions: Vec<PositionId> = once(devices.iter().filter_map(|d| d.position_id));
        let positions: HashMap<PositionId, Position> =
            by_id(registry_store::positions_by_ids(db, scope, &positions).await?, |p| p.id);
        let cells = devices
            .iter()
            .map(|device| {
                let model = models.get(&device.model_id);
                let terminal = device.position_id.and_then(|p| positions.get(&p)?.terminal_number.clone());
                vec![
                    device.manufacturer.clone(),
                    // Its code: a name may have several revisions, one of them without a word for it.
                    model.map(|m| m.code.clone()).unwrap_or_default(),
                    device.serial_number.clone(),
                    model.map(|m| m.hardware_revision.clone()).unwrap_or_default(),
                    text(device.asset_tag.as_ref()),
                    device.status.as_str().to_owned(),
                    text(device.firmware_version.as_ref()),
                    terminal.clone().unwrap_or_default(),
                    // Without its place an import could not say where.
                    optional(device.installed_at.filter(|_| terminal.is_some())),
                ]
            })
            .collect();
        Ok((cells, next))
    }

    async fn visit_rows(
        &self,
        scope: &Scope,
        after: Option<VisitKey>,
    ) -> StoreResult<(Vec<Vec<String>>, Option<VisitKey>)> {
        let db = self.db.reader();
        let visits = visit_store::visits_page(db, scope, &VisitFilter::default(), after.as_ref(), PAGE).await?;
        let next = visits.last().map(|v| (v.started_at, v.id.0)).filter(|_| visits.len() as u64 == PAGE);
        let site_ids = once(visits.iter().map(|v| v.site_id));
        let ids: Vec<_> = visits.iter().map(|v| v.id).collect();
        let mut lines: HashMap<_, Vec<_>> = HashMap::new();
        for line in visit_store::lines_of(db, scope, &ids).await? {
            lines.entry(line.visit_id).or_default().push(line);
        }
        let sites = self.sites(scope, &site_ids).await?;
        let people = once(visits.iter().map(|v| v.technician_id));
        let people: HashMap<TechnicianId, Technician> =
            by_id(registry_store::technicians_by_ids(db, scope, &people).await?, |t| t.id);
        let devices = once(lines.values().flatten().filter_map(|l| l.device_id));
        let devices: HashMap<DeviceId, Device> =
            by_id(registry_store::devices_by_ids(db, scope, &devices).await?, |d| d.id);
        let orders = once(lines.values().flatten().flat_map(|l| l.work_order_ids.iter().copied()));
        let orders: HashMap<WorkOrderId, String> = planning_store::orders_by_ids(db, scope, &orders)
            .await?
            .into_iter()
            .map(|order| (order.id, order.number))
            .collect();
        let plans = once(lines.values().flatten().flat_map(|l| l.plan_ids.iter().copied()));
        let plans: HashMap<PlanId, MaintenancePlan> =
            by_id(planning_store::plans_by_ids(db, scope, &plans).await?, |p| p.id);
        let mut cells = Vec::new();
        for visit in &visits {
            let site = sites.get(Some(visit.site_id));
            for line in lines.get(&visit.id).into_iter().flatten() {
                let device = line.device_id.and_then(|d| devices.get(&d));
                let numbers: Vec<&str> =
                    line.work_order_ids.iter().filter_map(|id| orders.get(id)).map(String::as_str).collect();
                let codes: Vec<&str> =
                    line.plan_ids.iter().filter_map(|id| plans.get(id)).map(|p| p.code.as_str()).collect();
                cells.push(vec![
                    visit.number.clone(),
                    sites.merchant(site),
                    site.map(|s| s.name.clone()).unwrap_or_default(),
                    people.get(&visit.technician_id).map(|t| t.name.clone()).unwrap_or_default(),
                    instant(visit.started_at),
                    optional(visit.ended_at),
                    line.line_no.to_string(),
                    device.map(|d| d.manufacturer.clone()).unwrap_or_else(|| text(line.manufacturer.as_ref())),
                    device.map(|d| d.serial_number.clone()).unwrap_or_else(|| text(line.serial_number.as_ref())),
                    instant(line.performed_at),
                    line.outcome.as_str().to_owned(),
                    text(line.findings.as_ref()),
                    numbers.join(";"),
                    codes.join(";"),
                    text(visit.notes.as_ref()),
                    instant(visit.recorded_at),
                ]);
            }
        }
        Ok((cells, next))
    }
}

/// An order, or an item without one, as a row of upcoming work.
struct UpcomingRow {
    due_at: DateTime<Utc>,
    window_start: DateTime<Utc>,
    window_end: DateTime<Utc>,
    kind: String,
    channel: String,
    minutes: Option<u32>,
    number: String,
    state: String,
    priority: String,
    scheduled_for: Option<DateTime<Utc>>,
    assignee: Option<TechnicianId>,
    plan: Option<PlanId>,
    site: Option<SiteId>,
    position: Option<PositionId>,
    device: Option<DeviceId>,
    explanation: Option<Explanation>,
}

impl From<Upcoming> for UpcomingRow {
    fn from(row: Upcoming) -> Self {
        match row {
            Upcoming::Order(order) => {
                let order = *order;
                Self {
                    due_at: order.due_at,
                    window_start: order.window_start,
                    window_end: order.window_end,
                    kind: order.kind.as_str().to_owned(),
                    channel: order.channel.as_str().to_owned(),
                    minutes: Some(order.estimated_minutes),
                    number: order.number,
                    state: order.state.as_str().to_owned(),
                    priority: order.priority.as_str().to_owned(),
                    scheduled_for: order.scheduled_for,
                    assignee: order.assignee_id,
                    plan: order.plan_id,
                    site: order.site_id,
                    position: order.position_id,
                    device: order.device_id,
                    explanation: order.explanation,
                }
            }
            Upcoming::Item(item) => {
                let item = *item;
                let due = item.due.as_ref();
                let due_at = due.and_then(|d| d.due_at).unwrap_or(item.decided_at);
                Self {
                    due_at,
                    window_start: due.map_or(due_at, |d| d.window_start),
                    window_end: due.map_or(due_at, |d| d.window_end),
                    kind: item.kind.as_str().to_owned(),
                    channel: item.channel.as_str().to_owned(),
                    minutes: None,
                    number: String::new(),
                    state: String::new(),
                    priority: String::new(),
                    scheduled_for: None,
                    assignee: None,
                    plan: Some(item.plan_id),
                    site: item.site_id,
                    position: None,
                    device: item.device_id,
                    explanation: item.explanation,
                }
            }
        }
    }
}
