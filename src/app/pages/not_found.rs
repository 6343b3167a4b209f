//! Page for unknown URLs.

use crate::{
    app::{
        Page,
        components::{Glyph, Icon, brand::Brand},
        language,
        local_path::HOME,
        status::set_status,
    },
    text::problems,
};
use leptos::prelude::*;

/// Shows the error, and a link back.
pub fn not_found_page() -> Page {
    set_status(404);
    let content = view! {
        <main class="alone">
            <section class="blank"><Brand /> {words()}</section>
        </main>
    };
    Page::new(problems::not_found(language()), content)
}

/// The same within the console, whose menu leads to all pages.
pub fn not_found_in_console() -> Page {
    set_status(404);
    let content = view! { <section class="blank"><Icon glyph=Glyph::Search /> {words()}</section> };
    Page::new(problems::not_found(language()), content)
}

fn words() -> impl IntoView {
    let language = language();
    view! {
        <h1>{problems::not_found(language)}</h1>
        <p>{problems::not_found_text(language)}</p>
        <a class="button primary" href=HOME>{problems::your_usage(language)}</a>
    }
}
