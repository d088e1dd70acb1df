//! The fleet as it stood at a moment.

use super::paging::{BothWays, Paging};
use super::types::{Device, DeviceConnection, DeviceList};
use crate::graphql::connection::{COUNT_LIMIT, asks, cursor};
use crate::graphql::context::Cx;
use crate::graphql::errors::bad_input;
use crate::graphql::prefetch::{self, Ahead};
use crate::registry::model;
use crate::registry::service::{DeviceWalk, device_key};
use async_graphql::{Context, Result};
use chrono::{DateTime, Utc};
use std::sync::Arc;

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
    let (has_next, has_previous) = ways.sides(has_more);
    Ok(DeviceConnection::new(rows, has_next, has_previous, total))
}
