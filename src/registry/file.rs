//! The device file: the append-only, hash-chained history of one device.
//!
//! Every change of a device, its place, its work and its meters' oddities is one event. The hash
//! covers one canonical text of all columns, which is what is stored; the head row is both lock
//! and tail anchor. Corrections are new events that name what they correct.

pub use super::file_store::StoredEvent;
use super::file_store::{self, Head};
use crate::code_enum;
use crate::db::outbox::{self, Message};
use crate::db::tx::Tx;
use crate::db::{StoreError, StoreResult};
use crate::kernel::calendar::stamp;
use crate::kernel::ids::{DeviceId, Ids, OrganizationId};
use crate::kernel::subject::SubjectKind;
use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

code_enum! {
    /// What an event says happened.
    pub enum EventKind {
        DeviceRegistered = "DEVICE_REGISTERED", DeviceUpdated = "DEVICE_UPDATED",
        StatusChanged = "STATUS_CHANGED", Installed = "INSTALLED", Removed = "REMOVED",
        Relocated = "RELOCATED", SwappedOut = "SWAPPED_OUT", SwappedIn = "SWAPPED_IN",
        ComponentInstalled = "COMPONENT_INSTALLED", ComponentRemoved = "COMPONENT_REMOVED",
        SoftwareReported = "SOFTWARE_REPORTED", MeterAnomaly = "METER_ANOMALY",
        ReadingReinterpreted = "READING_REINTERPRETED", ReadingsMoved = "READINGS_MOVED",
        WorkOrderIssued = "WORK_ORDER_ISSUED",
        WorkOrderMoved = "WORK_ORDER_MOVED", WorkOrderStateChanged = "WORK_ORDER_STATE_CHANGED",
        WorkOrderCompleted = "WORK_ORDER_COMPLETED", WorkOrderWithdrawn = "WORK_ORDER_WITHDRAWN",
        OccurrenceSkipped = "OCCURRENCE_SKIPPED", OccurrencePostponed = "OCCURRENCE_POSTPONED",
        OccurrenceMissed = "OCCURRENCE_MISSED", OccurrenceMissedCorrected = "OCCURRENCE_MISSED_CORRECTED",
        OccurrenceVoided = "OCCURRENCE_VOIDED", VisitLogged = "VISIT_LOGGED",
        ComponentReplaced = "COMPONENT_REPLACED", FailureReported = "FAILURE_REPORTED",
        InspectionPassed = "INSPECTION_PASSED", InspectionFailed = "INSPECTION_FAILED",
    }
}

impl EventKind {
    /// Whether it changes where a device stands or its status.
    pub fn is_of_place(self) -> bool {
        matches!(
            self,
            Self::StatusChanged
                | Self::Installed
                | Self::Removed
                | Self::Relocated
                | Self::SwappedOut
                | Self::SwappedIn
        )
    }
}

/// An event to be appended.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The device.
    pub device: DeviceId,
    /// When it happened, device time.
    pub occurred_at: DateTime<Utc>,
    /// What happened.
    pub kind: EventKind,
    /// The facts, as the kind has them.
    pub payload: serde_json::Value,
    /// Sequence of the event it corrects.
    pub corrects: Option<i64>,
}

/// An event as it stands in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The device.
    pub device: DeviceId,
    /// Place in the file, from 1, without gaps.
    pub sequence: i64,
    /// When it happened, device time.
    pub occurred_at: DateTime<Utc>,
    /// When the server took it in.
    pub recorded_at: DateTime<Utc>,
    /// What happened.
    pub kind: EventKind,
    /// Who.
    pub actor: String,
    /// The request it came with.
    pub request_id: String,
    /// The facts.
    pub payload: serde_json::Value,
    /// Sequence of the event it corrects.
    pub corrects: Option<i64>,
    /// Hash of the event before.
    pub previous_hash: String,
    /// SHA-256 of the canonical text, hex.
    pub hash: String,
}

/// What a walk along a device file found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integrity {
    /// Nothing was changed, removed, swapped or replaced.
    pub is_intact: bool,
    /// Events found.
    pub event_count: i64,
    /// Hash of the last event.
    pub head_hash: String,
    /// The first event that is not what was written.
    pub first_bad_sequence: Option<i64>,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// Watches device files from a room above; called in the same transaction.
