//! Merchants: `merchant_number`, `name`.

use super::batch::{BATCH, Error, Kind, Rooms, next_batch, refused_by_room, required};
use super::csv::{Columns, CsvFile};
use super::report::{ImportReport, RowError};
use crate::kernel::code::Code;
use crate::registry::service::NewMerchant;
use std::collections::HashMap;
use std::path::Path;

pub(super) const COLUMNS: Columns = Columns { required: &["merchant_number", "name"], one_of: &[], optional: &[] };

struct Line {
    number: String,
    name: String,
}

/// Without a number a merchant could not be told from another of the same name, and the file
/// would add it again; so it is required here.
pub(super) async fn import(rooms: Rooms<'_>, path: &Path, progress: bool) -> Result<ImportReport, Error> {
    let mut file = CsvFile::open(path, &COLUMNS, progress)?;
    let mut report = ImportReport::default();
    loop {
        let batch = next_batch(&mut file, &mut report, BATCH, |row| {
            Ok(Line { number: required(row, "merchant_number", 64)?, name: required(row, "name", 200)? })
        })?;
        if batch.is_empty() {
            return Ok(report);
        }
        let call = (rooms.call)();
        let numbers: Vec<String> = batch.iter().map(|(_, l)| l.number.clone()).collect();
        let mut names: HashMap<String, String> = rooms
            .registry
            .merchants_by_numbers(&call.scope, &numbers)
            .await?
            .into_iter()
            .filter_map(|m| Some((m.merchant_number?, m.name)))
            .collect();
        let (mut lines, mut new) = (Vec::new(), Vec::new());
        for (line, Line { number, name }) in batch {
            match names.get(&number) {
                Some(known) if *known == name => report.unchanged += 1,
                Some(known) => {
                    let message = format!(
                        "merchant number {number} is \"{known}\"'s; a file adds {} and changes none",
                        Kind::Merchants.as_str()
                    );
                    report.refuse(line, RowError::new(Code::AlreadyExists, message));
                }
                None => {
                    names.insert(number.clone(), name.clone());
                    lines.push(line);
                    new.push(NewMerchant { name, merchant_number: Some(number) });
                }
            }
        }
        let made = rooms.registry.create_merchants(&call, &new).await?;
        for (line, made) in lines.into_iter().zip(made) {
            match made {
                Ok(made) => report.count(made.is_new),
                Err(e) => report.refuse(line, refused_by_room(e)?),
            }
        }
    }
}
