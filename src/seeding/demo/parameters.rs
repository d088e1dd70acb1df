//! `seeds/demo.json`, read: what the demo fleet is made from.

use super::cases::OddCase;
use crate::catalogue::model::ComponentKind;
use crate::firmware::model::{Criticality, Gate};
use crate::kernel::text::LocalizedText;
use crate::planning::model::ExecutionChannel;
use crate::registry::model::{CoordinateSystem, DeviceStatus, SiteEnvironment};
use crate::seeding::{Error, read};
use serde::Deserialize;
use std::collections::BTreeMap;

const FILE: &str = "demo.json";

/// The whole file.
#[derive(Debug, Deserialize)]
pub struct Parameters {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// What the coordinates refer to.
    pub coordinate_system: CoordinateSystem,
    pub organization: Organization,
    /// Codes of the plans that are switched on when tillkeep takes over.
    pub plans: Vec<String>,
    pub defaults: Defaults,
    pub fleet: FleetCounts,
    pub numbers: Numbers,
    pub contacts: Contacts,
    pub depot: Depot,
    pub usage: Usage,
    pub visits: Visits,
    pub repairs: Repairs,
    pub firmware: Firmware,
    pub freezes: Vec<Freeze>,
    pub hypermarket: Hypermarket,
    pub names: Names,
    pub kinds: Vec<Kind>,
    pub models: Vec<ModelShare>,
    pub technicians: Vec<TechnicianSeed>,
    pub odd_cases: Vec<OddCase>,
    pub provinces: Vec<Province>,
}

#[derive(Debug, Deserialize)]
pub struct Organization {
    pub name: String,
    pub time_zone: String,
}

#[derive(Debug, Deserialize)]
pub struct Defaults {
    /// Devices that the counts below are given for.
    pub devices: usize,
    pub history_months: u32,
}

/// Counts for the default number of devices; others are scaled from them.
#[derive(Debug, Deserialize)]
pub struct FleetCounts {
    pub merchants: usize,
    pub site_sizes: Vec<SiteSize>,
    pub merchants_by_sites: Vec<MerchantsBySites>,
    pub field_statuses: Vec<StatusCount>,
    pub other_statuses: Vec<StatusCount>,
}

