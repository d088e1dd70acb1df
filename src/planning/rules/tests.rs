//! Decisions over a year of work, skips, postponements and absences at random, with a planner that
//! comes by whenever it does.

use super::*;
use crate::kernel::calendar::{end_of_day, local_date, start_of_day};
use crate::kernel::ids::{ItemId, LogEntryId, PlanId, PlanRevisionId, WorkOrderId};
use crate::kernel::subject::{Subject, SubjectKind};
use crate::kernel::text::LocalizedText;
use crate::planning::model::{
    Due, DueQuantile, ExecutionChannel, Explanation, LogEntry, LogKind, MaintenanceItem, MaintenanceKind,
    MaintenancePlan, PlanDefinition, Priority, Selector, Trigger, TriggerKind, WorkOrder, WorkOrderState,
};
use crate::usage::model::{RateSource, UsagePattern};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

const ZONE: Tz = Tz::Europe__Berlin;
const SUBJECT: Subject = Subject { kind: SubjectKind::Device, id: Uuid::from_u128(1) };
const PLAN: PlanId = PlanId(Uuid::from_u128(2));
const REVISION: PlanRevisionId = PlanRevisionId(Uuid::from_u128(3));
const ITEM: ItemId = ItemId(Uuid::from_u128(4));
const ORDER: WorkOrderId = WorkOrderId(Uuid::from_u128(5));

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// 9:00 on a Monday in Berlin: the plan is made and the device installed.
fn start() -> DateTime<Utc> {
    at("2026-01-05T08:00:00Z")
}

/// The ways to fall due that are tried; those with a grid.
const ALL: [usize; 6] = [0, 1, 2, 3, 4, 5];
const GRIDS: [usize; 4] = [0, 1, 4, 5];

fn triggers(way: usize) -> Vec<Trigger> {
    let grid = |cron: &str| Trigger::CalendarFixed { cron: cron.into() };
    let floating = |every: &str| Trigger::CalendarFloating { every: every.into() };
    let usage =
        |every| Trigger::Usage { meter: "TRANSACTIONS".into(), every, decimals: 0, name: LocalizedText::default() };
    match way {
        0 => vec![grid("0 9 * * 1")],
        1 => vec![grid("30 2 1,15 * *")],
        2 => vec![floating("P20D")],
        3 => vec![usage(300)],
        4 => vec![grid("0 20 1 * *"), floating("P45D"), usage(400)],
        _ => vec![usage(150), grid("0 9 * * 1")],
    }
}

/// A plan, the site's calendar, and how much the device is used.
#[derive(Clone, Debug)]
struct Setup {
    way: usize,
    early: u32,
    late: u32,
    lead: u32,
    per_day: i64,
    is_closed_on_weekends: bool,
    /// Closed days, counted from the start.
    closed: BTreeSet<u64>,
}

/// A plan without tolerance for a site that is always open.
fn plain(way: usize) -> Setup {
    Setup { way, early: 0, late: 0, lead: 3, per_day: 10, is_closed_on_weekends: false, closed: BTreeSet::new() }
}

fn setups(ways: &'static [usize]) -> impl Strategy<Value = Setup> {
    let closed = prop::collection::btree_set(0_u64..400, 0..40);
    (prop::sample::select(ways), 0_u32..4, 0_u32..4, 0_u32..25, 1_i64..40, any::<bool>(), closed).prop_map(
        |(way, early, late, lead, per_day, is_closed_on_weekends, closed)| Setup {
            way,
            early,
            late,
            lead,
            per_day,
            is_closed_on_weekends,
            closed,
        },
    )
}

/// What happens before the planner comes by.
#[derive(Clone, Copy, Debug)]
enum Step {
    Nothing,
    /// Work is logged, so many days late.
    Work(i64),
    Skip,
    /// By so many days.
    Postpone(u64),
    Schedule,
    /// The counter is read.
    Read,
    /// The device leaves its plan, or comes back.
    Move,
}

