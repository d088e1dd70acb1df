//! Looking ahead: the load to come, and what a plan would do before it does it. Nothing is written.

use super::PlanningService;
use super::facts::Pair;
use super::plans::{NewPlan, PlanUpdate};
use crate::db::StoreResult;
use crate::kernel::calendar::{local_date, start_of_day};
use crate::kernel::ids::{PlanId, SiteId};
use crate::kernel::scope::Scope;
use crate::kernel::subject::Subject;
use crate::planning::error::Error;
use crate::planning::foresight::*;
use crate::planning::model::*;
use crate::planning::rules::{self, CompiledPlan, Decision, ItemFacts, OrderMove, Spread, Workload};
use crate::planning::store;
use crate::registry::model::Technician;
use crate::registry::store as registry_store;
use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Rows of upcoming maintenance one statement brings.
const PAGE: u64 = 5_000;
/// Rows of upcoming maintenance one answer looks at.
const MAX_ROWS: usize = 200_000;
/// Later occurrences of one item in one answer.
const MAX_LATER: usize = 732;
/// Subjects one preview looks at, and how many at once.
const MAX_SUBJECTS: usize = 20_000;
const BATCH: usize = 500;
/// Moves a preview names.
const MAX_MOVES: usize = 50;
/// Technicians of an organization that count as capacity.
const MAX_TECHNICIANS: u64 = 10_000;
/// Days beyond the range whose work can still fall into it early.
const TAIL_DAYS: i64 = 92;
/// A share of work too small to be shown in a week.
const NEGLIGIBLE: f64 = 0.001;

/// A plan as it would be.
#[derive(Clone, Debug)]
pub enum Proposal {
    /// A new plan.
    New(NewPlan),
    /// A change of one that is there.
    Change(PlanUpdate),
}

fn monday(day: NaiveDate) -> NaiveDate {
    day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday()))).unwrap_or(day)
}

/// One occurrence of work, as load counts it.
struct Work<'a> {
    key: LoadKey,
    site: Option<SiteId>,
    is_field: bool,
    is_covered: bool,
    minutes: f64,
    plan: Option<&'a CompiledPlan>,
    due: Due,
    explanation: Option<&'a Explanation>,
    /// Its order has a date of its own.
    is_frozen: bool,
}

#[derive(Default)]
struct Cell {
    items: u64,
    covered: u64,
    sites: HashSet<(Option<SiteId>, NaiveDate)>,
    work: Workload,
}

impl Cell {
    fn figures(&self, capacity_hours: Option<f64>) -> LoadFigures {
        LoadFigures {
            items: self.items,
            covered: self.covered,
            visits: self.sites.len() as u64,
            hours_p50: self.work.hours_p50(),
            hours_p90: self.work.hours_p90(),
            capacity_hours,
        }
    }
}

/// The spread of an occurrence's date, as the forecast behind it knows it.
fn spread(explanation: Option<&Explanation>, day: NaiveDate, is_frozen: bool) -> Spread {
    let winner = explanation.and_then(|e| e.candidates.get(e.winner?));
    match winner.and_then(|c| c.basis.as_ref()).filter(|_| !is_frozen) {
        Some(basis) => match (basis.p10, basis.p50, basis.p90) {
            (Some(p10), Some(p50), p90) if p10 <= p50 => {
                let p90 = p90.filter(|d| *d >= p50).unwrap_or(p50 + (p50 - p10));
                Spread { p10, p50, p90 }.around(day)
            }
            _ => Spread::certain(day),
        },
        None => Spread::certain(day),
    }
}

/// The civil days an answer is about.
#[derive(Clone, Copy)]
struct Range {
    from: NaiveDate,
    before: NaiveDate,
    today: NaiveDate,
}

/// Puts every occurrence of a piece of work into its cells.
fn spread_out(
    work: &Work<'_>,
    occurrences: &[Occurrence],
    zone: Tz,
    range: Range,
    mut put: impl FnMut(&Occurrence, NaiveDate, bool, f64),
) {
    for occurrence in occurrences {
        // What is overdue waits for the people of this week.
        let due_on = local_date(zone, occurrence.due_at);
        let day = due_on.max(range.today);
        let date = spread(work.explanation, day, (work.is_frozen && !occurrence.is_projected) || due_on < range.today);
        let own_week = monday(day);
        if work.is_covered && !occurrence.is_projected {
            if day < range.before {
                put(occurrence, own_week, true, 0.0);
            }
            continue;
        }
        let floor = range.from.min(day);
        let first_week = monday(date.p10.max(floor));
        let mut week = first_week;
        while week < range.before {
            let end = week + TimeDelta::days(7);
            // What could have fallen before today is done this week at the earliest.
            let is_first = week == first_week && floor <= range.today;
            let begin = if is_first { NaiveDate::MIN } else { week.max(floor) };
            let share = date.within(begin, end.min(range.before));
            if share > NEGLIGIBLE {
                put(occurrence, week, week == own_week, share);
            } else if week > date.p90 {
                break;
            }
            week = end;
        }
    }
}

