//! What a visit says beside "done": answers to steps, parts, failures, readings, inspections. First
//! all of it is checked, then each room is told its part, in the same change.

use super::checks::{self, Answered, Inspection};
use super::error::Error;
use super::model::*;
use super::rules::{Target, in_entry, in_line};
use super::service::{Draft, VisitService};
use crate::catalogue::model::FailureLists;
use crate::catalogue::store as catalogue_store;
use crate::db::StoreResult;
use crate::db::tx::Tx;
use crate::kernel::ids::*;
use crate::planning::model::{CorrectiveNeed, LineCode, LineResult, OrderOrigin, StepKind, TaskList, VisitLineFact};
use crate::registry::model::{Binding, ComponentLife, Device, DeviceRef, Site};
use crate::registry::service::{InspectionDone, PartError, PartReplaced as Replaced, ReplacePart};
use crate::registry::store as registry_store;
use crate::usage::service::ReadingInput;
use crate::usage::store::{self as usage_store, MeterKey};
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap};

/// What the lines say, checked and ready to be told to the rooms. Lines are named by their place
/// among all lines of the change.
#[derive(Default)]
pub(super) struct Evidence {
    /// Line by line: other devices whose files will hear of it.
    pub(super) touches: Vec<Vec<DeviceId>>,
    /// Failures of devices.
    pub(super) failures: Vec<Failure>,
    /// What is odd about the answers.
    notices: Vec<(usize, LineCode)>,
    /// Failed steps that want an order.
    needs: Vec<CorrectiveNeed>,
    /// Readings taken with steps, each with its line.
    readings: Vec<(usize, ReadingInput)>,
    /// Inspections that were done.
    inspections: Vec<InspectionDone>,
    /// Line by line: orders and plans whose inspection was not passed.
    pub(super) not_passed: Vec<(Vec<WorkOrderId>, Vec<PlanId>)>,
    /// Parts, each with its line and its place on it.
    parts: Vec<(usize, usize, ReplacePart)>,
}

/// What the lists and lines name.
struct Known {
    devices: HashMap<DeviceId, Device>,
    meters: Vec<crate::catalogue::model::Meter>,
    failures: FailureLists,
}

impl VisitService {
    /// Checks everything the lines say and notes what is to be done about it; fills the rows in.
    ///
    /// # Errors
    /// The first thing that cannot be, with its place.
    pub(super) async fn evidence(
        &self,
        tx: &Tx,
        lines: &[&LogLine],
        drafts: &mut [Draft],
        facts: &[VisitLineFact],
    ) -> Result<Evidence, Error> {
        let lists = self.planning.task_lists(tx, facts).await?;
        let known = self.known_of(tx, lines, drafts, &lists).await?;
        let mut evidence = Evidence {
            touches: vec![Vec::new(); lines.len()],
            not_passed: vec![(Vec::new(), Vec::new()); lines.len()],
            ..Evidence::default()
        };
        for (place, ((line, draft), lists)) in lines.iter().zip(drafts.iter_mut()).zip(&lists).enumerate() {
            let no = usize::try_from(draft.row.line_no).unwrap_or_default();
            let serial = |id: DeviceId| known.devices.get(&id).map(|d| d.serial_number.as_str());
            let answered = checks::answers(no, &mut draft.row.step_results, lists, &known.meters, serial)?;
            evidence.note(place, draft, lists, answered);
            let work = (line.outcome, line.performed_at);
            draft.row.failure = checks::failure(no, line.failure.as_ref(), work, lists, &known.failures)?;
            evidence.note_parts(place, no, line, draft)?;
            if draft.row.failure.is_some() && matches!(draft.target, Target::Site | Target::Orders) {
                return Err(no_device(no, "a failure is one of a device: name it with deviceId or serialNumber"));
            }
        }
        self.touch(tx, &mut evidence).await?;
        self.place_failures(tx, &mut evidence, drafts, &known).await?;
        Ok(evidence)
    }

