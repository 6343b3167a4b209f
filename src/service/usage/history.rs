//! Usage over time, from the hourly records.

use super::{
    super::{Error, Platform, Result, parameter::value},
    file,
};
use crate::{
    domain::{
        identity::CustomerId,
        list::TimeBound,
        metric::Metric,
        period::{Period, hour_of},
        usage_history::{Granularity, Grouping, UsageHistory, UsagePoint, UsageSeries, UsageSpan, file_name},
    },
    store::postgres::{
        customers,
        usage::{history as store, splits},
    },
};
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};

/// Apps with their own series; the others share one.
pub const MAX_APPS: u16 = 20;
/// Maximum spans: three months of hours, two years of days or months.
const MAX_DAYS_OF_HOURS: i64 = 93;
const MAX_DAYS: i64 = 732;
/// Maximum number of points in a response.
const MAX_POINTS: usize = 50_000;

/// A customer's usage in the hours, and parts of hours, that begin in `[from, to)`. Defaults: `to`
/// is now, and `from` a week of hours, 30 days or a year before it.
#[tracing::instrument(name = "usage.history", level = "debug", skip_all)]
pub async fn history(platform: &Platform, customer: CustomerId, span: UsageSpan) -> Result<UsageHistory> {
    read(platform, customer, Asked::of(span, platform.clock.now())?).await
}

/// A CSV file.
pub struct File {
    pub name: String,
    pub text: String,
}

/// The same as a file that ends with the current hour, day or month; its name has the customer and
/// the time.
pub async fn file(platform: &Platform, customer: CustomerId, span: UsageSpan) -> Result<File> {
    let now = platform.clock.now();
    let asked = Asked::of(span, now)?;
    let customer_name = customers::name(&platform.db, customer).await?.unwrap_or_default();
    let metric = if let [one] = asked.metrics[..] { Some(one) } else { None };
    let name = file_name(&customer_name, metric, asked.granularity, asked.by_app, &asked.named);
    let history = read(platform, customer, asked).await?.until(now);
    Ok(File { name, text: file::text(&history).map_err(anyhow::Error::from)? })
}

/// The parsed parameters.
struct Asked {
    metrics: Vec<Metric>,
    granularity: Granularity,
    by_app: bool,
    /// The name in the request.
    named: Period,
}

impl Asked {
    fn of(span: UsageSpan, now: OffsetDateTime) -> Result<Asked> {
        let metrics = value("metric", span.metric)?.map_or_else(|| Metric::ALL.to_vec(), |metric| vec![metric]);
        let granularity = value("granularity", span.granularity)?.unwrap_or(Granularity::Day);
        let by_app = value("group_by", span.group_by)? == Some(Grouping::App);
        let (from, to) = (value("from", span.from)?, value("to", span.to)?);
        let named = named(granularity, from.map(TimeBound::start), to.map(TimeBound::start), now)?;
        Ok(Asked { metrics, granularity, by_app, named })
    }
}

async fn read(platform: &Platform, customer: CustomerId, asked: Asked) -> Result<UsageHistory> {
    let Asked { metrics, granularity, by_app, named } = asked;
    let (from, to) = (named.start(), named.end());
    // A split hour has a part that begins at the boundary; other hours count where they begin.
    let next_hour = hour_of(from + Duration::HOUR - Duration::NANOSECOND);
    let mut conn = platform.db.acquire().await?;
    let split = splits::within(&mut *conn, customer, from - Duration::SECOND, next_hour).await?.into_iter().find(|at| *at >= from);
    let Some(span) = Period::new(split.unwrap_or(next_hour), to) else { return Ok(UsageHistory::default()) };
    let starts: Vec<OffsetDateTime> = granularity.starts(&span).collect();
    let most = starts.len() * metrics.len() * if by_app { usize::from(MAX_APPS) + 1 } else { 1 };
    if most > MAX_POINTS {
        return Err(Error::invalid(
            "metric",
            format!("must be one metric: all metrics by app over this span may exceed {MAX_POINTS} points"),
        ));
    }
    let apps = by_app.then_some(MAX_APPS);
    let sums = store::sums(&mut *conn, customer, &metrics, span, granularity, apps).await?;
    Ok(UsageHistory { series: series(&metrics, &starts, sums, by_app) })
}

/// The time that is asked for.
fn named(
    granularity: Granularity,
    given_from: Option<OffsetDateTime>,
    given_to: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<Period> {
    let (usual, most) = match granularity {
        Granularity::Hour => (7, MAX_DAYS_OF_HOURS),
        Granularity::Day => (30, MAX_DAYS),
        Granularity::Month => (365, MAX_DAYS),
    };
    let to = given_to.unwrap_or(now);
    let from = given_from.unwrap_or_else(|| granularity.floor(to - Duration::days(usual)));
    if from >= to {
        return Err(if given_to.is_some() { Error::invalid("to", "is before `from`") } else { Error::invalid("from", "is in the future") });
    }
    if to - from > Duration::days(most) {
        return Err(Error::invalid(
            "from",
            format!("must be at most {most} days before `to` when granularity is {}", granularity.as_str()),
        ));
    }
    Period::new(from, to).ok_or_else(|| Error::invalid("to", "is before `from`"))
}

/// A series per metric, or per metric and app, with a point for each start.
fn series(metrics: &[Metric], starts: &[OffsetDateTime], sums: Vec<store::Sum>, by_app: bool) -> Vec<UsageSeries> {
    let places: HashMap<OffsetDateTime, usize> = starts.iter().enumerate().map(|(place, start)| (*start, place)).collect();
    let empty = |metric, app_id, other_apps| UsageSeries {
        metric,
        app_id,
        other_apps,
        points: starts.iter().map(|start| UsagePoint { start: *start, quantity: 0 }).collect(),
    };
    let mut series: Vec<UsageSeries> = if by_app { Vec::new() } else { metrics.iter().map(|metric| empty(*metric, None, None)).collect() };
    // The sums of a series are consecutive.
    for sum in sums {
        let known = if by_app { series.last().is_some_and(|last| last.metric == sum.metric && last.app_id == sum.app_id) } else { true };
        if !known {
            series.push(empty(sum.metric, sum.app_id, sum.other_apps));
        }
        let target = if by_app { series.last_mut() } else { series.iter_mut().find(|series| series.metric == sum.metric) };
        if let Some((series, place)) = target.zip(places.get(&sum.start)) {
            series.points[*place].quantity = sum.quantity;
        }
    }
    series.sort_by_key(|series| metrics.iter().position(|metric| *metric == series.metric));
    series
}
