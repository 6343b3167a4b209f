//! Shows on every page that staff are viewing as a customer, and leads back.

use super::{Glyph, Icon};
use crate::domain::identity::Viewer;
use leptos::prelude::*;

/// At the top, so that staff don't mistake a customer's pages for their own.
#[component]
pub fn ViewingBanner(viewer: Viewer) -> impl IntoView {
    let name = viewer.customer.map(|customer| customer.name);
    // On one line a long name is shortened.
    let full = name.clone();
    view! {
        <aside class="viewing tone-warning" aria-label="Viewing as a customer">
            <Icon glyph=Glyph::Eye />
            <p title=full>"Viewing as " <b>{name}</b> ". Nothing can be changed."</p>
            <form method="post" action="/api/v1/admin/view-as/stop">
                <button class="button">"Stop viewing"</button>
            </form>
        </aside>
    }
}
