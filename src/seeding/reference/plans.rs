//! Maintenance plans: models and covered plans are named by code in the file and by id in a plan.

use crate::kernel::call::Call;
use crate::kernel::ids::{DeviceModelId, PlanId};
use crate::kernel::subject::SubjectKind;
use crate::kernel::text::LocalizedText;
use crate::planning::condition::{Clause, Condition, Guard, Limit, Operator, RateGuard};
use crate::planning::model::{
    Blackout, DueQuantile, ExecutionChannel, MaintenanceKind, ModelNote, MonthDay, PlanDefinition, Priority, Season,
    Selector, StepChoice, StepKind, TaskStep, TriggerEvent,
};
use crate::planning::service::{NewPlan, TriggerSpec};
use crate::registry::model::{DeviceStatus, SiteEnvironment};
use crate::seeding::{Error, Rooms, read};
use crate::usage::measure::Measure;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

const FILE: &str = "maintenance_plans.json";

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
    /// Codes of the plans that doing this one does too.
    #[serde(default)]
    covers: Vec<String>,
    season: Option<SeasonSeed>,
    #[serde(default)]
    blackouts: Vec<BlackoutSeed>,
    steps: Vec<StepSeed>,
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
struct SeasonSeed {
    from: MonthDay,
    to: MonthDay,
    source: String,
}

#[derive(Deserialize)]
struct BlackoutSeed {
    from: MonthDay,
    to: MonthDay,
    name: LocalizedText,
    source: String,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
enum TriggerSeed {
    CalendarFixed {
        cron: String,
        source: String,
    },
    CalendarFloating {
        every: String,
        source: String,
    },
    Usage {
        meter: String,
        every: f64,
        source: String,
    },
    Condition {
        clauses: Vec<ClauseSeed>,
        hold_hours: u32,
        cool_down_days: u32,
        guard: Option<GuardSeed>,
        source: String,
    },
    Firmware {
        source: String,
    },
    Event {
        event: TriggerEvent,
        within_days: u32,
        inactive_days: Option<u32>,
        source: String,
    },
}

#[derive(Deserialize)]
struct ClauseSeed {
    measure: Measure,
    operator: Operator,
    limit: Limit,
    clear_at: Option<f64>,
    min_sample: Option<f64>,
}

#[derive(Deserialize)]
struct GuardSeed {
    environments: Vec<SiteEnvironment>,
    model_codes: Vec<String>,
    min_per_day: Option<RateGuard>,
}

#[derive(Deserialize)]
struct StepSeed {
    text: LocalizedText,
    is_required: bool,
    kind: Option<StepKind>,
    #[serde(default)]
    choices: Vec<StepChoice>,
    unit: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
    lowest: Option<f64>,
    highest: Option<f64>,
    meter: Option<String>,
    #[serde(default)]
    opens_corrective: bool,
    #[serde(default)]
    model_notes: Vec<NoteSeed>,
    /// Where its limits come from; absent without limits.
    source: Option<String>,
}

#[derive(Deserialize)]
struct NoteSeed {
    model_codes: Vec<String>,
    text: LocalizedText,
    source: String,
}

impl PlanSeed {
    /// Codes of the models it names anywhere.
    fn model_codes(&self) -> Vec<String> {
        let guards = self.triggers.iter().filter_map(|t| match t {
            TriggerSeed::Condition { guard, .. } => guard.as_ref(),
            TriggerSeed::CalendarFixed { .. }
            | TriggerSeed::CalendarFloating { .. }
            | TriggerSeed::Usage { .. }
            | TriggerSeed::Firmware { .. }
            | TriggerSeed::Event { .. } => None,
        });
        let notes = self.steps.iter().flat_map(|s| &s.model_notes);
        let mut codes = self.selector.model_codes.clone();
        codes.extend(guards.flat_map(|g| g.model_codes.iter().cloned()));
        codes.extend(notes.flat_map(|n| n.model_codes.iter().cloned()));
        codes
    }

    /// Where every figure comes from, as people read it.
    fn source(&self) -> String {
        let mut lines = Vec::new();
        for trigger in &self.triggers {
            lines.push(match trigger {
                TriggerSeed::CalendarFixed { cron, source } => format!("{cron}: {source}"),
                TriggerSeed::CalendarFloating { every, source } => format!("{every}: {source}"),
                TriggerSeed::Usage { meter, every, source } => format!("{every} {meter}: {source}"),
                TriggerSeed::Condition { source, .. } => format!("condition: {source}"),
                TriggerSeed::Firmware { source } => format!("firmware: {source}"),
                TriggerSeed::Event { event, source, .. } => format!("{event}: {source}"),
            });
        }
        if let Some(season) = &self.season {
            lines.push(format!("season: {}", season.source));
        }
        lines.extend(self.blackouts.iter().map(|b| format!("{}: {}", b.name.en, b.source)));
        lines.extend(self.sources.iter().map(|(figure, source)| format!("{figure}: {source}")));
        for step in &self.steps {
            let notes = step.model_notes.iter().map(|n| &n.source);
            lines.extend(step.source.iter().chain(notes).map(|source| format!("{}: {source}", step.text.en)));
        }
        lines.join("\n")
    }
}

/// What codes in the file stand for.
struct Known {
    models: HashMap<String, DeviceModelId>,
    plans: HashMap<String, PlanId>,
}

impl Known {
    fn models(&self, plan: &str, codes: &[String]) -> Result<Vec<DeviceModelId>, Error> {
        ids(&self.models, plan, "model", codes)
    }

