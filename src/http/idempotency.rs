//! `Idempotency-Key`: a request has its effect once, however often it is sent.
//!
//! A route opts in with [`once`]. The first request with a key runs in its own task, so that it
//! continues if the client disconnects. A repeated request gets the saved response, byte for byte,
//! with `Idempotent-Replayed: true`. Only responses below 400 are saved. After a 4xx nothing was
//! done, and the key is free. After a 5xx the same request may be repeated with its key, and runs
//! with the same [`RequestKey`]. Stripe differs: it repeats its 500s, but here a retry should
//! complete the work.

use super::{problem::ApiError, state::Server};
use crate::{
    auth::Principal,
    domain::{
        error_code::ErrorCode,
        idempotency::{IdempotencyKey, KeyError},
        identity::CustomerId,
    },
    guard,
    service::{
        Error, Platform, Result,
        idempotency::{self, Begun, Outcome, Run, SavedAnswer},
    },
    telemetry,
};
use axum::{
    Extension,
    body::{Body, Bytes, to_bytes},
    extract::{Query, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::Route,
};
use futures::FutureExt;
use sha2::{Digest, Sha256};
use std::{convert::Infallible, panic::AssertUnwindSafe};
use tower::{Layer, Service};
use tracing::Instrument;
use uuid::Uuid;

/// Name of the header.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Marks a saved response.
pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Maximum size of a request's body, and of a response's.
const MOST_REQUEST_BYTES: usize = 64 * 1024;
const MOST_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Headers that are saved with a response.
const KEPT_HEADERS: [HeaderName; 4] = [header::CONTENT_TYPE, header::LOCATION, header::CACHE_CONTROL, header::CONTENT_DISPOSITION];

/// Identifies a request's run for the operation; the same if an interrupted run is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestKey(pub Uuid);

/// Whether a request must have a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Without a key nothing runs.
    Required,
    Optional,
}

/// The guard that is checked before a key is used: a caller that has lost its role gets no saved
/// response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The platform's staff.
    Staff,
    /// May change the settings of the request's customer.
    Changer,
}

/// The query parameter with which staff name a customer.
#[derive(serde::Deserialize)]
struct Named {
    customer_id: Option<String>,
}

/// The layer of an idempotent route.
pub fn once(keys: Keys, sender: Sender) -> impl Layer<Route, Service = impl RouteService> + Clone + Send + Sync + 'static {
    middleware::from_fn_with_state((keys, sender), answer_once)
}

/// What a route's layer makes of it.
pub trait RouteService:
    Service<Request, Response = Response, Error = Infallible, Future: Send + 'static> + Clone + Send + Sync + 'static
{
}

impl<T> RouteService for T where
    T: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static> + Clone + Send + Sync + 'static
{
}

async fn answer_once(
    State((keys, sender)): State<(Keys, Sender)>,
    Extension(server): Extension<Server>,
    request: Request,
    next: Next,
) -> Response {
    match run_once(&server, keys, sender, request, next).await {
        Ok(response) => response,
        Err(error) => ApiError(error).into_response(),
    }
}

async fn run_once(server: &Server, keys: Keys, sender: Sender, request: Request, next: Next) -> Result<Response> {
    // The route itself rejects other methods.
    if request.method() != Method::POST {
        return Ok(next.run(request).await);
    }
    let platform = &server.platform;
    let principal = match admitted(platform, sender, request.extensions(), request.uri()).await {
        Ok(principal) => principal,
        // A malformed body is reported before other errors.
        Err(error @ Error::Invalid { .. }) => return Err(key_of(request.headers()).err().unwrap_or(error)),
        Err(error) => return Err(error),
    };
    let key = match (key_of(request.headers())?, keys) {
        (Some(key), _) => key,
        (None, Keys::Optional) => return Ok(next.run(request).await),
        (None, Keys::Required) => {
            return Err(Error::refused(ErrorCode::IdempotencyKeyMissing, ErrorCode::IdempotencyKeyMissing.sentence()));
        }
    };
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, MOST_REQUEST_BYTES).await.map_err(|_| Error::TooLarge { limit: MOST_REQUEST_BYTES })?;
    let (name, scope, hash) = (name_of(&principal), scope_of(&principal), hash(&parts, &body));
    let asked = idempotency::Request {
        principal: &name,
        scope: &scope,
        key: &key,
        method: parts.method.as_str(),
        path: parts.uri.path(),
        hash: &hash,
    };
    let run = match idempotency::begin(platform, &asked).await? {
        Begun::Ours(run) => run,
        Begun::Saved(answer) => return replayed(answer),
    };
    parts.extensions.insert(RequestKey(run.id));
    let work = work(platform.clone(), run, Request::from_parts(parts, Body::from(body)), next);
    let task = tokio::spawn(telemetry::request::within(telemetry::request::span(), work.instrument(tracing::Span::current())));
    task.await.map_err(|panic| Error::Internal(anyhow::anyhow!("the request with an idempotency key panicked: {panic}")))?
}

