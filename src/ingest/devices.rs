//! Devices: `manufacturer`, `model` (its name or its code), `serial_number`, and if known
//! `hardware_revision`, `asset_tag`, `status`, `firmware_version`; where one stands, the
//! `terminal_number` of its position and `installed_at`.
//!
//! A device that stands somewhere is registered and installed: IN_SERVICE if the file says so,
//! else INSTALLED. A device is known by manufacturer and serial number.

use super::batch::{BATCH, Error, Rooms, coded, next_batch, optional, refused_by_room, required};
use super::csv::{Columns, CsvFile, Row};
use super::report::{ImportReport, RowError};
use crate::catalogue::model::DeviceModel;
use crate::kernel::calendar::stamp;
use crate::kernel::code::Code;
use crate::kernel::ids::{DeviceId, DeviceModelId, PositionId};
use crate::kernel::scope::Scope;
use crate::registry::model::DeviceStatus;
use crate::registry::rules;
use crate::registry::service::{InstallDevice, RegisterDevice};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use std::path::Path;

pub(super) const COLUMNS: Columns = Columns {
    required: &["manufacturer", "model", "serial_number"],
    one_of: &[],
    optional: &["hardware_revision", "asset_tag", "status", "firmware_version", "terminal_number", "installed_at"],
};

struct Line {
    manufacturer: String,
    model: String,
    hardware_revision: Option<String>,
    serial_number: String,
    asset_tag: Option<String>,
    firmware_version: Option<String>,
    status: Option<DeviceStatus>,
    /// Terminal number and since when.
    place: Option<(String, DateTime<Utc>)>,
}

/// Reads an instant; `column` is named in the refusal.
pub(super) fn instant(text: &str, column: &str) -> Result<DateTime<Utc>, RowError> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => Ok(stamp(at.with_timezone(&Utc))),
        Err(_) => {
            let message =
                format!("{column} is \"{text}\"; give date, time and zone, such as 2026-11-24T18:30:00+08:00");
            Err(RowError::new(Code::InvalidInstant, message))
        }
    }
}

fn read(row: &Row) -> Result<Line, RowError> {
    let status = coded(row, "status", DeviceStatus::ALL, DeviceStatus::parse)?;
    let installed_at = optional(row, "installed_at", 64)?.map(|text| instant(&text, "installed_at")).transpose()?;
    let place = match (optional(row, "terminal_number", 32)?, installed_at) {
        (Some(terminal), Some(at)) => Some((terminal, at)),
        (None, None) => None,
        (Some(_), None) => {
            return Err(RowError::new(
                Code::Required,
                "installed_at must not be empty where a terminal_number is given",
            ));
        }
        (None, Some(_)) => {
            return Err(RowError::new(Code::Required, "terminal_number must not be empty where installed_at is given"));
        }
    };
    match (status, &place) {
        (Some(status), None) if rules::is_in_field(status) => {
            let message =
                format!("a device that is {status} stands somewhere; give its terminal_number and installed_at");
            return Err(RowError::new(Code::Required, message));
        }
        (Some(status), Some(_)) if !matches!(status, DeviceStatus::Installed | DeviceStatus::InService) => {
            let message = format!(
                "a device at a terminal number is INSTALLED or IN_SERVICE, not {status}; change its status afterwards"
            );
            return Err(RowError::new(Code::IllegalTransition, message));
        }
        _ => {}
    }
    Ok(Line {
        manufacturer: required(row, "manufacturer", 100)?,
        model: required(row, "model", 100)?,
        hardware_revision: optional(row, "hardware_revision", 100)?,
        serial_number: required(row, "serial_number", 64)?,
        asset_tag: optional(row, "asset_tag", 64)?,
        firmware_version: optional(row, "firmware_version", 64)?,
        status,
        place,
    })
}

pub(super) async fn import(rooms: Rooms<'_>, path: &Path, progress: bool) -> Result<ImportReport, Error> {
    let mut file = CsvFile::open(path, &COLUMNS, progress)?;
    let mut report = ImportReport::default();
    let models = all_models(rooms, &(rooms.call)().scope).await?;
    loop {
        let batch = next_batch(&mut file, &mut report, BATCH, read)?;
        if batch.is_empty() {
            return Ok(report);
        }
        take_in(rooms, &models, batch, &mut report).await?;
    }
}

/// Every model; there are hundreds, not thousands.
async fn all_models(rooms: Rooms<'_>, scope: &Scope) -> Result<Vec<DeviceModel>, Error> {
    const PAGE: u64 = 500;
    let mut models: Vec<DeviceModel> = Vec::new();
    loop {
        let after = models.last().map(|m| (m.manufacturer.clone(), m.name.clone(), m.id.0));
        let page = rooms.catalogue.models_page(scope, after.as_ref(), PAGE).await?;
        let is_last = (page.len() as u64) < PAGE;
        models.extend(page);
        if is_last {
            return Ok(models);
        }
    }
}

