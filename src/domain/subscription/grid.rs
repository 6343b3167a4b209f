//! Period boundaries, from the billing cycle anchor and the price's interval.

use crate::domain::period::{Period, months_later};
use std::str::FromStr;
use time::{Duration, OffsetDateTime};

/// The unit of a price's interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    /// As in Stripe and the mirror.
    pub const fn as_str(self) -> &'static str {
        match self {
            Unit::Day => "day",
            Unit::Week => "week",
            Unit::Month => "month",
            Unit::Year => "year",
        }
    }
}

impl FromStr for Unit {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        [Unit::Day, Unit::Week, Unit::Month, Unit::Year]
            .into_iter()
            .find(|unit| unit.as_str() == s)
            .ok_or_else(|| format!("`{s}` is not an interval"))
    }
}

/// A price's `recurring.interval` and `interval_count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    pub unit: Unit,
    pub count: u16,
}

impl Interval {
    /// None for a count of 0.
    pub fn new(unit: Unit, count: u16) -> Option<Interval> {
        (count > 0).then_some(Interval { unit, count })
    }

    /// For comparing intervals.
    pub fn about_days(self) -> u32 {
        let unit = match self.unit {
            Unit::Day => 1,
            Unit::Week => 7,
            Unit::Month => 30,
            Unit::Year => 365,
        };
        unit * u32::from(self.count)
    }

    /// As months or as a duration.
    fn step(self) -> Step {
        let count = i32::from(self.count.max(1));
        match self.unit {
            Unit::Day => Step::Length(Duration::days(i64::from(count))),
            Unit::Week => Step::Length(Duration::weeks(i64::from(count))),
            Unit::Month => Step::Months(count),
            Unit::Year => Step::Months(12 * count),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The anchor's day in each month; the month's last day if it has no such day ("Set the
    /// subscription billing renewal date").
    Months(i32),
    Length(Duration),
}

/// The instants at which periods begin, before and after the anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    anchor: OffsetDateTime,
    step: Step,
}

/// Stripe's longest interval: three years.
const MOST_MONTHS: i32 = 36;

/// The billing period before one: as long in months where that is some months long, else the same
/// time again.
pub fn previous(period: Period) -> Period {
    let (start, end) = Grid::of(period, None, None).around(period.start() - Duration::NANOSECOND);
    Period::new(start, end.min(period.start())).unwrap_or(period)
}

impl Grid {
    pub fn new(anchor: OffsetDateTime, interval: Interval) -> Grid {
        Grid { anchor, step: interval.step() }
    }

    /// The grid of a subscription with this period. An unknown interval or anchor is derived from
    /// the period.
    pub fn of(known: Period, interval: Option<Interval>, anchor: Option<OffsetDateTime>) -> Grid {
        let step = interval.map_or_else(|| step_of(known), Interval::step);
        let by_anchor = anchor.map(|anchor| Grid { anchor, step });
        // An anchor that does not match the period is outdated.
        if let Some(grid) = by_anchor.filter(|grid| grid.holds(known.start()) || grid.holds(known.end())) {
            return grid;
        }
        // From 28 February to 31 March, the end gives the day of the month; from 31 January to 28
        // February, the start.
        let anchor = if known.start().day() > known.end().day() && matches!(step, Step::Months(_)) { known.start() } else { known.end() };
        Grid { anchor, step }
    }

    fn holds(&self, at: OffsetDateTime) -> bool {
        self.around(at).0 == at
    }

    fn boundary(&self, k: i32) -> OffsetDateTime {
        match self.step {
            Step::Months(months) => months_later(self.anchor, k.saturating_mul(months)),
            Step::Length(length) => self.anchor.checked_add(length.saturating_mul(k)).unwrap_or(self.anchor),
        }
    }

    /// The last boundary up to an instant, and the next one.
    pub fn around(&self, at: OffsetDateTime) -> (OffsetDateTime, OffsetDateTime) {
        let about = match self.step {
            Step::Months(months) => {
                let month = |at: OffsetDateTime| at.year() * 12 + i32::from(u8::from(at.month()));
                (month(at) - month(self.anchor)).div_euclid(months)
            }
            Step::Length(length) => {
                let seconds = length.whole_seconds().max(1);
                i32::try_from((at - self.anchor).whole_seconds().div_euclid(seconds)).unwrap_or(0)
            }
        };
        // The estimate is off by at most one: within a month, before or after the anchor's day.
        let k = [about + 1, about].into_iter().find(|k| self.boundary(*k) <= at).unwrap_or(about - 1);
        (self.boundary(k), self.boundary(k + 1))
    }
}

/// The length of a period, in months or as a duration.
fn step_of(period: Period) -> Step {
    let (start, end) = (period.start(), period.end());
    (1..=MOST_MONTHS)
        .find(|months| months_later(start, *months) == end || months_later(end, -*months) == start)
        .map_or(Step::Length(period.length()), Step::Months)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_period_before_is_as_long_in_months() {
        let before = |start, end| {
            let found = previous(Period::new(start, end).unwrap());
            assert_eq!(found.end(), start);
            found.start()
        };
        assert_eq!(before(datetime!(2026-11-01 0:00 UTC), datetime!(2026-12-01 0:00 UTC)), datetime!(2026-10-01 0:00 UTC));
        assert_eq!(before(datetime!(2026-11-15 10:22 UTC), datetime!(2026-12-15 10:22 UTC)), datetime!(2026-10-15 10:22 UTC));
        assert_eq!(before(datetime!(2026-02-28 8:00 UTC), datetime!(2026-03-31 8:00 UTC)), datetime!(2026-01-31 8:00 UTC));
        assert_eq!(before(datetime!(2026-01-31 8:00 UTC), datetime!(2026-02-28 8:00 UTC)), datetime!(2025-12-31 8:00 UTC));
        assert_eq!(before(datetime!(2026-11-08 0:00 UTC), datetime!(2026-11-15 0:00 UTC)), datetime!(2026-11-01 0:00 UTC));
        assert_eq!(before(datetime!(2028-03-15 0:00 UTC), datetime!(2029-03-15 0:00 UTC)), datetime!(2027-03-15 0:00 UTC));
    }
}
