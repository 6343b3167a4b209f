//! Shows on every page that staff are viewing as a customer, and leads back.

use super::{Glyph, Icon};
use crate::{app::language, domain::identity::Viewer, text::navigation as words};
use leptos::prelude::*;

/// At the top, so that staff don't mistake a customer's pages for their own.
#[component]
pub fn ViewingBanner(viewer: Viewer) -> impl IntoView {
    let language = language();
    let name = viewer.customer.map(|customer| customer.name);
    // On one line a long name is shortened.
    let full = name.clone();
    view! {
        <aside class="viewing tone-warning" aria-label=words::viewing_as_customer(language)>
            <Icon glyph=Glyph::Eye />
            <p title=full>{words::viewing_before(language)} " " <b>{name}</b> ". " {words::viewing_after(language)}</p>
            <form method="post" action="/api/v1/admin/view-as/stop">
                <button class="button">{words::stop_viewing(language)}</button>
            </form>
        </aside>
    }
}
