//! How resolvers read rows: from what the list above them prefetched, else from the request's
//! loader.

use super::context::Cx;
use super::errors::{internal, missing};
use super::loaders::{Batch, BatchError};
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Result};
use std::hash::Hash;

/// One row, from what was prefetched where it was.
///
/// # Errors
/// Storage.
pub async fn load<K>(ctx: &Context<'_>, key: K) -> Result<Option<<Batch as Loader<K>>::Value>>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Batch: Loader<K, Error = BatchError>,
{
    Cx::of(ctx).loader.load_one(key).await.map_err(|e| internal(&*e))
}

/// One row, if there is an id.
///
/// # Errors
/// Storage.
pub async fn load_opt<K>(ctx: &Context<'_>, key: Option<K>) -> Result<Option<<Batch as Loader<K>>::Value>>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Batch: Loader<K, Error = BatchError>,
{
    match key {
        Some(key) => load(ctx, key).await,
        None => Ok(None),
    }
}

/// One row that must be there, because another row names it.
///
/// # Errors
/// Storage; the row is missing, which is a fault of ours.
pub async fn load_known<K>(ctx: &Context<'_>, key: K, what: &'static str) -> Result<<Batch as Loader<K>>::Value>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Batch: Loader<K, Error = BatchError>,
{
    load(ctx, key).await?.ok_or_else(|| missing(what))
}
