//! Types of the registry.

use super::components::Component;
use super::history::{HistoryEvent, HistoryEventConnection, HistoryIntegrity};
use super::paging::{BothWays, Paging};
use crate::graphql::catalogue::types::DeviceModel;
use crate::graphql::connection::{
    COUNT_LIMIT, asks, connection, cursor, cut, key_part, order_tag, page, page_cost, row_cost,
};
use crate::graphql::context::Cx;
use crate::graphql::enums::*;
use crate::graphql::errors::bad_input;
use crate::graphql::firmware::types::FirmwareTarget;
use crate::graphql::load::{load, load_known, load_opt};
use crate::graphql::loaders::{
    ComponentsOf, DevicesOf, ExternalIdsOf, FailuresOf, FirmwareOf, HistoryOf, ItemsOf, OccupantsOf, PositionsOf,
    SoftwareOf, shows,
};
use crate::graphql::planning::inputs::{WorkOrderFilter, WorkOrderOrder};
use crate::graphql::planning::types::{MaintenanceItem, WorkOrderConnection, orders_page};
use crate::graphql::prefetch::{self, Ahead};
use crate::graphql::scalars::{Date, MAX_NUMBER, TimeZone, int, query_codes, query_instant_opt, query_text};
use crate::graphql::usage::types::{DeviceMeter, UsagePattern, device_meters, usage_pattern};
use crate::graphql::visits::types::{FailureReport, MAX_FAILURES, ServiceVisitConnection, device_visits_page};
use crate::kernel::ids::{DeviceId, MerchantId, SiteId};
use crate::registry::file::{EventKind, read};
use crate::registry::model;
use crate::registry::service::{EventFilter, SiteFilter, Then, device_key};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// The tenant.
#[derive(SimpleObject, Clone)]
pub struct Organization {
    /// Opaque id.
    pub id: ID,
    /// Short code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Zone of civil dates without a site.
    pub time_zone: TimeZone,
    /// Devices must pass an inspection before they become READY or IN_SERVICE: a plan of kind
    /// PRE_INSTALLATION is active.
    pub requires_inspection: bool,
}

/// Who is asking.
#[derive(SimpleObject, Clone)]
pub struct Viewer {
    /// The name changes are recorded under.
    pub actor: String,
    /// Whose data is shown.
    pub organization: Organization,
}

shows! {
    /// Who the terminals serve.
    Merchant(model::Merchant)
}

/// Who the terminals serve; has a merchant number and many sites.
#[Object]
impl Merchant {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        self.0.id.global().into()
    }
    /// Name; several merchants can share it.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// Merchant number (MID), unique; null when none is known.
    async fn merchant_number(&self) -> Option<&str> {
        self.0.merchant_number.as_deref()
    }
    /// Its sites, in the order they were made.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn sites(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<SiteConnection> {
        let filter = SiteFilter { merchant_id: Some(self.0.id), ..Default::default() };
        sites_page(ctx, &filter, first, after.as_deref()).await
    }
    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// Grows with every change; give it as `expectedVersion` with an update.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
}

/// Opening hours of one weekday, local time.
#[derive(SimpleObject, Clone)]
pub struct OpeningHours {
    /// 1 = Monday … 7 = Sunday.
    pub weekday: i32,
    /// `HH:MM`.
    pub opens: String,
    /// `HH:MM`; earlier than `opens` means after midnight.
    pub closes: String,
}

/// Whom to ask for at a site.
#[derive(SimpleObject, Clone)]
pub struct SiteContact {
    /// Name; null when unknown.
    pub name: Option<String>,
    /// Phone; null when unknown.
    pub phone: Option<String>,
}

shows! {
    /// A place where devices are visited together.
    Site(model::Site)
}

