//! Navigation: the brand, the sections, the account.

use super::{Glyph, Icon, account_menu::AccountMenu, brand::Brand};
use crate::{
    app::{
        address::address,
        language,
        local_path::{AUDIT, CUSTOMERS, FEATURES, RECONCILIATION, SETTINGS, WEBHOOKS},
    },
    domain::identity::Viewer,
    text::navigation as words,
};
use leptos::prelude::*;

/// A bar at the top of small screens, a column on large ones.
#[component]
pub fn Navigation(billing: bool, viewer: Option<Viewer>) -> impl IntoView {
    let language = language();
    let staff = viewer.as_ref().is_some_and(|viewer| viewer.role.is_staff());
    let billing_links = billing.then(|| {
        view! {
            <li class="sections-title" aria-hidden="true">{words::billing(language)}</li>
            {section("/billing/usage", Glyph::Usage, words::usage(language))}
            {section("/billing/invoices", Glyph::Invoice, words::invoices(language))}
            {section(SETTINGS, Glyph::Settings, words::settings(language))}
        }
    });
    let staff_links = staff.then(|| {
        view! {
            <li class="sections-title" aria-hidden="true">{words::staff(language)}</li>
            {section(CUSTOMERS, Glyph::Customers, words::customers(language))}
            {section(RECONCILIATION, Glyph::Check, words::reconciliation(language))}
            {section(WEBHOOKS, Glyph::Inbox, words::webhooks(language))}
            {section(AUDIT, Glyph::Trail, words::audit(language))}
            {section(FEATURES, Glyph::Switch, words::features(language))}
        }
    });
    // One list, so that it stays one row on small screens.
    let sections = (billing || staff)
        .then(|| view! { <nav class="sections" aria-label=words::sections(language)><ul>{billing_links} {staff_links}</ul></nav> });
    view! {
        <header class="navigation">
            <a class="brand-link" href="/billing/usage"><Brand /></a>
            {sections}
            {viewer.map(|viewer| view! { <AccountMenu viewer /> })}
        </header>
    }
}

/// A link that is marked on its section's pages.
fn section(href: &'static str, glyph: Glyph, title: &'static str) -> impl IntoView {
    let is_current = address().path.strip_prefix(href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    view! {
        <li>
            <a href=href aria-current=is_current.then_some("page")>
                <Icon glyph />
                <span>{title}</span>
            </a>
        </li>
    }
}
