//! Page for unknown URLs.

use crate::app::{Page, components::brand::Brand, local_path::HOME, status::set_status};
use leptos::prelude::*;

/// Shows the error, and a link back.
pub fn not_found_page() -> Page {
    set_status(404);
    let content = view! {
        <main class="alone">
            <section class="blank">
                <Brand />
                <h1>"This page doesn’t exist"</h1>
                <p>"The address may be mistyped, or the page may have moved."</p>
                <a class="button primary" href=HOME>"Go to your usage"</a>
            </section>
        </main>
    };
    Page::new("Page not found", content)
}
