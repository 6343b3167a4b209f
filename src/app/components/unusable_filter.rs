//! An invalid filter, explained by name.

use super::{Glyph, Icon, filter_form::FILTER_PROBLEM};
use leptos::prelude::*;

/// `field`: the filter, as the beginning of the sentence that `detail` ends; `clear`: URL of the
/// list without filters.
#[component]
pub fn UnusableFilter(
    field: &'static str,
    detail: String,
    clear: String,
    #[prop(default = "Clear the filters")] link: &'static str,
) -> impl IntoView {
    view! {
        <p id=FILTER_PROBLEM class="notice tone-danger" role="alert">
            <Icon glyph=Glyph::Over />
            <span>{field} {detail} ". " <a href=clear>{link}</a></span>
        </p>
    }
}
