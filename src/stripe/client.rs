//! The client for Stripe's API.
//!
//! `async-stripe`'s core defines the requests; this module sends them, because the mirror stores
//! the responses unchanged (`stripe::webhook::read` reads each object, whatever its age), with
//! Stripe's clock, over pooled connections. One loop retries: under one idempotency key, as Stripe
//! asks (`Retry-After`, `Stripe-Should-Retry`) or with jittered backoff, within a budget of time. A
//! circuit breaker fails requests at once while Stripe is down, and a token bucket keeps this
//! process within Stripe's rate.

mod backoff;
mod circuit;
mod error;
mod meters;
mod objects;
pub mod page;
mod request;
#[cfg(test)]
mod tests;
mod transport;

pub use backoff::Backoff;
pub use circuit::Rules as CircuitRules;
pub use error::StripeError;
pub use meters::MeterEvent;
pub use objects::Window;
pub use page::Page;

use crate::{
    config::Config,
    domain::token_bucket::TokenBucket,
    telemetry::{self, traces},
};
use bytes::Bytes;
use circuit::Circuit;
use serde::de::DeserializeOwned;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use stripe::{IdempotencyKey, StripeRequest};
use stripe_client_core::StripeMethod;
use time::OffsetDateTime;
use tracing::Instrument;
use transport::{Failure, Prepared, Transport};

/// Cheap to clone; all clones share connections, rate limit and circuit breaker.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    transport: Transport,
    settings: Settings,
    circuit: Mutex<Circuit>,
    /// Stripe allows 100 operations a second of a live account ("Rate limits"); all of this process
    /// share this one.
    limiter: Mutex<TokenBucket<Instant>>,
}

/// Timeouts and limits of the client.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub backoff: Backoff,
    pub circuit: CircuitRules,
    /// Operations per second, and the burst after a pause.
    pub rate: (u32, u32),
    pub page: Patience,
    pub job: Patience,
}

/// A caller's time limits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Per attempt.
    pub a_try: Duration,
    /// For all attempts and the waits between them.
    pub budget: Duration,
}

/// The caller: a page, for which an open circuit fails at once, or a job, which waits for it within
/// its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Page,
    Job,
}

impl Default for Settings {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Settings {
            backoff: Backoff { base: Duration::from_millis(500), cap: seconds(8) },
            circuit: CircuitRules { failures: 5, pause: seconds(5), longest_pause: seconds(60) },
            // Together Stripe's 100 operations a second.
            rate: (90, 10),
            page: Patience { a_try: seconds(5), budget: seconds(10) },
            job: Patience { a_try: seconds(30), budget: seconds(90) },
        }
    }
}

/// A successful response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// When Stripe responded, by its clock.
    pub at: Option<OffsetDateTime>,
    /// When the request was sent, by Stripe's clock: the content is not older.
    pub asked_at: Option<OffsetDateTime>,
    /// The API version of its shapes.
    pub api_version: String,
    /// Valid JSON.
    pub body: Bytes,
}

impl Answer {
    /// The earliest time of the content. `before`: our clock before the request. Neither clock is
    /// exact: Stripe's `Date` may be seconds off the clock of its events, and so may ours. Too
    /// early a time loses against an event that the content may include; too late a time would
    /// replace a newer event.
    pub fn no_older_than(&self, before: OffsetDateTime) -> OffsetDateTime {
        self.asked_at.map_or(before, |asked| asked.min(before))
    }

    pub fn read<T: DeserializeOwned>(&self) -> Result<T, StripeError> {
        serde_json::from_slice(&self.body).map_err(|error| StripeError::Unreadable(error.to_string()))
    }

