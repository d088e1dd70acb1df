//! What this node owes the outside, written with the change itself, and read in the order in which
//! changes became lasting.
//!
//! Neither a time nor a number drawn while a change is under way gives that order: the change that
//! drew first may become lasting last, and whoever reads on behind the other one would never see
//! it. On SQLite there is one writer, so the number is the order. On PostgreSQL a message is read
//! once every change that began before its own has ended, ordered by change: then nothing can
//! appear before it any more.

use super::error::{StoreError, StoreResult};
use super::scoped;
use super::tx::Tx;
use crate::entity::outbox as table;
use crate::kernel::scope::Scope;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue, ColumnTrait, Condition, ConnectionTrait, DatabaseBackend, FromQueryResult, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Statement,
};
use uuid::Uuid;

/// A message to be delivered.
#[derive(Clone, Debug)]
pub struct Message {
    /// Identity; consumers drop repeats by it.
    pub id: Uuid,
    /// What it is about, for example `device_file`.
    pub topic: &'static str,
    /// The object it is about.
    pub subject_id: Uuid,
    /// The facts.
    pub payload: serde_json::Value,
}

/// Owes messages to the outside from the moment the change commits.
///
/// # Errors
/// Storage.
pub async fn enqueue(tx: &Tx, messages: Vec<Message>) -> StoreResult<()> {
    let mut rows = Vec::with_capacity(messages.len());
    for message in messages {
        let mut row = table::Model {
            id: message.id,
            organization_id: tx.scope().organization.0,
            topic: message.topic.to_owned(),
            subject_id: message.subject_id,
            payload: serde_json::to_string(&message.payload).map_err(|e| StoreError::Other(Box::new(e)))?,
            created_at: tx.now(),
            change_id: 0,
            position: 0,
        }
        .into_active_model();
        // The database gives both.
        row.change_id = ActiveValue::NotSet;
        row.position = ActiveValue::NotSet;
        rows.push(row);
    }
    scoped::insert_chunked(tx.conn(), rows, None).await
}

/// Drops messages older than `before`, which nobody came for; says how many.
///
/// # Errors
/// Storage.
pub async fn forget(db: &impl ConnectionTrait, scope: &Scope, before: DateTime<Utc>) -> StoreResult<u64> {
    let done = scoped::delete_many::<table::Entity>(scope).filter(table::Column::CreatedAt.lt(before)).exec(db).await?;
    Ok(done.rows_affected)
}

/// Where a message stands in the order in which changes became lasting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The change it belongs to; 0 on SQLite.
    change: i64,
    /// Its own number.
    position: i64,
}

/// A message that is lasting.
#[derive(Clone, Debug)]
pub struct Owed {
    /// Its place in the order.
    pub place: Place,
    /// The object it is about.
    pub subject_id: Uuid,
    /// The facts, as JSON text.
    pub payload: String,
    /// When its request came in.
    pub created_at: DateTime<Utc>,
}

/// What was lasting at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Everything up to a number.
    UpTo(i64),
    /// What PostgreSQL calls a snapshot.
    Snapshot {
        /// Every change below it had ended.
        least: i64,
        /// No change from here on had begun.
        next: i64,
        /// Those between that were under way.
        under_way: Vec<i64>,
    },
}

impl Mark {
    /// Reads what PostgreSQL writes: `least:next:one,other`.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let least = parts.next()?.parse().ok()?;
        let next = parts.next()?.parse().ok()?;
        let under_way = parts.next()?.split(',').filter(|id| !id.is_empty());
        let under_way = under_way.map(|id| id.parse().ok()).collect::<Option<Vec<i64>>>()?;
        Some(Self::Snapshot { least, next, under_way })
    }

    /// The last place behind which something was not lasting yet; reading on from here misses
    /// nothing, and gives some of what was lasting again: [`Self::has`] tells which.
    pub fn place(&self) -> Place {
        match self {
            Self::UpTo(position) => Place { change: 0, position: *position },
            Self::Snapshot { least, .. } => Place { change: least.saturating_sub(1), position: i64::MAX },
        }
    }

    /// Whether the message at a place was lasting then.
    pub fn has(&self, place: Place) -> bool {
        match self {
            Self::UpTo(position) => place.position <= *position,
            Self::Snapshot { least, next, under_way } => {
                place.change < *least || (place.change < *next && !under_way.contains(&place.change))
            }
        }
    }
}

