//! Inputs of usage.

use async_graphql::{ID, InputObject};
use chrono::{DateTime, Utc};

/// A meter reading; name the device by id, by serial number, or by terminal number.
#[derive(InputObject)]
pub struct ReadingInput {
    /// The device.
    pub device_id: Option<ID>,
    /// Its serial number, where no id is given.
    pub serial_number: Option<String>,
    /// Its maker; required where two makers share the serial number.
    pub manufacturer: Option<String>,
    /// Terminal number (TID): stands for the serial that filled it at `readAt`.
    pub terminal_number: Option<String>,
    /// Meter code.
    pub meter: String,
    /// In the meter's unit; a counter's total, not the difference.
    pub value: f64,
    /// Device time.
    pub read_at: DateTime<Utc>,
}

/// Readings, up to 5,000, in any order.
#[derive(InputObject)]
pub struct RecordReadingsInput {
    /// The readings.
    pub readings: Vec<ReadingInput>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}
