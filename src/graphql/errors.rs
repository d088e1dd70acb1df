//! The only translator from refusals and failures to what callers see.

use crate::db::StoreError;
use crate::db::tx::IdempotencyError;
use crate::kernel::code::{Code, Refusal};
use crate::kernel::ids::IdError;
use async_graphql::{Enum, ErrorExtensions, SimpleObject};

/// What a caller can tell refusals apart by; codes never change with the language.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[graphql(remote = "crate::kernel::code::Code")]
pub enum UserErrorCode {
    /// No such thing in your organization.
    NotFound,
    /// The id names something else.
    WrongIdKind,
    /// Not an id of this API.
    MalformedId,
    /// A value is out of its bounds; the message says which and why.
    Invalid,
    /// Something necessary is missing.
    Required,
    /// A text is too long.
    TooLong,
    /// More than one request takes.
    TooMany,
    /// A number is beyond what is believed.
    OutOfRange,
    /// A moment that is impossible, in the future, or outside 2000 to 2100.
    InvalidInstant,
    /// Not a number, or negative where it cannot be.
    InvalidNumber,
    /// Not an IANA time zone.
    UnknownTimeZone,
    /// The cron text cannot be read.
    InvalidCron,
    /// The duration cannot be read.
    InvalidDuration,
    /// Early plus late days reach the shortest gap of the grid, so that bands would meet. The band
    /// runs from windowStart to windowEnd; work in it counts as on time.
    BandTooWide,
    /// The selector names nothing.
    EmptySelector,
    /// There is one already.
    AlreadyExists,
    /// More than one thing is meant; the message says what to add.
    Ambiguous,
    /// The status or state cannot become that one.
    IllegalTransition,
    /// Somebody else changed it first; reload and try again.
    Conflict,
    /// The idempotency key was used with other input.
    IdempotencyMismatch,
    /// No such meter, or the device's model has none.
    UnknownMeter,
    /// Another device fills the position.
    PositionOccupied,
    /// The device stands somewhere already.
    DeviceAlreadyInstalled,
    /// The device stands nowhere.
    DeviceNotInstalled,
    /// Orders are completed by logging the visit.
    CompletionNeedsVisit,
    /// Orders are skipped by skipOccurrence.
    SkipNeedsSkipOccurrence,
    /// Nothing is due that could be skipped or postponed.
    OccurrenceNotCurrent,
    /// A compliance plan needs an approver and a waiver.
    WaiverRequired,
    /// The coverage of plans runs in a circle.
    CoverageCircle,
    /// The release is older than what a device has; say allowDowngrade to mean it.
    FirmwareDowngrade,
    /// No sequence of published releases leads from what a device has to the release.
    PrerequisiteUnmet,
    /// The answer is of another kind than the step asks for, or none of its choices.
    InvalidAnswer,
    /// The device has not passed its inspection before service; the message says what is missing.
    InspectionRequired,
    /// The device's model has no such part.
    PartNotInModel,
    /// The part is replaced in the workshop or at the maker's only: opening the terminal erases its
    /// keys.
    PartNotReplaceableHere,
    /// Old and new part are the same.
    PartReplacedByItself,
    /// The part is in another device.
    PartSerialInUse,
    /// Another part than the one taken out is known to be in; the message says which.
    PartSerialMismatch,
    /// A repair says what failed, why, what was done, and when; the message says what is missing.
    FailureRequired,
    /// No such failure mode, cause or remedy.
    UnknownFailureCode,
}

/// Why a request was refused, and what to do.
#[derive(SimpleObject, Clone, Debug)]
pub struct UserError {
    /// The kind of refusal, from a closed list.
    pub code: UserErrorCode,
    /// What is wrong and what to do, for people.
    pub message: String,
    /// Path of the input field it is about; null when it is about the whole request.
    pub field: Option<Vec<String>>,
}

/// How a mutation can fail.
#[derive(Debug)]
pub enum Failure {
    /// The caller can do something about it.
    User(UserError),
    /// Only we can.
    Internal(async_graphql::Error),
}

/// What a mutation comes to.
pub type Outcome<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A refusal of the edge itself.
    pub fn user(code: Code, message: &str, field: &[&str]) -> Self {
        let field = (!field.is_empty()).then(|| field.iter().map(|f| (*f).to_owned()).collect());
        Self::User(UserError { code: code.into(), message: message.to_owned(), field })
    }

    /// A refusal of a room; one without a code is a failure of ours.
    fn of(error: &(impl Refusal + std::error::Error + 'static)) -> Self {
        match error.code() {
            Some(code) => {
                let field = error.field();
                Self::User(UserError {
                    code: code.into(),
                    message: error.message(),
                    field: (!field.is_empty()).then_some(field),
                })
            }
            None => Self::Internal(internal(error)),
        }
    }
}

