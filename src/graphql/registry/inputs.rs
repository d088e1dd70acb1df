//! Inputs of the registry.

use super::types::MerchantList;
use crate::graphql::enums::*;
use crate::graphql::scalars::*;
use crate::kernel::ids::{DeviceModelId, MerchantId, SiteId};
use crate::registry::model;
use crate::registry::service;
use async_graphql::{ID, InputObject, Result};
use chrono::{DateTime, Utc};

/// Which devices; parts given must all hold.
#[derive(InputObject, Default, Clone)]
pub struct DeviceFilter {
    /// Any of these statuses.
    pub statuses: Option<Vec<DeviceStatus>>,
    /// Any of these models.
    pub model_ids: Option<Vec<ID>>,
    /// Standing at this site.
    pub site_id: Option<ID>,
    /// Standing at this merchant.
    pub merchant_id: Option<ID>,
    /// Region codes, by prefix: a province contains its cities.
    pub region_codes: Option<Vec<String>>,
    /// Any of these serial numbers.
    pub serial_numbers: Option<Vec<String>>,
    /// Filling any of these terminal numbers now.
    pub terminal_numbers: Option<Vec<String>>,
    /// Not heard of since then, or never.
    pub silent_since: Option<DateTime<Utc>>,
}

impl DeviceFilter {
    /// The room's form.
    ///
    /// # Errors
    /// BAD_USER_INPUT for what is not what it should be, or is out of its bounds.
    pub fn read(self) -> Result<model::DeviceFilter> {
        Ok(model::DeviceFilter {
            statuses: query_codes(self.statuses, "statuses")?,
            model_ids: query_ids(self.model_ids, "modelIds", DeviceModelId::parse_global)?,
            site_id: query_id_opt(self.site_id.as_ref(), SiteId::parse_global)?,
            merchant_id: query_id_opt(self.merchant_id.as_ref(), MerchantId::parse_global)?,
            region_codes: query_texts(self.region_codes, "regionCodes", MAX_REGION)?,
            serial_numbers: query_texts(self.serial_numbers, "serialNumbers", MAX_NUMBER)?,
            terminal_numbers: query_texts(self.terminal_numbers, "terminalNumbers", MAX_NUMBER)?,
            silent_since: query_instant_opt(self.silent_since, "silentSince")?,
        })
    }
}

/// By what devices are listed.
#[derive(InputObject, Clone, Copy)]
pub struct DeviceOrder {
    /// By what.
    pub field: DeviceOrderField,
    /// Which way.
    pub direction: OrderDirection,
}

impl DeviceOrder {
    /// Field, and whether it goes down.
    pub fn read(self) -> (model::DeviceOrderField, bool) {
        (self.field.into(), self.direction == OrderDirection::Desc)
    }
}

/// Which merchants.
#[derive(InputObject, Default, Clone)]
pub struct MerchantFilter {
    /// Part of the name, at most 200 characters.
    pub name_contains: Option<String>,
    /// Any of these merchant numbers (MID).
    pub merchant_numbers: Option<Vec<String>>,
}

/// Which sites.
#[derive(InputObject, Default, Clone)]
pub struct SiteFilter {
    /// Of this merchant.
    pub merchant_id: Option<ID>,
    /// Region codes, by prefix.
    pub region_codes: Option<Vec<String>>,
    /// Part of the name, at most 200 characters.
    pub name_contains: Option<String>,
}

impl MerchantFilter {
    /// The room's form.
    ///
    /// # Errors
    /// BAD_USER_INPUT for what is out of its bounds.
    pub fn read(self) -> Result<MerchantList> {
        Ok(MerchantList {
            name_contains: query_text_opt(self.name_contains, "nameContains", MAX_PART)?,
            numbers: query_texts(self.merchant_numbers, "merchantNumbers", MAX_NUMBER)?,
        })
    }
}

