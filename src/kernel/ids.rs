//! Typed ids: UUIDv7 newtypes inside, opaque global ids outside.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use std::sync::Mutex;
use uuid::Uuid;

/// Why an id is not the id that was wanted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not a global id at all.
    #[error("\"{given}\" is not an id; use the id field of an object this API returned")]
    Malformed {
        /// What was given, shortened.
        given: String,
    },
    /// The id of something else.
    #[error("this is the id of a {found}; give the id of a {expected}")]
    WrongKind {
        /// What was wanted.
        expected: &'static str,
        /// What the id names.
        found: String,
    },
}

/// Splits a global id into kind and UUID.
///
/// # Errors
/// The text is not a global id.
pub fn split_global(text: &str) -> Result<(String, Uuid), IdError> {
    let malformed = || IdError::Malformed { given: text.chars().take(64).collect() };
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?;
    let decoded = String::from_utf8(bytes).map_err(|_| malformed())?;
    let (kind, id) = decoded.split_once(':').ok_or_else(malformed)?;
    let id = Uuid::try_parse(id).map_err(|_| malformed())?;
    Ok((kind.to_owned(), id))
}

/// Makes a global id of a kind.
pub fn join_global(kind: &str, id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(format!("{kind}:{id}"))
}

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident = $kind:literal),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The kind in a global id.
            pub const KIND: &'static str = $kind;

            /// The opaque id clients see.
            pub fn global(self) -> String {
                join_global(Self::KIND, self.0)
            }

            /// Reads a global id of this kind.
            ///
            /// # Errors
            /// Malformed, or the id of something else.
            pub fn parse_global(text: &str) -> Result<Self, IdError> {
                let (found, id) = split_global(text)?;
                if found != Self::KIND {
                    return Err(IdError::WrongKind { expected: Self::KIND, found });
                }
                Ok(Self(id))
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

id_types! {
    /// A tenant.
    OrganizationId = "Organization",
    /// Who the terminals serve.
    MerchantId = "Merchant",
    /// A place where devices are visited together.
    SiteId = "Site",
    /// A named place a device fills at a site.
    PositionId = "Position",
    /// Which serial stands where, from when to when.
    BindingId = "Binding",
    /// Manufacturer, model and hardware revision.
    DeviceModelId = "DeviceModel",
    /// One terminal.
    DeviceId = "Device",
    /// A part of a device.
    ComponentId = "Component",
    /// One installed thing with a version.
    SoftwareItemId = "SoftwareItem",
    /// A person who visits sites.
    TechnicianId = "Technician",
    /// An external id of a device.
    ExternalIdId = "ExternalId",
    /// A maintenance plan.
    PlanId = "MaintenancePlan",
    /// One revision of a plan.
    PlanRevisionId = "PlanRevision",
    /// One subject × one plan.
    ItemId = "MaintenanceItem",
    /// An authorised job.
    WorkOrderId = "WorkOrder",
    /// One trip to one site.
    VisitId = "ServiceVisit",
    /// One line of a visit.
    VisitLineId = "VisitLine",
    /// One entry of an item's log.
    LogEntryId = "LogEntry",
    /// A version of a firmware for some models.
    FirmwareReleaseId = "FirmwareRelease",
    /// What devices of a model are to run.
    FirmwareTargetId = "FirmwareTarget",
    /// Days on which work stands still.
    FreezePeriodId = "FreezePeriod",
}

/// Makes UUIDv7s from a given time and its own randomness; seeded, it repeats.
#[derive(Debug)]
pub struct Ids {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rng: StdRng,
    last_millis: u64,
    counter: u16,
}

impl Ids {
    /// Random ids.
    #[expect(clippy::disallowed_methods, reason = "the one source of ids nobody can guess")]
    pub fn new() -> Self {
        Self::from_rng(StdRng::from_rng(&mut rand::rng()))
    }

    /// Ids that repeat for the same seed and times; for tests and the demo.
    pub fn seeded(seed: u64) -> Self {
        Self::from_rng(StdRng::seed_from_u64(seed))
    }

    fn from_rng(rng: StdRng) -> Self {
        Self { state: Mutex::new(State { rng, last_millis: 0, counter: 0 }) }
    }

    /// A new id, later than any this source gave for the same or an earlier millisecond.
    pub fn uuid(&self, now: DateTime<Utc>) -> Uuid {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        if millis > state.last_millis {
            state.last_millis = millis;
            state.counter = 0;
        } else {
            // A 12-bit counter follows the time; when it is full the time is borrowed from ahead.
            state.counter += 1;
            if state.counter > 0x0fff {
                state.counter = 0;
                state.last_millis += 1;
            }
        }
        let mut bytes: [u8; 16] = state.rng.random();
        bytes[..6].copy_from_slice(&state.last_millis.to_be_bytes()[2..]);
        bytes[6] = 0x70 | (state.counter >> 8) as u8;
        bytes[7] = (state.counter & 0xff) as u8;
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Uuid::from_bytes(bytes)
    }

    /// A new typed id.
    pub fn next<T: From<Uuid>>(&self, now: DateTime<Utc>) -> T {
        T::from(self.uuid(now))
    }
}

impl Default for Ids {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_global_id_reads_back_and_names_a_wrong_kind() {
        let ids = Ids::seeded(1);
        let device: DeviceId = ids.next(DateTime::UNIX_EPOCH);
        assert_eq!(DeviceId::parse_global(&device.global()), Ok(device));
        let error = SiteId::parse_global(&device.global()).unwrap_err();
        assert_eq!(error.to_string(), "this is the id of a Device; give the id of a Site");
        assert!(matches!(SiteId::parse_global("nonsense"), Err(IdError::Malformed { .. })));
    }

    #[test]
    fn ids_of_one_source_grow() {
        let ids = Ids::seeded(7);
        let many: Vec<Uuid> = (0..10_000).map(|_| ids.uuid(DateTime::UNIX_EPOCH)).collect();
        assert!(many.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(many[0].get_version_num(), 7);
    }
}