macro_rules! from_refusal {
    ($($room:ident { $($store:ident $(($of:path))?),* }),*) => {$(
        impl From<crate::$room::Error> for Failure {
            fn from(error: crate::$room::Error) -> Self {
                match &error {
                    $(from_refusal!(@pattern $room $store cause $($of)?) => Self::Internal(internal(cause)),)*
                    refusal => Self::of(refusal),
                }
            }
        }
    )*};
    (@pattern $room:ident $store:ident $cause:ident $of:path) => { crate::$room::Error::$store($of($cause)) };
    (@pattern $room:ident $store:ident $cause:ident) => { crate::$room::Error::$store($cause) };
}
from_refusal!(
    catalogue { Store, Replay(IdempotencyError::Store) },
    registry { Store, Replay(IdempotencyError::Store) },
    usage { Store, Replay(IdempotencyError::Store) },
    firmware { Store, Replay(IdempotencyError::Store) },
    planning { Store, Replay(IdempotencyError::Store) },
    visits { Store, Replay(IdempotencyError::Store) },
    reports { Store }
);

impl From<async_graphql::Error> for Failure {
    fn from(error: async_graphql::Error) -> Self {
        Self::Internal(error)
    }
}

/// An id error as a refusal of a field.
pub fn id_refusal(error: &IdError, field: &str) -> Failure {
    let code = match error {
        IdError::Malformed { .. } => Code::MalformedId,
        IdError::WrongKind { .. } => Code::WrongIdKind,
    };
    Failure::user(code, &error.to_string(), &["input", field])
}

/// A failure of ours: logged with its causes, answered without them.
///
/// The request's id is in the log by its span, and in the answer by [`super::schema::execute`].
pub fn internal(error: &(dyn std::error::Error + 'static)) -> async_graphql::Error {
    let chain = StoreError::chain(error);
    if let Some(StoreError::Unavailable(_)) = error.downcast_ref::<StoreError>() {
        tracing::warn!(error = chain, "the database is not available");
        return async_graphql::Error::new("the database cannot be reached just now; try again in a moment")
            .extend_with(|_, e| {
                e.set("code", UNAVAILABLE);
                e.set("retryable", true);
            });
    }
    tracing::error!(error = chain, "request failed");
    async_graphql::Error::new(INTERNAL_MESSAGE).extend_with(|_, e| {
        e.set("code", INTERNAL);
        e.set("retryable", false);
    })
}

/// A row that another row refers to is not there.
pub fn missing(what: &'static str) -> async_graphql::Error {
    internal(&StoreError::Corrupt {
        table: what.to_owned(),
        column: "id".to_owned(),
        row: String::new(),
        detail: "a row that is referred to is missing".to_owned(),
    })
}

/// A query argument that cannot be.
pub fn bad_input(message: impl Into<String>) -> async_graphql::Error {
    async_graphql::Error::new(message).extend_with(|_, e| e.set("code", BAD_USER_INPUT))
}

/// What a caller is told when the fault is ours.
pub const INTERNAL_MESSAGE: &str = "something went wrong on our side; try again, and report the request id if it stays";

/// A fault of ours.
pub const INTERNAL: &str = "INTERNAL";
/// The database cannot be reached; the same request may work in a moment.
pub const UNAVAILABLE: &str = "UNAVAILABLE";
/// The request cannot be read, or asks for what cannot be.
pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
/// A serial number that two makers share, without the maker.
pub const AMBIGUOUS: &str = "AMBIGUOUS";
/// Fields are nested too deep.
pub const DEPTH_LIMIT: &str = "DEPTH_LIMIT";
/// The request costs too much; ask for fewer rows or fields.
pub const TOO_COMPLEX: &str = "TOO_COMPLEX";
/// Too many aliases.
pub const ALIAS_LIMIT: &str = "ALIAS_LIMIT";
/// Too many directives.
pub const DIRECTIVE_LIMIT: &str = "DIRECTIVE_LIMIT";
/// The query text is too long.
pub const TOKEN_LIMIT: &str = "TOKEN_LIMIT";
/// The request's body is too long.
pub const BODY_LIMIT: &str = "BODY_LIMIT";
/// Several requests in one.
pub const BATCH_REFUSED: &str = "BATCH_REFUSED";
/// A page of another site asks, or somebody who may not.
pub const FORBIDDEN: &str = "FORBIDDEN";
/// Too many subscriptions on one connection.
pub const SUBSCRIPTION_LIMIT: &str = "SUBSCRIPTION_LIMIT";
/// A change by GET.
pub const METHOD_NOT_ALLOWED: &str = "METHOD_NOT_ALLOWED";
