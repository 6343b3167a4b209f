//! Light, dark or system: a form that sets a cookie; with JavaScript the page changes at once.

use super::{Glyph, Icon};
use crate::{
    app::{ThemePreference, address::address, language},
    text::navigation as words,
};
use apex_islands::ThemeButtons;
use leptos::prelude::*;

/// Three buttons, one of them pressed.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let chosen = use_context::<ThemePreference>().unwrap_or_default();
    let (language, here) = (language(), address().here);
    let button = move |theme: ThemePreference| {
        let (glyph, title) = match theme {
            ThemePreference::System => (Glyph::System, words::theme_system(language)),
            ThemePreference::Light => (Glyph::Sun, words::theme_light(language)),
            ThemePreference::Dark => (Glyph::Moon, words::theme_dark(language)),
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
            <form class="theme-switch" method="post" action="/theme" aria-label=words::theme(language)>
                <input type="hidden" name="next" value=here />
                {ThemePreference::ALL.map(button).collect_view()}
            </form>
        </ThemeButtons>
    }
}
