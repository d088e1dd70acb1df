//! Mutations of firmware.

use super::inputs::{PublishFirmwareReleaseInput, ReportInstalledSoftwareInput, SetFirmwareTargetInput};
use super::types::{FirmwareRelease, FirmwareTargetSetting};
use crate::firmware::service::SetTarget;
use crate::graphql::connection::{input_id, payload};
use crate::graphql::context::Cx;
use crate::graphql::errors::{Failure, Outcome, UserError, UserErrorCode, missing};
use crate::graphql::load::load_known;
use crate::graphql::registry::mutations::{device_ref, version};
use crate::kernel::code::Code;
use crate::kernel::ids::{DeviceModelId, FirmwareReleaseId};
use crate::registry::model::SoftwareKind;
use crate::registry::service::{RefusedRow, SoftwareReport, SoftwareReported};
use async_graphql::{Context, Object, Result, SimpleObject};

payload!(PublishFirmwareReleasePayload, firmware_release: FirmwareRelease, "the release");
payload!(SetFirmwareTargetPayload, firmware_target: FirmwareTargetSetting, "the target as it is now");

/// A report that was not taken in, by its place in the request.
#[derive(SimpleObject)]
pub struct RejectedReport {
    /// Place in the request, from 0.
    pub row: i32,
    /// What kind of problem.
    pub code: UserErrorCode,
    /// What is wrong and what to do.
    pub message: String,
}

/// What became of the reports. Good ones are kept whatever is wrong with others.
#[derive(SimpleObject)]
pub struct ReportInstalledSoftwarePayload {
    /// Reports taken in, of what was known or older than what is known too.
    pub accepted_count: i32,
    /// Those of them that changed a version.
    pub changed_count: i32,
    /// Reports that were not taken in, by row.
    pub rejected: Vec<RejectedReport>,
    /// Why the whole request was refused; empty when it was done.
    pub user_errors: Vec<UserError>,
}

impl ReportInstalledSoftwarePayload {
    fn new(reported: SoftwareReported, user_errors: Vec<UserError>) -> Self {
        let rejected = reported
            .rejected
            .into_iter()
            .map(|r| RejectedReport { row: count(r.row), code: r.code.into(), message: r.message })
            .collect();
        Self {
            accepted_count: count(reported.changed_count + reported.unchanged_count),
            changed_count: count(reported.changed_count),
            rejected,
            user_errors,
        }
    }
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// Mutations of firmware.
#[derive(Default)]
pub struct FirmwareMutation;

#[Object]
impl FirmwareMutation {
    /// Publishes a firmware release for some models. Nothing is installed by it: set it as a target.
    async fn publish_firmware_release(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The release.")] input: PublishFirmwareReleaseInput,
    ) -> Result<PublishFirmwareReleasePayload> {
        let cx = Cx::of(ctx);
        let outcome: Outcome<FirmwareRelease> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let published = cx.services.firmware.publish(&call, input.read()?).await?;
            Ok(load_known(ctx, published.release_id, "firmware_release").await?.into())
        }
        .await;
        PublishFirmwareReleasePayload::new(outcome)
    }

    /// Says what the devices of a model, or part of them, are to run. The target for the same part is
    /// replaced. Refused when it is older than what a device has (unless `allowDowngrade`), or when no
    /// sequence of releases leads there from what a device has.
    async fn set_firmware_target(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The target.")] input: SetFirmwareTargetInput,
    ) -> Result<SetFirmwareTargetPayload> {
        let outcome = set_target(ctx, &input).await;
        let is_conflict = matches!(&outcome, Err(Failure::User(e)) if e.code == UserErrorCode::Conflict);
        let mut payload = SetFirmwareTargetPayload::new(outcome)?;
        if is_conflict {
            payload.firmware_target = current_target(ctx, &input).await?;
        }
        Ok(payload)
    }

