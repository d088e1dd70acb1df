//! Rows of the registry by what people type.

use super::model::SiteContact;
use crate::db::StoreResult;
use crate::db::scoped;
use crate::db::search::{beginning_with, best_first, contains, contains_digits, without_blanks};
use crate::entity::{device, external_id, merchant, position, site, technician};
use crate::kernel::scope::Scope;
use crate::kernel::search::{MOST_HITS, MatchedField, Rank, SearchText};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

/// What a source found: which thing, how well it answers, and the value.
pub type Rows = Vec<(Uuid, Rank, String)>;

/// Devices by the beginning of their serial number.
pub async fn devices_by_serial(db: &impl ConnectionTrait, scope: &Scope, text: &SearchText) -> StoreResult<Rows> {
    beginning_with::<device::Entity>(db, scope, device::Column::Id, device::Column::SerialNumber, text).await
}

/// Devices by the beginning of their asset tag.
pub async fn devices_by_asset_tag(db: &impl ConnectionTrait, scope: &Scope, text: &SearchText) -> StoreResult<Rows> {
    beginning_with::<device::Entity>(db, scope, device::Column::Id, device::Column::AssetTag, text).await
}

/// Devices by the beginning of what other systems call them.
pub async fn devices_by_external_id(db: &impl ConnectionTrait, scope: &Scope, text: &SearchText) -> StoreResult<Rows> {
    use external_id::Column as C;
    beginning_with::<external_id::Entity>(db, scope, C::DeviceId, C::Value, text).await
}

/// Positions by the beginning of their terminal number.
pub async fn positions_by_terminal(db: &impl ConnectionTrait, scope: &Scope, text: &SearchText) -> StoreResult<Rows> {
    use position::Column as C;
    beginning_with::<position::Entity>(db, scope, C::Id, C::TerminalNumber, text).await
}

/// Devices that stand at positions, with their positions.
pub async fn standing_at(
    db: &impl ConnectionTrait,
    scope: &Scope,
    positions: &[Uuid],
) -> StoreResult<Vec<(Uuid, Uuid)>> {
    if positions.is_empty() {
        return Ok(Vec::new());
    }
    use device::Column as C;
    Ok(scoped::find::<device::Entity>(scope)
        .select_only()
        .column(C::Id)
        .column(C::PositionId)
        .filter(C::PositionId.is_in(positions.iter().copied()))
        .order_by_asc(C::Id)
        .into_tuple()
        .all(db)
        .await?)
}

/// Merchants by the beginning of their merchant number.
pub async fn merchants_by_number(db: &impl ConnectionTrait, scope: &Scope, text: &SearchText) -> StoreResult<Rows> {
    use merchant::Column as C;
    beginning_with::<merchant::Entity>(db, scope, C::Id, C::MerchantNumber, text).await
}

/// Merchants whose name contains the text.
pub async fn merchants_by_name(db: &impl ConnectionTrait, scope: &Scope, text: &SearchText) -> StoreResult<Rows> {
    use merchant::Column as C;
    let backend = db.get_database_backend();
    let find = scoped::find::<merchant::Entity>(scope).select_only().column(C::Id).column(C::Name).filter(contains(
        C::Name,
        text,
        backend,
    ));
    let rows: Vec<(Uuid, String)> =
        best_first(find, C::Id, &[C::Name], None, text, backend).limit(MOST_HITS).into_tuple().all(db).await?;
    Ok(rows.into_iter().map(|(id, name)| (id, text.rank(&name).unwrap_or(Rank::Contains), name)).collect())
}

/// What a row was found by, and how well that answers.
pub type Found = (Uuid, MatchedField, Rank, String);

/// Sites whose name contains the text, or whose contact has this phone.
pub async fn sites(db: &impl ConnectionTrait, scope: &Scope, text: &SearchText) -> StoreResult<Vec<Found>> {
    use site::Column as C;
    let backend = db.get_database_backend();
    let mut any = Condition::any().add(contains(C::Name, text, backend));
    if let Some(digits) = text.phone() {
        any = any.add(contains_digits(C::Contact, digits));
    }
    // The contact is kept as JSON.
    let phone = text.phone().map(|digits| {
        let with = |end: &str| without_blanks(C::Contact, &format!("%\"phone\":\"{digits}{end}%"));
        (with("\""), with(""))
    });
    let find =
        scoped::find::<site::Entity>(scope).select_only().column(C::Id).column(C::Name).column(C::Contact).filter(any);
    let rows: Vec<(Uuid, String, Option<String>)> =
        best_first(find, C::Id, &[C::Name], phone, text, backend).limit(MOST_HITS).into_tuple().all(db).await?;
    let found = rows.into_iter().filter_map(|(id, name, contact)| {
        if let Some(rank) = text.rank(&name) {
            return Some((id, MatchedField::Name, rank, name));
        }
        // Digits may also have been found in the contact's name, which is not asked for.
        let contact: SiteContact = serde_json::from_str(&contact?).ok()?;
        let phone = contact.phone?;
        Some((id, MatchedField::Phone, text.rank_phone(&phone)?, phone))
    });
    Ok(found.collect())
}

/// Technicians whose name or employee number contains the text, or who have this phone.
pub async fn technicians(db: &impl ConnectionTrait, scope: &Scope, text: &SearchText) -> StoreResult<Vec<Found>> {
    use technician::Column as C;
    let backend = db.get_database_backend();
    let mut any =
        Condition::any().add(contains(C::Name, text, backend)).add(contains(C::EmployeeNumber, text, backend));
    if let Some(digits) = text.phone() {
        any = any.add(contains_digits(C::Phone, digits));
    }
    let phone =
        text.phone().map(|digits| (without_blanks(C::Phone, digits), without_blanks(C::Phone, &format!("{digits}%"))));
    let find = scoped::find::<technician::Entity>(scope)
        .select_only()
        .column(C::Id)
        .column(C::Name)
        .column(C::EmployeeNumber)
        .column(C::Phone)
        .filter(any);
    let rows: Vec<(Uuid, String, Option<String>, Option<String>)> =
        best_first(find, C::Id, &[C::Name, C::EmployeeNumber], phone, text, backend)
            .limit(MOST_HITS)
            .into_tuple()
            .all(db)
            .await?;
    let found = rows.into_iter().filter_map(|(id, name, number, phone)| {
        let by_number = number.and_then(|n| Some((MatchedField::EmployeeNumber, text.rank(&n)?, n)));
        let by_phone = phone.and_then(|p| Some((MatchedField::Phone, text.rank_phone(&p)?, p)));
        let by_name = text.rank(&name).map(|rank| (MatchedField::Name, rank, name));
        let best = [by_name, by_number, by_phone].into_iter().flatten().min_by_key(|(_, rank, _)| *rank);
        best.map(|(field, rank, value)| (id, field, rank, value))
    });
    Ok(found.collect())
}