/// A place where devices are visited together.
#[Object]
impl Site {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        self.0.id.global().into()
    }
    /// Name.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// Its merchant.
    async fn merchant(&self, ctx: &Context<'_>) -> Result<Merchant> {
        Ok(load_known(ctx, self.0.merchant_id, "merchant").await?.into())
    }
    /// Address; null when unknown.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }
    /// Administrative code; a province's is a prefix of its cities'. Null when unknown.
    async fn region_code(&self) -> Option<&str> {
        self.0.region_code.as_deref()
    }
    /// Degrees north, −90 to 90; null when unknown.
    async fn latitude(&self) -> Option<f64> {
        self.0.latitude
    }
    /// Degrees east, −180 to 180; null when unknown.
    async fn longitude(&self) -> Option<f64> {
        self.0.longitude
    }
    /// What the coordinates refer to; null without coordinates.
    async fn coordinate_system(&self) -> Option<CoordinateSystem> {
        self.0.coordinate_system.map(Into::into)
    }
    /// Zone of its civil dates.
    async fn time_zone(&self) -> TimeZone {
        TimeZone(self.0.time_zone.name().to_owned())
    }
    /// Hours by weekday, local time, at most 28; empty means unknown, so never taken as closed.
    #[graphql(complexity = "row_cost(7, child_complexity)")]
    async fn opening_hours(&self) -> Vec<OpeningHours> {
        self.0
            .opening_hours
            .iter()
            .map(|h| OpeningHours { weekday: i32::from(h.weekday), opens: h.opens.clone(), closes: h.closes.clone() })
            .collect()
    }
    /// Single civil days on which it is closed, at most 1,000.
    async fn closed_days(&self) -> Vec<Date> {
        self.0.closed_days.iter().map(|d| Date(*d)).collect()
    }
    /// Closed on public holidays of its country.
    async fn observes_holidays(&self) -> bool {
        self.0.observes_holidays
    }
    /// Country, ISO 3166-1 alpha-2; null means CN.
    async fn country(&self) -> Option<&str> {
        self.0.country.as_deref()
    }
    /// What surrounds the devices; null when unknown.
    async fn environment(&self) -> Option<SiteEnvironment> {
        self.0.environment.map(Into::into)
    }
    /// Whom to ask for there; null when nobody is known.
    async fn contact(&self) -> Option<SiteContact> {
        self.0.contact.as_ref().map(|c| SiteContact { name: c.name.clone(), phone: c.phone.clone() })
    }
    /// Positions at the site by name, with their line of occupants, at most 1,000.
    #[graphql(complexity = "row_cost(5, child_complexity)")]
    async fn positions(&self, ctx: &Context<'_>) -> Result<Vec<Position>> {
        let rows = load(ctx, PositionsOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.iter().take(1_000).cloned().map(Into::into).collect())
    }
    /// Devices standing at the site.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn devices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<DeviceConnection> {
        let filter = model::DeviceFilter { site_id: Some(self.0.id), ..Default::default() };
        let list = DeviceList { filter, field: model::DeviceOrderField::CreatedAt, is_descending: false };
        if after.is_none() {
            return site_devices_page(ctx, self.0.id, &list, first).await;
        }
        devices_page(ctx, &list, Paging { first, after, last: None, before: None }).await
    }
    /// Its own maintenance items, those of plans for sites, at most 100; those it has left are
    /// without a date.
    #[graphql(complexity = "row_cost(5, child_complexity)")]
    async fn maintenance_items(&self, ctx: &Context<'_>) -> Result<Vec<MaintenanceItem>> {
        items_of(ctx, self.0.id.0).await
    }
    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// Grows with every change; give it as `expectedVersion` with an update.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
}

/// The living items of a subject.
async fn items_of(ctx: &Context<'_>, subject: Uuid) -> Result<Vec<MaintenanceItem>> {
    let items = load(ctx, ItemsOf(subject)).await?.unwrap_or_default();
    Ok(items.iter().take(100).cloned().map(Into::into).collect())
}

shows! {
    /// A named place a device fills at a site.
    Position(model::Position)
}

/// One device that filled a position, from when to when.
#[derive(Clone)]
pub struct Occupancy(model::Binding);

/// One device that filled a position, from when to when.
#[Object]
impl Occupancy {
    /// The device.
    async fn device(&self, ctx: &Context<'_>) -> Result<Device> {
        Ok(load_known(ctx, self.0.device_id, "device").await?.into())
    }
    /// From, device time.
    async fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }
    /// Until, device time; null while it stands there.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }
}

