//! What stands where a list would: nothing is there to be shown.

use super::{Glyph, Icon};
use leptos::prelude::*;

/// A title, a sentence, and a link that leads on with its words.
pub type Said = (&'static str, &'static str, Option<(String, &'static str)>);

/// Somebody asked for a page that the list does not reach; `last`: where the last one is.
pub fn past_the_end(last: String) -> Said {
    ("This page is past the end", "The list is shorter than that.", Some((last, "Go to the last page")))
}

/// In the place of a list, with the sign of what it would list.
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
