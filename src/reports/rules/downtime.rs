//! How long devices stood somewhere, and how long of that they did not work.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A device at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The position's site.
    pub site: Uuid,
    /// From, device time.
    pub started_at: DateTime<Utc>,
    /// Until; absent while it stands there.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Stay {
    /// The part of it between two moments; none where there is none.
    pub fn within(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let (from, to) = (self.started_at.max(from), self.ended_at.map_or(to, |ended| ended.min(to)));
        (from < to).then_some((from, to))
    }

    fn holds(&self, at: DateTime<Utc>) -> bool {
        self.started_at <= at && self.ended_at.is_none_or(|ended| at < ended)
    }
}

/// The stay a moment falls into.
pub fn stay_at(stays: &[Stay], at: DateTime<Utc>) -> Option<&Stay> {
    stays.iter().find(|stay| stay.holds(at))
}

/// A failure that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it began.
    pub failed_at: DateTime<Utc>,
    /// When the device worked again; absent when nobody said so.
    pub restored_at: Option<DateTime<Utc>>,
}

/// A stretch of time in which a device stood somewhere and did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Down {
    /// The site.
    pub site: Uuid,
    /// From.
    pub from: DateTime<Utc>,
    /// Until.
    pub to: DateTime<Utc>,
}

/// The downtime of one device between two moments. Failures that overlap are down once; away from
/// any position is no downtime, since nothing is required there. A failure that nobody restored
/// lasts until the device left the place where it failed.
pub fn downtime(outages: &[Outage], stays: &[Stay], from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Down> {
    let mut spans: Vec<(DateTime<Utc>, DateTime<Utc>)> = outages
        .iter()
        .filter_map(|outage| {
            let end = match outage.restored_at {
                Some(at) => at,
                None => stay_at(stays, outage.failed_at)?.ended_at.unwrap_or(to),
            };
            let (begin, end) = (outage.failed_at.max(from), end.min(to));
            (begin < end).then_some((begin, end))
        })
        .collect();
    spans.sort_unstable();
    let mut merged: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::with_capacity(spans.len());
    for (begin, end) in spans {
        match merged.last_mut() {
            Some((_, last)) if begin <= *last => *last = end.max(*last),
            _ => merged.push((begin, end)),
        }
    }
    let mut found = Vec::new();
    for (begin, end) in merged {
        for stay in stays {
            if let Some((from, to)) = stay.within(begin, end) {
                found.push(Down { site: stay.site, from, to });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(n)
    }

    fn stay(site: u128, from: i64, to: Option<i64>) -> Stay {
        Stay { site: Uuid::from_u128(site), started_at: day(from), ended_at: to.map(day) }
    }

    fn outage(from: i64, to: Option<i64>) -> Outage {
        Outage { failed_at: day(from), restored_at: to.map(day) }
    }

    /// Site and days of what `downtime` finds between day 10 and day 50.
    fn down(outages: &[Outage], stays: &[Stay]) -> Vec<(u128, i64, i64)> {
        let days = |at: DateTime<Utc>| (at - DateTime::UNIX_EPOCH).num_days();
        let found = downtime(outages, stays, day(10), day(50));
        found.iter().map(|d| (d.site.as_u128(), days(d.from), days(d.to))).collect()
    }

    #[test]
    fn failures_that_overlap_are_down_once() {
        let stays = [stay(1, 0, None)];
        assert_eq!(down(&[outage(20, Some(24)), outage(22, Some(23)), outage(24, Some(25))], &stays), [(1, 20, 25)]);
        assert_eq!(down(&[outage(30, Some(31)), outage(20, Some(21))], &stays), [(1, 20, 21), (1, 30, 31)]);
    }

    #[test]
    fn only_the_part_inside_the_period_counts() {
        let stays = [stay(1, 0, None)];
        assert_eq!(down(&[outage(5, Some(12)), outage(48, Some(60))], &stays), [(1, 10, 12), (1, 48, 50)]);
        assert!(down(&[outage(5, Some(10)), outage(50, None)], &stays).is_empty());
    }

    #[test]
    fn a_failure_nobody_restored_ends_with_the_stay_or_the_period() {
        let stays = [stay(1, 0, Some(25)), stay(2, 30, None)];
        assert_eq!(down(&[outage(20, None)], &stays), [(1, 20, 25)]);
        assert_eq!(down(&[outage(40, None)], &stays), [(2, 40, 50)]);
        assert!(down(&[outage(27, None)], &stays).is_empty(), "it stood nowhere");
    }

    #[test]
    fn a_repair_in_the_workshop_is_no_downtime_of_a_place() {
        let stays = [stay(1, 0, Some(25)), stay(2, 30, None)];
        assert_eq!(down(&[outage(20, Some(32))], &stays), [(1, 20, 25), (2, 30, 32)]);
    }
}
