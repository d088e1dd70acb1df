//! Mutations of visits.

use super::inputs::{LogServiceVisitInput, VisitLineInput};
use super::types::{ServiceVisit, VisitLineResult};
use crate::graphql::connection::{input_id, input_ids, optional_id, row_cost};
use crate::graphql::context::Cx;
use crate::graphql::errors::{Failure, Outcome, UserError};
use crate::graphql::load::load_known;
use crate::graphql::registry::mutations::device_ref;
use crate::kernel::ids::{PlanId, SiteId, TechnicianId, WorkOrderId};
use crate::visits::model::{LogLine, LogVisit, NewFailure, PartReplaced, StepResult};
use async_graphql::{Context, Object, Result, SimpleObject};

/// The visit, and what became of its lines.
#[derive(SimpleObject)]
pub struct LogServiceVisitPayload {
    /// The visit; null when refused.
    pub service_visit: Option<ServiceVisit>,
    /// What became of every line, order by order and plan by plan; conflicts are notices here,
    /// the visit stands.
    #[graphql(complexity = "row_cost(10, child_complexity)")]
    pub results: Vec<VisitLineResult>,
    /// Why the whole visit was refused; empty when it was logged.
    pub user_errors: Vec<UserError>,
}

/// Mutations of visits.
#[derive(Default)]
pub struct VisitMutation;

#[Object]
impl VisitMutation {
    /// Logs a visit: work that was done counts for its items, orders it closes are closed, and
    /// every device's file hears of it. Late and out of order it gives the same schedule.
    async fn log_service_visit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The visit.")] input: LogServiceVisitInput,
    ) -> Result<LogServiceVisitPayload> {
        let cx = Cx::of(ctx);
        let outcome: Outcome<(ServiceVisit, Vec<VisitLineResult>)> = async {
            let call = cx.call(ctx, input.idempotency_key.as_deref())?;
            let logged = cx.services.visits.log_visit(&call, visit(input)?).await?;
            let visit = load_known(ctx, logged.visit_id, "service_visit").await?.into();
            Ok((visit, logged.results.iter().map(Into::into).collect()))
        }
        .await;
        match outcome {
            Ok((visit, results)) => {
                Ok(LogServiceVisitPayload { service_visit: Some(visit), results, user_errors: vec![] })
            }
            Err(Failure::User(e)) => {
                Ok(LogServiceVisitPayload { service_visit: None, results: vec![], user_errors: vec![e] })
            }
            Err(Failure::Internal(e)) => Err(e),
        }
    }
}

fn visit(input: LogServiceVisitInput) -> Outcome<LogVisit> {
    let lines = input.lines.into_iter().enumerate();
    Ok(LogVisit {
        site_id: input_id(&input.site_id, "siteId", SiteId::parse_global)?,
        technician_id: input_id(&input.technician_id, "technicianId", TechnicianId::parse_global)?,
        started_at: input.started_at,
        ended_at: input.ended_at,
        notes: input.notes,
        lines: lines.map(|(place, l)| line(l).map_err(|e| of_line(e, place))).collect::<Outcome<Vec<LogLine>>>()?,
    })
}

fn line(input: VisitLineInput) -> Outcome<LogLine> {
    let mut step_results = Vec::new();
    for r in input.step_results.unwrap_or_default() {
        step_results.push(StepResult {
            // A place that cannot be is kept as 0, which no task list has: evidence is not refused.
            step: u32::try_from(r.step).unwrap_or(0),
            is_done: r.is_done,
            note: r.note,
            passed: r.passed,
            choice: r.choice,
            number: r.number,
            text: r.text,
            serial: r.serial,
            work_order_id: optional_id(r.work_order_id.as_ref(), "stepResults", WorkOrderId::parse_global)?,
            plan_id: optional_id(r.plan_id.as_ref(), "stepResults", PlanId::parse_global)?,
            has_failed: false,
        });
    }
    let parts_replaced = input.parts_replaced.unwrap_or_default().into_iter().map(|p| PartReplaced {
        component_kind: p.component_kind.into(),
        old_serial_number: p.old_serial_number,
        new_serial_number: p.new_serial_number,
        warranty_ends_on: p.warranty_ends_on.map(|day| day.0),
        part_number: p.part_number,
    });
    let failure = input.failure.map(|f| NewFailure {
        failure_code: f.failure_code,
        cause_code: f.cause_code,
        remedy_code: f.remedy_code,
        origin: f.origin.map(Into::into),
        failed_at: f.failed_at,
        detected_at: f.detected_at,
        restored_at: f.restored_at,
    });
    Ok(LogLine {
        device: device_ref(input.device_id.as_ref(), input.serial_number, input.manufacturer, None, "deviceId")?,
        work_order_ids: input_ids(
            &input.work_order_ids.unwrap_or_default(),
            "workOrderIds",
            WorkOrderId::parse_global,
        )?,
        plan_ids: input_ids(&input.plan_ids.unwrap_or_default(), "planIds", PlanId::parse_global)?,
        performed_at: input.performed_at,
        outcome: input.outcome.into(),
        findings: input.findings,
        step_results,
        parts_replaced: parts_replaced.collect(),
        failure,
    })
}

/// A refusal with the place of its line: `input.lines.3.deviceId`.
fn of_line(failure: Failure, place: usize) -> Failure {
    match failure {
        Failure::User(mut e) => {
            let below = e.field.take().unwrap_or_default().into_iter().skip(1);
            let above = ["input".to_owned(), "lines".to_owned(), place.to_string()];
            e.field = Some(above.into_iter().chain(below).collect());
            Failure::User(e)
        }
        internal => internal,
    }
}
