//! The closed lists of failures in GraphQL.

use crate::catalogue::model;
use crate::graphql::connection::row_cost;
use crate::graphql::enums::*;
use crate::graphql::text::LocalizedText;
use async_graphql::{Object, SimpleObject};
use std::sync::Arc;

/// Why a terminal failed, from a closed list.
#[derive(SimpleObject, Clone, Debug)]
pub struct FailureCause {
    /// Code, for example `wear_life_reached`.
    pub code: String,
    /// Name.
    pub name: LocalizedText,
    /// Where it is described, and whether that is known or assumed.
    pub source: String,
}

impl From<&model::FailureCause> for FailureCause {
    fn from(c: &model::FailureCause) -> Self {
        Self { code: c.code.clone(), name: (&c.name).into(), source: c.source.clone() }
    }
}

/// What was done about a failure, from a closed list.
#[derive(SimpleObject, Clone, Debug)]
pub struct FailureRemedy {
    /// Code, for example `clean_head_with_card`.
    pub code: String,
    /// Name.
    pub name: LocalizedText,
    /// Where it is described, and whether that is known or assumed.
    pub source: String,
}

impl From<&model::FailureRemedy> for FailureRemedy {
    fn from(r: &model::FailureRemedy) -> Self {
        Self { code: r.code.clone(), name: (&r.name).into(), source: r.source.clone() }
    }
}

/// What happens in the material or the logic, by ISO 14224, Table B.2.
#[derive(SimpleObject, Clone, Debug)]
pub struct FailureMechanism {
    /// Its number there, for example `2.4`.
    pub number: String,
    /// Name.
    pub name: LocalizedText,
}

/// A failure mode of terminals, from a closed list, with the causes and remedies it usually has.
#[derive(Clone)]
pub struct FailureCode {
    code: model::FailureCode,
    lists: Arc<model::FailureLists>,
}

impl FailureCode {
    /// Every code, or those of a part, by code.
    pub fn all(lists: &Arc<model::FailureLists>, component: Option<model::ComponentKind>) -> Vec<Self> {
        let wanted = lists.codes.iter().filter(|c| component.is_none() || c.component == component);
        wanted.map(|code| Self { code: code.clone(), lists: lists.clone() }).collect()
    }

    /// The code, if the lists have it.
    pub fn find(lists: &Arc<model::FailureLists>, code: &str) -> Option<Self> {
        let code = lists.codes.iter().find(|c| c.code == code)?.clone();
        Some(Self { code, lists: lists.clone() })
    }
}

/// A failure mode of terminals, from a closed list, with the causes and remedies it usually has.
#[Object]
impl FailureCode {
    /// Code, for example `CRD-MSR-01`.
    async fn code(&self) -> &str {
        &self.code.code
    }
    /// Name.
    async fn name(&self) -> LocalizedText {
        (&self.code.name).into()
    }
    /// What the merchant notices first.
    async fn family(&self) -> FailureFamily {
        self.code.family.into()
    }
    /// The part it is about; null when it is about no single one.
    async fn component(&self) -> Option<ComponentKind> {
        self.code.component.map(Into::into)
    }
    /// How it shows.
    async fn mode(&self) -> FailureMode {
        self.code.mode.into()
    }
    /// What happens in the material or the logic.
    async fn mechanism(&self) -> FailureMechanism {
        let mechanism = &self.code.mechanism;
        FailureMechanism { number: mechanism.number.clone(), name: (&mechanism.name).into() }
    }
    /// 1: trading stops, or security or safety is at stake; 5: cosmetic, or no fault of the device.
    async fn severity(&self) -> i32 {
        self.code.severity
    }
    /// May be mended from afar, without a visit.
    async fn is_remote_fixable(&self) -> bool {
        self.code.is_remote_fixable
    }
    /// Has to be reported under a standard.
    async fn is_compliance(&self) -> bool {
        self.code.is_compliance
    }
    /// Who or what causes it unless found otherwise.
    async fn origin(&self) -> FailureOrigin {
        self.code.origin.into()
    }
    /// The causes it usually has, at most a dozen; any other of `failureCauses` may be given too.
    #[graphql(complexity = "row_cost(4, child_complexity)")]
    async fn causes(&self) -> Vec<FailureCause> {
        let find = |code: &String| self.lists.causes.iter().find(|c| c.code == *code);
        self.code.causes.iter().filter_map(find).map(Into::into).collect()
    }
    /// The remedies that usually help, in the order to try them, at most a dozen; any other of
    /// `failureRemedies` may be given too.
    #[graphql(complexity = "row_cost(4, child_complexity)")]
    async fn remedies(&self) -> Vec<FailureRemedy> {
        let find = |code: &String| self.lists.remedies.iter().find(|r| r.code == *code);
        self.code.remedies.iter().filter_map(find).map(Into::into).collect()
    }
    /// What shows it, at most a dozen signs.
    #[graphql(complexity = "row_cost(3, child_complexity)")]
    async fn detection(&self) -> Vec<LocalizedText> {
        self.code.detection.iter().map(Into::into).collect()
    }
    /// What to mind; null when there is nothing.
    async fn note(&self) -> Option<LocalizedText> {
        self.code.note.as_ref().map(Into::into)
    }
    /// Where it is described.
    async fn source(&self) -> &str {
        &self.code.source
    }
    /// How well it is known.
    async fn basis(&self) -> Basis {
        self.code.basis.into()
    }
}