#[derive(Debug, FromQueryResult)]
struct SnapshotRow {
    snapshot: String,
}

/// What is lasting now.
///
/// # Errors
/// Storage.
pub async fn mark(db: &impl ConnectionTrait, scope: &Scope) -> StoreResult<Mark> {
    let backend = db.get_database_backend();
    if backend == DatabaseBackend::Postgres {
        let statement = Statement::from_string(backend, "select pg_current_snapshot()::text as snapshot");
        let text = SnapshotRow::find_by_statement(statement).one(db).await?.map(|row| row.snapshot);
        let text = text.unwrap_or_default();
        return Mark::read(&text).ok_or_else(|| StoreError::Corrupt {
            table: "outbox".into(),
            column: "snapshot".into(),
            row: String::new(),
            detail: text,
        });
    }
    let last: Option<i64> = scoped::find::<table::Entity>(scope)
        .select_only()
        .column(table::Column::Position)
        .order_by_desc(table::Column::Position)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    Ok(Mark::UpTo(last.unwrap_or_default()))
}

/// Messages of a topic behind a place, in the order in which their changes became lasting.
///
/// # Errors
/// Storage.
pub async fn owed_after(
    db: &impl ConnectionTrait,
    scope: &Scope,
    topic: &str,
    after: Place,
    limit: u64,
) -> StoreResult<Vec<Owed>> {
    use table::Column as C;
    let mut find = scoped::find::<table::Entity>(scope)
        .filter(C::Topic.eq(topic))
        // The plain bound beside the comparison lets both databases seek.
        .filter(C::ChangeId.gte(after.change))
        .filter(
            Condition::any()
                .add(C::ChangeId.gt(after.change))
                .add(Condition::all().add(C::ChangeId.eq(after.change)).add(C::Position.gt(after.position))),
        );
    if db.get_database_backend() == DatabaseBackend::Postgres {
        let ended = "change_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
        find = find.filter(Expr::cust(ended));
    }
    let rows = find.order_by_asc(C::ChangeId).order_by_asc(C::Position).limit(limit).all(db).await?;
    Ok(rows
        .into_iter()
        .map(|row| Owed {
            place: Place { change: row.change_id, position: row.position },
            subject_id: row.subject_id,
            payload: row.payload,
            created_at: row.created_at,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(change: i64, position: i64) -> Place {
        Place { change, position }
    }

    #[test]
    fn a_snapshot_tells_what_was_lasting() {
        let mark = Mark::read("10:15:11,13").unwrap();
        assert_eq!(mark, Mark::Snapshot { least: 10, next: 15, under_way: vec![11, 13] });
        let lasting: Vec<i64> = (8..17).filter(|change| mark.has(place(*change, 1))).collect();
        assert_eq!(lasting, [8, 9, 10, 12, 14]);
        assert!(place(9, 99) <= mark.place() && mark.place() < place(10, 0), "reading on begins behind 9");
        assert_eq!(Mark::read("10:10:").unwrap(), Mark::Snapshot { least: 10, next: 10, under_way: vec![] });
        for odd in ["", "10", "10:x:", "10:12:1,b"] {
            assert_eq!(Mark::read(odd), None, "{odd}");
        }
    }

    #[test]
    fn with_one_writer_the_number_is_the_order() {
        let mark = Mark::UpTo(7);
        assert!(mark.has(place(0, 7)) && !mark.has(place(0, 8)));
        assert!(place(0, 7) <= mark.place() && mark.place() < place(0, 8));
    }
}