/// Steps with the hours before each.
fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let step = prop_oneof![
        3 => Just(Step::Nothing),
        3 => (0_i64..60).prop_map(Step::Work),
        2 => Just(Step::Skip),
        3 => (1_u64..20).prop_map(Step::Postpone),
        1 => Just(Step::Schedule),
        3 => Just(Step::Read),
        1 => Just(Step::Move),
    ];
    prop::collection::vec((1_i64..400, step), 1..35)
}

/// An order as it is issued for a date.
fn order_for(due: &Due, explanation: Option<Explanation>) -> WorkOrder {
    let due_at = due.due_at.unwrap();
    WorkOrder {
        id: ORDER,
        number: "WO-2026-000001".into(),
        kind: MaintenanceKind::Cleaning,
        state: WorkOrderState::Planned,
        priority: Priority::Normal,
        item_id: Some(ITEM),
        plan_id: Some(PLAN),
        plan_revision_id: Some(REVISION),
        subject: SUBJECT,
        device_id: None,
        site_id: None,
        position_id: None,
        model_id: None,
        region_code: None,
        nominal_due_at: due.nominal_at,
        due_at,
        told_due_at: due_at,
        window_start: due.window_start,
        window_end: due.window_end,
        occurrence_key: Some(due.occurrence_key.clone()),
        explanation,
        channel: ExecutionChannel::Field,
        steps: vec![],
        estimated_minutes: 20,
        assignee_id: None,
        scheduled_for: None,
        close_reason: None,
        closed_at: None,
        performed_at: None,
        visit_line_id: None,
        origin: None,
        version: 1,
        created_at: start(),
    }
}

/// One item with all it depends on.
#[derive(Clone, Debug)]
struct World {
    plan: CompiledPlan,
    slots: Option<Slots>,
    closed: ClosedDays,
    per_day: i64,
    read_until: DateTime<Utc>,
    is_alive: bool,
    item: Option<MaintenanceItem>,
    log: Vec<LogEntry>,
    order: Option<WorkOrder>,
    /// Entries the log has got.
    count: u128,
}

/// An occurrence: its key, nominal due, and band.
type Named = (String, DateTime<Utc>, DateTime<Utc>, DateTime<Utc>);

impl World {
    fn new(setup: &Setup) -> Self {
        let definition = PlanDefinition {
            name: LocalizedText::default(),
            kind: MaintenanceKind::Cleaning,
            subject: SubjectKind::Device,
            channel: ExecutionChannel::Field,
            selector: Selector { everything: true, ..Selector::default() },
            triggers: triggers(setup.way),
            early_days: setup.early,
            late_days: setup.late,
            lead_days: setup.lead,
            estimated_minutes: 20,
            priority: Priority::Normal,
            steps: vec![],
            due_quantile: DueQuantile::P50,
            is_compliance: false,
            covers: vec![],
            season: None,
            blackouts: vec![],
            grid_since: None,
            source: None,
        };
        let triggers = read_triggers(&definition).unwrap();
        let plan = MaintenancePlan {
            id: PLAN,
            code: "CLEAN".into(),
            revision_id: REVISION,
            revision: 1,
            is_active: true,
            version: 1,
            created_at: start(),
            definition,
        };
        let plan = CompiledPlan { plan: Arc::new(plan), triggers };
        let first = local_date(ZONE, start());
        let mut closed = ClosedDays::default();
        closed.dates.extend(setup.closed.iter().map(|n| first + Days::new(*n)));
        closed.weekdays[5..].fill(setup.is_closed_on_weekends);
        Self {
            // Further than any of it lasts, so that the grid is walked once.
            slots: Slots::of(&plan, ZONE, start() + TimeDelta::days(700)),
            plan,
            closed,
            per_day: setup.per_day,
            read_until: start(),
            is_alive: true,
            item: None,
            log: vec![],
            order: None,
            count: 0,
        }
    }

    /// The life counter as far as it was read.
    fn life(&self, at: DateTime<Utc>) -> i64 {
        (at.clamp(start(), self.read_until) - start()).num_seconds() * self.per_day / 86_400
    }

