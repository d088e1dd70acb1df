//! Use cases of the catalogue.

use super::error::Error;
use super::model::*;
pub use super::rules::NewFreezePeriod;
use super::rules::{self, MAX_FREEZE_PERIODS};
use super::store;
use crate::db::{ConnectionTrait, Db, StoreError, StoreResult};
use crate::kernel::call::Call;
use crate::kernel::ids::{DeviceModelId, Ids};
use crate::kernel::scope::Scope;
use crate::kernel::text::{LocalizedText, clean_text};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// A model's meter as a caller states it; values in the meter's own unit.
#[derive(Clone, Debug)]
pub struct NewModelMeter {
    /// Meter code; unknown codes make a new counter.
    pub meter_code: String,
    /// The counter starts again at 0 after this many units.
    pub modulus: Option<f64>,
    /// Faster growth than this per day is not believed.
    pub max_per_day: f64,
    /// Units the part is rated for.
    pub rated_life: Option<f64>,
    /// How well the rating is known; ASSUMED unless stated.
    pub rated_life_basis: Option<Basis>,
    /// Where the rating is stated.
    pub rated_life_source: Option<String>,
    /// Units per day assumed for a device without readings.
    pub planning_per_day: f64,
}

/// A model to be made.
#[derive(Clone, Debug)]
pub struct NewModel {
    /// Short code; the manufacturer and name otherwise.
    pub code: Option<String>,
    /// Maker.
    pub manufacturer: String,
    /// The maker's model name.
    pub name: String,
    /// Hardware revision.
    pub hardware_revision: Option<String>,
    /// Countertop, portable…
    pub form_factor: Option<String>,
    /// Operating platform.
    pub platform: Option<String>,
    /// Where the facts come from.
    pub source: Option<String>,
    /// Some figures are assumptions.
    pub is_assumed: bool,
    /// Remarks.
    pub notes: Option<String>,
    /// Its meters.
    pub meters: Vec<NewModelMeter>,
    /// Its parts.
    pub components: Vec<ModelComponent>,
}

/// The model that was made.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ModelCreated {
    /// The model.
    pub model_id: DeviceModelId,
}

/// The meter that was added or changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MeterPut {
    /// Its code.
    pub code: String,
}

/// Meters, models, failure lists, holidays and freeze periods.
pub struct CatalogueService {
    db: Db,
    ids: Arc<Ids>,
}

impl CatalogueService {
    /// Builds the service.
    pub fn new(db: Db, ids: Arc<Ids>) -> Self {
        Self { db, ids }
    }

    /// Every meter.
    pub async fn meters(&self, scope: &Scope) -> StoreResult<Vec<Meter>> {
        store::meters(self.db.reader(), scope).await
    }

    /// Meters by code, read through the caller's connection.
    pub async fn meters_by_codes(
        &self,
        db: &impl ConnectionTrait,
        scope: &Scope,
        codes: &[String],
    ) -> StoreResult<Vec<Meter>> {
        let mut meters = store::meters(db, scope).await?;
        meters.retain(|m| codes.contains(&m.code));
        Ok(meters)
    }

    /// How many models there are, counted up to `limit`.
    pub async fn count_models(&self, scope: &Scope, limit: u64) -> StoreResult<u64> {
        store::count_models(self.db.reader(), scope, limit).await
    }

    /// Models by id, in any order.
    pub async fn models_by_ids(&self, scope: &Scope, ids: &[DeviceModelId]) -> StoreResult<Vec<DeviceModel>> {
        store::models_by_ids(self.db.reader(), scope, ids).await
    }

    /// Models by code, in any order; for imports.
    pub async fn models_by_codes(&self, scope: &Scope, codes: &[String]) -> StoreResult<Vec<DeviceModel>> {
        store::models_by_codes(self.db.reader(), scope, codes).await
    }

    /// Models sorted by maker and name.
    pub async fn models_page(
        &self,
        scope: &Scope,
        after: Option<&(String, String, Uuid)>,
        limit: u64,
    ) -> StoreResult<Vec<DeviceModel>> {
        store::models_page(self.db.reader(), scope, after, limit).await
    }

