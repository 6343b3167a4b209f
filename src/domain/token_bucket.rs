//! A token bucket: what is not used of a rate is kept for ten seconds.
//!
//! Whoever spends may go into debt once: a large request passes however low the rate is, and the next ones wait until it is paid for. So a
//! rate can't be too low for anybody, and holds in the long run.

use time::{Duration, OffsetDateTime};

/// What has not been used is kept for so long.
pub const BURST: Duration = Duration::seconds(10);

const TOKEN: i64 = 1_000_000;

/// Counts in millionths of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBucket {
    balance: i64,
    /// Tokens per second.
    rate: u32,
    at: OffsetDateTime,
}

impl TokenBucket {
    /// As much as is ever kept; `rate`: tokens per second.
    pub fn full(rate: u32, now: OffsetDateTime) -> TokenBucket {
        TokenBucket { balance: most(rate), rate, at: now }
    }

    /// Adds what came since the last time.
    pub fn refill(&mut self, now: OffsetDateTime) {
        // A clock that was set back gives nothing.
        let since = i64::try_from((now - self.at).whole_microseconds()).unwrap_or(0).max(0);
        self.balance = self.balance.saturating_add(since.saturating_mul(i64::from(self.rate))).min(most(self.rate));
        self.at = now;
    }

    pub fn spend(&mut self, tokens: usize) {
        self.balance = self.balance.saturating_sub(i64::try_from(tokens).unwrap_or(i64::MAX).saturating_mul(TOKEN));
    }

    /// Takes back that this was spent.
    pub fn give_back(&mut self, tokens: usize) {
        let tokens = i64::try_from(tokens).unwrap_or(i64::MAX).saturating_mul(TOKEN);
        self.balance = self.balance.saturating_add(tokens).min(most(self.rate));
    }

    /// None when there is something to spend, else in how many seconds there will be.
    pub fn wait(&self) -> Option<u64> {
        let lacking = u64::try_from(1 - self.balance).ok().filter(|lacking| *lacking > 0)?;
        Some(lacking.div_ceil(u64::from(self.rate.max(1)) * TOKEN.unsigned_abs()).max(1))
    }

    /// Whole tokens to spend.
    pub fn left(&self) -> u64 {
        u64::try_from(self.balance / TOKEN).unwrap_or(0)
    }

    /// Nothing would be lost by forgetting it.
    pub fn is_full(&self) -> bool {
        self.balance >= most(self.rate)
    }
}

fn most(rate: u32) -> i64 {
    i64::from(rate) * BURST.whole_seconds() * TOKEN
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-26 12:00 UTC);

    #[test]
    fn a_clock_that_is_set_back_gives_and_takes_nothing() {
        let mut bucket = TokenBucket::full(1, NOW);
        bucket.spend(10);
        assert_eq!(bucket.wait(), Some(1));
        bucket.refill(NOW - Duration::hours(1));
        assert_eq!((bucket.left(), bucket.wait()), (0, Some(1)));
        bucket.refill(NOW - Duration::hours(1) + Duration::seconds(2));
        assert_eq!((bucket.left(), bucket.wait()), (2, None));
    }

    proptest! {
        #[test]
        fn a_rate_holds_but_for_one_burst_and_one_request(
            rate in 1u32..1_000,
            steps in prop::collection::vec((0i64..5_000, 1usize..50), 1..200),
        ) {
            let (mut bucket, mut now, mut taken) = (TokenBucket::full(rate, NOW), NOW, 0);
            for (milliseconds, tokens) in steps {
                now += Duration::milliseconds(milliseconds);
                bucket.refill(now);
                match bucket.wait() {
                    None => {
                        bucket.spend(tokens);
                        taken += tokens;
                    }
                    Some(seconds) => {
                        let mut later = bucket;
                        later.refill(now + Duration::seconds(i64::try_from(seconds).unwrap()));
                        prop_assert_eq!(later.wait(), None);
                    }
                }
            }
            let allowed = (now - NOW).as_seconds_f64().mul_add(f64::from(rate), f64::from(rate) * 10.0 + 50.0);
            prop_assert!(taken as f64 <= allowed, "{} of {}", taken, allowed);
        }

        #[test]
        fn what_is_given_back_was_never_spent(rate in 1u32..1_000, spent in 0usize..5_000) {
            let mut bucket = TokenBucket::full(rate, NOW);
            bucket.spend(spent);
            bucket.give_back(spent);
            prop_assert_eq!(bucket, TokenBucket::full(rate, NOW));
        }
    }
}
