//! Rate limit per address for unauthenticated requests: enough for a large office, too little to
//! overload the server or to try keys.
//!
//! Each process counts separately. Authenticated requests, Stripe, health checks and files are
//! exempt.

use super::client::ClientAddress;
use crate::{
    config::Serving,
    domain::{login_throttle::network_of, token_bucket::TokenBucket},
    service::{Error, Result},
    telemetry,
};
use axum::extract::Request;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};
use time::OffsetDateTime;

/// Maximum number of addresses with their own bucket. Idle ones are dropped first; further
/// addresses share one bucket.
const MOST_ADDRESSES: usize = 50_000;
/// Size of an address's bucket in seconds of its rate.
const SAVED_SECONDS: u32 = 20;

/// Exempt paths: health checks of load balancers, signed webhooks, files. The folder `pkg` is
/// served by a layer outside.
const UNCOUNTED: [&str; 8] = [
    "/livez",
    "/readyz",
    "/api/v1/health",
    "/api/v1/webhooks/stripe",
    "/favicon.ico",
    "/favicon.svg",
    "/robots.txt",
    "/speculation-rules.json",
];

/// Usage of addresses; cheap to clone.
#[derive(Clone)]
pub struct AnonymousRequests(Arc<Inner>);

struct Inner {
    rate: u32,
    buckets: Mutex<Buckets>,
}

#[derive(Default)]
struct Buckets {
    of_addresses: HashMap<String, TokenBucket<OffsetDateTime>>,
    of_the_rest: Option<TokenBucket<OffsetDateTime>>,
}

impl AnonymousRequests {
    pub fn new(settings: &Serving) -> AnonymousRequests {
        let rate = settings.anonymous_requests_per_second.get();
        AnonymousRequests(Arc::new(Inner { rate, buckets: Mutex::default() }))
    }

    /// Counts an unauthenticated request.
    ///
    /// # Errors
    /// `rate_limited` if its address has reached the limit.
    pub fn count(&self, request: &Request, now: OffsetDateTime) -> Result<()> {
        let path = request.uri().path();
        if UNCOUNTED.contains(&path) {
            return Ok(());
        }
        match request.extensions().get::<ClientAddress>() {
            Some(ClientAddress(address)) => self.count_from(*address, now),
            None => Ok(()),
        }
    }

    fn count_from(&self, address: IpAddr, now: OffsetDateTime) -> Result<()> {
        let network = network_of(address);
        // No code under the lock can panic.
        let mut buckets = self.0.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Buckets { of_addresses, of_the_rest } = &mut *buckets;
        if of_addresses.len() >= MOST_ADDRESSES && !of_addresses.contains_key(&network) {
            of_addresses.retain(|_, bucket| {
                bucket.refill(now);
                !bucket.is_full()
            });
        }
        let new = || TokenBucket::full(self.0.rate, u64::from(self.0.rate) * u64::from(SAVED_SECONDS), now);
        let bucket = if of_addresses.len() < MOST_ADDRESSES || of_addresses.contains_key(&network) {
            of_addresses.entry(network).or_insert_with(new)
        } else {
            of_the_rest.get_or_insert_with(new)
        };
        bucket.refill(now);
        if let Some(retry_after) = bucket.wait() {
            metrics::counter!(telemetry::HTTP_REQUESTS_LIMITED).increment(1);
            return Err(Error::AddressLimited { retry_after });
        }
        bucket.spend(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error_code::ErrorCode;
    use std::net::Ipv4Addr;
    use time::{Duration, macros::datetime};

    const NOW: OffsetDateTime = datetime!(2026-11-22 15:50 UTC);

    fn limits(rate: u32) -> AnonymousRequests {
        let settings = Serving { anonymous_requests_per_second: rate.try_into().unwrap(), ..Serving::default() };
        AnonymousRequests::new(&settings)
    }

    #[test]
    fn addresses_are_limited_independently() {
        let limits = limits(2);
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..40 {
            limits.count_from(one, NOW).unwrap();
        }
        assert_eq!(limits.count_from(one, NOW).unwrap_err().retry_after(), Some(1));
        limits.count_from(other, NOW).unwrap();
        limits.count_from(one, NOW + Duration::SECOND).unwrap();
    }

    #[test]
    fn memory_is_bounded_and_further_addresses_share() {
        let limits = limits(1);
        let address = |number: u32| IpAddr::V4(Ipv4Addr::from(number));
        let most = u32::try_from(MOST_ADDRESSES).unwrap();
        for number in 0..most + 20 {
            limits.count_from(address(number), NOW).unwrap();
        }
        assert_eq!(limits.count_from(address(most + 20), NOW).unwrap_err().code(), ErrorCode::RateLimited);
        // Known addresses have their own buckets.
        limits.count_from(address(7), NOW).unwrap();
        assert_eq!(limits.0.buckets.lock().unwrap().of_addresses.len(), MOST_ADDRESSES);
        limits.count_from(address(most + 20), NOW + Duration::seconds(i64::from(SAVED_SECONDS))).unwrap();
        assert!(limits.0.buckets.lock().unwrap().of_addresses.len() < 10);
    }
}
