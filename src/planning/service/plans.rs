//! Making and changing maintenance plans.

use super::PlanningService;
use crate::catalogue::model::MeterKind;
use crate::catalogue::store as catalogue_store;
use crate::db::tx::Tx;
use crate::db::{ConnectionTrait, StoreError};
use crate::kernel::call::Call;
use crate::kernel::ids::{DeviceModelId, PlanId};
use crate::kernel::scope::Scope;
use crate::kernel::text::clean_text;
use crate::planning::condition::Condition;
use crate::planning::error::Error;
use crate::planning::model::*;
use crate::planning::rules;
use crate::planning::store;
use crate::registry::store as registry_store;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A trigger as a caller states it: usage in the meter's own unit.
#[derive(Clone, Debug)]
pub enum TriggerSpec {
    /// Cron text.
    CalendarFixed {
        /// Standard 5-field cron.
        cron: String,
    },
    /// ISO 8601 duration.
    CalendarFloating {
        /// For example `P90D`.
        every: String,
    },
    /// Units of a meter.
    Usage {
        /// Meter code.
        meter: String,
        /// Units, in the meter's own unit.
        every: f64,
    },
    /// Measures beyond their limits.
    Condition(Condition),
    /// Installed firmware is not the target.
    Firmware,
    /// Something that happens to a device.
    Event {
        /// What happens.
        event: TriggerEvent,
        /// Civil days after it within which the work is due.
        within_days: u32,
        /// Days without use that count as a long inactivity; only for AFTER_INACTIVITY.
        inactive_days: Option<u32>,
    },
}

/// A plan to be made.
#[derive(Clone, Debug)]
pub struct NewPlan {
    /// The organization's own short code.
    pub code: String,
    /// What the plan says; its triggers are replaced by `triggers`.
    pub definition: PlanDefinition,
    /// The triggers as stated.
    pub triggers: Vec<TriggerSpec>,
}

/// A change of a plan; a new revision comes into force for orders issued from then on.
#[derive(Clone, Debug)]
pub struct PlanUpdate {
    /// The plan.
    pub plan_id: PlanId,
    /// The version the caller has.
    pub expected_version: Option<i64>,
    /// What it says from now on, if that changes.
    pub definition: Option<PlanDefinition>,
    /// The triggers as stated, if they change.
    pub triggers: Option<Vec<TriggerSpec>>,
    /// Switches the plan on or off.
    pub is_active: Option<bool>,
}

/// The plan that was made or changed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PlanChanged {
    /// The plan.
    pub plan_id: PlanId,
}

/// A plan with a change that is still to be written.
pub(super) struct Changed {
    pub plan: MaintenancePlan,
    /// The version it was made from.
    pub had_version: i64,
    /// The kind of maintenance it was for.
    pub had_kind: MaintenanceKind,
    /// It says something else than before.
    pub is_revised: bool,
}

