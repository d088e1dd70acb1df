//! Rows by what people type: values that begin with a text by an index, values that contain it by
//! a scan of the organization's rows. `%` and `_` mean themselves, and the case of letters does not
//! matter (on SQLite: of ASCII letters).

use super::error::StoreResult;
use super::scoped::find;
use crate::entity::Scoped;
use crate::kernel::scope::Scope;
use crate::kernel::search::{MOST_HITS, Rank, SearchText};
use sea_orm::sea_query::{BinOper, CaseStatement, Expr, ExprTrait, Func};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseBackend, Order, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

/// The column without the case of its letters.
fn lowered<C: ColumnTrait>(column: C) -> Expr {
    Expr::from(Func::lower(Expr::col(column.as_column_ref())))
}

/// Begins with a text, as the index on the lowered column finds it.
fn begins<C: ColumnTrait>(column: C, text: &str, backend: DatabaseBackend) -> Condition {
    // Bytes in their order on both: PostgreSQL's own order of texts depends on the language.
    let (from, to) = match backend {
        DatabaseBackend::Postgres => (BinOper::Custom("~>=~"), BinOper::Custom("~<~")),
        _ => (BinOper::GreaterThanOrEqual, BinOper::SmallerThan),
    };
    // The last character there is: everything that begins with the text lies before it.
    let end = format!("{text}\u{10ffff}");
    Condition::all()
        .add(lowered(column).binary(from, Func::lower(Expr::val(text.to_owned()))))
        .add(lowered(column).binary(to, Func::lower(Expr::val(end))))
}

/// Begins with a text in one of its forms.
fn begins_with<C: ColumnTrait>(column: C, text: &SearchText, backend: DatabaseBackend) -> Condition {
    text.patterns().iter().fold(Condition::any(), |any, pattern| any.add(begins(column, pattern, backend)))
}

/// Contains a text in one of its forms.
pub fn contains<C: ColumnTrait>(column: C, text: &SearchText, backend: DatabaseBackend) -> Condition {
    if text.is_short() {
        return begins_with(column, text, backend);
    }
    text.patterns().iter().fold(Condition::any(), |any, pattern| any.add(contains_part(column, pattern)))
}

/// Contains a part, whatever its case.
pub fn contains_part<C: ColumnTrait>(column: C, part: &str) -> Expr {
    let escaped = part.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    // The database lowers both sides: SQLite knows the case of ASCII letters only.
    let pattern = Expr::from(Func::lower(Expr::val(format!("%{escaped}%"))));
    let pattern = pattern.binary(BinOper::Escape, Expr::Constant('!'.into()));
    lowered(column).binary(BinOper::Like, pattern)
}

/// Contains these digits, whatever blanks and dashes stand between them.
pub fn contains_digits<C: ColumnTrait>(column: C, digits: &str) -> Expr {
    without_blanks(column, &format!("%{digits}%"))
}

/// Looks like this once blanks and dashes are taken away; `%` stands for anything.
pub fn without_blanks<C: ColumnTrait>(column: C, pattern: &str) -> Expr {
    let without = |of: Expr, sign: &str| {
        Expr::from(Func::cust("replace").args([of, Expr::val(sign.to_owned()), Expr::val(String::new())]))
    };
    let bare = without(without(Expr::col(column.as_column_ref()), " "), "-");
    bare.binary(BinOper::Like, Expr::val(pattern.to_owned()))
}

/// Equal first, then what begins with the text, then the rest, by the best of the columns that were
/// searched; so that a bound cuts off the worst. `phone` says what a phone number is that is equal,
/// and one that begins with the digits.
pub fn best_first<E: Scoped>(
    rows: Select<E>,
    id: E::Column,
    columns: &[E::Column],
    phone: Option<(Expr, Expr)>,
    text: &SearchText,
    backend: DatabaseBackend,
) -> Select<E> {
    let (mut is_equal, mut begins) = (Condition::any(), Condition::any());
    for column in columns {
        for pattern in text.patterns() {
            is_equal = is_equal.add(lowered(*column).eq(Func::lower(Expr::val(pattern.clone()))));
        }
        begins = begins.add(begins_with(*column, text, backend));
    }
    if let Some((equal_phone, phone_begins)) = phone {
        is_equal = is_equal.add(equal_phone);
        begins = begins.add(phone_begins);
    }
    let rank: Expr =
        CaseStatement::new().case(is_equal, Expr::value(0)).case(begins, Expr::value(1)).finally(Expr::value(2)).into();
    rows.order_by(rank, Order::Asc).order_by(id, Order::Asc)
}

/// Rows whose column begins with a text, the shortest first, so those that are equal to it; with
/// how well they answer.
///
/// # Errors
/// Storage.
pub async fn beginning_with<E: Scoped>(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: E::Column,
    column: E::Column,
    text: &SearchText,
) -> StoreResult<Vec<(Uuid, Rank, String)>> {
    let rows: Vec<(Uuid, String)> = find::<E>(scope)
        .select_only()
        .column(id)
        .column(column)
        .filter(begins_with(column, text, db.get_database_backend()))
        .order_by(lowered(column), Order::Asc)
        .order_by(id, Order::Asc)
        .limit(MOST_HITS)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(id, value)| (id, text.rank(&value).unwrap_or(Rank::Prefix), value)).collect())
}
