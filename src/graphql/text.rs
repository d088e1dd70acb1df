//! Texts that exist in English and Chinese.

use crate::kernel::text;
use async_graphql::{InputObject, SimpleObject};

/// A text in both languages.
#[derive(SimpleObject, Clone, Debug)]
pub struct LocalizedText {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl From<&text::LocalizedText> for LocalizedText {
    fn from(t: &text::LocalizedText) -> Self {
        Self { en: t.en.clone(), zh: t.zh.clone() }
    }
}

/// A text in both languages.
#[derive(InputObject, Clone, Debug)]
pub struct LocalizedTextInput {
    /// English; 1 character at least.
    pub en: String,
    /// Chinese; the English text when left out.
    pub zh: Option<String>,
}

impl From<LocalizedTextInput> for text::LocalizedText {
    fn from(t: LocalizedTextInput) -> Self {
        Self { zh: t.zh.unwrap_or_else(|| t.en.clone()), en: t.en }
    }
}
