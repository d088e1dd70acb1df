//! Freeze periods in GraphQL.

use crate::catalogue::model;
use crate::catalogue::service::NewFreezePeriod;
use crate::graphql::enums::ExecutionChannel;
use crate::graphql::loaders::shows;
use crate::graphql::scalars::{Date, int};
use crate::graphql::text::{LocalizedText, LocalizedTextInput};
use crate::planning::model::ExecutionChannel as Channel;
use async_graphql::{InputObject, Object};

shows! {
    /// Days on which work stands still.
    FreezePeriod(model::FreezePeriod)
}

/// Days, both ends included, on which work of some channels is not to be done in some regions: sales
/// days, festivals. Civil days of each site's own time zone.
#[Object]
impl FreezePeriod {
    /// The organization's own short code, unique, for example `DOUBLE-11-2026`.
    async fn code(&self) -> &str {
        &self.0.code
    }
    /// Name.
    async fn name(&self) -> LocalizedText {
        (&self.0.name).into()
    }
    /// First day.
    async fn starts_on(&self) -> Date {
        Date(self.0.starts_on)
    }
    /// Last day.
    async fn ends_on(&self) -> Date {
        Date(self.0.ends_on)
    }
    /// Region codes, matched by prefix, at most 500; empty: every region.
    async fn region_codes(&self) -> &[String] {
        &self.0.region_codes
    }
    /// The channels that stand still; empty: every channel.
    async fn channels(&self) -> Vec<ExecutionChannel> {
        self.0.channels.iter().filter_map(|code| Channel::parse(code)).map(Into::into).collect()
    }
    /// Grows with every change.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
}

/// A freeze period to be added, or changed where there is one with its code.
#[derive(InputObject)]
pub struct PutFreezePeriodInput {
    /// The organization's own short code, up to 64 characters.
    pub code: String,
    /// Name.
    pub name: LocalizedTextInput,
    /// First day.
    pub starts_on: Date,
    /// Last day, not before the first; 120 days at most.
    pub ends_on: Date,
    /// Region codes, matched by prefix, at most 500; every region unless stated.
    pub region_codes: Option<Vec<String>>,
    /// The channels that stand still; every channel unless stated.
    pub channels: Option<Vec<ExecutionChannel>>,
    /// The version you have; refused with CONFLICT when it is not the current one.
    pub expected_version: Option<i32>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

impl From<PutFreezePeriodInput> for NewFreezePeriod {
    fn from(input: PutFreezePeriodInput) -> Self {
        let channels = input.channels.unwrap_or_default().into_iter();
        Self {
            code: input.code,
            name: input.name.into(),
            starts_on: input.starts_on.0,
            ends_on: input.ends_on.0,
            region_codes: input.region_codes.unwrap_or_default(),
            channels: channels.map(|channel| Channel::from(channel).as_str().to_owned()).collect(),
        }
    }
}

/// A freeze period to be removed.
#[derive(InputObject)]
pub struct RemoveFreezePeriodInput {
    /// Its code.
    pub code: String,
    /// The version you have; refused with CONFLICT when it is not the current one.
    pub expected_version: Option<i32>,
    /// Sent again with the same key, the request is done once.
    pub idempotency_key: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::rules::CHANNELS;

    #[test]
    fn a_freeze_can_name_each_channel_that_plans_have_and_no_other() {
        let codes: Vec<&str> = Channel::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(codes, CHANNELS);
    }
}
