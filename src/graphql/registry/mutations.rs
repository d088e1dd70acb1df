//! Mutations of the registry.

use super::inputs::*;
use super::types::*;
use crate::graphql::connection::{input_id, payload};
use crate::graphql::context::Cx;
use crate::graphql::errors::{Failure, Outcome, UserError};
use crate::graphql::load::load_known;
use crate::graphql::scalars::Date;
use crate::kernel::calendar::check_instant;
use crate::kernel::code::Code;
use crate::kernel::ids::{DeviceId, DeviceModelId, MerchantId, PositionId, SiteId};
use crate::registry::model::{self, DeviceRef};
use crate::registry::service as rooms;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{NaiveDate, NaiveTime};

payload!(CreateMerchantPayload, merchant: Merchant, "the merchant");
payload!(CreateSitePayload, site: Site, "the site");
payload!(UpdateSitePayload, site: Site, "the site as it is now");
payload!(CreatePositionPayload, position: Position, "the position");
payload!(CreateTechnicianPayload, technician: Technician, "the technician");
payload!(RegisterDevicePayload, device: Device, "the device");
payload!(UpdateDevicePayload, device: Device, "the device as it is now");
payload!(InstallDevicePayload, device: Device, "the device as it is now");
payload!(RelocateDevicePayload, device: Device, "the device as it is now");
payload!(RemoveDevicePayload, device: Device, "the device as it is now");
payload!(ChangeDeviceStatusPayload, device: Device, "the device as it is now");

/// What became of a swap, or why it was refused.
#[derive(SimpleObject)]
pub struct SwapDevicePayload {
    /// The device that left; null when refused.
    pub old_device: Option<Device>,
    /// The device that came; null when refused.
    pub new_device: Option<Device>,
    /// Why the request was refused; empty when it was done.
    pub user_errors: Vec<UserError>,
}

/// Mutations of the registry.
#[derive(Default)]
pub struct RegistryMutation;

/// A version as the rooms have it.
pub(in crate::graphql) fn version(v: Option<i32>) -> Option<i64> {
    v.map(i64::from)
}

fn hours(hours: Vec<OpeningHoursInput>) -> Vec<model::OpeningHours> {
    hours
        .into_iter()
        .map(|h| model::OpeningHours {
            weekday: u8::try_from(h.weekday).unwrap_or(0),
            opens: h.opens,
            closes: h.closes,
        })
        .collect()
}

/// Days on which a site is closed.
///
/// # Errors
/// INVALID_INSTANT: a day outside 2000 to 2100.
fn closed_days(days: Vec<Date>) -> Outcome<Vec<NaiveDate>> {
    let check = |Date(day): Date| match check_instant(day.and_time(NaiveTime::MIN).and_utc()) {
        Ok(()) => Ok(day),
        Err(e) => {
            let message = format!("{day} in closedDays {e}");
            Err(Failure::user(Code::InvalidInstant, &message, &["input", "closedDays"]))
        }
    };
    days.into_iter().map(check).collect()
}

fn external(ids: Option<Vec<ExternalIdInput>>) -> Vec<model::ExternalId> {
    ids.unwrap_or_default().into_iter().map(|e| model::ExternalId { system: e.system, value: e.value }).collect()
}

/// A device named in an input by id, serial or terminal number.
pub fn device_ref(
    id: Option<&ID>,
    serial_number: Option<String>,
    manufacturer: Option<String>,
    terminal_number: Option<String>,
    field: &str,
) -> Outcome<Option<DeviceRef>> {
    Ok(match (id, serial_number, terminal_number) {
        (Some(id), _, _) => Some(DeviceRef::Id(input_id(id, field, DeviceId::parse_global)?)),
        (None, Some(serial_number), _) => Some(DeviceRef::Serial { serial_number, manufacturer }),
        (None, None, Some(number)) => Some(DeviceRef::Terminal(number)),
        (None, None, None) => None,
    })
}

