//! The HTTP server: keys, idempotency, faults, the request log, and the stand-in's own controls.

use super::{
    clock::Clock,
    errors::{ApiError, Checked},
    faults::{self, Fault, Held, Trouble},
    form::Params,
    idempotency::{Answer, Keys, Running, Turn},
    locked::locked,
    overlaps::Overlaps,
    store::{API_VERSION, Origin, Store},
    webhooks::{Deliveries, Endpoint},
};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Response, header, uri::Authority},
};
use futures::StreamExt;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};
use time::{format_description::FormatItem, macros::format_description};

/// Maximum size of a body, like Stripe's.
const LARGEST_BODY: usize = 1 << 20;
/// Length of the request log.
const LOGGED: usize = 100_000;
/// Maximum offset of the clock: ten years.
const FURTHEST: i64 = 10 * 366 * 86_400;
/// The portal's page only has its own styles and forms.
const PORTAL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const HTTP_DATE: &[FormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// A received request.
#[derive(Clone, Debug, Serialize)]
pub struct Logged {
    pub method: String,
    pub path: String,
    /// Query and body, parsed.
    pub params: Value,
    pub idempotency_key: Option<String>,
    /// None while it is held.
    pub status: Option<u16>,
}

pub struct Shared {
    pub secret_key: String,
    pub clock: Clock,
    pub deliveries: Deliveries,
    pub faults: Mutex<Vec<Fault>>,
    pub held: Held,
    pub overlaps: Overlaps,
    store: Mutex<Store>,
    keys: Keys,
    log: Mutex<(u64, VecDeque<Logged>)>,
    requests: AtomicU64,
}

impl Shared {
    pub fn new(secret_key: &str, clock: Clock, base_url: String) -> Shared {
        let store = Store::new(clock.now().unix_timestamp(), base_url);
        Shared {
            secret_key: secret_key.to_owned(),
            deliveries: Deliveries::start(clock.clone()),
            clock,
            faults: Mutex::default(),
            held: Held::default(),
            overlaps: Overlaps::default(),
            store: Mutex::new(store),
            keys: Keys::default(),
            log: Mutex::default(),
            requests: AtomicU64::new(0),
        }
    }

    /// The store with its clock set.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        let mut store = locked(&self.store);
        store.now = self.clock.now().unix_timestamp();
        store
    }

    /// Changes the store and delivers the resulting events.
    pub fn work<T>(&self, origin: Origin, work: impl FnOnce(&mut Store) -> T) -> T {
        let mut store = self.store();
        store.origin = origin;
        let done = work(&mut store);
        // In their order of creation, so while the store is still locked.
        self.deliveries.push(std::mem::take(&mut store.fresh));
        done
    }

    pub fn requests(&self) -> Vec<Logged> {
        locked(&self.log).1.iter().cloned().collect()
    }

    fn log(&self, entry: Logged) -> u64 {
        let mut log = locked(&self.log);
        log.1.push_back(entry);
        if log.1.len() > LOGGED {
            log.1.pop_front();
            log.0 += 1;
        }
        log.0 + log.1.len() as u64 - 1
    }

    fn log_status(&self, number: u64, status: u16) {
        let mut log = locked(&self.log);
        let at = number.checked_sub(log.0).and_then(|at| usize::try_from(at).ok());
        if let Some(entry) = at.and_then(|at| log.1.get_mut(at)) {
            entry.status = Some(status);
        }
    }
}

pub async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return plain(413, "text/plain", "the body is too large".to_owned());
    };
    if is_cross_site(&parts.headers) {
        return plain(403, "text/plain", "a page of another site may not use this".to_owned());
    }
    if let Some(control) = path.strip_prefix("/_") {
        return match self::control(&shared, method, control, &body).await {
            Ok(answer) => plain(200, "application/json", answer.to_string()),
            Err(message) => plain(400, "text/plain", message),
        };
    }
    if let Some(session) = path.strip_prefix("/p/session/") {
        return portal(&shared, method, session, &body);
    }
    let call = Call {
        request: format!("req_{:014}", shared.requests.fetch_add(1, Ordering::Relaxed) + 1),
        method,
        path,
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body,
    };
    call.answer(&shared).await
}

struct Call<'a> {
    request: String,
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