    /// Reads what the checks need; nothing where no line has anything to check.
    async fn known_of(
        &self,
        tx: &Tx,
        lines: &[&LogLine],
        drafts: &[Draft],
        lists: &[Vec<TaskList>],
    ) -> StoreResult<Known> {
        let (db, scope) = (tx.conn(), tx.scope());
        let mut ids: BTreeSet<DeviceId> = BTreeSet::new();
        let mut asks_failures = false;
        for ((line, draft), lists) in lines.iter().zip(drafts).zip(lists) {
            if !line.step_results.is_empty() {
                ids.extend(lists.iter().filter_map(checks::device_of));
            }
            if line.failure.is_some() {
                ids.extend(draft.row.device_id);
            }
            asks_failures |= line.failure.is_some() || checks::needs_failure(line.outcome, lists);
        }
        let ids: Vec<DeviceId> = ids.into_iter().collect();
        let devices = registry_store::devices_by_ids(db, scope, &ids).await?.into_iter().map(|d| (d.id, d)).collect();
        let reads = lists.iter().flatten().flat_map(|l| &l.steps).any(|s| s.kind == StepKind::MeterReading);
        let meters = if reads { catalogue_store::meters(db, scope).await? } else { Vec::new() };
        let failures = match asks_failures {
            true => catalogue_store::failure_lists(db, scope).await?,
            false => FailureLists::default(),
        };
        Ok(Known { devices, meters, failures })
    }

    /// The devices parts come from: their files are locked with the others.
    async fn touch(&self, tx: &Tx, evidence: &mut Evidence) -> StoreResult<()> {
        let serials: BTreeSet<String> =
            evidence.parts.iter().filter_map(|(_, _, p)| p.new_serial_number.clone()).collect();
        if serials.is_empty() {
            return Ok(());
        }
        let serials: Vec<String> = serials.into_iter().collect();
        let devices = self.registry.devices_of_parts(tx, &serials).await?;
        // Which of them it is turns out under the lock.
        if let Some((place, ..)) = evidence.parts.first()
            && let Some(touched) = evidence.touches.get_mut(*place)
        {
            touched.extend(devices);
        }
        Ok(())
    }

    /// The failures of devices that are known, with where the devices stood then.
    async fn place_failures(
        &self,
        tx: &Tx,
        evidence: &mut Evidence,
        drafts: &[Draft],
        known: &Known,
    ) -> StoreResult<()> {
        let failed: BTreeSet<DeviceId> =
            drafts.iter().filter(|d| d.row.failure.is_some()).filter_map(|d| d.row.device_id).collect();
        if failed.is_empty() {
            return Ok(());
        }
        let failed: Vec<DeviceId> = failed.into_iter().collect();
        let bindings = registry_store::bindings_of_devices(tx.conn(), tx.scope(), &failed).await?;
        let site_ids: BTreeSet<SiteId> = bindings.iter().map(|b| b.site_id).collect();
        let site_ids: Vec<SiteId> = site_ids.into_iter().collect();
        let sites: HashMap<SiteId, Site> = registry_store::sites_by_ids(tx.conn(), tx.scope(), &site_ids)
            .await?
            .into_iter()
            .map(|s| (s.id, s))
            .collect();
        for draft in drafts {
            let (Some(report), Some(id)) = (&draft.row.failure, draft.row.device_id) else { continue };
            let Some(device) = known.devices.get(&id) else { continue };
            let site_id = stood_at(&bindings, id, report.failed_at);
            evidence.failures.push(Failure {
                id: self.new_id(tx),
                device_id: id,
                site_id,
                model_id: device.model_id,
                region_code: site_id.and_then(|s| sites.get(&s)).and_then(|s| s.region_code.clone()),
                visit_line_id: draft.row.id,
                report: report.clone(),
                recorded_at: tx.now(),
            });
        }
        Ok(())
    }

