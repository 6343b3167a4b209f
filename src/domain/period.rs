//! Billing periods: half-open `[start, end)` spans of instants.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, UtcOffset};

/// A half-open span of instants; `start < end` always holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Period {
    #[serde(with = "time::serde::rfc3339")]
    start: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    end: OffsetDateTime,
}

impl Period {
    /// None unless `start < end`.
    pub fn new(start: OffsetDateTime, end: OffsetDateTime) -> Option<Period> {
        (start < end).then(|| Period { start: start.to_offset(UtcOffset::UTC), end: end.to_offset(UtcOffset::UTC) })
    }

    /// The calendar month (UTC) that contains the instant.
    pub fn calendar_month(at: OffsetDateTime) -> Period {
        let at = at.to_offset(UtcOffset::UTC);
        let start = at.replace_time(time::Time::MIDNIGHT).replace_day(1).unwrap_or(at);
        // 32 days after the first of a month are in the next month.
        let next = start + Duration::days(32);
        Period { start, end: next.replace_day(1).unwrap_or(next) }
    }

    pub const fn start(&self) -> OffsetDateTime {
        self.start
    }

    pub const fn end(&self) -> OffsetDateTime {
        self.end
    }

    pub fn contains(&self, at: OffsetDateTime) -> bool {
        self.start <= at && at < self.end
    }

    pub fn length(&self) -> Duration {
        self.end - self.start
    }

    /// The part of the period that has passed at an instant, between 0 and its whole length.
    pub fn elapsed(&self, at: OffsetDateTime) -> Duration {
        (at - self.start).clamp(Duration::ZERO, self.length())
    }

    /// The hours of the period, clipped to it: no gap, no overlap.
    pub fn hours(&self) -> impl Iterator<Item = Period> + use<> {
        let Period { start, end } = *self;
        std::iter::successors(Some(hour_of(start)), |hour| Some(*hour + Duration::HOUR))
            .take_while(move |hour| *hour < end)
            .map(move |hour| Period { start: hour.max(start), end: (hour + Duration::HOUR).min(end) })
    }
}

/// The same day and time this many months later (or earlier); the month's last day if it has no
/// such day.
pub fn months_later(at: OffsetDateTime, months: i32) -> OffsetDateTime {
    let month0 = at.year() * 12 + i32::from(u8::from(at.month())) - 1 + months;
    let (year, month) = (month0.div_euclid(12), time::Month::December.nth_next((month0.rem_euclid(12) + 1) as u8));
    let day = at.day().min(month.length(year));
    time::Date::from_calendar_date(year, month, day).map_or(at, |date| at.replace_date(date))
}

/// Calendar days (UTC) between two instants: 1 for tomorrow at any time of day; negative for
/// earlier days.
pub fn calendar_days(from: OffsetDateTime, to: OffsetDateTime) -> i64 {
    (to.to_offset(UtcOffset::UTC).date() - from.to_offset(UtcOffset::UTC).date()).whole_days()
}

/// The UTC hour that contains an instant.
pub fn hour_of(at: OffsetDateTime) -> OffsetDateTime {
    let seconds = at.unix_timestamp().div_euclid(3600) * 3600;
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    #[test]
    fn a_month_knows_leap_days_and_year_ends() {
        let month = Period::calendar_month(datetime!(2028-02-29 23:59:59 UTC));
        assert_eq!(month.start(), datetime!(2028-02-01 0:00 UTC));
        assert_eq!(month.end(), datetime!(2028-03-01 0:00 UTC));
        assert_eq!(Period::calendar_month(datetime!(2026-12-31 12:00 UTC)).end(), datetime!(2027-01-01 0:00 UTC));
        // A local date is not a UTC date.
        assert_eq!(Period::calendar_month(datetime!(2026-03-01 00:30 +02:00)).start(), datetime!(2026-02-01 0:00 UTC));
    }

    #[test]
    fn days_are_counted_by_the_calendar() {
        let afternoon = datetime!(2026-11-30 15:00 UTC);
        assert_eq!(calendar_days(afternoon, datetime!(2026-12-10 0:00 UTC)), 10);
        assert_eq!(calendar_days(afternoon, datetime!(2026-12-10 23:59 UTC)), 10);
        assert_eq!(calendar_days(afternoon, datetime!(2026-11-30 0:00 UTC)), 0);
        assert_eq!(calendar_days(afternoon, datetime!(2026-12-01 0:30 +02:00)), 0);
        assert_eq!(calendar_days(datetime!(2026-11-30 0:00 UTC), datetime!(2026-11-29 23:59 UTC)), -1);
    }

    #[test]
    fn empty_and_reversed_spans_are_rejected() {
        let at = datetime!(2026-01-01 0:00 UTC);
        assert!(Period::new(at, at).is_none());
        assert!(Period::new(at, at - Duration::SECOND).is_none());
    }

    proptest! {
        #[test]
        fn hours_tile_a_period(start in 0i64..4_000_000_000, seconds in 1i64..3_000_000, offset in -12i8..=12) {
            let zone = UtcOffset::from_hms(offset, 30, 0).unwrap_or(UtcOffset::UTC);
            let start = OffsetDateTime::from_unix_timestamp(start).unwrap().to_offset(zone);
            let period = Period::new(start, start + Duration::seconds(seconds)).unwrap();
            let mut at = period.start();
            for hour in period.hours() {
                prop_assert_eq!(hour.start(), at);
                prop_assert!(hour.length() <= Duration::HOUR);
                prop_assert_eq!(hour_of(hour.start()), hour_of(hour.end() - Duration::NANOSECOND));
                at = hour.end();
            }
            prop_assert_eq!(at, period.end());
        }

        #[test]
        fn months_tile_time(at in 0i64..4_000_000_000) {
            let at = OffsetDateTime::from_unix_timestamp(at).unwrap();
            let month = Period::calendar_month(at);
            prop_assert!(month.contains(at));
            let next = Period::calendar_month(month.end());
            prop_assert_eq!(next.start(), month.end());
        }
    }
}