/// The caller, if the route's guard admits it.
async fn admitted(platform: &Platform, sender: Sender, extensions: &Extensions, uri: &Uri) -> Result<Principal> {
    match sender {
        Sender::Staff => Ok(guard::staff_of(platform.clone(), extensions)?.principal),
        Sender::Changer => {
            let named = Query::<Named>::try_from_uri(uri).ok().and_then(|Query(named)| named.customer_id);
            Ok(guard::changer_of(platform.clone(), extensions, named.as_deref()).await?.principal)
        }
    }
}

/// The key of a request; several are invalid.
fn key_of(headers: &HeaderMap) -> Result<Option<IdempotencyKey>> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let invalid = |detail: String| Error::Refused { code: ErrorCode::IdempotencyKeyInvalid, detail };
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => IdempotencyKey::parse(value.as_bytes()).map(Some).map_err(|error: KeyError| invalid(error.to_string())),
        (Some(_), Some(_)) => Err(invalid("the request has more than one Idempotency-Key".into())),
    }
}

fn name_of(principal: &Principal) -> String {
    match principal {
        Principal::User { id, .. } => format!("user:{id}"),
        Principal::ApiKey { id, .. } => format!("api_key:{id}"),
    }
}

/// The caller's role and customer. In others its keys are different keys.
fn scope_of(principal: &Principal) -> String {
    let customer = |id: Option<CustomerId>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    format!("{} {} {}", principal.role().as_str(), customer(principal.own_customer()), customer(principal.viewing()))
}

/// Everything that identifies the request.
fn hash(parts: &Parts, body: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    let content_type = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    for part in [parts.method.as_str().as_bytes(), target.as_bytes(), content_type, body] {
        // With its length, so that different requests have different bytes.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().to_vec()
}

/// Runs the handler while the key is ours, and saves its result.
async fn work(platform: Platform, run: Run, request: Request, next: Next) -> Result<Response> {
    let handled = tokio::select! {
        handled = AssertUnwindSafe(next.run(request)).catch_unwind() => handled,
        () = idempotency::until_lost(&platform, run, idempotency::LEASE) => return Err(Error::Busy),
    };
    let (response, outcome) = match handled {
        Ok(response) => kept(response).await,
        Err(_) => (Err(Error::Internal(anyhow::anyhow!("a handler panicked"))), Outcome::Failed),
    };
    // The operation is complete; a repeated request finds an ended run.
    if let Err(error) = idempotency::settle(&platform, run, &outcome).await {
        tracing::error!(%error, run = %run.id, "the response can't be saved under its idempotency key");
    }
    response
}

/// A response, and the part that is saved.
async fn kept(response: Response) -> (Result<Response>, Outcome) {
    if response.status().is_client_error() {
        return (Ok(response), Outcome::Refused);
    }
    if response.status().is_server_error() {
        return (Ok(response), Outcome::Failed);
    }
    let (parts, body) = response.into_parts();
    let body = match to_bytes(body, MOST_ANSWER_BYTES).await {
        Ok(body) => body,
        Err(error) => return (Err(Error::Internal(anyhow::anyhow!(error).context("an answer to keep"))), Outcome::Failed),
    };
    let headers = KEPT_HEADERS.iter().filter_map(|name| Some((name.to_string(), parts.headers.get(name)?.to_str().ok()?.to_owned())));
    let answer = SavedAnswer { status: parts.status.as_u16(), headers: headers.collect(), body: body.to_vec() };
    (Ok(Response::from_parts(parts, Body::from(body))), Outcome::Done(answer))
}

fn replayed(answer: SavedAnswer) -> Result<Response> {
    let broken = |error: axum::http::Error| Error::Internal(anyhow::anyhow!(error).context("a saved answer"));
    let mut response = Response::builder()
        .status(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK))
        .header(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(Bytes::from(answer.body))).map_err(broken)
}
