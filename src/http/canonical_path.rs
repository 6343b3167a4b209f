//! Rejects ambiguous paths (RFC 3986, section 6.2.2), so that all layers interpret a path in the
//! same way.

use super::problem::{self, ApiError};
use crate::{
    app::calls::Problem,
    domain::{
        error_code::ErrorCode,
        request_path::{self, Spelling},
    },
    service::Error,
};
use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Maximum length of a path in bytes.
const MOST_PATH_BYTES: usize = 2_048;

/// Passes canonical paths on. A page's path with a trailing slash is redirected to the one without;
/// all other paths are `not_found`.
pub async fn require(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if uri.path().len() > MOST_PATH_BYTES {
        return problem::respond(&Problem::of(ErrorCode::PathTooLong));
    }
    match request_path::spelling(uri.path()) {
        Spelling::Canonical => next.run(request).await,
        Spelling::SlashAtEnd(path) if matches!(*request.method(), Method::GET | Method::HEAD) && !path.starts_with("/api/") => {
            let target = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
            match HeaderValue::from_str(&target) {
                Ok(target) => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, target)]).into_response(),
                Err(_) => unknown(),
            }
        }
        Spelling::SlashAtEnd(_) | Spelling::Other => unknown(),
    }
}

fn unknown() -> Response {
    ApiError(Error::NotFound("path")).into_response()
}