    fn usage(&self) -> Vec<UsageFacts> {
        let from = counts_from(self.item.as_ref(), self.is_alive, self.is_alive.then(start));
        let anchor = timeline(self.slots.as_ref(), from, &self.log).anchor;
        let usage = |trigger: &CompiledTrigger| {
            let CompiledTrigger::Usage { meter, every, .. } = trigger else { return None };
            let (life_now, life_at_anchor) = (self.life(self.read_until), self.life(anchor.at));
            let limit = life_at_anchor + every;
            let crossed_at = start() + TimeDelta::seconds(limit * 86_400 / self.per_day);
            Some(UsageFacts {
                meter: meter.clone(),
                life_now,
                life_at_anchor,
                last_reading_at: Some(self.read_until),
                crossed_at: (life_now >= limit).then_some(crossed_at),
                pattern: UsagePattern {
                    per_day: self.per_day as f64,
                    weekday: [self.per_day as f64; 7],
                    observed_days: 56,
                    source: RateSource::Device,
                    ..UsagePattern::unknown(local_date(ZONE, self.read_until) - Days::new(1))
                },
            })
        };
        self.plan.triggers.iter().filter_map(usage).collect()
    }

    fn decide_with(&self, slots: Option<&Slots>, now: DateTime<Utc>) -> Decision {
        let facts = ItemFacts {
            plan: &self.plan,
            is_alive: self.is_alive,
            is_gone: false,
            zone: ZONE,
            closed: &self.closed,
            freezes: &[],
            covers: &[],
            events: &[],
            watch: None,
            firmware: None,
            placed_since: self.is_alive.then(start),
            slots,
            item: self.item.as_ref(),
            log: &self.log,
            usage: &self.usage(),
            open_order: self.order.as_ref(),
        };
        decide(&facts, now)
    }

    fn decide(&self, now: DateTime<Utc>) -> Decision {
        self.decide_with(self.slots.as_ref(), now)
    }

    fn sort(&mut self) {
        self.log.sort_by_key(|e| (e.performed_at, e.id));
    }

    fn note(
        &mut self,
        kind: LogKind,
        performed_at: DateTime<Utc>,
        recorded_at: DateTime<Utc>,
        occurrence: Option<(String, DateTime<Utc>)>,
        postponed_to: Option<DateTime<Utc>>,
    ) {
        self.count += 1;
        let (occurrence_key, nominal_due_at) = occurrence.unzip();
        self.log.push(LogEntry {
            id: LogEntryId(Uuid::from_u128(self.count)),
            item_id: ITEM,
            plan_id: PLAN,
            subject: SUBJECT,
            kind,
            performed_at,
            occurrence_key,
            nominal_due_at,
            postponed_to,
            visit_line_id: None,
            work_order_id: None,
            reason: None,
            actor: "planner".into(),
            recorded_at,
            is_void: false,
        });
        self.sort();
    }

    /// Writes what the planner decided.
    fn apply(&mut self, decision: &Decision, now: DateTime<Utc>) {
        for (places, is_void) in [(&decision.voided, true), (&decision.revived, false)] {
            for place in places {
                self.log[*place].is_void = is_void;
            }
        }
        for slot in &decision.missed {
            self.note(LogKind::Missed, *slot, now, Some((slot_key(ZONE, *slot), *slot)), None);
        }
        match (&decision.order, &decision.due) {
            (OrderMove::Keep, _) => {}
            (OrderMove::Explain, _) => {
                if let Some(order) = &mut self.order {
                    order.explanation.clone_from(&decision.explanation);
                }
            }
            (OrderMove::Issue | OrderMove::Move { .. }, due) => {
                self.order = due.as_ref().map(|due| order_for(due, decision.explanation.clone()));
            }
            (OrderMove::Withdraw { .. }, _) => self.order = None,
        }
        self.item = Some(MaintenanceItem {
            id: ITEM,
            plan_id: PLAN,
            subject: SUBJECT,
            device_id: None,
            site_id: None,
            model_id: None,
            region_code: None,
            kind: MaintenanceKind::Cleaning,
            channel: ExecutionChannel::Field,
            is_alive: decision.is_alive,
            alive_since: decision.alive_since,
            counts_from: decision.counts_from,
            last_done_at: decision.last_done_at,
            cycle: decision.cycle,
            due: decision.due.clone(),
            explanation: decision.explanation.clone(),
            conditions: vec![],
            covered_by: None,
            open_order_id: self.order.as_ref().map(|o| o.id),
            decided_at: now,
            next_look_at: decision.next_look_at,
            version: 1,
        });
    }