    pub fn text(&self) -> Result<&str, StripeError> {
        str::from_utf8(&self.body).map_err(|error| StripeError::Unreadable(error.to_string()))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl Client {
    /// With the key and address of these settings; None without a key.
    pub fn of(config: &Config) -> Result<Option<Client>, StripeError> {
        Client::with_settings(config, Settings { rate: config.file.stripe.rate(), ..Settings::default() })
    }

    /// The same account and address with other settings, and its own circuit breaker and limiter.
    pub fn with_settings(config: &Config, settings: Settings) -> Result<Option<Client>, StripeError> {
        let Some(key) = &config.stripe_secret_key else { return Ok(None) };
        Client::new(Transport::new(key, &config.stripe_api_base, config.stripe_account.as_deref())?, settings).map(Some)
    }

    fn new(transport: Transport, settings: Settings) -> Result<Client, StripeError> {
        let (rate, burst) = settings.rate;
        Ok(Client(Arc::new(Shared {
            transport,
            settings,
            circuit: Mutex::new(Circuit::new(settings.circuit)),
            limiter: Mutex::new(TokenBucket::full(rate, u64::from(burst), Instant::now())),
        })))
    }

    /// Sends a read request. `operation` is its metric label, e.g. `events.list`.
    pub async fn get<R: StripeRequest>(&self, operation: &'static str, caller: Caller, request: &R) -> Result<Answer, StripeError> {
        self.call(operation, caller, request, None).await
    }

    /// Sends a write request. It takes effect once, whatever the number of attempts and processes
    /// with this key.
    pub async fn post<R: StripeRequest>(
        &self,
        operation: &'static str,
        caller: Caller,
        request: &R,
        key: &IdempotencyKey,
    ) -> Result<Answer, StripeError> {
        self.call(operation, caller, request, Some(key)).await
    }

    async fn call<R: StripeRequest>(
        &self,
        operation: &'static str,
        caller: Caller,
        request: &R,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer, StripeError> {
        let request = request.build();
        debug_assert_eq!(matches!(request.method, StripeMethod::Get), key.is_none());
        let prepared = self.0.transport.prepare(request, key.map(IdempotencyKey::as_str))?;
        let started = Instant::now();
        let span = tracing::debug_span!(
            "stripe",
            operation,
            otel.name = traces::on().then(|| format!("Stripe {operation}")),
            otel.kind = "client"
        );
        let result = self.persist(operation, caller, &prepared, started).instrument(span.clone()).await;
        if result.is_err() {
            traces::failed(&span);
        }
        metrics::histogram!(telemetry::STRIPE_REQUEST_SECONDS, "operation" => operation).record(started.elapsed().as_secs_f64());
        let name = result.as_ref().map_or_else(StripeError::result, |_| "ok");
        metrics::counter!(telemetry::STRIPE_REQUESTS, "operation" => operation, "result" => name).increment(1);
        if let Err(error) = &result {
            tracing::warn!(operation, %error, ms = started.elapsed().as_millis(), "the request failed");
        }
        result
    }

    /// The retry loop.
    async fn persist(&self, operation: &'static str, caller: Caller, prepared: &Prepared, started: Instant) -> Result<Answer, StripeError> {
        let Settings { backoff, page, job, .. } = self.0.settings;
        let patience = if caller == Caller::Page { page } else { job };
        let mut failures = 0;
        let mut cause = None;
        loop {
            let left = patience.budget.saturating_sub(started.elapsed());
            let failure = match self.attempt(prepared, patience.a_try, left).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let at_once = caller == Caller::Page && failure.error == StripeError::CircuitOpen;
            failures += 1;
            let wait = backoff.wait(failures, failure.retry_after, rand::random());
            // After the timeout, no attempt starts.
            let last = !failure.may_pass || at_once || started.elapsed() + wait >= patience.budget;
            // An open circuit says less than the error that opened it.
            let open = failure.error == StripeError::CircuitOpen;
            cause = if open { cause.or(Some(failure.error)) } else { Some(failure.error) };
            if let Some(cause) = cause.take_if(|_| last) {
                return Err(cause);
            }
            metrics::counter!(telemetry::STRIPE_RETRIES, "operation" => operation).increment(1);
            tracing::debug!(operation, ?cause, wait_ms = wait.as_millis(), "trying again");
            tokio::time::sleep(wait).await;
        }
    }

    /// One attempt, if circuit breaker and limiter permit it in the remaining time.
    async fn attempt(&self, prepared: &Prepared, at_most: Duration, left: Duration) -> Result<Answer, Failure> {
        let leave = Leave::of(&self.0).map_err(|wait| Failure {
            error: StripeError::CircuitOpen,
            may_pass: true,
            counts: false,
            retry_after: Some(wait),
        })?;
        let turn = locked(&self.0.limiter).reserve(Instant::now(), left);
        let turn =
            turn.map_err(|wait| Failure { error: StripeError::RateLimited, may_pass: true, counts: false, retry_after: Some(wait) })?;
        if !turn.is_zero() {
            tokio::time::sleep(turn).await;
        }
        let sent = self.0.transport.send(prepared, at_most.min(left.saturating_sub(turn))).await;
        leave.spend(sent.as_ref().err().is_some_and(|failure| failure.counts));
        sent
    }
}

/// The circuit breaker's permit for one request. Dropped unused, it reports no result.
struct Leave<'a>(Option<&'a Shared>);

impl Leave<'_> {
    fn of(shared: &Shared) -> Result<Leave<'_>, Duration> {
        shared.on_circuit(|circuit| circuit.admit(Instant::now()))?;
        Ok(Leave(Some(shared)))
    }

    fn spend(mut self, failed: bool) {
        if let Some(shared) = self.0.take() {
            shared.on_circuit(|circuit| if failed { circuit.failed(Instant::now()) } else { circuit.answered() });
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.on_circuit(|circuit| circuit.abandoned(Instant::now()));
        }
    }
}

impl Shared {
    fn on_circuit<T>(&self, change: impl FnOnce(&mut Circuit) -> T) -> T {
        let mut circuit = locked(&self.circuit);
        let before = circuit.level();
        let result = change(&mut circuit);
        let level = circuit.level();
        if level != before {
            tracing::info!(from = before, to = level, "Stripe circuit breaker changed state (0 closed, 1 half-open, 2 open)");
        }
        metrics::gauge!(telemetry::STRIPE_CIRCUIT).set(f64::from(level));
        result
    }
}

/// After a panic elsewhere, both state machines are still consistent.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
