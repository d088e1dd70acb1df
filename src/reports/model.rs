//! The words of reports.

use crate::code_enum;
use crate::kernel::ids::{DeviceModelId, SiteId};
use crate::kernel::text::LocalizedText;
use crate::planning::model::MaintenanceKind;
use crate::registry::model::DeviceFilter;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

code_enum! {
    /// What figures are grouped by.
    pub enum Dimension { Model = "MODEL", Site = "SITE", Region = "REGION", Kind = "KIND", Month = "MONTH" }
}

code_enum! {
    /// Which days around a due date count as on time.
    pub enum BandKind { PlanBand = "PLAN_BAND", Days = "DAYS" }
}

/// The band in which work counts as on time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Band {
    /// Each order's own: its plan's, and as far as a planner postponed it.
    #[default]
    Plan,
    /// The same for everything: civil days at the site before and after the date as it fell due,
    /// without adjustments.
    Days {
        /// Days before.
        early: u32,
        /// Days after.
        late: u32,
    },
}

/// What a report is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The first instant of the period.
    pub period_start: DateTime<Utc>,
    /// The first instant after it.
    pub period_end: DateTime<Utc>,
    /// What figures are grouped by beside the total.
    pub group_by: Option<Dimension>,
    /// Devices, as they are now.
    pub filter: DeviceFilter,
    /// What counts as on time.
    pub band: Band,
    /// Whether forecasts are compared with what came; it costs the most.
    pub wants_forecast: bool,
}

/// Where, of what and when something was; parts are absent where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The device's model.
    pub model: Option<Uuid>,
    /// The site, as it was then.
    pub site: Option<Uuid>,
    /// The site's region code.
    pub region: Option<String>,
    /// The kind of maintenance; absent for what has none, such as failures.
    pub kind: Option<MaintenanceKind>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What became of one occurrence; each is counted as exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Done inside its band.
    OnTime,
    /// Done before the band of days that was asked for.
    Early,
    /// Done after its band.
    Late,
    /// A slot of a grid that passed without work.
    Missed,
    /// Skipped without a waiver.
    Skipped,
    /// Skipped with an approver and a waiver, as a compliance plan demands.
    Waived,
    /// Not done, and its band is over.
    Overdue,
    /// Not done, and its band is not over.
    Open,
}

/// A sum over a sum; what is undefined has no value, and never 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Above the line.
    pub numerator: f64,
    /// Below the line.
    pub denominator: f64,
}

impl Ratio {
    /// The quotient; none where the denominator is 0.
    pub fn value(self) -> Option<f64> {
        (self.denominator != 0.0).then(|| self.numerator / self.denominator)
    }
}

/// Failures by who caused them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailureCounts {
    /// The device.
    pub device: u64,
    /// The site: its power, its people, its air.
    pub site: u64,
    /// The network.
    pub network: u64,
    /// The acquirer's host.
    pub host: u64,
    /// The card.
    pub card: u64,
    /// Nobody: no fault was found.
    pub none_found: u64,
}

impl FailureCounts {
    /// Those that count against devices: the device's own and the site's.
    pub fn counted(self) -> u64 {
        self.device + self.site
    }

    /// Every failure reported.
    pub fn reported(self) -> u64 {
        self.device + self.site + self.network + self.host + self.card + self.none_found
    }
}

/// How far ahead a day was told: whole days from the issue of the order to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Horizon {
    /// Up to 14 days, and days that had passed already.
    UpTo14,
    /// 15 to 30 days.
    UpTo30,
    /// 31 to 60 days.
    UpTo60,
    /// 61 to 120 days.
    UpTo120,
    /// More than 120 days.
    Beyond,
}

impl Horizon {
    /// Every band, nearest first.
    pub const ALL: [Self; 5] = [Self::UpTo14, Self::UpTo30, Self::UpTo60, Self::UpTo120, Self::Beyond];

    /// The band that so many days ahead are in.
    pub fn of(days: i64) -> Self {
        let is_in = |band: &Self| band.days().1.is_none_or(|last| days <= last);
        Self::ALL.into_iter().find(is_in).unwrap_or(Self::Beyond)
    }

    /// Its first and its last day; the farthest has no last one.
    pub fn days(self) -> (i64, Option<i64>) {
        match self {
            Self::UpTo14 => (0, Some(14)),
            Self::UpTo30 => (15, Some(30)),
            Self::UpTo60 => (31, Some(60)),
            Self::UpTo120 => (61, Some(120)),
            Self::Beyond => (121, None),
        }
    }
}

