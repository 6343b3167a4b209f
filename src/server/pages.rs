//! The console's pages and their contents that stay current.

use crate::{
    app::{
        Page,
        form_result::Outcome,
        local_path::{ACCOUNT, AUDIT, CUSTOMERS, FEATURES, HOME, INVOICES, RECONCILIATION, SETTINGS, WEBHOOKS},
        pages::{
            account, audit, customers, features, invoice, invoices, login, reconciliation, reconciliations, settings, usage, webhook,
            webhooks,
        },
    },
    http::{extract::Path, page, state::Server, unsaved},
};
use axum::{
    Router,
    extract::State,
    http::{header, request::Parts},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use leptos::prelude::AnyView;
use std::future::Future;

/// Every page, and below `/live` what its island fetches.
pub fn routes() -> Router<Server> {
    Router::new()
        .route("/login", get(async |State(server): State<Server>, parts: Parts| page::alone(&server, parts, async { login::page() }).await))
        .route(HOME, console(usage::page))
        .route(INVOICES, console(invoices::page))
        .route(&format!("{INVOICES}/{{id}}"), console_of(invoice::page))
        .route(SETTINGS, get(settings_page))
        .route(ACCOUNT, console(account::page))
        .route(RECONCILIATION, console(reconciliations::page))
        .route(&format!("{RECONCILIATION}/{{id}}"), console_of(reconciliation::page))
        .route(AUDIT, console(audit::page))
        .route(CUSTOMERS, console(customers::page))
        .route(FEATURES, console(features::page))
        .route(WEBHOOKS, console(webhooks::page))
        .route(&format!("{WEBHOOKS}/{{id}}"), console_of(webhook::page))
        .route("/speculation-rules.json", get(speculation_rules))
        .route(&format!("/live{HOME}"), live(usage::live))
        .route(&format!("/live{WEBHOOKS}"), live(webhooks::live))
        .route(&format!("/live{RECONCILIATION}/{{id}}"), live_of(reconciliation::live))
}

/// The settings, with input that was typed before the session ended.
async fn settings_page(State(server): State<Server>, parts: Parts) -> Response {
    let unsaved = unsaved::shown(&parts.extensions, server.platform.clock.now()).await;
    page::in_console(&server, parts, Outcome { unsaved, ..Outcome::default() }, settings::page()).await
}

/// Which links browsers prefetch: the console's pages, which `GET` never changes.
async fn speculation_rules() -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "application/speculationrules+json"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, include_str!("speculation.json"))
}

fn console<F, P>(page: F) -> MethodRouter<Server>
where
    F: Fn() -> P + Clone + Send + Sync + 'static,
    P: Future<Output = Page> + Send,
{
    get(async move |State(server): State<Server>, parts: Parts| page::in_console(&server, parts, Default::default(), page()).await)
}

/// A page of one object.
fn console_of<F, P>(page: F) -> MethodRouter<Server>
where
    F: Fn(String) -> P + Clone + Send + Sync + 'static,
    P: Future<Output = Page> + Send,
{
    get(async move |State(server): State<Server>, Path(id): Path<String>, parts: Parts| {
        page::in_console(&server, parts, Default::default(), page(id)).await
    })
}

fn live<F, P>(content: F) -> MethodRouter<Server>
where
    F: Fn() -> P + Clone + Send + Sync + 'static,
    P: Future<Output = AnyView> + Send,
{
    get(async move |State(server): State<Server>, parts: Parts| page::live(&server, parts, content()).await)
}

fn live_of<F, P>(content: F) -> MethodRouter<Server>
where
    F: Fn(String) -> P + Clone + Send + Sync + 'static,
    P: Future<Output = AnyView> + Send,
{
    get(async move |State(server): State<Server>, Path(id): Path<String>, parts: Parts| page::live(&server, parts, content(id)).await)
}
