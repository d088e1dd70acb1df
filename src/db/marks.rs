//! Marks: subjects the planner is to look at.
//!
//! A change collects its marks ([`super::tx::Tx::mark`]) and writes them when it commits, sorted
//! and last of all: two changes that mark the same subjects then never wait for each other in a
//! circle.

use super::error::StoreResult;
use super::scoped::{self, insert_chunked};
use crate::entity::{device, planner_mark as table, site};
use crate::kernel::scope::Scope;
use crate::kernel::subject::SubjectKind;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter, QuerySelect};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Subjects in one statement; well below SQLite's bind limit.
const CHUNK: usize = 1_000;

/// The marks of a change, and the stamp they will carry.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) subjects: BTreeSet<(SubjectKind, Uuid)>,
    /// Every device and site there is when the change commits, too.
    pub(super) is_everything: bool,
    pub(super) stamp: Option<Uuid>,
}

/// Every device and site of the organization.
async fn everything(db: &impl ConnectionTrait, scope: &Scope) -> StoreResult<Vec<(SubjectKind, Uuid)>> {
    let devices: Vec<Uuid> =
        scoped::find::<device::Entity>(scope).select_only().column(device::Column::Id).into_tuple().all(db).await?;
    let sites: Vec<Uuid> =
        scoped::find::<site::Entity>(scope).select_only().column(site::Column::Id).into_tuple().all(db).await?;
    let of = |kind: SubjectKind| move |id: Uuid| (kind, id);
    Ok(devices.into_iter().map(of(SubjectKind::Device)).chain(sites.into_iter().map(of(SubjectKind::Site))).collect())
}

/// Writes the marks of a change.
pub(super) async fn write(db: &impl ConnectionTrait, scope: &Scope, pending: Pending) -> StoreResult<()> {
    let Pending { mut subjects, is_everything, stamp } = pending;
    let Some(stamp) = stamp else { return Ok(()) };
    if is_everything {
        subjects.extend(everything(db, scope).await?);
    }
    let rows = subjects
        .iter()
        .map(|(kind, id)| {
            table::Model {
                organization_id: scope.organization.0,
                subject_kind: kind.as_str().into(),
                subject_id: *id,
                stamp,
            }
            .into_active_model()
        })
        .collect();
    let again = OnConflict::columns([table::Column::SubjectKind, table::Column::SubjectId])
        .update_column(table::Column::Stamp)
        .to_owned();
    insert_chunked(db, rows, Some(again)).await
}

/// Takes back marks (subject, stamp) that were not made again since.
///
/// # Errors
/// Storage.
pub async fn clear(db: &impl ConnectionTrait, scope: &Scope, seen: &[(Uuid, Uuid)]) -> StoreResult<()> {
    for chunk in seen.chunks(CHUNK) {
        let stamps: BTreeSet<Uuid> = chunk.iter().map(|(_, stamp)| *stamp).collect();
        scoped::delete_many::<table::Entity>(scope)
            .filter(table::Column::SubjectId.is_in(chunk.iter().map(|(id, _)| *id)))
            .filter(table::Column::Stamp.is_in(stamps))
            .exec(db)
            .await?;
    }
    Ok(())
}