fn find_model(models: &[DeviceModel], line: &Line) -> Result<DeviceModelId, RowError> {
    let found: Vec<&DeviceModel> = models
        .iter()
        .filter(|m| m.manufacturer == line.manufacturer && (m.name == line.model || m.code == line.model))
        .filter(|m| line.hardware_revision.as_ref().is_none_or(|r| *r == m.hardware_revision))
        .collect();
    match found[..] {
        [model] => Ok(model.id),
        [] => Err(RowError::new(
            Code::NotFound,
            format!("no model {} of {}; check the spelling, or add the model first", line.model, line.manufacturer),
        )),
        _ => {
            let revisions: Vec<&str> = found.iter().map(|m| m.hardware_revision.as_str()).collect();
            Err(RowError::new(
                Code::Ambiguous,
                format!("{} has the revisions {}; give hardware_revision", line.model, revisions.join(", ")),
            ))
        }
    }
}

async fn take_in(
    rooms: Rooms<'_>,
    models: &[DeviceModel],
    batch: Vec<(u64, Line)>,
    report: &mut ImportReport,
) -> Result<(), Error> {
    let call = (rooms.call)();
    let terminals: HashSet<String> = batch.iter().filter_map(|(_, l)| Some(l.place.as_ref()?.0.clone())).collect();
    let terminals: Vec<String> = terminals.into_iter().collect();
    let positions: HashMap<String, PositionId> = rooms
        .registry
        .positions_by_terminals(&call.scope, &terminals)
        .await?
        .into_iter()
        .filter_map(|p| Some((p.terminal_number?, p.id)))
        .collect();
    let (mut lines, mut new) = (Vec::new(), Vec::new());
    for (line, read) in batch {
        let place = match &read.place {
            None => None,
            Some((terminal, at)) => match positions.get(terminal) {
                Some(position) => Some((*position, *at, read.status == Some(DeviceStatus::InService))),
                None => {
                    let message = format!("no position has the terminal number {terminal}; import the sites first");
                    report.refuse(line, RowError::new(Code::NotFound, message));
                    continue;
                }
            },
        };
        match find_model(models, &read) {
            Ok(model_id) => {
                lines.push((line, model_id, place));
                new.push(RegisterDevice {
                    manufacturer: read.manufacturer,
                    model_id,
                    serial_number: read.serial_number,
                    asset_tag: read.asset_tag,
                    // One that stands somewhere goes there from stock.
                    status: read.status.filter(|_| place.is_none()),
                    firmware_version: read.firmware_version,
                    external_ids: vec![],
                });
            }
            Err(e) => report.refuse(line, e),
        }
    }
    let outcomes = rooms.registry.register_devices(&call, &new).await?;
    let known: Vec<DeviceId> = outcomes.iter().flatten().filter(|o| !o.is_new).map(|o| o.device_id).collect();
    let known_models: HashMap<DeviceId, DeviceModelId> =
        rooms.registry.devices_by_ids(&call.scope, &known).await?.into_iter().map(|d| (d.id, d.model_id)).collect();
    let mut stood: HashSet<(DeviceId, PositionId, DateTime<Utc>)> = HashSet::new();
    for b in rooms.registry.bindings_of_devices(&call.scope, &known).await? {
        stood.insert((b.device_id, b.position_id, b.started_at));
    }
    let (mut places, mut installs) = (Vec::new(), Vec::new());
    for ((line, model, place), outcome) in lines.into_iter().zip(outcomes) {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(e) => {
                report.refuse(line, refused_by_room(e)?);
                continue;
            }
        };
        if known_models.get(&outcome.device_id).is_some_and(|m| *m != model) {
            let message = "this device is registered as another model; a file adds devices and changes none";
            report.refuse(line, RowError::new(Code::AlreadyExists, message));
            continue;
        }
        match place {
            // The same row again: it is known where the device stood from then on.
            Some((position, at, is_in_service)) if stood.insert((outcome.device_id, position, at)) => {
                places.push((line, outcome.is_new));
                installs.push(InstallDevice {
                    device_id: outcome.device_id,
                    position_id: position,
                    installed_at: at,
                    expected_version: None,
                    is_in_service,
                });
            }
            _ => report.count(outcome.is_new),
        }
    }
    let installed = rooms.registry.install_devices(&call, &installs).await?;
    for ((line, is_new), installed) in places.into_iter().zip(installed) {
        match installed {
            Ok(()) => report.added += 1,
            Err(e) => {
                let e = refused_by_room(e)?;
                let what = if is_new {
                    "the device was registered, but not installed"
                } else {
                    "the device was not installed"
                };
                report.refuse(line, RowError { code: e.code, message: format!("{what}: {}", e.message) });
            }
        }
    }
    Ok(())
}