/// A named place a device fills at a site, with its terminal number; it outlives swaps.
#[Object]
impl Position {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        self.0.id.global().into()
    }
    /// Name, unique at the site.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// Terminal number (TID), unique; null when none is known.
    async fn terminal_number(&self) -> Option<&str> {
        self.0.terminal_number.as_deref()
    }
    /// Its site.
    async fn site(&self, ctx: &Context<'_>) -> Result<Site> {
        Ok(load_known(ctx, self.0.site_id, "site").await?.into())
    }
    /// The line of occupants, newest first, at most 100.
    #[graphql(complexity = "row_cost(5, child_complexity)")]
    async fn occupants(&self, ctx: &Context<'_>) -> Result<Vec<Occupancy>> {
        let line = load(ctx, OccupantsOf(self.0.id)).await?.unwrap_or_default();
        Ok(line.iter().take(100).map(|o| Occupancy(o.binding.clone())).collect())
    }
    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// Grows with every change.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
}

shows! {
    /// A person who visits sites.
    Technician(model::Technician)
}

/// A person who visits sites.
#[Object]
impl Technician {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        self.0.id.global().into()
    }
    /// Name.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// The employer's number, unique; null when none is known.
    async fn employee_number(&self) -> Option<&str> {
        self.0.employee_number.as_deref()
    }
    /// Phone; null when none is known.
    async fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }
    /// Working hours a week for visits; null when not known.
    async fn weekly_hours(&self) -> Option<f64> {
        self.0.weekly_hours
    }
    /// Regions the technician works in, by prefix.
    async fn region_codes(&self) -> &[String] {
        &self.0.region_codes
    }
    /// When the record was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// Grows with every change.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
}

/// What another system calls a device.
#[derive(SimpleObject, Clone)]
pub struct ExternalId {
    /// The system.
    pub system: String,
    /// Its id there.
    pub value: String,
}

/// One installed thing with a version.
#[derive(SimpleObject, Clone)]
pub struct SoftwareItem {
    /// What it is.
    pub kind: SoftwareKind,
    /// Its name.
    pub name: String,
    /// Its version as reported.
    pub version: String,
    /// When it was reported, device time.
    pub reported_at: DateTime<Utc>,
}

impl From<&model::SoftwareItem> for SoftwareItem {
    fn from(s: &model::SoftwareItem) -> Self {
        Self { kind: s.kind.into(), name: s.name.clone(), version: s.version.clone(), reported_at: s.reported_at }
    }
}

/// One terminal, as it is or as it was.
#[derive(Clone)]
pub struct Device(pub Arc<model::Device>, pub(super) Option<Arc<Then>>);

impl From<Arc<model::Device>> for Device {
    fn from(row: Arc<model::Device>) -> Self {
        Self(row, None)
    }
}

impl From<model::Device> for Device {
    fn from(row: model::Device) -> Self {
        Self(Arc::new(row), None)
    }
}

