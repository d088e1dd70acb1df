//! Use cases of reports: stream the facts of a period past the rules, and read the sums off.

use super::error::Error;
use super::model::{Dimension, FleetReport, Group, GroupKey, Place, Question, Standing};
use super::promise_store;
use super::rules::{self, Accuracy, Outage, Stay, Tally, Telling};
use super::store::{self, FailureFact, OrderFact, Period, SiteFacts};
use crate::catalogue::model::FailureOrigin;
use crate::db::{ConnectionTrait, Db, StoreResult};
use crate::kernel::ids::{DeviceId, DeviceModelId, MerchantId, PlanId, SiteId, WorkOrderId};
use crate::kernel::scope::Scope;
use crate::kernel::text::LocalizedText;
use crate::planning::model::LogKind;
use crate::planning::store as planning_store;
use crate::registry::model::DeviceFilter;
use crate::registry::store as registry_store;
use crate::usage::model::MeterKey;
use crate::usage::store as usage_store;
use crate::visits::model::VisitLineOutcome;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Figures of the fleet, and its lists as files.
pub struct ReportService {
    pub(super) db: Db,
}

/// The fleet as facts are looked up in it.
struct Fleet {
    filter: DeviceFilter,
    /// Devices that are asked for, with their models.
    models: HashMap<DeviceId, DeviceModelId>,
    sites: HashMap<Uuid, SiteFacts>,
    /// Where devices stood, in the period.
    stays: HashMap<DeviceId, Vec<Stay>>,
    /// The organization's zone.
    zone: Tz,
}

impl Fleet {
    /// Whether work on a device, or else on a site, is asked for.
    fn takes(&self, device: Option<DeviceId>, site: Option<Uuid>) -> bool {
        match device {
            Some(device) => self.models.contains_key(&device),
            None => site.and_then(|id| self.sites.get(&id).map(|facts| (id, facts))).is_some_and(|(id, facts)| {
                let merchant = MerchantId(facts.merchant);
                rules::takes_site(&self.filter, SiteId(id), merchant, facts.region.as_deref())
            }),
        }
    }

    /// Zone of the civil days at a site.
    fn zone_of(&self, site: Option<Uuid>) -> Tz {
        site.and_then(|id| self.sites.get(&id)).map_or(self.zone, |facts| facts.zone)
    }

    /// A device at a site.
    fn place(&self, device: DeviceId, site: Uuid, at: DateTime<Utc>) -> Place {
        Place {
            model: self.models.get(&device).map(|model| model.0),
            site: Some(site),
            region: self.sites.get(&site).and_then(|facts| facts.region.clone()),
            kind: None,
            at,
        }
    }

    /// The place of an item's occurrence: where its device stood then, as far as that is known.
    fn as_it_was(&self, device: Option<DeviceId>, place: Place) -> Place {
        let stays = device.and_then(|d| self.stays.get(&d)).map(Vec::as_slice).unwrap_or_default();
        match rules::stay_at(stays, place.at) {
            Some(stay) => Place {
                site: Some(stay.site),
                region: self.sites.get(&stay.site).and_then(|facts| facts.region.clone()),
                ..place
            },
            None => place,
        }
    }
}

