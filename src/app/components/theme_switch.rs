//! Light, dark or system: a form that sets a cookie; with JavaScript the page changes at once.

use super::{Glyph, Icon};
use crate::app::{ThemePreference, address::address};
use apex_islands::ThemeButtons;
use leptos::prelude::*;

/// Three buttons, one of them pressed.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let chosen = use_context::<ThemePreference>().unwrap_or_default();
    let here = address().here;
    let button = move |theme: ThemePreference| {
        let (glyph, title) = match theme {
            ThemePreference::System => (Glyph::System, "System"),
            ThemePreference::Light => (Glyph::Sun, "Light"),
            ThemePreference::Dark => (Glyph::Moon, "Dark"),
        };
        view! {
            <button name="theme" value=theme.as_str() aria-pressed=if theme == chosen { "true" } else { "false" }>
                <Icon glyph />
                <span>{title}</span>
            </button>
        }
    };
    view! {
        <ThemeButtons>
            <form class="theme-switch" method="post" action="/theme" aria-label="Theme">
                <input type="hidden" name="next" value=here />
                {ThemePreference::ALL.map(button).collect_view()}
            </form>
        </ThemeButtons>
    }
}