impl SiteFilter {
    /// The room's form.
    ///
    /// # Errors
    /// BAD_USER_INPUT for what is not what it should be, or is out of its bounds.
    pub fn read(self) -> Result<service::SiteFilter> {
        Ok(service::SiteFilter {
            merchant_id: query_id_opt(self.merchant_id.as_ref(), MerchantId::parse_global)?,
            region_codes: query_texts(self.region_codes, "regionCodes", MAX_REGION)?,
            name_contains: query_text_opt(self.name_contains, "nameContains", MAX_PART)?,
        })
    }
}

/// A merchant to be made.
#[derive(InputObject)]
pub struct CreateMerchantInput {
    /// Name, 1 to 200 characters.
    pub name: String,
    /// Merchant number (MID), unique.
    pub merchant_number: Option<String>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// Opening hours of one weekday, local time.
#[derive(InputObject)]
pub struct OpeningHoursInput {
    /// 1 = Monday … 7 = Sunday.
    pub weekday: i32,
    /// `HH:MM`.
    pub opens: String,
    /// `HH:MM`; earlier than `opens` means after midnight.
    pub closes: String,
}

/// Whom to ask for at a site.
#[derive(InputObject)]
pub struct SiteContactInput {
    /// Name, at most 200 characters.
    pub name: Option<String>,
    /// Phone, at most 64 characters; searched for by its digits.
    pub phone: Option<String>,
}

impl From<SiteContactInput> for model::SiteContact {
    fn from(given: SiteContactInput) -> Self {
        Self { name: given.name, phone: given.phone }
    }
}

/// A site to be made.
#[derive(InputObject)]
pub struct CreateSiteInput {
    /// Its merchant.
    pub merchant_id: ID,
    /// Name, 1 to 200 characters.
    pub name: String,
    /// Address.
    pub address: Option<String>,
    /// Administrative code; a province's is a prefix of its cities'.
    pub region_code: Option<String>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// What the coordinates refer to; required with coordinates.
    pub coordinate_system: Option<CoordinateSystem>,
    /// Zone of its civil dates.
    pub time_zone: TimeZone,
    /// Hours by weekday; without any the site is never taken as closed.
    pub opening_hours: Option<Vec<OpeningHoursInput>>,
    /// Single days on which it is closed.
    pub closed_days: Option<Vec<Date>>,
    /// Closed on public holidays of its country; false unless stated.
    pub observes_holidays: Option<bool>,
    /// Country, ISO 3166-1 alpha-2; CN unless stated.
    pub country: Option<String>,
    /// What surrounds the devices.
    pub environment: Option<SiteEnvironment>,
    /// Whom to ask for.
    pub contact: Option<SiteContactInput>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// A change of a site; absent parts stay.
#[derive(InputObject)]
pub struct UpdateSiteInput {
    /// The site.
    pub site_id: ID,
    /// The version you have; CONFLICT when it is not the current one.
    pub expected_version: Option<i32>,
    /// Name.
    pub name: Option<String>,
    /// Address.
    pub address: Option<String>,
    /// Administrative code.
    pub region_code: Option<String>,
    /// Zone of its civil dates.
    pub time_zone: Option<TimeZone>,
    /// Hours by weekday.
    pub opening_hours: Option<Vec<OpeningHoursInput>>,
    /// Single days on which it is closed.
    pub closed_days: Option<Vec<Date>>,
    /// Closed on public holidays.
    pub observes_holidays: Option<bool>,
    /// What surrounds the devices.
    pub environment: Option<SiteEnvironment>,
    /// Whom to ask for; replaced as a whole, and nobody when both parts are left out.
    pub contact: Option<SiteContactInput>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// A position to be made.
#[derive(InputObject)]
pub struct CreatePositionInput {
    /// Its site.
    pub site_id: ID,
    /// Name, unique at the site.
    pub name: String,
    /// Terminal number (TID), unique.
    pub terminal_number: Option<String>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// A technician to be made.
#[derive(InputObject)]
pub struct CreateTechnicianInput {
    /// Name.
    pub name: String,
    /// The employer's number, unique.
    pub employee_number: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// Regions, by prefix.
    pub region_codes: Option<Vec<String>>,
    /// Working hours a week for visits, 0 to 168.
    pub weekly_hours: Option<f64>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// What another system calls a device.
#[derive(InputObject)]
pub struct ExternalIdInput {
    /// The system.
    pub system: String,
    /// Its id there.
    pub value: String,
}

/// A device to be registered.
#[derive(InputObject)]
pub struct RegisterDeviceInput {
    /// Maker.
    pub manufacturer: String,
    /// Its model.
    pub model_id: ID,
    /// Serial number, unique per maker.
    pub serial_number: String,
    /// The owner's own tag.
    pub asset_tag: Option<String>,
    /// IN_STOCK unless stated; in the field it comes by installDevice.
    pub status: Option<DeviceStatus>,
    /// Installed firmware.
    pub firmware_version: Option<String>,
    /// What other systems call it.
    pub external_ids: Option<Vec<ExternalIdInput>>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// A change of a device's own facts; absent parts stay.
#[derive(InputObject)]
pub struct UpdateDeviceInput {
    /// The device.
    pub device_id: ID,
    /// The version you have; CONFLICT when it is not the current one.
    pub expected_version: Option<i32>,
    /// The owner's own tag.
    pub asset_tag: Option<String>,
    /// Installed firmware, as reported.
    pub firmware_version: Option<String>,
    /// External ids to add.
    pub external_ids: Option<Vec<ExternalIdInput>>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// A device that begins to fill a position.
#[derive(InputObject)]
pub struct InstallDeviceInput {
    /// The device; IN_STOCK, READY or IN_TRANSIT.
    pub device_id: ID,
    /// The position; free.
    pub position_id: ID,
    /// When it was installed, device time.
    pub installed_at: DateTime<Utc>,
    /// The device's version you have; CONFLICT when it is not the current one.
    pub expected_version: Option<i32>,
    /// In service at once rather than INSTALLED; false unless stated.
    pub in_service: Option<bool>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// A device that goes to another position.
#[derive(InputObject)]
pub struct RelocateDeviceInput {
    /// The device.
    pub device_id: ID,
    /// Where to; free.
    pub position_id: ID,
    /// When, device time.
    pub relocated_at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
    /// The device's version you have; CONFLICT when it is not the current one.
    pub expected_version: Option<i32>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// A device that leaves its position.
#[derive(InputObject)]
pub struct RemoveDeviceInput {
    /// The device.
    pub device_id: ID,
    /// When, device time.
    pub removed_at: DateTime<Utc>,
    /// What it becomes: IN_STOCK, IN_TRANSIT, IN_REPAIR, QUARANTINED, RETIRED, DESTROYED or LOST.
    pub status: DeviceStatus,
    /// Why.
    pub reason: Option<String>,
    /// The device's version you have; CONFLICT when it is not the current one.
    pub expected_version: Option<i32>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// Old device out, new one in, at one minute; position and terminal number are kept.
#[derive(InputObject)]
pub struct SwapDeviceInput {
    /// The device that leaves.
    pub old_device_id: ID,
    /// The device that comes; IN_STOCK, READY or IN_TRANSIT.
    pub new_device_id: ID,
    /// When, device time; counters sent by terminal number split here.
    pub swapped_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// What the old device becomes.
    pub old_device_status: DeviceStatus,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

/// A change of status.
#[derive(InputObject)]
pub struct ChangeDeviceStatusInput {
    /// The device.
    pub device_id: ID,
    /// What it becomes.
    pub status: DeviceStatus,
    /// When, device time; now unless stated.
    pub changed_at: Option<DateTime<Utc>>,
    /// Why.
    pub reason: Option<String>,
    /// The version you have; CONFLICT when it is not the current one.
    pub expected_version: Option<i32>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}