impl ReportService {
    /// Builds the service.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// The figures of a period as they are known at `now`, in a number of statements that does not
    /// depend on the size of the fleet, all as of one moment.
    ///
    /// # Errors
    /// A period that is empty or longer than ten years, a band wider than 366 days.
    pub async fn fleet_report(
        &self,
        scope: &Scope,
        question: Question,
        now: DateTime<Utc>,
    ) -> Result<FleetReport, Error> {
        rules::check(&question)?;
        let at = self.db.snapshot().await?;
        let period = Period { from: question.period_start, to: question.period_end };
        // What has not happened yet is no figure.
        let passed = Period { from: period.from, to: period.to.min(now).max(period.from) };
        let fleet = Fleet {
            models: registry_store::models_of_devices(&at, scope, &question.filter).await?,
            sites: store::sites(&at, scope).await?,
            stays: store::stays(&at, scope, passed).await?,
            zone: registry_store::organization(&at, scope).await?.time_zone,
            filter: question.filter.clone(),
        };
        let waivers: HashSet<PlanId> = planning_store::all_plans(&at, scope)
            .await?
            .into_iter()
            .filter(|plan| plan.definition.is_compliance)
            .map(|plan| plan.id)
            .collect();
        let mut tally = Tally::new(question.group_by, fleet.zone);

        // Occurrences, and what became of them.
        let dated = |tally: &mut Tally, fact: OrderFact| {
            if fleet.takes(fact.device, fact.place.site) {
                let zone = fleet.zone_of(fact.place.site);
                tally.occurrence(&fact.place, rules::standing(question.band, zone, &fact.found, now));
            }
        };
        store::orders(&at, scope, period, |fact| dated(&mut tally, fact)).await?;
        store::items_without_order(&at, scope, passed, |fact| dated(&mut tally, fact)).await?;
        store::missed_and_skipped(&at, scope, period, |fact| {
            if fleet.takes(fact.device, fact.place.site) {
                let standing = match fact.kind {
                    LogKind::Missed => Standing::Missed,
                    _ if waivers.contains(&fact.plan) => Standing::Waived,
                    _ => Standing::Skipped,
                };
                tally.occurrence(&fleet.as_it_was(fact.device, fact.place), standing);
            }
        })
        .await?;
        store::done_without_order(&at, scope, period, |fact| {
            if fleet.takes(fact.device, fact.place.site) {
                tally.done_without_order(&fleet.as_it_was(fact.device, fact.place));
            }
        })
        .await?;

        // Repairs under an order, and what was tried before.
        let repairs: HashMap<WorkOrderId, store::RepairFact> = store::repairs(&at, scope, period)
            .await?
            .into_iter()
            .filter(|repair| fleet.takes(repair.device, repair.place.site))
            .map(|repair| (repair.id, repair))
            .collect();
        let mut tried: HashSet<WorkOrderId> = HashSet::new();
        store::attempts(&at, scope, period, |attempt| {
            for repair in attempt.work_orders.iter().filter_map(|id| repairs.get(id)) {
                let is_before = repair.done_at.is_none_or(|done| attempt.performed_at <= done);
                match attempt.outcome {
                    // Nobody got to the device: no attempt, whenever it was.
                    #[allow(
                        clippy::collapsible_match,
                        reason = "a guard lets what came before the period fall through"
                    )]
                    VisitLineOutcome::NoAccess | VisitLineOutcome::SiteClosed => {
                        if attempt.performed_at >= period.from {
                            tally.no_access(&Place { at: attempt.performed_at, ..repair.place.clone() });
                        }
                    }
                    _ if is_before => {
                        tried.insert(repair.id);
                    }
                    _ => {}
                }
            }
        })
        .await?;
        let followed = store::lines_followed_up(&at, scope, period.from).await?;

        // Failures; one may be told on several visits.
        let mut facts: Vec<FailureFact> = Vec::new();
        store::failures(&at, scope, period, |fact| {
            if fleet.models.contains_key(&fact.device) {
                facts.push(fact);
            }
        })
        .await?;
        let tellings: Vec<Telling> = facts.iter().map(telling).collect();
        let reported = rules::reported(&tellings);
        let mut outages: HashMap<DeviceId, Vec<Outage>> = HashMap::new();
        let mut told: HashMap<usize, Told> = HashMap::new();
        for (fact, reported) in facts.iter().zip(&reported) {
            told.entry(reported.counted).or_default().add(fact, |id| repairs.contains_key(&id));
        }
        for (place, (fact, reported)) in facts.iter().zip(&reported).enumerate() {
            if reported.counted != place {
                continue;
            }
            let failed_at = fact.place.at;
            if failed_at >= period.from {
                let repair = fact.restored_at.map(|at| (at - failed_at).num_milliseconds());
                tally.failure(&fact.place, fact.origin, repair);
            }
            if rules::counts_against_devices(fact.origin) {
                let outage = Outage { failed_at, restored_at: reported.ended_at };
                outages.entry(fact.device).or_default().push(outage);
            }
            // Work that had no order to go by; with one it is counted below.
            let others = told.get(&place).copied().unwrap_or_default();
            let is_fault = fact.origin != FailureOrigin::NoneFound;
            if let Some((outcome, done_at)) = attempt(fact).filter(|_| !others.is_ordered && is_fault)
                && done_at >= period.from
                && done_at < period.to
            {
                let is_first = outcome == VisitLineOutcome::Done
                    && fact.restored_at.is_some()
                    && others.first_work_at.is_none_or(|first| first >= done_at)
                    && !followed.contains(&fact.line);
                tally.fix(&Place { at: done_at, ..fact.place.clone() }, is_first);
            }
        }
        let with_fault = |is_fault: bool| -> HashSet<WorkOrderId> {
            let found = facts.iter().filter(|f| (f.origin != FailureOrigin::NoneFound) == is_fault);
            found.filter_map(|f| f.work_order).collect()
        };
        let (faulty, faultless) = (with_fault(true), with_fault(false));
        for repair in repairs.values().filter(|r| r.done_at.is_some_and(|done| done < period.to)) {
            // Where nothing was found, nothing was repaired.
            if faultless.contains(&repair.id) && !faulty.contains(&repair.id) {
                continue;
            }
            let is_followed = repair.line.is_some_and(|line| followed.contains(&line));
            tally.fix(&repair.place, !tried.contains(&repair.id) && !is_followed);
        }
        for (device, stays) in fleet.stays.iter().filter(|(device, _)| fleet.models.contains_key(*device)) {
            for stay in stays {
                if let Some((from, to)) = stay.within(passed.from, passed.to) {
                    tally.stood(&fleet.place(*device, stay.site, from), from, to);
                }
            }
            if let Some(outages) = outages.get(device) {
                for down in rules::downtime(outages, stays, passed.from, passed.to) {
                    tally.down(&fleet.place(*device, down.site, down.from), down.from, down.to);
                }
            }
        }
        let accuracy = match question.wants_forecast {
            true => forecasts(&at, scope, &question, &fleet, &mut tally).await?,
            false => Accuracy::default(),
        };
        let names = match question.group_by {
            Some(Dimension::Model) => store::model_names(&at, scope).await?,
            _ => HashMap::new(),
        };
        let (total, groups) = tally.into_parts();
        let mut groups: Vec<Group> = groups
            .into_iter()
            .map(|(key, figures)| Group {
                label: label(&key, question.group_by, &names, &fleet),
                key: key.text(),
                figures,
            })
            .collect();
        groups.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let group_count = groups.len();
        groups.truncate(rules::MAX_GROUPS);
        Ok(FleetReport {
            period_start: question.period_start,
            period_end: question.period_end,
            group_by: question.group_by,
            total,
            groups,
            group_count,
            forecasts: accuracy.into_groups(rules::MAX_FORECAST_GROUPS),
        })
    }
}