    /// Plans, and finds that nothing is left to be done.
    fn settle(&mut self, now: DateTime<Utc>) -> Result<(), TestCaseError> {
        let decision = self.decide(now);
        self.apply(&decision, now);
        let settled = Decision { missed: vec![], voided: vec![], revived: vec![], order: OrderMove::Keep, ..decision };
        prop_assert_eq!(self.decide(now), settled, "planned again at {}", now);
        Ok(())
    }

    /// What can be skipped or postponed: key, nominal and due date, end of the band.
    fn occurrence(&self) -> Option<Named> {
        match (&self.order, self.item.as_ref().and_then(|i| i.due.as_ref())) {
            (Some(o), _) => Some((o.occurrence_key.clone()?, o.nominal_due_at, o.due_at, o.window_end)),
            (None, Some(d)) => {
                Some((d.occurrence_key.clone(), d.nominal_at, d.due_at.unwrap_or(d.nominal_at), d.window_end))
            }
            (None, None) => None,
        }
    }

    fn postpone(&mut self, days: u64, now: DateTime<Utc>) {
        let Some((key, nominal, due_at, window_end)) = self.occurrence() else { return };
        let until = local_date(ZONE, due_at) + Days::new(days);
        let to = start_of_day(ZONE, until);
        let slots = self.slots.as_ref().filter(|_| key == slot_key(ZONE, nominal));
        let closes = slots.and_then(|s| s.closes(nominal));
        if to <= due_at || closes.is_some_and(|closes| to >= closes) {
            return;
        }
        self.note(LogKind::Postponed, now, now, Some((key, nominal)), Some(to));
        if let Some(order) = &mut self.order {
            order.due_at = to;
            order.window_end = window_end.max(end_of_day(ZONE, until));
        }
    }

    fn take(&mut self, step: Step, now: DateTime<Utc>) {
        match step {
            Step::Nothing => {}
            Step::Work(days_late) => {
                let performed_at = now - TimeDelta::days(days_late);
                self.note(LogKind::Done, performed_at, now, None, None);
                self.order = self.order.take().filter(|o| performed_at < o.window_start);
            }
            Step::Skip => {
                if let Some((key, nominal, ..)) = self.occurrence() {
                    self.note(LogKind::Skipped, now, now, Some((key, nominal)), None);
                    self.order = None;
                }
            }
            Step::Postpone(days) => self.postpone(days, now),
            Step::Schedule => {
                if let Some(order) = &mut self.order {
                    order.state = WorkOrderState::Scheduled;
                }
            }
            Step::Read => self.read_until = now,
            Step::Move => self.is_alive = !self.is_alive,
        }
    }

    /// Every slot up to the one that waits is satisfied or missed, and that one waits.
    fn check_slots(&self, now: DateTime<Utc>) -> Result<(), TestCaseError> {
        let (grid, slots) = (self.plan.grid().unwrap(), self.slots.as_ref().unwrap());
        let work = |e: &LogEntry| match e.kind {
            LogKind::Done => Some(e.performed_at),
            LogKind::Skipped if !e.is_void => e.nominal_due_at,
            _ => None,
        };
        let work: Vec<DateTime<Utc>> = self.log.iter().filter_map(work).collect();
        let missed: Vec<&LogEntry> = self.log.iter().filter(|e| e.kind == LogKind::Missed).collect();
        let named: BTreeSet<_> = missed.iter().map(|e| e.nominal_due_at).collect();
        prop_assert_eq!(named.len(), missed.len(), "each slot once");
        let mut found = BTreeSet::new();
        let mut slot = grid.next_after(ZONE, start()).unwrap();
        loop {
            let (opens, closes) = (slots.opens(slot), slots.closes(slot).unwrap());
            let is_satisfied = work.iter().any(|w| (opens..closes).contains(w));
            let is_over = closes <= now || work.iter().any(|w| *w >= closes);
            match (is_satisfied, is_over) {
                (true, _) => {}
                (false, true) => _ = found.insert(Some(slot)),
                (false, false) => break,
            }
            slot = grid.next_after(ZONE, slot).unwrap();
        }
        let valid: BTreeSet<_> = missed.iter().filter(|e| !e.is_void).map(|e| e.nominal_due_at).collect();
        prop_assert_eq!(valid, found, "missed by {}", now);
        let explanation = self.item.as_ref().and_then(|i| i.explanation.as_ref()).unwrap();
        let of_grid = explanation.candidates.iter().find(|c| c.trigger.kind() == TriggerKind::CalendarFixed);
        prop_assert_eq!(of_grid.and_then(|c| c.due_at), Some(slot), "waits at {}", now);
        Ok(())
    }
}

