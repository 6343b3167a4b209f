//! Stripe allows 100 operations a second for a live account ("Rate limits"); all requests of this
//! process share this limiter.

use std::time::{Duration, Instant};

/// A token bucket, stored as the instant at which it is full again (GCRA).
#[derive(Clone, Copy, Debug)]
pub struct Limiter {
    interval: Duration,
    burst: u32,
    full_at: Option<Instant>,
}

impl Limiter {
    /// `rate` operations a second, and a `burst` after a pause: never more than their sum within a
    /// second.
    pub fn new(rate: u32, burst: u32) -> Limiter {
        Limiter { interval: Duration::from_secs(1) / rate.max(1), burst: burst.max(1), full_at: None }
    }

    /// Reserves an operation; returns the wait until it may start.
    ///
    /// # Errors
    /// The wait, if it is longer than `at_most`; nothing is reserved then.
    pub fn reserve(&mut self, now: Instant, at_most: Duration) -> Result<Duration, Duration> {
        let full_at = self.full_at.map_or(now, |at| at.max(now));
        let wait = (full_at - now).saturating_sub(self.interval * (self.burst - 1));
        if wait > at_most {
            return Err(wait);
        }
        self.full_at = Some(full_at + self.interval);
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// In any pattern of arrival, no second has more than a hundred.
        #[test]
        fn no_second_exceeds_the_rate(arrivals in prop::collection::vec(0u64..30, 1..600)) {
            let start = Instant::now();
            let mut limiter = Limiter::new(90, 10);
            let mut now = start;
            let mut turns = Vec::new();
            for gap in arrivals {
                now += Duration::from_millis(gap);
                turns.push(now + limiter.reserve(now, Duration::from_secs(600)).unwrap());
            }
            prop_assert!(turns.is_sorted());
            for (first, turn) in turns.iter().enumerate() {
                let within = turns[first..].iter().take_while(|other| **other - *turn < Duration::from_secs(1)).count();
                prop_assert!(within <= 100, "{within}");
            }
        }
    }

    #[test]
    fn a_burst_passes_then_the_rate_applies() {
        let now = Instant::now();
        let mut limiter = Limiter::new(10, 3);
        let waits: Vec<u128> = (0..5).map(|_| limiter.reserve(now, Duration::MAX).unwrap().as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200]);
    }

    #[test]
    fn refused_waits_reserve_nothing() {
        let now = Instant::now();
        let mut limiter = Limiter::new(10, 1);
        limiter.reserve(now, Duration::ZERO).unwrap();
        for _ in 0..3 {
            assert_eq!(limiter.reserve(now, Duration::from_millis(50)), Err(Duration::from_millis(100)));
        }
        assert_eq!(limiter.reserve(now + Duration::from_millis(100), Duration::ZERO), Ok(Duration::ZERO));
    }
}