impl PlanningService {
    /// The work that falls due before a moment, with later occurrences as they are projected: items,
    /// visits with one site counted once a week, hours with their spread, against the technicians' hours.
    ///
    /// # Errors
    /// Storage only.
    pub async fn load_ahead(
        &self,
        scope: &Scope,
        filter: &UpcomingFilter,
        from: Option<DateTime<Utc>>,
        before: DateTime<Utc>,
        group_by: &[LoadDimension],
        now: DateTime<Utc>,
    ) -> StoreResult<Load> {
        let db = self.db.snapshot().await?;
        let book = self.plan_book(&db, scope).await?;
        let organization = registry_store::organization(&db, scope).await?;
        let technicians = registry_store::technicians_page(&db, scope, None, MAX_TECHNICIANS).await?;
        let zone = organization.time_zone;
        let today = local_date(zone, now);
        let range = Range {
            from: from.map_or(today, |at| local_date(zone, at)),
            before: local_date(zone, before - TimeDelta::microseconds(1)) + TimeDelta::days(1),
            today,
        };
        let read_before = before + TimeDelta::days(TAIL_DAYS);
        let mut total = Cell::default();
        let mut cells: BTreeMap<LoadKey, Cell> = BTreeMap::new();
        let mut weeks: BTreeSet<NaiveDate> = BTreeSet::new();
        let mut after = None;
        let mut seen = 0;
        let is_complete = loop {
            let rows = store::upcoming_page(&db, scope, filter, None, read_before, after.as_ref(), PAGE, now).await?;
            let is_last = (rows.len() as u64) < PAGE;
            after = rows.last().map(store::upcoming_key);
            seen += rows.len();
            for row in &rows {
                let (plan_id, row_zone) = match row {
                    Upcoming::Order(o) => (o.plan_id, o.explanation.as_ref()),
                    Upcoming::Item(i) => (Some(i.plan_id), i.explanation.as_ref()),
                };
                let row_zone = row_zone.and_then(|e| e.zone.parse().ok()).unwrap_or(zone);
                let plan = plan_id.and_then(|id| book.plan(id)).filter(|p| p.plan.is_active);
                let Some(work) = work_of(row, plan) else { continue };
                let occurrences = match (work.plan, work.explanation) {
                    (Some(plan), Some(explanation)) => {
                        rules::occurrences(plan, &work.due, explanation, now, read_before, MAX_LATER)
                    }
                    _ => vec![Occurrence {
                        due_at: work.due.due_at.unwrap_or(work.due.nominal_at),
                        window_start: work.due.window_start,
                        window_end: work.due.window_end,
                        trigger: TriggerKind::CalendarFloating,
                        is_projected: false,
                    }],
                };
                let wanted: Vec<Occurrence> =
                    occurrences.into_iter().filter(|o| from.is_none_or(|from| o.due_at >= from)).collect();
                spread_out(&work, &wanted, row_zone, range, |occurrence, week, is_own_week, share| {
                    weeks.insert(week);
                    let mut key = LoadKey::default();
                    for dimension in group_by {
                        match dimension {
                            LoadDimension::Week => key.week = Some(week),
                            LoadDimension::Region => key.region.clone_from(&work.key.region),
                            // Later ones are given to nobody yet, and are of the plan's own kind.
                            LoadDimension::Technician if occurrence.is_projected => {}
                            LoadDimension::Technician => key.technician = work.key.technician,
                            LoadDimension::Kind if occurrence.is_projected => {
                                key.kind = work.plan.map(|p| p.definition().kind);
                            }
                            LoadDimension::Kind => key.kind = work.key.kind,
                            LoadDimension::Channel => key.channel = work.key.channel,
                        }
                    }
                    for cell in [&mut total, cells.entry(key).or_default()] {
                        if is_own_week {
                            cell.items += 1;
                            if share == 0.0 {
                                cell.covered += 1;
                            } else if work.is_field {
                                cell.sites.insert((work.site, week));
                            }
                        }
                        cell.work.add(work.minutes, share);
                    }
                });
            }
            if is_last || seen >= MAX_ROWS {
                break is_last;
            }
        };
        let week_count = weeks.len().max(1) as f64;
        let groups = cells
            .into_iter()
            .map(|(key, cell)| {
                let count = if key.week.is_some() { 1.0 } else { week_count };
                let able = capacity(&technicians, &key).map(|hours| hours * count);
                let figures = cell.figures(able);
                (key, figures)
            })
            .collect();
        let able = capacity(&technicians, &LoadKey::default()).map(|hours| hours * week_count);
        Ok(Load { total: total.figures(able), groups, is_complete })
    }