/// Days that the device file was told when an order was issued, civil days at the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToldDays {
    /// The due day, after closed days moved it.
    pub due_on: Option<NaiveDate>,
    /// The forecast's early day; files of earlier builds keep none of the three.
    pub p10: Option<NaiveDate>,
    /// Its middle day.
    pub p50: Option<NaiveDate>,
    /// Its late day.
    pub p90: Option<NaiveDate>,
}

impl ToldDays {
    /// The day a forecast is measured by: its middle one, which no plan's choice of an early or a
    /// late due date shifts and no closed day moves; the due day where the file keeps no other.
    pub fn day(&self) -> Option<NaiveDate> {
        self.p50.or(self.due_on)
    }
}

/// A forecast beside what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Days from the one told to the one reached; positive when the counter got there later.
    pub days: i64,
    /// How far ahead it was told.
    pub horizon: Horizon,
    /// Whether it came inside the band around the day told.
    pub is_within_band: bool,
    /// Whether it came from the early to the late day told; absent where the file does not keep both.
    pub is_in_interval: Option<bool>,
}

/// How usage forecasts compare with the days on which the counters got there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForecastErrors {
    /// Orders by the days from the one told to the one it came to, positive when it came later: all
    /// that is needed for any quantile, in no more memory than the days that occur.
    pub by_days: BTreeMap<i64, u64>,
    /// Orders whose counter got there inside the band around the day told.
    pub within_band: u64,
    /// Orders that were told an early and a late day.
    pub with_interval: u64,
    /// Those of them whose counter got there between the two.
    pub in_interval: u64,
}

impl ForecastErrors {
    /// Adds an order.
    pub fn add(&mut self, compared: &Compared) {
        *self.by_days.entry(compared.days).or_default() += 1;
        self.within_band += u64::from(compared.is_within_band);
        self.with_interval += u64::from(compared.is_in_interval.is_some());
        self.in_interval += u64::from(compared.is_in_interval == Some(true));
    }

    /// Orders compared.
    pub fn count(&self) -> u64 {
        self.by_days.values().sum()
    }

    fn over_count(&self, numerator: f64) -> Ratio {
        Ratio { numerator, denominator: self.count() as f64 }
    }

    /// Days between the two, without their sign, over orders.
    pub fn mean_absolute_days(&self) -> Ratio {
        self.over_count(self.by_days.iter().map(|(days, n)| days.unsigned_abs() as f64 * *n as f64).sum())
    }

    /// Days from the one told to the one reached over orders.
    pub fn mean_days(&self) -> Ratio {
        self.over_count(self.by_days.iter().map(|(days, n)| *days as f64 * *n as f64).sum())
    }

    /// Orders inside the band around the day told over orders.
    pub fn within_band(&self) -> Ratio {
        self.over_count(self.within_band as f64)
    }

    /// Orders whose counter got there more than so many days before the day told, over orders.
    pub fn told_late(&self, more_than: i64) -> Ratio {
        let late: u64 = self.by_days.range(..-more_than).map(|(_, n)| n).sum();
        self.over_count(late as f64)
    }

    /// Orders whose counter got there from the early to the late day told, over those told both.
    pub fn interval_coverage(&self) -> Ratio {
        Ratio { numerator: self.in_interval as f64, denominator: self.with_interval as f64 }
    }

    /// The middle one of the days between the two, without their sign; of an even number the mean of
    /// the middle two. None without orders.
    pub fn median_absolute_days(&self) -> Option<f64> {
        let count = self.count();
        let middle = |rank| self.absolute_at(rank).map(|days| days as f64);
        Some((middle(count.div_ceil(2))? + middle(count / 2 + 1)?) / 2.0)
    }

    /// The fewest days that nine in ten orders are not farther off than. None without orders.
    pub fn p90_absolute_days(&self) -> Option<f64> {
        let count = self.count();
        // Nine tenths in whole numbers, so that no rounding picks the next order.
        self.absolute_at(count - count / 10).map(|days| days as f64)
    }

    /// The days of the order at a place, from 1, when they are sorted without their sign.
    fn absolute_at(&self, place: u64) -> Option<u64> {
        let mut sorted: BTreeMap<u64, u64> = BTreeMap::new();
        for (days, count) in &self.by_days {
            *sorted.entry(days.unsigned_abs()).or_default() += count;
        }
        let mut passed = 0;
        sorted.into_iter().find_map(|(days, count)| {
            passed += count;
            (passed >= place).then_some(days)
        })
    }
}

