//! Replaces billing pages while billing is off.

use crate::{
    app::{
        Page,
        components::{Glyph, Icon},
        language,
        local_path::HOME,
        status::set_status,
    },
    text::problems,
};
use leptos::prelude::*;

/// A calm message: nothing is lost, and billing will be back.
pub fn paused_page() -> Page {
    set_status(503);
    let language = language();
    let content = view! {
        <section class="blank">
            <Icon glyph=Glyph::Pause />
            <h1>{problems::paused(language)}</h1>
            <p>{problems::paused_text(language)}</p>
            <a class="button" href=HOME>{problems::try_again(language)}</a>
        </section>
    };
    Page::new(problems::paused(language), content)
}
