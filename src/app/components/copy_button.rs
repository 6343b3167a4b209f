//! Copies a text that is shown beside it.

use crate::{app::language, text::common};
use leptos::prelude::*;

/// A button; only shown where the browser can copy, which requires JavaScript. `of`: what it
/// copies, for screen readers.
#[component]
pub fn CopyButton(#[prop(into)] text: String, #[prop(into)] of: String) -> impl IntoView {
    let language = language();
    view! {
        <span class="copy">
            <button type="button" class="button" data-copy=text>
                <span data-copy-label="" data-copied=common::copied(language)>{common::copy(language)}</span>
                <span class="visually-hidden">" " {of}</span>
            </button>
            <span class="visually-hidden" role="status" data-copy-status=""></span>
        </span>
    }
}
