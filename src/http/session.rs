//! Authenticates each request once, by session cookie or bearer key.

use super::{
    audit_refusals::Asker,
    problem::ApiError,
    session_error::broken,
    state::Server,
    unsaved::{self, UNSAVED},
};
use crate::{
    auth::Principal,
    domain::{identity::CustomerId, session::SessionKey},
    guard::Unidentified,
    service::{Error, actor::Origin, api_keys, users},
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

/// Name of the session cookie; fixed, because API clients send it.
pub const COOKIE: &str = "auth_token";
/// Its name over https: with the prefix a browser only accepts it from this host, over https and
/// for all paths (RFC 6265bis).
const HOST_COOKIE: &str = "__Host-auth_token";

/// The name under which the session cookie is set.
pub const fn cookie_name(is_https: bool) -> &'static str {
    if is_https { HOST_COOKIE } else { COOKIE }
}

/// Over https, API clients may still send the cookie as `auth_token`. From a browser only the
/// prefixed name counts: a sibling host could set the other one.
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
const IP_ADDRESS: &str = "ip_address";
const USER_AGENT: &str = "user_agent";
/// The user whose password was correct; the store deletes such a session by this name.
const AWAITS_CODE_OF: &str = "awaits_code_of";
const AWAITS_SINCE: &str = "awaits_since";

/// Time limit between password and code.
const CODE_WITHIN: Duration = Duration::minutes(10);
/// The customer as which staff view the pages.
const VIEWING: &str = "viewing";
/// The page where they started to.
const VIEWING_FROM: &str = "viewing_from";

/// Minimum time between two writes of a session that extend its idle limit.
const SEEN_EVERY: Duration = Duration::minutes(1);

/// Adds the [`Principal`] to the request's extensions if its credentials are valid. Otherwise the
/// request continues without: routes without authentication respond, and the guard refuses the
/// others with the reason in [`Unidentified`]. Unauthenticated requests, including those with
/// invalid keys, count for their address's rate limit.
pub async fn identify(State(server): State<Server>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let key = bearer(&request).map(str::to_owned);
    let session = request.extensions().get::<Session>().cloned();
    let found = principal_of(&server, key, session).await;
    if matches!(found, Ok(None) | Err(Error::Unauthenticated)) {
        server.anonymous.count(&request, server.platform.clock.now())?;
    }
    let principal = found.unwrap_or_else(|error| {
        request.extensions_mut().insert(Unidentified::new(error));
        None
    });
    if let Some(principal) = principal {
        let span = telemetry::request::span();
        span.record("user", principal.actor());
        if let Some(customer) = principal.customer() {
            span.record("customer", tracing::field::display(customer));
        }
        if let Some(asker) = request.extensions().get::<Asker>() {
            asker.is(&principal);
        }
        request.extensions_mut().insert(principal);
    }
    Ok(next.run(request).await)
}

async fn principal_of(server: &Server, key: Option<String>, session: Option<Session>) -> Result<Option<Principal>, Error> {
    match (key, session) {
        (Some(key), _) => api_keys::principal(&server.platform, &key).await?.ok_or(Error::Unauthenticated).map(Some),
        (None, Some(session)) => of_session(server, &session).await,
        (None, None) => Ok(None),
    }
}

/// The key of `Authorization: Bearer KEY`; empty if malformed. Other schemes belong to proxies or
/// orchestrators and are ignored (RFC 9110, section 11.6.2).
fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.as_bytes();
    let scheme_bytes = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, key) = value.split_at(scheme_bytes);
    scheme.eq_ignore_ascii_case(b"bearer").then(|| std::str::from_utf8(key).unwrap_or_default().trim())
}

async fn of_session(server: &Server, session: &Session) -> Result<Option<Principal>, Error> {
    let Some(id) = session.id() else { return Ok(None) };
    let Some(found) = users::of_session(&server.platform, &SessionKey(id.to_string())).await? else {
        // If it doesn't exist, loading it makes the response delete the cookie.
        session.get::<Uuid>(USER).await.map_err(broken)?;
        return Ok(None);
    };
    let now = server.platform.clock.now();
    let at = |value: Option<i64>| value.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let limit = Duration::hours(server.platform.config.file.sessions.absolute_hours);
    if at(found.signed_in_at).is_none_or(|since| now - since >= limit) {
        session.flush().await.map_err(broken)?;
        return Ok(None);
    }
    if at(found.seen_at).is_none_or(|seen| now - seen >= SEEN_EVERY) {
        session.insert(SEEN_AT, now.unix_timestamp()).await.map_err(broken)?;
    }
    Ok(Some(found.principal))
}