    fn plans(&self, plan: &str, codes: &[String]) -> Result<Vec<PlanId>, Error> {
        ids(&self.plans, plan, "plan", codes)
    }
}

fn ids<T: Copy>(known: &HashMap<String, T>, plan: &str, what: &str, codes: &[String]) -> Result<Vec<T>, Error> {
    let mut found = Vec::with_capacity(codes.len());
    for code in codes {
        let id = known.get(code).copied().ok_or_else(|| Error::File {
            file: FILE,
            problem: format!("{plan} names the {what} {code}, which is not seeded"),
        })?;
        found.push(id);
    }
    Ok(found)
}

/// Plans of an organization at most; there are a few dozen.
const MAX_PLANS: u64 = 10_000;

/// Adds the plans that are missing and says how many.
///
/// # Errors
/// Storage; a file that cannot be read or is refused, which is a fault of ours.
pub(super) async fn add(rooms: Rooms<'_>, call: &Call) -> Result<usize, Error> {
    let mut file: PlanFile = read(FILE, include_str!("../../../seeds/maintenance_plans.json"))?;
    // A plan can only cover one that is there.
    file.plans.sort_by_key(|p| !p.covers.is_empty());
    let there = rooms.planning.plans_page(&call.scope, None, None, None, MAX_PLANS).await?;
    let plans = there.into_iter().map(|p| (p.code, p.id)).collect();
    let codes: Vec<String> = file.plans.iter().flat_map(PlanSeed::model_codes).collect();
    let models = rooms.catalogue.models_by_codes(&call.scope, &codes).await?;
    let models = models.into_iter().map(|m| (m.code, m.id)).collect();
    let mut known = Known { models, plans };
    let mut added = 0;
    for seed in file.plans {
        if known.plans.contains_key(&seed.code) {
            continue;
        }
        let code = seed.code.clone();
        let made = rooms.planning.create_plan(call, new_plan(seed, &known)?).await?;
        known.plans.insert(code, made.plan_id);
        added += 1;
    }
    Ok(added)
}

fn trigger(seed: TriggerSeed, plan: &str, known: &Known) -> Result<TriggerSpec, Error> {
    Ok(match seed {
        TriggerSeed::CalendarFixed { cron, .. } => TriggerSpec::CalendarFixed { cron },
        TriggerSeed::CalendarFloating { every, .. } => TriggerSpec::CalendarFloating { every },
        TriggerSeed::Usage { meter, every, .. } => TriggerSpec::Usage { meter, every },
        TriggerSeed::Condition { clauses, hold_hours, cool_down_days, guard, .. } => {
            let guard = match guard {
                Some(guard) => Some(Guard {
                    environments: guard.environments,
                    model_ids: known.models(plan, &guard.model_codes)?,
                    min_per_day: guard.min_per_day,
                }),
                None => None,
            };
            let clauses = clauses.into_iter().map(clause).collect();
            TriggerSpec::Condition(Condition { clauses, hold_hours, cool_down_days, guard })
        }
        TriggerSeed::Firmware { .. } => TriggerSpec::Firmware,
        TriggerSeed::Event { event, within_days, inactive_days, .. } => {
            TriggerSpec::Event { event, within_days, inactive_days }
        }
    })
}

fn clause(seed: ClauseSeed) -> Clause {
    Clause {
        clear_at: seed.clear_at,
        min_sample: seed.min_sample,
        ..Clause::new(seed.measure, seed.operator, seed.limit)
    }
}

fn step(seed: StepSeed, plan: &str, known: &Known) -> Result<TaskStep, Error> {
    let mut model_notes = Vec::with_capacity(seed.model_notes.len());
    for note in seed.model_notes {
        model_notes.push(ModelNote { model_ids: known.models(plan, &note.model_codes)?, text: note.text });
    }
    Ok(TaskStep {
        kind: seed.kind.unwrap_or(StepKind::PassFail),
        choices: seed.choices,
        unit: seed.unit,
        min: seed.min,
        max: seed.max,
        lowest: seed.lowest,
        highest: seed.highest,
        meter: seed.meter,
        opens_corrective: seed.opens_corrective,
        model_notes,
        ..TaskStep::plain(seed.text, seed.is_required)
    })
}

fn new_plan(seed: PlanSeed, known: &Known) -> Result<NewPlan, Error> {
    let source = Some(seed.source());
    let code = seed.code;
    let mut triggers = Vec::with_capacity(seed.triggers.len());
    for stated in seed.triggers {
        triggers.push(trigger(stated, &code, known)?);
    }
    let mut steps = Vec::with_capacity(seed.steps.len());
    for stated in seed.steps {
        steps.push(step(stated, &code, known)?);
    }
    let definition = PlanDefinition {
        name: seed.name,
        kind: seed.kind,
        subject: seed.subject,
        channel: seed.channel,
        selector: Selector {
            model_ids: known.models(&code, &seed.selector.model_codes)?,
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
        steps,
        due_quantile: seed.due_quantile,
        is_compliance: seed.is_compliance,
        covers: known.plans(&code, &seed.covers)?,
        season: seed.season.map(|s| Season { from: s.from, to: s.to }),
        blackouts: seed.blackouts.into_iter().map(|b| Blackout { from: b.from, to: b.to, name: b.name }).collect(),
        grid_since: None,
        source,
    };
    Ok(NewPlan { code, definition, triggers })
}
