//! Light, dark, or the system's preference.

use leptos::{prelude::*, web_sys::js_sys::Reflect};
use std::str::FromStr;

/// The user's choice, stored in the cookie `theme` for a year. The server provides it per request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemePreference {
    #[default]
    System,
    Light,
    Dark,
}

impl ThemePreference {
    pub const ALL: [ThemePreference; 3] = [ThemePreference::System, ThemePreference::Light, ThemePreference::Dark];

    /// As in the form and the cookie.
    pub const fn as_str(self) -> &'static str {
        match self {
            ThemePreference::System => "system",
            ThemePreference::Light => "light",
            ThemePreference::Dark => "dark",
        }
    }

    /// Display name.
    pub const fn title(self) -> &'static str {
        match self {
            ThemePreference::System => "System",
            ThemePreference::Light => "Light",
            ThemePreference::Dark => "Dark",
        }
    }

    /// Value of `<html data-theme>`; without it the system decides.
    pub const fn attribute(self) -> Option<&'static str> {
        match self {
            ThemePreference::System => None,
            chosen => Some(chosen.as_str()),
        }
    }

    /// The preference of this page: the request's on the server, the document's in the browser.
    pub fn of_page() -> ThemePreference {
        if is_browser() {
            let shown = document().document_element().and_then(|html| html.get_attribute("data-theme"));
            shown.and_then(|theme| theme.parse().ok()).unwrap_or_default()
        } else {
            use_context().unwrap_or_default()
        }
    }

    /// Browser only: changes the page at once and stores the choice in the cookie.
    pub fn apply(self) {
        let Some(html) = document().document_element() else { return };
        // Neither can fail: the attribute's name is valid, and browsers ignore a refused cookie.
        let _ = match self.attribute() {
            Some(theme) => html.set_attribute("data-theme", theme),
            None => html.remove_attribute("data-theme"),
        };
        let age = if self == ThemePreference::System { 0 } else { 365 * 24 * 3600 };
        let cookie = format!("theme={}; Path=/; Max-Age={age}; SameSite=Lax", self.as_str());
        let _ = Reflect::set(&document(), &"cookie".into(), &cookie.into());
    }
}

impl FromStr for ThemePreference {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        ThemePreference::ALL
            .into_iter()
            .find(|theme| theme.as_str() == s)
            .ok_or_else(|| format!("`{s}` is not a theme; it is one of system, light, dark"))
    }
}
