//! The console: pages and components. Only the server renders it.
//!
//! A page is an async function: it loads its data by the server functions and returns a [`Page`].
//! What it needs of the request is in contexts that the server provides: [`address::Address`],
//! [`now::Now`], [`ThemePreference`]. Every page is complete in the server's HTML and works without
//! JavaScript; the islands of `apex-islands` add comfort.

pub mod address;
pub mod alert_form;
pub mod assets;
pub mod calls;
pub mod components;
pub mod filters;
pub mod form_result;
pub mod json_text;
pub mod local_path;
pub mod now;
pub mod pages;
pub mod shell;
pub mod status;
pub mod stripe_dashboard;
pub mod usage_comparison;
pub mod usage_summary;

use crate::domain::language::Language;
use leptos::prelude::{AnyView, IntoAny, IntoView, use_context};

pub use apex_islands::ThemePreference;
pub use status::SetStatus;

/// The language of the page that is rendered. The request's context has it.
pub fn language() -> Language {
    use_context().unwrap_or_default()
}

/// A rendered page: its title, without the product's name, and its content.
pub struct Page {
    pub title: String,
    pub content: AnyView,
}

impl Page {
    pub fn new(title: impl Into<String>, content: impl IntoView + 'static) -> Page {
        Page { title: title.into(), content: content.into_any() }
    }
}
