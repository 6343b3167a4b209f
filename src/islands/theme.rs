//! Light, dark, or the system's preference.

use crate::dom::{all, around, document};
use js_sys::Reflect;
use leptos::prelude::*;
use std::str::FromStr;
use wasm_bindgen::JsCast;
use web_sys::Element;

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

    /// Value of `<html data-theme>`; without it the system decides.
    pub const fn attribute(self) -> Option<&'static str> {
        match self {
            ThemePreference::System => None,
            chosen => Some(chosen.as_str()),
        }
    }

    /// Browser only: changes the page at once and stores the choice in the cookie.
    fn apply(self) {
        let Some(document) = document() else { return };
        let Some(html) = document.document_element() else { return };
        // Neither can fail: the attribute's name is valid, and browsers ignore a refused cookie.
        let _ = match self.attribute() {
            Some(theme) => html.set_attribute("data-theme", theme),
            None => html.remove_attribute("data-theme"),
        };
        let age = if self == ThemePreference::System { 0 } else { 365 * 24 * 3600 };
        let cookie = format!("theme={}; Path=/; Max-Age={age}; SameSite=Lax", self.as_str());
        let _ = Reflect::set(&document, &"cookie".into(), &cookie.into());
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

/// Changes the theme at once when one of the form's buttons, each named by a theme, is pressed.
/// Without this code the form is submitted.
#[island]
pub fn ThemeButtons(children: Children) -> impl IntoView {
    let press = |event: leptos::ev::MouseEvent| {
        let Some(button) = around(&event, "button[name=theme]") else { return };
        let Some(theme) = button.get_attribute("value").and_then(|name| name.parse::<ThemePreference>().ok()) else { return };
        event.prevent_default();
        theme.apply();
        let Some(form) = event.current_target().and_then(|form| form.dyn_into::<Element>().ok()) else { return };
        for one in all(&form, "button[name=theme]") {
            let pressed = if one == button { "true" } else { "false" };
            let _ = one.set_attribute("aria-pressed", pressed);
        }
    };
    view! { <div class="contents" on:click=press>{children()}</div> }
}
