//! Something that fails again and again, told of without filling the log.

use std::time::{Duration, Instant};

/// How often a trouble that lasts is told of.
const REMINDED: Duration = Duration::from_secs(60);

/// Counts failures between two successes.
#[derive(Debug, Default)]
pub struct Outage(Option<Lasting>);

#[derive(Debug)]
struct Lasting {
    since: Instant,
    told: Instant,
    failures: u64,
}

/// What is worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It failed, and had not before.
    Began,
    /// A minute later it still does; so many failures since it began.
    Lasts { failures: u64, seconds: u64 },
    /// It works again, after so many failures.
    Over { failures: u64, seconds: u64 },
}

impl Outage {
    /// It failed.
    pub fn failed(&mut self, now: Instant) -> Option<News> {
        let Some(lasting) = &mut self.0 else {
            self.0 = Some(Lasting { since: now, told: now, failures: 1 });
            return Some(News::Began);
        };
        lasting.failures += 1;
        if now.duration_since(lasting.told) < REMINDED {
            return None;
        }
        lasting.told = now;
        Some(News::Lasts { failures: lasting.failures, seconds: now.duration_since(lasting.since).as_secs() })
    }

    /// It worked.
    pub fn worked(&mut self, now: Instant) -> Option<News> {
        let lasting = self.0.take()?;
        Some(News::Over { failures: lasting.failures, seconds: now.duration_since(lasting.since).as_secs() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_when_it_begins_each_minute_and_when_it_ends() {
        let begun = Instant::now();
        let mut outage = Outage::default();
        assert_eq!(outage.worked(begun), None);
        let told: Vec<_> =
            (0..150).filter_map(|second| outage.failed(begun + Duration::from_secs(second)).map(|news| (second, news))).collect();
        assert_eq!(
            told,
            [(0, News::Began), (60, News::Lasts { failures: 61, seconds: 60 }), (120, News::Lasts { failures: 121, seconds: 120 })]
        );
        assert_eq!(outage.worked(begun + Duration::from_secs(150)), Some(News::Over { failures: 150, seconds: 150 }));
        assert_eq!(outage.worked(begun + Duration::from_secs(151)), None);
        assert_eq!(outage.failed(begun + Duration::from_secs(152)), Some(News::Began));
    }
}
