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

/// Maximum size of a request's body, unless its route differs.
pub const DEFAULT_BODY_BYTES: usize = 64 * 1024;

/// Sent by a page's form, not by an API client.
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

/// The origin of a request, for the audit log.
pub fn origin_of(headers: &HeaderMap, peer: Option<&ConnectInfo<SocketAddr>>) -> Origin {
    Origin {
        ip_address: peer.map(|peer| peer.0.ip().to_string()),
        user_agent: headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(|agent| agent.chars().take(300).collect()),
    }
}

/// The actor of a change, for the audit log.
pub fn by(principal: &Principal, parts: &Parts) -> By {
    By { actor: principal.actor(), origin: origin(parts) }
}