impl PlanningService {
    async fn triggers(
        &self,
        db: &impl ConnectionTrait,
        scope: &Scope,
        specs: &[TriggerSpec],
    ) -> Result<Vec<Trigger>, Error> {
        rules::check_count(specs.len())?;
        let codes: Vec<String> = specs
            .iter()
            .flat_map(|spec| match spec {
                TriggerSpec::Usage { meter, .. } => vec![meter.clone()],
                TriggerSpec::Condition(condition) => {
                    let guard = condition.guard.as_ref().and_then(|g| g.min_per_day.as_ref());
                    let mut meters = rules::condition::meters_of(condition);
                    meters.extend(guard.map(|g| g.meter.clone()));
                    meters
                }
                _ => vec![],
            })
            .collect();
        let meters = self.catalogue.meters_by_codes(db, scope, &codes).await?;
        specs
            .iter()
            .map(|spec| match spec {
                TriggerSpec::CalendarFixed { cron } => Ok(Trigger::CalendarFixed { cron: cron.trim().to_owned() }),
                TriggerSpec::CalendarFloating { every } => {
                    Ok(Trigger::CalendarFloating { every: every.trim().to_owned() })
                }
                TriggerSpec::Condition(condition) => {
                    rules::condition::check(condition, &meters)?;
                    let mut condition = condition.clone();
                    rules::condition::describe(&mut condition, &meters);
                    Ok(Trigger::Condition { condition })
                }
                TriggerSpec::Firmware => Ok(Trigger::Firmware {}),
                TriggerSpec::Event { event, within_days, inactive_days } => {
                    Ok(Trigger::Event { event: *event, within_days: *within_days, inactive_days: *inactive_days })
                }
                TriggerSpec::Usage { meter, every } => {
                    let known = meters
                        .iter()
                        .find(|m| m.code == *meter)
                        .ok_or_else(|| Error::UnknownMeter { meter: meter.chars().take(64).collect() })?;
                    if known.kind != MeterKind::Counter {
                        return Err(Error::Invalid {
                            field: "triggers".into(),
                            problem: format!(
                                "{meter} is a gauge, which goes up and down; a usage interval needs a counter"
                            ),
                        });
                    }
                    let units = known.to_units(*every).map_err(|e| Error::Invalid {
                        field: "triggers".into(),
                        problem: format!("usage interval on {meter}: {e}"),
                    })?;
                    Ok(Trigger::Usage {
                        meter: meter.clone(),
                        every: units,
                        decimals: known.decimals,
                        name: known.name.clone(),
                    })
                }
            })
            .collect()
    }

    fn check(definition: &mut PlanDefinition) -> Result<(), Error> {
        for (text, language) in [(&mut definition.name.en, "en"), (&mut definition.name.zh, "zh")] {
            *text = clean_text(text, 200).map_err(|problem| Error::Text {
                field: vec!["name", language],
                name: "name",
                problem,
            })?;
        }
        for blackout in &mut definition.blackouts {
            for text in [&mut blackout.name.en, &mut blackout.name.zh] {
                *text = clean_text(text, 200).map_err(|problem| Error::Text {
                    field: vec!["blackouts"],
                    name: "the name of a blackout",
                    problem,
                })?;
            }
        }
        let selector = &definition.selector;
        let given = selector.model_ids.len() + selector.site_ids.len() + selector.region_codes.len();
        if given > 1_000 {
            return Err(Error::TooMany { field: "selector", what: "models, sites and regions", given, max: 1_000 });
        }
        for code in &mut definition.selector.region_codes {
            *code = clean_text(code, 32).map_err(|problem| Error::Text {
                field: vec!["selector"],
                name: "a region code",
                problem,
            })?;
        }
        rules::compile(definition).map(|_| ())
    }

    /// Every model and site a selector names is one of the organization's.
    async fn check_selector(
        &self,
        db: &impl ConnectionTrait,
        scope: &Scope,
        selector: &mut Selector,
    ) -> Result<(), Error> {
        selector.model_ids.sort_unstable();
        selector.model_ids.dedup();
        selector.site_ids.sort_unstable();
        selector.site_ids.dedup();
        let models = catalogue_store::models_by_ids(db, scope, &selector.model_ids).await?;
        if models.len() != selector.model_ids.len() {
            return Err(Error::NotFound { what: "device model", field: "selector" });
        }
        let sites = registry_store::sites_by_ids(db, scope, &selector.site_ids).await?;
        if sites.len() != selector.site_ids.len() {
            return Err(Error::NotFound { what: "site", field: "selector" });
        }
        Ok(())
    }

