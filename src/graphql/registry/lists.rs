//! Lists of devices: as they are, as they were at a moment, and those of a site.

use super::types::{Device, DeviceConnection};
use crate::graphql::connection::{COUNT_LIMIT, asks, cursor, cut, key_part, order_tag, page};
use crate::graphql::context::Cx;
use crate::graphql::errors::bad_input;
use crate::graphql::load::load;
use crate::graphql::loaders::DevicesOf;
use crate::graphql::prefetch::{self, Ahead};
use crate::kernel::ids::SiteId;
use crate::kernel::page::Page;
use crate::registry::model;
use crate::registry::service::{DeviceWalk, device_key};
use async_graphql::{Context, Result};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// Paging arguments of a list that runs both ways.
pub struct Paging {
    /// Rows forwards.
    pub first: Option<i32>,
    /// Cursor to go on after.
    pub after: Option<String>,
    /// Rows backwards.
    pub last: Option<i32>,
    /// Cursor to end before.
    pub before: Option<String>,
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
    fn tag(&self) -> String {
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
pub async fn site_devices_page(
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

/// Which rows of a list that runs both ways.
struct BothWays {
    page: Page,
    key: Option<(String, Uuid)>,
    is_backward: bool,
}

impl BothWays {
    /// Reads the paging arguments of a list of devices.
    fn read(tag: &str, paging: Paging) -> Result<Self> {
        let Paging { first, after, last, before } = paging;
        let is_backward = last.is_some() || before.is_some();
        if is_backward && (first.is_some() || after.is_some()) {
            return Err(bad_input("give first and after, or last and before, not both"));
        }
        let (count, from) = if is_backward { (last, before) } else { (first, after) };
        let page = page(tag, count, from.as_deref())?;
        let key = match &page.after {
            Some(k) => Some((key_part::<String>(k, 0)?, key_part::<Uuid>(k, 1)?)),
            None => None,
        };
        Ok(Self { page, key, is_backward })
    }

    /// One row more than the page has, to know whether there are more.
    fn limit(&self) -> u64 {
        u64::from(self.page.first) + 1
    }

    /// Cuts the rows to the page, in the order of the list; says whether there are more.
    fn cut<T>(&self, rows: Vec<T>) -> (Vec<T>, bool) {
        let (mut rows, has_more) = cut(rows, self.page.first);
        if self.is_backward {
            rows.reverse();
        }
        (rows, has_more)
    }

    /// The connection of rows with their cursors.
    fn connection(&self, rows: Vec<(Device, String)>, has_more: bool, total: Option<u64>) -> DeviceConnection {
        let has_key = self.key.is_some();
        let (has_next, has_previous) = if self.is_backward { (has_key, has_more) } else { (has_more, has_key) };
        DeviceConnection::new(rows, has_next, has_previous, total)
    }
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
    Ok(ways.connection(list.with_cursors(rows), has_more, total))
}

/// A page of devices as they stood at a moment.
///
/// # Errors
/// BAD_USER_INPUT: a moment to come, a filter that is only about today.
pub async fn devices_as_of_page(
    ctx: &Context<'_>,
    list: &DeviceList,
    moment: DateTime<Utc>,
    paging: Paging,
) -> Result<DeviceConnection> {
    let cx = Cx::of(ctx);
    if moment > cx.now {
        return Err(bad_input("asOf lies in the future; give a moment that has passed"));
    }
    if list.filter.silent_since.is_some() {
        return Err(bad_input(
            "silentSince cannot be asked together with asOf: device files do not say when a device was last heard of",
        ));
    }
    // A cursor of one moment is none of another.
    let tag = format!("{} as of {}", list.tag(), moment.to_rfc3339());
    let ways = BothWays::read(&tag, paging)?;
    let registry = &cx.services.registry;
    let walk =
        DeviceWalk { field: list.field, is_reversed: list.is_descending != ways.is_backward, after: ways.key.as_ref() };
    let rows =
        registry.devices_as_of(&cx.scope, &list.filter, moment, walk, ways.limit()).await.map_err(|e| cx.fail(e))?;
    let total = match asks(ctx, "totalCount") {
        true => {
            let count = registry.count_devices_as_of(&cx.scope, &list.filter, moment, COUNT_LIMIT + 1).await;
            Some(count.map_err(|e| cx.fail(e))?)
        }
        false => None,
    };
    let (rows, has_more) = ways.cut(rows);
    let rows: Vec<Device> =
        rows.into_iter().map(|stood| Device(Arc::new(stood.device), Some(Arc::new(stood.then)))).collect();
    let devices: Vec<Arc<model::Device>> = rows.iter().map(|row| row.0.clone()).collect();
    prefetch::devices(cx, &devices, &Ahead::rows(ctx)).await?;
    let rows = rows
        .into_iter()
        .map(|row| {
            let (value, id) = device_key(list.field, &row.0);
            (row, cursor(&tag, &[value, id.to_string()]))
        })
        .collect();
    Ok(ways.connection(rows, has_more, total))
}
