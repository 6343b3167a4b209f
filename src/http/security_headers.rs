//! Security headers of every response.

use crate::config::Config;
use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// The policy of everything except the console's pages: no scripts, only our own styles and images,
/// no framing.
const NO_SCRIPTS: &str = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";
/// Browsers' PDF viewers load parts of their own.
const PDF: &str = "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A year, as browsers recommend.
const HSTS: &str = "max-age=31536000; includeSubDomains";
const PERMISSIONS: &str =
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()";

/// The policy of a page. No inline script or style runs. The form for Stripe's customer portal is
/// redirected there, which browsers check against `form-action` too.
pub fn of_page(config: &Config) -> Option<HeaderValue> {
    let portal = config.portal_origin().map(|origin| format!(" {origin}")).unwrap_or_default();
    HeaderValue::from_str(&format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; object-src 'none'; form-action 'self'{portal}; base-uri 'none'; frame-ancestors 'none'"
    ))
    .ok()
}

/// Adds the headers. An existing policy is a page's own. A 304 has none: the stored response does
/// (RFC 9110, section 15.4.5).
pub async fn protect(is_https: bool, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::NOT_MODIFIED {
        return response;
    }
    let headers = response.headers_mut();
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let is_pdf = headers.get(header::CONTENT_TYPE).is_some_and(|value| value == "application/pdf");
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(if is_pdf { PDF } else { NO_SCRIPTS }));
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    response
}