    /// Every holiday known, read through the caller's connection.
    pub async fn holidays(&self, db: &impl ConnectionTrait) -> StoreResult<Vec<Holiday>> {
        store::holidays(db).await
    }

    /// Adds a meter, or changes the name, unit and source of the one with its code. Kind and
    /// decimals stay: stored values are whole numbers of the smallest unit.
    ///
    /// # Errors
    /// Texts or decimals out of bounds; another kind or other decimals than the meter has.
    pub async fn upsert_meter(&self, call: &Call, meter: Meter) -> Result<MeterPut, Error> {
        let invalid = |field: &str, problem: String| Error::Invalid { field: field.into(), problem };
        let text = |value: &str, field: &str, max: usize| {
            clean_text(value, max).map_err(|e| invalid(field, format!("{field} {e}")))
        };
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let meter = Meter {
            code: text(&meter.code, "code", 64)?,
            name: LocalizedText { en: text(&meter.name.en, "name", 200)?, zh: text(&meter.name.zh, "name", 200)? },
            kind: meter.kind,
            unit: text(&meter.unit, "unit", 32)?,
            decimals: meter.decimals,
            source: text(&meter.source, "source", 500)?,
        };
        if !(0..=6).contains(&meter.decimals) {
            return Err(invalid("decimals", format!("decimals is {}; give 0 to 6", meter.decimals)));
        }
        let known = store::meters(tx.conn(), tx.scope()).await?;
        if let Some(old) = known.iter().find(|m| m.code == meter.code)
            && (old.kind != meter.kind || old.decimals != meter.decimals)
        {
            return Err(invalid(
                "code",
                format!(
                    "{} is a {} with {} decimals, and its readings are kept so; choose another code",
                    old.code, old.kind, old.decimals
                ),
            ));
        }
        store::put_meter(tx.conn(), tx.scope(), &meter).await?;
        let done = MeterPut { code: meter.code };
        tx.finish(&done).await?;
        Ok(done)
    }

