//! The status machine of devices; pure.

use super::model::{Binding, Device, DeviceStatus};
use chrono::{DateTime, TimeDelta, Utc};

/// How far a device's clock may be ahead of the server's.
pub const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(10);

/// Statuses in which a device stands at a position.
pub const IN_FIELD: [DeviceStatus; 3] = [DeviceStatus::Installed, DeviceStatus::InService, DeviceStatus::Suspended];

/// Statuses from which a device may be installed.
pub const INSTALLABLE: [DeviceStatus; 3] = [DeviceStatus::InStock, DeviceStatus::Ready, DeviceStatus::InTransit];

/// Statuses a removed or swapped-out device may take.
pub const AFTER_REMOVAL: [DeviceStatus; 7] = [
    DeviceStatus::InStock,
    DeviceStatus::InTransit,
    DeviceStatus::Quarantined,
    DeviceStatus::InRepair,
    DeviceStatus::Retired,
    DeviceStatus::Destroyed,
    DeviceStatus::Lost,
];

/// Whether a device may go from one status to another by `changeDeviceStatus`.
///
/// Into and out of the field it goes by install, remove and swap; what is lost, destroyed,
/// quarantined or retired in the field leaves its position at that moment.
pub fn may_become(from: DeviceStatus, to: DeviceStatus) -> bool {
    use DeviceStatus::*;
    match from {
        Ordered => matches!(to, InStock | Lost),
        InStock => matches!(to, Ready | InTransit | Quarantined | InRepair | Retired | Destroyed | Lost),
        Ready => matches!(to, InStock | InTransit | Quarantined | InRepair | Retired | Destroyed | Lost),
        InTransit => matches!(to, InStock | Ready | Quarantined | InRepair | Lost),
        Installed => matches!(to, InService | Suspended | Quarantined | Retired | Destroyed | Lost),
        InService => matches!(to, Suspended | Quarantined | Retired | Destroyed | Lost),
        Suspended => matches!(to, InService | Quarantined | Retired | Destroyed | Lost),
        Quarantined => matches!(to, InStock | InRepair | Retired | Destroyed | Lost),
        InRepair => matches!(to, InStock | Ready | Quarantined | Retired | Destroyed | Lost),
        Retired => matches!(to, Destroyed),
        Lost => matches!(to, InStock | Quarantined | Retired | Destroyed),
        Destroyed => false,
    }
}

/// Whether a device in this status stands at a position.
pub fn is_in_field(status: DeviceStatus) -> bool {
    IN_FIELD.contains(&status)
}

/// Whether a device must have passed its inspection to become this, where inspections are required.
pub fn needs_inspection(to: DeviceStatus) -> bool {
    matches!(to, DeviceStatus::Ready | DeviceStatus::InService)
}

/// Whether an inspection passed before still counts after a device went from one status to another:
/// not once it left the field, or went to repair or into quarantine.
pub fn keeps_inspection(from: DeviceStatus, to: DeviceStatus) -> bool {
    let leaves = is_in_field(from) && !is_in_field(to);
    !leaves && !matches!(to, DeviceStatus::InRepair | DeviceStatus::Quarantined | DeviceStatus::Lost)
}

/// Makes an inspection passed before a moment count no more.
pub fn void_inspection(device: &mut Device, at: DateTime<Utc>) {
    device.uninspected_since = Some(device.uninspected_since.map_or(at, |since| since.max(at)));
    device.inspected_at = device.inspected_at.filter(|passed| *passed >= at);
}

/// Makes a passed inspection count, unless it lies before what made inspections count no more.
pub fn pass_inspection(device: &mut Device, at: DateTime<Utc>) {
    if device.uninspected_since.is_none_or(|since| at >= since) {
        device.inspected_at = Some(device.inspected_at.map_or(at, |passed| passed.max(at)));
    }
}

