//! Meters, device models, holidays, freeze periods, and the closed lists of failures.

use crate::code_enum;
use crate::kernel::ids::{DeviceModelId, FreezePeriodId};
use crate::kernel::text::LocalizedText;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

code_enum! {
    /// How a meter behaves.
    pub enum MeterKind { Counter = "COUNTER", Gauge = "GAUGE" }
}

code_enum! {
    /// How well a figure is known.
    pub enum Basis { Sourced = "SOURCED", SourcedLow = "SOURCED_LOW", Assumed = "ASSUMED" }
}

code_enum! {
    /// Where a part can be replaced; opening a terminal erases its keys.
    pub enum ReplaceableAt { Field = "FIELD", Depot = "DEPOT", Factory = "FACTORY" }
}

code_enum! {
    /// Parts of a terminal.
    pub enum ComponentKind {
        PowerModule = "POWER_MODULE", Display = "DISPLAY", MagstripeReader = "MAGSTRIPE_READER",
        ChipReader = "CHIP_READER", ContactlessReader = "CONTACTLESS_READER", Camera = "CAMERA",
        Printer = "PRINTER", Keypad = "KEYPAD", Battery = "BATTERY", CoinCell = "COIN_CELL",
        CommsModule = "COMMS_MODULE", Sim = "SIM", Sam = "SAM", Speaker = "SPEAKER", Base = "BASE",
    }
}

/// A measured quantity; values are kept as whole numbers of its smallest unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meter {
    /// Code, for example `TRANSACTIONS`.
    pub code: String,
    /// What people read.
    pub name: LocalizedText,
    /// COUNTER only grows, GAUGE goes up and down.
    pub kind: MeterKind,
    /// Unit of the values callers give.
    pub unit: String,
    /// Decimal places between the smallest unit and the unit (2: hundredths).
    pub decimals: i32,
    /// Where the meter is described.
    pub source: String,
}

/// Why a value cannot be a meter's.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// NaN or infinite.
    #[error("is not a number")]
    NotANumber,
    /// Below zero for a counter.
    #[error("is negative; a counter starts at 0")]
    Negative,
    /// Beyond what can be kept exactly.
    #[error("is larger than 9,007,199,254,740,991 smallest units")]
    TooLarge,
}

/// The largest whole number a GraphQL Float carries exactly: 2^53 − 1.
const MAX_UNITS: f64 = 9_007_199_254_740_991.0;

impl Meter {
    /// A value in the meter's unit as whole smallest units, rounded to the nearest.
    ///
    /// # Errors
    /// Not a number, negative for a counter, too large.
    pub fn to_units(&self, value: f64) -> Result<i64, ValueError> {
        if !value.is_finite() {
            return Err(ValueError::NotANumber);
        }
        if value < 0.0 && self.kind == MeterKind::Counter {
            return Err(ValueError::Negative);
        }
        let units = (value * 10_f64.powi(self.decimals)).round();
        if units.abs() > MAX_UNITS {
            return Err(ValueError::TooLarge);
        }
        Ok(units as i64)
    }

    /// Smallest units as a value in the meter's unit.
    pub fn to_value(&self, units: i64) -> f64 {
        units as f64 / 10_f64.powi(self.decimals)
    }
}

/// A meter as one model has it; values in smallest units.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelMeter {
    /// Meter code.
    pub meter_code: String,
    /// The counter starts again at 0 after this many units.
    pub modulus: Option<i64>,
    /// Faster growth than this per day is not believed.
    pub max_per_day: i64,
    /// Units the part is rated for.
    pub rated_life: Option<i64>,
    /// How well the rating is known.
    pub rated_life_basis: Option<Basis>,
    /// Where the rating is stated.
    pub rated_life_source: Option<String>,
    /// Units per day assumed for a device without readings.
    pub planning_per_day: f64,
}

/// A part as one model has it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelComponent {
    /// The part.
    pub kind: ComponentKind,
    /// Where it can be replaced.
    pub replaceable_at: ReplaceableAt,
    /// The meter its life is rated by.
    pub rated_meter: Option<String>,
    /// How well this is known.
    pub basis: Basis,
}

/// Manufacturer, model and hardware revision.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceModel {
    /// Identity.
    pub id: DeviceModelId,
    /// Short code, unique in the organization.
    pub code: String,
    /// Maker.
    pub manufacturer: String,
    /// The maker's model name.
    pub name: String,
    /// Empty when the maker names none.
    pub hardware_revision: String,
    /// Countertop, portable, pinpad, mPOS…
    pub form_factor: Option<String>,
    /// Operating platform.
    pub platform: Option<String>,
    /// Where the facts come from.
    pub source: String,
    /// Some figures are assumptions.
    pub is_assumed: bool,
    /// Remarks.
    pub notes: Option<String>,
    /// Its meters.
    pub meters: Vec<ModelMeter>,
    /// Its parts.
    pub components: Vec<ModelComponent>,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A public holiday, or a moved working day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// The day.
    pub date: NaiveDate,
    /// What people call it.
    pub name: LocalizedText,
    /// Worked although its weekday is free.
    pub is_working_day: bool,
    /// Where this is stated.
    pub source: String,
}

