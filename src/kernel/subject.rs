//! What maintenance is done to.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

crate::code_enum! {
    /// The kinds of subject a plan can be for.
    pub enum SubjectKind { Device = "DEVICE", Site = "SITE" }
}

/// One device or one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// Device or site.
    pub kind: SubjectKind,
    /// Its id.
    pub id: Uuid,
}
