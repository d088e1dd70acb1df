//! Reference data: meters, device models, holidays and maintenance plans.
//!
//! Everything is known by its code and added only where the code is missing, so that seeding
//! again, or a newer version of the files, never overwrites what people changed.

use super::{Error, Rooms, read};
use crate::catalogue::model::{Basis, ComponentKind, Holiday, Meter, ModelComponent, ReplaceableAt};
use crate::catalogue::service::{NewModel, NewModelMeter};
use crate::kernel::call::Call;
use crate::kernel::ids::DeviceModelId;
use crate::kernel::subject::SubjectKind;
use crate::kernel::text::LocalizedText;
use crate::planning::model::{
    DueQuantile, ExecutionChannel, MaintenanceKind, PlanDefinition, Priority, Selector, TaskStep,
};
use crate::planning::service::{NewPlan, TriggerSpec};
use crate::registry::model::DeviceStatus;
use chrono::NaiveDate;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

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
struct PlanFile {
    plans: Vec<PlanSeed>,
}

#[derive(Deserialize)]
struct PlanSeed {
    code: String,
    name: LocalizedText,
    kind: MaintenanceKind,
    subject: SubjectKind,
    channel: ExecutionChannel,
    selector: SelectorSeed,
    triggers: Vec<TriggerSeed>,
    early_days: u32,
    late_days: u32,
    lead_days: u32,
    estimated_minutes: u32,
    priority: Priority,
    due_quantile: DueQuantile,
    is_compliance: bool,
    steps: Vec<TaskStep>,
    /// Where each number comes from, by field.
    sources: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct SelectorSeed {
    model_codes: Vec<String>,
    region_codes: Vec<String>,
    device_statuses: Vec<DeviceStatus>,
    everything: bool,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
enum TriggerSeed {
    CalendarFixed { cron: String, source: String },
    CalendarFloating { every: String, source: String },
    Usage { meter: String, every: f64, source: String },
}

impl PlanSeed {
    /// Where every figure comes from, as people read it.
    fn source(&self) -> String {
        let triggers = self.triggers.iter().map(|t| match t {
            TriggerSeed::CalendarFixed { cron, source } => format!("{cron}: {source}"),
            TriggerSeed::CalendarFloating { every, source } => format!("{every}: {source}"),
            TriggerSeed::Usage { meter, every, source } => format!("{every} {meter}: {source}"),
        });
        let figures = self.sources.iter().map(|(figure, source)| format!("{figure}: {source}"));
        triggers.chain(figures).collect::<Vec<_>>().join("\n")
    }
}

/// What seeding added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Device models.
    pub models: usize,
    /// Maintenance plans.
    pub plans: usize,
}

/// The public holidays and moved working days of `seeds/holidays.json`.
///
/// # Errors
/// The file cannot be read; a fault of ours.
pub fn holidays() -> Result<Vec<Holiday>, Error> {
    let file: HolidayFile = read("holidays.json", include_str!("../../seeds/holidays.json"))?;
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

/// Adds the reference data that is missing, as known at `call`'s moment.
///
/// # Errors
/// Storage; a file that cannot be read or is refused, which is a fault of ours.
pub async fn run(rooms: Rooms<'_>, call: &Call) -> Result<Added, Error> {
    let meters: MeterFile = read("meters.json", include_str!("../../seeds/meters.json"))?;
    rooms.catalogue.seed(call, &meters.meters, &holidays()?).await?;
    let models = models(rooms, call).await?;
    let plans = plans(rooms, call).await?;
    Ok(Added { models, plans })
}

async fn models(rooms: Rooms<'_>, call: &Call) -> Result<usize, Error> {
    let file: ModelFile = read("device_models.json", include_str!("../../seeds/device_models.json"))?;
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

/// Plans of an organization at most; there are a few dozen.
const MAX_PLANS: u64 = 10_000;

async fn plans(rooms: Rooms<'_>, call: &Call) -> Result<usize, Error> {
    let file: PlanFile = read("maintenance_plans.json", include_str!("../../seeds/maintenance_plans.json"))?;
    let known: BTreeSet<String> = rooms
        .planning
        .plans_page(&call.scope, None, None, None, MAX_PLANS)
        .await?
        .into_iter()
        .map(|p| p.code)
        .collect();
    let codes: Vec<String> = file.plans.iter().flat_map(|p| p.selector.model_codes.iter().cloned()).collect();
    let models: HashMap<String, DeviceModelId> =
        rooms.catalogue.models_by_codes(&call.scope, &codes).await?.into_iter().map(|m| (m.code, m.id)).collect();
    let mut added = 0;
    for plan in file.plans.into_iter().filter(|p| !known.contains(&p.code)) {
        rooms.planning.create_plan(call, new_plan(plan, &models)?).await?;
        added += 1;
    }
    Ok(added)
}

fn new_plan(seed: PlanSeed, models: &HashMap<String, DeviceModelId>) -> Result<NewPlan, Error> {
    let model_ids = seed
        .selector
        .model_codes
        .iter()
        .map(|code| {
            models.get(code).copied().ok_or_else(|| Error::File {
                file: "maintenance_plans.json",
                problem: format!("{} selects the model {code}, which is not seeded", seed.code),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let triggers = seed
        .triggers
        .iter()
        .map(|t| match t {
            TriggerSeed::CalendarFixed { cron, .. } => TriggerSpec::CalendarFixed { cron: cron.clone() },
            TriggerSeed::CalendarFloating { every, .. } => TriggerSpec::CalendarFloating { every: every.clone() },
            TriggerSeed::Usage { meter, every, .. } => TriggerSpec::Usage { meter: meter.clone(), every: *every },
        })
        .collect();
    let source = Some(seed.source());
    Ok(NewPlan {
        code: seed.code,
        triggers,
        definition: PlanDefinition {
            name: seed.name,
            kind: seed.kind,
            subject: seed.subject,
            channel: seed.channel,
            selector: Selector {
                model_ids,
                site_ids: vec![],
                region_codes: seed.selector.region_codes,
                device_statuses: seed.selector.device_statuses,
                everything: seed.selector.everything,
            },
            triggers: vec![],
            early_days: seed.early_days,
            late_days: seed.late_days,
            lead_days: seed.lead_days,
            estimated_minutes: seed.estimated_minutes,
            priority: seed.priority,
            steps: seed.steps,
            due_quantile: seed.due_quantile,
            is_compliance: seed.is_compliance,
            covers: vec![],
            season: None,
            blackouts: vec![],
            grid_since: None,
            source,
        },
    })
}
