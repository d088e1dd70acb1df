//! The words of the registry.

use crate::catalogue::model::{ComponentKind, ReplaceableAt};
use crate::code_enum;
use crate::kernel::ids::*;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

code_enum! {
    /// Where a device is in its life.
    pub enum DeviceStatus {
        Ordered = "ORDERED", InStock = "IN_STOCK", Ready = "READY", InTransit = "IN_TRANSIT",
        Installed = "INSTALLED", InService = "IN_SERVICE", Suspended = "SUSPENDED",
        Quarantined = "QUARANTINED", InRepair = "IN_REPAIR", Retired = "RETIRED",
        Destroyed = "DESTROYED", Lost = "LOST",
    }
}

code_enum! {
    /// What coordinates refer to; maps in China use shifted systems.
    pub enum CoordinateSystem { Wgs84 = "WGS84", Gcj02 = "GCJ02", Bd09 = "BD09" }
}

code_enum! {
    /// What surrounds the devices of a site.
    pub enum SiteEnvironment {
        Indoor = "INDOOR", FoodService = "FOOD_SERVICE", Dusty = "DUSTY", Damp = "DAMP",
        Outdoor = "OUTDOOR", Vehicle = "VEHICLE",
    }
}

code_enum! {
    /// Kinds of installed software.
    pub enum SoftwareKind {
        Firmware = "FIRMWARE", Os = "OS", PaymentApp = "PAYMENT_APP", Parameters = "PARAMETERS",
        Kernel = "KERNEL", Certificate = "CERTIFICATE",
    }
}

/// The tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct Organization {
    /// Identity.
    pub id: OrganizationId,
    /// Short code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Zone of civil dates without a site.
    pub time_zone: Tz,
    /// Devices must pass an inspection before they go into service.
    pub requires_inspection: bool,
}

/// Who the terminals serve.
#[derive(Clone, Debug, PartialEq)]
pub struct Merchant {
    /// Identity.
    pub id: MerchantId,
    /// Name; several merchants can share it.
    pub name: String,
    /// MID, unique in the organization.
    pub merchant_number: Option<String>,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Opening hours of one weekday, local time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpeningHours {
    /// 1 = Monday … 7 = Sunday.
    pub weekday: u8,
    /// `HH:MM`.
    pub opens: String,
    /// `HH:MM`; earlier than `opens` means after midnight.
    pub closes: String,
}

/// Whom to ask for at a site.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SiteContact {
    /// Name.
    pub name: Option<String>,
    /// Phone.
    pub phone: Option<String>,
}

/// A place where devices are visited together.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Identity.
    pub id: SiteId,
    /// Its merchant.
    pub merchant_id: MerchantId,
    /// Name.
    pub name: String,
    /// Address.
    pub address: Option<String>,
    /// Administrative code; a province's is a prefix of its cities'.
    pub region_code: Option<String>,
    /// Degrees.
    pub latitude: Option<f64>,
    /// Degrees.
    pub longitude: Option<f64>,
    /// What the coordinates refer to.
    pub coordinate_system: Option<CoordinateSystem>,
    /// Zone of its civil dates.
    pub time_zone: Tz,
    /// Hours by weekday; empty means unknown, so never closed.
    pub opening_hours: Vec<OpeningHours>,
    /// Single days on which it is closed.
    pub closed_days: Vec<NaiveDate>,
    /// Closed on public holidays of its country.
    pub observes_holidays: bool,
    /// ISO 3166-1 alpha-2; CN when absent.
    pub country: Option<String>,
    /// What surrounds the devices.
    pub environment: Option<SiteEnvironment>,
    /// Whom to ask for.
    pub contact: Option<SiteContact>,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Where a site is whose country nobody said: where the seeded holidays are from.
const HOME: &str = "CN";

impl Site {
    /// The country (ISO 3166-1 alpha-2) whose public holidays the site observes; none when it works
    /// through them.
    pub fn holiday_country(&self) -> Option<&str> {
        self.observes_holidays.then(|| self.country.as_deref().unwrap_or(HOME))
    }

    /// Weekdays without opening hours, Monday first; none when no hours are known.
    pub fn closed_weekdays(&self) -> [bool; 7] {
        if self.opening_hours.is_empty() {
            return [false; 7];
        }
        let mut closed = [true; 7];
        for hours in &self.opening_hours {
            if let Some(day) = closed.get_mut(usize::from(hours.weekday.saturating_sub(1))) {
                *day = false;
            }
        }
        closed
    }
}

/// A named place a device fills at a site.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// Identity.
    pub id: PositionId,
    /// Its site.
    pub site_id: SiteId,
    /// Name, unique at the site.
    pub name: String,
    /// TID, unique in the organization.
    pub terminal_number: Option<String>,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Which serial stands where, from when to when.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// Identity.
    pub id: BindingId,
    /// The device.
    pub device_id: DeviceId,
    /// The position.
    pub position_id: PositionId,
    /// The position's site.
    pub site_id: SiteId,
    /// From, device time.
    pub started_at: DateTime<Utc>,
    /// Until; absent while it stands there.
    pub ended_at: Option<DateTime<Utc>>,
}

