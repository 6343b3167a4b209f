//! Delay before a retry, and whether to retry.

use std::time::Duration;

/// Capped exponential backoff with full jitter ("Exponential Backoff And Jitter", AWS Architecture
/// Blog).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The maximum delay after the first failure; it doubles with each further one.
    pub base: Duration,
    pub cap: Duration,
}

impl Backoff {
    /// The delay after `failures` failed attempts (at least one). `roll` is a random number in `[0,
    /// 1)`. The delay that Stripe requests is never shortened, only spread.
    pub fn wait(&self, failures: u32, asked: Option<Duration>, roll: f64) -> Duration {
        let doubled = self.base.saturating_mul(1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
        match asked {
            Some(asked) => asked.saturating_add(self.base.mul_f64(roll)),
            None => doubled.min(self.cap).mul_f64(roll),
        }
    }
}

/// Whether a response of this status is worth a retry: by `Stripe-Should-Retry`, else by "Advanced
/// error handling".
pub fn may_pass(status: u16, should_retry: Option<bool>) -> bool {
    should_retry.unwrap_or(matches!(status, 409 | 424 | 429 | 500..=599))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BACKOFF: Backoff = Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(8) };

    proptest! {
        #[test]
        fn delays_are_within_bounds(failures in 1u32..200, roll in 0.0f64..1.0) {
            let wait = BACKOFF.wait(failures, None, roll);
            prop_assert!(wait <= BACKOFF.cap);
            prop_assert!(wait <= BACKOFF.base.saturating_mul(1 << failures.min(30)));
        }

        #[test]
        fn retry_after_is_respected(failures in 1u32..200, roll in 0.0f64..1.0, seconds in 0u64..3600) {
            let asked = Duration::from_secs(seconds);
            let wait = BACKOFF.wait(failures, Some(asked), roll);
            prop_assert!(wait >= asked && wait <= asked + BACKOFF.base);
        }
    }

    #[test]
    fn delays_double_up_to_the_cap() {
        let longest = |failures| BACKOFF.wait(failures, None, 1.0).as_millis();
        assert_eq!([1, 2, 3, 4, 5, 6, 99].map(longest), [500, 1000, 2000, 4000, 8000, 8000, 8000]);
    }

    #[test]
    fn stripes_header_or_the_status_decides_retries() {
        for (status, header, again) in [
            (500, None, true),
            (503, None, true),
            (429, None, true),
            (409, None, true),
            (400, None, false),
            (402, None, false),
            (404, None, false),
            (500, Some(false), false),
            (400, Some(true), true),
        ] {
            assert_eq!(may_pass(status, header), again, "{status} {header:?}");
        }
    }
}
