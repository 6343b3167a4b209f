//! An hour of a customer's usage, and the comparison of received with recorded usage.

use super::{identity::CustomerId, metric::Metric};
use serde::Serialize;
use std::{collections::BTreeMap, fmt};
use time::OffsetDateTime;

/// One customer's hour of one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct UsageHour {
    pub customer: CustomerId,
    pub metric: Metric,
    /// The start of the hour, in UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub start: OffsetDateTime,
}

impl fmt::Display for UsageHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UsageHour { customer, metric, start } = self;
        write!(f, "{customer} {metric} {:04}-{:02}-{:02}T{:02}Z", start.year(), u8::from(start.month()), start.day(), start.hour())
    }
}

/// The totals of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HourTotal {
    pub events: u64,
    /// In the metric's own unit.
    pub quantity: u64,
}

/// The totals of some hours.
pub type HourTotals = BTreeMap<UsageHour, HourTotal>;

/// An hour whose raw events differ from its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HourDifference {
    #[serde(flatten)]
    pub hour: UsageHour,
    /// From the events themselves.
    pub raw: HourTotal,
    /// As billed.
    pub recorded: HourTotal,
}

/// The hours that differ, in order. An hour that is missing on one side counts as 0 there.
pub fn differences(raw: &HourTotals, recorded: &HourTotals) -> Vec<HourDifference> {
    let total = |side: &HourTotals, hour: &UsageHour| side.get(hour).copied().unwrap_or_default();
    let mut found: Vec<HourDifference> = raw
        .keys()
        .chain(recorded.keys().filter(|hour| !raw.contains_key(hour)))
        .map(|hour| HourDifference { hour: *hour, raw: total(raw, hour), recorded: total(recorded, hour) })
        .filter(|found| found.raw != found.recorded)
        .collect();
    found.sort_by_key(|found| found.hour);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;
    use uuid::Uuid;

    fn hour(hour: u8) -> UsageHour {
        let start = datetime!(2026-11-22 0:00 UTC).replace_hour(hour).unwrap();
        UsageHour { customer: CustomerId(Uuid::nil()), metric: Metric::Impressions, start }
    }

    fn total(events: u64, quantity: u64) -> HourTotal {
        HourTotal { events, quantity }
    }

    #[test]
    fn only_differences_are_found_on_either_side() {
        let raw = HourTotals::from([(hour(1), total(2, 5)), (hour(2), total(1, 1)), (hour(3), total(1, 7))]);
        let recorded = HourTotals::from([(hour(1), total(2, 5)), (hour(3), total(1, 8)), (hour(0), total(4, 4))]);
        let found = differences(&raw, &recorded);
        assert_eq!(found.iter().map(|found| found.hour).collect::<Vec<_>>(), [hour(0), hour(2), hour(3)]);
        assert_eq!((found[0].raw, found[0].recorded), (HourTotal::default(), total(4, 4)));
        assert_eq!((found[2].raw, found[2].recorded), (total(1, 7), total(1, 8)));
        assert!(differences(&raw, &raw).is_empty());
    }

    #[test]
    fn an_hour_reads_as_one_word_each() {
        assert_eq!(hour(7).to_string(), "00000000-0000-0000-0000-000000000000 impressions 2026-11-22T07Z");
    }
}
