//! Navigation: the brand, the sections, the account.

use super::{Glyph, Icon, account_menu::AccountMenu, brand::Brand};
use crate::{
    app::local_path::{AUDIT, CUSTOMERS, FEATURES, RECONCILIATION, SETTINGS, WEBHOOKS},
    domain::identity::Viewer,
};
use leptos::prelude::*;
use leptos_router::components::A;

/// A bar at the top of small screens, a column on large ones.
#[component]
pub fn Navigation(billing: bool, viewer: Option<Viewer>) -> impl IntoView {
    let staff = viewer.as_ref().is_some_and(|viewer| viewer.role.is_staff());
    let billing_links = billing.then(|| {
        view! {
            <li class="sections-title" aria-hidden="true">"Billing"</li>
            <li><A href="/billing/usage"><Icon glyph=Glyph::Usage /><span>"Usage"</span></A></li>
            <li><A href="/billing/invoices"><Icon glyph=Glyph::Invoice /><span>"Invoices"</span></A></li>
            <li><A href=SETTINGS><Icon glyph=Glyph::Settings /><span>"Settings"</span></A></li>
        }
    });
    let staff_links = staff.then(|| {
        view! {
            <li class="sections-title" aria-hidden="true">"Staff"</li>
            <li><A href=CUSTOMERS><Icon glyph=Glyph::Customers /><span>"Customers"</span></A></li>
            <li><A href=RECONCILIATION><Icon glyph=Glyph::Check /><span>"Reconciliation"</span></A></li>
            <li><A href=WEBHOOKS><Icon glyph=Glyph::Inbox /><span>"Webhooks"</span></A></li>
            <li><A href=AUDIT><Icon glyph=Glyph::Trail /><span>"Audit"</span></A></li>
            <li><A href=FEATURES><Icon glyph=Glyph::Switch /><span>"Features"</span></A></li>
        }
    });
    // One list, so that it stays one row on small screens.
    let sections =
        (billing || staff).then(|| view! { <nav class="sections" aria-label="Sections"><ul>{billing_links} {staff_links}</ul></nav> });
    view! {
        <header class="navigation">
            <a class="brand-link" href="/billing/usage"><Brand /></a>
            {sections}
            {viewer.map(|viewer| view! { <AccountMenu viewer /> })}
        </header>
    }
}