/// What the reports of one failure come to together.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    /// One of them is of a repair that had an order.
    is_ordered: bool,
    /// When somebody first worked on it.
    first_work_at: Option<DateTime<Utc>>,
}

impl Told {
    fn add(&mut self, fact: &FailureFact, is_repair: impl Fn(WorkOrderId) -> bool) {
        self.is_ordered |= fact.work_order.is_some_and(is_repair);
        if let Some((_, at)) = attempt(fact) {
            self.first_work_at = Some(self.first_work_at.map_or(at, |first| first.min(at)));
        }
    }
}

/// How the work that reported a failure ended and when; none where nobody got to the device.
fn attempt(fact: &FailureFact) -> Option<(VisitLineOutcome, DateTime<Utc>)> {
    fact.work.filter(|(outcome, _)| !matches!(outcome, VisitLineOutcome::NoAccess | VisitLineOutcome::SiteClosed))
}

fn telling(fact: &FailureFact) -> Telling {
    Telling {
        id: fact.id,
        device: fact.device,
        code: fact.code.clone(),
        failed_at: fact.place.at,
        restored_at: fact.restored_at,
    }
}

/// Compares the days that were told with those on which the counters got there, page by page: adds
/// them to the figures, and answers them by model and how far ahead they were told.
async fn forecasts(
    db: &impl ConnectionTrait,
    scope: &Scope,
    question: &Question,
    fleet: &Fleet,
    tally: &mut Tally,
) -> StoreResult<Accuracy> {
    let period = Period { from: question.period_start, to: question.period_end };
    let mut accuracy = Accuracy::default();
    let mut after = None;
    loop {
        let (promises, last) = promise_store::promises(db, scope, period, after).await?;
        let meters: Vec<MeterKey> = promises.iter().map(|p| p.meter.clone()).collect();
        let states = usage_store::meter_states(db, scope, &meters).await?;
        let targets: Vec<(&MeterKey, i64)> = meters.iter().zip(promises.iter().map(|p| p.target)).collect();
        let crossings = usage_store::crossings(db, scope, &targets, &states).await?;
        for (promise, crossed_at) in promises.iter().zip(crossings) {
            let Some(model) = fleet.models.get(&promise.meter.0) else { continue };
            let compared = crossed_at.and_then(|at| rules::compare(question.band, &promise.issue, &promise.found, at));
            if let Some(compared) = compared {
                tally.forecast(&promise.place, &compared);
                accuracy.add(*model, &compared);
            }
        }
        match last {
            Some(id) => after = Some(id),
            None => return Ok(accuracy),
        }
    }
}

/// What a group is called.
fn label(key: &GroupKey, dimension: Option<Dimension>, models: &HashMap<Uuid, String>, fleet: &Fleet) -> LocalizedText {
    let same = |text: String| LocalizedText { en: text.clone(), zh: text };
    match key {
        GroupKey::Nothing => rules::nothing_of(dimension.unwrap_or(Dimension::Model)),
        GroupKey::Model(id) => same(models.get(id).cloned().unwrap_or_default()),
        GroupKey::Site(id) => same(fleet.sites.get(id).map(|site| site.name.clone()).unwrap_or_default()),
        GroupKey::Kind(kind) => rules::kind_name(*kind),
        GroupKey::Region(_) | GroupKey::Month(..) => same(key.text()),
    }
}
