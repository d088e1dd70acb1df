//! Which target counts for a device, whether it may be set, and where a device stands.

use super::chain::{Ladder, Step};
use super::version::Version;
use crate::firmware::model::{
    FirmwareFacts, FirmwareRelease, FirmwareTarget, FleetDevice, Gap, Target, TargetSelector,
};
use crate::registry::model::DeviceStatus;
use std::collections::BTreeMap;

/// How closely a selector names a device: the device itself, its site, its region by the longest
/// prefix, its model. None when it does not.
fn closeness(selector: &TargetSelector, device: &FleetDevice) -> Option<(u8, usize)> {
    if selector.is_whole_model() {
        return Some((0, 0));
    }
    if selector.device_ids.contains(&device.id) {
        return Some((3, 0));
    }
    if device.site_id.is_some_and(|site| selector.site_ids.contains(&site)) {
        return Some((2, 0));
    }
    let region = device.region_code.as_deref()?;
    let prefixes = selector.region_codes.iter().filter(|code| region.starts_with(code.as_str()));
    prefixes.map(|code| (1, code.len())).max()
}

/// The target that counts for a device, of all targets of its model: the closest one, and of those
/// that are equally close the newest.
pub fn resolve<'t>(targets: &'t [FirmwareTarget], device: &FleetDevice) -> Option<&'t FirmwareTarget> {
    let named = targets.iter().filter_map(|t| Some((closeness(&t.selector, device)?, t)));
    named.max_by_key(|(closeness, t)| (*closeness, t.set_at, t.id)).map(|(_, t)| t)
}

/// Whether a device has nothing to install for a target. A newer version counts unless devices are to
/// go back; an unknown one does not.
pub fn is_current(installed: Option<&Version>, goal: &Version, allow_downgrade: bool) -> bool {
    installed.is_some_and(|version| if allow_downgrade { version == goal } else { version >= goal })
}

/// What a target would mean for the devices it counts for.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It may be set.
    Fine,
    /// Devices would have to go back.
    Downgrade {
        /// How many.
        count: usize,
        /// The first of them.
        serial_number: String,
        /// What that one has.
        installed: String,
    },
    /// Devices cannot get there.
    Unmet {
        /// How many.
        count: usize,
        /// The first of them.
        serial_number: String,
        /// What that one has.
        installed: String,
        /// What is missing.
        gap: Gap,
    },
}

/// Devices that are gone for good, or nobody knows where.
pub fn is_gone(status: DeviceStatus) -> bool {
    matches!(status, DeviceStatus::Retired | DeviceStatus::Destroyed | DeviceStatus::Lost)
}

/// Checks a target against what the devices have for which it would count; `targets` are all of its
/// model, it among them. Devices that never reported a version stand in no way.
pub fn check_target(
    new: &FirmwareTarget,
    release: &FirmwareRelease,
    targets: &[FirmwareTarget],
    ladder: &Ladder<'_>,
    fleet: &[FleetDevice],
) -> Verdict {
    // Devices by what they have; a fleet has few versions.
    let mut having: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for device in fleet.iter().filter(|d| !is_gone(d.status)) {
        if let Some(installed) = &device.installed
            && resolve(targets, device).is_some_and(|t| t.id == new.id)
        {
            having.entry(installed).or_default().push(&device.serial_number);
        }
    }
    let goal = Version::read(&release.version);
    let (mut back, mut stuck) = (Vec::new(), Vec::new());
    let mut first_gap: Option<(&str, Gap)> = None;
    for (installed, serials) in &having {
        let version = Version::read(installed);
        let pairs = serials.iter().map(|serial| (*serial, *installed));
        if version > goal && !new.allow_downgrade {
            back.extend(pairs);
        } else if let Some(gap) = gap_from(installed, &version, release, ladder) {
            stuck.extend(pairs);
            first_gap = first_gap.or(Some((*installed, gap)));
        }
    }
    if let Some((serial, installed)) = back.iter().min() {
        let (serial_number, installed) = ((*serial).to_owned(), (*installed).to_owned());
        return Verdict::Downgrade { count: back.len(), serial_number, installed };
    }
    let Some((installed, gap)) = first_gap else { return Verdict::Fine };
    // The example has the version the gap is told of.
    let serial = stuck.iter().filter(|(_, has)| *has == installed).map(|(serial, _)| *serial).min();
    Verdict::Unmet {
        count: stuck.len(),
        serial_number: serial.unwrap_or_default().to_owned(),
        installed: installed.to_owned(),
        gap,
    }
}

