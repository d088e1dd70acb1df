//! Closed lists of codes, and the codes a refusal can carry.

/// Declares an enum whose variants are codes as text, the same in the API and in storage.
#[macro_export]
macro_rules! code_enum {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        $vis enum $name {
            $(
                $(#[$vdoc])*
                #[doc = concat!("The code `", $text, "`.")]
                #[serde(rename = $text)]
                $variant
            ),*
        }

        impl $name {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// Reads a code.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

code_enum! {
    /// Every code a refused request can carry.
    pub enum Code {
        NotFound = "NOT_FOUND", WrongIdKind = "WRONG_ID_KIND", MalformedId = "MALFORMED_ID",
        Invalid = "INVALID", Required = "REQUIRED", TooLong = "TOO_LONG", TooMany = "TOO_MANY",
        OutOfRange = "OUT_OF_RANGE", InvalidInstant = "INVALID_INSTANT", InvalidNumber = "INVALID_NUMBER",
        UnknownTimeZone = "UNKNOWN_TIME_ZONE", InvalidCron = "INVALID_CRON", InvalidDuration = "INVALID_DURATION",
        BandTooWide = "BAND_TOO_WIDE", EmptySelector = "EMPTY_SELECTOR", AlreadyExists = "ALREADY_EXISTS",
        Ambiguous = "AMBIGUOUS", IllegalTransition = "ILLEGAL_TRANSITION", Conflict = "CONFLICT",
        IdempotencyMismatch = "IDEMPOTENCY_MISMATCH", UnknownMeter = "UNKNOWN_METER",
        PositionOccupied = "POSITION_OCCUPIED", DeviceAlreadyInstalled = "DEVICE_ALREADY_INSTALLED",
        DeviceNotInstalled = "DEVICE_NOT_INSTALLED",
        CompletionNeedsVisit = "COMPLETION_NEEDS_VISIT", SkipNeedsSkipOccurrence = "SKIP_NEEDS_SKIP_OCCURRENCE",
        OccurrenceNotCurrent = "OCCURRENCE_NOT_CURRENT", WaiverRequired = "WAIVER_REQUIRED",
        CoverageCircle = "COVERAGE_CIRCLE",
        FirmwareDowngrade = "FIRMWARE_DOWNGRADE", PrerequisiteUnmet = "PREREQUISITE_UNMET",
        InvalidAnswer = "INVALID_ANSWER", InspectionRequired = "INSPECTION_REQUIRED",
        PartNotInModel = "PART_NOT_IN_MODEL", PartNotReplaceableHere = "PART_NOT_REPLACEABLE_HERE",
        PartReplacedByItself = "PART_REPLACED_BY_ITSELF", PartSerialInUse = "PART_SERIAL_IN_USE",
        PartSerialMismatch = "PART_SERIAL_MISMATCH", FailureRequired = "FAILURE_REQUIRED",
        UnknownFailureCode = "UNKNOWN_FAILURE_CODE",
    }
}

/// A refusal a caller can act on.
pub trait Refusal {
    /// The code; absent when the failure is internal and its text must not leave.
    fn code(&self) -> Option<Code>;

    /// The input field it is about, as a path from the mutation's argument.
    fn field(&self) -> Vec<String> {
        Vec::new()
    }

    /// What is wrong and what to do.
    fn message(&self) -> String;
}
