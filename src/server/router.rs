//! All paths, and the layers in front of them.

use super::pages;
use crate::{
    api,
    app::{
        form_result::Outcome,
        local_path::{ACCOUNT, HOME, WEBHOOKS},
        pages::not_found::{not_found_in_console, not_found_page},
    },
    auth::Principal,
    domain::{error_code::ErrorCode, features::Feature},
    guard,
    http::{
        audit_refusals, canonical_path, client, compression, conditional, cross_site, drain_body, error_page, language,
        page::{self, provide_call_context},
        problem::{self, ApiError},
        request::DEFAULT_BODY_BYTES,
        request_log, security_headers, session,
        state::Server,
        static_files::{self, NamedFiles},
        unsaved,
    },
    service::{Error, features},
    store::postgres::sessions::PostgresSessions,
};
use axum::{
    Extension, Router,
    body::{Body, HttpBody as _},
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use leptos::server_fn::axum::server_fn_paths;
use percent_encoding::percent_decode_str;
use std::time::Duration;
use tower::ServiceBuilder;
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite};

/// The public router: console, API and webhooks.
pub fn router(server: Server) -> Router {
    let config = server.platform.config.clone();
    let limits = &config.file.limits;
    let is_https = config.public_url.is_https();
    let files = static_files::serve_dir(&config.leptos).fallback(get(not_found).with_state(server.clone()));
    let sessions = SessionManagerLayer::new(PostgresSessions::new(server.platform.db.clone()))
        .with_name(session::cookie_name(is_https))
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_secure(is_https)
        .with_expiry(Expiry::OnInactivity(time::Duration::minutes(config.file.sessions.idle_minutes)));

    let trusted_proxies: client::TrustedProxies = config.trusted_proxies.clone().into();
    let layers = ServiceBuilder::new()
        .layer(middleware::from_fn_with_state(trusted_proxies, client::locate))
        .layer(middleware::from_fn(move |request, next| security_headers::protect(is_https, request, next)))
        .layer(middleware::from_fn(drain_body::drain_rejected))
        .layer(middleware::from_fn(move |request, next| compression::negotiate(is_https, request, next)))
        .layer(compression::layer())
        .layer(middleware::from_fn(request_log::log))
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")))
        .layer(middleware::from_fn_with_state(server.clone(), audit_refusals::audit))
        .layer(middleware::from_fn_with_state(server.clone(), error_page::render_errors))
        .layer(middleware::from_fn(problem::complete))
        .layer(middleware::from_fn(canonical_path::require))
        .layer(CatchPanicLayer::custom(|_| problem::respond(&Error::Internal(anyhow::anyhow!("a handler panicked")).into())))
        .layer(middleware::from_fn_with_state(NamedFiles::new(&config.leptos), static_files::serve_named))
        .layer(middleware::from_fn_with_state(limits.webhook_body_bytes, refuse_what_is_announced))
        .layer(middleware::from_fn_with_state(limits.request_timeout(), limit_time))
        .layer(middleware::from_fn_with_state(server.clone(), cross_site::check))
        .layer(middleware::from_fn_with_state(server.clone(), session::accept_plain_name))
        .layer(sessions)
        .layer(middleware::from_fn_with_state(server.clone(), session::identify))
        .layer(middleware::from_fn(language::choose))
        .layer(middleware::from_fn(cache_nothing_personal))
        .layer(middleware::from_fn_with_state(server.clone(), admit))
        .layer(middleware::from_fn(conditional::answer))
        .layer(DefaultBodyLimit::max(DEFAULT_BODY_BYTES))
        // For layers of routes, which are made without the server.
        .layer(Extension(server.clone()));
    let api: Router<Server> = api::router().into();
    api.merge(api::forms())
        // API clients don't request pages.
        .route("/api", any(unknown))
        .route("/api/{*rest}", any(unknown))
        .merge(server_functions(&server))
        .merge(pages::routes())
        .fallback_service(ServiceBuilder::new().map_response(static_files::cached_briefly).service(files))
        // All in one: each separate layer would clone the layers within it per request.
        .layer(layers)
        .with_state(server)
}

/// Path of the request that may take as long as the comparison does.
const RECONCILE: &str = "/api/v1/billing/reconcile";

/// Path of the request that sets its own body limit, which depends on the caller.
const INGEST: &str = "/api/v1/usage/events";
const WEBHOOK: &str = "/api/v1/webhooks/stripe";

