//! The rooms' closed lists as GraphQL enums, one to one.

use async_graphql::Enum;

macro_rules! gql_enum {
    ($(#[$doc:meta])* $name:ident = $remote:tt { $($(#[$vdoc:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
        #[graphql(remote = $remote)]
        pub enum $name { $($(#[$vdoc])* $variant),* }
    };
}

gql_enum! {
    /// What kind of maintenance.
    MaintenanceKind = "crate::planning::model::MaintenanceKind" {
        /// Cleaning of readers, print head, case.
        Cleaning,
        /// Check of the power module, adapter, base.
        PowerCheck,
        /// Check of display and touch.
        DisplayCheck,
        /// Check that the place is dry and ventilated.
        EnvironmentCheck,
        /// New firmware.
        FirmwareUpdate,
        /// Inspection for tampering and substitution.
        Inspection,
        /// Check of the battery.
        BatteryCheck,
        /// Check of memory and storage.
        ResourceCheck,
        /// Check of the connection.
        CommsCheck,
        /// Inspection before going into service.
        PreInstallation,
        /// Installing a device.
        Installation,
        /// Taking a device away.
        Removal,
        /// Moving a device.
        Relocation,
        /// Old device out, new one in.
        Swap,
        /// Patrol visit to the merchant.
        MerchantPatrol,
        /// Replacing a device at its end.
        Replacement,
        /// Repair.
        Corrective,
    }
}
gql_enum! {
    /// Where a work order is in its life.
    WorkOrderState = "crate::planning::model::WorkOrderState" {
        /// Issued; follows the forecast.
        Planned,
        /// Has a date; its band is frozen.
        Scheduled,
        /// Sent to the technician.
        Dispatched,
        /// Work has begun.
        InProgress,
        /// Waits for something.
        OnHold,
        /// Reported as done.
        Completed,
        /// Skipped with a reason.
        Skipped,
        /// Taken back.
        Cancelled,
    }
}
gql_enum! {
    /// What makes a plan fall due.
    TriggerKind = "crate::planning::model::TriggerKind" {
        /// A cron grid in the site's zone.
        CalendarFixed,
        /// A duration since last done.
        CalendarFloating,
        /// So many units of a counter since last done.
        Usage,
        /// A measure beyond its limit, held.
        Condition,
        /// Installed software is not the target.
        Firmware,
        /// Something that happened to the device.
        Event,
    }
}
gql_enum! {
    /// On which side of a limit a measure is beyond it.
    ConditionOperator = "crate::planning::condition::Operator" {
        /// Above the limit.
        Above,
        /// At the limit or above.
        AtLeast,
        /// Below the limit.
        Below,
        /// At the limit or below.
        AtMost,
    }
}
gql_enum! {
    /// Dates of a device.
    DatedAttribute = "crate::usage::measure::DatedAttribute" {
        /// When it was installed where it is.
        InstalledAt,
        /// When its firmware was last reported.
        FirmwareReportedAt,
        /// When its battery came in.
        BatteryInstalledAt,
        /// When its warranty ends.
        WarrantyEndsAt,
    }
}
/// What a condition looks at.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum MeasureKind {
    /// The latest value of a gauge.
    Gauge,
    /// The life counter of the part a meter rates.
    Life,
    /// What a counter grew in a window.
    Delta,
    /// What a counter grew a day in a window.
    Rate,
    /// What one counter grew as a share of what another grew.
    Ratio,
    /// That ratio as a multiple of the device's own in the time before.
    RatioToBaseline,
    /// Days since the last reading of any meter.
    DaysSinceReading,
    /// Days since a counter last grew.
    DaysSinceUse,
    /// Time since the last reading, as a multiple of the device's own normal gap.
    Silence,
    /// Days since a date of the device.
    AttributeAge,
    /// Days until a gauge is forecast to cross a limit.
    DaysToLimit,
}
gql_enum! {
    /// What the quiet hours of an update were found by.
    QuietBasis = "crate::firmware::model::QuietBasis" {
        /// The device's own use in each hour of its week.
        OwnUsage,
        /// The hours in which its site is closed.
        ClosedHours,
        /// The middle of the window: neither hourly use nor closed hours are known.
        WindowOnly,
    }
}
gql_enum! {
    /// What load is grouped by.
    LoadDimension = "crate::planning::foresight::LoadDimension" {
        /// Civil weeks, Monday first, on the sites' calendars.
        Week,
        /// Region codes of sites.
        Region,
        /// Technicians whom orders are given to.
        Technician,
        /// Kinds of maintenance.
        Kind,
        /// Who does it, and where.
        Channel,
    }
}
gql_enum! {
    /// What happens to a device that asks for work.
    TriggerEvent = "crate::planning::model::TriggerEvent" {
        /// It waits in stock to go into service.
        BeforeService,
        /// It went from one place to another.
        AfterRelocation,
        /// It came back from repair.
        AfterRepair,
        /// It is used again after many days without use.
        AfterInactivity,
    }
}
gql_enum! {
    /// Where a device is in its life.
    DeviceStatus = "crate::registry::model::DeviceStatus" {
        /// Ordered from the maker.
        Ordered,
        /// In stock.
        InStock,
        /// Prepared for installation.
        Ready,
        /// On its way.
        InTransit,
        /// Stands at its position, not in service yet.
        Installed,
        /// In service.
        InService,
        /// Stands there, out of service for a time.
        Suspended,
        /// Set apart: tampering or a fault is suspected.
        Quarantined,
        /// In repair.
        InRepair,
        /// Out of use for good.
        Retired,
        /// Destroyed.
        Destroyed,
        /// Lost.
        Lost,
    }
}
gql_enum! {
    /// Who carries the work out, and where.
    ExecutionChannel = "crate::planning::model::ExecutionChannel" {
        /// From afar.
        Remote,
        /// The merchant.
        Merchant,
        /// A technician on site.
        Field,
        /// In the workshop.
        Depot,
    }
}
gql_enum! {
    /// How the work on one visit line ended.
    VisitLineOutcome = "crate::visits::model::VisitLineOutcome" {
        /// Done.
        Done,
        /// Partly done; does not count as done.
        PartlyDone,
        /// Nobody let the technician in.
        NoAccess,
        /// The merchant refused.
        Refused,
        /// The device was not there.
        DeviceNotFound,
        /// The site was closed.
        SiteClosed,
    }
}
gql_enum! {
    /// How urgent.
    Priority = "crate::planning::model::Priority" {
        /// Can wait.
        Low,
        /// As planned.
        Normal,
        /// Before others.
        High,
        /// At once.
        Urgent,
    }
}
gql_enum! {
    /// Which point of a usage forecast becomes the due date.
    DueQuantile = "crate::planning::model::DueQuantile" {
        /// Early: one in ten gets there sooner.
        P10,
        /// Middle.
        P50,
        /// Late: one in ten takes longer.
        P90,
    }
}
gql_enum! {
    /// What maintenance is done to.
    SubjectKind = "crate::kernel::subject::SubjectKind" {
        /// A device.
        Device,
        /// A site.
        Site,
    }
}
gql_enum! {
    /// Where a usage rate comes from.
    RateSource = "crate::usage::model::RateSource" {
        /// The device's own readings.
        Device,
        /// The device's few days, blended with what other devices of its model use; until a fleet has
        /// any, with the model's planning rate, which may be assumed.
        Model,
        /// The device's few days, blended with what devices at sites of the same environment use.
        SiteType,
        /// The model's planning rate alone, which may be assumed.
        Planning,
    }
}
gql_enum! {
    /// Whose last year a season was learned from.
    SeasonSource = "crate::usage::model::SeasonSource" {
        /// Nobody's: less than a year is known.
        None,
        /// The fleet's, as the device itself is too young.
        Fleet,
        /// The device's own and the fleet's, each as far as it counts.
        Device,
    }
}
gql_enum! {
    /// Why a due date was moved.
    AdjustmentKind = "crate::planning::model::AdjustmentKind" {
        /// The site is closed that day.
        ClosedDay,
        /// The day is outside the plan's season.
        Season,
        /// The day lies in one of the plan's blackouts.
        Blackout,
        /// The day lies in a freeze period.
        Freeze,
        /// A planner postponed it.
        Postponed,
        /// No day is permitted within 366 days.
        NoPermittedDay,
    }
}
gql_enum! {
    /// What became of a visit line, order by order and plan by plan.
    VisitLineCode = "crate::planning::model::LineCode" {
        /// The order is completed.
        Completed,
        /// Counted for the item; no order was open.
        Counted,
        /// Counted; the order was completed before.
        AlreadyCompleted,
        /// Counted; the order had been closed.
        OrderClosed,
        /// No such order; the line is kept.
        OrderNotFound,
        /// No such plan; the line is kept.
        PlanNotFound,
        /// The plan is for another kind of subject.
        PlanNotForSubject,
        /// Counted, but before the open order's band; the order stays open.
        BeforeWindow,
        /// Counted; later work was logged before.
        OutOfOrder,
        /// Not done, so not counted.
        NotDone,
        /// Recorded; no order or plan was named.
        Recorded,
        /// The serial is unknown or ambiguous; the line is kept unresolved.
        UnresolvedDevice,
        /// A card number in free text was masked.
        CardNumberMasked,
        /// The device is registered at another site.
        OtherSite,
        /// The order is for another device or site.
        OrderOfOtherSubject,
        /// Performed more than a day outside the visit's times.
        PerformedOutsideVisit,
        /// Required steps were not answered; the work counts all the same.
        StepsMissing,
        /// A step failed: a limit, a choice or an answer says so.
        StepFailed,
        /// A failed step has this corrective order, opened now or open before.
        CorrectiveOpened,
        /// A meter reading of a step was not believed or not known for this model; the visit keeps it.
        ReadingNotTaken,
        /// The inspection before service is passed.
        InspectionPassed,
        /// The inspection before service is not passed: required steps are missing or failed.
        InspectionNotPassed,
    }
}
gql_enum! {
    /// How a step of a task list is answered.
    StepKind = "crate::planning::model::StepKind" {
        /// Passed or failed: `passed`.
        PassFail,
        /// One of its choices: `choice`.
        Choice,
        /// A number with a unit and limits: `number`.
        Number,
        /// Words: `text`.
        Text,
        /// A value of one of the device's meters: `number`, in the meter's unit; recorded as a reading.
        MeterReading,
        /// A serial number read off the device: `serial`; another one than the device's has failed.
        SerialScan,
    }
}
gql_enum! {
    /// What orders are listed by.
    WorkOrderOrderField = "crate::planning::model::WorkOrderOrderField" {
        /// Due date.
        DueAt,
        /// When it was issued.
        CreatedAt,
        /// When it is to be done; unscheduled orders are left out.
        ScheduledFor,
        /// By urgency: ASC begins with LOW.
        Priority,
    }
}
gql_enum! {
    /// What devices are listed by.
    DeviceOrderField = "crate::registry::model::DeviceOrderField" {
        /// Serial number.
        SerialNumber,
        /// When it was registered.
        CreatedAt,
    }
}
gql_enum! {
    /// What coordinates refer to.
    CoordinateSystem = "crate::registry::model::CoordinateSystem" {
        /// GPS.
        #[graphql(name = "WGS84")]
        Wgs84,
        /// The shifted system of most maps in China.
        #[graphql(name = "GCJ02")]
        Gcj02,
        /// Baidu's system.
        #[graphql(name = "BD09")]
        Bd09,
    }
}
gql_enum! {
    /// What surrounds the devices of a site.
    SiteEnvironment = "crate::registry::model::SiteEnvironment" {
        /// Indoors, clean and dry.
        Indoor,
        /// Kitchens and food.
        FoodService,
        /// Dusty.
        Dusty,
        /// Damp.
        Damp,
        /// Outdoors.
        Outdoor,
        /// In a vehicle.
        Vehicle,
    }
}
gql_enum! {
    /// Parts of a terminal.
    ComponentKind = "crate::catalogue::model::ComponentKind" {
        /// Power module.
        PowerModule,
        /// Display.
        Display,
        /// Magstripe reader.
        MagstripeReader,
        /// Chip reader.
        ChipReader,
        /// Contactless reader.
        ContactlessReader,
        /// Camera.
        Camera,
        /// Printer.
        Printer,
        /// Keypad.
        Keypad,
        /// Battery.
        Battery,
        /// Coin cell.
        CoinCell,
        /// Comms module.
        CommsModule,
        /// SIM.
        Sim,
        /// Secure access module.
        Sam,
        /// Speaker.
        Speaker,
        /// Base or dock.
        Base,
    }
}
gql_enum! {
    /// Where a part can be replaced; opening a terminal erases its keys.
    ReplaceableAt = "crate::catalogue::model::ReplaceableAt" {
        /// On site.
        Field,
        /// In the workshop.
        Depot,
        /// At the maker's.
        Factory,
    }
}
gql_enum! {
    /// How well a figure is known.
    Basis = "crate::catalogue::model::Basis" {
        /// Stated by the maker.
        Sourced,
        /// Stated by a reseller, forum or the like.
        SourcedLow,
        /// Assumed.
        Assumed,
    }
}
gql_enum! {
    /// How a meter behaves.
    MeterKind = "crate::catalogue::model::MeterKind" {
        /// Only grows.
        Counter,
        /// Goes up and down.
        Gauge,
    }
}
gql_enum! {
    /// What the merchant notices first.
    FailureFamily = "crate::catalogue::model::FailureFamily" {
        /// A card cannot be read.
        CardReadFailure,
        /// A payment or its settlement takes too long.
        TransactionDelay,
        /// The terminal stops or restarts by itself.
        SystemCrash,
        /// Power, display, printer, surroundings, security.
        Other,
    }
}
gql_enum! {
    /// How a failure shows, in the manner of ISO 14224.
    FailureMode = "crate::catalogue::model::FailureMode" {
        /// Works worse than it should.
        Degraded,
        /// Works now and then.
        Erratic,
        /// Something is in the way.
        Blocked,
        /// Shows or answers nothing.
        NoOutput,
        /// No connection.
        NoSignal,
        /// No power.
        NoPower,
        /// Stops by itself.
        SpuriousStop,
        /// Does not start.
        FailToStart,
        /// Starts, but does not do its work.
        FailToFunction,
        /// A measured value is beyond its limits.
        ParameterDeviation,
        /// Bent, lifted, swollen.
        Deformation,
        /// Its tamper protection has triggered.
        Tamper,
        /// It is not the terminal it should be.
        IdentityMismatch,
        /// It stands where it should not.
        LocationMismatch,
        /// The terminal is well; something else is not.
        NotADeviceFailure,
        /// Nothing was found.
        NoFailure,
    }
}
gql_enum! {
    /// Who or what caused a failure. Only DEVICE counts against the device's reliability.
    FailureOrigin = "crate::catalogue::model::FailureOrigin" {
        /// The terminal itself: hardware, firmware, application.
        Device,
        /// Where it stands and who handles it: heat, water, dirt, blows, attackers.
        Site,
        /// The connection on the way to the host.
        Network,
        /// The host, or what it sent.
        Host,
        /// The customer's card.
        Card,
        /// No fault was found.
        NoneFound,
    }
}
gql_enum! {
    /// Kinds of installed software.
    SoftwareKind = "crate::registry::model::SoftwareKind" {
        /// Firmware.
        Firmware,
        /// Operating system.
        Os,
        /// Payment application.
        PaymentApp,
        /// Parameters.
        Parameters,
        /// EMV kernel.
        Kernel,
        /// Certificate.
        Certificate,
    }
}
gql_enum! {
    /// How much a firmware release matters.
    FirmwareCriticality = "crate::firmware::model::Criticality" {
        /// Can wait.
        Low,
        /// As usual.
        Normal,
        /// Soon.
        High,
        /// At once: payments or their security are at stake.
        Critical,
    }
}
gql_enum! {
    /// What can hold a firmware update back.
    FirmwareGateKind = "crate::firmware::model::GateKind" {
        /// The battery has less than a charge (meter BATTERY_LEVEL).
        BatteryAtLeast,
        /// Less storage is free (meter FLASH_FREE).
        StorageFreeAtLeast,
        /// Transactions wait to be settled (meter UNSETTLED_TRANSACTIONS).
        BatchSettled,
    }
}
gql_enum! {
    /// What an event of a device file says happened.
    HistoryEventKind = "crate::registry::file::EventKind" {
        /// Registered.
        DeviceRegistered,
        /// Asset tag or external ids changed.
        DeviceUpdated,
        /// Status changed.
        StatusChanged,
        /// Installed at a position.
        Installed,
        /// Taken from its position.
        Removed,
        /// Moved to another position.
        Relocated,
        /// Left in a swap.
        SwappedOut,
        /// Came in a swap.
        SwappedIn,
        /// A part was put in.
        ComponentInstalled,
        /// A part was taken out.
        ComponentRemoved,
        /// Software was reported.
        SoftwareReported,
        /// A counter was reset, wrapped, or grew too fast.
        MeterAnomaly,
        /// A late reading changed what an earlier one was taken for.
        ReadingReinterpreted,
        /// A swap was told late: readings sent by the terminal number went to the device that came.
        ReadingsMoved,
        /// An order was issued.
        WorkOrderIssued,
        /// An order's date moved by two days or more.
        WorkOrderMoved,
        /// An order changed its state.
        WorkOrderStateChanged,
        /// An order was completed.
        WorkOrderCompleted,
        /// The planner took an order back.
        WorkOrderWithdrawn,
        /// An occurrence was skipped.
        OccurrenceSkipped,
        /// An occurrence was postponed.
        OccurrencePostponed,
        /// A slot of a grid passed without work.
        OccurrenceMissed,
        /// A slot thought missed was not (`isVoid`), or counts as missed again.
        OccurrenceMissedCorrected,
        /// A skip or postponement no longer applies (`isVoid`), or applies again.
        OccurrenceVoided,
        /// A visit was logged.
        VisitLogged,
        /// A part was replaced, or a part that was in it is in another device now.
        ComponentReplaced,
        /// A failure was reported: mode, cause and remedy.
        FailureReported,
        /// It passed its inspection before service.
        InspectionPassed,
        /// It failed its inspection before service: one passed before counts no more.
        InspectionFailed,
    }
}
gql_enum! {
    /// What the figures of a report are grouped by.
    ReportDimension = "crate::reports::model::Dimension" {
        /// Device model.
        Model,
        /// Site, as it was when it happened.
        Site,
        /// Region code of the site.
        Region,
        /// Kind of maintenance; failures have none and are in the total only.
        Kind,
        /// Calendar month in the organization's time zone.
        Month,
    }
}
gql_enum! {
    /// Which days around a due date count as on time.
    ComplianceBandKind = "crate::reports::model::BandKind" {
        /// Each order's own band: its plan's, and as far as a planner postponed it.
        PlanBand,
        /// The days that are given with it, the same for all plans.
        Days,
    }
}
gql_enum! {
    /// What can be searched for.
    SearchType = "crate::kernel::search::SearchType" {
        /// A device, by serial number, asset tag, external id, or the terminal number it fills now.
        Device,
        /// A merchant, by name or merchant number.
        Merchant,
        /// A site, by name or the phone of its contact.
        Site,
        /// A position, by terminal number.
        Position,
        /// A technician, by name, employee number or phone.
        Technician,
        /// A work order, by number.
        WorkOrder,
        /// A service visit, by number.
        ServiceVisit,
    }
}
gql_enum! {
    /// What a search found the text in.
    SearchField = "crate::kernel::search::MatchedField" {
        /// Serial number.
        SerialNumber,
        /// The owner's own tag.
        AssetTag,
        /// What another system calls the device.
        ExternalId,
        /// Terminal number (TID).
        TerminalNumber,
        /// Merchant number (MID).
        MerchantNumber,
        /// Name.
        Name,
        /// The employer's number.
        EmployeeNumber,
        /// Phone, of a technician or a site's contact.
        Phone,
        /// Number of an order or a visit.
        Number,
    }
}
gql_enum! {
    /// How well something answers a search, best first.
    SearchRank = "crate::kernel::search::Rank" {
        /// It is the text.
        Exact,
        /// It begins with the text.
        Prefix,
        /// It contains the text.
        Contains,
    }
}
gql_enum! {
    /// What happened to a piece of maintenance.
    MaintenanceChangeKind = "crate::planning::changes::ChangeKind" {
        /// An order was issued.
        Issued,
        /// The order's date moved by two days or more.
        Moved,
        /// The order was given a date, or another one.
        Scheduled,
        /// The order went to another state: sent out, begun, held, skipped or cancelled.
        StateChanged,
        /// The order was completed.
        Completed,
        /// The planner took the order back.
        Withdrawn,
        /// An occurrence without an order was skipped, postponed, missed, or one of these no longer
        /// applies.
        ItemChanged,
    }
}

/// Which way a list runs.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderDirection {
    /// Smallest, earliest first.
    Asc,
    /// Largest, latest first.
    Desc,
}

/// A language people read.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "crate::kernel::text::Language")]
pub enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
}
