//! Search: one line of text, over everything people know by a number or a name.

use super::connection::{connection, cursor, cut, key_part, page, page_cost};
use super::context::Cx;
use super::enums::{SearchField, SearchRank, SearchType};
use super::errors::bad_input;
use super::node::{Node, find_all};
use super::prefetch::Ahead;
use super::scalars::{MAX_PART, query_codes, query_text};
use crate::kernel::ids::{DeviceId, MerchantId, PositionId, SiteId, TechnicianId, VisitId, WorkOrderId};
use crate::kernel::search::{self as room, SearchText};
use async_graphql::{Context, Object, Result, SimpleObject};
use uuid::Uuid;

/// Something a search found.
#[derive(SimpleObject, Clone)]
pub struct SearchResult {
    /// What was found.
    pub node: Node,
    /// What it is.
    #[graphql(name = "type")]
    pub of: SearchType,
    /// What the text was found in; the best where it was found in several.
    pub matched_field: SearchField,
    /// That value, as it is kept.
    pub matched_text: String,
    /// How well it answers.
    pub rank: SearchRank,
}

connection!(SearchResultConnection, SearchResultEdge, SearchResult, "search results");

/// The kind of global id of what is searched for.
fn id_kind(of: room::SearchType) -> &'static str {
    match of {
        room::SearchType::Device => DeviceId::KIND,
        room::SearchType::Merchant => MerchantId::KIND,
        room::SearchType::Site => SiteId::KIND,
        room::SearchType::Position => PositionId::KIND,
        room::SearchType::Technician => TechnicianId::KIND,
        room::SearchType::WorkOrder => WorkOrderId::KIND,
        room::SearchType::ServiceVisit => VisitId::KIND,
    }
}

/// Search.
#[derive(Default)]
pub struct SearchQuery;

#[Object]
impl SearchQuery {
    /// What answers a text: a serial number, asset tag, external id, terminal or merchant number,
    /// order or visit number that is it or begins with it; a merchant's, site's or technician's
    /// name that contains it, in any language; a phone of a technician or a site's contact that
    /// contains its digits, whatever blanks and dashes stand between them. The case of letters does
    /// not matter, nor whether they are full-width. One character is looked for at the beginning
    /// only.
    ///
    /// Exact answers come first, then those that begin with the text, then those that contain it;
    /// each thing once, at most 200 of each source. `totalCount` is null when there may be more.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is searched for, 1 to 200 characters.")] text: String,
        #[graphql(desc = "Only these types; all unless stated.")] types: Option<Vec<SearchType>>,
        #[graphql(desc = "Rows, 1 to 500; 50 unless stated.")] first: Option<i32>,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<SearchResultConnection> {
        let cx = Cx::of(ctx);
        let text = query_text(text, "text", MAX_PART)?;
        let text = SearchText::read(&text).ok_or_else(|| bad_input("text is empty; give 1 character at least"))?;
        let types: Vec<room::SearchType> =
            query_codes(types, "types")?.unwrap_or_else(|| room::SearchType::ALL.to_vec());
        let tag = format!("search {}", text.folded());
        let page = page(&tag, first, after.as_deref())?;
        let key = match &page.after {
            Some(key) => Some(read_key(key)?),
            None => None,
        };
        let services = &cx.services;
        let mut hits = services.registry.search(&cx.scope, &text, &types).await.map_err(|e| cx.fail(e))?;
        hits.extend(services.planning.search(&cx.scope, &text, &types).await.map_err(|e| cx.fail(e))?);
        hits.extend(services.visits.search(&cx.scope, &text, &types).await.map_err(|e| cx.fail(e))?);
        let hits = hits.sorted();
        let total = (!hits.is_cut).then_some(hits.found.len() as u64);
        let rest: Vec<room::Hit> = hits.found.into_iter().filter(|hit| key.is_none_or(|key| hit.key() > key)).collect();
        let (rows, has_next) = cut(rest, page.first);
        let wanted: Vec<(String, Uuid)> = rows.iter().map(|hit| (id_kind(hit.of).to_owned(), hit.id)).collect();
        let nodes = find_all(cx, &wanted, &Ahead::rows(ctx).at("node")).await?;
        let found = rows
            .into_iter()
            .zip(nodes)
            // What is gone meanwhile is not found any more.
            .filter_map(|(hit, node)| {
                let parts = [hit.rank.as_str().to_owned(), hit.of.as_str().to_owned(), hit.id.to_string()];
                let result = SearchResult {
                    node: node?,
                    of: hit.of.into(),
                    matched_field: hit.field.into(),
                    matched_text: hit.text,
                    rank: hit.rank.into(),
                };
                Some((result, cursor(&tag, &parts)))
            })
            .collect();
        Ok(SearchResultConnection::new(found, has_next, key.is_some(), total))
    }
}

/// Reads where a page begins.
fn read_key(key: &[String]) -> Result<(room::Rank, room::SearchType, Uuid)> {
    let foreign = || bad_input("the cursor is of another list or order; start again without after");
    let rank = room::Rank::parse(&key_part::<String>(key, 0)?).ok_or_else(foreign)?;
    let of = room::SearchType::parse(&key_part::<String>(key, 1)?).ok_or_else(foreign)?;
    Ok((rank, of, key_part(key, 2)?))
}