/// Rejects a body at once if its Content-Length is too large.
async fn refuse_what_is_announced(State(webhook_bytes): State<usize>, request: Request, next: Next) -> Response {
    let limit = match request.uri().path() {
        INGEST => usize::MAX,
        WEBHOOK => webhook_bytes,
        _ => DEFAULT_BODY_BYTES,
    };
    if request.body().size_hint().lower() > limit as u64 {
        return ApiError(Error::TooLarge { limit }).into_response();
    }
    next.run(request).await
}

/// A reconciliation and its repairs have their own time limits.
fn has_its_own_time(path: &str) -> bool {
    path == RECONCILE || (path.starts_with("/api/v1/admin/reconciliations/") && path.ends_with("/repair"))
}

/// Responds for a request that times out.
async fn limit_time(State(longest): State<Duration>, request: Request, next: Next) -> Response {
    if has_its_own_time(request.uri().path()) {
        return next.run(request).await;
    }
    match tokio::time::timeout(longest, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The API's server functions.
fn server_functions(server: &Server) -> Router<Server> {
    server_fn_paths().fold(Router::new(), |router, (path, method)| {
        let server = server.clone();
        let handler = move |request: Request<Body>| {
            let server = server.clone();
            leptos_axum::handle_server_fns_with_context(move || provide_call_context(&server), request)
        };
        router.route(path, if method == Method::GET { get(handler) } else { post(handler) })
    })
}

async fn not_found(State(server): State<Server>, parts: Parts) -> Response {
    // Not for a file that is missing.
    let is_page = !parts.uri.path().rsplit('/').next().is_some_and(|name| name.contains('.'));
    if is_page && parts.extensions.get::<Principal>().is_some() {
        return page::in_console(&server, parts, Outcome::default(), async { not_found_in_console() }).await;
    }
    page::alone(&server, parts, async { not_found_page() }).await
}

async fn unknown() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// Private content must not be cached: the next user of the browser finds nothing with the Back
/// button (RFC 9111, section 5.2.2.5). Responses with their own policy, such as a PDF with its tag,
/// are unchanged, and so are scripts and styles, which are the same for all.
async fn cache_nothing_personal(request: Request, next: Next) -> Response {
    let is_personal = request.extensions().get::<Principal>().is_some();
    let mut response = next.run(request).await;
    let is_data = response.headers().get(header::CONTENT_TYPE).is_none_or(|value| {
        let value = value.as_bytes();
        [&b"text/html"[..], b"text/csv", b"application/json", b"application/problem+json"].iter().any(|kind| value.starts_with(kind))
    });
    if is_personal && is_data && !response.headers().contains_key(header::CACHE_CONTROL) {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Redirects users: to the login, to setting up a second factor, to a section's first page. The
/// guard decides what is permitted; while billing is off, its API refuses all requests.
async fn admit(State(server): State<Server>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if percent_decode_str(request.uri().query().unwrap_or_default()).decode_utf8().is_err() {
        return ApiError(Error::refused(ErrorCode::NotUtf8, "The query is not UTF-8. Encode it as UTF-8.")).into_response();
    }
    if path.starts_with("/api/v1/billing/")
        && let Err(off) = features::require(&server.platform, Feature::Billing)
    {
        return ApiError(off).into_response();
    }
    let principal = guard::principal_of(request.extensions());
    let within = |section: &str| path.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let is_page = path == "/" || within("/billing") || within("/admin") || within(ACCOUNT);
    match &principal {
        Ok(principal) if is_page && !within(ACCOUNT) && guard::lacks_second_factor(&server.platform, principal) => {
            return Redirect::to(ACCOUNT).into_response();
        }
        Err(Error::Unauthenticated) if is_page && request.method() == Method::POST => {
            return unsaved::to_login(request, server.platform.clock.now()).await;
        }
        Err(Error::Unauthenticated) if is_page => {
            let wanted = request.uri().path_and_query().map_or(HOME, |at| at.as_str());
            return error_page::to_login(request.headers(), wanted);
        }
        _ => {}
    }
    match principal {
        Err(error) if is_page => return ApiError(error).into_response(),
        Ok(_) if path == "/login" => return Redirect::to(HOME).into_response(),
        _ => {}
    }
    if path == "/" || path == "/billing" {
        return Redirect::to(HOME).into_response();
    }
    if path == "/admin" {
        return Redirect::to(WEBHOOKS).into_response();
    }
    next.run(request).await
}
