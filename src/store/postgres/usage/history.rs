//! A customer's hourly records over time.

use crate::{
    domain::{identity::CustomerId, metric::Metric, period::Period, usage_history::Granularity},
    store::postgres::decode,
};
use sqlx::PgPool;
use time::OffsetDateTime;

/// Usage of a metric in an hour, day or month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    pub metric: Metric,
    /// None: all apps, or those in `other_apps`.
    pub app_id: Option<String>,
    pub other_apps: Option<u32>,
    pub start: OffsetDateTime,
    pub quantity: u64,
}

/// The hours of a span by metric and time. If `apps` is set, by app too: per metric the apps with
/// the most usage first, then the others together. Rows of a series are consecutive.
pub async fn sums(
    pool: &PgPool,
    customer: CustomerId,
    metrics: &[Metric],
    span: Period,
    granularity: Granularity,
    apps: Option<u16>,
) -> sqlx::Result<Vec<Sum>> {
    let metrics: Vec<&str> = metrics.iter().map(|metric| metric.as_str()).collect();
    let rows = sqlx::query_file!(
        "src/store/postgres/usage/history.sql",
        customer.0,
        &metrics as &[&str],
        span.start(),
        span.end(),
        granularity.as_str(),
        i64::from(apps.unwrap_or(0)),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let others = row.app_id.is_none() && apps.is_some();
            Ok(Sum {
                metric: decode(&row.metric)?,
                other_apps: others.then(|| u32::try_from(row.apps).unwrap_or(u32::MAX)),
                app_id: row.app_id,
                start: row.start,
                quantity: u64::try_from(row.quantity).unwrap_or(0),
            })
        })
        .collect()
}
