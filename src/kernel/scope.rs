//! Whose rows a caller may see.

use super::ids::OrganizationId;
use uuid::Uuid;

/// The organization a query is for; no store function works without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The tenant.
    pub organization: OrganizationId,
}

impl Scope {
    /// The organization every installation begins with.
    pub const DEFAULT: Self =
        Self { organization: OrganizationId(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001)) };
}
