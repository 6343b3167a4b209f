//! Compresses text on its way out, unless that could reveal it.
//!
//! BREACH guesses a secret in a compressed response from the response's length: the attacker's page
//! makes the victim's browser send requests that put guesses beside the secret. So responses to
//! requests that another site may have caused are not compressed. docs/develop/decisions.md has the
//! details.

use axum::{
    body::HttpBody,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use tower_http::{
    CompressionLevel,
    compression::{CompressionLayer, Predicate},
};

/// A smaller body fits into one packet in any case.
const LEAST_BYTES: u64 = 1_024;

/// Content types that become smaller. PDFs, archives and images are compressed already.
const TEXTS: [&str; 11] = [
    "text/html",
    "text/csv",
    "text/plain",
    "text/xml",
    "application/json",
    "application/problem+json",
    "application/openapi+json",
    "application/speculationrules+json",
    "application/x-ndjson",
    "application/xml",
    "image/svg+xml",
];

/// Compresses with gzip or zstd, as the request accepts, at the fastest level: a page of 37 kB
/// becomes 7.3 kB as zstd in 0.1 ms. Level 6 saves a tenth more and takes five times as long.
pub fn layer() -> CompressionLayer<IsText> {
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(IsText)
}

/// Whether a response is text that compression makes smaller.
#[derive(Clone, Copy, Debug)]
pub struct IsText;

impl Predicate for IsText {
    fn should_compress<B: HttpBody>(&self, response: &Response<B>) -> bool {
        let headers = response.headers();
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let kind = text(header::CONTENT_TYPE).and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        // The body of a response to HEAD is empty.
        let announced = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let size: Option<u64> = announced.or_else(|| response.body().size_hint().exact());
        TEXTS.iter().any(|known| kind.eq_ignore_ascii_case(known)) && size.is_none_or(|size| size >= LEAST_BYTES)
    }
}

/// Decides whether the layer within may compress, and makes tags of compressed responses weak.
pub async fn negotiate(is_https: bool, mut request: Request, next: Next) -> Response {
    if !may_compress(request.headers(), is_https) {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let mut response = next.run(request).await;
    complete(response.status(), response.headers_mut());
    response
}

/// Whether no other site can have caused the request. `Sec-Fetch-Site` decides if present. An old
/// browser sends none: over https a request with cookies but without it may be one.
fn may_compress(headers: &HeaderMap, is_https: bool) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin" || site == "none",
        None => !is_https || !headers.contains_key(header::COOKIE),
    }
}

/// A compressed response does not have the bytes of the uncompressed one, so its tag must differ
/// (RFC 9110, section 8.8.3) or be weak.
fn complete(status: StatusCode, headers: &mut HeaderMap) {
    let Some(tag) = headers.get(header::ETAG) else { return };
    let is_weak = tag.as_bytes().starts_with(b"W/");
    if headers.contains_key(header::CONTENT_ENCODING)
        && !is_weak
        && let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat())
    {
        headers.insert(header::ETAG, weak);
    }
    // Only texts have weak tags; the response with the content would vary (RFC 9110, section
    // 15.4.5).
    if status == StatusCode::NOT_MODIFIED && is_weak {
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn requests_of_other_sites_are_not_compressed() {
        let allowed = |pairs: &[(&'static str, &'static str)]| may_compress(&headers(pairs), true);
        assert!(allowed(&[("sec-fetch-site", "same-origin"), ("cookie", "a=b")]));
        assert!(allowed(&[("sec-fetch-site", "none"), ("cookie", "a=b")]));
        assert!(!allowed(&[("sec-fetch-site", "same-site"), ("cookie", "a=b")]));
        assert!(!allowed(&[("sec-fetch-site", "cross-site")]));
        // An API client, and an old browser.
        assert!(allowed(&[("authorization", "Bearer apex_1")]));
        assert!(!allowed(&[("cookie", "a=b")]));
        // Over http anyone on the way can read the content.
        assert!(may_compress(&headers(&[("cookie", "a=b")]), false));
    }

    #[test]
    fn only_text_of_some_size_is_compressed() {
        let compressed = |kind: &'static str, size: usize| {
            let response = Response::builder().header(header::CONTENT_TYPE, kind).body(Body::from(vec![b'a'; size])).unwrap();
            IsText.should_compress(&response)
        };
        assert!(compressed("text/html; charset=utf-8", 1_024));
        assert!(compressed("Application/Problem+JSON", 2_000));
        assert!(!compressed("text/html", 1_023));
        for kind in ["application/pdf", "application/zip", "application/wasm", "image/png", "text/event-stream", ""] {
            assert!(!compressed(kind, 100_000), "{kind}");
        }
        let head = Response::builder().header("content-type", "text/html").header("content-length", "40000").body(Body::empty());
        assert!(IsText.should_compress(&head.unwrap()));
        let streamed = Body::from_stream(futures::stream::once(async { Ok::<_, std::io::Error>("id\n") }));
        assert!(IsText.should_compress(&Response::builder().header("content-type", "text/csv").body(streamed).unwrap()));
    }

    #[test]
    fn tags_of_compressed_responses_are_weak() {
        let after = |status: StatusCode, pairs: &[(&'static str, &'static str)]| {
            let mut headers = headers(pairs);
            complete(status, &mut headers);
            let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            (text("etag"), text("vary"))
        };
        let tag = |tag: &str| Some(tag.to_owned());
        assert_eq!(after(StatusCode::OK, &[("etag", "\"a\""), ("content-encoding", "zstd")]), (tag("W/\"a\""), None));
        assert_eq!(after(StatusCode::OK, &[("etag", "W/\"a\""), ("content-encoding", "gzip")]), (tag("W/\"a\""), None));
        assert_eq!(after(StatusCode::OK, &[("etag", "\"a\"")]), (tag("\"a\""), None));
        assert_eq!(after(StatusCode::NOT_MODIFIED, &[("etag", "W/\"a\"")]), (tag("W/\"a\""), tag("accept-encoding")));
        assert_eq!(after(StatusCode::NOT_MODIFIED, &[("etag", "\"a\"")]), (tag("\"a\""), None));
        assert_eq!(after(StatusCode::OK, &[]), (None, None));
    }
}
