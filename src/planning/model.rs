//! The words of planning: plans, triggers, items, log entries and work orders.

use super::condition::{ClauseReading, Episode};
use crate::code_enum;
use crate::firmware::model::{Gate, QuietBasis};
use crate::kernel::ids::{
    DeviceId, DeviceModelId, ItemId, LogEntryId, PlanId, PlanRevisionId, PositionId, SiteId, TechnicianId, VisitLineId,
    WorkOrderId,
};
use crate::kernel::subject::{Subject, SubjectKind};
use crate::kernel::text::LocalizedText;
use crate::registry::model::DeviceStatus;
use crate::usage::model::{RateSource, SeasonSource, Way};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

pub use super::steps::*;
pub use super::trigger::{Blackout, Freeze, MonthDay, Season, Trigger, TriggerEvent, TriggerKind};

code_enum! {
    /// What kind of maintenance a plan or an order is.
    pub enum MaintenanceKind {
        Cleaning = "CLEANING", PowerCheck = "POWER_CHECK", DisplayCheck = "DISPLAY_CHECK",
        EnvironmentCheck = "ENVIRONMENT_CHECK", FirmwareUpdate = "FIRMWARE_UPDATE",
        Inspection = "INSPECTION", BatteryCheck = "BATTERY_CHECK", ResourceCheck = "RESOURCE_CHECK",
        CommsCheck = "COMMS_CHECK", PreInstallation = "PRE_INSTALLATION", Installation = "INSTALLATION",
        Removal = "REMOVAL", Relocation = "RELOCATION", Swap = "SWAP", MerchantPatrol = "MERCHANT_PATROL",
        Replacement = "REPLACEMENT", Corrective = "CORRECTIVE",
    }
}

code_enum! {
    /// Who carries the work out, and where.
    pub enum ExecutionChannel { Remote = "REMOTE", Merchant = "MERCHANT", Field = "FIELD", Depot = "DEPOT" }
}

code_enum! {
    /// How urgent an order is, lowest first.
    pub enum Priority { Low = "LOW", Normal = "NORMAL", High = "HIGH", Urgent = "URGENT" }
}

code_enum! {
    /// Where an order is in its life.
    pub enum WorkOrderState {
        Planned = "PLANNED", Scheduled = "SCHEDULED", Dispatched = "DISPATCHED", InProgress = "IN_PROGRESS",
        OnHold = "ON_HOLD", Completed = "COMPLETED", Skipped = "SKIPPED", Cancelled = "CANCELLED",
    }
}

impl Priority {
    /// Its place from the least urgent, 0, on; what is stored, so that orders sort by urgency.
    pub fn rank(self) -> i32 {
        self as i32
    }

    /// The priority of a rank.
    pub fn of_rank(rank: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| p.rank() == rank)
    }
}

impl WorkOrderState {
    /// The states in which an order waits for work; at most one such order per item.
    pub const OPEN: [Self; 5] = [Self::Planned, Self::Scheduled, Self::Dispatched, Self::InProgress, Self::OnHold];

    /// True while the order waits for work.
    pub fn is_open(self) -> bool {
        Self::OPEN.contains(&self)
    }

    /// Whether the state machine of the design lets an order go from here to `to`.
    pub fn may_become(self, to: Self) -> bool {
        use WorkOrderState::*;
        match self {
            Planned => matches!(to, Scheduled | InProgress | Completed | Skipped | Cancelled),
            Scheduled => matches!(to, Planned | Dispatched | InProgress | OnHold | Completed | Skipped | Cancelled),
            Dispatched => matches!(to, Scheduled | InProgress | OnHold | Completed | Cancelled),
            InProgress => matches!(to, OnHold | Completed | Cancelled),
            OnHold => matches!(to, Scheduled | InProgress | Completed | Cancelled),
            Completed | Skipped | Cancelled => false,
        }
    }
}

code_enum! {
    /// Which point of a usage forecast becomes the due date.
    pub enum DueQuantile { P10 = "P10", P50 = "P50", P90 = "P90" }
}

