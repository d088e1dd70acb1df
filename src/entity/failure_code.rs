//! A failure mode of terminals, from a closed list.

use sea_orm::entity::prelude::*;

/// A row of `failure_code`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "failure_code")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// Code.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub code: String,
    /// Name en.
    #[sea_orm(column_type = "Text")]
    pub name_en: String,
    /// Name zh.
    #[sea_orm(column_type = "Text")]
    pub name_zh: String,
    /// CARD_READ_FAILURE, TRANSACTION_DELAY, SYSTEM_CRASH or OTHER.
    #[sea_orm(column_type = "Text")]
    pub family: String,
    /// The part it is about, if it is about one.
    #[sea_orm(column_type = "Text")]
    pub component: Option<String>,
    /// How the failure shows.
    #[sea_orm(column_type = "Text")]
    pub mode: String,
    /// Number of the mechanism in ISO 14224, Table B.2.
    #[sea_orm(column_type = "Text")]
    pub mechanism: String,
    /// Mechanism name en.
    #[sea_orm(column_type = "Text")]
    pub mechanism_name_en: String,
    /// Mechanism name zh.
    #[sea_orm(column_type = "Text")]
    pub mechanism_name_zh: String,
    /// 1 stops trading or is about security, 5 is cosmetic.
    pub severity: i32,
    /// May be mended from afar.
    pub is_remote_fixable: bool,
    /// Has to be reported under a standard.
    pub is_compliance: bool,
    /// Who or what causes it unless found otherwise.
    #[sea_orm(column_type = "Text")]
    pub origin: String,
    /// Codes of its causes as JSON text.
    #[sea_orm(column_type = "Text")]
    pub causes: String,
    /// Codes of its remedies as JSON text.
    #[sea_orm(column_type = "Text")]
    pub remedies: String,
    /// What shows it, texts in both languages as JSON text.
    #[sea_orm(column_type = "Text")]
    pub detection: String,
    /// What to mind, in both languages as JSON text.
    #[sea_orm(column_type = "Text")]
    pub note: Option<String>,
    /// Source.
    #[sea_orm(column_type = "Text")]
    pub source: String,
    /// SOURCED, SOURCED_LOW or ASSUMED.
    #[sea_orm(column_type = "Text")]
    pub basis: String,
}

/// Relations live in the GraphQL ring.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl super::Scoped for Entity {
    fn organization_column() -> Self::Column {
        Column::OrganizationId
    }
}
