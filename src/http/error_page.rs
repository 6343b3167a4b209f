//! Error pages: a browser that navigates gets an HTML page, also if the API or a layer responds
//! with a problem.

use super::{language, page::theme_cookie, problem, request::is_form, request_log::RequestId, session, state::Server};
use crate::{
    app::{
        ThemePreference,
        calls::problem::ProblemJson,
        components::problem_page,
        local_path::{HOME, local_path, login_path, next_path},
        pages::login::SESSION_EXPIRED,
        shell::{self, Scripts},
    },
    domain::language::Language,
};
use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use leptos::{prelude::*, server_fn::ContentType};

/// Renders problems as pages, and redirects an unauthenticated navigation to the login.
pub async fn render_errors(State(server): State<Server>, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    if is_api && !is_navigation(request.method(), request.headers(), route.as_deref()) {
        return next.run(request).await;
    }
    let id = request.extensions().get::<RequestId>().map(|id| id.0.to_string());
    let (parts, body) = request.into_parts();
    let theme = theme_cookie(&parts).unwrap_or(ThemePreference::System);
    let back = page_to_return_to(&parts.headers, server.platform.config.public_url.origin());
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    let own = parts.uri.path_and_query().map_or("/", |at| at.as_str()).to_owned();
    let headers = parts.headers.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    let (status, content_type) = (response.status(), response.headers().get(header::CONTENT_TYPE));
    let is_problem = content_type.is_none_or(|value| value == ProblemJson::CONTENT_TYPE);
    if !(status.is_client_error() || status.is_server_error()) || !is_problem {
        return response;
    }
    if status == StatusCode::UNAUTHORIZED {
        let wanted = back.as_deref().unwrap_or(if is_read { &own } else { HOME });
        let mut redirect = to_login(&headers, wanted);
        *redirect.extensions_mut() = response.extensions().clone();
        return redirect;
    }
    let language = response.extensions().get().copied().unwrap_or_else(|| language::of(&headers, None));
    let (mut parts, body) = response.into_parts();
    let mut problem = problem::of_response(parts.status, body).await;
    problem.request_id = id;
    // A retry link only helps if a retry may succeed.
    let may_pass = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    let again = match &back {
        Some(page) => page.clone(),
        None if is_read && may_pass => local_path(&own).unwrap_or(HOME).to_owned(),
        None => HOME.to_owned(),
    };
    let page = Owner::new().with(|| {
        provide_context::<Language>(language);
        shell::document(&server.assets, theme, problem_page(problem, &own, again), Scripts::None)
    });
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_DISPOSITION);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if parts.status == StatusCode::SERVICE_UNAVAILABLE && !parts.headers.contains_key(header::RETRY_AFTER) {
        parts.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    }
    Response::from_parts(parts, Body::from(page))
}

/// Redirects to the login, which then redirects to `wanted`, one of our paths. Shows the reason if
/// the browser has the cookie of an ended session.
pub fn to_login(headers: &HeaderMap, wanted: &str) -> Response {
    let why = if session::brings_session(headers) { format!("&error={SESSION_EXPIRED}") } else { String::new() };
    Redirect::to(&format!("{}{why}", login_path(next_path(wanted)))).into_response()
}

/// Whether a browser navigates to this API path: by Fetch Metadata or, without it, if it accepts
/// HTML and requests a download or submits a form. A client with an API key never navigates.
fn is_navigation(method: &Method, headers: &HeaderMap, route: Option<&str>) -> bool {
    if headers.contains_key(header::AUTHORIZATION) {
        return false;
    }
    if let Some(mode) = headers.get("sec-fetch-mode") {
        return mode == "navigate";
    }
    let accepts_html = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("text/html"));
    let is_download = matches!(*method, Method::GET | Method::HEAD) && route.is_some_and(is_download);
    accepts_html && (is_download || (*method == Method::POST && is_form(headers)))
}

/// Whether the route, as registered in the router, responds with a file.
fn is_download(route: &str) -> bool {
    route.rsplit(['/', '.']).next().is_some_and(|kind| matches!(kind, "pdf" | "csv" | "xml" | "zip"))
}

/// Our page from which the browser comes, for a link back.
fn page_to_return_to(headers: &HeaderMap, our_origin: &str) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let page = local_path(referer.strip_prefix(our_origin)?)?;
    let is_page = !page.starts_with("/api/") && !page.starts_with("/login");
    is_page.then(|| page.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_browsers_navigate() {
        let pdf = Some("/api/v1/billing/invoices/{id}/pdf");
        let form = [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")];
        assert!(is_navigation(&Method::GET, &headers(&[("sec-fetch-mode", "navigate")]), None));
        assert!(is_navigation(&Method::GET, &headers(&[("accept", "text/html,*/*")]), pdf));
        assert!(is_navigation(&Method::GET, &headers(&[("accept", "text/html")]), Some("/api/v1/billing/invoices.csv")));
        assert!(is_navigation(&Method::POST, &headers(&form), Some("/api/v1/billing/portal")));
        assert!(!is_navigation(&Method::GET, &headers(&[("accept", "text/html"), ("sec-fetch-mode", "cors")]), pdf));
        assert!(!is_navigation(&Method::GET, &headers(&[("accept", "text/html"), ("authorization", "Bearer x")]), pdf));
        assert!(!is_navigation(&Method::GET, &headers(&[("accept", "text/html")]), Some("/api/v1/billing/invoices")));
        assert!(!is_navigation(&Method::GET, &headers(&[("accept", "*/*")]), pdf));
        assert!(!is_navigation(&Method::POST, &headers(&[("accept", "text/html"), ("content-type", "application/json")]), None));
    }

    #[test]
    fn links_back_lead_to_our_pages_only() {
        let of = |referer: &'static str| page_to_return_to(&headers(&[("referer", referer)]), "https://billing.example.com");
        assert_eq!(of("https://billing.example.com/billing/invoices?page=2").as_deref(), Some("/billing/invoices?page=2"));
        for referer in [
            "https://evil.example/billing",
            "https://billing.example.com.evil.example/",
            "https://billing.example.com//evil.example",
            "https://billing.example.com/login",
            "https://billing.example.com/api/v1/auth/me",
            "https://billing.example.com",
            "",
        ] {
            assert_eq!(of(referer), None, "{referer}");
        }
    }
}
