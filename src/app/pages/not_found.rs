//! Page for unknown URLs.

use crate::app::{components::brand::Brand, local_path::HOME, status::set_status};
use leptos::prelude::*;
use leptos_meta::Title;

/// Shows the error, and a link back.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    set_status(404);
    view! {
        <Title text="Page not found" />
        <main class="alone">
            <section class="blank">
                <Brand />
                <h1>"This page doesn’t exist"</h1>
                <p>"The address may be mistyped, or the page may have moved."</p>
                <a class="button primary" href=HOME>"Go to your usage"</a>
            </section>
        </main>
    }
}
