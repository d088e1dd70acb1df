//! The way from what is installed to what is wanted, through the releases of a model.

use super::version::Version;
use crate::firmware::model::{FirmwareRelease, Gap};
use crate::kernel::ids::FirmwareReleaseId;

struct Rung<'a> {
    version: Version,
    /// Installed before at least; any when absent.
    minimum: Option<Version>,
    release: &'a FirmwareRelease,
}

/// The releases of one model, read once for all its devices.
pub struct Ladder<'a>(Vec<Rung<'a>>);

/// What is to be installed now.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<'a> {
    /// This release, which takes the device as it is.
    Install(&'a FirmwareRelease),
    /// Nothing leads there.
    Gap(Gap),
}

impl<'a> Ladder<'a> {
    /// Reads the releases of a model, oldest version first.
    pub fn new(releases: impl IntoIterator<Item = &'a FirmwareRelease>) -> Self {
        let rung = |release: &'a FirmwareRelease| Rung {
            version: Version::read(&release.version),
            minimum: release.minimum_prior_version.as_deref().map(Version::read),
            release,
        };
        let mut rungs: Vec<Rung<'a>> = releases.into_iter().map(rung).collect();
        rungs.sort_by(|a, b| a.version.cmp(&b.version));
        Self(rungs)
    }

    /// A release by id.
    pub fn release(&self, id: FirmwareReleaseId) -> Option<&'a FirmwareRelease> {
        self.0.iter().find(|r| r.release.id == id).map(|r| r.release)
    }

    /// The first release of the shortest way from a version to a release. A device whose version is
    /// unknown begins with what takes any version.
    ///
    /// A newer version is taken by every release that takes an older one. So the shortest way goes to
    /// the newest release that can be reached, again and again, and where that stops nothing leads on.
    pub fn step(&self, installed: Option<&Version>, target: &'a FirmwareRelease) -> Step<'a> {
        let goal = Version::read(&target.version);
        if installed.is_some_and(|from| *from >= goal) {
            // Back, or nowhere: a release takes what is newer than itself.
            return Step::Install(target);
        }
        let mut first: Option<&'a FirmwareRelease> = None;
        let mut at: Option<&Version> = installed;
        loop {
            let takes = |r: &Rung<'a>| match (&r.minimum, at) {
                (None, _) => true,
                (Some(minimum), Some(at)) => minimum <= at,
                (Some(_), None) => false,
            };
            let leads_on = |r: &&Rung<'a>| r.version <= goal && at.is_none_or(|at| r.version > *at) && takes(r);
            let Some(next) = self.0.iter().rev().find(leads_on) else {
                return Step::Gap(self.gap(at, &goal));
            };
            let first = *first.get_or_insert(next.release);
            if next.version == goal {
                return Step::Install(first);
            }
            at = Some(&next.version);
        }
    }

    /// Where the way ends, and what the next release asks for.
    fn gap(&self, at: Option<&Version>, goal: &Version) -> Gap {
        let ahead = self.0.iter().filter(|r| r.version <= *goal && at.is_none_or(|at| r.version > *at));
        let nearest = ahead.filter(|r| r.minimum.is_some()).min_by(|a, b| a.minimum.cmp(&b.minimum));
        let reached = self.0.iter().find(|r| Some(&r.version) == at).map(|r| r.release.version.clone());
        Gap {
            reaches: reached.or_else(|| at.map(Version::to_string)).unwrap_or_default(),
            needs: nearest.and_then(|r| r.release.minimum_prior_version.clone()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::release;
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn step<'a>(releases: &'a [FirmwareRelease], installed: Option<&str>, target: usize) -> Step<'a> {
        let installed = installed.map(Version::read);
        Ladder::new(releases).step(installed.as_ref(), &releases[target])
    }

    fn name(step: &Step<'_>) -> String {
        match step {
            Step::Install(release) => release.version.clone(),
            Step::Gap(gap) => format!("{} lacks {}", gap.reaches, gap.needs),
        }
    }

    #[test]
    fn the_way_goes_through_what_the_target_asks_for() {
        let releases = [
            release(1, "3.0.0", None),
            release(2, "3.2.0", Some("3.0")),
            release(3, "3.10.0", Some("3.2.0")),
            release(4, "4.0.0", Some("3.10.0")),
        ];
        for (installed, expected) in [
            (Some("2.1"), "3.0.0"),
            (Some("3.0"), "3.2.0"),
            (Some("3.1.5"), "3.2.0"),
            (Some("v3.2"), "3.10.0"),
            (Some("3.9.9"), "3.10.0"),
            (Some("3.11"), "4.0.0"),
            // Back.
            (Some("5.0"), "4.0.0"),
            (None, "3.0.0"),
        ] {
            assert_eq!(name(&step(&releases, installed, 3)), expected, "from {installed:?}");
        }
    }

    #[test]
    fn the_way_is_the_shortest() {
        let releases =
            [release(1, "1.1", None), release(2, "1.5", None), release(3, "1.9", Some("1.4")), release(4, "2.0", None)];
        assert_eq!(name(&step(&releases, Some("1.0"), 3)), "2.0");
        assert_eq!(name(&step(&releases, Some("1.0"), 2)), "1.5");
    }

    #[test]
    fn a_gap_names_where_the_way_ends_and_what_is_missing() {
        let releases = [release(1, "2.0", None), release(2, "3.0", Some("2.5")), release(3, "4.0", Some("3.0"))];
        assert_eq!(name(&step(&releases, Some("1.0"), 2)), "2.0 lacks 2.5");
        assert_eq!(name(&step(&releases, Some("2.6"), 2)), "3.0");
        let alone = [release(1, "4.0", Some("3.0"))];
        assert_eq!(name(&step(&alone, Some("1.0"), 0)), "1 lacks 3.0");
        assert_eq!(name(&step(&alone, None, 0)), " lacks 3.0");
    }

    /// Hops to the goal by trying everything.
    fn hops(releases: &[FirmwareRelease], installed: &str, target: usize) -> Option<usize> {
        let goal = Version::read(&releases[target].version);
        let mut seen = vec![Version::read(installed)];
        let mut queue = VecDeque::from([(Version::read(installed), 0)]);
        while let Some((at, hops)) = queue.pop_front() {
            if at == goal {
                return Some(hops);
            }
            for r in releases {
                let version = Version::read(&r.version);
                let takes = r.minimum_prior_version.as_deref().is_none_or(|m| Version::read(m) <= at);
                if takes && version > at && version <= goal && !seen.contains(&version) {
                    seen.push(version.clone());
                    queue.push_back((version, hops + 1));
                }
            }
        }
        None
    }

    proptest! {
        #[test]
        fn following_the_steps_is_as_short_as_any_way(
            minimums in proptest::collection::vec(proptest::option::of(0_usize..12), 1..12),
            from in 0_usize..12,
        ) {
            let releases: Vec<FirmwareRelease> = minimums
                .iter()
                .enumerate()
                .map(|(n, minimum)| {
                    let minimum = minimum.filter(|m| *m < n + 1).map(|m| m.to_string());
                    release(n as u128, &(n + 1).to_string(), minimum.as_deref())
                })
                .collect();
            let target = releases.len() - 1;
            let (mut at, mut count) = (from.min(target).to_string(), 0);
            let expected = hops(&releases, &at, target);
            let reached = loop {
                if Version::read(&at) == Version::read(&releases[target].version) {
                    break Some(count);
                }
                match step(&releases, Some(at.as_str()), target) {
                    Step::Install(next) => at = next.version.clone(),
                    Step::Gap(_) => break None,
                }
                count += 1;
            };
            prop_assert_eq!(reached, expected);
        }
    }
}
