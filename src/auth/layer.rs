//! Finds out who asks, once per request, from the session cookie or the bearer key.

use super::Principal;
use crate::{
    http::{problem::ApiError, state::Server},
    service::{Error, accounts},
    telemetry,
};
use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue,
        header::{self, AUTHORIZATION},
    },
    middleware::Next,
    response::Response,
};
use time::{Duration, OffsetDateTime};
use tower_sessions::Session;
use uuid::Uuid;

/// Name of the session cookie; fixed, since other programs send it.
pub const COOKIE: &str = "auth_token";
/// Its name over https: with the prefix a browser takes it only from this very host, over https and for all paths (RFC 6265bis).
const HOST_COOKIE: &str = "__Host-auth_token";

/// The name that the session cookie is set under.
pub const fn cookie_name(is_https: bool) -> &'static str {
    if is_https { HOST_COOKIE } else { COOKIE }
}

/// Over https programs may go on sending the cookie as `auth_token`. From a browser only the prefixed name counts: a neighbouring host
/// could plant the other one there.
pub async fn accept_plain_name(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    if server.platform.config.public_url.is_https()
        && !headers.contains_key("sec-fetch-site")
        && cookie(headers, HOST_COOKIE).is_none()
        && let Some(value) = cookie(headers, COOKIE)
        && let Ok(renamed) = HeaderValue::from_str(&format!("{HOST_COOKIE}={value}"))
    {
        request.headers_mut().append(header::COOKIE, renamed);
    }
    next.run(request).await
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| value)
}

const USER: &str = "user";
const SIGNED_IN_AT: &str = "signed_in_at";
const SEEN_AT: &str = "seen_at";

/// A session is written anew at most this often to push back its idle limit.
const SEEN_EVERY: Duration = Duration::minutes(1);

/// Puts the [`Principal`] into the request's extensions when somebody is signed in.
pub async fn identify(State(server): State<Server>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let principal = match bearer(&request)? {
        Some(key) => Some(accounts::principal_of_key(&server.platform, key).await?.ok_or(Error::Unauthenticated)?),
        None => match request.extensions().get::<Session>().cloned() {
            Some(session) => of_session(&server, &session).await?,
            None => None,
        },
    };
    if let Some(principal) = principal {
        let span = telemetry::request::span();
        span.record("user", principal.actor());
        if let Some(customer) = principal.customer() {
            span.record("customer", tracing::field::display(customer));
        }
        request.extensions_mut().insert(principal);
    }
    Ok(next.run(request).await)
}

/// The key of `Authorization: Bearer KEY`. Another scheme is refused rather than overlooked.
fn bearer(request: &Request) -> Result<Option<&str>, Error> {
    let Some(value) = request.headers().get(AUTHORIZATION) else { return Ok(None) };
    let (scheme, key) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Error::Unauthenticated)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(key.trim())) } else { Err(Error::Unauthenticated) }
}

async fn of_session(server: &Server, session: &Session) -> Result<Option<Principal>, Error> {
    let Some(user) = session.get::<Uuid>(USER).await.map_err(broken)? else { return Ok(None) };
    let now = server.platform.clock.now();
    let at = |value: Option<i64>| value.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let signed_in_at = at(session.get(SIGNED_IN_AT).await.map_err(broken)?);
    let limit = Duration::hours(server.platform.config.file.sessions.absolute_hours);
    if signed_in_at.is_none_or(|since| now - since >= limit) {
        session.flush().await.map_err(broken)?;
        return Ok(None);
    }
    if at(session.get(SEEN_AT).await.map_err(broken)?).is_none_or(|seen| now - seen >= SEEN_EVERY) {
        session.insert(SEEN_AT, now.unix_timestamp()).await.map_err(broken)?;
    }
    accounts::principal_of_user(&server.platform, user).await
}

/// Signs a user in under a new session id, so that one planted before is worth nothing.
pub async fn begin(session: &Session, user: Uuid, now: OffsetDateTime) -> Result<(), Error> {
    session.cycle_id().await.map_err(broken)?;
    session.insert(USER, user).await.map_err(broken)?;
    session.insert(SIGNED_IN_AT, now.unix_timestamp()).await.map_err(broken)?;
    session.insert(SEEN_AT, now.unix_timestamp()).await.map_err(broken)
}

/// Ends a session for good: its row is gone, whoever has its cookie.
pub async fn end(session: &Session) -> Result<(), Error> {
    session.flush().await.map_err(broken)
}

fn broken(error: tower_sessions::session::Error) -> Error {
    match error {
        tower_sessions::session::Error::Store(store @ tower_sessions::session_store::Error::Backend(_)) => Error::Unavailable(store.into()),
        other => Error::Internal(other.into()),
    }
}