/// Empties the session under a new id, against session fixation. Only the input that this user has
/// not saved stays.
async fn anew(session: &Session, user: Uuid, now: OffsetDateTime) -> Result<(), Error> {
    let unsaved = unsaved::stored(session).await.and_then(|form| form.for_user(user, now));
    session.clear().await;
    session.cycle_id().await.map_err(broken)?;
    if let Some(form) = unsaved {
        session.insert(UNSAVED, form).await.map_err(broken)?;
    }
    Ok(())
}

/// Signs a user in under a new session id.
pub async fn begin(session: &Session, user: Uuid, origin: &Origin, now: OffsetDateTime) -> Result<(), Error> {
    anew(session, user, now).await?;
    session.insert(USER, user).await.map_err(broken)?;
    session.insert(SIGNED_IN_AT, now.unix_timestamp()).await.map_err(broken)?;
    session.insert(SEEN_AT, now.unix_timestamp()).await.map_err(broken)?;
    session.insert(IP_ADDRESS, &origin.ip_address).await.map_err(broken)?;
    session.insert(USER_AGENT, &origin.user_agent).await.map_err(broken)?;
    store(session).await
}

/// Writes the session now, so that a read-only database causes an error response.
async fn store(session: &Session) -> Result<(), Error> {
    session.save().await.map_err(broken)
}

/// Records, under a new session id, that the password was correct. The user is not signed in yet.
pub async fn await_code(session: &Session, user: Uuid, now: OffsetDateTime) -> Result<(), Error> {
    anew(session, user, now).await?;
    session.insert(AWAITS_CODE_OF, user).await.map_err(broken)?;
    session.insert(AWAITS_SINCE, now.unix_timestamp()).await.map_err(broken)?;
    store(session).await
}

/// The user whose code must follow, if it is not too late.
pub async fn awaited(session: &Session, now: OffsetDateTime) -> Result<Option<Uuid>, Error> {
    let since = session.get::<i64>(AWAITS_SINCE).await.map_err(broken)?;
    if since.is_none_or(|since| now.unix_timestamp() - since >= CODE_WITHIN.whole_seconds()) {
        return Ok(None);
    }
    session.get::<Uuid>(AWAITS_CODE_OF).await.map_err(broken)
}

/// Continues a session under a new id; the old one is invalid.
pub async fn renew(session: &Session) -> Result<(), Error> {
    session.cycle_id().await.map_err(broken)?;
    store(session).await
}

/// Sets the customer as which staff view the pages; `from`: the page to return to.
pub async fn view_as(session: &Session, customer: CustomerId, from: Option<&str>) -> Result<(), Error> {
    session.insert(VIEWING, customer).await.map_err(broken)?;
    match from {
        Some(from) => session.insert(VIEWING_FROM, from).await.map_err(broken)?,
        None => session.remove_value(VIEWING_FROM).await.map(drop).map_err(broken)?,
    }
    store(session).await
}

/// Clears the customer as which staff view the pages. Returns the page to return to.
pub async fn stop_viewing(session: &Session) -> Result<Option<String>, Error> {
    session.remove_value(VIEWING).await.map_err(broken)?;
    let from = session.remove::<String>(VIEWING_FROM).await.map_err(broken)?;
    store(session).await?;
    Ok(from)
}

/// Deletes a session; its cookie is invalid from now on.
pub async fn end(session: &Session) -> Result<(), Error> {
    session.flush().await.map_err(broken)
}

/// A cookie that outlives the session's, which browsers delete when it expires: then the login can
/// say that the session ended. It carries nothing else.
const MARK: &str = "signed_in";
const MARK_SECONDS: u32 = 30 * 24 * 3600;

/// The cookie that marks a browser as signed in, or after logout as not.
pub fn mark(is_signed_in: bool, is_https: bool) -> HeaderValue {
    let (value, age) = if is_signed_in { ("1", MARK_SECONDS) } else { ("", 0) };
    let secure = if is_https { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{MARK}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"))
        .unwrap_or(HeaderValue::from_static("signed_in=; Path=/; Max-Age=0"))
}

/// Whether the request has the cookie of an existing or ended session.
pub fn brings_session(headers: &HeaderMap) -> bool {
    [COOKIE, HOST_COOKIE, MARK].into_iter().any(|name| cookie(headers, name).is_some())
}
