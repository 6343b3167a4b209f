//! A token bucket: a long-term rate, and a burst of unused tokens. All rate limits use it: requests
//! of an address, requests and events of an API key, calls to Stripe's API.

use std::{ops::Sub, time::Duration};

/// One sender's tokens, in millionths. `T` is the clock's instant: `OffsetDateTime` if tests set
/// the time, `Instant` if the system's clock may be adjusted.
///
/// The balance may be negative: the debt is paid off before more is allowed.
#[derive(Clone, Debug)]
pub struct TokenBucket<T> {
    balance: i64,
    rate: u32,
    most: i64,
    at: T,
}

const TOKEN: i64 = 1_000_000;

impl<T> TokenBucket<T>
where
    T: Copy + Sub,
    <T as Sub>::Output: TryInto<Duration>,
{
    /// A full bucket: `rate` tokens a second, and a burst of `most` after a pause. Both are at
    /// least one.
    pub fn full(rate: u32, most: u64, now: T) -> TokenBucket<T> {
        let most = i64::try_from(most.max(1)).unwrap_or(i64::MAX).saturating_mul(TOKEN);
        TokenBucket { balance: most, rate: rate.max(1), most, at: now }
    }

    pub fn refill(&mut self, now: T) {
        // If the clock was set back, nothing is added.
        let since = (now - self.at).try_into().map_or(0, |since: Duration| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        self.balance = self.balance.saturating_add(since.saturating_mul(i64::from(self.rate))).min(self.most);
        self.at = now;
    }

    pub fn spend(&mut self, tokens: usize) {
        self.balance = self.balance.saturating_sub(i64::try_from(tokens).unwrap_or(i64::MAX).saturating_mul(TOKEN));
    }

    /// None if a token is available, otherwise in how many seconds one will be.
    pub fn wait(&self) -> Option<u64> {
        let wait = self.until(1);
        (!wait.is_zero()).then(|| wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }

    /// Reserves a token, and returns how long until it is available.
    ///
    /// # Errors
    /// The wait, if it is longer than `at_most`; no token is spent then.
    pub fn reserve(&mut self, now: T, at_most: Duration) -> Result<Duration, Duration> {
        self.refill(now);
        let wait = self.until(TOKEN);
        if wait > at_most {
            return Err(wait);
        }
        self.spend(1);
        Ok(wait)
    }

    /// How long until the balance reaches this many millionths.
    fn until(&self, balance: i64) -> Duration {
        let lacking = u64::try_from(balance.saturating_sub(self.balance)).unwrap_or(0);
        Duration::from_micros(lacking.div_ceil(u64::from(self.rate)))
    }

    /// Whole tokens.
    pub fn left(&self) -> u64 {
        u64::try_from(self.balance / TOKEN).unwrap_or(0)
    }

    /// Whether the bucket is full again, so that it need not be stored.
    pub const fn is_full(&self) -> bool {
        self.balance >= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Instant;
    use time::{OffsetDateTime, macros::datetime};

    const NOW: OffsetDateTime = datetime!(2026-11-22 15:50 UTC);

    proptest! {
        #[test]
        fn nothing_exceeds_the_rate_and_what_was_saved(
            rate in 1u32..100, saved in 1u32..60, pauses in prop::collection::vec(0i64..3_000, 1..300),
        ) {
            let mut bucket = TokenBucket::full(rate, u64::from(rate * saved), NOW);
            let (mut now, mut taken) = (NOW, 0i64);
            for pause in pauses {
                now += time::Duration::milliseconds(pause);
                bucket.refill(now);
                match bucket.wait() {
                    None => {
                        bucket.spend(1);
                        taken += 1;
                    }
                    Some(seconds) => {
                        // The reported wait is enough.
                        let mut later = bucket.clone();
                        later.refill(now + time::Duration::seconds(i64::try_from(seconds).unwrap()));
                        prop_assert_eq!(later.wait(), None);
                    }
                }
                let allowed = (now - NOW).as_seconds_f64() * f64::from(rate) + f64::from(rate * saved) + 1.0;
                prop_assert!(taken as f64 <= allowed, "{} of {}", taken, allowed);
            }
            bucket.refill(now + time::Duration::seconds(i64::from(saved) + 1));
            prop_assert!(bucket.is_full());
        }

        /// In any pattern of arrival, no second has more than the rate plus the burst.
        #[test]
        fn no_second_has_more_than_rate_and_burst(arrivals in prop::collection::vec(0u64..30, 1..600)) {
            let mut now = Instant::now();
            let mut bucket = TokenBucket::full(90, 10, now);
            let mut turns = Vec::new();
            for gap in arrivals {
                now += Duration::from_millis(gap);
                turns.push(now + bucket.reserve(now, Duration::from_secs(600)).unwrap());
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
        let mut bucket = TokenBucket::full(10, 3, now);
        let waits: Vec<u128> = (0..5).map(|_| bucket.reserve(now, Duration::MAX).unwrap().as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200]);
    }

    #[test]
    fn a_refused_reservation_spends_nothing() {
        let now = Instant::now();
        let mut bucket = TokenBucket::full(10, 1, now);
        bucket.reserve(now, Duration::ZERO).unwrap();
        for _ in 0..3 {
            assert_eq!(bucket.reserve(now, Duration::from_millis(50)), Err(Duration::from_millis(100)));
        }
        assert_eq!(bucket.reserve(now + Duration::from_millis(100), Duration::ZERO), Ok(Duration::ZERO));
    }

    #[test]
    fn a_clock_set_back_gives_nothing() {
        let mut bucket = TokenBucket::full(1, 1, NOW);
        bucket.spend(1);
        bucket.refill(NOW - time::Duration::hours(1));
        assert_eq!(bucket.wait(), Some(1));
    }
}