    /// Every model the guard of a condition names is one of the organization's.
    async fn check_guards(
        &self,
        db: &impl ConnectionTrait,
        scope: &Scope,
        definition: &PlanDefinition,
    ) -> Result<(), Error> {
        let mut models: Vec<DeviceModelId> = definition
            .triggers
            .iter()
            .filter_map(|t| match t {
                Trigger::Condition { condition } => condition.guard.as_ref(),
                _ => None,
            })
            .flat_map(|guard| guard.model_ids.iter().copied())
            .collect();
        models.sort_unstable();
        models.dedup();
        if models.is_empty() || catalogue_store::models_by_ids(db, scope, &models).await?.len() == models.len() {
            return Ok(());
        }
        Err(Error::NotFound { what: "device model", field: "triggers" })
    }

    /// Every plan it covers is one of the organization's and for the same kind of subject, and no
    /// coverage comes back to where it began.
    async fn check_covers(
        &self,
        db: &impl ConnectionTrait,
        scope: &Scope,
        plan: PlanId,
        definition: &mut PlanDefinition,
    ) -> Result<(), Error> {
        definition.covers.sort_unstable();
        definition.covers.dedup();
        if definition.covers.is_empty() {
            return Ok(());
        }
        let plans = store::all_plans(db, scope).await?;
        for covered in &definition.covers {
            let known = plans.iter().find(|p| p.id == *covered);
            let known = known.ok_or(Error::NotFound { what: "maintenance plan", field: "covers" })?;
            if known.definition.subject != definition.subject {
                return Err(Error::Invalid {
                    field: "covers".into(),
                    problem: format!("{} is for another kind of subject; a plan covers plans for the same", known.code),
                });
            }
        }
        let mut direct: HashMap<PlanId, &[PlanId]> =
            plans.iter().map(|p| (p.id, p.definition.covers.as_slice())).collect();
        direct.insert(plan, &definition.covers);
        if rules::covered_plans(plan, &direct).contains(&plan) {
            let through: Vec<&str> = plans
                .iter()
                .filter(|p| rules::covered_plans(p.id, &direct).contains(&plan) && p.id != plan)
                .map(|p| p.code.as_str())
                .collect();
            let through = if through.is_empty() { "itself".to_owned() } else { through.join(", ") };
            return Err(Error::CoverageCircle { through });
        }
        Ok(())
    }

    /// A new plan as it would be, checked; nothing is written.
    pub(super) async fn new_plan(
        &self,
        db: &impl ConnectionTrait,
        scope: &Scope,
        new: NewPlan,
        now: DateTime<Utc>,
    ) -> Result<MaintenancePlan, Error> {
        let code =
            clean_text(&new.code, 64).map_err(|problem| Error::Text { field: vec!["code"], name: "code", problem })?;
        let mut definition = new.definition;
        definition.triggers = self.triggers(db, scope, &new.triggers).await?;
        self.clean_steps(db, scope, &mut definition.steps).await?;
        Self::check(&mut definition)?;
        self.check_selector(db, scope, &mut definition.selector).await?;
        self.check_guards(db, scope, &definition).await?;
        let id = self.ids.next(now);
        self.check_covers(db, scope, id, &mut definition).await?;
        Ok(MaintenancePlan {
            id,
            code,
            revision_id: self.ids.next(now),
            revision: 1,
            is_active: true,
            version: 1,
            created_at: now,
            definition,
        })
    }

