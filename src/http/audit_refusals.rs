//! Audits refusals and internal errors in the background.

use super::{
    problem::Code,
    request::origin_of,
    request_log::{Meant, RequestId, label},
    state::Server,
};
use crate::{
    auth::{Principal, api_key},
    service::audit::{self, Asked},
};
use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::Next,
    response::Response,
};
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

/// The caller, for this layer outside the authentication layer: a response after a timeout has lost
/// it.
#[derive(Clone, Debug, Default)]
pub struct Asker(Arc<OnceLock<Principal>>);

impl Asker {
    /// Stores it; the first one counts.
    pub fn is(&self, principal: &Principal) {
        self.0.get_or_init(|| principal.clone());
    }
}

/// Audits 403 responses to authenticated callers, 401 responses to invalid keys, and unintended
/// responses of 500 and above.
pub async fn audit(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let asker = Asker::default();
    request.extensions_mut().insert(asker.clone());
    let origin = origin_of(request.headers(), request.extensions().get::<ConnectInfo<SocketAddr>>());
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.to_string());
    let method = label(request.method());
    // Only if it looks like one of our keys: other values may be any secret.
    let authorization = request.headers().get(AUTHORIZATION);
    let key_prefix = authorization
        .and_then(|value| value.to_str().ok()?.rsplit(' ').next())
        .filter(|key| api_key::hash(key).is_some())
        .map(|key| api_key::prefix(key).to_owned());
    let brings_key = authorization.is_some();
    let response = next.run(request).await;
    let status = response.status();
    let principal = asker.0.get().cloned();
    let is_failure = status.is_server_error() && response.extensions().get::<Meant>().is_none();
    let is_refusal = match status {
        StatusCode::FORBIDDEN => principal.is_some(),
        StatusCode::UNAUTHORIZED => brings_key && principal.is_none(),
        _ => false,
    };
    if is_failure || is_refusal {
        let asked = Asked {
            key_prefix: key_prefix.filter(|_| principal.is_none()),
            principal,
            origin,
            method: method.to_owned(),
            route,
            status: status.as_u16(),
            code: response.extensions().get::<Code>().map(|code| code.0.clone()),
            request_id,
        };
        let tell = if is_failure { audit::request_failed } else { audit::refused };
        tell(&server.platform, asked);
    }
    response
}
