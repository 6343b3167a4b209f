//! A token bucket: a long-term rate, and a burst of unused tokens.

use time::{Duration, OffsetDateTime};

/// One sender's tokens, in millionths. The balance may be negative: the debt is paid off before
/// more is allowed.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    balance: i64,
    rate: u32,
    most: i64,
    at: OffsetDateTime,
}

impl TokenBucket {
    const TOKEN: i64 = 1_000_000;

    /// A full bucket: `rate` tokens a second, at least one, for this long.
    pub fn full(rate: u32, saved_for: Duration, now: OffsetDateTime) -> TokenBucket {
        let rate = rate.max(1);
        let most = i64::from(rate).saturating_mul(saved_for.whole_seconds().max(1)).saturating_mul(TokenBucket::TOKEN);
        TokenBucket { balance: most, rate, most, at: now }
    }

    pub fn refill(&mut self, now: OffsetDateTime) {
        // If the clock was set back, nothing is added.
        let since = i64::try_from((now - self.at).whole_microseconds()).unwrap_or(0).max(0);
        self.balance = self.balance.saturating_add(since.saturating_mul(i64::from(self.rate))).min(self.most);
        self.at = now;
    }

    pub fn spend(&mut self, tokens: usize) {
        self.balance = self.balance.saturating_sub(i64::try_from(tokens).unwrap_or(i64::MAX).saturating_mul(TokenBucket::TOKEN));
    }

    /// None if a token is available, otherwise in how many seconds one will be.
    pub fn wait(&self) -> Option<u64> {
        let lacking = u64::try_from(1 - self.balance).ok().filter(|lacking| *lacking > 0)?;
        Some(lacking.div_ceil(u64::from(self.rate) * TokenBucket::TOKEN.unsigned_abs()).max(1))
    }

    /// Whole tokens.
    pub fn left(&self) -> u64 {
        u64::try_from(self.balance / TokenBucket::TOKEN).unwrap_or(0)
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
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-22 15:50 UTC);

    proptest! {
        #[test]
        fn usage_never_exceeds_rate_plus_burst(
            rate in 1u32..100, saved in 1i64..60, pauses in prop::collection::vec(0i64..3_000, 1..300),
        ) {
            let mut bucket = TokenBucket::full(rate, Duration::seconds(saved), NOW);
            let (mut now, mut taken) = (NOW, 0i64);
            for pause in pauses {
                now += Duration::milliseconds(pause);
                bucket.refill(now);
                match bucket.wait() {
                    None => {
                        bucket.spend(1);
                        taken += 1;
                    }
                    Some(seconds) => {
                        // The reported wait is enough.
                        let mut later = bucket.clone();
                        later.refill(now + Duration::seconds(i64::try_from(seconds).unwrap()));
                        prop_assert_eq!(later.wait(), None);
                    }
                }
                let allowed = (now - NOW).as_seconds_f64() * f64::from(rate) + f64::from(rate) * saved as f64 + 1.0;
                prop_assert!(taken as f64 <= allowed, "{} of {}", taken, allowed);
            }
            bucket.refill(now + Duration::seconds(saved + 1));
            prop_assert!(bucket.is_full());
        }
    }
}