    /// Makes a model with its meters and parts; meters that do not exist yet become counters.
    ///
    /// # Errors
    /// A model that exists; names, figures or texts out of bounds.
    pub async fn create_model(&self, call: &Call, new: NewModel) -> Result<ModelCreated, Error> {
        let invalid = |field: &str, problem: String| Error::Invalid { field: field.into(), problem };
        let named = |value: &str, field: &str, name: &str, max: usize| {
            clean_text(value, max).map_err(|problem| Error::Text { field: field.into(), name: name.into(), problem })
        };
        let text = |value: &str, field: &str, max: usize| named(value, field, field, max);
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let manufacturer = text(&new.manufacturer, "manufacturer", 100)?;
        let name = text(&new.name, "name", 100)?;
        let code = match &new.code {
            Some(code) => text(code, "code", 64)?,
            None => format!("{manufacturer}/{name}/{}", new.hardware_revision.as_deref().unwrap_or("").trim()),
        };
        if new.meters.len() > 50 {
            return Err(Error::TooMany { field: "meters", given: new.meters.len(), max: 50 });
        }
        let parts: HashSet<ComponentKind> = new.components.iter().map(|c| c.kind).collect();
        if parts.len() < new.components.len() {
            return Err(invalid("components", "give each part once".into()));
        }
        let optional = |value: &Option<String>, field: &str, max: usize| {
            value.as_deref().filter(|v| !v.trim().is_empty()).map(|v| text(v, field, max)).transpose()
        };
        let hardware_revision = optional(&new.hardware_revision, "hardwareRevision", 100)?.unwrap_or_default();
        let form_factor = optional(&new.form_factor, "formFactor", 100)?;
        let platform = optional(&new.platform, "platform", 100)?;
        let source = optional(&new.source, "source", 500)?.unwrap_or_else(|| "the organization".into());
        let notes = optional(&new.notes, "notes", 4_000)?;
        let known = store::meters(tx.conn(), tx.scope()).await?;
        let mut unknown = Vec::new();
        let mut meters: Vec<ModelMeter> = Vec::new();
        for m in &new.meters {
            let meter_code = text(&m.meter_code, "meters", 64)?;
            if meters.iter().any(|k| k.meter_code == meter_code) {
                return Err(invalid("meters", format!("{meter_code} is given twice")));
            }
            let meter = match known.iter().find(|k| k.code == meter_code) {
                Some(meter) => meter.clone(),
                None => {
                    let meter = Meter {
                        name: LocalizedText { en: meter_code.clone(), zh: meter_code.clone() },
                        code: meter_code.clone(),
                        kind: MeterKind::Counter,
                        unit: "count".into(),
                        decimals: 0,
                        source: "the organization".into(),
                    };
                    unknown.push(meter.clone());
                    meter
                }
            };
            let units = |value: f64, field: &str| {
                meter.to_units(value).map_err(|e| invalid("meters", format!("{field} of {meter_code} {e}")))
            };
            let max_per_day = units(m.max_per_day, "maxPerDay")?;
            let modulus = m.modulus.map(|v| units(v, "modulus")).transpose()?;
            if max_per_day <= 0
                || modulus.is_some_and(|v| v <= 0)
                || !(0.0..=m.max_per_day).contains(&m.planning_per_day)
            {
                return Err(invalid(
                    "meters",
                    format!(
                        "maxPerDay and modulus of {meter_code} must be above 0, planningPerDay from 0 to maxPerDay"
                    ),
                ));
            }
            let rated_life = m.rated_life.map(|v| units(v, "ratedLife")).transpose()?;
            if rated_life.is_some_and(|v| v <= 0) {
                return Err(invalid("meters", format!("ratedLife of {meter_code} must be above 0")));
            }
            meters.push(ModelMeter {
                modulus,
                max_per_day,
                rated_life,
                rated_life_basis: rated_life.map(|_| m.rated_life_basis.unwrap_or(Basis::Assumed)),
                rated_life_source: m
                    .rated_life_source
                    .as_deref()
                    .filter(|v| !v.trim().is_empty())
                    .map(|v| named(v, "meters", "ratedLifeSource", 500))
                    .transpose()?,
                planning_per_day: m.planning_per_day * 10_f64.powi(meter.decimals),
                meter_code,
            });
        }
        for component in &new.components {
            if let Some(code) = &component.rated_meter
                && !meters.iter().any(|m| m.meter_code == *code)
            {
                let code: String = code.chars().take(64).collect();
                return Err(invalid(
                    "components",
                    format!("the model has no meter {code} to rate its {} by", component.kind),
                ));
            }
        }
        store::add_meters(tx.conn(), tx.scope(), &unknown).await?;
        let model = DeviceModel {
            id: self.ids.next(call.now),
            code,
            manufacturer: manufacturer.clone(),
            name: name.clone(),
            hardware_revision,
            form_factor,
            platform,
            source,
            is_assumed: new.is_assumed || meters.iter().any(|m| m.rated_life_basis == Some(Basis::Assumed)),
            notes,
            meters,
            components: new.components,
            version: 1,
            created_at: call.now,
        };
        if !store::models_by_codes(tx.conn(), tx.scope(), std::slice::from_ref(&model.code)).await?.is_empty()
            && new.code.is_some()
        {
            return Err(Error::CodeTaken { code: model.code });
        }
        store::insert_model(tx.conn(), tx.scope(), &model).await.map_err(|e| match e {
            StoreError::Conflict { .. } => Error::ModelExists { manufacturer, name },
            other => Error::Store(other),
        })?;
        let created = ModelCreated { model_id: model.id };
        tx.finish(&created).await?;
        Ok(created)
    }

    /// The closed lists of failures.
    pub async fn failure_lists(&self, scope: &Scope) -> StoreResult<FailureLists> {
        store::failure_lists(self.db.reader(), scope).await
    }

    /// Every freeze period, by first day and code.
    pub async fn freeze_periods(&self, scope: &Scope) -> StoreResult<Vec<FreezePeriod>> {
        store::freeze_periods(self.db.reader(), scope).await
    }