/// Days, both ends included, on which work of some channels is not to be done in some regions:
/// sales days, festivals. Civil days of each site's own zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezePeriod {
    /// Identity.
    pub id: FreezePeriodId,
    /// The organization's own short code, unique.
    pub code: String,
    /// What people read.
    pub name: LocalizedText,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day.
    pub ends_on: NaiveDate,
    /// Region codes, matched by prefix; empty means every region.
    pub region_codes: Vec<String>,
    /// Codes of execution channels, which are planning's words; empty means every channel.
    pub channels: Vec<String>,
    /// Grows with every change.
    pub version: i64,
}

code_enum! {
    /// The first question to a merchant: what does not work.
    pub enum FailureFamily {
        CardReadFailure = "CARD_READ_FAILURE", TransactionDelay = "TRANSACTION_DELAY",
        SystemCrash = "SYSTEM_CRASH", Other = "OTHER",
    }
}

code_enum! {
    /// How a failure shows, in the manner of ISO 14224.
    pub enum FailureMode {
        Degraded = "DEGRADED", Erratic = "ERRATIC", Blocked = "BLOCKED", NoOutput = "NO_OUTPUT",
        NoSignal = "NO_SIGNAL", NoPower = "NO_POWER", SpuriousStop = "SPURIOUS_STOP",
        FailToStart = "FAIL_TO_START", FailToFunction = "FAIL_TO_FUNCTION",
        ParameterDeviation = "PARAMETER_DEVIATION", Deformation = "DEFORMATION", Tamper = "TAMPER",
        IdentityMismatch = "IDENTITY_MISMATCH", LocationMismatch = "LOCATION_MISMATCH",
        NotADeviceFailure = "NOT_A_DEVICE_FAILURE", NoFailure = "NO_FAILURE",
    }
}

code_enum! {
    /// Who or what caused a failure; only the device's own count against it.
    pub enum FailureOrigin {
        Device = "DEVICE", Site = "SITE", Network = "NETWORK", Host = "HOST", Card = "CARD",
        NoneFound = "NONE_FOUND",
    }
}

/// What happens in the material or the logic, by ISO 14224, Table B.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureMechanism {
    /// Its number there, for example `2.4`.
    pub number: String,
    /// What people read.
    pub name: LocalizedText,
}

/// A failure mode of terminals, from a closed list.
#[derive(Clone, Debug, PartialEq)]
pub struct FailureCode {
    /// Code, for example `CRD-MSR-01`.
    pub code: String,
    /// What people read.
    pub name: LocalizedText,
    /// What the merchant notices.
    pub family: FailureFamily,
    /// The part it is about; none when it is about no single one.
    pub component: Option<ComponentKind>,
    /// How it shows.
    pub mode: FailureMode,
    /// What happens in the material or the logic.
    pub mechanism: FailureMechanism,
    /// 1 stops trading or is about security, 5 is cosmetic or no fault of the device.
    pub severity: i32,
    /// May be mended from afar.
    pub is_remote_fixable: bool,
    /// Has to be reported under a standard.
    pub is_compliance: bool,
    /// Who or what causes it unless found otherwise.
    pub origin: FailureOrigin,
    /// Codes of the causes it usually has.
    pub causes: Vec<String>,
    /// Codes of the remedies that usually help, in the order to try them.
    pub remedies: Vec<String>,
    /// What shows it.
    pub detection: Vec<LocalizedText>,
    /// What to mind.
    pub note: Option<LocalizedText>,
    /// Where it is described.
    pub source: String,
    /// How well it is known.
    pub basis: Basis,
}

/// Why a terminal failed, from a closed list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCause {
    /// Code, for example `wear_life_reached`.
    pub code: String,
    /// What people read.
    pub name: LocalizedText,
    /// Where it is described.
    pub source: String,
}

/// What was done about a failure, from a closed list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureRemedy {
    /// Code, for example `clean_head_with_card`.
    pub code: String,
    /// What people read.
    pub name: LocalizedText,
    /// Where it is described.
    pub source: String,
}

/// The closed lists of failures; a few dozen rows each, sorted by code.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FailureLists {
    /// Failure modes.
    pub codes: Vec<FailureCode>,
    /// Causes.
    pub causes: Vec<FailureCause>,
    /// Remedies.
    pub remedies: Vec<FailureRemedy>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(kind: MeterKind, decimals: i32) -> Meter {
        Meter {
            code: "PAPER".into(),
            name: LocalizedText::default(),
            kind,
            unit: "m".into(),
            decimals,
            source: "test".into(),
        }
    }

    #[test]
    fn values_become_whole_smallest_units_and_come_back() {
        let paper = meter(MeterKind::Counter, 2);
        assert_eq!(paper.to_units(12.34), Ok(1_234));
        assert_eq!(paper.to_units(0.29), Ok(29));
        assert!((paper.to_value(1_234) - 12.34).abs() < f64::EPSILON);
    }

    #[test]
    fn what_cannot_be_a_value_is_refused() {
        let counter = meter(MeterKind::Counter, 0);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(counter.to_units(value), Err(ValueError::NotANumber));
        }
        assert_eq!(counter.to_units(-1.0), Err(ValueError::Negative));
        assert_eq!(counter.to_units(9_007_199_254_740_992.0), Err(ValueError::TooLarge));
        assert_eq!(counter.to_units(1e308), Err(ValueError::TooLarge));
        assert_eq!(meter(MeterKind::Gauge, 1).to_units(-18.5), Ok(-185));
    }
}
