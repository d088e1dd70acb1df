//! Reference data: meters, device models, failure lists, holidays and maintenance plans.
//!
//! Everything is known by its code and added only where the code is missing, so that seeding
//! again, or a newer version of the files, never overwrites what people changed.

mod catalogue;
mod plans;

pub use catalogue::holidays;

use super::{Error, Rooms};
use crate::kernel::call::Call;

/// What seeding added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Device models.
    pub models: usize,
    /// Maintenance plans.
    pub plans: usize,
}

/// Adds the reference data that is missing, as known at `call`'s moment.
///
/// # Errors
/// Storage; a file that cannot be read or is refused, which is a fault of ours.
pub async fn run(rooms: Rooms<'_>, call: &Call) -> Result<Added, Error> {
    catalogue::lists(rooms, call).await?;
    let models = catalogue::models(rooms, call).await?;
    let plans = plans::add(rooms, call).await?;
    Ok(Added { models, plans })
}
