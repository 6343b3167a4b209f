//! Renders pages from handlers: their context, and the page as the response to its own form.

use super::{login_email, security_headers, state::Server};
use crate::app::{SetStatus, ThemePreference, form_result::Outcome, shell};
use axum::{
    body::Body,
    extract::{FromRequestParts, Request},
    http::{Method, StatusCode, header, request::Parts},
    response::Response,
};
use leptos::{
    nonce::use_nonce,
    prelude::{provide_context, use_context},
};
use leptos_axum::ResponseOptions;
use std::{convert::Infallible, sync::Arc};

/// Renders the page at its form's path, with the form's result.
pub async fn page_after(server: &Server, parts: Parts, outcome: Outcome) -> Response {
    let options = server.platform.config.leptos.clone();
    let context = {
        let server = server.clone();
        move || {
            provide_page_context(&server);
            provide_context(outcome.clone());
        }
    };
    let render = leptos_axum::render_app_async_with_context(context, move || shell(options.clone()));
    let mut request = Request::from_parts(parts, Body::empty());
    *request.method_mut() = Method::GET;
    render(request).await
}

/// The context of pages and server functions.
pub fn provide_page_context(server: &Server) {
    provide_context(server.platform.clone());
    if let Some(options) = use_context::<ResponseOptions>() {
        if let Some(policy) = use_nonce().and_then(|nonce| security_headers::of_page(&nonce, &server.platform.config)) {
            options.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
        if let Some(email) = use_context::<Parts>().and_then(|parts| login_email::take(&parts, &options)) {
            provide_context(email);
        }
        provide_context(SetStatus(Arc::new(move |status| {
            if let Ok(status) = StatusCode::from_u16(status) {
                options.set_status(status);
            }
        })));
    }
    let theme = use_context::<Parts>().and_then(|parts| theme_cookie(&parts)).unwrap_or(ThemePreference::System);
    provide_context(theme);
}

impl<S: Sync> FromRequestParts<S> for ThemePreference {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<ThemePreference, Infallible> {
        Ok(theme_cookie(parts).unwrap_or_default())
    }
}

/// The colour scheme in the browser's cookie.
pub fn theme_cookie(parts: &Parts) -> Option<ThemePreference> {
    let cookies = parts.headers.get(header::COOKIE)?.to_str().ok()?;
    cookies.split(';').find_map(|pair| pair.trim().strip_prefix("theme=")?.parse().ok())
}
