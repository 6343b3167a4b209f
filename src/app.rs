//! The console: shell, routes, pages, components. Leptos only, for both targets.
//!
//! Every page is complete in the server's HTML ([`SsrMode::Async`]) and works without JavaScript;
//! hydration adds comfort. Rendering uses no clock or time zone, so that server and browser render
//! the same page.

pub mod alert_form;
pub mod calls;
pub mod clock;
pub mod components;
pub mod filters;
pub mod form_result;
pub mod json_text;
pub mod local_path;
pub mod pages;
pub mod shell;
pub mod status;
pub mod theme;
pub mod usage_comparison;
pub mod usage_summary;

use crate::domain::{PRODUCT, language::Language};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Redirect, Route, Router, Routes},
    path,
};
use pages::{
    account::AccountPage, audit::AuditPage, console::Console, customers::CustomersPage, features::FeaturesPage, invoice::InvoicePage,
    invoices::InvoicesPage, login::LoginPage, not_found::NotFoundPage, reconciliation::ReconciliationRunPage,
    reconciliations::ReconciliationsPage, settings::SettingsPage, usage::UsagePage, webhook::WebhookPage, webhooks::WebhooksPage,
};

pub use shell::shell;
pub use status::SetStatus;
pub use theme::ThemePreference;

/// The language of the page that is rendered. The request's context has it.
pub fn language() -> Language {
    use_context().unwrap_or_default()
}

/// The document's title with a page's. leptos_meta 0.8.7 doesn't escape `<title>` in the server's
/// HTML, so external text is escaped here; in the browser it is set as text.
fn document_title(page: String) -> String {
    let title = if page.is_empty() { PRODUCT.to_owned() } else { format!("{page} · {PRODUCT}") };
    if cfg!(feature = "ssr") { escaped(&title) } else { title }
}

/// Escapes text for an HTML element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Everything inside `<body>`.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=document_title />
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/") view=|| view! { <Redirect path="/billing/usage" /> } />
                <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async />
                <ParentRoute path=path!("/billing") view=Console ssr=SsrMode::Async>
                    <Route path=path!("") view=|| view! { <Redirect path="/billing/usage" /> } />
                    <Route path=path!("usage") view=UsagePage ssr=SsrMode::Async />
                    <Route path=path!("invoices") view=InvoicesPage ssr=SsrMode::Async />
                    <Route path=path!("invoices/:id") view=InvoicePage ssr=SsrMode::Async />
                    <Route path=path!("settings") view=SettingsPage ssr=SsrMode::Async />
                </ParentRoute>
                <ParentRoute path=path!("/account") view=Console ssr=SsrMode::Async>
                    <Route path=path!("") view=AccountPage ssr=SsrMode::Async />
                </ParentRoute>
                <ParentRoute path=path!("/admin") view=Console ssr=SsrMode::Async>
                    <Route path=path!("") view=|| view! { <Redirect path="/admin/webhooks" /> } />
                    <Route path=path!("reconciliation") view=ReconciliationsPage ssr=SsrMode::Async />
                    <Route path=path!("reconciliation/:id") view=ReconciliationRunPage ssr=SsrMode::Async />
                    <Route path=path!("audit") view=AuditPage ssr=SsrMode::Async />
                    <Route path=path!("customers") view=CustomersPage ssr=SsrMode::Async />
                    <Route path=path!("features") view=FeaturesPage ssr=SsrMode::Async />
                    <Route path=path!("webhooks") view=WebhooksPage ssr=SsrMode::Async />
                    <Route path=path!("webhooks/:id") view=WebhookPage ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
