//! Invalid parameters of a list that have no field in its form.

use super::{Glyph, Icon};
use crate::{app::language, text::common as words};
use leptos::prelude::*;

/// `clear`: URL of the list without filters.
#[component]
pub fn UnusableAddress(clear: String) -> impl IntoView {
    let language = language();
    view! {
        <p class="notice tone-danger" role="alert">
            <Icon glyph=Glyph::Over />
            <span>{words::invalid_address(language)} " " <a href=clear>{words::clear_filters(language)}</a></span>
        </p>
    }
}