code_enum! {
    /// What an entry of an item's log says.
    pub enum LogKind { Done = "DONE", Skipped = "SKIPPED", Postponed = "POSTPONED", Missed = "MISSED" }
}

code_enum! {
    /// What became of one reported visit line, order by order and plan by plan.
    pub enum LineCode {
        Completed = "COMPLETED", Counted = "COUNTED", AlreadyCompleted = "ALREADY_COMPLETED",
        OrderClosed = "ORDER_CLOSED", OrderNotFound = "ORDER_NOT_FOUND", PlanNotFound = "PLAN_NOT_FOUND",
        PlanNotForSubject = "PLAN_NOT_FOR_SUBJECT", BeforeWindow = "BEFORE_WINDOW", OutOfOrder = "OUT_OF_ORDER",
        NotDone = "NOT_DONE", Recorded = "RECORDED", UnresolvedDevice = "UNRESOLVED_DEVICE",
        CardNumberMasked = "CARD_NUMBER_MASKED", OtherSite = "OTHER_SITE", OrderOfOtherSubject = "ORDER_OF_OTHER_SUBJECT",
        PerformedOutsideVisit = "PERFORMED_OUTSIDE_VISIT", StepsMissing = "STEPS_MISSING", StepFailed = "STEP_FAILED",
        CorrectiveOpened = "CORRECTIVE_OPENED", ReadingNotTaken = "READING_NOT_TAKEN",
        InspectionPassed = "INSPECTION_PASSED", InspectionNotPassed = "INSPECTION_NOT_PASSED",
    }
}

/// Which subjects a plan applies to; the parts given must all hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Selector {
    /// Device models; empty means any.
    pub model_ids: Vec<DeviceModelId>,
    /// Sites; empty means any.
    pub site_ids: Vec<SiteId>,
    /// Region codes, matched by prefix; empty means any.
    pub region_codes: Vec<String>,
    /// Statuses in which a device's items live; empty means INSTALLED and IN_SERVICE.
    pub device_statuses: Vec<DeviceStatus>,
    /// Says outright that the plan is for every subject.
    pub everything: bool,
}

impl Selector {
    /// True when the selector would select by accident: nothing named and not `everything`.
    pub fn is_empty(&self) -> bool {
        !self.everything
            && self.model_ids.is_empty()
            && self.site_ids.is_empty()
            && self.region_codes.is_empty()
            && self.device_statuses.is_empty()
    }

    /// The statuses in which items of the plan live.
    pub fn statuses(&self) -> &[DeviceStatus] {
        const DEFAULT: &[DeviceStatus] = &[DeviceStatus::Installed, DeviceStatus::InService];
        if self.device_statuses.is_empty() { DEFAULT } else { &self.device_statuses }
    }

    /// Whether a device of this model, site and region in this status is meant.
    pub fn selects(
        &self,
        model: Option<DeviceModelId>,
        site: Option<SiteId>,
        region: Option<&str>,
        status: DeviceStatus,
    ) -> bool {
        let among = |wanted: bool, hit: bool| !wanted || hit;
        self.statuses().contains(&status)
            && among(!self.model_ids.is_empty(), model.is_some_and(|m| self.model_ids.contains(&m)))
            && among(!self.site_ids.is_empty(), site.is_some_and(|s| self.site_ids.contains(&s)))
            && among(
                !self.region_codes.is_empty(),
                region.is_some_and(|r| self.region_codes.iter().any(|p| r.starts_with(p.as_str()))),
            )
    }
}

