//! Mutations of usage.

use super::inputs::RecordReadingsInput;
use crate::graphql::context::Cx;
use crate::graphql::errors::{Failure, Outcome, UserError, UserErrorCode};
use crate::graphql::registry::mutations::device_ref;
use crate::kernel::code::Code;
use crate::usage::service::{ReadingInput, Recorded, RowIssue};
use async_graphql::{Context, Object, Result, SimpleObject};

/// A reading that does not count, by its place in the request.
#[derive(SimpleObject)]
pub struct RejectedReading {
    /// Place in the request, from 0.
    pub row: i32,
    /// What kind of problem.
    pub code: UserErrorCode,
    /// What is wrong and what to do.
    pub message: String,
    /// Kept aside with the reason, and reconsidered when sent again; false: nothing was stored.
    pub is_kept_aside: bool,
}

/// What became of the readings. Good ones are kept whatever is wrong with others.
#[derive(SimpleObject)]
pub struct RecordReadingsPayload {
    /// New readings that count.
    pub accepted_count: i32,
    /// Readings that were there already.
    pub duplicate_count: i32,
    /// Readings that do not count, by row.
    pub rejected: Vec<RejectedReading>,
    /// Why the whole request was refused; empty when it was done.
    pub user_errors: Vec<UserError>,
}

impl RecordReadingsPayload {
    fn new(recorded: Recorded, user_errors: Vec<UserError>) -> Self {
        let rejected = recorded
            .rejected
            .into_iter()
            .map(|i| RejectedReading {
                row: count(i.row),
                code: i.code.into(),
                message: i.message,
                is_kept_aside: i.is_kept,
            })
            .collect();
        Self {
            accepted_count: count(recorded.accepted_count),
            duplicate_count: count(recorded.duplicate_count),
            rejected,
            user_errors,
        }
    }
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// Mutations of usage.
#[derive(Default)]
pub struct UsageMutation;

#[Object]
impl UsageMutation {
    /// Takes meter readings in, up to 5,000, in any order; sent twice they count once.
    async fn record_readings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The readings.")] input: RecordReadingsInput,
    ) -> Result<RecordReadingsPayload> {
        match record(ctx, input).await {
            Ok(recorded) => Ok(RecordReadingsPayload::new(recorded, vec![])),
            Err(Failure::User(e)) => Ok(RecordReadingsPayload::new(Recorded::default(), vec![e])),
            Err(Failure::Internal(e)) => Err(e),
        }
    }
}

/// Rows whose device cannot even be named are answered by row, like all others.
async fn record(ctx: &Context<'_>, input: RecordReadingsInput) -> Outcome<Recorded> {
    let cx = Cx::of(ctx);
    let call = cx.call(ctx, input.idempotency_key.as_deref())?;
    let (mut rows, mut places, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (place, r) in input.readings.into_iter().enumerate() {
        match device_ref(r.device_id.as_ref(), r.serial_number, r.manufacturer, r.terminal_number, "readings") {
            Ok(Some(device)) => {
                rows.push(ReadingInput { device, meter: r.meter, value: r.value, read_at: r.read_at });
                places.push(place);
            }
            Ok(None) => refused.push(RowIssue {
                row: place,
                code: Code::Required,
                message: "name the device by deviceId, serialNumber or terminalNumber".to_owned(),
                is_kept: false,
            }),
            Err(Failure::User(e)) => {
                refused.push(RowIssue { row: place, code: e.code.into(), message: e.message, is_kept: false });
            }
            Err(internal) => return Err(internal),
        }
    }
    let mut recorded = match rows.is_empty() && !refused.is_empty() {
        true => Recorded::default(),
        false => cx.services.usage.record_readings(&call, &rows).await?,
    };
    for issue in &mut recorded.rejected {
        issue.row = places.get(issue.row).copied().unwrap_or(issue.row);
    }
    recorded.rejected.extend(refused);
    recorded.rejected.sort_by_key(|r| r.row);
    Ok(recorded)
}
