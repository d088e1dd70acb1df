//! Sites with their positions: `merchant_number`, `name`, `time_zone`, and if known `address`,
//! `region_code`, `latitude`, `longitude`, `coordinate_system`, `country`, `environment`,
//! `positions`.
//!
//! `positions` are separated by semicolons, each a name and, after an equals sign, its terminal
//! number: `Lane 1=33010001;Lane 2=33010002;Office`. A site is known by merchant, name and
//! address.

use super::batch::{BATCH, Error, Rooms, coded, next_batch, optional, refused_by_room, required};
use super::csv::{Columns, CsvFile, Row};
use super::report::{ImportReport, RowError};
use crate::kernel::code::Code;
use crate::kernel::ids::MerchantId;
use crate::kernel::text::clean_text;
use crate::registry::model::{CoordinateSystem, SiteEnvironment};
use crate::registry::service::{NewPosition, NewSite};
use std::collections::{HashMap, HashSet};
use std::path::Path;

pub(super) const COLUMNS: Columns = Columns {
    required: &["merchant_number", "name", "time_zone"],
    one_of: &[],
    optional: &[
        "address",
        "region_code",
        "latitude",
        "longitude",
        "coordinate_system",
        "country",
        "environment",
        "positions",
    ],
};

/// Positions of one site at most.
const MAX_POSITIONS: usize = 1_000;

struct Line {
    merchant_number: String,
    site: NewSite,
    /// Name and terminal number.
    positions: Vec<(String, Option<String>)>,
}

fn degrees(row: &Row, column: &str) -> Result<Option<f64>, RowError> {
    let Some(text) = optional(row, column, 32)? else { return Ok(None) };
    match text.parse::<f64>() {
        Ok(degrees) if degrees.is_finite() => Ok(Some(degrees)),
        _ => Err(RowError::new(Code::InvalidNumber, format!("{column} is \"{text}\"; give degrees such as 30.259"))),
    }
}

fn positions(row: &Row) -> Result<Vec<(String, Option<String>)>, RowError> {
    let invalid = |message: String| RowError::new(Code::Invalid, message);
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    let mut terminals = HashSet::new();
    for part in row.get("positions").unwrap_or_default().split(';').filter(|p| !p.trim().is_empty()) {
        let (name, terminal) = part.split_once('=').map_or((part, None), |(name, terminal)| (name, Some(terminal)));
        let name = clean_text(name, 100).map_err(|e| invalid(format!("positions: a name {e}")))?;
        let terminal = terminal
            .map(|t| clean_text(t, 32).map_err(|e| invalid(format!("positions: the terminal number of {name} {e}"))))
            .transpose()?;
        if found.iter().any(|(known, _)| *known == name) {
            return Err(invalid(format!("positions: {name} is given twice")));
        }
        if let Some(terminal) = &terminal
            && !terminals.insert(terminal.clone())
        {
            return Err(invalid(format!("positions: terminal number {terminal} is given twice")));
        }
        found.push((name, terminal));
    }
    if found.len() > MAX_POSITIONS {
        return Err(RowError::new(
            Code::TooMany,
            format!("positions: {} are too many; give at most {MAX_POSITIONS}", found.len()),
        ));
    }
    Ok(found)
}

fn read(row: &Row) -> Result<Line, RowError> {
    let site = NewSite {
        // Known when the merchant is looked up.
        merchant_id: MerchantId::from(uuid::Uuid::nil()),
        name: required(row, "name", 200)?,
        address: optional(row, "address", 500)?,
        region_code: optional(row, "region_code", 32)?,
        latitude: degrees(row, "latitude")?,
        longitude: degrees(row, "longitude")?,
        coordinate_system: coded(row, "coordinate_system", CoordinateSystem::ALL, CoordinateSystem::parse)?,
        time_zone: required(row, "time_zone", 64)?,
        opening_hours: vec![],
        closed_days: vec![],
        observes_holidays: false,
        country: optional(row, "country", 2)?,
        environment: coded(row, "environment", SiteEnvironment::ALL, SiteEnvironment::parse)?,
        contact: None,
    };
    Ok(Line { merchant_number: required(row, "merchant_number", 64)?, site, positions: positions(row)? })
}

pub(super) async fn import(rooms: Rooms<'_>, path: &Path, progress: bool) -> Result<ImportReport, Error> {
    let mut file = CsvFile::open(path, &COLUMNS, progress)?;
    let mut report = ImportReport::default();
    loop {
        let batch = next_batch(&mut file, &mut report, BATCH, read)?;
        if batch.is_empty() {
            return Ok(report);
        }
        take_in(rooms, batch, &mut report).await?;
    }
}

async fn take_in(rooms: Rooms<'_>, batch: Vec<(u64, Line)>, report: &mut ImportReport) -> Result<(), Error> {
    let call = (rooms.call)();
    let numbers: HashSet<String> = batch.iter().map(|(_, l)| l.merchant_number.clone()).collect();
    let numbers: Vec<String> = numbers.into_iter().collect();
    let merchants: HashMap<String, MerchantId> = rooms
        .registry
        .merchants_by_numbers(&call.scope, &numbers)
        .await?
        .into_iter()
        .filter_map(|m| Some((m.merchant_number?, m.id)))
        .collect();
    let (mut lines, mut sites) = (Vec::new(), Vec::new());
    for (line, read) in batch {
        match merchants.get(&read.merchant_number) {
            Some(id) => {
                sites.push(NewSite { merchant_id: *id, ..read.site });
                lines.push((line, read.positions));
            }
            None => {
                let message =
                    format!("no merchant has the number {}; import the merchants first", read.merchant_number);
                report.refuse(line, RowError::new(Code::NotFound, message));
            }
        }
    }
    let made = rooms.registry.create_sites(&call, &sites).await?;
    let (mut places, mut positions) = (Vec::new(), Vec::new());
    for ((line, wanted), made) in lines.into_iter().zip(made) {
        match made {
            Ok(made) => {
                places.push((line, made.is_new, wanted.len()));
                positions.extend(wanted.into_iter().map(|(name, terminal_number)| NewPosition {
                    site_id: made.id,
                    name,
                    terminal_number,
                }));
            }
            Err(e) => report.refuse(line, refused_by_room(e)?),
        }
    }
    let mut outcomes = rooms.registry.import_positions(&call, &positions).await?.into_iter();
    for (line, is_new, count) in places {
        let mut is_added = is_new;
        let mut refusal = None;
        for outcome in outcomes.by_ref().take(count) {
            match outcome {
                Ok(made) => is_added |= made.is_new,
                Err(e) => refusal = refusal.or(Some(refused_by_room(e)?)),
            }
        }
        match refusal {
            Some(e) => {
                let what =
                    if is_new { "the site was added, but not every position" } else { "not every position was added" };
                report.refuse(line, RowError { code: e.code, message: format!("{what}: {}", e.message) });
            }
            None => report.count(is_added),
        }
    }
    Ok(())
}
