//! Finding merchants, sites, positions, devices and technicians by what people type.

use super::RegistryService;
use crate::db::StoreResult;
use crate::kernel::scope::Scope;
use crate::kernel::search::{Hit, Hits, MOST_HITS, MatchedField, Rank, SearchText, SearchType};
use crate::registry::search_store::{self, Found};
use std::collections::HashMap;
use uuid::Uuid;

/// Adds what a source found by one value or another.
fn add(hits: &mut Hits, of: SearchType, rows: Vec<Found>) {
    hits.is_cut |= rows.len() as u64 >= MOST_HITS;
    hits.found.extend(rows.into_iter().map(|(id, field, rank, text)| Hit { rank, of, id, field, text }));
}

impl RegistryService {
    /// What answers a search, of these types: serial numbers, asset tags, external ids, terminal and
    /// merchant numbers that begin with the text; names that contain it; phones by their digits. At
    /// most 200 of each source, the best; a fixed number of statements.
    ///
    /// # Errors
    /// Storage.
    pub async fn search(&self, scope: &Scope, text: &SearchText, types: &[SearchType]) -> StoreResult<Hits> {
        let db = self.db.reader();
        let wants = |of: SearchType| types.contains(&of);
        let mut hits = Hits::default();
        if wants(SearchType::Device) {
            let rows = search_store::devices_by_serial(db, scope, text).await?;
            hits.add(SearchType::Device, MatchedField::SerialNumber, rows);
            let rows = search_store::devices_by_asset_tag(db, scope, text).await?;
            hits.add(SearchType::Device, MatchedField::AssetTag, rows);
            let rows = search_store::devices_by_external_id(db, scope, text).await?;
            hits.add(SearchType::Device, MatchedField::ExternalId, rows);
        }
        if wants(SearchType::Device) || wants(SearchType::Position) {
            let rows = search_store::positions_by_terminal(db, scope, text).await?;
            if wants(SearchType::Device) {
                // Who asks for a terminal number mostly means the device that answers to it.
                let ids: Vec<Uuid> = rows.iter().map(|(id, ..)| *id).collect();
                let known: HashMap<Uuid, &(Uuid, Rank, String)> = rows.iter().map(|row| (row.0, row)).collect();
                let standing = search_store::standing_at(db, scope, &ids).await?.into_iter();
                let standing = standing.filter_map(|(device, position)| {
                    let (_, rank, number) = known.get(&position)?;
                    Some((device, *rank, number.clone()))
                });
                hits.add(SearchType::Device, MatchedField::TerminalNumber, standing.collect());
            }
            if wants(SearchType::Position) {
                hits.add(SearchType::Position, MatchedField::TerminalNumber, rows);
            }
        }
        if wants(SearchType::Merchant) {
            let rows = search_store::merchants_by_number(db, scope, text).await?;
            hits.add(SearchType::Merchant, MatchedField::MerchantNumber, rows);
            let rows = search_store::merchants_by_name(db, scope, text).await?;
            hits.add(SearchType::Merchant, MatchedField::Name, rows);
        }
        if wants(SearchType::Site) {
            add(&mut hits, SearchType::Site, search_store::sites(db, scope, text).await?);
        }
        if wants(SearchType::Technician) {
            add(&mut hits, SearchType::Technician, search_store::technicians(db, scope, text).await?);
        }
        Ok(hits)
    }
}