/// Takes the steps, plans after each, and looks at what has come of it.
fn live(
    setup: &Setup,
    steps: &[(i64, Step)],
    look: impl Fn(&World, DateTime<Utc>) -> Result<(), TestCaseError>,
) -> Result<(World, DateTime<Utc>), TestCaseError> {
    let mut world = World::new(setup);
    let mut now = start();
    world.settle(now)?;
    for (hours, step) in steps {
        // The second makes every moment, and every day before it, another one.
        now += TimeDelta::seconds(hours * 3_600 + 1);
        world.take(*step, now);
        world.settle(now)?;
        look(&world, now)?;
    }
    Ok((world, now))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn planning_again_at_the_same_moment_changes_nothing(setup in setups(&ALL), steps in steps()) {
        // `live` plans twice after each step.
        let (world, now) = live(&setup, &steps, |_, _| Ok(()))?;
        let slots = Slots::of(&world.plan, ZONE, now);
        prop_assert_eq!(world.decide_with(slots.as_ref(), now), world.decide(now), "however far the grid is walked");
    }

    #[test]
    fn until_the_next_look_nothing_changes_without_new_facts(setup in setups(&ALL), steps in steps()) {
        live(&setup, &steps, |world, now| {
            let settled = world.decide(now);
            let until = settled.next_look_at.unwrap_or(now + TimeDelta::days(400));
            let moment = TimeDelta::microseconds(1);
            for later in [now + moment, now + (until - now) / 2, until - moment] {
                prop_assert_eq!(&world.decide(later), &settled, "at {}", later);
            }
            Ok(())
        })?;
    }

    #[test]
    fn what_a_log_says_does_not_depend_on_when_its_entries_came(
        setup in setups(&ALL),
        steps in steps(),
        arrivals in prop::collection::vec(any::<u32>(), 40),
    ) {
        let (world, now) = live(&setup, &steps, |_, _| Ok(()))?;
        let mut other = world.clone();
        for (entry, arrival) in other.log.iter_mut().zip(arrivals.iter().cycle()) {
            entry.id = LogEntryId(Uuid::from_u128(u128::from(*arrival)));
            entry.recorded_at = start() + TimeDelta::seconds(i64::from(*arrival));
        }
        other.sort();
        prop_assert_eq!(other.decide(now), world.decide(now));
    }

    #[test]
    fn every_slot_of_a_grid_is_satisfied_missed_once_or_the_one_that_waits(setup in setups(&GRIDS), steps in steps()) {
        let steps: Vec<_> = steps.into_iter().filter(|(_, step)| !matches!(step, Step::Move)).collect();
        let (world, now) = live(&setup, &steps, |_, _| Ok(()))?;
        world.check_slots(now)?;
    }

    #[test]
    fn a_date_lies_in_its_band_and_a_period_ends_after_it_began(setup in setups(&ALL), steps in steps()) {
        live(&setup, &steps, |world, _| {
            let item = world.item.as_ref().unwrap();
            let (Some(due), Some(explanation)) = (&item.due, &item.explanation) else { return Ok(()) };
            let due_at = due.due_at.unwrap();
            for at in [due.nominal_at, due_at] {
                prop_assert!((due.window_start..=due.window_end).contains(&at), "{:?}", due);
            }
            let winner = &explanation.candidates[explanation.winner.unwrap()];
            if winner.trigger.kind() == TriggerKind::CalendarFloating {
                prop_assert!(due_at > explanation.anchor.at, "{:?}", explanation);
            }
            Ok(())
        })?;
    }

    #[test]
    fn the_search_for_a_permitted_day_ends_at_the_nearest_one(
        weekdays in prop_oneof![Just([true; 7]), prop::array::uniform7(any::<bool>())],
        closed in prop::collection::btree_set(0_u64..400, 0..400),
        worked in prop::collection::btree_set(0_u64..400, 0..4),
        early in 0_u32..20,
    ) {
        let first: NaiveDate = "2026-01-01".parse().unwrap();
        let days = |numbers: BTreeSet<u64>| numbers.into_iter().map(|n| first + Days::new(n)).collect();
        let calendar = ClosedDays { weekdays, dates: days(closed), worked: days(worked) };
        let date = first + Days::new(20);
        let earlier = (0..=u64::from(early)).map(|n| date - Days::new(n));
        let mut near = earlier.chain((1..=366).map(|n| date + Days::new(n)));
        prop_assert_eq!(PermittedDays { closed: &calendar, season: None, blackouts: &[], freezes: &[] }.nearest(date, early), near.find(|day| !calendar.is_closed(*day)));
    }
}

