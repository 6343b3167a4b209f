//! The way around: the brand, the sections, the account.

use super::{Glyph, Icon, account_menu::AccountMenu, brand::Brand};
use crate::domain::identity::Viewer;
use leptos::prelude::*;
use leptos_router::components::A;

/// A bar on top of small screens, a column beside the page on large ones.
#[component]
pub fn Navigation(billing: bool, viewer: Option<Viewer>) -> impl IntoView {
    let sections = billing.then(|| {
        view! {
            <nav class="sections" aria-label="Billing">
                <p class="sections-title" aria-hidden="true">"Billing"</p>
                <ul>
                    <li><A href="/billing/usage"><Icon glyph=Glyph::Usage /><span>"Usage"</span></A></li>
                    <li><A href="/billing/invoices"><Icon glyph=Glyph::Invoice /><span>"Invoices"</span></A></li>
                </ul>
            </nav>
        }
    });
    view! {
        <header class="navigation">
            <a class="brand-link" href="/billing/usage"><Brand /></a>
            {sections}
            {viewer.map(|viewer| view! { <AccountMenu viewer /> })}
        </header>
    }
}
