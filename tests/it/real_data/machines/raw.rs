//! The files as they are, and what follows from them, by arithmetic of the test's own.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tillkeep::catalogue::model::ComponentKind;
use tillkeep::planning::model::LineCode;
use tillkeep::visits::model::VisitLineOutcome;

/// Where the fleet is; outside the project, because the data must not be shipped.
pub const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/fleet");
/// Machines of one site.
const PER_SITE: usize = 10;
/// The errors that are counted.
pub const ERRORS: [&str; 5] = ["error1", "error2", "error3", "error4", "error5"];

pub type Moment = DateTime<Utc>;

/// A component of the files and what it is in the product.
pub struct Part {
    pub raw: &'static str,
    pub kind: ComponentKind,
    /// How its failures are coded, by the seeded list.
    pub failure: &'static str,
}

pub const PARTS: [Part; 4] = [
    Part { raw: "comp1", kind: ComponentKind::PowerModule, failure: "PWR-ADP-01" },
    Part { raw: "comp2", kind: ComponentKind::Display, failure: "DSP-LCD-01" },
    Part { raw: "comp3", kind: ComponentKind::MagstripeReader, failure: "CRD-MSR-02" },
    Part { raw: "comp4", kind: ComponentKind::Printer, failure: "PRT-HD-01" },
];

/// How long a machine stands still when a part failed.
pub fn standstill(part: usize) -> TimeDelta {
    TimeDelta::hours(part as i64 + 1)
}

/// What the files tell of a machine; parts and errors by their places, sorted by time.
#[derive(Default)]
pub struct Machine {
    pub number: usize,
    pub model: String,
    pub replaced: Vec<(Moment, usize)>,
    pub failed: Vec<(Moment, usize)>,
    pub errors: Vec<(Moment, usize)>,
}

/// The rows of a file without its header.
fn rows(file: &str) -> Vec<csv::StringRecord> {
    let path = Path::new(FOLDER).join(file);
    let open = File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let bytes: Box<dyn Read> = match file.strip_suffix(".gz") {
        Some(_) => Box::new(GzDecoder::new(open)),
        None => Box::new(open),
    };
    csv::Reader::from_reader(bytes).into_records().map(Result::unwrap).collect()
}

fn moment(text: &str) -> Moment {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap().and_utc()
}

fn place(names: &[&str], name: &str) -> usize {
    names.iter().position(|n| *n == name).unwrap_or_else(|| panic!("{name} is none of {names:?}"))
}

/// Every machine of the files by number; none where they are absent.
pub fn fleet() -> Option<Vec<Machine>> {
    if !Path::new(FOLDER).is_dir() {
        return None;
    }
    let parts = PARTS.map(|part| part.raw);
    let mut machines: BTreeMap<usize, Machine> = BTreeMap::new();
    for row in rows("PdM_machines.csv") {
        let number = row[0].parse().unwrap();
        machines.insert(number, Machine { number, model: row[1].to_owned(), ..Machine::default() });
    }
    let machine = |row: &csv::StringRecord| row[1].parse::<usize>().unwrap();
    for row in rows("PdM_maint.csv") {
        machines.get_mut(&machine(&row)).unwrap().replaced.push((moment(&row[0]), place(&parts, &row[2])));
    }
    for row in rows("PdM_failures.csv") {
        machines.get_mut(&machine(&row)).unwrap().failed.push((moment(&row[0]), place(&parts, &row[2])));
    }
    for row in rows("PdM_errors.csv.gz") {
        machines.get_mut(&machine(&row)).unwrap().errors.push((moment(&row[0]), place(&ERRORS, &row[2])));
    }
    let mut machines: Vec<Machine> = machines.into_values().collect();
    for machine in &mut machines {
        for list in [&mut machine.replaced, &mut machine.failed, &mut machine.errors] {
            list.sort_unstable();
            let told = list.len();
            list.dedup();
            assert_eq!(list.len(), told, "machine {} is told something twice", machine.number);
        }
    }
    Some(machines)
}

impl Machine {
    pub fn serial(&self) -> String {
        format!("M{:03}", self.number)
    }

    /// The serial number of the part that came after so many others.
    pub fn part_serial(&self, part: usize, after: usize) -> String {
        format!("{}-{}-{after}", self.serial(), PARTS[part].raw)
    }

    pub fn site(&self) -> usize {
        (self.number - 1) / PER_SITE
    }

    /// When a part was replaced.
    pub fn replacements(&self, part: usize) -> Vec<Moment> {
        self.replaced.iter().filter(|(_, p)| *p == part).map(|(when, _)| *when).collect()
    }

    /// What was done to it, and when: every replacement, with the failure it mended where there is
    /// one; and the failures that nobody mended.
    fn work(&self) -> Vec<(Moment, Work<'_>)> {
        let mut told = [0; PARTS.len()];
        let mut work = Vec::new();
        for (when, part) in &self.replaced {
            told[*part] += 1;
            let has_failed = self.failed.contains(&(*when, *part));
            work.push((*when, Work { machine: self, part: *part, replaced: Some(told[*part]), has_failed }));
        }
        for (when, part) in self.failed.iter().filter(|failed| !self.replaced.contains(failed)) {
            work.push((*when, Work { machine: self, part: *part, replaced: None, has_failed: true }));
        }
        work
    }
}

/// One line of a visit: a part of a machine that was replaced, or failed, or both.
pub struct Work<'a> {
    pub machine: &'a Machine,
    pub part: usize,
    /// Which replacement of this part it is, from 1.
    pub replaced: Option<usize>,
    pub has_failed: bool,
}

/// What was done at one site at one moment.
pub struct Visit<'a> {
    pub when: Moment,
    pub site: usize,
    pub work: Vec<Work<'a>>,
}

impl Work<'_> {
    /// A failure that was mended; those are ordered.
    pub fn is_repair(&self) -> bool {
        self.has_failed && self.replaced.is_some()
    }

    /// A failure that nobody mended is no finished work.
    pub fn outcome(&self) -> VisitLineOutcome {
        if self.replaced.is_some() { VisitLineOutcome::Done } else { VisitLineOutcome::PartlyDone }
    }

    /// What the product answers.
    pub fn code(&self) -> LineCode {
        if self.is_repair() { LineCode::Completed } else { LineCode::Recorded }
    }

    /// Serial numbers of the part that went out and of the one that came in.
    pub fn serials(&self) -> Option<(String, String)> {
        let serial = |after: usize| self.machine.part_serial(self.part, after);
        self.replaced.map(|count| (serial(count - 1), serial(count)))
    }
}

/// Every visit, in the order of time: a part says which one it takes the place of.
pub fn visits(fleet: &[Machine]) -> Vec<Visit<'_>> {
    let mut by_place: BTreeMap<(Moment, usize), Vec<Work<'_>>> = BTreeMap::new();
    for machine in fleet {
        for (when, work) in machine.work() {
            by_place.entry((when, machine.site())).or_default().push(work);
        }
    }
    by_place.into_iter().map(|((when, site), work)| Visit { when, site, work }).collect()
}
