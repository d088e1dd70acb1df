//! Meters, device models, failure lists and holidays.

use crate::catalogue::model::{
    Basis, ComponentKind, FailureCause, FailureCode, FailureFamily, FailureLists, FailureMechanism, FailureMode,
    FailureOrigin, FailureRemedy, Holiday, Meter, ModelComponent, ReplaceableAt,
};
use crate::catalogue::service::{NewModel, NewModelMeter};
use crate::kernel::call::Call;
use crate::kernel::text::LocalizedText;
use crate::seeding::{Error, Rooms, read};
use chrono::NaiveDate;
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Deserialize)]
struct MeterFile {
    meters: Vec<Meter>,
}

#[derive(Deserialize)]
struct ModelFile {
    models: Vec<ModelSeed>,
}

#[derive(Deserialize)]
struct ModelSeed {
    code: String,
    manufacturer: String,
    name: String,
    hardware_revision: String,
    form_factor: Option<String>,
    platform: Option<String>,
    source: String,
    is_assumed: bool,
    notes: Option<String>,
    facts: Vec<Fact>,
    meters: Vec<ModelMeterSeed>,
    components: Vec<ComponentSeed>,
}

#[derive(Deserialize)]
struct Fact {
    fact: String,
    basis: Basis,
    source: String,
}

#[derive(Deserialize)]
struct ModelMeterSeed {
    meter: String,
    modulus: Option<f64>,
    max_per_day: f64,
    rated_life: Option<f64>,
    rated_life_basis: Option<Basis>,
    rated_life_source: Option<String>,
    planning_per_day: f64,
}

#[derive(Deserialize)]
struct ComponentSeed {
    kind: ComponentKind,
    replaceable_at: ReplaceableAt,
    rated_meter: Option<String>,
    basis: Basis,
}

#[derive(Deserialize)]
struct HolidayFile {
    countries: Vec<CountrySeed>,
}

#[derive(Deserialize)]
struct CountrySeed {
    country: String,
    years: Vec<YearSeed>,
}

#[derive(Deserialize)]
struct YearSeed {
    source: String,
    days: Vec<DaySeed>,
}

#[derive(Deserialize)]
struct DaySeed {
    date: NaiveDate,
    name: LocalizedText,
    is_working_day: bool,
}

#[derive(Deserialize)]
struct FailureFile {
    mechanisms: Vec<MechanismSeed>,
    causes: Vec<FailureCause>,
    remedies: Vec<FailureRemedy>,
    codes: Vec<FailureSeed>,
}

#[derive(Deserialize)]
struct MechanismSeed {
    code: String,
    name: LocalizedText,
}

#[derive(Deserialize)]
struct FailureSeed {
    code: String,
    name: LocalizedText,
    family: FailureFamily,
    component: Option<ComponentKind>,
    mode: FailureMode,
    /// Code of one of the file's mechanisms.
    mechanism: String,
    severity: i32,
    is_remote_fixable: bool,
    is_compliance: bool,
    origin: FailureOrigin,
    causes: Vec<String>,
    remedies: Vec<String>,
    detection: Vec<LocalizedText>,
    note: Option<LocalizedText>,
    basis: Basis,
    source: String,
}

/// The public holidays and moved working days of `seeds/holidays.json`.
///
/// # Errors
/// The file cannot be read; a fault of ours.
pub fn holidays() -> Result<Vec<Holiday>, Error> {
    let file: HolidayFile = read("holidays.json", include_str!("../../../seeds/holidays.json"))?;
    let mut days = Vec::new();
    for country in file.countries {
        for year in country.years {
            days.extend(year.days.into_iter().map(|d| Holiday {
                country: country.country.clone(),
                date: d.date,
                name: d.name,
                is_working_day: d.is_working_day,
                source: year.source.clone(),
            }));
        }
    }
    Ok(days)
}