/// Everything a plan says; a change makes a new revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanDefinition {
    /// What people read.
    pub name: LocalizedText,
    /// The kind of maintenance.
    pub kind: MaintenanceKind,
    /// Devices or sites.
    pub subject: SubjectKind,
    /// Who does it.
    pub channel: ExecutionChannel,
    /// Which subjects.
    pub selector: Selector,
    /// What makes it due; the earliest wins.
    pub triggers: Vec<Trigger>,
    /// Civil days before due that still count as on time.
    pub early_days: u32,
    /// Civil days after due that still count as on time.
    pub late_days: u32,
    /// Civil days before due at which the order is issued.
    pub lead_days: u32,
    /// Expected minutes of work on one subject.
    pub estimated_minutes: u32,
    /// Priority of the orders.
    pub priority: Priority,
    /// What the technician does, in order.
    pub steps: Vec<TaskStep>,
    /// Which point of the usage forecast is the due date.
    pub due_quantile: DueQuantile,
    /// Required by a standard: needs a waiver to skip or to postpone past the band.
    pub is_compliance: bool,
    /// Plans whose work this one includes: doing it does theirs.
    #[serde(default)]
    pub covers: Vec<PlanId>,
    /// The part of the year in which the work may be done; absent: all of it.
    #[serde(default)]
    pub season: Option<Season>,
    /// Parts of the year in which it is not done.
    #[serde(default)]
    pub blackouts: Vec<Blackout>,
    /// Since when its grid and early days are these; slots before do not bind. Absent until they
    /// first change.
    #[serde(default)]
    pub grid_since: Option<DateTime<Utc>>,
    /// Where its figures come from, and which are assumed; absent for the organization's own.
    #[serde(default)]
    pub source: Option<String>,
}

/// A plan in its current revision.
#[derive(Clone, Debug, PartialEq)]
pub struct MaintenancePlan {
    /// Identity.
    pub id: PlanId,
    /// The organization's own short code, unique.
    pub code: String,
    /// The revision in force.
    pub revision_id: PlanRevisionId,
    /// Number of that revision, from 1.
    pub revision: i32,
    /// Inactive plans keep their history and issue nothing.
    pub is_active: bool,
    /// Grows with every change.
    pub version: i64,
    /// When the plan was made.
    pub created_at: DateTime<Utc>,
    /// What it says.
    pub definition: PlanDefinition,
}

/// One entry of an item's log; items are derived from these alone.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// Identity.
    pub id: LogEntryId,
    /// The item.
    pub item_id: ItemId,
    /// Its plan.
    pub plan_id: PlanId,
    /// Its subject.
    pub subject: Subject,
    /// What happened.
    pub kind: LogKind,
    /// Device time of the work, or of the decision.
    pub performed_at: DateTime<Utc>,
    /// The occurrence a skip, postponement or miss is about.
    pub occurrence_key: Option<String>,
    /// The nominal due of that occurrence.
    pub nominal_due_at: Option<DateTime<Utc>>,
    /// Where a postponement moves it.
    pub postponed_to: Option<DateTime<Utc>>,
    /// The visit line that reported the work.
    pub visit_line_id: Option<VisitLineId>,
    /// The order it was done under.
    pub work_order_id: Option<WorkOrderId>,
    /// Why, for skips and postponements.
    pub reason: Option<String>,
    /// Who.
    pub actor: String,
    /// When the server took it in.
    pub recorded_at: DateTime<Utc>,
    /// The log no longer produces the occurrence it names.
    pub is_void: bool,
}

code_enum! {
    /// What the current period counts from.
    pub enum AnchorKind { Done = "DONE", Skipped = "SKIPPED", Installed = "INSTALLED" }
}

/// The moment an occurrence counts from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anchor {
    /// Work, a skipped occurrence's nominal due, or the installation.
    pub kind: AnchorKind,
    /// The moment, UTC.
    pub at: DateTime<Utc>,
}

/// What a usage trigger's date rests on. Units are the meter's smallest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsageBasis {
    /// Meter code.
    pub meter: String,
    /// Decimal places between the smallest unit and the meter's own.
    pub decimals: i32,
    /// The plan's interval.
    pub every: i64,
    /// Life counter when last done.
    pub life_at_last_done: i64,
    /// Life counter at the last reading.
    pub life_now: i64,
    /// Units until due; negative once crossed.
    pub units_left: i64,
    /// Expected units per day.
    pub units_per_day: f64,
    /// The last reading that counted.
    pub last_reading_at: Option<DateTime<Utc>>,
    /// Where the rate comes from.
    pub source: RateSource,
    /// When the counter was seen to cross the limit.
    pub crossed_at: Option<DateTime<Utc>>,
    /// Forecast crossing days: early, middle, late.
    pub p10: Option<NaiveDate>,
    /// The middle of the forecast.
    pub p50: Option<NaiveDate>,
    /// The late end of the forecast.
    pub p90: Option<NaiveDate>,
    /// What the rate was made of; absent once crossed, and in reasons kept before there were any.
    #[serde(default)]
    pub parts: Option<RateParts>,
}