    /// Tells the rooms: parts, readings, inspections, corrective orders. Files are locked, and the
    /// visit has its number; answers what became of it, line by line.
    ///
    /// # Errors
    /// A part that cannot have been replaced so; storage.
    pub(super) async fn act(&self, tx: &Tx, evidence: &Evidence, drafts: &[Draft]) -> Result<Vec<LineResult>, Error> {
        let mut found: Vec<LineResult> = evidence
            .notices
            .iter()
            .map(|(line, code)| LineResult { line: *line, code: *code, work_order: None })
            .collect();
        let parts: Vec<ReplacePart> = evidence.parts.iter().map(|(_, _, part)| part.clone()).collect();
        let replaced = self.registry.replace_parts(tx, &parts).await.map_err(|(place, problem)| match problem {
            PartError::Store(e) => Error::Store(e),
            problem => {
                let (line, entry) = evidence.parts.get(place).map_or((0, 0), |(line, entry, _)| (*line, *entry));
                let no = drafts.get(line).map_or(0, |d| usize::try_from(d.row.line_no).unwrap_or_default());
                Error::Part { field: in_entry(no, "partsReplaced", entry, problem.field()), problem }
            }
        })?;
        let inputs: Vec<ReadingInput> = evidence.readings.iter().map(|(_, reading)| reading.clone()).collect();
        if !inputs.is_empty() {
            let recorded = self.usage.record_in(tx, &inputs).await?;
            let refused: BTreeSet<usize> =
                recorded.rejected.iter().filter_map(|r| evidence.readings.get(r.row).map(|(line, _)| *line)).collect();
            found.extend(refused.into_iter().map(|line| LineResult {
                line,
                code: LineCode::ReadingNotTaken,
                work_order: None,
            }));
        }
        // After the readings, which say how far the counters were.
        self.keep_lives(tx, &replaced).await?;
        self.registry.record_inspections(tx, &evidence.inspections).await?;
        let opened = self.planning.open_correctives(tx, &evidence.needs).await?;
        found.extend(evidence.needs.iter().zip(opened).filter_map(|(need, order)| {
            Some(LineResult { line: need.line, code: LineCode::CorrectiveOpened, work_order: Some(order?) })
        }));
        Ok(found)
    }

    /// Keeps the life counters at which parts came and went: those of the meter that rates the part,
    /// and no other.
    async fn keep_lives(&self, tx: &Tx, replaced: &[Replaced]) -> StoreResult<()> {
        let (db, scope) = (tx.conn(), tx.scope());
        let mut keys: Vec<MeterKey> = Vec::new();
        let mut rated: Vec<&Replaced> = Vec::new();
        for part in replaced {
            if let Some(meter) = &part.rated_meter {
                keys.push((part.device_id, meter.clone()));
                rated.push(part);
            }
        }
        if rated.is_empty() {
            return Ok(());
        }
        let states = usage_store::meter_states(db, scope, &keys).await?;
        let came: Vec<(&MeterKey, DateTime<Utc>)> = keys.iter().zip(&rated).map(|(key, part)| (key, part.at)).collect();
        let went: Vec<(&MeterKey, DateTime<Utc>)> =
            keys.iter().zip(&rated).map(|(key, part)| (key, part.removed_at.unwrap_or(part.at))).collect();
        let came = usage_store::life_at(db, scope, &came, &states).await?;
        let went = usage_store::life_at(db, scope, &went, &states).await?;
        let mut lives = Vec::new();
        for (((key, part), came), went) in keys.iter().zip(&rated).zip(came).zip(went) {
            let Some(life) = came else {
                // The meter was not read yet: its first reading says at what life the part came.
                lives.push(ComponentLife {
                    component_id: part.new_id,
                    meter_code: key.1.clone(),
                    life_at_install: 0,
                    life_at_removal: None,
                });
                continue;
            };
            if let Some(component_id) = part.old_id {
                // What came with the device has all of its life on it.
                let since = part.old_lives.iter().find(|l| l.meter_code == key.1).map_or(0, |l| l.life_at_install);
                lives.push(ComponentLife {
                    component_id,
                    meter_code: key.1.clone(),
                    life_at_install: since,
                    life_at_removal: Some(life),
                });
            }
            lives.push(ComponentLife {
                component_id: part.new_id,
                meter_code: key.1.clone(),
                life_at_install: life,
                life_at_removal: went.filter(|_| part.removed_at.is_some()),
            });
        }
        // Two replacements of one part on one visit name the part between them twice.
        let mut last: HashMap<ComponentId, ComponentLife> = HashMap::new();
        for life in lives {
            let kept = last.entry(life.component_id).or_insert_with(|| life.clone());
            kept.life_at_removal = life.life_at_removal.or(kept.life_at_removal);
        }
        let lives: Vec<ComponentLife> = last.into_values().collect();
        registry_store::upsert_component_lives(db, scope, &lives).await
    }
}

