//! Limits of usage requests per key, and of those in the process: checked before a body is read.
//!
//! A key is charged after its request is read, and may go into debt by one request: a large request
//! passes at any rate, and the next ones wait until the debt is paid. So no rate is too low for a
//! request, and the rate holds in the long run.

use crate::{
    config,
    domain::token_bucket::TokenBucket,
    service::{Error, Result},
    telemetry,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use time::OffsetDateTime;
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

/// Size of a key's bucket in seconds of its rate.
const BURST_SECONDS: u32 = 10;
/// Maximum number of remembered keys. The least recently used are dropped first.
const MOST_KEYS: usize = 10_000;
/// Overhead of a request besides its body.
const REQUEST_BYTES: usize = 16 * 1024;
/// One key may use this share of the total.
const SHARE: usize = 4;

/// Admission of usage requests; cheap to clone.
#[derive(Clone)]
pub struct Admission(Arc<Inner>);

struct Inner {
    writers: Semaphore,
    most_bytes: usize,
    requests_per_second: u32,
    events_per_second: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bytes: usize,
    keys: HashMap<Uuid, Key>,
}

struct Key {
    bytes: usize,
    requests: TokenBucket<OffsetDateTime>,
    events: TokenBucket<OffsetDateTime>,
}

/// A key's remaining tokens, for the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub requests: u64,
    pub events: u64,
    /// Both after `window_seconds` without requests.
    pub most_requests: u64,
    pub most_events: u64,
    pub window_seconds: u64,
}

impl Admission {
    /// `connections`: the pool's size; half of them may write events.
    pub fn new(limits: &config::Limits, connections: u32) -> Admission {
        Admission(Arc::new(Inner {
            writers: Semaphore::new(usize::try_from(connections / 2).unwrap_or(1).max(1)),
            most_bytes: limits.ingest_in_flight_bytes,
            requests_per_second: limits.ingest_requests_per_second.get(),
            events_per_second: limits.ingest_events_per_second.get(),
            state: Mutex::default(),
        }))
    }

    /// Admits a key's request. `declared`: its Content-Length.
    pub fn admit(&self, key: Uuid, declared: usize, now: OffsetDateTime) -> Result<Admitted> {
        let mut state = self.0.state();
        if !state.keys.contains_key(&key) && state.keys.len() >= MOST_KEYS {
            state.forget_idle(now);
            if state.keys.len() >= MOST_KEYS {
                return Err(refuse(Error::Overloaded));
            }
        }
        let (requests, events) = (self.0.requests_per_second, self.0.events_per_second);
        let known = state.keys.entry(key).or_insert_with(|| Key {
            bytes: 0,
            requests: TokenBucket::full(requests, burst(requests), now),
            events: TokenBucket::full(events, burst(events), now),
        });
        known.requests.refill(now);
        known.events.refill(now);
        if let Some(retry_after) = known.requests.wait().max(known.events.wait()) {
            return Err(refuse(Error::RateLimited { retry_after }));
        }
        let mut admitted = Admitted { inner: self.0.clone(), key, bytes: 0 };
        let taken = admitted.take(&mut state, declared.saturating_add(REQUEST_BYTES));
        if taken.is_ok()
            && let Some(known) = state.keys.get_mut(&key)
        {
            known.requests.spend(1);
        }
        drop(state);
        taken.map(|()| admitted)
    }

    /// Waits for a permit to write, so that reads still get connections. First come, first served.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.0.writers.acquire().await.ok()
    }

    /// Bytes of the requests currently in the process.
    pub fn bytes_in_flight(&self) -> usize {
        self.0.state().bytes
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code under the lock can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget_idle(&mut self, now: OffsetDateTime) {
        self.keys.retain(|_, key| {
            key.requests.refill(now);
            key.events.refill(now);
            key.bytes > 0 || !key.requests.is_full() || !key.events.is_full()
        });
    }
}

/// An admitted request and its share of the memory limit, which is released on drop.
pub struct Admitted {
    inner: Arc<Inner>,
    key: Uuid,
    bytes: usize,
}

impl Admitted {
    /// Reserves memory for a body of this size, possibly more than declared.
    pub fn hold(&mut self, body_bytes: usize) -> Result<()> {
        let wanted = body_bytes.saturating_add(REQUEST_BYTES);
        if wanted <= self.bytes {
            return Ok(());
        }
        let inner = self.inner.clone();
        self.take(&mut inner.state(), wanted)
    }

    fn take(&mut self, state: &mut State, wanted: usize) -> Result<()> {
        let more = wanted - self.bytes;
        let key_bytes = state.keys.get(&self.key).map_or(0, |key| key.bytes);
        if key_bytes.saturating_add(more) > self.inner.most_bytes / SHARE {
            return Err(refuse(Error::RateLimited { retry_after: 1 }));
        }
        if state.bytes.saturating_add(more) > self.inner.most_bytes {
            return Err(refuse(Error::Overloaded));
        }
        state.bytes += more;
        if let Some(key) = state.keys.get_mut(&self.key) {
            key.bytes += more;
        }
        self.bytes = wanted;
        metrics::gauge!(telemetry::USAGE_BYTES_IN_FLIGHT).set(state.bytes as f64);
        Ok(())
    }

