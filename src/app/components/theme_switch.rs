//! Light, dark or system: a form that sets a cookie; with JavaScript the page changes at once.

use super::{Glyph, Icon};
use crate::app::theme::ThemePreference;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// Three buttons, one of them pressed.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let chosen = RwSignal::new(ThemePreference::of_page());
    let location = use_location();
    let here = move || {
        let search = location.search.get();
        let path = location.pathname.get();
        if search.is_empty() { path } else { format!("{path}?{search}") }
    };
    let button = move |theme: ThemePreference| {
        let glyph = match theme {
            ThemePreference::System => Glyph::System,
            ThemePreference::Light => Glyph::Sun,
            ThemePreference::Dark => Glyph::Moon,
        };
        view! {
            <button
                name="theme"
                value=theme.as_str()
                aria-pressed=move || if chosen.get() == theme { "true" } else { "false" }
                on:click=move |event| {
                    event.prevent_default();
                    theme.apply();
                    chosen.set(theme);
                }
            >
                <Icon glyph />
                <span>{theme.title()}</span>
            </button>
        }
    };
    view! {
        <form class="theme-switch" method="post" action="/theme" aria-label="Theme">
            <input type="hidden" name="next" value=here />
            {ThemePreference::ALL.map(button).collect_view()}
        </form>
    }
}
