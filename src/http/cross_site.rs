//! Requests that change something must come from our own pages, or not from a browser.
//!
//! tower-http 0.7 has a `csrf` layer; it differs in what it accepts. An `Origin` passes there when
//! its host is the request's `Host`, whatever the scheme, and a trusted origin passes even with
//! `Sec-Fetch-Site: cross-site`. Here `Sec-Fetch-Site` decides, and an `Origin` must be
//! `PUBLIC_URL`.

use super::state::Server;
use crate::{app::calls::Problem, domain::error_code::ErrorCode, http::problem};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::Response,
};

/// Rejects cross-site requests with 403 `cross_site`.
pub async fn check(State(server): State<Server>, request: Request, next: Next) -> Response {
    if may_change(request.method(), request.headers(), server.platform.config.public_url.origin()) {
        next.run(request).await
    } else {
        problem::respond(&Problem::of(ErrorCode::CrossSite))
    }
}

/// `Sec-Fetch-Site` decides if present, else `Origin`; a request without either doesn't come from a
/// browser.
fn may_change(method: &Method, headers: &HeaderMap, our_origin: &str) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    match (headers.get("sec-fetch-site"), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => origin.to_str().is_ok_and(|origin| origin.eq_ignore_ascii_case(our_origin)),
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(method: Method, headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| ((*name).parse().unwrap(), (*value).parse().unwrap())).collect();
        may_change(&method, &headers, "https://billing.example.com")
    }

    #[test]
    fn only_our_pages_and_api_clients_may_write() {
        assert!(allowed(Method::POST, &[]));
        assert!(allowed(Method::POST, &[("sec-fetch-site", "same-origin")]));
        assert!(allowed(Method::POST, &[("sec-fetch-site", "none")]));
        assert!(allowed(Method::POST, &[("origin", "https://billing.example.com")]));
        assert!(!allowed(Method::POST, &[("sec-fetch-site", "cross-site")]));
        assert!(!allowed(Method::POST, &[("sec-fetch-site", "same-site")]));
        assert!(!allowed(Method::DELETE, &[("origin", "https://evil.example")]));
        assert!(!allowed(Method::PUT, &[("origin", "null")]));
        assert!(!allowed(Method::POST, &[("sec-fetch-site", "cross-site"), ("origin", "https://billing.example.com")]));
        assert!(allowed(Method::GET, &[("sec-fetch-site", "cross-site")]));
    }
}
