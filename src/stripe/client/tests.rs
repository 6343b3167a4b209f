//! The client against a faulty server.

use super::*;
use crate::config::Secret;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use request::{List, NoParameters, Request as ToStripe};
use std::{collections::VecDeque, net::SocketAddr};

const KEY: &str = "sk_test_hunter2";

/// The server's reaction to a request.
#[derive(Clone, Copy, Debug)]
enum Act {
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
    /// Content-Length exceeds the body.
    HalfABody,
    Silence,
}

const OK: Act = Act::Answer(200, &[("date", "Sun, 22 Nov 2026 15:50:00 GMT")], r#"{"ok":true}"#);
const DOWN: Act = Act::Answer(500, &[], "oops");

/// Reacts in this order, the last one repeatedly, and records requests.
#[derive(Clone)]
struct Server {
    acts: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    address: SocketAddr,
}

#[derive(Clone, Debug, PartialEq)]
struct Seen {
    line: String,
    key: Option<String>,
    authorization: Option<String>,
    peer: SocketAddr,
}

impl Server {
    async fn start(acts: &[Act]) -> Server {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server {
            acts: Arc::new(Mutex::new(acts.iter().copied().collect())),
            seen: Arc::default(),
            address: listener.local_addr().unwrap(),
        };
        let app = Router::new().fallback(respond).with_state(server.clone()).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(axum::serve(listener, app).into_future());
        server
    }

    fn client(&self, settings: Settings) -> Client {
        Client::new(Transport::new(&Secret(KEY.into()), &format!("http://{}", self.address), None).unwrap(), settings).unwrap()
    }

    fn seen(&self) -> Vec<Seen> {
        locked(&self.seen).clone()
    }
}

impl Server {
    /// Records the request, and returns the reaction.
    fn next_act(&self, request: &Request) -> Act {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let peer = request.extensions().get::<axum::extract::ConnectInfo<SocketAddr>>().unwrap().0;
        let line = format!("{} {}", request.method(), request.uri());
        locked(&self.seen).push(Seen { line, key: header("idempotency-key"), authorization: header("authorization"), peer });
        let mut acts = locked(&self.acts);
        if acts.len() > 1 { acts.pop_front().unwrap() } else { acts[0] }
    }
}

async fn respond(State(server): State<Server>, request: Request) -> Response {
    match server.next_act(&request) {
        Act::Answer(status, headers, body) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(*name, value.parse().unwrap());
            }
            response
        }
        Act::HalfABody => {
            let half = futures::stream::iter([Ok("{\"data\":["), Err(std::io::Error::other("cut off"))]);
            ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(half)).into_response()
        }
        Act::Silence => std::future::pending().await,
    }
}

fn quick() -> Settings {
    let ms = Duration::from_millis;
    Settings {
        backoff: Backoff { base: ms(2), cap: ms(10) },
        circuit: CircuitRules { failures: 4, pause: ms(200), longest_pause: ms(400) },
        rate: (10_000, 100),
        page: Patience { a_try: ms(300), budget: ms(1500) },
        job: Patience { a_try: ms(300), budget: ms(5000) },
    }
}

async fn ask(client: &Client, caller: Caller) -> Result<Answer, StripeError> {
    client.get("events.list", caller, &ToStripe::get("/events", List::after(None))).await
}