/// When a device was last installed or removed, from all its bindings; it cannot act before.
pub fn last_move(line: &[Binding]) -> Option<DateTime<Utc>> {
    line.iter().map(|b| b.ended_at.unwrap_or(b.started_at)).max()
}

/// When a position was last left, from all its bindings; nothing can be installed before.
pub fn last_left(line: &[Binding]) -> Option<DateTime<Utc>> {
    line.iter().filter_map(|b| b.ended_at).max()
}

/// The binding that fills a position or holds a device now.
pub fn open(line: &[Binding]) -> Option<&Binding> {
    line.iter().find(|b| b.ended_at.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_machine_is_exactly_this_table() {
        use DeviceStatus::*;
        let table: [(DeviceStatus, &[DeviceStatus]); 12] = [
            (Ordered, &[InStock, Lost]),
            (InStock, &[Ready, InTransit, Quarantined, InRepair, Retired, Destroyed, Lost]),
            (Ready, &[InStock, InTransit, Quarantined, InRepair, Retired, Destroyed, Lost]),
            (InTransit, &[InStock, Ready, Quarantined, InRepair, Lost]),
            (Installed, &[InService, Suspended, Quarantined, Retired, Destroyed, Lost]),
            (InService, &[Suspended, Quarantined, Retired, Destroyed, Lost]),
            (Suspended, &[InService, Quarantined, Retired, Destroyed, Lost]),
            (Quarantined, &[InStock, InRepair, Retired, Destroyed, Lost]),
            (InRepair, &[InStock, Ready, Quarantined, Retired, Destroyed, Lost]),
            (Retired, &[Destroyed]),
            (Lost, &[InStock, Quarantined, Retired, Destroyed]),
            (Destroyed, &[]),
        ];
        assert_eq!(table.len(), DeviceStatus::ALL.len());
        for (from, allowed) in table {
            for to in DeviceStatus::ALL {
                assert_eq!(may_become(from, *to), allowed.contains(to), "{from} to {to}");
            }
        }
    }

    #[test]
    fn what_leaves_the_field_by_a_status_change_may_also_be_removed_so() {
        for from in IN_FIELD {
            for to in DeviceStatus::ALL.iter().filter(|s| !is_in_field(**s)) {
                assert!(!may_become(from, *to) || AFTER_REMOVAL.contains(to), "{from} to {to}");
            }
        }
    }

    #[test]
    fn a_destroyed_device_stays_destroyed_and_quarantine_is_reached_from_any_live_status() {
        for status in DeviceStatus::ALL {
            assert!(!may_become(DeviceStatus::Destroyed, *status));
        }
        for status in [
            DeviceStatus::InStock,
            DeviceStatus::Ready,
            DeviceStatus::InTransit,
            DeviceStatus::Installed,
            DeviceStatus::InService,
            DeviceStatus::Suspended,
            DeviceStatus::InRepair,
            DeviceStatus::Lost,
        ] {
            assert!(may_become(status, DeviceStatus::Quarantined), "{status}");
        }
    }

    #[test]
    fn an_inspection_counts_until_the_device_leaves_the_field_or_is_repaired() {
        use DeviceStatus::*;
        for (from, to) in [(InStock, Ready), (Ready, InTransit), (InTransit, InStock), (Installed, InService)] {
            assert!(keeps_inspection(from, to), "{from} to {to}");
        }
        for (from, to) in [(InStock, InRepair), (Ready, Quarantined), (InService, InStock), (Suspended, InTransit)] {
            assert!(!keeps_inspection(from, to), "{from} to {to}");
        }
        assert_eq!(DeviceStatus::ALL.iter().filter(|s| needs_inspection(**s)).count(), 2);
    }

    #[test]
    fn nothing_enters_the_field_by_a_status_change() {
        for status in DeviceStatus::ALL.iter().filter(|s| !is_in_field(**s)) {
            for field in IN_FIELD {
                assert!(!may_become(*status, field), "{status} to {field}");
            }
        }
    }
}