/// What an expected rate was made of: level × weekdays × season × holidays × closure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateParts {
    /// Units a day in the last four weeks; absent where too little of them is known.
    pub recent_per_day: Option<f64>,
    /// Expected units of an ordinary day.
    pub level: f64,
    /// What is expected until the middle of the forecast.
    pub way: Way,
    /// Whose last year the season is from.
    pub season: SeasonSource,
    /// Days the device has been closed or out of order, and until when that is expected to last.
    pub closed: Option<(u32, NaiveDate)>,
}

impl RateParts {
    /// What the days until the middle are against average ones, by their weekdays.
    pub fn weekdays(&self) -> f64 {
        if self.level > 0.0 { self.way.level / self.level } else { 1.0 }
    }
}

impl UsageBasis {
    /// Units of an ordinary day, without season, holidays and closures: what work after the next one
    /// is foreseen with.
    pub fn level_per_day(&self) -> f64 {
        self.parts.as_ref().map_or(self.units_per_day, |parts| parts.level)
    }
}

/// What a condition's date rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionBasis {
    /// Its clauses as they were last seen, in the trigger's order.
    pub clauses: Vec<ClauseReading>,
    /// The last moment at which anything changed; absent before the first reading.
    pub looked_at: Option<DateTime<Utc>>,
    /// Since when it is beyond; absent while it is not.
    pub since: Option<DateTime<Utc>>,
    /// Due again, after work that did not help.
    pub is_repeat: bool,
}

/// A gate an update waits for, as it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateWait {
    /// The gate.
    pub gate: Gate,
    /// What its meter said, in the meter's unit.
    pub value: Option<f64>,
}

/// What an update's time rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirmwareBasis {
    /// Version that is installed; absent while it was never reported.
    pub installed: Option<String>,
    /// Version it is to have; absent when nobody said.
    pub target: Option<String>,
    /// Version to install now on the way there.
    pub next_version: Option<String>,
    /// Releases that are missing on the way: the newest that can be reached, and what the one after it
    /// asks for at least.
    pub gap: Option<(String, String)>,
    /// From when on its quiet hours were looked for.
    pub from: Option<DateTime<Utc>>,
    /// The stretch in which it is to be done.
    pub slot: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// What the stretch was found by.
    pub quiet: Option<QuietBasis>,
    /// Gates it waits for, or last waited for.
    pub waits: Vec<GateWait>,
    /// It waits for them now.
    pub is_blocked: bool,
}

/// One trigger's own proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DueCandidate {
    /// The trigger as the plan states it.
    pub trigger: Trigger,
    /// Its date; absent when the forecast does not reach it.
    pub due_at: Option<DateTime<Utc>>,
    /// What a usage date rests on.
    pub basis: Option<UsageBasis>,
    /// What a condition saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionBasis>,
    /// What an update rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<FirmwareBasis>,
    /// When the event happened that asks for the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_at: Option<DateTime<Utc>>,
}

code_enum! {
    /// Why a date was moved.
    pub enum AdjustmentKind {
        ClosedDay = "CLOSED_DAY", Season = "SEASON", Blackout = "BLACKOUT", Freeze = "FREEZE",
        Postponed = "POSTPONED", NoPermittedDay = "NO_PERMITTED_DAY",
    }
}

/// One move of a due date, with its reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DueAdjustment {
    /// Why.
    pub kind: AdjustmentKind,
    /// Date before, UTC.
    pub from: DateTime<Utc>,
    /// Date after, UTC; equals `from` when no day was found.
    pub to: DateTime<Utc>,
    /// The reason given, for example the planner's words of a postponement.
    pub reason: Option<String>,
    /// What people call the blackout or freeze period that moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<LocalizedText>,
}

/// The other side of a coverage, as it stood when the date was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoverNote {
    /// The other plan's name.
    pub plan: LocalizedText,
    /// When the other work is due.
    pub due_at: DateTime<Utc>,
}