/// Where a device stood at a moment.
fn stood_at(bindings: &[Binding], device: DeviceId, at: DateTime<Utc>) -> Option<SiteId> {
    bindings
        .iter()
        .find(|b| b.device_id == device && b.started_at <= at && b.ended_at.is_none_or(|end| at < end))
        .map(|b| b.site_id)
}

fn no_device(line: usize, what: &str) -> Error {
    Error::Required { field: in_line(line, "deviceId"), what: what.to_owned() }
}

impl Evidence {
    /// Notes what the answers of a line come to.
    fn note(&mut self, place: usize, draft: &Draft, lists: &[TaskList], answered: Answered) {
        let row = &draft.row;
        let is_done = row.outcome == VisitLineOutcome::Done;
        let mut say = |code: LineCode| {
            if !self.notices.contains(&(place, code)) {
                self.notices.push((place, code));
            }
        };
        if is_done && answered.reviews.iter().any(|r| !r.missing.is_empty()) {
            say(LineCode::StepsMissing);
        }
        if answered.reviews.iter().any(|r| !r.failed.is_empty()) {
            say(LineCode::StepFailed);
        }
        for (list, review) in lists.iter().zip(&answered.reviews) {
            if let Some(inspection) = checks::inspection(list, review)
                && is_done
                && let Some(device_id) = checks::device_of(list)
            {
                let is_passed = inspection == Inspection::Passed;
                say(if is_passed { LineCode::InspectionPassed } else { LineCode::InspectionNotPassed });
                if inspection == Inspection::Failed {
                    self.not_passed[place].0.extend(list.work_order_id);
                    self.not_passed[place].1.extend(list.plan_id);
                }
                if inspection != Inspection::Nothing {
                    self.inspections.push(InspectionDone {
                        device_id,
                        performed_at: row.performed_at,
                        visit_line_id: row.id,
                        is_passed,
                    });
                }
            }
            for step in &review.failed {
                let Some(asked) = list.steps.get(*step as usize - 1).filter(|s| s.opens_corrective) else { continue };
                self.needs.push(CorrectiveNeed {
                    line: place,
                    subject: list.subject,
                    origin: OrderOrigin {
                        visit_id: row.visit_id,
                        visit_line_id: row.id,
                        plan_id: list.plan_id,
                        step: *step,
                    },
                    text: asked.text.clone(),
                    performed_at: row.performed_at,
                });
            }
        }
        for reading in answered.readings {
            match reading.device_id.or(row.device_id) {
                Some(device) => self.readings.push((
                    place,
                    ReadingInput {
                        device: DeviceRef::Id(device),
                        meter: reading.meter,
                        value: reading.value,
                        read_at: row.performed_at,
                    },
                )),
                None => self.notices.push((place, LineCode::ReadingNotTaken)),
            }
        }
    }

    /// Notes the parts of a line; those of a device nobody knows are kept as they were said.
    fn note_parts(&mut self, place: usize, no: usize, line: &LogLine, draft: &Draft) -> Result<(), Error> {
        if line.parts_replaced.is_empty() {
            return Ok(());
        }
        let device_id = match draft.target {
            Target::Device(device) => device,
            Target::Unresolved => return Ok(()),
            Target::Site | Target::Orders => {
                return Err(no_device(no, "a part is replaced in a device: name it with deviceId or serialNumber"));
            }
        };
        for (entry, part) in line.parts_replaced.iter().enumerate() {
            self.parts.push((
                place,
                entry,
                ReplacePart {
                    device_id,
                    kind: part.component_kind,
                    old_serial_number: part.old_serial_number.clone(),
                    new_serial_number: part.new_serial_number.clone(),
                    warranty_ends_on: part.warranty_ends_on,
                    part_number: part.part_number.clone(),
                    performed_at: line.performed_at,
                    visit_line_id: draft.row.id,
                },
            ));
        }
        Ok(())
    }
}
