//! Placeholder for an empty list.

use super::{Glyph, Icon};
use leptos::prelude::*;

/// A title, a sentence, and a link.
pub type Said = (&'static str, &'static str, Option<(String, &'static str)>);

/// A page beyond the list's end; `last`: URL of the last page.
pub fn past_the_end(last: String) -> Said {
    ("This page is past the end", "The list is shorter than that.", Some((last, "Go to the last page")))
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