    /// A plan with a change, checked; nothing is written.
    pub(super) async fn changed_plan(
        &self,
        db: &impl ConnectionTrait,
        scope: &Scope,
        update: PlanUpdate,
        now: DateTime<Utc>,
    ) -> Result<Changed, Error> {
        let mut plan = store::plans_by_ids(db, scope, &[update.plan_id])
            .await?
            .pop()
            .ok_or(Error::NotFound { what: "maintenance plan", field: "planId" })?;
        let had_version = plan.version;
        if let Some(expected) = update.expected_version
            && expected != had_version
        {
            return Err(Error::Conflict { expected, actual: had_version });
        }
        let before = plan.definition.clone();
        let mut definition = update.definition.unwrap_or_else(|| before.clone());
        definition.triggers = match &update.triggers {
            Some(specs) => self.triggers(db, scope, specs).await?,
            None => before.triggers.clone(),
        };
        // Items belong to a kind of subject; a plan for another kind is another plan.
        definition.subject = before.subject;
        self.clean_steps(db, scope, &mut definition.steps).await?;
        Self::check(&mut definition)?;
        self.check_selector(db, scope, &mut definition.selector).await?;
        self.check_guards(db, scope, &definition).await?;
        self.check_covers(db, scope, plan.id, &mut definition).await?;
        // The new grid binds from now on; what the old one said of the past stands.
        let grid = |d: &PlanDefinition| d.triggers.iter().find(|t| matches!(t, Trigger::CalendarFixed { .. })).cloned();
        definition.grid_since = before.grid_since;
        let comes_back = update.is_active == Some(true) && !plan.is_active;
        if comes_back || grid(&definition) != grid(&before) || definition.early_days != before.early_days {
            definition.grid_since = Some(now);
        }
        definition.source.clone_from(&before.source);
        plan.is_active = update.is_active.unwrap_or(plan.is_active);
        plan.version += 1;
        let is_revised = definition != before;
        if is_revised {
            plan.definition = definition;
            plan.revision += 1;
            plan.revision_id = self.ids.next(now);
        }
        Ok(Changed { plan, had_version, had_kind: before.kind, is_revised })
    }

    /// Makes a plan; its items appear with the next planner run.
    ///
    /// # Errors
    /// A code that is taken, an unknown meter, or what [`rules::compile`] refuses.
    pub async fn create_plan(&self, call: &Call, new: NewPlan) -> Result<PlanChanged, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let plan = self.new_plan(tx.conn(), tx.scope(), new, call.now).await?;
        store::insert_plan(tx.conn(), tx.scope(), &plan).await.map_err(|e| match e {
            StoreError::Conflict { .. } => Error::CodeTaken { code: plan.code.clone() },
            other => Error::Store(other),
        })?;
        if plan.definition.kind == MaintenanceKind::PreInstallation {
            self.set_gate(&tx).await?;
        }
        self.mark_subjects(&tx, &plan).await?;
        let changed = PlanChanged { plan_id: plan.id };
        tx.finish(&changed).await?;
        Ok(changed)
    }

    /// Changes a plan: a new revision; orders already issued keep theirs.
    ///
    /// # Errors
    /// As [`Self::create_plan`]; also an unknown plan, or a version that is not the current one.
    pub async fn update_plan(&self, call: &Call, update: PlanUpdate) -> Result<PlanChanged, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let Changed { plan, had_version, had_kind, is_revised } =
            self.changed_plan(tx.conn(), tx.scope(), update, call.now).await?;
        // First, because of two changes at once only one may add its revision.
        if !store::update_plan(tx.conn(), tx.scope(), &plan, had_version).await? {
            return Err(Error::Conflict { expected: had_version, actual: had_version + 1 });
        }
        if is_revised {
            store::insert_revision(tx.conn(), tx.scope(), &plan, call.now).await?;
        }
        if [had_kind, plan.definition.kind].contains(&MaintenanceKind::PreInstallation) {
            self.set_gate(&tx).await?;
        }
        self.mark_subjects(&tx, &plan).await?;
        let changed = PlanChanged { plan_id: plan.id };
        tx.finish(&changed).await?;
        Ok(changed)
    }

    /// A changed plan is a new fact for everything it applies or applied to.
    async fn mark_subjects(&self, tx: &Tx, plan: &MaintenancePlan) -> Result<(), Error> {
        let subjects = store::all_subjects(tx.conn(), tx.scope()).await?;
        let of_kind = subjects.into_iter().filter(|s| s.kind == plan.definition.subject).map(|s| (s.kind, s.id));
        tx.mark(of_kind, self.ids.uuid(tx.now()));
        Ok(())
    }
}