/// Why nothing leads from a version to a release, told in the device's own words for its version.
fn gap_from(installed: &str, version: &Version, release: &FirmwareRelease, ladder: &Ladder<'_>) -> Option<Gap> {
    let target = ladder.release(release.id)?;
    match ladder.step(Some(version), target) {
        Step::Install(_) => None,
        Step::Gap(gap) if gap.reaches == version.to_string() => {
            Some(Gap { reaches: installed.to_owned(), needs: gap.needs })
        }
        Step::Gap(gap) => Some(gap),
    }
}

/// Where a device stands, given all targets of its model and that model's releases.
pub fn standing(device: &FleetDevice, targets: &[FirmwareTarget], ladder: &Ladder<'_>) -> FirmwareFacts {
    let found = resolve(targets, device).and_then(|t| Some((t, ladder.release(t.release_id)?)));
    let Some((target, release)) = found else {
        return FirmwareFacts { installed: device.installed.clone(), target: None, is_current: true };
    };
    let version = device.installed.as_deref().map(Version::read);
    let is_current = is_current(version.as_ref(), &Version::read(&release.version), target.allow_downgrade);
    let next = match ladder.step(version.as_ref(), release) {
        Step::Install(next) if !is_current => next,
        _ => release,
    };
    let gap = match (&device.installed, &version) {
        (Some(installed), Some(version)) => gap_from(installed, version, release, ladder),
        _ => None,
    };
    FirmwareFacts {
        installed: device.installed.clone(),
        target: Some(Target {
            target_id: target.id,
            release_id: release.id,
            version: release.version.clone(),
            set_at: target.set_at,
            window: target.window.clone(),
            next_release_id: next.id,
            next_version: next.version.clone(),
            gates: next.gates.clone(),
            criticality: release.criticality,
            gap,
        }),
        is_current,
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{device, release, target};
    use super::*;
    use crate::kernel::ids::SiteId;
    use uuid::Uuid;

    fn regions(codes: &[&str]) -> TargetSelector {
        TargetSelector { region_codes: codes.iter().map(|c| (*c).to_owned()).collect(), ..TargetSelector::default() }
    }

    #[test]
    fn the_closest_target_counts_and_of_equals_the_newest() {
        let site = SiteId(Uuid::from_u128(5));
        let mut one = device(1, None);
        let targets = [
            target(1, 1, 9, TargetSelector::default()),
            target(2, 1, 8, regions(&["44"])),
            target(3, 1, 1, regions(&["4403", "31"])),
            target(4, 1, 2, regions(&["4403"])),
            target(5, 1, 3, TargetSelector { site_ids: vec![site], ..TargetSelector::default() }),
            target(6, 1, 0, TargetSelector { device_ids: vec![one.id], ..TargetSelector::default() }),
        ];
        let counts = |device: &FleetDevice, of: &[FirmwareTarget]| resolve(of, device).map(|t| t.id.0.as_u128());
        assert_eq!(counts(&one, &targets), Some(6));
        assert_eq!(counts(&one, &targets[..5]), Some(1));
        one.region_code = Some("440305".to_owned());
        assert_eq!(counts(&one, &targets[..4]), Some(4));
        assert_eq!(counts(&one, &targets[..2]), Some(2));
        one.site_id = Some(site);
        assert_eq!(counts(&one, &targets[..5]), Some(5));
        assert_eq!(counts(&one, &targets), Some(6));
        assert_eq!(counts(&device(2, None), &targets[1..]), None);
        assert_eq!(counts(&one, &[]), None);
    }

    #[test]
    fn a_target_older_than_what_devices_have_is_a_downgrade_of_so_many() {
        let releases = [release(1, "3.2.0", None)];
        let ladder = Ladder::new(&releases);
        let mut fleet =
            vec![device(1, Some("3.2")), device(2, Some("3.10.0")), device(3, Some("3.3")), device(4, None)];
        fleet.push(FleetDevice { status: DeviceStatus::Retired, ..device(5, Some("9.0")) });
        let mut new = target(1, 1, 0, TargetSelector::default());
        let check = |new: &FirmwareTarget, fleet: &[FleetDevice]| {
            check_target(new, &releases[0], std::slice::from_ref(new), &ladder, fleet)
        };
        let (count, serial_number, installed) = (2, "HX2".to_owned(), "3.10.0".to_owned());
        assert_eq!(check(&new, &fleet), Verdict::Downgrade { count, serial_number, installed });
        new.allow_downgrade = true;
        assert_eq!(check(&new, &fleet), Verdict::Fine);
        assert!(standing(&fleet[1], std::slice::from_ref(&new), &ladder).target.is_some());
        assert!(!standing(&fleet[1], std::slice::from_ref(&new), &ladder).is_current);
        new.allow_downgrade = false;
        // A device that has a newer version keeps it.
        assert!(standing(&fleet[1], std::slice::from_ref(&new), &ladder).is_current);
        // Devices with a target of their own are not asked.
        let own = |n: usize| TargetSelector { device_ids: vec![fleet[n].id], ..TargetSelector::default() };
        let targets = [new.clone(), target(2, 1, 0, own(1)), target(3, 1, 0, own(2))];
        assert_eq!(check_target(&new, &releases[0], &targets, &ladder, &fleet), Verdict::Fine);
    }

    #[test]
    fn a_target_nobody_can_reach_names_the_gap_and_a_device() {
        let releases = [release(1, "2.0", None), release(2, "4.0", Some("3.0"))];
        let ladder = Ladder::new(&releases);
        let fleet = [device(1, Some("3.5")), device(2, Some("1.0")), device(3, Some("2.0"))];
        let new = target(1, 2, 0, TargetSelector::default());
        let gap = |reaches: &str| Gap { reaches: reaches.to_owned(), needs: "3.0".to_owned() };
        let verdict = check_target(&new, &releases[1], std::slice::from_ref(&new), &ladder, &fleet);
        assert_eq!(
            verdict,
            Verdict::Unmet { count: 2, serial_number: "HX2".to_owned(), installed: "1.0".to_owned(), gap: gap("2.0") }
        );
        let stands = |n: usize| standing(&fleet[n], std::slice::from_ref(&new), &ladder);
        let target = |n: usize| stands(n).target.unwrap();
        assert_eq!((target(0).next_version, target(0).gap), ("4.0".to_owned(), None));
        assert_eq!(target(1).gap, Some(gap("2.0")));
        assert_eq!(target(2).gap, Some(gap("2.0")));
    }

    #[test]
    fn a_device_without_target_or_with_it_has_nothing_to_do() {
        let releases = [release(1, "2.0", None), release(2, "4.0", Some("2.0"))];
        let ladder = Ladder::new(&releases);
        let targets = [target(1, 2, 0, TargetSelector::default())];
        let nothing = standing(&device(1, Some("1.0")), &[], &ladder);
        assert_eq!((nothing.target.is_none(), nothing.is_current), (true, true));
        let there = standing(&device(1, Some("v4")), &targets, &ladder);
        assert_eq!((there.is_current, there.target.unwrap().next_version.as_str()), (true, "4.0"));
        let behind = standing(&device(1, Some("1.0")), &targets, &ladder);
        assert_eq!((behind.is_current, behind.target.unwrap().next_version.as_str()), (false, "2.0"));
        let unknown = standing(&device(1, None), &targets, &ladder);
        assert_eq!((unknown.is_current, unknown.target.unwrap().next_version.as_str()), (false, "2.0"));
    }
}