impl Call<'_> {
    async fn answer(&self, shared: &Shared) -> Response<Body> {
        let params = self.params();
        let key = self.header("idempotency-key").filter(|_| self.method == "POST");
        let number = shared.log(Logged {
            method: self.method.to_owned(),
            path: self.path.to_owned(),
            params: params.as_ref().map_or(Value::Null, |params| params.values().clone()),
            idempotency_key: key.map(str::to_owned),
            status: None,
        });
        let metered = params.as_ref().ok().and_then(|params| shared.store().metered(self.method, self.path, params));
        let _on_its_way = metered.map(|whose| shared.overlaps.begin(whose));
        let turn = self.authorize(shared).and_then(|()| match key {
            Some(key) => shared.keys.enter(key, &self.asked(), shared.clock.now().unix_timestamp()).map(Some),
            None => Ok(None),
        });
        // Faults also apply to requests that would be rejected.
        let mut fault = faults::strike(&mut locked(&shared.faults), self.method, self.path);
        if let Some(Fault { trouble: trouble @ (Trouble::Hang | Trouble::Status { .. }), after_the_work: false, .. }) = &fault {
            return self.troubled(shared, number, trouble, None).await;
        }
        let hold = fault.take_if(|fault| fault.trouble == Trouble::Hold);
        if hold.as_ref().is_some_and(|hold| !hold.after_the_work) {
            shared.held.wait().await;
        }
        let (answer, replayed) = match turn {
            Err(error) => (self.failed(&error), false),
            Ok(Some(Turn::Replay(answer))) => (answer, true),
            Ok(Some(Turn::First(running))) => (self.work(shared, params, Some(running)), false),
            Ok(None) => (self.work(shared, params, None), false),
        };
        if let Some(fault) = fault {
            return self.troubled(shared, number, &fault.trouble, Some(&answer)).await;
        }
        if hold.is_some_and(|hold| hold.after_the_work) {
            shared.held.wait().await;
        }
        shared.log_status(number, answer.status);
        let mut response = self.response(shared, &answer, Body::from(answer.body.clone()));
        if replayed {
            response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
            put(response.headers_mut(), "original-request", &answer.request);
        }
        response
    }

    fn params(&self) -> Checked<Params> {
        let Ok(body) = std::str::from_utf8(self.body) else {
            return Err(ApiError::invalid("Invalid UTF-8 in the request", ""));
        };
        Ok(Params::parse(self.query)?.and(Params::parse(body)?))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Bearer or basic authentication, with the key as the user name.
    fn authorize(&self, shared: &Shared) -> Checked<()> {
        let given = self.header("authorization").and_then(|value| value.split_once(' '));
        let key = match given {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Some(key.trim().to_owned()),
            Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => {
                from_base64(pair.trim()).map(|pair| pair.split(':').next().unwrap_or_default().to_owned())
            }
            _ => None,
        };
        match key {
            Some(key) if key == shared.secret_key => Ok(()),
            Some(_) => Err(ApiError::unauthorized("Invalid API Key provided.")),
            None => Err(ApiError::unauthorized(
                "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth.",
            )),
        }
    }

    fn asked(&self) -> String {
        format!("{} {}?{}\n{}", self.method, self.path, self.query, String::from_utf8_lossy(self.body))
    }

    fn work(&self, shared: &Shared, params: Checked<Params>, running: Option<Running>) -> Answer {
        let origin = Origin { request: Some(self.request.clone()), idempotency_key: self.header("idempotency-key").map(str::to_owned) };
        let done = params.and_then(|params| shared.work(origin, |store| store.serve(self.method, self.path, &params)));
        let answer = match done {
            Ok(value) => Answer { status: 200, body: pretty(&value), request: self.request.clone() },
            Err(error) => self.failed(&error),
        };
        if let Some(running) = running {
            running.done(&answer);
        }
        answer
    }

    fn failed(&self, error: &ApiError) -> Answer {
        Answer { status: error.status, body: pretty(&error.body()), request: self.request.clone() }
    }

    async fn troubled(&self, shared: &Shared, number: u64, trouble: &Trouble, answer: Option<&Answer>) -> Response<Body> {
        let (status, body) = match (trouble, answer) {
            (Trouble::Status { status, retry_after }, _) => {
                let answer = self.failed(&ApiError::of_status(*status));
                shared.log_status(number, *status);
                let mut response = self.response(shared, &answer, Body::from(answer.body.clone()));
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
                }
                return response;
            }
            (Trouble::EmptyList { has_more }, _) => {
                shared.log_status(number, 200);
                let body = json!({"object": "list", "data": [], "has_more": has_more, "url": self.path}).to_string();
                let answer = Answer { status: 200, body: String::new(), request: self.request.clone() };
                return self.response(shared, &answer, Body::from(body));
            }
            (Trouble::OldestFirst, Some(answer)) => {
                shared.log_status(number, answer.status);
                let mut list: Value = serde_json::from_str(&answer.body).unwrap_or_default();
                if let Some(objects) = list["data"].as_array_mut() {
                    objects.reverse();
                }
                return self.response(shared, answer, Body::from(list.to_string()));
            }
            (Trouble::Hang | Trouble::Hold, _) | (_, None) => return std::future::pending().await,
            (_, Some(answer)) => (answer.status, answer.body.as_bytes()),
        };
        shared.log_status(number, status);
        let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
        let answer = Answer { status, body: String::new(), request: self.request.clone() };
        if *trouble == Trouble::MalformedJson {
            return self.response(shared, &answer, Body::from(half));
        }
        // The connection closes after the first half is sent.
        let broken = async {
            tokio::task::yield_now().await;
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
        };
        let cut = futures::stream::once(std::future::ready(Ok(half))).chain(futures::stream::once(broken));
        let mut response = self.response(shared, &answer, Body::from_stream(cut));
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        response
    }

    fn response(&self, shared: &Shared, answer: &Answer, body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = axum::http::StatusCode::from_u16(answer.status).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        put(headers, "request-id", &self.request);
        put(headers, "stripe-version", self.header("stripe-version").unwrap_or(API_VERSION));
        put(headers, "date", &shared.clock.now().format(HTTP_DATE).unwrap_or_default());
        if let Some(key) = self.header("idempotency-key") {
            put(headers, "idempotency-key", key);
        }
        response
    }
}

