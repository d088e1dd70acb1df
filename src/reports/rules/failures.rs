//! Which reports of failures count: one failure may be told on several visits.

use crate::kernel::ids::DeviceId;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// A report of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Its id; ids grow with time.
    pub id: Uuid,
    /// The device.
    pub device: DeviceId,
    /// Failure code.
    pub code: String,
    /// When the device failed.
    pub failed_at: DateTime<Utc>,
    /// When it worked again; absent when this report does not say so.
    pub restored_at: Option<DateTime<Utc>>,
}

/// What a report comes to among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The place of the report that counts for the failure: this one's own, or another's.
    pub counted: usize,
    /// When the failure ended, as far as any report of the device says.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Reads reports together. Those of one device, code and moment tell of one failure, and the one
/// that says most counts: that the device worked again, else the later one. A failure whose end
/// nobody told was over when a report of the same device and code says that the device worked again.
pub fn reported(told: &[Telling]) -> Vec<Reported> {
    let weight = |place: usize| told.get(place).map(|t| (t.restored_at.is_some(), t.id));
    let mut counted: HashMap<(DeviceId, &str, DateTime<Utc>), usize> = HashMap::new();
    let mut ends: HashMap<(DeviceId, &str), Vec<DateTime<Utc>>> = HashMap::new();
    for (place, t) in told.iter().enumerate() {
        let kept = counted.entry((t.device, t.code.as_str(), t.failed_at)).or_insert(place);
        if weight(place) > weight(*kept) {
            *kept = place;
        }
        ends.entry((t.device, t.code.as_str())).or_default().extend(t.restored_at);
    }
    for moments in ends.values_mut() {
        moments.sort_unstable();
    }
    let end_of = |t: &Telling| {
        let moments = ends.get(&(t.device, t.code.as_str()))?;
        moments.iter().copied().find(|end| *end >= t.failed_at)
    };
    told.iter()
        .enumerate()
        .map(|(place, t)| Reported {
            counted: counted.get(&(t.device, t.code.as_str(), t.failed_at)).copied().unwrap_or(place),
            ended_at: t.restored_at.or_else(|| end_of(t)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn told(id: u128, code: &str, failed_at: &str, restored_at: Option<&str>) -> Telling {
        Telling {
            id: Uuid::from_u128(id),
            device: DeviceId(Uuid::from_u128(7)),
            code: code.into(),
            failed_at: at(failed_at),
            restored_at: restored_at.map(at),
        }
    }

    const FIRST: &str = "2026-05-10T00:00:00Z";
    const SECOND: &str = "2026-05-20T00:00:00Z";
    const END: &str = "2026-05-11T00:00:00Z";

    #[test]
    fn of_reports_of_one_failure_the_one_that_says_most_counts() {
        let counted = |told: &[Telling]| reported(told).iter().map(|r| r.counted).collect::<Vec<_>>();
        assert_eq!(counted(&[told(1, "A", FIRST, None), told(2, "A", FIRST, Some(END))]), [1, 1]);
        assert_eq!(counted(&[told(1, "A", FIRST, Some(END)), told(2, "A", FIRST, None)]), [0, 0]);
        assert_eq!(counted(&[told(2, "A", FIRST, None), told(1, "A", FIRST, None)]), [0, 0], "the later");
        assert_eq!(counted(&[told(1, "A", FIRST, None), told(2, "B", FIRST, None)]), [0, 1], "two failures");
        assert_eq!(counted(&[told(1, "A", FIRST, None), told(2, "A", SECOND, None)]), [0, 1], "two failures");
    }

    #[test]
    fn a_failure_whose_end_nobody_told_ends_when_a_report_says_that_the_device_worked_again() {
        let ends = |told: &[Telling]| reported(told).iter().map(|r| r.ended_at).collect::<Vec<_>>();
        let end = Some(at(END));
        assert_eq!(ends(&[told(1, "A", FIRST, None), told(2, "A", FIRST, Some(END))]), [end, end]);
        // Who tells the moment a little differently tells of the same outage.
        assert_eq!(ends(&[told(1, "A", FIRST, None), told(2, "A", "2026-05-10T01:00:00Z", Some(END))]), [end, end]);
        // What was over before says nothing of what came after, and another code nothing at all.
        assert_eq!(ends(&[told(1, "A", FIRST, Some(END)), told(2, "A", SECOND, None)]), [end, None]);
        assert_eq!(ends(&[told(1, "A", FIRST, None), told(2, "B", FIRST, Some(END))]), [None, end]);
    }
}
