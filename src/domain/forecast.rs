//! Where a period's usage will end, from its days so far.

use super::period::Period;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

/// An expected total at the period's end with the bounds that hold four times out of five.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    pub amount: u64,
    pub low: u64,
    pub high: u64,
}

/// Extends the period's usage at its mean rate; `days` are the sums of the period's UTC days, in order, the running one last.
///
/// None until a whole day has passed: before that a forecast would be a guess. The interval comes from how much the full
/// days differ from each other (normal, 80 %), and never goes below what is already used.
pub fn linear(period: &Period, days: &[u64], at: OffsetDateTime) -> Option<Forecast> {
    let elapsed = period.elapsed(at);
    if elapsed < Duration::DAY {
        return None;
    }
    let used: u64 = days.iter().sum();
    let left = (period.length() - elapsed).as_seconds_f64() / Duration::DAY.as_seconds_f64();
    let per_day = used as f64 / (elapsed.as_seconds_f64() / Duration::DAY.as_seconds_f64());
    let full = &days[..days.len().saturating_sub(1)];
    let mean = full.iter().sum::<u64>() as f64 / full.len().max(1) as f64;
    let variance = full.iter().map(|day| (*day as f64 - mean).powi(2)).sum::<f64>() / full.len().saturating_sub(1).max(1) as f64;
    // The days to come vary (left), and the mean itself is known only from the days so far (left²/n).
    let spread = 1.2816 * (variance * (left + left * left / full.len().max(1) as f64)).sqrt();
    let rest = per_day * left;
    let total = |rest: f64| used.saturating_add(rest.max(0.0).round() as u64);
    Some(Forecast { amount: total(rest), low: total(rest - spread), high: total(rest + spread) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    fn november() -> Period {
        Period::calendar_month(datetime!(2026-11-10 0:00 UTC))
    }

    #[test]
    fn steady_usage_is_extended_without_doubt() {
        let forecast = linear(&november(), &[100; 10], datetime!(2026-11-11 0:00 UTC)).unwrap();
        assert_eq!(forecast, Forecast { amount: 3000, low: 3000, high: 3000 });
    }

    #[test]
    fn says_nothing_on_the_first_day() {
        assert_eq!(linear(&november(), &[5000], datetime!(2026-11-01 23:59 UTC)), None);
    }

    #[test]
    fn at_the_end_it_is_what_was_used() {
        let forecast = linear(&november(), &[7; 30], datetime!(2026-12-01 0:00 UTC)).unwrap();
        assert_eq!(forecast, Forecast { amount: 210, low: 210, high: 210 });
    }

    proptest! {
        #[test]
        fn never_below_what_is_used_and_ordered(days in prop::collection::vec(0u64..1 << 40, 2..31), hours in 24i64..720) {
            let period = november();
            let forecast = linear(&period, &days, period.start() + Duration::hours(hours)).unwrap();
            let used: u64 = days.iter().sum();
            prop_assert!(used <= forecast.low && forecast.low <= forecast.amount && forecast.amount <= forecast.high);
        }
    }
}
