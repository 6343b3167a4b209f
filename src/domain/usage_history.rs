//! Usage over time, for charts and spreadsheets.

use super::{
    file_name::slug,
    list::{Parameter, TimeBound},
    metric::Metric,
    period::{Period, hour_of, months_later},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::{Duration, OffsetDateTime, Time, UtcOffset};

/// Length of a point, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Granularity {
    Hour,
    Day,
    Month,
}

impl Granularity {
    /// As in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Granularity::Hour => "hour",
            Granularity::Day => "day",
            Granularity::Month => "month",
        }
    }

    /// The start of the hour, day or month that contains an instant.
    pub fn floor(self, at: OffsetDateTime) -> OffsetDateTime {
        let at = at.to_offset(UtcOffset::UTC);
        match self {
            Granularity::Hour => hour_of(at),
            Granularity::Day => at.replace_time(Time::MIDNIGHT),
            Granularity::Month => Period::calendar_month(at).start(),
        }
    }

    /// The starts of those that a span overlaps, in order.
    pub fn starts(self, span: &Period) -> impl Iterator<Item = OffsetDateTime> + use<> {
        let end = span.end();
        let next = move |start: &OffsetDateTime| match self {
            Granularity::Hour => start.checked_add(Duration::HOUR),
            Granularity::Day => start.checked_add(Duration::DAY),
            Granularity::Month => Some(months_later(*start, 1)).filter(|next| next > start),
        };
        std::iter::successors(Some(self.floor(span.start())), next).take_while(move |start| *start < end)
    }
}

impl FromStr for Granularity {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        [Granularity::Hour, Granularity::Day, Granularity::Month]
            .into_iter()
            .find(|granularity| granularity.as_str() == s)
            .ok_or_else(|| "must be hour, day or month".to_owned())
    }
}

impl fmt::Display for Granularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How series may be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Grouping {
    App,
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Grouping::App => f.write_str("app"),
        }
    }
}

impl FromStr for Grouping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "app" { Ok(Grouping::App) } else { Err("must be app or absent".to_owned()) }
    }
}

/// The usage and its resolution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UsageSpan {
    /// Default: all.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = Metric)]
    pub metric: Parameter<Metric>,
    /// The start: an RFC 3339 instant, or a date for its start in UTC. Default: a week, 30 days or
    /// a year before `to`.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(inline, required = false, value_type = TimeBound)]
    pub from: Parameter<TimeBound>,
    /// The end, exclusive. Default: now.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(inline, required = false, value_type = TimeBound)]
    pub to: Parameter<TimeBound>,
    /// Length of a point; default `day`.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = Granularity)]
    pub granularity: Parameter<Granularity>,
    /// `app`: one series for each of the 20 apps with the most usage, and one for the others.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(inline, required = false, value_type = Grouping)]
    pub group_by: Parameter<Grouping>,
}

/// `GET /billing/usage/history`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UsageHistory {
    /// Per metric, and per app if requested: apps with the most usage first, the rest summed at the
    /// end.
    pub series: Vec<UsageSeries>,
}

/// One metric, of one app or of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UsageSeries {
    pub metric: Metric,
    /// Null: all apps, or those in `other_apps`.
    pub app_id: Option<String>,
    /// The number of apps summed here, if they have no series of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_apps: Option<u32>,
    /// Without gaps.
    pub points: Vec<UsagePoint>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UsagePoint {
    /// The first instant of the hour, day or month. The first and the last point contain only the
    /// requested span.
    #[serde(with = "time::serde::rfc3339")]
    pub start: OffsetDateTime,
    /// In the metric's own unit.
    pub quantity: u64,
}

impl UsageHistory {
    /// Without points that begin after `now`: future days have no usage yet, which differs from 0.
    pub fn until(mut self, now: OffsetDateTime) -> UsageHistory {
        for series in &mut self.series {
            series.points.retain(|point| point.start <= now);
        }
        self
    }
}