/// A world with Mondays at 9:00 and two days of tolerance.
fn mondays() -> World {
    World::new(&Setup { early: 2, ..plain(0) })
}

#[test]
fn work_counts_for_a_slot_from_when_its_band_opens_until_the_next_one_does() {
    let slot = at("2026-01-12T08:00:00Z");
    for (performed_at, is_missed) in [
        ("2026-01-10T07:59:59Z", true),
        ("2026-01-10T08:00:00Z", false),
        ("2026-01-17T07:59:59Z", false),
        ("2026-01-17T08:00:00Z", true),
    ] {
        let mut world = mondays();
        world.note(LogKind::Done, at(performed_at), at(performed_at), None, None);
        let missed = world.decide(at("2026-01-18T08:00:00Z")).missed;
        assert_eq!(missed, if is_missed { vec![slot] } else { vec![] }, "done at {performed_at}");
    }
}

#[test]
fn a_slot_that_was_missed_cannot_be_skipped_any_more() {
    let slot = at("2026-01-12T08:00:00Z");
    for (decided_at, is_too_late) in [("2026-01-17T07:59:59Z", false), ("2026-01-17T08:00:00Z", true)] {
        let mut world = mondays();
        let occurrence = Some((slot_key(ZONE, slot), slot));
        world.note(LogKind::Skipped, at(decided_at), at(decided_at), occurrence, None);
        let decision = world.decide(at("2026-01-18T08:00:00Z"));
        let expected = if is_too_late { (vec![0], vec![slot]) } else { (vec![], vec![]) };
        assert_eq!((decision.voided, decision.missed), expected, "skipped at {decided_at}");
    }
}

#[test]
fn a_planned_order_is_taken_back_only_a_week_beyond_its_lead_time() {
    // Due on 25 January, three days ahead.
    let mut world = World::new(&plain(2));
    let decision = world.decide(start());
    world.order = Some(order_for(&decision.due.unwrap(), decision.explanation));
    let kept_from = at("2026-01-14T23:00:00Z");
    assert_eq!(world.decide(kept_from).order, OrderMove::Keep);
    let before = world.decide(kept_from - TimeDelta::microseconds(1)).order;
    assert!(matches!(before, OrderMove::Withdraw { .. }), "{before:?}");
}

#[test]
fn a_move_is_told_from_two_civil_days_on() {
    let mut world = World::new(&plain(2));
    let decision = world.decide(start());
    let due = decision.due.unwrap();
    for (days, is_reported) in [(-2, true), (-1, false), (1, false), (2, true)] {
        let told = Due { due_at: due.due_at.map(|at| at + TimeDelta::days(days)), ..due.clone() };
        world.order = Some(order_for(&told, None));
        assert_eq!(world.decide(at("2026-01-24T08:00:00Z")).order, OrderMove::Move { is_reported }, "by {days} days");
    }
}