/// Why an item is due when it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The winner's place in `candidates`; absent when no trigger proposes a date.
    pub winner: Option<usize>,
    /// Every trigger's proposal, in the plan's order.
    pub candidates: Vec<DueCandidate>,
    /// What moved the date afterwards.
    pub adjustments: Vec<DueAdjustment>,
    /// What the period counts from.
    pub anchor: Anchor,
    /// IANA zone the civil dates belong to.
    pub zone: String,
    /// The work that will do this one too: it is not ordered by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered_by: Option<CoverNote>,
    /// Work that this one does too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<CoverNote>,
}

impl Explanation {
    /// What the date rests on where usage gave it; none where another trigger did, or none.
    pub fn usage(&self) -> Option<&UsageBasis> {
        self.candidates.get(self.winner?)?.basis.as_ref()
    }
}

/// An item's due date with its band and reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// Names the occurrence: `slot:…` on a grid, `after:…` otherwise.
    pub occurrence_key: String,
    /// Before adjustments.
    pub nominal_at: DateTime<Utc>,
    /// After adjustments; absent when no day is permitted.
    pub due_at: Option<DateTime<Utc>>,
    /// Start of the band.
    pub window_start: DateTime<Utc>,
    /// Last instant of the band.
    pub window_end: DateTime<Utc>,
    /// Start of the forecast's early day, for usage-driven dates.
    pub p10_at: Option<DateTime<Utc>>,
    /// Start of the forecast's middle day.
    pub p50_at: Option<DateTime<Utc>>,
    /// Start of the forecast's late day.
    pub p90_at: Option<DateTime<Utc>>,
}

/// What is remembered of one condition of an item between two looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionState {
    /// Names the condition by what it says, so that a plan's other changes do not touch it.
    pub key: String,
    /// The time in which it is beyond.
    pub episode: Episode,
}

/// One time that work is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Occurrence {
    /// When.
    pub due_at: DateTime<Utc>,
    /// Start of its band.
    pub window_start: DateTime<Utc>,
    /// Last instant of its band.
    pub window_end: DateTime<Utc>,
    /// The trigger that gives the date.
    pub trigger: TriggerKind,
    /// Assumes that the one before is done on the day it is due.
    pub is_projected: bool,
}

/// One subject × one plan.
#[derive(Clone, Debug, PartialEq)]
pub struct MaintenanceItem {
    /// Identity.
    pub id: ItemId,
    /// The plan.
    pub plan_id: PlanId,
    /// Device or site.
    pub subject: Subject,
    /// The device, when the subject is one.
    pub device_id: Option<DeviceId>,
    /// The site it stands at.
    pub site_id: Option<SiteId>,
    /// The device's model.
    pub model_id: Option<DeviceModelId>,
    /// The site's region code.
    pub region_code: Option<String>,
    /// The plan's kind.
    pub kind: MaintenanceKind,
    /// The plan's channel.
    pub channel: ExecutionChannel,
    /// False while the subject is outside the plan.
    pub is_alive: bool,
    /// Since when it is inside.
    pub alive_since: DateTime<Utc>,
    /// What a never-done item counts from: the installation, or for a device outside the field
    /// the status in which it came into the plan. Stays while the item lives.
    pub counts_from: DateTime<Utc>,
    /// Last completion, device time.
    pub last_done_at: Option<DateTime<Utc>>,
    /// How many completions count; display only.
    pub cycle: i64,
    /// The next due date.
    pub due: Option<Due>,
    /// Why.
    pub explanation: Option<Explanation>,
    /// The order that is open for it.
    pub open_order_id: Option<WorkOrderId>,
    /// The item whose work will do this one too.
    pub covered_by: Option<ItemId>,
    /// What is remembered of its conditions.
    pub conditions: Vec<ConditionState>,
    /// When the planner last changed it.
    pub decided_at: DateTime<Utc>,
    /// When it can change without new facts.
    pub next_look_at: Option<DateTime<Utc>>,
    /// Grows with every change.
    pub version: i64,
}