#[Object]
impl RegistryMutation {
    /// Makes a merchant.
    async fn create_merchant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The merchant.")] input: CreateMerchantInput,
    ) -> Result<CreateMerchantPayload> {
        let cx = Cx::of(ctx);
        let outcome: Outcome<Merchant> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let new = rooms::NewMerchant { name: input.name, merchant_number: input.merchant_number };
            let made = cx.services.registry.create_merchant(&call, new).await?;
            Ok(load_known(ctx, made.id, "merchant").await?.into())
        }
        .await;
        CreateMerchantPayload::new(outcome)
    }

    /// Makes a site of a merchant.
    async fn create_site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The site.")] input: CreateSiteInput,
    ) -> Result<CreateSitePayload> {
        let cx = Cx::of(ctx);
        let outcome: Outcome<Site> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let new = rooms::NewSite {
                merchant_id: input_id(&input.merchant_id, "merchantId", MerchantId::parse_global)?,
                name: input.name,
                address: input.address,
                region_code: input.region_code,
                latitude: input.latitude,
                longitude: input.longitude,
                coordinate_system: input.coordinate_system.map(Into::into),
                time_zone: input.time_zone.0,
                opening_hours: hours(input.opening_hours.unwrap_or_default()),
                closed_days: closed_days(input.closed_days.unwrap_or_default())?,
                observes_holidays: input.observes_holidays.unwrap_or(false),
                country: input.country,
                environment: input.environment.map(Into::into),
                contact: input.contact.map(Into::into),
            };
            let made = cx.services.registry.create_site(&call, new).await?;
            Ok(load_known(ctx, made.id, "site").await?.into())
        }
        .await;
        CreateSitePayload::new(outcome)
    }

    /// Changes a site; its devices are planned anew.
    async fn update_site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateSiteInput,
    ) -> Result<UpdateSitePayload> {
        let cx = Cx::of(ctx);
        let id = SiteId::parse_global(input.site_id.as_str()).ok();
        let outcome: Outcome<Site> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let id = input_id(&input.site_id, "siteId", SiteId::parse_global)?;
            let change = rooms::SiteChange {
                expected_version: version(input.expected_version),
                name: input.name,
                address: input.address,
                region_code: input.region_code,
                time_zone: input.time_zone.map(|z| z.0),
                opening_hours: input.opening_hours.map(hours),
                closed_days: input.closed_days.map(closed_days).transpose()?,
                observes_holidays: input.observes_holidays,
                environment: input.environment.map(Into::into),
                contact: input.contact.map(Into::into),
            };
            let made = cx.services.registry.update_site(&call, id, change).await?;
            Ok(load_known(ctx, made.id, "site").await?.into())
        }
        .await;
        UpdateSitePayload::or_current(ctx, outcome, id).await
    }

    /// Makes a position at a site.
    async fn create_position(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The position.")] input: CreatePositionInput,
    ) -> Result<CreatePositionPayload> {
        let cx = Cx::of(ctx);
        let outcome: Outcome<Position> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let new = rooms::NewPosition {
                site_id: input_id(&input.site_id, "siteId", SiteId::parse_global)?,
                name: input.name,
                terminal_number: input.terminal_number,
            };
            let made = cx.services.registry.create_position(&call, new).await?;
            Ok(load_known(ctx, made.id, "position").await?.into())
        }
        .await;
        CreatePositionPayload::new(outcome)
    }

    /// Makes a technician.
    async fn create_technician(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The technician.")] input: CreateTechnicianInput,
    ) -> Result<CreateTechnicianPayload> {
        let cx = Cx::of(ctx);
        let outcome: Outcome<Technician> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let new = rooms::NewTechnician {
                name: input.name,
                employee_number: input.employee_number,
                phone: input.phone,
                region_codes: input.region_codes.unwrap_or_default(),
                weekly_hours: input.weekly_hours,
            };
            let made = cx.services.registry.create_technician(&call, new).await?;
            Ok(load_known(ctx, made.id, "technician").await?.into())
        }
        .await;
        CreateTechnicianPayload::new(outcome)
    }

    /// Registers a device with the parts of its model.
    async fn register_device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The device.")] input: RegisterDeviceInput,
    ) -> Result<RegisterDevicePayload> {
        let cx = Cx::of(ctx);
        let outcome: Outcome<Device> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let new = rooms::RegisterDevice {
                manufacturer: input.manufacturer,
                model_id: input_id(&input.model_id, "modelId", DeviceModelId::parse_global)?,
                serial_number: input.serial_number,
                asset_tag: input.asset_tag,
                status: input.status.map(Into::into),
                firmware_version: input.firmware_version,
                external_ids: external(input.external_ids),
            };
            let done = cx.services.registry.register_device(&call, new).await?;
            Ok(load_known(ctx, done.device_id, "device").await?.into())
        }
        .await;
        RegisterDevicePayload::new(outcome)
    }

    /// Changes a device's own facts.
    async fn update_device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateDeviceInput,
    ) -> Result<UpdateDevicePayload> {
        let cx = Cx::of(ctx);
        let id = DeviceId::parse_global(input.device_id.as_str()).ok();
        let outcome: Outcome<Device> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let id = input_id(&input.device_id, "deviceId", DeviceId::parse_global)?;
            let change = rooms::DeviceUpdate {
                expected_version: version(input.expected_version),
                asset_tag: input.asset_tag,
                firmware_version: input.firmware_version,
                external_ids: external(input.external_ids),
            };
            let done = cx.services.registry.update_device(&call, id, change).await?;
            Ok(load_known(ctx, done.device_id, "device").await?.into())
        }
        .await;
        UpdateDevicePayload::or_current(ctx, outcome, id).await
    }

    /// Installs a device at a free position.
    async fn install_device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, where and when.")] input: InstallDeviceInput,
    ) -> Result<InstallDevicePayload> {
        let cx = Cx::of(ctx);
        let id = DeviceId::parse_global(input.device_id.as_str()).ok();
        let outcome: Outcome<Device> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let install = rooms::InstallDevice {
                device_id: input_id(&input.device_id, "deviceId", DeviceId::parse_global)?,
                position_id: input_id(&input.position_id, "positionId", PositionId::parse_global)?,
                installed_at: input.installed_at,
                expected_version: version(input.expected_version),
                is_in_service: input.in_service.unwrap_or(false),
            };
            let done = cx.services.registry.install_device(&call, install).await?;
            Ok(load_known(ctx, done.device_id, "device").await?.into())
        }
        .await;
        InstallDevicePayload::or_current(ctx, outcome, id).await
    }

    /// Moves a device to another free position.
    async fn relocate_device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, where to and when.")] input: RelocateDeviceInput,
    ) -> Result<RelocateDevicePayload> {
        let cx = Cx::of(ctx);
        let id = DeviceId::parse_global(input.device_id.as_str()).ok();
        let outcome: Outcome<Device> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let relocate = rooms::RelocateDevice {
                device_id: input_id(&input.device_id, "deviceId", DeviceId::parse_global)?,
                position_id: input_id(&input.position_id, "positionId", PositionId::parse_global)?,
                relocated_at: input.relocated_at,
                reason: input.reason,
                expected_version: version(input.expected_version),
            };
            let done = cx.services.registry.relocate_device(&call, relocate).await?;
            Ok(load_known(ctx, done.device_id, "device").await?.into())
        }
        .await;
        RelocateDevicePayload::or_current(ctx, outcome, id).await
    }

    /// Takes a device from its position.
    async fn remove_device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What and when.")] input: RemoveDeviceInput,
    ) -> Result<RemoveDevicePayload> {
        let cx = Cx::of(ctx);
        let id = DeviceId::parse_global(input.device_id.as_str()).ok();
        let outcome: Outcome<Device> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let remove = rooms::RemoveDevice {
                device_id: input_id(&input.device_id, "deviceId", DeviceId::parse_global)?,
                removed_at: input.removed_at,
                status: input.status.into(),
                reason: input.reason,
                expected_version: version(input.expected_version),
            };
            let done = cx.services.registry.remove_device(&call, remove).await?;
            Ok(load_known(ctx, done.device_id, "device").await?.into())
        }
        .await;
        RemoveDevicePayload::or_current(ctx, outcome, id).await
    }

    /// Swaps devices: old out, new in, position and terminal number kept, counters split at that
    /// minute, one atomic act.
    async fn swap_device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which and when.")] input: SwapDeviceInput,
    ) -> Result<SwapDevicePayload> {
        let cx = Cx::of(ctx);
        let outcome: Outcome<(Device, Device)> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let swap = rooms::SwapDevice {
                old_device_id: input_id(&input.old_device_id, "oldDeviceId", DeviceId::parse_global)?,
                new_device_id: input_id(&input.new_device_id, "newDeviceId", DeviceId::parse_global)?,
                swapped_at: input.swapped_at,
                reason: input.reason,
                old_device_status: input.old_device_status.into(),
            };
            let done = cx.services.registry.swap_device(&call, swap).await?;
            let old = load_known(ctx, done.old_device_id, "device").await?.into();
            let new = load_known(ctx, done.new_device_id, "device").await?.into();
            Ok((old, new))
        }
        .await;
        match outcome {
            Ok((old, new)) => {
                Ok(SwapDevicePayload { old_device: Some(old), new_device: Some(new), user_errors: vec![] })
            }
            Err(Failure::User(e)) => Ok(SwapDevicePayload { old_device: None, new_device: None, user_errors: vec![e] }),
            Err(Failure::Internal(e)) => Err(e),
        }
    }

    /// Changes a device's status; lost, destroyed, quarantined and retired devices leave their
    /// position at that moment.
    async fn change_device_status(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it becomes.")] input: ChangeDeviceStatusInput,
    ) -> Result<ChangeDeviceStatusPayload> {
        let cx = Cx::of(ctx);
        let id = DeviceId::parse_global(input.device_id.as_str()).ok();
        let outcome: Outcome<Device> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let change = rooms::ChangeStatus {
                device_id: input_id(&input.device_id, "deviceId", DeviceId::parse_global)?,
                status: input.status.into(),
                changed_at: input.changed_at,
                reason: input.reason,
                expected_version: version(input.expected_version),
            };
            let done = cx.services.registry.change_status(&call, change).await?;
            Ok(load_known(ctx, done.device_id, "device").await?.into())
        }
        .await;
        ChangeDeviceStatusPayload::or_current(ctx, outcome, id).await
    }
}
