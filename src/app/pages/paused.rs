//! Replaces billing pages while billing is off.

use crate::app::{
    Page,
    components::{Glyph, Icon},
    status::set_status,
};
use leptos::prelude::*;

/// A calm message: nothing is lost, and billing will be back.
pub fn paused_page() -> Page {
    set_status(503);
    let content = view! {
        <section class="blank">
            <Icon glyph=Glyph::Pause />
            <h1>"Billing is paused"</h1>
            <p>"Usage and invoices can’t be shown just now. Nothing is lost: usage and payments continue to be recorded, and everything will be here when billing is back."</p>
            <p>"There’s nothing you need to do. Try again in a few minutes."</p>
            <a class="button" href="/billing/usage">"Try again"</a>
        </section>
    };
    Page::new("Billing is paused", content)
}
