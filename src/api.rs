//! REST handlers beyond server functions: path parameters, PDFs, webhooks, ingest, forms. They
//! translate HTTP and call `service`.

pub mod account;
pub mod audit;
pub mod auth;
pub mod features;
pub mod health;
pub mod invoices;
pub mod language;
pub mod openapi;
pub mod portal;
pub mod reconcile;
pub mod settings;
pub mod theme;
pub mod usage;
pub mod view_as;
pub mod webhooks;

use crate::{
    app::local_path::{ACCOUNT, FEATURES, SETTINGS},
    http::state::Server,
};
use axum::{Router, routing::post};
use utoipa_axum::router::OpenApiRouter;

/// Every path of the axum handlers, with its documentation. Leptos registers the server functions.
pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default()
        .merge(account::router())
        .merge(audit::router())
        .merge(auth::router())
        .merge(features::router())
        .merge(health::router())
        .merge(invoices::router())
        .merge(openapi::router())
        .merge(portal::router())
        .merge(reconcile::router())
        .merge(settings::router())
        .merge(usage::router())
        .merge(view_as::router())
        .merge(webhooks::router())
}

/// Targets of the pages' forms without JavaScript. The API excludes them.
pub fn forms() -> Router<Server> {
    Router::new()
        .route("/language", post(language::choose))
        .route("/theme", post(theme::choose))
        .route(ACCOUNT, post(account::submit))
        .route(FEATURES, post(features::submit))
        .route(SETTINGS, post(settings::submit))
}