/// The forecasts of one device model, told so far ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForecastGroup {
    /// The device model.
    pub model: DeviceModelId,
    /// How far ahead.
    pub horizon: Horizon,
    /// What came of them.
    pub errors: ForecastErrors,
}

/// Figures as sums, so that those of groups add up to the total.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Occurrences that fell due.
    pub due: u64,
    /// Done inside the band.
    pub done_on_time: u64,
    /// Done before the band of days that was asked for.
    pub done_early: u64,
    /// Done after the band.
    pub done_late: u64,
    /// Slots of a grid that passed without work.
    pub missed: u64,
    /// Skipped without a waiver.
    pub skipped: u64,
    /// Skipped with a waiver.
    pub waived: u64,
    /// Not done, and the band is over.
    pub overdue: u64,
    /// Not done, and the band is not over.
    pub open: u64,
    /// Work counted for a plan that closed no order.
    pub done_without_order: u64,
    /// Failures that began in the period.
    pub failures: FailureCounts,
    /// Time devices stood at a position, milliseconds.
    pub stood_millis: i64,
    /// Part of it during which a failure that counts was not restored, milliseconds.
    pub down_millis: i64,
    /// Failures that count, began in the period and were restored.
    pub repairs: u64,
    /// From failure to restoration, all repairs, milliseconds.
    pub repair_millis: i64,
    /// Repairs and attempts at one.
    pub fix_attempts: u64,
    /// Those that needed one visit.
    pub fixed_first: u64,
    /// Trips to a repair that ended at a closed door.
    pub no_access: u64,
    /// Forecasts compared with what came.
    pub forecast: ForecastErrors,
}

impl Figures {
    /// What was done on time of all that should have been done by now: what is waived, and what
    /// still has time, is no part of it.
    pub fn compliance(&self) -> Ratio {
        let owed = self.done_on_time + self.done_early + self.done_late + self.missed + self.skipped + self.overdue;
        Ratio { numerator: self.done_on_time as f64, denominator: owed as f64 }
    }

    /// Hours devices stood at a position.
    pub fn device_hours(&self) -> f64 {
        hours(self.stood_millis)
    }

    /// Hours from failure to restoration over repairs.
    pub fn mean_time_to_restore(&self) -> Ratio {
        Ratio { numerator: hours(self.repair_millis), denominator: self.repairs as f64 }
    }

    /// Hours up over hours required.
    pub fn availability(&self) -> Ratio {
        Ratio { numerator: hours(self.stood_millis - self.down_millis), denominator: hours(self.stood_millis) }
    }

    /// Repairs that needed one visit over all of them.
    pub fn first_time_fix(&self) -> Ratio {
        Ratio { numerator: self.fixed_first as f64, denominator: self.fix_attempts as f64 }
    }
}

fn hours(millis: i64) -> f64 {
    millis as f64 / 3_600_000.0
}

/// What a group is of; sorted as its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    /// What has nothing of the dimension, such as the site of a device that stands nowhere.
    Nothing,
    /// A device model.
    Model(Uuid),
    /// A site.
    Site(Uuid),
    /// A region code.
    Region(String),
    /// A kind of maintenance.
    Kind(MaintenanceKind),
    /// Year and month, in the organization's zone.
    Month(i32, u32),
}

impl GroupKey {
    /// The key as callers see it: a global id, a code, or a month such as 2026-05; empty for what
    /// has none.
    pub fn text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Model(id) => DeviceModelId(*id).global(),
            Self::Site(id) => SiteId(*id).global(),
            Self::Region(code) => code.clone(),
            Self::Kind(kind) => kind.as_str().to_owned(),
            Self::Month(year, month) => format!("{year:04}-{month:02}"),
        }
    }
}

/// Figures of a part of the fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What it is of, as callers see it.
    pub key: String,
    /// What people read.
    pub label: LocalizedText,
    /// Its figures.
    pub figures: Figures,
}

/// The figures of a period.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetReport {
    /// The first instant of the period.
    pub period_start: DateTime<Utc>,
    /// The first instant after it.
    pub period_end: DateTime<Utc>,
    /// What they are grouped by.
    pub group_by: Option<Dimension>,
    /// The whole fleet.
    pub total: Figures,
    /// Its parts by key, [`super::rules::MAX_GROUPS`] at most.
    pub groups: Vec<Group>,
    /// How many there are, those left out too.
    pub group_count: usize,
    /// Forecasts by device model and how far ahead they were told,
    /// [`super::rules::MAX_FORECAST_GROUPS`] at most; empty unless asked for.
    pub forecasts: Vec<ForecastGroup>,
}
