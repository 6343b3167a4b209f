//! How often an address may ask without saying who it is.
//!
//! Each request is charged to its address before anything is looked up for it, and given back once it turns out to be somebody's who is signed
//! in or has a valid key: those have limits of their own. Requests that bring a session or a key are counted apart from those that bring
//! nothing, so that whoever floods from the same address without either doesn't lock them out.

use super::{client::ClientAddress, problem::ApiError, state::Server};
use crate::{domain::token_bucket::TokenBucket, service::Error, telemetry};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use time::{Duration, OffsetDateTime};

/// Addresses that are remembered at once. Beyond that newcomers are not counted: to remember the others costs them nothing.
const MOST: usize = 50_000;
/// Those that have rested are forgotten at most so often, since it means to look at all.
const SWEEP_EVERY: Duration = Duration::seconds(1);

/// Who asks: an address, and whether it says who it is.
type Asker = (IpAddr, bool);

/// What addresses have left; cheap to clone.
#[derive(Clone)]
pub struct Rates(Arc<Inner>);

struct Inner {
    rate: u32,
    state: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    buckets: HashMap<Asker, TokenBucket>,
    swept_at: Option<OffsetDateTime>,
}

impl Rates {
    /// `rate`: requests of an address per second; it may save up ten seconds' worth.
    pub fn new(rate: NonZeroU32) -> Rates {
        Rates(Arc::new(Inner { rate: rate.get(), state: Mutex::default() }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing that could panic is done under the lock.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Charges a request, or says after how many seconds it may come.
    fn charge(&self, asker: Asker, now: OffsetDateTime) -> Result<(), u64> {
        let mut known = self.known();
        if known.buckets.len() >= MOST && !known.buckets.contains_key(&asker) {
            if known.swept_at.is_none_or(|swept| now - swept >= SWEEP_EVERY) {
                known.swept_at = Some(now);
                known.buckets.retain(|_, bucket| {
                    bucket.refill(now);
                    !bucket.is_full()
                });
            }
            if known.buckets.len() >= MOST {
                return Ok(());
            }
        }
        let bucket = known.buckets.entry(asker).or_insert_with(|| TokenBucket::full(self.0.rate, now));
        bucket.refill(now);
        match bucket.wait() {
            Some(seconds) => Err(seconds),
            None => {
                bucket.spend(1);
                Ok(())
            }
        }
    }
}

/// In the extensions of a request that was charged to its address.
#[derive(Clone)]
pub struct Charged {
    rates: Rates,
    asker: Asker,
}

impl Charged {
    /// It is somebody's who is known.
    pub fn give_back(&self, now: OffsetDateTime) {
        if let Some(bucket) = self.rates.known().buckets.get_mut(&self.asker) {
            bucket.refill(now);
            bucket.give_back(1);
        }
    }
}

/// Refuses what comes too often from one address.
pub async fn limit(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let address = request.extensions().get::<ClientAddress>().map(|ClientAddress(address)| network_of(*address));
    let path = request.uri().path();
    if let Some(address) = address.filter(|_| !is_exempt(path) && !is_file(path)) {
        let asker = (address, says_who(request.headers()));
        if let Err(retry_after) = server.rates.charge(asker, server.platform.clock.now()) {
            metrics::counter!(telemetry::HTTP_RATE_LIMITED).increment(1);
            return ApiError(Error::RateLimited { retry_after }).into_response();
        }
        request.extensions_mut().insert(Charged { rates: server.rates.clone(), asker });
    }
    next.run(request).await
}

/// What is asked often and by machines that bring no key: Stripe signs what it sends, and health checks cost little.
pub fn is_exempt(path: &str) -> bool {
    matches!(path, "/api/v1/webhooks/stripe" | "/api/v1/health" | "/livez" | "/readyz")
}

fn is_file(path: &str) -> bool {
    path.starts_with("/pkg/") || path == "/favicon.svg"
}

fn says_who(headers: &HeaderMap) -> bool {
    headers.contains_key(header::COOKIE) || headers.contains_key(header::AUTHORIZATION)
}

/// An IPv6 address stands for its /64: whoever has one has all of them.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-26 12:00 UTC);

    fn rates(per_second: u32) -> Rates {
        Rates::new(NonZeroU32::new(per_second).unwrap())
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn an_address_has_ten_seconds_worth_and_then_its_rate() {
        let rates = rates(2);
        assert_eq!((0..25).filter(|_| rates.charge((address(1), false), NOW).is_ok()).count(), 20);
        assert_eq!(rates.charge((address(1), false), NOW), Err(1));
        assert_eq!(rates.charge((address(2), false), NOW), Ok(()));
        assert_eq!(rates.charge((address(1), true), NOW), Ok(()), "who says who it is is counted apart");
        assert_eq!((0..5).filter(|_| rates.charge((address(1), false), NOW + Duration::SECOND).is_ok()).count(), 2);
    }

    #[test]
    fn who_is_known_pays_nothing() {
        let rates = rates(1);
        for _ in 0..100 {
            let asker = (address(1), true);
            rates.charge(asker, NOW).unwrap();
            Charged { rates: rates.clone(), asker }.give_back(NOW);
        }
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let of = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("192.0.2.1"), address(0xc000_0201));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_rested_are_forgotten() {
        let rates = rates(1);
        for number in 0..60_000 {
            assert!(rates.charge((address(number), false), NOW).is_ok());
        }
        assert_eq!(rates.known().buckets.len(), MOST);
        rates.charge((address(70_000), false), NOW + Duration::seconds(2)).unwrap();
        assert_eq!(rates.known().buckets.len(), 1);
    }
}
