//! What handlers read of every request: its origin, its JSON body, whether it is a page's form.

use crate::{
    auth::Principal,
    domain::{csv::BYTE_ORDER_MARK, error_code::ErrorCode},
    service::{
        Error,
        actor::{By, Origin},
    },
};
use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use serde::Deserialize;
use std::net::SocketAddr;

/// The largest body of a request, unless its route says otherwise.
pub const DEFAULT_BODY_BYTES: usize = 64 * 1024;

/// Why a body can't be read, by what the extractor says of it.
pub fn unreadable(status: StatusCode, detail: String) -> Error {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge { limit: DEFAULT_BODY_BYTES },
        _ => Error::Refused { code: ErrorCode::InvalidBody, detail },
    }
}

/// Sent by a page's form, as opposed to a program.
pub fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

/// The origin of a request, from its head.
pub fn origin(parts: &Parts) -> Origin {
    origin_of(&parts.headers, parts.extensions.get::<ConnectInfo<SocketAddr>>())
}

/// Where a request came from, for the audit trail.
pub fn origin_of(headers: &HeaderMap, peer: Option<&ConnectInfo<SocketAddr>>) -> Origin {
    Origin {
        ip_address: peer.map(|peer| peer.0.ip().to_string()),
        user_agent: headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(|agent| agent.chars().take(300).collect()),
    }
}

/// Who asks for a change, for the audit trail.
pub fn by(principal: &Principal, parts: &Parts) -> By {
    By { actor: principal.actor(), origin: origin(parts) }
}

/// Parses a JSON body.
///
/// # Errors
/// `unsupported_media_type` for another content type, `invalid_json`, and `invalid_parameter` for JSON of another shape.
pub fn read<T: for<'de> Deserialize<'de>>(parts: &Parts, body: &[u8]) -> Result<T, Error> {
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Error::UnsupportedMediaType("application/json"));
    }
    // As for usage events, a byte order mark is no part of the text.
    let body = body.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(body);
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            Error::invalid("body", error.to_string())
        } else {
            Error::refused(ErrorCode::InvalidJson, format!("The body is not JSON: {error}. Nothing was done."))
        }
    })
}