/// The customer portal, for browsers.
fn portal(shared: &Shared, method: &str, path: &str, body: &[u8]) -> Response<Body> {
    match (method, path.split_once('/')) {
        ("GET", None) => match shared.store().portal_page(path) {
            Some(page) => {
                let mut response = plain(200, "text/html; charset=utf-8", page);
                put(response.headers_mut(), "content-security-policy", PORTAL_POLICY);
                response
            }
            None => plain(404, "text/plain", "no such session".to_owned()),
        },
        ("POST", Some((session, "pay"))) => {
            let params = Params::parse(&String::from_utf8_lossy(body));
            match params.and_then(|params| shared.work(Origin::default(), |store| store.pay_in_portal(session, &params))) {
                Ok(()) => {
                    let mut response = plain(303, "text/plain", String::new());
                    put(response.headers_mut(), "location", &format!("/p/session/{session}"));
                    response
                }
                Err(error) => plain(error.status, "text/plain", error.message),
            }
        }
        _ => plain(404, "text/plain", "no such page".to_owned()),
    }
}

/// Whether a browser sends this for another site's page, or with another host name for this address
/// (DNS rebinding): both are rejected, because this listens on a developer's loopback address.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return false };
    let Some(authority) = text(header::HOST).and_then(|host| host.parse::<Authority>().ok()) else { return true };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_address = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok();
    !is_address || origin.strip_prefix("http://") != Some(authority.as_str())
}

/// Controls for tests and the demo.
async fn control(shared: &Shared, method: &str, name: &str, body: &[u8]) -> Result<Value, String> {
    let unreadable = |error: serde_json::Error| error.to_string();
    match (method, name) {
        ("POST", "faults") => locked(&shared.faults).push(serde_json::from_slice::<Fault>(body).map_err(unreadable)?),
        ("DELETE", "faults") => locked(&shared.faults).clear(),
        ("POST", "webhooks") => {
            let endpoint: Endpoint = serde_json::from_slice(body).map_err(unreadable)?;
            *locked(&shared.deliveries.endpoint) = Some(endpoint);
        }
        ("DELETE", "webhooks") => *locked(&shared.deliveries.endpoint) = None,
        ("POST", "clock") => {
            let asked: Value = serde_json::from_slice(body).map_err(unreadable)?;
            let seconds = asked["advance_s"].as_i64().filter(|seconds| (0..=FURTHEST).contains(seconds));
            shared.clock.advance(seconds.ok_or_else(|| format!("`advance_s` is a number of seconds, at most {FURTHEST}"))?);
        }
        ("POST", "settle") => shared.deliveries.settle().await,
        ("POST", "objects") => {
            for object in serde_json::from_slice::<Vec<Value>>(body).map_err(unreadable)? {
                let (Some(kind), Some(_)) = (object["object"].as_str().map(str::to_owned), object["id"].as_str()) else {
                    return Err("each object needs `object` and `id`".to_owned());
                };
                shared.store().put(&kind, object);
            }
        }
        ("POST", "release") => return Ok(json!({"released": shared.held.release()})),
        ("GET", "held") => return Ok(json!({"waiting": shared.held.0.borrow().waiting})),
        ("GET", "overlaps") => return serde_json::to_value(shared.overlaps.greatest()).map_err(unreadable),
        ("GET", "requests") => return serde_json::to_value(shared.requests()).map_err(unreadable),
        ("GET", "deliveries") => return serde_json::to_value(shared.deliveries.attempts()).map_err(unreadable),
        _ => return Err(format!("there is no {method} /_{name}")),
    }
    Ok(json!({"ok": true}))
}

fn plain(status: u16, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Indented, as Stripe does.
fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Base64 with the standard alphabet; the input is only keys and a colon.
fn from_base64(text: &str) -> Option<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0);
    for character in text.bytes().filter(|character| *character != b'=') {
        let digit = ALPHABET.iter().position(|known| *known == character)?;
        bits = bits << 6 | u32::try_from(digit).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xFF).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}
