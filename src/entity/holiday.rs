//! A public holiday or a moved working day of a country.

use sea_orm::entity::prelude::*;

/// A row of `holiday`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "holiday")]
pub struct Model {
    /// ISO 3166-1 alpha-2.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub country: String,
    /// Date.
    #[sea_orm(primary_key, auto_increment = false)]
    pub date: Date,
    /// Name en.
    #[sea_orm(column_type = "Text")]
    pub name_en: String,
    /// Name zh.
    #[sea_orm(column_type = "Text")]
    pub name_zh: String,
    /// Worked although its weekday is free.
    pub is_working_day: bool,
    /// Source.
    #[sea_orm(column_type = "Text")]
    pub source: String,
}

/// Relations live in the GraphQL ring.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
