//! Conditional requests (RFC 9110, section 13): a client that polls gets 304 while nothing changes.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ring::digest;
use std::convert::Infallible;

/// JSON that clients poll.
pub const POLLED: [&str; 7] = [
    "/api/v1/billing/alerts",
    "/api/v1/billing/alerts/fired",
    "/api/v1/billing/alerts/standing",
    "/api/v1/billing/invoices",
    "/api/v1/billing/usage/current",
    "/api/v1/billing/usage/history",
    "/api/v1/meta/features",
];

/// Adds a tag to polled JSON, and answers 304 if the client has it.
pub async fn answer(request: Request, next: Next) -> Response {
    let is_polled = request.method() == Method::GET && POLLED.contains(&request.uri().path());
    if !is_polled {
        return next.run(request).await;
    }
    let known = known_tags(request.headers());
    let response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // It is in memory already.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let tag = weak_tag([&bytes[..]]);
    let is_known = known.contains(&tag);
    parts.headers.insert(header::ETAG, tag);
    if is_known {
        let mut response = not_modified();
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        *response.headers_mut() = parts.headers;
        *response.extensions_mut() = parts.extensions;
        return response;
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// 304 without a length: it would be the length of the content (RFC 9110, section 8.6), and axum
/// announces 0 for an empty body of a known size.
pub fn not_modified() -> Response {
    let nothing = futures::stream::empty::<Result<Bytes, Infallible>>();
    (StatusCode::NOT_MODIFIED, Body::from_stream(nothing)).into_response()
}

/// A weak tag of content, which its compressed form may have too.
pub fn weak_tag<'a>(content: impl IntoIterator<Item = &'a [u8]>) -> HeaderValue {
    let mut context = digest::Context::new(&digest::SHA256);
    content.into_iter().for_each(|part| context.update(part));
    let hash = hex::encode(&context.finish().as_ref()[..12]);
    HeaderValue::from_str(&format!("W/\"{hash}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// The request's `If-None-Match`.
#[derive(Debug)]
pub struct KnownTags(Vec<HeaderValue>);

/// Reads `If-None-Match`.
pub fn known_tags(headers: &HeaderMap) -> KnownTags {
    KnownTags(headers.get_all(header::IF_NONE_MATCH).iter().cloned().collect())
}

impl KnownTags {
    /// Compares weakly (RFC 9110, section 13.1.2): a list of tags, or `*`.
    pub fn contains(&self, tag: &HeaderValue) -> bool {
        let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
        let Ok(tag) = tag.to_str().map(opaque) else { return false };
        let listed = self.0.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
        listed.map(str::trim).any(|known| known == "*" || opaque(known) == tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(lines: &[&'static str], tag: &'static str) -> bool {
        let lines = lines.iter().map(|line| (header::IF_NONE_MATCH, HeaderValue::from_static(line)));
        known_tags(&lines.collect()).contains(&HeaderValue::from_static(tag))
    }

    #[test]
    fn tags_compare_weakly() {
        assert!(known(&["\"a\""], "\"a\""));
        assert!(known(&["W/\"a\""], "\"a\""));
        assert!(known(&["\"a\""], "W/\"a\""));
        assert!(known(&["\"b\", W/\"a\""], "W/\"a\""));
        assert!(known(&["\"b\"", "\"a\""], "W/\"a\""));
        assert!(known(&["*"], "\"a\""));
        assert!(!known(&["\"b\""], "\"a\""));
        assert!(!known(&["a"], "\"a\""));
        assert!(!known(&[], "\"a\""));
    }

    #[test]
    fn a_tag_depends_on_all_content() {
        assert_eq!(weak_tag([&b"ab"[..]]), weak_tag([&b"a"[..], b"b"]));
        assert_ne!(weak_tag([&b"a"[..]]), weak_tag([&b"b"[..]]));
    }
}