    /// What a new plan, or a change of one, would do: nothing of it is written.
    ///
    /// # Errors
    /// What making or changing the plan would refuse.
    pub async fn preview_plan(
        &self,
        scope: &Scope,
        proposal: Proposal,
        weeks: u32,
        now: DateTime<Utc>,
    ) -> Result<Preview, Error> {
        let db = self.db.snapshot().await?;
        let plan = match proposal {
            Proposal::New(new) => self.new_plan(&db, scope, new, now).await?,
            Proposal::Change(change) => self.changed_plan(&db, scope, change, now).await?.plan,
        };
        let plan_id = plan.id;
        let triggers = rules::read_triggers(&plan.definition)?;
        let kind = plan.definition.subject;
        let compiled = Arc::new(CompiledPlan { plan: Arc::new(plan), triggers });
        let book = self.plan_book(&db, scope).await?;
        let proposed = book.with(compiled);
        let zone = registry_store::organization(&db, scope).await?.time_zone;
        let first = monday(local_date(zone, now));
        let mut subjects: Vec<Subject> =
            store::all_subjects(&db, scope).await?.into_iter().filter(|s| s.kind == kind).collect();
        subjects.sort_unstable();
        let mut preview = Preview { is_complete: subjects.len() <= MAX_SUBJECTS, ..Preview::default() };
        subjects.truncate(MAX_SUBJECTS);
        preview.subjects = subjects.len() as u64;
        let mut ahead = Weeks::new(now, first, weeks);
        for batch in subjects.chunks(BATCH) {
            let pairs = self.load(&db, scope, &proposed, batch, now).await?;
            for of_subject in pairs.chunk_by(|a, b| a.facts.subject == b.facts.subject) {
                let facts: Vec<ItemFacts<'_>> = of_subject.iter().map(Pair::item_facts).collect();
                let decisions = rules::decide_all(&facts, now);
                for (pair, decision) in of_subject.iter().zip(&decisions) {
                    compare(pair, decision, plan_id, &mut preview);
                    let before = pair.item.as_ref().filter(|i| i.is_alive);
                    let known = book.plan(pair.plan.plan.id);
                    if let (Some(item), Some(known)) = (before, known) {
                        let is_covered = item.covered_by.is_some();
                        ahead.add(known, pair, item.due.as_ref(), item.explanation.as_ref(), is_covered, false);
                    }
                    let is_covered = decision.covered_by.is_some();
                    let (due, explanation) = (decision.due.as_ref(), decision.explanation.as_ref());
                    ahead.add(&pair.plan, pair, due, explanation, is_covered, true);
                }
            }
        }
        preview.moves.sort_by_key(|m| (m.to.is_none(), m.to, m.subject));
        preview.moves.truncate(MAX_MOVES);
        preview.weeks = ahead.weeks();
        Ok(preview)
    }
}

/// What a row of upcoming maintenance is as work.
fn work_of<'a>(row: &'a Upcoming, plan: Option<&'a CompiledPlan>) -> Option<Work<'a>> {
    Some(match row {
        Upcoming::Order(order) => Work {
            key: LoadKey {
                week: None,
                region: order.region_code.clone(),
                technician: order.assignee_id,
                kind: Some(order.kind),
                channel: Some(order.channel),
            },
            site: order.site_id,
            is_field: order.channel == ExecutionChannel::Field,
            is_covered: false,
            minutes: f64::from(order.estimated_minutes),
            plan,
            due: Due {
                occurrence_key: order.occurrence_key.clone().unwrap_or_default(),
                nominal_at: order.nominal_due_at,
                due_at: Some(order.due_at),
                window_start: order.window_start,
                window_end: order.window_end,
                p10_at: None,
                p50_at: None,
                p90_at: None,
            },
            explanation: order.explanation.as_ref(),
            is_frozen: order.state != WorkOrderState::Planned,
        },
        Upcoming::Item(item) => Work {
            key: LoadKey {
                week: None,
                region: item.region_code.clone(),
                technician: None,
                kind: Some(item.kind),
                channel: Some(item.channel),
            },
            site: item.site_id,
            is_field: item.channel == ExecutionChannel::Field,
            is_covered: item.covered_by.is_some(),
            minutes: plan.map_or(0.0, |p| f64::from(p.definition().estimated_minutes)),
            plan,
            due: item.due.clone()?,
            explanation: item.explanation.as_ref(),
            is_frozen: false,
        },
    })
}

