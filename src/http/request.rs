//! What layers and extractors read of every request: its origin, and whether it is a page's form.

use crate::{
    auth::Principal,
    service::actor::{By, Origin},
};
use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, header, request::Parts},
};
use std::net::SocketAddr;

/// The largest body of a request, unless its route says otherwise.
pub const DEFAULT_BODY_BYTES: usize = 64 * 1024;

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