    /// Takes in what devices say is installed, up to 5,000, in any order: the latest by device time
    /// stands, so that a late report overwrites nothing newer.
    async fn report_installed_software(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reports.")] input: ReportInstalledSoftwareInput,
    ) -> Result<ReportInstalledSoftwarePayload> {
        match report(ctx, input).await {
            Ok(reported) => Ok(ReportInstalledSoftwarePayload::new(reported, vec![])),
            Err(Failure::User(e)) => Ok(ReportInstalledSoftwarePayload::new(SoftwareReported::default(), vec![e])),
            Err(Failure::Internal(e)) => Err(e),
        }
    }
}

async fn set_target(ctx: &Context<'_>, input: &SetFirmwareTargetInput) -> Outcome<FirmwareTargetSetting> {
    let cx = Cx::of(ctx);
    let call = cx.call(ctx, input.idempotency_key.as_deref())?;
    let set = SetTarget {
        model_id: input_id(&input.model_id, "modelId", DeviceModelId::parse_global)?,
        release_id: input_id(&input.release_id, "releaseId", FirmwareReleaseId::parse_global)?,
        selector: input.selector.clone().map(|s| s.read()).transpose()?,
        window: input.window.clone().map(Into::into),
        allow_downgrade: input.allow_downgrade.unwrap_or(false),
        expected_version: version(input.expected_version),
    };
    let firmware = &cx.services.firmware;
    let done = firmware.set_target(&call, set).await?;
    let found = firmware.targets_by_ids(&cx.scope, &[done.target_id]).await.map_err(|e| cx.fail(e))?.pop();
    Ok(found.ok_or_else(|| missing("firmware_target"))?.into())
}

/// The target there is for the part of a model that an input names.
async fn current_target(ctx: &Context<'_>, input: &SetFirmwareTargetInput) -> Result<Option<FirmwareTargetSetting>> {
    let cx = Cx::of(ctx);
    let Ok(model) = DeviceModelId::parse_global(input.model_id.as_str()) else { return Ok(None) };
    let Ok(selector) = input.selector.clone().map(|s| s.read()).transpose() else { return Ok(None) };
    let found = cx.services.firmware.target_for(&cx.scope, model, selector.unwrap_or_default()).await;
    Ok(found.map_err(|e| cx.fail(e))?.map(Into::into))
}

/// Rows whose device cannot even be named are answered by row, like all others.
async fn report(ctx: &Context<'_>, input: ReportInstalledSoftwareInput) -> Outcome<SoftwareReported> {
    let cx = Cx::of(ctx);
    let call = cx.call(ctx, input.idempotency_key.as_deref())?;
    let (mut rows, mut places, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (row, r) in input.reports.into_iter().enumerate() {
        match device_ref(r.device_id.as_ref(), r.serial_number, r.manufacturer, r.terminal_number, "reports") {
            Ok(Some(device)) => {
                rows.push(SoftwareReport {
                    device,
                    kind: r.kind.map_or(SoftwareKind::Firmware, Into::into),
                    name: r.name,
                    version: r.version,
                    reported_at: r.reported_at,
                });
                places.push(row);
            }
            Ok(None) => {
                let message = "name the device by deviceId, serialNumber or terminalNumber".to_owned();
                refused.push(RefusedRow { row, code: Code::Required, message });
            }
            Err(Failure::User(e)) => refused.push(RefusedRow { row, code: e.code.into(), message: e.message }),
            Err(internal) => return Err(internal),
        }
    }
    let mut reported = match rows.is_empty() && !refused.is_empty() {
        true => SoftwareReported::default(),
        false => cx.services.registry.report_software(&call, &rows).await?,
    };
    for refusal in &mut reported.rejected {
        refusal.row = places.get(refusal.row).copied().unwrap_or(refusal.row);
    }
    reported.rejected.extend(refused);
    reported.rejected.sort_by_key(|r| r.row);
    Ok(reported)
}