/// An authorised job for one subject.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkOrder {
    /// Identity.
    pub id: WorkOrderId,
    /// What people see, for example `WO-2026-000123`.
    pub number: String,
    /// The kind of maintenance.
    pub kind: MaintenanceKind,
    /// Where it is in its life.
    pub state: WorkOrderState,
    /// How urgent.
    pub priority: Priority,
    /// The item it serves; absent for ad hoc orders.
    pub item_id: Option<ItemId>,
    /// The plan.
    pub plan_id: Option<PlanId>,
    /// The revision it was issued under.
    pub plan_revision_id: Option<PlanRevisionId>,
    /// Device or site.
    pub subject: Subject,
    /// The device, when the subject is one.
    pub device_id: Option<DeviceId>,
    /// Where it was to be done, whatever moves later.
    pub site_id: Option<SiteId>,
    /// The position it was to be done at.
    pub position_id: Option<PositionId>,
    /// The device's model.
    pub model_id: Option<DeviceModelId>,
    /// The site's region code.
    pub region_code: Option<String>,
    /// Due before adjustments.
    pub nominal_due_at: DateTime<Utc>,
    /// Due.
    pub due_at: DateTime<Utc>,
    /// The due date the device file knows; a PLANNED order follows the forecast more finely.
    pub told_due_at: DateTime<Utc>,
    /// Start of the band.
    pub window_start: DateTime<Utc>,
    /// Last instant of the band.
    pub window_end: DateTime<Utc>,
    /// The occurrence it was issued for.
    pub occurrence_key: Option<String>,
    /// Why it is due then; absent for ad hoc orders.
    pub explanation: Option<Explanation>,
    /// Who does it.
    pub channel: ExecutionChannel,
    /// The task list as issued.
    pub steps: Vec<TaskStep>,
    /// Expected minutes.
    pub estimated_minutes: u32,
    /// The technician.
    pub assignee_id: Option<TechnicianId>,
    /// When it is to be done.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// Why it was closed without work.
    pub close_reason: Option<String>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// Device time of the work that completed it.
    pub performed_at: Option<DateTime<Utc>>,
    /// The visit line that completed it.
    pub visit_line_id: Option<VisitLineId>,
    /// The failed step it was opened for; absent for all others.
    pub origin: Option<OrderOrigin>,
    /// Grows with every change.
    pub version: i64,
    /// When it was issued.
    pub created_at: DateTime<Utc>,
}

/// One row of upcoming maintenance: an open order, or an item without one.
#[derive(Clone, Debug, PartialEq)]
pub enum Upcoming {
    /// An open order.
    Order(Box<WorkOrder>),
    /// A forecast only.
    Item(Box<MaintenanceItem>),
}

/// What may be asked of upcoming maintenance; absent parts do not restrict.
#[derive(Clone, Debug, Default)]
pub struct UpcomingFilter {
    /// Kinds of maintenance.
    pub kinds: Option<Vec<MaintenanceKind>>,
    /// Plans.
    pub plan_ids: Option<Vec<PlanId>>,
    /// One site.
    pub site_id: Option<SiteId>,
    /// One device.
    pub device_id: Option<DeviceId>,
    /// One model.
    pub model_id: Option<DeviceModelId>,
    /// Region codes, by prefix.
    pub region_codes: Option<Vec<String>>,
    /// Channels.
    pub channels: Option<Vec<ExecutionChannel>>,
    /// Only what is past its band.
    pub overdue_only: bool,
}