/// The closed lists of `seeds/failure_codes.json`.
///
/// # Errors
/// The file cannot be read, or a code names what it does not have; a fault of ours.
fn failure_lists() -> Result<FailureLists, Error> {
    const FILE: &str = "failure_codes.json";
    let file: FailureFile = read(FILE, include_str!("../../../seeds/failure_codes.json"))?;
    let mut codes = Vec::with_capacity(file.codes.len());
    for seed in file.codes {
        let missing = |what: &str| Error::File { file: FILE, problem: format!("{} names {what}", seed.code) };
        let mechanism = file.mechanisms.iter().find(|m| m.code == seed.mechanism);
        let mechanism = mechanism.ok_or_else(|| missing("a mechanism the file does not have"))?;
        if !seed.causes.iter().all(|code| file.causes.iter().any(|c| c.code == *code)) {
            return Err(missing("a cause the file does not have"));
        }
        if !seed.remedies.iter().all(|code| file.remedies.iter().any(|r| r.code == *code)) {
            return Err(missing("a remedy the file does not have"));
        }
        codes.push(FailureCode {
            mechanism: FailureMechanism { number: mechanism.code.clone(), name: mechanism.name.clone() },
            code: seed.code,
            name: seed.name,
            family: seed.family,
            component: seed.component,
            mode: seed.mode,
            severity: seed.severity,
            is_remote_fixable: seed.is_remote_fixable,
            is_compliance: seed.is_compliance,
            origin: seed.origin,
            causes: seed.causes,
            remedies: seed.remedies,
            detection: seed.detection,
            note: seed.note,
            source: seed.source,
            basis: seed.basis,
        });
    }
    Ok(FailureLists { codes, causes: file.causes, remedies: file.remedies })
}

/// Adds the meters, failure lists and holidays that are missing.
///
/// # Errors
/// Storage; a file that cannot be read, which is a fault of ours.
pub(super) async fn lists(rooms: Rooms<'_>, call: &Call) -> Result<(), Error> {
    let meters: MeterFile = read("meters.json", include_str!("../../../seeds/meters.json"))?;
    Ok(rooms.catalogue.seed(call, &meters.meters, &failure_lists()?, &holidays()?).await?)
}

/// Adds the device models that are missing and says how many.
///
/// # Errors
/// Storage; a file that cannot be read or is refused, which is a fault of ours.
pub(super) async fn models(rooms: Rooms<'_>, call: &Call) -> Result<usize, Error> {
    let file: ModelFile = read("device_models.json", include_str!("../../../seeds/device_models.json"))?;
    let codes: Vec<String> = file.models.iter().map(|m| m.code.clone()).collect();
    let known: BTreeSet<String> =
        rooms.catalogue.models_by_codes(&call.scope, &codes).await?.into_iter().map(|m| m.code).collect();
    let mut added = 0;
    for model in file.models.into_iter().filter(|m| !known.contains(&m.code)) {
        rooms.catalogue.create_model(call, new_model(model)).await?;
        added += 1;
    }
    Ok(added)
}

fn new_model(seed: ModelSeed) -> NewModel {
    let facts = seed.facts.iter().map(|f| format!("{} ({}, {})", f.fact, f.basis, f.source));
    let notes: Vec<String> = seed.notes.clone().into_iter().chain(facts).collect();
    NewModel {
        code: Some(seed.code),
        manufacturer: seed.manufacturer,
        name: seed.name,
        hardware_revision: Some(seed.hardware_revision),
        form_factor: seed.form_factor,
        platform: seed.platform,
        source: Some(seed.source),
        is_assumed: seed.is_assumed,
        notes: (!notes.is_empty()).then(|| notes.join("\n")),
        meters: seed
            .meters
            .into_iter()
            .map(|m| NewModelMeter {
                meter_code: m.meter,
                modulus: m.modulus,
                max_per_day: m.max_per_day,
                rated_life: m.rated_life,
                rated_life_basis: m.rated_life_basis,
                rated_life_source: m.rated_life_source,
                planning_per_day: m.planning_per_day,
            })
            .collect(),
        components: seed
            .components
            .into_iter()
            .map(|c| ModelComponent {
                kind: c.kind,
                replaceable_at: c.replaceable_at,
                rated_meter: c.rated_meter,
                basis: c.basis,
            })
            .collect(),
    }
}