#[tokio::test]
async fn responses_have_stripes_clock_on_one_connection() {
    let server = Server::start(&[OK]).await;
    let client = server.client(quick());
    let first = ask(&client, Caller::Page).await.unwrap();
    ask(&client, Caller::Page).await.unwrap();
    assert_eq!(first.text().unwrap(), r#"{"ok":true}"#);
    assert_eq!(first.at, Some(time::macros::datetime!(2026-11-22 15:50 UTC)));
    let seen = server.seen();
    assert_eq!((seen[0].line.as_str(), &seen[0].key), ("GET /v1/events?limit=100", &None));
    assert_eq!(seen[0].authorization.as_deref(), Some("Bearer sk_test_hunter2"));
    assert_eq!(seen[0].peer, seen[1].peer);
}

#[tokio::test]
async fn writes_keep_their_key_over_all_attempts() {
    let conflict = Act::Answer(409, &[], "{}");
    let server = Server::start(&[DOWN, Act::HalfABody, conflict, OK]).await;
    let key = IdempotencyKey::new("apex-1").unwrap();
    let request = ToStripe::post("/billing_portal/sessions", NoParameters {});
    server.client(quick()).post("portal.create", Caller::Page, &request, &key).await.unwrap();
    let keys: Vec<_> = server.seen().into_iter().map(|seen| seen.key.unwrap()).collect();
    assert_eq!(keys, ["apex-1"; 4]);
}

#[tokio::test]
async fn temporary_errors_are_retried_refusals_are_not() {
    for (acts, requests, result) in [
        (vec![Act::Answer(429, &[], "{}"), OK], 2, "ok"),
        (vec![Act::Answer(503, &[], "{}"), Act::HalfABody, OK], 3, "ok"),
        (vec![Act::Answer(200, &[], r#"{"data":["#), OK], 2, "ok"),
        (vec![Act::Answer(404, &[], r#"{"error":{"message":"No such event"}}"#)], 1, "rejected"),
        (vec![Act::Answer(500, &[("stripe-should-retry", "false")], "{}")], 1, "unavailable"),
        (vec![Act::Answer(400, &[("stripe-should-retry", "true")], "{}"), OK], 2, "ok"),
    ] {
        let server = Server::start(&acts).await;
        let answer = ask(&server.client(quick()), Caller::Job).await;
        assert_eq!(answer.as_ref().map_or_else(StripeError::result, |_| "ok"), result, "{acts:?}");
        assert_eq!(server.seen().len(), requests, "{acts:?}");
    }
}

#[tokio::test]
async fn retry_after_is_respected_within_the_budget() {
    let slow = |seconds| Act::Answer(429, seconds, "{}");
    let server = Server::start(&[slow(&[("retry-after", "1")]), OK]).await;
    let started = Instant::now();
    ask(&server.client(quick()), Caller::Job).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));

    let server = Server::start(&[slow(&[("retry-after", "3600")]), OK]).await;
    let started = Instant::now();
    assert_eq!(ask(&server.client(quick()), Caller::Job).await.unwrap_err(), StripeError::RateLimited);
    assert!(started.elapsed() < Duration::from_secs(1) && server.seen().len() == 1);
}

#[tokio::test]
async fn attempts_time_out_within_the_budget() {
    let server = Server::start(&[Act::Silence]).await;
    let started = Instant::now();
    let settings = Settings { circuit: CircuitRules { failures: 100, ..quick().circuit }, ..quick() };
    let error = ask(&server.client(settings), Caller::Page).await.unwrap_err();
    assert!(matches!(&error, StripeError::Unavailable(why) if why.contains("no answer within")), "{error}");
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(1200) && took < Duration::from_secs(4), "{took:?}");
    assert!((4..=8).contains(&server.seen().len()), "{}", server.seen().len());
}

#[tokio::test]
async fn an_open_circuit_fails_pages_fast_and_probes_once() {
    let server = Server::start(&[DOWN, DOWN, DOWN, DOWN, OK]).await;
    let client = server.client(quick());
    // The fourth failure opens it, which ends the page's call.
    assert_eq!(ask(&client, Caller::Page).await.unwrap_err(), StripeError::Unavailable("status 500".into()));
    assert_eq!(server.seen().len(), 4);
    let started = Instant::now();
    assert_eq!(ask(&client, Caller::Page).await.unwrap_err(), StripeError::CircuitOpen);
    assert!(started.elapsed() < Duration::from_millis(150));
    assert_eq!(server.seen().len(), 4);
    // A job waits until it is half-open.
    ask(&client, Caller::Job).await.unwrap();
    ask(&client, Caller::Page).await.unwrap();
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn no_printable_value_contains_the_key() {
    let server = Server::start(&[Act::Answer(401, &[], r#"{"error":{"message":"Invalid API Key: sk_test_hunter2"}}"#)]).await;
    let client = server.client(quick());
    let error = ask(&client, Caller::Page).await.unwrap_err();
    for text in [format!("{client:?}"), format!("{error:?}"), error.to_string()] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(
        Transport::new(&Secret("sk_test_hunter2\n".into()), "http://x", None).is_err_and(|error| !error.to_string().contains("hunter2"))
    );
}