/// What may be asked of work orders; absent parts do not restrict.
#[derive(Clone, Debug, Default)]
pub struct WorkOrderFilter {
    /// States.
    pub states: Option<Vec<WorkOrderState>>,
    /// Kinds of maintenance.
    pub kinds: Option<Vec<MaintenanceKind>>,
    /// Due at or after.
    pub due_from: Option<DateTime<Utc>>,
    /// Due before.
    pub due_before: Option<DateTime<Utc>>,
    /// Scheduled at or after.
    pub scheduled_from: Option<DateTime<Utc>>,
    /// Scheduled before.
    pub scheduled_before: Option<DateTime<Utc>>,
    /// Issued at or after.
    pub created_from: Option<DateTime<Utc>>,
    /// Issued before.
    pub created_before: Option<DateTime<Utc>>,
    /// One device.
    pub device_id: Option<DeviceId>,
    /// One site.
    pub site_id: Option<SiteId>,
    /// One plan.
    pub plan_id: Option<PlanId>,
    /// One model.
    pub model_id: Option<DeviceModelId>,
    /// Region codes, by prefix.
    pub region_codes: Option<Vec<String>>,
    /// Priorities.
    pub priorities: Option<Vec<Priority>>,
    /// One technician.
    pub assignee_id: Option<TechnicianId>,
    /// Only orders without (true) or with (false) a technician.
    pub unassigned: Option<bool>,
    /// Only open orders past (true) or not past (false) their band.
    pub overdue: Option<bool>,
    /// Order numbers.
    pub numbers: Option<Vec<String>>,
}

code_enum! {
    /// What work orders are listed by.
    pub enum WorkOrderOrderField { DueAt = "DUE_AT", CreatedAt = "CREATED_AT", ScheduledFor = "SCHEDULED_FOR", Priority = "PRIORITY" }
}

/// What a visit line reports to planning.
#[derive(Clone, Debug)]
pub struct VisitLineFact {
    /// Place in the visit, from 0.
    pub line: usize,
    /// The stored line.
    pub visit_line_id: VisitLineId,
    /// Device or site worked on; absent when the device is unknown, or the orders named say it.
    pub subject: Option<Subject>,
    /// It names a device that is not known: nothing can be counted for it.
    pub is_unresolved: bool,
    /// The device, when there is one.
    pub device: Option<DeviceId>,
    /// The site visited.
    pub site_id: SiteId,
    /// Orders the technician names.
    pub work_order_ids: Vec<WorkOrderId>,
    /// Plans the technician names.
    pub plan_ids: Vec<PlanId>,
    /// Of those orders, inspections before service that were not passed: they are not done.
    pub not_passed_orders: Vec<WorkOrderId>,
    /// Of those plans, inspections before service that were not passed: they are not done.
    pub not_passed_plans: Vec<PlanId>,
    /// Device time of the work.
    pub performed_at: DateTime<Utc>,
    /// True when the work was done.
    pub is_done: bool,
    /// The outcome as reported.
    pub outcome: String,
    /// Other devices whose files will hear of it: those its parts came from.
    pub touches: Vec<DeviceId>,
}

/// The task list of an order or plan a visit line names.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskList {
    /// The order the line names, or the one that is open for the plan it names.
    pub work_order_id: Option<WorkOrderId>,
    /// The plan, of the order too.
    pub plan_id: Option<PlanId>,
    /// The kind of maintenance.
    pub kind: MaintenanceKind,
    /// Device or site it is for.
    pub subject: Subject,
    /// The order is open, or there is none: the work is not reported as completed yet.
    pub is_open: bool,
    /// It is of an active plan, or of an order that was issued for a plan.
    pub is_of_plan: bool,
    /// The steps, as issued with the order.
    pub steps: Vec<TaskStep>,
}

/// What became of one order or plan of a visit line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineResult {
    /// Place in the visit, from 0.
    pub line: usize,
    /// What happened.
    pub code: LineCode,
    /// The order concerned.
    pub work_order: Option<WorkOrderId>,
}

/// What one planner run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannerRun {
    /// Subjects looked at.
    pub subjects: u64,
    /// Item rows written.
    pub items_written: u64,
    /// Orders issued.
    pub orders_issued: u64,
    /// Orders whose date moved.
    pub orders_moved: u64,
    /// Orders withdrawn.
    pub orders_withdrawn: u64,
    /// Grid slots found missed.
    pub slots_missed: u64,
}

impl PlannerRun {
    /// Adds what another part of the run did.
    pub fn add(&mut self, more: &Self) {
        self.subjects += more.subjects;
        self.items_written += more.items_written;
        self.orders_issued += more.orders_issued;
        self.orders_moved += more.orders_moved;
        self.orders_withdrawn += more.orders_withdrawn;
        self.slots_missed += more.slots_missed;
    }
}