/// One terminal: where it stands, how it is used, what is due, and its whole history.
#[Object]
impl Device {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        self.0.id.global().into()
    }
    /// Maker.
    async fn manufacturer(&self) -> &str {
        &self.0.manufacturer
    }
    /// Serial number, unique per maker; two makers do reuse serials.
    async fn serial_number(&self) -> &str {
        &self.0.serial_number
    }
    /// The owner's own tag; null when none.
    async fn asset_tag(&self) -> Option<&str> {
        self.0.asset_tag.as_deref()
    }
    /// What other systems call it, at most 50.
    #[graphql(complexity = "row_cost(2, child_complexity)")]
    async fn external_ids(&self, ctx: &Context<'_>) -> Result<Vec<ExternalId>> {
        let names = load(ctx, ExternalIdsOf(self.0.id)).await?.unwrap_or_default();
        let name = |e: &model::ExternalId| ExternalId { system: e.system.clone(), value: e.value.clone() };
        Ok(names.iter().take(50).map(name).collect())
    }
    /// Where it is in its life.
    async fn status(&self) -> DeviceStatus {
        self.0.status.into()
    }
    /// Why it has this status; null when no reason was given.
    async fn status_reason(&self) -> Option<&str> {
        self.0.status_reason.as_deref()
    }
    /// Since when it has this status, device time.
    async fn status_since(&self) -> DateTime<Utc> {
        self.0.status_since
    }
    /// Grows with every change; give it as `expectedVersion` with an update.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
    /// Its model.
    async fn model(&self, ctx: &Context<'_>) -> Result<DeviceModel> {
        Ok(load_known(ctx, self.0.model_id, "device_model").await?.into())
    }
    /// The merchant it stands at; null when it stands nowhere.
    async fn merchant(&self, ctx: &Context<'_>) -> Result<Option<Merchant>> {
        Ok(load_opt(ctx, self.0.merchant_id).await?.map(Into::into))
    }
    /// The site it stands at; null when it stands nowhere.
    async fn site(&self, ctx: &Context<'_>) -> Result<Option<Site>> {
        Ok(load_opt(ctx, self.0.site_id).await?.map(Into::into))
    }
    /// The position it fills; null when it stands nowhere.
    async fn position(&self, ctx: &Context<'_>) -> Result<Option<Position>> {
        Ok(load_opt(ctx, self.0.position_id).await?.map(Into::into))
    }
    /// Terminal number (TID) of its position; null when it stands nowhere or the position has none.
    async fn terminal_number(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if let Some(then) = &self.1 {
            return Ok(then.terminal_number.clone());
        }
        Ok(load_opt(ctx, self.0.position_id).await?.and_then(|p| p.terminal_number.clone()))
    }
    /// Since when it stands there, device time; null when it stands nowhere.
    async fn installed_at(&self) -> Option<DateTime<Utc>> {
        self.0.installed_at
    }
    /// When it passed its inspection before service, device time; null while it has to pass one: never
    /// inspected, or not since it left the field, went to repair or into quarantine, or failed one.
    async fn inspected_at(&self) -> Option<DateTime<Utc>> {
        self.0.inspected_at
    }
    /// Version of its firmware; null when never reported.
    async fn firmware_version(&self) -> Option<&str> {
        self.0.firmware_version.as_deref()
    }
    /// The firmware it is to run, by the closest target that names it; null when nobody set one.
    async fn firmware_target(&self, ctx: &Context<'_>) -> Result<Option<FirmwareTarget>> {
        let facts = load(ctx, FirmwareOf(self.0.id)).await?;
        Ok(facts.and_then(FirmwareTarget::of))
    }
    /// Installed software, at most 100.
    #[graphql(complexity = "row_cost(3, child_complexity)")]
    async fn software(&self, ctx: &Context<'_>) -> Result<Vec<SoftwareItem>> {
        if let Some(then) = &self.1 {
            return Ok(then.software.iter().take(100).map(Into::into).collect());
        }
        let items = load(ctx, SoftwareOf(self.0.id)).await?.unwrap_or_default();
        Ok(items.iter().take(100).map(|s| (&**s).into()).collect())
    }
    /// Its parts, those taken out too, at most 200.
    #[graphql(complexity = "row_cost(8, child_complexity)")]
    async fn components(&self, ctx: &Context<'_>) -> Result<Vec<Component>> {
        if let Some(then) = &self.1 {
            let parts = then.components.iter().take(200);
            return Ok(parts.map(|c| Component::new(Arc::new(c.clone()), self.0.model_id)).collect());
        }
        let parts = load(ctx, ComponentsOf(self.0.id)).await?.unwrap_or_default();
        Ok(parts.iter().take(200).map(|c| Component::new(c.clone(), self.0.model_id)).collect())
    }
    /// Device time of its last reading; null when never heard of.
    async fn last_seen_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_seen_at
    }
    /// Meters that were ever read, at most 50.
    #[graphql(complexity = "row_cost(8, child_complexity)")]
    async fn meters(&self, ctx: &Context<'_>) -> Result<Vec<DeviceMeter>> {
        device_meters(ctx, self.0.id, self.0.model_id).await
    }
    /// How the device is used; null when its model has no such meter.
    async fn usage_pattern(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Meter code, for example TRANSACTIONS.")] meter: String,
    ) -> Result<Option<UsagePattern>> {
        usage_pattern(ctx, self.0.id, query_text(meter, "meter", MAX_NUMBER)?).await
    }
    /// What is planned for it, one item per plan, at most 100; those it has left are without a date.
    #[graphql(complexity = "row_cost(5, child_complexity)")]
    async fn maintenance_items(&self, ctx: &Context<'_>) -> Result<Vec<MaintenanceItem>> {
        items_of(ctx, self.0.id.0).await
    }
    /// Its work orders, by due date.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn work_orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which orders; all of this device unless stated.")] filter: Option<WorkOrderFilter>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<WorkOrderConnection> {
        let filter = WorkOrderFilter { device_id: Some(self.0.id.global().into()), ..filter.unwrap_or_default() };
        orders_page(ctx, filter, WorkOrderOrder::default(), first, after.as_deref()).await
    }
    /// Visits that worked on it, newest first.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn service_visits(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<ServiceVisitConnection> {
        device_visits_page(ctx, self.0.id, first, after.as_deref()).await
    }
    /// Failures visits reported of it, newest first, at most 100.
    #[graphql(complexity = "row_cost(10, child_complexity)")]
    async fn failures(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows, 1 to 100; 100 unless stated.")] first: Option<i32>,
    ) -> Result<Vec<FailureReport>> {
        let first = first.map_or(Ok(MAX_FAILURES), |n| match usize::try_from(n) {
            Ok(n) if (1..=MAX_FAILURES).contains(&n) => Ok(n),
            _ => Err(bad_input(format!("first is {n}; give 1 to {MAX_FAILURES}"))),
        })?;
        let failures = load(ctx, FailuresOf(self.0.id)).await?.unwrap_or_default();
        Ok(failures.iter().take(first).map(|f| FailureReport(f.report.clone())).collect())
    }
    /// Its device file, oldest event first.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    #[allow(clippy::too_many_arguments, reason = "each is an argument of the field")]
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Kinds of events; all unless stated.")] kinds: Option<Vec<HistoryEventKind>>,
        #[graphql(desc = "Happened at or after, device time.")] occurred_from: Option<DateTime<Utc>>,
        #[graphql(desc = "Happened before, device time.")] occurred_before: Option<DateTime<Utc>>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<HistoryEventConnection> {
        let kinds: Option<Vec<EventKind>> = query_codes(kinds, "kinds")?;
        let filter = EventFilter {
            kinds: kinds.map(|kinds| kinds.iter().map(|k| k.as_str().to_owned()).collect()),
            occurred_from: query_instant_opt(occurred_from, "occurredFrom")?,
            occurred_before: query_instant_opt(occurred_before, "occurredBefore")?,
        };
        history_page(ctx, self.0.id, &filter, first, after.as_deref()).await
    }
    /// Walks the whole device file and says whether anything was changed since it was written.
    #[graphql(complexity = "INTEGRITY_COST + child_complexity")]
    async fn history_integrity(&self, ctx: &Context<'_>) -> Result<HistoryIntegrity> {
        let cx = Cx::of(ctx);
        let found = cx.services.registry.integrity(&cx.scope, self.0.id).await.map_err(|e| cx.fail(e))?;
        Ok(found.into())
    }
    /// When it was registered.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Walking a whole file costs more than a field.