/// Weekly hours of the technicians who can do what a group has in common.
fn capacity(technicians: &[Technician], key: &LoadKey) -> Option<f64> {
    if key.channel.is_some_and(|channel| channel != ExecutionChannel::Field) {
        return None;
    }
    let able = |t: &&Technician| {
        key.technician.is_none_or(|id| t.id == id)
            && key.region.as_ref().is_none_or(|region| {
                t.region_codes.is_empty() || t.region_codes.iter().any(|code| region.starts_with(code.as_str()))
            })
    };
    let hours: Vec<f64> = technicians.iter().filter(able).filter_map(|t| t.weekly_hours).collect();
    (!hours.is_empty()).then(|| hours.iter().sum())
}

/// Adds what a plan would do to one item.
fn compare(pair: &Pair, decision: &Decision, plan: PlanId, preview: &mut Preview) {
    let was_covered = pair.item.as_ref().is_some_and(|i| i.covered_by.is_some());
    preview.newly_covered += u64::from(decision.covered_by.is_some() && !was_covered);
    if pair.plan.plan.id != plan {
        let is_taken_over = decision.covered_by.is_some() && !was_covered;
        preview.orders_withdrawn += u64::from(is_taken_over && matches!(decision.order, OrderMove::Withdraw { .. }));
        return;
    }
    match decision.order {
        OrderMove::Issue => preview.orders_issued += 1,
        OrderMove::Withdraw { .. } => preview.orders_withdrawn += 1,
        OrderMove::Keep | OrderMove::Explain | OrderMove::Move { .. } => {}
    }
    let from = pair.item.as_ref().filter(|i| i.is_alive).map(|i| i.due.as_ref().and_then(|d| d.due_at));
    let to = decision.due.as_ref().and_then(|d| d.due_at);
    let day = |at: DateTime<Utc>| local_date(pair.facts.zone, at);
    match (from, decision.is_alive) {
        (None, false) => return,
        (None, true) => preview.added += 1,
        (Some(_), false) => preview.removed += 1,
        (Some(from), true) => match (from.map(day), to.map(day)) {
            (Some(from), Some(to)) if to < from => preview.earlier += 1,
            (Some(from), Some(to)) if to > from => preview.later += 1,
            (None, Some(_)) => preview.earlier += 1,
            (Some(_), None) => preview.later += 1,
            _ => {
                preview.unchanged += 1;
                return;
            }
        },
    }
    preview.moves.push(PreviewMove {
        item_id: pair.item.as_ref().map(|i| i.id),
        subject: pair.facts.subject,
        from: from.flatten(),
        to,
    });
}

/// Hours and visits of the weeks ahead, before and after.
struct Weeks {
    now: DateTime<Utc>,
    first: NaiveDate,
    before: NaiveDate,
    cells: HashMap<(NaiveDate, bool), Cell>,
}

impl Weeks {
    fn new(now: DateTime<Utc>, first: NaiveDate, weeks: u32) -> Self {
        Self { now, first, before: first + TimeDelta::days(7 * i64::from(weeks)), cells: HashMap::new() }
    }

    fn add(
        &mut self,
        plan: &CompiledPlan,
        pair: &Pair,
        due: Option<&Due>,
        explanation: Option<&Explanation>,
        is_covered: bool,
        is_after: bool,
    ) {
        let (Some(due), Some(explanation)) = (due, explanation) else { return };
        let definition = plan.definition();
        let site = pair.facts.site.as_ref().map(|s| s.site.id);
        let work = Work {
            key: LoadKey::default(),
            site,
            is_field: definition.channel == ExecutionChannel::Field,
            is_covered,
            minutes: f64::from(definition.estimated_minutes),
            plan: None,
            due: due.clone(),
            explanation: Some(explanation),
            is_frozen: false,
        };
        let zone = pair.facts.zone;
        let before = start_of_day(zone, self.before) + TimeDelta::days(TAIL_DAYS);
        let occurrences = rules::occurrences(plan, due, explanation, self.now, before, MAX_LATER);
        let range = Range { from: self.first, before: self.before, today: self.first };
        spread_out(&work, &occurrences, zone, range, |_, week, is_own_week, share| {
            let cell = self.cells.entry((week, is_after)).or_default();
            cell.work.add(work.minutes, share);
            if is_own_week && share > 0.0 && work.is_field {
                cell.sites.insert((site, week));
            }
        });
    }

    fn weeks(&self) -> Vec<PreviewWeek> {
        let mut found = vec![];
        let mut week = self.first;
        while week < self.before {
            let of = |is_after: bool| self.cells.get(&(week, is_after));
            let hours = |is_after| of(is_after).map_or(0.0, |c| c.work.hours_p50());
            let visits = |is_after| of(is_after).map_or(0, |c| c.sites.len() as u64);
            found.push(PreviewWeek {
                week,
                hours_before: hours(false),
                hours_after: hours(true),
                visits_before: visits(false),
                visits_after: visits(true),
            });
            week += TimeDelta::days(7);
        }
        found
    }
}
