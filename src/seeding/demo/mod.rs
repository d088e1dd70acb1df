//! The demo fleet.

use super::{Error, Rooms, reference};

/// What the demo is to be.
#[derive(Clone, Copy, Debug)]
pub struct DemoOptions {
    /// Devices in the fleet.
    pub devices: usize,
    /// The same seed makes the same fleet.
    pub seed: u64,
    /// Show progress on the terminal.
    pub progress: bool,
}

/// Makes the fleet.
///
/// # Errors
/// Storage.
pub async fn run(rooms: Rooms<'_>, _options: DemoOptions) -> Result<(), Error> {
    reference::run(rooms, &(rooms.call)(rooms.now)).await?;
    Ok(())
}
