//! The one client that asks Stripe.
//!
//! `async-stripe`'s core says what a request is; sending is our own, because the mirror stores the
//! answers unchanged (`stripe::webhook::read` reads each object, whatever its age), with Stripe's
//! clock, over pooled connections. One loop retries: under one idempotency key, as Stripe asks
//! (`Retry-After`, `Stripe-Should-Retry`) or with jittered backoff, within a budget of time. A circuit
//! breaker answers for Stripe while it is down, and a token bucket keeps this process within Stripe's
//! rate.

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

/// Cheap to clone; all clones share connections, rate and circuit.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    transport: Transport,
    settings: Settings,
    circuit: Mutex<Circuit>,
    /// Stripe allows 100 operations a second of a live account ("Rate limits"); all of this process share
    /// this one.
    limiter: Mutex<TokenBucket<Instant>>,
}

/// How patient and how fast the client is.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub backoff: Backoff,
    pub circuit: CircuitRules,
    /// Operations a second, and at once after a pause.
    pub rate: (u32, u32),
    pub page: Patience,
    pub job: Patience,
}

/// How long a caller waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one try.
    pub a_try: Duration,
    /// For all tries and the waits between them.
    pub budget: Duration,
}

/// Who asks: somebody in front of a page, whom an open circuit is told at once, or a job, which waits for it if that is within its budget.
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

/// A success.
#[derive(Clone, Debug)]
pub struct Answer {
    /// When Stripe answered, by its own clock.
    pub at: Option<OffsetDateTime>,
    /// When this was asked for, by Stripe's clock: what it gives is no older.
    pub asked_at: Option<OffsetDateTime>,
    /// The version whose shapes it uses.
    pub api_version: String,
    /// Well-formed JSON.
    pub body: Bytes,
}

impl Answer {
    /// How old what it gives is at most. `before`: our clock before the request. Neither clock is trusted alone: Stripe's `Date` may be seconds
    /// behind or ahead of the clock that its events have, and so may ours. What is dated too early loses against an event that it may contain;
    /// what is dated too late would replace a newer one.
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

    /// The same account and address under other settings, with a circuit and a rate of its own.
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

    /// Asks for something. `operation` names it in the metrics, e.g. `events.list`.
    pub async fn get<R: StripeRequest>(&self, operation: &'static str, caller: Caller, request: &R) -> Result<Answer, StripeError> {
        self.call(operation, caller, request, None).await
    }

    /// Changes something. However often it is tried, and by however many processes with this key, it is done once.
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
            tracing::warn!(operation, %error, ms = started.elapsed().as_millis(), "Stripe did not do it");
        }
        result
    }

    /// The one loop of tries.
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
            // What begins when nobody waits any more is of no use.
            let last = !failure.may_pass || at_once || started.elapsed() + wait >= patience.budget;
            // An open circuit says less than what opened it.
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

    /// One try, if circuit and rate allow it within the time that is left.
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

/// The circuit's leave to send one request. Dropped unspent, the circuit learns that nothing came of it.
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
            tracing::info!(from = before, to = level, "the circuit to Stripe changes (0 closed, 1 probing, 2 open)");
        }
        metrics::gauge!(telemetry::STRIPE_CIRCUIT).set(f64::from(level));
        result
    }
}

/// A panic elsewhere leaves both state machines as they were between two steps.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
