//! The browser's files. Those in the folder `pkg` are named by a hash of their content, so browsers
//! cache them for good.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use leptos::config::LeptosOptions;
use std::sync::Arc;
use tower::ServiceExt;
use tower_http::services::ServeDir;

/// Other content has another name (RFC 8246).
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Files with a stable name, such as the icon.
const FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
/// Each file has compressed copies.
const BY_CODING: HeaderValue = HeaderValue::from_static("accept-encoding");

/// Reloads a page that names a script of another build.
const RELOAD: &str = include_str!("../islands/reload.js");

/// The files named by their content.
#[derive(Clone)]
pub struct NamedFiles {
    prefix: Arc<str>,
    site: ServeDir,
}

impl NamedFiles {
    pub fn new(options: &LeptosOptions) -> NamedFiles {
        NamedFiles { prefix: format!("/{}/", options.site_pkg_dir).into(), site: serve_dir(options) }
    }
}

/// The files of a site, with their compressed copies.
pub fn serve_dir(options: &LeptosOptions) -> ServeDir {
    ServeDir::new(&*options.site_root).append_index_html_on_directories(false).precompressed_br().precompressed_gzip()
}

/// Serves the folder `pkg`, without looking at sessions. Unknown names are not cached: another
/// server may have them during a deployment.
pub async fn serve_named(State(files): State<NamedFiles>, request: Request, next: Next) -> Response {
    let Some(name) = request.uri().path().strip_prefix(&*files.prefix) else { return next.run(request).await };
    if !is_named_by_content(name) {
        return missing();
    }
    // An old page has no script that could notice this.
    let reloads = name.ends_with(".js") && request.headers().get("sec-fetch-dest").is_some_and(|what| what == "script");
    let Ok(response) = files.site.oneshot(request).await;
    let mut response = response.map(Body::new);
    match response.status() {
        StatusCode::NOT_FOUND if reloads => {
            ([(header::CONTENT_TYPE, "text/javascript"), (header::CACHE_CONTROL, "no-store")], RELOAD).into_response()
        }
        StatusCode::NOT_FOUND => missing(),
        status => {
            if status.is_success() || status == StatusCode::NOT_MODIFIED {
                response.headers_mut().insert(header::CACHE_CONTROL, FOR_GOOD);
                response.headers_mut().insert(header::VARY, BY_CODING);
            }
            response
        }
    }
}

/// Adds the caching of files with a stable name.
pub fn cached_briefly<B>(mut response: Response<B>) -> Response<B> {
    let status = response.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(FOR_AN_HOUR);
        response.headers_mut().entry(header::VARY).or_insert(BY_CODING);
    }
    response
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")]).into_response()
}

/// `NAME.HASH.css`, `.js` or `.wasm`, as `scripts/assets.mjs` names files.
fn is_named_by_content(name: &str) -> bool {
    let mut parts = name.rsplit('.');
    let (kind, hash, stem) = (parts.next(), parts.next(), parts.next());
    matches!(kind, Some("css" | "js" | "wasm"))
        && hash.is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
        && stem.is_some_and(|stem| !stem.is_empty() && !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_named_by_content() {
        assert!(is_named_by_content("apex_billing.0123456789abcdef.css"));
        assert!(is_named_by_content("apex_billing.0123456789abcdef.wasm"));
        for other in [
            "",
            "apex_billing.css",
            "apex_billing_bg.wasm",
            "assets.json",
            ".0123456789abcdef.js",
            "apex_billing.0123456789ABCDEF.js",
            "apex_billing.0123456789abcde.js",
            "apex_billing.0123456789abcdef.js.br",
            "apex_billing.0123456789abcdef.json",
            "other/apex_billing.0123456789abcdef.js",
        ] {
            assert!(!is_named_by_content(other), "{other}");
        }
    }
}
