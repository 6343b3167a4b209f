//! Replaces billing pages while billing is off.

use crate::app::{
    components::{Glyph, Icon},
    status::set_status,
};
use leptos::prelude::*;
use leptos_meta::Title;

/// A calm message: nothing is lost, and billing will be back.
#[component]
pub fn PausedPage() -> impl IntoView {
    set_status(503);
    view! {
        <Title text="Billing is paused" />
        <section class="blank">
            <Icon glyph=Glyph::Pause />
            <h1>"Billing is paused"</h1>
            <p>"Usage and invoices can’t be shown just now. Nothing is lost: usage and payments continue to be recorded, and everything will be here when billing is back."</p>
            <p>"There’s nothing you need to do. Try again in a few minutes."</p>
            <a class="button" href="/billing/usage" rel="external">"Try again"</a>
        </section>
    }
}