#[async_trait]
pub trait Observer: Send + Sync {
    /// Told of events just appended.
    async fn appended(&self, tx: &Tx, events: &[NewEvent]) -> Result<(), StoreError>;
}

/// The one way to write to device files.
pub struct DeviceFile {
    ids: Arc<Ids>,
    observers: OnceLock<Vec<Arc<dyn Observer>>>,
}

/// The name of the canonical form, inside every text.
const FORM: &str = "tillkeep-event-1";
/// Hash of nothing: what the first event follows.
const GENESIS: &str = "";

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// SHA-256 in hex.
pub fn sha256_hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

/// The canonical text of an event: a JSON array of all columns, keys of the payload sorted.
#[allow(clippy::too_many_arguments)]
fn canonical(
    organization: OrganizationId,
    event: &NewEvent,
    sequence: i64,
    recorded_at: DateTime<Utc>,
    actor: &str,
    request_id: &str,
    previous_hash: &str,
) -> String {
    json!([
        FORM,
        organization,
        event.device,
        sequence,
        text(event.occurred_at),
        text(recorded_at),
        event.kind,
        actor,
        request_id,
        event.payload,
        event.corrects,
        "SHA-256",
        previous_hash,
    ])
    .to_string()
}

/// Reads a stored event; `None` when its text is not one of ours.
pub fn read(stored: &StoredEvent) -> Option<Event> {
    let value: serde_json::Value = serde_json::from_str(&stored.canonical).ok()?;
    let field = |place: usize| value.get(place);
    let string = |place: usize| field(place)?.as_str().map(str::to_owned);
    if string(0)? != FORM {
        return None;
    }
    Some(Event {
        device: DeviceId(string(2)?.parse().ok()?),
        sequence: field(3)?.as_i64()?,
        occurred_at: string(4)?.parse().ok()?,
        recorded_at: string(5)?.parse().ok()?,
        kind: EventKind::parse(field(6)?.as_str()?)?,
        actor: string(7)?,
        request_id: string(8)?,
        payload: field(9)?.clone(),
        corrects: field(10)?.as_i64(),
        previous_hash: string(12)?,
        hash: stored.hash.clone(),
    })
}

/// The site an event says its device left.
fn left_site(event: &NewEvent) -> Option<Uuid> {
    let key = match event.kind {
        EventKind::Removed | EventKind::SwappedOut => "siteId",
        EventKind::Relocated => "fromSiteId",
        _ => return None,
    };
    event.payload.get(key)?.as_str()?.parse().ok()
}

/// Walks a chain in order: every hash, every column against its text, no gap, and the tail
/// against the head row.
pub fn verify(events: &[StoredEvent], head: Option<&Head>) -> Integrity {
    let mut previous = GENESIS.to_owned();
    let mut bad: Option<(i64, String)> = None;
    for (place, stored) in events.iter().enumerate() {
        let expected = place as i64 + 1;
        let problem = match read(stored) {
            _ if stored.sequence != expected => Some((expected, "an event is missing here".to_owned())),
            _ if sha256_hex(&stored.canonical) != stored.hash => {
                Some((stored.sequence, "its text does not match its hash".into()))
            }
            None => Some((stored.sequence, "its text cannot be read".into())),
            Some(event) if event.previous_hash != previous => {
                Some((stored.sequence, "it does not follow the event before it".into()))
            }
            Some(event)
                if event.device != stored.device
                    || event.sequence != stored.sequence
                    || text(event.occurred_at) != text(stored.occurred_at)
                    || text(event.recorded_at) != text(stored.recorded_at)
                    || event.kind.as_str() != stored.kind
                    || event.actor != stored.actor =>
            {
                Some((stored.sequence, "its columns differ from its text".into()))
            }
            Some(_) => None,
        };
        if problem.is_some() {
            bad = problem;
            break;
        }
        previous.clone_from(&stored.hash);
    }
    let count = events.len() as i64;
    if bad.is_none() {
        bad = match head {
            Some(head) if head.sequence != count => Some((
                count.min(head.sequence) + 1,
                format!("the file ends at {count}, its head says {}", head.sequence),
            )),
            Some(head) if head.hash != previous => Some((count, "the last event is not the one the head names".into())),
            None if count > 0 => Some((count, "the head of the file is missing".into())),
            // Registration is every file's first event.
            _ if count == 0 => Some((1, "the file is empty, even the registration is missing".into())),
            _ => None,
        };
    }
    Integrity {
        is_intact: bad.is_none(),
        event_count: count,
        head_hash: previous,
        first_bad_sequence: bad.as_ref().map(|(s, _)| *s),
        problem: bad.map(|(_, p)| p),
    }
}