    /// Adds a freeze period, or changes the one with its code. What it moves is decided anew: every
    /// device and site is marked for the planner.
    ///
    /// # Errors
    /// What [`rules::freeze_period`] refuses; another version than the caller had, or a version of
    /// a freeze that is not there; too many freeze periods.
    pub async fn put_freeze_period(
        &self,
        call: &Call,
        new: &NewFreezePeriod,
        expected_version: Option<i64>,
    ) -> Result<FreezePeriod, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let mut period = rules::freeze_period(new, self.ids.next(call.now), 1)?;
        let known = store::freeze_periods(tx.conn(), tx.scope()).await?;
        let old = known.iter().find(|k| k.code == period.code);
        check_version(&period.code, old, expected_version)?;
        match old {
            Some(old) => {
                period.id = old.id;
                period.version = old.version + 1;
                if !store::update_freeze_period(tx.conn(), tx.scope(), &period, old.version).await? {
                    return Err(Error::Conflict { expected: old.version, actual: old.version + 1 });
                }
            }
            None if known.len() >= MAX_FREEZE_PERIODS => {
                return Err(Error::FreezePeriodsFull { max: MAX_FREEZE_PERIODS });
            }
            None => store::insert_freeze_period(tx.conn(), tx.scope(), &period).await.map_err(|e| match e {
                // Two at once: the other one was first.
                StoreError::Conflict { .. } => Error::Conflict { expected: 0, actual: 1 },
                other => Error::Store(other),
            })?,
        }
        tx.mark_everything(self.ids.uuid(tx.now()));
        tx.finish(&period).await?;
        Ok(period)
    }

    /// Removes a freeze period and answers it as it was; every device and site is marked for the
    /// planner.
    ///
    /// # Errors
    /// An unknown code, another version than the caller had.
    pub async fn remove_freeze_period(
        &self,
        call: &Call,
        code: &str,
        expected_version: Option<i64>,
    ) -> Result<FreezePeriod, Error> {
        let tx = self.db.begin(call).await?;
        if let Some(done) = tx.replay().await? {
            return Ok(done);
        }
        let code = rules::text(code, "code", "code", 64)?;
        let known = store::freeze_periods(tx.conn(), tx.scope()).await?;
        let old = known.into_iter().find(|k| k.code == code);
        check_version(&code, old.as_ref(), expected_version)?;
        let period = old.ok_or(Error::NotFound { what: "freeze period", code })?;
        if !store::delete_freeze_period(tx.conn(), tx.scope(), &period).await? {
            return Err(Error::Conflict { expected: period.version, actual: period.version + 1 });
        }
        tx.mark_everything(self.ids.uuid(tx.now()));
        tx.finish(&period).await?;
        Ok(period)
    }

    /// Adds seeded meters, failure lists and holidays that are not there yet.
    ///
    /// # Errors
    /// Storage.
    pub async fn seed(
        &self,
        call: &Call,
        meters: &[Meter],
        failures: &FailureLists,
        holidays: &[Holiday],
    ) -> Result<(), Error> {
        let tx = self.db.begin(call).await?;
        store::add_meters(tx.conn(), tx.scope(), meters).await?;
        store::add_failures(tx.conn(), tx.scope(), failures).await?;
        store::add_holidays(tx.conn(), holidays).await?;
        // Dates are moved off holidays; seeding is rare.
        tx.mark_everything(self.ids.uuid(call.now));
        tx.commit().await?;
        Ok(())
    }
}

/// The version a caller has is the version there is.
fn check_version(code: &str, there: Option<&FreezePeriod>, expected: Option<i64>) -> Result<(), Error> {
    match (there, expected) {
        (None, Some(_)) => Err(Error::NotFound { what: "freeze period", code: code.to_owned() }),
        (Some(period), Some(expected)) if period.version != expected => {
            Err(Error::Conflict { expected, actual: period.version })
        }
        _ => Ok(()),
    }
}
