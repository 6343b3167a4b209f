//! Placeholder for an empty list.

use super::{Glyph, Icon};
use crate::{app::language, text::common as words};
use leptos::prelude::*;

/// A title, a sentence, and a link.
pub type Said = (&'static str, &'static str, Option<(String, &'static str)>);

/// A page beyond the list's end; `last`: URL of the last page.
pub fn past_the_end(title: &'static str, last: String) -> Said {
    let language = language();
    (title, words::fewer_pages(language), Some((last, words::last_page(language))))
}

/// In place of a list, with the list's icon.
#[component]
pub fn Blank(glyph: Glyph, said: Said) -> impl IntoView {
    let (title, text, link) = said;
    view! {
        <section class="blank">
            <Icon glyph />
            <h2>{title}</h2>
            <p>{text}</p>
            {link.map(|(href, text)| view! { <a class="button" href=href>{text}</a> })}
        </section>
    }
}