#[derive(Debug, Deserialize)]
pub struct SiteSize {
    pub devices: usize,
    pub sites: usize,
    /// `hypermarket` for the one that is.
    pub role: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct MerchantsBySites {
    pub sites: usize,
    pub merchants: usize,
}

#[derive(Debug, Deserialize)]
pub struct StatusCount {
    pub status: DeviceStatus,
    pub devices: usize,
    pub reason: Option<String>,
}

/// Patterns of numbers; `{name}` is replaced, a digit behind it is the width.
#[derive(Debug, Deserialize)]
pub struct Numbers {
    pub merchant_number: String,
    pub terminal_number: String,
    pub asset_tag: String,
    /// Merchant category code by kind of site.
    pub mcc: BTreeMap<String, String>,
}

/// Whom to ask for at a site.
#[derive(Debug, Deserialize)]
pub struct Contacts {
    pub names: Vec<String>,
    pub phone: String,
}

/// Where devices in stock are worked on.
#[derive(Debug, Deserialize)]
pub struct Depot {
    pub name: String,
    pub address: String,
    pub region_code: String,
    pub latitude: f64,
    pub longitude: f64,
}

#[derive(Debug, Deserialize)]
pub struct Usage {
    pub meter: String,
    pub median_per_day: f64,
    pub p90_per_day: f64,
    pub top_per_day: f64,
    /// Standard deviation of a day around its expectation, as a share of it.
    pub day_spread: f64,
    pub yearly_growth: Growth,
    pub silent: Silent,
    pub reading: ReadingTimes,
    pub anomalies: Anomalies,
    pub hourly: Hourly,
    pub outage: Outage,
}

/// Terminals that report every hour, of the model with firmware targets.
#[derive(Debug, Deserialize)]
pub struct Hourly {
    pub devices: usize,
    pub days: i64,
}

/// A day on which the host did not answer.
#[derive(Debug, Deserialize)]
pub struct Outage {
    pub days_ago: i64,
    pub devices: usize,
    /// Transactions a day of the terminals it is told of, at least.
    pub least_per_day: f64,
    /// The plan that watches timeouts.
    pub plan: String,
    /// Days around it for which timeouts are read.
    pub days_before: i64,
    pub days_after: i64,
    /// Timeouts for each transaction, as usual and on the day.
    pub usual_share: f64,
    pub share: f64,
    pub failure: FailureCodes,
    /// `HH:MM` of the day.
    pub begins: String,
    pub ends: String,
    pub notes: String,
}

/// What failed, why, and what was done.
#[derive(Clone, Debug, Deserialize)]
pub struct FailureCodes {
    pub failure_code: String,
    pub cause_code: String,
    pub remedy_code: String,
}

#[derive(Debug, Deserialize)]
pub struct Growth {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

#[derive(Debug, Deserialize)]
pub struct Silent {
    pub share: f64,
    pub days: i64,
}

#[derive(Debug, Deserialize)]
pub struct ReadingTimes {
    /// `HH:MM` of a day's reading.
    pub local_time: String,
    pub spread_minutes: i64,
    pub dropped_share: f64,
}

#[derive(Debug, Deserialize)]
pub struct Anomalies {
    pub resets: usize,
    pub wrap_modulus: i64,
    pub gaps: usize,
    pub gap_days: Days,
    pub late_readings: usize,
    pub duplicate_readings: usize,
}

#[derive(Debug, Deserialize)]
pub struct Days {
    pub low: i64,
    pub high: i64,
}

#[derive(Debug, Deserialize)]
pub struct Visits {
    pub late_share: f64,
    pub no_access_share: f64,
    pub late_days: Days,
    /// What technicians write, by outcome.
    pub outcome_texts: BTreeMap<String, Vec<String>>,
    /// The note on work that a shop did itself.
    pub own_notes: String,
    /// The note on work done from afar.
    pub remote_notes: String,
}

/// What breaks, and how it is repaired.
#[derive(Debug, Deserialize)]
pub struct Repairs {
    /// Failures a month, for the default number of devices.
    pub per_month: usize,
    /// Repairs that take a second visit.
    pub second_visit_share: f64,
    /// Repairs whose first visit ends at a closed door.
    pub no_access_share: f64,
    /// Pattern of a new part's serial number.
    pub part_serial: String,
    pub warranty_months: u32,
    pub scenarios: Vec<Scenario>,
}

/// One way to fail.
#[derive(Clone, Debug, Deserialize)]
pub struct Scenario {
    #[serde(flatten)]
    pub codes: FailureCodes,
    pub share: f64,
    pub channel: ExecutionChannel,
    /// Hours from being noticed to working again, at least and at most.
    pub hours: [i64; 2],
    /// The part that is replaced.
    pub part: Option<ComponentKind>,
    /// Plans whose work turns into this repair when it does not help.
    #[serde(default)]
    pub plans: Vec<String>,
}

/// Releases and targets of one model.
#[derive(Debug, Deserialize)]
pub struct Firmware {
    pub model: String,
    pub releases: Vec<Release>,
    pub target: ModelTarget,
    #[serde(rename = "override")]
    pub exception: RegionTarget,
    /// Terminals that are updated already, of those that can be.
    pub updated_share: f64,
}

#[derive(Debug, Deserialize)]
pub struct Release {
    pub version: String,
    pub criticality: Criticality,
    pub published_days_ago: i64,
    pub minimum_prior_version: Option<String>,
    pub fixes: Vec<LocalizedText>,
    pub notes: Option<LocalizedText>,
    pub size_bytes: f64,
    pub gates: Vec<Gate>,
}

/// The target of the whole model.
#[derive(Debug, Deserialize)]
pub struct ModelTarget {
    pub version: String,
    pub days_ago: i64,
    pub window_minutes: i64,
}

/// The target of a part of it.
#[derive(Debug, Deserialize)]
pub struct RegionTarget {
    pub version: String,
    pub region_codes: Vec<String>,
    pub hours_ago: i64,
}

/// A freeze period of every year.
#[derive(Debug, Deserialize)]
pub struct Freeze {
    pub code: String,
    pub name: LocalizedText,
    /// First and last day, `MM-DD`; the last one may lie in the year after.
    pub from: String,
    pub to: String,
}

#[derive(Debug, Deserialize)]
pub struct Hypermarket {
    pub merchant: String,
    pub site: String,
    pub kind: String,
    pub environment: SiteEnvironment,
    pub city_prefix: String,
    pub positions: Vec<HypermarketPositions>,
    pub lane_median_per_day: f64,
}

#[derive(Debug, Deserialize)]
pub struct HypermarketPositions {
    pub name: String,
    pub count: usize,
    /// `lane` or `till`.
    pub role: String,
}

#[derive(Debug, Deserialize)]
pub struct Names {
    pub surnames: Vec<String>,
    pub lucky: Vec<String>,
    pub rare: Vec<String>,
    pub same_name: SameName,
    pub mixed_scripts: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct SameName {
    pub name: String,
    pub city_prefixes: Vec<String>,
}

/// A kind of site with the shape of its usage.
#[derive(Debug, Deserialize)]
pub struct Kind {
    pub code: String,
    pub share: f64,
    pub environment: SiteEnvironment,
    pub opens: String,
    pub closes: String,
    /// 1 = Monday … 7 = Sunday.
    pub closed_weekdays: Vec<u8>,
    pub observes_holidays: bool,
    /// Share of an average day, Monday first.
    pub weekdays: [f64; 7],
    /// Share of an average day, January first.
    pub months: [f64; 12],
    /// Share of a day by local hour.
    pub hours: Vec<f64>,
    /// Share of an ordinary day, by the holiday's English name.
    pub holidays: BTreeMap<String, f64>,
    pub names: Vec<String>,
    pub trades: Vec<String>,
    pub positions: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct ModelShare {
    pub model: String,
    pub share: f64,
    pub roles: Vec<String>,
    /// `#` stands for a digit.
    pub serial: String,
    pub firmware: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct TechnicianSeed {
    pub name: String,
    pub employee_number: String,
    pub phone: String,
    pub region_codes: Vec<String>,
    pub weekly_hours: f64,
}

#[derive(Debug, Deserialize)]
pub struct Province {
    pub name: LocalizedText,
    pub share: f64,
    pub cities: Vec<City>,
}

#[derive(Debug, Deserialize)]
pub struct City {
    /// First four digits of its districts' codes.
    pub prefix: String,
    pub name: LocalizedText,
    pub districts: Vec<District>,
    pub streets: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct District {
    pub code: String,
    pub name: String,
    pub latitude: f64,
    pub longitude: f64,
}

impl Parameters {
    /// Reads the file that is built in.
    ///
    /// # Errors
    /// It cannot be read; a fault of ours.
    pub fn load() -> Result<Self, Error> {
        read(FILE, include_str!("../../../seeds/demo.json"))
    }
}

/// A figure of the file cannot be what it says; a fault of ours.
pub fn wrong(problem: impl Into<String>) -> Error {
    Error::File { file: FILE, problem: problem.into() }
}