/// One terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Identity.
    pub id: DeviceId,
    /// Maker.
    pub manufacturer: String,
    /// Serial number, unique per maker; two makers do reuse serials.
    pub serial_number: String,
    /// Its model.
    pub model_id: DeviceModelId,
    /// The owner's own tag.
    pub asset_tag: Option<String>,
    /// Where it is in its life.
    pub status: DeviceStatus,
    /// Why.
    pub status_reason: Option<String>,
    /// Since when, device time.
    pub status_since: DateTime<Utc>,
    /// Merchant it stands at.
    pub merchant_id: Option<MerchantId>,
    /// Site it stands at.
    pub site_id: Option<SiteId>,
    /// Position it fills.
    pub position_id: Option<PositionId>,
    /// Region of that site.
    pub region_code: Option<String>,
    /// Since when it stands there.
    pub installed_at: Option<DateTime<Utc>>,
    /// Version of its firmware item.
    pub firmware_version: Option<String>,
    /// Device time of the last reading.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// When it passed its inspection before service, device time; absent while it has to pass one.
    pub inspected_at: Option<DateTime<Utc>>,
    /// Since when an inspection before does not count any more: it left the field, went to repair or
    /// into quarantine, or failed one.
    pub uninspected_since: Option<DateTime<Utc>>,
    /// Grows with every change.
    pub version: i64,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
}

/// What another system calls a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExternalId {
    /// The system.
    pub system: String,
    /// Its id there.
    pub value: String,
}

/// A part of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// Identity.
    pub id: ComponentId,
    /// The device.
    pub device_id: DeviceId,
    /// The part.
    pub kind: ComponentKind,
    /// Its own serial.
    pub serial_number: Option<String>,
    /// Where it can be replaced.
    pub replaceable_at: ReplaceableAt,
    /// Since when.
    pub installed_at: DateTime<Utc>,
    /// Until; absent while it is in.
    pub removed_at: Option<DateTime<Utc>>,
    /// Last civil day of its warranty.
    pub warranty_ends_on: Option<NaiveDate>,
    /// The maker's number of the part.
    pub part_number: Option<String>,
    /// Life counters of the device when it came and went, where they were kept.
    pub lives: Vec<ComponentLife>,
}

/// The life counter of a device's meter when a part came and went; smallest units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentLife {
    /// The part.
    pub component_id: ComponentId,
    /// Meter code.
    pub meter_code: String,
    /// When it came in; 0 until the meter is first read, where it came before that.
    pub life_at_install: i64,
    /// When it went out; absent while it is in.
    pub life_at_removal: Option<i64>,
}

/// The name of the firmware item whose version is a device's `firmwareVersion`.
pub const MAIN_FIRMWARE: &str = "firmware";

/// One installed thing with a version.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftwareItem {
    /// Identity.
    pub id: SoftwareItemId,
    /// The device.
    pub device_id: DeviceId,
    /// What it is.
    pub kind: SoftwareKind,
    /// Its name.
    pub name: String,
    /// Its version as reported.
    pub version: String,
    /// When it was reported.
    pub reported_at: DateTime<Utc>,
}

/// A person who visits sites.
#[derive(Clone, Debug, PartialEq)]
pub struct Technician {
    /// Identity.
    pub id: TechnicianId,
    /// Name.
    pub name: String,
    /// The employer's number, unique.
    pub employee_number: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// Regions, by prefix.
    pub region_codes: Vec<String>,
    /// Working hours a week for visits; absent when not known.
    pub weekly_hours: Option<f64>,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// How a caller names a device at some moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DeviceRef {
    /// By id.
    Id(DeviceId),
    /// By serial number; the maker is needed where two share it.
    Serial {
        /// Serial number.
        serial_number: String,
        /// Maker.
        manufacturer: Option<String>,
    },
    /// By terminal number: the serial that filled the position at that moment.
    Terminal(String),
}

/// Why a reference names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No such device.
    #[error("no device {0}; check the number, or register the device first")]
    Unknown(String),
    /// Two makers share the serial.
    #[error("serial {serial_number} is made by {makers}; give the manufacturer too", makers = makers.join(" and "))]
    Ambiguous {
        /// Serial number.
        serial_number: String,
        /// The makers that share it.
        makers: Vec<String>,
    },
    /// Nothing stood there then.
    #[error("no device filled terminal number {terminal_number} at {at}")]
    NobodyThere {
        /// Terminal number.
        terminal_number: String,
        /// The moment.
        at: DateTime<Utc>,
    },
}

/// What may be asked of devices; absent parts do not restrict.
#[derive(Clone, Debug, Default)]
pub struct DeviceFilter {
    /// Statuses.
    pub statuses: Option<Vec<DeviceStatus>>,
    /// Models.
    pub model_ids: Option<Vec<DeviceModelId>>,
    /// One site.
    pub site_id: Option<SiteId>,
    /// One merchant.
    pub merchant_id: Option<MerchantId>,
    /// Region codes, by prefix.
    pub region_codes: Option<Vec<String>>,
    /// Serial numbers.
    pub serial_numbers: Option<Vec<String>>,
    /// Terminal numbers.
    pub terminal_numbers: Option<Vec<String>>,
    /// Not heard of since then (or never).
    pub silent_since: Option<DateTime<Utc>>,
}

code_enum! {
    /// What devices are listed by.
    pub enum DeviceOrderField { SerialNumber = "SERIAL_NUMBER", CreatedAt = "CREATED_AT" }
}
