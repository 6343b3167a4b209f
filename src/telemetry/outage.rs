//! Logs repeated failures without filling the log.

use std::time::{Duration, Instant};

/// How often a continuing outage is logged.
const REMINDED: Duration = Duration::from_secs(60);

/// Counts failures between two successes.
#[derive(Debug, Default)]
pub struct Outage(Option<Lasting>);

#[derive(Debug)]
struct Lasting {
    since: Instant,
    logged: Instant,
    failures: u64,
}

/// A change that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The first failure.
    Began,
    /// Still failing a minute later; the number of failures so far.
    Lasts { failures: u64, seconds: u64 },
    /// Recovered, after this many failures.
    Over { failures: u64, seconds: u64 },
}

impl Outage {
    /// Records a failure.
    pub fn failed(&mut self, now: Instant) -> Option<News> {
        let Some(lasting) = &mut self.0 else {
            self.0 = Some(Lasting { since: now, logged: now, failures: 1 });
            return Some(News::Began);
        };
        lasting.failures += 1;
        if now.duration_since(lasting.logged) < REMINDED {
            return None;
        }
        lasting.logged = now;
        Some(News::Lasts { failures: lasting.failures, seconds: now.duration_since(lasting.since).as_secs() })
    }

    /// Records a success.
    pub fn worked(&mut self, now: Instant) -> Option<News> {
        let lasting = self.0.take()?;
        Some(News::Over { failures: lasting.failures, seconds: now.duration_since(lasting.since).as_secs() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_are_logged_at_start_each_minute_and_end() {
        let begun = Instant::now();
        let mut outage = Outage::default();
        assert_eq!(outage.worked(begun), None);
        let logged: Vec<_> =
            (0..150).filter_map(|second| outage.failed(begun + Duration::from_secs(second)).map(|news| (second, news))).collect();
        assert_eq!(
            logged,
            [(0, News::Began), (60, News::Lasts { failures: 61, seconds: 60 }), (120, News::Lasts { failures: 121, seconds: 120 })]
        );
        assert_eq!(outage.worked(begun + Duration::from_secs(150)), Some(News::Over { failures: 150, seconds: 150 }));
        assert_eq!(outage.worked(begun + Duration::from_secs(151)), None);
        assert_eq!(outage.failed(begun + Duration::from_secs(152)), Some(News::Began));
    }
}