impl DeviceFile {
    /// Without observers, until [`Self::observe`].
    pub fn new(ids: Arc<Ids>) -> Self {
        Self { ids, observers: OnceLock::new() }
    }

    /// Wires the observers, once, at start.
    pub fn observe(&self, observers: Vec<Arc<dyn Observer>>) {
        // A second call would be a wiring mistake in `app`; the first one stands.
        let _ = self.observers.set(observers);
    }

    /// Locks device files in id order, so that two changes never wait for each other in a circle.
    ///
    /// # Errors
    /// Storage.
    pub async fn lock(&self, tx: &Tx, devices: &[DeviceId]) -> StoreResult<()> {
        let ids: BTreeSet<DeviceId> = devices.iter().copied().collect();
        let ids: Vec<DeviceId> = ids.into_iter().collect();
        file_store::lock_heads(tx.conn(), tx.scope(), &ids).await.map(|_| ())
    }

    /// Appends events, marks what they touch for the planner, owes them to the outside and tells
    /// the observers; all in the caller's transaction.
    ///
    /// # Errors
    /// Storage.
    pub async fn append(&self, tx: &Tx, mut events: Vec<NewEvent>) -> StoreResult<()> {
        if events.is_empty() {
            return Ok(());
        }
        for event in &mut events {
            // Text and column must say the same, also of a leap second.
            event.occurred_at = stamp(event.occurred_at);
        }
        let devices: BTreeSet<DeviceId> = events.iter().map(|e| e.device).collect();
        let devices: Vec<DeviceId> = devices.into_iter().collect();
        let mut heads: BTreeMap<DeviceId, Head> = file_store::lock_heads(tx.conn(), tx.scope(), &devices).await?;
        let mut rows = Vec::with_capacity(events.len());
        for event in &events {
            let head = heads.entry(event.device).or_default();
            let sequence = head.sequence + 1;
            let canonical = canonical(
                tx.scope().organization,
                event,
                sequence,
                tx.now(),
                &tx.call.actor,
                &tx.call.request_id,
                &head.hash,
            );
            let hash = sha256_hex(&canonical);
            *head = Head { sequence, hash: hash.clone() };
            rows.push(StoredEvent {
                device: event.device,
                sequence,
                occurred_at: event.occurred_at,
                recorded_at: tx.now(),
                kind: event.kind.as_str().to_owned(),
                actor: tx.call.actor.clone(),
                canonical,
                hash,
            });
        }
        file_store::insert(tx.conn(), tx.scope(), &rows, &heads).await?;
        let mut touched: Vec<_> = devices.iter().map(|d| (SubjectKind::Device, d.0)).collect();
        // A site's items live by the devices that stand there, not by what is done to them.
        let moved: Vec<DeviceId> = events
            .iter()
            .filter(|e| e.kind.is_of_place())
            .map(|e| e.device)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        for site in file_store::sites_of(tx.conn(), tx.scope(), &moved).await? {
            touched.push((SubjectKind::Site, site));
        }
        // A site a device has left is not among those at which devices stand now.
        touched.extend(events.iter().filter_map(left_site).map(|site| (SubjectKind::Site, site)));
        tx.mark(touched, self.ids.uuid(tx.now()));
        let mut counts: BTreeMap<DeviceId, i64> = BTreeMap::new();
        for event in &events {
            *counts.entry(event.device).or_default() += 1;
        }
        let messages = heads
            .iter()
            .map(|(device, head)| Message {
                id: self.ids.uuid(tx.now()),
                topic: file_store::TOPIC,
                subject_id: device.0,
                payload: json!({"sequence": head.sequence, "events": counts.get(device).copied().unwrap_or_default()}),
            })
            .collect();
        outbox::enqueue(tx, messages).await?;
        for observer in self.observers.get().into_iter().flatten() {
            observer.appended(tx, &events).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: DeviceId = DeviceId(Uuid::from_u128(7));

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn chain(count: i64) -> (Vec<StoredEvent>, Head) {
        let organization = OrganizationId(Uuid::from_u128(1));
        let recorded_at = at("2026-11-24T08:00:00.000001Z");
        let mut head = Head::default();
        let mut stored = Vec::new();
        for sequence in 1..=count {
            let event = NewEvent {
                device: DEVICE,
                occurred_at: at("2026-11-24T07:59:00Z"),
                kind: EventKind::StatusChanged,
                payload: json!({"status": "READY", "place": sequence}),
                corrects: None,
            };
            let canonical = canonical(organization, &event, sequence, recorded_at, "planner", "r-1", &head.hash);
            head = Head { sequence, hash: sha256_hex(&canonical) };
            stored.push(StoredEvent {
                device: DEVICE,
                sequence,
                occurred_at: event.occurred_at,
                recorded_at,
                kind: event.kind.as_str().to_owned(),
                actor: "planner".to_owned(),
                canonical,
                hash: head.hash.clone(),
            });
        }
        (stored, head)
    }

    #[test]
    fn an_untouched_file_is_intact_and_reads_back() {
        let (stored, head) = chain(3);
        let found = verify(&stored, Some(&head));
        assert!(found.is_intact, "{found:?}");
        assert_eq!((found.event_count, found.head_hash), (3, head.hash));
        let event = read(&stored[1]).unwrap();
        assert_eq!((event.device, event.sequence, event.payload["place"].as_i64()), (DEVICE, 2, Some(2)));
    }

    #[test]
    fn every_kind_of_tampering_names_the_first_bad_event() {
        let first_bad = |stored: &[StoredEvent], head: Option<&Head>| verify(stored, head).first_bad_sequence;
        let (stored, head) = chain(4);

        let mut edited = stored.clone();
        edited[1].canonical = edited[1].canonical.replace("READY", "LOST");
        assert_eq!(first_bad(&edited, Some(&head)), Some(2), "edited text");

        let mut rehashed = edited.clone();
        rehashed[1].hash = sha256_hex(&rehashed[1].canonical);
        assert_eq!(first_bad(&rehashed, Some(&head)), Some(3), "edited text with its own hash");

        let mut column = stored.clone();
        column[2].kind = EventKind::Removed.as_str().to_owned();
        assert_eq!(first_bad(&column, Some(&head)), Some(3), "edited column");

        let mut other_device = stored.clone();
        other_device[0].device = DeviceId(Uuid::from_u128(8));
        assert_eq!(first_bad(&other_device, Some(&head)), Some(1), "moved to another device");

        let mut gap = stored.clone();
        gap.remove(1);
        assert_eq!(first_bad(&gap, Some(&head)), Some(2), "removed from the middle");

        assert_eq!(first_bad(&stored[..3], Some(&head)), Some(4), "removed from the end");
        assert_eq!(first_bad(&stored, None), Some(4), "head removed");
        assert_eq!(first_bad(&[], Some(&Head::default())), Some(1), "everything removed");
        assert_eq!(first_bad(&[], None), Some(1), "everything removed, the head too");
    }

    #[test]
    fn a_device_that_leaves_marks_the_site_it_left() {
        let site = Uuid::from_u128(9);
        let event = |kind, payload| NewEvent {
            device: DEVICE,
            occurred_at: at("2026-11-24T07:59:00Z"),
            kind,
            payload,
            corrects: None,
        };
        assert_eq!(left_site(&event(EventKind::Removed, json!({"siteId": site}))), Some(site));
        assert_eq!(left_site(&event(EventKind::Relocated, json!({"siteId": DEVICE, "fromSiteId": site}))), Some(site));
        assert_eq!(left_site(&event(EventKind::Installed, json!({"siteId": site}))), None);
    }
}
