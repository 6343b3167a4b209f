//! Delays after wrong passwords, so that guessing is slow and owners are not locked out.
//!
//! Failures are counted per account and address, per account, and per address. The first few are
//! free; after that each failure doubles the wait, up to a limit. Attempts before the end of the
//! wait are rejected without checking the password, and don't count. From an address where the
//! account's owner has signed in before, only the first count matters: other clients can't lock the
//! owner out, not even through a shared address.

use std::net::IpAddr;
use time::{Duration, OffsetDateTime};

/// Scopes in which failures are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One account from one address.
    Pair,
    /// One account from all addresses from which its owner has not signed in.
    Account,
    /// One address, for any account.
    Address,
}

/// Wait after the first failure that is not free.
const FIRST_WAIT: Duration = Duration::seconds(5);

/// Failures in one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    pub failures: u32,
    pub last_failure_at: OffsetDateTime,
}

impl Scope {
    pub const ALL: [Scope; 3] = [Scope::Pair, Scope::Account, Scope::Address];

    /// The scopes that an attempt must pass. `familiar`: the owner has signed in from this address
    /// before.
    pub const fn checked(familiar: bool) -> &'static [Scope] {
        if familiar { &[Scope::Pair] } else { &Scope::ALL }
    }

    /// The scopes in which a failed attempt counts.
    pub const fn counted(familiar: bool) -> &'static [Scope] {
        if familiar { &[Scope::Pair, Scope::Address] } else { &Scope::ALL }
    }

    /// Failures without a wait.
    pub const fn free(self) -> u32 {
        match self {
            Scope::Pair => 5,
            Scope::Account => 20,
            Scope::Address => 30,
        }
    }

    /// The longest wait.
    pub const fn longest(self) -> Duration {
        match self {
            Scope::Pair => Duration::minutes(15),
            Scope::Account | Scope::Address => Duration::minutes(5),
        }
    }

    /// Without a failure for this long, the count is reset.
    pub const fn forgotten_after(self) -> Duration {
        match self {
            Scope::Pair | Scope::Account => Duration::hours(24),
            Scope::Address => Duration::hours(1),
        }
    }

    /// Time until the next attempt is allowed; None if it is allowed now.
    pub fn wait(self, tally: Tally, now: OffsetDateTime) -> Option<Duration> {
        let over = tally.failures.checked_sub(self.free())?;
        let doubled = FIRST_WAIT.checked_mul(2_i32.checked_pow(over).unwrap_or(i32::MAX)).unwrap_or(Duration::MAX);
        let whole = doubled.min(self.longest());
        // If the clock was set back, the wait is still limited to its full length.
        let left = (tally.last_failure_at + whole - now).min(whole);
        left.is_positive().then_some(left)
    }

    /// The tally after another failure.
    pub fn with_failure(self, tally: Tally, now: OffsetDateTime) -> Tally {
        let kept = if now - tally.last_failure_at >= self.forgotten_after() { 0 } else { tally.failures };
        Tally { failures: kept.saturating_add(1), last_failure_at: now }
    }
}

/// The key of an address: an IPv4 address, or the /64 that an IPv6 subscriber has at least.
pub fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-22 15:50 UTC);

    fn scopes() -> impl Strategy<Value = Scope> {
        prop::sample::select(Scope::ALL.to_vec())
    }

    fn failed(failures: u32) -> Tally {
        Tally { failures, last_failure_at: NOW }
    }

    #[test]
    fn after_free_failures_each_one_doubles_the_wait() {
        let waits: Vec<i64> =
            (0..15).map(|failures| Scope::Pair.wait(failed(failures), NOW).map_or(0, |wait| wait.whole_seconds())).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
    }

    #[test]
    fn ipv6_counts_by_64_and_mapped_ipv4_as_ipv4() {
        assert_eq!(network_of("2001:db8:1:2:3::4".parse().unwrap()), "2001:db8:1:2::/64");
        assert_eq!(network_of("2001:db8:1:2:ffff::1".parse().unwrap()), "2001:db8:1:2::/64");
        assert_eq!(network_of("::ffff:192.0.2.7".parse().unwrap()), "192.0.2.7");
        assert_eq!(network_of("192.0.2.7".parse().unwrap()), "192.0.2.7");
    }

    proptest! {
        #[test]
        fn waits_grow_with_failures_up_to_the_limit(
            scope in scopes(), failures in any::<u32>(), seconds in -100_000i64..100_000,
        ) {
            let now = NOW + Duration::seconds(seconds);
            let wait = scope.wait(failed(failures), now);
            prop_assert!(wait.is_none_or(|wait| wait.is_positive() && wait <= scope.longest()));
            prop_assert!(failures >= scope.free() || wait.is_none());
            prop_assert!(scope.wait(failed(failures.saturating_add(1)), now) >= wait);
            if let Some(wait) = wait {
                prop_assert_eq!(scope.wait(failed(failures), now.max(NOW) + wait), None);
            }
        }

        #[test]
        fn endless_attempts_get_few_guesses(scope in scopes(), pauses in prop::collection::vec(0i64..1_000, 1..400)) {
            let (mut now, mut tally, mut looked_at) = (NOW, failed(0), 0u32);
            for pause in pauses {
                now += Duration::seconds(pause);
                if scope.wait(tally, now).is_none() {
                    tally = scope.with_failure(tally, now);
                    looked_at += 1;
                }
            }
            // The doubling waits add up to less than twice the last one.
            let steady = (now - NOW).whole_seconds() / scope.longest().whole_seconds();
            let bound = scope.free() + 9 + u32::try_from(steady).unwrap();
            prop_assert!(looked_at <= bound, "{} of {}", looked_at, bound);
        }

        #[test]
        fn owners_are_never_locked_out_of_known_addresses(failures in any::<u32>(), own in 0u32..5) {
            let tally = |scope| if scope == Scope::Pair { failed(own) } else { failed(failures) };
            prop_assert!(Scope::checked(true).iter().all(|scope| scope.wait(tally(*scope), NOW).is_none()));
            prop_assert!(!Scope::counted(true).contains(&Scope::Account));
        }

        #[test]
        fn old_failures_expire(scope in scopes(), failures in any::<u32>()) {
            let later = NOW + scope.forgotten_after();
            prop_assert_eq!(scope.with_failure(failed(failures), later).failures, 1);
            prop_assert_eq!(scope.with_failure(failed(failures), later - Duration::SECOND).failures, failures.saturating_add(1));
            prop_assert!(scope.longest() < scope.forgotten_after());
        }
    }
}
