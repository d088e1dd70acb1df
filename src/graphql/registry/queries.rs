//! Queries of the registry.

use super::as_of::devices_as_of_page;
use super::inputs::{DeviceFilter, DeviceOrder, MerchantFilter, SiteFilter};
use super::paging::Paging;
use super::types::*;
use crate::graphql::connection::{FLEET_COST, page_cost};
use crate::graphql::context::Cx;
use crate::graphql::errors::{AMBIGUOUS, bad_input};
use crate::graphql::load::load;
use crate::graphql::prefetch::{self, Ahead};
use crate::graphql::scalars::{
    MAX_NUMBER, TimeZone, query_id, query_instant, query_instant_opt, query_text, query_text_opt,
};
use crate::kernel::ids::DeviceId;
use crate::registry::model::{self, DeviceRef, ResolveError};
use async_graphql::{Context, ErrorExtensions, ID, Object, Result};
use chrono::{DateTime, Utc};

/// Queries of the registry.
#[derive(Default)]
pub struct RegistryQuery;

#[Object]
impl RegistryQuery {
    /// Who is asking, and whose data is shown.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer> {
        let cx = Cx::of(ctx);
        let o = cx.services.registry.organization(&cx.scope).await.map_err(|e| cx.fail(e))?;
        let organization = Organization {
            id: o.id.global().into(),
            code: o.code,
            name: o.name,
            time_zone: TimeZone(o.time_zone.name().to_owned()),
            requires_inspection: o.requires_inspection,
        };
        Ok(Viewer { actor: cx.actor.clone(), organization })
    }

    /// One device: by id, by serial number (with the manufacturer where two share it, else
    /// AMBIGUOUS), or by the terminal number it fills now. Null when there is none.
    async fn device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque global id.")] id: Option<ID>,
        #[graphql(desc = "Serial number.")] serial_number: Option<String>,
        #[graphql(desc = "Maker, beside the serial number.")] manufacturer: Option<String>,
        #[graphql(desc = "Terminal number (TID).")] terminal_number: Option<String>,
    ) -> Result<Option<Device>> {
        let serial_number = query_text_opt(serial_number, "serialNumber", MAX_NUMBER)?;
        let manufacturer = query_text_opt(manufacturer, "manufacturer", MAX_NUMBER)?;
        let terminal_number = query_text_opt(terminal_number, "terminalNumber", MAX_NUMBER)?;
        let reference = match (&id, serial_number, terminal_number) {
            (Some(id), None, None) => DeviceRef::Id(query_id(id, DeviceId::parse_global)?),
            (None, Some(serial_number), None) => DeviceRef::Serial { serial_number, manufacturer },
            (None, None, Some(number)) => DeviceRef::Terminal(number),
            _ => return Err(bad_input("give one of id, serialNumber or terminalNumber")),
        };
        one_device(ctx, reference, Cx::of(ctx).now).await
    }

    /// The device that filled a terminal number at a moment; null when none did.
    async fn occupant_at(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Terminal number (TID).")] terminal_number: String,
        #[graphql(desc = "Device time.")] at: DateTime<Utc>,
    ) -> Result<Option<Device>> {
        let number = query_text(terminal_number, "terminalNumber", MAX_NUMBER)?;
        one_device(ctx, DeviceRef::Terminal(number), query_instant(at, "at")?).await
    }

    /// Devices; forwards with first and after, backwards with last and before.
    ///
    /// With `asOf` it is the fleet as it stood at that moment, as the device files tell it: what had
    /// happened by then (device time), with everything known today, later corrections too. A device
    /// is in it from its registration on, or from its first move where that was earlier. The filter
    /// is about then; `status`, `statusReason`, `statusSince`, `merchant`, `site`, `position`,
    /// `terminalNumber`, `installedAt`, `firmwareVersion`, `software` (each version with the moment
    /// it was first reported), `components` and `assetTag` are those of then. A site's own region,
    /// name and merchant, meters, items, orders, visits, history, `externalIds`, `lastSeenAt` and
    /// `version` are today's.
    #[graphql(
        complexity = "page_cost(first.or(last), child_complexity).saturating_add(as_of.map_or(0, |_| FLEET_COST))"
    )]
    #[allow(clippy::too_many_arguments, reason = "each is an argument of the field")]
    async fn devices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which devices; all unless stated.")] filter: Option<DeviceFilter>,
        #[graphql(
            desc = "The moment, from 2000 on and not in the future; now unless stated. Not together with silentSince."
        )]
        as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "By what; by registration unless stated.")] order_by: Option<DeviceOrder>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 1 to 500.")] last: Option<i32>,
        #[graphql(desc = "Cursor to end before.")] before: Option<String>,
    ) -> Result<DeviceConnection> {
        let (field, is_descending) = order_by.map_or((model::DeviceOrderField::CreatedAt, false), DeviceOrder::read);
        let list = DeviceList { filter: filter.unwrap_or_default().read()?, field, is_descending };
        let paging = Paging { first, after, last, before };
        match query_instant_opt(as_of, "asOf")? {
            Some(moment) => devices_as_of_page(ctx, &list, moment, paging).await,
            None => devices_page(ctx, &list, paging).await,
        }
    }

    /// Merchants, in the order they were made.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn merchants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which merchants; all unless stated.")] filter: Option<MerchantFilter>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<MerchantConnection> {
        merchants_page(ctx, &filter.unwrap_or_default().read()?, first, after.as_deref()).await
    }

    /// Sites, in the order they were made.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn sites(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sites; all unless stated.")] filter: Option<SiteFilter>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<SiteConnection> {
        sites_page(ctx, &filter.unwrap_or_default().read()?, first, after.as_deref()).await
    }

    /// Technicians, in the order they were made.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn technicians(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<TechnicianConnection> {
        technicians_page(ctx, first, after.as_deref()).await
    }
}

/// The device a reference names at a moment.
async fn one_device(ctx: &Context<'_>, reference: DeviceRef, at: DateTime<Utc>) -> Result<Option<Device>> {
    let cx = Cx::of(ctx);
    let found = cx.services.registry.resolve(&cx.scope, &[(reference, at)]).await.map_err(|e| cx.fail(e))?.pop();
    match found {
        Some(Ok(id)) => {
            let Some(row) = load(ctx, id).await? else { return Ok(None) };
            prefetch::devices(cx, std::slice::from_ref(&row), &Ahead::here(ctx)).await?;
            Ok(Some(row.into()))
        }
        Some(Err(e @ ResolveError::Ambiguous { .. })) => {
            Err(async_graphql::Error::new(e.to_string()).extend_with(|_, x| x.set("code", AMBIGUOUS)))
        }
        Some(Err(ResolveError::Unknown(_) | ResolveError::NobodyThere { .. })) | None => Ok(None),
    }
}
