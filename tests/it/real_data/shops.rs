//! Daily transactions of real shops, and what the product must make of them: worked out here from
//! the raw numbers, by arithmetic of its own.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::fs::File;

/// Where the shops are; outside the project, because the data must not be shipped.
pub const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/usage/store_transactions_daily.csv.gz");
/// The shops' zone.
pub const ZONE: &str = "America/Guayaquil";
/// How far that zone is behind UTC, all year.
const BEHIND: TimeDelta = TimeDelta::hours(5);
/// How many transactions and days a cleaning lasts.
pub const EVERY: i64 = 20_000;
pub const EVERY_DAYS: u64 = 90;

/// A time of a civil day at the shops.
pub fn local(day: NaiveDate, hour: u32, minute: u32) -> DateTime<Utc> {
    day.and_hms_opt(hour, minute, 0).unwrap().and_utc() + BEHIND
}

/// The civil day of an instant at the shops.
pub fn day_of(at: DateTime<Utc>) -> NaiveDate {
    (at - BEHIND).date_naive()
}

/// A number that is the same in every run (the last steps of SplitMix64).
pub fn luck(of: u64, n: u64) -> u64 {
    let mut x = of.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(n);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A counter at a moment.
pub type Reading = (DateTime<Utc>, i64);

/// One shop: what its till had counted at the end of each day.
pub struct Shop {
    pub series: u64,
    totals: Vec<(NaiveDate, i64)>,
}

impl Shop {
    /// Every shop of the file; none where it is absent.
    pub fn all() -> Option<Vec<Self>> {
        let file = File::open(PATH).ok()?;
        let mut days: BTreeMap<u64, Vec<(NaiveDate, i64)>> = BTreeMap::new();
        for row in csv::Reader::from_reader(GzDecoder::new(file)).records() {
            let row = row.unwrap();
            assert_eq!(&row[3], "0", "a day nothing is known of: {row:?}");
            days.entry(row[0].parse().unwrap()).or_default().push((row[1].parse().unwrap(), row[2].parse().unwrap()));
        }
        let summed = |(series, mut days): (u64, Vec<(NaiveDate, i64)>)| {
            days.sort_unstable();
            let mut total = 0;
            for (_, value) in &mut days {
                total += *value;
                *value = total;
            }
            Self { series, totals: days }
        };
        Some(days.into_iter().map(summed).collect())
    }

    /// The most transactions of one day.
    pub fn busiest_day(&self) -> i64 {
        let first = self.totals[0].1;
        self.totals.windows(2).map(|days| days[1].1 - days[0].1).max().unwrap_or(0).max(first)
    }

    /// When the till began to count, from 0.
    pub fn opened(&self) -> DateTime<Utc> {
        local(self.totals[0].0, 6, 0)
    }

    /// What the till had counted by the end of a day.
    pub fn total(&self, day: NaiveDate) -> i64 {
        let after = self.totals.partition_point(|(d, _)| *d <= day);
        after.checked_sub(1).map_or(0, |last| self.totals[last].1)
    }

    /// The reading at a day's end, 22:00; none for the one in twenty that is lost.
    pub fn reading(&self, day: NaiveDate) -> Option<Reading> {
        let is_lost = luck(self.series, day.num_days_from_ce().unsigned_abs().into()).is_multiple_of(20);
        let is_open = self.totals.binary_search_by_key(&day, |(d, _)| *d).is_ok();
        (is_open && !is_lost).then(|| (local(day, 22, 0), self.total(day)))
    }

    /// Every reading that came in up to a day's end, with the zero it began with.
    pub fn readings(&self, until: NaiveDate) -> Vec<Reading> {
        let days = self.totals.iter().map(|(day, _)| *day).take_while(|day| *day <= until);
        std::iter::once((self.opened(), 0)).chain(days.filter_map(|day| self.reading(day))).collect()
    }

    /// What the till had counted at a moment, as far as readings tell: between two of them by time.
    pub fn life_at(&self, at: DateTime<Utc>, readings: &[Reading]) -> f64 {
        let after = readings.partition_point(|(read_at, _)| *read_at <= at);
        match (readings.get(after.wrapping_sub(1)), readings.get(after)) {
            (Some(a), Some(b)) => {
                let share = (at - a.0).num_seconds() as f64 / (b.0 - a.0).num_seconds() as f64;
                a.1 as f64 + (b.1 - a.1) as f64 * share
            }
            (Some(last), None) => last.1 as f64,
            (None, _) => 0.0,
        }
    }

    /// The day on which the till really counted up to a number.
    pub fn reached(&self, count: f64) -> NaiveDate {
        self.totals.iter().find(|(_, total)| *total as f64 >= count).map(|(day, _)| *day).unwrap()
    }

    /// Transactions a day over the four weeks up to a day.
    pub fn rate(&self, day: NaiveDate) -> f64 {
        (self.total(day) - self.total(day - Days::new(28))) as f64 / 28.0
    }

    /// Whether the shop was closed on two days in a row in those weeks.
    pub fn was_closed(&self, day: NaiveDate) -> bool {
        (0..27).any(|back| self.total(day - Days::new(back)) == self.total(day - Days::new(back + 2)))
    }
}
