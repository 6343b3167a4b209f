//! Delivers events to an endpoint with Stripe's signature; on demand out of order and repeatedly.

use super::clock::Clock;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{mpsc, watch};

/// Timeout of an endpoint.
const PATIENCE: Duration = Duration::from_secs(20);

/// The target of events.
#[derive(Clone, Debug, Deserialize)]
pub struct Endpoint {
    pub url: String,
    /// `whsec_…`
    pub secret: String,
    /// Delays before retries, in milliseconds; given up after the last.
    #[serde(default = "backoff")]
    pub backoff_ms: Vec<u64>,
    pub disorder: Option<Disorder>,
}

impl Endpoint {
    /// Signed, and in order.
    pub fn new(url: String, secret: String) -> Endpoint {
        Endpoint { url, secret, backoff_ms: backoff(), disorder: None }
    }
}

fn backoff() -> Vec<u64> {
    vec![1_000, 5_000, 30_000, 300_000]
}

/// How deliveries are shuffled: the same seed and events give the same order.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Disorder {
    pub seed: u64,
    /// Number of events that are collected and shuffled.
    pub gather: usize,
    /// Percentage of events that are delivered twice.
    pub twice_percent: u64,
    /// Maximum time until collected events are delivered; without it, only `settle` delivers them.
    pub linger_ms: Option<u64>,
}

/// An attempt.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    pub event: String,
    /// None without a response.
    pub status: Option<u16>,
}

enum Order {
    Deliver(Endpoint, Value),
    Flush,
}

pub struct Deliveries {
    pub endpoint: Mutex<Option<Endpoint>>,
    orders: mpsc::UnboundedSender<Order>,
    line: Line,
}

/// Shared by deliveries.
#[derive(Clone)]
struct Line {
    client: Client<HttpConnector, Full<Bytes>>,
    clock: Clock,
    waiting: Arc<watch::Sender<usize>>,
    attempts: Arc<Mutex<Vec<Attempt>>>,
}

impl Deliveries {
    pub fn start(clock: Clock) -> Deliveries {
        let (orders, incoming) = mpsc::unbounded_channel();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let line = Line { client, clock, waiting: Arc::new(watch::Sender::new(0)), attempts: Arc::default() };
        tokio::spawn(work(incoming, line.clone()));
        Deliveries { endpoint: Mutex::new(None), orders, line }
    }

    pub fn push(&self, events: Vec<Value>) {
        let Some(endpoint) = self.endpoint.lock().unwrap_or_else(PoisonError::into_inner).clone() else { return };
        for event in events {
            self.line.waiting.send_modify(|waiting| *waiting += 1);
            // The worker ends with the stand-in.
            drop(self.orders.send(Order::Deliver(endpoint.clone(), event)));
        }
    }

    /// Delivers collected events, and waits until every event is delivered or given up.
    pub async fn settle(&self) {
        drop(self.orders.send(Order::Flush));
        drop(self.line.waiting.subscribe().wait_for(|waiting| *waiting == 0).await);
    }

    pub fn attempts(&self) -> Vec<Attempt> {
        self.line.attempts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn work(mut incoming: mpsc::UnboundedReceiver<Order>, line: Line) {
    let mut gathered: Vec<(Endpoint, Value)> = Vec::new();
    let mut random = 0;
    loop {
        let disorder = gathered.first().and_then(|(endpoint, _)| endpoint.disorder);
        let order = match disorder.and_then(|disorder| disorder.linger_ms) {
            None => incoming.recv().await,
            Some(wait) => tokio::time::timeout(Duration::from_millis(wait), incoming.recv()).await.unwrap_or(Some(Order::Flush)),
        };
        match order {
            None => return,
            Some(Order::Deliver(endpoint, event)) => match endpoint.disorder {
                None => line.deliver(&endpoint, &event).await,
                Some(Disorder { gather, .. }) => {
                    gathered.push((endpoint, event));
                    if gathered.len() >= gather.max(1) {
                        flush(&mut gathered, &mut random, &line).await;
                    }
                }
            },
            Some(Order::Flush) => flush(&mut gathered, &mut random, &line).await,
        }
    }
}

async fn flush(gathered: &mut Vec<(Endpoint, Value)>, random: &mut u64, line: &Line) {
    let mut batch = std::mem::take(gathered);
    let Some(disorder) = batch.first().and_then(|(endpoint, _)| endpoint.disorder) else { return };
    *random ^= disorder.seed;
    for at in 0..batch.len() {
        if next(random) % 100 < disorder.twice_percent {
            line.waiting.send_modify(|waiting| *waiting += 1);
            batch.push(batch[at].clone());
        }
    }
    for at in (1..batch.len()).rev() {
        let other = usize::try_from(next(random) % (at as u64 + 1)).unwrap_or(0);
        batch.swap(at, other);
    }
    for (endpoint, event) in batch {
        line.deliver(&endpoint, &event).await;
    }
}

/// SplitMix64: small and deterministic.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Line {
    /// The first attempt; retries run in the background, so that a failed event doesn't block
    /// others.
    async fn deliver(&self, endpoint: &Endpoint, event: &Value) {
        if self.attempt(endpoint, event).await {
            return self.finished();
        }
        let (line, endpoint, event) = (self.clone(), endpoint.clone(), event.clone());
        tokio::spawn(async move {
            for wait in &endpoint.backoff_ms {
                tokio::time::sleep(Duration::from_millis(*wait)).await;
                if line.attempt(&endpoint, &event).await {
                    break;
                }
            }
            line.finished();
        });
    }

    fn finished(&self) {
        self.waiting.send_modify(|waiting| *waiting = waiting.saturating_sub(1));
    }

    async fn attempt(&self, endpoint: &Endpoint, event: &Value) -> bool {
        let body = serde_json::to_string_pretty(event).unwrap_or_default();
        let signature = sign(&endpoint.secret, self.clock.now().unix_timestamp(), &body);
        let request = axum::http::Request::post(&endpoint.url)
            .header("content-type", "application/json; charset=utf-8")
            .header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
            .header("stripe-signature", signature)
            .body(Full::new(Bytes::from(body)));
        let status = match request {
            Ok(request) => match tokio::time::timeout(PATIENCE, self.client.request(request)).await {
                Ok(Ok(answer)) => Some(answer.status().as_u16()),
                Ok(Err(_)) | Err(_) => None,
            },
            Err(_) => None,
        };
        let event = event["id"].as_str().unwrap_or_default().to_owned();
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).push(Attempt { event, status });
        status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// `t=…,v1=…`: HMAC-SHA256 of the time and the body.
fn sign(secret: &str, at: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}