/// The file name of a customer's usage: customer, metric, grouping, first and last day.
pub fn file_name(customer: &str, metric: Option<Metric>, granularity: Granularity, by_app: bool, span: &Period) -> String {
    let day = |at: OffsetDateTime| at.to_offset(UtcOffset::UTC).date();
    let mut parts = vec!["usage".to_owned(), slug(customer)];
    parts.extend(metric.map(|metric| slug(metric.as_str())));
    parts.extend(by_app.then(|| "by-app".to_owned()));
    parts.extend((granularity != Granularity::Day).then(|| format!("by-{}", granularity.as_str())));
    parts.push(format!("{}_{}", day(span.start()), day(span.end() - Duration::NANOSECOND)));
    parts.retain(|part| !part.is_empty());
    format!("{}.csv", parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    fn starts(granularity: Granularity, start: OffsetDateTime, end: OffsetDateTime) -> Vec<OffsetDateTime> {
        granularity.starts(&Period::new(start, end).unwrap()).collect()
    }

    #[test]
    fn a_day_is_a_utc_day_when_clocks_change() {
        // In Berlin, 25 October 2026 has 25 hours and 29 March 2026 has 23.
        for (start, end) in [
            (datetime!(2026-10-25 00:00 +02:00), datetime!(2026-10-26 00:00 +01:00)),
            (datetime!(2026-03-29 00:00 +01:00), datetime!(2026-03-30 00:00 +02:00)),
        ] {
            let hours = starts(Granularity::Hour, start, end);
            assert_eq!(hours.len() as i64, (end - start).whole_hours());
            assert_eq!(starts(Granularity::Day, start, end).len(), 2);
        }
    }

    #[test]
    fn months_end_where_they_end() {
        assert_eq!(
            starts(Granularity::Month, datetime!(2027-12-31 23:00 UTC), datetime!(2028-03-01 0:00 UTC)),
            [datetime!(2027-12-01 0:00 UTC), datetime!(2028-01-01 0:00 UTC), datetime!(2028-02-01 0:00 UTC)]
        );
        assert_eq!(starts(Granularity::Day, datetime!(2028-02-28 0:00 UTC), datetime!(2028-03-01 0:00 UTC)).len(), 2);
    }

    #[test]
    fn file_names_have_customer_and_days() {
        let span = Period::new(datetime!(2026-11-10 0:00 UTC), datetime!(2026-12-10 0:00 UTC)).unwrap();
        let name = |metric, granularity, by_app| file_name("Lumen Games", metric, granularity, by_app, &span);
        assert_eq!(name(Some(Metric::Impressions), Granularity::Day, false), "usage-lumen-games-impressions-2026-11-10_2026-12-09.csv");
        assert_eq!(name(None, Granularity::Day, false), "usage-lumen-games-2026-11-10_2026-12-09.csv");
        assert_eq!(
            name(Some(Metric::DataTransferBytes), Granularity::Hour, true),
            "usage-lumen-games-data-transfer-bytes-by-app-by-hour-2026-11-10_2026-12-09.csv"
        );
        assert_eq!(file_name("—", None, Granularity::Day, false, &span), "usage-2026-11-10_2026-12-09.csv");
    }

    proptest! {
        #[test]
        fn points_tile_time(start in 0i64..4_000_000_000, seconds in 1i64..6_000_000) {
            let start = OffsetDateTime::from_unix_timestamp(start).unwrap();
            let span = Period::new(start, start + Duration::seconds(seconds)).unwrap();
            for granularity in [Granularity::Hour, Granularity::Day, Granularity::Month] {
                let starts: Vec<OffsetDateTime> = granularity.starts(&span).collect();
                prop_assert!(starts[0] <= span.start());
                for pair in starts.windows(2) {
                    prop_assert_eq!(granularity.floor(pair[1] - Duration::NANOSECOND), pair[0]);
                }
                prop_assert_eq!(granularity.floor(span.end() - Duration::NANOSECOND), *starts.last().unwrap());
            }
        }
    }
}