const INTEGRITY_COST: usize = 2_000;

connection!(DeviceConnection, DeviceEdge, Device, "devices");
connection!(SiteConnection, SiteEdge, Site, "sites");
connection!(MerchantConnection, MerchantEdge, Merchant, "merchants");
connection!(TechnicianConnection, TechnicianEdge, Technician, "technicians");

/// The tag of cursors of a device file.
const HISTORY: &str = "history";

/// A page of a device file.
async fn history_page(
    ctx: &Context<'_>,
    device: DeviceId,
    filter: &EventFilter,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<HistoryEventConnection> {
    let cx = Cx::of(ctx);
    let page = page(HISTORY, first, after)?;
    let after: Option<i64> = page.after.as_ref().map(|k| key_part(k, 0)).transpose()?;
    let registry = &cx.services.registry;
    let found = if after.is_none() && *filter == EventFilter::default() {
        // First pages of many files are fetched together.
        load(ctx, HistoryOf { device, first: page.first }).await?.unwrap_or_default()
    } else {
        let from = after.unwrap_or(i64::MIN);
        Arc::new(registry.history(&cx.scope, device, filter, from, page.first).await.map_err(|e| cx.fail(e))?)
    };
    let total = match asks(ctx, "totalCount") {
        true => {
            let count = registry.count_history(&cx.scope, device, filter, COUNT_LIMIT + 1).await;
            Some(count.map_err(|e| cx.fail(e))?)
        }
        false => None,
    };
    let at = |sequence: i64| cursor(HISTORY, &[sequence.to_string()]);
    // The integrity names the events that cannot be read.
    let rows = found.events.iter().filter_map(|e| Some((HistoryEvent::from(read(e)?), at(e.sequence)))).collect();
    let mut connection = HistoryEventConnection::new(rows, found.has_next, after.is_some(), total);
    // The file goes on behind them.
    connection.page_info.end_cursor = found.events.last().map(|e| at(e.sequence));
    Ok(connection)
}

/// Which devices, in what order.
pub struct DeviceList {
    /// Which.
    pub filter: model::DeviceFilter,
    /// By what.
    pub field: model::DeviceOrderField,
    /// Largest first.
    pub is_descending: bool,
}

impl DeviceList {
    /// What its cursors begin with.
    pub fn tag(&self) -> String {
        order_tag("devices", self.field, self.is_descending)
    }

    fn with_cursors(&self, rows: Vec<Arc<model::Device>>) -> Vec<(Device, String)> {
        let tag = self.tag();
        rows.into_iter()
            .map(|d| {
                let (value, id) = device_key(self.field, &d);
                (Device::from(d), cursor(&tag, &[value, id.to_string()]))
            })
            .collect()
    }
}

/// The first page of the devices of a site; those of many sites are fetched together.
async fn site_devices_page(
    ctx: &Context<'_>,
    site: SiteId,
    list: &DeviceList,
    first: Option<i32>,
) -> Result<DeviceConnection> {
    let page = page(&list.tag(), first, None)?;
    let standing = load(ctx, DevicesOf(site)).await?.unwrap_or_default();
    let total = asks(ctx, "totalCount").then_some(standing.len() as u64);
    let (rows, has_next) = cut(standing.to_vec(), page.first);
    Ok(DeviceConnection::new(list.with_cursors(rows), has_next, false, total))
}

/// A page of devices.
pub async fn devices_page(ctx: &Context<'_>, list: &DeviceList, paging: Paging) -> Result<DeviceConnection> {
    let cx = Cx::of(ctx);
    let ways = BothWays::read(&list.tag(), paging)?;
    let registry = &cx.services.registry;
    let is_reversed = list.is_descending != ways.is_backward;
    let rows = registry
        .devices_page(&cx.scope, &list.filter, list.field, is_reversed, ways.key.as_ref(), ways.limit())
        .await
        .map_err(|e| cx.fail(e))?;
    let total = match asks(ctx, "totalCount") {
        true => Some(registry.count_devices(&cx.scope, &list.filter, COUNT_LIMIT + 1).await.map_err(|e| cx.fail(e))?),
        false => None,
    };
    let (rows, has_more) = ways.cut(rows);
    let rows: Vec<Arc<model::Device>> = rows.into_iter().map(Arc::new).collect();
    prefetch::devices(cx, &rows, &Ahead::rows(ctx)).await?;
    let (has_next, has_previous) = ways.sides(has_more);
    Ok(DeviceConnection::new(list.with_cursors(rows), has_next, has_previous, total))
}

/// The tag of cursors of sites.
const SITES: &str = "sites";

/// A page of sites.
pub async fn sites_page(
    ctx: &Context<'_>,
    filter: &SiteFilter,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<SiteConnection> {
    let cx = Cx::of(ctx);
    let page = page(SITES, first, after)?;
    let key: Option<Uuid> = page.after.as_ref().map(|k| key_part(k, 0)).transpose()?;
    let registry = &cx.services.registry;
    let limit = u64::from(page.first) + 1;
    let rows = registry.sites_page(&cx.scope, filter, key, limit).await.map_err(|e| cx.fail(e))?;
    let total = match asks(ctx, "totalCount") {
        true => Some(registry.count_sites(&cx.scope, filter, COUNT_LIMIT + 1).await.map_err(|e| cx.fail(e))?),
        false => None,
    };
    let (rows, has_next) = cut(rows, page.first);
    let rows: Vec<Arc<model::Site>> = rows.into_iter().map(Arc::new).collect();
    prefetch::sites(cx, &rows, &Ahead::rows(ctx)).await?;
    let rows = rows
        .into_iter()
        .map(|s| {
            let at = cursor(SITES, &[s.id.0.to_string()]);
            (Site(s), at)
        })
        .collect();
    Ok(SiteConnection::new(rows, has_next, key.is_some(), total))
}

/// Which merchants.
pub struct MerchantList {
    /// Part of the name.
    pub name_contains: Option<String>,
    /// Merchant numbers.
    pub numbers: Option<Vec<String>>,
}

/// The tag of cursors of merchants.
const MERCHANTS: &str = "merchants";

/// A page of merchants.
pub async fn merchants_page(
    ctx: &Context<'_>,
    list: &MerchantList,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<MerchantConnection> {
    let cx = Cx::of(ctx);
    let page = page(MERCHANTS, first, after)?;
    let key: Option<Uuid> = page.after.as_ref().map(|k| key_part(k, 0)).transpose()?;
    let registry = &cx.services.registry;
    let (part, numbers) = (list.name_contains.as_deref(), list.numbers.as_deref());
    let limit = u64::from(page.first) + 1;
    let rows = registry.merchants_page(&cx.scope, part, numbers, key, limit).await.map_err(|e| cx.fail(e))?;
    let total = match asks(ctx, "totalCount") {
        true => {
            let count = registry.count_merchants(&cx.scope, part, numbers, COUNT_LIMIT + 1).await;
            Some(count.map_err(|e| cx.fail(e))?)
        }
        false => None,
    };
    let (rows, has_next) = cut(rows, page.first);
    let rows = rows
        .into_iter()
        .map(|m| {
            let MerchantId(id) = m.id;
            (Merchant::from(m), cursor(MERCHANTS, &[id.to_string()]))
        })
        .collect();
    Ok(MerchantConnection::new(rows, has_next, key.is_some(), total))
}

/// The tag of cursors of technicians.
const TECHNICIANS: &str = "technicians";

/// A page of technicians.
pub async fn technicians_page(
    ctx: &Context<'_>,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<TechnicianConnection> {
    let cx = Cx::of(ctx);
    let page = page(TECHNICIANS, first, after)?;
    let key: Option<Uuid> = page.after.as_ref().map(|k| key_part(k, 0)).transpose()?;
    let registry = &cx.services.registry;
    let limit = u64::from(page.first) + 1;
    let rows = registry.technicians_page(&cx.scope, key, limit).await.map_err(|e| cx.fail(e))?;
    let total = match asks(ctx, "totalCount") {
        true => Some(registry.count_technicians(&cx.scope, COUNT_LIMIT + 1).await.map_err(|e| cx.fail(e))?),
        false => None,
    };
    let (rows, has_next) = cut(rows, page.first);
    let rows = rows
        .into_iter()
        .map(|t| {
            let at = cursor(TECHNICIANS, &[t.id.0.to_string()]);
            (Technician::from(t), at)
        })
        .collect();
    Ok(TechnicianConnection::new(rows, has_next, key.is_some(), total))
}
