//! The language of the console: a form that stores the choice, without a script.

use crate::{app::address::address, domain::language::Language, text::navigation as words};
use leptos::prelude::*;

/// A button for each language; `automatic` adds one that removes the choice. `chosen`: the pressed
/// button; None is the automatic one.
#[component]
pub fn LanguageSwitch(language: Language, chosen: Option<Language>, #[prop(optional)] automatic: bool) -> impl IntoView {
    let button = move |choice: Option<Language>| {
        let code = choice.map_or("", Language::code);
        let name = choice.map_or(words::language_automatic(language), Language::native_name);
        let lang = choice.map(Language::code);
        view! {
            <button name="language" value=code lang=lang aria-pressed=if choice == chosen { "true" } else { "false" }>
                {name}
            </button>
        }
    };
    let choices = automatic.then_some(None).into_iter().chain(Language::ALL.map(Some));
    view! {
        <form class="theme-switch" method="post" action="/language" aria-label=words::language(language)>
            <input type="hidden" name="next" value=address().here />
            {choices.map(button).collect_view()}
        </form>
    }
}
