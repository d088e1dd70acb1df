//! A version of a firmware for some models.

use sea_orm::entity::prelude::*;

/// A row of `firmware_release`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "firmware_release")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub organization_id: Uuid,
    /// Version as the maker writes it.
    #[sea_orm(column_type = "Text")]
    pub version_text: String,
    /// Version in its normal form.
    #[sea_orm(column_type = "Text")]
    pub version_key: String,
    /// Criticality.
    #[sea_orm(column_type = "Text")]
    pub criticality: String,
    /// Fixes as JSON text.
    #[sea_orm(column_type = "Text")]
    pub fixes: String,
    /// Version a device must have at least before.
    #[sea_orm(column_type = "Text")]
    pub minimum_prior_version: Option<String>,
    /// Notes in English.
    #[sea_orm(column_type = "Text")]
    pub notes_en: Option<String>,
    /// Notes in Chinese.
    #[sea_orm(column_type = "Text")]
    pub notes_zh: Option<String>,
    /// SHA-256 of the package, hex.
    #[sea_orm(column_type = "Text")]
    pub checksum_sha256: String,
    /// Bytes of the package.
    pub size_bytes: i64,
    /// Gates as JSON text.
    #[sea_orm(column_type = "Text")]
    pub gates: String,
    /// When the maker published it, UTC.
    pub published_at: DateTimeUtc,
    /// When it was made, UTC.
    pub created_at: DateTimeUtc,
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