    /// Charges the key for the request's events, valid or not.
    pub fn charge(&self, events: usize) -> Allowance {
        let mut state = self.inner.state();
        let mut allowance = Allowance {
            requests: 0,
            events: 0,
            most_requests: burst(self.inner.requests_per_second),
            most_events: burst(self.inner.events_per_second),
            window_seconds: u64::from(BURST_SECONDS),
        };
        if let Some(key) = state.keys.get_mut(&self.key) {
            key.events.spend(events);
            (allowance.requests, allowance.events) = (key.requests.left(), key.events.left());
        }
        allowance
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut state = self.inner.state();
        state.bytes -= self.bytes;
        if let Some(key) = state.keys.get_mut(&self.key) {
            key.bytes -= self.bytes;
        }
        metrics::gauge!(telemetry::USAGE_BYTES_IN_FLIGHT).set(state.bytes as f64);
    }
}

/// What a key may use at once after a pause.
fn burst(rate: u32) -> u64 {
    u64::from(rate) * u64::from(BURST_SECONDS)
}

fn refuse(error: Error) -> Error {
    metrics::counter!(telemetry::USAGE_REQUESTS_REFUSED, "reason" => error.code().as_str()).increment(1);
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error_code::ErrorCode;
    use proptest::prelude::*;
    use time::{Duration, macros::datetime};

    const NOW: OffsetDateTime = datetime!(2026-11-22 15:50 UTC);
    const KIB: usize = 1024;

    fn admission(most_bytes: usize, requests: u32, events: u32) -> Admission {
        Admission(Arc::new(Inner {
            writers: Semaphore::new(1),
            most_bytes,
            requests_per_second: requests,
            events_per_second: events,
            state: Mutex::default(),
        }))
    }

    fn key(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn requests_in_flight_are_bounded_and_released() {
        let admission = admission(400 * KIB, 1000, 1000);
        let held: Vec<Admitted> = (0..4).map(|number| admission.admit(key(number), 84 * KIB, NOW).unwrap()).collect();
        assert_eq!(admission.bytes_in_flight(), 400 * KIB);
        assert_eq!(admission.admit(key(9), 0, NOW).err().map(|error| error.code()), Some(ErrorCode::Overloaded));
        drop(held);
        assert_eq!(admission.bytes_in_flight(), 0);
        assert!(admission.admit(key(9), 0, NOW).is_ok());
    }

    #[test]
    fn one_key_is_limited_to_its_share() {
        let admission = admission(400 * KIB, 1000, 1000);
        let mut growing = admission.admit(key(1), 0, NOW).unwrap();
        growing.hold(84 * KIB).unwrap();
        assert_eq!(growing.hold(84 * KIB + 1).unwrap_err().code(), ErrorCode::RateLimited);
        assert_eq!(admission.admit(key(1), 0, NOW).err().map(|error| error.code()), Some(ErrorCode::RateLimited));
        assert!(admission.admit(key(2), 84 * KIB, NOW).is_ok());
        drop(growing);
        assert!(admission.admit(key(1), 84 * KIB, NOW).is_ok());
    }

    #[test]
    fn idle_keys_are_dropped_and_bounded() {
        let admission = admission(usize::MAX, 1, 1000);
        for number in 0..MOST_KEYS as u128 {
            drop(admission.admit(key(number), 0, NOW).unwrap());
        }
        assert_eq!(admission.admit(key(u128::MAX), 0, NOW).err().map(|error| error.code()), Some(ErrorCode::Overloaded));
        assert!(admission.admit(key(u128::MAX), 0, NOW + Duration::SECOND).is_ok());
        assert_eq!(admission.0.state().keys.len(), 1);
    }

    proptest! {
        #[test]
        fn a_key_never_exceeds_rate_burst_and_one_request(
            rate in 1u32..500,
            requests in prop::collection::vec((0i64..20_000, 0usize..3_000), 1..200),
        ) {
            let admission = admission(usize::MAX, 1_000_000, rate);
            let (mut now, mut taken) = (NOW, 0);
            for (milliseconds, events) in requests {
                now += Duration::milliseconds(milliseconds);
                match admission.admit(key(1), 0, now) {
                    Ok(admitted) => {
                        admitted.charge(events);
                        taken += events;
                    }
                    Err(Error::RateLimited { retry_after }) => {
                        // The reported wait is enough, and not much too long.
                        let wait = Duration::seconds(retry_after as i64);
                        prop_assert!(admission.admit(key(1), 0, now + wait).is_ok());
                        now += wait;
                    }
                    Err(other) => prop_assert!(false, "{other}"),
                }
                let allowed = (now - NOW).as_seconds_f64() * f64::from(rate) + f64::from(rate) * 10.0 + 3_000.0;
                prop_assert!(taken as f64 <= allowed, "{taken} of {allowed}");
            }
        }
    }
}
